/* writer.c: the queue, the group commit, the checkpoints. */
#include "storage/sqlite/writer.h"

#include <signal.h>
#include <string.h>

/* A call that waits in the queue; lives on the stack of its caller. */
struct write_job {
    write_function function;
    void *argument;
    struct error *error;
    enum status status;
    bool done;
    pthread_cond_t finished;
    struct write_job *next;
};

/* The log may grow to this many times checkpoint_pages before the writer itself waits for it to be copied. */
enum { CHECKPOINT_PATIENCE = 16 };

/* ---- one group ---- */

static enum status execute(struct writer *writer, const char *sql, const char *what, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status = statement_get(&writer->connection, sql, what, &statement, error);
    return status == OK ? statement_run(&statement, error) : status;
}

static bool in_transaction(const struct writer *writer) {
    return sqlite3_get_autocommit(writer->connection.db) == 0;
}

static void roll_back(struct writer *writer, const struct writer_progress *before) {
    if (in_transaction(writer)) {
        (void)sqlite3_exec(writer->connection.db, "ROLLBACK", NULL, NULL, NULL);
    }
    writer->progress = *before;
    writer->types.count = 0;
}

/* The error may be of one call's own statement: its path and details say nothing about the others' requests. */
static void fail_all(struct write_job *group, const struct error *error) {
    for (struct write_job *job = group; job != NULL; job = job->next) {
        if (job->status == OK) {
            job->status = error->status;
            error_set(job->error, error->status, "%s", error->message);
        }
    }
}

/* One job in its savepoint. A failure that took the whole transaction with it (a full disk, say) is returned. */
static enum status run_in_savepoint(struct writer *writer, struct write_job *job, struct error *error) {
    struct writer_progress before = writer->progress;
    enum status status = execute(writer, "SAVEPOINT job", "begin a call", error);
    if (status != OK) {
        return status;
    }
    job->status = job->function(writer, job->argument, job->error);
    if (job->status == OK) {
        return execute(writer, "RELEASE job", "end a call", error);
    }
    writer->progress = before;
    writer->types.count = 0;
    if (!in_transaction(writer)) {
        *error = *job->error;
        return job->status;
    }
    status = execute(writer, "ROLLBACK TO job", "undo a call", error);
    return status == OK ? execute(writer, "RELEASE job", "undo a call", error) : status;
}

