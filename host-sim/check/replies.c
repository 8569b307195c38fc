/* replies.c: exactly one map, through the caller's sink, by the caller's thread, before the verb returns. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check/trial.h"

/* One request for each way of replying that the verbs have; those that fail are meant to. */
static const struct request {
    uint64_t needs;
    const char *verb, *request;
    bool fails;
} REQUESTS[] = {
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's'}}", false},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'append', 'event': {'type': 'a', 'data': 1}}", true},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'batch.create', 'id': 'b'}", false},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}", false},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'batch.get', 'id': 'b'}", false},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'batch.list'}", false},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'batch.complete', 'id': 'b'}", false},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'batch.abort', 'id': 'b'}", true},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'events'}", false},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'get', 'id': '#1'}", false},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'get', 'id': 9000000000000000000}", true},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'count'}", false},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'histogram'}", false},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'streams'}", false},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'tags'}", false},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'batches'}", false},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'head'}", false},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'interrupt'}", false},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'put', 'event_id': '#1', 'error': {'message': 'm'}}", false},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'put', 'event_id': 9000000000000000000, 'error': {'message': 'm'}}",
     true},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'claim'}", false},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'list'}", false},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'count'}", false},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'put', 'type': 't', 'schema': true}", false},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'get', 'type': 't'}", false},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'get', 'type': 'u'}", true},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'list'}", false},
    {0, "store", "{'op': 'no.such.op'}", true},
    {0, "query", "{'op': 'no.such.op'}", true},
    {0, "dlq", "{'op': 'no.such.op'}", true},
    {0, "schema", "{'op': 'no.such.op'}", true},
};
enum { REQUEST_COUNT = sizeof REQUESTS / sizeof REQUESTS[0] };

static struct answer answers[REQUEST_COUNT]; /* each stays where it is, for what comes too late */

/* Makes all calls that the build has; `look` judges each. */
static void call_all(struct trial *trial, int refuse_at,
                     void (*look)(const struct request *request, const struct answer *answer, int32_t status)) {
    trial_open(trial, NULL);
    for (size_t i = 0; i < REQUEST_COUNT; i++) {
        const struct request *request = &REQUESTS[i];
        answer_init(&answers[i]);
        if (request->needs != 0 && (trial->table->capabilities & request->needs) == 0) {
            continue;
        }
        CLEANUP(packed_done) struct packed bytes = trial_request(trial, request->request);
        answers[i].refuse_at = refuse_at;
        doing("%s %s", request->verb, request->request);
        int32_t status = trial_verb(trial, request->verb)(trial->self, packed_bytes(&bytes), &answers[i].sink);
        answer_returned(&answers[i]);
        look(request, &answers[i], status);
    }
}

static void look_at_map(const struct request *request, const struct answer *answer, int32_t status) {
    const char *fault = answer_fault(answer);
    REQUIRE((status != POLARIS_ES_OK) == request->fails, "%s %s answered %s", request->verb, request->request,
            answer_name(status));
    REQUIRE(fault == NULL, "%s %s answered %s, and %s", request->verb, request->request, answer_name(status), fault);
}

static void one_map(struct trial *trial) {
    call_all(trial, -1, look_at_map);
    trial_shutdown(trial);
}

static void look_at_thread(const struct request *request, const struct answer *answer, int32_t status) {
    (void)status;
    REQUIRE(atomic_load(&answer->foreign) == 0, "the reply of %s %s came from another thread than the caller's",
            request->verb, request->request);
}

static void calling_thread(struct trial *trial) {
    call_all(trial, -1, look_at_thread);
    trial_shutdown(trial);
}

static void look_at_nothing(const struct request *request, const struct answer *answer, int32_t status) {
    (void)request;
    (void)answer;
    (void)status;
}

static void before_returning(struct trial *trial) {
    call_all(trial, -1, look_at_nothing);
    (void)usleep(150000);
    trial_shutdown(trial);
    for (size_t i = 0; i < REQUEST_COUNT; i++) {
        REQUIRE(atomic_load(&answers[i].late) == 0, "a piece of the reply of %s %s came after the verb had returned",
                REQUESTS[i].verb, REQUESTS[i].request);
    }
}

static void look_at_refused(const struct request *request, const struct answer *answer, int32_t status) {
    REQUIRE(atomic_load(&answer->stubborn) == 0, "%s %s went on with its reply after the sink had refused it",
            request->verb, request->request);
    bool fails = request->fails;
    REQUIRE(fails ? status != POLARIS_ES_OK && status != POLARIS_ES_REPLY_LOST : status == POLARIS_ES_REPLY_LOST,
            "%s %s answered %s though the sink refused its reply", request->verb, request->request,
            answer_name(status));
}

static void refusing_sink(struct trial *trial) {
    call_all(trial, 0, look_at_refused);
    if ((trial->table->capabilities & NEEDS_QUERY & ~NEEDS_FILE) == (NEEDS_QUERY & ~NEEDS_FILE)) {
        REQUIRE(trial_count(trial) == 2, "the replies were lost, and events with them: there are %lld of 2",
                (long long)trial_count(trial));
    }
    trial_shutdown(trial);
}

