/* targets.c: figures of a report held against their limits. */
#include "bench/targets.h"

#include <math.h>
#include <string.h>

#include "bench/event.h"

static const json_int_t USUAL_SIZE = 100000;
static const json_int_t LARGE_SIZE = 10000000;

/* The entry of "workloads" with that name, body and size, if it was measured; NULL otherwise. Size 0: the usual one, or
 * else the largest. */
static const json_t *find_workload(const json_t *report, const char *name, json_int_t body, json_int_t size) {
    const json_t *found = NULL;
    const json_t *each = NULL;
    size_t i = 0;
    json_array_foreach(json_object_get(report, "workloads"), i, each) {
        json_int_t its_size = json_integer_value(json_object_get(each, "size"));
        if (strcmp(json_string_value(json_object_get(each, "name")), name) != 0 ||
            json_integer_value(json_object_get(each, "body")) != body ||
            json_is_true(json_object_get(each, "unsupported")) || (size != 0 && size != its_size)) {
            continue;
        }
        bool is_better = found == NULL || its_size == USUAL_SIZE ||
                         (json_integer_value(json_object_get(found, "size")) != USUAL_SIZE &&
                          its_size > json_integer_value(json_object_get(found, "size")));
        found = is_better ? each : found;
    }
    return found;
}

/* NAN: not measured. */
static double number_of(const json_t *object, const char *name) {
    const json_t *number = json_object_get(object, name);
    return json_is_number(number) ? json_number_value(number) : (double)NAN;
}

/* The small body, which all targets speak of. */
static const json_t *usual(const json_t *report, const char *name) {
    return find_workload(report, name, EVENT_BODY_SMALL, 0);
}

static double median_of(const json_t *workload) {
    return number_of(json_object_get(workload, "plugin"), "median");
}

static double ratio(const json_t *report, const char *name) {
    return number_of(usual(report, name), "ratio");
}

/* ---- one function for each kind of target ---- */

struct target {
    const char *text;
    const char *unit;
    double limit;
    bool at_least;
    double (*reached)(const json_t *report, const char *argument);
    const char *argument;
};

static double to_single_caller(const json_t *report, const char *name) {
    return median_of(usual(report, name)) / median_of(usual(report, "append_1"));
}

static double validation_ratio(const json_t *report, const char *payload) {
    const json_t *each = NULL;
    size_t i = 0;
    json_array_foreach(json_object_get(report, "validation"), i, each) {
        if (strcmp(json_string_value(json_object_get(each, "payload")), payload) == 0) {
            return number_of(each, "ratio");
        }
    }
    return (double)NAN;
}

/* What it costs in a large store, as a multiple of the cost in the usual one; the worst of the names in `argument`. */
static double growth(const json_t *report, const char *name) {
    const json_t *small = find_workload(report, name, EVENT_BODY_SMALL, USUAL_SIZE);
    const json_t *large = find_workload(report, name, EVENT_BODY_SMALL, LARGE_SIZE);
    double times = median_of(large) / median_of(small);
    return json_is_true(json_object_get(small, "lower_is_better")) ? times : 1 / times;
}

static double worst_growth(const json_t *report, const char *argument) {
    static const char *const NAMES[] = {"append_1",    "append_1000",   "append_threads_64",
                                        "submit_1024", "append_schema", "page_type_time",
                                        "page_stream", "page_tag",      "read_all"};
    (void)argument;
    double worst = 0;
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        double each = growth(report, NAMES[i]);
        if (isnan(each)) {
            return (double)NAN;
        }
        worst = each > worst ? each : worst;
    }
    return worst;
}

/* Of a store of ten million. */
static double median_of_large(const json_t *report, const char *name) {
    return median_of(find_workload(report, name, EVENT_BODY_SMALL, LARGE_SIZE));
}

static double median_of_any(const json_t *report, const char *name) {
    return median_of(usual(report, name));
}

/* A shorter time proves nothing. */
static double median_of_a_minute(const json_t *report, const char *name) {
    const json_t *workload = usual(report, name);
    const json_t *details = json_object_get(json_object_get(workload, "plugin"), "details");
    return number_of(details, "seconds") >= 60 ? median_of(workload) : (double)NAN;
}

static double latency_ms(const json_t *report, const char *part) {
    const json_t *plugin = json_object_get(usual(report, "swap"), "plugin");
    return number_of(json_object_get(plugin, "latency_us"), part) / 1000;
}

static const struct target TARGETS[] = {
    {"single append ≥ 0.95 × bare", "×", 0.95, true, ratio, "append_1"},
    {"1,000 × 200 B per request ≥ 1.3 × bare", "×", 1.3, true, ratio, "append_1000"},
    {"64 threads, single appends ≥ 15 × the single caller", "×", 15, true, to_single_caller, "append_threads_64"},
    {"submit, 1,024 in flight, one thread ≥ 40 × the single caller", "×", 40, true, to_single_caller, "submit_1024"},
    {"read all forward ≥ 0.6 × bare scan", "×", 0.6, true, ratio, "read_all"},
    {"page of 100 by type and time ≤ 1.3 × bare", "×", 1.3, false, ratio, "page_type_time"},
    {"page of 100 by stream ≤ 1.3 × bare", "×", 1.3, false, ratio, "page_stream"},
    {"page of 100 by tag ≤ 1.3 × bare", "×", 1.3, false, ratio, "page_tag"},
    {"validating a node event ≤ 1 × msgpack-c's unpack", "×", 1, false, validation_ratio, "node event"},
    {"appending with a schema ≥ 0.9 × without", "×", 0.9, true, ratio, "append_schema"},
    {"any of these at 10 million ≤ 1.3 × at 100 thousand", "×", 1.3, false, worst_growth, NULL},
    {"resident memory replaying 10 million ≤ 64 MiB", "MiB", 64, false, median_of_large, "memory_replay"},
    {"resident memory appending a minute ≤ 96 MiB", "MiB", 96, false, median_of_a_minute, "memory_append"},
    {"any call during a swap, 64 callers: p99 ≤ 15 ms", "ms", 15, false, latency_ms, "p99"},
    {"any call during a swap, 64 callers: max ≤ 60 ms", "ms", 60, false, latency_ms, "max"},
    {"init on a store of 10 million ≤ 20 ms", "ms", 20, false, median_of_large, "open"},
    {"idle: 0 wake-ups per second", "per s", 0, false, median_of_any, "idle"},
};

json_t *targets_json(const json_t *report) {
    json_auto_t *targets = json_array();
    for (size_t i = 0; i < sizeof TARGETS / sizeof TARGETS[0]; i++) {
        const struct target *target = &TARGETS[i];
        double reached = target->reached(report, target->argument);
        bool measured = isfinite(reached);
        bool holds = target->at_least ? reached >= target->limit : reached <= target->limit;
        json_t *entry = json_pack("{s: s, s: f, s: b, s: s, s: o, s: o}", "target", target->text, "limit",
                                  target->limit, "at_least", target->at_least, "unit", target->unit, "reached",
                                  measured ? json_real(reached) : json_null(), "holds",
                                  measured ? json_boolean(holds) : json_null());
        if (json_array_append_new(targets, entry) != 0) {
            return NULL;
        }
    }
    return json_incref(targets);
}
