/* child.h: another process that uses a store, and reports over a pipe. */
#ifndef POLARIS_TESTS_CRASH_CHILD_H
#define POLARIS_TESTS_CRASH_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "es.h"

struct child {
    pid_t pid;
    int reports; /* the reading end */
    int go;      /* the writing end */
};

/* Forks, while the store is shut down: a process with threads may leave its child with a lock that is held for ever.
 * child_go lets the child run `body`, with the store's path and the writing end; it exits with what that returns. */
struct child child_start(const struct es *es, int (*body)(struct es *es, int reports));
void child_go(const struct child *child);

/* In the child: sends one number. Numbers are written whole or, after a kill, not at all. */
void child_report(int reports, int64_t number);
/* In the parent: the next number; false: the child has closed the pipe. */
bool child_next(const struct child *child, int64_t *ret_number);

/* Waits for the end; returns the exit code, or minus the signal that killed it. */
int child_wait(struct child *child);

#endif
