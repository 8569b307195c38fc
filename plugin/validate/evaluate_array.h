/* evaluate_array.h: applicators to the elements of arrays. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_ARRAY_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_ARRAY_H

#include "validate/evaluate_call.h"

/* Begins a walk over the elements of the frame's array. False: a limit. */
ALWAYS_INLINE bool first_element(struct machine *machine, struct frame *frame) {
    frame->cursor = frame->value + 1;
    frame->left = machine->items[frame->value].size;
    frame->ordinal = 0;
    return work_spend(machine->work, frame->left);
}

ALWAYS_INLINE void next_element(const struct machine *machine, struct frame *frame) {
    frame->cursor = machine->items[frame->cursor].next;
    frame->left--;
    frame->ordinal++;
}

/* The subschema for the element that the walk is at; NO_INDEX: none. */
ALWAYS_INLINE uint32_t element_schema(const struct machine *machine, enum mode mode, const struct frame *frame,
                                      const struct instruction *in) {
    if (in->op == OP_PREFIX_ITEMS) {
        return frame->ordinal < in->c ? machine->view.links[in->b + frame->ordinal] : NO_INDEX;
    }
    if (in->op == OP_ITEMS) {
        return frame->ordinal >= in->b ? in->a : NO_INDEX;
    }
    bool was_evaluated = mode == MODE_FAST || set_has(machine, frame->track, frame->ordinal);
    return was_evaluated ? NO_INDEX : in->a; /* OP_UNEVALUATED_ITEMS */
}

/* prefixItems, items, unevaluatedItems: each element under the subschema that is for it. */
ALWAYS_INLINE enum step step_elements(struct machine *machine, enum mode mode, struct frame *frame,
                                      const struct instruction *in) {
    if (machine->items[frame->value].kind != WIRE_ARRAY) {
        return STEP_PASS;
    }
    if (begin(machine, mode, frame)) {
        if (!first_element(machine, frame)) {
            return STEP_LIMIT;
        }
    } else {
        if (!accept(mode, frame, machine->result)) {
            return STEP_FAIL;
        }
        mark_evaluated(machine, mode, frame, frame->ordinal);
        next_element(machine, frame);
    }
    for (; frame->left > 0; next_element(machine, frame)) {
        uint32_t schema = element_schema(machine, mode, frame, in);
        if (schema == NO_INDEX) {
            if (in->op == OP_PREFIX_ITEMS) {
                break;
            }
            continue;
        }
        set_branch(machine, mode, in->op == OP_PREFIX_ITEMS ? BRANCH_NUMBER : BRANCH_NONE, frame->ordinal, 0);
        enum step step = call(machine, mode, schema, frame->cursor, ELEMENT, frame->ordinal);
        if (step >= STEP_LIMIT) {
            return step;
        }
        if (!accept(mode, frame, step == STEP_PASS)) {
            return STEP_FAIL;
        }
        mark_evaluated(machine, mode, frame, frame->ordinal);
    }
    return DONE(frame);
}

/* One element's result. True: the outcome is known. */
ALWAYS_INLINE bool count_element(struct machine *machine, enum mode mode, struct frame *frame,
                                 const struct instruction *in, bool result) {
    if (result) {
        frame->count++;
        mark_evaluated(machine, mode, frame, frame->ordinal);
    }
    if (frame->count > in->c) {
        return true;
    }
    return frame->count >= in->b && in->c == UINT32_MAX && (mode == MODE_FAST || frame->track == WORK_NONE);
}

ALWAYS_INLINE enum step finish_contains(struct machine *machine, enum mode mode, struct frame *frame,
                                        const struct instruction *in) {
    bool valid = frame->count >= in->b && frame->count <= in->c;
    if (mode == MODE_EXPLAIN) {
        explain_rollback(machine, frame->report);
    }
    if (mode == MODE_EXPLAIN && frame->count > in->c) {
        explain_failure(machine, frame, KEYWORD_MAX_CONTAINS, "must contain at most %u matching items", in->c);
    } else if (mode == MODE_EXPLAIN && !valid && in->b == 1) {
        explain_failure(machine, frame, KEYWORD_NONE, "must contain a matching item");
    } else if (mode == MODE_EXPLAIN && !valid) {
        explain_failure(machine, frame, KEYWORD_MIN_CONTAINS, "must contain at least %u matching items (contains %u)",
                        in->b, frame->count);
    }
    return valid ? STEP_PASS : STEP_FAIL;
}

ALWAYS_INLINE enum step step_contains(struct machine *machine, enum mode mode, struct frame *frame,
                                      const struct instruction *in) {
    if (machine->items[frame->value].kind != WIRE_ARRAY) {
        return STEP_PASS;
    }
    if (begin(machine, mode, frame)) {
        if (!first_element(machine, frame)) {
            return STEP_LIMIT;
        }
    } else if (count_element(machine, mode, frame, in, machine->result)) {
        return finish_contains(machine, mode, frame, in);
    } else {
        next_element(machine, frame);
    }
    for (; frame->left > 0; next_element(machine, frame)) {
        set_branch(machine, mode, BRANCH_NONE, 0, 0);
        enum step step = call(machine, mode, in->a, frame->cursor, ELEMENT, frame->ordinal);
        if (step >= STEP_LIMIT) {
            return step;
        }
        if (count_element(machine, mode, frame, in, step == STEP_PASS)) {
            break;
        }
    }
    return finish_contains(machine, mode, frame, in);
}

#endif
