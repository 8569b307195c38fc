/* connection.c: opening connections, preparing and stepping statements, translating errors. */
#include "storage/sqlite/connection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- errors ---- */

static bool is_no_space(int system_errno) {
    return system_errno == ENOSPC || system_errno == EDQUOT;
}

/* A file that cannot be made, or shared memory that cannot grow, for want of space has no code of its own. */
static enum status status_of_code(int code, int system_errno) {
    if (code == SQLITE_IOERR_NOMEM) {
        return NO_MEMORY;
    }
    bool is_system_failure = (code & 0xFF) == SQLITE_IOERR || (code & 0xFF) == SQLITE_CANTOPEN;
    if (is_system_failure && is_no_space(system_errno)) {
        return FULL;
    }
    if (code == SQLITE_CONSTRAINT_COMMITHOOK) {
        return IO; /* files.c */
    }
    switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return BUSY;
    case SQLITE_FULL:
        return FULL;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return IO;
    case SQLITE_READONLY:
        return READ_ONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_CONSTRAINT: /* what is written was looked up before: an index contradicts its table */
        return CORRUPT;
    case SQLITE_NOMEM:
        return NO_MEMORY;
    case SQLITE_TOOBIG:
        return TOO_LARGE;
    case SQLITE_INTERRUPT:
        return CANCELLED;
    default:
        return INTERNAL;
    }
}

static const char *advice(enum status status) {
    switch ((int)status) {
    case BUSY:
        return "another program holds the file's lock longer than busy_timeout_ms; try again when it let go";
    case FULL:
        return "no space is left; free some and try again";
    case IO:
        return "the file system failed; see the host's log, check the disk and the file's permissions";
    case READ_ONLY:
        return "the file cannot be written; check the permissions of it, its folder and the files beside it";
    case CORRUPT:
        return "the file is damaged; restore a backup, or export what can be read";
    case NO_MEMORY:
        /* SQLite says the same of a row that claims a size which it never allocates. */
        return "memory could not be allocated; if there is enough of it, the file is damaged: restore a backup";
    case TOO_LARGE:
        return "a value is larger than the store can keep";
    default:
        return "this is a defect of the plugin; see the host's log";
    }
}

enum status connection_error(const struct connection *connection, int code, const char *what, struct error *error) {
    int last_errno = errno; /* of the calls that SQLite made: it remembers none of those that a commit makes */
    const char *text = connection->db != NULL ? sqlite3_errmsg(connection->db) : sqlite3_errstr(code);
    int system_errno = connection->db != NULL ? sqlite3_system_errno(connection->db) : 0;
    if (code == SQLITE_IOERR_FSYNC || is_no_space(last_errno)) {
        system_errno = last_errno;
    }
    enum status status = status_of_code(code, system_errno);
    if (code == SQLITE_ERROR && strcmp(text, "unsupported file format") == 0) {
        status = CORRUPT; /* what the file's header says of its tables; there is no code of its own for it */
    }
    int32_t level = status == BUSY ? POLARIS_ES_LOG_WARNING : POLARIS_ES_LOG_ERROR;
    connection->host->log(connection->host->context, level, "%s: SQLite code %d (%s), errno %d", what, code, text,
                          system_errno);
    if (code == SQLITE_CONSTRAINT_COMMITHOOK) {
        return error_set(error, status,
                         "%s: a file of the store was moved, replaced or removed, or its log cut, while it is open, "
                         "and what is written "
                         "now would be lost; put it back, or shut the store down",
                         what);
    }
    return error_set(error, status, "%s: %s", what, advice(status));
}

/* ---- opening ---- */

/* No statement of ours comes near any of these; what a damaged or prepared file claims ends here. A row holds an event
 * or a schema with its documents, of up to 64 MiB each. */
static void set_limits(sqlite3 *db) {
    static const struct {
        int limit, value;
    } LIMITS[] = {
        {SQLITE_LIMIT_LENGTH, 256 << 20},
        {SQLITE_LIMIT_SQL_LENGTH, 256 << 10},
        {SQLITE_LIMIT_COLUMN, 64},
        {SQLITE_LIMIT_EXPR_DEPTH, 100},
        {SQLITE_LIMIT_COMPOUND_SELECT, 256},
        {SQLITE_LIMIT_VDBE_OP, 250000},
        {SQLITE_LIMIT_FUNCTION_ARG, 8},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 4096},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 4},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++) {
        (void)sqlite3_limit(db, LIMITS[i].limit, LIMITS[i].value);
    }
}

