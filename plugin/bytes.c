/* bytes.c: the owned buffer. */
#include "bytes.h"

#include <stdlib.h>

enum { BUFFER_CAPACITY_MIN = 256 };

bool buffer_grow(struct buffer *buffer, size_t extra) {
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

void buffer_done(struct buffer *buffer) {
    free(buffer->data);
    *buffer = (struct buffer){0};
}
