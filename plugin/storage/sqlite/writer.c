/* writer.c: the queue and the group commit. */
#include "storage/sqlite/writer.h"

#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "storage/sqlite/ids.h"
#include "system.h"

enum {
    /* As many events, or bytes of them, on the stage are written before the next call puts its own there. */
    STAGED_EVENTS_MAX = 1024,
    STAGED_BYTES_MAX = 16777216,
    /* The longest wait for callers to come back. */
    GATHER_NS_MAX = 1000000,
    /* After a swap all callers come at once, and the first must not commit alone while the others wait. How many there
     * are, nobody knows. */
    EXPECTED_AT_START = 64
};

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
    stage_clear(&writer->stage);
}

/* The error may be of one call's own statement: its path and details say nothing about the others' requests. */
static void fail(struct write_job *job, const struct error *error) {
    job->status = error->status;
    error_set(job->error, error->status, "%s", error->message);
}

/* Those that were refused as well: what stood against them may be gone with what the others stored. */
static void fail_all(struct write_job *group, const struct error *error) {
    if (group->next == NULL && group->status != OK) {
        return; /* by its own error */
    }
    for (struct write_job *job = group; job != NULL; job = job->next) {
        if (job->status != CANCELLED) {
            fail(job, error);
        }
    }
}

/* One job in its savepoint. A failure that took the whole transaction with it (a full disk, say) is returned. */
static enum status run_in_savepoint(struct writer *writer, struct write_job *job, struct error *error) {
    enum status status = stage_flush(writer, error);
    if (status == OK) {
        status = execute(writer, "SAVEPOINT job", "begin a call", error);
    }
    if (status != OK) {
        return status;
    }
    struct writer_progress before = writer->progress;
    job->status = job->function(writer, job->argument, job->error);
    if (job->status == OK) {
        job->status = stage_flush(writer, job->error);
    }
    if (job->status == OK) {
        return execute(writer, "RELEASE job", "end a call", error);
    }
    writer->progress = before;
    writer->types.count = 0;
    stage_clear(&writer->stage);
    if (!in_transaction(writer)) {
        *error = *job->error;
        return job->status;
    }
    status = execute(writer, "ROLLBACK TO job", "undo a call", error);
    return status == OK ? execute(writer, "RELEASE job", "undo a call", error) : status;
}

/* One job that only puts events on the stage. When what others put there could not be written, that is returned,
 * whatever the job made of it. */
static enum status run_on_stage(struct writer *writer, struct write_job *job, struct error *error) {
    struct writer_progress before = writer->progress;
    struct stage_mark mark = stage_mark(&writer->stage);
    job->status = job->function(writer, job->argument, job->error);
    if (writer->stage.failed) {
        return stage_flush(writer, error);
    }
    if (job->status == OK) {
        return OK;
    }
    stage_undo(&writer->stage, mark);
    writer->progress = before;
    if (!in_transaction(writer)) {
        *error = *job->error;
        return job->status;
    }
    return OK;
}

/* Alone: the transaction is its savepoint. */
static enum status run_alone(struct writer *writer, struct write_job *job, struct error *error) {
    job->status = job->function(writer, job->argument, job->error);
    if (job->status == OK) {
        job->status = stage_flush(writer, job->error);
    }
    if (job->status != OK) {
        *error = *job->error;
    }
    return job->status;
}

static enum status run_jobs(struct writer *writer, struct write_job *group, struct error *error) {
    if (group->next == NULL) {
        return run_alone(writer, group, error);
    }
    enum status status = OK;
    for (struct write_job *job = group; job != NULL && status == OK; job = job->next) {
        bool is_full = writer->stage.count >= STAGED_EVENTS_MAX || writer->stage.bytes >= STAGED_BYTES_MAX;
        status = is_full ? stage_flush(writer, error) : OK;
        if (status == OK) {
            status = job->only_stages ? run_on_stage(writer, job, error) : run_in_savepoint(writer, job, error);
        }
    }
    return status == OK ? stage_flush(writer, error) : status;
}

/* All of them or none. *ret_by_jobs: it failed for what they did, not for the transaction itself. */
static enum status commit_jobs(struct writer *writer, struct write_job *group, bool *ret_by_jobs, struct error *error) {
    struct writer_progress before = writer->progress;
    enum status status = execute(writer, "BEGIN IMMEDIATE", "begin to write", error);
    bool begun = status == OK;
    if (status == OK) {
        status = run_jobs(writer, group, error);
    }
    *ret_by_jobs = begun && status != OK;
    if (status == OK) {
        status = connection_commit(&writer->connection, error);
    }
    if (status != OK) {
        roll_back(writer, &before);
        return status;
    }
    stage_clear(&writer->stage);
    if (writer->progress.last_id > before.last_id) {
        tail_advance(writer->tail, writer->progress.last_id);
    }
    return OK;
}

