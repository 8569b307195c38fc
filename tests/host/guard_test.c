/* guard_test.c: each thread rule that the guard watches, broken on purpose by a table of this file. */
#include <criterion/criterion.h>
#include <host/guard.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const uint8_t EMPTY_MAP[] = {0x80};
static const polaris_bytes EMPTY = {.data = EMPTY_MAP, .size = 1};

/* ---- the host's side ---- */

static struct guard_watch watch;
static struct guard *guard;
static char last_line[512];
static polaris_es_services kept; /* what the plugin was given */
static int taken;                /* pieces that reached the caller's sink */
static int32_t sink_answer;

static void log_line(void *context, int32_t level, const char *line) {
    (void)context;
    (void)level;
    (void)snprintf(last_line, sizeof last_line, "%s", line);
}

static int32_t take(void *context, polaris_bytes piece) {
    (void)context;
    (void)piece;
    taken++;
    return sink_answer;
}
static const polaris_sink SINK = {.size = sizeof SINK, .write = take};

static void expect_violation(uint64_t count, const char *words) {
    cr_assert_eq(guard_violations(&watch), count, "%llu violations; the last: %s",
                 (unsigned long long)guard_violations(&watch), last_line);
    cr_assert_not_null(strstr(last_line, words), "'%s' is not in: %s", words, last_line);
}

/* ---- the plugin's side: `query` does what the test wants ---- */

static int32_t (*behaviour)(const polaris_sink *reply);

static int32_t ok(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)self;
    (void)request;
    return reply == NULL || reply->write(reply->context, EMPTY) == 0 ? POLARIS_ES_OK : POLARIS_ES_REPLY_LOST;
}

static int32_t misbehave(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    return behaviour != NULL ? behaviour(reply) : ok(self, request, reply);
}

static int32_t init(const polaris_es_services *services, polaris_bytes config, const polaris_sink *reply,
                    polaris_es **ret_self) {
    static int instance;
    kept = *services;
    *ret_self = (polaris_es *)(void *)&instance;
    return ok(NULL, config, reply);
}

/* ---- the plugin's side: submit, whose ends the test tells ---- */

static polaris_es_completion told; /* of the last request */
static int32_t submit_answer;
static bool tells_at_once;

static int32_t submit(polaris_es *self, polaris_bytes request, const polaris_es_completion *completion,
                      uint64_t *ret_ticket) {
    (void)self;
    (void)request;
    if (completion == NULL) {
        return POLARIS_ES_INVALID;
    }
    told = *completion;
    if (tells_at_once) {
        told.done(told.context, 1, POLARIS_ES_OK, EMPTY);
    }
    if (ret_ticket != NULL) {
        *ret_ticket = 1;
    }
    return submit_answer;
}

static int32_t cancel(polaris_es *self, uint64_t ticket) {
    (void)self;
    return ticket == 1 ? POLARIS_ES_OK : POLARIS_ES_NOT_FOUND;
}

static const polaris_es_table REAL = {
    .size = sizeof(polaris_es_table),
    .init = init,
    .store = ok,
    .query = misbehave,
    .dlq = ok,
    .schema = ok,
    .shutdown = ok,
    .submit = submit,
    .cancel = cancel,
};

/* ---- */

static void note(void *context, int32_t level, polaris_bytes line) {
    (void)context;
    (void)level;
    (void)line;
}

/* A callback that does what no callback may. */
static int64_t call_back(void *context) {
    (void)context;
    return GUARD_TABLE.store(guard_instance(guard), EMPTY, &SINK);
}

static void set_up(void) {
    const polaris_es_services services = {.size = sizeof services, .log = note, .now_us = call_back};
    watch.log = log_line;
    watch.owner = &watch;
    cr_assert_eq(guard_init(&REAL, &watch, &services, EMPTY, &SINK, &guard), POLARIS_ES_OK);
    taken = 0;
}

static void tear_down(void) {
    guard_free(guard);
}

TestSuite(guard, .init = set_up, .fini = tear_down, .timeout = 30);

static int32_t query(void) {
    return GUARD_TABLE.query(guard_instance(guard), EMPTY, &SINK);
}

static int32_t shut_down(void) {
    return GUARD_TABLE.shutdown(guard_instance(guard), EMPTY, &SINK);
}

