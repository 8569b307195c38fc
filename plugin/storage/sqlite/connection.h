/* connection.h: one SQLite connection with its prepared statements, and the translation of SQLite's errors into ours.
 */
#ifndef POLARIS_SQLITE_CONNECTION_H
#define POLARIS_SQLITE_CONNECTION_H

#include <sqlite3.h>

#include "storage/sqlite/name_memo.h"
#include "storage/storage.h"

/* Statements kept per connection; the least recently used one gives way. */
enum { STATEMENTS_MAX = 96 };

struct connection {
    sqlite3 *db;
    const struct storage_host *host;
    struct name_memo memo;
    bool owes_write; /* a commit failed, and stands in the log as if it had not: connection_take_back */
    uint64_t use_counter;
    struct cached_statement {
        char *sql;
        uint64_t hash;
        uint64_t last_used;
        sqlite3_stmt *handle;
    } statements[STATEMENTS_MAX];
};

enum connection_role { CONNECTION_WRITER, CONNECTION_CHECKPOINTER, CONNECTION_READER };

/* Opens the file (which exists) with everything off that a hostile file could use. */
WARN_UNUSED enum status connection_open(struct connection *connection, const char *path, enum connection_role role,
                                        const struct config *config, const struct storage_host *host,
                                        struct error *error);
void connection_close(struct connection *connection);

/* Describes SQLite's result code in our words, and logs SQLite's own. `what` is what was attempted: "append events".
 * errno was 0 before SQLite was called, and has not changed since. */
enum status connection_error(const struct connection *connection, int code, const char *what, struct error *error);

/* A statement in use: got from the cache, given back by statement_release (its CLEANUP destructor). */
struct statement {
    sqlite3_stmt *handle;
    struct connection *connection;
    const char *what;
    int next_parameter;
    int bind_code; /* the first failure of a binding, or SQLITE_OK */
};
void statement_release(struct statement *statement);

/* Prepares, or finds, the statement for `sql`. `what` is a literal, for errors. */
WARN_UNUSED enum status statement_get(struct connection *connection, const char *sql, const char *what,
                                      struct statement *ret_statement, struct error *error);

/* Bind the next parameter. Absent bytes bind NULL. The bytes must stay until the statement is released. A binding that
 * fails for lack of memory is remembered, and the step after it reports that. */
void bind_int(struct statement *statement, int64_t value);
void bind_optional_int(struct statement *statement, bool present, int64_t value);
void bind_text(struct statement *statement, struct bytes text);
void bind_blob(struct statement *statement, struct bytes blob);

/* Steps: *ret_row says whether there is a row. */
WARN_UNUSED enum status statement_step(struct statement *statement, bool *ret_row, struct error *error);
/* Steps a statement that gives no row. */
WARN_UNUSED enum status statement_run(struct statement *statement, struct error *error);
/* For one statement after the other: ready to bind again. */
void statement_rewind(struct statement *statement);

static inline int64_t column_int(const struct statement *statement, int column) {
    return sqlite3_column_int64(statement->handle, column);
}
/* A view of a text or blob; absent for NULL, present and empty for ''. Valid until the next step. */
struct bytes column_bytes(const struct statement *statement, int column);

/* Runs SQL without parameters or rows. */
WARN_UNUSED enum status connection_execute(struct connection *connection, const char *sql, const char *what,
                                           struct error *error);
/* Ends the transaction, whichever way. One whose log could not be synced was not committed, but stands there: whoever
 * opens the store after this process was killed would find it. So something that changes nothing is written over it.
 * The store must be of this build's format by now. */
WARN_UNUSED enum status connection_commit(struct connection *connection, struct error *error);
/* The same once more, if it could not be written then: to be called before the log is left to others. False: it cannot
 * be written now either. */
bool connection_take_back(struct connection *connection);
/* The first column of the only row. */
WARN_UNUSED enum status connection_query_int(struct connection *connection, const char *sql, const char *what,
                                             int64_t *ret_value, struct error *error);

#endif
