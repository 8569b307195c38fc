/* instance.c: opening and closing a store. */
#include "instance.h"

#include <sys/random.h>

#include "use_cases.h"

static void write_init_reply(struct wire_writer *reply, const struct config *config, const struct storage_info *info) {
    wire_put_map(reply, 8);
    put_text(reply, "path", info->path);
    put_text(reply, "mode", config->read_only ? "read" : "write");
    put_bool(reply, "created", info->created);
    wire_put_text(reply, "store_id");
    wire_put_bin(reply, (struct bytes){.data = info->store_id, .size = sizeof info->store_id});
    put_int(reply, "format", info->format);
    put_int(reply, "last_id", info->last_id);
    put_text(reply, "durability", config->durability == DURABILITY_FULL ? "full" : "normal");
    put_text(reply, "sqlite", sqlite_storage_library_version());
}

enum status instance_open(struct instance *ret_instance, struct bytes config, const struct storage_host *host,
                          struct wire_writer *reply, struct error *error) {
    CLEANUP(instance_done) struct instance instance = {0};
    config_init(&instance.config);
    enum status status = wire_decode_config(config, &instance.config, error);
    if (status != OK) {
        return status;
    }
    if (getrandom(&instance.config.hash_seed, sizeof instance.config.hash_seed, 0) !=
        (ssize_t)sizeof instance.config.hash_seed) {
        return error_set(error, IO, "open: the system gives no random bytes");
    }
    instance.host = *host;
    status = sqlite_storage_open(&instance.config, host, &instance.storage, error);
    if (status != OK) {
        return status;
    }
    status = registry_open(instance.storage, &instance.config, &instance.registry, error);
    if (status != OK) {
        return status;
    }
    status = submitter_open(ret_instance, &instance.submitter, error);
    if (status != OK) {
        return status;
    }
    write_init_reply(reply, &instance.config, &instance.storage->info);
    status = wire_writer_check(reply, error);
    if (status != OK) {
        return status;
    }
    *ret_instance = instance;
    instance = (struct instance){0}; /* the caller owns it now */
    return OK;
}

static int64_t close_storage(struct instance *instance, const struct storage_close *how) {
    int64_t submitted = 0;
    int64_t drained = 0;
    submitter_close(instance->submitter, &submitted);
    registry_close(instance->registry);
    if (instance->storage != NULL) {
        instance->storage->ops->close(instance->storage, how, &drained);
    }
    config_done(&instance->config);
    *instance = (struct instance){0};
    return submitted + drained;
}

void instance_done(struct instance *instance) {
    (void)close_storage(instance, &(struct storage_close){0});
}

static enum status read_shutdown_request(const struct config *config, struct bytes request, struct storage_close *how,
                                         struct error *error) {
    if (request.size == 0) {
        return OK;
    }
    CLEANUP(wire_document_done) struct wire_document document = {0};
    struct wire_limits limits = {
        .size_max = (uint64_t)config->request_size_max,
        .depth_max = (uint32_t)config->depth_max,
        .seed = config->hash_seed,
    };
    enum status status = wire_document_parse(&document, request, &limits, error);
    if (status != OK) {
        return status;
    }
    struct wire_map map;
    status = wire_map_open(&map, (struct wire_value){&document, 0}, NULL, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_bool(&map, "keep_log", OPTIONAL, &how->keep_log, error);
    return status == OK ? wire_map_finish(&map, "shutdown", error) : status;
}

enum status instance_close(struct instance *instance, struct bytes request, struct wire_writer *reply,
                           struct error *error) {
    struct storage_close how = {0};
    enum status status = read_shutdown_request(&instance->config, request, &how, error);
    int64_t drained = close_storage(instance, status == OK ? &how : &(struct storage_close){0});
    if (status != OK) {
        return status;
    }
    wire_put_map(reply, 1);
    put_int(reply, "drained", drained);
    return wire_writer_check(reply, error) == OK ? OK : REPLY_LOST;
}
