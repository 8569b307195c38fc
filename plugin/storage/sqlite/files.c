/* files.c: looking whether the files of a store are still in their places, and the log is whole, before commits. */
#include "storage/sqlite/files.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "storage/sqlite/wal_index.h"

enum { LOG = 1 };

static int64_t tick_now(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* no call of the system; it moves every few milliseconds */
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Called by the thread that commits. Looking costs as much as a quarter of a small commit in memory: once in a tick of
 * the clock is enough, for what was written in the ticks before would be as lost as what is written in this one. */
static int look_before_commit(void *context) {
    struct files *files = context;
    int64_t tick = tick_now();
    if (tick == files->looked_at) {
        return 0;
    }
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct stat now = {0};
        (void)lstat(files->items[i].path, &now); /* what is not there is another one */
        if (files->items[i].inode == 0) {
            files->items[i].inode = now.st_ino;
            files->items[i].device = now.st_dev;
        } else if (now.st_ino != files->items[i].inode || now.st_dev != files->items[i].device) {
            return 1; /* and it is looked for again at the next commit */
        } else if (i == LOG && now.st_size < wal_index_log_size(files->db)) {
            return 1;
        }
    }
    files->looked_at = tick;
    return 0;
}

void files_watch(struct files *files, const char *database_path, struct connection *connection) {
    static const char *const SUFFIXES[FILES_MAX] = {"", [LOG] = "-wal", "-shm", ".owner"};
    files->db = connection->db;
    for (size_t i = 0; i < FILES_MAX; i++) {
        (void)snprintf(files->items[i].path, sizeof files->items[i].path, "%s%s", database_path, SUFFIXES[i]);
        files->items[i].inode = 0;
    }
    files->looked_at = 0;
    (void)look_before_commit(files);
    (void)sqlite3_commit_hook(connection->db, look_before_commit, files);
}
