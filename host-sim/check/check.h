/* check.h: the conformance suite: a table of checks, each of which looks at one promise of the boundary.
 *
 * A check runs in a process of its own, with a folder of its own and a time limit, so that a plugin that crashes or
 * hangs is a finding and not the end. In there it calls the plugin's table directly: what the boundary promises must
 * hold without a host's gate before it. What does not hold ends the process (verdict.h). */
#ifndef POLARIS_CHECK_CHECK_H
#define POLARIS_CHECK_CHECK_H

#include <polaris/event_store.h>
#include <stdbool.h>
#include <stddef.h>

#include "cleanup.h"

struct trial;

/* What a build must have for a check to say anything: capability bits of the header, and these. */
#define NEEDS_FILE (UINT64_C(1) << 62)    /* it keeps its store in a file: the descriptor names a format */
#define NEEDS_MINOR_1 (UINT64_C(1) << 61) /* it is of revision 1.1 at least */
#define NEEDS_APPEND (NEEDS_FILE | POLARIS_ES_CAN_APPEND)
#define NEEDS_QUERY (NEEDS_APPEND | POLARIS_ES_CAN_QUERY)
#define NEEDS_SUBMIT (NEEDS_QUERY | POLARIS_ES_CAN_SUBMIT)

/* One call of a script. */
struct step {
    const char *verb;    /* store, query, dlq, schema; "clock": `request` is microseconds; "reopen" */
    const char *request; /* JSON (SPEC.md, section 9) with ' for "; the string '$name' is the value that the last reply
                            has under that name, wherever in it, and '#name' an id that the build chose (pattern.h) */
    int32_t status;
    const char *reply; /* a pattern (pattern.h), or NULL: any map. After an error the form of the error map is checked
                          as well */
};
enum { STEPS_MAX = 12 };

struct check {
    const char *name;    /* a group and a sentence: "lifecycle/shutdown-frees-the-file" */
    const char *summary; /* what is promised, in one line */
    uint64_t needs;
    void (*run)(struct trial *trial); /* NULL: the steps are the check, on a new store */
    const char *config;               /* of a script's store: more of its configuration, or NULL */
    struct step steps[STEPS_MAX];     /* ends with a verb that is NULL */
};

struct check_group {
    const struct check *checks;
    size_t count;
};
#define CHECK(name_, summary_, needs_, run_)                                                                           \
    { .name = (name_), .summary = (summary_), .needs = (needs_), .run = (run_) }
#define SCRIPT(name_, summary_, needs_, config_, ...)                                                                  \
    {                                                                                                                  \
        .name = (name_), .summary = (summary_), .needs = (needs_), .config = (config_), .steps = { __VA_ARGS__ }       \
    }
#define CHECK_GROUP(array)                                                                                             \
    { (array), sizeof(array) / sizeof((array)[0]) }

/* In the order in which they run. */
extern const struct check_group CHECK_NEGOTIATION, CHECK_LIFECYCLE, CHECK_SIZES, CHECK_OWNERSHIP, CHECK_REPLIES,
    CHECK_ERRORS, CHECK_STORE, CHECK_QUERY, CHECK_DLQ, CHECK_SCHEMA, CHECK_THREADS, CHECK_SUBMIT, CHECK_SWAP,
    CHECK_KILL, CHECK_LEAKS;

/* All checks in that order; NULL behind the last. */
const struct check *check_at(size_t index);

/* Is the check meant by the pattern: a glob, or the beginning of its name? */
bool check_is_meant(const struct check *check, const char *pattern);

/* "the build has no submit": the first thing that is missing, or NULL. */
const char *check_missing(const struct check *check, uint64_t has);

#endif
