/* evaluate_assert.h: assertions: what one value alone decides. The cheap ones are inlined, the others called. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_ASSERT_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_ASSERT_H

#include "validate/evaluate.h"
#include "validate/value.h"
#include "wire/shape.h"

#define ALWAYS_INLINE __attribute__((always_inline)) static inline

ALWAYS_INLINE bool assert_type(const struct machine *machine, uint32_t types, const struct wire_item *item) {
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
    uint8_t kind = item->kind;
    if ((TYPES[kind] & types) != 0) {
        return true;
    }
    return kind == WIRE_FLOAT && (types & TYPE_INTEGER) != 0 &&
           double_is_integer(wire_float_read(machine->bytes + item->offset));
}

/* Between `least` and `most` code points; the size in bytes settles most cases. */
ALWAYS_INLINE enum verdict assert_length(struct machine *machine, uint32_t least, uint32_t most,
                                         const struct wire_item *item) {
    uint32_t size = item->size;
    if (size < least || size / 4 > most) {
        return VERDICT_NO;
    }
    if (size <= most && ((uint64_t)size + 3) / 4 >= least) {
        return VERDICT_YES;
    }
    return assert_length_exactly(machine, least, most, machine_index(machine, item));
}

ALWAYS_INLINE int assert_compare(const struct machine *machine, uint32_t bound, uint32_t value) {
    return number_compare(number_of(machine_value(machine, value)), machine->view.bounds[bound].number);
}

ALWAYS_INLINE bool assert_range(const struct machine *machine, const struct range *range,
                                const struct wire_item *item) {
    if (item->kind == WIRE_INT) {
        int64_t number = wire_int_read(machine->bytes + item->offset);
        return number >= range->min && number <= range->max;
    }
    if (item->kind == WIRE_FLOAT && range->by_double) {
        double number = wire_float_read(machine->bytes + item->offset);
        bool above = range->minimum_exclusive ? number > range->low : number >= range->low;
        return above && (range->maximum_exclusive ? number < range->high : number <= range->high);
    }
    return assert_range_exactly(machine, range, machine_index(machine, item));
}

#define ASSERT(condition) ((condition) ? VERDICT_YES : VERDICT_NO)

/* What is called here is called last, so that it costs no registers. */
ALWAYS_INLINE enum verdict assert_holds(struct machine *machine, const struct instruction *in,
                                        const struct wire_item *item) {
    uint8_t kind = item->kind;
    uint32_t size = item->size;
    switch (in->op) {
    case OP_FAIL:
        return VERDICT_NO;
    case OP_TYPE:
        return kind != WIRE_FLOAT ? ASSERT(assert_type(machine, in->a, item))
                                  : assert_slow(machine, in, machine_index(machine, item));
    case OP_MAX_LENGTH:
        return kind == WIRE_STR ? assert_length(machine, 0, in->a, item) : VERDICT_YES;
    case OP_MIN_LENGTH:
        return kind == WIRE_STR ? assert_length(machine, in->a, UINT32_MAX, item) : VERDICT_YES;
    case OP_MAX_ITEMS:
        return ASSERT(kind != WIRE_ARRAY || size <= in->a);
    case OP_MIN_ITEMS:
        return ASSERT(kind != WIRE_ARRAY || size >= in->a);
    case OP_MAX_PROPERTIES:
        return ASSERT(kind != WIRE_MAP || size <= in->a);
    case OP_MIN_PROPERTIES:
        return ASSERT(kind != WIRE_MAP || size >= in->a);
    case OP_INTEGER_RANGE:
    case OP_NUMBER_RANGE: {
        const struct range *range = &machine->view.ranges[in->a];
        bool is_simple = kind == WIRE_INT || (kind == WIRE_FLOAT && in->op == OP_NUMBER_RANGE && range->by_double);
        return is_simple ? ASSERT(assert_range(machine, range, item))
                         : assert_slow(machine, in, machine_index(machine, item));
    }
    case OP_STRING_LENGTH:
        return kind == WIRE_STR ? assert_length(machine, in->a, in->b, item) : VERDICT_NO;
    case OP_ENUM:
        return assert_enum(machine, &machine->view.enums[in->a], machine_index(machine, item));
    case OP_PATTERN:
        return kind == WIRE_STR ? assert_search(machine, in->a, machine_index(machine, item)) : VERDICT_YES;
    default:
        return assert_slow(machine, in, machine_index(machine, item));
    }
}

#endif
