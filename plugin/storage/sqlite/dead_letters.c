/* dead_letters.c: putting, claiming and settling dead letters. The rules are in dead_letter.h; here they are kept. */
#include "storage/sqlite/dead_letters.h"

#include "storage/sqlite/sqlite.h"

/* How many expired leases one claim settles: the next claim goes on. */
enum { EXPIRED_MAX = 1000 };

/* ---- rows ---- */

enum status dead_letter_save(struct connection *connection, const struct dead_letter *letter, int64_t now_us,
                             struct error *error) {
    const struct dead_letter_progress *progress = &letter->progress;
    CLEANUP(statement_release) struct statement update = {0};
    enum status status =
        statement_get(connection,
                      "UPDATE dead_letter SET state = ?1, attempts = ?2, attempts_max = ?3, due_us = ?4,"
                      " lease_until_us = ?5, token = ?6, counted = ?7, holder = ?8, reason = ?9,"
                      " updated_us = ?10 WHERE id = ?11",
                      "change a dead letter", &update, error);
    if (status != OK) {
        return status;
    }
    bind_int(&update, progress->state);
    bind_int(&update, progress->attempts);
    bind_int(&update, progress->attempts_max);
    bind_int(&update, progress->due_us);
    bind_int(&update, progress->lease_until_us);
    bind_int(&update, progress->token);
    bind_int(&update, progress->counted);
    bind_text(&update, progress->state == DEAD_LETTER_CLAIMED ? letter->holder : (struct bytes){0});
    bind_text(&update, letter->reason);
    bind_int(&update, now_us);
    bind_int(&update, letter->id);
    return statement_run(&update, error);
}

enum status dead_letter_add_failure(struct connection *connection, int64_t letter_id,
                                    const struct dead_letter_failure *failure, int64_t now_us, struct error *error) {
    static const char WHAT[] = "keep a failure";
    CLEANUP(statement_release) struct statement count = {0};
    enum status status = statement_get(
        connection, "UPDATE dead_letter SET failure_seq = failure_seq + 1 WHERE id = ?1 RETURNING failure_seq", WHAT,
        &count, error);
    bool row = false;
    if (status == OK) {
        bind_int(&count, letter_id);
        status = statement_step(&count, &row, error);
    }
    int64_t seq = status == OK ? column_int(&count, 0) : 0;
    CLEANUP(statement_release) struct statement insert = {0};
    if (status == OK) {
        status = statement_get(connection, "INSERT INTO dead_letter_failure VALUES (?1, ?2, ?3, ?4, ?5)", WHAT, &insert,
                               error);
    }
    if (status == OK) {
        bind_int(&insert, letter_id);
        bind_int(&insert, seq);
        bind_text(&insert, failure->class_name);
        bind_text(&insert, failure->message);
        bind_int(&insert, now_us);
        status = statement_run(&insert, error);
    }
    CLEANUP(statement_release) struct statement forget = {0};
    if (status == OK) {
        status = statement_get(connection, "DELETE FROM dead_letter_failure WHERE letter_id = ?1 AND seq <= ?2", WHAT,
                               &forget, error);
    }
    if (status == OK) {
        bind_int(&forget, letter_id);
        bind_int(&forget, seq - FAILURES_KEPT);
        status = statement_run(&forget, error);
    }
    return status;
}

enum status dead_letter_show_one(struct dead_letter_job *job, int64_t id, bool with_event, struct error *error) {
    struct dead_letter_ref ref = {.id = id};
    struct dead_letter letter;
    bool more = false;
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status =
        dead_letter_find(dead_letter_connection(job), &ref, "read a dead letter", &statement, &letter, error);
    if (status == OK) {
        status =
            dead_letter_show(dead_letter_connection(job), &letter, with_event, job->visit, job->context, &more, error);
    }
    job->stopped = !more;
    return status;
}

enum status dead_letter_load(struct dead_letter_job *job, const struct dead_letter_ref *ref, const char *what,
                             struct dead_letter *ret_letter, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status = dead_letter_find(dead_letter_connection(job), ref, what, &statement, ret_letter, error);
    ret_letter->consumer = ret_letter->stream = ret_letter->holder = ret_letter->reason = (struct bytes){0};
    return status;
}

/* ---- put ---- */

