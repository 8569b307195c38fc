/* objects.h: the tables, indexes and triggers of a file must be the store's own. */
#ifndef POLARIS_SQLITE_OBJECTS_H
#define POLARIS_SQLITE_OBJECTS_H

#include "storage/sqlite/connection.h"

/* What makes a store of some format. */
struct objects {
    const char *const *const *migrations; /* [i]: the statements, ended by NULL, that raise format i to i + 1 */
    int64_t format;
    int count; /* of its tables and indexes but for SQLite's own */
};

/* Refuses a file which has anything else, or lacks a table or an index: a trigger, a view, a virtual table, an
 * expression in an index or a column could run whenever the store is used, and without the index of the keys an event
 * could be stored twice. SQLite's own tables are welcome. */
WARN_UNUSED enum status objects_check(struct connection *connection, const struct objects *objects,
                                      struct error *error);

#endif
