/* vector.c: growing arrays and the index over them. */
#include "validate/vector.h"

#include "validate/hash.h"

#include <stdlib.h>

enum { VECTOR_CAPACITY_MIN = 16, VECTOR_COUNT_MAX = INT32_MAX, INDEX_CAPACITY_MIN = 32 };

struct index_entry {
    uint64_t hash;
    uint32_t number;
    bool used;
};

bool vector_append(struct vector *vector, size_t record_size, const void *records, uint32_t count) {
    uint64_t wanted = (uint64_t)vector->count + count;
    if (count == 0) {
        return true; /* of an empty one there is no memory to point into */
    }
    if (wanted > VECTOR_COUNT_MAX) {
        return false;
    }
    if (wanted > vector->capacity) {
        uint64_t capacity = vector->capacity < VECTOR_CAPACITY_MIN ? VECTOR_CAPACITY_MIN : vector->capacity;
        while (capacity < wanted) {
            capacity *= 2;
        }
        void *data = realloc(vector->data, capacity * record_size);
        if (data == NULL) {
            return false;
        }
        vector->data = data;
        vector->capacity = (uint32_t)capacity;
    }
    uint8_t *end = (uint8_t *)vector->data + vector->count * record_size;
    if (records != NULL) {
        memcpy(end, records, count * record_size);
    } else {
        memset(end, 0, count * record_size);
    }
    vector->count = (uint32_t)wanted;
    return true;
}

void vector_done(struct vector *vector) {
    free(vector->data);
    *vector = (struct vector){0};
}

static uint32_t first_slot(const struct index *index, uint64_t hash) {
    return (uint32_t)hash_number(hash, index->seed) & (index->capacity - 1);
}

static void place(struct index *index, struct index_entry entry) {
    uint32_t slot = first_slot(index, entry.hash);
    while (index->entries[slot].used) {
        slot = (slot + 1) & (index->capacity - 1);
    }
    index->entries[slot] = entry;
}

/* Hashes are made with a seed that is known, where the address of memory is not. */
static bool grow(struct index *index) {
    const struct index old = *index;
    uint32_t capacity = old.capacity == 0 ? INDEX_CAPACITY_MIN : 2 * old.capacity;
    struct index_entry *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    index->entries = entries;
    index->capacity = capacity;
    index->seed = old.entries == NULL ? (uintptr_t)entries : old.seed;
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].used) {
            place(index, old.entries[i]);
        }
    }
    free(old.entries);
    return true;
}

bool index_add(struct index *index, uint64_t hash, uint32_t number) {
    if (2 * (index->count + 1) > index->capacity && !grow(index)) {
        return false;
    }
    place(index, (struct index_entry){.hash = hash, .number = number, .used = true});
    index->count++;
    return true;
}

uint32_t index_next(const struct index *index, uint64_t hash, uint32_t *cursor) {
    if (index->capacity == 0) {
        return UINT32_MAX;
    }
    for (uint32_t first = first_slot(index, hash);;) {
        const struct index_entry *entry = &index->entries[(first + *cursor) & (index->capacity - 1)];
        if (!entry->used) {
            return UINT32_MAX;
        }
        ++*cursor;
        if (entry->hash == hash) {
            return entry->number;
        }
    }
}

void index_done(struct index *index) {
    free(index->entries);
    *index = (struct index){0};
}
