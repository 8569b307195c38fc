/* request.c: one call whose error is told in words. */
#include "graph/request.h"

#include <stdio.h>

#include "message/message.h"

int32_t request_call(struct host *host, enum host_verb verb, json_t *request, json_t **ret_reply,
                     struct failure *failure) {
    char op[64] = "";
    const char *asked = json_string_value(json_object_get(request, "op"));
    (void)snprintf(op, sizeof op, "%s", asked != NULL ? asked : "?"); /* the request is gone after the call */
    json_auto_t *reply = NULL;
    int32_t status = message_call(host, verb, request, &reply);
    if (status == POLARIS_ES_OK) {
        *ret_reply = reply;
        reply = NULL;
        return status;
    }
    const char *name = json_string_value(json_object_get(reply, "name"));
    const char *message = json_string_value(json_object_get(reply, "message"));
    (void)failure_set(failure, "%s %s: %s (%d): %s", host_verb_name(verb), op, name != NULL ? name : "failed", status,
                      message != NULL ? message : "the plugin gave no reason");
    return status;
}
