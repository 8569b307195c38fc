/* filter.c: looking names up, choosing the index that drives the walk, and building the SQL. */
#include "storage/sqlite/filter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char WHAT[] = "find events";

/* ---- names to numbers ---- */

static enum status look_up(struct connection *connection, const char *sql, struct bytes name, int64_t *ret_id,
                           struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status = statement_get(connection, sql, WHAT, &find, error);
    bool row = false;
    if (status == OK) {
        bind_text(&find, name);
        status = statement_step(&find, &row, error);
    }
    if (status == OK) {
        *ret_id = row ? column_int(&find, 0) : 0;
    }
    return status;
}

/* Looks up `count` names; unknown ones are left out. */
static enum status look_up_all(struct connection *connection, const char *sql, const struct bytes *names,
                               uint32_t count, int64_t *ret_ids, uint32_t *ret_count, struct error *error) {
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        int64_t id = 0;
        enum status status = look_up(connection, sql, names[i], &id, error);
        if (status != OK) {
            return status;
        }
        bool known = id == 0;
        for (uint32_t k = 0; k < found; k++) {
            known = known || ret_ids[k] == id;
        }
        if (!known) {
            ret_ids[found++] = id;
        }
    }
    *ret_count = found;
    return OK;
}

static enum status resolve_names(struct connection *connection, const struct event_filter *filter,
                                 struct resolved_filter *resolved, struct error *error) {
    static const char TYPE[] = "SELECT id FROM type WHERE name = ?1";
    static const char TAG[] = "SELECT id FROM tag WHERE name = ?1";
    enum status status =
        look_up_all(connection, TYPE, filter->types, filter->type_count, resolved->types, &resolved->type_count, error);
    if (status == OK) {
        status = look_up_all(connection, TAG, filter->tags_any, filter->tags_any_count, resolved->any,
                             &resolved->any_count, error);
    }
    for (uint32_t i = 0; status == OK && i < filter->tags_all_count; i++) {
        uint32_t found = 0;
        status =
            look_up_all(connection, TAG, &filter->tags_all[i], 1, &resolved->all[resolved->all_count], &found, error);
        resolved->all_count += found;
        resolved->nothing = resolved->nothing || found == 0;
    }
    if (status == OK && bytes_present(filter->stream)) {
        status = look_up(connection, "SELECT id FROM stream WHERE name = ?1", filter->stream, &resolved->stream, error);
        resolved->nothing = resolved->nothing || resolved->stream == 0;
    }
    if (status == OK && bytes_present(filter->batch)) {
        status = look_up(connection, "SELECT id FROM batch WHERE name = ?1", filter->batch, &resolved->batch, error);
        resolved->nothing = resolved->nothing || resolved->batch == 0;
    }
    resolved->nothing = resolved->nothing || (filter->type_count > 0 && resolved->type_count == 0) ||
                        (filter->tags_any_count > 0 && resolved->any_count == 0);
    return status;
}

/* The lowest id that was recorded at or after `recorded_us`. recorded_at never goes back, so a search by halves over
 * the primary key finds it without an index of its own. */
