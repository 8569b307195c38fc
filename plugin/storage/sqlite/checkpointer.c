/* checkpointer.c: when the log is copied, and by whom. */
#include "storage/sqlite/checkpointer.h"

#include <signal.h>

enum {
    /* A log with this many times checkpoint_pages to copy is copied by the writer, however long that takes: writing is
     * faster than the thread. */
    PATIENCE = 16,
    /* What is left to the writer must be at most this part of checkpoint_pages; otherwise the thread copies once more.
     */
    REST_PART = 4
};

/* Copies what no reader still needs from the log. Returns how many of its pages are copied now. */
static int copy_log(struct connection *connection) {
    int log_pages = 0;
    int copied_pages = 0;
    int code = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log_pages, &copied_pages);
    if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY && code != SQLITE_INTERRUPT) {
        struct error ignored; /* nothing is lost: the log keeps what was not copied; connection_error logged it */
        (void)connection_error(connection, code, "copy the write-ahead log into the file", &ignored);
    }
    return code == SQLITE_OK && copied_pages > 0 ? copied_pages : 0;
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
        int copied_pages = copy_log(&self->connection);
        (void)pthread_mutex_lock(&self->mutex);
        self->thread_copied_pages = copied_pages;
        self->state = CHECKPOINT_COPIED;
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return NULL;
}

/* Puts the state on from what it was; true: it was `from`. */
static bool move_on(struct checkpointer *self, enum checkpoint_state from, enum checkpoint_state to) {
    (void)pthread_mutex_lock(&self->mutex);
    bool moved = self->state == from;
    if (moved) {
        self->state = to;
        self->copied_pages = from == CHECKPOINT_COPIED ? self->thread_copied_pages : self->copied_pages;
    }
    if (moved && to == CHECKPOINT_WANTED) {
        (void)pthread_cond_signal(&self->work);
    }
    (void)pthread_mutex_unlock(&self->mutex);
    return moved;
}

void checkpointer_pace(struct checkpointer *self, struct connection *writer) {
    int64_t pages = self->config->checkpoint_pages;
    if (self->log_pages < self->copied_pages) {
        self->copied_pages = 0; /* the log has begun again */
    }
    if (self->log_pages - self->copied_pages < pages / REST_PART) {
        return; /* nor can the thread be done: it was asked to when there was more */
    }
    bool thread_is_done = move_on(self, CHECKPOINT_COPIED, CHECKPOINT_IDLE);
    int64_t rest = self->log_pages - self->copied_pages;
    if ((thread_is_done && rest <= pages / REST_PART) || rest >= pages * PATIENCE) {
        self->copied_pages = copy_log(writer);
    } else if (rest >= pages || thread_is_done) {
        (void)move_on(self, CHECKPOINT_IDLE, CHECKPOINT_WANTED);
    }
}

/* The host's signals are the host's. */
static bool start_thread(struct checkpointer *self) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = pthread_create(&self->thread, NULL, checkpointer_main, self) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
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
    if (start_thread(self)) {
        return OK;
    }
    (void)sqlite3_wal_hook(writer->db, NULL, NULL);
    (void)pthread_cond_destroy(&self->work);
    (void)pthread_mutex_destroy(&self->mutex);
    connection_close(&self->connection);
    return error_set(error, NO_MEMORY, "open: the system gives no more threads; two are needed");
}

void checkpointer_stop(struct checkpointer *self, bool keep_log) {
    (void)pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    (void)pthread_cond_signal(&self->work);
    (void)pthread_mutex_unlock(&self->mutex);
    sqlite3_interrupt(self->connection.db); /* what is not copied now is copied at the close, or by the next instance */
    (void)pthread_join(self->thread, NULL);
    (void)pthread_cond_destroy(&self->work);
    (void)pthread_mutex_destroy(&self->mutex);
    (void)sqlite3_db_config(self->connection.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep_log, NULL);
    connection_close(&self->connection);
}
