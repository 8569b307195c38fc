/* targets.h: what the plugin is to reach, and what a run reached. */
#ifndef POLARIS_BENCH_TARGETS_H
#define POLARIS_BENCH_TARGETS_H

#include <jansson.h>

/* An array of maps `target` (in words), `limit`, `at_least` (true: a higher figure holds, false: a lower one), `unit`,
 * `reached` and `holds`; these two are null when the run did not measure it. A new reference; NULL: no memory. */
json_t *targets_json(const json_t *report);

#endif
