/* race.h: what the race programs share: the plugin under test, and calls and complaints as torture/call.h has them;
 * complaints make race_end return 1. They are plain programs, as Criterion does not start under the thread sanitizer.
 */
#ifndef POLARIS_TESTS_STRESS_RACE_H
#define POLARIS_TESTS_STRESS_RACE_H

#include "torture/call.h"

extern const polaris_es_table *table; /* of the plugin, once race_begin returned */

int32_t open_store(const polaris_es_services *services, polaris_es **ret_self, const char *config);
/* These end the program when they cannot. */
polaris_es *must_open(const polaris_es_services *services, const char *config);
void must_close(polaris_es *self);

/* The table of another build, which stays loaded; NULL when it refuses, and then the reason was printed. */
const polaris_es_table *race_load(const char *path);

/* Loads the plugin, and goes to a new folder. */
void race_begin(void);
/* The same with the new folder in another one, which is no longer than 32 bytes. */
void race_begin_in(const char *parent);
const char *race_folder(void);
/* Removes the folder; the program's exit code. */
int race_end(void);

#endif
