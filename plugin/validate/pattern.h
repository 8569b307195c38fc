/* pattern.h: regular expressions of JSON Schema: ECMA-262 (2024) with the u flag, compiled once, searched by any
 * thread.
 *
 * Our own parser decides what is a pattern. Literals, lengths and whatever is regular are searched for in time linear
 * in the text; lookarounds, backreferences and automata that would grow too large by backtracking that counts every
 * step. PCRE2 serves as the Unicode data behind \p{...}, when a pattern is compiled. A pattern is immutable: threads
 * share it, and a search touches nothing but its own stack, or its own heap once backtracking outgrows that. */
#ifndef POLARIS_PLUGIN_VALIDATE_PATTERN_H
#define POLARIS_PLUGIN_VALIDATE_PATTERN_H

#include "bytes.h"
#include "cleanup.h"
#include "error.h"

struct pattern;

struct pattern_limits {
    uint32_t source_size_max;  /* bytes of the pattern as written */
    uint32_t depth_max;        /* groups and lookarounds within each other; above 200 it counts as 200 */
    uint32_t group_max;        /* capturing groups */
    uint32_t node_max;         /* elements once counted repeats are written out: a{3}b is 4 */
    uint32_t program_size_max; /* bytes of memory that the compiled pattern may take, machine code included */
    uint32_t step_max;         /* of one search that backtracks, beyond eight for each byte of the text */
    uint32_t heap_kib_max;     /* of one search: memory of backtracking that outgrows the stack */
};

#define PATTERN_LIMITS_DEFAULT                                                                                         \
    ((struct pattern_limits){.source_size_max = 16384,                                                                 \
                             .depth_max = 100,                                                                         \
                             .group_max = 1000,                                                                        \
                             .node_max = 20000,                                                                        \
                             .program_size_max = 1 << 20,                                                              \
                             .step_max = 1000000,                                                                      \
                             .heap_kib_max = 4096})

/* INVALID: not a pattern; the message gives the offset and what is wrong there, the detail "offset" the offset alone.
 * TOO_LARGE: a limit, which the message names. UNSUPPORTED: a pattern that no engine here can search for. The source is
 * not kept. */
WARN_UNUSED enum status pattern_compile(struct bytes source, const struct pattern_limits *limits,
                                        struct pattern **ret_pattern, struct error *error);

/* As pattern_compile, but only says whether it is a pattern: the format "regex". OK, INVALID, TOO_LARGE, NO_MEMORY. */
WARN_UNUSED enum status pattern_check(struct bytes source, const struct pattern_limits *limits, struct error *error);

void pattern_free(struct pattern *pattern); /* NULL is fine */

static inline void pattern_freep(struct pattern **pattern) {
    pattern_free(*pattern);
}

/* LIMIT: no verdict. A limit was hit, memory ran out or `text` is not UTF-8; never to be taken for NO. */
enum pattern_verdict { PATTERN_NO, PATTERN_YES, PATTERN_LIMIT };

/* Is there a match anywhere in `text`? The same text gives the same answer, in whatever thread. */
enum pattern_verdict pattern_search(const struct pattern *pattern, struct bytes text);

/* As pattern_search, and charges what it cost to *steps_left (a linear one: a step for each eight bytes). LIMIT as well
 * if that was not enough. */
enum pattern_verdict pattern_search_within(const struct pattern *pattern, struct bytes text, uint64_t *steps_left);

/* True: a search takes time proportional to the text's size and is never PATTERN_LIMIT for valid UTF-8. */
bool pattern_is_linear(const struct pattern *pattern);

/* What compiling it took: some ten nanoseconds each. */
uint32_t pattern_compile_steps(const struct pattern *pattern);

/* Bytes of memory it takes, for caches. */
size_t pattern_memory(const struct pattern *pattern);

#endif
