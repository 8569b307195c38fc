/* log_file.c: syncing the log, and writing it again. */
#include "storage/sqlite/log_file.h"

#include <errno.h>
#include <stdlib.h>

#include "storage/sqlite/file_methods.h"

enum { PIECE_SIZE = 65536 };

static sqlite3_file *log_of(const struct connection *connection) {
    sqlite3_file *log = file_methods_file(connection->db, SQLITE_FCNTL_JOURNAL_POINTER);
    return log != NULL && log->pMethods != NULL ? log : NULL;
}

static int copy_onto_itself(sqlite3_file *log, uint8_t piece[PIECE_SIZE]) {
    sqlite3_int64 size = 0;
    int code = log->pMethods->xFileSize(log, &size);
    for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += PIECE_SIZE) {
        int count = size - at < PIECE_SIZE ? (int)(size - at) : PIECE_SIZE;
        code = log->pMethods->xRead(log, piece, count, at);
        if (code == SQLITE_OK) {
            code = log->pMethods->xWrite(log, piece, count, at);
        }
    }
    return code;
}

bool log_file_write_again(struct connection *connection) {
    uint8_t *piece = malloc(PIECE_SIZE);
    if (piece == NULL || sqlite3_exec(connection->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        free(piece);
        return false;
    }
    sqlite3_file *log = log_of(connection);
    int code = log != NULL ? copy_onto_itself(log, piece) : SQLITE_OK;
    (void)sqlite3_exec(connection->db, "ROLLBACK", NULL, NULL, NULL);
    free(piece);
    return code == SQLITE_OK;
}

enum status log_file_sync(struct connection *connection, struct error *error) {
    sqlite3_file *log = log_of(connection);
    errno = 0;
    int code = log != NULL ? log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) : SQLITE_OK;
    if (code == SQLITE_OK) {
        return OK;
    }
    enum status status = connection_error(connection, code, "sync the write-ahead log", error);
    if (!log_file_write_again(connection)) { /* then nothing is copied from a log like that */
        (void)sqlite3_db_config(connection->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    return status;
}
