/* rounds_tables.c: the tables of the store, which no interface promises, against what was found through it. */
#include <sqlite3.h>

#include "rounds.h"

static int64_t ask_table(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int64_t result = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        result = sqlite3_column_int64(statement, 0);
    } else {
        complain("%s: %s", sql, sqlite3_errmsg(db));
    }
    (void)sqlite3_finalize(statement);
    return result;
}

void rounds_check_tables(const struct census *census) {
    static const char *const NONE[] = {
        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
        "SELECT count(*) FROM event_tag WHERE event_id NOT IN (SELECT id FROM event)",
        "SELECT count(*) FROM tag WHERE event_count <> (SELECT count(*) FROM event_tag WHERE tag_id = tag.id)",
        "SELECT count(*) FROM tag WHERE last_id <> (SELECT max(event_id) FROM event_tag WHERE tag_id = tag.id)",
        "SELECT count(*) FROM stream WHERE version <> (SELECT count(*) FROM event WHERE stream_id = stream.id)",
        "SELECT count(*) FROM stream WHERE last_id <> (SELECT max(id) FROM event WHERE stream_id = stream.id)",
        "SELECT count(*) FROM stream WHERE first_id <> (SELECT min(id) FROM event WHERE stream_id = stream.id)",
        "SELECT count(*) FROM batch WHERE state = 0"
        " AND event_count <> (SELECT count(*) FROM draft WHERE batch_id = batch.id)",
        "SELECT count(*) FROM batch WHERE state = 1"
        " AND event_count <> (SELECT count(*) FROM event WHERE batch_id = batch.id)",
        "SELECT count(*) FROM draft WHERE batch_id NOT IN (SELECT id FROM batch WHERE state = 0)",
        "SELECT count(*) FROM event WHERE batch_id IS NOT NULL AND batch_id NOT IN (SELECT id FROM batch WHERE state = "
        "1)",
        "SELECT count(*) FROM event WHERE type_id NOT IN (SELECT id FROM type)",
        "SELECT count(*) FROM dead_letter WHERE event_id NOT IN (SELECT id FROM event)",
        "SELECT count(*) FROM dead_letter WHERE state NOT BETWEEN 0 AND 4"
        " OR (state IN (0, 1) AND attempts >= attempts_max)",
        "SELECT count(*) FROM dead_letter_failure WHERE letter_id NOT IN (SELECT id FROM dead_letter)",
        "SELECT count(*) FROM schema_type WHERE latest <>"
        " (SELECT count(*) FROM schema_version v WHERE v.type = schema_type.type)",
        "SELECT count(*) FROM schema_type WHERE latest <>"
        " (SELECT max(version) FROM schema_version v WHERE v.type = schema_type.type)",
    };
    sqlite3 *db = NULL;
    if (sqlite3_open(STORE_FILE, &db) != SQLITE_OK) {
        complain("SQLite cannot open the store: %s", sqlite3_errmsg(db));
    } else {
        for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++) {
            int64_t rows = ask_table(db, NONE[i]);
            EXPECT(rows == 0, "%lld rows: %s", (long long)rows, NONE[i]);
        }
        EXPECT(ask_table(db, "SELECT count(*) FROM event") == census->events, "other events in the table");
        EXPECT(ask_table(db, "SELECT count(*) FROM event_tag") == census->tags, "other tags in the table");
    }
    (void)sqlite3_close(db);
}
