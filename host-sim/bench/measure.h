/* measure.h: one workload on one store, all its runs; and what came of it, as JSON. */
#ifndef POLARIS_BENCH_MEASURE_H
#define POLARIS_BENCH_MEASURE_H

#include "bench/series.h"
#include "bench/workload.h"

/* What was measured of one party. */
struct measured {
    struct bench_series figures;
    struct histogram latency; /* of all runs */
    struct vfs_counts counts; /* of all runs */
    uint64_t events;          /* of all runs */
    uint64_t resident_kib;    /* the most */
    json_t *details;          /* of the last run; owned */
};
struct measurement {
    const struct bench_workload *workload;
    uint64_t size;
    uint32_t body;
    uint64_t operations;
    struct measured plugin, reference;
    struct bench_series ratio; /* plugin to reference, run by run */
    bool unsupported;
    char reason[256];
};

/* Takes the turns. Plugin and reference go by turns, and the order changes with each run, so that what else the machine
 * does hits both. False: a turn failed for another reason than that the plugin cannot do it. */
bool measure(struct bench_store *store, const struct bench_workload *workload, uint32_t runs, bool quick,
             struct measurement *ret_measurement, struct failure *failure) WARN_UNUSED;
void measurement_done(struct measurement *measurement);

/* One entry of "workloads". A new reference; NULL: no memory. */
json_t *measurement_json(const struct measurement *measurement);

#endif
