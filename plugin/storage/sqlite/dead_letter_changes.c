/* dead_letter_changes.c: resolving, failing, discarding, redriving and purging dead letters. */
#include "storage/sqlite/dead_letters.h"

static enum status run_change(struct sqlite_storage *self, write_function function, const void *request,
                              dead_letter_visitor visit, void *context, struct error *error) {
    struct dead_letter_job job = {.self = self, .request = request, .visit = visit, .context = context};
    return writer_run(&self->writer, function, &job, error);
}

static enum status save_and_show(struct dead_letter_job *job, const struct dead_letter *letter, int64_t now_us,
                                 struct error *error) {
    enum status status = dead_letter_save(dead_letter_connection(job), letter, now_us, error);
    return status == OK ? dead_letter_show_one(job, letter->id, false, error) : status;
}

/* Loads the entry and checks the token. `wanted`: the state that the change would bring about. */
static enum status load_checked(struct dead_letter_job *job, const char *what, enum dead_letter_state wanted,
                                struct dead_letter *ret_letter, struct error *error) {
    const struct dead_letter_change *change = job->request;
    enum status status = dead_letter_load(job, &change->ref, what, ret_letter, error);
    return status == OK ? dead_letter_check(&ret_letter->progress, ret_letter->id, change->token, wanted, error)
                        : status;
}

/* ---- resolve, fail, discard ---- */

static enum status run_resolve(struct writer *writer, void *argument, struct error *error) {
    (void)writer;
    struct dead_letter_job *job = argument;
    struct dead_letter letter;
    enum status status = load_checked(job, "resolve a dead letter", DEAD_LETTER_RESOLVED, &letter, error);
    if (status != OK) {
        return status;
    }
    dead_letter_resolve(&letter.progress);
    return save_and_show(job, &letter, sqlite_now(job->self), error);
}

enum status sqlite_dead_letter_resolve(struct storage *base, const struct dead_letter_change *change,
                                       dead_letter_visitor visit, void *context, struct error *error) {
    return run_change(sqlite_of(base), run_resolve, change, visit, context, error);
}

static enum status run_fail(struct writer *writer, void *argument, struct error *error) {
    (void)writer;
    struct dead_letter_job *job = argument;
    const struct dead_letter_change *change = job->request;
    struct dead_letter letter;
    int64_t now = sqlite_now(job->self);
    enum status status = load_checked(job, "fail a dead letter", DEAD_LETTER_STATE_COUNT, &letter, error);
    if (status != OK) {
        return status;
    }
    dead_letter_fail(&letter.progress, &job->self->policy, letter.event_id, change->delay_us, now);
    if (change->park) {
        letter.progress.state = DEAD_LETTER_PARKED;
        letter.progress.due_us = 0;
    }
    status = dead_letter_add_failure(dead_letter_connection(job), letter.id, &change->failure, now, error);
    return status == OK ? save_and_show(job, &letter, now, error) : status;
}

enum status sqlite_dead_letter_fail(struct storage *base, const struct dead_letter_change *change,
                                    dead_letter_visitor visit, void *context, struct error *error) {
    return run_change(sqlite_of(base), run_fail, change, visit, context, error);
}

static enum status run_discard(struct writer *writer, void *argument, struct error *error) {
    (void)writer;
    struct dead_letter_job *job = argument;
    const struct dead_letter_change *change = job->request;
    struct dead_letter letter;
    enum status status = load_checked(job, "discard a dead letter", DEAD_LETTER_DISCARDED, &letter, error);
    if (status != OK) {
        return status;
    }
    dead_letter_discard(&letter.progress);
    letter.reason = change->reason;
    return save_and_show(job, &letter, sqlite_now(job->self), error);
}

enum status sqlite_dead_letter_discard(struct storage *base, const struct dead_letter_change *change,
                                       dead_letter_visitor visit, void *context, struct error *error) {
    return run_change(sqlite_of(base), run_discard, change, visit, context, error);
}

/* ---- redrive ---- */

static enum status run_redrive_one(struct writer *writer, void *argument, struct error *error) {
    (void)writer;
    struct dead_letter_job *job = argument;
    const struct dead_letter_ref *ref = job->request;
    struct dead_letter letter;
    int64_t now = sqlite_now(job->self);
    enum status status = dead_letter_load(job, ref, "redrive a dead letter", &letter, error);
    if (status == OK) {
        status = dead_letter_check(&letter.progress, letter.id, -1, DEAD_LETTER_STATE_COUNT, error);
    }
    if (status != OK) {
        return status;
    }
    dead_letter_redrive(&letter.progress, now);
    return save_and_show(job, &letter, now, error);
}

