/* rejected.c (storage/sqlite): events that their schema did not allow, kept until somebody corrects or discards them.
 */
#include "storage/sqlite/rejected.h"

#include <stdio.h>

#include "storage/sqlite/append.h"
#include "storage/sqlite/schemas.h"
#include "storage/sqlite/sqlite.h"

#define REJECTED_COLUMNS "id, type, schema_version, state, event, failures, created_us, updated_us, event_id, reason"

/* Of a damaged row the state is REJECTED_STATE_COUNT. */
static const char *const STATE_NAMES[REJECTED_STATE_COUNT + 1] = {"waiting", "resubmitted", "discarded", "damaged"};

/* ---- keep ---- */

/* Who repeats a request, having lost its reply, gets the first entry, while it waits. */
enum status rejected_find(struct writer *writer, const struct event *event, int64_t *ret_id, struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status = statement_get(&writer->connection,
                                       "SELECT id FROM rejected INDEXED BY rejected_by_key"
                                       " WHERE state = 0 AND key = ?1 AND event = ?2 LIMIT 1",
                                       "keep a rejected event", &find, error);
    bool row = false;
    if (status == OK) {
        bind_blob(&find, event->key);
        bind_blob(&find, event->raw);
        status = statement_step(&find, &row, error);
    }
    if (status == OK) {
        *ret_id = row ? column_int(&find, 0) : 0;
    }
    return status;
}

enum status rejected_keep(struct writer *writer, const struct event *event, int64_t *ret_id, struct error *error) {
    *ret_id = 0;
    enum status status = bytes_present(event->key) ? rejected_find(writer, event, ret_id, error) : OK;
    if (status != OK || *ret_id != 0) {
        return status;
    }
    CLEANUP(statement_release) struct statement insert = {0};
    status = statement_get(&writer->connection,
                           "INSERT INTO rejected (type, schema_version, state, key, event, failures, event_id,"
                           " created_us, updated_us) VALUES (?1, ?2, 0, ?3, ?4, ?5, 0, ?6, ?6)",
                           "keep a rejected event", &insert, error);
    if (status != OK) {
        return status;
    }
    bind_text(&insert, event->type);
    bind_int(&insert, event->schema_version);
    bind_blob(&insert, event->key);
    bind_blob(&insert, event->raw);
    bind_blob(&insert, event->failures);
    bind_int(&insert, writer->host->now_us(writer->host->context));
    status = statement_run(&insert, error);
    if (status == OK) {
        *ret_id = sqlite3_last_insert_rowid(writer->connection.db);
    }
    return status;
}

/* ---- find ---- */

static struct rejected_entry entry_from_row(const struct statement *row) {
    int64_t state = column_int(row, 3);
    return (struct rejected_entry){
        .id = column_int(row, 0),
        .type = column_bytes(row, 1),
        .schema_version = column_int(row, 2),
        .state = state >= 0 && state < REJECTED_STATE_COUNT ? (enum rejected_state)state : REJECTED_STATE_COUNT,
        .event = column_bytes(row, 4),
        .failures = column_bytes(row, 5),
        .created_us = column_int(row, 6),
        .updated_us = column_int(row, 7),
        .event_id = column_int(row, 8),
        .reason = column_bytes(row, 9),
    };
}

/* The views in *ret_entry are valid until *statement is released. NOT_FOUND. */
static enum status find(struct connection *connection, int64_t id, const char *what, struct statement *statement,
                        struct rejected_entry *ret_entry, struct error *error) {
    bool row = false;
    enum status status =
        statement_get(connection, "SELECT " REJECTED_COLUMNS " FROM rejected WHERE id = ?1", what, statement, error);
    if (status == OK) {
        bind_int(statement, id);
        status = statement_step(statement, &row, error);
    }
    if (status == OK && !row) {
        error_set(error, NOT_FOUND, "%s: there is no rejected entry %lld", what, (long long)id);
        error_set_path(error, "/id");
        return NOT_FOUND;
    }
    if (status == OK) {
        *ret_entry = entry_from_row(statement);
    }
    return status;
}

/* `wanted`: the state that the call would bring about; an entry that is in it is ALREADY, one that ended otherwise
 * CLOSED. */
