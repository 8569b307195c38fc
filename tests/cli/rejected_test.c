/* rejected_test.c: `rejected`: what a schema did not allow is kept, shown, corrected, stored after all or given up. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static void enter(void) {
    cli_enter();
    free(cli_call("schema", "{'op':'put','type':'node','schema':{'required':['id'],"
                            "'properties':{'age':{'minimum':0}}}}"));
    free(cli_call("schema", "{'op':'policy','type':'node','policy':'dead_letter'}"));
}

TestSuite(rejected, .init = enter, .fini = cli_leave);

static void keep_two(void) {
    free(cli_call("store", "{'op':'append','events':[{'type':'node','data':{'age':-1}},"
                           "{'type':'node','data':{'id':'b','age':-2}},{'type':'node','data':{'id':'c'}}]}"));
}

Test(rejected, list_shows_the_first_failure_of_each) {
    PRINTS(0, NULL, "", "rejected", "list");
    keep_two();

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "rejected", "list");
    CLEANUP(result_done) struct result first = RUN_FOR(0, NULL, "rejected", "list", "--limit", "1", "--json");

    cr_assert_eq(strncmp(result.out, "ID  STATE    KEPT ", 17), 0, "%s", result.out);
    cli_contains(result.out, "\n 1  waiting  20");
    cli_contains(result.out,
                 "Z  node        1  (root): must have the property \"id\" [required] (+1)\n 2  waiting  20");
    cli_contains(result.out, "Z  node        1  /age: must be >= 0 (got -2) [properties/age/minimum]\n");
    cli_contains(first.out, "{\"entries\":[{\"id\":1,\"type\":\"node\",\"schema_version\":1,\"state\":\"waiting\",");
    cli_contains(first.out, "],\"count\":1}\n");
    PRINTS(0, NULL, "", "rejected", "list", "--state", "discarded", "--state", "resubmitted");
    PRINTS(0, NULL, "", "rejected", "list", "--type", "other");
}

Test(rejected, list_goes_through_all_pages) {
    static char lines[2600 * 40];
    for (int i = 0; i < 2500; i++) {
        (void)strcpy(lines + strlen(lines), "{\"type\":\"node\",\"data\":{}}\n");
    }
    CLEANUP(result_done) struct result stored = RUN_FOR(1, lines, "ingest", "-");
    cli_contains(stored.out, "stored 0 events in ");
    cli_contains(stored.out, "; 2500 kept as rejected entries\n");

    CLEANUP(result_done) struct result all = RUN_FOR(0, NULL, "rejected", "list");
    CLEANUP(result_done) struct result some = RUN_FOR(0, NULL, "rejected", "list", "--limit", "1500", "--json");

    cli_contains(all.out, "\n2500  waiting  ");
    cli_contains(some.out, "],\"count\":1500}\n");
}

Test(rejected, show_tells_all_of_an_entry) {
    keep_two();

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "rejected", "show", "1");

    cr_assert_eq(strncmp(result.out, "id             1\ntype           node\n", 37), 0, "%s", result.out);
    cli_contains(result.out, "\nschema_version 1\nstate          waiting\ncreated_at     20");
    cli_contains(result.out, "\nevent          {\"type\":\"node\",\"data\":{\"age\":-1}}\n"
                             "failures\n"
                             "  (root): must have the property \"id\" [required]\n"
                             "  /age: must be >= 0 (got -1) [properties/age/minimum]\n");
    PRINTS(0, NULL, "{\"type\":\"node\",\"data\":{\"age\":-1}}\n", "rejected", "show", "1", "--event");
    CLEANUP(result_done) struct result missing = RUN_FOR(1, NULL, "rejected", "show", "7");
    cli_contains(missing.err, "cannot show it: NOT_FOUND: ");
}

Test(rejected, resubmit_takes_a_corrected_event) {
    keep_two();
    cli_file("event.json", "{\"type\": \"node\", \"data\": {\"id\": \"a\", \"age\": 1}}");

    CLEANUP(result_done) struct result still = RUN_FOR(1, NULL, "rejected", "resubmit", "1");
    cli_contains(still.err, "cannot resubmit it: REJECTED: ");
    cli_contains(still.err, "\n  (root): must have the property \"id\" [required]\n  /age: must be >= 0 (got -1) [");
    PRINTS(0, NULL, "entry 1: event 2\n", "rejected", "resubmit", "1", "event.json");
    PRINTS(0, "{\"type\": \"node\", \"data\": {\"id\": \"b\"}}", "entry 2: event 3\n", "rejected", "resubmit", "2",
           "-");

    CLEANUP(result_done) struct result shown = RUN_FOR(0, NULL, "rejected", "show", "1");
    cli_contains(shown.out, "\nstate          resubmitted\n");
    cli_contains(shown.out, "\nevent_id       2\n");
    CLEANUP(result_done) struct result again = RUN_FOR(1, NULL, "rejected", "resubmit", "1", "event.json");
    cli_contains(again.err, "ALREADY");
}

Test(rejected, resubmit_of_all_stores_what_is_allowed_by_now) {
    keep_two();
    free(cli_call("schema", "{'op':'put','type':'node','schema':{'required':['id']}}"));

    PRINTS(1, NULL,
           "entry 1: REJECTED: dlq rejected.resubmit: the event does not satisfy version 2 of the schema of 'node'\n"
           "  (root): must have the property \"id\" [required]\n"
           "entry 2: event 2\n"
           "1 resubmitted, 1 still waiting\n",
           "rejected", "resubmit", "--all");
    free(cli_call("schema", "{'op':'put','type':'node','schema':true}"));
    PRINTS(0, NULL, "0 resubmitted, 0 still waiting\n", "rejected", "resubmit", "--all", "--type", "edge");
    PRINTS(0, NULL, "entry 1: event 3\n1 resubmitted, 0 still waiting\n", "rejected", "resubmit", "--all", "--type",
           "node");
}

Test(rejected, discard_keeps_the_reason) {
    keep_two();

    PRINTS(0, NULL, "entry 1: discarded\n", "rejected", "discard", "1", "--reason", "a test");

    CLEANUP(result_done) struct result shown = RUN_FOR(0, NULL, "rejected", "show", "1");
    cli_contains(shown.out, "\nstate          discarded\n");
    cli_contains(shown.out, "\nreason         a test\n");
    CLEANUP(result_done) struct result json = RUN_FOR(1, NULL, "rejected", "discard", "1", "--reason", "x", "--json");
    cli_contains(json.out, "\"name\":\"ALREADY\"");
    cr_assert_str_empty(json.err);
}

/* ---- what ingest says of validation ---- */

