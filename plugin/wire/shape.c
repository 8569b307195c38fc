/* wire/shape.c: what the first byte of a msgpack value says. */
#include "wire/shape.h"

#define SIXTEEN(kind, first)                                                                                           \
    {kind, 1, 0, first}, {kind, 1, 0, first + 1}, {kind, 1, 0, first + 2}, {kind, 1, 0, first + 3},                    \
        {kind, 1, 0, first + 4}, {kind, 1, 0, first + 5}, {kind, 1, 0, first + 6}, {kind, 1, 0, first + 7},            \
        {kind, 1, 0, first + 8}, {kind, 1, 0, first + 9}, {kind, 1, 0, first + 10}, {kind, 1, 0, first + 11},          \
        {kind, 1, 0, first + 12}, {kind, 1, 0, first + 13}, {kind, 1, 0, first + 14}, {                                \
        kind, 1, 0, first + 15                                                                                         \
    }
#define ONE                                                                                                            \
    { WIRE_INT, 1, 0, 0 }
#define SIXTEEN_NUMBERS ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE, ONE

const struct wire_form WIRE_FORMS[256] = {
    /* 0x00 */ SIXTEEN_NUMBERS,
    SIXTEEN_NUMBERS,
    SIXTEEN_NUMBERS,
    SIXTEEN_NUMBERS,
    SIXTEEN_NUMBERS,
    SIXTEEN_NUMBERS,
    SIXTEEN_NUMBERS,
    SIXTEEN_NUMBERS,
    /* 0x80 */ SIXTEEN(WIRE_MAP, 0),
    /* 0x90 */ SIXTEEN(WIRE_ARRAY, 0),
    /* 0xA0 */ SIXTEEN(WIRE_STR, 0),
    SIXTEEN(WIRE_STR, 16),
    /* 0xC0 */ {WIRE_NIL, 1, 0, 0},
    {WIRE_NIL, 1, WIRE_FORM_UNKNOWN, 0},
    {WIRE_BOOL, 1, 0, 0},
    {WIRE_BOOL, 1, 0, 0},
    {WIRE_BIN, 2, 1, 0},
    {WIRE_BIN, 3, 2, 0},
    {WIRE_BIN, 5, 4, 0},
    /* 0xC7 */ {WIRE_EXT, 3, 1, 0},
    {WIRE_EXT, 4, 2, 0},
    {WIRE_EXT, 6, 4, 0},
    /* 0xCA */ {WIRE_FLOAT, 5, 0, 0},
    {WIRE_FLOAT, 9, 0, 0},
    /* 0xCC */ {WIRE_INT, 2, 0, 0},
    {WIRE_INT, 3, 0, 0},
    {WIRE_INT, 5, 0, 0},
    {WIRE_UINT, 9, 0, 0},
    /* 0xD0 */ {WIRE_INT, 2, 0, 0},
    {WIRE_INT, 3, 0, 0},
    {WIRE_INT, 5, 0, 0},
    {WIRE_INT, 9, 0, 0},
    /* 0xD4 */ {WIRE_EXT, 2, 0, 1},
    {WIRE_EXT, 2, 0, 2},
    {WIRE_EXT, 2, 0, 4},
    {WIRE_EXT, 2, 0, 8},
    {WIRE_EXT, 2, 0, 16},
    /* 0xD9 */ {WIRE_STR, 2, 1, 0},
    {WIRE_STR, 3, 2, 0},
    {WIRE_STR, 5, 4, 0},
    /* 0xDC */ {WIRE_ARRAY, 3, 2, 0},
    {WIRE_ARRAY, 5, 4, 0},
    /* 0xDE */ {WIRE_MAP, 3, 2, 0},
    {WIRE_MAP, 5, 4, 0},
    /* 0xE0 */ SIXTEEN_NUMBERS,
    SIXTEEN_NUMBERS,
};

enum wire_head_result wire_head_read(const uint8_t *data, size_t left, struct wire_head *ret_head) {
    const struct wire_form *form = &WIRE_FORMS[data[0]];
    uint32_t size = form->fixed;
    if (left < form->header_size) {
        return WIRE_HEAD_CUT;
    }
    if (form->length_bytes != 0 && !wire_length_read(data, form, &size)) {
        return WIRE_HEAD_UNKNOWN;
    }
    ret_head->kind = (enum wire_kind)form->kind;
    if (form->kind == WIRE_UINT && !wire_uint_is_large(data)) {
        ret_head->kind = WIRE_INT;
    }
    ret_head->header_size = form->header_size;
    ret_head->size = size;
    uint64_t needed = form->kind == WIRE_MAP ? 2 * (uint64_t)size : size;
    return needed > left - form->header_size ? WIRE_HEAD_CLAIMS : WIRE_HEAD_OK;
}

size_t wire_skip(const uint8_t *data, size_t left) {
    size_t offset = 0;
    uint64_t pending = 1;
    while (pending > 0) {
        struct wire_head head;
        /* Each pending value takes a byte at least, so `pending` cannot grow beyond the bytes left. */
        if (pending > left - offset || wire_head_read(data + offset, left - offset, &head) != WIRE_HEAD_OK) {
            return 0;
        }
        offset += wire_head_extent(&head);
        pending += wire_head_children(&head) - 1;
    }
    return offset;
}
