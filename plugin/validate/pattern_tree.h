/* pattern_tree.h: a parsed pattern: nodes in one array and the character sets they use. Inside of pattern.c's family.
 */
#ifndef POLARIS_PLUGIN_VALIDATE_PATTERN_TREE_H
#define POLARIS_PLUGIN_VALIDATE_PATTERN_TREE_H

#include "validate/pattern.h"

enum {
    PATTERN_DEPTH_LIMIT = 200, /* groups within each other, whatever the caller's limit */
    /* Nodes within each other: a group adds a repeat, a capture, a choice and a sequence at most. */
    PATTERN_TREE_DEPTH_MAX = 4 * (PATTERN_DEPTH_LIMIT + 1)
};

/* ---- Character sets ---- */

struct pattern_range {
    uint32_t first;
    uint32_t last; /* inclusive */
};

/* An owner of ranges in any order, until they are put in order. pattern_ranges_done() leaves it empty and valid. */
struct pattern_ranges {
    struct pattern_range *items;
    uint32_t count;
    uint32_t capacity;
};

/* False: no memory, and the ranges are as they were. */
WARN_UNUSED bool pattern_ranges_add(struct pattern_ranges *ranges, uint32_t first, uint32_t last);
/* Ascending, disjoint and not adjacent; surrogates, which no text can contain, are dropped. */
void pattern_ranges_order(struct pattern_ranges *ranges);
/* Of ordered ranges: adds everything that is not in `other` to `ranges`. */
WARN_UNUSED bool pattern_ranges_add_others(struct pattern_ranges *ranges, const struct pattern_range *other,
                                           uint32_t count);
void pattern_ranges_done(struct pattern_ranges *ranges);

/* What \d, \w, \s and . stand for; upper case letters are their complements. */
WARN_UNUSED bool pattern_ranges_add_escape(struct pattern_ranges *ranges, char letter);

/* A set of a tree: ordered ranges, and ASCII once more as bits, as most text is ASCII. */
struct pattern_set {
    uint64_t ascii[2];
    uint32_t first_range; /* in the tree's ranges */
    uint32_t range_count;
    uint32_t next; /* set with the same hash, plus one; 0: none */
};

#define PATTERN_NONE UINT32_MAX

static inline bool pattern_ranges_contain(const struct pattern_range *ranges, uint32_t count, uint32_t code_point) {
    uint32_t low = 0;
    while (count > 0) { /* the last range that starts at or before it */
        uint32_t half = count / 2;
        if (ranges[low + half].first <= code_point) {
            if (code_point <= ranges[low + half].last) {
                return true;
            }
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return false;
}

static inline bool pattern_set_contains(const struct pattern_set *set, const struct pattern_range *ranges,
                                        uint32_t code_point) {
    if (code_point < 128) {
        return (set->ascii[code_point >> 6] >> (code_point & 63) & 1) != 0;
    }
    return set->range_count > 0 && pattern_ranges_contain(ranges + set->first_range, set->range_count, code_point);
}

/* The sets of a pattern, each kept once. */
struct pattern_sets {
    struct pattern_set *items;
    uint32_t count;
    uint32_t capacity;
    struct pattern_ranges ranges; /* of all sets */
    uint32_t buckets[256];        /* first set of each hash, plus one; 0: none */
};

/* Puts `ranges` in order and keeps them as a set, or finds the same set. */
WARN_UNUSED bool pattern_sets_keep(struct pattern_sets *sets, struct pattern_ranges *ranges, uint32_t *ret_set);
void pattern_sets_done(struct pattern_sets *sets);

/* ---- Unicode properties ---- */

/* Adds what \p{expression} stands for. INVALID: ECMA-262 has no such property; UNSUPPORTED: the Unicode data at hand
 * has not. The error's message is a fragment: "there is no property ...". */
WARN_UNUSED enum status pattern_property_add(struct pattern_ranges *ranges, struct bytes expression, bool negated,
                                             struct error *error);
/* May the code point stand in a group's name: at its start, or after it? */
WARN_UNUSED enum status pattern_property_names(uint32_t code_point, bool start, bool *ret_names, struct error *error);

/* ---- Nodes ---- */

enum pattern_node_kind {
    PATTERN_EMPTY,
    PATTERN_SET,          /* one character */
    PATTERN_START,        /* ^ */
    PATTERN_END,          /* $ */
    PATTERN_BOUNDARY,     /* \b; negative: \B */
    PATTERN_SEQUENCE,     /* children, one after the other */
    PATTERN_CHOICE,       /* children, the first that fits */
    PATTERN_REPEAT,       /* its child */
    PATTERN_CAPTURE,      /* its child */
    PATTERN_LOOK,         /* its child, ahead or behind, negative or not */
    PATTERN_BACKREFERENCE /* what a group captured */
};

struct pattern_node {
    uint8_t kind;           /* enum pattern_node_kind */
    bool lazy;              /* of a repeat */
    bool negative;          /* of a boundary or a look */
    bool behind;            /* of a look */
    bool nullable;          /* it may match without consuming anything */
    bool anchored;          /* every match begins at the start of the text */
    bool consumes;          /* of a sequence: not all of its children are looks and boundaries */
    uint32_t value;         /* of a set: which; of a capture or a backreference: the group, from 1 */
    uint32_t groups_before; /* of a repeat: groups that opened before it, and until its end: those within are between */
    uint32_t groups_until;
    uint32_t min;    /* of a repeat */
    uint32_t max;    /* of a repeat; PATTERN_NONE: without end */
    uint32_t weight; /* nodes in it once counted repeats are written out */
    uint32_t child;  /* first and last; PATTERN_NONE: none */
    uint32_t child_last;
    uint32_t next; /* siblings; PATTERN_NONE: none */
    uint32_t previous;
};

struct pattern_tree {
    struct pattern_node *nodes;
    uint32_t count;
    uint32_t capacity;
    uint32_t root;
    uint32_t group_count;
    bool has_looks; /* lookarounds, boundaries or backreferences: no linear automaton */
    struct pattern_sets sets;
};

/* Errors as pattern_compile. */
WARN_UNUSED enum status pattern_parse(struct bytes source, const struct pattern_limits *limits,
                                      struct pattern_tree *ret_tree, struct error *error);
void pattern_tree_done(struct pattern_tree *tree);

/* A new node with no children; PATTERN_NONE: no memory. */
WARN_UNUSED uint32_t pattern_tree_add(struct pattern_tree *tree, enum pattern_node_kind kind);
/* Makes `child`, which is complete, the last child of `parent`. */
void pattern_tree_adopt(struct pattern_tree *tree, uint32_t parent, uint32_t child);

#endif
