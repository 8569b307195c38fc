/* tail_test.c: `tail`: where it begins, that it misses nothing, and how it ends. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static void store(const char *type, int count) {
    char lines[8192] = "";
    for (int i = 0; i < count; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "{\"type\":\"%s\",\"data\":{\"i\":%d},\"tags\":[\"t:%d\"]}\n", type, i,
                       i % 2);
        (void)strcat(lines, line);
    }
    ENDS(0, lines, "ingest", "-");
}

static void enter(void) {
    cli_enter();
    store("old", 5);
}

TestSuite(tail, .init = enter, .fini = cli_leave);

static void check_line(struct process *tail, long long id, const char *type) {
    char expected[64];
    (void)snprintf(expected, sizeof expected, "{\"id\":%lld,\"type\":\"%s\",", id, type);
    char *line = process_line(tail);
    cr_assert_not_null(line, "it ended before %s", expected);
    cr_assert_eq(strncmp(line, expected, strlen(expected)), 0, "%s is not %s", line, expected);
    free(line);
}

Test(tail, begins_with_an_id_and_ends_with_the_count) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "tail", "--from", "2", "--count", "3", "--json");

    cr_assert_eq(strncmp(result.out, "{\"id\":2,", 8), 0, "%s", result.out);
    cli_contains(result.out, "\n{\"id\":3,");
    cli_contains(result.out, "\n{\"id\":4,");
    cr_assert_null(strstr(result.out, "{\"id\":5,"));
    cr_assert_str_empty(result.err);
}

Test(tail, begins_with_the_last_that_match) {
    CLEANUP(result_done) struct result last = RUN_FOR(0, NULL, "tail", "--last", "2", "--count", "2", "--json");
    CLEANUP(result_done)
    struct result tagged = RUN_FOR(0, NULL, "tail", "--last", "2", "--count", "2", "--json", "--tag", "t:0");
    CLEANUP(result_done) struct result more = RUN_FOR(0, NULL, "tail", "--last", "99", "--count", "5", "--json");

    cr_assert_eq(strncmp(last.out, "{\"id\":4,", 8), 0, "%s", last.out);
    cli_contains(last.out, "\n{\"id\":5,");
    cr_assert_eq(strncmp(tagged.out, "{\"id\":3,", 8), 0, "%s", tagged.out);
    cli_contains(tagged.out, "\n{\"id\":5,");
    cr_assert_eq(strncmp(more.out, "{\"id\":1,", 8), 0, "%s", more.out);
}

Test(tail, prints_what_other_processes_store_while_it_runs_each_once) {
    struct process tail = START("tail", "--last", "1", "--json");
    check_line(&tail, 5, "old");

    store("new", 3);
    check_line(&tail, 6, "new");
    check_line(&tail, 7, "new");
    check_line(&tail, 8, "new");
    store("newer", 1);
    check_line(&tail, 9, "newer");

    (void)kill(tail.id, SIGINT);
    CLEANUP(result_done) struct result result = process_finish(&tail);
    cr_assert_eq(result.code, 0);
    cr_assert_str_empty(result.out);
    cr_assert_str_empty(result.err);
}

Test(tail, shows_only_what_matches) {
    struct process tail = START("tail", "--from", "1", "--type", "new", "--json", "--count", "2");

    store("other", 2);
    store("new", 1);
    store("other", 2);
    store("new", 1);

    check_line(&tail, 8, "new");
    check_line(&tail, 11, "new");
    CLEANUP(result_done) struct result result = process_finish(&tail);
    cr_assert_eq(result.code, 0);
}

Test(tail, ends_cleanly_when_terminated_while_it_waits) {
    struct process tail = START("tail", "--last", "1");
    free(process_line(&tail)); /* the title */
    free(process_line(&tail));

    (void)kill(tail.id, SIGTERM);

    CLEANUP(result_done) struct result result = process_finish(&tail);
    cr_assert_eq(result.code, 0);
    cr_assert_str_empty(result.err);
}

Test(tail, for_people_is_a_table) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "tail", "--last", "1", "--count", "1");

    cr_assert_eq(strncmp(result.out, "ID  TIME ", 9), 0, "%s", result.out);
    cli_contains(result.out, "\n 5  2");
    cli_contains(result.out, "  old   -       t:0   {\"i\":4}\n");
}

Test(tail, of_a_store_that_does_not_exist_is_an_error) {
    CLEANUP(result_done) struct result result = RUN_FOR(1, NULL, "tail", "--db", "missing.db");

    cli_contains(result.err, "polaris-host-sim tail: cannot open the store: NOT_FOUND: ");
}
