/* host_internal.h: the host's inside, shared by host.c and swap.c. */
#ifndef POLARIS_HOST_HOST_INTERNAL_H
#define POLARIS_HOST_HOST_INTERNAL_H

#include <stdatomic.h>

#include "host/gate.h"
#include "host/guard.h"
#include "host/host.h"
#include "owned.h"

/* A build and the store that it has open, if it has. What it holds changes only while the gate is closed and empty. */
struct running {
    struct plugin *plugin;
    const polaris_es_table *table; /* the plugin's, or the guard's; NULL: no store is open */
    polaris_es *self;
    struct guard *guard; /* NULL: unguarded */
};

struct host {
    struct host_options options; /* plugin_path is not kept */
    void *config, *reader_config;
    struct gate gate;
    struct running running;
    _Atomic bool is_open;
    struct guard_watch watch;
    pthread_mutex_t swapping;
};

/* Loads a build. */
bool host_load(struct host *host, const char *path, const struct loader_options *options, struct plugin **ret_plugin,
               struct failure *failure) WARN_UNUSED;

/* Opens the store with the build in *running, which must have none open. */
bool running_init(struct host *host, struct running *running, struct reply *reply, struct failure *failure) WARN_UNUSED;
/* The same for reading, if the host was told how. */
bool running_init_reader(struct host *host, struct running *running, struct failure *failure) WARN_UNUSED;

/* Closes the store; for a swap without the last copy of the log, which takes longer than all else. What shutdown
 * answers is logged if it is no success: the instance is gone all the same. */
void running_shutdown(struct host *host, struct running *running, bool for_swap);

/* With the gate closed: ends long polls until nobody is inside; false after timeout_us. */
bool host_drain(struct host *host, int64_t timeout_us) WARN_UNUSED;

void host_log(struct host *host, int32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
