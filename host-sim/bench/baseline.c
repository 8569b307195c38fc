/* baseline.c: the plain loop over SQLite: appending. */
#include "bench/baseline.h"

#include <stdlib.h>
#include <string.h>

#include "bench/baseline_internal.h"
#include "bench/clock.h"

static const char *const SQL[BASELINE_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [TYPE] = "INSERT INTO type (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id",
    [STREAM] = ("INSERT INTO stream (name, version, first_id, last_id) VALUES (?1, 1, ?2, ?2)"
                " ON CONFLICT (name) DO UPDATE SET version = version + 1, last_id = ?2 RETURNING id, version"),
    [EVENT] = ("INSERT INTO event (id, type_id, time_us, recorded_us, stream_id, version, tags, data)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
    [TAG] = ("INSERT INTO tag (name, event_count, last_id) VALUES (?1, 1, ?2)"
             " ON CONFLICT (name) DO UPDATE SET event_count = event_count + 1, last_id = ?2 RETURNING id"),
    [EVENT_TAG] = "INSERT INTO event_tag (tag_id, event_id) VALUES (?1, ?2)",
    [CONSUMER] = "INSERT INTO consumer (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id",
    [STREAM_OF] = "SELECT stream_id FROM event WHERE id = ?1",
    [LETTER] = ("INSERT INTO dead_letter (event_id, consumer_id, stream_id, state, attempts, attempts_max, due_us,"
                " lease_until_us, token, counted, failure_seq, created_us, updated_us)"
                " VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, 0, 0, 0, 1, ?5, ?5) RETURNING id"),
    [LETTER_FAILURE] = ("INSERT INTO dead_letter_failure (letter_id, seq, class, message, time_us)"
                        " VALUES (?1, 1, ?2, ?3, ?4)"),
    [CLAIM_LETTER] = ("UPDATE dead_letter SET state = 1, due_us = 0, lease_until_us = ?3, token = token + 1,"
                      " updated_us = ?2 WHERE id = (SELECT id FROM dead_letter INDEXED BY dead_letter_by_due"
                      " WHERE consumer_id = ?1 AND state = 0 AND due_us <= ?2 ORDER BY due_us, id LIMIT 1)"
                      " RETURNING event_id"),
    [RESOLVE_LETTER] = ("UPDATE dead_letter SET state = 2, lease_until_us = 0, updated_us = ?3"
                        " WHERE event_id = ?1 AND consumer_id = ?2 AND state = 1"),
};

bool baseline_fail(sqlite3 *db, const char *what, struct failure *failure) {
    return failure_set(failure, "the baseline cannot %s: %s", what, db != NULL ? sqlite3_errmsg(db) : "no memory");
}

bool baseline_connect(const char *path, sqlite3 **ret_db, struct failure *failure) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    bool open = sqlite3_open_v2(path, ret_db, flags, NULL) == SQLITE_OK;
    open = open && sqlite3_busy_timeout(*ret_db, 5000) == SQLITE_OK;
    return (open && sqlite3_exec(*ret_db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096;",
                                 NULL, NULL, NULL) == SQLITE_OK) ||
           baseline_fail(*ret_db, "open its file", failure);
}

bool baseline_prepare(sqlite3 *db, const char *const *sql, int count, sqlite3_stmt **ret_statements,
                      struct failure *failure) {
    for (int i = 0; i < count; i++) {
        if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &ret_statements[i], NULL) != SQLITE_OK) {
            return baseline_fail(db, "prepare its statements", failure);
        }
    }
    return true;
}

static bool read_last_id(struct baseline *baseline, struct failure *failure) {
    sqlite3_stmt *find = NULL;
    bool found =
        sqlite3_prepare_v2(baseline->db, "SELECT coalesce(max(id), 0) FROM event", -1, &find, NULL) == SQLITE_OK &&
        sqlite3_step(find) == SQLITE_ROW;
    baseline->last_id = found ? sqlite3_column_int64(find, 0) : 0;
    (void)sqlite3_finalize(find);
    return found || baseline_fail(baseline->db, "read its last event", failure);
}

