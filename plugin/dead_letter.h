/* dead_letter.h: one (event, consumer) that failed, and the rules by which it changes state. Pure: no storage, no
 * clock.
 *
 *     pending --claim--> claimed --resolve--> resolved
 *        ^                 |  \--fail, lease expired--> pending, due later; or parked when attempts are used up
 *        |--redrive--- parked, pending          discard (with a reason): from any live state --> discarded
 *
 * `attempts` counts failed retries: the failure that made the entry is not one, a success is not one. */
#ifndef POLARIS_PLUGIN_DEAD_LETTER_H
#define POLARIS_PLUGIN_DEAD_LETTER_H

#include "bounds.h"
#include "bytes.h"
#include "error.h"

enum dead_letter_state {
    DEAD_LETTER_PENDING,
    DEAD_LETTER_CLAIMED,
    DEAD_LETTER_RESOLVED,
    DEAD_LETTER_PARKED,
    DEAD_LETTER_DISCARDED,
    DEAD_LETTER_STATE_COUNT
};

/* A set of states: bit 1 << state. Live: still to be dealt with. */
#define DEAD_LETTER_LIVE ((1u << DEAD_LETTER_PENDING) | (1u << DEAD_LETTER_CLAIMED) | (1u << DEAD_LETTER_PARKED))
#define DEAD_LETTER_ALL ((1u << DEAD_LETTER_STATE_COUNT) - 1)

/* When a failed attempt is tried again: min(base * factor^attempts, cap), plus or minus up to `jitter` of it, drawn
 * from the seed, the entry and the attempt, so that the same store gives the same times. */
struct retry_policy {
    int64_t attempts_max;
    int64_t base_us;
    double factor;
    int64_t cap_us;
    double jitter; /* 0 to 1 */
    uint64_t seed;
    int64_t lease_us;
};

struct dead_letter_failure {
    struct bytes class_name; /* or absent */
    struct bytes message;
    int64_t time_us;
};

/* The fields that the rules read and write. */
struct dead_letter_progress {
    enum dead_letter_state state;
    int64_t attempts;
    int64_t attempts_max;
    int64_t due_us;         /* pending: not handed out before */
    int64_t lease_until_us; /* claimed */
    int64_t token;          /* fencing token: grows with every claim */
    bool counted;           /* claimed by `retry`: the attempt was counted when it was handed out */
};

/* A dead letter on its way out. Views are valid during the visit only. */
struct dead_letter {
    int64_t id;
    int64_t event_id;
    struct bytes consumer;
    struct bytes stream; /* of its event, or absent */
    struct bytes holder; /* of the lease, or absent */
    struct bytes reason; /* of a discard, or absent */
    struct dead_letter_progress progress;
    int64_t created_us;
    int64_t updated_us;
    uint32_t failure_count;
    struct dead_letter_failure failures[FAILURES_KEPT]; /* oldest first */
};

/* The consumer failed on the event for the first time. */
struct dead_letter_progress dead_letter_begin(const struct retry_policy *policy, int64_t event_id, int64_t now_us);

/* A live entry failed again, or its lease expired: one more attempt, then due later or parked. `delay_us` >= 0 replaces
 * the computed delay. An attempt that was counted when handed out is not counted twice. */
void dead_letter_fail(struct dead_letter_progress *progress, const struct retry_policy *policy, int64_t event_id,
                      int64_t delay_us, int64_t now_us);

/* Hands a pending entry out until now + lease_us under a new token; `count_now`: count the attempt already. */
void dead_letter_claim(struct dead_letter_progress *progress, int64_t lease_us, bool count_now, int64_t now_us);

void dead_letter_resolve(struct dead_letter_progress *progress);

/* Given up by hand. */
void dead_letter_discard(struct dead_letter_progress *progress);

/* Due at once, with all attempts ahead of it. */
void dead_letter_redrive(struct dead_letter_progress *progress, int64_t now_us);

/* A claimed entry may only be changed by who has its token. `token` < 0: none was given. Returns CONFLICT for a lost or
 * missing lease, ALREADY for an entry that is in `wanted` already, CLOSED for one that ended otherwise. */
WARN_UNUSED enum status dead_letter_check(const struct dead_letter_progress *progress, int64_t id, int64_t token,
                                          enum dead_letter_state wanted, struct error *error);

/* "damaged" for DEAD_LETTER_STATE_COUNT, the state of an entry whose row is damaged. */
const char *dead_letter_state_name(enum dead_letter_state state);
/* False: no state has that name. */
WARN_UNUSED bool dead_letter_state_from_name(struct bytes name, enum dead_letter_state *ret_state);

#endif
