/* compile_fuse.c: keywords of one subschema that make one check: type and bounds, type and lengths, all about members.
 */
#include "validate/compile_fast.h"

#include "validate/hash.h"

#include <math.h>

static void take_out(struct fast *fast, uint32_t group, enum op op) {
    struct fast_entry *entry = fast_find(fast, group, op);
    if (entry != NULL) {
        entry->instruction.op = OP_COUNT;
    }
}

/* ---- numbers ---- */

static struct number bound_number(const struct fast *fast, const struct fast_entry *entry) {
    return SECTION(fast->compiler, bounds, struct bound, entry->instruction.a)->number;
}

/* The tighter of `minimum` and `exclusiveMinimum`, or of the maxima; NULL: neither is there. */
static const struct fast_entry *tighter(const struct fast *fast, uint32_t group, enum op inclusive, enum op exclusive,
                                        int wanted) {
    const struct fast_entry *a = fast_find(fast, group, inclusive);
    const struct fast_entry *b = fast_find(fast, group, exclusive);
    if (a == NULL || b == NULL) {
        return a != NULL ? a : b;
    }
    return number_compare(bound_number(fast, a), bound_number(fast, b)) == wanted ? a : b;
}

/* The smallest int64 that satisfies the bound, given as it is satisfied by larger ones; false: none does. */
static bool least_integer(struct number bound, bool exclusive, int64_t *ret) {
    struct number number = {.kind = NUMBER_INT, .as.i = INT64_MIN};
    if (number_compare(number, bound) >= (exclusive ? 1 : 0)) {
        *ret = INT64_MIN;
        return true;
    }
    if (bound.kind == NUMBER_INT) {
        return !__builtin_add_overflow(bound.as.i, exclusive ? 1 : 0, ret);
    }
    if (bound.kind == NUMBER_UINT || bound.as.d >= 9223372036854775808.0) {
        return false;
    }
    /* It has a fraction: the integer above it. */
    *ret = (int64_t)bound.as.d + (bound.as.d > 0 ? 1 : 0);
    return true;
}

static bool greatest_integer(struct number bound, bool exclusive, int64_t *ret) {
    struct number number = {.kind = NUMBER_INT, .as.i = INT64_MAX};
    if (number_compare(number, bound) <= (exclusive ? -1 : 0)) {
        *ret = INT64_MAX;
        return true;
    }
    if (bound.kind == NUMBER_INT) {
        return !__builtin_sub_overflow(bound.as.i, exclusive ? 1 : 0, ret);
    }
    if (bound.kind == NUMBER_UINT || bound.as.d < -9223372036854775808.0) {
        return false;
    }
    *ret = (int64_t)bound.as.d - (bound.as.d < 0 ? 1 : 0);
    return true;
}

/* The bound as a double that holds it exactly. */
static bool as_double(struct number bound, double *ret) {
    static const int64_t EXACT = INT64_C(1) << 53;
    *ret = bound.kind == NUMBER_INT ? (double)bound.as.i : bound.as.d;
    return bound.kind == NUMBER_DOUBLE || (bound.kind == NUMBER_INT && bound.as.i >= -EXACT && bound.as.i <= EXACT);
}

static void fuse_range(struct fast *fast, uint32_t group, struct fast_entry *type) {
    const struct fast_entry *minimum = tighter(fast, group, OP_MINIMUM, OP_EXCLUSIVE_MINIMUM, 1);
    const struct fast_entry *maximum = tighter(fast, group, OP_MAXIMUM, OP_EXCLUSIVE_MAXIMUM, -1);
    if (minimum == NULL && maximum == NULL) {
        return;
    }
    struct range range = {.min = INT64_MIN,
                          .max = INT64_MAX,
                          .low = -HUGE_VAL,
                          .high = HUGE_VAL,
                          .minimum = NO_INDEX,
                          .maximum = NO_INDEX,
                          .by_double = true};
    bool some = true;
    if (minimum != NULL) {
        range.minimum = minimum->instruction.a;
        range.minimum_exclusive = minimum->instruction.op == OP_EXCLUSIVE_MINIMUM;
        some = least_integer(bound_number(fast, minimum), range.minimum_exclusive, &range.min);
        range.by_double = as_double(bound_number(fast, minimum), &range.low);
    }
    if (maximum != NULL) {
        range.maximum = maximum->instruction.a;
        range.maximum_exclusive = maximum->instruction.op == OP_EXCLUSIVE_MAXIMUM;
        some = greatest_integer(bound_number(fast, maximum), range.maximum_exclusive, &range.max) && some;
        range.by_double = as_double(bound_number(fast, maximum), &range.high) && range.by_double;
    }
    if (!some) {
        range.min = INT64_MAX;
        range.max = INT64_MIN;
    }
    static const enum op BOUNDS[] = {OP_MINIMUM, OP_EXCLUSIVE_MINIMUM, OP_MAXIMUM, OP_EXCLUSIVE_MAXIMUM};
    for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        take_out(fast, group, BOUNDS[i]);
    }
    type->instruction.op = type->instruction.a == TYPE_INTEGER ? OP_INTEGER_RANGE : OP_NUMBER_RANGE;
    type->instruction.a = compile_append(fast->compiler, SECTION_ranges, &range, 1);
}

static void fuse_length(struct fast *fast, uint32_t group, struct fast_entry *type) {
    const struct fast_entry *least = fast_find(fast, group, OP_MIN_LENGTH);
    const struct fast_entry *most = fast_find(fast, group, OP_MAX_LENGTH);
    if (least == NULL && most == NULL) {
        return;
    }
    type->instruction.op = OP_STRING_LENGTH;
    type->instruction.a = least != NULL ? least->instruction.a : 0;
    type->instruction.b = most != NULL ? most->instruction.a : UINT32_MAX;
    take_out(fast, group, OP_MIN_LENGTH);
    take_out(fast, group, OP_MAX_LENGTH);
}

