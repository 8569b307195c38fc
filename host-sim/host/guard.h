/* guard.h: a table in front of a plugin's, which checks at run time what the header's thread tags promise.
 *
 * Both sides are watched. Of the host: no call beside an exclusive one, none before init or after shutdown, none from
 * within a callback. Of the plugin: the sink is called by the calling thread and before the verb returns, and not again
 * once it refused; replies are maps; each submitted request is told once how it ended; no service is called after
 * shutdown. Each violation is counted and logged; a call that breaks a rule is refused, for what it would do is
 * undefined. The rules come from POLARIS_ES_THREAD_RULES. */
#ifndef POLARIS_HOST_GUARD_H
#define POLARIS_HOST_GUARD_H

#include <polaris/event_store.h>
#include <stdbool.h>

#include "cleanup.h"
#include "host/calls.h"

/* Where violations are told and counted; outlives the guards that use it. */
struct guard_watch {
    void (*log)(void *context, int32_t level, const char *line); /* NULL: counted only */
    void *context;
    struct calls_now *calls; /* where calls are noted while they are in progress; NULL: nowhere */
    const void *owner;       /* whoever makes the calls: see guard_is_calling_back */
    _Atomic uint64_t violations;
};

struct guard;

/* Opens an instance behind a guard: calls `init` of the table. Not a slot of the guard's table, for init has no
 * instance from which it could learn what it stands in front of. On OK, and only then, *ret_guard is set. */
int32_t guard_init(const polaris_es_table *real, struct guard_watch *watch, const polaris_es_services *services,
                   polaris_bytes config, const polaris_sink *reply, struct guard **ret_guard) WARN_UNUSED;

/* After shutdown. Until then a late call is a violation; after it, undefined. NULL is allowed. */
void guard_free(struct guard *guard);

/* To call the instance: the verbs of guard_table() take guard_instance(). Its init refuses. */
extern const polaris_es_table GUARD_TABLE;
polaris_es *guard_instance(struct guard *guard);

uint64_t guard_violations(const struct guard_watch *watch);

/* Is this thread within a callback (service or sink) of a guard whose watch has this owner? Then calling would be a
 * violation, and counts as one. */
bool guard_is_calling_back(struct guard_watch *watch);

#endif
