/* series.h: a figure that was measured several times: its median, and how much the runs differ. */
#ifndef POLARIS_BENCH_SERIES_H
#define POLARIS_BENCH_SERIES_H

#include <stdint.h>

enum { BENCH_RUNS_MAX = 99 };

/* What was measured, run by run. */
struct bench_series {
    uint32_t count;
    double figures[BENCH_RUNS_MAX];
};
void bench_note(struct bench_series *series, double figure); /* no more than BENCH_RUNS_MAX are kept */
double bench_median(const struct bench_series *series);
double bench_smallest(const struct bench_series *series);
/* Half of the distance between the quartiles, as a part of the median: how much runs differ. */
double bench_spread(const struct bench_series *series);

#endif
