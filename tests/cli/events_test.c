/* events_test.c: `events`: every filter as an option, the orders, and both forms. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const char EVENTS[] =
    "{\"type\":\"node_created\",\"data\":{\"n\":1},\"time\":1767225600000000,\"stream\":\"alice\","
    "\"tags\":[\"node:alice\"],\"metadata\":{\"user\":\"ann\",\"n\":1}}\n"
    "{\"type\":\"node_created\",\"data\":{\"n\":2},\"time\":1767225603000000,\"tags\":[\"node:bob\"],"
    "\"correlation\":\"c1\"}\n"
    "{\"type\":\"edge_created\",\"data\":{\"n\":3},\"time\":1767225602000000,"
    "\"tags\":[\"node:alice\",\"node:bob\"],\"metadata\":{\"user\":\"ann\"}}\n"
    "{\"type\":\"node_deleted\",\"data\":{\"n\":4},\"time\":1767225601500000,\"stream\":\"alice\","
    "\"metadata\":{\"user\":\"ben\"}}\n";

static void enter(void) {
    cli_enter();
    ENDS(0, EVENTS, "ingest", "-");
}

TestSuite(events, .init = enter, .fini = cli_leave);

/* The ids that `events --json` with these options gives, such as "1 3 ". */
#define FINDS(expected, ...)                                                                                           \
    do {                                                                                                               \
        CLEANUP(result_done) struct result found = RUN_FOR(0, NULL, "events", "--json", __VA_ARGS__);                  \
        check_ids(found.out, expected, (const char *const[]){__VA_ARGS__}[0]);                                         \
    } while (0)

static void check_ids(const char *lines, const char *expected, const char *option) {
    char ids[4096] = "";
    for (const char *at = lines; *at != '\0'; at = strchr(at, '\n') + 1) {
        cr_assert_eq(strncmp(at, "{\"id\":", 6), 0, "%s", at);
        (void)strncat(ids, at + 6, strcspn(at + 6, ","));
        (void)strcat(ids, " ");
    }
    cr_assert_str_eq(ids, expected, "%s: %s, expected %s", option, ids, expected);
}

Test(events, are_filtered_by_what_they_carry) {
    FINDS("1 2 ", "--type", "node_created");
    FINDS("1 2 4 ", "--type", "node_created", "--type", "node_deleted");
    FINDS("", "--type", "nothing");
    FINDS("1 4 ", "--stream", "alice");
    FINDS("1 3 ", "--tag", "node:alice");
    FINDS("1 2 3 ", "--tag", "node:alice", "--tag", "node:bob");
    FINDS("3 ", "--tag", "node:alice", "--tag", "node:bob", "--all-tags");
    FINDS("2 ", "--correlation", "c1");
    FINDS("", "--batch", "b");
    FINDS("1 3 ", "--metadata", "/user=\"ann\"");
    FINDS("1 ", "--metadata", "/user=\"ann\"", "--metadata", "/n=1.0");
    FINDS("1 ", "--stream", "alice", "--type", "node_created");
}

Test(events, are_filtered_by_id_and_by_time) {
    FINDS("3 4 ", "--after", "2");
    FINDS("1 2 ", "--before", "3");
    FINDS("2 3 ", "--from", "2026-01-01T00:00:02Z");
    FINDS("2 3 ", "--from", "2026-01-01T01:00:02+01:00");
    FINDS("2 3 ", "--from", "2025-12-31 19:00:02-05:00");
    FINDS("1 ", "--to", "2026-01-01T00:00:01.5Z");
    FINDS("1 4 ", "--to", "2026-01-01T00:00:01.500001Z");
    FINDS("1 4 ", "--from", "1767225600000000", "--to", "1767225602000000");
    FINDS("1 2 3 4 ", "--from", "2026-01-01");
    FINDS("1 2 3 4 ", "--recorded-from", "2026-01-01");
    FINDS("", "--recorded-to", "2026-01-01");
}

Test(events, come_in_the_order_asked_for) {
    FINDS("4 3 2 1 ", "--desc");
    FINDS("1 4 3 2 ", "--by-time");
    FINDS("2 3 4 1 ", "--by-time", "--desc");
}

Test(events, come_up_to_the_limit) {
    FINDS("", "--limit", "0");
    FINDS("1 ", "--limit", "1");
    FINDS("4 3 2 ", "--limit", "3", "--desc");
    FINDS("1 2 3 4 ", "--limit", "99999999999");
}

