/* pattern_program.h: the instructions of a pattern that is searched for by backtracking. Inside of pattern.c's family.
 */
#ifndef POLARIS_PLUGIN_VALIDATE_PATTERN_PROGRAM_H
#define POLARIS_PLUGIN_VALIDATE_PATTERN_PROGRAM_H

#include "validate/pattern_engine.h"

/* Slots hold positions: for each group that is referred to, where it was entered, and where it began and ended; and for
 * each nesting of loops that may consume nothing, where the iteration began. */
enum { SLOT_ENTERED, SLOT_FIRST, SLOT_LAST, SLOTS_PER_GROUP };

enum pattern_op {
    OP_SET,       /* one character of set a */
    OP_RUN,       /* b to c characters of set a */
    OP_SPLIT,     /* try a, then b */
    OP_JUMP,      /* to a */
    OP_START,     /* the text's start */
    OP_END,       /* the text's end */
    OP_BOUNDARY,  /* between a word and no word; negative: not there */
    OP_MARK,      /* slot a becomes the position */
    OP_CLOSE,     /* the group with slots from a ends here */
    OP_CLEAR,     /* the group with slots from a has captured nothing */
    OP_MOVED,     /* fails where slot a says: an iteration must consume something */
    OP_REFERENCE, /* what the group with slots from a captured */
    OP_LOOK,      /* what follows, up to its OP_LOOK_DONE, must match here (negative: must not); goes on at a */
    OP_LOOK_DONE,
    OP_MATCH
};

struct pattern_instruction {
    uint8_t op;
    bool back; /* what consumes does so towards the start: within a lookbehind */
    bool lazy;
    bool negative;
    uint32_t a;
    uint32_t b;
    uint32_t c;
};

struct pattern_program {
    size_t memory;
    bool anchored; /* matches begin at the text's start only */
    uint32_t slot_count;
    uint32_t count;
    const struct pattern_instruction *instructions;
    const struct pattern_set *sets;
    const struct pattern_range *ranges;
};

#endif
