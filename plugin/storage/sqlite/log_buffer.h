/* log_buffer.h: what a connection writes to its write-ahead log, in few calls of the system.
 *
 * SQLite writes a commit to the log page by page, and before each of them, by itself, the 24 bytes of its header. With
 * synchronous=FULL nobody looks at any of it before the log was synced, and nothing of it is promised: a transaction is
 * published in the log's index after that (sqlite.org/walformat.html). So the bytes are kept, and written when SQLite
 * syncs. They are never older than the connection's hold on the lock for writing: what is left when it is let go, of a
 * transaction that was rolled back, is dropped. */
#ifndef POLARIS_SQLITE_LOG_BUFFER_H
#define POLARIS_SQLITE_LOG_BUFFER_H

#include "storage/sqlite/connection.h"
#include "storage/sqlite/file_methods.h"

struct log_buffer {
    struct file_methods log, database;
    uint8_t *data;
    size_t size;
    int64_t offset; /* of the first byte in the log */
    int code;       /* of the write that failed, if one did: of whatever comes after it too, until the lock is let go */
    int system_errno; /* the system's reason for it */
};

/* The connection is open, was read with, has synchronous=FULL, and only one thread at a time uses it. Where SQLite does
 * not work in the way that is described above, the log is written as ever. `self` stays in its place until
 * log_buffer_done, which comes after the connection was closed. */
WARN_UNUSED enum status log_buffer_attach(struct log_buffer *self, struct connection *connection, struct error *error);
void log_buffer_done(struct log_buffer *self);

#endif
