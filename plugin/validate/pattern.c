/* pattern.c: compiles a pattern for the simplest engine that can search for it. */
#include "validate/pattern.h"

#include "validate/pattern_engine.h"
#include "validate/pattern_tree.h"

#include <stdlib.h>

enum { STEPS_PER_BYTE = 8, LINEAR_BYTES_PER_STEP = 8 };

/* One of the engines is there. */
struct pattern {
    struct pattern_plain *plain;
    struct pattern_automaton *automaton;
    struct pattern_program *program;
    uint32_t step_max;
    uint32_t heap_kib_max;
    uint32_t compile_steps;
};

enum status pattern_check(struct bytes source, const struct pattern_limits *limits, struct error *error) {
    CLEANUP(pattern_tree_done) struct pattern_tree tree = {0};
    return pattern_parse(source, limits, &tree, error);
}

enum status pattern_compile(struct bytes source, const struct pattern_limits *limits, struct pattern **ret_pattern,
                            struct error *error) {
    CLEANUP(pattern_tree_done) struct pattern_tree tree = {0};
    CLEANUP(pattern_freep) struct pattern *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return error_set(error, NO_MEMORY, "no memory for a pattern");
    }
    self->step_max = limits->step_max;
    self->heap_kib_max = limits->heap_kib_max;
    enum status status = pattern_parse(source, limits, &tree, error);
    if (status == OK) {
        status = pattern_plain_compile(&tree, &self->plain, error);
    }
    if (status == OK && self->plain == NULL) {
        status = pattern_automaton_compile(&tree, &self->automaton, &self->compile_steps, error);
    }
    if (status == OK && self->plain == NULL && self->automaton == NULL) {
        status = pattern_program_compile(&tree, limits, &self->program, error);
    }
    if (status == OK && pattern_memory(self) > limits->program_size_max) {
        status =
            error_set(error, TOO_LARGE, "pattern takes %zu bytes when compiled, the limit (program_size_max) is %u",
                      pattern_memory(self), limits->program_size_max);
        error_add_number(error, "limit", limits->program_size_max);
    }
    if (status == OK) {
        self->compile_steps += tree.count + (uint32_t)(pattern_memory(self) / 16);
        *ret_pattern = self;
        self = NULL; /* the caller owns it now */
    }
    return status;
}

void pattern_free(struct pattern *pattern) {
    if (pattern != NULL) {
        free(pattern->plain);
        free(pattern->automaton);
        free(pattern->program);
        free(pattern);
    }
}

/* Charges the whole of a linear search. */
static bool charge(size_t size, uint64_t *steps_left) {
    uint64_t cost = size / LINEAR_BYTES_PER_STEP + 1;
    if (*steps_left < cost) {
        *steps_left = 0;
        return false;
    }
    *steps_left -= cost;
    return true;
}

__attribute__((noinline)) /* its stack is no matter of the others */
static enum pattern_verdict
search_program(const struct pattern *pattern, struct bytes text, uint64_t *steps_left) {
    uint64_t steps_max = pattern->step_max + (uint64_t)STEPS_PER_BYTE * text.size;
    uint64_t steps_given = *steps_left < steps_max ? *steps_left : steps_max;
    uint64_t steps = steps_given;
    enum pattern_verdict verdict = pattern_program_search(pattern->program, text, pattern->heap_kib_max, &steps);
    *steps_left -= steps_given - steps;
    return verdict;
}

enum pattern_verdict pattern_search_within(const struct pattern *pattern, struct bytes text, uint64_t *steps_left) {
    struct bytes present = text.data != NULL ? text : BYTES_LITERAL("");
    const struct pattern_plain *plain = pattern->plain;
    if (__builtin_expect(plain == NULL && pattern->program != NULL, 0)) {
        return search_program(pattern, present, steps_left);
    }
    if (!charge(present.size, steps_left)) {
        return PATTERN_LIMIT;
    }
    return plain != NULL ? pattern_plain_search(plain, present) : pattern_automaton_search(pattern->automaton, present);
}

enum pattern_verdict pattern_search(const struct pattern *pattern, struct bytes text) {
    uint64_t steps = UINT64_MAX;
    return pattern_search_within(pattern, text, &steps);
}

bool pattern_is_linear(const struct pattern *pattern) {
    return pattern->program == NULL;
}

uint32_t pattern_compile_steps(const struct pattern *pattern) {
    return pattern->compile_steps;
}

size_t pattern_memory(const struct pattern *pattern) {
    size_t memory = sizeof(*pattern);
    memory += pattern->plain != NULL ? pattern_plain_memory(pattern->plain) : 0;
    memory += pattern->automaton != NULL ? pattern_automaton_memory(pattern->automaton) : 0;
    memory += pattern->program != NULL ? pattern_program_memory(pattern->program) : 0;
    return memory;
}
