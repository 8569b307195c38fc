/* query.c: finding, counting and waiting for events. */
#include "system.h"
#include "use_cases.h"

/* ---- events ---- */

struct events_request {
    struct wire_filter filter; /* its conditions point into it: it must not move */
    struct event_query query;
    int64_t wait_us;
};

/* A filter over time alone, or over types and time, is served by an index in the order of time, and by none in the
 * order of ids: walking all ids for a narrow window would look at the whole store. */
static enum event_order default_order(const struct event_filter *filter) {
    bool over_time = filter->has_time_from || filter->has_time_to;
    bool narrower = bytes_present(filter->stream) || bytes_present(filter->batch) ||
                    bytes_present(filter->correlation) || filter->tags_any_count > 0 || filter->tags_all_count > 0;
    return over_time && !narrower ? ORDER_BY_TIME : ORDER_BY_ID;
}

static enum status read_order(struct call *call, const struct event_filter *filter, struct event_query *query) {
    static const char *const ORDERS[] = {"asc", "desc", NULL};
    static const char *const KEYS[] = {[ORDER_BY_ID] = "id", [ORDER_BY_TIME] = "time", NULL};
    int order = 0;
    int key = (int)default_order(filter);
    enum status status = wire_map_choice(&call->request, "order", OPTIONAL, ORDERS, &order, call->error);
    if (status != OK) {
        return status;
    }
    status = wire_map_choice(&call->request, "order_by", OPTIONAL, KEYS, &key, call->error);
    if (status != OK) {
        return status;
    }
    query->descending = order == 1;
    query->order_by = (enum event_order)key;
    return OK;
}

/* An empty filter is the same as none: a cursor of one serves the other. */
static uint64_t bind_filter(const struct wire_filter *filter) {
    return filter->raw.size <= 1 ? 0 : cursor_bind(0, filter->raw);
}

static enum status read_events_request(struct call *call, struct events_request *ret, struct page *ret_page) {
    struct wire_map *request = &call->request;
    enum status status = wire_decode_filter(request, "filter", &ret->filter, call->error);
    if (status != OK) {
        return status;
    }
    status = read_order(call, &ret->filter.filter, &ret->query);
    if (status != OK) {
        return status;
    }
    int64_t wait_max_us = call->instance->config.wait_max_us;
    status = wire_map_int(request, "wait_us", OPTIONAL, 0, wait_max_us, &ret->wait_us, call->error);
    if (status != OK) {
        return status;
    }
    if (ret->wait_us > 0 && (ret->query.descending || ret->query.order_by != ORDER_BY_ID)) {
        error_set(call->error, INVALID, "wait_us goes with ascending order by id only: new events come at its end");
        return call_refuse_field(call, "wait_us");
    }
    struct cursor_scope scope = {
        .op = CURSOR_EVENTS,
        .order_by = ret->query.order_by,
        .descending = ret->query.descending,
        .filter = bind_filter(&ret->filter),
    };
    status = call_open_page(call, &scope, ret_page);
    if (status != OK) {
        return status;
    }
    ret->query.filter = &ret->filter.filter;
    ret->query.has_position = ret_page->has_cursor;
    ret->query.position = (struct event_position){.time_us = ret_page->position.time_us, .id = ret_page->position.id};
    ret->query.limit = page_limit_asked(ret_page);
    return call_fields_end(call);
}

static bool visit_event(void *context, const struct stored_event *event) {
    struct page *page = context;
    if (!page_begin_entry(page)) {
        return false;
    }
    wire_encode_event(page->reply, event);
    struct cursor place = {.time_us = event->time_us, .id = event->id};
    return page_end_entry(page, &place);
}

/* Reads a page; while it is empty, waits for more until `wait_us` is over or somebody interrupts. */
static enum status read_or_wait(struct call *call, struct events_request *request, struct page *page,
                                struct storage_head *ret_head, bool *ret_interrupted) {
    struct storage *storage = call->instance->storage;
    int64_t deadline_us = monotonic_ns() / 1000 + request->wait_us;
    int64_t interrupts = storage->ops->interrupts(storage);
    for (;;) {
        enum status status =
            storage->ops->read_events(storage, &request->query, visit_event, page, ret_head, call->error);
        if (status != OK || page->count > 0 || page->limit == 0) {
            return status;
        }
        int64_t left_us = deadline_us - monotonic_ns() / 1000;
        if (request->wait_us == 0 || left_us <= 0) {
            return OK;
        }
        /* Nothing up to the head matches: what was looked through is not looked through again. */
        if (ret_head->last_id > request->query.position.id) {
            request->query.has_position = true;
            request->query.position.id = ret_head->last_id;
        }
        status = storage->ops->wait(storage, ret_head->last_id, left_us, interrupts, ret_interrupted, call->error);
        if (status != OK || *ret_interrupted) {
            return status;
        }
    }
}