bool baseline_open(const char *path, struct baseline **ret_baseline, struct failure *failure) {
    CLEANUP(baseline_freep) struct baseline *baseline = calloc(1, sizeof *baseline);
    if (baseline == NULL) {
        return failure_set(failure, "no memory for the baseline");
    }
    if (!baseline_connect(path, &baseline->db, failure) ||
        !baseline_prepare(baseline->db, SQL, BASELINE_STATEMENTS, baseline->statements, failure) ||
        !read_last_id(baseline, failure)) {
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
    for (int i = 0; i < BASELINE_STATEMENTS; i++) {
        (void)sqlite3_finalize((*baseline)->statements[i]);
    }
    (void)sqlite3_close((*baseline)->db);
    free(*baseline);
    *baseline = NULL;
}

int64_t baseline_last_id(const struct baseline *baseline) {
    return baseline->last_id;
}

bool baseline_run(sqlite3_stmt *statement) {
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && done;
}

/* Runs a statement that returns one row of numbers. */
static bool run_returning(sqlite3_stmt *statement, int64_t *ret_first, int64_t *ret_second) {
    bool row = sqlite3_step(statement) == SQLITE_ROW;
    if (row) {
        *ret_first = sqlite3_column_int64(statement, 0);
        *ret_second = ret_second != ret_first ? sqlite3_column_int64(statement, 1) : *ret_first;
    }
    return sqlite3_reset(statement) == SQLITE_OK && row;
}

static bool find_type(struct baseline *baseline, uint32_t type) {
    int64_t *id = &baseline->type_ids[type];
    if (*id != 0) {
        return true;
    }
    (void)sqlite3_bind_text(baseline->statements[TYPE], 1, EVENT_TYPE_NAMES[type], -1, SQLITE_STATIC);
    return run_returning(baseline->statements[TYPE], id, id);
}

static bool advance_stream(struct baseline *baseline, const char *name, int64_t event_id, int64_t *ret_id,
                           int64_t *ret_version) {
    sqlite3_stmt *stream = baseline->statements[STREAM];
    (void)sqlite3_bind_text(stream, 1, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(stream, 2, event_id);
    return run_returning(stream, ret_id, ret_version);
}

static bool insert_event(struct baseline *baseline, const struct bench_event *event, int64_t recorded_us, int64_t id) {
    sqlite3_stmt *insert = baseline->statements[EVENT];
    int64_t stream_id = 0;
    int64_t version = 0;
    if (!find_type(baseline, event->type) ||
        (event->has_stream && !advance_stream(baseline, event->tag, id, &stream_id, &version))) {
        return false;
    }
    (void)sqlite3_bind_int64(insert, 1, id);
    (void)sqlite3_bind_int64(insert, 2, baseline->type_ids[event->type]);
    (void)sqlite3_bind_int64(insert, 3, event->time_us);
    (void)sqlite3_bind_int64(insert, 4, recorded_us);
    if (event->has_stream) {
        (void)sqlite3_bind_int64(insert, 5, stream_id);
        (void)sqlite3_bind_int64(insert, 6, version);
    } else {
        (void)sqlite3_bind_null(insert, 5);
        (void)sqlite3_bind_null(insert, 6);
    }
    (void)sqlite3_bind_blob(insert, 7, event->tags, (int)event->tags_size, SQLITE_STATIC);
    (void)sqlite3_bind_blob(insert, 8, event->data, (int)event->data_size, SQLITE_STATIC);
    return baseline_run(insert);
}

static bool add_tag(struct baseline *baseline, const char *tag, int64_t event_id) {
    sqlite3_stmt *count = baseline->statements[TAG];
    sqlite3_stmt *entry = baseline->statements[EVENT_TAG];
    int64_t tag_id = 0;
    (void)sqlite3_bind_text(count, 1, tag, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(count, 2, event_id);
    if (!run_returning(count, &tag_id, &tag_id)) {
        return false;
    }
    (void)sqlite3_bind_int64(entry, 1, tag_id);
    (void)sqlite3_bind_int64(entry, 2, event_id);
    return baseline_run(entry);
}

int64_t baseline_now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

bool baseline_append(struct baseline *baseline, const struct baseline_load *load, struct failure *failure) {
    CLEANUP(baseline_events_freep) struct bench_event *events = calloc(load->per_commit, sizeof *events);
    if (events == NULL) {
        return failure_set(failure, "no memory for the baseline's events");
    }
    uint64_t end = load->first + load->count;
    for (uint64_t n = load->first; n < end; n += load->per_commit) {
        uint64_t count = end - n < load->per_commit ? end - n : load->per_commit;
        for (uint64_t i = 0; i < count; i++) { /* the plugin's requests are made before its clock starts, too */
            event_make(n + i, load->body, &events[i]);
        }
        int64_t began_ns = monotonic_ns();
        bool ok = baseline_run(baseline->statements[BEGIN]);
        int64_t recorded_us = baseline_now_us();
        for (uint64_t i = 0; ok && i < count; i++) {
            int64_t id = ++baseline->last_id;
            ok = insert_event(baseline, &events[i], recorded_us, id) && add_tag(baseline, events[i].tag, id);
        }
        ok = ok && baseline_run(baseline->statements[COMMIT]);
        if (!ok) {
            return baseline_fail(baseline->db, "append", failure);
        }
        if (load->took != NULL) {
            load->took(load->context, monotonic_ns() - began_ns);
        }
    }
    return true;
}

void baseline_events_freep(struct bench_event **events) {
    free(*events);
}
