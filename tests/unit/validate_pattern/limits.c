/* Tests of limits: what a hostile pattern or text may cost, in steps that are the same everywhere. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_SIZE = 100000 };

/* `count` times `unit`, then `end`. */
static char *repeated(const char *unit, size_t count, const char *end) {
    size_t size = strlen(unit);
    char *text = malloc(size * count + strlen(end) + 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + i * size, unit, size);
    }
    memcpy(text + size * count, end, strlen(end) + 1);
    return text;
}

static void expect_too_large(const char *source, const struct pattern_limits *limits, const char *fragment) {
    struct error error = {0};
    struct pattern *pattern = NULL;
    cr_expect_eq(pattern_compile(bytes_from_string(source), limits, &pattern, &error), TOO_LARGE, "/%.60s/", source);
    cr_expect_null(pattern);
    cr_expect_not_null(strstr(error.message, fragment), "%s", error.message);
}

/* Steps that a search takes, which may be up to `steps_max`. */
static uint64_t steps_of(const char *source, const char *text, uint64_t steps_max, enum pattern_verdict wanted) {
    CLEANUP(pattern_freep) struct pattern *pattern = compile(source);
    uint64_t left = steps_max;
    enum pattern_verdict verdict = pattern_search_within(pattern, bytes_from_string(text), &left);
    cr_expect_eq(verdict, wanted, "/%s/: %d", source, verdict);
    return steps_max - left;
}

Test(pattern_limits, nested_repeats_over_a_long_text_take_linear_time) {
    CLEANUP(pattern_freep) struct pattern *pattern = compile("(a+)+$");
    char *text = repeated("a", TEXT_SIZE, "b");
    cr_expect(pattern_is_linear(pattern));
    cr_expect_eq(steps_of("(a+)+$", text, UINT64_MAX, PATTERN_NO), TEXT_SIZE / 8 + 1);
    text[TEXT_SIZE] = '\0';
    cr_expect_eq(steps_of("(a+)+$", text, UINT64_MAX, PATTERN_YES), TEXT_SIZE / 8 + 1);
    cr_expect_eq(steps_of("(?:a|a)*(?:a|a)*(?:a|a)*$", text, UINT64_MAX, PATTERN_YES), TEXT_SIZE / 8 + 1);
    free(text);
}

Test(pattern_limits, backtracking_ends_at_the_step_limit_with_no_verdict) {
    static const char *const SOURCES[] = {"^(?!x)(a+)+$",          "^(a+)+\\1$(?!.)x", "^(?=(?:a|a)+b)",
                                          "c(?<=b(?:a|a|a)+c)",    "^(a*)*\\b!",       "^(?:(?:a*)*)*(?=b)",
                                          "(?!)|a*a*a*a*a*a*(?=b)"};
    char *text = repeated("a", 60, "c");
    for (size_t i = 0; i < sizeof(SOURCES) / sizeof(*SOURCES); i++) {
        uint64_t steps = steps_of(SOURCES[i], text, UINT64_MAX, PATTERN_LIMIT);
        cr_expect_eq(steps, LIMITS.step_max + 8 * 61, "/%s/: %lu", SOURCES[i], (unsigned long)steps);
    }
    free(text);
}

Test(pattern_limits, steps_are_counted_exactly) {
    cr_expect_eq(steps_of("(?=a)b", "", 1000, PATTERN_NO), 3); /* look, set, and back over the look */
    cr_expect_eq(steps_of("^(?=a)ab", "ab", 1000, PATTERN_YES), 6);
    uint64_t whole = steps_of("^(?!x)(a+)+$", "aaaaaaaaaab", 1000000, PATTERN_NO);
    cr_expect_eq(steps_of("^(?!x)(a+)+$", "aaaaaaaaaab", whole, PATTERN_NO), whole);
    cr_expect_eq(steps_of("^(?!x)(a+)+$", "aaaaaaaaaab", whole - 1, PATTERN_LIMIT), whole - 1);
    cr_expect_eq(steps_of("^(?!x)(a+)+$", "aaaaaaaaaab", 0, PATTERN_LIMIT), 0);
    cr_expect_eq(steps_of("abc", "abcabcabc", 1, PATTERN_LIMIT), 1);
}

Test(pattern_limits, what_a_repeat_runs_over_is_counted) {
    char *text = repeated("a", TEXT_SIZE, "");
    /* Quadratic: each attempt runs to the end. */
    cr_expect_eq(steps_of("(?!x)a*?b", text, UINT64_MAX, PATTERN_LIMIT), LIMITS.step_max + 8 * TEXT_SIZE);
    cr_expect_eq(steps_of("(?!x)[a-c]*z", text, UINT64_MAX, PATTERN_LIMIT), LIMITS.step_max + 8 * TEXT_SIZE);
    cr_expect_eq(steps_of("(?=a*b)", text, UINT64_MAX, PATTERN_LIMIT), LIMITS.step_max + 8 * TEXT_SIZE);
    cr_expect_eq(steps_of("b(?<=(a*)\\1b)", text, UINT64_MAX, PATTERN_NO), TEXT_SIZE + 1);
    free(text);
}

Test(pattern_limits, a_long_ordinary_text_is_within_the_limit) {
    char *text = repeated("lorem ipsum ", TEXT_SIZE * 10 / 12, "foo");
    uint64_t steps = steps_of("\\bfoo\\b", text, UINT64_MAX, PATTERN_YES);
    cr_expect_lt(steps, 8 * TEXT_SIZE * 10);
    free(text);
}

