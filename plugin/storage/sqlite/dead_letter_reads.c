/* dead_letter_reads.c: finding, listing and counting dead letters. */
#include <stdio.h>

#include "storage/sqlite/dead_letters.h"
#include "storage/sqlite/events.h"
#include "storage/sqlite/sqlite.h"

/* Within what can be counted on from, whatever a damaged row holds. */
static int64_t column_count(const struct statement *row, int column) {
    int64_t value = column_int(row, column);
    return value < 0 ? 0 : value > INT32_MAX ? INT32_MAX : value;
}

void dead_letter_from_row(const struct statement *row, struct dead_letter *ret_letter) {
    int64_t state = column_int(row, 6);
    *ret_letter = (struct dead_letter){
        .id = column_int(row, 0),
        .event_id = column_int(row, 1),
        .consumer = column_bytes(row, 2),
        .stream = column_bytes(row, 3),
        .holder = column_bytes(row, 4),
        .reason = column_bytes(row, 5),
        .progress = {.state = state >= 0 && state < DEAD_LETTER_STATE_COUNT ? (enum dead_letter_state)state
                                                                            : DEAD_LETTER_STATE_COUNT,
                     .attempts = column_count(row, 7),
                     .attempts_max = column_count(row, 8),
                     .due_us = column_int(row, 9),
                     .lease_until_us = column_int(row, 10),
                     .token = column_count(row, 11),
                     .counted = column_int(row, 12) != 0},
        .created_us = column_int(row, 13),
        .updated_us = column_int(row, 14),
    };
}

/* The failures' texts live in `copies` until the visit is over: one statement cannot stand on ten rows at once. */
static enum status read_failures(struct connection *connection, struct dead_letter *letter, struct buffer *copies,
                                 struct error *error) {
    struct span {
        size_t class_offset, class_size, message_offset, message_size;
        bool has_class;
    } spans[FAILURES_KEPT];
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = statement_get(connection,
                                       "SELECT class, message, time_us FROM dead_letter_failure WHERE letter_id = ?1"
                                       " ORDER BY seq",
                                       "read the failures of a dead letter", &rows, error);
    if (status == OK) {
        bind_int(&rows, letter->id);
    }
    letter->failure_count = 0;
    bool row = status == OK;
    while (row && letter->failure_count < FAILURES_KEPT) {
        status = statement_step(&rows, &row, error);
        if (status != OK || !row) {
            break;
        }
        struct bytes class_name = column_bytes(&rows, 0);
        struct bytes message = column_bytes(&rows, 1);
        struct span *span = &spans[letter->failure_count];
        *span = (struct span){copies->size, class_name.size, copies->size + class_name.size, message.size,
                              bytes_present(class_name)};
        if (!buffer_append(copies, class_name.data, class_name.size) ||
            !buffer_append(copies, message.data, message.size)) {
            return error_set(error, NO_MEMORY, "read the failures of a dead letter: memory could not be allocated");
        }
        letter->failures[letter->failure_count++].time_us = column_int(&rows, 2);
    }
    if (status == OK && !buffer_append(copies, "", 1)) { /* so that even empty texts have an address */
        return error_set(error, NO_MEMORY, "read the failures of a dead letter: memory could not be allocated");
    }
    for (uint32_t i = 0; status == OK && i < letter->failure_count; i++) {
        struct dead_letter_failure *failure = &letter->failures[i];
        failure->class_name =
            (struct bytes){spans[i].has_class ? copies->data + spans[i].class_offset : NULL, spans[i].class_size};
        failure->message = (struct bytes){copies->data + spans[i].message_offset, spans[i].message_size};
    }
    return status;
}

enum status dead_letter_show(struct connection *connection, struct dead_letter *letter, bool with_event,
                             dead_letter_visitor visit, void *context, bool *ret_more, struct error *error) {
    CLEANUP(buffer_done) struct buffer copies = {0};
    CLEANUP(statement_release) struct statement statement = {0};
    struct stored_event event;
    bool found = false;
    enum status status = read_failures(connection, letter, &copies, error);
    if (status == OK && with_event) {
        status = event_find(connection, letter->event_id, &statement, &found, &event, error);
    }
    if (status == OK) {
        *ret_more = visit(context, letter, found ? &event : NULL);
    }
    return status;
}

