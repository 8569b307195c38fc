/* swap.c: swapping builds while 64 threads append, and the time line of it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "bench/callers.h"
#include "bench/clock.h"
#include "bench/workload.h"

enum { REQUESTS = 32, CALLS_KEPT = 512, MOMENTS_MAX = 1000 };

static const int64_t MOMENT_NS = 10000000;
static const int64_t BETWEEN_NS = 200000000; /* from one swap to the next */
static const int64_t BETWEEN_QUICK_NS = 30000000;

/* What happened in one hundredth of a second. */
struct moment {
    _Atomic uint64_t events;
    _Atomic int64_t longest_ns; /* of the calls that ended in it */
};

struct call {
    int64_t began_ns, ended_ns;
};

struct swapping {
    struct bench_turn *turn;
    int64_t began_ns;
    struct moment *moments; /* MOMENTS_MAX */
    atomic_uint phase;      /* odd: a swap is going on */
    atomic_bool stopping;
};

struct swap_caller {
    struct swapping *all;
    struct bench_request *requests; /* REQUESTS */
    struct call *calls;             /* CALLS_KEPT: those that ran while a swap went on */
    uint32_t call_count;
    uint64_t events;
    int32_t status;
    pthread_t thread;
};

static void note_moment(struct swapping *all, const struct call *call) {
    int64_t place = (call->ended_ns - all->began_ns) / MOMENT_NS;
    struct moment *moment = &all->moments[place < MOMENTS_MAX ? place : MOMENTS_MAX - 1];
    int64_t took_ns = call->ended_ns - call->began_ns;
    int64_t longest_ns = atomic_load(&moment->longest_ns);
    atomic_fetch_add(&moment->events, 1);
    while (took_ns > longest_ns && !atomic_compare_exchange_weak(&moment->longest_ns, &longest_ns, took_ns)) {
    }
}

static void *append_on(void *argument) {
    struct swap_caller *caller = argument;
    struct swapping *all = caller->all;
    struct reply reply = {0};
    while (caller->status == POLARIS_ES_OK && !atomic_load(&all->stopping)) {
        const struct bench_request *request = &caller->requests[caller->events++ % REQUESTS];
        unsigned before = atomic_load(&all->phase);
        struct call call = {.began_ns = monotonic_ns()};
        caller->status = host_call(all->turn->store->host, HOST_STORE, request->data, request->size, &reply);
        call.ended_ns = monotonic_ns();
        unsigned after = atomic_load(&all->phase);
        note_moment(all, &call);
        if ((before != after || before % 2 == 1) && caller->call_count < CALLS_KEPT) {
            caller->calls[caller->call_count++] = call;
        }
    }
    reply_done(&reply);
    return NULL;
}

/* From when to when the gate was closed, for each swap. */
enum { SWAPS_MAX = 16 };
struct windows {
    uint32_t count;
    struct call each[SWAPS_MAX];
};

static bool swap_again_and_again(struct swapping *all, struct windows *windows, struct failure *failure) {
    const struct bench_setup *setup = all->turn->store->setup;
    int64_t between_ns = all->turn->quick ? BETWEEN_QUICK_NS : BETWEEN_NS;
    for (uint64_t i = 0; i < all->turn->operations && i < SWAPS_MAX; i++) {
        struct swap_report report = {0};
        bench_sleep_ns(between_ns);
        (void)atomic_fetch_add(&all->phase, 1);
        int64_t began_ns = monotonic_ns();
        bool swapped = host_swap(all->turn->store->host, setup->host.plugin_path, &report, failure);
        (void)atomic_fetch_add(&all->phase, 1);
        if (!swapped) {
            return false;
        }
        int64_t closed_ns = began_ns + report.load_us * 1000;
        windows->each[windows->count++] = (struct call){closed_ns, closed_ns + report.pause_us * 1000};
    }
    bench_sleep_ns(between_ns);
    return true;
}

/* ---- callers ---- */

static bool make_caller(struct swap_caller *caller, struct swapping *all, struct failure *failure) {
    struct request_events events = {.body = all->turn->store->body, .count = 1};
    *caller = (struct swap_caller){
        .all = all,
        .requests = calloc(REQUESTS, sizeof(struct bench_request)),
        .calls = calloc(CALLS_KEPT, sizeof(struct call)),
    };
    bool made = caller->requests != NULL && caller->calls != NULL;
    for (int i = 0; made && i < REQUESTS; i++) {
        caller->requests[i] = request_append(all->turn->store->next_plugin++, &events);
        made = caller->requests[i].data != NULL;
    }
    return made || failure_set(failure, "no memory for the requests");
}