static const char LINES[] = "{\"type\":\"node\",\"data\":{\"id\":\"a\"}}\n"
                            "{\"type\":\"node\",\"data\":{\"age\":-1}}\n"
                            "{\"type\":\"node\",\"data\":{\"id\":\"c\"}}\n";

Test(rejected, ingest_tells_what_is_kept_and_counts_what_is_stored) {
    CLEANUP(result_done) struct result result = RUN_FOR(1, LINES, "ingest", "-");

    cli_contains(result.err, "line 2: not valid, kept as rejected entry 1\n"
                             "  (root): must have the property \"id\" [required]\n"
                             "  /age: must be >= 0 (got -1) [properties/age/minimum]\n");
    cli_contains(result.out, "stored 2 events in ");
    cli_contains(result.out, ", ids 1 to 2; 1 kept as rejected entries\n");
}

Test(rejected, ingest_tells_what_is_refused) {
    free(cli_call("schema", "{'op':'policy','type':'node','policy':'reject'}"));

    CLEANUP(result_done) struct result result = RUN_FOR(1, LINES, "ingest", "-");

    cli_contains(result.err, "line 2: REJECTED: ");
    cli_contains(result.err, "\n  (root): must have the property \"id\" [required]\n  /age: must be >= 0 (got -1) [");
    cli_contains(result.out, "stored 2 events in ");
    cli_contains(result.out, "; 1 line refused\n");
}

Test(rejected, ingest_tells_what_is_warned_of) {
    free(cli_call("schema", "{'op':'policy','type':'node','policy':'warn'}"));

    CLEANUP(result_done) struct result result = RUN_FOR(0, LINES, "ingest", "-");

    cli_contains(result.err, "line 2: stored, but not valid\n  (root): must have the property \"id\" [required]\n");
    cli_contains(result.out, "stored 3 events in ");
    cli_contains(result.out, ", ids 1 to 3\n");
}
