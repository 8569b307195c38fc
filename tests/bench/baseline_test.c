/* baseline_test.c: the baseline does the plugin's work, row for row, and reads what the plugin reads. No times here. */
#include "bench/baseline.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "bench/counting_vfs.h"
#include "bench/request.h"
#include "bench/run.h"
#include "cli.h"
#include "message/message.h"

/* ---- rows ---- */

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
    static char of_plugin[2000000];
    static char of_baseline[2000000];
    read_rows("plugin.db", sql, of_plugin, sizeof of_plugin);
    read_rows("baseline.db", sql, of_baseline, sizeof of_baseline);
    cr_expect_str_eq(of_plugin, of_baseline, "%s", sql);
}

static struct bench_setup setup;
static struct bench_seed seed;
static struct bench_store store;

/* Two copies of a store with ten thousand events. */
static void open_stores(void) {
    struct failure failure = {0};
    cli_enter();
    setup = (struct bench_setup){.folder = ".", .host.plugin_path = TEST_PLUGIN};
    setup.host.loader.keep_mapped = true;
    setup.host.loader.allow_unsafe = true;
    cr_assert(counting_vfs_install(&failure), "%s", failure.message);
    cr_assert(bench_seed_make(&setup, PAGE_STORE_SIZE_MIN, EVENT_BODY_SMALL, &seed, &failure), "%s", failure.message);
    cr_assert(bench_store_copy(&setup, &failure), "%s", failure.message);
    cr_assert(bench_store_open(&setup, &seed, &store, &failure), "%s", failure.message);
}

static void close_stores(void) {
    bench_store_close(&store);
    cli_leave();
}

/* One turn of both parties at a workload. */
static void take_turns(const char *name, uint64_t operations, struct histogram *latency) {
    struct failure failure = {0};
    const struct bench_workload *workload = bench_workload_find(name);
    struct bench_turn turn = {.store = &store, .workload = workload, .operations = operations, .latency = latency};
    cr_assert(workload->plugin(&turn, &failure), "%s: %s", name, failure.message);
    cr_expect_gt(turn.figure, 0);
    uint64_t events = turn.events;
    cr_assert(workload->reference(&turn, &failure), "%s: %s", name, failure.message);
    cr_expect_gt(turn.figure, 0);
    cr_expect_eq(turn.events, events, "%s: %llu events, and %llu", name, (unsigned long long)events,
                 (unsigned long long)turn.events);
}

Test(bench_baseline, writes_the_rows_that_the_plugin_writes, .init = open_stores, .fini = close_stores) {
    struct histogram *latency = calloc(1, sizeof *latency);
    take_turns("append_1000", 2000, latency);
    take_turns("append_1", 37, latency);
    cr_expect_eq(histogram_count(latency), 2u * (2 + 37));
    free(latency);
    bench_store_close(&store);

    expect_same_rows("SELECT name, sql FROM sqlite_schema ORDER BY name");
    expect_same_rows("SELECT id, type_id, time_us, stream_id, version, batch_id, schema_version, key, correlation,"
                     " causation, hex(tags), hex(metadata), hex(data) FROM event WHERE id > 9990 ORDER BY id");
    expect_same_rows("SELECT count(*), min(id), max(id), sum(recorded_us > 0) FROM event");
    expect_same_rows("SELECT id, name FROM type ORDER BY id");
    expect_same_rows("SELECT * FROM stream ORDER BY id");
    expect_same_rows("SELECT * FROM tag ORDER BY id");
    expect_same_rows("SELECT tag_id, event_id FROM event_tag WHERE event_id > 9990 ORDER BY tag_id, event_id");
    expect_same_rows("SELECT count(*) FROM event_tag");
    expect_same_rows("SELECT * FROM sqlite_sequence ORDER BY name");
}

/* Nothing that the plugin writes for an event is missing above: every table of the store is named there, or is one that
 * an append leaves alone. */
Test(bench_baseline, no_table_is_forgotten, .init = open_stores, .fini = close_stores) {
    static char names[4000];
    read_rows("plugin.db", "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", names, sizeof names);
    cr_expect_str_eq(names, "batch|consumer|dead_letter|dead_letter_failure|draft|event|event_tag|rejected|schema_type|"
                            "schema_version|sqlite_sequence|store|stream|tag|type|");
}

/* ---- what is counted ---- */

Test(bench_vfs, plugin_and_baseline_commit_and_sync_alike, .init = open_stores, .fini = close_stores) {
    struct histogram *latency = calloc(1, sizeof *latency);
    struct vfs_counts before[2] = {counting_vfs_read(VFS_PLUGIN), counting_vfs_read(VFS_BASELINE)};
    take_turns("append_1", 25, latency);
    free(latency);
    for (int i = 0; i < 2; i++) {
        struct vfs_counts after = counting_vfs_read(i == 0 ? VFS_PLUGIN : VFS_BASELINE);
        struct vfs_counts counts = vfs_counts_between(&before[i], &after);
        cr_expect_eq(counts.commits, 25u, "%llu commits", (unsigned long long)counts.commits);
        cr_expect_geq(counts.log_syncs, 25u);
        cr_expect_leq(counts.log_syncs, 27u);
        cr_expect_gt(counts.written, 25u * 4096);
    }
}
