/* model.c: one sweep over a tape for what JSON lacks: other kinds of values and keys, and keys that come twice. */
#include "validate/model.h"

#include "validate/hash.h"

#include <math.h>

enum { BLOOM_PAIRS_MAX = 24 }; /* in maps up to this wide, keys that look alike are compared at once */

static bool same_key(const struct wire_document *document, uint32_t a, uint32_t b) {
    return bytes_equal(value_text((struct wire_value){document, a}), value_text((struct wire_value){document, b}));
}

/* Six bits that differ for most different keys. */
static uint32_t key_glimpse(struct bytes key) {
    if (key.size == 0) {
        return 0;
    }
    uint32_t mixed =
        key.data[0] * 7u + key.data[key.size - 1] * 13u + key.data[key.size / 2] * 29u + (uint32_t)key.size;
    return (mixed ^ mixed >> 6) & 63;
}

static uint32_t find_twin(struct wire_value map, uint32_t before) {
    const struct wire_item *items = map.document->items;
    for (uint32_t key = map.index + 1; key < before; key = items[items[key].next].next) {
        if (same_key(map.document, key, before)) {
            return key;
        }
    }
    return WORK_NONE;
}

static enum verdict check_narrow_map(struct wire_value map, struct model_fault *ret_fault) {
    const struct wire_document *document = map.document;
    uint64_t seen = 0;
    uint32_t key = map.index + 1;
    for (uint32_t left = document->items[map.index].size; left > 0; left--) {
        if (document->items[key].kind != WIRE_STR) {
            *ret_fault = (struct model_fault){key, map.index, "have strings as keys"};
            return VERDICT_NO;
        }
        uint64_t bit = UINT64_C(1) << key_glimpse(value_text((struct wire_value){document, key}));
        if ((seen & bit) != 0 && find_twin(map, key) != WORK_NONE) {
            *ret_fault = (struct model_fault){key, map.index, "have each key once"};
            return VERDICT_NO;
        }
        seen |= bit;
        key = document->items[document->items[key].next].next;
    }
    return VERDICT_YES;
}

static enum verdict check_wide_map(struct wire_value map, uint64_t seed, struct work *work,
                                   struct model_fault *ret_fault) {
    const struct wire_document *document = map.document;
    uint32_t pairs = document->items[map.index].size;
    uint64_t capacity = 64;
    while (capacity < 2 * (uint64_t)pairs) {
        capacity *= 2;
    }
    uint32_t mark = work->scratch_size;
    uint32_t table = work_reserve(work, capacity * sizeof(uint32_t));
    if (table == WORK_NONE) {
        return VERDICT_LIMIT;
    }
    uint32_t *slots = work_at(work, table);
    enum verdict verdict = VERDICT_YES;
    uint32_t key = map.index + 1;
    for (; pairs > 0 && verdict == VERDICT_YES; pairs--) {
        if (document->items[key].kind != WIRE_STR) {
            *ret_fault = (struct model_fault){key, map.index, "have strings as keys"};
            verdict = VERDICT_NO;
            break;
        }
        uint64_t slot = hash_bytes(value_text((struct wire_value){document, key}), seed) & (capacity - 1);
        for (; slots[slot] != 0 && verdict == VERDICT_YES; slot = (slot + 1) & (capacity - 1)) {
            if (!work_spend(work, 1)) {
                verdict = VERDICT_LIMIT;
            } else if (same_key(document, slots[slot], key)) {
                *ret_fault = (struct model_fault){key, map.index, "have each key once"};
                verdict = VERDICT_NO;
            }
        }
        slots[slot] = key;
        key = document->items[document->items[key].next].next;
    }
    work->scratch_size = mark;
    return verdict;
}

/* Reads on after "must". NULL: JSON has such values. */
static const char *scalar_fault(struct wire_value value, bool extended) {
    switch (wire_value_kind(value)) {
    case WIRE_STR:
        return wire_utf8_valid(value_text(value)) ? NULL : "be text in valid UTF-8";
    case WIRE_FLOAT:
        return extended || isfinite(wire_value_float(value)) ? NULL : "be a finite number";
    case WIRE_BIN:
    case WIRE_EXT:
        return extended ? NULL : "be a value that JSON has";
    case WIRE_NIL:
    case WIRE_BOOL:
    case WIRE_INT:
    case WIRE_UINT:
    case WIRE_ARRAY:
    case WIRE_MAP:
        break;
    }
    return NULL;
}

enum verdict model_check(struct wire_value root, bool extended, uint64_t seed, struct work *work,
                         struct model_fault *ret_fault) {
    const struct wire_document *document = root.document;
    uint32_t end = document->items[root.index].next;
    if (!work_spend(work, end - root.index)) {
        return VERDICT_LIMIT;
    }
    for (uint32_t i = root.index; i < end; i++) {
        struct wire_value value = {document, i};
        enum wire_kind kind = wire_value_kind(value);
        if (kind == WIRE_INT) {
            continue;
        }
        if (kind == WIRE_MAP && !extended) {
            enum verdict verdict = document->items[i].size <= BLOOM_PAIRS_MAX
                                       ? check_narrow_map(value, ret_fault)
                                       : check_wide_map(value, seed, work, ret_fault);
            if (verdict != VERDICT_YES) {
                return verdict;
            }
        }
        const char *what = scalar_fault(value, extended);
        if (what != NULL) {
            *ret_fault = (struct model_fault){i, WORK_NONE, what};
            return VERDICT_NO;
        }
    }
    return VERDICT_YES;
}
