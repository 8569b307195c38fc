/* checkpointer.c: when the log is copied, and by whom. */
#include "storage/sqlite/checkpointer.h"

#include <errno.h>

#include "storage/sqlite/log_file.h"
#include "storage/sqlite/wal_index.h"
#include "system.h"

enum {
    /* Writing is faster than the thread: a log with this many times checkpoint_pages to copy is copied by the writer,
     * however long that takes; and one that is as long, of whatever the thread has left when it is done. Otherwise it
     * would not begin again as long as that goes on. */
    PATIENCE = 8,
    /* What is left to the writer must be at most this part of checkpoint_pages; otherwise the thread copies once more.
     */
    REST_PART = 4,
    /* A log that was left by the instance before is not copied at once, when all callers of a swap wait for the first
     * commit, unless it has this many times checkpoint_pages. */
    INHERITED = 2,
    /* The thread syncs the file after so many bytes: some two milliseconds' work of a disk. */
    SYNC_AFTER = 1048576,
    /* But not once the log has so many times checkpoint_pages: it must not grow on for it. */
    BEHIND = 3,

    TRIES_AT_STOP = 3, /* of a sync that fails, until the log is left to the next one who opens the store */

    COPY_FAILED = -1 /* for a number of pages: the file could not be synced, and is to be left alone for a while */
};

/* After a sync that failed the system drops what was to be synced, and never tries it again: it may be that no page
 * that was copied since the log began is on the disk. Passes that end before the log does count their pages as copied
 * without a sync, and the next one, of whoever has the store open then, would go on behind them. So none counts any
 * more: all are written again, and synced, before the log may begin again. With that nothing is left of the failure,
 * and copying goes on later. With durability normal it may have been the log's own sync, which is left to a pass then:
 * a file must not have pages that the log on the disk lacks, so that one is written again first. True: nothing is left
 * to be forgotten. */
static bool forget_copied(struct checkpointer *self, struct connection *connection) {
    if (!atomic_load(&self->sync_failed)) {
        return true;
    }
    /* In this order, as this may be tried after each commit for a while: nothing is copied before both are done. */
    if (wal_index_forget_copied(connection->db) &&
        (self->config->durability == DURABILITY_FULL || log_file_write_again(connection))) {
        atomic_store(&self->sync_failed, false);
    }
    return !atomic_load(&self->sync_failed);
}

/* One pass; returns what copy_log does. */
static int copy_pages(struct checkpointer *self, struct connection *connection, int pages) {
    int log_pages = 0;
    int copied_pages = 0;
    if (!forget_copied(self, connection)) {
        return COPY_FAILED;
    }
    errno = 0;
    int code = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log_pages, &copied_pages);
    if (code == SQLITE_OK) {
        return copied_pages > 0 ? copied_pages : 0;
    }
    if ((code & 0xFF) == SQLITE_BUSY || code == SQLITE_INTERRUPT) {
        return pages;
    }
    struct error ignored; /* nothing is lost: the log keeps what was not copied; connection_error logged it */
    (void)connection_error(connection, code, "copy the write-ahead log into the file", &ignored);
    if (code != SQLITE_IOERR_FSYNC) {
        return pages;
    }
    atomic_store(&self->sync_failed, true);
    (void)forget_copied(self, connection);
    connection->host->log(connection->host->context, POLARIS_ES_LOG_ERROR,
                          "the file could not be synced: the whole write-ahead log is kept, and copied again later");
    return COPY_FAILED;
}

/* Copies what no reader still needs from the log. Returns how many of its pages are copied now; `pages`, when that is
 * not known, as another one is at it; or COPY_FAILED. */
static int copy_log(struct checkpointer *self, struct connection *connection, int pages) {
    /* One at a time: none goes on behind pages that the other one is about to forget. */
    if (atomic_flag_test_and_set(&self->is_copying)) {
        return pages;
    }
    pages = copy_pages(self, connection, pages);
    atomic_flag_clear(&self->is_copying);
    return pages;
}

static int note_log_size(void *context, sqlite3 *db, const char *name, int pages) {
    (void)db;
    (void)name;
    ((struct checkpointer *)context)->log_pages = pages;
    return SQLITE_OK;
}

static int sync_file(sqlite3_file *database, int flags) {
    const struct file_methods *file = file_methods_of(database);
    ((struct checkpointer *)file->context)->unsynced = 0;
    return file->below->xSync(database, flags);
}

/* A sync that fails ends the pass, as the one at its end does. */
static int write_file(sqlite3_file *database, const void *data, int size, sqlite3_int64 offset) {
    const struct file_methods *file = file_methods_of(database);
    struct checkpointer *self = file->context;
    int code = file->below->xWrite(database, data, size, offset);
    self->unsynced += size;
    bool is_due = self->unsynced >= SYNC_AFTER && !atomic_load(&self->is_behind);
    return code == SQLITE_OK && is_due ? sync_file(database, SQLITE_SYNC_NORMAL) : code;
}

static void pace_syncs(struct checkpointer *self) {
    sqlite3_file *database = file_methods_file(self->connection.db, SQLITE_FCNTL_FILE_POINTER);
    if (file_methods_fit(database)) {
        file_methods_put(&self->database, database, self);
        self->database.methods.xWrite = write_file;
        self->database.methods.xSync = sync_file;
    }
}

