/* format.c: the tables, their numbered migrations, and the marks by which a store is known. */
#include "storage/sqlite/format.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "storage/sqlite/objects.h"

/* PRAGMA application_id: "PLES". */
enum { APPLICATION_ID = 0x504C4553 };

/* Ids of events are given by the writer, not by SQLite: highest ever + 1, where `store` keeps the highest that was
 * removed. Every filter has an index whose entries end in the event's id, so that each default order is a walk through
 * one index. Names are kept once and referred to by number, which keeps those indexes small. */
static const char *const FORMAT_1[] = {
    /* names */
    "CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), store_id BLOB NOT NULL, secret BLOB NOT NULL,"
    "  removed_last_id INTEGER NOT NULL, removed_recorded_us INTEGER NOT NULL, created_us INTEGER NOT NULL) STRICT;"
    "CREATE TABLE type (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,"
    "  first_id INTEGER NOT NULL, last_id INTEGER NOT NULL) STRICT;"
    "CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, event_count INTEGER NOT NULL,"
    "  last_id INTEGER NOT NULL) STRICT;"
    "CREATE TABLE consumer (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;",
    /* events */
    "CREATE TABLE event (id INTEGER PRIMARY KEY, type_id INTEGER NOT NULL, time_us INTEGER NOT NULL,"
    "  recorded_us INTEGER NOT NULL, stream_id INTEGER, version INTEGER, batch_id INTEGER, schema_version INTEGER,"
    "  key BLOB, correlation TEXT, causation TEXT, tags BLOB, metadata BLOB, data BLOB NOT NULL) STRICT;"
    "CREATE INDEX event_by_type ON event (type_id);"
    "CREATE INDEX event_by_type_time ON event (type_id, time_us);"
    "CREATE INDEX event_by_time ON event (time_us);"
    "CREATE INDEX event_by_stream ON event (stream_id) WHERE stream_id IS NOT NULL;"
    "CREATE INDEX event_by_batch ON event (batch_id) WHERE batch_id IS NOT NULL;"
    "CREATE INDEX event_by_correlation ON event (correlation) WHERE correlation IS NOT NULL;"
    "CREATE UNIQUE INDEX event_by_key ON event (key) WHERE key IS NOT NULL;"
    "CREATE TABLE event_tag (tag_id INTEGER NOT NULL, event_id INTEGER NOT NULL, PRIMARY KEY (tag_id, event_id))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER event_is_never_updated BEFORE UPDATE ON event BEGIN"
    "  SELECT RAISE(ABORT, 'events are never altered'); END;"
    "CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event BEGIN"
    "  SELECT RAISE(ABORT, 'events are never removed'); END;",
    /* batches */
    "CREATE TABLE batch (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, state INTEGER NOT NULL,"
    "  event_count INTEGER NOT NULL, metadata BLOB, reason TEXT, created_us INTEGER NOT NULL,"
    "  closed_us INTEGER NOT NULL, first_id INTEGER NOT NULL, last_id INTEGER NOT NULL) STRICT;"
    "CREATE INDEX batch_by_state ON batch (state);"
    "CREATE TABLE draft (id INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL, type TEXT NOT NULL,"
    "  time_us INTEGER NOT NULL, time_given INTEGER NOT NULL, stream TEXT, expectation INTEGER NOT NULL,"
    "  expected_version INTEGER NOT NULL, schema_version INTEGER, key BLOB, correlation TEXT, causation TEXT,"
    "  tag_names BLOB, tags BLOB, metadata BLOB, data BLOB NOT NULL) STRICT;"
    "CREATE INDEX draft_by_batch ON draft (batch_id);",
    /* dead letters */
    "CREATE TABLE dead_letter (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id INTEGER NOT NULL,"
    "  consumer_id INTEGER NOT NULL, stream_id INTEGER, state INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    "  attempts_max INTEGER NOT NULL, due_us INTEGER NOT NULL, lease_until_us INTEGER NOT NULL,"
    "  token INTEGER NOT NULL, counted INTEGER NOT NULL, holder TEXT, reason TEXT, failure_seq INTEGER NOT NULL,"
    "  created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX dead_letter_by_event ON dead_letter (event_id, consumer_id);"
    "CREATE INDEX dead_letter_by_state ON dead_letter (consumer_id, state);"
    "CREATE INDEX dead_letter_by_due ON dead_letter (consumer_id, due_us) WHERE state = 0;"
    "CREATE INDEX dead_letter_by_lease ON dead_letter (consumer_id, lease_until_us) WHERE state = 1;"
    "CREATE INDEX dead_letter_by_stream ON dead_letter (consumer_id, stream_id, event_id)"
    "  WHERE state IN (0, 1, 3) AND stream_id IS NOT NULL;"
    "CREATE TABLE dead_letter_failure (letter_id INTEGER NOT NULL, seq INTEGER NOT NULL, class TEXT,"
    "  message TEXT NOT NULL, time_us INTEGER NOT NULL, PRIMARY KEY (letter_id, seq)) STRICT, WITHOUT ROWID;",
    /* schemas */
    "CREATE TABLE schema_type (type TEXT PRIMARY KEY, latest INTEGER NOT NULL, policy TEXT NOT NULL) STRICT;"
    "CREATE TABLE schema_version (type TEXT NOT NULL, version INTEGER NOT NULL, format INTEGER NOT NULL,"
    "  schema BLOB NOT NULL, metadata BLOB, created_us INTEGER NOT NULL, PRIMARY KEY (type, version)) STRICT;"
    "CREATE TRIGGER schema_version_is_never_updated BEFORE UPDATE ON schema_version BEGIN"
    "  SELECT RAISE(ABORT, 'schema versions are never altered'); END;",
    NULL,
};

