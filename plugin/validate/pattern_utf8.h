/* pattern_utf8.h: code points out of UTF-8 and back; nothing malformed gets through. */
#ifndef POLARIS_PLUGIN_VALIDATE_PATTERN_UTF8_H
#define POLARIS_PLUGIN_VALIDATE_PATTERN_UTF8_H

#include "bytes.h"

enum { CODE_POINT_MAX = 0x10FFFF, SURROGATE_FIRST = 0xD800, SURROGATE_LAST = 0xDFFF };

/* The code point at `at` and its size in bytes; 0 if there is none (RFC 3629: no surrogates, no overlong forms). */
static inline uint32_t utf8_decode(const uint8_t *at, const uint8_t *end, uint32_t *ret_code_point) {
    size_t left = (size_t)(end - at);
    if (left == 0) {
        return 0;
    }
    uint32_t first = at[0];
    if (first < 0x80) {
        *ret_code_point = first;
        return 1;
    }
    if (first >= 0xC2 && first < 0xE0 && left >= 2 && (at[1] & 0xC0) == 0x80) {
        *ret_code_point = (first & 0x1F) << 6 | (at[1] & 0x3FU);
        return 2;
    }
    if ((first & 0xF0) == 0xE0 && left >= 3 && (at[1] & 0xC0) == 0x80 && (at[2] & 0xC0) == 0x80) {
        uint32_t code_point = (first & 0x0F) << 12 | (at[1] & 0x3FU) << 6 | (at[2] & 0x3FU);
        if (code_point >= 0x800 && (code_point < SURROGATE_FIRST || code_point > SURROGATE_LAST)) {
            *ret_code_point = code_point;
            return 3;
        }
        return 0;
    }
    if ((first & 0xF8) == 0xF0 && left >= 4 && (at[1] & 0xC0) == 0x80 && (at[2] & 0xC0) == 0x80 &&
        (at[3] & 0xC0) == 0x80) {
        uint32_t code_point = (first & 0x07) << 18 | (at[1] & 0x3FU) << 12 | (at[2] & 0x3FU) << 6 | (at[3] & 0x3FU);
        if (code_point >= 0x10000 && code_point <= CODE_POINT_MAX) {
            *ret_code_point = code_point;
            return 4;
        }
    }
    return 0;
}

/* Writes a code point that is no surrogate; returns its size, at most 4. */
static inline uint32_t utf8_encode(uint32_t code_point, uint8_t *target) {
    if (code_point < 0x80) {
        target[0] = (uint8_t)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        target[0] = (uint8_t)(0xC0 | code_point >> 6);
        target[1] = (uint8_t)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        target[0] = (uint8_t)(0xE0 | code_point >> 12);
        target[1] = (uint8_t)(0x80 | (code_point >> 6 & 0x3F));
        target[2] = (uint8_t)(0x80 | (code_point & 0x3F));
        return 3;
    }
    target[0] = (uint8_t)(0xF0 | code_point >> 18);
    target[1] = (uint8_t)(0x80 | (code_point >> 12 & 0x3F));
    target[2] = (uint8_t)(0x80 | (code_point >> 6 & 0x3F));
    target[3] = (uint8_t)(0x80 | (code_point & 0x3F));
    return 4;
}

/* The offset of the first byte that is not UTF-8; text.size if there is none. */
static inline size_t utf8_span(struct bytes text) {
    size_t at = 0;
    while (at < text.size) {
        uint64_t word;
        if (text.size - at >= sizeof(word)) {
            memcpy(&word, text.data + at, sizeof(word));
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof(word);
                continue;
            }
        }
        uint32_t code_point;
        uint32_t size = utf8_decode(text.data + at, text.data + text.size, &code_point);
        if (size == 0) {
            return at;
        }
        at += size;
    }
    return at;
}

#endif
