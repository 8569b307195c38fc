/* bench_test.c: what the benchmark says is what it measured, and the baseline does the plugin's work. No times here. */
#include "bench/bench.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "bench/validation.h"
#include "bench/workload.h"
#include "cli.h"
#include "message/message.h"

static struct bench_series series_of(uint32_t count, const double *rates) {
    struct bench_series series = {.count = count};
    for (uint32_t i = 0; i < count; i++) {
        series.figures[i] = rates[i];
    }
    return series;
}

Test(bench, median_of_an_odd_number_of_runs_is_the_middle_one) {
    struct bench_series series = series_of(5, (const double[]){50, 10, 40, 20, 30});
    cr_expect_float_eq(bench_median(&series), 30, 1e-9);
}

Test(bench, median_of_an_even_number_of_runs_lies_between_the_middle_two) {
    struct bench_series series = series_of(4, (const double[]){40, 10, 20, 30});
    cr_expect_float_eq(bench_median(&series), 25, 1e-9);
}

Test(bench, spread_is_half_the_distance_of_the_quartiles_as_a_part_of_the_median) {
    struct bench_series series = series_of(5, (const double[]){10, 20, 30, 40, 50});
    cr_expect_float_eq(bench_spread(&series), 10.0 / 30.0, 1e-9);
}

Test(bench, series_without_runs_has_no_median_and_no_spread) {
    struct bench_series series = {0};
    cr_expect_float_eq(bench_median(&series), 0, 1e-9);
    cr_expect_float_eq(bench_spread(&series), 0, 1e-9);
}

