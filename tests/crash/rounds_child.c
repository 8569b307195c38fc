/* rounds_child.c: the child: its threads, the appends among them, and swaps of the build. */
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "rounds_child.h"

const polaris_es_table *builds[2];

static pthread_rwlock_t gate; /* of `table` and `self` */
static polaris_es *self;
static int reports;
static bool lying;
static atomic_int_least64_t last_id;
static atomic_uint_least64_t ticks;
static uint64_t clock_seed;
static int round_number;

/* ---- telling ---- */

void tell_record(const struct record *record) {
    if (write(reports, record, sizeof *record) != (ssize_t)sizeof *record) {
        _exit(4);
    }
}

void tell(const struct worker *worker, enum record_kind kind, int n, int64_t a, int64_t b, int64_t c) {
    struct record record = {.kind = (uint8_t)kind,
                            .thread = (uint8_t)worker->thread,
                            .round = (uint16_t)round_number,
                            .n = n,
                            .a = a,
                            .b = b,
                            .c = c};
    tell_record(&record);
}

void end_if_failed(void) {
    if (race_failed()) {
        _exit(3);
    }
}

bool child_lies(void) {
    return lying;
}

int64_t child_last_id(void) {
    return atomic_load(&last_id);
}

/* ---- calls ---- */

bool is_ok(const json_t *reply) {
    return json_object_get(reply, "code") == NULL;
}

json_t *ask_text(enum verb verb, unsigned allowed, const char *text) {
    for (;;) {
        (void)pthread_rwlock_rdlock(&gate);
        const polaris_es_verb verbs[] = {table->store, table->query, table->dlq, table->schema};
        json_t *reply = call_text(self, verbs[verb], allowed | MAY(BUSY), text);
        (void)pthread_rwlock_unlock(&gate);
        end_if_failed();
        if (number(reply, "code") != POLARIS_ES_BUSY) {
            return reply;
        }
        json_decref(reply);
        (void)sched_yield();
    }
}

json_t *ask(enum verb verb, unsigned allowed, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0) {
        _exit(5);
    }
    va_end(args);
    json_t *reply = ask_text(verb, allowed, text);
    free(text);
    return reply;
}

/* ---- appends ---- */

static void note_last_id(int64_t id) {
    if (id > atomic_load(&last_id)) {
        atomic_store(&last_id, id);
    }
}

static void *append(void *context) {
    struct worker *worker = context;
    for (;; worker->n++) {
        char *text = request_text(worker->ledger->seed, round_number, (int)worker->thread, worker->n);
        if (lying) {
            tell(worker, RECORD_TOLD, worker->n, 0, 0, 0);
        }
        json_t *reply = ask_text(STORE, MAY(OK), text);
        const json_t *ids = json_object_get(reply, "ids");
        int64_t first = json_integer_value(json_array_get(ids, 0));
        EXPECT(number(reply, "duplicates") == 0, "%s: a duplicate", text);
        if (!lying) {
            tell(worker, RECORD_TOLD, worker->n, first, 0, 0);
        }
        note_last_id(first);
        json_decref(reply);
        free(text);
    }
    return NULL;
}

/* On the plugin's thread. */
static void tell_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    json_t *map = NULL;
    struct failure failure;
    (void)ticket;
    if (!message_unpack(reply.data, reply.size, &map, &failure) ||
        (status != POLARIS_ES_OK && status != POLARIS_ES_CANCELLED)) {
        complain("a submitted request ended with %d", status);
        _exit(3);
    }
    const struct worker worker = {.thread = THREAD_SUBMIT};
    int64_t first = json_integer_value(json_array_get(json_object_get(map, "ids"), 0));
    tell(&worker, status == POLARIS_ES_OK ? RECORD_TOLD : RECORD_CANCELLED, (int)(intptr_t)context, first, 0, 0);
    json_decref(map);
}

static void *submit(void *context) {
    struct worker *worker = context;
    for (;; worker->n++) {
        polaris_es_completion completion = {
            .size = sizeof completion, .context = (void *)(intptr_t)worker->n, .done = tell_end};
        char *text = request_text(worker->ledger->seed, round_number, (int)worker->thread, worker->n);
        size_t size = 0;
        uint64_t ticket = 0;
        uint8_t *data = pack_text(text, &size);
        int32_t status = POLARIS_ES_BUSY;
        while (status == POLARIS_ES_BUSY) {
            (void)pthread_rwlock_rdlock(&gate);
            status = table->submit(self, (polaris_bytes){data, size}, &completion, &ticket);
            if (status == POLARIS_ES_OK && draw_below(&worker->draws, 16) == 0) {
                tell(worker, RECORD_GIVING_UP, worker->n, 0, 0, 0);
                (void)table->cancel(self, ticket);
            }
            (void)pthread_rwlock_unlock(&gate);
            if (status == POLARIS_ES_BUSY) {
                (void)usleep(200);
            }
        }
        EXPECT(status == POLARIS_ES_OK, "submit: %d", status);
        end_if_failed();
        free(data);
        free(text);
    }
    return NULL;
}

