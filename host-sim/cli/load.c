/* load.c: threads that append, a follower, and the proof. */
#include "cli/load.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "graph/follower.h"
#include "graph/replay.h"
#include "graph/request.h"
#include "monotonic.h"

/* An acknowledged event. */
struct receipt {
    int64_t id;
    int64_t call_us;
    uint64_t thread, sequence; /* what its key is made of */
    bool found;
};

struct worker {
    struct load *load;
    uint64_t number;
    pthread_t thread;
    struct receipt *receipts;
    size_t count, capacity;
    uint64_t failed;
};

struct load {
    struct host *host;
    struct follower *follower;
    struct worker workers[LOAD_THREADS_MAX];
    size_t started;
    bool joined;
    char prefix[40]; /* of the keys: no other run on this store has it */
    int64_t first_id, start_us, end_us;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint64_t acknowledged; /* under the lock, as is first_failure */
    bool failed;
    struct failure first_failure;
};

/* ---- Appending --------------------------------------------------------------------------------------------------- */

static void print_key(const struct load *load, uint64_t thread, uint64_t sequence, char ret_key[64]) {
    (void)snprintf(ret_key, 64, "%s-%" PRIu64 "-%" PRIu64, load->prefix, thread, sequence);
}

static bool add_receipt(struct worker *worker, const struct receipt *receipt) {
    if (worker->count == worker->capacity) {
        size_t capacity = worker->capacity == 0 ? 1024 : 2 * worker->capacity;
        struct receipt *grown = realloc(worker->receipts, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        worker->receipts = grown;
        worker->capacity = capacity;
    }
    worker->receipts[worker->count++] = *receipt;
    return true;
}

static bool append_one(struct worker *worker, uint64_t sequence, struct failure *failure) {
    char key[64];
    print_key(worker->load, worker->number, sequence, key);
    int64_t start_us = monotonic_us();
    json_auto_t *reply = NULL;
    json_t *request =
        json_pack("{s: s, s: {s: s, s: s, s: {s: I, s: I}}}", "op", "append", "event", "type", LOAD_TYPE, "key", key,
                  "data", "thread", (json_int_t)worker->number, "sequence", (json_int_t)sequence);
    if (request_call(worker->load->host, HOST_STORE, request, &reply, failure) != POLARIS_ES_OK) {
        return false;
    }
    struct receipt receipt = {.id = json_integer_value(json_array_get(json_object_get(reply, "ids"), 0)),
                              .call_us = monotonic_us() - start_us,
                              .thread = worker->number,
                              .sequence = sequence};
    return add_receipt(worker, &receipt) || failure_set(failure, "no memory for a receipt");
}

/* Tells those who wait; `failure` NULL: it went well. */
static void report(struct load *load, const struct failure *failure) {
    (void)pthread_mutex_lock(&load->lock);
    load->acknowledged += failure == NULL;
    if (failure != NULL && !load->failed) {
        load->failed = true;
        load->first_failure = *failure;
    }
    (void)pthread_cond_broadcast(&load->moved);
    (void)pthread_mutex_unlock(&load->lock);
}

static void *work(void *context) {
    struct worker *worker = context;
    struct failure failure;
    for (uint64_t sequence = 1; !atomic_load(&worker->load->stopping); sequence++) {
        bool appended = append_one(worker, sequence, &failure);
        worker->failed += !appended;
        report(worker->load, appended ? NULL : &failure);
        if (!appended) {
            return NULL; /* one failure is enough to know */
        }
    }
    return NULL;
}

static bool find_start(struct load *load, struct failure *failure) {
    json_auto_t *reply = NULL;
    if (request_call(load->host, HOST_QUERY, json_pack("{s: s}", "op", "head"), &reply, failure) != POLARIS_ES_OK) {
        return false;
    }
    load->first_id = json_integer_value(json_object_get(reply, "last_id"));
    return true;
}

bool load_start(struct host *host, size_t threads, struct load **ret_load, struct failure *failure) {
    *ret_load = NULL;
    CLEANUP(load_freep) struct load *load = calloc(1, sizeof *load);
    if (load == NULL) {
        return failure_set(failure, "no memory for the load");
    }
    (void)pthread_mutex_init(&load->lock, NULL); /* neither can fail with default attributes */
    (void)pthread_cond_init(&load->moved, NULL);
    load->host = host;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(load->prefix, sizeof load->prefix, "%" PRIx64 "-%lx", (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
                   (unsigned long)getpid());
    if (!find_start(load, failure)) {
        return false;
    }
    struct follower_options follow = {.host = host, .after_id = load->first_id};
    load->follower = follower_start(&follow, failure);
    if (load->follower == NULL) {
        return false;
    }
    load->start_us = monotonic_us();
    for (; load->started < threads; load->started++) {
        struct worker *worker = &load->workers[load->started];
        worker->load = load;
        worker->number = load->started;
        if (pthread_create(&worker->thread, NULL, work, worker) != 0) {
            return failure_set(failure, "no thread to append from");
        }
    }
    *ret_load = load;
    load = NULL;
    return true;
}

bool load_wait(struct load *load, uint64_t count) {
    (void)pthread_mutex_lock(&load->lock);
    uint64_t target = load->acknowledged + count;
    while (load->acknowledged < target && !load->failed) {
        (void)pthread_cond_wait(&load->moved, &load->lock);
    }
    bool reached = !load->failed;
    (void)pthread_mutex_unlock(&load->lock);
    return reached;
}

static void stop(struct load *load) {
    if (!load->joined) {
        atomic_store(&load->stopping, true);
        for (size_t i = 0; i < load->started; i++) {
            (void)pthread_join(load->workers[i].thread, NULL);
        }
        load->joined = true;
        load->end_us = monotonic_us();
    }
}

void load_freep(struct load **load) {
    struct load *self = *load;
    if (self == NULL) {
        return;
    }
    stop(self);
    if (self->follower != NULL) {
        struct follower_result ignored;
        struct failure failure;
        (void)!follower_finish(self->follower, 0, &ignored, &failure);
    }
    for (size_t i = 0; i < self->started; i++) {
        free(self->workers[i].receipts);
    }
    (void)pthread_cond_destroy(&self->moved);
    (void)pthread_mutex_destroy(&self->lock);
    free(self);
    *load = NULL;
}

/* ---- Proving ----------------------------------------------------------------------------------------------------- */

/* All receipts, in the order of ids, and what was seen of the store so far. */
struct proof {
    const struct load *load;
    struct load_result *result;
    struct receipt *receipts;
    size_t count;
    uint64_t last_sequence[LOAD_THREADS_MAX];
};

static int compare_ids(const void *left, const void *right) {
    const struct receipt *a = left;
    const struct receipt *b = right;
    return (a->id > b->id) - (a->id < b->id);
}

static int compare_times(const void *left, const void *right) {
    const struct receipt *a = left;
    const struct receipt *b = right;
    return (a->call_us > b->call_us) - (a->call_us < b->call_us);
}

static bool check_event(void *context, const json_t *event, struct failure *failure) {
    (void)failure;
    struct proof *proof = context;
    struct load_result *result = proof->result;
    struct receipt wanted = {.id = json_integer_value(json_object_get(event, "id"))};
    struct receipt *found = bsearch(&wanted, proof->receipts, proof->count, sizeof wanted, compare_ids);
    result->stored++;
    char key[64] = "";
    if (found != NULL) {
        print_key(proof->load, found->thread, found->sequence, key);
    }
    const char *stored_key = json_string_value(json_object_get(event, "key"));
    if (found == NULL || found->found || stored_key == NULL || strcmp(stored_key, key) != 0) {
        result->doubled++;
        return true;
    }
    found->found = true;
    result->disorder += found->sequence <= proof->last_sequence[found->thread];
    proof->last_sequence[found->thread] = found->sequence;
    return true;
}

static void summarize(struct proof *proof) {
    static const double PARTS[] = {0.5, 0.9, 0.99, 0.999, 1};
    for (size_t i = 0; i < proof->count; i++) {
        proof->result->missing += !proof->receipts[i].found;
    }
    qsort(proof->receipts, proof->count, sizeof *proof->receipts, compare_times);
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0] && proof->count > 0; i++) {
        proof->result->call_us[i] = proof->receipts[(size_t)(PARTS[i] * (double)(proof->count - 1))].call_us;
    }
}

