/* error_map.c: just enough msgpack for error maps, so that the core of a host needs no library for it. */
#include "host/error_map.h"

#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE_MAX = 384, DEPTH_MAX = 16 };

#define STATUS_ROW(name, number, retryable, meaning) {number, retryable, #name},
static const struct {
    int32_t number;
    bool retryable;
    const char *name;
} STATUSES[] = {POLARIS_ES_STATUSES(STATUS_ROW)};
#undef STATUS_ROW

const char *status_text(int32_t status) {
    for (size_t i = 0; i < sizeof STATUSES / sizeof STATUSES[0]; i++) {
        if (STATUSES[i].number == status) {
            return STATUSES[i].name;
        }
    }
    return "UNKNOWN";
}

static bool is_retryable(int32_t status) {
    return status >= 0 && status < POLARIS_ES_STATUS_COUNT && STATUSES[status].retryable;
}

/* ---- writing ---- */

static uint8_t *put_text(uint8_t *at, const char *text, size_t size) {
    if (size < 32) {
        *at++ = (uint8_t)(0xa0U | size);
    } else {
        *at++ = 0xda;
        *at++ = (uint8_t)(size >> 8);
        *at++ = (uint8_t)(size & 0xffU);
    }
    memcpy(at, text, size);
    return at + size;
}

size_t error_map_write(uint8_t ret_map[ERROR_MAP_SIZE_MAX], int32_t status, const char *message) {
    const char *name = status_text(status);
    size_t message_size = strnlen(message, MESSAGE_SIZE_MAX);
    if (message_size == MESSAGE_SIZE_MAX) {
        while (message_size > 0 && ((uint8_t)message[message_size] & 0xc0U) == 0x80U) {
            message_size--; /* never within a character */
        }
    }
    uint8_t *at = ret_map;
    *at++ = 0x85;
    at = put_text(at, "code", 4);
    *at++ = (uint8_t)(status & 0x7f); /* statuses are small: a positive fixint each */
    at = put_text(at, "name", 4);
    at = put_text(at, name, strlen(name));
    at = put_text(at, "message", 7);
    at = put_text(at, message, message_size);
    at = put_text(at, "retryable", 9);
    *at++ = is_retryable(status) ? 0xc3 : 0xc2;
    at = put_text(at, "details", 7);
    *at++ = 0x80;
    return (size_t)(at - ret_map);
}

/* ---- reading ---- */

struct reader {
    const uint8_t *at, *end;
};

static bool take(struct reader *reader, size_t size, uint64_t *ret_number) {
    if ((size_t)(reader->end - reader->at) < size) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | *reader->at++;
    }
    *ret_number = number;
    return true;
}

static bool skip_bytes(struct reader *reader, uint64_t size) {
    if ((uint64_t)(reader->end - reader->at) < size) {
        return false;
    }
    reader->at += size;
    return true;
}

