/* run.c: going through sizes, bodies and workloads. */
#include "bench/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "bench/probe.h"
#include "bench/targets.h"
#include "bench/validation.h"
#include "owned.h"

/* Payloads of one run of each validation, in bytes. */
static const uint64_t VALIDATION_BYTES = 20000000;
static const uint64_t VALIDATION_BYTES_QUICK = 1000000;

/* Larger stores are not copied anew for each workload that writes: what it adds is little to them. */
enum { COPY_SIZE_MAX = 1000000 };

/* A run in progress. */
struct run {
    const struct bench_setup *setup;
    const struct bench_options *options;
    struct bench_seed seed;
    bool is_first;                           /* of the stores: what is measured once is measured now */
    bool is_fresh;                           /* the copies are as the seed */
    json_t *stores, *workloads, *validation; /* owned by the report */
};

static bool is_wanted(const struct bench_options *options, const char *name) {
    for (uint32_t i = 0; i < options->only_count; i++) {
        if (strcmp(options->only[i], name) == 0) {
            return true;
        }
    }
    return options->only_count == 0;
}

static void tell(const struct run *run, const char *what) {
    char text[200];
    if (run->options->progress != NULL) {
        (void)snprintf(text, sizeof text, "%" PRIu64 " events of %" PRIu32 " bytes: %s", run->seed.size, run->seed.body,
                       what);
        run->options->progress(run->options->context, text);
    }
}

/* ---- workloads ---- */

static bool measure_opened(struct run *run, const struct bench_workload *workload, struct bench_store *store,
                           struct failure *failure) {
    CLEANUP(freep) struct measurement *measurement = calloc(1, sizeof *measurement);
    if (measurement == NULL) {
        return failure_set(failure, "no memory for the figures of %s", workload->name);
    }
    bool ok = measure(store, workload, run->options->runs, run->options->quick, measurement, failure);
    if (ok && json_array_append_new(run->workloads, measurement_json(measurement)) != 0) {
        ok = failure_set(failure, "no memory for the report");
    }
    measurement_done(measurement);
    return ok;
}

static bool run_workload(struct run *run, const struct bench_workload *workload, struct failure *failure) {
    tell(run, workload->title);
    if (!run->is_fresh && (run->seed.size <= COPY_SIZE_MAX) && !bench_store_copy(run->setup, failure)) {
        return false;
    }
    struct bench_store store;
    if (!bench_store_open(run->setup, &run->seed, &store, failure)) {
        return false;
    }
    bool ok = measure_opened(run, workload, &store, failure);
    bench_store_close(&store);
    run->is_fresh = !workload->writes;
    if (!ok) {
        struct failure first = *failure;
        (void)failure_set(failure, "%s: %.900s", workload->name, first.message);
    }
    return ok;
}

static bool run_store(struct run *run, uint64_t size, uint32_t body, struct failure *failure) {
    run->seed = (struct bench_seed){.size = size, .body = body};
    tell(run, "filling the store");
    if (!bench_seed_make(run->setup, size, body, &run->seed, failure) || !bench_store_copy(run->setup, failure)) {
        return false;
    }
    run->is_fresh = true;
    const struct bench_seed *seed = &run->seed;
    json_t *entry = json_pack("{s: I, s: i, s: I, s: f, s: f, s: f}", "size", (json_int_t)seed->size, "body",
                              (int)seed->body, "file_bytes", (json_int_t)seed->bytes, "data_bytes_per_event",
                              seed->data_bytes, "disk_bytes_per_event", (double)seed->bytes / (double)seed->size,
                              "fill_events_per_s", (double)seed->size * 1e9 / (double)seed->build_ns);
    if (json_array_append_new(run->stores, entry) != 0) {
        return failure_set(failure, "no memory for the report");
    }
    for (size_t i = 0; i < BENCH_WORKLOAD_COUNT; i++) {
        const struct bench_workload *workload = &BENCH_WORKLOADS[i];
        if (is_wanted(run->options, workload->name) && (run->is_first || !workload->once) &&
            !run_workload(run, workload, failure)) {
            return false;
        }
    }
    run->is_first = false;
    return true;
}

static bool any_workload_wanted(const struct bench_options *options) {
    for (size_t i = 0; i < BENCH_WORKLOAD_COUNT; i++) {
        if (is_wanted(options, BENCH_WORKLOADS[i].name)) {
            return true;
        }
    }
    return false;
}

