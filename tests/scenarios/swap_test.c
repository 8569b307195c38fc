/* swap_test.c: `swap`: builds under load, and the proof. */
#include <criterion/criterion.h>
#include <glob.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

TestSuite(swap, .init = cli_enter, .fini = cli_leave);

static json_t *parse(const char *text) {
    json_t *object = json_loads(text, 0, NULL);
    cr_assert_not_null(object, "%s", text);
    return object;
}

static json_int_t number(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

Test(swap, loses_and_doubles_nothing) {
    CLEANUP(result_done)
    struct result result =
        RUN_FOR(0, NULL, "swap", "--json", "--rounds", "3", "--events", "50", TEST_PLUGIN_B, TEST_PLUGIN);

    json_t *object = parse(result.out);
    const json_t *swaps = json_object_get(object, "swaps");
    cr_expect(json_is_true(json_object_get(object, "holds")));
    cr_expect_eq(json_array_size(swaps), 6);
    cr_expect(json_is_true(json_object_get(json_array_get(swaps, 5), "swapped")));
    cr_expect_geq(number(object, "acknowledged"), 7 * 50);
    cr_expect_eq(number(object, "stored"), number(object, "acknowledged"));
    cr_expect_eq(number(object, "followed"), number(object, "acknowledged"));
    cr_expect_eq(number(object, "failed_calls"), 0);
    json_decref(object);
}

Test(swap, tells_people_each_swap_and_the_proof) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "swap", "--events", "20", "--threads", "2", TEST_PLUGIN_B);

    cli_contains(result.out, "calls paused");
    cli_contains(result.out, "all 1 swaps were done");
    cli_contains(result.out, "each is there once, and nothing else is");
}

Test(swap, a_refused_build_is_told_and_the_old_one_goes_on) {
    cli_file("broken.so", "no plugin");
    cr_assert_eq(chmod("broken.so", 0600), 0);

    CLEANUP(result_done) struct result result = RUN_FOR(1, NULL, "swap", "--json", "--events", "20", "./broken.so");

    json_t *object = parse(result.out);
    cr_expect(json_is_false(json_object_get(object, "holds")));
    cr_expect_not_null(strstr(json_string_value(json_object_get(object, "refusal")), "broken.so"));
    cr_expect_geq(number(object, "acknowledged"), 40, "calls went on after the refusal");
    cr_expect_eq(number(object, "failed_calls"), 0);
    json_decref(object);
}

Test(swap, works_beside_what_a_store_holds_already) {
    ENDS(0, "{\"type\": \"node_created\", \"data\": {\"node\": \"a\"}}\n", "ingest", "-");

    for (int i = 0; i < 2; i++) {
        CLEANUP(result_done)
        struct result result = RUN_FOR(0, NULL, "--db", "polaris-events.db", "swap", "--events", "20", TEST_PLUGIN_B);
        cli_contains(result.out, "(0 missing)");
    }

    CLEANUP(result_done) struct result replay = RUN_FOR(0, NULL, "replay");
    cli_contains(replay.out, "nodes    1\n");
}

Test(swap, wrong_usage_is_2) {
    ENDS(2, NULL, "swap");
    ENDS(2, NULL, "swap", "--threads", "0", TEST_PLUGIN_B);
}

/* A build that hangs where the fixture's variable says: the end tells it, and nothing is left. */
static void check_hang(const char *variable, const char *words) {
    (void)setenv("TMPDIR", ".", 1);
    (void)setenv(variable, "hangs", 1);
    CLEANUP(result_done)
    struct result result = RUN_FOR(1, NULL, "swap", "--limit", "1", "--events", "20", FIXTURE_PLUGIN);
    cli_contains(result.err, words);
    cli_contains(result.err, "it has not returned for 1 s");
    glob_t left;
    cr_expect_eq(glob("polaris-*", 0, NULL, &left), GLOB_NOMATCH, "a store was left behind");
}

Test(swap, a_build_whose_entry_hangs_is_told, .timeout = 30) {
    check_hang("FIXTURE_HELLO", "'entry' of the build '" FIXTURE_PLUGIN "' hangs");
}

Test(swap, a_build_whose_init_hangs_is_told, .timeout = 30) {
    check_hang("FIXTURE_INIT", "'init' of the build 'fixture' hangs");
}

Test(swap, a_build_whose_store_hangs_is_told, .timeout = 30) {
    check_hang("FIXTURE_STORE", "'store' of the build 'fixture' hangs");
}