static enum status query_events(struct call *call) {
    struct events_request request = {0};
    struct page page;
    enum status status = read_events_request(call, &request, &page);
    if (status != OK) {
        return status;
    }
    size_t map = wire_open_map(call->reply);
    call_begin_page(call, &page, "events");
    struct storage_head head = {0};
    bool interrupted = false;
    status = read_or_wait(call, &request, &page, &head, &interrupted);
    if (status != OK) {
        return status;
    }
    if (request.query.order_by == ORDER_BY_ID && !request.query.descending && head.last_id > page.position.id) {
        page_skip_to(&page, &(struct cursor){.id = head.last_id}); /* a tail of rare events need not look again */
    }
    uint32_t pairs = page_end(&page);
    put_int(call->reply, "last_id", head.last_id);
    pairs++;
    if (interrupted) {
        put_bool(call->reply, "interrupted", true);
        pairs++;
    }
    wire_close(call->reply, map, pairs);
    return OK;
}

/* ---- one, how many, of which ---- */

static bool visit_one_event(void *context, const struct stored_event *event) {
    struct wire_writer *reply = context;
    wire_put_map(reply, 1);
    wire_put_text(reply, "event");
    wire_encode_event(reply, event);
    return false;
}

static enum status query_get(struct call *call) {
    int64_t id = 0;
    enum status status = wire_map_int(&call->request, "id", REQUIRED, 1, INT64_MAX, &id, call->error);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    return storage->ops->get_event(storage, id, visit_one_event, call->reply, call->error);
}

static enum status query_count(struct call *call) {
    struct wire_filter filter = {0};
    enum status status = wire_decode_filter(&call->request, "filter", &filter, call->error);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    int64_t count = 0;
    struct storage *storage = call->instance->storage;
    status = storage->ops->count_events(storage, &filter.filter, &count, call->error);
    if (status != OK) {
        return status;
    }
    wire_put_map(call->reply, 1);
    put_int(call->reply, "count", count);
    return OK;
}

struct histogram_visit {
    struct wire_writer *reply;
    enum histogram_by by;
    uint32_t count; /* BUCKETS_MAX + 1: there are too many */
};

static bool visit_bucket(void *context, const struct histogram_bucket *bucket) {
    struct histogram_visit *visit = context;
    if (++visit->count > BUCKETS_MAX) {
        return false;
    }
    bool has_type = visit->by != HISTOGRAM_BY_TIME;
    bool has_time = visit->by != HISTOGRAM_BY_TYPE;
    wire_put_map(visit->reply, 1 + (has_type ? 1u : 0u) + (has_time ? 1u : 0u));
    if (has_type) {
        put_str(visit->reply, "type", bucket->type);
    }
    if (has_time) {
        put_int(visit->reply, "time", bucket->start_us);
    }
    put_int(visit->reply, "count", bucket->count);
    return true;
}

static enum status read_histogram_by(struct call *call, enum histogram_by *ret_by, int64_t *ret_bucket_us) {
    static const char *const KINDS[] = {
        [HISTOGRAM_BY_TYPE] = "type",
        [HISTOGRAM_BY_TIME] = "time",
        [HISTOGRAM_BY_TYPE_AND_TIME] = "type_and_time",
        NULL,
    };
    int by = HISTOGRAM_BY_TYPE;
    enum status status = wire_map_choice(&call->request, "by", OPTIONAL, KINDS, &by, call->error);
    if (status != OK) {
        return status;
    }
    status = wire_map_int(&call->request, "bucket_us", OPTIONAL, 1, BUCKET_US_MAX, ret_bucket_us, call->error);
    if (status != OK) {
        return status;
    }
    if ((by == HISTOGRAM_BY_TYPE) != (*ret_bucket_us == 0)) {
        error_set(call->error, INVALID, "bucket_us %s: by is \"%s\"",
                  by == HISTOGRAM_BY_TYPE ? "is of no use" : "is missing", KINDS[by]);
        return call_refuse_field(call, "bucket_us");
    }
    *ret_by = (enum histogram_by)by;
    return OK;
}

