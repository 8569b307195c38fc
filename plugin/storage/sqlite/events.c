/* events.c: reading events: pages, single ones, counts, histograms, the head. */
#include "storage/sqlite/events.h"

#include <stdlib.h>

#include "storage/sqlite/filter.h"
#include "storage/sqlite/sqlite.h"

static const char WHAT[] = "read events";

static void free_sql(struct filter_sql **sql) {
    free(*sql);
}

static enum status no_memory(struct error *error) {
    return error_set(error, NO_MEMORY, "%s: memory could not be allocated", WHAT);
}

/* ---- rows ---- */

enum status event_from_row(const struct statement *row, struct stored_event *ret_event, struct error *error) {
    *ret_event = (struct stored_event){
        .id = column_int(row, 0),
        .time_us = column_int(row, 1),
        .recorded_us = column_int(row, 2),
        .version = column_int(row, 3),
        .schema_version = column_int(row, 4),
        .key = column_bytes(row, 8),
        .correlation = column_bytes(row, 9),
        .causation = column_bytes(row, 10),
        .tags = column_bytes(row, 11),
        .metadata = column_bytes(row, 12),
        .data = column_bytes(row, 13),
    };
    enum status status = name_recall(row->connection, NAME_OF_TYPE, column_int(row, 5), &ret_event->type, error);
    if (status == OK) {
        status = name_recall(row->connection, NAME_OF_STREAM, column_int(row, 6), &ret_event->stream, error);
    }
    if (status == OK) {
        status = name_recall(row->connection, NAME_OF_BATCH, column_int(row, 7), &ret_event->batch, error);
    }
    if (!bytes_present(ret_event->type)) {
        ret_event->damage = "its type is missing from the table of types";
    } else if (!bytes_present(ret_event->data)) {
        ret_event->damage = "its data is missing";
    }
    return status;
}

enum status event_find(struct connection *connection, int64_t id, struct statement *statement, bool *ret_found,
                       struct stored_event *ret_event, struct error *error) {
    enum status status = statement_get(
        connection, "SELECT e.id, e.time_us, " EVENT_COLUMNS " FROM event e WHERE e.id = ?1", WHAT, statement, error);
    if (status == OK) {
        bind_int(statement, id);
        status = statement_step(statement, ret_found, error);
    }
    return status == OK && *ret_found ? event_from_row(statement, ret_event, error) : status;
}

/* ---- pages ---- */

struct page {
    struct connection *connection;
    const struct resolved_filter *filter;
    event_visitor visit;
    void *context;
    int64_t left;
};

/* Hands one event over, if its metadata passes. False: the page is full. */
static bool offer(struct page *page, const struct stored_event *event) {
    const struct metadata_predicate *metadata = &page->filter->metadata;
    if (metadata->holds != NULL && !metadata->holds(metadata->context, event->metadata)) {
        return true;
    }
    page->left--;
    return page->visit(page->context, event) && page->left > 0;
}

/* Walks the statement; rows are whole events, or ids only when they had to be sorted. */
static enum status walk(struct page *page, struct statement *rows, bool ids_only, struct error *error) {
    bool more = page->left > 0;
    while (more) {
        struct stored_event event;
        enum status status = statement_step(rows, &more, error);
        if (status != OK || !more) {
            return status;
        }
        if (!ids_only) {
            status = event_from_row(rows, &event, error);
            if (status != OK) {
                return status;
            }
            more = offer(page, &event);
            continue;
        }
        CLEANUP(statement_release) struct statement single = {0};
        bool found = false;
        status = event_find(page->connection, column_int(rows, 0), &single, &found, &event, error);
        if (status != OK) {
            return status;
        }
        more = !found || offer(page, &event);
    }
    return OK;
}

static enum status read_head(struct connection *connection, struct storage_head *ret_head, struct error *error) {
    enum status status =
        connection_query_int(connection, "SELECT min(id) FROM event", WHAT, &ret_head->first_id, error);
    if (status == OK) {
        status = connection_query_int(
            connection, "SELECT max(removed_last_id, coalesce((SELECT max(id) FROM event), 0)) FROM store", WHAT,
            &ret_head->last_id, error);
    }
    if (status == OK) {
        status = connection_query_int(
            connection,
            "SELECT max(removed_recorded_us, coalesce((SELECT recorded_us FROM event ORDER BY id DESC LIMIT 1), 0))"
            " FROM store",
            WHAT, &ret_head->recorded_us, error);
    }
    return status;
}

