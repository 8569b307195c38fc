/* value.c: hashes and equality of values, on explicit stacks as deep as a tape can nest. */
#include "validate/value.h"

#include "validate/hash.h"
#include "wire/shape.h"

#include <math.h>

enum { LINEAR_PAIRS_MAX = 16 }; /* in maps up to this wide a key is searched from pair to pair */

unsigned value_types(struct wire_value value) {
    static const uint8_t TYPES[] = {
        [WIRE_NIL] = TYPE_NULL,
        [WIRE_BOOL] = TYPE_BOOLEAN,
        [WIRE_INT] = TYPE_INTEGER | TYPE_NUMBER,
        [WIRE_UINT] = TYPE_INTEGER | TYPE_NUMBER,
        [WIRE_FLOAT] = TYPE_NUMBER,
        [WIRE_STR] = TYPE_STRING,
        [WIRE_BIN] = 0,
        [WIRE_EXT] = 0,
        [WIRE_ARRAY] = TYPE_ARRAY,
        [WIRE_MAP] = TYPE_OBJECT,
    };
    enum wire_kind kind = wire_value_kind(value);
    if (kind == WIRE_FLOAT && double_is_integer(wire_value_float(value))) {
        return TYPE_INTEGER | TYPE_NUMBER;
    }
    return TYPES[kind];
}

const char *value_type_name(struct wire_value value) {
    switch (wire_value_kind(value)) {
    case WIRE_NIL:
        return "null";
    case WIRE_BOOL:
        return "boolean";
    case WIRE_INT:
    case WIRE_UINT:
        return "integer";
    case WIRE_FLOAT:
        return double_is_integer(wire_value_float(value)) ? "integer" : "number";
    case WIRE_STR:
        return "string";
    case WIRE_BIN:
        return "binary data";
    case WIRE_EXT:
        return "an extension value";
    case WIRE_ARRAY:
        return "array";
    case WIRE_MAP:
        return "object";
    }
    return "no value";
}

size_t text_length(struct bytes text) {
    size_t continuations = 0;
    size_t i = 0;
    for (; i + 8 <= text.size; i += 8) {
        uint64_t word = hash_load(text.data + i, 8);
        /* Bit 7 of each byte that is 10xxxxxx. */
        uint64_t found = word & ~(word << 1) & UINT64_C(0x8080808080808080);
        continuations += (size_t)__builtin_popcountll(found);
    }
    for (; i < text.size; i++) {
        continuations += (text.data[i] & 0xC0) == 0x80;
    }
    return text.size - continuations;
}

static uint64_t scalar_hash(struct wire_value value, uint64_t seed) {
    enum wire_kind kind = wire_value_kind(value);
    switch (kind) {
    case WIRE_INT:
    case WIRE_UINT:
    case WIRE_FLOAT:
        return hash_number(number_hash(number_of(value)), seed);
    case WIRE_BOOL:
        return hash_number(wire_value_bool(value), seed + WIRE_BOOL);
    case WIRE_STR:
    case WIRE_BIN:
        return hash_bytes(value_text(value), seed + kind);
    case WIRE_EXT:
        return hash_bytes(value_text(value), seed + kind + ((uint64_t)(uint8_t)wire_value_ext_type(value) << 8));
    case WIRE_NIL:
    case WIRE_ARRAY:
    case WIRE_MAP:
        break;
    }
    return hash_number(kind, seed + 16);
}

/* A container whose elements are being hashed. */
struct hash_frame {
    uint64_t sum;
    uint64_t key; /* of the pair that is open */
    uint32_t left;
    bool is_map;
    bool has_key;
};

static void hash_add(struct hash_frame *frame, uint64_t hash) {
    if (!frame->is_map) {
        frame->sum = hash_mix(frame->sum ^ hash, UINT64_C(0x9FB21C651E98DF25)) + 1;
    } else if (!frame->has_key) {
        frame->key = hash;
        frame->has_key = true;
    } else {
        frame->sum += hash_mix(frame->key ^ UINT64_C(0x2545F4914F6CDD1D), hash); /* the same in any order */
        frame->has_key = false;
    }
    frame->left--;
}