static enum status first_recorded(struct connection *connection, int64_t recorded_us, int64_t *ret_id,
                                  struct error *error) {
    int64_t last = 0;
    enum status status = connection_query_int(connection, "SELECT max(id) FROM event", WHAT, &last, error);
    int64_t low = 1;
    int64_t high = last + 1; /* the answer is in low ... high */
    while (status == OK && low < high) {
        int64_t middle = low + (high - low) / 2;
        CLEANUP(statement_release) struct statement probe = {0};
        bool row = false;
        status = statement_get(connection, "SELECT recorded_us FROM event WHERE id >= ?1 ORDER BY id LIMIT 1", WHAT,
                               &probe, error);
        if (status == OK) {
            bind_int(&probe, middle);
            status = statement_step(&probe, &row, error);
        }
        if (status == OK && row && column_int(&probe, 0) < recorded_us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_id = low;
    return status;
}

static enum status resolve_ids(struct connection *connection, const struct event_filter *filter,
                               struct resolved_filter *resolved, struct error *error) {
    resolved->after_id = filter->has_after_id ? filter->after_id : INT64_MIN;
    resolved->before_id = filter->has_before_id ? filter->before_id : INT64_MAX;
    if (filter->has_recorded_from) {
        int64_t first = 0;
        enum status status = first_recorded(connection, filter->recorded_from_us, &first, error);
        if (status != OK) {
            return status;
        }
        resolved->after_id = first - 1 > resolved->after_id ? first - 1 : resolved->after_id;
    }
    if (filter->has_recorded_to) {
        int64_t first = 0;
        enum status status = first_recorded(connection, filter->recorded_to_us, &first, error);
        if (status != OK) {
            return status;
        }
        resolved->before_id = first < resolved->before_id ? first : resolved->before_id;
    }
    return OK;
}

enum status filter_resolve(struct connection *connection, const struct event_filter *filter,
                           struct resolved_filter *ret_resolved, struct error *error) {
    *ret_resolved = (struct resolved_filter){
        .correlation = filter->correlation,
        .has_time_from = filter->has_time_from,
        .has_time_to = filter->has_time_to,
        .time_from_us = filter->time_from_us,
        .time_to_us = filter->time_to_us,
        .metadata = filter->metadata,
    };
    enum status status = resolve_names(connection, filter, ret_resolved, error);
    return status == OK ? resolve_ids(connection, filter, ret_resolved, error) : status;
}

/* ---- text ---- */

void filter_append(struct filter_sql *sql, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int written = vsnprintf(sql->text + sql->size, sizeof sql->text - sql->size, format, args);
    va_end(args);
    if (written < 0 || (size_t)written >= sizeof sql->text - sql->size) {
        sql->overflow = true;
        return;
    }
    sql->size += (size_t)written;
}

void filter_parameter(struct filter_sql *sql, int64_t value) {
    if (sql->parameter_count == FILTER_PARAMETERS_MAX) {
        sql->overflow = true;
        return;
    }
    sql->parameters[sql->parameter_count++] = value;
    filter_append(sql, "?%d", sql->parameter_count + 1); /* ?1 is the correlation */
}

static void condition(struct filter_sql *sql, const char *text, int64_t value) {
    filter_append(sql, " AND %s", text);
    filter_parameter(sql, value);
}

static void id_list(struct filter_sql *sql, const char *text, const int64_t *ids, uint32_t count) {
    filter_append(sql, " AND %s IN (", text);
    for (uint32_t i = 0; i < count; i++) {
        filter_append(sql, i > 0 ? "," : "");
        filter_parameter(sql, ids[i]);
    }
    filter_append(sql, ")");
}

/* ---- the driving index ---- */

/* What the walk goes through: the narrowest condition that has an index. The others are checked for each event. */
enum driver {
    DRIVER_ALL_TAGS,
    DRIVER_ANY_TAG,
    DRIVER_STREAM,
    DRIVER_BATCH,
    DRIVER_CORRELATION,
    DRIVER_TYPES,
    DRIVER_NONE
};

static enum driver choose_driver(const struct resolved_filter *filter) {
    if (filter->all_count > 0) {
        return DRIVER_ALL_TAGS;
    }
    if (filter->any_count > 0) {
        return DRIVER_ANY_TAG;
    }
    if (filter->stream != 0) {
        return DRIVER_STREAM;
    }
    if (filter->batch != 0) {
        return DRIVER_BATCH;
    }
    if (bytes_present(filter->correlation)) {
        return DRIVER_CORRELATION;
    }
    return filter->type_count > 0 ? DRIVER_TYPES : DRIVER_NONE;
}

static bool driver_is_tag(enum driver driver) {
    return driver == DRIVER_ALL_TAGS || driver == DRIVER_ANY_TAG;
}

bool filter_needs_sort(const struct resolved_filter *filter, const struct filter_order *order) {
    enum driver driver = choose_driver(filter);
    return order->ordered && order->by_time && driver != DRIVER_TYPES && driver != DRIVER_NONE;
}

/* FROM and the first condition. A walk over several types or tags is one SELECT for each, merged: `branch` says which.
 */
static void from_driver(struct filter_sql *sql, const struct resolved_filter *filter, enum driver driver,
                        uint32_t branch, bool by_time) {
    switch (driver) {
    case DRIVER_ALL_TAGS:
    case DRIVER_ANY_TAG:
        filter_append(sql, " FROM event_tag g CROSS JOIN event e ON e.id = g.event_id");
        break;
    case DRIVER_STREAM:
        filter_append(sql, " FROM event e INDEXED BY event_by_stream");
        break;
    case DRIVER_BATCH:
        filter_append(sql, " FROM event e INDEXED BY event_by_batch");
        break;
    case DRIVER_CORRELATION:
        filter_append(sql, " FROM event e INDEXED BY event_by_correlation");
        break;
    case DRIVER_TYPES:
        filter_append(sql, " FROM event e INDEXED BY %s", by_time ? "event_by_type_time" : "event_by_type");
        break;
    case DRIVER_NONE:
        filter_append(sql, by_time ? " FROM event e INDEXED BY event_by_time" : " FROM event e NOT INDEXED");
        break;
    }
    filter_append(sql, " WHERE ");
    if (driver_is_tag(driver)) {
        filter_append(sql, "g.tag_id = ");
        filter_parameter(sql, driver == DRIVER_ALL_TAGS ? filter->all[0] : filter->any[branch]);
    } else if (driver == DRIVER_TYPES) {
        filter_append(sql, "e.type_id = ");
        filter_parameter(sql, filter->types[branch]);
    } else {
        filter_append(sql, "1");
    }
}

static void other_conditions(struct filter_sql *sql, const struct resolved_filter *filter, enum driver driver,
                             uint32_t branch) {
    static const char HAS_TAG[] = " AND EXISTS (SELECT 1 FROM event_tag x WHERE x.event_id = e.id AND x.tag_id = ";
    for (uint32_t i = driver == DRIVER_ALL_TAGS; i < filter->all_count; i++) {
        filter_append(sql, HAS_TAG);
        filter_parameter(sql, filter->all[i]);
        filter_append(sql, ")");
    }
    if (driver == DRIVER_ANY_TAG && branch > 0) { /* each event once: not if an earlier branch has it */
        filter_append(sql, " AND NOT EXISTS (SELECT 1 FROM event_tag x WHERE x.event_id = e.id");
        id_list(sql, "x.tag_id", filter->any, branch);
        filter_append(sql, ")");
    } else if (driver != DRIVER_ANY_TAG && filter->any_count > 0) {
        filter_append(sql, " AND EXISTS (SELECT 1 FROM event_tag x WHERE x.event_id = e.id");
        id_list(sql, "x.tag_id", filter->any, filter->any_count);
        filter_append(sql, ")");
    }
    if (driver != DRIVER_TYPES && filter->type_count > 0) {
        id_list(sql, "e.type_id", filter->types, filter->type_count);
    }
    if (filter->stream != 0) {
        condition(sql, "e.stream_id = ", filter->stream);
    }
    if (filter->batch != 0) {
        condition(sql, "e.batch_id = ", filter->batch);
    }
    if (bytes_present(filter->correlation)) {
        filter_append(sql, " AND e.correlation = ?1");
    }
}

/* A walk in the order of time goes on behind a position in two parts: the events of the position's time with an id
 * behind it, and those of the times behind. Each begins with a search; a comparison of both at once would walk through
 * all that came before, as SQLite takes only one lower bound and knows no id in an index over times. */
enum part { PART_WHOLE, PART_SAME_TIME, PART_OTHER_TIMES };

static void times(struct filter_sql *sql, const struct resolved_filter *filter, const struct filter_order *order,
                  enum part part) {
    int64_t position = order->position.time_us;
    if (part == PART_SAME_TIME) {
        condition(sql, "e.time_us = ", position);
        return;
    }
    bool behind = part == PART_OTHER_TIMES;
    if (behind && !order->descending && (!filter->has_time_from || position >= filter->time_from_us)) {
        condition(sql, "e.time_us > ", position);
    } else if (filter->has_time_from || order->by_time) {
        condition(sql, "e.time_us >= ", filter->has_time_from ? filter->time_from_us : INT64_MIN);
    }
    if (behind && order->descending && (!filter->has_time_to || position < filter->time_to_us)) {
        condition(sql, "e.time_us < ", position);
    } else if (filter->has_time_to) {
        condition(sql, "e.time_us < ", filter->time_to_us);
    }
}

/* Bounds of the id that the walk itself can use. One on each side is always there, so that a walk begins with a search.
 */
static void bounds(struct filter_sql *sql, const struct resolved_filter *filter, const struct filter_order *order,
                   enum part part, const char *id) {
    int64_t after = filter->after_id;
    int64_t before = filter->before_id;
    if (part == PART_SAME_TIME || (order->has_position && !order->by_time)) {
        if (order->descending) {
            before = order->position.id < before ? order->position.id : before;
        } else {
            after = order->position.id > after ? order->position.id : after;
        }
    }
    filter_append(sql, " AND %s > ", id);
    filter_parameter(sql, after);
    filter_append(sql, " AND %s < ", id);
    filter_parameter(sql, before);
}

static bool in_times(const struct resolved_filter *filter, int64_t time_us) {
    return (!filter->has_time_from || time_us >= filter->time_from_us) &&
           (!filter->has_time_to || time_us < filter->time_to_us);
}

static void branch_of(struct filter_sql *sql, const struct resolved_filter *filter, const char *columns,
                      const struct filter_order *order, uint32_t branch, enum part part) {
    enum driver driver = choose_driver(filter);
    const char *id = driver_is_tag(driver) ? "g.event_id" : "e.id";
    filter_append(sql, "%sSELECT %s, e.time_us%s%s", sql->size > 0 ? " UNION ALL " : "", id,
                  columns[0] != '\0' ? ", " : "", columns);
    from_driver(sql, filter, driver, branch, order->by_time);
    other_conditions(sql, filter, driver, branch);
    times(sql, filter, order, part);
    bounds(sql, filter, order, part, id);
    if (part == PART_WHOLE && order->by_time && order->has_position) { /* sorted: all of it is looked at anyway */
        filter_append(sql, " AND (e.time_us, e.id) %s (", order->descending ? "<" : ">");
        filter_parameter(sql, order->position.time_us);
        filter_append(sql, ", ");
        filter_parameter(sql, order->position.id);
        filter_append(sql, ")");
    }
}

static void build_ordered(const struct resolved_filter *filter, const char *columns, const struct filter_order *order,
                          struct filter_sql *sql) {
    enum driver driver = choose_driver(filter);
    uint32_t branches = driver == DRIVER_TYPES ? filter->type_count : driver == DRIVER_ANY_TAG ? filter->any_count : 1;
    bool goes_on = order->by_time && order->has_position && !filter_needs_sort(filter, order);
    for (uint32_t branch = 0; branch < branches; branch++) {
        if (goes_on && in_times(filter, order->position.time_us)) {
            branch_of(sql, filter, columns, order, branch, PART_SAME_TIME);
        }
        branch_of(sql, filter, columns, order, branch, goes_on ? PART_OTHER_TIMES : PART_WHOLE);
    }
    const char *direction = order->descending ? " DESC" : "";
    if (order->by_time) {
        filter_append(sql, " ORDER BY 2%s, 1%s", direction, direction);
    } else {
        filter_append(sql, " ORDER BY 1%s", direction);
    }
}

/* Without an order SQLite chooses the index; tags and types are sets. */
static void build_set(const struct resolved_filter *filter, const char *columns, struct filter_sql *sql) {
    static const struct filter_order NO_ORDER = {0};
    filter_append(sql, "SELECT %s FROM event e WHERE 1", columns);
    if (filter->any_count > 0) {
        filter_append(sql, " AND e.id IN (SELECT event_id FROM event_tag WHERE 1");
        id_list(sql, "tag_id", filter->any, filter->any_count);
        filter_append(sql, ")");
    }
    for (uint32_t i = 0; i < filter->all_count; i++) {
        filter_append(sql, " AND e.id IN (SELECT event_id FROM event_tag WHERE tag_id = ");
        filter_parameter(sql, filter->all[i]);
        filter_append(sql, ")");
    }
    struct resolved_filter rest = *filter;
    rest.any_count = 0;
    rest.all_count = 0;
    other_conditions(sql, &rest, DRIVER_NONE, 0);
    times(sql, filter, &NO_ORDER, PART_WHOLE);
    if (filter->after_id != INT64_MIN || filter->before_id != INT64_MAX) {
        bounds(sql, filter, &NO_ORDER, PART_WHOLE, "e.id");
    }
}

void filter_build(const struct resolved_filter *filter, const char *columns, const struct filter_order *order,
                  struct filter_sql *ret_sql) {
    ret_sql->text[0] = '\0';
    ret_sql->size = 0;
    ret_sql->parameter_count = 0;
    ret_sql->overflow = false;
    ret_sql->correlation = filter->correlation;
    if (order->ordered) {
        build_ordered(filter, columns, order, ret_sql);
    } else {
        build_set(filter, columns, ret_sql);
    }
}

enum status filter_prepare(struct connection *connection, const struct filter_sql *sql, const char *what,
                           struct statement *ret_statement, struct error *error) {
    if (sql->overflow) {
        return error_set(error, TOO_LARGE,
                         "%s: the filter has too many conditions; ask for fewer types or tags at once", what);
    }
    enum status status = statement_get(connection, sql->text, what, ret_statement, error);
    if (status != OK) {
        return status;
    }
    if (bytes_present(sql->correlation)) {
        bind_text(ret_statement, sql->correlation);
    }
    ret_statement->next_parameter = 2;
    for (int i = 0; i < sql->parameter_count; i++) {
        bind_int(ret_statement, sql->parameters[i]);
    }
    return OK;
}

static void free_sql(struct filter_sql **sql) {
    free(*sql);
}

enum status filter_find_first(struct connection *connection, const struct event_filter *filter, int64_t after_id,
                              int64_t *ret_id, struct error *error) {
    struct resolved_filter resolved;
    enum status status = filter_resolve(connection, filter, &resolved, error);
    if (status != OK || resolved.nothing) {
        *ret_id = 0;
        return status;
    }
    CLEANUP(free_sql) struct filter_sql *sql = malloc(sizeof *sql);
    if (sql == NULL) {
        return error_set(error, NO_MEMORY, "%s: memory could not be allocated", WHAT);
    }
    struct filter_order order = {.ordered = true, .has_position = true, .position.id = after_id};
    filter_build(&resolved, "e.metadata", &order, sql);
    CLEANUP(statement_release) struct statement find = {0};
    status = filter_prepare(connection, sql, WHAT, &find, error);
    bool row = status == OK;
    while (status == OK && row) {
        status = statement_step(&find, &row, error);
        if (status == OK && row &&
            (resolved.metadata.holds == NULL ||
             resolved.metadata.holds(resolved.metadata.context, column_bytes(&find, 2)))) {
            *ret_id = column_int(&find, 0);
            return OK;
        }
    }
    *ret_id = 0;
    return status;
}
