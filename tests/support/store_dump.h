/* store_dump.h: all that a store's file holds, as text, and what must hold of it, for tests that compare. Read by SQL,
 * beside the plugin. */
#ifndef POLARIS_TESTS_SUPPORT_STORE_DUMP_H
#define POLARIS_TESTS_SUPPORT_STORE_DUMP_H

#include <stdbool.h>
#include <stddef.h>

enum { PROBLEM_SIZE = 1024 };

/* A line for each row, in an order and with names that do not depend on how the rows came to be; what is long is told
 * by its digest; and first what integrity_check says, if it is not ok. The caller free()s it. NULL: it cannot be read;
 * `ret_problem` says why. */
char *store_dump(const char *path, char ret_problem[PROBLEM_SIZE]);
/* Does each count, version and state in it agree with the rows? */
bool store_is_sound(const char *path, char ret_problem[PROBLEM_SIZE]);
/* Says where two dumps part. */
void store_dump_compare(const char *got, const char *wanted, char ret_problem[PROBLEM_SIZE]);

#endif
