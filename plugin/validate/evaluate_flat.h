/* evaluate_flat.h: subschemas that need no frame: assertions, and applicators of assertions to elements. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_FLAT_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_FLAT_H

#include "validate/evaluate_assert.h"
#include "validate/hash.h"

/* What the kind of the value alone decides; STEP_CALL: nothing. To be asked before the fast code. */
ALWAYS_INLINE enum step judge_kind(const struct machine *machine, const struct schema_node *node, uint32_t value) {
    uint8_t kind = machine->items[value].kind;
    if ((node->undecided >> kind & 1) != 0) {
        return STEP_CALL;
    }
    return (node->accepts >> kind & 1) != 0 ? STEP_PASS : STEP_FAIL;
}

ALWAYS_INLINE enum step run_leaf(struct machine *machine, const struct schema_node *node, uint32_t value) {
    const struct instruction *end = machine->view->code + node->fast_end;
    for (const struct instruction *in = machine->view->code + node->fast; in < end; in++) {
        enum verdict verdict = assert_holds(machine, in, value);
        if (__builtin_expect(verdict != VERDICT_YES, 0)) {
            return (enum step)verdict;
        }
    }
    return STEP_PASS;
}

/* Applies itself to the subschemas' elements: FLAT_LEVELS_MAX deep. */
enum step run_flat(struct machine *machine, const struct schema_node *node, uint32_t value);

/* Of a leaf or a flat one. */
ALWAYS_INLINE enum step run_small(struct machine *machine, const struct schema_node *node, uint32_t value) {
    enum step judged = judge_kind(machine, node, value);
    if (judged != STEP_CALL) {
        return judged;
    }
    return (node->flags & SCHEMA_LEAF) != 0 ? run_leaf(machine, node, value) : run_flat(machine, node, value);
}

/* A walk over the members of a map. */
struct member_walk {
    uint32_t cursor; /* at a key */
    uint32_t left;
    uint32_t count; /* of required keys seen */
};

/* Goes on as long as members' subschemas have one of the flags. STEP_CALL: the walk is at a member whose one has not.
 */
ALWAYS_INLINE enum step walk_members(struct machine *machine, const struct object_rule *rule, struct member_walk *walk,
                                     uint32_t flags) {
    const struct wire_item *items = machine->items;
    const struct schema_node *schemas = machine->view->schemas;
    bool has_keys = rule->table != NO_INDEX;
    struct key_search search =
        has_keys ? key_search(machine->view, &machine->view->tables[rule->table]) : (struct key_search){0};
    uint32_t cursor = walk->cursor;
    uint32_t left = walk->left;
    uint32_t count = walk->count;
    enum step step = STEP_PASS;
    for (; left > 0; left--) {
        uint32_t value = items[cursor].next;
        const struct key *key = NULL;
        if (has_keys && items[cursor].kind == WIRE_STR) {
            key = key_search_find(&search, machine_text(machine, cursor), items[cursor].mark);
        }
        uint32_t schema = key != NULL && key->schema != NO_INDEX ? key->schema : rule->additional;
        if (schema != NO_INDEX) {
            const struct schema_node *node = &schemas[schema];
            uint32_t has = node->flags & flags;
            if (has == 0) {
                step = STEP_CALL;
                break;
            }
            step = run_small(machine, node, value);
            if (step != STEP_PASS) {
                break;
            }
        }
        count += key != NULL ? key->required : 0;
        cursor = items[value].next;
    }
    *walk = (struct member_walk){.cursor = cursor, .left = left, .count = count};
    return step;
}

#endif
