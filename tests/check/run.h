/* run.h: running `polaris-host-sim check` and reading its JSON. */
#ifndef TESTS_CHECK_RUN_H
#define TESTS_CHECK_RUN_H

#include <jansson.h>
#include <stddef.h>

/* A run with --json; the exit code must be `code`. A new reference. */
json_t *check_json(int code, const char *plugin, const char *only);

/* What takes longer hangs, for the runs of this test from now on. */
void check_limit(const char *seconds);

/* The verdict of a check in it: "passed", "failed", "skipped"; NULL: it did not run. */
const char *check_verdict(const json_t *run, const char *name);

/* Runs it on the build with that fault. `meant` must find it, with `reason` in what it says, and so may the checks that
 * `companions` matches (globs with commas between them; ""): no other one of those that `only` names. */
void check_fault(const char *fault, const char *only, const char *meant, const char *reason, const char *companions);

#endif
