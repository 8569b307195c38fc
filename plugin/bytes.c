/* bytes.c: the owned buffer. */
#include "bytes.h"

#include <stdlib.h>

enum { BUFFER_CAPACITY_MIN = 256 };

bool buffer_reserve(struct buffer *buffer, size_t extra) {
    if (extra <= buffer->capacity - buffer->size) {
        return true;
    }
    if (extra > SIZE_MAX / 2 - buffer->size) {
        return false;
    }
    size_t wanted = buffer->size + extra;
    size_t capacity = buffer->capacity < BUFFER_CAPACITY_MIN ? BUFFER_CAPACITY_MIN : buffer->capacity;
    while (capacity < wanted) {
        capacity *= 2;
    }
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool buffer_append(struct buffer *buffer, const void *data, size_t size) {
    if (!buffer_reserve(buffer, size)) {
        return false;
    }
    if (size > 0) {
        memcpy(buffer->data + buffer->size, data, size);
        buffer->size += size;
    }
    return true;
}

void buffer_done(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){0};
}
