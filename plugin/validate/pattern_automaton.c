/* pattern_automaton.c: regular patterns as a deterministic automaton over classes of characters.
 *
 * Characters that no set of the pattern tells apart are one class. The automaton is built whole when the pattern is
 * compiled, within limits on states and steps; a pattern beyond them is left to the program. */
#include "validate/pattern_engine.h"
#include "validate/pattern_nfa.h"
#include "validate/pattern_utf8.h"

#include <stdlib.h>

enum {
    STATES_MAX = 1024,
    CELLS_MAX = 32768,
    CLASSES_MAX = 255,
    INTERVALS_MAX = 4096,
    SIGNATURES_MAX = 1 << 19, /* set look-ups to find the classes */
    LOOK_UPS_PER_STEP = 4,
    BUILD_STEPS_MAX = 400000, /* a few milliseconds; more than all look-ups together */
    ROW_DEAD = 0,             /* no match any more */
    ROW_MATCH = 1,            /* whatever follows */
    ROW_FIRST = 2
};

struct pattern_automaton {
    size_t memory;
    uint32_t class_count;
    uint32_t start; /* rows are named by their offset in the table */
    uint32_t interval_count;
    uint32_t row_count;
    uint32_t *interval_first; /* ascending, the first is 0 */
    uint16_t *table;          /* row_count times class_count */
    uint8_t *interval_class;
    uint8_t *match_at_end; /* for each row */
    uint8_t ascii_class[128];
};

struct signature {
    uint64_t words[NFA_SETS_MAX / 64];
};

/* Everything that a build needs; too large for the stack. */
struct build {
    struct nfa nfa;
    struct signature signatures[CLASSES_MAX];
    uint32_t class_count;
    struct {
        uint32_t first;
        uint8_t class;
    } intervals[INTERVALS_MAX];
    uint32_t interval_count;
    struct nfa_bits rows[STATES_MAX];
    bool match_at_end[STATES_MAX];
    uint32_t row_count;
    uint16_t hash_rows[2 * STATES_MAX]; /* open addressing; 0: free */
    uint16_t cells[CELLS_MAX];          /* row numbers */
    struct nfa_bits restart;            /* an attempt that begins after the start */
    uint64_t steps;
};

static int compare_numbers(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* Where any set begins or ends, ascending, each once; the count, or 0 if there are too many. */
static uint32_t collect_cuts(const struct pattern_sets *sets, uint32_t *cuts) {
    uint32_t count = 0;
    uint32_t kept = 0;
    if (sets->ranges.count >= INTERVALS_MAX / 2) {
        return 0;
    }
    cuts[count++] = 0;
    for (uint32_t i = 0; i < sets->ranges.count; i++) {
        cuts[count++] = sets->ranges.items[i].first;
        if (sets->ranges.items[i].last < CODE_POINT_MAX) {
            cuts[count++] = sets->ranges.items[i].last + 1;
        }
    }
    qsort(cuts, count, sizeof(*cuts), compare_numbers);
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || cuts[kept - 1] != cuts[i]) {
            cuts[kept++] = cuts[i];
        }
    }
    return kept;
}

/* The class of characters that are in exactly these sets; CLASSES_MAX if there are too many. */
static uint32_t find_class(struct build *build, const struct signature *signature) {
    for (uint32_t i = 0; i < build->class_count; i++) {
        if (memcmp(&build->signatures[i], signature, sizeof(*signature)) == 0) {
            return i;
        }
    }
    if (build->class_count < CLASSES_MAX) {
        build->signatures[build->class_count] = *signature;
        return build->class_count++;
    }
    return CLASSES_MAX;
}

static bool find_classes(struct build *build, const struct pattern_sets *sets) {
    uint32_t cuts[INTERVALS_MAX];
    uint32_t count = collect_cuts(sets, cuts);
    if (count == 0 || (uint64_t)count * sets->count > SIGNATURES_MAX) {
        return false;
    }
    build->steps -= (uint64_t)count * sets->count / LOOK_UPS_PER_STEP;
    for (uint32_t i = 0; i < count; i++) {
        struct signature signature = {{0}};
        for (uint32_t set = 0; set < sets->count; set++) {
            if (pattern_set_contains(&sets->items[set], sets->ranges.items, cuts[i])) {
                signature.words[set >> 6] |= UINT64_C(1) << (set & 63);
            }
        }
        uint32_t class = find_class(build, &signature);
        if (class == CLASSES_MAX) {
            return false;
        }
        if (build->interval_count == 0 || build->intervals[build->interval_count - 1].class != class) {
            build->intervals[build->interval_count].first = cuts[i];
            build->intervals[build->interval_count++].class = (uint8_t) class;
        }
    }
    return true;
}

