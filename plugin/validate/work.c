/* work.c: scratch memory under a limit. */
#include "validate/work.h"

#include <stdlib.h>

enum { SCRATCH_CAPACITY_MIN = 4096 };

uint32_t work_reserve(struct work *work, uint64_t size) {
    uint64_t end = work->scratch_size + ((size + 7) & ~UINT64_C(7));
    if (end > work->scratch_max) {
        work->limit = WORK_MEMORY;
        return WORK_NONE;
    }
    if (end > work->scratch_capacity || work->scratch == NULL) { /* even nothing has an address */
        uint64_t capacity = 2 * (uint64_t)work->scratch_capacity;
        capacity = capacity < end ? end : capacity;
        capacity = capacity < SCRATCH_CAPACITY_MIN ? SCRATCH_CAPACITY_MIN : capacity;
        capacity = capacity > work->scratch_max ? work->scratch_max : capacity;
        uint8_t *scratch = realloc(work->scratch, capacity);
        if (scratch == NULL) {
            work->limit = WORK_NO_MEMORY;
            return WORK_NONE;
        }
        work->scratch = scratch;
        work->scratch_capacity = (uint32_t)capacity;
    }
    uint32_t offset = work->scratch_size;
    if (end > offset) {
        memset(work->scratch + offset, 0, end - offset);
    }
    work->scratch_size = (uint32_t)end;
    return offset;
}
