/* rejected.h (storage/sqlite): keeping what validation did not allow, for appends. */
#ifndef POLARIS_SQLITE_REJECTED_H
#define POLARIS_SQLITE_REJECTED_H

#include "storage/sqlite/writer.h"

/* Keeps the event, whose verdict is EVENT_KEPT. The same event under the same key is kept once. */
WARN_UNUSED enum status rejected_keep(struct writer *writer, const struct event *event, int64_t *ret_id,
                                      struct error *error);

/* *ret_id: the waiting entry of the same event under the same key; 0: there is none. */
WARN_UNUSED enum status rejected_find(struct writer *writer, const struct event *event, int64_t *ret_id,
                                      struct error *error);

#endif
