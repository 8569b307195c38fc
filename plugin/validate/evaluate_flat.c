/* evaluate_flat.c: running a subschema that needs no frame. */
#include "validate/evaluate_flat.h"

__attribute__((noinline)) enum step run_assertion(struct machine *machine, const struct instruction *in,
                                                  const struct wire_item *item) {
    return (enum step)assert_holds(machine, in, item);
}

enum step run_assertions(struct machine *machine, const struct schema_node *node, const struct wire_item *item) {
    const struct instruction *end = machine->view->code + node->fast_end;
    for (const struct instruction *in = machine->view->code + node->fast; in < end; in++) {
        enum step step = run_assertion(machine, in, item);
        if (__builtin_expect(step != STEP_PASS, 0)) {
            return step;
        }
    }
    return STEP_PASS;
}

/* ---- flat subschemas ---- */

/* A flat subschema at work on a value. It ends with the first instruction that fails. */
struct level {
    const struct instruction *in, *end; /* at the one that is executed */
    const struct wire_item *value;
    bool waits;              /* the instruction made a call, which came back well */
    struct member_walk walk; /* of the instruction; over an array's elements as well */
};

static void level_open(const struct machine *machine, struct level *level, const struct schema_node *node,
                       const struct wire_item *value) {
    level->in = machine->view->code + node->fast;
    level->end = machine->view->code + node->fast_end;
    level->value = value;
    level->waits = false;
}

/* Asks a leaf; of a flat one, notes what is to be asked. */
ALWAYS_INLINE enum step apply(struct machine *machine, struct level *level, const struct schema_node *node,
                              const struct wire_item *value) {
    enum step step = judge_kind(node, value->kind);
    if (step == STEP_CALL && (node->flags & SCHEMA_LEAF) != 0) {
        return run_leaf(machine, node, value);
    }
    level->walk.node = node;
    level->walk.value = value;
    return step;
}

static enum step level_object(struct machine *machine, struct level *level) {
    const struct object_rule *rule = &machine->view->objects[level->in->a];
    const struct wire_item *item = level->value;
    if (!level->waits) {
        if (item->kind != WIRE_MAP) {
            return rule->must_be_object ? STEP_FAIL : STEP_PASS;
        }
        if (item->size < rule->count_min || item->size > rule->count_max || item->size < rule->required) {
            return STEP_FAIL;
        }
        if (!work_spend(machine->work, item->size)) {
            return STEP_LIMIT;
        }
        level->walk = (struct member_walk){.name = item + 1, .left = item->size};
    }
    enum step step = walk_members(machine, rule, &level->walk, false);
    return step != STEP_PASS ? step : level->walk.count == rule->required ? STEP_PASS : STEP_FAIL;
}

static enum step level_items(struct machine *machine, struct level *level) {
    const struct wire_item *items = machine->items;
    const struct schema_node *node = &machine->view->schemas[level->in->a];
    const struct wire_item *element = level->walk.name;
    uint32_t left = level->walk.left;
    if (!level->waits) {
        if (level->value->kind != WIRE_ARRAY) {
            return STEP_PASS;
        }
        left = level->value->size;
        element = level->value + 1;
        if (!work_spend(machine->work, left)) {
            return STEP_LIMIT;
        }
        for (uint32_t i = 0; i < level->in->b && left > 0; i++, left--) {
            element = &items[element->next];
        }
    }
    enum step step = STEP_PASS;
    while (left > 0 && step == STEP_PASS) {
        step = apply(machine, level, node, element);
        element = &items[element->next];
        left--;
    }
    level->walk.name = element;
    level->walk.left = left;
    return step;
}

static enum step level_reference(struct machine *machine, struct level *level) {
    return level->waits ? STEP_PASS : apply(machine, level, &machine->view->schemas[level->in->a], level->value);
}

static enum step level_run(struct machine *machine, struct level *level) {
    enum step step = STEP_PASS;
    for (; level->in < level->end; level->in++) {
        step = level->in->op == OP_OBJECT  ? level_object(machine, level)
               : level->in->op == OP_ITEMS ? level_items(machine, level)
               : level->in->op == OP_REF   ? level_reference(machine, level)
                                           : run_assertion(machine, level->in, level->value);
        level->waits = step == STEP_CALL;
        if (step != STEP_PASS) {
            break;
        }
    }
    return step;
}

enum step run_flat(struct machine *machine, const struct schema_node *node, const struct wire_item *item) {
    struct level levels[FLAT_LEVELS_MAX];
    struct level *level = levels;
    level_open(machine, level, node, item);
    for (;;) {
        enum step step = level_run(machine, level);
        if (step == STEP_CALL) {
            level_open(machine, level + 1, level->walk.node, level->walk.value);
            level++;
        } else if (step != STEP_PASS || level == levels) {
            return step;
        } else {
            level--;
        }
    }
}