static void free_caller(struct swap_caller *caller) {
    for (int i = 0; caller->requests != NULL && i < REQUESTS; i++) {
        request_done(&caller->requests[i]);
    }
    free(caller->requests);
    free(caller->calls);
}

/* A call counts if it ran at any time while the gate was closed. */
static void note_pauses(const struct swap_caller *caller, const struct windows *windows, struct histogram *latency) {
    for (uint32_t i = 0; i < caller->call_count; i++) {
        const struct call *call = &caller->calls[i];
        for (uint32_t k = 0; k < windows->count; k++) {
            if (call->began_ns < windows->each[k].ended_ns && call->ended_ns > windows->each[k].began_ns) {
                histogram_record(latency, call->ended_ns - call->began_ns);
                break;
            }
        }
    }
}

/* ---- the time line ---- */

static double ms_since(const struct swapping *all, int64_t ns) {
    return (double)(ns - all->began_ns) / 1e6;
}

static json_t *time_line_json(const struct swapping *all, const struct windows *windows, int64_t ended_ns) {
    int64_t checkpoints_ns[VFS_MARKS_MAX];
    uint32_t checkpoints = counting_vfs_checkpoints(all->began_ns, checkpoints_ns);
    json_t *events = json_array();
    json_t *longest = json_array();
    json_t *swaps = json_array();
    json_t *pauses = json_array();
    json_t *marks = json_array();
    for (int64_t i = 0; i < (ended_ns - all->began_ns) / MOMENT_NS && i < MOMENTS_MAX; i++) {
        (void)json_array_append_new(events, json_integer((json_int_t)all->moments[i].events));
        (void)json_array_append_new(longest, json_real((double)all->moments[i].longest_ns / 1e6));
    }
    for (uint32_t i = 0; i < windows->count; i++) {
        const struct call *each = &windows->each[i];
        (void)json_array_append_new(swaps, json_real(ms_since(all, each->began_ns)));
        (void)json_array_append_new(pauses, json_real((double)(each->ended_ns - each->began_ns) / 1e6));
    }
    for (uint32_t i = 0; i < checkpoints; i++) {
        (void)json_array_append_new(marks, json_real(ms_since(all, checkpoints_ns[i])));
    }
    return json_pack("{s: f, s: o, s: o, s: o, s: o, s: o}", "moment_ms", (double)MOMENT_NS / 1e6, "events", events,
                     "longest_ms", longest, "swaps_ms", swaps, "pauses_ms", pauses, "checkpoints_ms", marks);
}

/* ---- the turn ---- */

static bool swap_under_load(struct swapping *all, struct swap_caller *callers, uint32_t count,
                            struct failure *failure) {
    struct bench_turn *turn = all->turn;
    struct windows windows = {0};
    struct histogram *latency = calloc(1, sizeof *latency);
    uint32_t started = 0;
    bool ok = latency != NULL || failure_set(failure, "no memory for the pauses");
    all->began_ns = monotonic_ns();
    for (; ok && started < count; started += ok) {
        ok = pthread_create(&callers[started].thread, NULL, append_on, &callers[started]) == 0 ||
             failure_set(failure, "the system gives no more threads");
    }
    ok = ok && swap_again_and_again(all, &windows, failure);
    int64_t ended_ns = monotonic_ns();
    atomic_store(&all->stopping, true);
    for (uint32_t i = 0; i < started; i++) {
        (void)pthread_join(callers[i].thread, NULL);
        turn->events += callers[i].events;
        ok = ok && (callers[i].status == POLARIS_ES_OK || turn_fail(turn, "an append", callers[i].status, failure));
        if (latency != NULL) {
            note_pauses(&callers[i], &windows, latency);
        }
    }
    if (ok) {
        turn->figure = (double)histogram_quantile(latency, 0.99) / 1e6;
        turn->details = time_line_json(all, &windows, ended_ns);
        histogram_add(turn->latency, latency);
    }
    free(latency);
    return ok;
}

bool swap_plugin(struct bench_turn *turn, struct failure *failure) {
    struct swap_caller callers[CALLERS_MAX];
    struct swapping all = {.turn = turn, .moments = calloc(MOMENTS_MAX, sizeof(struct moment))};
    uint32_t made = 0;
    bool ok = all.moments != NULL || failure_set(failure, "no memory for the time line");
    for (; ok && made < turn->workload->threads; made++) {
        ok = make_caller(&callers[made], &all, failure);
    }
    ok = ok && swap_under_load(&all, callers, made, failure);
    for (uint32_t i = 0; i < made; i++) {
        free_caller(&callers[i]);
    }
    free(all.moments);
    return ok;
}
