/* bench_test.c: what the benchmark says is what it measured, and the baseline does the plugin's work. No times here. */
#include "bench/bench.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <sqlite3.h>

#include "bench/workload.h"
#include "cli.h"

static struct bench_series series_of(uint32_t count, const double *rates) {
    struct bench_series series = {.count = count};
    for (uint32_t i = 0; i < count; i++) {
        series.rates[i] = rates[i];
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

Test(bench, command_gives_every_figure, .init = cli_enter, .fini = cli_leave, .timeout = 200) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "bench", "--quick", "--runs", "1", "--json");
    json_auto_t *object = json_loads(result.out, 0, NULL);
    json_t *workloads = json_object_get(object, "workloads");
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