Test(guard, lets_what_keeps_the_rules_pass) {
    polaris_es *self = guard_instance(guard);
    cr_expect_eq(GUARD_TABLE.store(self, EMPTY, &SINK), POLARIS_ES_OK);
    cr_expect_eq(GUARD_TABLE.query(self, EMPTY, &SINK), POLARIS_ES_OK);
    cr_expect_eq(GUARD_TABLE.dlq(self, EMPTY, &SINK), POLARIS_ES_OK);
    cr_expect_eq(GUARD_TABLE.schema(self, EMPTY, &SINK), POLARIS_ES_OK);
    kept.log(kept.context, POLARIS_ES_LOG_INFO, EMPTY);
    cr_expect_null(kept.wake, "a service that the host does not have stays NULL");
    cr_expect_eq(shut_down(), POLARIS_ES_OK);
    cr_expect_eq(taken, 5);
    cr_expect_eq(guard_violations(&watch), 0);
}

Test(guard, remembers_more_calls_than_it_keeps) {
    for (int i = 0; i < 200; i++) {
        cr_assert_eq(query(), POLARIS_ES_OK);
    }
    cr_assert_eq(guard_violations(&watch), 0);
}

Test(guard, sees_a_call_after_shutdown) {
    cr_assert_eq(shut_down(), POLARIS_ES_OK);
    cr_assert_eq(query(), POLARIS_ES_INVALID);
    expect_violation(1, "'query' called after shutdown");
    cr_assert_eq(shut_down(), POLARIS_ES_INVALID);
    expect_violation(2, "'shutdown' called after shutdown");
}

Test(guard, sees_a_service_that_is_called_after_shutdown) {
    cr_assert_eq(shut_down(), POLARIS_ES_OK);
    kept.log(kept.context, POLARIS_ES_LOG_INFO, EMPTY);
    expect_violation(1, "the service 'log' after shutdown");
}

Test(guard, sees_a_callback_that_calls_back) {
    cr_assert_eq(kept.now_us(kept.context), POLARIS_ES_INVALID);
    expect_violation(1, "calls back into the instance");
    cr_assert_eq(query(), POLARIS_ES_OK, "afterwards the thread may call again");
}

/* ---- calls that exclude others ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_inside, may_leave;

static int32_t stay(const polaris_sink *reply) {
    (void)pthread_mutex_lock(&lock);
    is_inside = true;
    (void)pthread_cond_broadcast(&changed);
    while (!may_leave) {
        (void)pthread_cond_wait(&changed, &lock);
    }
    (void)pthread_mutex_unlock(&lock);
    return ok(NULL, EMPTY, reply);
}

static void *query_in_thread(void *argument) {
    cr_assert_eq(query(), POLARIS_ES_OK);
    return argument;
}

Test(guard, sees_a_shutdown_beside_another_call) {
    pthread_t thread;
    behaviour = stay;
    cr_assert_eq(pthread_create(&thread, NULL, query_in_thread, NULL), 0);
    (void)pthread_mutex_lock(&lock);
    while (!is_inside) {
        (void)pthread_cond_wait(&changed, &lock);
    }
    (void)pthread_mutex_unlock(&lock);

    cr_expect_eq(shut_down(), POLARIS_ES_INVALID);
    expect_violation(1, "'shutdown' excludes all other calls");

    (void)pthread_mutex_lock(&lock);
    may_leave = true;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
    (void)pthread_join(thread, NULL);
    cr_expect_eq(shut_down(), POLARIS_ES_OK, "what was refused changed nothing");
}

/* ---- sinks ---- */

static polaris_sink late;

static int32_t keep_the_sink(const polaris_sink *reply) {
    late = *reply;
    return reply->write(reply->context, EMPTY);
}

Test(guard, sees_a_sink_that_is_called_after_the_verb_returned) {
    behaviour = keep_the_sink;
    cr_assert_eq(query(), POLARIS_ES_OK);
    cr_expect_neq(late.write(late.context, EMPTY), 0);
    cr_expect_eq(taken, 1, "the caller's sink may be gone by now");
    expect_violation(1, "sink of 'query' after it returned");
}

static void *write_in_thread(void *argument) {
    const polaris_sink *reply = argument;
    (void)reply->write(reply->context, EMPTY);
    return NULL;
}

