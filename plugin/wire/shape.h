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

/* How a header is built, by its first byte. */
struct wire_form {
    uint8_t kind;
    uint8_t header_size;  /* all bytes before the payload or the elements */
    uint8_t length_bytes; /* the size of the length, right after the first byte; 0: it is `fixed` */
    uint8_t fixed;
};
extern const struct wire_form WIRE_FORMS[256];
enum { WIRE_FORM_UNKNOWN = 0xFF /* length_bytes of the one byte that is no header */ };

static inline uint16_t wire_read_16(const uint8_t *data) {
    return (uint16_t)(data[0] << 8 | data[1]);
}

static inline uint32_t wire_read_32(const uint8_t *data) {
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static inline uint64_t wire_read_64(const uint8_t *data) {
    return (uint64_t)wire_read_32(data) << 32 | wire_read_32(data + 4);
}

/* The length or count of a header that has one, all of whose bytes are there. False: it is no header. */
WARN_UNUSED static inline bool wire_length_read(const uint8_t *data, const struct wire_form *form, uint32_t *ret) {
    switch (form->length_bytes) {
    case 1:
        *ret = data[1];
        return true;
    case 2:
        *ret = wire_read_16(data + 1);
        return true;
    case 4:
        *ret = wire_read_32(data + 1);
        return true;
    default:
        return false;
    }
}

/* Of the header of 64 bits, unsigned: the one whose kind depends on more than its first byte. */
static inline bool wire_uint_is_large(const uint8_t *data) {
    return (data[1] & 0x80) != 0;
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
static inline int64_t wire_int_read(const uint8_t *data) {
    switch (data[0]) {
    case 0xCC:
        return data[1];
    case 0xCD:
        return wire_read_16(data + 1);
    case 0xCE:
        return wire_read_32(data + 1);
    case 0xCF:
    case 0xD3:
        return (int64_t)wire_read_64(data + 1);
    case 0xD0:
        return (int8_t)data[1];
    case 0xD1:
        return (int16_t)wire_read_16(data + 1);
    case 0xD2:
        return (int32_t)wire_read_32(data + 1);
    default:
        return (int8_t)data[0];
    }
}

/* WIRE_FLOAT */
static inline double wire_float_read(const uint8_t *data) {
    if (data[0] == 0xCA) {
        uint32_t bits = wire_read_32(data + 1);
        float number;
        memcpy(&number, &bits, sizeof number);
        return (double)number;
    }
    uint64_t bits = wire_read_64(data + 1);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* Neither an infinity nor NaN: their exponents are all ones. */
static inline bool wire_float_is_finite(const uint8_t *data) {
    if ((data[1] & 0x7F) != 0x7F) {
        return true;
    }
    uint8_t mask = data[0] == 0xCA ? 0x80 : 0xF0;
    return (data[2] & mask) != mask;
}

/* How many bytes the value at `data` takes with all that is in it; 0 if it is malformed or cut. Allocates nothing and
 * has no depth limit. */
WARN_UNUSED size_t wire_skip(const uint8_t *data, size_t left);

/* ---- the marks of strings ---- */

/* Eight bytes of a text, the first one lowest. */
static inline uint64_t wire_text_word(const uint8_t *data) {
    uint64_t word;
    memcpy(&word, data, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The ends of a text: its first eight bytes and its last eight, or all of them and 0. They tell most texts apart, and
 * whether a short one is ASCII. `readable` bytes are there: reading beyond the text, up to there, saves a loop. */
struct wire_text_ends {
    uint64_t first;
    uint64_t last;
};

static inline struct wire_text_ends wire_text_ends(const uint8_t *data, size_t size, size_t readable) {
    static const uint64_t MASKS[] = {0x00,
                                     0xFF,
                                     0xFFFF,
                                     0xFFFFFF,
                                     0xFFFFFFFF,
                                     UINT64_C(0xFFFFFFFFFF),
                                     UINT64_C(0xFFFFFFFFFFFF),
                                     UINT64_C(0xFFFFFFFFFFFFFF),
                                     UINT64_MAX};
    if (size > 8) {
        return (struct wire_text_ends){wire_text_word(data), wire_text_word(data + size - 8)};
    }
    if (__builtin_expect(readable >= 8, 1)) {
        return (struct wire_text_ends){wire_text_word(data) & MASKS[size], 0};
    }
    struct wire_text_ends ends = {0, 0};
    for (size_t i = size; i > 0; i--) {
        ends.first = ends.first << 8 | data[i - 1];
    }
    return ends;
}

__extension__ typedef unsigned __int128 wire_wide;

/* The two halves of the product, folded. */
static inline uint64_t wire_fold(uint64_t a, uint64_t b) {
    wire_wide product = (wire_wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Two secrets made from one: both factors of a mark hang on one of them, so that nobody can make a factor that cancels
 * the other. */
struct wire_mark_keys {
    uint64_t first, last;
};

static inline struct wire_mark_keys wire_mark_keys(uint64_t seed) {
    return (struct wire_mark_keys){
        .first = wire_fold(seed ^ UINT64_C(0xA0761D6478BD642F), UINT64_C(0xE7037ED1A0B428DB)),
        .last = wire_fold(seed ^ UINT64_C(0x8EBC6AF09C88C6E3), UINT64_C(0x589965CC75374CC3))};
}

/* What a text longer than sixteen bytes has between its ends: a hash, and a bit for each that was in any of its words.
 * Of others nothing. */
struct wire_text_middle {
    uint64_t hash;
    uint64_t seen;
};

static inline struct wire_text_middle wire_text_middle(const uint8_t *data, size_t size, struct wire_mark_keys keys) {
    struct wire_text_middle middle = {0, 0};
    if (size <= 16) {
        return middle;
    }
    /* The words beside the ends, which overlap where it is short; then those between, if any are left. */
    uint64_t a = wire_text_word(data + 8);
    uint64_t b = wire_text_word(data + size - 16);
    for (size_t i = 16;; i += 16) {
        middle.seen |= a | b;
        middle.hash = wire_fold(a ^ middle.hash ^ keys.first, b ^ keys.last);
        if (i + 16 >= size) {
            return middle;
        }
        a = wire_text_word(data + i);
        b = wire_text_word(data + i + 8);
    }
}

/* Of the whole text. Whoever does not know the seed can make no texts that have the same mark, but 16 bits are few:
 * whoever looks a text up by its mark confirms it, and bounds how many others have the same. */
static inline uint16_t wire_mark(struct wire_text_ends ends, uint64_t middle, size_t size, struct wire_mark_keys keys) {
    return (uint16_t)wire_fold(ends.first ^ keys.first, ends.last ^ keys.last ^ middle ^ size);
}

static inline uint16_t wire_text_mark(struct bytes text, struct wire_mark_keys keys) {
    return wire_mark(wire_text_ends(text.data, text.size, text.size), wire_text_middle(text.data, text.size, keys).hash,
                     text.size, keys);
}

#endif
