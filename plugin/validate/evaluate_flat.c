/* evaluate_flat.c: running a subschema that needs no frame. */
#include "validate/evaluate_flat.h"

__attribute__((noinline)) enum step run_assertion(struct machine *machine, const struct instruction *in,
                                                  uint32_t value) {
    return (enum step)assert_holds(machine, in, value);
}

enum step run_assertions(struct machine *machine, const struct schema_node *node, uint32_t value) {
    const struct instruction *end = machine->view->code + node->fast_end;
    for (const struct instruction *in = machine->view->code + node->fast; in < end; in++) {
        enum step step = run_assertion(machine, in, value);
        if (__builtin_expect(step != STEP_PASS, 0)) {
            return step;
        }
    }
    return STEP_PASS;
}

static enum step run_object(struct machine *machine, const struct object_rule *rule, uint32_t value) {
    const struct wire_item *item = &machine->items[value];
    if (item->kind != WIRE_MAP) {
        return rule->must_be_object ? STEP_FAIL : STEP_PASS;
    }
    if (item->size < rule->count_min || item->size > rule->count_max || item->size < rule->required) {
        return STEP_FAIL;
    }
    if (!work_spend(machine->work, item->size)) {
        return STEP_LIMIT;
    }
    struct member_walk walk = {.cursor = value + 1, .left = item->size};
    enum step step = walk_members(machine, rule, &walk, true);
    return step != STEP_PASS ? step : walk.count == rule->required ? STEP_PASS : STEP_FAIL;
}

static enum step run_items(struct machine *machine, const struct instruction *in, uint32_t value) {
    const struct wire_item *items = machine->items;
    const struct schema_node *node = &machine->view->schemas[in->a];
    if (items[value].kind != WIRE_ARRAY) {
        return STEP_PASS;
    }
    if (!work_spend(machine->work, items[value].size)) {
        return STEP_LIMIT;
    }
    uint32_t element = value + 1;
    for (uint32_t i = 0; i < items[value].size; i++, element = items[element].next) {
        enum step step = i >= in->b ? run_small(machine, node, &items[element]) : STEP_PASS;
        if (step != STEP_PASS) {
            return step;
        }
    }
    return STEP_PASS;
}

enum step run_flat(struct machine *machine, const struct schema_node *node, uint32_t value) {
    for (uint32_t pc = node->fast; pc < node->fast_end; pc++) {
        const struct instruction *in = &machine->view->code[pc];
        enum step step = in->op == OP_OBJECT  ? run_object(machine, &machine->view->objects[in->a], value)
                         : in->op == OP_ITEMS ? run_items(machine, in, value)
                         : in->op == OP_REF ? run_small(machine, &machine->view->schemas[in->a], &machine->items[value])
                                            : run_assertion(machine, in, value);
        if (step != STEP_PASS) {
            return step;
        }
    }
    return STEP_PASS;
}
