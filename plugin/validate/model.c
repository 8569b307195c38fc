/* model.c: one sweep over a tape for what JSON lacks: other kinds of values and keys, and keys that come twice. */
#include "validate/model.h"

#include "validate/hash.h"
#include "wire/shape.h"

#include <math.h>

enum { NARROW_PAIRS_MAX = 16 }; /* in maps up to this wide, each key is compared with those before it */

static bool same_key(const struct wire_document *document, uint32_t a, uint32_t b) {
    return bytes_equal(value_text((struct wire_value){document, a}), value_text((struct wire_value){document, b}));
}

/* A word that differs for most different keys. */
static inline uint64_t key_glimpse(struct bytes key) {
    if (key.size >= 8) {
        return hash_load(key.data, 8) + 31 * hash_load(key.data + key.size - 8, 8) + key.size;
    }
    if (key.size >= 4) {
        return hash_load(key.data, 4) + (hash_load(key.data + key.size - 4, 4) << 32) + key.size;
    }
    return key.size == 0 ? 0 : key.data[0] + 256u * key.data[key.size / 2] + 65536u * key.data[key.size - 1];
}

static enum verdict check_narrow_map(struct wire_value map, struct model_fault *ret_fault) {
    const struct wire_document *document = map.document;
    const struct wire_item *items = document->items;
    uint64_t glimpses[NARROW_PAIRS_MAX];
    uint32_t keys[NARROW_PAIRS_MAX];
    uint32_t pairs = items[map.index].size;
    uint32_t key = map.index + 1;
    for (uint32_t i = 0; i < pairs; i++) {
        if (items[key].kind != WIRE_STR) {
            *ret_fault = (struct model_fault){key, map.index, "have strings as keys"};
            return VERDICT_NO;
        }
        uint64_t glimpse = key_glimpse(value_text((struct wire_value){document, key}));
        for (uint32_t j = 0; j < i; j++) {
            if (glimpses[j] == glimpse && same_key(document, keys[j], key)) {
                *ret_fault = (struct model_fault){key, map.index, "have each key once"};
                return VERDICT_NO;
            }
        }
        glimpses[i] = glimpse;
        keys[i] = key;
        key = items[items[key].next].next;
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
    uint32_t scratch = work->scratch_size;
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
        uint16_t mark = document->items[key].mark;
        uint64_t slot = hash_bytes(value_text((struct wire_value){document, key}), seed) & (capacity - 1);
        for (; slots[slot] != 0 && verdict == VERDICT_YES; slot = (slot + 1) & (capacity - 1)) {
            if (!work_spend(work, 1)) {
                verdict = VERDICT_LIMIT;
            } else if (document->items[slots[slot]].mark == mark && same_key(document, slots[slot], key)) {
                *ret_fault = (struct model_fault){key, map.index, "have each key once"};
                verdict = VERDICT_NO;
            }
        }
        slots[slot] = key;
        key = document->items[document->items[key].next].next;
    }
    work->scratch_size = scratch;
    return verdict;
}

/* Most texts are short and ASCII, and are told at a glance. */
static inline bool is_utf8(struct bytes text) {
    static const uint64_t HIGH = UINT64_C(0x8080808080808080);
    uint64_t seen;
    if (text.size >= 8 && text.size <= 16) {
        seen = hash_load(text.data, 8) | hash_load(text.data + text.size - 8, 8);
    } else if (text.size >= 4 && text.size < 8) {
        seen = hash_load(text.data, 4) | hash_load(text.data + text.size - 4, 4);
    } else if (text.size < 4) {
        seen = text.size == 0 ? 0 : text.data[0] | text.data[text.size / 2] | text.data[text.size - 1];
    } else {
        seen = HIGH;
    }
    return (seen & HIGH) == 0 || wire_utf8_valid(text);
}

/* Reads on after "must". NULL: JSON has such values. */
static inline const char *scalar_fault(const struct wire_document *document, uint32_t item, bool extended) {
    struct wire_value value = {document, item};
    uint8_t kind = document->items[item].kind;
    if (kind == WIRE_STR) {
        return is_utf8(value_text(value)) ? NULL : "be text in valid UTF-8";
    }
    if (kind == WIRE_FLOAT) {
        return extended || isfinite(wire_value_float(value)) ? NULL : "be a finite number";
    }
    return (kind == WIRE_BIN || kind == WIRE_EXT) && !extended ? "be a value that JSON has" : NULL;
}

enum verdict model_sweep(struct wire_value root, bool extended, uint64_t seed, struct work *work,
                         struct model_fault *ret_fault) {
    const struct wire_document *document = root.document;
    const struct wire_item *items = document->items;
    uint32_t end = items[root.index].next;
    /* Of the outermost container's scalars none is at fault if it lacks keys only. */
    bool has_keys_only = wire_kind_is_container((enum wire_kind)items[root.index].kind) &&
                         (items[root.index].mark & (WIRE_LACKS_TEXT | WIRE_LACKS_VALUE)) == 0;
    for (uint32_t i = root.index; i < end; i++) {
        if (wire_kind_is_container((enum wire_kind)items[i].kind) && (items[i].mark & model_lacks(extended)) == 0) {
            i = items[i].next - 1; /* nothing in it is at fault */
            continue;
        }
        if (items[i].kind == WIRE_MAP && !extended) {
            struct wire_value map = {document, i};
            enum verdict verdict = items[i].size <= NARROW_PAIRS_MAX ? check_narrow_map(map, ret_fault)
                                                                     : check_wide_map(map, seed, work, ret_fault);
            if (verdict != VERDICT_YES) {
                return verdict;
            }
            continue;
        }
        const char *what = has_keys_only ? NULL : scalar_fault(document, i, extended);
        if (what != NULL) {
            *ret_fault = (struct model_fault){i, WORK_NONE, what};
            return VERDICT_NO;
        }
    }
    return VERDICT_YES;
}
