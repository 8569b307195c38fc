/* cursor.h: where a page ended, as opaque text that a host hands back to go on.
 *
 * A cursor is bound to what it was made for (the op, the order, the filter) and carries a keyed hash, so that one that
 * was altered, or made for another query, is refused. The key is kept in the store: a cursor is good under any build.
 */
#ifndef POLARIS_PLUGIN_CURSOR_H
#define POLARIS_PLUGIN_CURSOR_H

#include "error.h"
#include "event.h"

enum cursor_op {
    CURSOR_EVENTS = 1,
    CURSOR_STREAMS,
    CURSOR_TAGS,
    CURSOR_BATCHES,
    CURSOR_DEAD_LETTERS,
    CURSOR_SCHEMAS,
    CURSOR_REJECTED
};

enum {
    CURSOR_SECRET_SIZE = 32,
    CURSOR_NAME_SIZE_MAX = 256,
    CURSOR_BYTES_MAX = 35 + CURSOR_NAME_SIZE_MAX, /* cursor.c lists the parts */
    CURSOR_TEXT_SIZE_MAX = 2 * CURSOR_BYTES_MAX
};

/* What a cursor is good for. */
struct cursor_scope {
    enum cursor_op op;
    enum event_order order_by;
    bool descending;
    uint64_t filter; /* made by cursor_bind; 0: no filter */
};

/* The last entry that was given: an event's place, an id, or a name, as the op goes by. */
struct cursor {
    int64_t time_us;
    int64_t id;
    size_t name_size;
    uint8_t name[CURSOR_NAME_SIZE_MAX];
};

/* Adds one part of a filter to what a cursor is bound to. An absent part is not the same as an empty one. */
uint64_t cursor_bind(uint64_t filter, struct bytes part);

/* Names have at most CURSOR_NAME_SIZE_MAX bytes; what a damaged file has beyond is cut. */
void cursor_set_name(struct cursor *cursor, struct bytes name);
static inline struct bytes cursor_name(const struct cursor *cursor) {
    return (struct bytes){.data = cursor->name, .size = cursor->name_size};
}

/* Writes URL-safe text and returns its size; no NUL is added. */
size_t cursor_encode(const struct cursor *cursor, const struct cursor_scope *scope,
                     const uint8_t secret[CURSOR_SECRET_SIZE], char ret_text[CURSOR_TEXT_SIZE_MAX]);

/* INVALID says what is wrong and what to do; the path is /cursor. */
WARN_UNUSED enum status cursor_decode(struct bytes text, const struct cursor_scope *scope,
                                      const uint8_t secret[CURSOR_SECRET_SIZE], struct cursor *ret_cursor,
                                      struct error *error);

#endif
