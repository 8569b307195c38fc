/* ingest_test.c: `ingest`: what goes in, what is told of what does not, and the summary. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

TestSuite(ingest, .init = cli_enter, .fini = cli_leave);

#define GOOD "{\"type\":\"good\",\"data\":{}}\n"
#define UNKNOWN_FIELD "{\"type\":\"bad\",\"data\":{},\"colour\":1}\n"

static void check_types(const char *expected) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "events", "--json");
    char types[4096] = "";
    for (const char *at = result.out; (at = strstr(at, "\"type\":\"")) != NULL;) {
        at += strlen("\"type\":\"");
        (void)strncat(types, at, strcspn(at, "\""));
        (void)strcat(types, " ");
    }
    cr_assert_str_eq(types, expected);
}

Test(ingest, stores_each_line_in_order_and_says_how_many) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(
        0, "{\"type\":\"a\",\"data\":{}}\n\n   \r\n{\"type\":\"b\",\"data\":{}}\r\n{\"type\":\"c\",\"data\":{}}",
        "ingest", "-");

    cr_assert_eq(strncmp(result.out, "stored 3 events in ", 19), 0, "%s", result.out);
    cli_contains(result.out, ", ids 1 to 3\n");
    cr_assert_str_empty(result.err); /* no progress bar, for it is no terminal */
    check_types("a b c ");
}

Test(ingest, reads_a_file) {
    cli_file("events.jsonl", GOOD GOOD);

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "ingest", "events.jsonl");

    cli_contains(result.out, "stored 2 events in ");
}

Test(ingest, of_what_cannot_be_read_is_an_error_of_its_own) {
    CLEANUP(result_done) struct result none = RUN_FOR(2, NULL, "ingest", "none.jsonl");
    cli_contains(none.err, "cannot open 'none.jsonl'");
    CLEANUP(result_done) struct result broken = RUN_FOR(2, NULL, "ingest", "/proc/self/mem"); /* opens, and no more */
    cli_contains(broken.err, "reading '/proc/self/mem': Input/output error");
    cli_contains(broken.out, "ended early: go on from line 1");
}

Test(ingest, of_nothing_is_all_of_it) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, "", "ingest", "-");

    cli_contains(result.out, "stored 0 events in ");
}

Test(ingest, tells_each_bad_line_with_its_number_and_goes_on) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(1,
                                   "{\"type\":\"a\",\"data\":{}}\n"
                                   "\n"
                                   "{\"type\":\n" /* 3: no JSON */
                                   "{\"type\":\"b\",\"data\":{}}\n"
                                   "[]\n" UNKNOWN_FIELD                               /* 5, 6 */
                                   "{\"type\":\"x\",\"data\":{\"b\":{\"$bin\":1}}}\n" /* 7 */
                                   "{\"data\":{}}\n"                                  /* 8: no type */
                                   "{\"type\":\"c\",\"data\":{}}\n",
                                   "ingest", "-");

    cli_contains(result.err, "line 3, column 8: ");
    cli_contains(result.err, "line 5: an event is a JSON object");
    cli_contains(result.err, "line 6: INVALID at /colour: ");
    cli_contains(result.err, "line 7: at '/data/b': {\"$bin\"");
    cli_contains(result.err, "line 8: INVALID at /type: ");
    cli_contains(result.out, "stored 3 events in ");
    cli_contains(result.out, "; 5 lines refused\n");
    check_types("a b c ");
}

Test(ingest, tells_the_right_line_whatever_the_batch) {
    static const char *const BATCHES[] = {"1", "2", "3", "7", "1000"};
    for (size_t i = 0; i < sizeof BATCHES / sizeof BATCHES[0]; i++) {
        CLEANUP(result_done)
        struct result result = RUN_FOR(1, GOOD UNKNOWN_FIELD GOOD GOOD UNKNOWN_FIELD UNKNOWN_FIELD GOOD, "ingest", "-",
                                       "--batch", BATCHES[i]);

        cr_assert_str_eq(
            result.err,
            "line 2: INVALID at /colour: an event has no field \"colour\": remove it or correct its name\n"
            "line 5: INVALID at /colour: an event has no field \"colour\": remove it or correct its name\n"
            "line 6: INVALID at /colour: an event has no field \"colour\": remove it or correct its name\n",
            "--batch %s", BATCHES[i]);
        cli_contains(result.out, "stored 4 events in ");
    }
}

