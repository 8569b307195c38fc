/* baseline.c: the plain loop over SQLite. */
#include "bench/baseline.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/workload.h"

enum statement { BEGIN, COMMIT, INSERT_EVENT, COUNT_TAG, INSERT_TAG, STATEMENT_COUNT };

static const char *const SQL[STATEMENT_COUNT] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [INSERT_EVENT] = "INSERT INTO event (id, type_id, time_us, recorded_us, tags, data) VALUES (?1, 1, ?2, ?2, ?3, ?4)",
    [COUNT_TAG] = ("INSERT INTO tag (name, event_count, last_id) VALUES (?1, 1, ?2)"
                   " ON CONFLICT (name) DO UPDATE SET event_count = event_count + 1, last_id = ?2 RETURNING id"),
    [INSERT_TAG] = "INSERT INTO event_tag (tag_id, event_id) VALUES (?1, ?2)",
};

struct baseline {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    int64_t last_id;
};

static bool fail(const struct baseline *baseline, const char *what, struct failure *failure) {
    return failure_set(failure, "the baseline cannot %s: %s", what,
                       baseline->db != NULL ? sqlite3_errmsg(baseline->db) : "no memory");
}

/* Runs the SQL of every table, index and trigger of the store, in the order in which they were made. */
static bool copy_tables(struct baseline *baseline, const char *store_path, struct failure *failure) {
    sqlite3 *store = NULL;
    sqlite3_stmt *rows = NULL;
    bool ok = sqlite3_open_v2(store_path, &store, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(store,
                                 "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
                                 " ORDER BY rowid",
                                 -1, &rows, NULL) == SQLITE_OK;
    while (ok && sqlite3_step(rows) == SQLITE_ROW) {
        ok = sqlite3_exec(baseline->db, (const char *)sqlite3_column_text(rows, 0), NULL, NULL, NULL) == SQLITE_OK;
    }
    (void)sqlite3_finalize(rows);
    (void)sqlite3_close(store);
    return ok || fail(baseline, "copy the store's tables", failure);
}

static bool prepare(struct baseline *baseline, const char *path, const char *store_path, struct failure *failure) {
    if (sqlite3_open(path, &baseline->db) != SQLITE_OK ||
        sqlite3_exec(baseline->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096;", NULL,
                     NULL, NULL) != SQLITE_OK) {
        return fail(baseline, "open its file", failure);
    }
    if (!copy_tables(baseline, store_path, failure)) {
        return false;
    }
    if (sqlite3_exec(baseline->db, "INSERT INTO type VALUES (1, '" WORKLOAD_TYPE "')", NULL, NULL, NULL) != SQLITE_OK) {
        return fail(baseline, "write the type", failure);
    }
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(baseline->db, SQL[i], -1, SQLITE_PREPARE_PERSISTENT, &baseline->statements[i], NULL) !=
            SQLITE_OK) {
            return fail(baseline, "prepare its statements", failure);
        }
    }
    return true;
}

bool baseline_open(const char *path, const char *store_path, struct baseline **ret_baseline, struct failure *failure) {
    CLEANUP(baseline_freep) struct baseline *baseline = calloc(1, sizeof *baseline);
    if (baseline == NULL) {
        return failure_set(failure, "no memory for the baseline");
    }
    if (!prepare(baseline, path, store_path, failure)) {
        return false;
    }
    *ret_baseline = baseline;
    baseline = NULL; /* the caller owns it now */
    return true;
}

void baseline_freep(struct baseline **baseline) {
    if (*baseline == NULL) {
        return;
    }
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        (void)sqlite3_finalize((*baseline)->statements[i]);
    }
    (void)sqlite3_close((*baseline)->db);
    free(*baseline);
    *baseline = NULL;
}

static bool run(sqlite3_stmt *statement, int wanted) {
    return sqlite3_step(statement) == wanted;
}

static bool append_one(struct baseline *baseline, uint64_t n) {
    struct workload_event event;
    struct timespec now;
    workload_event(n, &event);
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t id = ++baseline->last_id;
    sqlite3_stmt *insert = baseline->statements[INSERT_EVENT];
    sqlite3_stmt *count = baseline->statements[COUNT_TAG];
    sqlite3_stmt *tag = baseline->statements[INSERT_TAG];
    (void)sqlite3_bind_int64(insert, 1, id);
    (void)sqlite3_bind_int64(insert, 2, now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000);
    (void)sqlite3_bind_blob(insert, 3, event.tags, (int)event.tags_size, SQLITE_STATIC);
    (void)sqlite3_bind_blob(insert, 4, event.data, (int)event.data_size, SQLITE_STATIC);
    bool ok = run(insert, SQLITE_DONE);
    (void)sqlite3_reset(insert);
    (void)sqlite3_bind_text(count, 1, event.tag, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(count, 2, id);
    ok = ok && run(count, SQLITE_ROW);
    int64_t tag_id = ok ? sqlite3_column_int64(count, 0) : 0;
    (void)sqlite3_reset(count);
    (void)sqlite3_bind_int64(tag, 1, tag_id);
    (void)sqlite3_bind_int64(tag, 2, id);
    ok = ok && run(tag, SQLITE_DONE);
    (void)sqlite3_reset(tag);
    return ok;
}

bool baseline_append(struct baseline *baseline, uint64_t first, uint64_t count, uint64_t per_commit,
                     struct failure *failure) {
    sqlite3_stmt *begin = baseline->statements[BEGIN];
    sqlite3_stmt *commit = baseline->statements[COMMIT];
    for (uint64_t n = first; n < first + count; n += per_commit) {
        bool ok = run(begin, SQLITE_DONE);
        (void)sqlite3_reset(begin);
        for (uint64_t i = n; ok && i < n + per_commit && i < first + count; i++) {
            ok = append_one(baseline, i);
        }
        ok = ok && run(commit, SQLITE_DONE);
        (void)sqlite3_reset(commit);
        if (!ok) {
            return fail(baseline, "append", failure);
        }
    }
    return true;
}