Test(events, of_a_batch) {
    free(cli_call("store", "{'op':'batch.create','id':'b'}"));
    free(cli_call("store", "{'op':'batch.append','id':'b','event':{'type':'t','data':{}}}"));
    FINDS("", "--batch", "b");
    free(cli_call("store", "{'op':'batch.complete','id':'b'}"));
    FINDS("5 ", "--batch", "b");
}

Test(events, follow_the_cursor_over_many_pages) {
    size_t count = 3500, capacity = count * 64;
    char *lines = malloc(capacity), *at = lines;
    for (size_t i = 0; i < count; i++) {
        at += sprintf(at, "{\"type\":\"many\",\"data\":{\"i\":%zu}}\n", i);
    }
    ENDS(0, lines, "ingest", "-");
    free(lines);

    CLEANUP(result_done) struct result all = RUN_FOR(0, NULL, "events", "--type", "many", "--json");
    CLEANUP(result_done) struct result some = RUN_FOR(0, NULL, "events", "--type", "many", "--json", "--limit", "2345");

    size_t seen = 0;
    for (const char *line = all.out; *line != '\0'; line = strchr(line, '\n') + 1, seen++) {
        char data[32];
        (void)snprintf(data, sizeof data, "\"data\":{\"i\":%zu}", seen);
        cr_assert_not_null(strstr(line, data));
    }
    cr_assert_eq(seen, count);
    seen = 0;
    for (const char *line = some.out; *line != '\0'; line = strchr(line, '\n') + 1, seen++) {
    }
    cr_assert_eq(seen, 2345u);
}

Test(events, for_people_stand_in_an_aligned_table) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "events", "--to", "2026-01-01T00:00:03Z");

    cr_assert_str_eq(result.out,
                     "ID  TIME                         TYPE          STREAM  TAGS                 DATA\n"
                     " 1  2026-01-01T00:00:00.000000Z  node_created  alice   node:alice           {\"n\":1}\n"
                     " 3  2026-01-01T00:00:02.000000Z  edge_created  -       node:alice,node:bob  {\"n\":3}\n"
                     " 4  2026-01-01T00:00:01.500000Z  node_deleted  alice   -                    {\"n\":4}\n");
}

Test(events, for_people_cannot_steer_the_terminal_and_align_wide_characters) {
    free(cli_call("store", "{'op':'append','events':[{'type':'\\u001b[31mred\\u009b','data':{},'time':0},"
                           "{'type':'\u65e5\u672c\u8a9e','data':{},'time':0},"
                           "{'type':'a_type_with_a_name_that_is_much_too_long_for_a_table','data':{},'time':0}]}"));

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "events", "--after", "4");

    cr_assert_str_eq(result.out,
                     "ID  TIME                         TYPE                              STREAM  TAGS  DATA\n"
                     " 5  1970-01-01T00:00:00.000000Z  ?[31mred?                         -       -     {}\n"
                     " 6  1970-01-01T00:00:00.000000Z  \u65e5\u672c\u8a9e                            -       -     {}\n"
                     " 7  1970-01-01T00:00:00.000000Z  a_type_with_a_name_that_is_much…  -       -     {}\n");
}

Test(events, of_none_are_an_empty_output) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "events", "--type", "nothing");

    cr_assert_str_empty(result.out);
}

Test(events, of_a_store_that_does_not_exist_are_an_error_that_makes_no_file) {
    CLEANUP(result_done) struct result result = RUN_FOR(1, NULL, "events", "--db", "missing.db");

    cli_contains(result.err, "polaris-host-sim events: cannot open the store: NOT_FOUND: ");
    cr_assert_str_empty(result.out);
    ENDS(1, NULL, "events", "--db", "missing.db");
}

Test(events, that_the_plugin_refuses_are_told) {
    char *long_name = malloc(300);
    memset(long_name, 'x', 299);
    long_name[299] = '\0';

    CLEANUP(result_done) struct result result = RUN_FOR(1, NULL, "events", "--stream", long_name);

    cli_contains(result.err, "polaris-host-sim events: cannot find events: ");
    free(long_name);
}

Test(events, that_cannot_be_written_are_told_once) {
    CLEANUP(result_done) struct result result = cli_run_to("/dev/full", (const char *const[]){"events", NULL});

    cr_assert_eq(result.code, 1);
    cr_assert_str_eq(result.err, "polaris-host-sim events: cannot write to standard output\n");
}