static bool has_kind(const struct nfa *nfa, const struct nfa_bits *bits, enum nfa_kind kind) {
    for (uint32_t word = 0; word * 64 < nfa->count; word++) {
        for (uint64_t left = bits->words[word]; left != 0; left &= left - 1) {
            if (nfa->states[word * 64 + (uint32_t)__builtin_ctzll(left)].kind == kind) {
                return true;
            }
        }
    }
    return false;
}

static bool is_empty(const struct nfa_bits *bits) {
    for (uint32_t word = 0; word < NFA_WORDS_MAX; word++) {
        if (bits->words[word] != 0) {
            return false;
        }
    }
    return true;
}

static uint32_t hash_bits(const struct nfa_bits *bits) {
    uint64_t hash = 0;
    for (uint32_t word = 0; word < NFA_WORDS_MAX; word++) {
        hash = (hash ^ bits->words[word]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    return (uint32_t)hash & (2 * STATES_MAX - 1);
}

/* A new row; false if there are too many. */
static bool add_row(struct build *build, const struct nfa_bits *bits, bool at_start) {
    if (build->row_count == STATES_MAX || (build->row_count + 1) * build->class_count > CELLS_MAX) {
        return false;
    }
    struct nfa_bits seen = {{0}};
    struct nfa_bits final = {{0}};
    for (uint32_t word = 0; word * 64 < build->nfa.count; word++) {
        for (uint64_t left = bits->words[word]; left != 0; left &= left - 1) {
            uint16_t state = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(left));
            if (build->nfa.states[state].kind == NFA_END) {
                nfa_reach(&build->nfa, state, at_start, true, &seen, &final, &build->steps);
            }
        }
    }
    build->match_at_end[build->row_count] = has_kind(&build->nfa, &final, NFA_MATCH);
    build->rows[build->row_count++] = *bits;
    return true;
}

/* The row for these states, new or not. */
static bool find_row(struct build *build, const struct nfa_bits *bits, uint16_t *ret_row) {
    if (is_empty(bits)) {
        *ret_row = ROW_DEAD;
        return true;
    }
    if (has_kind(&build->nfa, bits, NFA_MATCH)) {
        *ret_row = ROW_MATCH;
        return true;
    }
    uint32_t slot = hash_bits(bits);
    while (build->hash_rows[slot] != 0) {
        uint16_t row = build->hash_rows[slot];
        if (memcmp(&build->rows[row], bits, sizeof(*bits)) == 0) {
            *ret_row = row;
            return true;
        }
        slot = (slot + 1) & (2 * STATES_MAX - 1);
    }
    *ret_row = (uint16_t)build->row_count;
    build->hash_rows[slot] = *ret_row;
    return add_row(build, bits, false);
}

/* Where a row goes with each class of characters. */
static bool fill_row(struct build *build, uint32_t row) {
    const struct nfa *nfa = &build->nfa;
    for (uint32_t class = 0; class < build->class_count; class ++) {
        const struct signature *signature = &build->signatures[class];
        struct nfa_bits seen = {{0}};
        struct nfa_bits next = build->restart;
        for (uint32_t word = 0; word * 64 < nfa->count; word++) {
            for (uint64_t left = build->rows[row].words[word]; left != 0; left &= left - 1) {
                const struct nfa_state *state = &nfa->states[word * 64 + (uint32_t)__builtin_ctzll(left)];
                build->steps -= build->steps > 0 ? 1 : 0;
                if (state->kind == NFA_SET && (signature->words[state->set >> 6] >> (state->set & 63) & 1) != 0) {
                    nfa_reach(nfa, state->next, false, false, &seen, &next, &build->steps);
                }
            }
        }
        if (!find_row(build, &next, &build->cells[row * build->class_count + class]) || build->steps == 0) {
            return false;
        }
    }
    return true;
}

/* False: too many states, or too many steps to find them. */
static bool build_rows(struct build *build) {
    struct nfa_bits seen = {{0}};
    struct nfa_bits start = {{0}};
    const struct nfa_bits nothing = {{0}};
    nfa_reach(&build->nfa, build->nfa.entry, false, false, &seen, &build->restart, &build->steps);
    seen = nothing;
    nfa_reach(&build->nfa, build->nfa.entry, true, false, &seen, &start, &build->steps);
    if (!add_row(build, &nothing, false) || !add_row(build, &nothing, false) || !add_row(build, &start, true)) {
        return false;
    }
    if (has_kind(&build->nfa, &start, NFA_MATCH)) {
        return true; /* every text matches: pattern_automaton.start says so */
    }
    for (uint32_t row = ROW_FIRST; row < build->row_count; row++) {
        if (!fill_row(build, row)) {
            return false;
        }
    }
    return true;
}

static struct pattern_automaton *copy_out(const struct build *build) {
    size_t cells = (size_t)build->row_count * build->class_count;
    size_t memory = sizeof(struct pattern_automaton) + build->interval_count * (sizeof(uint32_t) + 1) +
                    cells * sizeof(uint16_t) + build->row_count;
    struct pattern_automaton *self = calloc(1, memory);
    if (self == NULL) {
        return NULL;
    }
    self->memory = memory;
    self->class_count = build->class_count;
    self->interval_count = build->interval_count;
    self->row_count = build->row_count;
    self->interval_first = (uint32_t *)(void *)(self + 1);
    self->table = (uint16_t *)(void *)(self->interval_first + build->interval_count);
    self->interval_class = (uint8_t *)(self->table + cells);
    self->match_at_end = self->interval_class + build->interval_count;
    for (uint32_t i = 0; i < build->interval_count; i++) {
        uint32_t end = i + 1 < build->interval_count ? build->intervals[i + 1].first : CODE_POINT_MAX + 1;
        self->interval_first[i] = build->intervals[i].first;
        self->interval_class[i] = build->intervals[i].class;
        for (uint32_t c = build->intervals[i].first; c < end && c < 128; c++) {
            self->ascii_class[c] = build->intervals[i].class;
        }
    }
    for (size_t i = 0; i < cells; i++) {
        self->table[i] = (uint16_t)(build->cells[i] * build->class_count);
    }
    for (uint32_t i = 0; i < build->row_count; i++) {
        self->match_at_end[i] = build->match_at_end[i];
    }
    self->start =
        (has_kind(&build->nfa, &build->rows[ROW_FIRST], NFA_MATCH) ? ROW_MATCH : ROW_FIRST) * build->class_count;
    return self;
}

static void build_freep(struct build **build) {
    free(*build);
}

/* False: too large for this engine. */
static bool try_build(struct build *build, const struct pattern_tree *tree) {
    build->steps = BUILD_STEPS_MAX;
    return nfa_build(&build->nfa, tree) && find_classes(build, &tree->sets) && build_rows(build);
}

enum status pattern_automaton_compile(const struct pattern_tree *tree, struct pattern_automaton **ret_automaton,
                                      uint32_t *ret_steps, struct error *error) {
    if (tree->has_looks) {
        return OK;
    }
    CLEANUP(build_freep) struct build *build = calloc(1, sizeof(*build));
    if (build == NULL) {
        return error_set(error, NO_MEMORY, "no memory to build the automaton of a pattern");
    }
    bool is_built = try_build(build, tree);
    *ret_steps = (uint32_t)(BUILD_STEPS_MAX - build->steps);
    if (!is_built) {
        return OK;
    }
    struct pattern_automaton *automaton = copy_out(build);
    if (automaton == NULL) {
        return error_set(error, NO_MEMORY, "no memory for the automaton of a pattern");
    }
    *ret_automaton = automaton;
    return OK;
}

static uint32_t find_interval(const struct pattern_automaton *self, uint32_t code_point) {
    uint32_t low = 0;
    uint32_t high = self->interval_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (self->interval_first[middle] <= code_point) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

enum pattern_verdict pattern_automaton_search(const struct pattern_automaton *self, struct bytes text) {
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;
    const uint32_t row_match = ROW_MATCH * self->class_count;
    uint32_t row = self->start;
    while (at < end && row > row_match) {
        if (*at < 128) {
            row = self->table[row + self->ascii_class[*at++]];
            continue;
        }
        uint32_t code_point;
        uint32_t size = utf8_decode(at, end, &code_point);
        if (size == 0) {
            return PATTERN_LIMIT;
        }
        row = self->table[row + self->interval_class[find_interval(self, code_point)]];
        at += size;
    }
    if (row <= row_match) {
        return row == row_match ? PATTERN_YES : PATTERN_NO;
    }
    return self->match_at_end[row / self->class_count] != 0 ? PATTERN_YES : PATTERN_NO;
}

size_t pattern_automaton_memory(const struct pattern_automaton *self) {
    return self->memory;
}
