/* instance.h: one open store: its configuration and its storage. */
#ifndef POLARIS_PLUGIN_INSTANCE_H
#define POLARIS_PLUGIN_INSTANCE_H

#include "config.h"
#include "registry.h"
#include "storage/storage.h"
#include "submit.h"
#include "wire/writer.h"

struct instance {
    struct config config;
    struct storage_host host;
    struct storage *storage;
    struct registry *registry;
    struct submitter *submitter;
};

/* Opens the store that `config` (msgpack) names, and writes the reply of init. `host` is copied; what its context
 * points to must stay good until instance_close returned, and the instance must not move. On failure nothing is held.
 */
WARN_UNUSED enum status instance_open(struct instance *ret_instance, struct bytes config,
                                      const struct storage_host *host, struct wire_writer *reply, struct error *error);

/* Finishes what was accepted and closes everything, whatever it returns. INVALID: the request is neither empty nor a
 * map of what SPEC.md knows. */
WARN_UNUSED enum status instance_close(struct instance *instance, struct bytes request, struct wire_writer *reply,
                                       struct error *error);

/* The same without request and reply. */
void instance_done(struct instance *instance);

#endif
