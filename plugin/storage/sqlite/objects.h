/* objects.h: the tables, indexes and triggers of a file must be the store's own. */
#ifndef POLARIS_SQLITE_OBJECTS_H
#define POLARIS_SQLITE_OBJECTS_H

#include "storage/sqlite/connection.h"

/* Refuses a file of that format which has anything else, or lacks a table: a trigger, a view, a virtual table, an
 * expression in an index or a column could run whenever the store is used. `migrations[i]` are the statements, ended by
 * NULL, that raise format i to i + 1. SQLite's own tables are welcome. */
WARN_UNUSED enum status objects_check(struct connection *connection, const char *const *const *migrations,
                                      int64_t format, struct error *error);

#endif
