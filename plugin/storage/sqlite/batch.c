/* batch.c: batches: durable drafts that become events together. */
#include <stdlib.h>

#include "storage/sqlite/append.h"
#include "storage/sqlite/ids.h"
#include "storage/sqlite/schemas.h"
#include "storage/sqlite/sqlite.h"

#define BATCH_COLUMNS "id, name, metadata, reason, state, event_count, first_id, last_id, created_us, closed_us"

/* Of a damaged row the state is BATCH_STATE_COUNT. */
static const char *const STATE_NAMES[BATCH_STATE_COUNT + 1] = {"open", "completed", "aborted", "damaged"};

/* A row of BATCH_COLUMNS. */
static int64_t batch_from_row(const struct statement *row, struct batch *ret_batch) {
    int64_t state = column_int(row, 4);
    *ret_batch = (struct batch){
        .id = column_bytes(row, 1),
        .metadata = column_bytes(row, 2),
        .reason = column_bytes(row, 3),
        .state = state >= 0 && state < BATCH_STATE_COUNT ? (enum batch_state)state : BATCH_STATE_COUNT,
        .count = column_int(row, 5),
        .first_id = column_int(row, 6),
        .last_id = column_int(row, 7),
        .created_us = column_int(row, 8),
        .closed_us = column_int(row, 9),
    };
    return column_int(row, 0);
}

/* Finds the batch. The views in *ret_batch are valid until *statement is released. NOT_FOUND. */
static enum status find(struct connection *connection, struct bytes id, const char *what, struct statement *statement,
                        int64_t *ret_row_id, struct batch *ret_batch, struct error *error) {
    bool row = false;
    enum status status =
        statement_get(connection, "SELECT " BATCH_COLUMNS " FROM batch WHERE name = ?1", what, statement, error);
    if (status == OK) {
        bind_text(statement, id);
        status = statement_step(statement, &row, error);
    }
    if (status == OK && !row) {
        error_set(error, NOT_FOUND, "%s: there is no batch %.*s; create it first", what, BYTES_FORMAT(id));
        error_set_path(error, "/id");
        return NOT_FOUND;
    }
    if (status == OK) {
        *ret_row_id = column_int(statement, 0);
        (void)batch_from_row(statement, ret_batch);
    }
    return status;
}

/* Like find, for what only an open batch allows. `wanted`: the state that the call would bring about; a batch that is
 * in it is ALREADY, one that ended otherwise CLOSED. */
static enum status find_open(struct connection *connection, struct bytes id, const char *what, enum batch_state wanted,
                             int64_t *ret_row_id, int64_t *ret_count, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    struct batch batch;
    enum status status = find(connection, id, what, &statement, ret_row_id, &batch, error);
    if (status != OK) {
        return status;
    }
    *ret_count = batch.count;
    if (!id_is_sound(*ret_row_id)) {
        return id_refuse(what, "batch", *ret_row_id, error); /* its events would be stored without it */
    }
    if (batch.state == BATCH_OPEN) {
        return OK;
    }
    if (batch.state == BATCH_STATE_COUNT) {
        return error_set(error, CORRUPT, "%s: the state of batch %.*s is damaged in the file", what, BYTES_FORMAT(id));
    }
    status = batch.state == wanted ? ALREADY : CLOSED;
    error_set(error, status, "%s: batch %.*s was %s before", what, BYTES_FORMAT(id), STATE_NAMES[batch.state]);
    error_set_path(error, "/id");
    error_add_text(error, "state", STATE_NAMES[batch.state]);
    return status;
}

static enum status show(struct connection *connection, struct bytes id, const char *what, batch_visitor visit,
                        void *context, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    struct batch batch;
    int64_t row_id = 0;
    enum status status = find(connection, id, what, &statement, &row_id, &batch, error);
    if (status == OK) {
        (void)visit(context, &batch);
    }
    return status;
}

struct batch_job {
    struct bytes id;
    struct bytes extra; /* metadata, or reason */
    const struct append_request *request;
    struct append_result *results;
    batch_visitor visit;
    void *context;
    int64_t drafts;
    struct append_summary summary;
};

/* ---- create ---- */

