/* host_test.c: opening, calling and closing a store through the host. */
#include <criterion/criterion.h>
#include <host/host.h>
#include <message/message.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "scratch.h"

static struct scratch scratch;

static void set_up(void) {
    scratch_open(&scratch);
}

static void tear_down(void) {
    scratch_close(&scratch);
}

TestSuite(host, .init = set_up, .fini = tear_down, .timeout = 60);

Test(host, verbs_have_names_both_ways) {
    for (int verb = 0; verb < HOST_VERB_COUNT; verb++) {
        enum host_verb found = HOST_VERB_COUNT;
        cr_assert(host_verb_from_name(host_verb_name((enum host_verb)verb), &found));
        cr_assert_eq((int)found, verb);
    }
    enum host_verb found = HOST_STORE;
    cr_assert_not(host_verb_from_name("shutdown", &found));
    cr_assert_str_eq(host_verb_name(HOST_VERB_COUNT), "unknown");
}

Test(host, that_cannot_load_the_build_says_why_and_gives_no_reply) {
    const struct host_options options = {.plugin_path = "/none.so"};
    struct host *host = NULL;
    struct reply reply = {0};
    struct failure failure = {""};
    cr_assert_not(host_open(&options, &host, &reply, &failure));
    cr_expect_null(host);
    cr_expect_eq(reply.size, 0);
    cr_expect_eq(reply.status, POLARIS_ES_INCOMPATIBLE);
    cr_expect_not_null(strstr(failure.message, "/none.so"));
    reply_done(&reply);
}

Test(host, that_cannot_open_the_store_gives_the_plugins_reply_and_words) {
    const struct host_options options = {.plugin_path = PLUGIN, .config = "\x81\xa4path\x05", .config_size = 7};
    struct host *host = NULL;
    struct reply reply = {0};
    struct failure failure = {""};
    cr_assert_not(host_open(&options, &host, &reply, &failure));
    cr_expect_eq(reply.status, POLARIS_ES_INVALID);
    cr_expect_gt(reply.size, 20);
    cr_expect_not_null(strstr(failure.message, "answered INVALID: "), "%s", failure.message);
    reply_done(&reply);
}

Test(host, keeps_what_it_was_given_and_calls_reach_the_store) {
    struct failure failure = {""};
    struct host *host = load_open(PLUGIN, scratch_path(&scratch, "events.db"), &failure);
    cr_assert_not_null(host, "%s", failure.message);
    json_t *reply = NULL;
    cr_expect_eq(load_call(host, HOST_STORE, "{'op': 'append', 'event': {'type': 't', 'data': {}}}", &reply),
                 POLARIS_ES_OK);
    json_decref(reply);
    cr_expect_eq(load_call(host, HOST_QUERY, "{'op': 'get', 'id': 1}", &reply), POLARIS_ES_OK);
    json_decref(reply);
    cr_expect_eq(load_call(host, HOST_DLQ, "{'op': 'get', 'id': 1}", &reply), POLARIS_ES_NOT_FOUND);
    json_decref(reply);
    cr_expect_eq(load_call(host, HOST_SCHEMA, "{'op': 'list'}", &reply), POLARIS_ES_OK);
    json_decref(reply);
    cr_expect(host_is_open(host));
    cr_expect_eq(host_violations(host), 0);
    host_close(host);
    host_close(NULL);
}

Test(host, replies_replace_what_the_reply_held) {
    const struct host_options options = {.plugin_path = FIXTURE_TEMPLATE};
    struct host *host = NULL;
    struct failure failure = {""};
    struct reply reply = {0};
    cr_assert(host_open(&options, &host, NULL, &failure), "%s", failure.message);
    cr_assert_eq(host_call(host, HOST_STORE, "\x80", 1, &reply), POLARIS_ES_UNSUPPORTED);
    size_t size = reply.size;
    cr_assert_eq(host_call(host, HOST_DLQ, "\x80", 1, &reply), POLARIS_ES_UNSUPPORTED);
    cr_expect_eq(reply.size, size);
    json_t *value = NULL;
    cr_expect(message_unpack(reply.data, reply.size, &value, &failure), "the template's map: %s", failure.message);
    cr_expect_str_eq(json_string_value(json_object_get(value, "name")), "UNSUPPORTED");
    json_decref(value);
    cr_assert_eq(host_call(host, HOST_VERB_COUNT, "\x80", 1, &reply), POLARIS_ES_INVALID);
    cr_expect_gt(reply.size, 20);
    cr_expect_eq(host_violations(host), 0);
    reply_done(&reply);
    host_close(host);
}

/* ---- services ---- */

static struct host *watched;
static atomic_int clock_calls, violations_logged;
static atomic_int_least64_t woken;
static _Atomic int32_t status_in_callback;

static int64_t stopped_clock(void *context) {
    cr_assert_eq(context, (void *)&scratch);
    atomic_fetch_add(&clock_calls, 1);
    return INT64_C(1767225600000000);
}

static void wake(void *context, int64_t last_id) {
    struct reply reply = {0};
    (void)context;
    atomic_store(&status_in_callback, host_call(watched, HOST_QUERY, "\x80", 1, &reply));
    reply_done(&reply);
    atomic_store(&woken, last_id);
}

static void log_line(void *context, int32_t level, const char *line) {
    (void)context;
    if (level == POLARIS_ES_LOG_ERROR && strstr(line, "thread rule broken") != NULL) {
        atomic_fetch_add(&violations_logged, 1);
    }
}

Test(host, hands_its_services_on_and_refuses_calls_from_within_them) {
    struct failure failure = {""};
    uint8_t *config = NULL;
    size_t config_size = 0;
    json_t *value = json_pack("{s:s}", "path", scratch_path(&scratch, "events.db"));
    cr_assert(message_pack(value, &config, &config_size, &failure));
    json_decref(value);
    const struct host_options options = {.plugin_path = PLUGIN,
                                         .config = config,
                                         .config_size = config_size,
                                         .log = log_line,
                                         .now_us = stopped_clock,
                                         .wake = wake,
                                         .context = &scratch};
    cr_assert(host_open(&options, &watched, NULL, &failure), "%s", failure.message);
    free(config);
    json_t *reply = NULL;

    cr_assert_eq(load_call(watched, HOST_STORE, "{'op': 'append', 'event': {'type': 't', 'data': {}}}", &reply),
                 POLARIS_ES_OK);

    cr_expect_eq(json_integer_value(json_object_get(reply, "recorded_at")), INT64_C(1767225600000000));
    json_decref(reply);
    uint64_t violations = 0;
    while ((violations = host_violations(watched)) == 0) {
    }
    host_close(watched); /* after it nothing of the plugin runs */
    cr_expect_gt(atomic_load(&clock_calls), 0);
    cr_expect_eq(atomic_load(&woken), 1);
    cr_expect_eq(atomic_load(&status_in_callback), POLARIS_ES_INVALID);
    cr_expect_eq(violations, 1);
    cr_expect_eq(atomic_load(&violations_logged), 1);
}
