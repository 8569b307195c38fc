/* pattern_program.c: writes a pattern's tree out as instructions. */
#include "validate/pattern_program.h"

#include <assert.h>
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

/* A node that is being written out. */
struct emission {
    const struct pattern_node *node;
    uint32_t child; /* the next one */
    uint32_t turn;  /* of a repeat: how often its child was begun */
    uint32_t turns;
    uint32_t start; /* of what goes with the child: a split or a look */
    uint32_t chain; /* instructions whose target is known at the end: the last one; each holds the one before */
    bool back;
};

/* ---- before a child ---- */

/* One time through a repeat's child: what its groups captured the time before is forgotten (ECMA-262 22.2.2.3.1). */
static enum status begin_iteration(struct emitter *emitter, const struct pattern_node *node, bool must_move) {
    uint32_t slot = emitter->group_slots + emitter->loop_depth;
    enum status status = must_move ? emit_op(emitter, OP_MARK, slot, false) : OK;
    for (uint32_t group = node->groups_before + 1; status == OK && group <= node->groups_until; group++) {
        if (emitter->slots[group] != PATTERN_NONE) {
            status = emit_op(emitter, OP_CLEAR, emitter->slots[group], false);
        }
    }
    emitter->loop_depth++;
    emitter->loop_depth_max =
        emitter->loop_depth > emitter->loop_depth_max ? emitter->loop_depth : emitter->loop_depth_max;
    return status;
}

/* {min,max}: min times in a row, then once more or not, as often as allowed; or a loop. */
static enum status begin_turn(struct emitter *emitter, struct emission *it) {
    bool is_optional = it->turn++ >= it->node->min;
    enum status status = OK;
    if (is_optional) {
        it->start = emitter->count;
        status = emit(emitter, &(struct pattern_instruction){
                                   .op = OP_SPLIT, .lazy = it->node->lazy, .a = it->start + 1, .b = it->chain});
        it->chain = it->start;
    }
    if (status == OK) {
        status = begin_iteration(emitter, it->node, is_optional && emitter->tree->nodes[it->node->child].nullable);
    }
    return status;
}

static enum status begin_child(struct emitter *emitter, struct emission *it) {
    it->start = emitter->count;
    switch ((int)it->node->kind) {
    case PATTERN_CHOICE: /* each but the last: split to it or to the next one */
        return it->child == PATTERN_NONE ? OK : emit_op(emitter, OP_SPLIT, it->start + 1, false);
    case PATTERN_REPEAT:
        return begin_turn(emitter, it);
    case PATTERN_CAPTURE: {
        uint32_t slot = emitter->slots[it->node->value];
        return slot == PATTERN_NONE ? OK : emit_op(emitter, OP_MARK, slot + SLOT_ENTERED, false);
    }
    case PATTERN_LOOK:
        return emit(emitter, &(struct pattern_instruction){.op = OP_LOOK, .negative = it->node->negative});
    default:
        return OK;
    }
}

/* ---- after it ---- */

static enum status end_turn(struct emitter *emitter, const struct emission *it) {
    bool is_optional = it->turn > it->node->min;
    enum status status = OK;
    emitter->loop_depth--;
    if (is_optional && emitter->tree->nodes[it->node->child].nullable) {
        status = emit_op(emitter, OP_MOVED, emitter->group_slots + emitter->loop_depth, false);
    }
    if (status == OK && it->node->max == PATTERN_NONE && is_optional) {
        status = emit_op(emitter, OP_JUMP, it->start, false);
    }
    return status;
}

static enum status end_branch(struct emitter *emitter, struct emission *it) {
    if (it->child == PATTERN_NONE) {
        return OK;
    }
    enum status status = emit_op(emitter, OP_JUMP, it->chain, false);
    if (status == OK) {
        it->chain = emitter->count - 1;
        emitter->items[it->start].b = emitter->count;
    }
    return status;
}

static enum status end_look(struct emitter *emitter, const struct emission *it) {
    enum status status =
        emit(emitter, &(struct pattern_instruction){.op = OP_LOOK_DONE, .negative = it->node->negative});
    if (status == OK) {
        emitter->items[it->start].a = emitter->count;
    }
    return status;
}