static enum status consumer_make(struct connection *connection, struct bytes name, int64_t *ret_id,
                                 struct error *error) {
    enum status status = consumer_find(connection, name, ret_id, error);
    if (status != OK || *ret_id != 0) {
        return status;
    }
    CLEANUP(statement_release) struct statement insert = {0};
    status = statement_get(connection, "INSERT INTO consumer (name) VALUES (?1)", "make a consumer", &insert, error);
    if (status == OK) {
        bind_text(&insert, name);
        status = statement_run(&insert, error);
    }
    if (status == OK) {
        *ret_id = sqlite3_last_insert_rowid(connection->db);
    }
    return status;
}

/* The event's stream (0: none). NOT_FOUND: there is no dead letter for an event that does not exist. */
static enum status event_stream(struct connection *connection, int64_t event_id, int64_t *ret_stream_id,
                                struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status =
        statement_get(connection, "SELECT stream_id FROM event WHERE id = ?1", "put a dead letter", &find, error);
    bool row = false;
    if (status == OK) {
        bind_int(&find, event_id);
        status = statement_step(&find, &row, error);
    }
    if (status == OK && !row) {
        error_set(error, NOT_FOUND, "put a dead letter: there is no event %lld", (long long)event_id);
        error_set_path(error, "/event_id");
        return NOT_FOUND;
    }
    if (status == OK) {
        *ret_stream_id = column_int(&find, 0);
    }
    return status;
}

static enum status insert_letter(struct dead_letter_job *job, const struct dead_letter_put *put,
                                 const struct dead_letter_progress *progress, int64_t now_us, int64_t *ret_id,
                                 struct error *error) {
    struct connection *connection = dead_letter_connection(job);
    int64_t stream_id = 0;
    int64_t consumer_id = 0;
    enum status status = event_stream(connection, put->event_id, &stream_id, error);
    if (status == OK) {
        status = consumer_make(connection, put->consumer, &consumer_id, error);
    }
    CLEANUP(statement_release) struct statement insert = {0};
    if (status == OK) {
        status =
            statement_get(connection,
                          "INSERT INTO dead_letter (event_id, consumer_id, stream_id, state, attempts, attempts_max,"
                          " due_us, lease_until_us, token, counted, failure_seq, created_us, updated_us)"
                          " VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6, 0, 0, 0, 0, ?7, ?7)",
                          "put a dead letter", &insert, error);
    }
    if (status == OK) {
        bind_int(&insert, put->event_id);
        bind_int(&insert, consumer_id);
        bind_optional_int(&insert, stream_id > 0, stream_id);
        bind_int(&insert, progress->state);
        bind_int(&insert, progress->attempts_max);
        bind_int(&insert, progress->due_us);
        bind_int(&insert, now_us);
        status = statement_run(&insert, error);
    }
    if (status == OK) {
        *ret_id = sqlite3_last_insert_rowid(connection->db);
    }
    return status;
}

/* A consumer failed on the event for the first time, or again after the entry had ended. */
static struct dead_letter_progress begin(const struct dead_letter_job *job, const struct dead_letter_put *put,
                                         int64_t now_us) {
    struct retry_policy policy = job->self->policy;
    policy.attempts_max = put->attempts_max >= 0 ? put->attempts_max : policy.attempts_max;
    struct dead_letter_progress progress = dead_letter_begin(&policy, put->event_id, now_us);
    if (put->delay_us >= 0) {
        progress.due_us = put->delay_us > TIME_US_MAX - now_us ? TIME_US_MAX : now_us + put->delay_us;
    }
    return progress;
}

static enum status update_letter(struct dead_letter_job *job, const struct dead_letter_put *put,
                                 struct dead_letter *letter, int64_t now_us, struct error *error) {
    if (letter->progress.state == DEAD_LETTER_CLAIMED && letter->progress.lease_until_us > now_us) {
        return error_set(error, CONFLICT,
                         "put a dead letter: event %lld is claimed for this consumer; use fail, with "
                         "the token",
                         (long long)put->event_id);
    }
    if ((DEAD_LETTER_LIVE & (1u << letter->progress.state)) == 0) {
        int64_t token = letter->progress.token; /* tokens of the life before must stay lost */
        letter->progress = begin(job, put, now_us);
        letter->progress.token = token;
    } else {
        letter->progress.attempts_max = put->attempts_max >= 0 ? put->attempts_max : letter->progress.attempts_max;
        dead_letter_fail(&letter->progress, &job->self->policy, put->event_id, put->delay_us, now_us);
    }
    return dead_letter_save(dead_letter_connection(job), letter, now_us, error);
}