static enum status run_create(struct writer *writer, void *argument, struct error *error) {
    static const char WHAT[] = "create a batch";
    struct batch_job *job = argument;
    {
        CLEANUP(statement_release) struct statement existing = {0};
        struct batch batch;
        int64_t row_id = 0;
        enum status status = find(&writer->connection, job->id, WHAT, &existing, &row_id, &batch, error);
        if (status == OK) {
            error_set(error, ALREADY, "%s: batch %.*s exists and is %s; use another id", WHAT, BYTES_FORMAT(job->id),
                      STATE_NAMES[batch.state]);
            error_set_path(error, "/id");
            error_add_text(error, "state", STATE_NAMES[batch.state]);
            return ALREADY;
        }
        if (status != NOT_FOUND) {
            return status;
        }
    }
    CLEANUP(statement_release) struct statement insert = {0};
    enum status status =
        statement_get(&writer->connection,
                      "INSERT INTO batch (name, state, event_count, metadata, created_us, closed_us, first_id, last_id)"
                      " VALUES (?1, 0, 0, ?2, ?3, 0, 0, 0)",
                      WHAT, &insert, error);
    if (status == OK) {
        bind_text(&insert, job->id);
        bind_blob(&insert, job->extra);
        bind_int(&insert, writer->host->now_us(writer->host->context));
        status = statement_run(&insert, error);
    }
    return status == OK ? show(&writer->connection, job->id, WHAT, job->visit, job->context, error) : status;
}

enum status sqlite_batch_create(struct storage *base, struct bytes id, struct bytes metadata, batch_visitor visit,
                                void *context, struct error *error) {
    struct batch_job job = {.id = id, .extra = metadata, .visit = visit, .context = context};
    return writer_run(&sqlite_of(base)->writer, run_create, &job, error);
}

/* ---- append ---- */

/* The tags' names in one blob, each behind its size in two bytes, so that completion needs no msgpack. */
static bool pack_tags(const struct event *event, struct buffer *buffer) {
    for (uint32_t i = 0; i < event->tag_count; i++) {
        uint8_t size[2] = {(uint8_t)(event->tag[i].size >> 8), (uint8_t)(event->tag[i].size & 0xFF)};
        if (!buffer_append(buffer, size, sizeof size) ||
            !buffer_append(buffer, event->tag[i].data, event->tag[i].size)) {
            return false;
        }
    }
    return true;
}

static void unpack_tags(struct bytes packed, struct event *event) {
    size_t offset = 0;
    while (event->tag_count < TAGS_MAX && packed.size - offset >= 2) {
        size_t size = (size_t)packed.data[offset] << 8 | packed.data[offset + 1];
        offset += 2;
        if (size > packed.size - offset) {
            return;
        }
        event->tag[event->tag_count++] = (struct bytes){packed.data + offset, size};
        offset += size;
    }
}

