/* names.c: listing streams and tags. */
#include "storage/sqlite/names.h"

#include "storage/sqlite/sqlite.h"

void name_range_done(struct name_range *range) {
    buffer_done(&range->end);
}

/* UTF-8 sorts by code point, and no name has the byte F8 or above: prefix + F8 is behind every name with the prefix. */
static bool set_end(struct name_range *range, struct bytes prefix) {
    static const uint8_t BEHIND = 0xF8;
    return buffer_append(&range->end, prefix.data, prefix.size) && buffer_append(&range->end, &BEHIND, 1);
}

enum status names_select(struct connection *connection, const char *sql, const char *what, const struct name_page *page,
                         struct name_range *range, struct statement *ret_statement, struct error *error) {
    static const uint8_t NO_BYTES[1] = {0};
    struct bytes empty = {NO_BYTES, 0};
    if (!set_end(range, page->prefix)) {
        return error_set(error, NO_MEMORY, "%s: memory could not be allocated", what);
    }
    enum status status = statement_get(connection, sql, what, ret_statement, error);
    if (status == OK) {
        bind_text(ret_statement, bytes_present(page->after) ? page->after : empty);
        bind_text(ret_statement, bytes_present(page->prefix) ? page->prefix : empty);
        bind_text(ret_statement, buffer_view(&range->end));
        bind_int(ret_statement, page->limit);
    }
    return status;
}

enum status sqlite_list_streams(struct storage *base, const struct name_page *page, stream_visitor visit, void *context,
                                struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(name_range_done) struct name_range range = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = names_select(reader.connection,
                              "SELECT name, version, first_id, last_id FROM stream"
                              " WHERE name > ?1 AND name >= ?2 AND name < ?3 ORDER BY name LIMIT ?4",
                              "list streams", page, &range, &rows, error);
    }
    bool row = status == OK;
    while (status == OK && row) {
        status = statement_step(&rows, &row, error);
        if (status == OK && row) {
            struct stream_info stream = {column_bytes(&rows, 0), column_int(&rows, 1), column_int(&rows, 2),
                                         column_int(&rows, 3)};
            row = visit(context, &stream);
        }
    }
    return status;
}

enum status sqlite_list_tags(struct storage *base, const struct name_page *page, tag_visitor visit, void *context,
                             struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(name_range_done) struct name_range range = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = names_select(reader.connection,
                              "SELECT name, event_count, last_id FROM tag"
                              " WHERE name > ?1 AND name >= ?2 AND name < ?3 ORDER BY name LIMIT ?4",
                              "list tags", page, &range, &rows, error);
    }
    bool row = status == OK;
    while (status == OK && row) {
        status = statement_step(&rows, &row, error);
        if (status == OK && row) {
            struct tag_info tag = {column_bytes(&rows, 0), column_int(&rows, 1), column_int(&rows, 2)};
            row = visit(context, &tag);
        }
    }
    return status;
}
