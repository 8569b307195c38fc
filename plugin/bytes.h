/* bytes.h: the borrowed view and the owned buffer; two types, so that ownership is in the type's name. */
#ifndef POLARIS_PLUGIN_BYTES_H
#define POLARIS_PLUGIN_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed view. `data` NULL means absent, which is not the same as empty. */
struct bytes {
    const uint8_t *data;
    size_t size;
};

#define BYTES_LITERAL(text) ((struct bytes){.data = (const uint8_t *)(text), .size = sizeof(text) - 1})

static inline struct bytes bytes_from_string(const char *text) {
    return (struct bytes){.data = (const uint8_t *)text, .size = text != NULL ? strlen(text) : 0};
}

static inline bool bytes_present(struct bytes bytes) {
    return bytes.data != NULL;
}

/* Absent equals absent only. */
static inline bool bytes_equal(struct bytes a, struct bytes b) {
    if (a.data == NULL || b.data == NULL) {
        return a.data == b.data;
    }
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool bytes_equal_string(struct bytes bytes, const char *text) {
    size_t size = strlen(text);
    return bytes.data != NULL && bytes.size == size && memcmp(bytes.data, text, size) == 0;
}

/* For printf("%.*s", BYTES_FORMAT(b)). */
#define BYTES_FORMAT(bytes) (int)((bytes).size > 4096 ? 4096 : (bytes).size), (const char *)(bytes).data

/* An owner; a zeroed one is empty and valid. buffer_done() frees it and leaves it empty. */
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

void buffer_done(struct buffer *buffer);
/* For buffer_reserve: more than there is room for. */
bool buffer_grow(struct buffer *buffer, size_t extra) __attribute__((warn_unused_result));

/* False: no memory, and the buffer is as it was. */
__attribute__((warn_unused_result)) static inline bool buffer_reserve(struct buffer *buffer, size_t extra) {
    return extra <= buffer->capacity - buffer->size || buffer_grow(buffer, extra);
}

__attribute__((warn_unused_result)) static inline bool buffer_append(struct buffer *buffer, const void *data,
                                                                     size_t size) {
    if (!buffer_reserve(buffer, size)) {
        return false;
    }
    if (size > 0) {
        memcpy(buffer->data + buffer->size, data, size);
        buffer->size += size;
    }
    return true;
}

static inline struct bytes buffer_view(const struct buffer *buffer) {
    return (struct bytes){.data = buffer->data, .size = buffer->size};
}

#endif