enum status sqlite_dead_letter_redrive_one(struct storage *base, const struct dead_letter_ref *ref,
                                           dead_letter_visitor visit, void *context, struct error *error) {
    return run_change(sqlite_of(base), run_redrive_one, ref, visit, context, error);
}

/* Binds the conditions of a filter to ?2 ... ?5 of FILTER_CONDITIONS. `states` are those that the change may touch. */
#define FILTER_CONDITIONS                                                                                              \
    " (?2 >> state) & 1 AND updated_us < ?3"                                                                           \
    " AND (?4 IS NULL OR consumer_id = (SELECT id FROM consumer WHERE name = ?4))"                                     \
    " AND (?5 IS NULL OR stream_id = (SELECT id FROM stream WHERE name = ?5))"

static void bind_filter(struct statement *statement, const struct dead_letter_filter *filter, uint32_t states) {
    statement->next_parameter = 2;
    bind_int(statement, filter->states == 0 ? states : filter->states & states);
    bind_int(statement, filter->has_updated_before ? filter->updated_before_us : INT64_MAX);
    bind_text(statement, filter->consumer);
    bind_text(statement, filter->stream);
}

static enum status run_redrive(struct writer *writer, void *argument, struct error *error) {
    struct dead_letter_job *job = argument;
    CLEANUP(statement_release) struct statement update = {0};
    /* What dead_letter_redrive() does to one entry; a test compares the two. */
    enum status status =
        statement_get(&writer->connection,
                      "UPDATE dead_letter SET state = 0, attempts = 0, due_us = ?1, lease_until_us = 0,"
                      " counted = 0, holder = NULL, updated_us = ?1 WHERE" FILTER_CONDITIONS,
                      "redrive dead letters", &update, error);
    if (status != OK) {
        return status;
    }
    bind_int(&update, sqlite_now(job->self));
    bind_filter(&update, job->request, 1u << DEAD_LETTER_PENDING | 1u << DEAD_LETTER_PARKED);
    status = statement_run(&update, error);
    job->count = sqlite3_changes64(writer->connection.db);
    return status;
}

enum status sqlite_dead_letter_redrive(struct storage *base, const struct dead_letter_filter *filter,
                                       int64_t *ret_count, struct error *error) {
    struct dead_letter_job job = {.self = sqlite_of(base), .request = filter};
    enum status status = writer_run(&job.self->writer, run_redrive, &job, error);
    if (status == OK) {
        *ret_count = job.count;
    }
    return status;
}

/* ---- purge ---- */

static enum status run_purge(struct writer *writer, void *argument, struct error *error) {
    static const uint32_t ENDED = 1u << DEAD_LETTER_RESOLVED | 1u << DEAD_LETTER_DISCARDED;
    static const char *const STATEMENTS[] = {
        "DELETE FROM dead_letter_failure WHERE letter_id IN (SELECT id FROM dead_letter WHERE" FILTER_CONDITIONS ")",
        "DELETE FROM dead_letter WHERE" FILTER_CONDITIONS,
    };
    struct dead_letter_job *job = argument;
    for (size_t i = 0; i < sizeof STATEMENTS / sizeof STATEMENTS[0]; i++) {
        CLEANUP(statement_release) struct statement remove = {0};
        enum status status = statement_get(&writer->connection, STATEMENTS[i], "purge dead letters", &remove, error);
        if (status == OK) {
            bind_filter(&remove, job->request, ENDED);
            status = statement_run(&remove, error);
        }
        if (status != OK) {
            return status;
        }
        job->count = sqlite3_changes64(writer->connection.db);
    }
    return OK;
}

enum status sqlite_dead_letter_purge(struct storage *base, const struct dead_letter_filter *filter, int64_t *ret_count,
                                     struct error *error) {
    struct dead_letter_job job = {.self = sqlite_of(base), .request = filter};
    enum status status = writer_run(&job.self->writer, run_purge, &job, error);
    if (status == OK) {
        *ret_count = job.count;
    }
    return status;
}
