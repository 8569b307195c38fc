/* command_test.c: `bench` gives every figure, in tables and as JSON. No times here. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdbool.h>
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

/* A build of ABI 1.0 has no submit, and lacks no other figure for it. */
#ifdef TEST_PLUGIN_1_0
Test(bench_command, what_a_build_cannot_do_is_unsupported, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "--plugin", TEST_PLUGIN_1_0, "bench", "--quick", "--runs", "1", "--only",
                                   "submit_1024,append_1");
    cli_contains(result.out, "\nsubmit, 1,024 in flight, one thread     unsupported\n");
    cli_contains(result.out, "\nsingle append, one caller               plugin ");
}
#endif

/* ---- reports of earlier runs ---- */

/* A report of this many runs of one workload, and of the validation of two payloads; first_ns: of the first. */
struct sample {
    double median, spread;
    int runs;
    bool quick;
    const char *name;
    const char *payloads[2];
    double first_ns;
};

static void write_sample(const char *path, const struct sample *sample) {
    json_auto_t *report =
        json_pack("{s: i, s: {s: s}, s: {s: s}, s: {s: i, s: b}, s: [], s: [],"
                  " s: [{s: s, s: f, s: f}, {s: s, s: f, s: f}],"
                  " s: [{s: s, s: s, s: s, s: b, s: i, s: i, s: b, s: {s: s, s: f, s: f}, s: n, s: f}]}",
                  "format", BENCH_FORMAT, "machine", "cpu", "a </script> machine", "plugin", "build_id", path,
                  "options", "runs", sample->runs, "quick", sample->quick, "stores", "targets", "validation", "payload",
                  sample->payloads[0], "both_ns", sample->first_ns, "both_spread", 0.02, "payload", sample->payloads[1],
                  "both_ns", 500.0, "both_spread", 0.02, "workloads", "name", sample->name, "title",
                  strcmp(sample->name, "append_1") == 0 ? "single append" : "another", "unit", "events/s",
                  "lower_is_better", 0, "size", 10000, "body", 200, "unsupported", 0, "plugin", "name", "plugin",
                  "median", sample->median, "spread", sample->spread, "reference", "ratio", 0.5);
    cr_assert_not_null(report);
    cr_assert_eq(json_dump_file(report, path, 0), 0);
}

static void write_report(const char *path, double median, double spread) {
    const struct sample sample = {median, spread, 5, false, "append_1", {"tiny", "large"}, 100};
    write_sample(path, &sample);
}

Test(bench_command, two_runs_stand_side_by_side, .init = cli_enter, .fini = cli_leave) {
    write_report("old.json", 1000, 0.05);
    write_report("new.json", 1300, 0.10);
    write_report("near.json", 1100, 0.10);
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "bench", "--from", "new.json", "--compare", "old.json");
    cli_contains(result.out, "before: build old.json");
    cli_contains(result.out, "1,000   5%       1,300  10%  events/s    +30.0%  better; ratio 0.50 to 0.50");
    CLEANUP(result_done)
    struct result worse = RUN_FOR(0, NULL, "bench", "--from", "old.json", "--compare", "new.json");
    cli_contains(worse.out, "-23.1%  worse");
    CLEANUP(result_done)
    struct result near = RUN_FOR(0, NULL, "bench", "--from", "near.json", "--compare", "old.json");
    cli_contains(near.out, "+10.0%  within the spread");
}

Test(bench_command, fewer_than_three_runs_are_not_judged, .init = cli_enter, .fini = cli_leave) {
    const struct sample one = {700, 0, 1, true, "append_1", {"tiny", "large"}, 100};
    write_report("five.json", 1000, 0);
    write_sample("one.json", &one);
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "bench", "--from", "one.json", "--compare", "five.json");
    cli_contains(result.out, "\nmeasured differently: --runs 5 before, --runs 1 --quick now\n");
    cli_contains(result.out, "\nno verdict on fewer than 3 runs: ");
    cli_contains(result.out, "-30.0%  no verdict; ratio ");
    cr_expect_null(strstr(result.out, "worse"));
    cr_expect_null(strstr(result.out, "better"));
    CLEANUP(result_done)
    struct result same = RUN_FOR(0, NULL, "bench", "--from", "five.json", "--compare", "five.json");
    cr_expect_null(strstr(same.out, "measured differently"));
    cr_expect_null(strstr(same.out, "not measured"));
}

