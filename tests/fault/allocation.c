/* allocation.c: whichever allocation fails, a call either did all of its work and says so, or nothing and says so. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "failing_allocations.h"
#include "support.h"

/* SQLite's own allocator, with the same counter in front. */
static sqlite3_mem_methods system_memory;

static void *sqlite_malloc(int size) {
    return allocation_fails() ? NULL : system_memory.xMalloc(size);
}

static void *sqlite_realloc(void *memory, int size) {
    return allocation_fails() ? NULL : system_memory.xRealloc(memory, size);
}

static void take_over_memory(void) {
    cr_assert_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &system_memory), SQLITE_OK);
    sqlite3_mem_methods methods = system_memory;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    cr_assert_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
}

/* Every allocation; under the sanitizers, which are some ten times slower, every seventh: the release build does the
 * rest. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 7 };
#else
enum { STRIDE = 1 };
#endif

/* ---- the script ---- */

/* What the store acknowledged; the store must hold exactly this. */
struct acknowledged {
    int64_t events;
    int64_t letters;
    int64_t schemas;
    int64_t batches;
    int64_t rejected;
};

static struct store store;

static bool skip_letter(void *context, const struct dead_letter *letter, const struct stored_event *event) {
    (void)event;
    *(int64_t *)context = letter->id;
    return true;
}

static bool skip_batch(void *context, const struct batch *batch) {
    *(int64_t *)context = batch->count;
    return true;
}

static bool skip_event(void *context, const struct stored_event *event) {
    (void)context;
    (void)event;
    return true;
}

static void expect_legal(enum status status) {
    cr_assert(status == OK || status == NO_MEMORY, "%s: %s", status_name(status), store.error.message);
}

static void run_appends(const struct storage_ops *ops, struct acknowledged *acknowledged) {
    static const struct event_filter NOTHING_LIKE_IT = {.types = {{(const uint8_t *)"z", 1}}, .type_count = 1};
    struct append_condition condition = {.filter = &NOTHING_LIKE_IT};
    struct event events[3] = {tagged(tagged(event_of("a"), "x"), "y"), event_of("b"), event_of("a")};
    events[0].stream = text("s");
    events[1].key = text("k");
    events[2].metadata = BYTES_LITERAL("\x80");
    struct append_request request = {.events = events, .count = 3, .condition = &condition};
    struct append_result results[3];
    struct append_summary summary;
    enum status status = ops->append(store.storage, &request, results, &summary, &store.error);
    expect_legal(status);
    acknowledged->events += status == OK ? 3 : 0;
}

static void run_batch(const struct storage_ops *ops, struct acknowledged *acknowledged) {
    struct event draft = tagged(event_of("c"), "x");
    struct append_summary summary;
    int64_t count = 0;
    enum status status =
        ops->batch_create(store.storage, text("b"), (struct bytes){0}, skip_batch, &count, &store.error);
    expect_legal(status);
    acknowledged->batches += status == OK;
    if (status == OK) {
        struct append_request request = {.events = &draft, .count = 1};
        struct append_result result;
        status = ops->batch_append(store.storage, text("b"), &request, &result, &count, &store.error);
        expect_legal(status);
        bool has_draft = status == OK;
        status = ops->batch_complete(store.storage, text("b"), skip_batch, &count, &summary, &store.error);
        expect_legal(status);
        acknowledged->events += status == OK && has_draft;
    }
}

static void run_dead_letters(const struct storage_ops *ops, struct acknowledged *acknowledged) {
    struct dead_letter_put put = {
        .consumer = text("c"), .event_id = 1, .failure.message = text("no"), .attempts_max = -1, .delay_us = 0};
    struct dead_letter_claim_request claim = {.consumer = text("c"), .lease_us = -1, .attempts_max = -1, .limit = 5};
    int64_t id = 0, next_due_us = 0, parked = 0;
    if (acknowledged->events == 0) {
        return;
    }
    enum status status = ops->dead_letter_put(store.storage, &put, skip_letter, &id, &store.error);
    expect_legal(status);
    acknowledged->letters += status == OK;
    expect_legal(ops->dead_letter_claim(store.storage, &claim, skip_letter, &id, &next_due_us, &parked, &store.error));
    struct dead_letter_change change = {.ref.id = id, .token = 1, .delay_us = -1};
    if (status == OK) {
        status = ops->dead_letter_resolve(store.storage, &change, skip_letter, &id, &store.error);
        cr_assert(status == OK || status == NO_MEMORY || status == CONFLICT, "%s", store.error.message);
    }
}

static bool skip_current(void *context, const struct schema_type *type, const struct schema_version *version) {
    (void)context;
    (void)type;
    (void)version;
    return false;
}

static bool skip_rejected(void *context, const struct rejected_entry *entry) {
    *(int64_t *)context = entry->id;
    return false;
}

