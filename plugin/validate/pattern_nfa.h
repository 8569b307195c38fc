/* pattern_nfa.h: a pattern written out as a small machine of states, from which the automaton is made. */
#ifndef POLARIS_PLUGIN_VALIDATE_PATTERN_NFA_H
#define POLARIS_PLUGIN_VALIDATE_PATTERN_NFA_H

#include "validate/pattern_tree.h"

enum { NFA_STATES_MAX = 2048, NFA_WORDS_MAX = NFA_STATES_MAX / 64, NFA_SETS_MAX = 256 };

enum nfa_kind { NFA_SET, NFA_SPLIT, NFA_START, NFA_END, NFA_MATCH };

struct nfa_state {
    uint8_t kind;
    uint16_t set;
    uint16_t next;
    uint16_t other; /* of a split */
};

struct nfa {
    struct nfa_state states[NFA_STATES_MAX];
    uint32_t count;
    uint16_t entry;
    const struct pattern_tree *tree;
};

/* States as bits. */
struct nfa_bits {
    uint64_t words[NFA_WORDS_MAX];
};

/* False: the pattern is not regular, or takes more states. */
bool nfa_build(struct nfa *nfa, const struct pattern_tree *tree);

/* Adds what is reached from `state` without consuming: sets, matches, and ends (they hold only at the text's end). What
 * is in `seen` is not looked at again. Steps are taken from *steps. */
void nfa_reach(const struct nfa *nfa, uint16_t state, bool at_start, bool at_end, struct nfa_bits *seen,
               struct nfa_bits *bits, uint64_t *steps);

#endif
