/* compile_fast.c: the fast code of each subschema: what it refers to taken in, keywords fused, cheap checks first. */
#include "validate/compile_fast.h"

#include <stdlib.h>

struct fast_entry *fast_find(const struct fast *fast, uint32_t group, enum op op) {
    for (uint32_t i = 0; i < fast->entries.count; i++) {
        struct fast_entry *entry = FAST_ENTRY(fast, i);
        if (entry->group == group && entry->instruction.op == op) {
            return entry;
        }
    }
    return NULL;
}

void fast_add(struct fast *fast, uint32_t group, struct instruction instruction) {
    struct fast_entry entry = {.instruction = instruction, .group = group};
    if (!vector_append(&fast->entries, sizeof entry, &entry, 1)) {
        compile_no_memory(fast->compiler);
    }
}

/* ---- taking in what must hold as well ---- */

/* What is unevaluated is so within its own subschema alone. And a shared one must stay where what it said is
 * remembered, as copies of it would be run again and again; unless it is a matter of a few assertions. */
static bool may_be_taken_in(const struct compiler *compiler, const struct schema_node *node) {
    for (uint32_t i = node->plain; i < node->plain_end; i++) {
        uint8_t op = SECTION(compiler, code, struct instruction, i)->op;
        if (op == OP_UNEVALUATED_ITEMS || op == OP_UNEVALUATED_PROPERTIES ||
            (op > OP_LAST_ASSERTION && (node->run.flags & SCHEMA_SHARED) != 0)) {
            return false;
        }
    }
    return true;
}

/* The subschema's plain code becomes a group of its own, if there is room. */
static bool take_in(struct fast *fast, uint32_t unit) {
    struct compiler *compiler = fast->compiler;
    const struct schema_node node = *SECTION(compiler, schemas, struct schema_node, unit);
    uint32_t count = node.plain_end - node.plain;
    if (fast->entries.count + count > FAST_MAX || !may_be_taken_in(compiler, &node)) {
        return false;
    }
    uint32_t group = fast->groups++;
    for (uint32_t i = 0; i < count; i++) {
        fast_add(fast, group, *SECTION(compiler, code, struct instruction, node.plain + i));
    }
    return true;
}

/* Entries grow while the loop runs: what was taken in is looked at as well. */
static void take_in_references(struct fast *fast) {
    const struct compiler *compiler = fast->compiler;
    for (uint32_t i = 0; i < fast->entries.count && compiler->status == OK; i++) {
        struct fast_entry entry = *FAST_ENTRY(fast, i);
        struct instruction in = entry.instruction;
        if (in.op == OP_REF && take_in(fast, in.a)) {
            FAST_ENTRY(fast, i)->instruction.op = OP_COUNT;
        }
        if (in.op != OP_ALL_OF || fast->entries.count + in.c > FAST_MAX) {
            continue;
        }
        FAST_ENTRY(fast, i)->instruction.op = OP_COUNT;
        for (uint32_t branch = 0; branch < in.c && compiler->status == OK; branch++) {
            uint32_t unit = *SECTION(compiler, links, uint32_t, in.b + branch);
            if (!take_in(fast, unit)) {
                /* A group of its own: its subschema stays a call. */
                fast_add(fast, fast->groups++, (struct instruction){.op = OP_REF, .keyword = in.keyword, .a = unit});
            }
        }
    }
}

/* ---- order ---- */

