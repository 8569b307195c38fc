/* probe.h: what the system tells of this process and of the machine. */
#ifndef POLARIS_BENCH_PROBE_H
#define POLARIS_BENCH_PROBE_H

#include <jansson.h>
#include <stdint.h>

/* Resident memory now, and the most that there ever was; 0: the system does not tell. */
uint64_t probe_resident_kib(void);
uint64_t probe_resident_peak_kib(void);

/* How often threads other than the calling one were switched away from a core, since they started: each time stands for
 * one that they woke up. */
uint64_t probe_switches_of_others(void);

/* An object: the model of the processor, how many, memory, kernel, version of SQLite. A new reference. */
json_t *probe_machine(void);

#endif