static int32_t write_from_another_thread(const polaris_sink *reply) {
    pthread_t thread;
    polaris_sink copy = *reply;
    cr_assert_eq(pthread_create(&thread, NULL, write_in_thread, &copy), 0);
    (void)pthread_join(thread, NULL);
    return reply->write(reply->context, EMPTY);
}

Test(guard, sees_a_sink_that_is_called_by_another_thread) {
    behaviour = write_from_another_thread;
    cr_assert_eq(query(), POLARIS_ES_OK);
    cr_expect_eq(taken, 1);
    expect_violation(1, "from another thread");
}

static int32_t go_on_after_a_refusal(const polaris_sink *reply) {
    (void)reply->write(reply->context, EMPTY);
    (void)reply->write(reply->context, EMPTY);
    return POLARIS_ES_REPLY_LOST;
}

Test(guard, sees_a_reply_that_goes_on_after_the_sink_refused) {
    behaviour = go_on_after_a_refusal;
    sink_answer = 1;
    cr_assert_eq(query(), POLARIS_ES_REPLY_LOST);
    expect_violation(1, "after the sink refused it");
}

static int32_t ignore_the_refusal(const polaris_sink *reply) {
    (void)reply->write(reply->context, EMPTY);
    return POLARIS_ES_OK;
}

Test(guard, sees_ok_for_a_reply_that_was_refused) {
    behaviour = ignore_the_refusal;
    sink_answer = 1;
    cr_assert_eq(query(), POLARIS_ES_OK);
    expect_violation(1, "answers OK, but the sink refused");
}

static int32_t lose_nothing(const polaris_sink *reply) {
    (void)reply->write(reply->context, EMPTY);
    return POLARIS_ES_REPLY_LOST;
}

Test(guard, sees_reply_lost_when_nothing_was_refused) {
    behaviour = lose_nothing;
    cr_assert_eq(query(), POLARIS_ES_REPLY_LOST);
    expect_violation(1, "the sink refused nothing");
}

static int32_t say_nothing(const polaris_sink *reply) {
    (void)reply;
    return POLARIS_ES_NOT_FOUND;
}

Test(guard, sees_a_verb_that_does_not_reply) {
    behaviour = say_nothing;
    cr_assert_eq(query(), POLARIS_ES_NOT_FOUND);
    expect_violation(1, "answers NOT_FOUND without a reply");
}

static int32_t reply_an_array(const polaris_sink *reply) {
    static const uint8_t ARRAY[] = {0x90};
    return reply->write(reply->context, (polaris_bytes){.data = ARRAY, .size = 1});
}

Test(guard, sees_a_reply_that_is_no_map) {
    behaviour = reply_an_array;
    cr_assert_eq(query(), POLARIS_ES_OK);
    expect_violation(1, "the reply of 'query' is no map");
}

static int32_t reply_from_null(const polaris_sink *reply) {
    (void)reply->write(reply->context, (polaris_bytes){.data = NULL, .size = 10});
    return reply->write(reply->context, EMPTY);
}

Test(guard, sees_a_piece_at_null) {
    behaviour = reply_from_null;
    cr_assert_eq(query(), POLARIS_ES_OK);
    expect_violation(1, "10 bytes at NULL");
}

Test(guard, leaves_sinks_that_cannot_be_used_to_the_plugin) {
    behaviour = say_nothing; /* a right plugin would say INVALID */
    cr_assert_eq(GUARD_TABLE.query(guard_instance(guard), EMPTY, NULL), POLARIS_ES_NOT_FOUND);
    cr_assert_eq(guard_violations(&watch), 0);
}

/* ---- init ---- */

static int32_t init_without_instance(const polaris_es_services *services, polaris_bytes config,
                                     const polaris_sink *reply, polaris_es **ret_self) {
    (void)services;
    (void)ret_self;
    return ok(NULL, config, reply);
}

Test(guard, sees_an_init_that_gives_no_instance) {
    const polaris_es_table table = {.size = sizeof table, .init = init_without_instance};
    const polaris_es_services services = {.size = sizeof services};
    struct guard *none = NULL;
    cr_assert_eq(guard_init(&table, &watch, &services, EMPTY, &SINK, &none), POLARIS_ES_INTERNAL);
    cr_expect_null(none);
    expect_violation(1, "'init' answers OK, but gives no instance");
}

