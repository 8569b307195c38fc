/* pattern_program.c: writes a pattern's tree out as instructions. */
#include "validate/pattern_program.h"

#include <stdlib.h>

struct emitter {
    const struct pattern_tree *tree;
    struct error *error;
    struct pattern_instruction *items;
    uint32_t count;
    uint32_t capacity;
    uint32_t count_max;
    uint32_t size_max; /* what count_max comes from, for the message */
    uint32_t *slots;   /* of each group, or PATTERN_NONE: nothing refers to it */
    uint32_t group_slots;
    uint32_t loop_depth;
    uint32_t loop_depth_max;
};

static void emitter_done(struct emitter *emitter) {
    free(emitter->items);
    free(emitter->slots);
}

static enum status emit(struct emitter *emitter, const struct pattern_instruction *instruction) {
    if (emitter->count == emitter->count_max) {
        error_set(emitter->error, TOO_LARGE, "pattern takes more than %u bytes when compiled (program_size_max)",
                  emitter->size_max);
        error_add_number(emitter->error, "limit", emitter->size_max);
        return TOO_LARGE;
    }
    if (emitter->count == emitter->capacity) {
        uint32_t capacity = emitter->capacity == 0 ? 32 : emitter->capacity * 2;
        struct pattern_instruction *items = realloc(emitter->items, capacity * sizeof(*items));
        if (items == NULL) {
            return error_set(emitter->error, NO_MEMORY, "no memory for the program of a pattern");
        }
        emitter->items = items;
        emitter->capacity = capacity;
    }
    emitter->items[emitter->count++] = *instruction;
    return OK;
}

static enum status emit_op(struct emitter *emitter, enum pattern_op op, uint32_t a, bool back) {
    return emit(emitter, &(struct pattern_instruction){.op = (uint8_t)op, .a = a, .back = back});
}

static enum status emit_node(struct emitter *emitter, uint32_t node, bool back);

/* Each but the last: split to it or to the next one, and a jump to the end, which is known at the end. */
static enum status emit_choice(struct emitter *emitter, const struct pattern_node *node, bool back) {
    uint32_t jumps = PATTERN_NONE; /* the last jump; each holds the one before */
    for (uint32_t child = node->child; child != PATTERN_NONE; child = emitter->tree->nodes[child].next) {
        bool is_last = emitter->tree->nodes[child].next == PATTERN_NONE;
        uint32_t split = emitter->count;
        enum status status = is_last ? OK : emit_op(emitter, OP_SPLIT, split + 1, false);
        if (status == OK) {
            status = emit_node(emitter, child, back);
        }
        if (status == OK && !is_last) {
            status = emit_op(emitter, OP_JUMP, jumps, false);
            jumps = emitter->count - 1;
            emitter->items[split].b = emitter->count;
        }
        if (status != OK) {
            return status;
        }
    }
    while (jumps != PATTERN_NONE) {
        uint32_t before = emitter->items[jumps].a;
        emitter->items[jumps].a = emitter->count;
        jumps = before;
    }
    return OK;
}

/* One time through a repeat's child: what its groups captured the time before is forgotten (ECMA-262 22.2.2.3.1). */
static enum status emit_iteration(struct emitter *emitter, const struct pattern_node *node, bool back, bool must_move) {
    uint32_t slot = emitter->group_slots + emitter->loop_depth;
    enum status status = must_move ? emit_op(emitter, OP_MARK, slot, false) : OK;
    for (uint32_t group = node->groups_before + 1; status == OK && group <= node->groups_until; group++) {
        if (emitter->slots[group] != PATTERN_NONE) {
            status = emit_op(emitter, OP_CLEAR, emitter->slots[group], false);
        }
    }
    if (status != OK) {
        return status;
    }
    emitter->loop_depth++;
    emitter->loop_depth_max =
        emitter->loop_depth > emitter->loop_depth_max ? emitter->loop_depth : emitter->loop_depth_max;
    status = emit_node(emitter, node->child, back);
    emitter->loop_depth--;
    return status == OK && must_move ? emit_op(emitter, OP_MOVED, slot, false) : status;
}

