/* baseline_read.c: the plain queries over SQLite, each by the index that the plugin walks as well. */
#include <stdlib.h>

#include "bench/baseline_internal.h"

#define SELECT                                                                                                         \
    "SELECT e.id, e.time_us, e.recorded_us, e.version, e.schema_version, t.name, s.name, b.name, e.key,"               \
    " e.correlation, e.causation, e.tags, e.metadata, e.data"
#define NAMES                                                                                                          \
    " LEFT JOIN type t ON t.id = e.type_id LEFT JOIN stream s ON s.id = e.stream_id LEFT JOIN batch b ON b.id = "      \
    "e.batch_id"

static const char *const SQL[PAGE_KIND_COUNT] = {
    [PAGE_TYPE_TIME] = SELECT " FROM event e INDEXED BY event_by_type_time" NAMES
                              " WHERE e.type_id = (SELECT id FROM type WHERE name = ?1) AND e.time_us >= ?2"
                              " ORDER BY e.time_us, e.id LIMIT ?3",
    [PAGE_STREAM] = SELECT " FROM event e INDEXED BY event_by_stream" NAMES
                           " WHERE e.stream_id = (SELECT id FROM stream WHERE name = ?1) AND e.id > ?2"
                           " ORDER BY e.id LIMIT ?3",
    [PAGE_TAG] = SELECT " FROM event_tag g CROSS JOIN event e ON e.id = g.event_id" NAMES
                        " WHERE g.tag_id = (SELECT id FROM tag WHERE name = ?1) AND g.event_id > ?2"
                        " ORDER BY g.event_id LIMIT ?3",
    [PAGE_BATCH] = SELECT " FROM event e INDEXED BY event_by_batch" NAMES
                          " WHERE e.batch_id = (SELECT id FROM batch WHERE name = ?1) AND e.id > ?2"
                          " ORDER BY e.id LIMIT ?3",
    [PAGE_ALL] = SELECT " FROM event e" NAMES " WHERE ?1 = '' AND e.id > ?2 ORDER BY e.id LIMIT ?3",
};

struct baseline_reader {
    sqlite3 *db;
    sqlite3_stmt *statements[PAGE_KIND_COUNT];
};

bool baseline_reader_open(const char *path, struct baseline_reader **ret_reader, struct failure *failure) {
    CLEANUP(baseline_reader_freep) struct baseline_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return failure_set(failure, "no memory for the baseline");
    }
    if (!baseline_connect(path, &reader->db, failure) ||
        !baseline_prepare(reader->db, SQL, PAGE_KIND_COUNT, reader->statements, failure)) {
        return false;
    }
    *ret_reader = reader;
    reader = NULL; /* the caller owns it now */
    return true;
}

void baseline_reader_freep(struct baseline_reader **reader) {
    if (*reader == NULL) {
        return;
    }
    for (int i = 0; i < PAGE_KIND_COUNT; i++) {
        (void)sqlite3_finalize((*reader)->statements[i]);
    }
    (void)sqlite3_close((*reader)->db);
    free(*reader);
    *reader = NULL;
}

static void read_row(sqlite3_stmt *rows, struct baseline_row *ret_row) {
    for (int i = 0; i < ROW_NUMBERS; i++) {
        ret_row->numbers[i] = sqlite3_column_int64(rows, i);
    }
    for (int i = 0; i < ROW_TEXTS; i++) {
        ret_row->texts[i].data = sqlite3_column_blob(rows, ROW_NUMBERS + i);
        ret_row->texts[i].size = (size_t)sqlite3_column_bytes(rows, ROW_NUMBERS + i);
    }
}

bool baseline_read(struct baseline_reader *reader, const struct page_query *query, baseline_visitor visit,
                   void *context, struct failure *failure) {
    sqlite3_stmt *rows = reader->statements[query->kind];
    (void)sqlite3_bind_text(rows, 1, query->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(rows, 2, query->kind == PAGE_TYPE_TIME ? query->from_us : query->after_id);
    (void)sqlite3_bind_int64(rows, 3, query->limit > 0 ? (int64_t)query->limit : -1);
    int code = sqlite3_step(rows);
    for (; code == SQLITE_ROW; code = sqlite3_step(rows)) {
        struct baseline_row row;
        read_row(rows, &row);
        visit(context, &row);
    }
    (void)sqlite3_reset(rows);
    return code == SQLITE_DONE || baseline_fail(reader->db, "read", failure);
}

void baseline_touch(void *context, const struct baseline_row *row) {
    uint64_t sum = 0;
    for (int i = 0; i < ROW_NUMBERS; i++) {
        sum += (uint64_t)row->numbers[i];
    }
    for (int i = 0; i < ROW_TEXTS; i++) {
        for (size_t k = 0; k < row->texts[i].size; k++) {
            sum += row->texts[i].data[k];
        }
    }
    *(uint64_t *)context += sum;
}
