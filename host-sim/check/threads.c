/* threads.c: verbs from any number of threads at once, and long polls. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check/trial.h"
#include "monotonic.h"

enum { THREADS = 8, EACH = 40, WAIT_MAX_US = 5000000 };

struct worker {
    struct trial *trial;
    pthread_t thread;
    int number;
    int64_t ids[EACH];
    int32_t status; /* of what it waited for */
    json_t *reply;
    int64_t returned_us;
};

static void start(struct worker *worker, void *(*run)(void *)) {
    REQUIRE(pthread_create(&worker->thread, NULL, run, worker) == 0, "the check has no thread");
}

static void *append_each(void *context) {
    struct worker *worker = context;
    for (int i = 0; i < EACH; i++) {
        json_auto_t *reply = NULL;
        int32_t status = call_json(worker->trial, worker->trial->self, "store", &reply,
                                   "{'op': 'append', 'event': {'type': 'a', 'data': {'n': %d}, 'stream': 's%d'}}", i,
                                   worker->number);
        const json_t *id = json_array_get(json_object_get(reply, "ids"), 0);
        REQUIRE(status == POLARIS_ES_OK && json_is_integer(id), "an append beside those of other threads answered %s",
                answer_name(status));
        worker->ids[i] = json_integer_value(id);
        REQUIRE(i == 0 || worker->ids[i] > worker->ids[i - 1], "ids went back within one thread");
    }
    return NULL;
}

static int compare_ids(const void *left, const void *right) {
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

static void appends_at_once(struct trial *trial) {
    static struct worker workers[THREADS];
    static int64_t ids[THREADS * EACH];
    size_t count = 0;
    trial_open(trial, NULL);
    doing("appends from %d threads", THREADS);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.trial = trial, .number = i};
        start(&workers[i], append_each);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        for (int j = 0; j < EACH; j++) {
            ids[count++] = workers[i].ids[j];
        }
    }
    qsort(ids, count, sizeof ids[0], compare_ids);
    for (size_t i = 1; i < count; i++) {
        REQUIRE(ids[i] != ids[i - 1], "the id %" PRId64 " was given to two events", ids[i]);
    }
    REQUIRE(trial_count(trial) == (int64_t)count, "%zu events were acknowledged, %" PRId64 " are there", count,
            trial_count(trial));
    (void)trial_ok(trial, "query", "{'op': 'streams'}");
    json_t *streams = json_object_get(trial->reply, "streams");
    for (size_t i = 0; i < THREADS; i++) {
        REQUIRE(json_integer_value(json_object_get(json_array_get(streams, i), "version")) == EACH,
                "the stream of a thread does not have the version %d", EACH);
    }
    trial_shutdown(trial);
}

static _Atomic bool ended;

/* Whoever has seen an id has seen all before it. Counts what it sees in ids[0]. */
static void *follow(void *context) {
    struct worker *worker = context;
    int64_t seen = 0;
    for (bool last = false, found = true; !last || found;) { /* to the end of what was stored by then */
        last = atomic_load(&ended);
        json_auto_t *reply = NULL;
        int32_t status = call_json(worker->trial, worker->trial->self, "query", &reply,
                                   "{'op': 'events', 'filter': {'after_id': %" PRId64 "}, 'limit': 7}", seen);
        REQUIRE(status == POLARIS_ES_OK, "a query beside appends answered %s", answer_name(status));
        size_t index;
        json_t *event;
        found = false;
        json_array_foreach(json_object_get(reply, "events"), index, event) {
            int64_t id = json_integer_value(json_object_get(event, "id"));
            REQUIRE(id > seen, "a reader that follows saw %" PRId64 " after %" PRId64, id, seen);
            seen = id;
            worker->ids[0]++;
            found = true;
        }
    }
    return NULL;
}

static void reads_beside(struct trial *trial) {
    enum { WRITERS = 3, ALL = 6 };
    static struct worker workers[ALL];
    trial_open(trial, NULL);
    atomic_store(&ended, false);
    doing("readers that follow beside writers");
    for (int i = 0; i < ALL; i++) {
        workers[i] = (struct worker){.trial = trial, .number = i};
        start(&workers[i], i < WRITERS ? append_each : follow);
    }
    for (int i = 0; i < ALL; i++) {
        atomic_store(&ended, i >= WRITERS);
        (void)pthread_join(workers[i].thread, NULL);
        REQUIRE(i < WRITERS || workers[i].ids[0] == WRITERS * EACH,
                "a reader that followed saw %" PRId64 " of %d events", workers[i].ids[0], WRITERS * EACH);
    }
    trial_shutdown(trial);
}

static _Atomic int holders; /* threads between the end of init and the beginning of shutdown */

