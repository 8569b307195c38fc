/* Each allocation of a compilation and of a search fails once: it is told, nothing leaks, nothing crashes. */
#include "support.h"

#include "failing_allocations.h"

Test(pattern_allocation, a_compilation_survives_every_failure) {
    static const char *const SOURCES[] = {"abc",
                                          "^[a-z\\d]{3,9}$",
                                          "^(a|b)+\\p{Greek_Not}?$",
                                          "^(?:x|[^\\s\\p{sc=Grek}]+)$",
                                          "(?<n>a)(?<é>b)\\k<n>\\k<é>(?=c)",
                                          "(?:(?:a|b)*c){20}(?!d)"};
    for (size_t i = 0; i < sizeof(SOURCES) / sizeof(*SOURCES); i++) {
        for (int n = 1;; n++) {
            struct error error = {0};
            CLEANUP(pattern_freep) struct pattern *pattern = NULL;
            allocations_fail_at(n, false);
            enum status status = pattern_compile(bytes_from_string(SOURCES[i]), &LIMITS, &pattern, &error);
            bool has_fired = allocations_failed() > 0;
            allocations_fail_at(0, false);
            if (!has_fired) {
                cr_expect_eq(status, i == 2 ? INVALID : OK, "%s", error.message);
                cr_expect_gt(n, 3, "only %d allocations were seen", n - 1);
                break;
            }
            cr_assert_eq(status, NO_MEMORY, "/%s/, allocation %d: %s", SOURCES[i], n, status_name(status));
            cr_assert_null(pattern);
        }
    }
}

Test(pattern_allocation, a_search_allocates_only_when_backtracking_outgrows_the_stack) {
    CLEANUP(pattern_freep) struct pattern *linear = compile("^(?:ab|c)*$");
    CLEANUP(pattern_freep) struct pattern *backtracking = compile("^(?!x)(?:ab|c)*$");
    char text[20001];
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        text[i] = i % 2 == 0 ? 'a' : 'b';
    }
    text[sizeof(text) - 1] = '\0';
    const struct bytes whole = bytes_from_string(text);
    allocations_fail_at(1, false);
    cr_expect_eq(pattern_search(linear, whole), PATTERN_YES);
    cr_expect_eq(pattern_search(backtracking, BYTES_LITERAL("ababababcccab")), PATTERN_YES);
    cr_expect_eq(allocations_failed(), 0, "something was allocated");
    cr_expect_eq(pattern_search(backtracking, whole), PATTERN_LIMIT, "no memory is no verdict");
    cr_expect_eq(allocations_failed(), 1);
    allocations_fail_at(0, false);
    cr_expect_eq(pattern_search(backtracking, whole), PATTERN_YES);
}
