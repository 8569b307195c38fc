/* store_dump.c: reading a store's tables. */
#include "store_dump.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Rows of names that nothing refers to may or may not be there: they are no part of what is compared. */
static const char *const TABLES[] = {
    "SELECT 'integrity', * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
    "SELECT 'journal', journal_mode FROM pragma_journal_mode",
    "SELECT 'event', e.id, t.name, e.time_us, e.recorded_us, s.name, e.version, b.name, e.schema_version, e.key,"
    " e.correlation, e.causation, e.tags, e.metadata, e.data FROM event e JOIN type t ON t.id = e.type_id"
    " LEFT JOIN stream s ON s.id = e.stream_id LEFT JOIN batch b ON b.id = e.batch_id ORDER BY e.id",
    "SELECT 'event_tag', e.event_id, t.name FROM event_tag e JOIN tag t ON t.id = e.tag_id ORDER BY 2, 3",
    "SELECT 'tag', name, event_count, last_id FROM tag ORDER BY name",
    "SELECT 'stream', name, version, first_id, last_id FROM stream ORDER BY name",
    "SELECT 'batch', id, name, state, event_count, metadata, reason, created_us, closed_us, first_id, last_id"
    " FROM batch ORDER BY id",
    "SELECT 'draft', b.name, d.type, d.time_us, d.time_given, d.stream, d.expectation, d.expected_version,"
    " d.schema_version, d.key, d.correlation, d.causation, d.tag_names, d.tags, d.metadata, d.data"
    " FROM draft d JOIN batch b ON b.id = d.batch_id ORDER BY d.id",
    "SELECT 'dead_letter', d.id, d.event_id, c.name, s.name, d.state, d.attempts, d.attempts_max, d.due_us,"
    " d.lease_until_us, d.token, d.counted, d.holder, d.reason, d.failure_seq, d.created_us, d.updated_us"
    " FROM dead_letter d JOIN consumer c ON c.id = d.consumer_id LEFT JOIN stream s ON s.id = d.stream_id ORDER BY "
    "d.id",
    "SELECT 'failure', letter_id, seq, class, message, time_us FROM dead_letter_failure ORDER BY 2, 3",
    "SELECT 'schema_type', * FROM schema_type ORDER BY type",
    "SELECT 'schema_version', * FROM schema_version ORDER BY type, version",
    "SELECT 'rejected', * FROM rejected ORDER BY id",
    "SELECT 'sequence', name, seq FROM sqlite_sequence ORDER BY name",
    "SELECT 'removed', removed_last_id, removed_recorded_us FROM store",
};

/* Each must give no row; that indexes and tables agree is part of the dump. */
static const char *const RULES[] = {
    "SELECT 'tag counts its events', name, event_count FROM tag t WHERE event_count <>"
    " (SELECT count(*) FROM event_tag WHERE tag_id = t.id) OR last_id <>"
    " (SELECT max(event_id) FROM event_tag WHERE tag_id = t.id)",
    "SELECT 'tags are of events', event_id FROM event_tag WHERE event_id NOT IN (SELECT id FROM event)",
    "SELECT 'a stream knows its events', name, version FROM stream s WHERE version <>"
    " (SELECT count(*) FROM event WHERE stream_id = s.id) OR first_id <> (SELECT min(id) FROM event WHERE stream_id ="
    " s.id) OR last_id <> (SELECT max(id) FROM event WHERE stream_id = s.id)",
    "SELECT 'versions are numbered through', id, version FROM (SELECT id, version, row_number() OVER (PARTITION BY"
    " stream_id ORDER BY id) AS place FROM event WHERE stream_id IS NOT NULL) WHERE version <> place",
    "SELECT 'recorded_at never goes back', id FROM (SELECT id, recorded_us, lag(recorded_us) OVER (ORDER BY id) AS "
    "before"
    " FROM event) WHERE recorded_us < before",
    "SELECT 'an open batch counts its drafts', name, event_count FROM batch b WHERE state = 0 AND event_count <>"
    " (SELECT count(*) FROM draft WHERE batch_id = b.id)",
    "SELECT 'a closed batch counts its events', name, event_count FROM batch b WHERE state <> 0 AND event_count <>"
    " (SELECT count(*) FROM event WHERE batch_id = b.id)",
    "SELECT 'events are of completed batches', id FROM event WHERE batch_id IS NOT NULL AND batch_id NOT IN"
    " (SELECT id FROM batch WHERE state = 1)",
    "SELECT 'drafts are of open batches', id FROM draft WHERE batch_id NOT IN (SELECT id FROM batch WHERE state = 0)",
    "SELECT 'a dead letter is in a legal state', id, state FROM dead_letter WHERE state NOT BETWEEN 0 AND 4"
    " OR event_id NOT IN (SELECT id FROM event) OR attempts > attempts_max OR (state = 1) <> (lease_until_us > 0)"
    " OR (state = 4 AND reason IS NULL)",
    "SELECT 'failures are of dead letters', letter_id FROM dead_letter_failure WHERE letter_id NOT IN"
    " (SELECT id FROM dead_letter)",
    "SELECT 'a type knows its latest schema', type, latest FROM schema_type t WHERE latest <>"
    " (SELECT coalesce(max(version), 0) FROM schema_version WHERE type = t.type)",
    "SELECT 'schemas of events are there', id FROM event e WHERE schema_version IS NOT NULL AND schema_version <> 0"
    " AND NOT EXISTS (SELECT 1 FROM schema_version WHERE version = e.schema_version"
    " AND type = (SELECT name FROM type WHERE id = e.type_id))",
    "SELECT 'what was resubmitted is an event', id FROM rejected WHERE state = 1 AND event_id NOT IN"
    " (SELECT id FROM event)",
};

