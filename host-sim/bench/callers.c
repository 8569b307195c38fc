/* callers.c: calling from many threads. */
#include "bench/callers.h"

#include <pthread.h>
#include <stdlib.h>

#include "bench/clock.h"

struct callers callers_make(struct host *host, uint32_t count, uint64_t per_caller, struct histogram *latency) {
    return (struct callers){
        .host = host,
        .verb = HOST_STORE,
        .count = count,
        .per_caller = per_caller,
        .latency = latency,
        .requests = calloc(count * per_caller + 1, sizeof(struct bench_request)),
    };
}

void callers_done(struct callers *callers) {
    for (uint64_t i = 0; callers->requests != NULL && i < callers->count * callers->per_caller; i++) {
        request_done(&callers->requests[i]);
    }
    free(callers->requests);
}

/* Holds the threads back until the last one is there: the first would be done by then. */
struct start {
    pthread_mutex_t lock;
    pthread_cond_t told;
    enum { WAIT, GO, GIVE_UP } word;
};

static bool wait_for_start(struct start *start) {
    (void)pthread_mutex_lock(&start->lock);
    while (start->word == WAIT) {
        (void)pthread_cond_wait(&start->told, &start->lock);
    }
    bool go = start->word == GO;
    (void)pthread_mutex_unlock(&start->lock);
    return go;
}

static void tell(struct start *start, bool go) {
    (void)pthread_mutex_lock(&start->lock);
    start->word = go ? GO : GIVE_UP;
    (void)pthread_cond_broadcast(&start->told);
    (void)pthread_mutex_unlock(&start->lock);
}

struct caller {
    const struct callers *all;
    const struct bench_request *requests;
    struct start *start; /* NULL: it need not wait for others */
    pthread_t thread;
    int32_t status;
};

static void *call_all(void *argument) {
    struct caller *caller = argument;
    const struct callers *all = caller->all;
    struct reply reply = {0};
    if (caller->start != NULL && !wait_for_start(caller->start)) {
        return NULL;
    }
    for (uint64_t i = 0; i < all->per_caller && caller->status == POLARIS_ES_OK; i++) {
        int64_t began_ns = monotonic_ns();
        caller->status = host_call(all->host, all->verb, caller->requests[i].data, caller->requests[i].size, &reply);
        histogram_record(all->latency, monotonic_ns() - began_ns);
    }
    reply_done(&reply);
    return NULL;
}

static bool run_threads(struct caller *callers, uint32_t count, int64_t *ret_began_ns, struct failure *failure) {
    struct start start = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};
    uint32_t started = 0;
    for (; started < count; started++) {
        callers[started].start = &start;
        if (pthread_create(&callers[started].thread, NULL, call_all, &callers[started]) != 0) {
            break;
        }
    }
    *ret_began_ns = monotonic_ns();
    tell(&start, started == count);
    for (uint32_t i = 0; i < started; i++) {
        (void)pthread_join(callers[i].thread, NULL);
    }
    (void)pthread_cond_destroy(&start.told);
    (void)pthread_mutex_destroy(&start.lock);
    return started == count || failure_set(failure, "the system gives %u threads, %u are needed", started, count);
}

bool callers_run(const struct callers *callers, int64_t *ret_elapsed_ns, int32_t *ret_status, struct failure *failure) {
    struct caller each[CALLERS_MAX];
    for (uint32_t i = 0; i < callers->count; i++) {
        each[i] = (struct caller){.all = callers, .requests = callers->requests + i * callers->per_caller};
    }
    int64_t began_ns = monotonic_ns();
    if (callers->count == 1) {
        (void)call_all(&each[0]);
    } else if (!run_threads(each, callers->count, &began_ns, failure)) {
        return false;
    }
    *ret_elapsed_ns = monotonic_ns() - began_ns;
    *ret_status = POLARIS_ES_OK;
    for (uint32_t i = 0; i < callers->count && *ret_status == POLARIS_ES_OK; i++) {
        *ret_status = each[i].status;
    }
    return true;
}