static enum status configure(struct connection *connection, enum connection_role role, const struct config *config,
                             struct error *error) {
    static const char WHAT[] = "configure the store's connection";
    sqlite3 *db = connection->db;
    (void)sqlite3_extended_result_codes(db, 1);
    (void)sqlite3_busy_timeout(db, (int)config->busy_timeout_ms);
    /* A prepared database file must not be able to run code or to write where it should not (sqlite.org/security.html).
     */
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, NULL); /* Debian's has it on */
    set_limits(db);
    char sql[256];
    /* mmap stays off: a file truncated under a mapping is SIGBUS for the host. cell_size_check finds damage early. */
    snprintf(sql, sizeof sql, "PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA cache_size=-%lld;",
             (long long)config->cache_kib);
    enum status status = connection_execute(connection, sql, WHAT, error);
    if (status == OK && role == CONNECTION_READER) {
        status = connection_execute(connection, "PRAGMA query_only=ON", WHAT, error);
    }
    if (status == OK && role != CONNECTION_READER) {
        /* FULL: an acknowledged event must survive power loss; NORMAL may lose the last frames of the log. Checkpoints
         * have their own thread, so that no append waits for one. */
        snprintf(sql, sizeof sql, "PRAGMA synchronous=%s; PRAGMA wal_autocheckpoint=0;",
                 config->durability == DURABILITY_FULL ? "FULL" : "NORMAL");
        status = connection_execute(connection, sql, WHAT, error);
    }
    if (status == OK && role == CONNECTION_WRITER) {
        /* A statement's journal holds the pages it changed: few, and no business of another disk. */
        status = connection_execute(connection, "PRAGMA temp_store=MEMORY", WHAT, error);
    }
    return status;
}

enum status connection_open(struct connection *connection, const char *path, enum connection_role role,
                            const struct config *config, const struct storage_host *host, struct error *error) {
    *connection = (struct connection){.host = host, .memo.remembers = role == CONNECTION_READER};
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
    flags |= config->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    errno = 0;
    int code = sqlite3_open_v2(path, &connection->db, flags, NULL);
    if (code == SQLITE_OK && !config->read_only && sqlite3_db_readonly(connection->db, "main") == 1) {
        code = SQLITE_READONLY; /* SQLite makes do with less than it was asked for */
    }
    enum status status = code == SQLITE_OK ? configure(connection, role, config, error)
                                           : connection_error(connection, code, "open", error);
    if (status != OK) {
        connection_close(connection);
    }
    return status;
}

void connection_close(struct connection *connection) {
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        (void)sqlite3_finalize(connection->statements[i].handle);
        free(connection->statements[i].sql);
    }
    (void)sqlite3_close(connection->db);
    *connection = (struct connection){0};
}

/* ---- statements ---- */

/* The slot that has the statement, or else the one that has to give way: the first free one, or the least recently used
 * one that is not running. NULL: all are running. Slots are filled from the place that the hash gives onwards and never
 * emptied, so a free one ends the search. */
static struct cached_statement *find_slot(struct connection *connection, const char *sql, uint64_t hash) {
    struct cached_statement *victim = NULL;
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct cached_statement *slot = &connection->statements[(hash + i) % STATEMENTS_MAX];
        if (slot->handle == NULL) {
            return slot;
        }
        if (slot->hash == hash && strcmp(slot->sql, sql) == 0 && !sqlite3_stmt_busy(slot->handle)) {
            return slot;
        }
        if ((victim == NULL || slot->last_used < victim->last_used) && !sqlite3_stmt_busy(slot->handle)) {
            victim = slot;
        }
    }
    return victim;
}

enum status statement_get(struct connection *connection, const char *sql, const char *what,
                          struct statement *ret_statement, struct error *error) {
    size_t size = strlen(sql);
    uint64_t hash = XXH3_64bits(sql, size);
    struct cached_statement *slot = find_slot(connection, sql, hash);
    if (slot == NULL) {
        return error_set(error, INTERNAL, "%s: more than %d statements run at once", what, STATEMENTS_MAX);
    }
    if (slot->handle == NULL || slot->hash != hash || strcmp(slot->sql, sql) != 0) {
        char *copy = strdup(sql);
        if (copy == NULL) {
            return error_set(error, NO_MEMORY, "%s: memory could not be allocated", what);
        }
        sqlite3_stmt *handle = NULL;
        errno = 0;
        int code = sqlite3_prepare_v3(connection->db, sql, (int)size, SQLITE_PREPARE_PERSISTENT, &handle, NULL);
        if (code != SQLITE_OK) {
            free(copy);
            return connection_error(connection, code, what, error);
        }
        (void)sqlite3_finalize(slot->handle);
        free(slot->sql);
        *slot = (struct cached_statement){.sql = copy, .hash = hash, .handle = handle};
    }
    slot->last_used = ++connection->use_counter;
    *ret_statement =
        (struct statement){.handle = slot->handle, .connection = connection, .what = what, .next_parameter = 1};
    return OK;
}