static enum status find_waiting(struct writer *writer, int64_t id, const char *what, enum rejected_state wanted,
                                int64_t *ret_created_us, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    struct rejected_entry entry;
    enum status status = find(&writer->connection, id, what, &statement, &entry, error);
    if (status != OK) {
        return status;
    }
    *ret_created_us = entry.created_us;
    if (entry.state == REJECTED_WAITING) {
        return OK;
    }
    if (entry.state == REJECTED_STATE_COUNT) {
        return error_set(error, CORRUPT, "%s: the state of rejected entry %lld is damaged in the file", what,
                         (long long)id);
    }
    status = entry.state == wanted ? ALREADY : CLOSED;
    error_set(error, status, "%s: rejected entry %lld was %s before", what, (long long)id, STATE_NAMES[entry.state]);
    error_set_path(error, "/id");
    error_add_text(error, "state", STATE_NAMES[entry.state]);
    return status;
}

static enum status show(struct connection *connection, int64_t id, const char *what, rejected_visitor visit,
                        void *context, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    struct rejected_entry entry;
    enum status status = find(connection, id, what, &statement, &entry, error);
    if (status == OK) {
        (void)visit(context, &entry);
    }
    return status;
}

/* ---- changes ---- */

struct rejected_job {
    int64_t id;
    const struct append_request *request;
    struct append_result *result;
    struct bytes reason;
    rejected_visitor visit;
    void *context;
};

static enum status end_entry(struct writer *writer, const struct rejected_job *job, enum rejected_state state,
                             int64_t event_id, const char *what, struct error *error) {
    CLEANUP(statement_release) struct statement update = {0};
    enum status status = statement_get(&writer->connection,
                                       "UPDATE rejected SET state = ?1, event_id = ?2, reason = ?3, updated_us = ?4"
                                       " WHERE id = ?5",
                                       what, &update, error);
    if (status == OK) {
        bind_int(&update, state);
        bind_int(&update, event_id);
        bind_text(&update, job->reason);
        bind_int(&update, writer->host->now_us(writer->host->context));
        bind_int(&update, job->id);
        status = statement_run(&update, error);
    }
    return status == OK ? show(&writer->connection, job->id, what, job->visit, job->context, error) : status;
}

static enum status run_resubmit(struct writer *writer, void *argument, struct error *error) {
    static const char WHAT[] = "resubmit a rejected event";
    struct rejected_job *job = argument;
    int64_t created_us = 0;
    enum status status =
        schemas_check_generation(writer, job->request->schema_generation, job->request->events, 1, WHAT, error);
    if (status == OK) {
        status = append_check_space(writer, error);
    }
    if (status == OK) {
        status = find_waiting(writer, job->id, WHAT, REJECTED_RESUBMITTED, &created_us, error);
    }
    if (status != OK) {
        return status;
    }
    struct placement placement = {.recorded_us = writer_recorded_us(writer), .default_time_us = created_us};
    status = append_event(writer, &job->request->events[0], &placement, job->result, error);
    return status == OK ? end_entry(writer, job, REJECTED_RESUBMITTED, job->result->id, WHAT, error) : status;
}

enum status sqlite_rejected_resubmit(struct storage *base, int64_t id, const struct append_request *request,
                                     struct append_result *ret_result, rejected_visitor visit, void *context,
                                     struct error *error) {
    struct rejected_job job = {.id = id, .request = request, .result = ret_result, .visit = visit, .context = context};
    return writer_run(&sqlite_of(base)->writer, run_resubmit, &job, error);
}

static enum status run_discard(struct writer *writer, void *argument, struct error *error) {
    static const char WHAT[] = "discard a rejected event";
    const struct rejected_job *job = argument;
    int64_t created_us = 0;
    enum status status = find_waiting(writer, job->id, WHAT, REJECTED_DISCARDED, &created_us, error);
    return status == OK ? end_entry(writer, job, REJECTED_DISCARDED, 0, WHAT, error) : status;
}

