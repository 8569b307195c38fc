/* support.h: what the tests of patterns share. */
#ifndef POLARIS_TESTS_UNIT_VALIDATE_PATTERN_SUPPORT_H
#define POLARIS_TESTS_UNIT_VALIDATE_PATTERN_SUPPORT_H

#include "validate/pattern.h"

#include <criterion/criterion.h>

#define LIMITS PATTERN_LIMITS_DEFAULT

/* Compiles, or fails the test. */
static inline struct pattern *compile(const char *source) {
    struct error error = {0};
    struct pattern *pattern = NULL;
    enum status status = pattern_compile(bytes_from_string(source), &LIMITS, &pattern, &error);
    cr_assert_eq(status, OK, "/%s/u: %s", source, error.message);
    return pattern;
}

#endif