static enum status insert_draft(struct writer *writer, int64_t batch_id, const struct event *event, int64_t now_us,
                                struct error *error) {
    CLEANUP(buffer_done) struct buffer tags = {0};
    if (!pack_tags(event, &tags)) {
        return error_set(error, NO_MEMORY, "append to a batch: memory could not be allocated");
    }
    CLEANUP(statement_release) struct statement insert = {0};
    enum status status = statement_get(
        &writer->connection,
        "INSERT INTO draft (batch_id, type, time_us, time_given, stream, expectation, expected_version, schema_version,"
        " key, correlation, causation, tag_names, tags, metadata, data)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        "append to a batch", &insert, error);
    if (status != OK) {
        return status;
    }
    bind_int(&insert, batch_id);
    bind_text(&insert, event->type);
    bind_int(&insert, event->has_time ? event->time_us : now_us);
    bind_int(&insert, event->has_time);
    bind_text(&insert, event->stream);
    bind_int(&insert, event->expectation);
    bind_int(&insert, event->expected_version);
    bind_optional_int(&insert, event->schema_version > 0, event->schema_version);
    bind_blob(&insert, event->key);
    bind_text(&insert, event->correlation);
    bind_text(&insert, event->causation);
    bind_blob(&insert, buffer_view(&tags));
    bind_blob(&insert, event->tags);
    bind_blob(&insert, event->metadata);
    bind_blob(&insert, event->data);
    return statement_run(&insert, error);
}

static enum status set_count(struct writer *writer, int64_t batch_id, int64_t count, struct error *error) {
    CLEANUP(statement_release) struct statement update = {0};
    enum status status = statement_get(&writer->connection, "UPDATE batch SET event_count = ?1 WHERE id = ?2",
                                       "append to a batch", &update, error);
    if (status == OK) {
        bind_int(&update, count);
        bind_int(&update, batch_id);
        status = statement_run(&update, error);
    }
    return status;
}

/* Those that validation does not allow become no drafts. */
static enum status insert_drafts(struct writer *writer, struct batch_job *job, int64_t batch_id, struct error *error) {
    const struct append_request *request = job->request;
    int64_t now = writer->host->now_us(writer->host->context);
    for (size_t i = 0; i < request->count; i++) {
        bool kept = false;
        enum status status = append_judge(writer, &request->events[i], &job->results[i], &kept, error);
        if (status != OK) {
            error_set_path(error, "/events/%zu", i);
            return status;
        }
        if (kept) {
            continue;
        }
        status = insert_draft(writer, batch_id, &request->events[i], now, error);
        if (status != OK) {
            return status;
        }
        job->drafts++;
    }
    return OK;
}

static enum status run_append(struct writer *writer, void *argument, struct error *error) {
    static const char WHAT[] = "append to a batch";
    struct batch_job *job = argument;
    const struct append_request *request = job->request;
    int64_t batch_id = 0;
    enum status status =
        schemas_check_generation(writer, request->schema_generation, request->events, request->count, WHAT, error);
    if (status == OK) {
        status = append_check_space(writer, error);
    }
    if (status == OK) {
        status = find_open(&writer->connection, job->id, WHAT, BATCH_STATE_COUNT, &batch_id, &job->drafts, error);
    }
    if (status != OK) {
        return status;
    }
    int64_t limit = writer->config->batch_events_max;
    if ((int64_t)request->count > limit - job->drafts) {
        error_set(error, TOO_LARGE, "%s: batch %.*s has %lld events, %zu more would exceed batch_events_max, %lld",
                  WHAT, BYTES_FORMAT(job->id), (long long)job->drafts, request->count, (long long)limit);
        error_set_path(error, "/events");
        error_add_number(error, "limit", limit);
        return TOO_LARGE;
    }
    status = insert_drafts(writer, job, batch_id, error);
    return status == OK ? set_count(writer, batch_id, job->drafts, error) : status;
}

enum status sqlite_batch_append(struct storage *base, struct bytes id, const struct append_request *request,
                                struct append_result *ret_results, int64_t *ret_count, struct error *error) {
    struct batch_job job = {.id = id, .request = request, .results = ret_results};
    enum status status = writer_run(&sqlite_of(base)->writer, run_append, &job, error);
    if (status == OK) {
        *ret_count = job.drafts;
    }
    return status;
}

/* ---- complete ---- */

static struct event draft_from_row(const struct statement *row) {
    struct event event = {
        .type = column_bytes(row, 0),
        .time_us = column_int(row, 1),
        .has_time = column_int(row, 2) != 0,
        .stream = column_bytes(row, 3),
        .expectation = (enum expectation)column_int(row, 4),
        .expected_version = column_int(row, 5),
        .schema_version = column_int(row, 6),
        .key = column_bytes(row, 7),
        .correlation = column_bytes(row, 8),
        .causation = column_bytes(row, 9),
        .tags = column_bytes(row, 11),
        .metadata = column_bytes(row, 12),
        .data = column_bytes(row, 13),
    };
    unpack_tags(column_bytes(row, 10), &event);
    return event;
}

struct batch_outcome {
    int64_t stored;
    int64_t first_id;
    int64_t last_id;
};

/* Drafts that are on the stage. Their rows are gone with the next step, so their bytes are kept here meanwhile. */
enum { DRAFTS_STAGED_MAX = 256, DRAFTS_SIZE_MAX = 4 << 20 };
struct staged_drafts {
    struct event events[DRAFTS_STAGED_MAX];
    uint8_t *memory[DRAFTS_STAGED_MAX];
    size_t count, size;
};

static void forget_drafts(struct staged_drafts *drafts) {
    while (drafts->count > 0) {
        free(drafts->memory[--drafts->count]);
    }
    drafts->size = 0;
}

static void free_drafts(struct staged_drafts **drafts) {
    if (*drafts != NULL) {
        forget_drafts(*drafts);
        free(*drafts);
    }
}

static void move_bytes(struct bytes *view, uint8_t **at) {
    if (bytes_present(*view)) {
        memcpy(*at, view->data, view->size);
        view->data = *at;
        *at += view->size;
    }
}

/* A copy of the draft, or NULL: no memory. */
static const struct event *keep_draft(struct staged_drafts *drafts, const struct event *draft) {
    struct event *event = &drafts->events[drafts->count];
    *event = *draft;
    struct bytes *views[] = {&event->type,      &event->stream, &event->key,      &event->correlation,
                             &event->causation, &event->tags,   &event->metadata, &event->data};
    size_t size = 1;
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        size += views[i]->size;
    }
    for (uint32_t i = 0; i < event->tag_count; i++) {
        size += event->tag[i].size;
    }
    uint8_t *at = malloc(size);
    if (at == NULL) {
        return NULL;
    }
    drafts->memory[drafts->count++] = at;
    drafts->size += size;
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        move_bytes(views[i], &at);
    }
    for (uint32_t i = 0; i < event->tag_count; i++) {
        move_bytes(&event->tag[i], &at);
    }
    return event;
}

