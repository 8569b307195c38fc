/* vector.h: growing arrays of records, and an index over them by hash, for compiling. */
#ifndef POLARIS_PLUGIN_VALIDATE_VECTOR_H
#define POLARIS_PLUGIN_VALIDATE_VECTOR_H

#include "bytes.h"
#include "cleanup.h"

/* A zeroed one is empty. */
struct vector {
    void *data;
    uint32_t count;
    uint32_t capacity;
};

#define VECTOR_AT(vector, record, index) (&((record *)(vector).data)[index])

/* Appends `count` records, copied from `records`, or zeroed if NULL. False: no memory, or more than 2^31 of them. */
WARN_UNUSED bool vector_append(struct vector *vector, size_t record_size, const void *records, uint32_t count);
void vector_done(struct vector *vector);

/* Numbers by hash; whoever asks compares what they stand for. A zeroed one is empty. */
struct index {
    struct index_entry *entries;
    uint64_t seed; /* of places among the entries: nobody can choose keys that crowd in one */
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
};

WARN_UNUSED bool index_add(struct index *index, uint64_t hash, uint32_t number);
/* The next number with that hash; *cursor is 0 at first. UINT32_MAX: no more. */
uint32_t index_next(const struct index *index, uint64_t hash, uint32_t *cursor);
void index_done(struct index *index);

#endif