enum status sqlite_read_events(struct storage *base, const struct event_query *query, event_visitor visit,
                               void *context, struct storage_head *ret_head, struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    struct storage_head head = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = read_head(reader.connection, &head, error);
    }
    struct resolved_filter resolved;
    if (status == OK) {
        status = filter_resolve(reader.connection, query->filter, &resolved, error);
    }
    if (status != OK) {
        return status;
    }
    if (!resolved.nothing && query->limit > 0) {
        struct filter_order order = {.ordered = true,
                                     .by_time = query->order_by == ORDER_BY_TIME,
                                     .descending = query->descending,
                                     .has_position = query->has_position,
                                     .position = query->position};
        CLEANUP(free_sql) struct filter_sql *sql = malloc(sizeof *sql);
        if (sql == NULL) {
            return no_memory(error);
        }
        bool sorted = filter_needs_sort(&resolved, &order);
        filter_build(&resolved, sorted ? "" : EVENT_COLUMNS, &order, sql);
        CLEANUP(statement_release) struct statement rows = {0};
        struct page page = {reader.connection, &resolved, visit, context, query->limit};
        status = filter_prepare(reader.connection, sql, WHAT, &rows, error);
        if (status == OK) {
            status = walk(&page, &rows, sorted, error);
        }
    }
    if (status == OK && ret_head != NULL) {
        *ret_head = head;
    }
    return status;
}

enum status sqlite_get_event(struct storage *base, int64_t id, event_visitor visit, void *context,
                             struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status != OK) {
        return status;
    }
    CLEANUP(statement_release) struct statement statement = {0};
    struct stored_event event;
    bool found = false;
    status = event_find(reader.connection, id, &statement, &found, &event, error);
    if (status == OK && !found) {
        return error_set(error, NOT_FOUND, "get: there is no event %lld", (long long)id);
    }
    if (status == OK) {
        (void)visit(context, &event);
    }
    return status;
}

enum status sqlite_head(struct storage *base, struct storage_head *ret_head, struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    struct storage_head head = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = read_head(reader.connection, &head, error);
    }
    if (status == OK) {
        *ret_head = head;
    }
    return status;
}

/* ---- counts ---- */

/* Counts one row at a time: for filters over metadata. */
static enum status count_by_hand(struct statement *rows, const struct metadata_predicate *metadata, int64_t *ret_count,
                                 struct error *error) {
    int64_t count = 0;
    bool row = true;
    while (row) {
        enum status status = statement_step(rows, &row, error);
        if (status != OK) {
            return status;
        }
        count += row && metadata->holds(metadata->context, column_bytes(rows, 0));
    }
    *ret_count = count;
    return OK;
}

enum status sqlite_count_events(struct storage *base, const struct event_filter *filter, int64_t *ret_count,
                                struct error *error) {
    static const struct filter_order AS_A_SET = {0};
    CLEANUP(reader_release) struct reader reader = {0};
    struct resolved_filter resolved;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = filter_resolve(reader.connection, filter, &resolved, error);
    }
    if (status != OK || resolved.nothing) {
        *ret_count = status == OK ? 0 : *ret_count;
        return status;
    }
    CLEANUP(free_sql) struct filter_sql *sql = malloc(sizeof *sql);
    if (sql == NULL) {
        return no_memory(error);
    }
    bool by_hand = resolved.metadata.holds != NULL;
    filter_build(&resolved, by_hand ? "e.metadata" : "count(*)", &AS_A_SET, sql);
    CLEANUP(statement_release) struct statement rows = {0};
    status = filter_prepare(reader.connection, sql, "count events", &rows, error);
    if (status == OK && by_hand) {
        return count_by_hand(&rows, &resolved.metadata, ret_count, error);
    }
    bool row = false;
    if (status == OK) {
        status = statement_step(&rows, &row, error);
    }
    if (status == OK) {
        *ret_count = column_int(&rows, 0);
    }
    return status;
}