/* Kept, and made an event after all. */
static void run_rejected(const struct storage_ops *ops, struct acknowledged *acknowledged) {
    struct event event = event_of("a");
    event.verdict = EVENT_KEPT;
    event.key = text("r");
    event.raw = BYTES_LITERAL("\x80");
    event.failures = BYTES_LITERAL("\x90");
    struct append_request request = {.events = &event, .count = 1};
    struct append_result result = {0};
    struct append_summary summary;
    int64_t id = 0;
    request.schema_generation = ops->schema_generation(store.storage);
    enum status status = ops->append(store.storage, &request, &result, &summary, &store.error);
    expect_legal(status);
    acknowledged->rejected += status == OK;
    if (status == OK) {
        event.verdict = EVENT_ACCEPTED;
        status = ops->rejected_resubmit(store.storage, result.rejected_id, &request, &result, skip_rejected, &id,
                                        &store.error);
        expect_legal(status);
        acknowledged->events += status == OK;
    }
}

static void run_schema_and_reads(const struct storage_ops *ops, struct acknowledged *acknowledged) {
    struct schema_put put = {.type = text("a"), .schema = BYTES_LITERAL("\x80"), .expected_version = -1};
    static const struct event_filter TAGGED = {.tags_any = {{(const uint8_t *)"x", 1}, {(const uint8_t *)"y", 1}},
                                               .tags_any_count = 2};
    int64_t version = 0, count = 0;
    put.generation = ops->schema_generation(store.storage);
    enum status status = ops->schema_put(store.storage, &put, &version, &store.error);
    expect_legal(status);
    acknowledged->schemas += status == OK;
    struct schema_settings settings = {.policy = SCHEMA_POLICY_WARN};
    int64_t generation = ops->schema_generation(store.storage);
    expect_legal(ops->schema_set(store.storage, text("a"), &settings, generation, &store.error));
    status = ops->schema_current(store.storage, text("a"), skip_current, NULL, &store.error);
    cr_assert(status == OK || status == NO_MEMORY || status == NOT_FOUND, "%s", store.error.message);
    expect_legal(ops->count_events(store.storage, &TAGGED, &count, &store.error));
    status = ops->get_event(store.storage, 1, skip_event, NULL, &store.error);
    cr_assert(status == OK || status == NO_MEMORY || status == NOT_FOUND, "%s", store.error.message);
}

static int64_t count_rows(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

static void expect_exactly(const struct acknowledged *acknowledged, int tick) {
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(store.path, &db), SQLITE_OK);
    cr_assert_eq(count_rows(db, "SELECT count(*) FROM event"), acknowledged->events, "allocation %d", tick);
    cr_assert_eq(count_rows(db, "SELECT count(*) FROM dead_letter"), acknowledged->letters, "allocation %d", tick);
    cr_assert_eq(count_rows(db, "SELECT count(*) FROM schema_version"), acknowledged->schemas, "allocation %d", tick);
    cr_assert_eq(count_rows(db, "SELECT count(*) FROM batch"), acknowledged->batches, "allocation %d", tick);
    cr_assert_eq(count_rows(db, "SELECT count(*) FROM rejected"), acknowledged->rejected, "allocation %d", tick);
    cr_assert_eq(count_rows(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    cr_assert_eq(count_rows(db, "SELECT count(*) FROM event_tag t LEFT JOIN event e ON e.id = t.event_id"
                                " WHERE e.id IS NULL"),
                 0);
    sqlite3_close(db);
}

/* One run with the n-th allocation failing. False: fewer than n were made. */
static bool run_with_fault(int tick, bool persistent) {
    struct acknowledged acknowledged = {0};
    struct storage_ops const *ops = NULL;
    store_open(&store, NULL);
    store_close(&store);
    allocations_fail_at(tick, persistent);
    enum status status = store_open_again(&store, false, &store.storage, &store.error);
    expect_legal(status);
    if (status == OK) {
        ops = store.storage->ops;
        run_appends(ops, &acknowledged);
        run_batch(ops, &acknowledged);
        run_dead_letters(ops, &acknowledged);
        run_schema_and_reads(ops, &acknowledged);
        run_rejected(ops, &acknowledged);
        store_close(&store);
    } else {
        store.storage = NULL;
    }
    bool has_fired = allocations_failed() > 0;
    allocations_fail_at(0, false);
    expect_exactly(&acknowledged, tick);
    store_reopen(&store); /* works when the fault is gone */
    append(&store, event_of("after"));
    store_done(&store);
    return has_fired;
}

static void loop_over_every_allocation(bool persistent) {
    take_over_memory();
    int tick = 1;
    while (run_with_fault(tick, persistent)) {
        tick += STRIDE;
    }
    cr_expect_gt(tick, 500, "only %d allocations were seen", tick - 1);
}

Test(allocation, failing_once_leaves_exactly_what_was_acknowledged, .timeout = 560) {
    loop_over_every_allocation(false);
}

Test(allocation, failing_from_there_on_leaves_exactly_what_was_acknowledged, .timeout = 560) {
    loop_over_every_allocation(true);
}
