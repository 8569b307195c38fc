/* call.c: a call of the plugin with JSON in and out. */
#include <stdlib.h>

#include "cleanup.h"
#include "message/message.h"

static void freep(uint8_t **memory) {
    free(*memory);
}

/* An error map in the plugin's form, for what never reached it or came back unreadable. */
static int32_t internal(const char *message, json_t **ret_reply) {
    *ret_reply = json_pack("{s: i, s: s, s: s, s: b, s: {}}", "code", POLARIS_ES_INTERNAL, "name", "INTERNAL",
                           "message", message, "retryable", 0, "details");
    return POLARIS_ES_INTERNAL;
}

int32_t message_call(struct host *host, enum host_verb verb, json_t *request, json_t **ret_reply) {
    json_auto_t *owned = request;
    CLEANUP(freep) uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;
    if (owned == NULL) {
        return internal("the host could not make the request: no memory", ret_reply);
    }
    if (!message_pack(owned, &data, &size, &failure)) {
        return internal(failure.message, ret_reply);
    }
    CLEANUP(reply_done) struct reply reply = {0};
    int32_t status = host_call(host, verb, data, size, &reply);
    if (message_unpack(reply.data, reply.size, ret_reply, &failure)) {
        return status;
    }
    if (status == POLARIS_ES_OK) {
        return internal(failure.message, ret_reply);
    }
    *ret_reply = NULL;
    return status;
}