/* Something on the stage could not be written, and nobody knows whose it was: each call for itself. Those that do more
 * than put events there may have told somebody of it already, and are not run twice. */
static void commit_one_by_one(struct writer *writer, struct write_job *group, const struct error *reason) {
    for (struct write_job *job = group; job != NULL; job = job->next) {
        if (job->status == CANCELLED) {
            continue;
        }
        if (!job->only_stages) {
            fail(job, reason);
            continue;
        }
        struct write_job *next = job->next;
        struct error error;
        bool by_job = false;
        job->next = NULL;
        job->status = OK; /* what it was told in the group is of what is not there any more */
        if (commit_jobs(writer, job, &by_job, &error) != OK) {
            fail_all(job, &error);
        }
        job->next = next;
    }
}

static void commit_group(struct writer *writer, struct write_job *group) {
    struct error error;
    bool by_jobs = false;
    enum status status = commit_jobs(writer, group, &by_jobs, &error);
    if (status != OK && by_jobs && group->next != NULL) {
        commit_one_by_one(writer, group, &error);
    } else if (status != OK) {
        fail_all(group, &error);
    }
}

/* ---- the queue ---- */

/* The mutex is held. */
static void put_job(struct writer *writer, struct write_job *job) {
    if (writer->last != NULL) {
        writer->last->next = job;
    } else {
        writer->first = job;
    }
    writer->last = job;
    writer->queued++;
    if (writer->queued == writer->wanted && !writer->busy) {
        (void)pthread_cond_signal(&writer->work);
    }
}

/* Takes the first group_max jobs off the queue. The mutex is held. */
static struct write_job *take_group(struct writer *writer) {
    struct write_job *group = writer->first;
    struct write_job *end = group;
    int64_t size = 1;
    int64_t awaited = group->is_awaited;
    for (; size < writer->config->group_max && end->next != NULL; size++) {
        end = end->next;
        awaited += end->is_awaited;
    }
    writer->queued -= size;
    writer->awaited -= awaited;
    writer->expected = awaited;
    writer->finished_at_stop += writer->stopping ? size : 0;
    writer->first = end->next;
    if (writer->first == NULL) {
        writer->last = NULL;
    }
    end->next = NULL;
    return group;
}

/* A job may be gone as soon as it was told. */
static void tell_finished(struct write_job *group) {
    while (group != NULL) {
        struct write_job *next = group->next;
        if (!group->is_awaited) {
            group->finished(group);
        }
        group = next;
    }
}

/* One call of the system for all callers of a group: woken one by one, they cost more than their events. Groups without
 * callers are noted as well: numbers begin again some day, and an old one must not pass for a later one. */
