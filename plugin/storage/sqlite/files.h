/* files.h: the files of a store stay in their places while a writer has it open.
 *
 * SQLite goes on writing to a file that was removed or replaced, and what it acknowledges then is lost when the last
 * descriptor is closed. A log that is gone, or was cut, is not found after a crash; without `.owner` a second writer is
 * let in. */
#ifndef POLARIS_SQLITE_FILES_H
#define POLARIS_SQLITE_FILES_H

#include <sys/types.h>

#include "bounds.h"
#include "storage/sqlite/connection.h"

enum { FILES_MAX = 4 };

struct files {
    struct {
        char path[PATH_SIZE_MAX + 16];
        dev_t device;
        ino_t inode; /* 0: it has not been seen yet */
    } items[FILES_MAX];
    sqlite3 *db;
    int64_t looked_at; /* tick of a clock: they were in their places */
};

/* From now on no commit of the connection succeeds (it ends with SQLITE_CONSTRAINT_COMMITHOOK) while one of the files
 * of the store is not the one that it was, or the log lacks some of its end; some milliseconds may pass until it is
 * noticed. `files` must stay until the connection is closed. */
void files_watch(struct files *files, const char *database_path, struct connection *connection);

#endif
