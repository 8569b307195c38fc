/* evaluate.h: the machine that runs a program over a tape: an explicit stack of frames, no recursion.
 *
 * The machine is written once, in evaluate_*.h, and compiled three times by a constant `mode`: for verdicts, for
 * verdicts of schemas that must know what was evaluated, and for explanations. */
#ifndef POLARIS_PLUGIN_VALIDATE_EVALUATE_H
#define POLARIS_PLUGIN_VALIDATE_EVALUATE_H

#include "validate/program.h"

enum mode { MODE_FAST, MODE_TRACK, MODE_EXPLAIN };

/* The first three are enum verdict. */
enum step { STEP_FAIL, STEP_PASS, STEP_LIMIT, STEP_CALL /* a frame was pushed: its result comes first */ };

/* What a frame's value is to that of the frame below. */
enum relation { SAME_VALUE, ELEMENT, KEY };

enum branch_kind { BRANCH_NONE, BRANCH_NUMBER, BRANCH_TEXT, BRANCH_THEN, BRANCH_ELSE };

/* How the frame below came here: the part of the keyword's path after the keyword. */
struct branch {
    uint8_t kind;    /* enum branch_kind */
    uint32_t number; /* or offset of a text of the program */
    uint32_t size;
};

struct report_mark {
    size_t text_size;
    uint32_t count;
    bool truncated;
};

/* A subschema that looks at a value. */
struct frame {
    uint32_t pc, end; /* its code: the instruction that is being executed */
    uint32_t value;   /* item */
    uint32_t schema;
    uint32_t track;    /* scratch: a bit for each element that was evaluated; or WORK_NONE */
    uint32_t mark;     /* scratch to go back to */
    uint32_t position; /* of its value among the elements of the one below */
    uint8_t relation;  /* enum relation */
    bool valid;
    /* Of the instruction: */
    bool started; /* it made a call, whose result is there */
    bool failed;
    uint32_t cursor, left, ordinal; /* the element or branch it is at, how many are left, the element's place */
    uint32_t count, stage;
    bool named; /* a property or a pattern names the member it is at */
    /* Of explanations: */
    struct branch branch;
    struct report_mark report;
};

/* What a subschema said of a value. Where it was asked what it evaluates as well, that is part of the answer, and the
 * question another one: its schema has MEMO_TRACKED. */
struct memo_entry {
    uint32_t schema;
    uint32_t value;
    uint32_t run; /* entries of other runs are empty */
    uint32_t set; /* words of memo_sets, from here on; or WORK_NONE */
    bool valid;
};

#define MEMO_TRACKED UINT32_C(0x80000000)

struct validate_context {
    uint64_t seed;
    uint64_t steps; /* of the last run */
    struct work work;
    struct frame *frames;
    uint32_t frame_capacity;
    struct memo_entry *memo;
    uint32_t memo_capacity; /* a power of two, or 0 */
    uint32_t memo_count;
    uint64_t *memo_sets;
    uint32_t memo_set_count; /* words */
    uint32_t memo_set_capacity;
    uint32_t run;
};

struct machine {
    struct program_view view;
    struct work *work;
    struct validate_context *context;
    const struct validate_program *program;
    const struct wire_document *document;
    const struct wire_item *items;
    const uint8_t *bytes;
    struct frame *frames;
    uint32_t depth;
    uint32_t depth_max;   /* until the frames grow, or may not */
    bool result;          /* of the last call */
    uint64_t memo_below;  /* results are remembered once fewer steps than these are left */
    struct branch branch; /* of the next call, in MODE_EXPLAIN */
    struct validate_report *report;
};

static inline struct bytes machine_text(const struct machine *machine, uint32_t item) {
    const struct wire_item *at = &machine->items[item];
    return (struct bytes){machine->bytes + at->offset + at->header_size, at->size};
}

static inline const struct key *machine_find_key(const struct machine *machine, const struct key_table *table,
                                                 uint32_t item) {
    return program_find_key(&machine->view, table, machine_text(machine, item), machine->items[item].mark);
}

static inline uint32_t machine_index(const struct machine *machine, const struct wire_item *item) {
    return (uint32_t)(item - machine->items);
}

static inline struct wire_value machine_value(const struct machine *machine, uint32_t item) {
    return (struct wire_value){machine->document, item};
}

/* evaluate_frame.c: the parts that are called seldom. */
WARN_UNUSED bool machine_grow(struct machine *machine);
/* A set of `count` elements, empty; WORK_NONE: a limit. */
uint32_t machine_new_set(struct machine *machine, uint32_t count);
/* NULL: not known. */
const struct memo_entry *memo_find(const struct validate_context *context, uint32_t schema, uint32_t value);
/* `set`: of scratch memory, `words` long; or WORK_NONE. False: a limit. */
WARN_UNUSED bool memo_add(struct machine *machine, struct memo_entry entry, uint32_t set, uint32_t words);

/* evaluate_assert.c */
enum verdict assert_enum(struct machine *machine, const struct enumeration *set, uint32_t value);
/* Is there a match of the pattern in the string? What the search costs is taken from the run's steps. */
enum verdict assert_search(struct machine *machine, uint32_t pattern, uint32_t string);
/* By counting code points. */
enum verdict assert_length_exactly(struct machine *machine, uint32_t least, uint32_t most, uint32_t value);
/* Of numbers that neither int64 nor double settles. */
bool assert_range_exactly(const struct machine *machine, const struct range *range, uint32_t value);
enum verdict assert_slow(struct machine *machine, const struct instruction *instruction, uint32_t value);
/* Which keys of a table the map has: a set, by key number. WORK_NONE: a limit. */
uint32_t assert_seen_keys(struct machine *machine, const struct key_table *table, uint32_t map);

/* explain.c and explain_message.c: adding failures to the report. */
struct report_mark explain_mark(const struct machine *machine);
void explain_rollback(struct machine *machine, struct report_mark mark);
/* The run ends here. What was found in branches that might have been forgotten counts for nothing. */
void explain_cut(struct machine *machine);
void explain_assertion(struct machine *machine, const struct frame *frame, const struct instruction *instruction);
/* `keyword`: the one that failed, where it is not the instruction's own; else KEYWORD_NONE. */
void explain_failure(struct machine *machine, const struct frame *frame, enum keyword keyword, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static inline bool set_has(const struct machine *machine, uint32_t set, uint32_t number) {
    const uint64_t *words = work_at(machine->work, set);
    return (words[number / 64] >> (number % 64) & 1) != 0;
}

static inline void set_add(const struct machine *machine, uint32_t set, uint32_t number) {
    uint64_t *words = work_at(machine->work, set);
    words[number / 64] |= UINT64_C(1) << (number % 64);
}

#endif
