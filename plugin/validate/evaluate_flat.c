/* evaluate_flat.c: running a subschema that needs no frame. */
#include "validate/evaluate_flat.h"

__attribute__((noinline)) enum step run_assertion(struct machine *machine, const struct instruction *in,
                                                  const struct wire_item *item) {
    return (enum step)assert_holds(machine, in, item);
}

enum step run_assertions(struct machine *machine, const struct schema_run *run, const struct wire_item *item) {
    const struct instruction *end = machine->view.code + run->fast_end;
    for (const struct instruction *in = machine->view.code + run->fast; in < end; in++) {
        enum step step = run_assertion(machine, in, item);
        if (__builtin_expect(step != STEP_PASS, 0)) {
            return step;
        }
    }
    return STEP_PASS;
}

/* ---- rows ---- */

static enum step row_items(struct machine *machine, const struct instruction *in, const struct wire_item *array) {
    const struct wire_item *items = machine->items;
    const struct schema_run *run = &machine->view.schemas[in->a].run;
    const struct wire_item *element = array + 1;
    uint32_t left = array->size;
    if (!work_spend(machine->work, left)) {
        return STEP_LIMIT;
    }
    for (uint32_t passed = 0; passed < in->b && left > 0; passed++, left--) {
        element = &items[element->next];
    }
    for (; left > 0; left--) {
        enum step step = judge_kind(run, element->kind);
        step = step == STEP_CALL ? run_leaf(machine, run, element) : step;
        if (step != STEP_PASS) {
            return step;
        }
        element = &items[element->next];
    }
    return STEP_PASS;
}

static enum step row_prefix(struct machine *machine, const struct instruction *in, const struct wire_item *array) {
    const struct wire_item *element = array + 1;
    uint32_t count = array->size < in->c ? array->size : in->c;
    if (!work_spend(machine->work, count)) {
        return STEP_LIMIT;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct schema_run *run = &machine->view.schemas[machine->view.links[in->b + i]].run;
        enum step step = judge_kind(run, element->kind);
        step = step == STEP_CALL ? run_leaf(machine, run, element) : step;
        if (step != STEP_PASS) {
            return step;
        }
        element = &machine->items[element->next];
    }
    return STEP_PASS;
}

