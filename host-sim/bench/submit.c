/* submit.c: one thread that hands in single appends, with 1,024 of them in progress. */
#include <pthread.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "bench/request.h"
#include "bench/workload.h"

enum {
    IN_FLIGHT = 1024,
    REFILL = 128 /* as an event loop does: it hands in more when it comes round, not after each completion */
};

struct flights {
    pthread_mutex_t lock;
    pthread_cond_t landed;
    uint64_t in_flight;
    uint64_t wanted; /* the number in flight that the thread waits for, or less */
    int32_t status;  /* of the first that failed */
    struct histogram *latency;
};

struct flight {
    struct flights *all;
    struct bench_request request;
    int64_t began_ns;
};

static void done(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct flight *flight = context;
    struct flights *all = flight->all;
    (void)ticket;
    (void)reply;
    histogram_record(all->latency, monotonic_ns() - flight->began_ns);
    (void)pthread_mutex_lock(&all->lock);
    all->in_flight--;
    all->status = all->status == POLARIS_ES_OK ? status : all->status;
    if (all->in_flight == all->wanted) {
        (void)pthread_cond_signal(&all->landed);
    }
    (void)pthread_mutex_unlock(&all->lock);
}

/* Waits until no more than that many are in flight. */
static void wait_for(struct flights *all, uint64_t count) {
    (void)pthread_mutex_lock(&all->lock);
    all->wanted = count;
    while (all->in_flight > count) {
        (void)pthread_cond_wait(&all->landed, &all->lock);
    }
    (void)pthread_mutex_unlock(&all->lock);
}

static int32_t launch(struct host *host, struct flight *flight) {
    const polaris_es_completion completion = {.size = sizeof completion, .context = flight, .done = done};
    struct flights *all = flight->all;
    (void)pthread_mutex_lock(&all->lock);
    bool is_full = ++all->in_flight == IN_FLIGHT;
    (void)pthread_mutex_unlock(&all->lock);
    flight->began_ns = monotonic_ns();
    int32_t status = host_submit(host, flight->request.data, flight->request.size, &completion, NULL);
    if (status != POLARIS_ES_OK) {
        (void)pthread_mutex_lock(&all->lock);
        all->in_flight--;
        (void)pthread_mutex_unlock(&all->lock);
        return status;
    }
    if (is_full) {
        wait_for(all, IN_FLIGHT - REFILL);
    }
    return POLARIS_ES_OK;
}

static bool make_flights(struct bench_turn *turn, struct flights *all, struct flight *flights) {
    struct request_events events = {.body = turn->store->body, .count = 1};
    bool made = flights != NULL;
    for (uint64_t i = 0; made && i < turn->operations; i++) {
        flights[i] = (struct flight){.all = all, .request = request_append(turn->store->next_plugin++, &events)};
        made = flights[i].request.data != NULL;
    }
    return made;
}

bool submit_plugin(struct bench_turn *turn, struct failure *failure) {
    struct flights all = {
        .lock = PTHREAD_MUTEX_INITIALIZER, .landed = PTHREAD_COND_INITIALIZER, .latency = turn->latency};
    struct flight *flights = calloc(turn->operations + 1, sizeof *flights);
    bool ok = make_flights(turn, &all, flights) || failure_set(failure, "no memory for the requests");
    int32_t status = POLARIS_ES_OK;
    int64_t began_ns = monotonic_ns();
    for (uint64_t i = 0; ok && status == POLARIS_ES_OK && i < turn->operations; i++) {
        status = launch(turn->store->host, &flights[i]);
    }
    wait_for(&all, 0);
    turn_set_rate(turn, turn->operations, monotonic_ns() - began_ns);
    status = status == POLARIS_ES_OK ? all.status : status;
    for (uint64_t i = 0; flights != NULL && i < turn->operations; i++) {
        request_done(&flights[i].request);
    }
    free(flights);
    return ok && (status == POLARIS_ES_OK || turn_fail(turn, "a submitted append", status, failure));
}
