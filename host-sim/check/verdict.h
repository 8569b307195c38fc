/* verdict.h: how the process of a check says what it found, to the process that started it: a page of memory that both
 * share, so that it can be read whatever became of the process. */
#ifndef POLARIS_CHECK_VERDICT_H
#define POLARIS_CHECK_VERDICT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdnoreturn.h>

#include "cleanup.h"

enum verdict {
    VERDICT_NONE, /* the process ended, or was ended, before it said anything */
    VERDICT_PASSED,
    VERDICT_FAILED,
    VERDICT_SKIPPED,
    VERDICT_REFUSED /* the build cannot be loaded: a matter of its file */
};

enum { REASON_SIZE = 1024, DOING_SIZE = 256, VERDICT_ROOM_SIZE = 8192 };

struct verdict_page {
    _Atomic int claimed; /* who comes first speaks; others of its processes and threads are too late */
    _Atomic int verdict;
    char reason[REASON_SIZE];
    char doing[DOING_SIZE];                    /* what the process was at, for when it crashes */
    _Alignas(16) char room[VERDICT_ROOM_SIZE]; /* for what else it has to tell */
};

/* NULL: no memory. */
struct verdict_page *verdict_page_new(void) WARN_UNUSED;
void verdict_page_free(struct verdict_page *page);

/* In the process of the check, before anything else of this file. */
void verdict_begin(struct verdict_page *page);

/* What comes next, should it crash. By the check's main thread only. */
void doing(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says so, and ends the process: by any of its threads, and by processes that it forked. */
noreturn void passed(void);
noreturn void finding(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void skipped(const char *format, ...) __attribute__((format(printf, 1, 2)));
noreturn void refused(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What must hold, or else the finding. */
#define REQUIRE(holds, ...)                                                                                            \
    do {                                                                                                               \
        if (!(holds)) {                                                                                                \
            finding(__VA_ARGS__);                                                                                      \
        }                                                                                                              \
    } while (0)

#endif
