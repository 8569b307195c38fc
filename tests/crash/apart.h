/* apart.h: something that may crash or hang, in a process of its own. */
#ifndef POLARIS_TESTS_CRASH_APART_H
#define POLARIS_TESTS_CRASH_APART_H

#include <stdbool.h>

/* Forks; the child runs `body` and ends, within `seconds`. Complains, naming `what`, when it was killed by a signal,
 * did not end in time or complained. Returns whether all was well. */
bool run_apart(const char *what, unsigned seconds, void (*body)(void *context), void *context);

/* Removes all files of the folder that the program works in. */
void empty_folder(void);
/* Copies a file, in whole. */
void copy_file(const char *from, const char *to);

#endif
