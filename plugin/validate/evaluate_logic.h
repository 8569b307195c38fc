/* evaluate_logic.h: applicators to the same value: references, conjunction, disjunction, negation, conditions. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_LOGIC_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_LOGIC_H

#include "validate/evaluate_call.h"
#include "validate/hash.h"

/* For messages. */
static inline const char *type_of(const struct machine *machine, const struct frame *frame) {
    return value_type_name(machine_value(machine, frame->value));
}

ALWAYS_INLINE enum step step_ref(struct machine *machine, enum mode mode, struct frame *frame,
                                 const struct instruction *in) {
    if (!begin(machine, mode, frame)) {
        return machine->result ? STEP_PASS : STEP_FAIL;
    }
    set_branch(machine, mode, BRANCH_NONE, 0, 0);
    return call_in_place(machine, mode, frame, in->a);
}

ALWAYS_INLINE enum step step_all_of(struct machine *machine, enum mode mode, struct frame *frame,
                                    const struct instruction *in) {
    if (begin(machine, mode, frame)) {
        frame->cursor = 0;
    } else if (!accept(mode, frame, machine->result)) {
        return STEP_FAIL;
    } else {
        frame->cursor++;
    }
    for (; frame->cursor < in->c; frame->cursor++) {
        set_branch(machine, mode, BRANCH_NUMBER, frame->cursor, 0);
        enum step step = call_in_place(machine, mode, frame, machine->view.links[in->b + frame->cursor]);
        if (step >= STEP_LIMIT) {
            return step;
        }
        if (!accept(mode, frame, step == STEP_PASS)) {
            return STEP_FAIL;
        }
    }
    return DONE(frame);
}

/* Of anyOf and oneOf: one branch's result. True: the outcome is known. */
ALWAYS_INLINE bool count_branch(enum mode mode, struct frame *frame, const struct instruction *in, bool result) {
    if (result && frame->count++ == 0) {
        frame->stage = frame->cursor; /* the first that matched */
    }
    if (in->op == OP_ONE_OF) {
        return frame->count > 1;
    }
    /* What the other branches evaluate may matter later. */
    return frame->count > 0 && (mode == MODE_FAST || frame->track == WORK_NONE);
}

ALWAYS_INLINE enum step finish_branches(struct machine *machine, enum mode mode, struct frame *frame,
                                        const struct instruction *in) {
    bool valid = in->op == OP_ANY_OF ? frame->count > 0 : frame->count == 1;
    if (mode == MODE_EXPLAIN && frame->count > 0) {
        explain_rollback(machine, frame->report);
    }
    if (mode == MODE_EXPLAIN && frame->count > 1 && !valid) {
        explain_failure(machine, frame, KEYWORD_NONE, "must match exactly one of the %u schemas (%s matches %u and %u)",
                        in->c, type_of(machine, frame), frame->stage, frame->cursor);
    } else if (mode == MODE_EXPLAIN && !valid) {
        explain_failure(machine, frame, KEYWORD_NONE, "must match %s one of the %u schemas (got %s)",
                        in->op == OP_ANY_OF ? "at least" : "exactly", in->c, type_of(machine, frame));
    }
    return valid ? STEP_PASS : STEP_FAIL;
}

ALWAYS_INLINE enum step step_branches(struct machine *machine, enum mode mode, struct frame *frame,
                                      const struct instruction *in) {
    if (begin(machine, mode, frame)) {
        frame->cursor = 0;
    } else if (count_branch(mode, frame, in, machine->result)) {
        return finish_branches(machine, mode, frame, in);
    } else {
        frame->cursor++;
    }
    for (; frame->cursor < in->c; frame->cursor++) {
        set_branch(machine, mode, BRANCH_NUMBER, frame->cursor, 0);
        enum step step = call_in_place(machine, mode, frame, machine->view.links[in->b + frame->cursor]);
        if (step >= STEP_LIMIT) {
            return step;
        }
        if (count_branch(mode, frame, in, step == STEP_PASS)) {
            break;
        }
    }
    return finish_branches(machine, mode, frame, in);
}

