/* load.h: generated load on a store: threads that append and remember what was acknowledged, and a follower that reads
 * along; and the proof, afterwards, that the store holds exactly that. */
#ifndef POLARIS_HOST_LOAD_H
#define POLARIS_HOST_LOAD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"
#include "failure.h"
#include "host/host.h"

struct load;

enum { LOAD_THREADS_MAX = 64 };

/* Events of the load have this type. */
#define LOAD_TYPE "load_generated"

/* Starts the threads. *ret_load is NULL on failure. */
bool load_start(struct host *host, size_t threads, struct load **ret_load, struct failure *failure) WARN_UNUSED;

/* Waits until `count` more events are acknowledged than now. False: a thread failed, and no more will come. */
bool load_wait(struct load *load, uint64_t count) WARN_UNUSED;

struct load_result {
    uint64_t acknowledged;
    uint64_t failed_calls;
    uint64_t stored;   /* events of the load in the store */
    uint64_t missing;  /* acknowledged, and not in the store under that id and key */
    uint64_t doubled;  /* in the store, and not acknowledged: a second copy of an event */
    uint64_t disorder; /* an event of a thread that has a lower id than one that the thread appended before */
    uint64_t followed; /* events that the follower saw, in the order of ids */
    int64_t elapsed_us;
    int64_t call_us[5]; /* how long a call took: median, 90 %, 99 %, 99.9 %, the longest */
    char first_failure[1024];
};

/* Ends the threads, lets the follower come to the end, and reads the store. False: the store could not be read. */
bool load_finish(struct load *load, struct load_result *ret_result, struct failure *failure) WARN_UNUSED;

/* Nothing was lost, doubled or out of order, and no call failed. */
bool load_holds(const struct load_result *result);

/* For CLEANUP: ends what still runs. */
void load_freep(struct load **load);

#endif
