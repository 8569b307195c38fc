/* follower.h: a thread that follows the store as it grows, by long polls: what a subscriber in another process does. */
#ifndef POLARIS_HOST_FOLLOWER_H
#define POLARIS_HOST_FOLLOWER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "host/host.h"

struct follower;

struct follower_options {
    struct host *host; /* must outlive the follower */
    int64_t after_id;
    /* Sees each event, in the follower's thread; false, with the failure set, ends it. NULL: nobody looks. */
    bool (*visit)(void *context, const json_t *event, struct failure *failure);
    void *context;
};

struct follower_result {
    uint64_t events, polls;
    uint64_t interrupted; /* polls that were ended early, as a swap does */
    int64_t last_id;
};

/* NULL, with the failure set: no memory or no thread. */
struct follower *follower_start(const struct follower_options *options, struct failure *failure)
    __attribute__((warn_unused_result));

/* Waits until the follower has seen `last_id`, ends it and frees it. False: it failed on the way, an id did not grow,
 * or nothing came for ten seconds although `last_id` was not reached. */
bool follower_finish(struct follower *follower, int64_t last_id, struct follower_result *ret_result,
                     struct failure *failure) __attribute__((warn_unused_result));

#endif