/* {min,max}: min times in a row, then once more or not, as often as allowed; or a loop. */
static enum status emit_repeat(struct emitter *emitter, const struct pattern_node *node, bool back) {
    const struct pattern_node *child = &emitter->tree->nodes[node->child];
    if (child->kind == PATTERN_SET) {
        return emit(
            emitter,
            &(struct pattern_instruction){
                .op = OP_RUN, .back = back, .lazy = node->lazy, .a = child->value, .b = node->min, .c = node->max});
    }
    bool endless = node->max == PATTERN_NONE;
    enum status status = OK;
    for (uint32_t i = 0; status == OK && i < node->min; i++) {
        status = emit_iteration(emitter, node, back, false);
    }
    uint32_t splits = PATTERN_NONE; /* the last split; the way out of each holds the one before */
    uint32_t optional = endless ? 1 : node->max - node->min;
    for (uint32_t i = 0; status == OK && i < optional; i++) {
        uint32_t split = emitter->count;
        status = emit(emitter,
                      &(struct pattern_instruction){.op = OP_SPLIT, .lazy = node->lazy, .a = split + 1, .b = splits});
        splits = split;
        if (status == OK) {
            status = emit_iteration(emitter, node, back, child->nullable);
        }
        if (status == OK && endless) {
            status = emit_op(emitter, OP_JUMP, split, false);
        }
    }
    while (status == OK && splits != PATTERN_NONE) {
        struct pattern_instruction *split = &emitter->items[splits];
        splits = split->b;
        split->b = split->lazy ? split->a : emitter->count;
        split->a = split->lazy ? emitter->count : split->a;
    }
    return status;
}

static enum status emit_sequence(struct emitter *emitter, const struct pattern_node *node, bool back) {
    enum status status = OK;
    uint32_t child = back ? node->child_last : node->child;
    while (status == OK && child != PATTERN_NONE) {
        status = emit_node(emitter, child, back);
        child = back ? emitter->tree->nodes[child].previous : emitter->tree->nodes[child].next;
    }
    return status;
}

static enum status emit_capture(struct emitter *emitter, const struct pattern_node *node, bool back) {
    uint32_t slot = emitter->slots[node->value];
    if (slot == PATTERN_NONE) {
        return emit_node(emitter, node->child, back);
    }
    enum status status = emit_op(emitter, OP_MARK, slot + SLOT_ENTERED, false);
    if (status == OK) {
        status = emit_node(emitter, node->child, back);
    }
    return status == OK ? emit_op(emitter, OP_CLOSE, slot, back) : status;
}

static enum status emit_look(struct emitter *emitter, const struct pattern_node *node) {
    uint32_t look = emitter->count;
    enum status status = emit(emitter, &(struct pattern_instruction){.op = OP_LOOK, .negative = node->negative});
    if (status == OK) {
        status = emit_node(emitter, node->child, node->behind);
    }
    if (status == OK) {
        status = emit(emitter, &(struct pattern_instruction){.op = OP_LOOK_DONE, .negative = node->negative});
    }
    if (status == OK) {
        emitter->items[look].a = emitter->count;
    }
    return status;
}

static enum status emit_node(struct emitter *emitter, uint32_t node, bool back) {
    const struct pattern_node *at = &emitter->tree->nodes[node];
    switch ((enum pattern_node_kind)at->kind) {
    case PATTERN_EMPTY:
        return OK;
    case PATTERN_SET:
        return emit_op(emitter, OP_SET, at->value, back);
    case PATTERN_START:
        return emit_op(emitter, OP_START, 0, false);
    case PATTERN_END:
        return emit_op(emitter, OP_END, 0, false);
    case PATTERN_BOUNDARY:
        return emit(emitter, &(struct pattern_instruction){.op = OP_BOUNDARY, .negative = at->negative});
    case PATTERN_SEQUENCE:
        return emit_sequence(emitter, at, back);
    case PATTERN_CHOICE:
        return emit_choice(emitter, at, back);
    case PATTERN_REPEAT:
        return emit_repeat(emitter, at, back);
    case PATTERN_CAPTURE:
        return emit_capture(emitter, at, back);
    case PATTERN_LOOK:
        return emit_look(emitter, at);
    case PATTERN_BACKREFERENCE:
        return emit_op(emitter, OP_REFERENCE, emitter->slots[at->value], back);
    }
    return error_set(emitter->error, INTERNAL, "a pattern has a node of kind %d", at->kind);
}

