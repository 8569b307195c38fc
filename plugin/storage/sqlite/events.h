/* events.h: rows of the event table as stored events. */
#ifndef POLARIS_SQLITE_EVENTS_H
#define POLARIS_SQLITE_EVENTS_H

#include "storage/sqlite/connection.h"

/* The columns of a stored event, behind id and time_us; `e` is the table. */
#define EVENT_COLUMNS                                                                                                  \
    "e.recorded_us, e.version, e.schema_version, e.type_id, e.stream_id, e.batch_id, e.key, e.correlation,"            \
    " e.causation, e.tags, e.metadata, e.data"

/* The row that the statement stands on: id, time_us, EVENT_COLUMNS. Views are valid until its next step, and until
 * another row is read on its connection. */
WARN_UNUSED enum status event_from_row(const struct statement *row, struct stored_event *ret_event,
                                       struct error *error);

/* Finds one event; *ret_found false: there is none. The views are valid until *statement is released. */
WARN_UNUSED enum status event_find(struct connection *connection, int64_t id, struct statement *statement,
                                   bool *ret_found, struct stored_event *ret_event, struct error *error);

#endif
