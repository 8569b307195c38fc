/* append.c: events on their way into the store. */
#include "storage/sqlite/append.h"

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

static bool same_staged_content(const struct staged_event *staged, const struct event *event) {
    const struct event *stored = staged->event;
    return (!event->has_time || event->time_us == staged->time_us) && bytes_equal(event->type, stored->type) &&
           bytes_equal(event->stream, stored->stream) && bytes_equal(event->correlation, stored->correlation) &&
           bytes_equal(event->causation, stored->causation) && bytes_equal(event->tags, stored->tags) &&
           bytes_equal(event->metadata, stored->metadata) && bytes_equal(event->data, stored->data);
}

static enum status key_conflict(int64_t id, struct error *error) {
    error_set(error, CONFLICT,
              "%s: event %lld was stored under this key with other content; a key names one event for good", WHAT,
              (long long)id);
    error_add_number(error, "id", id);
    return CONFLICT;
}

/* Leaves ret_result->duplicate false when no event has the key. */
static enum status find_by_key(struct writer *writer, const struct event *event, struct append_result *ret_result,
                               struct error *error) {
    const struct staged_event *staged = stage_find_key(&writer->stage, event->key);
    if (staged != NULL) {
        *ret_result = (struct append_result){.id = staged->id, .version = staged->version, .duplicate = true};
        return same_staged_content(staged, event) ? OK : key_conflict(staged->id, error);
    }
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
    *ret_result = (struct append_result){.id = id, .version = column_int(&find, 1), .duplicate = true};
    return same_content(&find, event) ? OK : key_conflict(id, error);
}

/* ---- events ---- */

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
        if (status == OK && found.duplicate) {
            *ret_result = found;
        }
        if (status != OK || found.duplicate) {
            return status;
        }
    }
    bool kept = false;
    enum status status = append_judge(writer, event, ret_result, &kept, error);
    if (status != OK || kept) {
        return status;
    }
    return stage_put(writer, event, placement, ret_result, error);
}

static enum status read_size(struct writer *writer, int64_t *ret_size, struct error *error) {
    int64_t pages = 0;
    int64_t unused = 0;
    enum status status = connection_query_int(&writer->connection, "PRAGMA page_count", WHAT, &pages, error);
    if (status == OK) {
        status = connection_query_int(&writer->connection, "PRAGMA freelist_count", WHAT, &unused, error);
    }
    *ret_size = (pages - unused) * writer->page_size;
    return status;
}

enum status append_check_space(struct writer *writer, struct error *error) {
    int64_t limit = writer->config->store_size_max;
    int64_t size = 0;
    if (limit == 0) {
        return OK;
    }
    enum status status = read_size(writer, &size, error);
    if (status == OK && size < limit && writer->stage.bytes >= (uint64_t)(limit - size)) {
        status = stage_flush(writer, error); /* what is on the stage counts as well */
        if (status == OK) {
            status = read_size(writer, &size, error);
        }
    }
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
        status = stage_flush(writer, error); /* it is asked of the file */
    }
    if (status == OK && request->condition != NULL) {
        status = check_condition(writer, request->condition, error);
    }
    /* Not when what others put on the stage found no room: that is no answer to this request. */
    bool refused = (status == FULL || status == CONFLICT) && !writer->stage.failed;
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

/* An append whose events are all to be stored as such writes nothing but what it puts on the stage. */
static bool only_stages(const struct append_request *request) {
    for (size_t i = 0; i < request->count; i++) {
        if (request->events[i].verdict == EVENT_KEPT) {
            return false;
        }
    }
    return true;
}

enum status sqlite_append(struct storage *base, const struct append_request *request, struct append_result *ret_results,
                          struct append_summary *ret_summary, struct error *error) {
    struct append_job job = {.request = request, .results = ret_results};
    struct writer *writer = &sqlite_of(base)->writer;
    enum status status = only_stages(request) ? writer_stage(writer, run_append, &job, error)
                                              : writer_run(writer, run_append, &job, error);
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
        .write = {.function = run_later,
                  .argument = job,
                  .error = later->error,
                  .finished = finish_later,
                  .only_stages = only_stages(&later->request)},
        .append = {.request = &later->request, .results = later->results},
        .later = later,
    };
    enum status status = writer_begin(&sqlite_of(base)->writer, &job->write, error);
    if (status != OK) {
        free(job);
    }
    return status;
}
