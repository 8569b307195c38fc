/* evaluate_call.h: calling a subschema and returning from it, and the sets of evaluated elements. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_CALL_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_CALL_H

#include "validate/evaluate_flat.h"

/* How the next call's keyword path goes on; costs nothing but in explanations. */
ALWAYS_INLINE void set_branch(struct machine *machine, enum mode mode, enum branch_kind kind, uint32_t number,
                              uint32_t size) {
    if (mode == MODE_EXPLAIN) {
        machine->branch = (struct branch){.kind = (uint8_t)kind, .number = number, .size = size};
    }
}

/* Does the new frame have to know what was evaluated? For its own sake, or for that of the frame below. */
ALWAYS_INLINE bool needs_set(const struct machine *machine, enum mode mode, uint32_t flags, uint32_t value,
                             enum relation relation) {
    uint8_t kind = machine->items[value].kind;
    if (kind != WIRE_ARRAY && kind != WIRE_MAP) {
        return false;
    }
    uint32_t wanted = kind == WIRE_ARRAY ? SCHEMA_TRACKS_ITEMS : SCHEMA_TRACKS_PROPERTIES;
    if (mode == MODE_TRACK) {
        wanted = kind == WIRE_ARRAY ? SCHEMA_FAST_TRACKS_ITEMS : SCHEMA_FAST_TRACKS_PROPERTIES;
    }
    if ((flags & wanted) != 0) {
        return true;
    }
    return relation == SAME_VALUE && machine->depth > 0 && machine->frames[machine->depth - 1].track != WORK_NONE;
}

ALWAYS_INLINE uint32_t set_words(const struct machine *machine, uint32_t value) {
    return (uint32_t)(((uint64_t)machine->items[value].size + 63) / 64);
}

/* Frames may move: no pointer to one is good after STEP_CALL. */
ALWAYS_INLINE enum step push_frame(struct machine *machine, enum mode mode, uint32_t schema, uint32_t value,
                                   enum relation relation, uint32_t position) {
    const struct schema_node *node = &machine->view.schemas[schema];
    uint32_t mark = machine->work->scratch_size;
    uint32_t track = WORK_NONE;
    if (machine->depth == machine->depth_max && !machine_grow(machine)) {
        return STEP_LIMIT;
    }
    if (mode != MODE_FAST && needs_set(machine, mode, node->run.flags, value, relation)) {
        track = machine_new_set(machine, machine->items[value].size);
        if (track == WORK_NONE) {
            return STEP_LIMIT;
        }
    }
    struct frame *frame = &machine->frames[machine->depth++];
    frame->pc = mode == MODE_EXPLAIN ? node->plain : node->run.fast;
    frame->end = mode == MODE_EXPLAIN ? node->plain_end : node->run.fast_end;
    frame->value = value;
    frame->schema = schema;
    frame->track = track;
    frame->mark = mark;
    frame->relation = (uint8_t)relation;
    frame->valid = true;
    frame->started = false;
    if (mode == MODE_EXPLAIN) {
        frame->position = position;
        frame->branch = machine->branch;
    }
    return STEP_CALL;
}

/* What a valid subschema evaluated counts as evaluated by the schema around it. Not under `not`, which would need it to
 * be invalid. */
static inline void merge_evaluated(struct machine *machine, const uint64_t *source, const struct frame *into) {
    if (machine->view.code[into->pc].op == OP_NOT) {
        return;
    }
    uint64_t *target = work_at(machine->work, into->track);
    for (uint32_t i = 0; i < set_words(machine, into->value); i++) {
        target[i] |= source[i];
    }
}

/* What the subschema said of the value before; STEP_CALL: nothing. */
static inline enum step remembered(struct machine *machine, enum mode mode, uint32_t schema, uint32_t value,
                                   enum relation relation) {
    bool is_tracked = mode != MODE_FAST && needs_set(machine, mode, 0, value, relation);
    const struct memo_entry *entry = memo_find(machine->context, is_tracked ? schema | MEMO_TRACKED : schema, value);
    if (entry == NULL) {
        return STEP_CALL;
    }
    if (!entry->valid) {
        /* Explained again, as it has another path now, while there is room. */
        return mode == MODE_EXPLAIN && !machine->report->truncated ? STEP_CALL : STEP_FAIL;
    }
    if (entry->set != WORK_NONE) {
        merge_evaluated(machine, machine->context->memo_sets + entry->set, &machine->frames[machine->depth - 1]);
    }
    return STEP_PASS;
}

