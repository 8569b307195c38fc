/* measure.c: turns, and their figures. */
#include "bench/measure.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/probe.h"

/* ---- turns ---- */

static void note(struct measured *party, const struct bench_turn *turn, const struct vfs_counts *counts) {
    uint64_t resident_kib = turn->resident_kib > 0 ? turn->resident_kib : probe_resident_kib();
    bench_note(&party->figures, turn->figure);
    vfs_counts_add(&party->counts, counts);
    party->events += turn->events;
    party->resident_kib = resident_kib > party->resident_kib ? resident_kib : party->resident_kib;
    if (turn->details != NULL) {
        json_decref(party->details);
        party->details = turn->details;
    }
}

/* `party` NULL: to warm up, nothing is kept. */
static bool take_turn(struct measurement *measurement, struct bench_store *store, bool is_plugin, bool quick,
                      struct measured *party, struct failure *failure) {
    const struct bench_workload *workload = measurement->workload;
    struct histogram *ignored = party == NULL ? calloc(1, sizeof *ignored) : NULL;
    struct bench_turn turn = {
        .store = store,
        .workload = workload,
        .operations = party == NULL ? workload->operations_quick : measurement->operations,
        .quick = quick,
        .latency = party != NULL ? &party->latency : ignored,
    };
    if (turn.latency == NULL) {
        return failure_set(failure, "no memory to warm up");
    }
    /* A reference may be the plugin too: then its files are the plugin's. */
    enum vfs_owner owner = is_plugin || workload->reference_name != NULL ? VFS_PLUGIN : VFS_BASELINE;
    struct vfs_counts before = counting_vfs_read(owner);
    bool done = (is_plugin ? workload->plugin : workload->reference)(&turn, failure);
    struct vfs_counts after = counting_vfs_read(owner);
    struct vfs_counts counts = vfs_counts_between(&before, &after);
    if (done && party != NULL) {
        note(party, &turn, &counts);
    } else {
        json_decref(turn.details);
    }
    measurement->unsupported = measurement->unsupported || turn.unsupported;
    free(ignored);
    return done;
}

static bool take_turns(struct measurement *measurement, struct bench_store *store, uint32_t runs, bool quick,
                       struct failure *failure) {
    const struct bench_workload *workload = measurement->workload;
    bool has_reference = workload->reference != NULL;
    bool ok = workload->prepare == NULL || workload->prepare(store, failure);
    if (!workload->cold) {
        ok = ok && take_turn(measurement, store, true, quick, NULL, failure) &&
             (!has_reference || take_turn(measurement, store, false, quick, NULL, failure));
    }
    for (uint32_t run = 0; ok && run < runs; run++) {
        for (uint32_t i = 0; ok && i < 2; i++) {
            bool is_plugin = i == run % 2;
            if (is_plugin || has_reference) {
                ok = take_turn(measurement, store, is_plugin, quick,
                               is_plugin ? &measurement->plugin : &measurement->reference, failure);
            }
        }
        if (ok && has_reference) {
            double reference = measurement->reference.figures.figures[run];
            bench_note(&measurement->ratio, reference > 0 ? measurement->plugin.figures.figures[run] / reference : 0);
        }
    }
    return ok;
}

bool measure(struct bench_store *store, const struct bench_workload *workload, uint32_t runs, bool quick,
             struct measurement *ret_measurement, struct failure *failure) {
    ret_measurement->workload = workload;
    ret_measurement->size = store->size;
    ret_measurement->body = store->body;
    ret_measurement->operations = quick ? workload->operations_quick : workload->operations;
    bool ok = take_turns(ret_measurement, store, runs, quick, failure);
    if (!ok && ret_measurement->unsupported) {
        (void)snprintf(ret_measurement->reason, sizeof ret_measurement->reason, "%.255s", failure->message);
        return true;
    }
    return ok;
}

