/* memory.h: a process for measuring memory: started while this one is small, it forks for each measurement one that
 * does the work and nothing else, so that what other workloads left behind is not counted. */
#ifndef POLARIS_BENCH_MEMORY_H
#define POLARIS_BENCH_MEMORY_H

#include "cleanup.h"
#include "failure.h"

struct bench_setup;

struct memory_process {
    int id; /* 0: there is none */
    int requests, outcomes;
};

/* No other thread may run, and no database be open. */
bool memory_start(const struct bench_setup *setup, struct memory_process *ret_process,
                  struct failure *failure) WARN_UNUSED;
void memory_stop(struct memory_process *process);

#endif