/* Only what is referred to needs to be captured. */
static enum status assign_slots(struct emitter *emitter) {
    const struct pattern_tree *tree = emitter->tree;
    emitter->slots = malloc((tree->group_count + 1) * sizeof(*emitter->slots));
    if (emitter->slots == NULL) {
        return error_set(emitter->error, NO_MEMORY, "no memory for the groups of a pattern");
    }
    memset(emitter->slots, 0xFF, (tree->group_count + 1) * sizeof(*emitter->slots));
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct pattern_node *node = &tree->nodes[i];
        if (node->kind == PATTERN_BACKREFERENCE && emitter->slots[node->value] == PATTERN_NONE) {
            emitter->slots[node->value] = emitter->group_slots;
            emitter->group_slots += SLOTS_PER_GROUP;
        }
    }
    return OK;
}

/* One block: the program, its instructions, the sets and their ranges. */
static struct pattern_program *copy_out(const struct emitter *emitter) {
    const struct pattern_sets *sets = &emitter->tree->sets;
    size_t instructions = emitter->count * sizeof(*emitter->items);
    size_t set_bytes = sets->count * sizeof(*sets->items);
    size_t ranges = sets->ranges.count * sizeof(*sets->ranges.items);
    size_t memory = sizeof(struct pattern_program) + set_bytes + instructions + ranges;
    struct pattern_program *program = calloc(1, memory);
    if (program == NULL) {
        return NULL;
    }
    struct pattern_set *to_sets = (struct pattern_set *)(void *)(program + 1);
    struct pattern_instruction *to_instructions = (struct pattern_instruction *)(void *)(to_sets + sets->count);
    struct pattern_range *to_ranges = (struct pattern_range *)(void *)(to_instructions + emitter->count);
    memcpy(to_instructions, emitter->items, instructions);
    if (sets->count > 0) {
        memcpy(to_sets, sets->items, set_bytes);
    }
    if (sets->ranges.count > 0) {
        memcpy(to_ranges, sets->ranges.items, ranges);
    }
    program->memory = memory;
    program->anchored = pattern_tree_is_anchored(emitter->tree, emitter->tree->root);
    program->slot_count = emitter->group_slots + emitter->loop_depth_max;
    program->count = emitter->count;
    program->instructions = to_instructions;
    program->sets = to_sets;
    program->ranges = to_ranges;
    return program;
}

enum status pattern_program_compile(const struct pattern_tree *tree, const struct pattern_limits *limits,
                                    struct pattern_program **ret_program, struct error *error) {
    CLEANUP(emitter_done)
    struct emitter emitter = {.tree = tree,
                              .error = error,
                              .count_max = limits->program_size_max / (uint32_t)sizeof(struct pattern_instruction),
                              .size_max = limits->program_size_max};
    enum status status = assign_slots(&emitter);
    if (status == OK) {
        status = emit_node(&emitter, tree->root, false);
    }
    if (status == OK) {
        status = emit_op(&emitter, OP_MATCH, 0, false);
    }
    if (status != OK) {
        return status;
    }
    *ret_program = copy_out(&emitter);
    return *ret_program != NULL ? OK : error_set(error, NO_MEMORY, "no memory for the program of a pattern");
}

size_t pattern_program_memory(const struct pattern_program *program) {
    return program->memory;
}