static void *open_race(void *context) {
    struct worker *worker = context;
    CLEANUP(packed_done) struct packed config = trial_config(worker->trial, "{'busy_timeout_ms': 0}");
    polaris_es *self = NULL;
    CLEANUP(answer_done) struct answer answer;
    answer_init(&answer);
    worker->status = worker->trial->table->init(NULL, packed_bytes(&config), &answer.sink, &self);
    answer_returned(&answer);
    if (worker->status == POLARIS_ES_OK) {
        int others = atomic_fetch_add(&holders, 1);
        REQUIRE(others == 0, "two threads have the file open at one time, each as its only writer");
        (void)usleep(50000);
        (void)atomic_fetch_sub(&holders, 1);
        REQUIRE(worker->trial->table->shutdown(self, (polaris_bytes){0}, NULL) == POLARIS_ES_OK,
                "shutdown beside an init of another thread fails");
    }
    return NULL;
}

static void opens_at_once(struct trial *trial) {
    static struct worker workers[THREADS];
    int won = 0;
    trial_open(trial, NULL); /* the file is there: nobody has to make it */
    trial_shutdown(trial);
    doing("init of one file by %d threads", THREADS);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.trial = trial, .number = i};
        start(&workers[i], open_race);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        REQUIRE(workers[i].status == POLARIS_ES_OK || workers[i].status == POLARIS_ES_BUSY,
                "init beside init of the same file answered %s", answer_name(workers[i].status));
        won += workers[i].status == POLARIS_ES_OK ? 1 : 0;
    }
    REQUIRE(won >= 1, "of %d threads that opened the file none could", THREADS);
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

/* ---- waiting ---- */

static _Atomic int waits_over;

/* For what comes behind ids[0]. */
static void *wait_long(void *context) {
    struct worker *worker = context;
    worker->status =
        call_json(worker->trial, worker->trial->self, "query", &worker->reply,
                  "{'op': 'events', 'filter': {'after_id': %" PRId64 "}, 'wait_us': 60000000}", worker->ids[0]);
    worker->returned_us = monotonic_us();
    (void)atomic_fetch_add(&waits_over, 1);
    return NULL;
}

static int64_t end_wait(struct worker *worker, int64_t began_us) {
    (void)pthread_join(worker->thread, NULL);
    REQUIRE(worker->status == POLARIS_ES_OK, "a long poll answered %s", answer_name(worker->status));
    return worker->returned_us - began_us;
}

static void appends_end_waits(struct trial *trial) {
    static struct worker worker;
    trial_open(trial, NULL);
    worker = (struct worker){.trial = trial, .ids = {trial_append(trial, 1)}};
    start(&worker, wait_long);
    (void)usleep(50000);
    int64_t began_us = monotonic_us();
    (void)trial_append(trial, 2);
    doing("a long poll for what was appended");
    int64_t took_us = end_wait(&worker, began_us);
    REQUIRE(json_array_size(json_object_get(worker.reply, "events")) == 1, "a long poll ended without the event");
    REQUIRE(took_us < WAIT_MAX_US, "a long poll ended %" PRId64 " ms after what it waited for", took_us / 1000);
    trial_shutdown(trial);
}

/* One that was about to wait ends as well, and is not counted: only that all end tells. */
static void interrupts_end_waits(struct trial *trial) {
    enum { WAITS = 3 };
    static struct worker workers[WAITS];
    trial_open(trial, NULL);
    int64_t id = trial_append(trial, 1);
    atomic_store(&waits_over, 0);
    for (int i = 0; i < WAITS; i++) {
        workers[i] = (struct worker){.trial = trial, .ids = {id}};
        start(&workers[i], wait_long);
    }
    (void)usleep(50000);
    int64_t began_us = monotonic_us();
    while (atomic_load(&waits_over) < WAITS) { /* again, for those that had not come to wait */
        (void)trial_ok(trial, "query", "{'op': 'interrupt'}");
        REQUIRE(monotonic_us() - began_us < WAIT_MAX_US, "a long poll goes on %" PRId64 " ms after it was interrupted",
                (monotonic_us() - began_us) / 1000);
        (void)usleep(1000);
    }
    for (int i = 0; i < WAITS; i++) {
        (void)end_wait(&workers[i], began_us);
        REQUIRE(json_is_true(json_object_get(workers[i].reply, "interrupted")),
                "the reply of a long poll does not say that it was interrupted");
    }
    trial_shutdown(trial);
}

static const struct check CHECKS[] = {
    CHECK("threads/appends-at-once-are-all-there", "8 threads: each event once, under an id of its own", NEEDS_QUERY,
          appends_at_once),
    CHECK("threads/readers-miss-nothing-beside-writers", "who has seen an id has seen all before it", NEEDS_QUERY,
          reads_beside),
    CHECK("threads/init-may-race-for-a-file", "8 threads: OK or BUSY, and it can be opened afterwards", NEEDS_FILE,
          opens_at_once),
    CHECK("threads/an-append-ends-a-wait", "of a long poll that it matches", NEEDS_QUERY | POLARIS_ES_CAN_LONG_POLL,
          appends_end_waits),
    CHECK("threads/interrupt-ends-all-waits", "at once, and they say so", NEEDS_QUERY | POLARIS_ES_CAN_LONG_POLL,
          interrupts_end_waits),
};
const struct check_group CHECK_THREADS = CHECK_GROUP(CHECKS);
