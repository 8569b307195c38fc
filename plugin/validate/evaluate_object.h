/* evaluate_object.h: applicators to the members of objects. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_OBJECT_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_OBJECT_H

#include "validate/evaluate_call.h"
#include "validate/hash.h"

/* Begins a walk over the pairs of the frame's map; the cursor is at keys. False: a limit. */
ALWAYS_INLINE bool first_pair(struct machine *machine, struct frame *frame) {
    frame->cursor = frame->value + 1;
    frame->left = machine->items[frame->value].size;
    frame->ordinal = 0;
    frame->named = false;
    return work_spend(machine->work, frame->left);
}

ALWAYS_INLINE void next_pair(const struct machine *machine, struct frame *frame) {
    frame->cursor = machine->items[machine->items[frame->cursor].next].next;
    frame->left--;
    frame->ordinal++;
    frame->stage = 0;
    frame->named = false;
}

ALWAYS_INLINE const struct key *find_name(struct machine *machine, uint32_t table_number, uint32_t item) {
    if (table_number == NO_INDEX || machine->items[item].kind != WIRE_STR) {
        return NULL;
    }
    return machine_find_key(machine, &machine->view.tables[table_number], item);
}

/* Does a pattern of patternProperties name the key? */
static inline enum verdict match_name(struct machine *machine, uint32_t pattern, uint32_t item) {
    if (machine->items[item].kind != WIRE_STR) {
        return VERDICT_NO;
    }
    return assert_search(machine, pattern, item);
}

/* VERDICT_YES: neither a property nor a pattern names the key. */
static inline enum verdict is_additional(struct machine *machine, const struct object_rule *rule, uint32_t item) {
    if (find_name(machine, rule->table, item) != NULL) {
        return VERDICT_NO;
    }
    for (uint32_t i = 0; i < rule->pattern_count; i++) {
        enum verdict verdict = match_name(machine, machine->view.links[rule->patterns + PATTERN_LINKS * i], item);
        if (verdict != VERDICT_NO) {
            return verdict == VERDICT_LIMIT ? VERDICT_LIMIT : VERDICT_NO;
        }
    }
    return VERDICT_YES;
}

/* The subschema for the member that the walk is at; NO_INDEX: none. VERDICT_LIMIT: a limit. */
ALWAYS_INLINE enum verdict member_schema(struct machine *machine, enum mode mode, const struct frame *frame,
                                         const struct instruction *in, uint32_t *ret_schema) {
    enum verdict verdict = VERDICT_YES;
    *ret_schema = in->a;
    switch (in->op) {
    case OP_PROPERTIES: {
        const struct key *key = find_name(machine, in->a, frame->cursor);
        *ret_schema = key != NULL ? key->schema : NO_INDEX;
        if (key != NULL) {
            set_branch(machine, mode, BRANCH_TEXT, key->text, key->size);
        }
        return VERDICT_YES;
    }
    case OP_ADDITIONAL_PROPERTIES:
        verdict = is_additional(machine, &machine->view.objects[in->a], frame->cursor);
        *ret_schema = machine->view.objects[in->a].additional;
        break;
    case OP_UNEVALUATED_PROPERTIES:
        verdict = ASSERT(mode != MODE_FAST && !set_has(machine, frame->track, frame->ordinal));
        break;
    default: /* OP_PROPERTY_NAMES */
        break;
    }
    set_branch(machine, mode, BRANCH_NONE, 0, 0);
    if (verdict == VERDICT_NO) {
        *ret_schema = NO_INDEX;
    }
    return verdict;
}

/* properties, additionalProperties, propertyNames, unevaluatedProperties: each member, or its name, under the subschema
 * that is for it. */
ALWAYS_INLINE enum step step_members(struct machine *machine, enum mode mode, struct frame *frame,
                                     const struct instruction *in) {
    if (machine->items[frame->value].kind != WIRE_MAP) {
        return STEP_PASS;
    }
    bool is_names = in->op == OP_PROPERTY_NAMES;
    if (begin(machine, mode, frame)) {
        if (!first_pair(machine, frame)) {
            return STEP_LIMIT;
        }
    } else {
        if (!accept(mode, frame, machine->result)) {
            return STEP_FAIL;
        }
        if (!is_names) {
            mark_evaluated(machine, mode, frame, frame->ordinal);
        }
        next_pair(machine, frame);
    }
    for (; frame->left > 0; next_pair(machine, frame)) {
        uint32_t schema;
        if (member_schema(machine, mode, frame, in, &schema) == VERDICT_LIMIT) {
            return STEP_LIMIT;
        }
        if (schema == NO_INDEX) {
            continue;
        }
        uint32_t value = is_names ? frame->cursor : machine->items[frame->cursor].next;
        enum step step = call(machine, mode, schema, value, is_names ? KEY : ELEMENT, frame->ordinal);
        if (step >= STEP_LIMIT) {
            return step;
        }
        if (!accept(mode, frame, step == STEP_PASS)) {
            return STEP_FAIL;
        }
        if (!is_names) {
            mark_evaluated(machine, mode, frame, frame->ordinal);
        }
    }
    return DONE(frame);
}

