/* torture_test.c: what is planted is found, in words, and found again by the command that was printed. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

static char folder[4096];

/* What is kept of findings goes with the folder of the test. */
static void enter(void) {
    cli_enter();
    cr_assert_not_null(getcwd(folder, sizeof folder));
    cr_assert_eq(setenv("TMPDIR", folder, 1), 0);
}

static void leave(void) {
    char command[sizeof folder + 64];
    (void)snprintf(command, sizeof command, "rm -rf '%s'/polaris-torture-*", folder);
    cr_assert_eq(system(command), 0);
    cli_leave();
}

TestSuite(torture, .init = enter, .fini = leave, .timeout = 240);

static json_t *read_json(const char *text) {
    json_t *value = json_loads(text, 0, NULL);
    cr_assert_not_null(value, "%s", text);
    return value;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    cr_assert_not_null(text, "%s", name);
    return text;
}

static int run_again(const char *command) {
    char line[20000];
    (void)snprintf(line, sizeof line, "%s >again.txt 2>&1", command);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A finding of the run says `words`, and is found again. */
static void check_found(const char *out, const char *words) {
    json_auto_t *run = read_json(out);
    const json_t *finding = json_array_get(json_object_get(run, "findings"), 0);
    char found[8192];
    cli_contains(text_of(finding, "what"), words);
    (void)snprintf(found, sizeof found, "%s/found/events.db", text_of(finding, "folder"));
    cr_assert_eq(access(found, F_OK), 0, "%s is not kept", found);
    cr_assert_eq(run_again(text_of(finding, "again")), 1, "not found again: %s", text_of(finding, "again"));
}

#define FINDS(words, only, rounds, ...)                                                                                \
    do {                                                                                                               \
        CLEANUP(result_done)                                                                                           \
        struct result found =                                                                                          \
            RUN_FOR(1, NULL, "torture", "--json", "--seed", "5", "--only", only, "--rounds", rounds, __VA_ARGS__);     \
        check_found(found.out, words);                                                                                 \
    } while (0)

Test(torture, kills_find_an_append_that_is_forgotten) {
    FINDS("is lost", "kill", "24", BROKEN "/forgets.so");
}

Test(torture, swaps_find_an_append_that_is_forgotten_after_them) {
    FINDS("is lost", "swap", "16", BROKEN "/forgets_after_a_swap.so");
}

Test(torture, a_crash_is_a_finding_and_no_end) {
    FINDS("at work: ended by SIGABRT", "swap", "16", BROKEN "/crashes.so");
}

Test(torture, power_cuts_find_what_was_acknowledged_and_not_synced) {
    FINDS("is lost", "power", "40", BROKEN "/acknowledges_unsynced.so");
}

Test(torture, power_cuts_find_a_disk_that_does_not_sync) {
    FINDS("checking the store: ", "power", "40", "--lose-syncs", PLUGIN);
}

Test(torture, faults_find_a_failure_that_is_denied) {
    FINDS("is lost", "fault", "60", BROKEN "/denies_failures.so");
}

Test(torture, faults_find_a_failure_with_the_wrong_status) {
    FINDS("at work: ", "fault", "60", BROKEN "/says_another_failure.so");
}

Test(torture, a_good_build_has_no_finding_and_each_kind_is_counted) {
    CLEANUP(result_done)
    struct result good = RUN_FOR(0, NULL, "torture", "--json", "--seed", "1", "--rounds", "24", PLUGIN);
    json_auto_t *run = read_json(good.out);
    static const char *const COUNTS[] = {"kills", "cuts", "shutdowns", "swaps", "acknowledged", "reports"};
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
        cr_expect_gt(json_integer_value(json_object_get(run, COUNTS[i])), 0, "%s", COUNTS[i]);
    }
    cr_expect_eq(json_integer_value(json_object_get(run, "rounds")), 24);
    cr_expect_eq(json_array_size(json_object_get(run, "findings")), 0u);
}

Test(torture, a_build_of_1_0_is_tortured_without_what_it_does_not_have) {
    CLEANUP(result_done)
    struct result good = RUN_FOR(0, NULL, "torture", "--rounds", "8", "--seed", "2", PLUGIN_1_0);
    cli_contains(good.out, "ABI 1.0");
    cli_contains(good.out, "nothing was found");
}

Test(torture, people_are_told_what_was_found_and_how_to_find_it_again) {
    CLEANUP(result_done)
    struct result found =
        RUN_FOR(1, NULL, "torture", "--seed", "5", "--only", "kill", "--rounds", "24", BROKEN "/forgets.so");
    cli_contains(found.out, "FOUND in round ");
    cli_contains(found.out, "was acknowledged as ");
    cli_contains(found.out, "again:  ");
    cli_contains(found.out, " --seed 5 --round ");
    cli_contains(found.out, "SOMETHING WAS FOUND");
}

Test(torture, wrong_usage_is_told) {
    CLEANUP(result_done) struct result kind = RUN_FOR(2, NULL, "torture", "--only", "flood", PLUGIN);
    cli_contains(kind.err, "not 'flood'");
    CLEANUP(result_done) struct result none = RUN_FOR(2, NULL, "torture", "--rounds", "1", "nowhere.so");
    cli_contains(none.err, "cannot open the build 'nowhere.so'");
    cli_file("text.so", "no shared object");
    CLEANUP(result_done) struct result text = RUN_FOR(2, NULL, "torture", "--rounds", "1", "text.so");
    cli_contains(text.err, "the build cannot be loaded");
    CLEANUP(result_done) struct result two = RUN_FOR(2, NULL, "torture", PLUGIN, PLUGIN);
    cli_contains(two.err, "--with names");
}
