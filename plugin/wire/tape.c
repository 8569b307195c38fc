/* wire/tape.c: the bounded pass over hostile msgpack: it proves the shape, writes the tape, and notes on the way what
 * would else need a pass of its own: hashes of strings, and what JSON lacks. */
#include "wire/shape.h"

#include <assert.h>
#include <stdlib.h>

static_assert(sizeof(struct wire_item) == 16, "the tape's items are 16 bytes");

enum {
    TAPE_CAPACITY_MIN = 64,
    TAPE_CAPACITY_GUESSED_MAX = 1024, /* before there is anything on it */
    TAPE_BYTES_PER_ITEM = 8,          /* or more, in most inputs */
    NARROW_PAIRS_MAX = 32             /* in maps up to this wide keys are compared */
};

static enum status refuse_head(enum wire_head_result result, const struct wire_head *head, struct bytes input,
                               size_t offset, struct error *error) {
    size_t left = input.size - offset;
    switch (result) {
    case WIRE_HEAD_UNKNOWN:
        return error_set(error, INVALID, "byte 0xc1 at offset %zu of the request is no msgpack", offset);
    case WIRE_HEAD_CLAIMS:
        if (wire_kind_is_container(head->kind)) {
            return error_set(error, INVALID, "%s at offset %zu of the request claims %u %s, but only %zu bytes follow",
                             wire_kind_name(head->kind), offset, head->size,
                             head->kind == WIRE_MAP ? "pairs" : "elements", left - head->header_size);
        }
        return error_set(error, INVALID, "%s at offset %zu of the request claims %u bytes, but only %zu follow",
                         wire_kind_name(head->kind), offset, head->size, left - head->header_size);
    case WIRE_HEAD_OK:
    case WIRE_HEAD_CUT:
        break;
    }
    return error_set(error, INVALID, "the request ends within the value at offset %zu: it was cut at %zu bytes", offset,
                     input.size);
}

/* The tape begins with as many items as such an input mostly has, and doubles, up to the one item per byte that the
 * input can hold. */
static bool tape_grow(struct wire_document *document) {
    uint64_t capacity = 2 * (uint64_t)document->item_capacity;
    if (capacity == 0) {
        capacity = document->input.size / TAPE_BYTES_PER_ITEM;
        capacity = capacity > TAPE_CAPACITY_GUESSED_MAX ? TAPE_CAPACITY_GUESSED_MAX : capacity;
    }
    capacity = capacity < TAPE_CAPACITY_MIN ? TAPE_CAPACITY_MIN : capacity;
    capacity = capacity > document->input.size ? document->input.size : capacity;
    struct wire_item *items = realloc(document->items, (size_t)capacity * sizeof *items);
    if (items == NULL) {
        return false;
    }
    document->items = items;
    document->item_capacity = (uint32_t)capacity;
    return true;
}

static enum status check_size(struct bytes input, const struct wire_limits *limits, struct error *error) {
    uint64_t size_max = limits->size_max < UINT32_MAX ? limits->size_max : UINT32_MAX;
    if (input.data == NULL || input.size == 0) {
        return error_set(error, INVALID, "request is empty: one msgpack map is expected");
    }
    if (input.size > size_max) {
        error_set(error, TOO_LARGE, "request is %zu bytes, request_size_max is %llu: split it", input.size,
                  (unsigned long long)size_max);
        error_add_number(error, "size", input.size > INT64_MAX ? INT64_MAX : (int64_t)input.size);
        error_add_number(error, "limit", (int64_t)size_max);
        return TOO_LARGE;
    }
    return OK;
}

static enum status refuse_depth(uint32_t depth_max, size_t offset, struct error *error) {
    error_set(error, TOO_LARGE, "request is nested deeper than %u at offset %zu: depth_max allows no more", depth_max,
              offset);
    error_add_number(error, "limit", depth_max);
    return TOO_LARGE;
}

/* An array or map whose elements are being read. */
struct level {
    uint64_t marks[4]; /* of a narrow map: a bit for each of the 256 highest bytes of its keys' marks */
    uint32_t item;
    uint32_t left;      /* elements still to come */
    uint32_t is_narrow; /* 1: a narrow map: with an even number of elements to come, a key is next */
    uint32_t lacks;     /* set of enum wire_lack, so far */
};