static enum status query_histogram(struct call *call) {
    struct wire_filter filter = {0};
    struct histogram_visit visit = {.reply = call->reply};
    int64_t bucket_us = 0;
    enum status status = wire_decode_filter(&call->request, "filter", &filter, call->error);
    if (status != OK) {
        return status;
    }
    status = read_histogram_by(call, &visit.by, &bucket_us);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    wire_put_map(call->reply, 1);
    wire_put_text(call->reply, "buckets");
    size_t array = wire_open_array(call->reply);
    struct storage *storage = call->instance->storage;
    status = storage->ops->histogram(storage, &filter.filter, visit.by, bucket_us, visit_bucket, &visit, call->error);
    if (status != OK) {
        return status;
    }
    if (visit.count > BUCKETS_MAX) {
        return error_set(call->error, TOO_LARGE,
                         "the histogram has more than %d buckets: narrow the filter or widen "
                         "bucket_us",
                         BUCKETS_MAX);
    }
    wire_close(call->reply, array, visit.count);
    return OK;
}

/* ---- listings ---- */

static bool visit_stream(void *context, const struct stream_info *stream) {
    struct page *page = context;
    if (!page_begin_entry(page)) {
        return false;
    }
    wire_put_map(page->reply, 4);
    put_str(page->reply, "stream", stream->name);
    put_int(page->reply, "version", stream->version);
    put_int(page->reply, "first_id", stream->first_id);
    put_int(page->reply, "last_id", stream->last_id);
    struct cursor place = {0};
    cursor_set_name(&place, stream->name);
    return page_end_entry(page, &place);
}

static enum status query_streams(struct call *call) {
    struct name_listing listing;
    enum status status = call_open_names(call, CURSOR_STREAMS, STREAM_SIZE_MAX, &listing);
    if (status != OK) {
        return status;
    }
    size_t map = wire_open_map(call->reply);
    call_begin_page(call, &listing.page, "streams");
    struct storage *storage = call->instance->storage;
    status = storage->ops->list_streams(storage, &listing.names, visit_stream, &listing.page, call->error);
    if (status != OK) {
        return status;
    }
    wire_close(call->reply, map, page_end(&listing.page));
    return OK;
}

static bool visit_tag(void *context, const struct tag_info *tag) {
    struct page *page = context;
    if (!page_begin_entry(page)) {
        return false;
    }
    wire_put_map(page->reply, 3);
    put_str(page->reply, "tag", tag->name);
    put_int(page->reply, "count", tag->count);
    put_int(page->reply, "last_id", tag->last_id);
    struct cursor place = {0};
    cursor_set_name(&place, tag->name);
    return page_end_entry(page, &place);
}

static enum status query_tags(struct call *call) {
    struct name_listing listing;
    enum status status = call_open_names(call, CURSOR_TAGS, TAG_SIZE_MAX, &listing);
    if (status != OK) {
        return status;
    }
    size_t map = wire_open_map(call->reply);
    call_begin_page(call, &listing.page, "tags");
    struct storage *storage = call->instance->storage;
    status = storage->ops->list_tags(storage, &listing.names, visit_tag, &listing.page, call->error);
    if (status != OK) {
        return status;
    }
    wire_close(call->reply, map, page_end(&listing.page));
    return OK;
}

/* ---- the whole store ---- */

static enum status query_head(struct call *call) {
    enum status status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage_head head = {0};
    struct storage *storage = call->instance->storage;
    status = storage->ops->head(storage, &head, call->error);
    if (status != OK) {
        return status;
    }
    wire_put_map(call->reply, 3);
    put_int(call->reply, "first_id", head.first_id);
    put_int(call->reply, "last_id", head.last_id);
    put_int(call->reply, "recorded_at", head.recorded_us);
    return OK;
}

static enum status query_interrupt(struct call *call) {
    enum status status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    wire_put_map(call->reply, 1);
    put_int(call->reply, "interrupted", storage->ops->interrupt(storage));
    return OK;
}

static const struct op QUERY_OPS[] = {
    {"events", false, query_events},       {"get", false, query_get},
    {"count", false, query_count},         {"histogram", false, query_histogram},
    {"streams", false, query_streams},     {"tags", false, query_tags},
    {"batches", false, batches_list},      {"head", false, query_head},
    {"interrupt", false, query_interrupt}, {0},
};

const struct verb VERB_QUERY = {"query", QUERY_OPS};