static enum status flush_drafts(struct writer *writer, struct staged_drafts *drafts, struct error *error) {
    enum status status = stage_flush(writer, error);
    forget_drafts(drafts);
    return status;
}

static enum status store_draft(struct writer *writer, struct staged_drafts *drafts, const struct event *draft,
                               const struct placement *placement, struct append_result *ret_result,
                               struct error *error) {
    const struct event *event = keep_draft(drafts, draft);
    if (event == NULL) {
        return error_set(error, NO_MEMORY, "complete a batch: memory could not be allocated");
    }
    enum status status = append_event(writer, event, placement, ret_result, error);
    if (status == OK && (drafts->count == DRAFTS_STAGED_MAX || drafts->size >= DRAFTS_SIZE_MAX)) {
        status = flush_drafts(writer, drafts, error);
    }
    return status;
}

static enum status store_drafts(struct writer *writer, struct batch_job *job, int64_t batch_id, int64_t recorded_us,
                                struct batch_outcome *outcome, struct error *error) {
    static const char WHAT[] = "complete a batch";
    CLEANUP(free_drafts) struct staged_drafts *staged = calloc(1, sizeof *staged);
    if (staged == NULL) {
        return error_set(error, NO_MEMORY, "%s: memory could not be allocated", WHAT);
    }
    CLEANUP(statement_release) struct statement drafts = {0};
    enum status status =
        statement_get(&writer->connection,
                      "SELECT type, time_us, time_given, stream, expectation, expected_version, schema_version, key,"
                      " correlation, causation, tag_names, tags, metadata, data"
                      " FROM draft INDEXED BY draft_by_batch WHERE batch_id = ?1 ORDER BY id",
                      WHAT, &drafts, error);
    if (status == OK) {
        bind_int(&drafts, batch_id);
    }
    bool row = false;
    for (int64_t i = 0; status == OK; i++) {
        status = statement_step(&drafts, &row, error);
        if (status != OK || !row) {
            break;
        }
        struct event event = draft_from_row(&drafts);
        struct placement placement = {recorded_us, event.time_us, batch_id};
        struct append_result result = {0};
        status = store_draft(writer, staged, &event, &placement, &result, error);
        if (status != OK) {
            error_add_number(error, "draft", i);
        } else if (result.duplicate) {
            job->summary.duplicates++;
        } else {
            outcome->first_id = outcome->stored == 0 ? result.id : outcome->first_id;
            outcome->last_id = result.id;
            outcome->stored++;
        }
    }
    return status == OK ? flush_drafts(writer, staged, error) : status;
}

/* Ends the batch and forgets its drafts. */
static enum status close_batch(struct writer *writer, int64_t batch_id, enum batch_state state, struct bytes reason,
                               const struct batch_outcome *outcome, int64_t now_us, struct error *error) {
    CLEANUP(statement_release) struct statement update = {0};
    enum status status = statement_get(&writer->connection,
                                       "UPDATE batch SET state = ?1, event_count = ?2, first_id = ?3, last_id = ?4,"
                                       " closed_us = ?5, reason = ?6 WHERE id = ?7",
                                       "close a batch", &update, error);
    if (status == OK) {
        bind_int(&update, state);
        bind_int(&update, outcome->stored);
        bind_int(&update, outcome->first_id);
        bind_int(&update, outcome->last_id);
        bind_int(&update, now_us);
        bind_text(&update, reason);
        bind_int(&update, batch_id);
        status = statement_run(&update, error);
    }
    CLEANUP(statement_release) struct statement remove = {0};
    if (status == OK) {
        status = statement_get(&writer->connection, "DELETE FROM draft WHERE batch_id = ?1", "close a batch", &remove,
                               error);
    }
    if (status == OK) {
        bind_int(&remove, batch_id);
        status = statement_run(&remove, error);
    }
    return status;
}