void measurement_done(struct measurement *measurement) {
    json_decref(measurement->plugin.details);
    json_decref(measurement->reference.details);
    measurement->plugin.details = NULL;
    measurement->reference.details = NULL;
}

/* ---- JSON ---- */

static double us(int64_t ns) {
    return (double)ns / 1000;
}

/* [[part, microseconds], ...], ever closer to 1. */
static json_t *curve_json(const struct histogram *latency) {
    static const double PARTS[] = {0,    0.1,   0.25,  0.5,   0.75,   0.9,    0.95,   0.98,
                                   0.99, 0.995, 0.998, 0.999, 0.9995, 0.9998, 0.9999, 1};
    json_auto_t *curve = json_array();
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        json_t *point = json_pack("[f, f]", PARTS[i], us(histogram_quantile(latency, PARTS[i])));
        if (json_array_append_new(curve, point) != 0) {
            return NULL;
        }
    }
    return json_incref(curve);
}

/* null: no latencies were taken. */
static json_t *latency_json(const struct histogram *latency) {
    uint64_t count = histogram_count(latency);
    if (count == 0) {
        return json_null();
    }
    return json_pack("{s: I, s: f, s: f, s: f, s: f, s: o}", "count", (json_int_t)count, "p50",
                     us(histogram_quantile(latency, 0.5)), "p99", us(histogram_quantile(latency, 0.99)), "p999",
                     us(histogram_quantile(latency, 0.999)), "max", us(histogram_max(latency)), "curve",
                     curve_json(latency));
}

static json_t *runs_json(const struct bench_series *series) {
    json_auto_t *runs = json_array();
    for (uint32_t i = 0; i < series->count; i++) {
        if (json_array_append_new(runs, json_real(series->figures[i])) != 0) {
            return NULL;
        }
    }
    return json_incref(runs);
}

static json_t *measured_json(const char *name, const struct measured *party) {
    const struct vfs_counts *counts = &party->counts;
    json_auto_t *per_commit =
        counts->commits > 0 ? json_real((double)party->events / (double)counts->commits) : json_null();
    return json_pack("{s: s, s: f, s: f, s: o, s: o, s: I, s: I, s: I, s: I, s: I, s: O, s: f, s: O}", "name", name,
                     "median", bench_median(&party->figures), "spread", bench_spread(&party->figures), "runs",
                     runs_json(&party->figures), "latency_us", latency_json(&party->latency), "events",
                     (json_int_t)party->events, "commits", (json_int_t)counts->commits, "fsyncs",
                     (json_int_t)(counts->log_syncs + counts->file_syncs), "checkpoints",
                     (json_int_t)counts->checkpoints, "written_bytes", (json_int_t)counts->written, "events_per_commit",
                     per_commit, "resident_mib", (double)party->resident_kib / 1024, "details",
                     party->details != NULL ? party->details : json_null());
}

json_t *measurement_json(const struct measurement *measurement) {
    const struct bench_workload *workload = measurement->workload;
    bool measured = !measurement->unsupported;
    bool compared = measured && workload->reference != NULL;
    const char *reference_name = workload->reference_name != NULL ? workload->reference_name : "bare SQLite";
    json_t *none = json_null();
    return json_pack("{s: s, s: s, s: s, s: b, s: I, s: i, s: I, s: b, s: s, s: o, s: o, s: o, s: o}", "name",
                     workload->name, "title", workload->title, "unit", workload->unit, "lower_is_better",
                     workload->lower_is_better, "size", (json_int_t)measurement->size, "body", (int)measurement->body,
                     "operations", (json_int_t)measurement->operations, "unsupported", measurement->unsupported,
                     "reason", measurement->reason, "plugin",
                     measured ? measured_json("plugin", &measurement->plugin) : none, "reference",
                     compared ? measured_json(reference_name, &measurement->reference) : none, "ratio",
                     compared ? json_real(bench_median(&measurement->ratio)) : none, "ratio_spread",
                     compared ? json_real(bench_spread(&measurement->ratio)) : none);
}
