/* report.h: the results of a run for machines. */
#ifndef POLARIS_CHECK_REPORT_H
#define POLARIS_CHECK_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "check/run.h"

struct check_report {
    const struct check_build *build;
    const struct check_result *results;
    size_t count;
    int64_t elapsed_us;
};

size_t check_report_count(const struct check_report *report, enum verdict verdict);

/* Text as a value, a new reference: each byte that is no UTF-8, as in what a crashed process left, becomes a question
 * mark. NULL: no memory. */
json_t *check_text_json(const char *text) WARN_UNUSED;

/* A new reference; NULL: no memory. */
json_t *check_report_json(const struct check_report *report) WARN_UNUSED;

/* JUnit XML: a suite for each group. False: it cannot be written. */
bool check_report_junit(const struct check_report *report, FILE *out) WARN_UNUSED;

/* "passed", "FAILED", "skipped" */
const char *check_verdict_name(enum verdict verdict);

#endif
