/* registry.h: what the events of each type are held against: settings and compiled schemas, read from the store when
 * first needed and shared by all threads.
 *
 * A subject is one type at one moment: it never changes, and stays good as long as it is held. It knows the generation
 * of schemas that it was read at, and the storage refuses what was judged by an older one. */
#ifndef POLARIS_PLUGIN_REGISTRY_H
#define POLARIS_PLUGIN_REGISTRY_H

#include "config.h"
#include "storage/storage.h"
#include "validate/validate.h"

struct registry;

struct subject {
    int64_t generation;
    struct schema_settings settings;
    int64_t latest;                         /* the highest version given; 0: none */
    int64_t version;                        /* the current one; 0: none */
    const struct validate_program *program; /* of the current version; NULL: there is none, or the policy is off */
};

/* `storage` must stay good until registry_close. */
WARN_UNUSED enum status registry_open(struct storage *storage, const struct config *config,
                                      struct registry **ret_registry, struct error *error);
void registry_close(struct registry *registry); /* NULL is fine */

/* A type without schema and settings has a subject as well. INCOMPATIBLE: the schema that is kept cannot be used by
 * this build; TOO_LARGE: nor under these limits. */
WARN_UNUSED enum status registry_acquire(struct registry *registry, struct bytes type,
                                         const struct subject **ret_subject, struct error *error);
void registry_release(const struct subject **subject); /* a CLEANUP destructor; NULL is fine */

/* The memory of one evaluation at a time, kept for the next one. NULL: no memory. */
WARN_UNUSED struct validate_context *registry_borrow_context(struct registry *registry);
void registry_return_context(struct registry *registry, struct validate_context *context);

#endif
