/* rounds_plant.c: what a defect would leave in the store, to prove that the check finds it. */
#include <sqlite3.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "rounds.h"

#define OPEN_UP                                                                                                        \
    "DROP TRIGGER IF EXISTS event_is_never_updated; DROP TRIGGER IF EXISTS event_is_never_deleted;"                    \
    "DROP TRIGGER IF EXISTS schema_version_is_never_updated; DROP TRIGGER IF EXISTS schema_version_is_never_deleted;"

static const struct {
    const char *what, *sql;
} PLANTS[] = {
    {"lost", OPEN_UP "DELETE FROM event_tag WHERE event_id = (SELECT max(id) FROM event WHERE key IS NOT NULL);"
                     "DELETE FROM event WHERE id = (SELECT max(id) FROM event WHERE key IS NOT NULL)"},
    {"torn", OPEN_UP "DELETE FROM event WHERE cast(key AS TEXT) GLOB '*/2/*/1'"
                     " AND id = (SELECT max(id) FROM event WHERE cast(key AS TEXT) GLOB '*/2/*/1')"},
    {"doubled", OPEN_UP
     "INSERT INTO event SELECT id + 1, type_id, time_us, recorded_us, NULL, NULL, NULL,"
     " schema_version, cast(cast(key AS TEXT) || '0' AS BLOB), correlation, causation, tags, metadata, data FROM event"
     " ORDER BY id DESC LIMIT 1"},
    {"altered", OPEN_UP "UPDATE event SET type_id = type_id % 3 + 1 WHERE id = (SELECT max(id) / 2 FROM event)"},
    {"recorded",
     OPEN_UP "UPDATE event SET recorded_us = recorded_us - 10000000 WHERE id = (SELECT max(id) FROM event)"},
    {"data", OPEN_UP "UPDATE event SET data = cast(substr(data, 1, length(data) - 1) || x'21' AS BLOB)"
                     " WHERE cast(key AS TEXT) GLOB '*/3/*/*'"},
    {"time", OPEN_UP "UPDATE event SET time_us = time_us + 5000000"},
    {"metadata", OPEN_UP "UPDATE event SET metadata = x'81A16D00' WHERE key IS NOT NULL"}, /* {"m": 0} */
    {"correlation", OPEN_UP "UPDATE event SET correlation = 'other' WHERE key IS NOT NULL"},
    {"causation", OPEN_UP "UPDATE event SET causation = NULL"},
    {"stream", "UPDATE stream SET version = version + 1 WHERE id = 1"},
    {"tag", "DELETE FROM event_tag WHERE event_id = (SELECT max(event_id) FROM event_tag)"},
    {"tag-count", "UPDATE tag SET event_count = event_count - 1 WHERE id = 1"},
    {"draft", "DELETE FROM draft WHERE id = (SELECT max(id) FROM draft)"},
    {"batch", "UPDATE batch SET state = 0 WHERE id = (SELECT max(id) FROM batch WHERE state = 1)"},
    {"letter", "UPDATE dead_letter SET state = 2 WHERE id = (SELECT min(id) FROM dead_letter WHERE state IN (0, 3))"},
    {"letter-lost", "DELETE FROM dead_letter WHERE id = (SELECT min(id) FROM dead_letter)"},
    {"attempts", "UPDATE dead_letter SET attempts = attempts + 2 WHERE id = (SELECT min(id) FROM dead_letter)"},
    {"schema", OPEN_UP "DELETE FROM schema_version WHERE type = 's' AND version = 1"},
    {"schema-version", OPEN_UP "UPDATE event SET schema_version = schema_version + 1"
                               " WHERE id = (SELECT max(id) FROM event WHERE schema_version > 0)"},
    {"rejected", "DELETE FROM rejected WHERE id = 1"},
    {"resubmitted", "UPDATE rejected SET state = 1, event_id = 1 WHERE id = (SELECT min(id) FROM rejected"
                    " WHERE state = 0)"},
};

/* "early" lies in the child; "log" takes away what a store without its log never had. */
const char *const PLANTED[] = {
    "early",       "log",       "lost",           "torn",     "doubled",     "altered",  "data",  "time",   "metadata",
    "correlation", "causation", "stream",         "tag",      "tag-count",   "draft",    "batch", "letter", "schema",
    "letter-lost", "attempts",  "schema-version", "rejected", "resubmitted", "recorded", NULL};

int rounds_plant(const char *what) {
    if (strcmp(what, "log") == 0) {
        (void)unlink(STORE_FILE "-shm");
        return unlink(STORE_FILE "-wal") == 0;
    }
    int rows = 0;
    sqlite3 *db = NULL;
    for (size_t i = 0; i < sizeof PLANTS / sizeof PLANTS[0]; i++) {
        if (strcmp(PLANTS[i].what, what) == 0 && sqlite3_open(STORE_FILE, &db) == SQLITE_OK &&
            sqlite3_exec(db, PLANTS[i].sql, NULL, NULL, NULL) == SQLITE_OK) {
            rows = sqlite3_changes(db);
        }
    }
    (void)sqlite3_close(db);
    return rows;
}
