/* run.h: a whole benchmark: the stores, the workloads on each, validation; and its report.
 *
 * The report is one JSON object, and all else is made of it: the table, the page, the comparison with another run. */
#ifndef POLARIS_BENCH_RUN_H
#define POLARIS_BENCH_RUN_H

#include "bench/series.h"
#include "bench/workload.h"

enum { BENCH_SIZES_MAX = 8, BENCH_BODIES_MAX = 2, BENCH_ONLY_MAX = 64 };

/* "format" of the report: raised when a reader of older ones would misread it. */
enum { BENCH_FORMAT = 1 };

/* A name for --only beside those of the workloads. */
#define BENCH_VALIDATION "validation"

struct bench_options {
    uint32_t runs;
    bool quick;
    uint64_t sizes[BENCH_SIZES_MAX]; /* multiples of PAGE_STORE_SIZE_MIN, ascending */
    uint32_t size_count;
    uint32_t bodies[BENCH_BODIES_MAX];
    uint32_t body_count;
    const char *only[BENCH_ONLY_MAX]; /* names of workloads, and BENCH_VALIDATION; none: all */
    uint32_t only_count;
    void (*progress)(void *context, const char *what); /* told before each part; NULL: not told */
    void *context;
};

/* `*ret_report` is a new reference. */
bool bench_run(const struct bench_setup *setup, const struct bench_options *options, json_t **ret_report,
               struct failure *failure) WARN_UNUSED;

#endif