Test(ingest, tells_an_event_that_contradicts_the_store) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(1,
                                   "{\"type\":\"a\",\"data\":{},\"stream\":\"s\",\"expected_version\":0}\n"
                                   "{\"type\":\"b\",\"data\":{},\"stream\":\"s\",\"expected_version\":5}\n"
                                   "{\"type\":\"c\",\"data\":{},\"stream\":\"s\",\"expected_version\":1}\n",
                                   "ingest", "-");

    cli_contains(result.err, "line 2: CONFLICT: ");
    check_types("a c ");
}

Test(ingest, strict_stops_at_the_first_bad_line_and_stores_what_stands_before_it) {
    CLEANUP(result_done) struct result json = RUN_FOR(1, GOOD GOOD "?\n" GOOD "?\n", "ingest", "--strict", "-");
    CLEANUP(result_done)
    struct result field = RUN_FOR(1, GOOD UNKNOWN_FIELD GOOD UNKNOWN_FIELD, "ingest", "--strict", "-");

    cli_contains(json.out, "stored 2 events in ");
    cli_contains(json.out, "; 1 line refused; ended early: go on from line 3\n");
    cli_contains(json.err, "line 3, column 1: ");
    cr_assert_null(strstr(json.err, "line 5"));
    cli_contains(field.out, "stored 1 event in ");
    cli_contains(field.out, "; 1 line refused; ended early: go on from line 2\n");
    check_types("good good good ");
}

Test(ingest, says_how_many_were_there_before_under_their_keys) {
    static const char KEYED[] = "{\"type\":\"a\",\"data\":{},\"key\":\"1\",\"time\":1}\n"
                                "{\"type\":\"b\",\"data\":{},\"key\":\"2\",\"time\":1}\n";
    CLEANUP(result_done) struct result first = RUN_FOR(0, KEYED, "ingest", "-");

    CLEANUP(result_done) struct result again = RUN_FOR(0, KEYED, "ingest", "-");

    cli_contains(first.out, "stored 2 events in ");
    cli_contains(again.out, "stored 0 events in ");
    cli_contains(again.out, "; 2 were there before, under their keys\n");
    check_types("a b ");
}

Test(ingest, sends_less_at_once_when_the_plugin_takes_less) {
    char lines[50 * sizeof GOOD];
    lines[0] = '\0';
    for (int i = 0; i < 50; i++) {
        (void)strcat(lines, GOOD);
    }

    CLEANUP(result_done)
    struct result events = RUN_FOR(0, lines, "ingest", "-", "--config", "{\"request_events_max\": 3}");
    CLEANUP(result_done)
    struct result bytes =
        RUN_FOR(0, lines, "ingest", "-", "--config", "{\"request_size_max\": 1024, \"event_size_max\": 64}");

    cli_contains(events.out, "stored 50 events in ");
    cli_contains(bytes.out, "stored 50 events in ");
}

Test(ingest, takes_lines_of_any_length_and_tells_an_event_beyond_the_limit) {
    size_t size = 300000;
    char *lines = malloc(2 * size + 256);
    char *text = malloc(size + 1);
    memset(text, 'x', size);
    text[size] = '\0';
    (void)sprintf(lines, "{\"type\":\"long\",\"data\":{\"t\":\"%s\"}}\n" GOOD, text);

    CLEANUP(result_done) struct result good = RUN_FOR(0, lines, "ingest", "-");
    CLEANUP(result_done)
    struct result large = RUN_FOR(1, lines, "ingest", "-", "--config", "{\"event_size_max\": 1000}");

    cli_contains(good.out, "stored 2 events in ");
    cli_contains(large.err, "line 1: TOO_LARGE");
    cli_contains(large.out, "stored 1 event in ");
    check_types("long good good ");
    free(text);
    free(lines);
}

Test(ingest, a_store_that_refuses_to_go_on_ends_it_and_says_where) {
    char lines[400 * sizeof GOOD];
    lines[0] = '\0';
    for (int i = 0; i < 400; i++) {
        (void)strcat(lines, GOOD);
    }

    CLEANUP(result_done)
    struct result result = RUN_FOR(1, lines, "ingest", "-", "--batch", "100", "--config", "{\"store_size_max\": 4096}");

    cli_contains(result.err, "the store refuses to go on: FULL: ");
    cli_contains(result.out, "; ended early: go on from line ");
}

