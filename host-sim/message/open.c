/* open.c: opening a store with a configuration in JSON. */
#include <string.h>

#include "message/message.h"
#include "owned.h"

/* NULL: it is a reader's already, or there is no memory. */
static json_t *for_reading(const json_t *config) {
    const char *mode = json_string_value(json_object_get(config, "mode"));
    if (mode != NULL && strcmp(mode, "write") != 0) {
        return NULL;
    }
    json_auto_t *reader = json_copy((json_t *)(uintptr_t)config); /* which reads it only */
    return json_object_set_new(reader, "mode", json_string("read")) == 0 ? json_incref(reader) : NULL;
}

bool message_open(const json_t *config, const struct host_options *options, struct host **ret_host,
                  struct reply *ret_reply, struct failure *failure) {
    struct host_options packed = *options;
    CLEANUP(freep) uint8_t *writer_data = NULL;
    CLEANUP(freep) uint8_t *reader_data = NULL;
    json_auto_t *reader = for_reading(config);
    struct failure first;
    if (!message_pack(config, &writer_data, &packed.config_size, &first) ||
        (reader != NULL && !message_pack(reader, &reader_data, &packed.reader_config_size, &first))) {
        if (ret_reply != NULL) {
            *ret_reply = (struct reply){.status = POLARIS_ES_INVALID};
        }
        return failure_set(failure, "the configuration: %s", first.message);
    }
    packed.config = writer_data;
    packed.reader_config = reader_data;
    return host_open(&packed, ret_host, ret_reply, failure);
}
