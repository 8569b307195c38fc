/* fence.h: memory that ends at a page which nobody may touch: reading or writing one byte too far is a SIGSEGV. */
#ifndef POLARIS_CHECK_FENCE_H
#define POLARIS_CHECK_FENCE_H

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

struct fence {
    uint8_t *data; /* the bytes; a fence stands behind the last of them */
    size_t size;
    void *mapping;
    size_t mapping_size;
};

/* A copy of the bytes (NULL: zeros). Structs whose size is a multiple of their alignment are aligned. Ends the check
 * when there is no memory. */
struct fence fence_new(const void *bytes, size_t size);
/* From now on writing to it is a SIGSEGV. */
void fence_make_constant(struct fence *fence);
/* Nobody may touch any of it any more: its addresses stay taken, so that nothing else can come to lie there. */
void fence_forbid(struct fence *fence);

void fence_done(struct fence *fence);

#endif
