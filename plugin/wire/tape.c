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

static enum status refuse_depth(uint32_t depth_max, size_t offset, struct error *error) {
    error_set(error, TOO_LARGE, "request is nested deeper than %u at offset %zu: depth_max allows no more", depth_max,
              offset);
    error_add_number(error, "limit", depth_max);
    return TOO_LARGE;
}

/* What the pass did not take, told from its header. */
static enum status refuse_value(struct bytes input, size_t offset, uint32_t depth_max, struct error *error) {
    size_t left = input.size - offset;
    struct wire_head value = {0};
    const struct wire_head *head = &value;
    enum wire_head_result result = left > 0 ? wire_head_read(input.data + offset, left, &value) : WIRE_HEAD_CUT;
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
        return refuse_depth(depth_max, offset, error);
    case WIRE_HEAD_CUT:
        break;
    }
    return error_set(error, INVALID, "the request ends within the value at offset %zu: it was cut at %zu bytes", offset,
                     input.size);
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

/* An array or map whose elements are being read. */
struct level {
    uint64_t marks[4]; /* of a narrow map: a bit for each of the 256 highest bytes of its keys' marks */
    uint32_t item;
    uint32_t left;      /* elements still to come, while it waits for one with elements of its own */
    uint32_t is_narrow; /* 1: a narrow map: with an odd number of elements to come after it, a value is a key */
    uint32_t lacks;     /* set of enum wire_lack, so far */
};

/* Where the pass is. Apart from the document, so that it can be in registers. */
struct pass {
    const uint8_t *at, *end; /* at the value that is read, or was not taken */
    const uint8_t *begin;
    struct wire_item *item; /* the next one to write */
    struct wire_item *full; /* the memory's end */
    struct level *level;
    const struct level *deepest; /* allowed */
    uint32_t count;
    uint32_t left; /* of the level */
    struct wire_mark_keys keys;
};

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

ALWAYS_INLINE bool is_ascii(struct wire_text_ends ends, struct wire_text_middle middle) {
    return ((ends.first | ends.last | middle.seen) & UINT64_C(0x8080808080808080)) == 0;
}

/* Is the key the same as one of the map before it? */
static bool is_key_twice(const struct wire_document *document, uint32_t map, const struct wire_item *last) {
    const struct wire_item *items = document->items;
    const uint8_t *data = document->input.data;
    for (uint32_t key = map + 1; &items[key] != last; key = items[items[key].next].next) {
        if (items[key].kind == WIRE_STR && items[key].mark == last->mark && items[key].size == last->size &&
            memcmp(data + items[key].offset + items[key].header_size, data + last->offset + last->header_size,
                   last->size) == 0) {
            return true;
        }
    }
    return false;
}

/* Is the value, which was taken off what is left of the level, a key of a narrow map? */
ALWAYS_INLINE bool is_key(const struct pass *pass) {
    return (pass->level->is_narrow & pass->left) != 0;
}

/* A mark that comes twice is mostly a key that comes twice; it costs a look at all keys before it. */
ALWAYS_INLINE void note_key(const struct wire_document *document, struct level *level, const struct wire_item *key,
                            uint32_t mark) {
    uint64_t bit = UINT64_C(1) << (mark >> 8 & 63);
    uint64_t *word = &level->marks[mark >> 14];
    if (__builtin_expect((*word & bit) != 0, 0) && is_key_twice(document, level->item, key)) {
        level->lacks |= WIRE_LACKS_KEYS;
    }
    *word |= bit;
}

/* The levels that end with the last value. True: the outermost one as well. */
ALWAYS_INLINE bool close_levels(struct wire_item *items, struct pass *pass, const struct level *outermost) {
    do {
        const struct level *level = pass->level;
        if (level == outermost) {
            return true;
        }
        items[level->item].next = pass->count;
        items[level->item].mark = (uint16_t)level->lacks;
        pass->level--;
        pass->level->lacks |= level->lacks;
        pass->left = pass->level->left;
    } while (pass->left == 0);
    return false;
}

/* The three kinds of values: a string of `size` bytes, what has neither elements nor a payload, and the rest. `data`:
 * behind the header, which may be cut. False: the bytes end before the value does, or it is too deep. */
ALWAYS_INLINE bool take_string(const struct wire_document *document, struct pass *pass, const uint8_t *data,
                               uint32_t size) {
    ptrdiff_t room = pass->end - data;
    if ((ptrdiff_t)size > room) {
        return false;
    }
    struct wire_text_ends ends = wire_text_ends(data, size, (size_t)room);
    struct wire_text_middle middle = wire_text_middle(data, size, pass->keys);
    uint16_t mark = wire_mark(ends, middle.hash, size, pass->keys);
    pass->item->mark = mark;
    if (!is_ascii(ends, middle) && !wire_utf8_valid((struct bytes){data, size})) {
        pass->level->lacks |= WIRE_LACKS_TEXT;
    }
    if (is_key(pass)) {
        note_key(document, pass->level, pass->item, mark);
    }
    pass->at = data + size;
    return true;
}