static void *checkpointer_main(void *argument) {
    struct checkpointer *self = argument;
    (void)pthread_mutex_lock(&self->mutex);
    for (;;) {
        while (self->state != CHECKPOINT_WANTED && !self->stopping) {
            (void)pthread_cond_wait(&self->work, &self->mutex);
        }
        if (self->stopping) {
            break;
        }
        (void)pthread_mutex_unlock(&self->mutex);
        int copied_pages = copy_log(self, &self->connection, 0);
        (void)pthread_mutex_lock(&self->mutex);
        self->thread_copied_pages = copied_pages;
        self->state = CHECKPOINT_COPIED;
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return NULL;
}

/* The thread is to copy, unless it is at it. */
static void ask_thread(struct checkpointer *self) {
    (void)pthread_mutex_lock(&self->mutex);
    if (self->state == CHECKPOINT_IDLE) {
        self->state = CHECKPOINT_WANTED;
        (void)pthread_cond_signal(&self->work);
    }
    (void)pthread_mutex_unlock(&self->mutex);
}

/* True: the thread is done, and *pages is how many it says are copied. */
static bool hear_thread(struct checkpointer *self, int *pages) {
    (void)pthread_mutex_lock(&self->mutex);
    bool is_done = self->state == CHECKPOINT_COPIED;
    if (is_done) {
        self->state = CHECKPOINT_IDLE;
        *pages = self->thread_copied_pages;
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return is_done;
}

void checkpointer_pace(struct checkpointer *self, struct connection *writer) {
    int64_t pages = self->config->checkpoint_pages;
    if (atomic_load(&self->sync_failed) && !atomic_flag_test_and_set(&self->is_copying)) {
        (void)forget_copied(self, writer); /* another program's checkpoint was in the way */
        atomic_flag_clear(&self->is_copying);
    }
    if (self->last_log_pages == 0 && self->log_pages <= pages * INHERITED) {
        self->copied_pages = self->log_pages; /* as if: its turn comes with what is written from now on */
    }
    atomic_store(&self->is_behind, self->log_pages >= pages * BEHIND);
    bool began_again = self->log_pages < self->last_log_pages;
    self->last_log_pages = self->log_pages;
    if (began_again) {
        int of_the_log_before = 0;
        self->copied_pages = 0;
        (void)hear_thread(self, &of_the_log_before);
    }
    if (self->log_pages - self->copied_pages < pages / REST_PART) {
        return;
    }
    int heard = 0;
    bool thread_is_done = hear_thread(self, &heard) && heard <= self->log_pages; /* more: of the log before */
    if (heard == COPY_FAILED) {
        self->copied_pages = self->log_pages; /* as if: the whole log is copied again, but not after each commit */
        return;
    }
    if (thread_is_done && heard > self->copied_pages) {
        self->copied_pages = heard;
    }
    int64_t rest = self->log_pages - self->copied_pages;
    if (rest == 0) {
        return; /* the log begins again with the next commit, if no reader needs it */
    }
    int64_t rest_max = self->log_pages >= pages * PATIENCE ? rest : pages / REST_PART;
    if ((thread_is_done && rest <= rest_max) || rest >= pages * PATIENCE) {
        int copied_pages = copy_log(self, writer, self->copied_pages);
        self->copied_pages = copied_pages != COPY_FAILED ? copied_pages : self->log_pages;
    } else if (rest >= pages || thread_is_done) {
        ask_thread(self);
    }
}

enum status checkpointer_start(struct checkpointer *self, struct connection *writer, const char *path,
                               const struct config *config, const struct storage_host *host, struct error *error) {
    *self = (struct checkpointer){.config = config};
    enum status status = connection_open(&self->connection, path, CONNECTION_CHECKPOINTER, config, host, error);
    if (status != OK) {
        return status;
    }
    pace_syncs(self);
    (void)sqlite3_wal_hook(writer->db, note_log_size, self);
    (void)pthread_mutex_init(&self->mutex, NULL); /* these cannot fail without attributes */
    (void)pthread_cond_init(&self->work, NULL);
    if (thread_start(&self->thread, checkpointer_main, self)) {
        return OK;
    }
    (void)sqlite3_wal_hook(writer->db, NULL, NULL);
    (void)pthread_cond_destroy(&self->work);
    (void)pthread_mutex_destroy(&self->mutex);
    connection_close(&self->connection);
    return error_set(error, NO_MEMORY, "open: the system gives no more threads; two are needed");
}

bool checkpointer_stop(struct checkpointer *self, struct connection *writer, bool keep_log) {
    (void)pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    (void)pthread_cond_signal(&self->work);
    (void)pthread_mutex_unlock(&self->mutex);
    sqlite3_interrupt(self->connection.db); /* what is not copied now is copied at the close, or by the next instance */
    (void)pthread_join(self->thread, NULL);
    (void)pthread_cond_destroy(&self->work);
    (void)pthread_mutex_destroy(&self->mutex);
    (void)sqlite3_db_config(self->connection.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    connection_close(&self->connection);
    /* SQLite itself does it only when no reader has the file open. */
    for (int tries = 0; !keep_log && tries < TRIES_AT_STOP && copy_log(self, writer, 0) == COPY_FAILED; tries++) {
    }
    /* Once forgotten it is safe that SQLite copies the log, all of it, when it closes the last connection. */
    bool is_forgotten = forget_copied(self, writer);
    return keep_log || !is_forgotten;
}