Test(ingest, an_interrupt_ends_it_and_nothing_acknowledged_is_forgotten) {
    free(cli_call("query", "{'op':'head'}"));
    struct process ingest = START("ingest", "-", "--batch", "1");
    struct process tail = START("tail", "--from", "1", "--count", "2", "--json");
    process_write(&ingest, GOOD GOOD "{\"type\":");
    free(process_line(&tail));
    char *second = process_line(&tail); /* both are stored, and can be seen from another process */

    (void)kill(ingest.id, SIGINT);
    CLEANUP(result_done) struct result result = process_finish(&ingest);
    CLEANUP(result_done) struct result tailed = process_finish(&tail);

    cr_assert_not_null(second);
    cr_assert_eq(tailed.code, 0);
    cr_assert_eq(result.code, 1);
    cli_contains(result.out, "stored 2 events in ");
    cli_contains(result.out, ", ids 1 to 2; ended early: go on from line 3\n");
    free(second);
}

/* Sends two interrupts to an ingest whose plugin never ends a request. */
static struct result interrupt_twice(const char *how) {
    (void)setenv("FIXTURE_STORE", how, 1);
    struct process ingest = START("--plugin", FIXTURE_PLUGIN, "ingest", "-", "--batch", "1");
    process_write(&ingest, GOOD);
    (void)usleep(300000);
    cr_expect_eq(kill(ingest.id, SIGINT), 0);
    (void)usleep(1500000);
    cr_expect_eq(waitpid(ingest.id, NULL, WNOHANG), 0, "the first interrupt ends it well, or not at all");
    cr_expect_eq(kill(ingest.id, SIGTERM), 0);
    return process_finish(&ingest);
}

Test(ingest, a_second_interrupt_ends_it_when_the_plugin_does_not_tell_an_end, .timeout = 20) {
    CLEANUP(result_done) struct result result = interrupt_twice("forgets");
    cr_assert_eq(result.code, 128 + SIGTERM);
    cli_contains(result.err,
                 "interrupted: waiting for 1 request that the plugin has begun; the next interrupt ends it");
}

Test(ingest, a_second_interrupt_ends_it_when_the_plugin_does_not_return, .timeout = 20) {
    CLEANUP(result_done) struct result result = interrupt_twice("hangs");
    cr_assert_eq(result.code, 128 + SIGTERM);
}

Test(ingest, shows_a_progress_bar_on_a_terminal) {
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert_geq(terminal, 0);
    cr_assert_eq(grantpt(terminal), 0);
    cr_assert_eq(unlockpt(terminal), 0);
    cli_file("events.jsonl", GOOD GOOD GOOD "?\n");
    const char *slave = ptsname(terminal);
    pid_t id = fork();
    if (id == 0) {
        int err = open(slave, O_RDWR | O_NOCTTY);
        (void)dup2(err, STDERR_FILENO);
        (void)dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        (void)execl(POLARIS_HOST_SIM, "polaris-host-sim", "--allow-unsafe", "ingest", "events.jsonl", "--batch", "1",
                    (char *)NULL);
        _exit(127);
    }

    int status;
    char text[4096];
    size_t size = 0;
    cr_assert_eq(waitpid(id, &status, 0), id);
    for (ssize_t count; (count = read(terminal, text + size, sizeof text - size - 1)) > 0;) {
        size += (size_t)count;
    }
    text[size] = '\0';
    (void)close(terminal);

    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    cli_contains(text, "] ");
    cli_contains(text, "% ");
    cli_contains(text, "0:00 left");
    cli_contains(text, " events, ");
    cli_contains(text, "/s");
    cli_contains(text, "\r\033[Kline 4, column 1: "); /* the bar makes room for the message */
}

/* ---- several requests in flight ---- */

/* `count` lines, each a keyed event of the type "n" that carries its line number, but for those whose number `bad`
 * divides with a remainder of 1: these have an unknown field. free() it. */
static char *numbered(int count, int bad) {
    char *lines = malloc((size_t)count * 96 + 1);
    size_t size = 0;
    for (int i = 1; i <= count; i++) {
        size += (size_t)sprintf(lines + size, "{\"type\":\"n\",\"data\":{\"n\":%d},\"key\":\"%d\"%s}\n", i, i,
                                bad > 0 && i % bad == 1 ? ",\"colour\":1" : "");
    }
    return lines;
}

/* The events in the store, in the order of their ids, have these numbers: all up to `count` but the bad ones; in this
 * order, if `in_order`. */