static enum status run_put(struct writer *writer, void *argument, struct error *error) {
    (void)writer;
    struct dead_letter_job *job = argument;
    const struct dead_letter_put *put = job->request;
    struct dead_letter_ref ref = {.consumer = put->consumer, .event_id = put->event_id};
    struct dead_letter letter = {0};
    int64_t now = sqlite_now(job->self);
    enum status status = dead_letter_load(job, &ref, "put a dead letter", &letter, error);
    if (status == NOT_FOUND) {
        struct dead_letter_progress progress = begin(job, put, now);
        status = insert_letter(job, put, &progress, now, &letter.id, error);
    } else if (status == OK) {
        status = update_letter(job, put, &letter, now, error);
    }
    if (status == OK) {
        status = dead_letter_add_failure(dead_letter_connection(job), letter.id, &put->failure, now, error);
    }
    return status == OK ? dead_letter_show_one(job, letter.id, false, error) : status;
}

enum status sqlite_dead_letter_put(struct storage *base, const struct dead_letter_put *put, dead_letter_visitor visit,
                                   void *context, struct error *error) {
    struct dead_letter_job job = {.self = sqlite_of(base), .request = put, .visit = visit, .context = context};
    return writer_run(&job.self->writer, run_put, &job, error);
}

/* ---- claim ---- */

/* No earlier event of the stream has a live entry for the consumer, ?1. The entry is `d`. */
#define AND_FIRST_OF_ITS_STREAM                                                                                        \
    " AND NOT EXISTS (SELECT 1 FROM dead_letter o INDEXED BY dead_letter_by_stream WHERE o.consumer_id = ?1"           \
    " AND o.stream_id = d.stream_id AND o.event_id < d.event_id AND o.state IN (0, 1, 3))"

/* Ids of at most `limit` entries that `sql` selects; it takes the consumer, a time and the limit. */
static enum status select_ids(struct connection *connection, const char *sql, int64_t consumer, int64_t now_us,
                              int64_t limit, int64_t *ret_ids, int64_t *ret_count, struct error *error) {
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = statement_get(connection, sql, "claim dead letters", &rows, error);
    if (status != OK) {
        return status;
    }
    bind_int(&rows, consumer);
    bind_int(&rows, now_us);
    bind_int(&rows, limit);
    int64_t count = 0;
    bool row = count < limit;
    while (row && count < limit) {
        status = statement_step(&rows, &row, error);
        if (status != OK) {
            return status;
        }
        if (row) {
            ret_ids[count++] = column_int(&rows, 0);
        }
    }
    *ret_count = count;
    return OK;
}

static enum status settle_expired(struct dead_letter_job *job, int64_t consumer, int64_t now_us, struct error *error) {
    static const char EXPIRED[] = "SELECT id FROM dead_letter INDEXED BY dead_letter_by_lease"
                                  " WHERE consumer_id = ?1 AND state = 1 AND lease_until_us <= ?2"
                                  " ORDER BY lease_until_us LIMIT ?3";
    static const struct dead_letter_failure FAILURE = {
        .class_name = {(const uint8_t *)"lease_expired", sizeof "lease_expired" - 1},
        .message = {(const uint8_t *)"the lease expired before the consumer answered",
                    sizeof "the lease expired before the consumer answered" - 1},
    };
    int64_t ids[EXPIRED_MAX];
    int64_t count = 0;
    enum status status =
        select_ids(dead_letter_connection(job), EXPIRED, consumer, now_us, EXPIRED_MAX, ids, &count, error);
    for (int64_t i = 0; status == OK && i < count; i++) {
        struct dead_letter_ref ref = {.id = ids[i]};
        struct dead_letter letter;
        status = dead_letter_load(job, &ref, "settle an expired lease", &letter, error);
        if (status == OK) {
            dead_letter_fail(&letter.progress, &job->self->policy, letter.event_id, -1, now_us);
            job->parked += letter.progress.state == DEAD_LETTER_PARKED;
            status = dead_letter_save(dead_letter_connection(job), &letter, now_us, error);
        }
        if (status == OK) {
            status = dead_letter_add_failure(dead_letter_connection(job), letter.id, &FAILURE, now_us, error);
        }
    }
    return status;
}

