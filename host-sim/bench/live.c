/* live.c: from replay to live: how long after it was given to the store an event is with a reader that follows. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench/clock.h"
#include "bench/request.h"
#include "bench/workload.h"

enum {
    REPLAYED = 5000, /* events that the follower has to catch up on first */
    PAGE = 500,
    WAIT_US = 200000
};

struct follower {
    struct host *host;
    uint64_t after, last;      /* it reads what comes after, up to the last */
    uint64_t first_live;       /* the first event whose time counts */
    _Atomic int64_t *given_ns; /* by event, from first_live on */
    struct histogram *latency;
    atomic_bool is_live; /* it has seen all that there was before */
    atomic_bool stopping;
    int32_t status;
};

static void *follow(void *argument) {
    struct follower *follower = argument;
    struct reply reply = {0};
    while (follower->after < follower->last && follower->status == POLARIS_ES_OK && !atomic_load(&follower->stopping)) {
        struct bench_request request = request_after(follower->after, NULL, PAGE, WAIT_US);
        uint64_t count = 0;
        follower->status = request.data == NULL
                               ? POLARIS_ES_NO_MEMORY
                               : host_call(follower->host, HOST_QUERY, request.data, request.size, &reply);
        int64_t now_ns = monotonic_ns();
        request_done(&request);
        if (follower->status == POLARIS_ES_OK && !reply_number(&reply, "count", &count)) {
            follower->status = POLARIS_ES_INTERNAL;
        }
        for (uint64_t id = follower->after + 1; id <= follower->after + count; id++) { /* ids have no gaps here */
            if (id >= follower->first_live) {
                histogram_record(follower->latency,
                                 now_ns - atomic_load(&follower->given_ns[id - follower->first_live]));
            }
        }
        follower->after += count;
        atomic_store(&follower->is_live, follower->after + 1 >= follower->first_live);
    }
    atomic_store(&follower->is_live, true);
    reply_done(&reply);
    return NULL;
}

static int32_t append_one_by_one(struct bench_turn *turn, struct follower *follower) {
    struct request_events events = {.body = turn->store->body, .count = 1};
    struct reply reply = {0};
    int32_t status = POLARIS_ES_OK;
    for (uint64_t i = 0; i < turn->operations && status == POLARIS_ES_OK; i++) {
        struct bench_request request = request_append(turn->store->next_plugin++, &events);
        atomic_store(&follower->given_ns[i], monotonic_ns());
        status = request.data == NULL ? POLARIS_ES_NO_MEMORY
                                      : host_call(turn->store->host, HOST_STORE, request.data, request.size, &reply);
        request_done(&request);
    }
    reply_done(&reply);
    return status;
}

bool live_plugin(struct bench_turn *turn, struct failure *failure) {
    uint64_t first = turn->store->next_plugin;
    struct follower follower = {
        .host = turn->store->host,
        .after = first - 1 - REPLAYED,
        .last = first - 1 + turn->operations,
        .first_live = first,
        .given_ns = calloc(turn->operations + 1, sizeof(_Atomic int64_t)),
        .latency = calloc(1, sizeof(struct histogram)),
    };
    pthread_t thread;
    bool ok = (follower.given_ns != NULL && follower.latency != NULL) ||
              failure_set(failure, "no memory for the times of events");
    ok = ok && (pthread_create(&thread, NULL, follow, &follower) == 0 ||
                failure_set(failure, "the system gives no more threads"));
    if (ok) {
        while (!atomic_load(&follower.is_live)) {
            bench_sleep_ns(200000);
        }
        int32_t status = append_one_by_one(turn, &follower);
        atomic_store(&follower.stopping, status != POLARIS_ES_OK);
        (void)pthread_join(thread, NULL);
        status = status != POLARIS_ES_OK ? status : follower.status;
        ok = status == POLARIS_ES_OK || turn_fail(turn, "following", status, failure);
    }
    if (ok) {
        turn->events = turn->operations;
        turn->figure = (double)histogram_quantile(follower.latency, 0.5) / 1000;
        histogram_add(turn->latency, follower.latency);
    }
    free(follower.given_ns);
    free(follower.latency);
    return ok;
}
