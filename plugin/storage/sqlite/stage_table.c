/* stage_table.c: eponymous virtual tables (sqlite.org/vtab.html) over the arrays of a stage: a scan from the first row
 * to the last, and no more. */
#include "storage/sqlite/stage_table.h"

#include <stdlib.h>

/* One kind of table: what its rows are. */
struct row_kind {
    const char *name;
    const char *declaration;
    uint32_t (*count)(const struct stage *stage);
    void (*give)(const struct stage *stage, uint32_t row, int column, sqlite3_context *result);
};

struct stage_table {
    sqlite3_vtab base;
    const struct stage_source *source;
};

struct stage_cursor {
    sqlite3_vtab_cursor base;
    uint32_t row;
};

/* ---- columns ---- */

/* A value that is not given is NULL. */
static void give_optional_int(sqlite3_context *result, int64_t value) {
    if (value > 0) {
        sqlite3_result_int64(result, value);
    }
}

static void give_blob(sqlite3_context *result, struct bytes blob) {
    if (bytes_present(blob) && blob.size == 0) {
        sqlite3_result_zeroblob(result, 0);
    } else if (bytes_present(blob)) {
        sqlite3_result_blob64(result, blob.data, blob.size, SQLITE_STATIC);
    }
}

static void give_text(sqlite3_context *result, struct bytes text) {
    if (bytes_present(text)) {
        sqlite3_result_text64(result, (const char *)text.data, text.size, SQLITE_STATIC, SQLITE_UTF8);
    }
}

static uint32_t count_events(const struct stage *stage) {
    return stage->count;
}

static void give_event(const struct stage *stage, uint32_t row, int column, sqlite3_context *result) {
    const struct staged_event *staged = &stage->events[row];
    const struct event *event = staged->event;
    switch (column) {
    case 0:
        sqlite3_result_int64(result, staged->id);
        break;
    case 1:
        sqlite3_result_int64(result, staged->type_id);
        break;
    case 2:
        sqlite3_result_int64(result, staged->time_us);
        break;
    case 3:
        sqlite3_result_int64(result, staged->recorded_us);
        break;
    case 4:
        if (staged->stream > 0) {
            sqlite3_result_int64(result, stage->streams[staged->stream - 1].id);
        }
        break;
    case 5:
        give_optional_int(result, staged->version);
        break;
    case 6:
        give_optional_int(result, staged->batch_id);
        break;
    case 7:
        give_optional_int(result, event->schema_version);
        break;
    case 8:
        give_blob(result, event->key);
        break;
    case 9:
        give_text(result, event->correlation);
        break;
    case 10:
        give_text(result, event->causation);
        break;
    case 11:
        give_blob(result, event->tags);
        break;
    case 12:
        give_blob(result, event->metadata);
        break;
    default:
        give_blob(result, event->data);
        break;
    }
}

static uint32_t count_streams(const struct stage *stage) {
    return stage->stream_count;
}

static void give_stream(const struct stage *stage, uint32_t row, int column, sqlite3_context *result) {
    const struct staged_stream *stream = &stage->streams[row];
    switch (column) {
    case 0:
        sqlite3_result_int64(result, stream->id);
        break;
    case 1:
        give_text(result, stream->name);
        break;
    case 2:
        sqlite3_result_int64(result, stream->version);
        break;
    case 3:
        sqlite3_result_int64(result, stream->first_id);
        break;
    case 4:
        sqlite3_result_int64(result, stream->last_id);
        break;
    default: /* what was put may have been taken back */
        sqlite3_result_int(result, stream->version != stream->stored_version);
        break;
    }
}

static uint32_t count_tags(const struct stage *stage) {
    return stage->tag_count;
}

static void give_tag(const struct stage *stage, uint32_t row, int column, sqlite3_context *result) {
    const struct staged_tag *tag = &stage->tags[row];
    switch (column) {
    case 0:
        sqlite3_result_int64(result, tag->id);
        break;
    case 1:
        give_text(result, tag->name);
        break;
    case 2:
        sqlite3_result_int64(result, tag->count);
        break;
    default:
        sqlite3_result_int64(result, tag->last_id);
        break;
    }
}

static uint32_t count_links(const struct stage *stage) {
    return stage->link_count;
}

static void give_link(const struct stage *stage, uint32_t row, int column, sqlite3_context *result) {
    const struct staged_link *link = &stage->links[row];
    sqlite3_result_int64(result, column == 0 ? link->tag_id : link->event_id);
}

