/* compile_flat.c: what of the fast codes needs no frame, or no look at all. */
#include "validate/compile_fast.h"

/* ---- what needs no look ---- */

/* A bit for each kind of value that the instruction is fine with, whatever the value. */
static uint32_t accepted_kinds(const struct compiler *compiler, const struct instruction *in) {
    static const uint32_t NUMBERS = 1U << WIRE_INT | 1U << WIRE_UINT | 1U << WIRE_FLOAT;
    static const struct {
        uint32_t type, kinds;
    } TYPES[] = {{TYPE_NULL, 1U << WIRE_NIL},   {TYPE_BOOLEAN, 1U << WIRE_BOOL},
                 {TYPE_STRING, 1U << WIRE_STR}, {TYPE_INTEGER, 1U << WIRE_INT | 1U << WIRE_UINT},
                 {TYPE_NUMBER, NUMBERS},        {TYPE_ARRAY, 1U << WIRE_ARRAY},
                 {TYPE_OBJECT, 1U << WIRE_MAP}};
    uint32_t kinds = 0;
    switch (in->op) {
    case OP_TYPE:
        for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
            kinds |= (in->a & TYPES[i].type) != 0 ? TYPES[i].kinds : 0;
        }
        return kinds;
    case OP_MAXIMUM:
    case OP_EXCLUSIVE_MAXIMUM:
    case OP_MINIMUM:
    case OP_EXCLUSIVE_MINIMUM:
    case OP_MULTIPLE_OF:
        return ~NUMBERS;
    case OP_MAX_LENGTH:
    case OP_MIN_LENGTH:
    case OP_PATTERN:
    case OP_FORMAT:
        return ~(1U << WIRE_STR);
    case OP_MAX_ITEMS:
    case OP_MIN_ITEMS:
    case OP_UNIQUE_ITEMS:
    case OP_ITEMS:
    case OP_PREFIX_ITEMS:
    case OP_CONTAINS:
        return ~(1U << WIRE_ARRAY);
    case OP_OBJECT:
        return SECTION(compiler, objects, struct object_rule, in->a)->must_be_object ? 0 : ~(1U << WIRE_MAP);
    default:
        return 0;
    }
}

void fast_mark_accepted(struct compiler *compiler) {
    for (uint32_t i = 0; i < compiler->units.count; i++) {
        struct schema_node *node = SECTION(compiler, schemas, struct schema_node, i);
        uint32_t kinds = UINT32_MAX;
        for (uint32_t at = node->fast; at < node->fast_end; at++) {
            kinds &= accepted_kinds(compiler, SECTION(compiler, code, struct instruction, at));
        }
        node->accepts = (uint16_t)kinds;
    }
}

/* ---- flat subschemas ---- */

/* By unit, how deep it applies others: a leaf 0, a flat one up to FLAT_LEVELS_MAX, of others NOT_FLAT. */
enum { NOT_FLAT = 255 };

/* The subschema's level, joined with those before. */
static uint8_t join_level(const uint8_t *levels, uint32_t unit, uint8_t level) {
    return unit == NO_INDEX || levels[unit] <= level ? level : levels[unit];
}

/* The level of what the instruction applies; NOT_FLAT as well if that is nothing for flat ones. */
static uint8_t applied_level(const struct compiler *compiler, const uint8_t *levels, const struct instruction *in) {
    if (in->op == OP_ITEMS || in->op == OP_REF) {
        return levels[in->a];
    }
    if (in->op != OP_OBJECT) {
        return NOT_FLAT;
    }
    const struct object_rule *rule = SECTION(compiler, objects, struct object_rule, in->a);
    if (rule->pattern_count > 0) {
        return NOT_FLAT;
    }
    const struct key_table empty = {0};
    const struct key_table *table =
        rule->table != NO_INDEX ? SECTION(compiler, tables, struct key_table, rule->table) : &empty;
    uint8_t level = join_level(levels, rule->additional, 0);
    for (uint32_t i = 0; i < table->count; i++) {
        level = join_level(levels, SECTION(compiler, keys, struct key, table->first + i)->schema, level);
    }
    return level;
}

/* Those that apply more than leaves do it once to each element: else the ways to an element would multiply from level
 * to level, where nothing is remembered. */
static uint8_t flat_level(const struct compiler *compiler, const uint8_t *levels, const struct schema_node *node) {
    uint8_t level = 0;
    uint32_t objects = 0;
    uint32_t arrays = 0;
    for (uint32_t at = node->fast; at < node->fast_end && level != NOT_FLAT; at++) {
        const struct instruction *in = SECTION(compiler, code, struct instruction, at);
        if (in->op > OP_LAST_ASSERTION) {
            uint8_t applied = applied_level(compiler, levels, in);
            level = applied > level ? applied : level;
            objects += in->op == OP_OBJECT || in->op == OP_REF;
            arrays += in->op == OP_ITEMS || in->op == OP_REF;
        }
    }
    bool is_manifold = objects > 1 || arrays > 1;
    return level >= FLAT_LEVELS_MAX || (level > 0 && is_manifold) ? NOT_FLAT : (uint8_t)(level + 1);
}

/* Level by level, so that those that apply themselves never come to have one. */
void fast_mark_flat(struct compiler *compiler, uint8_t *levels) {
    for (uint32_t i = 0; i < compiler->units.count; i++) {
        uint32_t flags = SECTION(compiler, schemas, struct schema_node, i)->flags;
        levels[i] = (flags & SCHEMA_LEAF) != 0 ? 0 : NOT_FLAT;
    }
    for (uint8_t level = 1; level <= FLAT_LEVELS_MAX; level++) {
        for (uint32_t i = 0; i < compiler->units.count; i++) {
            struct schema_node *node = SECTION(compiler, schemas, struct schema_node, i);
            if (levels[i] == NOT_FLAT && flat_level(compiler, levels, node) == level) {
                levels[i] = level;
                node->flags |= SCHEMA_FLAT;
            }
        }
    }
}
