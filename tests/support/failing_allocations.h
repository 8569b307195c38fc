/* failing_allocations.h: the n-th allocation of a program fails. Linking polaris_failing_allocations puts it before
 * malloc, calloc, realloc and strdup of all objects that are linked in. One counter for all threads. */
#ifndef POLARIS_TESTS_SUPPORT_FAILING_ALLOCATIONS_H
#define POLARIS_TESTS_SUPPORT_FAILING_ALLOCATIONS_H

#include <stdbool.h>

/* The n-th from now on fails, and all after it if `persistent`; 0: none does. */
void allocations_fail_at(int n, bool persistent);
/* How many have failed since then. */
int allocations_failed(void);
/* How many were made in all, those that failed too. */
unsigned allocations_made(void);

/* Counts one more, and says whether it fails: for the allocators of libraries. */
bool allocation_fails(void);

#endif
