/* pattern_plain.c: patterns that are really a literal, a prefix, a suffix or a length; or, from the text's start, a
 * literal and then runs of characters of which each ends where it must: so nothing is ever tried twice. */
#include "validate/pattern_engine.h"
#include "validate/pattern_utf8.h"

#include <stdlib.h>

enum { RUNS_MAX = 8 /* bits of a byte of `in_run` */ };

/* Between min and max characters of a set. */
struct run {
    uint32_t min;
    uint32_t max;         /* PATTERN_NONE: without end */
    uint32_t first_range; /* of `ranges` */
    uint32_t range_count;
};

struct pattern_plain {
    bool at_start;
    bool at_end;
    uint32_t literal_size;
    uint32_t run_count; /* if there are any, the pattern is at_start */
    struct run runs[RUNS_MAX];
    uint8_t in_run[256]; /* by byte that is a character: a bit for each run whose set has it. Never those above 127 */
    size_t memory;
    union {
        struct pattern_range ranges[1];
        uint8_t bytes[1];
    } tail; /* the ranges, then the literal */
};

static const uint8_t *literal_of(const struct pattern_plain *plain) {
    const struct run *last = &plain->runs[plain->run_count > 0 ? plain->run_count - 1 : 0];
    return plain->tail.bytes + (size_t)(last->first_range + last->range_count) * sizeof(struct pattern_range);
}

/* The pattern as a list of its parts: a sequence's children, or itself. */
struct parts {
    const struct pattern_tree *tree;
    uint32_t first;
    bool alone;
};

static uint32_t next_part(const struct parts *parts, uint32_t part) {
    return parts->alone ? PATTERN_NONE : parts->tree->nodes[part].next;
}

static const struct pattern_range *ranges_of(const struct pattern_tree *tree, const struct pattern_set *set) {
    return tree->sets.ranges.items + set->first_range;
}

/* Is it a set of one character? */
static bool is_character(const struct pattern_tree *tree, uint32_t node, uint32_t *ret_code_point) {
    const struct pattern_node *at = &tree->nodes[node];
    if (at->kind != PATTERN_SET || tree->sets.items[at->value].range_count != 1) {
        return false;
    }
    const struct pattern_range *range = ranges_of(tree, &tree->sets.items[at->value]);
    *ret_code_point = range->first;
    return range->first == range->last;
}

/* The set that the part is a run of, or NULL. */
static const struct pattern_set *run_set(const struct pattern_tree *tree, uint32_t part, struct run *ret_run) {
    const struct pattern_node *node = &tree->nodes[part];
    *ret_run = (struct run){.min = 1, .max = 1};
    if (node->kind == PATTERN_REPEAT) {
        ret_run->min = node->min;
        ret_run->max = node->max;
        node = &tree->nodes[node->child];
    }
    return node->kind == PATTERN_SET ? &tree->sets.items[node->value] : NULL;
}

static bool are_disjoint(const struct pattern_tree *tree, const struct pattern_set *a, const struct pattern_set *b) {
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a->range_count && j < b->range_count) {
        const struct pattern_range *left = ranges_of(tree, a) + i;
        const struct pattern_range *right = ranges_of(tree, b) + j;
        if (left->first <= right->last && right->first <= left->last) {
            return false;
        }
        i += left->last < right->last;
        j += left->last >= right->last;
    }
    return true;
}

/* What a pattern is made of, before there is memory for it. */
struct plan {
    bool at_start;
    bool at_end;
    uint32_t first; /* part: the literal's characters are from here to `runs_first` */
    uint32_t runs_first;
    uint32_t literal_count;
    uint32_t run_count;
    uint32_t range_count;
    struct run runs[RUNS_MAX];
    const struct pattern_set *sets[RUNS_MAX];
};

/* May each run take all that it can get? Yes if what follows could not begin with any of it. */
static bool are_greedy(const struct pattern_tree *tree, const struct plan *plan) {
    for (uint32_t i = 0; i < plan->run_count; i++) {
        bool is_open = plan->runs[i].min != plan->runs[i].max;
        for (uint32_t j = i + 1; j < plan->run_count && is_open; j++) {
            if (!are_disjoint(tree, plan->sets[i], plan->sets[j])) {
                return false;
            }
            is_open = plan->runs[j].min == 0;
        }
    }
    return true;
}