static void check_numbered(int count, int bad, bool in_order) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "events", "--json", "--limit", "100000");
    char *seen = calloc((size_t)count + 1, 1);
    int last = 0;
    int total = 0;
    for (const char *at = result.out; (at = strstr(at, "\"data\":{\"n\":")) != NULL; total++) {
        at += strlen("\"data\":{\"n\":");
        int n = atoi(at);
        cr_assert(n >= 1 && n <= count && !seen[n], "event %d is there twice", n);
        cr_assert(!in_order || n > last, "event %d stands behind %d", n, last);
        cr_assert(bad == 0 || n % bad != 1, "event %d is bad", n);
        seen[n] = 1;
        last = n;
    }
    cr_assert_eq(total, count - (bad > 0 ? (count + bad - 2) / bad : 0));
    free(seen);
}

Test(ingest, keeps_the_order_of_lines_with_many_requests_in_flight) {
    char *lines = numbered(5000, 0);
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, lines, "ingest", "-", "--batch", "7", "--in-flight", "64");
    cli_contains(result.out, "stored 5000 events in ");
    cli_contains(result.out, ", ids 1 to 5000\n");
    check_numbered(5000, 0, true);
    free(lines);
}

Test(ingest, takes_bad_lines_out_of_the_middle_of_many_requests) {
    static const char *const IN_FLIGHT[] = {"1", "2", "16"};
    char *lines = numbered(3000, 200);
    for (size_t i = 0; i < sizeof IN_FLIGHT / sizeof IN_FLIGHT[0]; i++) {
        CLEANUP(result_done)
        struct result result =
            RUN_FOR(1, lines, "ingest", "-", "--batch", "10", "--in-flight", IN_FLIGHT[i], "--db", "n.db");
        cli_contains(result.out, "stored 2985 events in ");
        cli_contains(result.out, "; 15 lines refused\n");
        const char *at = result.err;
        for (int line = 1; line <= 3000; line += 200) { /* told in the order of lines */
            char words[64];
            (void)sprintf(words, "line %d: INVALID at /colour: ", line);
            at = strstr(at, words);
            cr_assert_not_null(at, "%s is not in its place: %s", words, result.err);
        }
        (void)rename("n.db", "polaris-events.db");
        check_numbered(3000, 200, i == 0);
        (void)unlink("polaris-events.db");
    }
    free(lines);
}

/* Each request builds on the one before: none may be refused only because that one is sent a second time. */
Test(ingest, tells_no_line_that_was_refused_only_for_want_of_one_before_it) {
    enum { COUNT = 400 };
    char *lines = malloc(COUNT * 128);
    size_t size = 0;
    int version = 0;
    for (int i = 1; i <= COUNT; i++) {
        bool bad = i % 50 == 0;
        size +=
            (size_t)sprintf(lines + size, "{\"type\":\"n\",\"data\":{},\"stream\":\"s\",\"expected_version\":%d%s}\n",
                            version, bad ? ",\"colour\":1" : "");
        version += !bad;
    }
    CLEANUP(result_done)
    struct result result = RUN_FOR(1, lines, "ingest", "-", "--batch", "3", "--in-flight", "16");
    cr_assert_null(strstr(result.err, "CONFLICT"), "%s", result.err);
    cli_contains(result.out, "stored 392 events in ");
    cli_contains(result.out, "; 8 lines refused\n");
    free(lines);
}

Test(ingest, strict_stores_nothing_behind_the_first_bad_line_whatever_stands_there) {
    char *lines = numbered(3000, 1000); /* 1, 1001 and 2001 are bad */
    char *second = strchr(lines, '\n') + 1;
    CLEANUP(result_done)
    struct result field = RUN_FOR(1, second, "ingest", "-", "--strict", "--batch", "30", "--in-flight", "16");
    cli_contains(field.out, "stored 999 events in ");
    cli_contains(field.out, "; 1 line refused; ended early: go on from line 1000\n");
    cli_contains(field.err, "line 1000: INVALID at /colour: ");

    /* What is no JSON is seen while the request before it is in flight: the bad line of that is still the first. */
    CLEANUP(result_done)
    struct result json = RUN_FOR(1, GOOD GOOD UNKNOWN_FIELD GOOD "?\n" GOOD, "ingest", "-", "--strict", "--batch", "2");
    cli_contains(json.out, "stored 2 events in ");
    cli_contains(json.out, "; 1 line refused; ended early: go on from line 3\n");
    cr_assert_null(strstr(json.err, "line 5"), "%s", json.err);
    free(lines);
}

