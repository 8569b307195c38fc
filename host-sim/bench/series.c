/* series.c: medians and spreads. */
#include "bench/series.h"

#include <stdlib.h>
#include <string.h>

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

double bench_smallest(const struct bench_series *series) {
    return quantile(series, 0);
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