static uint32_t cost(const struct instruction *in) {
    static const uint8_t COSTS[OP_COUNT] = {
        [OP_FAIL] = 0,
        [OP_TYPE] = 1,
        [OP_INTEGER_RANGE] = 2,
        [OP_NUMBER_RANGE] = 2,
        [OP_MAX_ITEMS] = 2,
        [OP_MIN_ITEMS] = 2,
        [OP_MAX_PROPERTIES] = 2,
        [OP_MIN_PROPERTIES] = 2,
        [OP_MAXIMUM] = 3,
        [OP_EXCLUSIVE_MAXIMUM] = 3,
        [OP_MINIMUM] = 3,
        [OP_EXCLUSIVE_MINIMUM] = 3,
        [OP_STRING_LENGTH] = 4,
        [OP_MAX_LENGTH] = 4,
        [OP_MIN_LENGTH] = 4,
        [OP_CONST] = 5,
        [OP_ENUM] = 5,
        [OP_MULTIPLE_OF] = 6,
        [OP_REQUIRED] = 7,
        [OP_DEPENDENT_REQUIRED] = 8,
        [OP_PATTERN] = 9,
        [OP_FORMAT] = 10,
        [OP_UNIQUE_ITEMS] = 20,
        [OP_OBJECT] = 11,
        [OP_PROPERTIES] = 11,
        [OP_PREFIX_ITEMS] = 12,
        [OP_ITEMS] = 12,
        [OP_PROPERTY_NAMES] = 13,
        [OP_PATTERN_PROPERTIES] = 13,
        [OP_ADDITIONAL_PROPERTIES] = 14,
        [OP_CONTAINS] = 15,
        [OP_REF] = 15,
        [OP_ALL_OF] = 15,
        [OP_IF] = 16,
        [OP_ANY_OF] = 16,
        [OP_ONE_OF] = 17,
        [OP_NOT] = 16,
        [OP_DEPENDENT_SCHEMAS] = 16,
        [OP_UNEVALUATED_ITEMS] = 30, /* after all that may evaluate */
        [OP_UNEVALUATED_PROPERTIES] = 30,
    };
    return COSTS[in->op];
}

static int by_cost(const void *a, const void *b) {
    const struct fast_entry *left = a;
    const struct fast_entry *right = b;
    uint32_t costs[2] = {cost(&left->instruction), cost(&right->instruction)};
    if (costs[0] != costs[1]) {
        return costs[0] < costs[1] ? -1 : 1;
    }
    /* In the order of the schema: qsort alone does not promise it. */
    return left->group != right->group ? (left->group < right->group ? -1 : 1)
                                       : (left->instruction.order > right->instruction.order) -
                                             (left->instruction.order < right->instruction.order);
}

static void write_code(struct fast *fast, uint32_t unit) {
    struct compiler *compiler = fast->compiler;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fast->entries.count; i++) {
        struct fast_entry entry = *FAST_ENTRY(fast, i);
        if (entry.instruction.op != OP_COUNT) {
            entry.instruction.order = (uint16_t)kept;
            *FAST_ENTRY(fast, kept++) = entry;
        }
    }
    if (kept > 1) {
        qsort(fast->entries.data, kept, sizeof(struct fast_entry), by_cost);
    }
    uint32_t first = compiler->sections[SECTION_code].count;
    uint32_t flags = SCHEMA_LEAF;
    for (uint32_t i = 0; i < kept; i++) {
        const struct instruction *in = &FAST_ENTRY(fast, i)->instruction;
        flags &= in->op > OP_LAST_ASSERTION ? ~(uint32_t)SCHEMA_LEAF : UINT32_MAX;
        flags |= in->op == OP_UNEVALUATED_ITEMS        ? SCHEMA_FAST_TRACKS_ITEMS
                 : in->op == OP_UNEVALUATED_PROPERTIES ? SCHEMA_FAST_TRACKS_PROPERTIES
                                                       : 0u;
        compile_append(compiler, SECTION_code, in, 1);
    }
    struct schema_node *node = SECTION(compiler, schemas, struct schema_node, unit);
    node->run.fast = first;
    node->run.fast_end = first + kept;
    node->run.flags |= flags;
}

/* ---- what subschemas evaluate ---- */