static inline bool is_ascii(const uint8_t *data, size_t size, struct wire_text_ends ends) {
    uint64_t seen = ends.first | ends.last;
    for (size_t i = 8; i + 8 < size; i += 8) {
        seen |= wire_text_word(data + i);
    }
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

/* Is the last item, a key of the map, the same as one before it? */
static bool is_key_twice(const struct wire_document *document, uint32_t map, uint32_t last) {
    const struct wire_item *items = document->items;
    const uint8_t *data = document->input.data;
    for (uint32_t key = map + 1; key != last; key = items[items[key].next].next) {
        if (items[key].kind == WIRE_STR && items[key].mark == items[last].mark && items[key].size == items[last].size &&
            memcmp(data + items[key].offset + items[key].header_size,
                   data + items[last].offset + items[last].header_size, items[key].size) == 0) {
            return true;
        }
    }
    return false;
}

/* A mark that comes twice is mostly a key that comes twice; it costs a look at all keys before it. */
static inline bool note_key(const struct wire_document *document, struct level *level, uint32_t key, uint16_t mark) {
    uint64_t bit = UINT64_C(1) << (mark >> 8 & 63);
    uint64_t *word = &level->marks[mark >> 14];
    bool is_twice = (*word & bit) != 0 && is_key_twice(document, level->item, key);
    *word |= bit;
    return is_twice;
}

static inline void open_level(struct level *level, uint32_t item, const struct wire_head *head) {
    bool is_map = head->kind == WIRE_MAP;
    bool is_wide = is_map && head->size > NARROW_PAIRS_MAX;
    *level = (struct level){.item = item,
                            .left = (uint32_t)wire_head_children(head),
                            .is_narrow = is_map && !is_wide,
                            .lacks = is_wide ? WIRE_LACKS_KEYS : 0};
}

static inline uint32_t scalar_lacks(const uint8_t *data, enum wire_kind kind) {
    bool is_fine = kind == WIRE_FLOAT ? wire_float_is_finite(data) : kind < WIRE_STR;
    return is_fine ? 0 : WIRE_LACKS_VALUE;
}

static enum status write_tape(struct wire_document *document, uint32_t depth_max, struct error *error) {
    struct bytes input = document->input;
    struct level levels[WIRE_DEPTH_LIMIT + 1];
    struct level *level = levels;
    size_t offset = 0;
    uint32_t count = 0;
    *level = (struct level){.left = 1};
    do {
        struct wire_head head = {0};
        const uint8_t *data = input.data + offset;
        size_t left = input.size - offset;
        enum wire_head_result result = left > 0 ? wire_head_read(data, left, &head) : WIRE_HEAD_CUT;
        if (__builtin_expect(result != WIRE_HEAD_OK, 0)) {
            return refuse_head(result, &head, input, offset, error);
        }
        bool is_container = wire_kind_is_container(head.kind);
        if (__builtin_expect(is_container && level - levels == (ptrdiff_t)depth_max, 0)) {
            return refuse_depth(depth_max, offset, error);
        }
        if (__builtin_expect(count == document->item_capacity, 0) && !tape_grow(document)) {
            return error_set(error, NO_MEMORY, "no memory to read a request of %zu bytes", input.size);
        }
        struct wire_item *item = &document->items[count++];
        *item = (struct wire_item){.offset = (uint32_t)offset,
                                   .size = head.size,
                                   .next = count,
                                   .kind = (uint8_t)head.kind,
                                   .header_size = (uint8_t)head.header_size};
        offset += wire_head_extent(&head);
        bool is_key = (level->is_narrow & ~level->left) != 0;
        level->left--;
        if (head.kind == WIRE_STR) {
            data += head.header_size;
            struct wire_text_ends ends = wire_text_ends(data, head.size, left - head.header_size);
            item->mark = wire_text_mark(ends, head.size);
            if (!is_ascii(data, head.size, ends) && !wire_utf8_valid((struct bytes){data, head.size})) {
                level->lacks |= WIRE_LACKS_TEXT;
            }
            if (is_key && note_key(document, level, count - 1, item->mark)) {
                level->lacks |= WIRE_LACKS_KEYS;
            }
        } else {
            level->lacks |= is_key ? WIRE_LACKS_KEYS : 0;
            if (is_container && head.size > 0) {
                open_level(++level, count - 1, &head);
                continue;
            }
            level->lacks |= is_container ? 0 : scalar_lacks(data, head.kind);
        }
        for (; level->left == 0 && level > levels; level--) {
            document->items[level->item].next = count;
            document->items[level->item].mark = (uint16_t)level->lacks;
            level[-1].lacks |= level->lacks;
        }
    } while (level->left > 0);
    document->item_count = count;
    if (offset < input.size) {
        return error_set(error, INVALID,
                         "%zu bytes follow the end of the request at offset %zu: one msgpack map is "
                         "expected",
                         input.size - offset, offset);
    }
    return OK;
}

enum status wire_document_parse(struct wire_document *document, struct bytes input, const struct wire_limits *limits,
                                struct error *error) {
    enum status status = check_size(input, limits, error);
    if (status != OK) {
        return status;
    }
    bool had_memory = document->items != NULL;
    document->input = input;
    document->item_count = 0;
    status = write_tape(document, limits->depth_max < WIRE_DEPTH_LIMIT ? limits->depth_max : WIRE_DEPTH_LIMIT, error);
    if (status != OK && had_memory) {
        wire_document_reset(document);
    } else if (status != OK) {
        wire_document_done(document);
    }
    return status;
}

void wire_document_reset(struct wire_document *document) {
    if (document->item_capacity > WIRE_DOCUMENT_KEPT) {
        wire_document_done(document);
    }
    document->input = (struct bytes){0};
    document->item_count = 0;
}

void wire_document_done(struct wire_document *document) {
    free(document->items);
    *document = (struct wire_document){0};
}
