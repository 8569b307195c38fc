/* bench.h: how fast the plugin appends, through the real shared object, beside the baseline in the same run. */
#ifndef POLARIS_HOST_BENCH_H
#define POLARIS_HOST_BENCH_H

#include <stdint.h>

#include "bench/baseline.h"
#include "host/host.h"

enum { BENCH_RUNS_MAX = 99, BENCH_THREADS_MAX = 256 };

/* One way of appending. */
struct bench_workload {
    const char *name;
    uint32_t per_request; /* events in one request, and in one commit of the baseline */
    uint32_t threads;
    uint64_t events; /* of one run */
};

/* What was measured, run by run: events per second, or what else is said where it is kept. */
struct bench_series {
    uint32_t count;
    double figures[BENCH_RUNS_MAX];
};
void bench_note(struct bench_series *series, double figure); /* no more than BENCH_RUNS_MAX are kept */
double bench_median(const struct bench_series *series);
/* Half of the distance between the quartiles, as a part of the median: how much runs differ. */
double bench_spread(const struct bench_series *series);

/* One run of the workload through the plugin, or over the baseline; `first` is the number of its first event. The rate
 * is appended to the series. */
bool bench_plugin(struct host *host, const struct bench_workload *workload, uint64_t first, struct bench_series *series,
                  struct failure *failure) WARN_UNUSED;
bool bench_baseline(struct baseline *baseline, const struct bench_workload *workload, uint64_t first,
                    struct bench_series *series, struct failure *failure) WARN_UNUSED;

#endif
