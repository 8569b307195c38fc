/* pattern_tree.c: the nodes of a parsed pattern. */
#include "validate/pattern_tree.h"

#include <stdlib.h>

uint32_t pattern_tree_add(struct pattern_tree *tree, enum pattern_node_kind kind) {
    if (tree->count == tree->capacity) {
        uint32_t capacity = tree->capacity == 0 ? 32 : tree->capacity * 2;
        struct pattern_node *nodes = realloc(tree->nodes, capacity * sizeof(*nodes));
        if (nodes == NULL) {
            return PATTERN_NONE;
        }
        tree->nodes = nodes;
        tree->capacity = capacity;
    }
    tree->nodes[tree->count] = (struct pattern_node){.kind = (uint8_t)kind,
                                                     .nullable = kind != PATTERN_SET,
                                                     .anchored = kind == PATTERN_START,
                                                     .weight = 1,
                                                     .child = PATTERN_NONE,
                                                     .child_last = PATTERN_NONE,
                                                     .next = PATTERN_NONE,
                                                     .previous = PATTERN_NONE};
    return tree->count++;
}

/* Is the parent anchored, its next child taken into account? */
static bool is_anchored_with(const struct pattern_node *parent, const struct pattern_node *child) {
    switch ((enum pattern_node_kind)parent->kind) {
    case PATTERN_CAPTURE:
        return child->anchored;
    case PATTERN_REPEAT:
        return parent->min > 0 && child->anchored;
    case PATTERN_SEQUENCE:
        /* Whatever comes before: that some part of every match asserts the start is enough if nothing was consumed. */
        return parent->anchored || (child->anchored && !parent->consumes);
    case PATTERN_CHOICE:
        return child->anchored && (parent->anchored || parent->child == PATTERN_NONE);
    case PATTERN_EMPTY:
    case PATTERN_SET:
    case PATTERN_START:
    case PATTERN_END:
    case PATTERN_BOUNDARY:
    case PATTERN_LOOK:
    case PATTERN_BACKREFERENCE:
        return false;
    }
    return false;
}

void pattern_tree_adopt(struct pattern_tree *tree, uint32_t parent, uint32_t child) {
    struct pattern_node *to = &tree->nodes[parent];
    const struct pattern_node *added = &tree->nodes[child];
    to->anchored = is_anchored_with(to, added);
    to->consumes |= added->kind != PATTERN_LOOK && added->kind != PATTERN_BOUNDARY;
    tree->nodes[child].previous = to->child_last;
    if (to->child_last == PATTERN_NONE) {
        to->child = child;
    } else {
        tree->nodes[to->child_last].next = child;
    }
    to->child_last = child;
}

void pattern_tree_done(struct pattern_tree *tree) {
    free(tree->nodes);
    pattern_sets_done(&tree->sets);
    *tree = (struct pattern_tree){0};
}
