/* format.h: the file format: recognising a store, creating it, and raising it to the newest format. */
#ifndef POLARIS_SQLITE_FORMAT_H
#define POLARIS_SQLITE_FORMAT_H

#include "storage/sqlite/connection.h"

/* Checks that the file is an event store, or empty; creates or migrates it if `config` allows writing. Fills in
 * store_id, secret, format and created of `ret_info`. INCOMPATIBLE, CORRUPT, BUSY. */
WARN_UNUSED enum status format_open(struct connection *connection, const struct config *config,
                                    struct storage_info *ret_info, struct error *error);

#endif