ALWAYS_INLINE enum step step_not(struct machine *machine, enum mode mode, struct frame *frame,
                                 const struct instruction *in) {
    bool matches = machine->result;
    if (begin(machine, mode, frame)) {
        set_branch(machine, mode, BRANCH_NONE, 0, 0);
        enum step step = call_in_place(machine, mode, frame, in->a);
        if (step >= STEP_LIMIT) {
            return step;
        }
        matches = step == STEP_PASS;
    }
    if (mode == MODE_EXPLAIN) {
        explain_rollback(machine, frame->report);
        if (matches) {
            explain_failure(machine, frame, KEYWORD_NONE, "must not match the schema (got %s)",
                            type_of(machine, frame));
        }
    }
    return matches ? STEP_FAIL : STEP_PASS;
}

/* The branch that the condition chose. */
ALWAYS_INLINE enum step step_consequence(struct machine *machine, enum mode mode, struct frame *frame,
                                         const struct instruction *in, bool condition) {
    if (mode == MODE_EXPLAIN) {
        explain_rollback(machine, frame->report);
    }
    uint32_t schema = condition ? in->b : in->c;
    if (schema == NO_INDEX) {
        return STEP_PASS;
    }
    frame->stage = 1;
    set_branch(machine, mode, condition ? BRANCH_THEN : BRANCH_ELSE, 0, 0);
    return call_in_place(machine, mode, frame, schema);
}

ALWAYS_INLINE enum step step_if(struct machine *machine, enum mode mode, struct frame *frame,
                                const struct instruction *in) {
    if (begin(machine, mode, frame)) {
        set_branch(machine, mode, BRANCH_NONE, 0, 0);
        enum step step = call_in_place(machine, mode, frame, in->a);
        return step >= STEP_LIMIT ? step : step_consequence(machine, mode, frame, in, step == STEP_PASS);
    }
    if (frame->stage == 0) {
        return step_consequence(machine, mode, frame, in, machine->result);
    }
    return machine->result ? STEP_PASS : STEP_FAIL;
}

/* OP_DEPENDENT_SCHEMAS in explanations, which follow the order of the schema. The cursor is at a key of the table. */
static inline enum step step_dependent_in_order(struct machine *machine, struct frame *frame,
                                                const struct instruction *in) {
    const struct key_table *table = &machine->view.tables[in->a];
    if (machine->items[frame->value].kind != WIRE_MAP) {
        return STEP_PASS;
    }
    if (begin(machine, MODE_EXPLAIN, frame)) {
        frame->cursor = 0;
        frame->stage = assert_seen_keys(machine, table, frame->value);
        if (frame->stage == WORK_NONE) {
            return STEP_LIMIT;
        }
    } else {
        (void)accept(MODE_EXPLAIN, frame, machine->result);
        frame->cursor++;
    }
    for (; frame->cursor < table->count; frame->cursor++) {
        if (!set_has(machine, frame->stage, frame->cursor)) {
            continue;
        }
        const struct key *key = &machine->view.keys[table->first + frame->cursor];
        set_branch(machine, MODE_EXPLAIN, BRANCH_TEXT, key->text, key->size);
        enum step step = call_in_place(machine, MODE_EXPLAIN, frame, key->schema);
        if (step >= STEP_LIMIT) {
            return step;
        }
        (void)accept(MODE_EXPLAIN, frame, step == STEP_PASS);
    }
    return DONE(frame);
}

ALWAYS_INLINE enum step step_dependent_schemas(struct machine *machine, enum mode mode, struct frame *frame,
                                               const struct instruction *in) {
    const struct key_table *table = &machine->view.tables[in->a];
    if (machine->items[frame->value].kind != WIRE_MAP) {
        return STEP_PASS;
    }
    if (begin(machine, mode, frame)) {
        frame->cursor = frame->value + 1;
        frame->left = machine->items[frame->value].size;
        if (!work_spend(machine->work, frame->left)) {
            return STEP_LIMIT;
        }
    } else if (!accept(mode, frame, machine->result)) {
        return STEP_FAIL;
    }
    while (frame->left > 0) {
        uint32_t item = frame->cursor;
        frame->left--;
        frame->cursor = machine->items[machine->items[item].next].next;
        if (machine->items[item].kind != WIRE_STR) {
            continue;
        }
        const struct key *key = machine_find_key(machine, table, item);
        if (key == NULL) {
            continue;
        }
        set_branch(machine, mode, BRANCH_TEXT, key->text, key->size);
        enum step step = call_in_place(machine, mode, frame, key->schema);
        if (step >= STEP_LIMIT) {
            return step;
        }
        if (!accept(mode, frame, step == STEP_PASS)) {
            return STEP_FAIL;
        }
    }
    return DONE(frame);
}

#endif
