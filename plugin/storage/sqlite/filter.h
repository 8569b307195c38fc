/* filter.h: turning a filter into SQL that walks one index in the wanted order. */
#ifndef POLARIS_SQLITE_FILTER_H
#define POLARIS_SQLITE_FILTER_H

#include "storage/sqlite/connection.h"

/* A filter with its names looked up: numbers only. */
struct resolved_filter {
    bool nothing; /* a name is unknown, so nothing can match */
    uint32_t type_count;
    int64_t types[FILTER_TYPES_MAX];
    uint32_t any_count;
    int64_t any[TAGS_MAX];
    uint32_t all_count;
    int64_t all[TAGS_MAX];
    int64_t stream; /* 0: no condition */
    int64_t batch;  /* 0: no condition */
    struct bytes correlation;
    bool has_time_from, has_time_to;
    int64_t time_from_us, time_to_us;
    int64_t after_id, before_id;        /* INT64_MIN, INT64_MAX: open. Ranges of recorded_at are folded into them */
    struct metadata_predicate metadata; /* not part of the SQL: the caller asks it for each row */
};

WARN_UNUSED enum status filter_resolve(struct connection *connection, const struct event_filter *filter,
                                       struct resolved_filter *ret_resolved, struct error *error);

/* How the events are wanted. */
struct filter_order {
    bool ordered; /* false: as a set, for counting */
    bool by_time; /* ties by id; otherwise by id */
    bool descending;
    bool has_position; /* strictly behind it */
    struct event_position position;
};

/* SQL and its parameters. The text depends on the shape of the filter only, so that statements can be kept. There is
 * room for the largest filter: 64 types behind a position in time are 128 branches, and each of 16 tags asks for 64
 * types. */
enum { FILTER_SQL_SIZE = 131072, FILTER_PARAMETERS_MAX = 4096 };
struct filter_sql {
    char text[FILTER_SQL_SIZE];
    size_t size;
    int64_t parameters[FILTER_PARAMETERS_MAX];
    int parameter_count;
    struct bytes correlation; /* ?1, if present */
    bool overflow;
};

/* Ordered: "SELECT id, time_us, <columns> ... ORDER BY". As a set: "SELECT <columns> ...", to which the caller may
 * append a GROUP BY. The event is `e` in `columns`. */
void filter_build(const struct resolved_filter *filter, const char *columns, const struct filter_order *order,
                  struct filter_sql *ret_sql);
void filter_append(struct filter_sql *sql, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds "?n" bound to the value. */
void filter_parameter(struct filter_sql *sql, int64_t value);
/* Gets the statement and binds all. */
WARN_UNUSED enum status filter_prepare(struct connection *connection, const struct filter_sql *sql, const char *what,
                                       struct statement *ret_statement, struct error *error);

/* True: the order asked for has no index, so SQLite has to sort. Columns should then be narrow. */
bool filter_needs_sort(const struct resolved_filter *filter, const struct filter_order *order);

/* The lowest id above after_id that matches; 0: none. */
WARN_UNUSED enum status filter_find_first(struct connection *connection, const struct event_filter *filter,
                                          int64_t after_id, int64_t *ret_id, struct error *error);

#endif