static const struct row_kind KINDS[STAGE_TABLES] = {
    {"staged_event",
     "CREATE TABLE staged_event (id INTEGER, type_id INTEGER, time_us INTEGER, recorded_us INTEGER, stream_id INTEGER,"
     " version INTEGER, batch_id INTEGER, schema_version INTEGER, key BLOB, correlation TEXT, causation TEXT,"
     " tags BLOB, metadata BLOB, data BLOB)",
     count_events, give_event},
    {"staged_stream",
     "CREATE TABLE staged_stream (id INTEGER, name TEXT, version INTEGER, first_id INTEGER, last_id INTEGER,"
     " changed INTEGER)",
     count_streams, give_stream},
    {"staged_tag", "CREATE TABLE staged_tag (id INTEGER, name TEXT, event_count INTEGER, last_id INTEGER)", count_tags,
     give_tag},
    {"staged_link", "CREATE TABLE staged_link (tag_id INTEGER, event_id INTEGER)", count_links, give_link},
};

/* ---- the module ---- */

static const struct stage_source *source_of(const sqlite3_vtab_cursor *cursor) {
    return ((const struct stage_table *)cursor->pVtab)->source;
}

static int connect_table(sqlite3 *db, void *source, int count, const char *const *arguments, sqlite3_vtab **ret_table,
                         char **ret_error) {
    (void)count;
    (void)arguments;
    (void)ret_error;
    int code = sqlite3_declare_vtab(db, ((const struct stage_source *)source)->kind->declaration);
    struct stage_table *table = code == SQLITE_OK ? calloc(1, sizeof *table) : NULL;
    if (table == NULL) {
        return code == SQLITE_OK ? SQLITE_NOMEM : code;
    }
    table->source = source;
    *ret_table = &table->base;
    return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *table) {
    free(table);
    return SQLITE_OK;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info) {
    (void)table;
    info->estimatedCost = 100;
    info->estimatedRows = 100;
    return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor) {
    (void)table;
    struct stage_cursor *cursor = calloc(1, sizeof *cursor);
    if (cursor == NULL) {
        return SQLITE_NOMEM;
    }
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *cursor) {
    free(cursor);
    return SQLITE_OK;
}

static int begin_scan(sqlite3_vtab_cursor *cursor, int plan, const char *text, int count, sqlite3_value **values) {
    (void)plan;
    (void)text;
    (void)count;
    (void)values;
    ((struct stage_cursor *)cursor)->row = 0;
    return SQLITE_OK;
}

static int next_row(sqlite3_vtab_cursor *cursor) {
    ((struct stage_cursor *)cursor)->row++;
    return SQLITE_OK;
}

static int has_ended(sqlite3_vtab_cursor *cursor) {
    const struct stage_source *source = source_of(cursor);
    return ((const struct stage_cursor *)cursor)->row >= source->kind->count(source->stage);
}

static int give_column(sqlite3_vtab_cursor *cursor, sqlite3_context *result, int column) {
    const struct stage_source *source = source_of(cursor);
    source->kind->give(source->stage, ((const struct stage_cursor *)cursor)->row, column, result);
    return SQLITE_OK;
}

static int row_id(sqlite3_vtab_cursor *cursor, sqlite3_int64 *ret_id) {
    *ret_id = ((const struct stage_cursor *)cursor)->row;
    return SQLITE_OK;
}

/* No xCreate: there is one table of each module, under its name, and no other can be made. */
static const sqlite3_module MODULE = {
    .xConnect = connect_table,
    .xBestIndex = best_index,
    .xDisconnect = disconnect_table,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = begin_scan,
    .xNext = next_row,
    .xEof = has_ended,
    .xColumn = give_column,
    .xRowid = row_id,
};

enum status stage_table_open(struct stage *stage, struct connection *connection, struct error *error) {
    int code = SQLITE_OK;
    for (int i = 0; i < STAGE_TABLES && code == SQLITE_OK; i++) {
        stage->sources[i] = (struct stage_source){.stage = stage, .kind = &KINDS[i]};
        code = sqlite3_create_module_v2(connection->db, KINDS[i].name, &MODULE, &stage->sources[i], NULL);
    }
    return code == SQLITE_OK ? OK : connection_error(connection, code, "open", error);
}