/* Explanations follow the order of the schema. Where the walk finds the members, by key number: their keys' items in
 * scratch memory, 0 where there is none; and their places, in a second row. False: a limit. */
static inline bool find_members(struct machine *machine, struct frame *frame, const struct key_table *table) {
    uint32_t rows = work_reserve(machine->work, 2 * (uint64_t)table->count * sizeof(uint32_t));
    frame->stage = rows;
    if (rows == WORK_NONE || !first_pair(machine, frame)) {
        return false;
    }
    uint32_t *row = work_at(machine->work, rows);
    for (uint32_t ordinal = 0; frame->left > 0; frame->left--, ordinal++) {
        const struct key *key = machine_find_key(machine, table, frame->cursor);
        if (key != NULL) {
            row[key - &machine->view.keys[table->first]] = frame->cursor;
            row[table->count + (key - &machine->view.keys[table->first])] = ordinal;
        }
        frame->cursor = machine->items[machine->items[frame->cursor].next].next;
    }
    return true;
}

/* OP_PROPERTIES in explanations. frame->left is the number of the key that it is at. */
static inline enum step step_properties_in_order(struct machine *machine, struct frame *frame,
                                                 const struct instruction *in) {
    const struct key_table *table = &machine->view.tables[in->a];
    if (machine->items[frame->value].kind != WIRE_MAP) {
        return STEP_PASS;
    }
    if (begin(machine, MODE_EXPLAIN, frame)) {
        if (!find_members(machine, frame, table)) {
            return STEP_LIMIT;
        }
        frame->left = 0;
    } else {
        (void)accept(MODE_EXPLAIN, frame, machine->result);
        frame->left++;
    }
    for (; frame->left < table->count; frame->left++) {
        const uint32_t *row = work_at(machine->work, frame->stage);
        uint32_t item = row[frame->left];
        uint32_t ordinal = row[table->count + frame->left];
        const struct key *key = &machine->view.keys[table->first + frame->left];
        if (item == 0) {
            continue;
        }
        mark_evaluated(machine, MODE_EXPLAIN, frame, ordinal);
        set_branch(machine, MODE_EXPLAIN, BRANCH_TEXT, key->text, key->size);
        enum step step = call(machine, MODE_EXPLAIN, key->schema, machine->items[item].next, ELEMENT, ordinal);
        if (step >= STEP_LIMIT) {
            return step;
        }
        (void)accept(MODE_EXPLAIN, frame, step == STEP_PASS);
    }
    return DONE(frame);
}

/* The rest of the patterns for the member that the walk is at; frame->stage, less `base`, is the next one. */
ALWAYS_INLINE enum step step_patterns(struct machine *machine, enum mode mode, struct frame *frame, uint32_t patterns,
                                      uint32_t count, uint32_t base) {
    while (frame->stage < count + base) {
        const uint32_t *link = &machine->view.links[patterns + PATTERN_LINKS * (frame->stage++ - base)];
        enum verdict verdict = match_name(machine, link[0], frame->cursor);
        if (verdict == VERDICT_LIMIT) {
            return STEP_LIMIT;
        }
        if (verdict == VERDICT_NO) {
            continue;
        }
        frame->named = true;
        set_branch(machine, mode, BRANCH_TEXT, link[2], link[3]);
        enum step step = call(machine, mode, link[1], machine->items[frame->cursor].next, ELEMENT, frame->ordinal);
        if (step >= STEP_LIMIT) {
            return step;
        }
        if (!accept(mode, frame, step == STEP_PASS)) {
            return STEP_FAIL;
        }
        mark_evaluated(machine, mode, frame, frame->ordinal);
    }
    return STEP_PASS;
}

