/* append.h: writing one event, for appends and for batches that complete. */
#ifndef POLARIS_SQLITE_APPEND_H
#define POLARIS_SQLITE_APPEND_H

#include "storage/sqlite/writer.h"

/* Where and when an event is stored. */
struct placement {
    int64_t recorded_us;
    int64_t default_time_us; /* of an event without a time */
    int64_t batch_id;        /* 0: none */
};

/* Writes the event, keeps it as a rejected entry, or finds it under its key. CONFLICT: expected version, key with other
 * content. REJECTED: its schema does not allow it. */
WARN_UNUSED enum status append_event(struct writer *writer, const struct event *event,
                                     const struct placement *placement, struct append_result *ret_result,
                                     struct error *error);

/* What the verdict demands: REJECTED, or the event is kept as a rejected entry, and *ret_kept. */
WARN_UNUSED enum status append_judge(struct writer *writer, const struct event *event, struct append_result *ret_result,
                                     bool *ret_kept, struct error *error);

/* FULL, when the store has reached store_size_max. */
WARN_UNUSED enum status append_check_space(struct writer *writer, struct error *error);

#endif