enum step run_row(struct machine *machine, const struct schema_run *run, const struct wire_item *item) {
    const struct instruction *end = machine->view.code + run->fast_end;
    for (const struct instruction *in = machine->view.code + run->fast; in < end; in++) {
        enum step step = STEP_PASS;
        if (in->op <= OP_LAST_ASSERTION) {
            step = run_assertion(machine, in, item);
        } else if (item->kind == WIRE_ARRAY) {
            step = in->op == OP_ITEMS ? row_items(machine, in, item) : row_prefix(machine, in, item);
        }
        if (step != STEP_PASS) {
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
    enum step result;        /* of the call that it made; STEP_CALL: none is waited for */
    struct member_walk walk; /* of the instruction: over elements, or over branches, of which `count` matched */
};

/* False: a limit, as each keyword is a step. */
static bool level_open(const struct machine *machine, struct level *level, const struct schema_run *run,
                       const struct wire_item *value) {
    level->in = machine->view.code + run->fast;
    level->end = machine->view.code + run->fast_end;
    level->value = value;
    level->result = STEP_CALL;
    return work_spend(machine->work, run->fast_end - run->fast);
}

/* Asks a leaf or a row; of a flat one, notes what is to be asked. */
ALWAYS_INLINE enum step apply(struct machine *machine, struct level *level, uint32_t schema,
                              const struct wire_item *value) {
    level->walk.run = &machine->view.schemas[schema].run;
    level->walk.value = value;
    return run_small(machine, level->walk.run, value);
}

/* ---- to elements ---- */

/* What the patterns that match the name, whose subschemas are leaves, say of the member. */
static enum step run_patterns(struct machine *machine, const struct object_rule *rule, const struct wire_item *name,
                              const struct wire_item *value, bool *is_named) {
    for (uint32_t i = 0; i < rule->pattern_count && name->kind == WIRE_STR; i++) {
        const uint32_t *link = &machine->view.links[rule->patterns + PATTERN_LINKS * i];
        enum verdict matches = assert_search(machine, link[0], machine_index(machine, name));
        if (matches == VERDICT_LIMIT) {
            return STEP_LIMIT;
        }
        if (matches == VERDICT_YES) {
            const struct schema_run *run = &machine->view.schemas[link[1]].run;
            enum step step = judge_kind(run, value->kind);
            step = step == STEP_CALL ? run_leaf(machine, run, value) : step;
            *is_named = true;
            if (step != STEP_PASS) {
                return step;
            }
        }
    }
    return STEP_PASS;
}

/* walk_members without frames, of a rule with patterns. */
static enum step walk_patterns(struct machine *machine, const struct object_rule *rule, struct level *level) {
    struct member_walk *walk = &level->walk;
    while (walk->left > 0) {
        const struct wire_item *name = walk->name;
        const struct wire_item *value = &machine->items[name->next];
        const struct key *key = NULL;
        if (rule->table != NO_INDEX && name->kind == WIRE_STR) {
            key = machine_find_key(machine, &machine->view.tables[rule->table], machine_index(machine, name));
        }
        uint32_t schema = key != NULL ? key->schema : NO_INDEX;
        bool is_named = schema != NO_INDEX;
        enum step step = run_patterns(machine, rule, name, value, &is_named);
        schema = is_named ? schema : rule->additional;
        if (step == STEP_PASS && schema != NO_INDEX) {
            step = apply(machine, level, schema, value);
        }
        walk->count += key != NULL ? key->required : 0;
        walk->name = &machine->items[value->next];
        walk->left--;
        if (step != STEP_PASS) {
            return step;
        }
    }
    return STEP_PASS;
}

static enum step level_object(struct machine *machine, struct level *level, enum step result) {
    const struct object_rule *rule = &machine->view.objects[level->in->a];
    const struct wire_item *item = level->value;
    if (result == STEP_FAIL) {
        return STEP_FAIL;
    }
    if (result == STEP_CALL) {
        if (item->kind != WIRE_MAP) {
            return rule->must_be_object ? STEP_FAIL : STEP_PASS;
        }
        if (item->size < rule->count_min || item->size > rule->count_max || item->size < rule->required) {
            return STEP_FAIL;
        }
        if (!work_spend(machine->work, item->size)) {
            return STEP_LIMIT;
        }
        walk_begin(machine, rule, &level->walk, item);
    }
    enum step step = rule->pattern_count > 0 ? walk_patterns(machine, rule, level)
                                             : walk_members(machine, rule, &level->walk, false);
    return step != STEP_PASS ? step : level->walk.count == rule->required ? STEP_PASS : STEP_FAIL;
}

/* Begins a walk over an array's elements. False: a limit. */
ALWAYS_INLINE bool first_of(struct machine *machine, struct level *level) {
    level->walk.name = level->value + 1;
    level->walk.left = level->value->size;
    return work_spend(machine->work, level->walk.left);
}

static enum step level_items(struct machine *machine, struct level *level, enum step result) {
    const struct wire_item *items = machine->items;
    const struct instruction *in = level->in;
    if (result == STEP_FAIL) {
        return STEP_FAIL;
    }
    if (result == STEP_CALL) {
        if (level->value->kind != WIRE_ARRAY) {
            return STEP_PASS;
        }
        if (!first_of(machine, level)) {
            return STEP_LIMIT;
        }
        for (uint32_t i = 0; i < in->b && level->walk.left > 0; i++, level->walk.left--) {
            level->walk.name = &items[level->walk.name->next];
        }
    }
    const struct wire_item *element = level->walk.name;
    uint32_t left = level->walk.left;
    enum step step = STEP_PASS;
    while (left > 0 && step == STEP_PASS) {
        step = apply(machine, level, in->a, element);
        element = &items[element->next];
        left--;
    }
    level->walk.name = element;
    level->walk.left = left;
    return step;
}

static enum step level_prefix(struct machine *machine, struct level *level, enum step result) {
    const struct instruction *in = level->in;
    struct member_walk *walk = &level->walk;
    if (result == STEP_FAIL) {
        return STEP_FAIL;
    }
    if (result == STEP_CALL) {
        if (level->value->kind != WIRE_ARRAY) {
            return STEP_PASS;
        }
        if (!first_of(machine, level)) {
            return STEP_LIMIT;
        }
        walk->left = walk->left < in->c ? walk->left : in->c;
        walk->count = 0;
    }
    while (walk->count < walk->left) {
        enum step step = apply(machine, level, machine->view.links[in->b + walk->count], walk->name);
        walk->name = &machine->items[walk->name->next];
        walk->count++;
        if (step != STEP_PASS) {
            return step;
        }
    }
    return STEP_PASS;
}

/* The names' subschema is a leaf. */
static enum step level_names(struct machine *machine, struct level *level) {
    const struct wire_item *items = machine->items;
    if (level->value->kind != WIRE_MAP) {
        return STEP_PASS;
    }
    if (!first_of(machine, level)) {
        return STEP_LIMIT;
    }
    const struct wire_item *name = level->walk.name;
    for (uint32_t left = level->walk.left; left > 0; left--) {
        enum step step = apply(machine, level, level->in->a, name);
        if (step != STEP_PASS) {
            return step;
        }
        name = &items[items[name->next].next];
    }
    return STEP_PASS;
}

/* ---- to the same value ---- */

static enum step level_reference(struct machine *machine, struct level *level, enum step result) {
    return result != STEP_CALL ? result : apply(machine, level, level->in->a, level->value);
}

static enum step level_not(struct machine *machine, struct level *level, enum step result) {
    if (result == STEP_CALL) {
        result = apply(machine, level, level->in->a, level->value);
    }
    return result >= STEP_LIMIT ? result : result == STEP_PASS ? STEP_FAIL : STEP_PASS;
}

/* As soon as the outcome is known the rest of the branches does not matter. */
static enum step level_branches(struct machine *machine, struct level *level, enum step result) {
    const struct instruction *in = level->in;
    struct member_walk *walk = &level->walk;
    if (result == STEP_CALL) {
        walk->left = in->c;
        walk->count = 0;
    } else {
        walk->count += result == STEP_PASS;
    }
    uint32_t enough = in->op == OP_ANY_OF ? 1 : 2;
    while (walk->left > 0 && walk->count < enough) {
        if (!work_spend(machine->work, 1)) {
            return STEP_LIMIT;
        }
        enum step step = apply(machine, level, machine->view.links[in->b + in->c - walk->left--], level->value);
        if (step >= STEP_LIMIT) {
            return step;
        }
        walk->count += step == STEP_PASS;
    }
    return walk->count == 1 ? STEP_PASS : STEP_FAIL;
}

static enum step level_if(struct machine *machine, struct level *level, enum step result) {
    const struct instruction *in = level->in;
    if (result == STEP_CALL) {
        level->walk.left = 1; /* the condition is not known yet */
        result = apply(machine, level, in->a, level->value);
    }
    if (result >= STEP_LIMIT || level->walk.left == 0) {
        return result;
    }
    uint32_t consequence = result == STEP_PASS ? in->b : in->c;
    level->walk.left = 0;
    return consequence == NO_INDEX ? STEP_PASS : apply(machine, level, consequence, level->value);
}

/* ---- the run ---- */

/* `result`: of the call that the instruction made before; STEP_CALL: it begins. */
static enum step level_step(struct machine *machine, struct level *level, enum step result) {
    switch (level->in->op) {
    case OP_OBJECT:
        return level_object(machine, level, result);
    case OP_ITEMS:
        return level_items(machine, level, result);
    case OP_PREFIX_ITEMS:
        return level_prefix(machine, level, result);
    case OP_PROPERTY_NAMES:
        return level_names(machine, level);
    case OP_REF:
        return level_reference(machine, level, result);
    case OP_NOT:
        return level_not(machine, level, result);
    case OP_ANY_OF:
    case OP_ONE_OF:
        return level_branches(machine, level, result);
    case OP_IF:
        return level_if(machine, level, result);
    default:
        return run_assertion(machine, level->in, level->value);
    }
}

static enum step level_run(struct machine *machine, struct level *level) {
    enum step result = level->result;
    for (; level->in < level->end; level->in++) {
        enum step step = level_step(machine, level, result);
        if (step != STEP_PASS) {
            return step;
        }
        result = STEP_CALL;
    }
    return STEP_PASS;
}

enum step run_flat(struct machine *machine, const struct schema_run *run, const struct wire_item *item) {
    struct level levels[FLAT_LEVELS_MAX];
    struct level *level = levels;
    bool is_open = level_open(machine, level, run, item);
    for (;;) {
        enum step step = is_open ? level_run(machine, level) : STEP_LIMIT;
        if (step == STEP_CALL) {
            is_open = level_open(machine, level + 1, level->walk.run, level->walk.value);
            level++;
        } else if (step == STEP_LIMIT || level == levels) {
            return step;
        } else {
            level--;
            level->result = step;
        }
    }
}
