/* evaluate_flat.h: subschemas that need no frame: assertions, and what applies them to elements or decides by them. */
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
enum step run_assertion(struct machine *machine, const struct instruction *in, const struct wire_item *item);
enum step run_assertions(struct machine *machine, const struct schema_node *node, const struct wire_item *item);

ALWAYS_INLINE enum step run_leaf(struct machine *machine, const struct schema_node *node,
                                 const struct wire_item *item) {
    return (node->flags & SCHEMA_SINGLE) != 0 ? run_assertion(machine, &machine->view->code[node->fast], item)
                                              : run_assertions(machine, node, item);
}

/* Of a flat one. Those that it applies wait on a stack of FLAT_LEVELS_MAX. */
enum step run_flat(struct machine *machine, const struct schema_node *node, const struct wire_item *item);

/* A walk over the members of a map. */
struct member_walk {
    const struct wire_item *name; /* the key that it is at */
    uint32_t left;
    uint32_t count; /* of required keys seen */
    /* Without frames, after STEP_CALL: what is to be asked of the member that it has passed. */
    const struct schema_node *node;
    const struct wire_item *value;
};

/* Goes on as long as members' subschemas are leaves, or with frames flat ones. STEP_CALL: with frames, the walk is at a
 * member whose subschema needs one; without, it has passed one whose subschema is flat. */
ALWAYS_INLINE enum step walk_members(struct machine *machine, const struct object_rule *rule, struct member_walk *walk,
                                     bool has_frames) {
    const struct wire_item *items = machine->items;
    const uint8_t *bytes = machine->bytes;
    const struct schema_node *schemas = machine->view->schemas;
    bool has_keys = rule->table != NO_INDEX;
    struct key_search search =
        has_keys ? key_search(machine->view, &machine->view->tables[rule->table]) : (struct key_search){0};
    const struct wire_item *name = walk->name;
    uint32_t left = walk->left;
    uint32_t count = walk->count;
    enum step step = STEP_PASS;
    while (left > 0) {
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
            bool is_leaf = (node->flags & SCHEMA_LEAF) != 0;
            if (has_frames && (node->flags & (SCHEMA_LEAF | SCHEMA_FLAT)) == 0) {
                step = STEP_CALL;
                break;
            }
            step = judge_kind(node, value->kind);
            if (step == STEP_CALL && is_leaf) {
                step = run_leaf(machine, node, value);
            } else if (step == STEP_CALL && has_frames) {
                step = run_flat(machine, node, value);
            } else if (step == STEP_CALL) {
                walk->node = node;
                walk->value = value;
            }
        }
        if (step == STEP_FAIL || step == STEP_LIMIT) {
            break;
        }
        count += key != NULL ? key->required : 0;
        name = &items[value->next];
        left--;
        if (step == STEP_CALL) {
            break;
        }
    }
    walk->name = name;
    walk->left = left;
    walk->count = count;
    return step;
}

#endif