enum status consumer_find(struct connection *connection, struct bytes name, int64_t *ret_id, struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status =
        statement_get(connection, "SELECT id FROM consumer WHERE name = ?1", "find a consumer", &find, error);
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

enum status dead_letter_find(struct connection *connection, const struct dead_letter_ref *ref, const char *what,
                             struct statement *statement, struct dead_letter *ret_letter, struct error *error) {
    static const char BY_ID[] =
        "SELECT " DEAD_LETTER_COLUMNS " FROM dead_letter d" DEAD_LETTER_JOINS " WHERE d.id = ?1";
    static const char BY_EVENT[] =
        "SELECT " DEAD_LETTER_COLUMNS " FROM dead_letter d" DEAD_LETTER_JOINS
        " WHERE d.event_id = ?1 AND d.consumer_id = (SELECT id FROM consumer WHERE name = ?2)";
    bool row = false;
    enum status status = statement_get(connection, ref->id != 0 ? BY_ID : BY_EVENT, what, statement, error);
    if (status == OK) {
        bind_int(statement, ref->id != 0 ? ref->id : ref->event_id);
        if (ref->id == 0) {
            bind_text(statement, ref->consumer);
        }
        status = statement_step(statement, &row, error);
    }
    if (status == OK && !row) {
        return ref->id != 0 ? error_set(error, NOT_FOUND, "%s: there is no dead letter %lld", what, (long long)ref->id)
                            : error_set(error, NOT_FOUND, "%s: event %lld has no dead letter for consumer %.*s", what,
                                        (long long)ref->event_id, BYTES_FORMAT(ref->consumer));
    }
    if (status == OK) {
        dead_letter_from_row(statement, ret_letter);
    }
    return status;
}

enum status sqlite_dead_letter_get(struct storage *base, const struct dead_letter_ref *ref, bool with_event,
                                   dead_letter_visitor visit, void *context, struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(statement_release) struct statement statement = {0};
    struct dead_letter letter;
    bool more = false;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = dead_letter_find(reader.connection, ref, "get a dead letter", &statement, &letter, error);
    }
    return status == OK ? dead_letter_show(reader.connection, &letter, with_event, visit, context, &more, error)
                        : status;
}

/* ---- lists ---- */

/* With a consumer: one walk per state through its index, merged by id. Without: the table by id. */
static void list_sql(char *sql, size_t size, const struct dead_letter_filter *filter, uint32_t states) {
    static const char SELECT[] = "SELECT " DEAD_LETTER_COLUMNS " FROM dead_letter d";
    static const char OTHERS[] =
        DEAD_LETTER_JOINS " WHERE d.id > ?1 AND d.updated_us < ?2 AND (?3 IS NULL OR d.stream_id = ?3)";
    size_t used = 0;
    if (!bytes_present(filter->consumer)) {
        used += (size_t)snprintf(sql, size, "%s NOT INDEXED%s AND (?5 >> d.state) & 1", SELECT, OTHERS);
    }
    for (unsigned state = 0; bytes_present(filter->consumer) && state < DEAD_LETTER_STATE_COUNT; state++) {
        if (states >> state & 1) {
            used += (size_t)snprintf(sql + used, size - used,
                                     "%s%s INDEXED BY dead_letter_by_state%s AND d.consumer_id = ?4 AND d.state = %u",
                                     used > 0 ? " UNION ALL " : "", SELECT, OTHERS, state);
        }
    }
    snprintf(sql + used, size - used, " ORDER BY 1 LIMIT ?6");
}

/* The numbers of the consumer and the stream that the filter names. *ret_nothing: one is unknown. */
static enum status resolve(struct connection *connection, const struct dead_letter_filter *filter,
                           int64_t *ret_consumer, int64_t *ret_stream, bool *ret_nothing, struct error *error) {
    enum status status = OK;
    if (bytes_present(filter->consumer)) {
        status = consumer_find(connection, filter->consumer, ret_consumer, error);
        *ret_nothing = *ret_consumer == 0;
    }
    if (status == OK && bytes_present(filter->stream)) {
        CLEANUP(statement_release) struct statement find = {0};
        bool row = false;
        status = statement_get(connection, "SELECT id FROM stream WHERE name = ?1", "find a stream", &find, error);
        if (status == OK) {
            bind_text(&find, filter->stream);
            status = statement_step(&find, &row, error);
        }
        if (status == OK) {
            *ret_stream = row ? column_int(&find, 0) : 0;
            *ret_nothing = *ret_nothing || !row;
        }
    }
    return status;
}