/* ---- a reader that follows ---- */

static void *follow(void *context) {
    struct worker *worker = context;
    int64_t seen = worker->ledger->last_id;
    for (;;) {
        json_t *reply =
            ask(QUERY, MAY(OK), "{\"op\":\"events\",\"filter\":{\"after_id\":%lld},\"limit\":100,\"wait_us\":5000}",
                (long long)seen);
        const json_t *events = json_object_get(reply, "events");
        for (size_t i = 0; i < json_array_size(events); i++) {
            int64_t id = number(json_array_get(events, i), "id");
            EXPECT(id == seen + 1, "a reader saw event %lld after %lld", (long long)id, (long long)seen);
            seen = id;
        }
        if (json_array_size(events) > 0) {
            tell(worker, RECORD_SEEN, 0, seen, 0, 0);
        }
        json_decref(reply);
    }
    return NULL;
}

/* ---- swaps ---- */

/* A clock that jumps, back and forth, by up to a second. */
static int64_t now_us(void *context) {
    struct timespec now;
    (void)context;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct draws draws = {clock_seed ^ atomic_fetch_add(&ticks, 1)};
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + draw_below(&draws, 2000000) - 1000000;
}

static void open_instance(uint64_t seed) {
    static const polaris_es_services SERVICES = {.size = sizeof SERVICES, .now_us = now_us};
    char config[512];
    rounds_config(config, sizeof config, seed, round_number);
    self = must_open(&SERVICES, config);
}

static void *swap_builds(void *context) {
    struct worker *worker = context;
    for (;;) {
        (void)usleep((useconds_t)draw_below(&worker->draws, 30000));
        (void)pthread_rwlock_wrlock(&gate);
        json_decref(call(self, table->shutdown, MAY(OK), "{\"keep_log\": %s}",
                         draw_below(&worker->draws, 2) ? "true" : "false"));
        table = builds[table == builds[0]];
        open_instance(worker->ledger->seed);
        (void)pthread_rwlock_unlock(&gate);
        end_if_failed();
        tell(worker, RECORD_SWAPPED, 0, 0, 0, 0);
    }
    return NULL;
}

/* ---- all of it ---- */

void rounds_child(const struct ledger *before, int to, bool liar) {
    static void *(*const WORK[THREAD_COUNT])(void *) = {[THREAD_SINGLE_1] = append,
                                                        [THREAD_SINGLE_2] = append,
                                                        [THREAD_MANY] = append,
                                                        [THREAD_SUBMIT] = submit,
                                                        [THREAD_BATCH_1] = work_on_batches,
                                                        [THREAD_BATCH_2] = work_on_batches,
                                                        [THREAD_LETTERS_1] = work_on_letters,
                                                        [THREAD_LETTERS_2] = work_on_letters,
                                                        [THREAD_SCHEMA] = work_on_schemas,
                                                        [THREAD_TAIL] = follow,
                                                        [THREAD_SWAP] = swap_builds};
    static struct ledger ledger;
    static struct worker workers[THREAD_COUNT];
    pthread_t threads[THREAD_COUNT];
    pthread_rwlockattr_t writers_first;
    ledger = *before;
    reports = to;
    lying = liar;
    round_number = ledger.round;
    clock_seed = ledger.seed ^ (uint64_t)round_number;
    atomic_store(&last_id, ledger.last_id);
    (void)pthread_rwlockattr_init(&writers_first);
    (void)pthread_rwlockattr_setkind_np(&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&gate, &writers_first);
    table = builds[round_number % 2];
    open_instance(ledger.seed);
    for (int i = 0; i < THREAD_COUNT; i++) {
        workers[i] = (struct worker){&ledger, (enum thread_number)i, draws_of(ledger.seed, round_number, i, 0, 4), 0};
        start(&threads[i], WORK[i], &workers[i]);
    }
    (void)pthread_join(threads[THREAD_TAIL], NULL);
    _exit(6);
}