/* The rows of a query as one text, for comparing. */
static void read_rows(const char *path, const char *sql, char *ret_text, size_t size) {
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    size_t used = 0;
    cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    while (sqlite3_step(rows) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            const char *text = (const char *)sqlite3_column_text(rows, i);
            int written = snprintf(ret_text + used, size - used, "%s|", text != NULL ? text : "NULL");
            cr_assert(written > 0 && (size_t)written < size - used);
            used += (size_t)written;
        }
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static void expect_same_rows(const char *sql) {
    static char of_plugin[200000];
    static char of_baseline[200000];
    read_rows("plugin.db", sql, of_plugin, sizeof of_plugin);
    read_rows("baseline.db", sql, of_baseline, sizeof of_baseline);
    cr_expect_str_eq(of_plugin, of_baseline, "%s", sql);
}

Test(bench, baseline_writes_the_rows_that_the_plugin_writes, .init = cli_enter, .fini = cli_leave) {
    static const struct bench_workload WORKLOAD = {"all", 10, 1, 100};
    static const uint8_t CONFIG[] = "\x81\xa4path\xa9plugin.db";
    struct host_options options = {.plugin_path = TEST_PLUGIN, .config = CONFIG, .config_size = sizeof CONFIG - 1};
    options.loader.keep_mapped = true;
    options.loader.allow_unsafe = true;
    struct host *host = NULL;
    struct failure failure = {0};
    struct baseline *baseline = NULL;
    struct bench_series series = {0};
    cr_assert(host_open(&options, &host, NULL, &failure), "%s", failure.message);
    cr_assert(baseline_open("baseline.db", "plugin.db", &baseline, &failure), "%s", failure.message);

    cr_assert(bench_plugin(host, &WORKLOAD, 7, &series, &failure), "%s", failure.message);
    cr_assert(bench_baseline(baseline, &WORKLOAD, 7, &series, &failure), "%s", failure.message);
    host_close(host);
    baseline_freep(&baseline);

    cr_expect_eq(series.count, 2);
    expect_same_rows("SELECT name, sql FROM sqlite_schema ORDER BY name");
    expect_same_rows("SELECT id, type_id, stream_id, version, key, hex(tags), hex(data) FROM event ORDER BY id");
    expect_same_rows("SELECT id, name FROM type ORDER BY id");
    expect_same_rows("SELECT id, name, event_count, last_id FROM tag ORDER BY id");
    expect_same_rows("SELECT tag_id, event_id FROM event_tag ORDER BY tag_id, event_id");
}

/* Sizes that are promised, give or take a tenth or so. */
static const size_t SIZES[VALIDATION_CASE_COUNT][2] = {{100, 120}, {180, 220}, {360, 440}, {950, 1100}, {3800, 4200}};

static void check_validation(const json_t *cases) {
    static const char *const FIGURES[] = {"tape_ns", "tape_mb_s",    "evaluate_ns", "both_ns",
                                          "ratio",   "msgpack_c_ns", "spread"};
    cr_assert_eq(json_array_size(cases), (size_t)VALIDATION_CASE_COUNT);
    for (size_t i = 0; i < VALIDATION_CASE_COUNT; i++) {
        const json_t *each = json_array_get(cases, i);
        json_int_t size = json_integer_value(json_object_get(each, "bytes"));
        cr_expect_str_eq(json_string_value(json_object_get(each, "payload")), VALIDATION_CASES[i].name);
        cr_expect((size_t)size >= SIZES[i][0] && (size_t)size <= SIZES[i][1], "%lld bytes", (long long)size);
        for (size_t k = 0; k < sizeof FIGURES / sizeof FIGURES[0]; k++) {
            cr_expect(json_is_real(json_object_get(each, FIGURES[k])), "%s", FIGURES[k]);
        }
        cr_expect_gt(json_real_value(json_object_get(each, "both_ns")), 0);
        cr_expect_gt(json_real_value(json_object_get(each, "msgpack_c_ns")), 0);
    }
}

Test(bench, payloads_of_validations_are_the_same_each_time_and_as_large_as_promised) {
    for (size_t i = 0; i < VALIDATION_CASE_COUNT; i++) {
        json_auto_t *once = VALIDATION_CASES[i].payload();
        json_auto_t *again = VALIDATION_CASES[i].payload();
        uint8_t *data = NULL;
        size_t size = 0;
        struct failure failure;
        cr_assert(message_pack(once, &data, &size, &failure), "%s", failure.message);
        free(data);
        cr_expect(json_equal(once, again));
        cr_expect(size >= SIZES[i][0] && size <= SIZES[i][1], "%s: %zu bytes", VALIDATION_CASES[i].name, size);
    }
}

/* Without its first property, or with one of another kind, no payload is valid: the schemas do look at it. */
Test(bench, schemas_of_validations_are_no_formality, .init = cli_enter, .fini = cli_leave) {
    for (size_t i = 0; i < VALIDATION_CASE_COUNT; i++) {
        json_auto_t *payload = VALIDATION_CASES[i].payload();
        json_auto_t *lacking = json_deep_copy(payload);
        const char *first = json_object_iter_key(json_object_iter(payload));
        cr_assert_eq(json_object_del(lacking, first), 0);
        cr_assert_eq(json_object_set_new(payload, first, json_pack("{s: i}", "some", 1)), 0);
        char *texts[2] = {json_dumps(lacking, 0), json_dumps(payload, 0)};
        cli_file("schema.json", VALIDATION_CASES[i].schema);
        for (size_t k = 0; k < 2; k++) {
            cli_file("payload.json", texts[k]);
            free(texts[k]);
            CLEANUP(result_done)
            struct result result = RUN_FOR(1, NULL, "schema", "validate", "--schema", "schema.json", "payload.json");
            cli_contains(result.out, first);
        }
    }
}

Test(bench, validation_alone_gives_no_other_figures, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done)
    struct result result = RUN_FOR(0, NULL, "bench", "--validation", "--quick", "--runs", "1", "--json");
    json_auto_t *object = json_loads(result.out, 0, NULL);
    check_validation(json_object_get(object, "validation"));
    cr_expect_null(json_object_get(object, "workloads"));
    cr_expect_eq(json_integer_value(json_object_get(object, "runs")), 1);

    CLEANUP(result_done)
    struct result table = RUN_FOR(0, NULL, "bench", "--validation", "--quick", "--runs", "1");
    cli_contains(table.out, "validation            bytes  tape ns  tape MB/s  evaluation ns  both ns  msgpack-c ns  ");
    cli_contains(table.out, "\nnode event ");
    cr_expect_null(strstr(table.out, "bare SQLite"));
}

Test(bench, command_gives_every_figure, .init = cli_enter, .fini = cli_leave, .timeout = 200) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "bench", "--quick", "--runs", "1", "--json");
    json_auto_t *object = json_loads(result.out, 0, NULL);
    json_t *workloads = json_object_get(object, "workloads");
    check_validation(json_object_get(object, "validation"));
    cr_assert_eq(json_array_size(workloads), 3u, "%s", result.out);
    static const char *const FIGURES[] = {"plugin", "plugin_spread", "baseline", "baseline_spread", "ratio"};
    for (size_t i = 0; i < 3; i++) {
        json_t *workload = json_array_get(workloads, i);
        cr_expect(json_is_string(json_object_get(workload, "workload")));
        for (size_t k = 0; k < sizeof FIGURES / sizeof FIGURES[0]; k++) {
            cr_expect(json_is_real(json_object_get(workload, FIGURES[k])), "%s", FIGURES[k]);
        }
        cr_expect_gt(json_real_value(json_object_get(workload, "plugin")), 0);
        cr_expect_gt(json_real_value(json_object_get(workload, "baseline")), 0);
    }
}
