/* wire/shape.h: reading the header of one msgpack value, with all claims checked against the bytes that are there. */
#ifndef POLARIS_PLUGIN_WIRE_SHAPE_H
#define POLARIS_PLUGIN_WIRE_SHAPE_H

#include "wire/document.h"

/* Arrays and maps within each other that any walk over a message can hold, on its stack. No depth_max may be larger. */
enum { WIRE_DEPTH_LIMIT = 1024 };

enum wire_head_result {
    WIRE_HEAD_OK,
    WIRE_HEAD_CUT,     /* the bytes end within the header */
    WIRE_HEAD_UNKNOWN, /* 0xc1, the one byte that msgpack never uses */
    WIRE_HEAD_CLAIMS   /* the payload or the elements cannot fit in the bytes that follow; the other fields are set */
};

struct wire_head {
    enum wire_kind kind;
    uint32_t header_size; /* nil, bool and numbers: all of the value */
    uint32_t size;        /* str, bin, ext: bytes of payload; array: elements; map: pairs; otherwise 0 */
};

static inline bool wire_kind_is_container(enum wire_kind kind) {
    return kind == WIRE_ARRAY || kind == WIRE_MAP;
}

static inline uint64_t wire_big_endian(const uint8_t *data, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | data[i];
    }
    return value;
}

/* Reads the header at `data`, of which `left` >= 1 bytes are there. */
WARN_UNUSED enum wire_head_result wire_head_read(const uint8_t *data, size_t left, struct wire_head *ret_head);

/* The elements directly inside: two for each pair of a map. */
static inline uint64_t wire_head_children(const struct wire_head *head) {
    return head->kind == WIRE_MAP ? 2 * (uint64_t)head->size : head->kind == WIRE_ARRAY ? head->size : 0;
}

/* The bytes before the first element, or of the whole value if it has none. */
static inline size_t wire_head_extent(const struct wire_head *head) {
    return wire_kind_is_container(head->kind) ? head->header_size : (size_t)head->header_size + head->size;
}

/* The number of a WIRE_INT, or the bits of a WIRE_UINT, whose first byte is at `data`. */
int64_t wire_int_read(const uint8_t *data);
double wire_float_read(const uint8_t *data); /* WIRE_FLOAT */

/* How many bytes the value at `data` takes with all that is in it; 0 if it is malformed or cut. Allocates nothing and
 * has no depth limit. */
WARN_UNUSED size_t wire_skip(const uint8_t *data, size_t left);

#endif