ALWAYS_INLINE enum step step_pattern_properties(struct machine *machine, enum mode mode, struct frame *frame,
                                                const struct instruction *in) {
    if (machine->items[frame->value].kind != WIRE_MAP) {
        return STEP_PASS;
    }
    if (begin(machine, mode, frame)) {
        if (!first_pair(machine, frame)) {
            return STEP_LIMIT;
        }
    } else {
        if (!accept(mode, frame, machine->result)) {
            return STEP_FAIL;
        }
        mark_evaluated(machine, mode, frame, frame->ordinal);
    }
    for (; frame->left > 0; next_pair(machine, frame)) {
        enum step step = step_patterns(machine, mode, frame, in->b, in->c, 0);
        if (step != STEP_PASS) {
            return step;
        }
    }
    return DONE(frame);
}

/* The member that the walk is at, under its property's subschema. frame->count counts the required keys. */
ALWAYS_INLINE enum step step_property(struct machine *machine, enum mode mode, struct frame *frame,
                                      const struct object_rule *rule) {
    const struct key *key = find_name(machine, rule->table, frame->cursor);
    if (key == NULL) {
        return STEP_PASS;
    }
    frame->count += key->required;
    if (key->schema == NO_INDEX) {
        return STEP_PASS;
    }
    frame->named = true;
    enum step step = call(machine, mode, key->schema, machine->items[frame->cursor].next, ELEMENT, frame->ordinal);
    if (step == STEP_PASS) {
        mark_evaluated(machine, mode, frame, frame->ordinal);
    }
    return step;
}

/* The member that the walk is at, under all that is for it and was not asked yet. */
ALWAYS_INLINE enum step step_member(struct machine *machine, enum mode mode, struct frame *frame,
                                    const struct object_rule *rule) {
    enum step step = STEP_PASS;
    if (frame->stage == 0) {
        frame->stage = 1;
        step = step_property(machine, mode, frame, rule);
    }
    if (step == STEP_PASS && rule->pattern_count > 0) {
        step = step_patterns(machine, mode, frame, rule->patterns, rule->pattern_count, 1);
    }
    if (step == STEP_PASS && !frame->named && rule->additional != NO_INDEX) {
        frame->named = true;
        step = call(machine, mode, rule->additional, machine->items[frame->cursor].next, ELEMENT, frame->ordinal);
        if (step == STEP_PASS) {
            mark_evaluated(machine, mode, frame, frame->ordinal);
        }
    }
    return step;
}

/* Goes over members as long as subschemas without frames decide them, with the walk's state in registers. STEP_CALL:
 * the frame is at a member that needs one, and was not asked. */
ALWAYS_INLINE enum step walk_small(struct machine *machine, struct frame *frame, const struct object_rule *rule) {
    struct member_walk walk;
    walk_begin(machine, rule, &walk, &machine->items[frame->value]);
    walk.name = &machine->items[frame->cursor];
    walk.left = frame->left;
    walk.count = frame->count;
    enum step step = walk_members(machine, rule, &walk, true);
    frame->cursor = machine_index(machine, walk.name);
    frame->left = walk.left;
    frame->count = walk.count;
    return step;
}

/* OP_OBJECT: everything about members in one walk. Never in explanations. */
ALWAYS_INLINE enum step step_object(struct machine *machine, enum mode mode, struct frame *frame,
                                    const struct instruction *in) {
    const struct object_rule *rule = &machine->view.objects[in->a];
    if (machine->items[frame->value].kind != WIRE_MAP) {
        return rule->must_be_object ? STEP_FAIL : STEP_PASS;
    }
    if (begin(machine, mode, frame)) {
        uint32_t size = machine->items[frame->value].size;
        if (size < rule->count_min || size > rule->count_max || size < rule->required) {
            return STEP_FAIL;
        }
        if (!first_pair(machine, frame)) {
            return STEP_LIMIT;
        }
    } else {
        if (!machine->result) {
            return STEP_FAIL;
        }
        mark_evaluated(machine, mode, frame, frame->ordinal);
    }
    for (; frame->left > 0; next_pair(machine, frame)) {
        if (mode == MODE_FAST && rule->pattern_count == 0 && frame->stage == 0) {
            enum step walked = walk_small(machine, frame, rule);
            if (walked == STEP_FAIL || walked == STEP_LIMIT) {
                return walked;
            }
            if (frame->left == 0) {
                break;
            }
        }
        enum step step = step_member(machine, mode, frame, rule);
        if (step != STEP_PASS) {
            return step;
        }
    }
    return frame->count == rule->required ? STEP_PASS : STEP_FAIL;
}

#endif