/* Schemas are validated by: settings of types, retired versions, documents given with a schema, and what was rejected.
 * Types of format 1 keep their only policy, off (SCHEMA_POLICY_OFF is 3). */
static const char *const FORMAT_2[] = {
    "ALTER TABLE schema_type RENAME TO schema_type_1;"
    "CREATE TABLE schema_type (type TEXT PRIMARY KEY, latest INTEGER NOT NULL, current INTEGER NOT NULL,"
    "  policy INTEGER NOT NULL, compatibility INTEGER NOT NULL, unknown INTEGER NOT NULL, content INTEGER NOT NULL,"
    "  format INTEGER NOT NULL, extended INTEGER NOT NULL) STRICT;"
    "INSERT INTO schema_type SELECT type, latest, latest, 3, 0, 0, 0, 0, 0 FROM schema_type_1;"
    "DROP TABLE schema_type_1;"
    "ALTER TABLE schema_version ADD COLUMN documents BLOB;"
    "ALTER TABLE schema_version ADD COLUMN retired_us INTEGER NOT NULL DEFAULT 0;"
    "DROP TRIGGER schema_version_is_never_updated;"
    "CREATE TRIGGER schema_version_is_never_updated"
    "  BEFORE UPDATE OF type, version, format, schema, metadata, created_us, documents ON schema_version BEGIN"
    "  SELECT RAISE(ABORT, 'schema versions are never altered'); END;"
    "CREATE TRIGGER schema_version_is_never_deleted BEFORE DELETE ON schema_version BEGIN"
    "  SELECT RAISE(ABORT, 'schema versions are never removed'); END;",
    "CREATE TABLE rejected (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, schema_version INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, key BLOB, event BLOB NOT NULL, failures BLOB NOT NULL, reason TEXT,"
    "  event_id INTEGER NOT NULL, created_us INTEGER NOT NULL, updated_us INTEGER NOT NULL) STRICT;"
    "CREATE INDEX rejected_by_type ON rejected (type);"
    "CREATE INDEX rejected_by_state ON rejected (state);"
    "CREATE INDEX rejected_by_type_state ON rejected (type, state);"
    "CREATE INDEX rejected_by_key ON rejected (key) WHERE state = 0 AND key IS NOT NULL;",
    NULL,
};

