/* swap_test.c: swapping builds while calls go on, and every way in which a swap does not happen. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <host/host_internal.h>
#include <loader/loader.h>
#include <message/message.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"
#include "scratch.h"

static struct scratch scratch;
static struct host *host;

static void set_up(void) {
    struct failure failure = {""};
    scratch_open(&scratch);
    host = load_open(PLUGIN, scratch_path(&scratch, "events.db"), &failure);
    cr_assert_not_null(host, "%s", failure.message);
}

static void tear_down(void) {
    cr_expect_eq(host_violations(host), 0);
    host_close(host);
    scratch_close(&scratch);
}

TestSuite(swap, .init = set_up, .fini = tear_down, .timeout = 120);

static void append_one(void) {
    json_t *reply = NULL;
    cr_assert_eq(load_call(host, HOST_STORE, "{'op': 'append', 'event': {'type': 't', 'data': {}}}", &reply),
                 POLARIS_ES_OK);
    json_decref(reply);
}

static int64_t last_id(void) {
    json_t *reply = NULL;
    cr_assert_eq(load_call(host, HOST_QUERY, "{'op': 'head'}", &reply), POLARIS_ES_OK);
    int64_t id = json_integer_value(json_object_get(reply, "last_id"));
    json_decref(reply);
    return id;
}

/* The swap does not happen, for a reason that contains `word`, and the build that ran goes on. */
static struct swap_report expect_no_swap(const char *plugin, const char *word) {
    char before[64];
    struct swap_report report;
    struct failure failure = {""};
    (void)snprintf(before, sizeof before, "%s", host_plugin(host)->table->build_id);
    cr_assert_not(host_swap(host, plugin, &report, &failure));
    cr_expect_not(report.swapped);
    cr_expect_str_eq(report.from, before);
    cr_expect_not_null(strstr(failure.message, word), "'%s' is not in: %s", word, failure.message);
    return report;
}

static void expect_still_works(const char *build_id) {
    cr_expect(host_is_open(host));
    cr_expect_str_eq(host_plugin(host)->table->build_id, build_id);
    int64_t before = last_id();
    append_one();
    cr_expect_eq(last_id(), before + 1);
}

Test(swap, under_load_loses_and_doubles_nothing_and_no_call_fails) {
    struct load load;
    load_start(&load, host);
    for (int i = 0; i < 6; i++) {
        struct swap_report report;
        struct failure failure = {""};
        load_await(&load, 100);
        cr_expect(host_swap(host, i % 2 == 0 ? PLUGIN_B : PLUGIN, &report, &failure), "%s", failure.message);
        cr_expect(report.swapped);
        cr_expect_str_neq(report.from, report.to);
        cr_expect_geq(report.pause_us, report.drain_us + report.shutdown_us + report.init_us);
        cr_expect_leq(report.waited_calls, LOAD_THREADS);
    }
    load_await(&load, 100);
    const char *failure = load_stop(&load);
    cr_expect_null(failure, "%s", failure);
    load_done(&load);
}

Test(swap, runs_the_other_build_on_the_same_store) {
    struct swap_report report;
    struct failure failure = {""};
    append_one();
    cr_assert(host_swap(host, PLUGIN_B, &report, &failure), "%s", failure.message);
    cr_expect_str_eq(host_plugin(host)->table->build_id, report.to);
    cr_expect_eq(last_id(), 1);
    expect_still_works(report.to);
}

static struct stat state_of(const char *name) {
    struct stat state = {0};
    cr_assert_eq(stat(scratch_path(&scratch, name), &state), 0);
    return state;
}

Test(swap, keeps_the_index_of_the_log) {
    struct failure failure = {""};
    append_one();
    int index = open(scratch_path(&scratch, "events.db-shm"), O_RDONLY | O_CLOEXEC); /* its number is not used again */
    cr_assert_geq(index, 0);
    ino_t before = state_of("events.db-shm").st_ino;

    cr_assert(host_swap(host, PLUGIN_B, NULL, &failure), "%s", failure.message);

    cr_expect_eq(state_of("events.db-shm").st_ino, before, "it was removed and made anew");
    cr_expect_eq(last_id(), 1);
    (void)close(index);
}

Test(swap, happens_though_the_new_build_cannot_read_beside_the_running_one) {
    static const uint8_t NO_MESSAGE[] = {0xC1};
    struct failure failure = {""};
    append_one();
    free(host->reader_config);
    host->reader_config = memcpy(malloc(1), NO_MESSAGE, 1);
    host->options.reader_config_size = 1;

    cr_assert(host_swap(host, PLUGIN_B, NULL, &failure), "%s", failure.message);

    cr_expect_eq(last_id(), 1);
}

/* ---- long polls ---- */

static void *poll_for_a_minute(void *argument) {
    json_t **ret_reply = argument;
    cr_assert_eq(load_call(host, HOST_QUERY, "{'op': 'events', 'wait_us': 60000000}", ret_reply), POLARIS_ES_OK);
    return NULL;
}

Test(swap, ends_a_long_poll_at_once) {
    pthread_t thread;
    json_t *reply = NULL;
    struct swap_report report;
    struct failure failure = {""};
    cr_assert_eq(pthread_create(&thread, NULL, poll_for_a_minute, &reply), 0);
    while (atomic_load(&host->gate.state) == 0) { /* until the poll is inside */
    }

    cr_assert(host_swap(host, PLUGIN_B, &report, &failure), "%s", failure.message);

    (void)pthread_join(thread, NULL);
    cr_expect_lt(report.drain_us, 20000000, "it was not waited for");
    cr_expect(json_is_true(json_object_get(reply, "interrupted")));
    json_decref(reply);
}

