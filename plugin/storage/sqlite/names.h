/* names.h: paging through names in byte order, by prefix. */
#ifndef POLARIS_SQLITE_NAMES_H
#define POLARIS_SQLITE_NAMES_H

#include "storage/sqlite/connection.h"

/* Prepares `sql`, a SELECT that ends in "WHERE name > ?1 AND name >= ?2 AND name < ?3 ORDER BY name LIMIT ?4" (whatever
 * the column is called), for the page. `end` must stay until the statement is released. */
struct name_range {
    struct buffer end; /* the first name behind all that have the prefix; owned */
};
void name_range_done(struct name_range *range);
WARN_UNUSED enum status names_select(struct connection *connection, const char *sql, const char *what,
                                     const struct name_page *page, struct name_range *range,
                                     struct statement *ret_statement, struct error *error);

#endif