/* False: the pattern is more than that. */
static bool make_plan(const struct pattern_tree *tree, const struct parts *parts, struct plan *plan) {
    uint32_t part = parts->first;
    uint32_t code_point;
    plan->at_start = tree->nodes[part].kind == PATTERN_START;
    part = plan->at_start ? next_part(parts, part) : part;
    plan->first = part;
    for (; part != PATTERN_NONE && is_character(tree, part, &code_point); part = next_part(parts, part)) {
        plan->literal_count++;
    }
    plan->runs_first = part;
    for (; part != PATTERN_NONE && plan->at_start; part = next_part(parts, part)) {
        struct run run;
        const struct pattern_set *set = run_set(tree, part, &run);
        if (set == NULL) {
            break;
        }
        if (plan->run_count == RUNS_MAX) {
            return false;
        }
        run.first_range = plan->range_count;
        run.range_count = set->range_count;
        plan->range_count += set->range_count;
        plan->sets[plan->run_count] = set;
        plan->runs[plan->run_count++] = run;
    }
    plan->at_end = part != PATTERN_NONE && tree->nodes[part].kind == PATTERN_END;
    part = plan->at_end ? next_part(parts, part) : part;
    return part == PATTERN_NONE && are_greedy(tree, plan);
}

enum status pattern_plain_compile(const struct pattern_tree *tree, struct pattern_plain **ret_plain,
                                  struct error *error) {
    const struct pattern_node *root = &tree->nodes[tree->root];
    const struct parts parts = {
        .tree = tree,
        .first = root->kind == PATTERN_SEQUENCE ? root->child : tree->root,
        .alone = root->kind != PATTERN_SEQUENCE,
    };
    struct plan plan = {0};
    if (!make_plan(tree, &parts, &plan)) {
        return OK;
    }
    size_t memory =
        sizeof(struct pattern_plain) + plan.range_count * sizeof(struct pattern_range) + (size_t)4 * plan.literal_count;
    struct pattern_plain *plain = calloc(1, memory);
    if (plain == NULL) {
        return error_set(error, NO_MEMORY, "no memory for a pattern of %zu bytes", memory);
    }
    plain->memory = memory;
    plain->at_start = plan.at_start;
    plain->at_end = plan.at_end;
    plain->run_count = plan.run_count;
    for (uint32_t i = 0; i < plan.run_count; i++) {
        plain->runs[i] = plan.runs[i];
        if (plan.sets[i]->range_count > 0) {
            memcpy(plain->tail.ranges + plan.runs[i].first_range, ranges_of(tree, plan.sets[i]),
                   plan.sets[i]->range_count * sizeof(struct pattern_range));
        }
        for (uint32_t c = 0; c < 128; c++) {
            bool has = pattern_set_contains(plan.sets[i], tree->sets.ranges.items, c);
            plain->in_run[c] = (uint8_t)(plain->in_run[c] | has << i);
        }
    }
    uint8_t *literal = plain->tail.bytes + plan.range_count * sizeof(struct pattern_range);
    for (uint32_t part = plan.first; part != plan.runs_first; part = next_part(&parts, part)) {
        uint32_t code_point = 0;
        if (is_character(tree, part, &code_point)) {
            plain->literal_size += utf8_encode(code_point, literal + plain->literal_size);
        }
    }
    *ret_plain = plain;
    return OK;
}

/* Without what follows it in the pattern. */
__attribute__((noinline)) static enum pattern_verdict search_literal(const struct pattern_plain *plain,
                                                                     struct bytes text) {
    size_t size = plain->literal_size;
    const uint8_t *literal = literal_of(plain);
    bool is_all = plain->at_start && plain->at_end && plain->run_count == 0;
    bool found;
    if (size > text.size || (is_all && size != text.size)) {
        return PATTERN_NO;
    }
    if (size == 0) {
        found = true; /* and of "^$" the size was compared */
    } else if (plain->at_start) {
        found = memcmp(text.data, literal, size) == 0;
    } else if (plain->at_end) {
        found = memcmp(text.data + text.size - size, literal, size) == 0;
    } else {
        found = memmem(text.data, text.size, literal, size) != NULL;
    }
    return found ? PATTERN_YES : PATTERN_NO;
}

/* Behind the characters of the run at `at`, at most `enough` of them. *ret_count: how many. NULL: the text is not
 * UTF-8. Called where a text is not ASCII. */
__attribute__((noinline)) static const uint8_t *skip_run(const struct pattern_plain *plain, uint32_t number,
                                                         uint64_t enough, const uint8_t *at, const uint8_t *end,
                                                         uint64_t *ret_count) {
    const struct run *run = &plain->runs[number];
    uint64_t count = 0;
    while (at < end && count < enough) {
        uint32_t code_point;
        uint32_t size = utf8_decode(at, end, &code_point);
        if (size == 0) {
            return NULL;
        }
        bool is_in = size == 1
                         ? (plain->in_run[*at] >> number & 1) != 0
                         : pattern_ranges_contain(plain->tail.ranges + run->first_range, run->range_count, code_point);
        if (!is_in) {
            break;
        }
        at += size;
        count++;
    }
    *ret_count = count;
    return at;
}

static inline uint8_t runs_of_four(const uint8_t *in_run, const uint8_t *at) {
    return in_run[at[0]] & in_run[at[1]] & in_run[at[2]] & in_run[at[3]];
}

