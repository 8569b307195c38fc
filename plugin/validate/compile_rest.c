/* compile_rest.c: `unevaluated*` without tracking, where the schema alone tells what is evaluated. */
#include "validate/compile_fast.h"

/* May the instruction evaluate elements in a way that depends on the value? Negation evaluates nothing. */
static bool is_undecided(const struct fast *fast, const struct instruction *in, const uint8_t *evaluates,
                         uint8_t wanted) {
    const struct compiler *compiler = fast->compiler;
    switch (in->op) {
    case OP_REF:
        return (evaluates[in->a] & wanted) != 0;
    case OP_ANY_OF:
    case OP_ONE_OF:
    case OP_ALL_OF:
        for (uint32_t i = 0; i < in->c; i++) {
            if ((evaluates[*SECTION(compiler, links, uint32_t, in->b + i)] & wanted) != 0) {
                return true;
            }
        }
        return false;
    case OP_IF:
        return ((evaluates[in->a] | (in->b != NO_INDEX ? evaluates[in->b] : 0) |
                 (in->c != NO_INDEX ? evaluates[in->c] : 0)) &
                wanted) != 0;
    case OP_DEPENDENT_SCHEMAS: {
        const struct key_table *table = SECTION(compiler, tables, struct key_table, in->a);
        for (uint32_t i = 0; i < table->count; i++) {
            if ((evaluates[SECTION(compiler, keys, struct key, table->first + i)->schema] & wanted) != 0) {
                return true;
            }
        }
        return false;
    }
    case OP_CONTAINS:
        return wanted == SCHEMA_TRACKS_ITEMS;
    default:
        return false;
    }
}

static bool all_decided(const struct fast *fast, const uint8_t *evaluates, uint8_t wanted) {
    for (uint32_t i = 0; i < fast->entries.count; i++) {
        if (is_undecided(fast, &FAST_ENTRY(fast, i)->instruction, evaluates, wanted)) {
            return false;
        }
    }
    return true;
}

static bool has_any(const struct fast *fast, enum op op) {
    for (uint32_t i = 0; i < fast->entries.count; i++) {
        if (FAST_ENTRY(fast, i)->instruction.op == op) {
            return true;
        }
    }
    return false;
}

/* Items beyond the longest prefix; none, if `items` is for them. */
static void settle_items(struct fast *fast, struct instruction *rest) {
    uint32_t prefix = 0;
    for (uint32_t i = 0; i < fast->entries.count; i++) {
        const struct instruction *in = &FAST_ENTRY(fast, i)->instruction;
        prefix = in->op == OP_PREFIX_ITEMS && in->c > prefix ? in->c : prefix;
    }
    rest->op = has_any(fast, OP_ITEMS) ? OP_COUNT : OP_ITEMS;
    rest->b = prefix;
}

static void append_keys(struct fast *fast, struct vector *keys, uint32_t table_number) {
    struct compiler *compiler = fast->compiler;
    const struct key_table table = *SECTION(compiler, tables, struct key_table, table_number);
    for (uint32_t i = 0; i < table.count; i++) {
        struct key key = *SECTION(compiler, keys, struct key, table.first + i);
        key.schema = NO_INDEX;
        if (!vector_append(keys, sizeof key, &key, 1)) {
            compile_no_memory(compiler);
            return;
        }
    }
}

/* Members that no group names; none, if `additionalProperties` is for them. Keys may be in the table twice. */
static void settle_properties(struct fast *fast, struct instruction *rest) {
    struct compiler *compiler = fast->compiler;
    CLEANUP(vector_done) struct vector keys = {0};
    CLEANUP(vector_done) struct vector patterns = {0};
    if (has_any(fast, OP_ADDITIONAL_PROPERTIES)) {
        rest->op = OP_COUNT;
        return;
    }
    for (uint32_t i = 0; i < fast->entries.count; i++) {
        const struct instruction in = FAST_ENTRY(fast, i)->instruction;
        if (in.op == OP_PROPERTIES) {
            append_keys(fast, &keys, in.a);
        } else if (in.op == OP_PATTERN_PROPERTIES && in.c > 0 &&
                   !vector_append(&patterns, sizeof(uint32_t), SECTION(compiler, links, uint32_t, in.b),
                                  PATTERN_LINKS * in.c)) {
            compile_no_memory(compiler);
        }
    }
    struct object_rule rule = {.table = NO_INDEX, .additional = rest->a, .count_max = UINT32_MAX};
    if (keys.count > 0) {
        rule.table = compile_table(compiler, keys.data, keys.count);
    }
    rule.pattern_count = patterns.count / PATTERN_LINKS;
    rule.patterns = compile_append(compiler, SECTION_links, patterns.data, patterns.count);
    rest->op = OP_ADDITIONAL_PROPERTIES;
    rest->a = compile_append(compiler, SECTION_objects, &rule, 1);
}

void fast_settle_rest(struct fast *fast, const uint8_t *evaluates) {
    struct fast_entry *items = fast_find(fast, 0, OP_UNEVALUATED_ITEMS);
    if (items != NULL && all_decided(fast, evaluates, SCHEMA_TRACKS_ITEMS)) {
        settle_items(fast, &items->instruction);
    }
    struct fast_entry *properties = fast_find(fast, 0, OP_UNEVALUATED_PROPERTIES);
    if (properties != NULL && all_decided(fast, evaluates, SCHEMA_TRACKS_PROPERTIES)) {
        settle_properties(fast, &properties->instruction);
    }
}
