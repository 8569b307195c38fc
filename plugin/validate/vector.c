/* vector.c: growing arrays and the index over them. */
#include "validate/vector.h"

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

static void place(struct index_entry *entries, uint32_t capacity, struct index_entry entry) {
    uint32_t slot = (uint32_t)entry.hash & (capacity - 1);
    while (entries[slot].used) {
        slot = (slot + 1) & (capacity - 1);
    }
    entries[slot] = entry;
}

bool index_add(struct index *index, uint64_t hash, uint32_t number) {
    if (2 * (index->count + 1) > index->capacity) {
        uint32_t capacity = index->capacity == 0 ? INDEX_CAPACITY_MIN : 2 * index->capacity;
        struct index_entry *entries = calloc(capacity, sizeof *entries);
        if (entries == NULL) {
            return false;
        }
        for (uint32_t i = 0; i < index->capacity; i++) {
            if (index->entries[i].used) {
                place(entries, capacity, index->entries[i]);
            }
        }
        free(index->entries);
        index->entries = entries;
        index->capacity = capacity;
    }
    place(index->entries, index->capacity, (struct index_entry){.hash = hash, .number = number, .used = true});
    index->count++;
    return true;
}

uint32_t index_next(const struct index *index, uint64_t hash, uint32_t *cursor) {
    while (index->capacity > 0) {
        const struct index_entry *entry = &index->entries[((uint32_t)hash + *cursor) & (index->capacity - 1)];
        if (!entry->used) {
            break;
        }
        ++*cursor;
        if (entry->hash == hash) {
            return entry->number;
        }
    }
    return UINT32_MAX;
}

void index_done(struct index *index) {
    free(index->entries);
    *index = (struct index){0};
}
