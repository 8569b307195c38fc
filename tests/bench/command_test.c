/* command_test.c: `bench` gives every figure, in tables and as JSON. No times here. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "bench/run.h"
#include "cleanup.h"
#include "cli.h"

/* What each object of the report has. */
static void expect_fields(const json_t *object, const char *const *names, const char *where) {
    cr_assert(json_is_object(object), "%s is no object", where);
    for (; *names != NULL; names++) {
        cr_expect_not_null(json_object_get(object, *names), "%s lacks %s", where, *names);
    }
}
#define FIELDS(object, where, ...) expect_fields(object, (const char *const[]){__VA_ARGS__, NULL}, where)

static void check_party(const json_t *party, const char *where, size_t runs) {
    FIELDS(party, where, "name", "median", "spread", "runs", "latency_us", "events", "commits", "fsyncs", "checkpoints",
           "written_bytes", "events_per_commit", "resident_mib", "details");
    cr_expect_eq(json_array_size(json_object_get(party, "runs")), runs, "%s", where);
    cr_expect_geq(json_number_value(json_object_get(party, "median")), 0);
    const json_t *latency = json_object_get(party, "latency_us");
    if (json_is_object(latency)) {
        FIELDS(latency, where, "count", "p50", "p99", "p999", "max", "curve");
    }
}

static void check_workload(const json_t *workload, const struct bench_workload *wanted, size_t runs) {
    cr_expect_str_eq(json_string_value(json_object_get(workload, "name")), wanted->name);
    FIELDS(workload, wanted->name, "title", "unit", "lower_is_better", "size", "body", "operations", "unsupported",
           "reason", "plugin", "reference", "ratio", "ratio_spread");
    cr_expect(json_is_false(json_object_get(workload, "unsupported")), "%s", wanted->name);
    check_party(json_object_get(workload, "plugin"), wanted->name, runs);
    if (wanted->reference != NULL) {
        check_party(json_object_get(workload, "reference"), wanted->name, runs);
        cr_expect_gt(json_number_value(json_object_get(workload, "ratio")), 0, "%s", wanted->name);
    }
}

Test(bench_command, quick_gives_every_figure, .init = cli_enter, .fini = cli_leave, .timeout = 300) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "bench", "--quick", "--runs", "2", "--json");
    json_auto_t *report = json_loads(result.out, 0, NULL);
    FIELDS(report, "report", "format", "machine", "plugin", "options", "stores", "workloads", "validation", "targets");
    FIELDS(json_object_get(report, "machine"), "machine", "cpu", "cores", "memory_kib", "kernel", "sqlite");
    FIELDS(json_object_get(report, "plugin"), "plugin", "name", "version", "build_id");
    FIELDS(json_object_get(report, "options"), "options", "runs", "quick", "sizes", "bodies", "all");
    FIELDS(json_array_get(json_object_get(report, "stores"), 0), "store", "size", "body", "file_bytes",
           "data_bytes_per_event", "disk_bytes_per_event", "fill_events_per_s");
    const json_t *workloads = json_object_get(report, "workloads");
    cr_assert_eq(json_array_size(workloads), BENCH_WORKLOAD_COUNT);
    for (size_t i = 0; i < BENCH_WORKLOAD_COUNT; i++) {
        check_workload(json_array_get(workloads, i), &BENCH_WORKLOADS[i], 2);
    }
    const json_t *each = NULL;
    size_t i = 0;
    cr_expect_gt(json_array_size(json_object_get(report, "validation")), 0u);
    json_array_foreach(json_object_get(report, "targets"), i, each) {
        FIELDS(each, "target", "target", "limit", "at_least", "unit", "reached", "holds");
    }
}

/* The swap's details are what the time line is drawn from. */
Test(bench_command, swap_gives_a_time_line, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "bench", "--quick", "--runs", "1", "--only", "swap", "--json");
    json_auto_t *report = json_loads(result.out, 0, NULL);
    const json_t *workload = json_array_get(json_object_get(report, "workloads"), 0);
    const json_t *details = json_object_get(json_object_get(workload, "plugin"), "details");
    FIELDS(details, "details", "moment_ms", "events", "longest_ms", "swaps_ms", "checkpoints_ms", "pauses_ms");
    cr_expect_eq(json_array_size(json_object_get(details, "swaps_ms")), 2u);
    cr_expect_gt(json_array_size(json_object_get(details, "events")), 2u);
    cr_expect_eq(json_array_size(json_object_get(details, "events")),
                 json_array_size(json_object_get(details, "longest_ms")));
}

Test(bench_command, only_runs_what_is_named, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "bench", "--quick", "--runs", "1", "--only", "append_1", "--sizes",
                                   "10k,20k", "--body", "4096");
    cli_contains(result.out, "A store of 20k events of 4,");
    cli_contains(result.out, "\nsingle append, one caller ");
    cli_contains(result.out, "bare SQLite");
    cli_contains(result.out, "not measured");
    cr_expect_null(strstr(result.out, "validation  "));
    cr_expect_null(strstr(result.out, "1,000 events per request"));
}

Test(bench_command, wrong_words_are_told, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done) struct result only = RUN_FOR(2, NULL, "bench", "--only", "append_2");
    cli_contains(only.err, "there is no workload 'append_2'");
    CLEANUP(result_done) struct result sizes = RUN_FOR(2, NULL, "bench", "--sizes", "15k");
    cli_contains(sizes.err, "multiples of 10k");
    CLEANUP(result_done) struct result order = RUN_FOR(2, NULL, "bench", "--sizes", "100k,10k");
    cli_contains(order.err, "each larger than the one before");
    CLEANUP(result_done) struct result body = RUN_FOR(2, NULL, "bench", "--body", "300");
    cli_contains(body.err, "200, 4096 or both");
}