static enum status run_jobs(struct writer *writer, struct write_job *group, struct error *error) {
    if (group->next == NULL) { /* alone: the transaction is its savepoint */
        group->status = group->function(writer, group->argument, group->error);
        *error = *group->error;
        return group->status;
    }
    for (struct write_job *job = group; job != NULL; job = job->next) {
        enum status status = run_in_savepoint(writer, job, error);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static void commit_group(struct writer *writer, struct write_job *group) {
    struct writer_progress before = writer->progress;
    struct error error;
    enum status status = execute(writer, "BEGIN IMMEDIATE", "begin to write", &error);
    if (status == OK) {
        status = run_jobs(writer, group, &error);
    }
    if (status == OK) {
        status = execute(writer, "COMMIT", "commit", &error);
    }
    if (status != OK) {
        roll_back(writer, &before);
        fail_all(group, &error);
        return;
    }
    if (writer->progress.last_id > before.last_id) {
        tail_advance(writer->tail, writer->progress.last_id);
        writer->host->wake(writer->host->context, writer->progress.last_id);
    }
}

/* ---- checkpoints ---- */

static int note_log_size(void *context, sqlite3 *db, const char *name, int pages) {
    (void)db;
    (void)name;
    ((struct writer *)context)->wal_pages = pages;
    return SQLITE_OK;
}

static void checkpoint(struct connection *connection) {
    int code = sqlite3_wal_checkpoint_v2(connection->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) {
        struct error ignored; /* nothing is lost: the log keeps what was not copied; connection_error logged it */
        (void)connection_error(connection, code, "copy the write-ahead log into the file", &ignored);
    }
}

static void *checkpoint_main(void *argument) {
    struct writer *writer = argument;
    (void)pthread_mutex_lock(&writer->mutex);
    while (!writer->checkpoint_stopping) {
        if (!writer->checkpoint_wanted) {
            (void)pthread_cond_wait(&writer->checkpoint_work, &writer->mutex);
            continue;
        }
        writer->checkpoint_wanted = false;
        (void)pthread_mutex_unlock(&writer->mutex);
        checkpoint(&writer->checkpointer);
        (void)pthread_mutex_lock(&writer->mutex);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

/* A log that is never copied whole never starts again from its beginning: under steady load the writer has to stand
 * still for the last part of it now and then. */
static void pace_checkpoints(struct writer *writer) {
    if (writer->wal_pages < writer->config->checkpoint_pages) {
        return;
    }
    if (writer->wal_pages >= writer->config->checkpoint_pages * CHECKPOINT_PATIENCE) {
        checkpoint(&writer->connection);
        return;
    }
    (void)pthread_mutex_lock(&writer->mutex);
    writer->checkpoint_wanted = true;
    (void)pthread_cond_signal(&writer->checkpoint_work);
    (void)pthread_mutex_unlock(&writer->mutex);
}

/* ---- the queue ---- */

/* Takes the first group_max jobs off the queue. The mutex is held. */
static struct write_job *take_group(struct writer *writer) {
    struct write_job *group = writer->first;
    struct write_job *end = group;
    writer->queued--;
    for (int64_t size = 1; size < writer->config->group_max && end->next != NULL; size++) {
        end = end->next;
        writer->queued--;
    }
    writer->first = end->next;
    if (writer->first == NULL) {
        writer->last = NULL;
    }
    end->next = NULL;
    return group;
}

/* The mutex is held: a job may be gone as soon as its caller can see that it is done. */
static void finish_group(struct writer *writer, struct write_job *group) {
    while (group != NULL) {
        struct write_job *next = group->next;
        writer->finished_at_stop += writer->stopping;
        group->done = true;
        (void)pthread_cond_signal(&group->finished);
        group = next;
    }
}

static void *writer_main(void *argument) {
    struct writer *writer = argument;
    (void)pthread_mutex_lock(&writer->mutex);
    for (;;) {
        while (writer->first == NULL && !writer->stopping) {
            (void)pthread_cond_wait(&writer->work, &writer->mutex);
        }
        if (writer->first == NULL) {
            break;
        }
        struct write_job *group = take_group(writer);
        (void)pthread_mutex_unlock(&writer->mutex);
        commit_group(writer, group);
        atomic_store(&writer->schema_generation, writer->schema_changes.count);
        (void)pthread_mutex_lock(&writer->mutex);
        finish_group(writer, group);
        (void)pthread_mutex_unlock(&writer->mutex);
        pace_checkpoints(writer);
        (void)pthread_mutex_lock(&writer->mutex);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

enum status writer_run(struct writer *writer, write_function function, void *argument, struct error *error) {
    if (!writer->started) {
        return error_set(error, READ_ONLY, "write: the store was opened with mode read; open it with mode write");
    }
    struct write_job job = {.function = function, .argument = argument, .error = error};
    (void)pthread_cond_init(&job.finished, NULL); /* cannot fail without attributes */
    (void)pthread_mutex_lock(&writer->mutex);
    if (writer->queued >= writer->config->queue_max) {
        int64_t queued = writer->queued;
        (void)pthread_mutex_unlock(&writer->mutex);
        (void)pthread_cond_destroy(&job.finished);
        return error_set(error, BUSY, "write: %lld calls wait already, queue_max is %lld; try again, or raise it",
                         (long long)queued, (long long)writer->config->queue_max);
    }
    if (writer->last != NULL) {
        writer->last->next = &job;
    } else {
        writer->first = &job;
        (void)pthread_cond_signal(&writer->work);
    }
    writer->last = &job;
    writer->queued++;
    while (!job.done) {
        (void)pthread_cond_wait(&job.finished, &writer->mutex);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_cond_destroy(&job.finished);
    return job.status;
}

/* ---- start and stop ---- */

/* Nobody stores so many events: an id beyond is damage, and counting on from it could overflow. */
static const int64_t LAST_ID_MAX = INT64_MAX / 2;

static enum status load_progress(struct writer *writer, struct error *error) {
    static const char WHAT[] = "read the store's head";
    static const char LAST_ID[] = "SELECT max(removed_last_id, coalesce((SELECT max(id) FROM event), 0)) FROM store";
    static const char RECORDED[] =
        "SELECT max(removed_recorded_us, coalesce((SELECT recorded_us FROM event ORDER BY id DESC LIMIT 1), 0))"
        " FROM store";
    enum status status = connection_query_int(&writer->connection, LAST_ID, WHAT, &writer->progress.last_id, error);
    if (status == OK && (writer->progress.last_id < 0 || writer->progress.last_id > LAST_ID_MAX)) {
        return error_set(error, CORRUPT, "open: the highest id, %lld, was given by no writer; restore a backup",
                         (long long)writer->progress.last_id);
    }
    if (status == OK) {
        status = connection_query_int(&writer->connection, RECORDED, WHAT, &writer->progress.recorded_us, error);
    }
    if (status == OK) {
        status = connection_query_int(&writer->connection, "PRAGMA page_size", WHAT, &writer->page_size, error);
    }
    return status;
}

/* The host's signals are the host's: our threads take none. */
static enum status start_threads(struct writer *writer, struct error *error) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    bool writing = pthread_create(&writer->thread, NULL, writer_main, writer) == 0;
    bool copying = writing && pthread_create(&writer->checkpoint_thread, NULL, checkpoint_main, writer) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (copying) {
        return OK;
    }
    if (writing) {
        (void)pthread_mutex_lock(&writer->mutex);
        writer->stopping = true;
        (void)pthread_cond_signal(&writer->work);
        (void)pthread_mutex_unlock(&writer->mutex);
        (void)pthread_join(writer->thread, NULL);
    }
    return error_set(error, NO_MEMORY, "open: the system gives no more threads; two are needed");
}

enum status writer_start(struct writer *writer, const char *path, const struct config *config,
                         const struct storage_host *host, struct tail *tail, struct error *error) {
    writer->config = config;
    writer->host = host;
    writer->tail = tail;
    enum status status = load_progress(writer, error);
    if (status == OK) {
        status = connection_open(&writer->checkpointer, path, CONNECTION_CHECKPOINTER, config, host, error);
    }
    if (status != OK) {
        return status;
    }
    (void)sqlite3_wal_hook(writer->connection.db, note_log_size, writer);
    (void)pthread_mutex_init(&writer->mutex, NULL); /* these cannot fail without attributes */
    (void)pthread_cond_init(&writer->work, NULL);
    (void)pthread_cond_init(&writer->checkpoint_work, NULL);
    status = start_threads(writer, error);
    if (status != OK) {
        connection_close(&writer->checkpointer);
        return status;
    }
    writer->started = true;
    return OK;
}

int64_t writer_stop(struct writer *writer) {
    (void)pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_join(writer->thread, NULL);

    (void)pthread_mutex_lock(&writer->mutex);
    writer->checkpoint_stopping = true;
    (void)pthread_cond_signal(&writer->checkpoint_work);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_join(writer->checkpoint_thread, NULL);

    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_cond_destroy(&writer->checkpoint_work);
    (void)pthread_mutex_destroy(&writer->mutex);
    connection_close(&writer->checkpointer);
    connection_close(&writer->connection);
    return writer->finished_at_stop;
}

/* ---- for the jobs ---- */

int64_t writer_next_id(struct writer *writer) {
    return ++writer->progress.last_id;
}

int64_t writer_recorded_us(struct writer *writer) {
    int64_t now = writer->host->now_us(writer->host->context);
    if (now > writer->progress.recorded_us) {
        writer->progress.recorded_us = now;
    }
    return writer->progress.recorded_us;
}

enum status writer_type_id(struct writer *writer, struct bytes name, int64_t *ret_id, struct error *error) {
    struct type_cache *cache = &writer->types;
    for (uint32_t i = 0; i < cache->count; i++) {
        if (cache->entries[i].size == name.size && memcmp(cache->entries[i].name, name.data, name.size) == 0) {
            *ret_id = cache->entries[i].id;
            return OK;
        }
    }
    /* The update changes nothing, but makes RETURNING give the row that is there already. */
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status =
        statement_get(&writer->connection,
                      "INSERT INTO type (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = name"
                      " RETURNING id",
                      "store a type", &statement, error);
    bool row = false;
    if (status == OK) {
        bind_text(&statement, name);
        status = statement_step(&statement, &row, error);
    }
    if (status != OK) {
        return status;
    }
    *ret_id = column_int(&statement, 0);
    if (cache->count < TYPE_CACHE_SIZE && name.size <= TYPE_SIZE_MAX) {
        cache->entries[cache->count].id = *ret_id;
        cache->entries[cache->count].size = (uint8_t)name.size;
        memcpy(cache->entries[cache->count].name, name.data, name.size);
        cache->count++;
    }
    return OK;
}
