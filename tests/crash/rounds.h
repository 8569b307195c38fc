/* rounds.h: rounds of killing: a child works on a store with many threads and reports what it is told over a pipe, the
 * parent kills it, opens the store again, and holds it against the reports (host-sim/torture/), and its tables against
 * what they should have. */
#ifndef POLARIS_TESTS_CRASH_ROUNDS_H
#define POLARIS_TESTS_CRASH_ROUNDS_H

#include "torture/judge.h"

/* Holds the tables themselves against what was found in them, when nobody has the store open. */
void rounds_check_tables(const struct census *census);

/* Damages the store as a defect would have left it. Returns how many rows it changed. */
extern const char *const PLANTED[];
int rounds_plant(const char *what);

#endif
