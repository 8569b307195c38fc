/* checkpointer.h: copies the write-ahead log into the file (sqlite.org/wal.html), off the path of those who write.
 *
 * A thread copies while writing goes on. What was written meanwhile is copied by the writer itself, between two
 * commits: it is little, and only then does the log begin again from its start instead of growing on.
 *
 * The thread syncs the file every now and then while it copies, as long as it keeps up. All of it at the end would keep
 * the disk busy for so long that commits, which sync the log, stand still (as PostgreSQL's checkpoint_flush_after). */
#ifndef POLARIS_SQLITE_CHECKPOINTER_H
#define POLARIS_SQLITE_CHECKPOINTER_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/file_methods.h"

struct checkpointer {
    const struct config *config;
    struct connection connection; /* the thread's */
    struct file_methods database; /* its file */
    int64_t unsynced;             /* bytes that it wrote, or tried to, since it was synced */
    /* For whoever is at work on the writer's connection: */
    int log_pages;      /* after the last commit */
    int last_log_pages; /* after the one before */
    /* So many of them count as copied: those that the last checkpoint copied; or, as if, all that there were when the
     * store was opened, or when a checkpoint failed to sync the file. */
    int copied_pages;

    pthread_t thread;
    pthread_mutex_t mutex; /* all below */
    pthread_cond_t work;
    enum checkpoint_state {
        CHECKPOINT_IDLE,
        CHECKPOINT_WANTED, /* of the thread, which is at it, or will be */
        CHECKPOINT_COPIED  /* the thread is done: the rest is the writer's */
    } state;
    int thread_copied_pages; /* or COPY_FAILED */
    bool stopping;

    atomic_flag is_copying; /* by the thread, or by the writer */
    atomic_bool is_behind;  /* the log grows faster than it is copied */
    /* A sync failed, and the log's index still says that pages are copied of which nobody knows whether they are on the
     * disk. Mostly for a moment only; but another program's checkpoint may be in the way, then it is tried again after
     * each commit. As long as it says so nothing is copied, and a shutdown keeps the log. */
    atomic_bool sync_failed;
};

/* `writer` is the connection whose commits are heard of. */
WARN_UNUSED enum status checkpointer_start(struct checkpointer *self, struct connection *writer, const char *path,
                                           const struct config *config, const struct storage_host *host,
                                           struct error *error);
/* Ends the thread and closes its connection. Without `keep_log` all that no reader still needs is copied. True: the log
 * must be kept. */
bool checkpointer_stop(struct checkpointer *self, struct connection *writer, bool keep_log);

/* To be called after each commit, by whoever made it, while nobody else writes: has the log copied when it is time. */
void checkpointer_pace(struct checkpointer *self, struct connection *writer);

#endif
