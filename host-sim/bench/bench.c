/* bench.c: running workloads and taking the time. */
#include "bench/bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/workload.h"
#include "owned.h"

static int64_t monotonic_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* ---- statistics ---- */

static int by_value(const void *a, const void *b) {
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The value below which a part of the runs lies, between two of them if need be. */
static double quantile(const struct bench_series *series, double part) {
    double sorted[BENCH_RUNS_MAX];
    if (series->count == 0) {
        return 0;
    }
    memcpy(sorted, series->figures, series->count * sizeof sorted[0]);
    qsort(sorted, series->count, sizeof sorted[0], by_value);
    double place = part * (series->count - 1);
    uint32_t below = (uint32_t)place;
    uint32_t above = below + 1 < series->count ? below + 1 : below;
    return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

double bench_median(const struct bench_series *series) {
    return quantile(series, 0.5);
}

double bench_spread(const struct bench_series *series) {
    double median = bench_median(series);
    return median > 0 ? (quantile(series, 0.75) - quantile(series, 0.25)) / 2 / median : 0;
}

void bench_note(struct bench_series *series, double figure) {
    if (series->count < BENCH_RUNS_MAX) {
        series->figures[series->count++] = figure;
    }
}

static void note_rate(struct bench_series *series, uint64_t events, int64_t elapsed_us) {
    bench_note(series, (double)events * 1e6 / (double)(elapsed_us > 0 ? elapsed_us : 1));
}

/* ---- the plugin ---- */

/* One caller's requests, made before the clock starts: a host has its messages anyway. */
struct caller {
    struct host *host;
    struct workload_request *requests;
    uint64_t count;
    int32_t status; /* of the first call that failed */
};

static void *call_all(void *argument) {
    struct caller *caller = argument;
    struct reply reply = {0};
    for (uint64_t i = 0; i < caller->count && caller->status == POLARIS_ES_OK; i++) {
        caller->status =
            host_call(caller->host, HOST_STORE, caller->requests[i].data, caller->requests[i].size, &reply);
    }
    reply_done(&reply);
    return NULL;
}

static bool run_callers(struct caller *callers, uint32_t count, int64_t *ret_elapsed_us, struct failure *failure) {
    pthread_t threads[BENCH_THREADS_MAX];
    uint32_t started = 0;
    int64_t began_us = monotonic_us();
    if (count == 1) {
        (void)call_all(&callers[0]);
    }
    while (count > 1 && started < count && pthread_create(&threads[started], NULL, call_all, &callers[started]) == 0) {
        started++;
    }
    for (uint32_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    *ret_elapsed_us = monotonic_us() - began_us;
    if (count > 1 && started < count) {
        return failure_set(failure, "the system gives %u threads, %u are needed", started, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (callers[i].status != POLARIS_ES_OK) {
            return failure_set(failure, "an append failed with status %d", (int)callers[i].status);
        }
    }
    return true;
}

static void free_requests(struct workload_request *requests, uint64_t count) {
    for (uint64_t i = 0; requests != NULL && i < count; i++) {
        workload_request_done(&requests[i]);
    }
    free(requests);
}

bool bench_plugin(struct host *host, const struct bench_workload *workload, uint64_t first, struct bench_series *series,
                  struct failure *failure) {
    uint64_t per_caller = workload->events / workload->per_request / workload->threads;
    uint64_t total = per_caller * workload->threads;
    struct workload_request *requests = calloc(total > 0 ? total : 1, sizeof *requests);
    bool ok = requests != NULL && workload->threads <= BENCH_THREADS_MAX;
    for (uint64_t i = 0; ok && i < total; i++) {
        requests[i] = workload_request(first + i * workload->per_request, workload->per_request);
        ok = requests[i].data != NULL;
    }
    if (!ok) {
        free_requests(requests, total);
        return failure_set(failure, "no memory for the requests");
    }
    struct caller callers[BENCH_THREADS_MAX];
    for (uint32_t i = 0; i < workload->threads; i++) {
        callers[i] = (struct caller){.host = host, .requests = requests + i * per_caller, .count = per_caller};
    }
    int64_t elapsed_us = 0;
    ok = run_callers(callers, workload->threads, &elapsed_us, failure);
    free_requests(requests, total);
    if (ok) {
        note_rate(series, total * workload->per_request, elapsed_us);
    }
    return ok;
}

/* ---- the baseline ---- */

bool bench_baseline(struct baseline *baseline, const struct bench_workload *workload, uint64_t first,
                    struct bench_series *series, struct failure *failure) {
    int64_t began_us = monotonic_us();
    if (!baseline_append(baseline, first, workload->events, workload->per_request, failure)) {
        return false;
    }
    note_rate(series, workload->events, monotonic_us() - began_us);
    return true;
}
