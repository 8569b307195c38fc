/* request.h: one call whose error is told in words: what was tried, the status, and what the plugin says. */
#ifndef POLARIS_HOST_REQUEST_H
#define POLARIS_HOST_REQUEST_H

#include <jansson.h>

#include "failure.h"
#include "host/host.h"

/* message_call(), but *ret_reply is set on OK only, and the failure otherwise: "store append: CONFLICT: ...".
 * `request` is stolen; NULL (no memory for it) is allowed. */
int32_t request_call(struct host *host, enum host_verb verb, json_t *request, json_t **ret_reply,
                     struct failure *failure) __attribute__((warn_unused_result));

#endif
