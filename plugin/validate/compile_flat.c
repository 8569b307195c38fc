/* compile_flat.c: what of the fast codes needs no frame, or no look at all. */
#include "validate/compile_fast.h"

#include <stdlib.h>

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
        for (uint32_t at = node->run.fast; at < node->run.fast_end; at++) {
            struct kinds kinds = kinds_of(compiler, SECTION(compiler, code, struct instruction, at));
            all.accepted &= kinds.accepted;
            all.refused |= kinds.refused;
        }
        node->run.accepts = (uint16_t)all.accepted;
        node->run.undecided = (uint16_t)(ALL_KINDS & ~(all.accepted | all.refused));
        /* Types come first; of those that the kind alone decides nothing is left to do. */
        for (; node->run.fast < node->run.fast_end; node->run.fast++) {
            const struct instruction *in = SECTION(compiler, code, struct instruction, node->run.fast);
            struct kinds kinds = kinds_of(compiler, in);
            if (in->op != OP_TYPE || (kinds.accepted | kinds.refused) != ALL_KINDS) {
                break;
            }
        }
        bool is_single = (node->run.flags & SCHEMA_LEAF) != 0 && node->run.fast_end - node->run.fast == 1;
        node->run.flags |= is_single ? SCHEMA_SINGLE : 0u;
    }
}

/* ---- flat subschemas ---- */

enum {
    NOT_FLAT = 255,
    WAYS_MAX = 8 /* by which a flat subschema may come to one element, as nothing is remembered on them */
};

/* Of a unit: how deep it applies others, a leaf 0, a flat one up to FLAT_LEVELS_MAX, of others NOT_FLAT; and by how
 * many ways it comes to one element, at most. */
struct flat_rank {
    uint8_t level;
    uint8_t ways;
};

/* What the applicators of one subschema come to. */
struct flat_sum {
    uint32_t level;
    uint32_t members, items; /* ways to one of these */
};