/* Hands one entry out, or parks it when `retry` finds its attempts used up. */
static enum status hand_out(struct dead_letter_job *job, int64_t id, int64_t now_us, struct error *error) {
    const struct dead_letter_claim_request *request = job->request;
    struct dead_letter_ref ref = {.id = id};
    struct dead_letter letter;
    enum status status = dead_letter_load(job, &ref, "claim dead letters", &letter, error);
    if (status != OK) {
        return status;
    }
    int64_t attempts_max = request->attempts_max >= 0 ? request->attempts_max : letter.progress.attempts_max;
    if (request->count_now && letter.progress.attempts >= attempts_max) {
        letter.progress.state = DEAD_LETTER_PARKED;
        letter.progress.due_us = 0;
        job->parked++;
        return dead_letter_save(dead_letter_connection(job), &letter, now_us, error);
    }
    int64_t lease_us = request->lease_us >= 0 ? request->lease_us : job->self->policy.lease_us;
    dead_letter_claim(&letter.progress, lease_us, request->count_now, now_us);
    letter.holder = request->holder;
    status = dead_letter_save(dead_letter_connection(job), &letter, now_us, error);
    return status == OK ? dead_letter_show_one(job, id, true, error) : status;
}

#define THE_FIRST_OR_A_LEASE                                                                                           \
    " ORDER BY due_us LIMIT 1) UNION ALL SELECT min(lease_until_us) FROM dead_letter INDEXED BY dead_letter_by_lease"  \
    " WHERE consumer_id = ?1 AND state = 1)"

/* What waits behind an earlier entry of its stream is not due, or who sleeps until then would not sleep at all. */
static enum status find_next_due(struct dead_letter_job *job, int64_t consumer, bool ordered, struct error *error) {
    static const char DUE[] =
        "SELECT min(due) FROM (SELECT * FROM (SELECT due_us AS due FROM dead_letter d"
        " INDEXED BY dead_letter_by_due WHERE consumer_id = ?1 AND state = 0" THE_FIRST_OR_A_LEASE;
    static const char DUE_ORDERED[] =
        "SELECT min(due) FROM (SELECT * FROM (SELECT due_us AS due FROM dead_letter d INDEXED BY dead_letter_by_due"
        " WHERE consumer_id = ?1 AND state = 0" AND_FIRST_OF_ITS_STREAM THE_FIRST_OR_A_LEASE;
    CLEANUP(statement_release) struct statement find = {0};
    enum status status =
        statement_get(dead_letter_connection(job), ordered ? DUE_ORDERED : DUE, "claim dead letters", &find, error);
    bool row = false;
    if (status == OK) {
        bind_int(&find, consumer);
        status = statement_step(&find, &row, error);
    }
    if (status == OK) {
        job->next_due_us = column_int(&find, 0);
    }
    return status;
}

static enum status run_claim(struct writer *writer, void *argument, struct error *error) {
    (void)writer;
    static const char DUE[] = "SELECT id FROM dead_letter d INDEXED BY dead_letter_by_due"
                              " WHERE consumer_id = ?1 AND state = 0 AND due_us <= ?2 ORDER BY due_us, id LIMIT ?3";
    static const char DUE_ORDERED[] = "SELECT id FROM dead_letter d INDEXED BY dead_letter_by_due"
                                      " WHERE consumer_id = ?1 AND state = 0 AND due_us <= ?2" AND_FIRST_OF_ITS_STREAM
                                      " ORDER BY due_us, id LIMIT ?3";
    struct dead_letter_job *job = argument;
    const struct dead_letter_claim_request *request = job->request;
    int64_t now = sqlite_now(job->self);
    int64_t consumer = 0;
    int64_t ids[CLAIM_LIMIT_MAX];
    int64_t count = 0;
    enum status status = consumer_find(dead_letter_connection(job), request->consumer, &consumer, error);
    if (status != OK || consumer == 0) {
        return status; /* a consumer that never failed has nothing to claim */
    }
    int64_t limit = request->limit < CLAIM_LIMIT_MAX ? request->limit : CLAIM_LIMIT_MAX;
    status = settle_expired(job, consumer, now, error);
    if (status == OK) {
        status = select_ids(dead_letter_connection(job), request->ordered ? DUE_ORDERED : DUE, consumer, now, limit,
                            ids, &count, error);
    }
    for (int64_t i = 0; status == OK && i < count && !job->stopped; i++) {
        status = hand_out(job, ids[i], now, error);
    }
    return status == OK ? find_next_due(job, consumer, request->ordered, error) : status;
}

enum status sqlite_dead_letter_claim(struct storage *base, const struct dead_letter_claim_request *request,
                                     dead_letter_visitor visit, void *context, int64_t *ret_next_due_us,
                                     int64_t *ret_parked, struct error *error) {
    struct dead_letter_job job = {.self = sqlite_of(base), .request = request, .visit = visit, .context = context};
    enum status status = writer_run(&job.self->writer, run_claim, &job, error);
    if (status == OK) {
        *ret_next_due_us = job.next_due_us;
        *ret_parked = job.parked;
    }
    return status;
}
