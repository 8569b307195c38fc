/* kill.c: a process killed in the middle of its appends: what it was told is stored, is stored, once, and whole. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"
#include "message/message.h"

enum { ROUNDS = 20, THREADS = 3, KILL_AFTER_MAX = 60, EVENTS_PER_REQUEST = 3 };

struct appender {
    struct es *es;
    int reports;
    int number;
};

/* Three events, under keys that no other request has. */
#define REQUEST                                                                                                        \
    "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'key': '%lld-0'},"                                          \
    " {'type': 'a', 'data': {}, 'key': '%lld-1', 'tags': ['t']},"                                                      \
    " {'type': 'b', 'data': {}, 'key': '%lld-2', 'stream': 's'}]}"

/* Appends, and reports each acknowledged request's first id. es_call keeps
 * its reply in the struct es, so each thread has one. */
static void *append_for_ever(void *argument) {
    struct appender *appender = argument;
    struct es own = {.table = appender->es->table, .self = appender->es->self};
    for (int64_t i = 0;; i++) {
        int64_t key = i * THREADS + appender->number;
        int32_t status = es_call(&own, "store", REQUEST, (long long)key, (long long)key, (long long)key);
        if (status != POLARIS_ES_OK) {
            _exit(3);
        }
        child_report(appender->reports, json_integer_value(json_array_get(json_object_get(own.reply, "ids"), 0)));
    }
    return NULL;
}

static int append_until_killed(struct es *es, int reports) {
    pthread_t threads[THREADS];
    struct appender appenders[THREADS];
    if (es_init(es, "{'durability': 'normal'}") != POLARIS_ES_OK) {
        return 1;
    }
    for (int i = 0; i < THREADS; i++) {
        appenders[i] = (struct appender){es, reports, i};
        if (pthread_create(&threads[i], NULL, append_for_ever, &appenders[i]) != 0) {
            return 2;
        }
    }
    (void)pthread_join(threads[0], NULL);
    return 0;
}

/* On the plugin's thread: it is stored, and the parent hears of it. */
static void report_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    json_t *map = NULL;
    struct failure failure;
    (void)ticket;
    if (status != POLARIS_ES_OK || !message_unpack(reply.data, reply.size, &map, &failure)) {
        _exit(3);
    }
    child_report(*(const int *)context, json_integer_value(json_array_get(json_object_get(map, "ids"), 0)));
    json_decref(map);
}

/* One thread, which waits for nothing but room. */
static int submit_until_killed(struct es *es, int reports) {
    const polaris_es_completion completion = {.size = sizeof completion, .context = &reports, .done = report_end};
    if (es_init(es, "{'submit_max': 64}") != POLARIS_ES_OK) {
        return 1;
    }
    for (long long i = 0;; i++) {
        char text[512];
        size_t size = 0;
        int32_t status = POLARIS_ES_BUSY;
        snprintf(text, sizeof text, REQUEST, i, i, i);
        void *data = es_pack(text, &size);
        while (status == POLARIS_ES_BUSY) {
            status = es->table->submit(es->self, (polaris_bytes){data, size}, &completion, NULL);
            (void)sched_yield();
        }
        free(data);
        if (status != POLARIS_ES_OK) {
            return 2;
        }
    }
}

/* Every acknowledged id is there; ids and keys are unique; requests are whole. Returns how many events there are. */
static int64_t check_store(struct es *es, const int64_t *acknowledged, size_t count) {
    json_t *reply = es_ok(es, "query", "{'op': 'events', 'limit': 100000}");
    json_t *events = json_object_get(reply, "events");
    size_t total = json_array_size(events);
    cr_expect_eq(total % EVENTS_PER_REQUEST, 0, "a request was stored in part");
    for (size_t i = 0; i < total; i++) {
        json_t *event = json_array_get(events, i);
        json_t *first = json_array_get(events, i - i % EVENTS_PER_REQUEST);
        const char *key = es_text(event, "key");
        cr_assert_eq(es_int(event, "id"), (int64_t)i + 1, "ids have a gap or come twice");
        cr_assert_eq(strtoll(key, NULL, 10), strtoll(es_text(first, "key"), NULL, 10), "requests are mixed up");
    }
    for (size_t i = 0; i < count; i++) {
        cr_assert_leq(acknowledged[i], (int64_t)total, "acknowledged, and lost");
        cr_assert_eq((acknowledged[i] - 1) % EVENTS_PER_REQUEST, 0);
    }
    return (int64_t)total;
}

