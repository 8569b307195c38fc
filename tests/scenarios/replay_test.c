/* replay_test.c: `replay`: the graph of a store, its size and its digest. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

TestSuite(replay, .init = cli_enter, .fini = cli_leave);

static const char EVENTS[] =
    "{\"type\": \"node_created\", \"data\": {\"node\": \"a\", \"properties\": {\"x\": 1}}}\n"
    "{\"type\": \"node_created\", \"data\": {\"node\": \"b\"}}\n"
    "{\"type\": \"edge_created\", \"data\": {\"from\": \"a\", \"to\": \"b\", \"kind\": \"knows\"}}\n"
    "{\"type\": \"moon_phase\", \"data\": {}}\n"
    "{\"type\": \"node_deleted\", \"data\": {\"node\": \"nobody\"}}\n";

static json_t *replay_json(const char *option, const char *value) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "replay", "--json", option, value);
    json_t *object = json_loads(result.out, 0, NULL);
    cr_assert_not_null(object, "%s", result.out);
    return object;
}

static json_int_t number(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

Test(replay, prints_the_size_of_the_graph_and_its_digest) {
    ENDS(0, EVENTS, "ingest", "-");

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "replay");

    cli_contains(result.out, "nodes    2\nedges    1\ndigest   ");
    cli_contains(result.out, "events   5 read: 3 applied, 1 ignored, 1 refused\nlast id  5\n");
}

Test(replay, the_page_makes_no_difference) {
    ENDS(0, EVENTS, "ingest", "-");

    json_t *small = replay_json("--page", "1");
    json_t *large = replay_json("--page", "1000");

    cr_expect_eq(number(small, "events"), 5);
    cr_expect(json_equal(json_object_get(small, "digest"), json_object_get(large, "digest")));
    cr_expect_eq(json_string_length(json_object_get(small, "digest")), 64);
    json_decref(small);
    json_decref(large);
}

Test(replay, goes_back_in_time) {
    ENDS(0, EVENTS, "ingest", "-");

    json_t *before = replay_json("--before", "3");

    cr_expect(number(before, "nodes") == 2 && number(before, "edges") == 0 && number(before, "last_id") == 2);
    json_decref(before);
}

Test(replay, needs_a_store) {
    CLEANUP(result_done) struct result result = RUN("", "replay", "--db", "missing.db");

    cr_expect_eq(result.code, 1);
    cli_contains(result.err, "NOT_FOUND");
}

Test(replay, wrong_usage_is_2) {
    ENDS(2, NULL, "replay", "surplus");
    ENDS(2, NULL, "replay", "--page", "0");
}