/* MIGRATIONS[i] raises format i to i + 1. */
static const char *const *const MIGRATIONS[STORE_FORMAT] = {FORMAT_1, FORMAT_2};
/* How many tables and indexes a file of format i + 1 has. */
static const int OBJECT_COUNTS[STORE_FORMAT] = {13 + 14, 14 + 18};

static enum status insert_identity(struct connection *connection, struct error *error) {
    uint8_t random[48];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return error_set(error, IO, "create the store: the system gives no random bytes");
    }
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status = statement_get(connection, "INSERT INTO store VALUES (1, ?1, ?2, 0, 0, ?3)", "create the store",
                                       &statement, error);
    if (status != OK) {
        return status;
    }
    bind_blob(&statement, (struct bytes){random, 16});
    bind_blob(&statement, (struct bytes){random + 16, 32});
    bind_int(&statement, connection->host->now_us(connection->host->context));
    return statement_run(&statement, error);
}

static enum status migrate_one(struct connection *connection, int64_t from, struct error *error) {
    char sql[96];
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d", APPLICATION_ID, (int)from + 1);
    enum status status = OK;
    for (const char *const *step = MIGRATIONS[from]; status == OK && *step != NULL; step++) {
        status = connection_execute(connection, *step, "create the tables", error);
    }
    if (status == OK && from == 0) {
        status = insert_identity(connection, error);
    }
    if (status == OK) {
        status = connection_execute(connection, sql, "mark the file", error);
    }
    return status;
}

/* One transaction for all steps: whoever opens the file meanwhile, or after this process was killed, finds it as it was
 * or of the newest format. */