Test(ingest, waits_when_the_plugin_takes_fewer_requests_at_once) {
    static const char *const CONFIGS[] = {"{\"submit_max\": 1}", "{\"submit_max\": 2}", "{\"submit_size_max\": 1024}"};
    char *lines = numbered(2000, 0);
    for (size_t i = 0; i < sizeof CONFIGS / sizeof CONFIGS[0]; i++) {
        CLEANUP(result_done)
        struct result result = RUN_FOR(0, lines, "ingest", "-", "--batch", "10", "--in-flight", "32", "--config",
                                       CONFIGS[i], "--db", "n.db");
        cli_contains(result.out, ", ids 1 to 2000\n");
        cr_assert_str_empty(result.err);
        (void)rename("n.db", "polaris-events.db");
        check_numbered(2000, 0, true);
        (void)unlink("polaris-events.db");
    }
    free(lines);
}

Test(ingest, a_full_store_tells_the_line_to_go_on_from_and_what_is_stored_behind_it) {
    char *lines = numbered(3000, 0);
    CLEANUP(result_done)
    struct result first = RUN_FOR(1, lines, "ingest", "-", "--batch", "20", "--in-flight", "16", "--config",
                                  "{\"store_size_max\": 262144}");
    cli_contains(first.err, "the store refuses to go on: FULL: ");
    const char *from = strstr(first.out, "go on from line ");
    cr_assert_not_null(from);
    int line = atoi(from + strlen("go on from line "));
    cr_assert_gt(line, 1);
    cr_assert_null(strstr(first.out, "stored already"), "%s", first.out);
    const char *rest = lines;
    for (int i = 1; i < line; i++) {
        rest = strchr(rest, '\n') + 1;
    }
    CLEANUP(result_done) struct result second = RUN_FOR(0, rest, "ingest", "-");
    cr_assert_null(strstr(second.out, "were there before"), "%s", second.out);
    check_numbered(3000, 0, true);
    free(lines);
}

/* So many that it is still in flight when the interrupt comes. */
#ifdef __SANITIZE_ADDRESS__
enum { LINES_IN_FLIGHT = 6000 };
#else
enum { LINES_IN_FLIGHT = 40000 };
#endif

Test(ingest, an_interrupt_in_full_flight_tells_the_line_to_go_on_from) {
    char *lines = numbered(LINES_IN_FLIGHT, 333);
    struct process ingest = START("ingest", "-", "--batch", "5", "--in-flight", "32");
    pid_t writer = fork(); /* the pipe holds less */
    if (writer == 0) {
        (void)signal(SIGPIPE, SIG_DFL);
        process_write(&ingest, lines);
        _exit(0);
    }
    (void)usleep(150000);
    (void)kill(ingest.id, SIGINT);
    CLEANUP(result_done) struct result first = process_finish(&ingest);
    (void)kill(writer, SIGKILL);
    (void)waitpid(writer, NULL, 0);

    const char *from = strstr(first.out, "go on from line ");
    cr_assert_eq(first.code, 1);
    cr_assert_not_null(from, "%s", first.out);
    int line = atoi(from + strlen("go on from line "));
    const char *rest = lines;
    for (int i = 1; i < line; i++) {
        rest = strchr(rest, '\n') + 1;
    }
    CLEANUP(result_done) struct result second = RUN_FOR(1, rest, "ingest", "-");
    cr_assert_null(strstr(second.out, "were there before"), "from line %d: %s", line, second.out);
    check_numbered(LINES_IN_FLIGHT, 333, false);
    free(lines);
}

Test(ingest, tells_a_refused_line_at_once_while_it_waits_for_more) {
    struct process ingest = START("ingest", "-", "--batch", "1");
    process_write(&ingest, GOOD UNKNOWN_FIELD);
    char text[256] = "";
    while (strchr(text, '\n') == NULL) {
        ssize_t size = pread(ingest.err, text, sizeof text - 1, 0);
        cr_assert_geq(size, 0);
        text[size] = '\0';
        (void)usleep(1000);
    }
    cli_contains(text, "line 2: INVALID at /colour: ");
    CLEANUP(result_done) struct result result = process_finish(&ingest);
    cli_contains(result.out, "stored 1 event in ");
}

#ifdef PLUGIN_1_0
Test(ingest, of_a_build_without_submit_calls_and_promises_the_same) {
    char *lines = numbered(1000, 100);
    CLEANUP(result_done)
    struct result result = RUN_FOR(1, lines, "ingest", "-", "--plugin", PLUGIN_1_0, "--batch", "10");
    cli_contains(result.out, "stored 990 events in ");
    cli_contains(result.out, "; 10 lines refused\n");
    cli_contains(result.err, "line 901: INVALID at /colour: ");
    check_numbered(1000, 100, true);
    free(lines);
}
#endif
