/* work.c: the threads of the process: the appends among them, a reader, and swaps of the build. */
#include "torture/work.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "host/error_map.h"
#include "torture/faults.h"

/* 2026-01-01T00:00:00Z, where the clock begins when there is one thread, and how far the next round is from there. */
#define START_US INT64_C(1767225600000000)
#define ROUND_US INT64_C(600000000)

enum { TROUBLE_TRIES_MAX = 400 };

static struct work work;
static pthread_rwlock_t gate; /* of `table` and `self` */
static const polaris_es_table *table;
static polaris_es *self;
static sem_t over; /* enough was reported */
static atomic_int_least64_t last_id;
static atomic_llong told;
static atomic_uint_least64_t ticks;
static uint64_t clock_seed;
static int round_number;

/* ---- telling ---- */

void tell_record(const struct record *record) {
    if (write(work.reports, record, sizeof *record) != (ssize_t)sizeof *record) {
        _exit(WORK_NO_PIPE);
    }
    if (atomic_fetch_add(&told, 1) + 1 == work.reports_max) {
        (void)sem_post(&over);
    }
}

void tell(const struct worker *worker, enum record_kind kind, int n, int64_t a, int64_t b, int64_t c) {
    struct record record = {.kind = (uint8_t)kind,
                            .thread = (uint8_t)worker->thread,
                            .round = round_number,
                            .n = n,
                            .a = a,
                            .b = b,
                            .c = c};
    tell_record(&record);
}

void end_if_failed(void) {
    if (complained()) {
        _exit(WORK_COMPLAINED);
    }
}

int64_t work_last_id(void) {
    return atomic_load(&last_id);
}

/* ---- calls ---- */

bool is_ok(const json_t *reply) {
    return json_object_get(reply, "code") == NULL;
}

/* A call that began while the disk failed, or was about to, may end so; none that began behind it. */
static bool may_be_in_trouble(int tries) {
    if (work.trouble != POLARIS_ES_OK && tries > TROUBLE_TRIES_MAX && !faults_are_over()) {
        (void)faults_end(); /* what failed so often may have given up asking the disk at all */
    }
    return work.trouble != POLARIS_ES_OK && !faults_are_over();
}

/* May a call that is in trouble end so? That a sync failed for want of space it need not say. */
static bool is_of_trouble(int64_t status) {
    bool is_of_sync = work.trouble == POLARIS_ES_FULL && status == POLARIS_ES_IO && faults_had_sync();
    return status != POLARIS_ES_OK && (status == work.trouble || is_of_sync);
}

