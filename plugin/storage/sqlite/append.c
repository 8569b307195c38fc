/* append.c: events on their way into the store. */
#include "storage/sqlite/append.h"

#include <stdio.h>
#include <stdlib.h>

#include "storage/sqlite/filter.h"
#include "storage/sqlite/rejected.h"
#include "storage/sqlite/schemas.h"
#include "storage/sqlite/sqlite.h"

static const char WHAT[] = "append events";

/* ---- idempotency ---- */

static const char FIND_BY_KEY[] =
    "SELECT e.id, e.version, e.time_us, t.name, s.name, e.correlation, e.causation, e.tags, e.metadata, e.data"
    " FROM event e JOIN type t ON t.id = e.type_id LEFT JOIN stream s ON s.id = e.stream_id WHERE e.key = ?1";

/* Only what the caller said counts: a time that was left to the clock is no difference. */
static bool same_content(const struct statement *row, const struct event *event) {
    return (!event->has_time || event->time_us == column_int(row, 2)) &&
           bytes_equal(event->type, column_bytes(row, 3)) && bytes_equal(event->stream, column_bytes(row, 4)) &&
           bytes_equal(event->correlation, column_bytes(row, 5)) &&
           bytes_equal(event->causation, column_bytes(row, 6)) && bytes_equal(event->tags, column_bytes(row, 7)) &&
           bytes_equal(event->metadata, column_bytes(row, 8)) && bytes_equal(event->data, column_bytes(row, 9));
}

/* Leaves ret_result->duplicate false when no event has the key. */
static enum status find_by_key(struct writer *writer, const struct event *event, struct append_result *ret_result,
                               struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status = statement_get(&writer->connection, FIND_BY_KEY, WHAT, &find, error);
    bool row = false;
    if (status == OK) {
        bind_blob(&find, event->key);
        status = statement_step(&find, &row, error);
    }
    if (status != OK || !row) {
        return status;
    }
    int64_t id = column_int(&find, 0);
    if (!same_content(&find, event)) {
        error_set(error, CONFLICT,
                  "%s: event %lld was stored under this key with other content; a key names one event for good", WHAT,
                  (long long)id);
        error_add_number(error, "id", id);
        return CONFLICT;
    }
    *ret_result = (struct append_result){.id = id, .version = column_int(&find, 1), .duplicate = true};
    return OK;
}

/* ---- streams ---- */

static bool is_expected(const struct event *event, int64_t current) {
    switch (event->expectation) {
    case EXPECT_ANY:
        return true;
    case EXPECT_NONE:
        return current == 0;
    case EXPECT_EXISTS:
        return current > 0;
    case EXPECT_EXACTLY:
        return current == event->expected_version;
    }
    return false;
}

static enum status version_conflict(const struct event *event, int64_t current, struct error *error) {
    char stream[STREAM_SIZE_MAX + 1];
    snprintf(stream, sizeof stream, "%.*s", BYTES_FORMAT(event->stream));
    char expected[32];
    if (event->expectation == EXPECT_EXACTLY) {
        snprintf(expected, sizeof expected, "%lld", (long long)event->expected_version);
    } else {
        snprintf(expected, sizeof expected, "%s", event->expectation == EXPECT_NONE ? "none" : "exists");
    }
    error_set(error, CONFLICT,
              "%s: stream %s has version %lld, expected_version is %s; read what was added and decide anew", WHAT,
              stream, (long long)current, expected);
    error_add_text(error, "stream", stream);
    error_add_text(error, "expected", expected);
    error_add_number(error, "current_version", current);
    return CONFLICT;
}

/* The event takes the next version of its stream, which is made if it is new. */
static enum status advance_stream(struct writer *writer, const struct event *event, int64_t event_id,
                                  int64_t *ret_stream_id, int64_t *ret_version, struct error *error) {
    CLEANUP(statement_release) struct statement upsert = {0};
    enum status status = statement_get(&writer->connection,
                                       "INSERT INTO stream (name, version, first_id, last_id) VALUES (?1, 1, ?2, ?2)"
                                       " ON CONFLICT (name) DO UPDATE SET version = version + 1, last_id = ?2"
                                       " RETURNING id, version",
                                       WHAT, &upsert, error);
    bool row = false;
    if (status == OK) {
        bind_text(&upsert, event->stream);
        bind_int(&upsert, event_id);
        status = statement_step(&upsert, &row, error);
    }
    if (status != OK) {
        return status;
    }
    *ret_stream_id = column_int(&upsert, 0);
    *ret_version = column_int(&upsert, 1);
    return is_expected(event, *ret_version - 1) ? OK : version_conflict(event, *ret_version - 1, error);
}

/* ---- tags ---- */

