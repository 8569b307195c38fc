/* work.h: what one compilation or evaluation may spend: steps, and scratch memory that is kept from run to run. */
#ifndef POLARIS_PLUGIN_VALIDATE_WORK_H
#define POLARIS_PLUGIN_VALIDATE_WORK_H

#include "bytes.h"
#include "cleanup.h"

/* The answer of every check. A limit is never a verdict: it ends the run, inside `not` as anywhere. */
enum verdict { VERDICT_NO, VERDICT_YES, VERDICT_LIMIT };

enum work_limit {
    WORK_FINE,
    WORK_STEPS,
    WORK_MEMORY,
    WORK_FRAMES,
    WORK_PATTERN,
    WORK_PATTERN_MEMORY,
    WORK_FORMAT,
    WORK_NO_MEMORY
};

#define WORK_NONE UINT32_MAX

struct work {
    uint64_t steps_left;
    uint64_t seed;         /* of hashes of what the payload chose: should be secret */
    enum work_limit limit; /* the one that was hit */
    uint8_t *scratch;      /* offsets into it stay good when it grows, pointers do not */
    uint32_t scratch_size;
    uint32_t scratch_capacity;
    uint32_t scratch_max;
};

/* False: the budget is used up. */
static inline bool work_spend(struct work *work, uint64_t steps) {
    if (__builtin_expect(steps > work->steps_left, 0)) {
        work->limit = WORK_STEPS;
        work->steps_left = 0;
        return false;
    }
    work->steps_left -= steps;
    return true;
}

/* `size` zeroed bytes, aligned to 8; WORK_NONE: the limit or no memory. Give them back by setting scratch_size. */
uint32_t work_reserve(struct work *work, uint64_t size);

static inline void *work_at(const struct work *work, uint32_t offset) {
    return __builtin_assume_aligned(work->scratch + offset, 8);
}

#endif