static enum status run_complete(struct writer *writer, void *argument, struct error *error) {
    static const char WHAT[] = "complete a batch";
    struct batch_job *job = argument;
    struct batch_outcome outcome = {0};
    int64_t batch_id = 0;
    int64_t drafts = 0;
    enum status status = append_check_space(writer, error);
    if (status == OK) {
        status = find_open(&writer->connection, job->id, WHAT, BATCH_COMPLETED, &batch_id, &drafts, error);
    }
    if (status != OK) {
        return status;
    }
    int64_t now = writer_recorded_us(writer);
    job->summary = (struct append_summary){.recorded_us = now};
    status = store_drafts(writer, job, batch_id, now, &outcome, error);
    if (status == OK) {
        job->summary.last_id = writer->progress.last_id;
        status = close_batch(writer, batch_id, BATCH_COMPLETED, (struct bytes){0}, &outcome, now, error);
    }
    return status == OK ? show(&writer->connection, job->id, WHAT, job->visit, job->context, error) : status;
}

enum status sqlite_batch_complete(struct storage *base, struct bytes id, batch_visitor visit, void *context,
                                  struct append_summary *ret_summary, struct error *error) {
    struct batch_job job = {.id = id, .visit = visit, .context = context};
    enum status status = writer_run(&sqlite_of(base)->writer, run_complete, &job, error);
    if (status == OK) {
        *ret_summary = job.summary;
    }
    return status;
}

/* ---- abort ---- */

static enum status run_abort(struct writer *writer, void *argument, struct error *error) {
    static const char WHAT[] = "abort a batch";
    static const struct batch_outcome NOTHING = {0};
    struct batch_job *job = argument;
    int64_t batch_id = 0;
    int64_t drafts = 0;
    enum status status = find_open(&writer->connection, job->id, WHAT, BATCH_ABORTED, &batch_id, &drafts, error);
    if (status == OK) {
        status = close_batch(writer, batch_id, BATCH_ABORTED, job->extra, &NOTHING,
                             writer->host->now_us(writer->host->context), error);
    }
    return status == OK ? show(&writer->connection, job->id, WHAT, job->visit, job->context, error) : status;
}

enum status sqlite_batch_abort(struct storage *base, struct bytes id, struct bytes reason, batch_visitor visit,
                               void *context, struct error *error) {
    struct batch_job job = {.id = id, .extra = reason, .visit = visit, .context = context};
    return writer_run(&sqlite_of(base)->writer, run_abort, &job, error);
}

/* ---- reads ---- */

enum status sqlite_batch_get(struct storage *base, struct bytes id, batch_visitor visit, void *context,
                             struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    return status == OK ? show(reader.connection, id, "get a batch", visit, context, error) : status;
}

enum status sqlite_batch_list(struct storage *base, uint32_t states, struct bytes after, int64_t limit,
                              batch_visitor visit, void *context, struct error *error) {
#define BEHIND " WHERE id > coalesce((SELECT id FROM batch WHERE name = ?1), 0)"
    static const char ANY[] =
        "SELECT " BATCH_COLUMNS " FROM batch" BEHIND " AND (?2 >> state) & 1 ORDER BY id LIMIT ?3";
    static const char OF_ONE[] =
        "SELECT " BATCH_COLUMNS " FROM batch INDEXED BY batch_by_state" BEHIND " AND state = ?2 ORDER BY id LIMIT ?3";
#undef BEHIND
    bool one = states != 0 && (states & (states - 1)) == 0;
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = statement_get(reader.connection, one ? OF_ONE : ANY, "list batches", &rows, error);
    }
    if (status != OK) {
        return status;
    }
    bind_text(&rows, after);
    if (one) {
        bind_int(&rows, __builtin_ctz(states));
    } else {
        bind_int(&rows, states == 0 ? -1 : (int64_t)states); /* all: damaged ones as well */
    }
    bind_int(&rows, limit);
    bool row = true;
    while (status == OK && row) {
        status = statement_step(&rows, &row, error);
        if (status == OK && row) {
            struct batch batch;
            (void)batch_from_row(&rows, &batch);
            row = visit(context, &batch);
        }
    }
    return status;
}