static enum status visit_list(struct connection *connection, const struct dead_letter_list *list, int64_t consumer,
                              int64_t stream, dead_letter_visitor visit, void *context, struct error *error) {
    uint32_t states = list->filter.states == 0 ? DEAD_LETTER_ALL : list->filter.states & DEAD_LETTER_ALL;
    char sql[4096];
    list_sql(sql, sizeof sql, &list->filter, states);
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = statement_get(connection, sql, "list dead letters", &rows, error);
    if (status != OK) {
        return status;
    }
    bind_int(&rows, list->after_id);
    bind_int(&rows, list->filter.has_updated_before ? list->filter.updated_before_us : INT64_MAX);
    bind_optional_int(&rows, stream > 0, stream);
    if (consumer > 0) {
        bind_int(&rows, consumer);
    } else {
        rows.next_parameter = 5;
        bind_int(&rows, list->filter.states == 0 ? -1 : (int64_t)states); /* all: damaged ones as well */
    }
    rows.next_parameter = 6;
    bind_int(&rows, list->limit);
    bool more = true;
    while (status == OK && more) {
        struct dead_letter letter;
        status = statement_step(&rows, &more, error);
        if (status == OK && more) {
            dead_letter_from_row(&rows, &letter);
            status = dead_letter_show(connection, &letter, list->with_events, visit, context, &more, error);
        }
    }
    return status;
}

enum status sqlite_dead_letter_list(struct storage *base, const struct dead_letter_list *list,
                                    dead_letter_visitor visit, void *context, struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    int64_t consumer = 0;
    int64_t stream = 0;
    bool nothing = list->limit == 0;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK && !nothing) {
        status = resolve(reader.connection, &list->filter, &consumer, &stream, &nothing, error);
    }
    if (status != OK || nothing) {
        return status;
    }
    return visit_list(reader.connection, list, consumer, stream, visit, context, error);
}

/* ---- counts ---- */

static enum status visit_counts(struct statement *rows, dead_letter_count_visitor visit, void *context,
                                struct error *error) {
    for (;;) {
        bool row = false;
        enum status status = statement_step(rows, &row, error);
        if (status != OK || !row) {
            return status;
        }
        struct dead_letter_count count = {.consumer = column_bytes(rows, 0), .due = column_int(rows, 1)};
        for (int state = 0; state < DEAD_LETTER_STATE_COUNT; state++) {
            count.states[state] = column_int(rows, 2 + state);
        }
        if (!visit(context, &count)) {
            return OK;
        }
    }
}

enum status sqlite_dead_letter_count(struct storage *base, struct bytes consumer, dead_letter_count_visitor visit,
                                     void *context, struct error *error) {
    struct sqlite_storage *self = sqlite_of(base);
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = reader_acquire(&self->readers, &reader, error);
    if (status == OK) {
#define COUNT_OF(state) "(SELECT count(*) FROM dead_letter WHERE consumer_id = c.id AND state = " #state ")"
        status = statement_get(
            reader.connection,
            "SELECT c.name,"
            " (SELECT count(*) FROM dead_letter WHERE consumer_id = c.id AND state = 0 AND due_us <= ?1)"
            " + (SELECT count(*) FROM dead_letter WHERE consumer_id = c.id AND state = 1 AND lease_until_us <= ?1),"
            " " COUNT_OF(0) ", " COUNT_OF(1) ", " COUNT_OF(2) ", " COUNT_OF(3) ", " COUNT_OF(
                4) " FROM consumer c WHERE ?2 IS NULL OR c.name = ?2 ORDER BY c.name",
            "count dead letters", &rows, error);
#undef COUNT_OF
    }
    if (status != OK) {
        return status;
    }
    bind_int(&rows, sqlite_now(self));
    bind_text(&rows, consumer);
    return visit_counts(&rows, visit, context, error);
}
