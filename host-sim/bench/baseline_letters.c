/* baseline_letters.c: a dead letter's way from put over claim to resolve, in three transactions. */
#include "bench/baseline_internal.h"

/* Microseconds that a claimed letter is held, and how often a letter may fail: the plugin's defaults. */
static const int64_t LEASE_US = 30000000;
enum { ATTEMPTS_MAX = 3 };

static bool bind_text(sqlite3_stmt *statement, int place, const char *text) {
    return sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC) == SQLITE_OK;
}

/* Steps to the one row that there must be, and takes a number from it; 0 for NULL. */
static bool run_for_number(sqlite3_stmt *statement, int64_t *ret_number, bool *ret_null) {
    bool row = sqlite3_step(statement) == SQLITE_ROW;
    *ret_number = row ? sqlite3_column_int64(statement, 0) : 0;
    *ret_null = row && sqlite3_column_type(statement, 0) == SQLITE_NULL;
    return sqlite3_reset(statement) == SQLITE_OK && row;
}

static bool put(struct baseline *baseline, int64_t event_id, int64_t *ret_consumer) {
    sqlite3_stmt *const *statements = baseline->statements;
    int64_t stream = 0;
    int64_t letter = 0;
    bool no_stream = false;
    bool ignored = false;
    int64_t now_us = baseline_now_us();
    (void)bind_text(statements[CONSUMER], 1, BASELINE_CONSUMER);
    (void)sqlite3_bind_int64(statements[STREAM_OF], 1, event_id);
    if (!run_for_number(statements[CONSUMER], ret_consumer, &ignored) ||
        !run_for_number(statements[STREAM_OF], &stream, &no_stream)) {
        return false;
    }
    sqlite3_stmt *insert = statements[LETTER];
    (void)sqlite3_bind_int64(insert, 1, event_id);
    (void)sqlite3_bind_int64(insert, 2, *ret_consumer);
    (void)(no_stream ? sqlite3_bind_null(insert, 3) : sqlite3_bind_int64(insert, 3, stream));
    (void)sqlite3_bind_int64(insert, 4, ATTEMPTS_MAX);
    (void)sqlite3_bind_int64(insert, 5, now_us);
    if (!run_for_number(insert, &letter, &ignored)) {
        return false;
    }
    sqlite3_stmt *failed = statements[LETTER_FAILURE];
    (void)sqlite3_bind_int64(failed, 1, letter);
    (void)bind_text(failed, 2, BASELINE_FAILURE_CLASS);
    (void)bind_text(failed, 3, BASELINE_FAILURE_MESSAGE);
    (void)sqlite3_bind_int64(failed, 4, now_us);
    return baseline_run(failed);
}

static bool claim(struct baseline *baseline, int64_t consumer, int64_t *ret_event) {
    sqlite3_stmt *update = baseline->statements[CLAIM_LETTER];
    bool ignored = false;
    int64_t now_us = baseline_now_us();
    (void)sqlite3_bind_int64(update, 1, consumer);
    (void)sqlite3_bind_int64(update, 2, now_us);
    (void)sqlite3_bind_int64(update, 3, now_us + LEASE_US);
    return run_for_number(update, ret_event, &ignored);
}

static bool resolve(struct baseline *baseline, int64_t consumer, int64_t event_id) {
    sqlite3_stmt *update = baseline->statements[RESOLVE_LETTER];
    (void)sqlite3_bind_int64(update, 1, event_id);
    (void)sqlite3_bind_int64(update, 2, consumer);
    (void)sqlite3_bind_int64(update, 3, baseline_now_us());
    return baseline_run(update) && sqlite3_changes(baseline->db) == 1;
}

bool baseline_letter_cycle(struct baseline *baseline, struct baseline_reader *reader, int64_t event_id,
                           struct failure *failure) {
    sqlite3_stmt *begin = baseline->statements[BEGIN];
    sqlite3_stmt *commit = baseline->statements[COMMIT];
    int64_t consumer = 0;
    int64_t claimed = 0;
    uint64_t sum = 0;
    bool ok = baseline_run(begin) && put(baseline, event_id, &consumer) && baseline_run(commit) &&
              baseline_run(begin) && claim(baseline, consumer, &claimed) && baseline_run(commit);
    struct page_query event = {.kind = PAGE_ALL, .after_id = claimed - 1, .limit = 1};
    if (ok && !baseline_read(reader, &event, baseline_touch, &sum, failure)) {
        return false;
    }
    ok = ok && baseline_run(begin) && resolve(baseline, consumer, claimed) && baseline_run(commit);
    return ok || baseline_fail(baseline->db, "take a dead letter through its states", failure);
}
