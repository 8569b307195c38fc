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
                                                     .weight = 1,
                                                     .child = PATTERN_NONE,
                                                     .child_last = PATTERN_NONE,
                                                     .next = PATTERN_NONE,
                                                     .previous = PATTERN_NONE};
    return tree->count++;
}

void pattern_tree_adopt(struct pattern_tree *tree, uint32_t parent, uint32_t child) {
    struct pattern_node *to = &tree->nodes[parent];
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

bool pattern_tree_is_anchored(const struct pattern_tree *tree, uint32_t node) {
    const struct pattern_node *at = &tree->nodes[node];
    switch ((enum pattern_node_kind)at->kind) {
    case PATTERN_START:
        return true;
    case PATTERN_CAPTURE:
        return pattern_tree_is_anchored(tree, at->child);
    case PATTERN_REPEAT:
        return at->min > 0 && pattern_tree_is_anchored(tree, at->child);
    case PATTERN_SEQUENCE:
        /* Whatever comes before: that some part of every match asserts the start is enough if nothing was consumed. */
        for (uint32_t child = at->child; child != PATTERN_NONE; child = tree->nodes[child].next) {
            if (pattern_tree_is_anchored(tree, child)) {
                return true;
            }
            if (tree->nodes[child].kind != PATTERN_LOOK && tree->nodes[child].kind != PATTERN_BOUNDARY) {
                return false;
            }
        }
        return false;
    case PATTERN_CHOICE:
        for (uint32_t child = at->child; child != PATTERN_NONE; child = tree->nodes[child].next) {
            if (!pattern_tree_is_anchored(tree, child)) {
                return false;
            }
        }
        return true;
    case PATTERN_EMPTY:
    case PATTERN_SET:
    case PATTERN_END:
    case PATTERN_BOUNDARY:
    case PATTERN_LOOK:
    case PATTERN_BACKREFERENCE:
        return false;
    }
    return false;
}