/* ---- members ---- */

/* The keys of a table, added to those that are there, or joined with the same one. */
static void join_keys(struct fast *fast, struct vector *keys, struct index *by_text, uint32_t table_number,
                      bool required) {
    struct compiler *compiler = fast->compiler;
    const struct key_table table = *SECTION(compiler, tables, struct key_table, table_number);
    for (uint32_t i = 0; i < table.count && compile_spend(compiler, 1); i++) {
        struct key key = *SECTION(compiler, keys, struct key, table.first + i);
        struct bytes text = {SECTION(compiler, text, uint8_t, key.text), key.size};
        uint64_t hash = hash_bytes(text, compiler->options->seed);
        uint32_t cursor = 0;
        uint32_t found;
        while ((found = index_next(by_text, hash, &cursor)) != NO_INDEX) {
            struct key *other = VECTOR_AT(*keys, struct key, found);
            if (bytes_equal((struct bytes){SECTION(compiler, text, uint8_t, other->text), other->size}, text)) {
                other->required = other->required || required;
                break;
            }
        }
        key.required = required;
        if (found == NO_INDEX &&
            (!vector_append(keys, sizeof key, &key, 1) || !index_add(by_text, hash, keys->count - 1))) {
            compile_no_memory(compiler);
        }
    }
}

/* Is the rule of additionalProperties about the very keywords beside it? One made from unevaluatedProperties may be
 * about those of other groups too. */
static bool is_about_siblings(const struct fast *fast, const struct fast_entry *additional) {
    return additional == NULL || fast->groups == 1 || additional->instruction.keyword == KEYWORD_ADDITIONAL_PROPERTIES;
}

static void fuse_members(struct fast *fast, uint32_t group) {
    struct compiler *compiler = fast->compiler;
    const struct fast_entry *properties = fast_find(fast, group, OP_PROPERTIES);
    const struct fast_entry *patterns = fast_find(fast, group, OP_PATTERN_PROPERTIES);
    const struct fast_entry *additional = fast_find(fast, group, OP_ADDITIONAL_PROPERTIES);
    const struct fast_entry *required = fast_find(fast, group, OP_REQUIRED);
    const struct fast_entry *type = fast_find(fast, group, OP_TYPE);
    const struct fast_entry *least = fast_find(fast, group, OP_MIN_PROPERTIES);
    const struct fast_entry *most = fast_find(fast, group, OP_MAX_PROPERTIES);
    additional = is_about_siblings(fast, additional) ? additional : NULL;
    /* Counting the required keys needs that each comes once, which extended payloads do not promise. */
    required = compiler->options->extended ? NULL : required;
    bool is_object = type != NULL && type->instruction.a == TYPE_OBJECT;
    if (properties == NULL && patterns == NULL && additional == NULL && required == NULL) {
        return;
    }
    CLEANUP(vector_done) struct vector keys = {0};
    CLEANUP(index_done) struct index by_text = {0};
    struct object_rule rule = {.table = NO_INDEX,
                               .additional = NO_INDEX,
                               .count_min = least != NULL ? least->instruction.a : 0,
                               .count_max = most != NULL ? most->instruction.a : UINT32_MAX,
                               .must_be_object = is_object};
    if (properties != NULL) {
        join_keys(fast, &keys, &by_text, properties->instruction.a, false);
    }
    if (required != NULL) {
        rule.required = SECTION(compiler, tables, struct key_table, required->instruction.a)->count;
        join_keys(fast, &keys, &by_text, required->instruction.a, true);
    }
    if (patterns != NULL) {
        rule.patterns = patterns->instruction.b;
        rule.pattern_count = patterns->instruction.c;
    }
    if (additional != NULL) {
        rule.additional = SECTION(compiler, objects, struct object_rule, additional->instruction.a)->additional;
    }
    if (keys.count > 0) {
        rule.table = compile_table(compiler, keys.data, keys.count);
    }
    static const enum op TAKEN[] = {OP_PROPERTIES, OP_PATTERN_PROPERTIES, OP_MIN_PROPERTIES, OP_MAX_PROPERTIES};
    for (size_t i = 0; i < sizeof TAKEN / sizeof TAKEN[0]; i++) {
        take_out(fast, group, TAKEN[i]);
    }
    if (additional != NULL) {
        take_out(fast, group, OP_ADDITIONAL_PROPERTIES);
    }
    if (required != NULL) {
        take_out(fast, group, OP_REQUIRED);
    }
    if (is_object) {
        take_out(fast, group, OP_TYPE);
    }
    uint32_t number = compile_append(compiler, SECTION_objects, &rule, 1);
    fast_add(fast, group, (struct instruction){.op = OP_OBJECT, .keyword = KEYWORD_PROPERTIES, .a = number});
}

void fast_fuse(struct fast *fast, uint32_t group) {
    struct fast_entry *type = fast_find(fast, group, OP_TYPE);
    if (type != NULL &&
        (type->instruction.a == TYPE_INTEGER || (type->instruction.a & ~(uint32_t)TYPE_INTEGER) == TYPE_NUMBER)) {
        fuse_range(fast, group, type);
    } else if (type != NULL && type->instruction.a == TYPE_STRING) {
        fuse_length(fast, group, type);
    }
    fuse_members(fast, group);
}