/* Are all bytes up to the end characters of the run? In steps that overlap, as a branch for each byte would cost more:
 * nobody can foresee how long the next text is. */
static inline bool is_all_in_run(const uint8_t *in_run, uint32_t bit, const uint8_t *at, const uint8_t *end) {
    size_t size = (size_t)(end - at);
    if (size < 4) {
        return size == 0 || (in_run[at[0]] & in_run[at[size / 2]] & in_run[end[-1]] & bit) != 0;
    }
    uint8_t in_all = runs_of_four(in_run, at) & runs_of_four(in_run, end - 4);
    for (at += 4; end - at > 4; at += 4) {
        in_all &= runs_of_four(in_run, at);
    }
    return (in_all & bit) != 0;
}

/* The runs from `number` on, whatever their ways and the text. */
__attribute__((noinline)) static enum pattern_verdict
search_any_runs(const struct pattern_plain *plain, uint32_t number, const uint8_t *at, const uint8_t *end) {
    for (uint32_t i = number; i < plain->run_count; i++) {
        const struct run *run = &plain->runs[i];
        bool is_last = i + 1 == plain->run_count && !plain->at_end; /* whatever follows is fine */
        uint32_t enough = is_last ? run->min : run->max;            /* without end: more than a text has */
        const uint8_t *first = at;
        const uint8_t *last = (size_t)(end - at) <= enough ? end : at + enough;
        while (at < last && (plain->in_run[*at] & 1U << i) != 0) {
            at++;
        }
        uint64_t count = (uint64_t)(at - first);
        if (at < last && *at >= 128) {
            uint64_t others;
            at = skip_run(plain, i, enough == PATTERN_NONE ? UINT64_MAX : enough - count, at, end, &others);
            if (at == NULL) {
                return PATTERN_LIMIT;
            }
            count += others;
        }
        if (count < run->min) {
            return PATTERN_NO;
        }
    }
    return at == end || !plain->at_end ? PATTERN_YES : PATTERN_NO;
}

/* Behind all the characters of the run that there are, in a text that is ASCII so far. NULL: search_any_runs has to
 * look. */
static inline const uint8_t *take_open_run(const uint8_t *in_run, const struct run *run, uint32_t bit,
                                           const uint8_t *at, const uint8_t *end) {
    const uint8_t *first = at;
    while (at < end && (in_run[*at] & bit) != 0) {
        at++;
    }
    return (size_t)(at - first) >= run->min && (at == end || *at < 128) ? at : NULL;
}

/* The same, of the last run: with nothing behind it. */
static inline const uint8_t *take_rest(const uint8_t *in_run, const struct run *run, uint32_t bit, const uint8_t *at,
                                       const uint8_t *end) {
    return (size_t)(end - at) >= run->min && is_all_in_run(in_run, bit, at, end) ? end : NULL;
}

/* Calls nothing but as its last deed: for short texts the saving of registers would be what costs. */
__attribute__((noinline)) static enum pattern_verdict search_runs(const struct pattern_plain *plain, const uint8_t *at,
                                                                  const uint8_t *end) {
    const struct run *runs_end = &plain->runs[plain->run_count];
    uint32_t bit = 1;
    for (const struct run *run = plain->runs; run < runs_end; run++, bit *= 2) {
        const uint8_t *behind = NULL;
        if (run->max == 1) {
            behind = at < end && (plain->in_run[*at] & bit) != 0 ? at + 1 : NULL;
        } else if (run->max == PATTERN_NONE && run + 1 < runs_end) {
            behind = take_open_run(plain->in_run, run, bit, at, end);
        } else if (run->max == PATTERN_NONE && plain->at_end) {
            behind = take_rest(plain->in_run, run, bit, at, end);
        }
        if (__builtin_expect(behind == NULL, 0)) {
            return search_any_runs(plain, (uint32_t)(run - plain->runs), at, end);
        }
        at = behind;
    }
    return at == end || !plain->at_end ? PATTERN_YES : PATTERN_NO;
}

/* A literal with runs behind it. */
__attribute__((noinline)) static enum pattern_verdict search_both(const struct pattern_plain *plain,
                                                                  struct bytes text) {
    enum pattern_verdict verdict = search_literal(plain, text);
    return verdict == PATTERN_YES ? search_runs(plain, text.data + plain->literal_size, text.data + text.size)
                                  : verdict;
}

enum pattern_verdict pattern_plain_search(const struct pattern_plain *plain, struct bytes text) {
    if (plain->run_count == 0) {
        return search_literal(plain, text);
    }
    return plain->literal_size == 0 ? search_runs(plain, text.data, text.data + text.size) : search_both(plain, text);
}

size_t pattern_plain_memory(const struct pattern_plain *plain) {
    return plain->memory;
}
