/* evaluate_flat.h: subschemas that need no frame: assertions, and applicators of assertions to elements. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_FLAT_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_FLAT_H

#include "validate/evaluate_assert.h"
#include "validate/hash.h"

/* What the kind of a value alone decides; STEP_CALL: nothing. To be asked before the fast code. */
ALWAYS_INLINE enum step judge_kind(const struct schema_node *node, uint8_t kind) {
    if ((node->undecided >> kind & 1) != 0) {
        return STEP_CALL;
    }
    return (node->accepts >> kind & 1) != 0 ? STEP_PASS : STEP_FAIL;
}

/* Whatever the kind. Calls of their own, as the many cases would take the registers of the walks around them; and two,
 * as most leaves are one assertion, which needs none of the registers that a loop would save. */
enum step run_assertion(struct machine *machine, const struct instruction *in, uint32_t value);
enum step run_assertions(struct machine *machine, const struct schema_node *node, uint32_t value);

ALWAYS_INLINE enum step run_leaf(struct machine *machine, const struct schema_node *node, uint32_t value) {
    return (node->flags & SCHEMA_SINGLE) != 0 ? run_assertion(machine, &machine->view->code[node->fast], value)
                                              : run_assertions(machine, node, value);
}

/* Applies itself to the subschemas' elements: FLAT_LEVELS_MAX deep. */
enum step run_flat(struct machine *machine, const struct schema_node *node, uint32_t value);

/* Of a leaf or a flat one. */
ALWAYS_INLINE enum step run_small(struct machine *machine, const struct schema_node *node,
                                  const struct wire_item *item) {
    uint32_t value = (uint32_t)(item - machine->items);
    enum step judged = judge_kind(node, item->kind);
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

/* Goes on as long as members' subschemas are leaves or flat; `all_flat`: they all are. STEP_CALL: the walk is at a
 * member whose one is not. */
ALWAYS_INLINE enum step walk_members(struct machine *machine, const struct object_rule *rule, struct member_walk *walk,
                                     bool all_flat) {
    const struct wire_item *items = machine->items;
    const uint8_t *bytes = machine->bytes;
    const struct schema_node *schemas = machine->view->schemas;
    bool has_keys = rule->table != NO_INDEX;
    struct key_search search =
        has_keys ? key_search(machine->view, &machine->view->tables[rule->table]) : (struct key_search){0};
    const struct wire_item *name = &items[walk->cursor];
    uint32_t left = walk->left;
    uint32_t count = walk->count;
    enum step step = STEP_PASS;
    for (; left > 0; left--) {
        const struct wire_item *value = name + 1;
        const struct key *key = NULL;
        if (__builtin_expect(name->kind != WIRE_STR, 0)) {
            value = &items[name->next];
        } else if (has_keys) {
            struct bytes text = {bytes + name->offset + name->header_size, name->size};
            key = key_search_find(&search, text, name->mark);
        }
        uint32_t schema = key != NULL && key->schema != NO_INDEX ? key->schema : rule->additional;
        if (schema != NO_INDEX) {
            const struct schema_node *node = &schemas[schema];
            if (!all_flat && (node->flags & (SCHEMA_LEAF | SCHEMA_FLAT)) == 0) {
                step = STEP_CALL;
                break;
            }
            step = run_small(machine, node, value);
            if (step != STEP_PASS) {
                break;
            }
        }
        count += key != NULL ? key->required : 0;
        name = &items[value->next];
    }
    *walk = (struct member_walk){.cursor = (uint32_t)(name - items), .left = left, .count = count};
    return step;
}

#endif