static enum status migrate(struct connection *connection, int64_t from, struct error *error) {
    if (from == STORE_FORMAT) {
        return OK;
    }
    enum status status = connection_execute(connection, "BEGIN IMMEDIATE", "begin a migration", error);
    if (status != OK) {
        return status;
    }
    for (int64_t format = from; status == OK && format < STORE_FORMAT; format++) {
        status = migrate_one(connection, format, error);
    }
    if (status == INTERNAL && from > 0) {
        /* Every sound store takes these statements: the schema table contradicts itself where nobody looked. */
        status = error_set(error, CORRUPT,
                           "open: the file's list of tables is damaged, and the store cannot be raised to format "
                           "%d; restore a backup",
                           STORE_FORMAT);
    }
    if (status == OK) {
        status = connection_execute(connection, "COMMIT", "commit a migration", error);
    }
    if (status != OK) {
        (void)sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

static enum status prepare_new_file(struct connection *connection, const struct config *config, struct error *error) {
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA page_size=%lld", (long long)config->page_size);
    return connection_execute(connection, sql, "set the page size", error);
}

static enum status read_identity(struct connection *connection, struct storage_info *ret_info, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status =
        statement_get(connection, "SELECT store_id, secret FROM store", "read the store's identity", &statement, error);
    bool row = false;
    if (status == OK) {
        status = statement_step(&statement, &row, error);
    }
    if (status != OK) {
        return status;
    }
    struct bytes id = row ? column_bytes(&statement, 0) : (struct bytes){0};
    struct bytes secret = row ? column_bytes(&statement, 1) : (struct bytes){0};
    if (id.size != sizeof ret_info->store_id || secret.size != sizeof ret_info->secret) {
        return error_set(error, CORRUPT, "open: the file has no identity; restore a backup");
    }
    memcpy(ret_info->store_id, id.data, id.size);
    memcpy(ret_info->secret, secret.data, secret.size);
    return OK;
}

static const char READ_HEADER[] = "read the file's header";

/* In a transaction. */
static enum status recognise_now(struct connection *connection, int64_t *ret_format, struct error *error) {
    int64_t application = 0;
    int64_t format = 0;
    int64_t objects = 0;
    enum status status = connection_query_int(connection, "PRAGMA application_id", READ_HEADER, &application, error);
    if (status == OK) {
        status = connection_query_int(connection, "PRAGMA user_version", READ_HEADER, &format, error);
    }
    if (status == OK) {
        status = connection_query_int(connection, "SELECT count(*) FROM sqlite_schema", READ_HEADER, &objects, error);
    }
    if (status != OK) {
        return status;
    }
    if (application == 0 && format == 0 && objects == 0) {
        *ret_format = -1;
        return OK;
    }
    if (application != APPLICATION_ID) {
        return error_set(
            error, CORRUPT,
            "open: the file is a SQLite database, but no event store (application_id is %lld, %d is wanted)",
            (long long)application, APPLICATION_ID);
    }
    if (format < STORE_FORMAT_READ_MIN || format > STORE_FORMAT) {
        error_set(
            error, INCOMPATIBLE,
            "open: the file has format %lld, this plugin reads %d to %d; use a plugin of the version that wrote it",
            (long long)format, STORE_FORMAT_READ_MIN, STORE_FORMAT);
        error_add_number(error, "format", format);
        error_add_number(error, "format_max", STORE_FORMAT);
        return INCOMPATIBLE;
    }
    struct objects wanted = {MIGRATIONS, format, OBJECT_COUNTS[format - 1]};
    status = objects_check(connection, &wanted, error);
    if (status == OK) {
        *ret_format = format;
    }
    return status;
}

/* What the file is: *ret_format is -1 for an empty one. All is read as of one moment: a writer may just be making or
 * raising the store. */
static enum status recognise(struct connection *connection, int64_t *ret_format, struct error *error) {
    int64_t format = 0;
    enum status status = connection_execute(connection, "BEGIN", READ_HEADER, error);
    if (status != OK) {
        return status;
    }
    status = recognise_now(connection, &format, error);
    if (status != OK) {
        (void)sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
        return status;
    }
    status = connection_execute(connection, "COMMIT", READ_HEADER, error);
    if (status == OK) {
        *ret_format = format;
    }
    return status;
}

static enum status switch_to_wal(struct connection *connection, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    bool row = false;
    enum status status =
        statement_get(connection, "PRAGMA journal_mode=WAL", "switch to a write-ahead log", &statement, error);
    if (status == OK) {
        status = statement_step(&statement, &row, error);
    }
    if (status == OK && (!row || !bytes_equal_string(column_bytes(&statement, 0), "wal"))) {
        return error_set(error, IO,
                         "open: the file system of the store does not support a write-ahead log; "
                         "use a local one");
    }
    /* The row says what is intended; it is written down only now, and that may fail. */
    return status == OK ? statement_run(&statement, error) : status;
}

enum status format_open(struct connection *connection, const struct config *config, struct storage_info *ret_info,
                        struct error *error) {
    int64_t format = 0;
    enum status status = recognise(connection, &format, error);
    if (status != OK) {
        return status;
    }
    if (format > 0 && format < STORE_FORMAT && config->read_only) {
        error_set(error, INCOMPATIBLE,
                  "open: the file has format %lld, and a reader cannot raise it to %d; open it once with mode write",
                  (long long)format, STORE_FORMAT);
        error_add_number(error, "format", format);
        error_add_number(error, "format_max", STORE_FORMAT);
        return INCOMPATIBLE;
    }
    if (format < 0 && config->read_only) {
        return error_set(error, NOT_FOUND, "open: the file is empty; a writer must create the store first");
    }
    if (!config->read_only) {
        if (format < 0) {
            status = prepare_new_file(connection, config, error);
        }
        if (status == OK) {
            status = switch_to_wal(connection, error);
        }
        if (status == OK) {
            status = migrate(connection, format < 0 ? 0 : format, error);
        }
        if (status != OK) {
            return status;
        }
    }
    ret_info->created = format < 0;
    ret_info->format = STORE_FORMAT;
    return read_identity(connection, ret_info, error);
}