void statement_rewind(struct statement *statement) {
    (void)sqlite3_reset(statement->handle); /* repeats the error of the last step, which was reported then */
    (void)sqlite3_clear_bindings(statement->handle);
    statement->next_parameter = 1;
    statement->bind_code = SQLITE_OK;
}

void statement_release(struct statement *statement) {
    if (statement->handle != NULL) {
        statement_rewind(statement);
        statement->handle = NULL;
    }
}

static void bound(struct statement *statement, int code) {
    statement->next_parameter++;
    if (code != SQLITE_OK && statement->bind_code == SQLITE_OK) {
        statement->bind_code = code;
    }
}

void bind_int(struct statement *statement, int64_t value) {
    bound(statement, sqlite3_bind_int64(statement->handle, statement->next_parameter, value));
}

void bind_optional_int(struct statement *statement, bool present, int64_t value) {
    if (present) {
        bind_int(statement, value);
    } else {
        bound(statement, sqlite3_bind_null(statement->handle, statement->next_parameter));
    }
}

void bind_text(struct statement *statement, struct bytes text) {
    bound(statement, sqlite3_bind_text64(statement->handle, statement->next_parameter, (const char *)text.data,
                                         text.size, SQLITE_STATIC, SQLITE_UTF8));
}

void bind_blob(struct statement *statement, struct bytes blob) {
    bool empty = blob.data != NULL && blob.size == 0;
    bound(statement, empty ? sqlite3_bind_zeroblob(statement->handle, statement->next_parameter, 0)
                           : sqlite3_bind_blob64(statement->handle, statement->next_parameter, blob.data, blob.size,
                                                 SQLITE_STATIC));
}

enum status statement_step(struct statement *statement, bool *ret_row, struct error *error) {
    errno = 0; /* for connection_error */
    int code = statement->bind_code != SQLITE_OK ? statement->bind_code : sqlite3_step(statement->handle);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return connection_error(statement->connection, code, statement->what, error);
    }
    *ret_row = code == SQLITE_ROW;
    return OK;
}

enum status statement_run(struct statement *statement, struct error *error) {
    bool row = false;
    return statement_step(statement, &row, error);
}

struct bytes column_bytes(const struct statement *statement, int column) {
    static const uint8_t EMPTY[1] = {0};
    /* The value's own functions: those of columns find the value anew each time. */
    sqlite3_value *value = sqlite3_column_value(statement->handle, column);
    if (sqlite3_value_type(value) == SQLITE_NULL) {
        return (struct bytes){0};
    }
    const uint8_t *data = sqlite3_value_blob(value);
    int size = sqlite3_value_bytes(value);
    return (struct bytes){.data = data != NULL ? data : EMPTY, .size = data != NULL ? (size_t)size : 0};
}

enum status connection_execute(struct connection *connection, const char *sql, const char *what, struct error *error) {
    errno = 0;
    int code = sqlite3_exec(connection->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : connection_error(connection, code, what, error);
}

enum status connection_commit(struct connection *connection, struct error *error) {
    enum status status = OK;
    {
        CLEANUP(statement_release) struct statement statement = {0};
        status = statement_get(connection, "COMMIT", "commit", &statement, error);
        status = status == OK ? statement_run(&statement, error) : status;
    }
    connection->owes_write = status != OK;
    if (status != OK) {
        (void)sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL); /* mostly it was already */
        (void)connection_take_back(connection);
    }
    return status;
}

bool connection_take_back(struct connection *connection) {
    if (connection->owes_write) {
        /* As it is, but written: an UPDATE to the same values would not be. */
        char sql[48];
        snprintf(sql, sizeof sql, "PRAGMA user_version=%d", STORE_FORMAT);
        connection->owes_write = sqlite3_exec(connection->db, sql, NULL, NULL, NULL) != SQLITE_OK;
    }
    return !connection->owes_write;
}

enum status connection_query_int(struct connection *connection, const char *sql, const char *what, int64_t *ret_value,
                                 struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status = statement_get(connection, sql, what, &statement, error);
    bool row = false;
    if (status == OK) {
        status = statement_step(&statement, &row, error);
    }
    if (status == OK) {
        *ret_value = row ? column_int(&statement, 0) : 0;
    }
    return status;
}