Test(pattern_limits, memory_of_backtracking_is_limited) {
    struct pattern_limits limits = LIMITS;
    struct error error;
    struct pattern *pattern = NULL;
    char *text = repeated("ab", 2 * TEXT_SIZE, "");
    cr_assert_eq(pattern_compile(BYTES_LITERAL("^(?!x)(?:ab|c)*$"), &limits, &pattern, &error), OK);
    cr_expect_eq(pattern_search(pattern, bytes_from_string(text)), PATTERN_LIMIT, "2 entries of 16 bytes a time");
    pattern_free(pattern);
    limits.heap_kib_max = 8192;
    cr_assert_eq(pattern_compile(BYTES_LITERAL("^(?!x)(?:ab|c)*$"), &limits, &pattern, &error), OK);
    cr_expect_eq(pattern_search(pattern, bytes_from_string(text)), PATTERN_YES);
    pattern_free(pattern);
    limits.heap_kib_max = 0; /* the stack alone */
    cr_assert_eq(pattern_compile(BYTES_LITERAL("^(?!x)(?:ab|c)*$"), &limits, &pattern, &error), OK);
    cr_expect_eq(pattern_search(pattern, bytes_from_string(text)), PATTERN_LIMIT);
    cr_expect_eq(pattern_search(pattern, BYTES_LITERAL("abcab")), PATTERN_YES);
    pattern_free(pattern);
    free(text);
}

Test(pattern_limits, the_size_of_the_source) {
    struct pattern_limits limits = LIMITS;
    limits.source_size_max = 3;
    struct error error;
    cr_expect_eq(pattern_check(BYTES_LITERAL("abc"), &limits, &error), OK);
    expect_too_large("abcd", &limits, "pattern is 4 bytes, the limit (source_size_max) is 3");
    limits.source_size_max = UINT32_MAX;
    limits.node_max = UINT32_MAX;
    char *text = repeated("a", (1 << 20) + 1, "");
    expect_too_large(text, &limits, "the limit (source_size_max) is 1048576");
    free(text);
}

Test(pattern_limits, depth_whatever_the_caller_asks) {
    struct pattern_limits limits = LIMITS;
    struct error error;
    limits.depth_max = UINT32_MAX;
    limits.group_max = UINT32_MAX;
    char *open = repeated("(", 200, "");
    char *source = repeated(")", 400, "");
    memcpy(source, open, 200);
    cr_expect_eq(pattern_check(bytes_from_string(source), &limits, &error), OK);
    struct pattern *pattern = NULL;
    cr_assert_eq(pattern_compile(bytes_from_string(source), &limits, &pattern, &error), OK);
    pattern_free(pattern);
    free(open);
    free(source);
    source = repeated("(", 10000, "");
    expect_too_large(source, &limits, "more than 200 groups within each other (depth_max)");
    free(source);
    source = repeated("(?=", 5000, "");
    expect_too_large(source, &limits, "depth_max");
    limits.depth_max = 2;
    expect_too_large("(((a)))", &limits, "pattern at offset 3: more than 2 groups within each other");
    cr_expect_eq(pattern_check(BYTES_LITERAL("((a))(b)"), &limits, &error), OK);
    free(source);
}

Test(pattern_limits, repeated_nodes_groups_and_properties) {
    struct pattern_limits limits = LIMITS;
    expect_too_large("((a{9}b){100}c){1000}", &limits, "more than 20000 elements");
    expect_too_large("(?:(?:(?:(?:(?:ab){99}){99}){99}){99}){99}", &limits, "node_max");
    expect_too_large("(?:ab){4000000000}", &limits, "node_max");
    expect_too_large("(?:ab){4000000000,}", &limits, "node_max");
    limits.group_max = 2;
    expect_too_large("(a)(b)(c)", &limits, "more than 2 capturing groups (group_max)");
    char source[1024] = "";
    for (int i = 0; i < 17; i++) {
        static const char *const NAMES[] = {"L",  "Lu", "Ll", "Lt", "Lm", "Lo", "N",  "Nd", "Nl",
                                            "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf"};
        snprintf(source + strlen(source), sizeof(source) - strlen(source), "\\p{%s}", NAMES[i]);
    }
    expect_too_large(source, &LIMITS, "more than 16 different Unicode properties");
    limits = LIMITS;
    limits.program_size_max = 2000;
    expect_too_large("(?!x)(?:ab){100}", &limits, "more than 2000 bytes when compiled (program_size_max)");
    expect_too_large("^(?:foo|bar|[x-z]{1,300})$", &limits, "the limit (program_size_max) is 2000");
}

Test(pattern_limits, patterns_whose_automaton_explodes_are_still_compiled_quickly) {
    static const char *const SOURCES[] = {"a.{20}b",           "(?:a|b)*a(?:a|b){30}$",
                                          "(?:.*a){10}.{12}$", "^(?:a?){1000}a{1000}$",
                                          "(?:x.{9}y.{9}){3}", "^.*[a-z].*[0-9].*[A-Z].*[!-/].*(?:a.{15}){2}$"};
    for (size_t i = 0; i < sizeof(SOURCES) / sizeof(*SOURCES); i++) {
        CLEANUP(pattern_freep) struct pattern *pattern = compile(SOURCES[i]);
        cr_expect(!pattern_is_linear(pattern), "/%s/", SOURCES[i]);
        cr_expect_lt(pattern_memory(pattern), 200000);
    }
}