static uint8_t own_evaluates(struct compiler *compiler, struct schema_node *node) {
    uint8_t set = 0;
    for (uint32_t i = node->plain; i < node->plain_end; i++) {
        uint8_t op = SECTION(compiler, code, struct instruction, i)->op;
        if (op == OP_PROPERTIES || op == OP_PATTERN_PROPERTIES || op == OP_ADDITIONAL_PROPERTIES) {
            set |= SCHEMA_TRACKS_PROPERTIES;
        } else if (op == OP_PREFIX_ITEMS || op == OP_ITEMS || op == OP_CONTAINS) {
            set |= SCHEMA_TRACKS_ITEMS;
        } else if (op == OP_UNEVALUATED_ITEMS) {
            set |= SCHEMA_TRACKS_ITEMS;
            node->run.flags |= SCHEMA_TRACKS_ITEMS;
        } else if (op == OP_UNEVALUATED_PROPERTIES) {
            set |= SCHEMA_TRACKS_PROPERTIES;
            node->run.flags |= SCHEMA_TRACKS_PROPERTIES;
        }
    }
    return set;
}

static int by_start(const void *a, const void *b) {
    const struct edge *left = a;
    const struct edge *right = b;
    return left->from != right->from ? (left->from < right->from ? -1 : 1)
                                     : (left->to > right->to) - (left->to < right->to);
}

/* Own keywords, and those of all that is applied to the same value, which come first in `order`. */
static void find_evaluates(struct compiler *compiler, uint8_t *evaluates) {
    uint32_t units = compiler->units.count;
    if (compiler->edges.count > 1) {
        qsort(compiler->edges.data, compiler->edges.count, sizeof(struct edge), by_start);
    }
    for (uint32_t i = 0; i < units; i++) {
        uint32_t unit = *VECTOR_AT(compiler->order, uint32_t, i);
        evaluates[unit] = own_evaluates(compiler, SECTION(compiler, schemas, struct schema_node, unit));
        uint32_t low = 0;
        uint32_t high = compiler->edges.count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            bool is_before = VECTOR_AT(compiler->edges, struct edge, middle)->from < unit;
            low = is_before ? middle + 1 : low;
            high = is_before ? high : middle;
        }
        for (; low < compiler->edges.count; low++) {
            const struct edge *edge = VECTOR_AT(compiler->edges, struct edge, low);
            if (edge->from != unit) {
                break;
            }
            evaluates[unit] |= edge->in_place ? evaluates[edge->to] : 0;
        }
    }
}

static void fast_done(struct fast *fast) {
    vector_done(&fast->entries);
}

static void make_fast(struct compiler *compiler, uint32_t unit, const uint8_t *evaluates) {
    CLEANUP(fast_done) struct fast fast = {.compiler = compiler, .groups = 1};
    const struct schema_node node = *SECTION(compiler, schemas, struct schema_node, unit);
    for (uint32_t i = node.plain; i < node.plain_end; i++) {
        fast_add(&fast, 0, *SECTION(compiler, code, struct instruction, i));
    }
    take_in_references(&fast);
    fast_settle_rest(&fast, evaluates);
    for (uint32_t group = 0; group < fast.groups && compiler->status == OK; group++) {
        fast_fuse(&fast, group);
    }
    if (compiler->status == OK && compile_spend(compiler, (uint64_t)fast.entries.count * fast.groups)) {
        write_code(&fast, unit);
    }
}

enum status compile_fast(struct compiler *compiler) {
    uint8_t *evaluates = calloc(compiler->units.count, 1);
    if (evaluates == NULL) {
        return compile_no_memory(compiler);
    }
    find_evaluates(compiler, evaluates);
    for (uint32_t i = 0; i < compiler->units.count && compiler->status == OK; i++) {
        make_fast(compiler, i, evaluates);
    }
    if (compiler->status == OK) {
        fast_mark_kinds(compiler);
        fast_mark_flat(compiler);
        fast_fill_keys(compiler);
    }
    free(evaluates);
    return compiler->status;
}