/* ---- refused ---- */

Test(swap, to_what_is_no_plugin_interrupts_nothing) {
    char running[64];
    (void)snprintf(running, sizeof running, "%s", host_plugin(host)->table->build_id);
    struct swap_report report = expect_no_swap("/etc/passwd", "not a shared object");
    cr_expect_eq(report.pause_us, 0, "the gate was not closed");
    report = expect_no_swap(FIXTURE_NO_ENTRY, "does not export");
    cr_expect_eq(report.pause_us, 0);
    expect_still_works(running);
}

Test(swap, to_a_build_that_cannot_read_the_file_interrupts_nothing) {
    char running[64];
    (void)snprintf(running, sizeof running, "%s", host_plugin(host)->table->build_id);
    struct swap_report report = expect_no_swap(FIXTURE_NEWER_FORMAT, "reads file formats 1000 to 1000");
    cr_expect_eq(report.pause_us, 0);
    cr_expect_str_eq(report.to, "newer-format");
    expect_still_works(running);
}

Test(swap, to_a_build_that_does_not_start_starts_the_old_one_again) {
    char running[64];
    (void)snprintf(running, sizeof running, "%s", host_plugin(host)->table->build_id);
    append_one();
    setenv("FIXTURE_INIT", "16", 1);
    struct swap_report report = expect_no_swap(FIXTURE_PLUGIN, "the build fixture did not start; the build");
    cr_expect_gt(report.pause_us, 0);
    expect_still_works(running);
    expect_no_swap(FIXTURE_PLUGIN, "answered CORRUPT");
    cr_expect_eq(last_id(), 2);
}

Test(swap, to_a_build_without_long_polls_and_back) {
    struct swap_report report;
    struct failure failure = {""};
    append_one();
    cr_assert(host_swap(host, FIXTURE_TEMPLATE, &report, &failure), "%s", failure.message);
    json_t *reply = NULL;
    cr_expect_eq(load_call(host, HOST_QUERY, "{'op': 'head'}", &reply), POLARIS_ES_UNSUPPORTED);
    json_decref(reply);
    cr_assert(host_swap(host, PLUGIN, &report, &failure), "%s", failure.message);
    cr_expect_str_eq(report.from, "template-1");
    cr_expect_eq(last_id(), 1);
}

/* ---- when nothing starts any more ---- */

Test(swap, after_which_no_build_starts_answers_busy_until_one_does) {
    struct swap_report report;
    struct failure failure = {""};
    cr_assert(host_swap(host, FIXTURE_PLUGIN, &report, &failure), "%s", failure.message);
    setenv("FIXTURE_INIT", "15", 1);

    expect_no_swap(FIXTURE_NEWER_FORMAT, "no store is open until a swap succeeds");

    cr_expect_not(host_is_open(host));
    json_t *reply = NULL;
    cr_expect_eq(load_call(host, HOST_QUERY, "{'op': 'head'}", &reply), POLARIS_ES_BUSY);
    cr_expect_str_eq(json_string_value(json_object_get(reply, "name")), "BUSY");
    cr_expect(json_is_true(json_object_get(reply, "retryable")));
    json_decref(reply);
    cr_assert(host_swap(host, PLUGIN_B, &report, &failure), "%s", failure.message);
    expect_still_works(report.to);
}

/* ---- calls that do not end ---- */

static atomic_int clock_calls;
static atomic_int_least64_t clock_now = 1;

static int64_t clock_that_the_fixture_waits_for(void *context) {
    (void)context;
    atomic_fetch_add(&clock_calls, 1);
    (void)sched_yield();
    return atomic_load(&clock_now);
}

static void *call_the_blocking_query(void *argument) {
    json_t *reply = NULL;
    cr_assert_eq(load_call(argument, HOST_QUERY, "{'op': 'head'}", &reply), POLARIS_ES_OK);
    json_decref(reply);
    return NULL;
}

Test(swap, gives_up_when_calls_do_not_end_and_the_old_build_goes_on) {
    const struct host_options options = {
        .plugin_path = FIXTURE_PLUGIN, .now_us = clock_that_the_fixture_waits_for, .drain_max_ms = 30};
    struct host *other = NULL;
    struct failure failure = {""};
    struct swap_report report;
    pthread_t thread;
    setenv("FIXTURE_BLOCK", "yes", 1);
    cr_assert(host_open(&options, &other, NULL, &failure), "%s", failure.message);
    cr_assert_eq(pthread_create(&thread, NULL, call_the_blocking_query, other), 0);
    while (atomic_load(&clock_calls) == 0) {
        (void)sched_yield();
    }

    cr_expect_not(host_swap(other, FIXTURE_TEMPLATE, &report, &failure));

    cr_expect_not_null(strstr(failure.message, "after 30 ms: the build fixture goes on"), "%s", failure.message);
    cr_expect_geq(report.drain_us, 30000);
    atomic_store(&clock_now, 0);
    (void)pthread_join(thread, NULL);
    cr_expect(host_swap(other, FIXTURE_TEMPLATE, &report, &failure), "%s", failure.message);
    host_close(other);
}