enum status sqlite_rejected_discard(struct storage *base, int64_t id, struct bytes reason, rejected_visitor visit,
                                    void *context, struct error *error) {
    struct rejected_job job = {.id = id, .reason = reason, .visit = visit, .context = context};
    return writer_run(&sqlite_of(base)->writer, run_discard, &job, error);
}

/* ---- many ---- */

enum { FILTER_SQL_SIZE = 512 };

static bool is_of_one_state(const struct rejected_filter *filter) {
    return filter->states != 0 && (filter->states & (filter->states - 1)) == 0;
}

/* The index whose entries of the filter stand in the order of their ids. */
static const char *filter_index(const struct rejected_filter *filter) {
    bool has_type = bytes_present(filter->type);
    if (is_of_one_state(filter)) {
        return has_type ? "INDEXED BY rejected_by_type_state" : "INDEXED BY rejected_by_state";
    }
    return has_type ? "INDEXED BY rejected_by_type" : "NOT INDEXED";
}

/* ` AND ...` for each condition; parameters are bound by bind_filter, in the same order. */
static void filter_sql(const struct rejected_filter *filter, const char *verb, const char *where, const char *after,
                       char sql[FILTER_SQL_SIZE]) {
    (void)snprintf(sql, FILTER_SQL_SIZE, "%s FROM rejected %s WHERE %s%s%s%s%s", verb, filter_index(filter), where,
                   bytes_present(filter->type) ? " AND type = ?" : "",
                   is_of_one_state(filter) ? " AND state = ?"
                   : filter->states != 0   ? " AND (? >> state) & 1"
                                           : "",
                   filter->has_updated_before ? " AND updated_us < ?" : "", after);
}

static void bind_filter(struct statement *statement, const struct rejected_filter *filter) {
    if (bytes_present(filter->type)) {
        bind_text(statement, filter->type);
    }
    if (filter->states != 0) {
        bind_int(statement, is_of_one_state(filter) ? __builtin_ctz(filter->states) : (int64_t)filter->states);
    }
    if (filter->has_updated_before) {
        bind_int(statement, filter->updated_before_us);
    }
}

enum status sqlite_rejected_get(struct storage *base, int64_t id, rejected_visitor visit, void *context,
                                struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    return status == OK ? show(reader.connection, id, "get a rejected entry", visit, context, error) : status;
}

enum status sqlite_rejected_list(struct storage *base, const struct rejected_filter *filter, int64_t after_id,
                                 int64_t limit, rejected_visitor visit, void *context, struct error *error) {
    char sql[FILTER_SQL_SIZE];
    filter_sql(filter, "SELECT " REJECTED_COLUMNS, "id > ?", " ORDER BY id LIMIT ?", sql);
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = statement_get(reader.connection, sql, "list rejected entries", &rows, error);
    }
    if (status != OK) {
        return status;
    }
    bind_int(&rows, after_id);
    bind_filter(&rows, filter);
    bind_int(&rows, limit);
    bool row = true;
    while (status == OK && row) {
        status = statement_step(&rows, &row, error);
        if (status == OK && row) {
            struct rejected_entry entry = entry_from_row(&rows);
            row = visit(context, &entry);
        }
    }
    return status;
}

struct purge_job {
    const struct rejected_filter *filter;
    int64_t count;
};

static enum status run_purge(struct writer *writer, void *argument, struct error *error) {
    struct purge_job *job = argument;
    char sql[FILTER_SQL_SIZE];
    filter_sql(job->filter, "DELETE", "state <> 0", "", sql);
    CLEANUP(statement_release) struct statement remove = {0};
    enum status status = statement_get(&writer->connection, sql, "purge rejected entries", &remove, error);
    if (status == OK) {
        bind_filter(&remove, job->filter);
        status = statement_run(&remove, error);
    }
    if (status == OK) {
        job->count = sqlite3_changes64(writer->connection.db);
    }
    return status;
}

enum status sqlite_rejected_purge(struct storage *base, const struct rejected_filter *filter, int64_t *ret_count,
                                  struct error *error) {
    struct purge_job job = {.filter = filter};
    enum status status = writer_run(&sqlite_of(base)->writer, run_purge, &job, error);
    if (status == OK) {
        *ret_count = job.count;
    }
    return status;
}
