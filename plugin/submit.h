/* submit.h: requests of `store` that nobody stands waiting for.
 *
 * A submitted request is copied, and one thread of ours reads and validates it; the storage commits it with whatever
 * else waits, and the same thread tells how it ended. What is in progress is bounded in number and in bytes. The
 * thread starts with the first request, and sleeps while there is nothing to do. */
#ifndef POLARIS_PLUGIN_SUBMIT_H
#define POLARIS_PLUGIN_SUBMIT_H

#include "bytes.h"
#include "error.h"

struct instance;
struct submitter;

/* Who is told how a request ended: once, by the submitter's thread, in commit order. `reply` is a map, or the error
 * map, good until it returns. */
struct completion {
    void *context;
    void (*done)(const struct completion *completion, uint64_t ticket, enum status status, struct bytes reply);
    void (*host_done)(void); /* for `done` to call: what the host gave, whose type only the boundary knows */
};

/* NO_MEMORY. */
WARN_UNUSED enum status submitter_open(struct instance *instance, struct submitter **ret_submitter,
                                       struct error *error);
/* Returns when all that was accepted has ended and was told; *ret_drained: how many that were. NULL is allowed. */
void submitter_close(struct submitter *submitter, int64_t *ret_drained);

/* Takes a request: it will end. Otherwise nothing will be told: BUSY (submit_max requests or submit_size_max bytes are
 * in progress: found out before anything is copied), READ_ONLY, TOO_LARGE (request_size_max), NO_MEMORY. Never waits.
 */
WARN_UNUSED enum status submitter_take(struct submitter *submitter, struct bytes request,
                                       const struct completion *completion, uint64_t *ret_ticket, struct error *error);

/* OK: it has not begun, and will end with CANCELLED. ALREADY: it has begun, or has ended. NOT_FOUND: there never was
 * such a ticket. */
WARN_UNUSED enum status submitter_cancel(struct submitter *submitter, uint64_t ticket);

#endif