static void init_lost(struct trial *trial) {
    CLEANUP(packed_done) struct packed config = trial_config(trial, NULL);
    for (int i = 0; i < 3; i++) {
        struct answer answer;
        polaris_es *untouched = (polaris_es *)(void *)trial, *self = untouched;
        answer_init(&answer);
        answer.refuse_at = 0;
        doing("init with a sink that refuses");
        int32_t status = trial->table->init(NULL, packed_bytes(&config), &answer.sink, &self);
        answer_returned(&answer);
        REQUIRE(status == POLARIS_ES_REPLY_LOST, "init answered %s though the sink refused its reply",
                answer_name(status));
        REQUIRE(self == untouched, "init lost its reply, and changed *ret_self");
        answer_done(&answer);
    }
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

static void shutdown_lost(struct trial *trial) {
    for (int i = 0; i < 3; i++) {
        struct answer answer;
        trial_open(trial, NULL);
        answer_init(&answer);
        answer.refuse_at = 0;
        doing("shutdown with a sink that refuses");
        int32_t status = trial->table->shutdown(trial->self, (polaris_bytes){0}, &answer.sink);
        answer_returned(&answer);
        REQUIRE(status == POLARIS_ES_REPLY_LOST, "shutdown answered %s though the sink refused its reply",
                answer_name(status));
        answer_done(&answer);
    }
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

/* Some 800 KB. */
static void long_reply(struct trial *trial) {
    enum { EVENTS = 100, TEXT = 8000 };
    char text[TEXT + 1];
    memset(text, 'x', TEXT);
    text[TEXT] = '\0';
    trial_open(trial, NULL);
    for (int i = 0; i < EVENTS; i++) {
        CLEANUP(packed_done)
        struct packed request =
            packed("{'op': 'append', 'event': {'type': 'a', 'data': {'n': %d, 'text': '%s'}}}", i, text);
        int32_t status = trial_call_bytes(trial, "store", packed_bytes(&request));
        REQUIRE(status == POLARIS_ES_OK, "an event of 8,000 bytes is answered %s", answer_name(status));
    }
    json_t *events = json_object_get(trial_ok(trial, "query", "{'op': 'events'}"), "events");
    REQUIRE(json_array_size(events) == EVENTS, "a page of %d large events has %zu", EVENTS, json_array_size(events));
    for (size_t i = 0; i < EVENTS; i++) {
        json_t *data = json_object_get(json_array_get(events, i), "data");
        REQUIRE(json_integer_value(json_object_get(data, "n")) == (json_int_t)i &&
                    json_string_length(json_object_get(data, "text")) == TEXT,
                "event %zu of a long reply is not as it was stored", i);
    }
    trial_shutdown(trial);
}

static void long_reply_lost(struct trial *trial) {
    char text[60001];
    memset(text, 'x', 60000);
    text[60000] = '\0';
    trial_open(trial, NULL);
    for (int i = 0; i < 8; i++) {
        CLEANUP(packed_done)
        struct packed request = packed("{'op': 'append', 'event': {'type': 'a', 'data': {'text': '%s'}}}", text);
        REQUIRE(trial_call_bytes(trial, "store", packed_bytes(&request)) == POLARIS_ES_OK, "a large event is refused");
    }
    CLEANUP(packed_done) struct packed request = packed("{'op': 'events'}");
    struct answer answer;
    for (int at = 0; at < 4; at++) {
        answer_init(&answer);
        answer.refuse_at = at;
        doing("a reply of 480 KB whose piece %d is refused", at);
        int32_t status = trial->table->query(trial->self, packed_bytes(&request), &answer.sink);
        answer_returned(&answer);
        int pieces = atomic_load(&answer.pieces);
        REQUIRE(atomic_load(&answer.stubborn) == 0, "%d pieces came after one was refused", answer.stubborn);
        REQUIRE(status == (pieces > at ? POLARIS_ES_REPLY_LOST : POLARIS_ES_OK),
                "a reply of which piece %d of %d was refused answered %s", at, pieces, answer_name(status));
        answer_done(&answer);
    }
    trial_shutdown(trial);
}

static const struct check CHECKS[] = {
    CHECK("replies/are-exactly-one-map", "of every op, whether it succeeds or not", 0, one_map),
    CHECK("replies/come-from-the-calling-thread", "the sink is the caller's own", 0, calling_thread),
    CHECK("replies/come-before-the-verb-returns", "and nothing comes behind them", 0, before_returning),
    CHECK("replies/that-are-refused-are-lost-and-the-work-is-not", "REPLY_LOST; an error keeps its status", 0,
          refusing_sink),
    CHECK("replies/of-init-that-are-lost-close-the-store", "REPLY_LOST, and nothing is held", 0, init_lost),
    CHECK("replies/of-shutdown-that-are-lost-change-nothing", "REPLY_LOST, and the store is closed", 0, shutdown_lost),
    CHECK("replies/that-are-long-are-whole", "800 KB, every event as it was stored", NEEDS_QUERY, long_reply),
    CHECK("replies/end-with-the-piece-that-is-refused", "whichever of a long reply it is", NEEDS_QUERY,
          long_reply_lost),
};
const struct check_group CHECK_REPLIES = CHECK_GROUP(CHECKS);