/* The largest store first, as it is the one for what is measured once. */
static bool run_stores(struct run *run, struct failure *failure) {
    const struct bench_options *options = run->options;
    run->is_first = true;
    for (uint32_t body = 0; body < options->body_count; body++) {
        for (uint32_t i = options->size_count; i > 0; i--) {
            if (!run_store(run, options->sizes[i - 1], options->bodies[body], failure)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- validation ---- */

/* Bytes in a nanosecond are thousands of megabytes in a second. */
static double tape_mb_s(const struct validation_figures *figures) {
    double ns = bench_median(&figures->tape_ns);
    return ns > 0 ? 1000 * (double)figures->size / ns : 0;
}

static json_t *validation_json(const struct validation_case *which, const struct validation_figures *figures) {
    return json_pack("{s: s, s: I, s: f, s: f, s: f, s: f, s: f, s: f, s: f, s: f}", "payload", which->name, "bytes",
                     (json_int_t)figures->size, "tape_ns", bench_median(&figures->tape_ns), "tape_mb_s",
                     tape_mb_s(figures), "evaluate_ns", bench_median(&figures->evaluate_ns), "both_ns",
                     bench_median(&figures->both_ns), "msgpack_c_ns", bench_median(&figures->unpack_ns), "ratio",
                     bench_median(&figures->ratio), "spread", bench_spread(&figures->ratio), "both_spread",
                     bench_spread(&figures->both_ns));
}

static bool run_validation(struct run *run, struct failure *failure) {
    static struct validation_figures figures[VALIDATION_CASE_COUNT];
    uint64_t bytes = run->options->quick ? VALIDATION_BYTES_QUICK : VALIDATION_BYTES;
    struct host *host = NULL;
    memset(figures, 0, sizeof figures);
    if (run->options->progress != NULL) {
        run->options->progress(run->options->context, "validation");
    }
    if (!bench_host_open(run->setup, &host, failure)) {
        return false;
    }
    bool ok = true;
    for (uint32_t n = 0; ok && n < run->options->runs; n++) {
        for (int i = 0; ok && i < VALIDATION_CASE_COUNT; i++) {
            ok = validation_measure(host, &VALIDATION_CASES[i], bytes, &figures[i], failure);
        }
    }
    host_close(host);
    for (int i = 0; ok && i < VALIDATION_CASE_COUNT; i++) {
        ok = json_array_append_new(run->validation, validation_json(&VALIDATION_CASES[i], &figures[i])) == 0 ||
             failure_set(failure, "no memory for the report");
    }
    return ok;
}

/* ---- the report ---- */

static json_t *options_json(const struct bench_options *options) {
    json_auto_t *sizes = json_array();
    json_auto_t *bodies = json_array();
    for (uint32_t i = 0; i < options->size_count; i++) {
        (void)json_array_append_new(sizes, json_integer((json_int_t)options->sizes[i]));
    }
    for (uint32_t i = 0; i < options->body_count; i++) {
        (void)json_array_append_new(bodies, json_integer(options->bodies[i]));
    }
    return json_pack("{s: i, s: b, s: O, s: O, s: b}", "runs", (int)options->runs, "quick", options->quick, "sizes",
                     sizes, "bodies", bodies, "all", options->only_count == 0);
}

static bool plugin_json(const struct bench_setup *setup, json_t **ret_plugin, struct failure *failure) {
    struct host *host = NULL;
    if (!bench_host_open(setup, &host, failure)) {
        return false;
    }
    const polaris_es_table *table = host_plugin(host)->table;
    *ret_plugin =
        json_pack("{s: s, s: s, s: s}", "name", table->name, "version", table->version, "build_id", table->build_id);
    host_close(host);
    return *ret_plugin != NULL || failure_set(failure, "no memory for the report");
}

static bool fill_report(const struct bench_setup *setup, const struct bench_options *options, json_t *report,
                        struct failure *failure) {
    struct run run = {
        .setup = setup,
        .options = options,
        .stores = json_object_get(report, "stores"),
        .workloads = json_object_get(report, "workloads"),
        .validation = json_object_get(report, "validation"),
    };
    if ((any_workload_wanted(options) && !run_stores(&run, failure)) ||
        (is_wanted(options, BENCH_VALIDATION) && !run_validation(&run, failure))) {
        return false;
    }
    return json_object_set_new(report, "targets", targets_json(report)) == 0 ||
           failure_set(failure, "no memory for the report");
}

bool bench_run(const struct bench_setup *setup, const struct bench_options *options, json_t **ret_report,
               struct failure *failure) {
    CLEANUP(memory_stop) struct memory_process memory = {0};
    struct bench_setup own = *setup;
    own.memory = &memory;
    json_t *plugin = NULL;
    if (!memory_start(setup, &memory, failure) || !counting_vfs_install(failure) ||
        !plugin_json(&own, &plugin, failure)) {
        return false;
    }
    json_auto_t *report =
        json_pack("{s: i, s: o, s: o, s: o, s: [], s: [], s: []}", "format", BENCH_FORMAT, "machine", probe_machine(),
                  "plugin", plugin, "options", options_json(options), "stores", "workloads", "validation");
    if (report == NULL) {
        return failure_set(failure, "no memory for the report");
    }
    if (!fill_report(&own, options, report, failure)) {
        return false;
    }
    *ret_report = json_incref(report);
    return true;
}
