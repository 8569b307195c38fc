/* run.h: running checks, each in its own process. */
#ifndef POLARIS_CHECK_RUN_H
#define POLARIS_CHECK_RUN_H

#include <stdint.h>

#include "check/check.h"
#include "check/verdict.h"
#include "failure.h"
#include "loader/loader.h"

/* What the build says of itself. */
struct check_build {
    char path[4096]; /* as it was given */
    char name[64], version[64], build_id[64], sha256[65];
    uint32_t major, minor;
    uint64_t has; /* its capability bits, NEEDS_FILE, NEEDS_MINOR_1 */
    bool loads;   /* otherwise `reason` */
    char reason[REASON_SIZE];
};

struct check_result {
    const struct check *check;
    enum verdict verdict; /* PASSED, FAILED or SKIPPED */
    int64_t elapsed_us;
    char reason[REASON_SIZE]; /* why it failed, or was skipped */
};

enum { CHECK_JOBS_MAX = 64, CHECK_PATTERNS_MAX = 32 };

struct check_options {
    const char *plugin_path;
    struct loader_options loader;
    size_t jobs;
    int64_t limit_ms; /* for each check */
    /* Called for each result, in the order of the checks. False: nobody listens any more; no further checks are run. */
    bool (*told)(void *context, const struct check_result *result);
    void *context;
};

/* Both take what a build's processes leave behind for children of this one, and end each child that this one has. */

/* Loads the build in a process of its own and asks it who it is. False: its file cannot be loaded as a plugin at all.
 */
bool check_meet(const struct check_options *options, struct check_build *ret_build,
                struct failure *failure) WARN_UNUSED;

/* Runs these checks; results[i] is that of checks[i]. False: no process, folder or memory could be had, nobody listens,
 * or a signal came: *ret_signal tells which one (0: none). */
bool check_run(const struct check_options *options, const struct check_build *build, const struct check *const *checks,
               size_t count, struct check_result *results, int *ret_signal, struct failure *failure) WARN_UNUSED;

#endif