static bool prove(struct load *load, struct proof *proof, struct failure *failure) {
    int64_t last_id = proof->count > 0 ? proof->receipts[proof->count - 1].id : load->first_id;
    struct follower_result followed;
    struct follower *follower = load->follower;
    load->follower = NULL; /* it is gone whatever follows */
    if (!follower_finish(follower, last_id, &followed, failure)) {
        return false;
    }
    proof->result->followed = followed.events;
    json_auto_t *filter = json_pack("{s: I, s: [s]}", "after_id", (json_int_t)load->first_id, "types", LOAD_TYPE);
    struct replay_options options = {.filter = filter};
    struct replay_result replayed;
    if (filter == NULL || !replay_each(load->host, &options, check_event, proof, &replayed, failure)) {
        return filter != NULL ? false : failure_set(failure, "no memory to look for the events");
    }
    summarize(proof);
    return true;
}

bool load_finish(struct load *load, struct load_result *ret_result, struct failure *failure) {
    stop(load);
    *ret_result = (struct load_result){.elapsed_us = load->end_us - load->start_us};
    struct proof proof = {.load = load, .result = ret_result};
    for (size_t i = 0; i < load->started; i++) {
        proof.count += load->workers[i].count;
        ret_result->failed_calls += load->workers[i].failed;
    }
    ret_result->acknowledged = proof.count;
    (void)snprintf(ret_result->first_failure, sizeof ret_result->first_failure, "%s",
                   load->failed ? load->first_failure.message : "");
    proof.receipts = calloc(proof.count + 1, sizeof *proof.receipts);
    if (proof.receipts == NULL) {
        return failure_set(failure, "no memory for %zu receipts", proof.count);
    }
    size_t next = 0;
    for (size_t i = 0; i < load->started; i++) {
        const struct worker *worker = &load->workers[i];
        if (worker->count > 0) {
            memcpy(proof.receipts + next, worker->receipts, worker->count * sizeof *worker->receipts);
        }
        next += worker->count;
    }
    qsort(proof.receipts, proof.count, sizeof *proof.receipts, compare_ids);
    bool proved = prove(load, &proof, failure);
    free(proof.receipts);
    return proved;
}

bool load_holds(const struct load_result *result) {
    return result->failed_calls == 0 && result->missing == 0 && result->doubled == 0 && result->disorder == 0 &&
           result->stored == result->acknowledged && result->followed == result->stored && result->stored > 0;
}