json_t *ask_text(enum verb verb, unsigned allowed, const char *text) {
    for (int tries = 0;; tries++) {
        bool may_be = may_be_in_trouble(tries);
        (void)pthread_rwlock_rdlock(&gate);
        const polaris_es_verb verbs[] = {table->store, table->query, table->dlq, table->schema};
        unsigned trouble =
            (may_be ? 1u << work.trouble : 0) | (may_be && work.trouble == POLARIS_ES_FULL ? MAY(IO) : 0);
        json_t *reply = call_text(self, verbs[verb], allowed | trouble | MAY(BUSY), text);
        (void)pthread_rwlock_unlock(&gate);
        end_if_failed();
        int64_t code = number(reply, "code");
        bool in_trouble = may_be && is_of_trouble(code);
        EXPECT(in_trouble || code != POLARIS_ES_IO, "%.200s: status %d, and no sync had failed", text, (int)code);
        EXPECT(!in_trouble || code == POLARIS_ES_BUSY || faults_fired() > 0,
               "%.200s: status %d, and no call had failed", text, (int)code);
        end_if_failed();
        if (code != POLARIS_ES_BUSY && !in_trouble) {
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
        _exit(WORK_NO_MEMORY);
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

static void append(struct worker *worker) {
    char *text = request_text(worker->ledger->seed, round_number, (int)worker->thread, worker->n);
    if (work.lying) {
        tell(worker, RECORD_TOLD, worker->n, 0, 0, 0);
    }
    json_t *reply = ask_text(STORE, MAY(OK), text);
    const json_t *ids = json_object_get(reply, "ids");
    int64_t first = json_integer_value(json_array_get(ids, 0));
    EXPECT(number(reply, "duplicates") == 0, "%.200s: a duplicate", text);
    if (!work.lying) {
        tell(worker, RECORD_TOLD, worker->n, first, 0, 0);
    }
    note_last_id(first);
    json_decref(reply);
    free(text);
    worker->n++;
}

/* One that was submitted, and has ended. In trouble for more than one call it may be there all the same, if the process
 * is killed before the disk works again; otherwise what failed is not there. */
static enum record_kind kind_of_end(int32_t status) {
    if (status == POLARIS_ES_OK) {
        return RECORD_TOLD;
    }
    return status == POLARIS_ES_CANCELLED || !work.stays ? RECORD_CANCELLED : RECORD_GIVING_UP;
}

/* On a thread of the plugin. */
static void tell_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    json_t *map = NULL;
    struct failure failure;
    (void)ticket;
    if (!message_unpack(reply.data, reply.size, &map, &failure) ||
        (status != POLARIS_ES_OK && status != POLARIS_ES_CANCELLED && !is_of_trouble(status)) ||
        number(map, "code") != status) {
        complain("a submitted request ended with %s (%d), and the code of its map is %d", status_text(status),
                 (int)status, (int)number(map, "code"));
        _exit(WORK_COMPLAINED);
    }
    const struct worker worker = {.thread = THREAD_SUBMIT};
    int64_t first = json_integer_value(json_array_get(json_object_get(map, "ids"), 0));
    tell(&worker, kind_of_end(status), (int)(intptr_t)context, first, 0, 0);
    json_decref(map);
}

static sem_t ended; /* what was submitted, if it is waited for */

static void tell_end_and_post(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    tell_end(context, ticket, status, reply);
    (void)sem_post(&ended);
}

static int32_t submit_once(struct worker *worker, polaris_bytes request) {
    polaris_es_completion completion = {.size = sizeof completion,
                                        .context = (void *)(intptr_t)worker->n,
                                        .done = work.alone ? tell_end_and_post : tell_end};
    uint64_t ticket = 0;
    (void)pthread_rwlock_rdlock(&gate);
    int32_t status = table->submit(self, request, &completion, &ticket);
    if (status == POLARIS_ES_OK && draw_below(&worker->draws, 16) == 0 && !work.alone) {
        tell(worker, RECORD_GIVING_UP, worker->n, 0, 0, 0);
        (void)table->cancel(self, ticket);
    }
    (void)pthread_rwlock_unlock(&gate);
    return status;
}

static void submit(struct worker *worker) {
    char *text = request_text(worker->ledger->seed, round_number, (int)worker->thread, worker->n);
    size_t size = 0;
    uint8_t *data = pack_text(text, &size);
    int32_t status = POLARIS_ES_BUSY;
    while (status == POLARIS_ES_BUSY) {
        status = submit_once(worker, (polaris_bytes){data, size});
        if (status == POLARIS_ES_BUSY) {
            (void)usleep(200);
        }
    }
    EXPECT(status == POLARIS_ES_OK, "submit: %d", (int)status);
    end_if_failed();
    while (work.alone && sem_wait(&ended) != 0) {
    }
    free(data);
    free(text);
    worker->n++;
}

/* ---- a reader that follows ---- */

static void follow(struct worker *worker) {
    static int64_t seen = -1;
    seen = worker->step++ == 0 ? worker->ledger->last_id : seen;
    json_t *reply =
        ask(QUERY, MAY(OK), "{\"op\":\"events\",\"filter\":{\"after_id\":%lld},\"limit\":100,\"wait_us\":%d}",
            (long long)seen, work.alone ? 0 : 5000);
    const json_t *events = json_object_get(reply, "events");
    for (size_t i = 0; i < json_array_size(events); i++) {
        int64_t id = number(json_array_get(events, i), "id");
        EXPECT(worker->ledger->gaps_allowed ? id > seen : id == seen + 1, "a reader saw event %lld after %lld",
               (long long)id, (long long)seen);
        seen = id;
    }
    if (json_array_size(events) > 0) {
        tell(worker, RECORD_SEEN, 0, seen, 0, 0);
    }
    json_decref(reply);
}

/* ---- swaps ---- */

/* A clock that jumps, back and forth, by up to a second. Alone it depends on nothing but what was asked before. */
static int64_t now_us(void *context) {
    uint64_t tick = atomic_fetch_add(&ticks, 1);
    struct draws draws = {clock_seed ^ tick};
    int64_t jump_us = draw_below(&draws, 2000000) - 1000000;
    (void)context;
    if (work.alone) {
        return START_US + round_number % STORE_ROUNDS * ROUND_US + (int64_t)tick * 1000 + jump_us;
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + jump_us;
}

static void open_instance(void) {
    static const polaris_es_services SERVICES = {.size = sizeof SERVICES, .now_us = now_us};
    int32_t status = POLARIS_ES_BUSY;
    for (int tries = 0; status != POLARIS_ES_OK; tries++) {
        json_t *reply = NULL;
        bool may_be = may_be_in_trouble(tries);
        status = call_init(table, &SERVICES, work.config, &self, &reply);
        EXPECT(number(reply, "code") == status, "init answered %s (%d), and the code of its map is %d",
               status_text(status), (int)status, (int)number(reply, "code"));
        /* That the disk is full init need not say, whatever call it was. */
        bool said = status == work.trouble || (work.trouble == POLARIS_ES_FULL && status == POLARIS_ES_IO);
        if (status != POLARIS_ES_OK && !(may_be && said && faults_fired() > 0)) {
            const char *message = json_string_value(json_object_get(reply, "message"));
            complain("the store cannot be opened: status %d: %s", (int)status,
                     message != NULL ? message : "no message");
        }
        json_decref(reply);
        end_if_failed();
    }
}

static void swap_builds(struct worker *worker) {
    if (!work.alone) {
        (void)usleep((useconds_t)draw_below(&worker->draws, 30000));
    }
    (void)pthread_rwlock_wrlock(&gate);
    json_decref(call_text(self, table->shutdown, MAY(OK), ledger_shutdown(worker->ledger, &worker->draws)));
    table = work.builds[table == work.builds[0]];
    open_instance();
    (void)pthread_rwlock_unlock(&gate);
    end_if_failed();
    tell(worker, RECORD_SWAPPED, 0, 0, 0, 0);
}

/* ---- all of it ---- */

static void (*const STEPS[THREAD_COUNT])(struct worker *) = {[THREAD_SINGLE_1] = append,
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

static bool takes_part(int thread) {
    return (work.before->threads & 1u << thread) != 0;
}

static void *run_thread(void *context) {
    for (;;) {
        STEPS[((struct worker *)context)->thread](context);
    }
    return NULL;
}

static void run_threads(struct worker *workers) {
    pthread_t threads[THREAD_COUNT];
    for (int i = 0; i < THREAD_COUNT; i++) {
        if (takes_part(i)) {
            start(&threads[i], run_thread, &workers[i]);
        }
    }
    while (sem_wait(&over) != 0) {
    }
}

/* A swap is some fifty times rarer than anything else. */
static void run_alone(struct worker *workers) {
    struct draws draws = draws_of(work.before->seed, round_number, 0, 0, 8);
    while (work.reports_max == 0 || atomic_load(&told) < work.reports_max) {
        int thread = draw_below(&draws, 500) < 10 ? THREAD_SWAP : draw_below(&draws, THREAD_SWAP);
        if (takes_part(thread)) {
            STEPS[thread](&workers[thread]);
        }
        end_if_failed();
    }
}

noreturn void work_until_end(const struct work *given) {
    static struct ledger ledger;
    static struct worker workers[THREAD_COUNT];
    pthread_rwlockattr_t writers_first;
    work = *given;
    ledger_copy(&ledger, given->before);
    round_number = ledger.round;
    clock_seed = ledger.seed ^ (uint64_t)round_number;
    atomic_store(&last_id, ledger.last_id);
    (void)sem_init(&over, 0, 0);
    (void)sem_init(&ended, 0, 0);
    (void)pthread_rwlockattr_init(&writers_first);
    (void)pthread_rwlockattr_setkind_np(&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&gate, &writers_first);
    table = work.builds[round_number % 2];
    open_instance();
    for (int i = 0; i < THREAD_COUNT; i++) {
        workers[i] =
            (struct worker){&ledger, (enum thread_number)i, draws_of(ledger.seed, round_number, i, 0, 4), 0, 0};
    }
    (work.alone ? run_alone : run_threads)(workers);
    if (work.end != NULL) {
        work.end();
    }
    (void)pthread_rwlock_wrlock(&gate); /* for good: nobody calls any more */
    json_decref(call(self, table->shutdown, MAY(OK), "{}"));
    end_if_failed();
    _exit(WORK_ENDED);
}