static enum status add_tag(struct writer *writer, struct bytes tag, int64_t event_id, struct error *error) {
    CLEANUP(statement_release) struct statement upsert = {0};
    enum status status = statement_get(&writer->connection,
                                       "INSERT INTO tag (name, event_count, last_id) VALUES (?1, 1, ?2)"
                                       " ON CONFLICT (name) DO UPDATE SET event_count = event_count + 1, last_id = ?2"
                                       " RETURNING id",
                                       WHAT, &upsert, error);
    bool row = false;
    if (status == OK) {
        bind_text(&upsert, tag);
        bind_int(&upsert, event_id);
        status = statement_step(&upsert, &row, error);
    }
    if (status != OK) {
        return status;
    }
    CLEANUP(statement_release) struct statement insert = {0};
    status = statement_get(&writer->connection, "INSERT INTO event_tag (tag_id, event_id) VALUES (?1, ?2)", WHAT,
                           &insert, error);
    if (status == OK) {
        bind_int(&insert, column_int(&upsert, 0));
        bind_int(&insert, event_id);
        status = statement_run(&insert, error);
    }
    return status;
}

/* ---- events ---- */

static enum status insert_event(struct writer *writer, const struct event *event, const struct placement *placement,
                                int64_t id, int64_t type_id, int64_t stream_id, int64_t version, struct error *error) {
    CLEANUP(statement_release) struct statement insert = {0};
    enum status status = statement_get(
        &writer->connection,
        "INSERT INTO event (id, type_id, time_us, recorded_us, stream_id, version, batch_id, schema_version, key,"
        " correlation, causation, tags, metadata, data)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        WHAT, &insert, error);
    if (status != OK) {
        return status;
    }
    bind_int(&insert, id);
    bind_int(&insert, type_id);
    bind_int(&insert, event->has_time ? event->time_us : placement->default_time_us);
    bind_int(&insert, placement->recorded_us);
    bind_optional_int(&insert, stream_id > 0, stream_id);
    bind_optional_int(&insert, stream_id > 0, version);
    bind_optional_int(&insert, placement->batch_id > 0, placement->batch_id);
    bind_optional_int(&insert, event->schema_version > 0, event->schema_version);
    bind_blob(&insert, event->key);
    bind_text(&insert, event->correlation);
    bind_text(&insert, event->causation);
    bind_blob(&insert, event->tags);
    bind_blob(&insert, event->metadata);
    bind_blob(&insert, event->data);
    return statement_run(&insert, error);
}

enum status append_judge(struct writer *writer, const struct event *event, struct append_result *ret_result,
                         bool *ret_kept, struct error *error) {
    *ret_kept = event->verdict == EVENT_KEPT;
    if (event->verdict == EVENT_ACCEPTED) {
        return OK;
    }
    if (event->verdict == EVENT_REFUSED) {
        return error_set(error, REJECTED, "%s: version %lld of the schema of '%.*s' does not allow the event", WHAT,
                         (long long)event->schema_version, BYTES_FORMAT(event->type));
    }
    *ret_result = (struct append_result){0};
    return rejected_keep(writer, event, &ret_result->rejected_id, error);
}

enum status append_event(struct writer *writer, const struct event *event, const struct placement *placement,
                         struct append_result *ret_result, struct error *error) {
    if (bytes_present(event->key)) {
        struct append_result found = {0};
        enum status status = find_by_key(writer, event, &found, error);
        if (status != OK || found.duplicate) {
            *ret_result = found;
            return status;
        }
    }
    bool kept = false;
    enum status status = append_judge(writer, event, ret_result, &kept, error);
    if (status != OK || kept) {
        return status;
    }
    int64_t id = writer_next_id(writer);
    int64_t type_id = 0;
    int64_t stream_id = 0;
    int64_t version = 0;
    status = writer_type_id(writer, event->type, &type_id, error);
    if (status == OK && bytes_present(event->stream)) {
        status = advance_stream(writer, event, id, &stream_id, &version, error);
    }
    if (status == OK) {
        status = insert_event(writer, event, placement, id, type_id, stream_id, version, error);
    }
    for (uint32_t i = 0; status == OK && i < event->tag_count; i++) {
        status = add_tag(writer, event->tag[i], id, error);
    }
    if (status == OK) {
        *ret_result = (struct append_result){.id = id, .version = version};
    }
    return status;
}

enum status append_check_space(struct writer *writer, struct error *error) {
    int64_t limit = writer->config->store_size_max;
    int64_t pages = 0;
    int64_t unused = 0;
    if (limit == 0) {
        return OK;
    }
    enum status status = connection_query_int(&writer->connection, "PRAGMA page_count", WHAT, &pages, error);
    if (status == OK) {
        status = connection_query_int(&writer->connection, "PRAGMA freelist_count", WHAT, &unused, error);
    }
    int64_t size = (pages - unused) * writer->page_size;
    if (status != OK || size < limit) {
        return status;
    }
    error_set(error, FULL, "%s: the store has %lld bytes, store_size_max is %lld; raise it, or prune events", WHAT,
              (long long)size, (long long)limit);
    error_add_number(error, "size", size);
    error_add_number(error, "limit", limit);
    return FULL;
}

/* ---- the call ---- */

struct append_job {
    const struct append_request *request;
    struct append_result *results;
    struct append_summary summary;
};

static enum status check_condition(struct writer *writer, const struct append_condition *condition,
                                   struct error *error) {
    int64_t id = 0;
    enum status status = filter_find_first(&writer->connection, condition->filter, condition->after_id, &id, error);
    if (status != OK || id == 0) {
        return status;
    }
    error_set(error, CONFLICT, "%s: event %lld matches the condition, above id %lld; read it and decide anew", WHAT,
              (long long)id, (long long)condition->after_id);
    error_set_path(error, "/condition");
    error_add_number(error, "id", id);
    return CONFLICT;
}

/* Was the whole request dealt with before, under the keys of its events? */
static bool is_repeated(struct writer *writer, const struct append_request *request) {
    struct error ignored; /* what cannot be found is not repeated: the caller has an error already */
    for (size_t i = 0; i < request->count; i++) {
        const struct event *event = &request->events[i];
        struct append_result found = {0};
        if (!bytes_present(event->key) || find_by_key(writer, event, &found, &ignored) != OK) {
            return false;
        }
        bool is_kept = event->verdict == EVENT_KEPT && !found.duplicate;
        if (is_kept && rejected_find(writer, event, &found.rejected_id, &ignored) != OK) {
            return false;
        }
        if (!found.duplicate && found.rejected_id == 0) {
            return false;
        }
    }
    return true;
}

/* Space and the condition. Who repeats a request, having lost its reply, gets the first ids: its own events must not
 * stand against it. */
static enum status check_append(struct writer *writer, const struct append_request *request, struct error *error) {
    enum status status =
        schemas_check_generation(writer, request->schema_generation, request->events, request->count, WHAT, error);
    if (status != OK) {
        return status;
    }
    status = append_check_space(writer, error);
    if (status == OK && request->condition != NULL) {
        status = check_condition(writer, request->condition, error);
    }
    bool refused = status == FULL || status == CONFLICT;
    return refused && is_repeated(writer, request) ? OK : status;
}

static enum status run_append(struct writer *writer, void *argument, struct error *error) {
    struct append_job *job = argument;
    const struct append_request *request = job->request;
    enum status status = check_append(writer, request, error);
    if (status != OK) {
        return status;
    }
    int64_t now = writer_recorded_us(writer);
    struct placement placement = {.recorded_us = now, .default_time_us = now};
    size_t duplicates = 0;
    for (size_t i = 0; i < request->count; i++) {
        status = append_event(writer, &request->events[i], &placement, &job->results[i], error);
        if (status != OK) {
            if (error->path[0] == '\0') {
                error_set_path(error, "/events/%zu", i);
            }
            return status;
        }
        duplicates += job->results[i].duplicate;
    }
    job->summary =
        (struct append_summary){.recorded_us = now, .last_id = writer->progress.last_id, .duplicates = duplicates};
    return OK;
}

enum status sqlite_append(struct storage *base, const struct append_request *request, struct append_result *ret_results,
                          struct append_summary *ret_summary, struct error *error) {
    struct append_job job = {.request = request, .results = ret_results};
    enum status status = writer_run(&sqlite_of(base)->writer, run_append, &job, error);
    if (status == OK) {
        *ret_summary = job.summary;
    }
    return status;
}

/* ---- without waiting ---- */

struct later_job {
    struct write_job write; /* first: it is found by it */
    struct append_job append;
    struct append_later *later;
};

static enum status run_later(struct writer *writer, void *argument, struct error *error) {
    struct later_job *job = argument;
    if (!job->later->begin(job->later)) {
        return error_set(error, CANCELLED, "%s: the request was given up before its work began", WHAT);
    }
    return run_append(writer, &job->append, error);
}

static void finish_later(struct write_job *write) {
    struct later_job *job = (struct later_job *)(void *)write;
    struct append_later *later = job->later;
    later->status = write->status;
    later->summary = job->append.summary;
    free(job);
    later->finished(later);
}

enum status sqlite_append_later(struct storage *base, struct append_later *later, struct error *error) {
    struct later_job *job = malloc(sizeof *job);
    if (job == NULL) {
        return error_set(error, NO_MEMORY, "%s: no memory to queue the request", WHAT);
    }
    *job = (struct later_job){
        .write = {.function = run_later, .argument = job, .error = later->error, .finished = finish_later},
        .append = {.request = &later->request, .results = later->results},
        .later = later,
    };
    enum status status = writer_begin(&sqlite_of(base)->writer, &job->write, error);
    if (status != OK) {
        free(job);
    }
    return status;
}