/* ---- text ---- */

struct text {
    char *data;
    size_t size;
};

static void put(struct text *text, const char *what, size_t size) {
    text->data = realloc(text->data, text->size + size + 1);
    if (text->data == NULL) {
        abort();
    }
    memcpy(text->data + text->size, what, size);
    text->size += size;
    text->data[text->size] = '\0';
}

static bool is_plain(const unsigned char *data, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (data[i] < 0x20 || data[i] > 0x7E) {
            return false;
        }
    }
    return size <= 40;
}

static void put_value(struct text *text, sqlite3_stmt *row, int column) {
    char value[96];
    int type = sqlite3_column_type(row, column);
    const void *data = sqlite3_column_blob(row, column);
    size_t size = (size_t)sqlite3_column_bytes(row, column);
    if (type == SQLITE_NULL) {
        snprintf(value, sizeof value, "-");
    } else if (type == SQLITE_INTEGER || is_plain(data, size)) {
        snprintf(value, sizeof value, "%.*s", (int)size, size > 0 ? (const char *)data : "");
    } else {
        snprintf(value, sizeof value, "%zu:%016llx", size, (unsigned long long)XXH3_64bits(data, size));
    }
    put(text, " ", 1);
    put(text, value, strlen(value));
}

/* Appends the rows. Returns SQLite's code. */
static int put_rows(struct text *text, sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code != SQLITE_OK) {
        return code;
    }
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            put_value(text, statement, i);
        }
        put(text, "\n", 1);
    }
    (void)sqlite3_finalize(statement);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* ---- reading ---- */

/* With the last connection the log is removed: this one leaves the file as it is. */
static sqlite3 *open_store(const char *path, char ret_problem[PROBLEM_SIZE]) {
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);
    if (code != SQLITE_OK) {
        snprintf(ret_problem, PROBLEM_SIZE, "it cannot be opened: %s", sqlite3_errmsg(db));
        (void)sqlite3_close(db);
        return NULL;
    }
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_exec(db, "PRAGMA wal_autocheckpoint=0; BEGIN", NULL, NULL, NULL);
    return db;
}

char *store_dump(const char *path, char ret_problem[PROBLEM_SIZE]) {
    struct text text = {0};
    sqlite3 *db = open_store(path, ret_problem);
    if (db == NULL) {
        return NULL;
    }
    put(&text, "", 0);
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < sizeof TABLES / sizeof TABLES[0]; i++) {
        code = put_rows(&text, db, TABLES[i]);
    }
    if (code != SQLITE_OK) {
        snprintf(ret_problem, PROBLEM_SIZE, "it cannot be read: %s", sqlite3_errmsg(db));
        free(text.data);
        text.data = NULL;
    }
    (void)sqlite3_close(db);
    return text.data;
}

bool store_is_sound(const char *path, char ret_problem[PROBLEM_SIZE]) {
    struct text text = {0};
    sqlite3 *db = open_store(path, ret_problem);
    if (db == NULL) {
        return false;
    }
    int code = SQLITE_OK;
    for (size_t i = 0; code == SQLITE_OK && i < sizeof RULES / sizeof RULES[0]; i++) {
        code = put_rows(&text, db, RULES[i]);
    }
    bool is_sound = code == SQLITE_OK && text.size == 0;
    if (!is_sound) {
        snprintf(ret_problem, PROBLEM_SIZE, "broken: %s", code != SQLITE_OK ? sqlite3_errmsg(db) : text.data);
    }
    free(text.data);
    (void)sqlite3_close(db);
    return is_sound;
}

void store_dump_compare(const char *got, const char *wanted, char ret_problem[PROBLEM_SIZE]) {
    size_t line = 0;
    size_t i = 0;
    for (; got[i] != '\0' && got[i] == wanted[i]; i++) {
        line = got[i] == '\n' ? i + 1 : line;
    }
    int got_size = (int)strcspn(got + line, "\n");
    int wanted_size = (int)strcspn(wanted + line, "\n");
    snprintf(ret_problem, PROBLEM_SIZE, "it has '%.*s' where '%.*s' was", got_size, got + line, wanted_size,
             wanted + line);
}
