/* store.c: the ops of `store`: batches, and append (append.c). */
#include "append.h"

/* ---- batches ---- */

static const char *const BATCH_STATE_NAMES[BATCH_STATE_COUNT + 1] = {
    [BATCH_OPEN] = "open",
    [BATCH_COMPLETED] = "completed",
    [BATCH_ABORTED] = "aborted",
};

static void encode_batch(struct wire_writer *reply, const struct batch *batch) {
    size_t map = wire_open_map(reply);
    put_str(reply, "id", batch->id);
    put_text(reply, "state", batch->state < BATCH_STATE_COUNT ? BATCH_STATE_NAMES[batch->state] : "damaged");
    put_int(reply, "count", batch->count);
    put_int(reply, "created_at", batch->created_us);
    uint32_t pairs = 4;
    pairs += put_map_if_sound(reply, "metadata", batch->metadata);
    if (batch->state != BATCH_OPEN) {
        put_int(reply, "closed_at", batch->closed_us);
        pairs++;
    }
    pairs += put_int_unless_zero(reply, "first_id", batch->first_id);
    pairs += put_int_unless_zero(reply, "last_id", batch->last_id);
    pairs += put_str_if_present(reply, "reason", batch->reason);
    wire_close(reply, map, pairs);
}

/* Called by the writer's thread. Should the storage visit again, the last visit counts. */
struct batch_visit {
    struct wire_writer *reply;
    size_t mark;
};

static bool visit_batch(void *context, const struct batch *batch) {
    const struct batch_visit *visit = context;
    wire_rollback(visit->reply, visit->mark);
    encode_batch(visit->reply, batch);
    return false;
}

static struct batch_visit begin_batch(struct call *call, uint32_t pairs) {
    wire_put_map(call->reply, pairs);
    wire_put_text(call->reply, "batch");
    return (struct batch_visit){.reply = call->reply, .mark = call->reply->buffer.size};
}

static enum status read_batch_id(struct call *call, struct bytes *ret_id) {
    return wire_map_name(&call->request, "id", REQUIRED, BATCH_ID_SIZE_MAX, ret_id, call->error);
}

static enum status batch_create(struct call *call) {
    struct bytes id = {0};
    struct bytes metadata = {0};
    enum status status = read_batch_id(call, &id);
    if (status != OK) {
        return status;
    }
    status = wire_map_raw_map(&call->request, "metadata", OPTIONAL, BATCH_METADATA_SIZE_MAX, &metadata, call->error);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct batch_visit visit = begin_batch(call, 1);
    status = storage->ops->batch_create(storage, id, metadata, visit_batch, &visit, call->error);
    call_done(call, "store batch.create: batch '%.*s' was made", BYTES_FORMAT(id));
    return status;
}

static enum status batch_append(struct call *call) {
    CLEANUP(incoming_done) struct incoming incoming = {0};
    struct bytes id = {0};
    enum status status = read_batch_id(call, &id);
    if (status == OK) {
        status = incoming_read(&incoming, call);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    int64_t drafts = 0;
    struct append_request request = {.events = incoming.events, .count = incoming.count};
    struct storage *storage = call->instance->storage;
    do {
        status = incoming_prepare(&incoming, call);
        if (status == OK) {
            request.schema_generation = incoming.validation.generation;
            status = storage->ops->batch_append(storage, id, &request, incoming.results, &drafts, call->error);
        }
    } while (validation_is_stale(&incoming.validation, call, status));
    if (status != OK) {
        return incoming_refused(&incoming, call, status);
    }
    call_done(call, "store batch.append: %zu events are drafts of batch '%.*s'", incoming.count, BYTES_FORMAT(id));
    size_t map = wire_open_map(call->reply);
    put_str(call->reply, "id", id);
    put_int(call->reply, "count", drafts);
    wire_close(call->reply, map, 2 + validation_put(&incoming.validation, call, incoming.events, incoming.results));
    return OK;
}

static enum status batch_complete(struct call *call) {
    struct bytes id = {0};
    enum status status = read_batch_id(call, &id);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct append_summary summary = {0};
    struct storage *storage = call->instance->storage;
    struct batch_visit visit = begin_batch(call, 4);
    status = storage->ops->batch_complete(storage, id, visit_batch, &visit, &summary, call->error);
    if (status != OK) {
        return status;
    }
    call_done(call, "store batch.complete: the events of batch '%.*s' are stored, up to id %lld", BYTES_FORMAT(id),
              (long long)summary.last_id);
    put_int(call->reply, "duplicates", (int64_t)summary.duplicates);
    put_int(call->reply, "recorded_at", summary.recorded_us);
    put_int(call->reply, "last_id", summary.last_id);
    return OK;
}

static enum status batch_abort(struct call *call) {
    struct bytes id = {0};
    struct bytes reason = {0};
    enum status status = read_batch_id(call, &id);
    if (status != OK) {
        return status;
    }
    status = wire_map_text(&call->request, "reason", OPTIONAL, REASON_SIZE_MAX, &reason, call->error);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct batch_visit visit = begin_batch(call, 1);
    status = storage->ops->batch_abort(storage, id, reason, visit_batch, &visit, call->error);
    call_done(call, "store batch.abort: batch '%.*s' was aborted", BYTES_FORMAT(id));
    return status;
}

static enum status batch_get(struct call *call) {
    struct bytes id = {0};
    enum status status = read_batch_id(call, &id);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct batch_visit visit = begin_batch(call, 1);
    return storage->ops->batch_get(storage, id, visit_batch, &visit, call->error);
}

static bool visit_listed_batch(void *context, const struct batch *batch) {
    struct page *page = context;
    if (!page_begin_entry(page)) {
        return false;
    }
    encode_batch(page->reply, batch);
    struct cursor place = {0};
    cursor_set_name(&place, batch->id);
    return page_end_entry(page, &place);
}

enum status batches_list(struct call *call) {
    int state = -1;
    enum status status = wire_map_choice(&call->request, "state", OPTIONAL, BATCH_STATE_NAMES, &state, call->error);
    if (status != OK) {
        return status;
    }
    struct page page;
    struct cursor_scope scope = {.op = CURSOR_BATCHES, .filter = (uint64_t)(state + 1)};
    status = call_open_page(call, &scope, &page);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct cursor after = page.position; /* the page's own moves on with the visits */
    size_t map = wire_open_map(call->reply);
    call_begin_page(call, &page, "batches");
    struct storage *storage = call->instance->storage;
    status = storage->ops->batch_list(storage, state < 0 ? 0 : 1u << state,
                                      page.has_cursor ? cursor_name(&after) : (struct bytes){0},
                                      page_limit_asked(&page), visit_listed_batch, &page, call->error);
    if (status != OK) {
        return status;
    }
    wire_close(call->reply, map, page_end(&page));
    return OK;
}

static const struct op STORE_OPS[] = {
    {"append", true, append_run},
    {"batch.create", true, batch_create},
    {"batch.append", true, batch_append},
    {"batch.complete", true, batch_complete},
    {"batch.abort", true, batch_abort},
    {"batch.get", false, batch_get},
    {"batch.list", false, batches_list},
    {0},
};

const struct verb VERB_STORE = {"store", STORE_OPS};
