/* append.h: appending events: read, validated, stored, answered; the storage's part may be waited for, or not. */
#ifndef POLARIS_PLUGIN_APPEND_H
#define POLARIS_PLUGIN_APPEND_H

#include "use_cases.h"
#include "validation.h"

/* The events of an append or of a batch.append, and what the storage says of each. A zeroed one is empty. */
struct incoming {
    struct event *events;
    struct append_result *results;
    size_t count;
    struct validation validation;
};
void incoming_done(struct incoming *incoming);

WARN_UNUSED enum status incoming_read(struct incoming *incoming, struct call *call);
/* Validates, and takes all memory before the work is done, so that what is durable can also be answered. */
WARN_UNUSED enum status incoming_prepare(struct incoming *incoming, struct call *call);
/* The storage refused: describes it in the request's terms. Returns `status`. */
enum status incoming_refused(struct incoming *incoming, struct call *call, enum status status);

/* One append. Zeroed it is empty; once opened it must not move. */
struct append {
    struct call *call;
    struct incoming incoming;
    struct append_condition condition;
    struct wire_filter filter; /* the condition points into it */
    struct append_request request;
};
void append_done(struct append *append);

/* The steps: open; then prepare and hand `request` to the storage, again while append_is_stale; then answer. */
WARN_UNUSED enum status append_open(struct append *append, struct call *call);
WARN_UNUSED enum status append_prepare(struct append *append);
/* The storage refused because schemas were changed after append_prepare. */
WARN_UNUSED bool append_is_stale(struct append *append, enum status status);
/* Writes the reply, or describes the refusal. Returns the status of the call. */
WARN_UNUSED enum status append_answer(struct append *append, enum status status, const struct append_summary *summary);

/* The op: all steps. */
WARN_UNUSED enum status append_run(struct call *call);

#endif
