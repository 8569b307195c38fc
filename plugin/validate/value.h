/* value.h: JSON values on a tape: types, hashes and equality by value, without recursion and in linear time. */
#ifndef POLARIS_PLUGIN_VALIDATE_VALUE_H
#define POLARIS_PLUGIN_VALIDATE_VALUE_H

#include "validate/number.h"
#include "validate/work.h"

/* The types of JSON Schema, as bits; an integer is a number too. Values that JSON lacks have none. */
enum type_bit {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INTEGER = 4,
    TYPE_NUMBER = 8,
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64
};

static inline const struct wire_item *value_item(struct wire_value value) {
    return &value.document->items[value.index];
}

/* The payload without a call. */
static inline struct bytes value_text(struct wire_value value) {
    const struct wire_item *item = value_item(value);
    return (struct bytes){value.document->input.data + item->offset + item->header_size, item->size};
}

unsigned value_types(struct wire_value value);
const char *value_type_name(struct wire_value value); /* "null", "integer", "number", "string", ... */

enum { VALUE_BYTES_PER_STEP = 64 };

/* What hashing the value costs: a step an item, and one for each VALUE_BYTES_PER_STEP. */
static inline uint64_t value_hash_steps(struct wire_value value) {
    const struct wire_item *item = value_item(value);
    uint64_t items = item->next - value.index;
    size_t size = items == 1 ? item->size : wire_value_raw(value).size;
    return items + size / VALUE_BYTES_PER_STEP;
}

/* Equal values have equal hashes: 1 and 1.0, maps in any order. */
uint64_t value_hash(struct wire_value value, uint64_t seed);
/* Costs a step per item, and more for long text; indexes wide maps in scratch memory. */
enum verdict value_equal(struct wire_value a, struct wire_value b, struct work *work);

/* Code points of UTF-8. */
size_t text_length(struct bytes text);

/* The value of the key `name` of a map; WORK_NONE as index: there is none. */
struct wire_value value_member(struct wire_value map, struct bytes name);

#endif
