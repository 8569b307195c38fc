/* checkpointer.c: when the log is copied, and by whom. */
#include "storage/sqlite/checkpointer.h"

#include "system.h"

enum {
    /* A log with this many times checkpoint_pages to copy is copied by the writer, however long that takes: writing is
     * faster than the thread. */
    PATIENCE = 16,
    /* What is left to the writer must be at most this part of checkpoint_pages; otherwise the thread copies once more.
     */
    REST_PART = 4,
    /* A log that was left by the instance before is not copied at once, when all callers of a swap wait for the first
     * commit, unless it has this many times checkpoint_pages. */
    INHERITED = 4
};

/* Copies what no reader still needs from the log. *pages becomes how many of its pages are copied now; it stays as it
 * is when that is not known, as another one is at it. */
static void copy_log(struct checkpointer *self, struct connection *connection, int *pages) {
    int log_pages = 0;
    int copied_pages = 0;
    if (atomic_load(&self->sync_failed)) {
        return;
    }
    int code = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log_pages, &copied_pages);
    if (code == SQLITE_OK) {
        *pages = copied_pages > 0 ? copied_pages : 0;
    } else if ((code & 0xFF) != SQLITE_BUSY && code != SQLITE_INTERRUPT) {
        struct error ignored; /* nothing is lost: the log keeps what was not copied; connection_error logged it */
        (void)connection_error(connection, code, "copy the write-ahead log into the file", &ignored);
    }
    if (code == SQLITE_IOERR_FSYNC) {
        atomic_store(&self->sync_failed, true);
        connection->host->log(connection->host->context, POLARIS_ES_LOG_ERROR,
                              "the file could not be synced: the write-ahead log grows until the store is opened anew");
    }
}

static int note_log_size(void *context, sqlite3 *db, const char *name, int pages) {
    (void)db;
    (void)name;
    ((struct checkpointer *)context)->log_pages = pages;
    return SQLITE_OK;
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
        int copied_pages = 0;
        copy_log(self, &self->connection, &copied_pages);
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
    if (self->last_log_pages == 0 && self->log_pages <= pages * INHERITED) {
        self->copied_pages = self->log_pages; /* as if: its turn comes with what is written from now on */
    }
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
    if (thread_is_done && heard > self->copied_pages) {
        self->copied_pages = heard;
    }
    int64_t rest = self->log_pages - self->copied_pages;
    if (rest == 0) {
        return; /* the log begins again with the next commit, if no reader needs it */
    }
    if ((thread_is_done && rest <= pages / REST_PART) || rest >= pages * PATIENCE) {
        copy_log(self, writer, &self->copied_pages);
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
    if (!keep_log) { /* SQLite itself does it only when no reader has the file open */
        int ignored = 0;
        copy_log(self, writer, &ignored);
    }
    return keep_log || atomic_load(&self->sync_failed);
}
