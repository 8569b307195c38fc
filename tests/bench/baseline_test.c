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

Test(bench_baseline, takes_dead_letters_through_the_states_that_the_plugin_gives_them, .init = open_stores,
     .fini = close_stores) {
    struct histogram *latency = calloc(1, sizeof *latency);
    take_turns("dead_letters", 20, latency);
    free(latency);
    bench_store_close(&store);

    expect_same_rows("SELECT * FROM consumer ORDER BY id");
    expect_same_rows("SELECT id, event_id, consumer_id, stream_id, state, attempts, attempts_max, due_us,"
                     " lease_until_us, token, counted, holder, reason, failure_seq, created_us > 0,"
                     " updated_us > created_us FROM dead_letter ORDER BY id");
    expect_same_rows("SELECT letter_id, seq, class, message, time_us > 0 FROM dead_letter_failure ORDER BY letter_id");
    expect_same_rows("SELECT * FROM sqlite_sequence ORDER BY name");
}

/* ---- reading ---- */

struct rows {
    const json_t *events; /* of the plugin's reply */
    size_t count;
};

/* msgpack bytes that the plugin gave as a value. */
static void expect_payload(const json_t *given, const struct baseline_text *wanted) {
    struct failure failure = {0};
    json_auto_t *value = NULL;
    cr_assert(message_unpack(wanted->data, wanted->size, &value, &failure), "%s", failure.message);
    cr_expect(json_equal(given, value));
}

/* A field that the plugin leaves out when the column is NULL. */
static void expect_text(const json_t *event, const char *name, const struct baseline_text *wanted) {
    const json_t *given = json_object_get(event, name);
    cr_assert_eq(given == NULL, wanted->data == NULL, "%s", name);
    cr_expect(given == NULL || (json_string_length(given) == wanted->size &&
                                memcmp(json_string_value(given), wanted->data, wanted->size) == 0),
              "%s", name);
}

static void compare_row(void *context, const struct baseline_row *row) {
    static const char *const NAMES[] = {"type", "stream", "batch", "key", "correlation", "causation"};
    struct rows *rows = context;
    const json_t *event = json_array_get(rows->events, rows->count++);
    cr_assert_not_null(event, "the baseline has more than %zu rows", rows->count - 1);
    cr_expect_eq(json_integer_value(json_object_get(event, "id")), row->numbers[0]);
    cr_expect_eq(json_integer_value(json_object_get(event, "time")), row->numbers[1]);
    cr_expect_eq(json_integer_value(json_object_get(event, "recorded_at")), row->numbers[2]);
    cr_expect_eq(json_integer_value(json_object_get(event, "version")), row->numbers[3]);
    cr_expect_eq(json_integer_value(json_object_get(event, "schema_version")), row->numbers[4]);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        expect_text(event, NAMES[i], &row->texts[i]);
    }
    expect_payload(json_object_get(event, "tags"), &row->texts[6]);
    expect_payload(json_object_get(event, "data"), &row->texts[8]);
    cr_expect_null(row->texts[7].data);
}

static void expect_same_page(const struct page_query *query) {
    struct failure failure = {0};
    struct bench_request request = request_page(query);
    struct reply reply = {0};
    json_auto_t *value = NULL;
    cr_assert_eq(host_call(store.host, HOST_QUERY, request.data, request.size, &reply), POLARIS_ES_OK);
    cr_assert(message_unpack(reply.data, reply.size, &value, &failure), "%s", failure.message);
    struct rows rows = {.events = json_object_get(value, "events")};
    cr_assert(baseline_read(store.reader, query, compare_row, &rows, &failure), "%s", failure.message);
    cr_expect_eq(rows.count, json_array_size(rows.events));
    cr_expect_eq(rows.count, (size_t)query->limit, "a page of kind %d has %zu rows", (int)query->kind, rows.count);
    request_done(&request);
    reply_done(&reply);
}

Test(bench_baseline, reads_the_events_that_the_plugin_gives, .init = open_stores, .fini = close_stores) {
    for (int kind = 0; kind < PAGE_KIND_COUNT; kind++) {
        for (uint64_t n = 0; n < 40; n++) {
            struct page_query query = page_query((enum page_kind)kind, n, store.size);
            expect_same_page(&query);
        }
    }
}

Test(bench_baseline, reads_all_there_is_as_the_plugin_does, .init = open_stores, .fini = close_stores) {
    struct histogram *latency = calloc(1, sizeof *latency);
    take_turns("read_all", 1, latency);
    free(latency);
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
