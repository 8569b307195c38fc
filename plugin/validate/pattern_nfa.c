/* pattern_nfa.c: a pattern's tree as a machine of states (Thompson), counted repeats written out. */
#include "validate/pattern_nfa.h"

#include <assert.h>

enum { NFA_NONE = UINT16_MAX };

static uint16_t add_state(struct nfa *nfa, enum nfa_kind kind, uint16_t next, uint16_t other) {
    if (nfa->count == NFA_STATES_MAX) {
        return NFA_NONE;
    }
    nfa->states[nfa->count] = (struct nfa_state){.kind = (uint8_t)kind, .next = next, .other = other};
    return (uint16_t)nfa->count++;
}

/* A node of which states are made, from its end. */
struct building {
    const struct pattern_node *node;
    uint32_t child;    /* the next one */
    uint32_t optional; /* of a repeat: how often its child may still be skipped */
    uint32_t turns;    /* of a repeat: how often its child still comes */
    uint16_t next;     /* where it leads to */
    uint16_t entry;    /* where to enter what there is of it so as to arrive there, or NFA_NONE */
};

static void begin_repeat(struct nfa *nfa, struct building *it) {
    const struct pattern_node *node = it->node;
    bool endless = node->max == PATTERN_NONE;
    if (node->min > NFA_STATES_MAX || (!endless && node->max > NFA_STATES_MAX)) {
        it->entry = NFA_NONE;
        return;
    }
    it->optional = endless ? 1 : node->max - node->min;
    it->turns = node->min + it->optional;
    if (endless) {
        it->entry = add_state(nfa, NFA_SPLIT, NFA_NONE, it->next);
        /* x+ is x with a way back: no second copy, as entering at the body is the first time. */
        it->turns -= node->min > 0 ? 1 : 0;
    }
}

/* All of a node that has no children. False: it is not regular, or there are too many states. */
static bool begin(struct nfa *nfa, uint32_t node, uint16_t next, struct building *ret) {
    const struct pattern_node *at = &nfa->tree->nodes[node];
    *ret = (struct building){.node = at, .child = at->child_last, .next = next, .entry = next};
    switch ((enum pattern_node_kind)at->kind) {
    case PATTERN_EMPTY:
    case PATTERN_SEQUENCE:
    case PATTERN_CAPTURE:
        return true;
    case PATTERN_CHOICE:
        ret->entry = NFA_NONE; /* until its last branch is there */
        return true;
    case PATTERN_SET:
        ret->entry = add_state(nfa, NFA_SET, next, NFA_NONE);
        if (ret->entry != NFA_NONE) {
            nfa->states[ret->entry].set = (uint16_t)at->value;
        }
        break;
    case PATTERN_START:
        ret->entry = add_state(nfa, NFA_START, next, NFA_NONE);
        break;
    case PATTERN_END:
        ret->entry = add_state(nfa, NFA_END, next, NFA_NONE);
        break;
    case PATTERN_REPEAT:
        begin_repeat(nfa, ret);
        break;
    case PATTERN_BOUNDARY:
    case PATTERN_LOOK:
    case PATTERN_BACKREFERENCE:
        ret->entry = NFA_NONE;
        break;
    }
    return ret->entry != NFA_NONE;
}

/* The child that comes before what there is; PATTERN_NONE: none does. */
static uint32_t next_child(const struct nfa *nfa, struct building *it) {
    uint32_t child = it->child;
    if (it->node->kind == PATTERN_REPEAT) {
        return it->turns-- > 0 ? child : PATTERN_NONE;
    }
    if (child != PATTERN_NONE) {
        it->child = nfa->tree->nodes[child].previous;
    }
    return child;
}

/* Puts a child in front that is entered at `body`. False: too many states. */
static bool add_child(struct nfa *nfa, struct building *it, uint16_t body) {
    if (it->node->kind == PATTERN_CHOICE) {
        it->entry = it->entry == NFA_NONE ? body : add_state(nfa, NFA_SPLIT, body, it->entry);
    } else if (it->node->kind != PATTERN_REPEAT || it->optional == 0) {
        it->entry = body;
    } else if (it->node->max == PATTERN_NONE) {
        nfa->states[it->entry].next = body;
        it->entry = it->node->min > 0 ? body : it->entry;
        it->optional = 0;
    } else {
        it->entry = add_state(nfa, NFA_SPLIT, body, it->next);
        it->optional--;
    }
    return it->entry != NFA_NONE;
}

/* Where to enter so as to arrive at `next`, or NFA_NONE. */
static uint16_t build(struct nfa *nfa, uint32_t root, uint16_t next) {
    struct building nodes[PATTERN_TREE_DEPTH_MAX]; /* within each other */
    uint32_t depth = 1;
    if (!begin(nfa, root, next, &nodes[0])) {
        return NFA_NONE;
    }
    for (;;) {
        struct building *it = &nodes[depth - 1];
        uint32_t child = next_child(nfa, it);
        if (child != PATTERN_NONE) {
            assert(depth < PATTERN_TREE_DEPTH_MAX);
            if (!begin(nfa, child, it->node->kind == PATTERN_CHOICE ? it->next : it->entry, &nodes[depth++])) {
                return NFA_NONE;
            }
        } else if (--depth == 0) {
            return it->entry;
        } else if (!add_child(nfa, &nodes[depth - 1], it->entry)) {
            return NFA_NONE;
        }
    }
}

bool nfa_build(struct nfa *nfa, const struct pattern_tree *tree) {
    nfa->count = 0;
    nfa->tree = tree;
    if (tree->has_looks || tree->sets.count > NFA_SETS_MAX) {
        return false;
    }
    uint16_t match = add_state(nfa, NFA_MATCH, NFA_NONE, NFA_NONE);
    nfa->entry = build(nfa, tree->root, match);
    return nfa->entry != NFA_NONE;
}

void nfa_reach(const struct nfa *nfa, uint16_t state, bool at_start, bool at_end, struct nfa_bits *seen,
               struct nfa_bits *bits, uint64_t *steps) {
    uint16_t pending[NFA_STATES_MAX + 1]; /* every state is looked at once, and leads to two at most */
    uint32_t count = 0;
    pending[count++] = state;
    while (count > 0) {
        uint16_t at = pending[--count];
        const struct nfa_state *it = &nfa->states[at];
        uint64_t bit = UINT64_C(1) << (at & 63);
        if ((seen->words[at >> 6] & bit) != 0) {
            continue;
        }
        seen->words[at >> 6] |= bit;
        *steps -= *steps > 0 ? 1 : 0;
        if (it->kind == NFA_SET || it->kind == NFA_MATCH || (it->kind == NFA_END && !at_end)) {
            bits->words[at >> 6] |= bit;
        } else if (it->kind == NFA_SPLIT) {
            pending[count++] = it->other;
            pending[count++] = it->next;
        } else if (it->kind == NFA_END || at_start) {
            pending[count++] = it->next;
        }
    }
}