static uint64_t container_hash(struct wire_value value, uint64_t seed) {
    struct hash_frame frames[WIRE_DEPTH_LIMIT + 1];
    uint32_t depth = 0;
    uint32_t end = value_item(value)->next;
    uint64_t hash = 0;
    for (; value.index < end; value.index++) {
        const struct wire_item *item = value_item(value);
        hash = scalar_hash(value, seed);
        if (wire_kind_is_container((enum wire_kind)item->kind)) {
            bool is_map = item->kind == WIRE_MAP;
            frames[depth++] = (struct hash_frame){
                .sum = hash + item->size, .left = is_map ? 2 * item->size : item->size, .is_map = is_map};
        } else if (depth > 0) {
            hash_add(&frames[depth - 1], hash);
        }
        while (depth > 0 && frames[depth - 1].left == 0) {
            hash = hash_number(frames[--depth].sum, seed);
            if (depth > 0) {
                hash_add(&frames[depth - 1], hash);
            }
        }
    }
    return hash;
}

uint64_t value_hash(struct wire_value value, uint64_t seed) {
    return wire_kind_is_container(wire_value_kind(value)) ? container_hash(value, seed) : scalar_hash(value, seed);
}

struct wire_value value_member(struct wire_value map, struct bytes name) {
    const struct wire_item *items = map.document->items;
    struct wire_value key = {map.document, map.index + 1};
    for (uint32_t left = items[map.index].size; left > 0; left--) {
        uint32_t member = items[key.index].next;
        if (items[key.index].kind == WIRE_STR && bytes_equal(value_text(key), name)) {
            return (struct wire_value){map.document, member};
        }
        key.index = items[member].next;
    }
    return (struct wire_value){map.document, WORK_NONE};
}

static bool scalar_equal(struct wire_value a, struct wire_value b) {
    enum wire_kind kind = wire_value_kind(a);
    if (kind_is_number(kind)) {
        return kind_is_number(wire_value_kind(b)) && number_compare(number_of(a), number_of(b)) == 0;
    }
    if (kind != wire_value_kind(b)) {
        return false;
    }
    switch (kind) {
    case WIRE_BOOL:
        return wire_value_bool(a) == wire_value_bool(b);
    case WIRE_STR:
    case WIRE_BIN:
        return bytes_equal(value_text(a), value_text(b));
    case WIRE_EXT:
        return wire_value_ext_type(a) == wire_value_ext_type(b) && bytes_equal(value_text(a), value_text(b));
    case WIRE_NIL:
    case WIRE_INT:
    case WIRE_UINT:
    case WIRE_FLOAT:
    case WIRE_ARRAY:
    case WIRE_MAP:
        break;
    }
    return value_item(a)->size == value_item(b)->size;
}

/* Two containers whose elements are being compared. */
struct equal_frame {
    uint32_t a;     /* the next element, or key, of the one */
    uint32_t b;     /* the next element of the other array; of a map: where the search for a key begins */
    uint32_t map_b; /* the other container */
    uint32_t left;
    uint32_t mark;  /* scratch memory to go back to */
    uint32_t index; /* a table of the other map's keys in scratch memory, or WORK_NONE */
    uint32_t mask;
    bool is_map;
};

/* The keys of a wide map, by hash: so that equality stays linear when the two are in different orders. */
static bool index_keys(struct equal_frame *frame, const struct wire_document *b, struct work *work) {
    uint32_t pairs = b->items[frame->map_b].size;
    uint64_t capacity = 32;
    while (capacity < 2 * (uint64_t)pairs) {
        capacity *= 2;
    }
    frame->index = work_reserve(work, capacity * sizeof(uint32_t));
    if (frame->index == WORK_NONE || !work_spend(work, pairs)) {
        return false;
    }
    frame->mask = (uint32_t)capacity - 1;
    uint32_t *slots = work_at(work, frame->index);
    uint32_t key = frame->map_b + 1;
    for (; pairs > 0; pairs--) {
        uint32_t slot = (uint32_t)value_hash((struct wire_value){b, key}, work->seed) & frame->mask;
        for (; slots[slot] != 0; slot = (slot + 1) & frame->mask) {
            if (!work_spend(work, 1)) {
                return false;
            }
        }
        slots[slot] = key;
        key = b->items[b->items[key].next].next;
    }
    return true;
}

