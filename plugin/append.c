/* append.c: the steps of an append. */
#include "append.h"

#include <stdlib.h>

/* An id and a version, at their largest. */
enum { APPEND_REPLY_SIZE = 256, APPEND_REPLY_SIZE_PER_EVENT = 18 };

/* ---- what comes in ---- */

void incoming_done(struct incoming *incoming) {
    free(incoming->events);
    free(incoming->results);
    validation_done(&incoming->validation);
}

enum status incoming_read(struct incoming *incoming, struct call *call) {
    enum status status =
        wire_decode_events(&call->request, &call->instance->config, &incoming->events, &incoming->count, call->error);
    if (status != OK) {
        return status;
    }
    incoming->results = calloc(incoming->count, sizeof *incoming->results);
    return incoming->results != NULL
               ? OK
               : error_set(call->error, NO_MEMORY, "%s: no memory for %zu events", call->name, incoming->count);
}

enum status incoming_prepare(struct incoming *incoming, struct call *call) {
    enum status status =
        validation_run(&incoming->validation, call, call->request.value.document, incoming->events, incoming->count);
    size_t size = APPEND_REPLY_SIZE + incoming->count * APPEND_REPLY_SIZE_PER_EVENT +
                  validation_reply_size(&incoming->validation);
    if (status == OK && !buffer_reserve(&call->reply->buffer, size)) {
        return error_set(call->error, NO_MEMORY, "%s: no memory for the reply about %zu events", call->name,
                         incoming->count);
    }
    return status;
}

enum status incoming_refused(struct incoming *incoming, struct call *call, enum status status) {
    status = validation_explain_refusal(&incoming->validation, call, incoming->events, status);
    /* The storage knows no requests: it says "/events/0" of the one event that came as `event`. */
    struct wire_value value;
    if (strncmp(call->error->path, "/events", strlen("/events")) == 0 &&
        wire_map_find(&call->request, "event", &value)) {
        error_set_path(call->error, "/event");
    }
    return status;
}

/* ---- the steps ---- */

void append_done(struct append *append) {
    incoming_done(&append->incoming);
}

static enum status read_condition(struct append *append) {
    struct call *call = append->call;
    struct wire_value value;
    if (!wire_map_find(&call->request, "condition", &value)) {
        return OK;
    }
    struct wire_path path = {.parent = call->request.path, .name = "condition"};
    struct wire_map map;
    enum status status = wire_map_open(&map, value, &path, call->error);
    if (status != OK) {
        return status;
    }
    status = wire_decode_filter(&map, "filter", &append->filter, call->error);
    if (status != OK) {
        return status;
    }
    status = wire_map_int(&map, "after", OPTIONAL, 0, INT64_MAX, &append->condition.after_id, call->error);
    if (status != OK) {
        return status;
    }
    append->condition.filter = &append->filter.filter;
    append->request.condition = &append->condition;
    return wire_map_finish(&map, "the condition of an append", call->error);
}

enum status append_open(struct append *append, struct call *call) {
    append->call = call;
    enum status status = incoming_read(&append->incoming, call);
    if (status == OK) {
        status = read_condition(append);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    append->request.events = append->incoming.events;
    append->request.count = append->incoming.count;
    return status;
}

enum status append_prepare(struct append *append) {
    enum status status = incoming_prepare(&append->incoming, append->call);
    append->request.schema_generation = append->incoming.validation.generation;
    return status;
}

bool append_is_stale(struct append *append, enum status status) {
    return validation_is_stale(&append->incoming.validation, append->call, status);
}

static void write_reply(struct wire_writer *reply, const struct incoming *incoming,
                        const struct append_summary *summary) {
    wire_put_text(reply, "ids");
    wire_put_array(reply, (uint32_t)incoming->count);
    for (size_t i = 0; i < incoming->count; i++) {
        wire_put_int_or_nil(reply, incoming->results[i].id);
    }
    wire_put_text(reply, "versions");
    wire_put_array(reply, (uint32_t)incoming->count);
    for (size_t i = 0; i < incoming->count; i++) {
        wire_put_int_or_nil(reply, incoming->results[i].version);
    }
    put_int(reply, "duplicates", (int64_t)summary->duplicates);
    put_int(reply, "recorded_at", summary->recorded_us);
    put_int(reply, "last_id", summary->last_id);
}

enum status append_answer(struct append *append, enum status status, const struct append_summary *summary) {
    struct call *call = append->call;
    const struct incoming *incoming = &append->incoming;
    if (status != OK) {
        return incoming_refused(&append->incoming, call, status);
    }
    call->stored.count = incoming->count;
    call->stored.first_id = incoming->results[0].id;
    call->stored.last_id = incoming->results[incoming->count - 1].id;
    size_t map = wire_open_map(call->reply);
    write_reply(call->reply, incoming, summary);
    wire_close(call->reply, map, 5 + validation_put(&incoming->validation, call, incoming->events, incoming->results));
    return OK;
}

enum status append_run(struct call *call) {
    CLEANUP(append_done) struct append append = {0};
    struct append_summary summary = {0};
    struct storage *storage = call->instance->storage;
    enum status status = append_open(&append, call);
    if (status != OK) {
        return status;
    }
    do {
        status = append_prepare(&append);
        if (status == OK) {
            status = storage->ops->append(storage, &append.request, append.incoming.results, &summary, call->error);
        }
    } while (append_is_stale(&append, status));
    return append_answer(&append, status, &summary);
}
