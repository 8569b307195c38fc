/* log_buffer.c: the methods of the log and of the database, by which the buffer is filled, written and dropped. */
#include "storage/sqlite/log_buffer.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* The most that SQLite's Unix VFS writes in one call (the mask in seekAndWriteFd of os_unix.c); 31 pages of 4 KiB.
     */
    CAPACITY = 131071,
    WRITE_LOCK = 0 /* sqlite.org/walformat.html, "WAL Locks" */
};
static_assert(CAPACITY >= 65536, "SQLite writes a page at most, and they are not larger");

static struct log_buffer *buffer_of(sqlite3_file *file) {
    return file_methods_of(file)->context;
}

/* ---- the log ---- */

/* What could not be written, with the system's reason, of which SQLite asks when it hears of it. */
static int failed(const struct log_buffer *self) {
    errno = self->system_errno;
    return self->code;
}

/* Writes what is kept. After a failure SQLite rolls back, and until then nothing may be written behind the gap. The
 * place where it began is remembered. */
static int flush(struct log_buffer *self, sqlite3_file *log) {
    if (self->code == SQLITE_OK && self->size > 0) {
        self->code = self->log.below->xWrite(log, self->data, (int)self->size, self->offset);
        self->system_errno = self->code == SQLITE_FULL ? ENOSPC : errno;
    }
    self->size = 0;
    return self->code == SQLITE_OK ? SQLITE_OK : failed(self);
}

static int write_log(sqlite3_file *log, const void *data, int size, sqlite3_int64 offset) {
    struct log_buffer *self = buffer_of(log);
    bool goes_on = offset == self->offset + (int64_t)self->size;
    if (!goes_on || (size_t)size > CAPACITY - self->size) {
        (void)flush(self, log);
    }
    if (self->code != SQLITE_OK) {
        return failed(self);
    }
    if (self->size == 0) {
        self->offset = offset;
    }
    memcpy(self->data + self->size, data, (size_t)size);
    self->size += (size_t)size;
    return SQLITE_OK;
}

static int sync_log(sqlite3_file *log, int flags) {
    struct log_buffer *self = buffer_of(log);
    int code = flush(self, log);
    return code == SQLITE_OK ? self->log.below->xSync(log, flags) : code;
}

/* A transaction reads back what did not stay in the cache. If that cannot be written, or could not be before, there is
 * nothing to read: not SQLITE_FULL, as that undoes a statement only where it was a read that failed, and not the
 * transaction. What was committed stands before it. */
static int read_log(sqlite3_file *log, void *data, int size, sqlite3_int64 offset) {
    struct log_buffer *self = buffer_of(log);
    bool is_ours = (self->size > 0 || self->code != SQLITE_OK) && offset + size > self->offset;
    if (is_ours && flush(self, log) != SQLITE_OK) {
        return SQLITE_IOERR_WRITE;
    }
    return self->log.below->xRead(log, data, size, offset);
}

static int truncate_log(sqlite3_file *log, sqlite3_int64 size) {
    struct log_buffer *self = buffer_of(log);
    int code = flush(self, log);
    return code == SQLITE_OK ? self->log.below->xTruncate(log, size) : code;
}

static int read_log_size(sqlite3_file *log, sqlite3_int64 *ret_size) {
    struct log_buffer *self = buffer_of(log);
    int code = flush(self, log);
    return code == SQLITE_OK ? self->log.below->xFileSize(log, ret_size) : code;
}

/* ---- the database ---- */

static int lock_index(sqlite3_file *database, int lock, int count, int flags) {
    struct log_buffer *self = buffer_of(database);
    if (lock == WRITE_LOCK && (flags & SQLITE_SHM_UNLOCK) != 0) {
        self->size = 0;
        self->code = SQLITE_OK;
    }
    return self->database.below->xShmLock(database, lock, count, flags);
}

/* Otherwise the padding that SQLite writes after a commit may go to the log behind its sync. */
static bool needs_no_padding(sqlite3_file *database) {
    return (database->pMethods->xDeviceCharacteristics(database) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
}

/* ---- both ---- */

enum status log_buffer_attach(struct log_buffer *self, struct connection *connection, struct error *error) {
    *self = (struct log_buffer){0};
    sqlite3_file *database = file_methods_file(connection->db, SQLITE_FCNTL_FILE_POINTER);
    /* The journal, if the file has no log: it is not open. */
    sqlite3_file *log = file_methods_file(connection->db, SQLITE_FCNTL_JOURNAL_POINTER);
    if (!file_methods_fit(database) || !file_methods_fit(log) || !needs_no_padding(database)) {
        return OK;
    }
    self->data = malloc(CAPACITY);
    if (self->data == NULL) {
        return error_set(error, NO_MEMORY, "open: memory could not be allocated");
    }
    file_methods_put(&self->database, database, self);
    self->database.methods.xShmLock = lock_index;
    file_methods_put(&self->log, log, self);
    self->log.methods.xWrite = write_log;
    self->log.methods.xSync = sync_log;
    self->log.methods.xRead = read_log;
    self->log.methods.xTruncate = truncate_log;
    self->log.methods.xFileSize = read_log_size;
    return OK;
}

void log_buffer_done(struct log_buffer *self) {
    free(self->data);
    self->data = NULL;
}
