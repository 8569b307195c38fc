/* pattern_nfa.c: a pattern's tree as a machine of states (Thompson), counted repeats written out. */
#include "validate/pattern_nfa.h"

enum { NFA_NONE = UINT16_MAX };

static uint16_t add_state(struct nfa *nfa, enum nfa_kind kind, uint16_t next, uint16_t other) {
    if (nfa->count == NFA_STATES_MAX) {
        return NFA_NONE;
    }
    nfa->states[nfa->count] = (struct nfa_state){.kind = (uint8_t)kind, .next = next, .other = other};
    return (uint16_t)nfa->count++;
}

/* Each of these returns where to enter so as to arrive at `next`, or NFA_NONE. They are built from the end. */
static uint16_t build(struct nfa *nfa, uint32_t node, uint16_t next);

static uint16_t build_choice(struct nfa *nfa, const struct pattern_node *node, uint16_t next) {
    uint16_t entry = NFA_NONE;
    for (uint32_t child = node->child_last; child != PATTERN_NONE; child = nfa->tree->nodes[child].previous) {
        uint16_t branch = build(nfa, child, next);
        if (branch == NFA_NONE) {
            return NFA_NONE;
        }
        entry = entry == NFA_NONE ? branch : add_state(nfa, NFA_SPLIT, branch, entry);
        if (entry == NFA_NONE) {
            return NFA_NONE;
        }
    }
    return entry;
}

static uint16_t build_repeat(struct nfa *nfa, const struct pattern_node *node, uint16_t next) {
    uint16_t entry = next;
    uint32_t copies = node->min;
    if (node->min > NFA_STATES_MAX || (node->max != PATTERN_NONE && node->max > NFA_STATES_MAX)) {
        return NFA_NONE;
    }
    if (node->max == PATTERN_NONE) {
        entry = add_state(nfa, NFA_SPLIT, NFA_NONE, next);
        uint16_t body = entry == NFA_NONE ? NFA_NONE : build(nfa, node->child, entry);
        if (body == NFA_NONE) {
            return NFA_NONE;
        }
        nfa->states[entry].next = body;
        /* x+ is x with a way back: no second copy, as entering at the body is the first time. */
        if (copies > 0) {
            entry = body;
            copies--;
        }
    }
    for (uint32_t i = node->min; node->max != PATTERN_NONE && i < node->max; i++) {
        uint16_t body = build(nfa, node->child, entry);
        entry = body == NFA_NONE ? NFA_NONE : add_state(nfa, NFA_SPLIT, body, next);
        if (entry == NFA_NONE) {
            return NFA_NONE;
        }
    }
    for (uint32_t i = 0; i < copies && entry != NFA_NONE; i++) {
        entry = build(nfa, node->child, entry);
    }
    return entry;
}

static uint16_t build(struct nfa *nfa, uint32_t node, uint16_t next) {
    const struct pattern_node *at = &nfa->tree->nodes[node];
    uint16_t entry = next;
    switch ((enum pattern_node_kind)at->kind) {
    case PATTERN_EMPTY:
        return next;
    case PATTERN_SET:
        entry = add_state(nfa, NFA_SET, next, NFA_NONE);
        if (entry != NFA_NONE) {
            nfa->states[entry].set = (uint16_t)at->value;
        }
        return entry;
    case PATTERN_START:
        return add_state(nfa, NFA_START, next, NFA_NONE);
    case PATTERN_END:
        return add_state(nfa, NFA_END, next, NFA_NONE);
    case PATTERN_SEQUENCE:
        for (uint32_t child = at->child_last; child != PATTERN_NONE; child = nfa->tree->nodes[child].previous) {
            entry = build(nfa, child, entry);
            if (entry == NFA_NONE) {
                return NFA_NONE;
            }
        }
        return entry;
    case PATTERN_CHOICE:
        return build_choice(nfa, at, next);
    case PATTERN_REPEAT:
        return build_repeat(nfa, at, next);
    case PATTERN_CAPTURE:
        return build(nfa, at->child, next);
    case PATTERN_BOUNDARY:
    case PATTERN_LOOK:
    case PATTERN_BACKREFERENCE:
        return NFA_NONE;
    }
    return NFA_NONE;
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