ALWAYS_INLINE enum step call(struct machine *machine, enum mode mode, uint32_t schema, uint32_t value,
                             enum relation relation, uint32_t position) {
    const struct schema_node *node = &machine->view.schemas[schema];
    enum step judged = mode != MODE_EXPLAIN ? judge_kind(&node->run, machine->items[value].kind) : STEP_CALL;
    if (judged != STEP_CALL) {
        return work_spend(machine->work, 1) ? judged : STEP_LIMIT;
    }
    if (mode != MODE_EXPLAIN && (node->run.flags & SCHEMA_LEAF) != 0) {
        if (!work_spend(machine->work, 1 + node->run.fast_end - node->run.fast)) {
            return STEP_LIMIT;
        }
        return run_leaf(machine, &node->run, &machine->items[value]);
    }
    /* Without a frame nothing is known of what was evaluated. */
    if ((node->run.flags & SCHEMA_FLAT) != 0 && mode != MODE_EXPLAIN &&
        (mode == MODE_FAST || !needs_set(machine, mode, 0, value, relation))) {
        return run_flat(machine, &node->run, &machine->items[value]);
    }
    if ((node->run.flags & SCHEMA_SHARED) != 0 && machine->work->steps_left < machine->memo_below) {
        enum step known = remembered(machine, mode, schema, value, relation);
        if (known != STEP_CALL) {
            return known;
        }
    }
    return push_frame(machine, mode, schema, value, relation, position);
}

ALWAYS_INLINE enum step call_in_place(struct machine *machine, enum mode mode, const struct frame *frame,
                                      uint32_t schema) {
    return call(machine, mode, schema, frame->value, SAME_VALUE, 0);
}

/* The element at `ordinal` was evaluated by the frame's schema. */
ALWAYS_INLINE void mark_evaluated(struct machine *machine, enum mode mode, const struct frame *frame,
                                  uint32_t ordinal) {
    if (mode != MODE_FAST && frame->track != WORK_NONE) {
        set_add(machine, frame->track, ordinal);
    }
}

/* False: a limit. */
ALWAYS_INLINE bool pop_frame(struct machine *machine, enum mode mode, bool valid) {
    const struct frame *frame = &machine->frames[--machine->depth];
    bool is_tracked = false;
    if (mode != MODE_FAST && frame->track != WORK_NONE && frame->relation == SAME_VALUE && machine->depth > 0) {
        const struct frame *below = &machine->frames[machine->depth - 1];
        is_tracked = below->track != WORK_NONE;
        if (is_tracked && valid) {
            merge_evaluated(machine, work_at(machine->work, frame->track), below);
        }
    }
    machine->work->scratch_size = frame->mark; /* what lies beyond is still there: memo_add reserves nothing */
    machine->result = valid;
    if (machine->work->steps_left < machine->memo_below &&
        (machine->view.schemas[frame->schema].run.flags & SCHEMA_SHARED) != 0) {
        struct memo_entry entry = {
            .schema = is_tracked ? frame->schema | MEMO_TRACKED : frame->schema, .value = frame->value, .valid = valid};
        return memo_add(machine, entry, is_tracked ? frame->track : WORK_NONE, set_words(machine, frame->value));
    }
    return true;
}

/* The instruction begins, unless it comes back from a call; true: it begins. */
ALWAYS_INLINE bool begin(struct machine *machine, enum mode mode, struct frame *frame) {
    if (frame->started) {
        return false;
    }
    frame->started = true;
    frame->failed = false;
    frame->count = 0;
    frame->stage = 0;
    if (mode == MODE_EXPLAIN) {
        frame->report = explain_mark(machine);
    }
    return true;
}

/* Takes a result of a subschema that must hold. False: the instruction has failed and need not go on. */
ALWAYS_INLINE bool accept(enum mode mode, struct frame *frame, bool result) {
    frame->failed = frame->failed || !result;
    return result || mode == MODE_EXPLAIN;
}

#define DONE(frame) ((frame)->failed ? STEP_FAIL : STEP_PASS)

#endif
