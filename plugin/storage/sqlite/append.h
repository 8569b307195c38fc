/* append.h: storing one event, for appends, for batches that complete, and for what was rejected. */
#ifndef POLARIS_SQLITE_APPEND_H
#define POLARIS_SQLITE_APPEND_H

#include "storage/sqlite/writer.h"

/* Puts the event on the stage, where it must stay until that is emptied, or keeps it as a rejected entry, or finds it
 * under its key. CONFLICT: expected version, key with other content. REJECTED: its schema does not allow it. */
WARN_UNUSED enum status append_event(struct writer *writer, const struct event *event,
                                     const struct placement *placement, struct append_result *ret_result,
                                     struct error *error);

/* What the verdict demands: REJECTED, or the event is kept as a rejected entry, and *ret_kept. */
WARN_UNUSED enum status append_judge(struct writer *writer, const struct event *event, struct append_result *ret_result,
                                     bool *ret_kept, struct error *error);

/* FULL, when the store has reached store_size_max. */
WARN_UNUSED enum status append_check_space(struct writer *writer, struct error *error);

#endif