Test(guard, of_a_build_that_lacks_a_slot_answers_unsupported) {
    polaris_es_table shorter = REAL;
    const polaris_es_services services = {.size = sizeof services};
    struct guard *other = NULL;
    shorter.size = offsetof(polaris_es_table, schema);
    shorter.query = NULL;
    cr_assert_eq(guard_init(&shorter, &watch, &services, EMPTY, &SINK, &other), POLARIS_ES_OK);
    cr_expect_eq(GUARD_TABLE.schema(guard_instance(other), EMPTY, &SINK), POLARIS_ES_UNSUPPORTED);
    cr_expect_eq(GUARD_TABLE.query(guard_instance(other), EMPTY, &SINK), POLARIS_ES_UNSUPPORTED);
    cr_expect_eq(GUARD_TABLE.store(guard_instance(other), EMPTY, &SINK), POLARIS_ES_OK);
    guard_free(other);
    cr_expect_eq(guard_violations(&watch), 0);
}

/* ---- submitted requests ---- */

static int ends;
static int32_t last_end;

static void count_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    (void)reply;
    cr_assert_eq(context, &ends);
    cr_assert_eq(ticket, 1);
    ends++;
    last_end = status;
}

static void submit_again(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    count_end(context, ticket, status, reply);
    const polaris_es_completion completion = {.size = sizeof completion, .context = &ends, .done = count_end};
    cr_expect_eq(GUARD_TABLE.submit(guard_instance(guard), EMPTY, &completion, NULL), POLARIS_ES_INVALID);
    cr_expect_eq(GUARD_TABLE.cancel(guard_instance(guard), ticket), POLARIS_ES_INVALID);
}

static const polaris_es_completion COMPLETION = {.size = sizeof COMPLETION, .context = &ends, .done = count_end};

static int32_t submit_one(void) {
    return GUARD_TABLE.submit(guard_instance(guard), EMPTY, &COMPLETION, NULL);
}

static void tell(int32_t status, polaris_bytes reply) {
    told.done(told.context, 1, status, reply);
}

Test(guard, lets_submitted_requests_end_as_they_should) {
    uint64_t ticket = 0;
    cr_assert_eq(GUARD_TABLE.submit(guard_instance(guard), EMPTY, &COMPLETION, &ticket), POLARIS_ES_OK);
    cr_expect_eq(ticket, 1);
    cr_expect_eq(GUARD_TABLE.cancel(guard_instance(guard), ticket), POLARIS_ES_OK);
    cr_expect_eq(GUARD_TABLE.cancel(guard_instance(guard), 2), POLARIS_ES_NOT_FOUND);
    tell(POLARIS_ES_CANCELLED, EMPTY);
    cr_expect_eq(last_end, POLARIS_ES_CANCELLED);
    tells_at_once = true;
    cr_assert_eq(submit_one(), POLARIS_ES_OK, "an end may be told before submit returns");
    tells_at_once = false;
    cr_assert_eq(submit_one(), POLARIS_ES_OK);
    tell(POLARIS_ES_REPLY_LOST, (polaris_bytes){0});
    submit_answer = POLARIS_ES_BUSY;
    cr_assert_eq(submit_one(), POLARIS_ES_BUSY);
    cr_assert_eq(shut_down(), POLARIS_ES_OK);
    cr_expect_eq(ends, 3);
    cr_expect_eq(guard_violations(&watch), 0, "%s", last_line);
}

Test(guard, remembers_more_ends_than_it_keeps) {
    for (int i = 0; i < 200; i++) {
        submit_answer = i % 3 == 0 ? POLARIS_ES_BUSY : POLARIS_ES_OK;
        cr_assert_eq(submit_one(), submit_answer);
        if (submit_answer == POLARIS_ES_OK) {
            tell(POLARIS_ES_OK, EMPTY);
        }
    }
    cr_assert_eq(shut_down(), POLARIS_ES_OK);
    cr_assert_eq(guard_violations(&watch), 0, "%s", last_line);
}

Test(guard, sees_an_end_that_is_told_twice) {
    cr_assert_eq(submit_one(), POLARIS_ES_OK);
    tell(POLARIS_ES_OK, EMPTY);
    tell(POLARIS_ES_OK, EMPTY);
    cr_expect_eq(ends, 1, "the host hears of it once");
    expect_violation(1, "is told twice");
}

