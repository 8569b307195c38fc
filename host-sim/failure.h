/* failure.h: why something in the host did not work, in memory of the caller. */
#ifndef POLARIS_HOST_FAILURE_H
#define POLARIS_HOST_FAILURE_H

#include <stdbool.h>
#include <stddef.h>

struct failure {
    char message[1024]; /* what was tried, on what, what is wrong, what to do */
};

/* Describes the failure and returns false, so that a failing function ends in `return failure_set(...)`. The message is
 * UTF-8 without control characters, whatever is printed into it: each byte that is neither becomes a question mark. */
bool failure_set(struct failure *failure, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