/* The value of b's pair with the same key as `a`, or WORK_NONE. Keys that are containers equal none. */
static uint32_t find_pair(struct equal_frame *frame, struct wire_value a, const struct wire_document *b,
                          struct work *work) {
    if (wire_kind_is_container(wire_value_kind(a))) {
        return WORK_NONE;
    }
    if (frame->index != WORK_NONE) {
        const uint32_t *slots = work_at(work, frame->index);
        uint32_t slot = (uint32_t)value_hash(a, work->seed) & frame->mask;
        for (; slots[slot] != 0 && work_spend(work, 1); slot = (slot + 1) & frame->mask) {
            if (scalar_equal(a, (struct wire_value){b, slots[slot]})) {
                return b->items[slots[slot]].next;
            }
        }
        return WORK_NONE;
    }
    /* Keys mostly come in the same order: the search goes on where the last one ended, and around. */
    uint32_t end = b->items[frame->map_b].next;
    for (uint32_t left = b->items[frame->map_b].size; left > 0; left--) {
        uint32_t key = frame->b;
        uint32_t member = b->items[key].next;
        frame->b = b->items[member].next == end ? frame->map_b + 1 : b->items[member].next;
        if (scalar_equal(a, (struct wire_value){b, key})) {
            return member;
        }
    }
    return WORK_NONE;
}

/* Takes the next two elements out of the frame. */
static bool next_elements(struct equal_frame *frame, struct wire_value *a, struct wire_value *b, struct work *work) {
    /* A step, and more for long text. Of a container `size` counts its elements, which cost that anyway. */
    if (!work_spend(work, 1 + a->document->items[frame->a].size / VALUE_BYTES_PER_STEP)) {
        return false;
    }
    frame->left--;
    a->index = frame->a;
    b->index = frame->b;
    if (frame->is_map) {
        b->index = find_pair(frame, *a, b->document, work);
        if (b->index == WORK_NONE) {
            return false;
        }
        a->index = value_item(*a)->next;
    } else {
        frame->b = value_item(*b)->next;
    }
    frame->a = value_item(*a)->next;
    return true;
}

static enum verdict container_equal(struct wire_value a, struct wire_value b, struct work *work) {
    struct equal_frame frames[WIRE_DEPTH_LIMIT + 1];
    uint32_t depth = 0;
    uint32_t mark = work->scratch_size;
    while (scalar_equal(a, b)) {
        const struct wire_item *item = value_item(a);
        if (wire_kind_is_container((enum wire_kind)item->kind) && item->size > 0) {
            struct equal_frame *frame = &frames[depth++];
            *frame = (struct equal_frame){.a = a.index + 1,
                                          .b = b.index + 1,
                                          .map_b = b.index,
                                          .left = item->size,
                                          .mark = work->scratch_size,
                                          .index = WORK_NONE,
                                          .is_map = item->kind == WIRE_MAP};
            if (frame->is_map && item->size > LINEAR_PAIRS_MAX && !index_keys(frame, b.document, work)) {
                break;
            }
        }
        while (depth > 0 && frames[depth - 1].left == 0) {
            work->scratch_size = frames[--depth].mark;
        }
        if (depth == 0) {
            return VERDICT_YES;
        }
        if (!next_elements(&frames[depth - 1], &a, &b, work)) {
            break;
        }
    }
    work->scratch_size = mark;
    return work->limit == WORK_FINE ? VERDICT_NO : VERDICT_LIMIT;
}

enum verdict value_equal(struct wire_value a, struct wire_value b, struct work *work) {
    if (wire_kind_is_container(wire_value_kind(a))) {
        return container_equal(a, b, work);
    }
    if (!work_spend(work, value_item(a)->size / VALUE_BYTES_PER_STEP)) {
        return VERDICT_LIMIT;
    }
    return scalar_equal(a, b) ? VERDICT_YES : VERDICT_NO;
}