static uint32_t larger(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

/* Of a subschema for the same value: it has its ways to the elements as well, of both kinds. */
static void add_in_place(struct flat_sum *sum, const struct flat_rank *ranks, uint32_t unit) {
    if (unit != NO_INDEX) {
        sum->level = larger(sum->level, ranks[unit].level);
        sum->members += ranks[unit].level > 0 ? ranks[unit].ways : 0u;
        sum->items += ranks[unit].level > 0 ? ranks[unit].ways : 0u;
    }
}

/* Of one for an element. *ways: those of the instruction's others, of which an element has one. */
static void add_element(struct flat_sum *sum, uint32_t *ways, const struct flat_rank *ranks, uint32_t unit) {
    if (unit != NO_INDEX) {
        sum->level = larger(sum->level, ranks[unit].level);
        *ways = larger(*ways, ranks[unit].ways);
    }
}

static void add_object(struct flat_sum *sum, const struct compiler *compiler, const struct flat_rank *ranks,
                       const struct object_rule *rule) {
    uint32_t ways = 1;
    add_element(sum, &ways, ranks, rule->additional);
    for (uint32_t i = 0; i < rule->pattern_count; i++) {
        uint32_t unit = *SECTION(compiler, links, uint32_t, rule->patterns + PATTERN_LINKS * i + 1);
        sum->level = ranks[unit].level > 0 ? NOT_FLAT : sum->level; /* leaves only */
    }
    if (rule->table != NO_INDEX) {
        const struct key_table *table = SECTION(compiler, tables, struct key_table, rule->table);
        for (uint32_t i = 0; i < table->count; i++) {
            add_element(sum, &ways, ranks, SECTION(compiler, keys, struct key, table->first + i)->schema);
        }
    }
    sum->members += ways;
}

static void add_applicator(struct flat_sum *sum, const struct compiler *compiler, const struct flat_rank *ranks,
                           const struct instruction *in) {
    uint32_t ways = 1;
    switch (in->op) {
    case OP_OBJECT:
        add_object(sum, compiler, ranks, SECTION(compiler, objects, struct object_rule, in->a));
        return;
    case OP_PROPERTY_NAMES:
        sum->level = ranks[in->a].level > 0 ? NOT_FLAT : sum->level; /* leaves only */
        return;
    case OP_ITEMS:
        add_element(sum, &ways, ranks, in->a);
        sum->items += ways;
        return;
    case OP_PREFIX_ITEMS:
        for (uint32_t i = 0; i < in->c; i++) {
            add_element(sum, &ways, ranks, *SECTION(compiler, links, uint32_t, in->b + i));
        }
        sum->items += ways;
        return;
    case OP_ANY_OF:
    case OP_ONE_OF:
        for (uint32_t i = 0; i < in->c; i++) {
            add_in_place(sum, ranks, *SECTION(compiler, links, uint32_t, in->b + i));
        }
        return;
    case OP_IF:
        add_in_place(sum, ranks, in->b);
        add_in_place(sum, ranks, in->c);
        add_in_place(sum, ranks, in->a);
        return;
    case OP_REF:
    case OP_NOT:
        add_in_place(sum, ranks, in->a);
        return;
    default:
        sum->level = NOT_FLAT;
    }
}

static struct flat_rank rank_of(const struct compiler *compiler, const struct flat_rank *ranks,
                                const struct schema_node *node) {
    struct flat_sum sum = {0};
    for (uint32_t at = node->run.fast; at < node->run.fast_end && sum.level != NOT_FLAT; at++) {
        const struct instruction *in = SECTION(compiler, code, struct instruction, at);
        if (in->op > OP_LAST_ASSERTION) {
            add_applicator(&sum, compiler, ranks, in);
        }
    }
    uint32_t ways = larger(1, larger(sum.members, sum.items));
    bool is_flat = sum.level < FLAT_LEVELS_MAX && ways <= WAYS_MAX;
    return is_flat ? (struct flat_rank){(uint8_t)(sum.level + 1), (uint8_t)ways} : (struct flat_rank){NOT_FLAT, 1};
}

static bool is_row(const struct compiler *compiler, const struct schema_node *node, uint8_t level) {
    bool is = level == 1;
    for (uint32_t at = node->run.fast; at < node->run.fast_end; at++) {
        uint8_t op = SECTION(compiler, code, struct instruction, at)->op;
        is = is && (op <= OP_LAST_ASSERTION || op == OP_ITEMS || op == OP_PREFIX_ITEMS);
    }
    return is;
}

/* Level by level, so that those that apply themselves never come to have one. */
void fast_mark_flat(struct compiler *compiler) {
    struct flat_rank *ranks = calloc(compiler->units.count, sizeof *ranks);
    if (ranks == NULL) {
        compile_no_memory(compiler);
        return;
    }
    for (uint32_t i = 0; i < compiler->units.count; i++) {
        uint32_t flags = SECTION(compiler, schemas, struct schema_node, i)->run.flags;
        ranks[i] = (struct flat_rank){.level = (flags & SCHEMA_LEAF) != 0 ? 0 : NOT_FLAT, .ways = 1};
    }
    for (uint8_t level = 1; level <= FLAT_LEVELS_MAX; level++) {
        for (uint32_t i = 0; i < compiler->units.count; i++) {
            struct schema_node *node = SECTION(compiler, schemas, struct schema_node, i);
            struct flat_rank rank = ranks[i].level == NOT_FLAT ? rank_of(compiler, ranks, node) : ranks[i];
            if (ranks[i].level == NOT_FLAT && rank.level == level) {
                ranks[i] = rank;
                node->run.flags |= is_row(compiler, node, level) ? SCHEMA_FLAT | SCHEMA_ROW : SCHEMA_FLAT;
            }
        }
    }
    free(ranks);
}

void fast_fill_keys(struct compiler *compiler) {
    static const struct schema_run ANY = {.flags = SCHEMA_LEAF, .accepts = UINT16_MAX};
    for (uint32_t i = 0; i < compiler->sections[SECTION_code].count; i++) {
        const struct instruction *in = SECTION(compiler, code, struct instruction, i);
        if (in->op != OP_OBJECT) {
            continue;
        }
        const struct object_rule *rule = SECTION(compiler, objects, struct object_rule, in->a);
        const struct key_table empty = {0};
        const struct key_table *table =
            rule->table != NO_INDEX ? SECTION(compiler, tables, struct key_table, rule->table) : &empty;
        for (uint32_t j = 0; j < table->count; j++) {
            struct key *key = SECTION(compiler, keys, struct key, table->first + j);
            /* What is required only is no property: it counts among the additional ones. */
            uint32_t unit = key->schema != NO_INDEX ? key->schema : rule->additional;
            key->run = unit != NO_INDEX ? SECTION(compiler, schemas, struct schema_node, unit)->run : ANY;
        }
    }
}