/* What follows the first byte of a value: bytes to skip, and values within. */
static bool read_head(struct reader *reader, uint64_t *ret_bytes, uint64_t *ret_values) {
    /* For 0xc0 to 0xdf: how many bytes hold the length, what is added to it, and how many values each count stands for
     * (0: the length is in bytes). */
    static const struct {
        uint8_t length_size, extra, values;
    } FORMS[32] = {
        [0x04] = {1, 0, 0},  [0x05] = {2, 0, 0}, [0x06] = {4, 0, 0},                     /* bin */
        [0x07] = {1, 1, 0},  [0x08] = {2, 1, 0}, [0x09] = {4, 1, 0},                     /* ext */
        [0x0a] = {0, 4, 0},  [0x0b] = {0, 8, 0},                                         /* float */
        [0x0c] = {0, 1, 0},  [0x0d] = {0, 2, 0}, [0x0e] = {0, 4, 0}, [0x0f] = {0, 8, 0}, /* uint */
        [0x10] = {0, 1, 0},  [0x11] = {0, 2, 0}, [0x12] = {0, 4, 0}, [0x13] = {0, 8, 0}, /* int */
        [0x14] = {0, 2, 0},  [0x15] = {0, 3, 0}, [0x16] = {0, 5, 0}, [0x17] = {0, 9, 0}, /* fixext */
        [0x18] = {0, 17, 0},                                                             /* fixext 16 */
        [0x19] = {1, 0, 0},  [0x1a] = {2, 0, 0}, [0x1b] = {4, 0, 0},                     /* str */
        [0x1c] = {2, 0, 1},  [0x1d] = {4, 0, 1},                                         /* array */
        [0x1e] = {2, 0, 2},  [0x1f] = {4, 0, 2},                                         /* map */
    };
    uint64_t first = 0;
    if (!take(reader, 1, &first)) {
        return false;
    }
    *ret_bytes = 0;
    *ret_values = 0;
    if (first < 0x80 || first >= 0xe0) {
        return true; /* fixint */
    }
    if (first < 0x90) {
        *ret_values = 2 * (first & 0x0fU);
    } else if (first < 0xa0) {
        *ret_values = first & 0x0fU;
    } else if (first < 0xc0) {
        *ret_bytes = first & 0x1fU;
    } else {
        uint64_t length = 0;
        if (!take(reader, FORMS[first - 0xc0].length_size, &length)) {
            return false;
        }
        *ret_values = length * FORMS[first - 0xc0].values;
        *ret_bytes = (FORMS[first - 0xc0].values == 0 ? length : 0) + FORMS[first - 0xc0].extra;
    }
    return true;
}

static bool skip_value(struct reader *reader, int depth_left) { /* NOLINT(misc-no-recursion): bounded by depth_left */
    uint64_t bytes = 0;
    uint64_t values = 0;
    if (depth_left == 0 || !read_head(reader, &bytes, &values) || !skip_bytes(reader, bytes)) {
        return false;
    }
    for (uint64_t i = 0; i < values; i++) {
        if (!skip_value(reader, depth_left - 1)) {
            return false; /* at the latest when the bytes end, whatever the header claimed */
        }
    }
    return true;
}

static bool read_text(struct reader *reader, const char **ret_text, size_t *ret_size) {
    if (reader->at == reader->end) {
        return false;
    }
    uint8_t first = *reader->at;
    bool is_text = (first >= 0xa0 && first < 0xc0) || (first >= 0xd9 && first <= 0xdb);
    uint64_t bytes = 0;
    uint64_t values = 0;
    const struct reader before = *reader;
    if (!is_text || !read_head(reader, &bytes, &values)) {
        *reader = before;
        return false;
    }
    const uint8_t *text = reader->at;
    if (!skip_bytes(reader, bytes)) {
        *reader = before;
        return false;
    }
    *ret_text = (const char *)text;
    *ret_size = (size_t)bytes;
    return true;
}

bool error_map_message(const uint8_t *map, size_t size, char *ret_message, size_t capacity) {
    struct reader reader = {.at = map, .end = map + size};
    if (size == 0 || !((*map >= 0x80 && *map < 0x90) || *map == 0xde || *map == 0xdf)) {
        return false;
    }
    uint64_t bytes = 0;
    uint64_t values = 0;
    if (!read_head(&reader, &bytes, &values)) {
        return false;
    }
    for (uint64_t i = 0; i < values / 2; i++) {
        const char *text = NULL;
        size_t text_size = 0;
        bool found = read_text(&reader, &text, &text_size) && text_size == 7 && memcmp(text, "message", 7) == 0;
        if (found && read_text(&reader, &text, &text_size)) {
            (void)snprintf(ret_message, capacity, "%.*s", (int)(text_size < capacity ? text_size : capacity), text);
            return true;
        }
        if ((text == NULL && !skip_value(&reader, DEPTH_MAX)) || !skip_value(&reader, DEPTH_MAX)) {
            return false;
        }
    }
    return false;
}