Test(guard, sees_an_end_that_is_told_of_a_request_that_was_refused) {
    submit_answer = POLARIS_ES_BUSY;
    cr_assert_eq(submit_one(), POLARIS_ES_BUSY);
    tell(POLARIS_ES_OK, EMPTY);
    cr_expect_eq(ends, 0);
    expect_violation(1, "although it was refused");
    tells_at_once = true;
    cr_assert_eq(submit_one(), POLARIS_ES_BUSY);
    expect_violation(2, "'submit' answers BUSY, but told");
}

Test(guard, sees_a_shutdown_that_leaves_a_request_without_its_end) {
    cr_assert_eq(submit_one(), POLARIS_ES_OK);
    cr_assert_eq(submit_one(), POLARIS_ES_OK);
    tell(POLARIS_ES_OK, EMPTY);
    cr_assert_eq(shut_down(), POLARIS_ES_OK);
    expect_violation(1, "1 submitted requests were never told how they ended");
}

Test(guard, sees_an_end_that_is_told_after_shutdown) {
    cr_assert_eq(submit_one(), POLARIS_ES_OK);
    cr_assert_eq(shut_down(), POLARIS_ES_OK);
    tell(POLARIS_ES_OK, EMPTY);
    cr_expect_eq(ends, 0);
    expect_violation(2, "'done' after shutdown");
}

Test(guard, sees_an_end_whose_reply_is_not_what_it_should_be) {
    static const uint8_t ARRAY[] = {0x90};
    const polaris_bytes array = {.data = ARRAY, .size = 1};
    static const struct {
        int32_t status;
        bool is_array, is_empty;
    } ENDS[] = {{POLARIS_ES_OK, true, false}, {POLARIS_ES_OK, false, true}, {POLARIS_ES_REPLY_LOST, false, false}};
    for (size_t i = 0; i < sizeof ENDS / sizeof ENDS[0]; i++) {
        cr_assert_eq(submit_one(), POLARIS_ES_OK);
        tell(ENDS[i].status, ENDS[i].is_empty ? (polaris_bytes){0} : ENDS[i].is_array ? array : EMPTY);
        expect_violation(i + 1, "and a reply that is");
    }
}

Test(guard, sees_a_completion_that_calls_back) {
    const polaris_es_completion completion = {.size = sizeof completion, .context = &ends, .done = submit_again};
    cr_assert_eq(GUARD_TABLE.submit(guard_instance(guard), EMPTY, &completion, NULL), POLARIS_ES_OK);
    tell(POLARIS_ES_OK, EMPTY);
    expect_violation(2, "calls back into the instance");
    cr_assert_eq(submit_one(), POLARIS_ES_OK, "afterwards the thread may submit again");
    tell(POLARIS_ES_OK, EMPTY);
}

Test(guard, sees_a_submit_after_shutdown) {
    cr_assert_eq(shut_down(), POLARIS_ES_OK);
    cr_expect_eq(submit_one(), POLARIS_ES_INVALID);
    expect_violation(1, "'submit' called after shutdown");
    cr_expect_eq(GUARD_TABLE.cancel(guard_instance(guard), 1), POLARIS_ES_INVALID);
    expect_violation(2, "'cancel' called after shutdown");
}

Test(guard, leaves_completions_that_cannot_be_used_to_the_plugin) {
    cr_expect_eq(GUARD_TABLE.submit(guard_instance(guard), EMPTY, NULL, NULL), POLARIS_ES_INVALID);
    cr_expect_eq(guard_violations(&watch), 0);
}

Test(guard, of_a_build_without_submit_answers_unsupported) {
    polaris_es_table older = REAL;
    const polaris_es_services services = {.size = sizeof services};
    for (int i = 0; i < 2; i++) {
        struct guard *other = NULL;
        older.size = i == 0 ? offsetof(polaris_es_table, submit) : sizeof older;
        older.submit = i == 0 ? submit : NULL;
        older.cancel = i == 0 ? cancel : NULL;
        cr_assert_eq(guard_init(&older, &watch, &services, EMPTY, &SINK, &other), POLARIS_ES_OK);
        cr_expect_eq(GUARD_TABLE.submit(guard_instance(other), EMPTY, &COMPLETION, NULL), POLARIS_ES_UNSUPPORTED);
        cr_expect_eq(GUARD_TABLE.cancel(guard_instance(other), 1), POLARIS_ES_UNSUPPORTED);
        guard_free(other);
    }
    cr_expect_eq(guard_violations(&watch), 0);
}