static enum status end_child(struct emitter *emitter, struct emission *it) {
    switch ((int)it->node->kind) {
    case PATTERN_CHOICE:
        return end_branch(emitter, it);
    case PATTERN_REPEAT:
        return end_turn(emitter, it);
    case PATTERN_CAPTURE: {
        uint32_t slot = emitter->slots[it->node->value];
        return slot == PATTERN_NONE ? OK : emit_op(emitter, OP_CLOSE, slot, it->back);
    }
    case PATTERN_LOOK:
        return end_look(emitter, it);
    default:
        return OK;
    }
}

/* ---- nodes ---- */

/* All of a node that has no children; *ret: none of its children yet. */
static enum status begin_node(struct emitter *emitter, uint32_t node, bool back, struct emission *ret) {
    const struct pattern_node *at = &emitter->tree->nodes[node];
    bool from_end = back && at->kind == PATTERN_SEQUENCE; /* alternatives are tried in their order all the same */
    *ret = (struct emission){
        .node = at, .child = from_end ? at->child_last : at->child, .chain = PATTERN_NONE, .back = back};
    switch ((enum pattern_node_kind)at->kind) {
    case PATTERN_EMPTY:
    case PATTERN_SEQUENCE:
    case PATTERN_CHOICE:
    case PATTERN_CAPTURE:
    case PATTERN_LOOK:
        return OK;
    case PATTERN_SET:
        return emit_op(emitter, OP_SET, at->value, back);
    case PATTERN_START:
        return emit_op(emitter, OP_START, 0, false);
    case PATTERN_END:
        return emit_op(emitter, OP_END, 0, false);
    case PATTERN_BOUNDARY:
        return emit(emitter, &(struct pattern_instruction){.op = OP_BOUNDARY, .negative = at->negative});
    case PATTERN_REPEAT:
        if (emitter->tree->nodes[at->child].kind != PATTERN_SET) {
            ret->turns = at->max == PATTERN_NONE ? at->min + 1 : at->max;
            return OK;
        }
        return emit(emitter, &(struct pattern_instruction){.op = OP_RUN,
                                                           .back = back,
                                                           .lazy = at->lazy,
                                                           .a = emitter->tree->nodes[at->child].value,
                                                           .b = at->min,
                                                           .c = at->max});
    case PATTERN_BACKREFERENCE:
        return emit_op(emitter, OP_REFERENCE, emitter->slots[at->value], back);
    }
    return error_set(emitter->error, INTERNAL, "a pattern has a node of kind %d", at->kind);
}

/* The child that is written out next; PATTERN_NONE: all are. */
static uint32_t next_child(const struct emitter *emitter, struct emission *it) {
    uint32_t child = it->child;
    if (it->node->kind == PATTERN_REPEAT) {
        return it->turn < it->turns ? child : PATTERN_NONE;
    }
    if (child != PATTERN_NONE) {
        const struct pattern_node *at = &emitter->tree->nodes[child];
        it->child = it->back && it->node->kind == PATTERN_SEQUENCE ? at->previous : at->next;
    }
    return child;
}

/* What leads to the end of the node leads to here. */
static void end_node(struct emitter *emitter, const struct emission *it) {
    uint32_t chain = it->chain;
    while (chain != PATTERN_NONE) {
        struct pattern_instruction *at = &emitter->items[chain];
        if (at->op == OP_JUMP) {
            chain = at->a;
            at->a = emitter->count;
        } else {
            chain = at->b;
            at->b = at->lazy ? at->a : emitter->count;
            at->a = at->lazy ? emitter->count : at->a;
        }
    }
}

static enum status emit_tree(struct emitter *emitter) {
    struct emission nodes[PATTERN_TREE_DEPTH_MAX]; /* within each other */
    uint32_t depth = 1;
    enum status status = begin_node(emitter, emitter->tree->root, false, &nodes[0]);
    while (status == OK && depth > 0) {
        struct emission *it = &nodes[depth - 1];
        uint32_t child = next_child(emitter, it);
        if (child != PATTERN_NONE) {
            assert(depth < PATTERN_TREE_DEPTH_MAX);
            bool back = it->node->kind == PATTERN_LOOK ? it->node->behind : it->back;
            status = begin_child(emitter, it);
            if (status == OK) {
                status = begin_node(emitter, child, back, &nodes[depth++]);
            }
        } else {
            end_node(emitter, it);
            depth--;
            status = depth > 0 ? end_child(emitter, &nodes[depth - 1]) : OK;
        }
    }
    return status;
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
    program->anchored = emitter->tree->nodes[emitter->tree->root].anchored;
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
        status = emit_tree(&emitter);
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