ALWAYS_INLINE bool take_scalar(struct pass *pass, const uint8_t *data) {
    struct wire_item *item = pass->item;
    if (data > pass->end) {
        return false;
    }
    if (item->kind == WIRE_FLOAT && !wire_float_is_finite(pass->at)) {
        pass->level->lacks |= WIRE_LACKS_VALUE;
    } else if (item->kind == WIRE_UINT && !wire_uint_is_large(pass->at)) {
        item->kind = WIRE_INT;
    }
    pass->at = data;
    return true;
}

ALWAYS_INLINE bool take_other(struct pass *pass, const uint8_t *data, uint32_t size) {
    bool is_map = pass->item->kind == WIRE_MAP;
    int64_t needed = is_map ? 2 * (int64_t)size : size;
    if (needed > pass->end - data) {
        return false;
    }
    if (!wire_kind_is_container((enum wire_kind)pass->item->kind)) {
        pass->level->lacks |= WIRE_LACKS_VALUE;
        pass->at = data + size;
        return true;
    }
    if (pass->level == pass->deepest) {
        return false;
    }
    pass->at = data;
    if (size > 0) {
        bool is_wide = is_map && size > NARROW_PAIRS_MAX;
        pass->level->left = pass->left;
        pass->left = (uint32_t)needed;
        *++pass->level = (struct level){
            .item = pass->count, .is_narrow = is_map && !is_wide, .lacks = is_wide ? WIRE_LACKS_KEYS : 0};
    }
    return true;
}

ALWAYS_INLINE void put_item(const struct pass *pass, enum wire_kind kind, uint32_t header_size, uint32_t size) {
    pass->item->offset = (uint32_t)(pass->at - pass->begin);
    pass->item->size = size;
    pass->item->next = pass->count + 1;
    pass->item->kind = (uint8_t)kind;
    pass->item->header_size = (uint8_t)header_size;
    pass->item->mark = 0;
}

/* The forms that most values have, each of one length. Where the next value begins is then known without waiting for
 * this one's bytes to have been looked up, if only the branches were foreseen: what the pass takes is such waiting. */
enum { FIXED_STR = 0xA0, FIXED_STR_MASK = 0xE0, POSITIVE_MAX = 0x7F, NEGATIVE_MIN = 0xE0, DOUBLE = 0xCB };

/* One value, or the header of one with elements, of which a byte is there. False: it is to be refused. */
ALWAYS_INLINE bool take_value(const struct wire_document *document, struct pass *pass) {
    uint8_t first = *pass->at;
    if ((first & FIXED_STR_MASK) == FIXED_STR) {
        uint32_t size = first - (uint32_t)FIXED_STR;
        pass->left--;
        put_item(pass, WIRE_STR, 1, size);
        return take_string(document, pass, pass->at + 1, size);
    }
    const struct wire_form *form = &WIRE_FORMS[first];
    enum wire_kind kind = (enum wire_kind)form->kind;
    const uint8_t *data = pass->at + form->header_size;
    uint32_t size = form->fixed;
    if (form->length_bytes != 0 && (data > pass->end || !wire_length_read(pass->at, form, &size))) {
        return false;
    }
    pass->left--;
    put_item(pass, kind, form->header_size, size);
    if (kind == WIRE_STR) {
        return take_string(document, pass, data, size);
    }
    if (is_key(pass)) {
        pass->level->lacks |= WIRE_LACKS_KEYS;
    }
    if (first == DOUBLE) {
        return take_scalar(pass, pass->at + 9);
    }
    if (first <= POSITIVE_MAX || first >= NEGATIVE_MIN) {
        return take_scalar(pass, pass->at + 1);
    }
    return kind < WIRE_STR ? take_scalar(pass, data) : take_other(pass, data, size);
}

static enum status write_tape(struct wire_document *document, uint32_t depth_max, struct error *error) {
    struct bytes input = document->input;
    struct level levels[WIRE_DEPTH_LIMIT + 1];
    struct pass pass = {
        .at = input.data, .begin = input.data, .end = input.data + input.size, .level = levels, .left = 1};
    pass.deepest = levels + depth_max;
    pass.keys = wire_mark_keys(document->seed);
    pass.item = document->items;
    pass.full = document->items != NULL ? document->items + document->item_capacity : NULL;
    levels[0] = (struct level){0};
    for (;;) {
        bool is_there = pass.at < pass.end;
        if (is_there && pass.item == pass.full) {
            if (!tape_grow(document)) {
                return error_set(error, NO_MEMORY, "no memory to read a request of %zu bytes", input.size);
            }
            pass.item = document->items + pass.count;
            pass.full = document->items + document->item_capacity;
        }
        if (!is_there || !take_value(document, &pass)) {
            return refuse_value(input, (size_t)(pass.at - pass.begin), depth_max, error);
        }
        pass.item++;
        pass.count++;
        if (pass.left == 0 && close_levels(document->items, &pass, levels)) {
            break;
        }
    }
    document->item_count = pass.count;
    if (pass.at < pass.end) {
        return error_set(error, INVALID,
                         "%zu bytes follow the end of the request at offset %zu: one msgpack map is "
                         "expected",
                         (size_t)(pass.end - pass.at), (size_t)(pass.at - input.data));
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
    document->seed = limits->seed;
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
