/* compile_flat.c: what of the fast codes needs no frame, or no look at all. */
#include "validate/compile_fast.h"

/* ---- what needs no look ---- */

/* Kinds of values, a bit for each enum wire_kind. */
#define KIND(kind) (1U << WIRE_##kind)
static const uint32_t NUMBERS = KIND(INT) | KIND(UINT) | KIND(FLOAT);
static const uint32_t ALL_KINDS = (KIND(MAP) << 1) - 1;

/* What an instruction says of a kind, whatever the value: nothing if it has neither bit. */
struct kinds {
    uint32_t accepted;
    uint32_t refused;
};

static struct kinds kinds_of_types(uint32_t types) {
    static const uint32_t KINDS[] = {
        KIND(NIL),   KIND(BOOL), KIND(INT) | KIND(UINT), KIND(INT) | KIND(UINT) | KIND(FLOAT), KIND(STR),
        KIND(ARRAY), KIND(MAP)};
    struct kinds kinds = {0};
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        kinds.accepted |= (types >> i & 1) != 0 ? KINDS[i] : 0;
    }
    kinds.refused = ALL_KINDS & ~kinds.accepted;
    /* A float may be an integer. */
    kinds.refused &= (types & TYPE_INTEGER) != 0 ? ~KIND(FLOAT) : UINT32_MAX;
    return kinds;
}

static struct kinds kinds_of(const struct compiler *compiler, const struct instruction *in) {
    switch (in->op) {
    case OP_FAIL:
        return (struct kinds){.refused = ALL_KINDS};
    case OP_TYPE:
        return kinds_of_types(in->a);
    case OP_ENUM: /* of a type of its constants it may be any value */
        return (struct kinds){.refused =
                                  kinds_of_types(SECTION(compiler, enums, struct enumeration, in->a)->types).refused};
    case OP_INTEGER_RANGE:
    case OP_NUMBER_RANGE:
        return (struct kinds){.refused = ALL_KINDS & ~NUMBERS};
    case OP_STRING_LENGTH:
        return (struct kinds){.refused = ALL_KINDS & ~KIND(STR)};
    case OP_MAXIMUM:
    case OP_EXCLUSIVE_MAXIMUM:
    case OP_MINIMUM:
    case OP_EXCLUSIVE_MINIMUM:
    case OP_MULTIPLE_OF:
        return (struct kinds){.accepted = ALL_KINDS & ~NUMBERS};
    case OP_MAX_LENGTH:
    case OP_MIN_LENGTH:
    case OP_PATTERN:
    case OP_FORMAT:
        return (struct kinds){.accepted = ALL_KINDS & ~KIND(STR)};
    case OP_MAX_ITEMS:
    case OP_MIN_ITEMS:
    case OP_UNIQUE_ITEMS:
    case OP_ITEMS:
    case OP_PREFIX_ITEMS:
    case OP_CONTAINS:
        return (struct kinds){.accepted = ALL_KINDS & ~KIND(ARRAY)};
    case OP_OBJECT:
        return SECTION(compiler, objects, struct object_rule, in->a)->must_be_object
                   ? (struct kinds){.refused = ALL_KINDS & ~KIND(MAP)}
                   : (struct kinds){.accepted = ALL_KINDS & ~KIND(MAP)};
    default:
        return (struct kinds){0};
    }
}

void fast_mark_kinds(struct compiler *compiler) {
    for (uint32_t i = 0; i < compiler->units.count; i++) {
        struct schema_node *node = SECTION(compiler, schemas, struct schema_node, i);
        struct kinds all = {.accepted = ALL_KINDS};
        for (uint32_t at = node->fast; at < node->fast_end; at++) {
            struct kinds kinds = kinds_of(compiler, SECTION(compiler, code, struct instruction, at));
            all.accepted &= kinds.accepted;
            all.refused |= kinds.refused;
        }
        node->accepts = (uint16_t)all.accepted;
        node->undecided = (uint16_t)(ALL_KINDS & ~(all.accepted | all.refused));
        /* Types come first; of those that the kind alone decides nothing is left to do. */
        for (; node->fast < node->fast_end; node->fast++) {
            const struct instruction *in = SECTION(compiler, code, struct instruction, node->fast);
            struct kinds kinds = kinds_of(compiler, in);
            if (in->op != OP_TYPE || (kinds.accepted | kinds.refused) != ALL_KINDS) {
                break;
            }
        }
        bool is_single = (node->flags & SCHEMA_LEAF) != 0 && node->fast_end - node->fast == 1;
        node->flags |= is_single ? SCHEMA_SINGLE : 0u;
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