Test(bench_command, payloads_are_compared_by_name_and_what_has_no_counterpart_is_named, .init = cli_enter,
     .fini = cli_leave) {
    const struct sample old = {1000, 0.05, 5, false, "append_1", {"tiny", "large"}, 0};
    const struct sample new = {1000, 0.05, 5, false, "append_schema", {"large", "tiny"}, 400};
    const struct sample gone = {1000, 0.05, 5, false, "append_1", {"large", "new"}, 500};
    write_sample("old.json", &old);
    write_sample("new.json", &new);
    write_sample("gone.json", &gone);
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "bench", "--from", "new.json", "--compare", "old.json");
    cli_contains(result.out, "\nvalidation: large ");
    cli_contains(result.out, " 500   2%         400   2%  ns          -20.0%  better\n");
    cli_contains(result.out, " 0   2%         500   2%  ns               -  worse\n"); /* nothing to divide by */
    cli_contains(result.out, "\nnot measured now: single append, 10k events of 200\n");
    cli_contains(result.out, "\nnot measured before: another, 10k events of 200\n");
    cr_expect_null(strstr(result.out, "inf"));
    CLEANUP(result_done)
    struct result other = RUN_FOR(0, NULL, "bench", "--from", "gone.json", "--compare", "old.json");
    cli_contains(other.out, "\nnot measured now: validation: tiny\nnot measured before: validation: new\n");
}

/* Whatever the report says, its script goes on, and nothing is asked of other places. */
Test(bench_command, page_holds_the_report_and_needs_nothing_else, .init = cli_enter, .fini = cli_leave) {
    static const char BEFORE[] = "const REPORT = ";
    static char page[200000];
    write_report("run.json", 1000, 0.05);
    ENDS(0, NULL, "bench", "--from", "run.json", "--html", "page.html", "--machine", "<b>mine</b>");
    FILE *file = fopen("page.html", "re");
    cr_assert_not_null(file);
    size_t size = fread(page, 1, sizeof page - 1, file);
    (void)fclose(file);
    cr_assert(size > 10000 && size < sizeof page - 1);
    const char *report = strstr(page, BEFORE);
    cr_assert_not_null(report);
    report += sizeof BEFORE - 1;
    const char *end = strstr(report, ";\n");
    cr_assert_not_null(end);
    json_auto_t *value = json_loadb(report, (size_t)(end - report), 0, NULL);
    const json_t *machine = json_object_get(value, "machine");
    cr_expect_str_eq(json_string_value(json_object_get(machine, "cpu")), "a </script> machine");
    cr_expect_str_eq(json_string_value(json_object_get(machine, "name")), "<b>mine</b>");
    cr_expect_null(memchr(report, '<', (size_t)(end - report)));
    for (const char *link = strstr(page, "http"); link != NULL; link = strstr(link + 1, "http")) {
        cr_expect_eq(strncmp(link, "http://www.w3.org/2000/svg\"", 27), 0, "%.40s", link);
    }
    cr_expect_null(strstr(page, " src="));
    cr_expect_null(strstr(page, "@import"));
}

Test(bench_command, what_is_no_report_is_told, .init = cli_enter, .fini = cli_leave) {
    cli_file("other.json", "{\"format\": 99}");
    CLEANUP(result_done) struct result other = RUN_FOR(2, NULL, "bench", "--compare", "other.json");
    cli_contains(other.err, "other.json is no report of this benchmark");
    CLEANUP(result_done) struct result missing = RUN_FOR(2, NULL, "bench", "--from", "missing.json");
    cli_contains(missing.err, "missing.json");
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
