/* cursor.c: the form of cursors: hexadecimal digits of the parts below, all integers little-endian.
 *
 *     version 1 | op 1 | order 1 | filter 8 | time 8 | id 8 | name 0..256 | keyed hash 8 */
#include "cursor.h"

#include <assert.h>
#include <xxhash.h>

enum {
    CURSOR_VERSION = 1,
    ORDER_BIT_DESCENDING = 1,
    ORDER_BIT_TIME = 2,
    HASH_SIZE = 8,
    FIXED_SIZE = CURSOR_BYTES_MAX - CURSOR_NAME_SIZE_MAX
};
static_assert(FIXED_SIZE == 1 + 1 + 1 + 8 + 8 + 8 + HASH_SIZE, "the parts add up");

uint64_t cursor_bind(uint64_t filter, struct bytes part) {
    uint64_t seed = bytes_present(part) ? filter + 1 : filter;
    return XXH3_64bits_withSeed(part.size > 0 ? (const void *)part.data : "", part.size, seed);
}

void cursor_set_name(struct cursor *cursor, struct bytes name) {
    cursor->name_size = name.size < CURSOR_NAME_SIZE_MAX ? name.size : CURSOR_NAME_SIZE_MAX;
    if (cursor->name_size > 0) {
        memcpy(cursor->name, name.data, cursor->name_size);
    }
}

static uint8_t *put_u64(uint8_t *to, uint64_t value) {
    for (int i = 0; i < 8; i++) {
        *to++ = (uint8_t)(value >> (8 * i));
    }
    return to;
}

static uint64_t get_u64(const uint8_t *from) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value |= (uint64_t)from[i] << (8 * i);
    }
    return value;
}

static uint8_t order_bits(const struct cursor_scope *scope) {
    return (uint8_t)((scope->descending ? ORDER_BIT_DESCENDING : 0) |
                     (scope->order_by == ORDER_BY_TIME ? ORDER_BIT_TIME : 0));
}

static uint64_t keyed_hash(const uint8_t *data, size_t size, const uint8_t secret[CURSOR_SECRET_SIZE]) {
    uint8_t keyed[CURSOR_SECRET_SIZE + CURSOR_BYTES_MAX];
    memcpy(keyed, secret, CURSOR_SECRET_SIZE);
    memcpy(keyed + CURSOR_SECRET_SIZE, data, size);
    return XXH3_64bits_withSeed(keyed, CURSOR_SECRET_SIZE + size, get_u64(secret));
}

size_t cursor_encode(const struct cursor *cursor, const struct cursor_scope *scope,
                     const uint8_t secret[CURSOR_SECRET_SIZE], char ret_text[CURSOR_TEXT_SIZE_MAX]) {
    static const char DIGITS[] = "0123456789abcdef";
    uint8_t data[CURSOR_BYTES_MAX];
    uint8_t *end = data;
    *end++ = CURSOR_VERSION;
    *end++ = (uint8_t)scope->op;
    *end++ = order_bits(scope);
    end = put_u64(end, scope->filter);
    end = put_u64(end, (uint64_t)cursor->time_us);
    end = put_u64(end, (uint64_t)cursor->id);
    memcpy(end, cursor->name, cursor->name_size);
    end += cursor->name_size;
    end = put_u64(end, keyed_hash(data, (size_t)(end - data), secret));

    size_t size = (size_t)(end - data);
    for (size_t i = 0; i < size; i++) {
        ret_text[2 * i] = DIGITS[data[i] >> 4];
        ret_text[2 * i + 1] = DIGITS[data[i] & 0xF];
    }
    return 2 * size;
}

/* -1: no digit. Upper case is refused: cursor_encode writes none, and one position has one text. */
static int digit_value(uint8_t digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The number of bytes, or 0 when the text is none of ours. */
static size_t digits_decode(struct bytes text, uint8_t ret_data[CURSOR_BYTES_MAX]) {
    if (text.size % 2 != 0 || text.size < 2 * FIXED_SIZE || text.size > CURSOR_TEXT_SIZE_MAX) {
        return 0;
    }
    for (size_t i = 0; i < text.size / 2; i++) {
        int high = digit_value(text.data[2 * i]);
        int low = digit_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return 0;
        }
        ret_data[i] = (uint8_t)(high << 4 | low);
    }
    return text.size / 2;
}

static enum status refuse(struct error *error, const char *why) {
    enum status status = error_set(error, INVALID, "%s; leave the cursor out to begin anew", why);
    error_set_path(error, "/cursor");
    return status;
}

enum status cursor_decode(struct bytes text, const struct cursor_scope *scope, const uint8_t secret[CURSOR_SECRET_SIZE],
                          struct cursor *ret_cursor, struct error *error) {
    uint8_t data[CURSOR_BYTES_MAX];
    size_t size = digits_decode(text, data);
    if (size == 0 || data[0] != CURSOR_VERSION) {
        return refuse(error, "this is not a cursor of this plugin");
    }
    if (get_u64(data + size - HASH_SIZE) != keyed_hash(data, size - HASH_SIZE, secret)) {
        return refuse(error, "the cursor was altered, or is of another store");
    }
    if (data[1] != scope->op) {
        return refuse(error, "the cursor is of another op: give it to the op that it came from");
    }
    if (data[2] != order_bits(scope)) {
        return refuse(error, "the cursor is of another order: repeat the order of the request that it came from");
    }
    if (get_u64(data + 3) != scope->filter) {
        return refuse(error, "the cursor is of another filter: repeat the filter of the request that it came from");
    }
    ret_cursor->time_us = (int64_t)get_u64(data + 11);
    ret_cursor->id = (int64_t)get_u64(data + 19);
    cursor_set_name(ret_cursor, (struct bytes){.data = data + 27, .size = size - FIXED_SIZE});
    return OK;
}