static void expect_sound(struct es *es, int64_t total) {
    es_expect(es_ok(es, "query", "{'op': 'count', 'filter': {'tags_any': ['t']}}"), "{'count': %lld}",
              (long long)total / EVENTS_PER_REQUEST);
    es_expect(es_ok(es, "query", "{'op': 'count', 'filter': {'stream': 's'}}"), "{'count': %lld}",
              (long long)total / EVENTS_PER_REQUEST);
    cr_expect_eq(es_append(es, "{'type': 'after', 'data': {}}"), total + 1, "and it goes on");
}

static void kill_once(int round, int (*body)(struct es *es, int reports)) {
    struct es *es = es_open(NULL);
    int64_t acknowledged[4096];
    size_t count = 0;
    es_shutdown(es);
    struct child child = child_start(es, body);
    size_t kill_after = (size_t)(round * 7919 % KILL_AFTER_MAX);
    while (count <= kill_after && child_next(&child, &acknowledged[count])) {
        count++;
    }
    cr_assert_eq(kill(child.pid, SIGKILL), 0);
    while (count < sizeof acknowledged / sizeof acknowledged[0] && child_next(&child, &acknowledged[count])) {
        count++; /* what was still in the pipe was acknowledged as well */
    }
    cr_expect_eq(child_wait(&child), -SIGKILL);

    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK, "round %d", round);
    expect_sound(es, check_store(es, acknowledged, count));
    es_close(es);
}

Test(kill, leaves_every_acknowledged_event_exactly_once_and_every_request_whole, .timeout = 240) {
    for (int round = 0; round < ROUNDS; round++) {
        kill_once(round, append_until_killed);
    }
}

Test(kill, leaves_every_submitted_request_whose_end_was_told_exactly_once_and_whole, .timeout = 240) {
    for (int round = 0; round < ROUNDS; round++) {
        kill_once(round, submit_until_killed);
    }
}

/* Leaves a batch with two drafts open, and a claimed dead letter, and dies. */
static int leave_things_open(struct es *es, int reports) {
    (void)reports;
    if (es_init(es, NULL) != POLARIS_ES_OK ||
        es_call(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}") != POLARIS_ES_OK ||
        es_call(es, "store", "{'op': 'batch.create', 'id': 'b'}") != POLARIS_ES_OK ||
        es_call(
            es, "store",
            "{'op': 'batch.append', 'id': 'b', 'events': [{'type': 'b', 'data': {}}, {'type': 'b', 'data': {}}]}") !=
            POLARIS_ES_OK ||
        es_call(es, "dlq", "{'op': 'put', 'event_id': 1, 'delay_us': 0, 'error': {'message': 'no'}}") !=
            POLARIS_ES_OK ||
        es_call(es, "dlq", "{'op': 'claim'}") != POLARIS_ES_OK) {
        return 1;
    }
    (void)raise(SIGKILL);
    return 2;
}

Test(kill, leaves_an_open_batch_open_and_a_claimed_dead_letter_claimed) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    struct child child = child_start(es, leave_things_open);
    cr_assert_eq(child_wait(&child), -SIGKILL);

    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    es_expect(es_ok(es, "store", "{'op': 'batch.get', 'id': 'b'}"), "{'batch': {'state': 'open', 'count': 2}}");
    es_expect(es_ok(es, "dlq", "{'op': 'get', 'id': 1}"), "{'entry': {'state': 'claimed', 'token': 1}}");
    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}"),
              "{'batch': {'state': 'completed', 'count': 2, 'first_id': 2, 'last_id': 3}}");
    es_expect(es_ok(es, "dlq", "{'op': 'resolve', 'id': 1, 'token': 1}"), "{'entry': {'state': 'resolved'}}");
    es_close(es);
}