static void end_group(struct writer *writer, uint32_t group, bool has_callers) {
    atomic_uint_least32_t *ended = &writer->ended_groups[group % ENDED_GROUPS];
    atomic_store(ended, group);
    if (!has_callers) {
        return;
    }
    (void)syscall(SYS_futex, ended, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static void wait_for_group(struct writer *writer, uint32_t group) {
    atomic_uint_least32_t *ended = &writer->ended_groups[group % ENDED_GROUPS];
    uint32_t last = atomic_load(ended);
    while ((int32_t)(last - group) < 0) { /* numbers may begin again */
        (void)syscall(SYS_futex, ended, FUTEX_WAIT_PRIVATE, last, NULL, NULL, 0);
        last = atomic_load(ended);
    }
}

/* Without the mutex, but `busy`. Returns the highest id, if events were stored, otherwise 0. */
static int64_t work(struct writer *writer, struct write_job *group) {
    int64_t before = writer->progress.last_id;
    int64_t began_ns = monotonic_ns();
    commit_group(writer, group);
    atomic_store(&writer->schema_generation, writer->schema_changes.count);
    writer->commit_ns = monotonic_ns() - began_ns;
    return writer->progress.last_id > before ? writer->progress.last_id : 0;
}

/* Callers whose calls were committed together mostly come back together: it pays to wait for them, for a part of what
 * a commit takes, rather than to commit the first one alone while the others wait (commit_delay and commit_siblings of
 * PostgreSQL, sized by what was seen last). The mutex is held. */
static void gather(struct writer *writer) {
    int64_t group_max = writer->config->group_max;
    int64_t wanted = writer->expected < group_max ? writer->expected : group_max;
    if (wanted < 2 || writer->queued >= wanted) {
        return;
    }
    int64_t wait_ns = writer->commit_ns / 2 < GATHER_NS_MAX ? writer->commit_ns / 2 : GATHER_NS_MAX;
    int64_t until_ns = monotonic_ns() + wait_ns;
    struct timespec until = {.tv_sec = until_ns / 1000000000, .tv_nsec = until_ns % 1000000000};
    int result = 0;
    writer->wanted = wanted;
    while (result == 0 && writer->queued < writer->wanted && !writer->stopping) {
        result = pthread_cond_timedwait(&writer->work, &writer->mutex, &until);
    }
    writer->wanted = 1;
}

static void *writer_main(void *argument) {
    struct writer *writer = argument;
    (void)pthread_mutex_lock(&writer->mutex);
    for (;;) {
        while (writer->busy || (writer->first == NULL && writer->unheard_id == 0 && !writer->stopping)) {
            (void)pthread_cond_wait(&writer->work, &writer->mutex);
        }
        int64_t unheard_id = writer->unheard_id;
        if (unheard_id != 0) {
            (void)pthread_mutex_unlock(&writer->mutex);
            writer->host->wake(writer->host->context, unheard_id);
            (void)pthread_mutex_lock(&writer->mutex);
            writer->unheard_id = 0; /* now: until then nobody commits on its own */
            continue;
        }
        if (writer->first == NULL) {
            break;
        }
        gather(writer);
        writer->busy = true;
        struct write_job *group = take_group(writer);
        uint32_t number = writer->next_group++;
        bool has_callers = writer->expected > 0;
        (void)pthread_mutex_unlock(&writer->mutex);
        int64_t last_id = work(writer, group);
        if (last_id != 0 && writer->host->wake != NULL) {
            writer->host->wake(writer->host->context, last_id);
        }
        tell_finished(group);
        end_group(writer, number, has_callers); /* last: the jobs of its callers are gone when they wake up */
        checkpointer_pace(&writer->checkpointer, &writer->connection);
        (void)pthread_mutex_lock(&writer->mutex);
        writer->busy = false;
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return NULL;
}

/* With nobody else about, the caller commits by itself: handing the job over and back costs more than the work. */
static bool may_work_alone(const struct writer *writer) {
    return !writer->busy && writer->first == NULL && writer->expected < 2 && writer->unheard_id == 0;
}

/* The mutex is held, and released. The host is woken by a thread of ours, as it was promised. */
static void work_alone(struct writer *writer, struct write_job *job) {
    writer->busy = true;
    (void)pthread_mutex_unlock(&writer->mutex);
    int64_t last_id = work(writer, job);
    checkpointer_pace(&writer->checkpointer, &writer->connection);
    (void)pthread_mutex_lock(&writer->mutex);
    writer->busy = false;
    writer->unheard_id = writer->host->wake != NULL ? last_id : 0;
    if (writer->first != NULL || writer->unheard_id != 0) {
        (void)pthread_cond_signal(&writer->work);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
}

static enum status refuse_read_only(struct error *error) {
    return error_set(error, READ_ONLY, "write: the store was opened with mode read; open it with mode write");
}

static enum status run_and_wait(struct writer *writer, const struct write_job *job, struct error *error) {
    if (!writer->started) {
        return refuse_read_only(error);
    }
    struct write_job awaited = *job;
    awaited.error = error;
    awaited.is_awaited = true;
    (void)pthread_mutex_lock(&writer->mutex);
    if (may_work_alone(writer)) {
        work_alone(writer, &awaited);
        return awaited.status;
    }
    if (writer->awaited >= writer->config->queue_max) {
        int64_t queued = writer->awaited;
        (void)pthread_mutex_unlock(&writer->mutex);
        return error_set(error, BUSY, "write: %lld calls wait already, queue_max is %lld; try again, or raise it",
                         (long long)queued, (long long)writer->config->queue_max);
    }
    /* Groups are taken from the front of the queue, as large as they may be: the place tells the group. */
    uint32_t group = writer->next_group + (uint32_t)(writer->queued / writer->config->group_max);
    writer->awaited++;
    put_job(writer, &awaited);
    (void)pthread_mutex_unlock(&writer->mutex);
    wait_for_group(writer, group);
    return awaited.status;
}

enum status writer_run(struct writer *writer, write_function function, void *argument, struct error *error) {
    return run_and_wait(writer, &(struct write_job){.function = function, .argument = argument}, error);
}

enum status writer_stage(struct writer *writer, write_function function, void *argument, struct error *error) {
    const struct write_job job = {.function = function, .argument = argument, .only_stages = true};
    return run_and_wait(writer, &job, error);
}

enum status writer_begin(struct writer *writer, struct write_job *job, struct error *error) {
    if (!writer->started) {
        return refuse_read_only(error);
    }
    (void)pthread_mutex_lock(&writer->mutex);
    put_job(writer, job);
    (void)pthread_mutex_unlock(&writer->mutex);
    return OK;
}

/* ---- start and stop ---- */

static enum status load_progress(struct writer *writer, struct error *error) {
    static const char WHAT[] = "read the store's head";
    static const char LAST_ID[] = "SELECT max(removed_last_id, coalesce((SELECT max(id) FROM event), 0)) FROM store";
    static const char RECORDED[] =
        "SELECT max(removed_recorded_us, coalesce((SELECT recorded_us FROM event ORDER BY id DESC LIMIT 1), 0))"
        " FROM store";
    enum status status = connection_query_int(&writer->connection, LAST_ID, WHAT, &writer->progress.last_id, error);
    if (status == OK && !number_is_sound(writer->progress.last_id)) {
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

enum status writer_start(struct writer *writer, const char *path, const struct config *config,
                         const struct storage_host *host, struct tail *tail, struct error *error) {
    writer->config = config;
    writer->host = host;
    writer->tail = tail;
    enum status status = stage_open(&writer->stage, &writer->connection, config->hash_seed, error);
    if (status == OK) {
        status = load_progress(writer, error);
    }
    if (status == OK && config->durability == DURABILITY_FULL) {
        status = log_buffer_attach(&writer->log_buffer, &writer->connection, error);
    }
    if (status == OK) {
        status = checkpointer_start(&writer->checkpointer, &writer->connection, path, config, host, error);
    }
    if (status != OK) {
        return status;
    }
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic); /* these cannot fail with these attributes (glibc) */
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&writer->mutex, NULL);
    (void)pthread_cond_init(&writer->work, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    writer->wanted = 1;
    writer->expected = EXPECTED_AT_START;
    writer->commit_ns = 2 * (int64_t)GATHER_NS_MAX;
    for (uint32_t i = 0; i < ENDED_GROUPS; i++) {
        atomic_init(&writer->ended_groups[i], i);
    }
    writer->next_group = ENDED_GROUPS;
    if (!thread_start(&writer->thread, writer_main, writer)) {
        (void)pthread_cond_destroy(&writer->work);
        (void)pthread_mutex_destroy(&writer->mutex);
        (void)checkpointer_stop(&writer->checkpointer, &writer->connection, true);
        return error_set(error, NO_MEMORY, "open: the system gives no more threads; two are needed");
    }
    writer->started = true;
    return OK;
}

int64_t writer_stop(struct writer *writer, bool keep_log) {
    (void)pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_join(writer->thread, NULL);

    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->mutex);
    if (!connection_take_back(&writer->connection)) {
        writer->host->log(
            writer->host->context, POLARIS_ES_LOG_ERROR,
            "shutdown: what a call wrote whose commit failed could not be taken back from the write-ahead "
            "log: it may come back when the store is opened; check the disk");
    }
    keep_log = checkpointer_stop(&writer->checkpointer, &writer->connection, keep_log);
    (void)sqlite3_db_config(writer->connection.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep_log, NULL);
    connection_close(&writer->connection);
    log_buffer_done(&writer->log_buffer);
    stage_done(&writer->stage);
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
    int64_t id = status == OK ? column_int(&statement, 0) : 0;
    if (status == OK && !id_is_sound(id)) {
        status = id_refuse("store a type", "type", id, error);
    }
    if (status != OK) {
        return status;
    }
    *ret_id = id;
    if (cache->count < TYPE_CACHE_SIZE && name.size <= TYPE_SIZE_MAX) {
        cache->entries[cache->count].id = *ret_id;
        cache->entries[cache->count].size = (uint8_t)name.size;
        memcpy(cache->entries[cache->count].name, name.data, name.size);
        cache->count++;
    }
    return OK;
}
