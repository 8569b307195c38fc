/* replay.c: pages of events, oldest first, each taken up where the one before ended. */
#include "graph/replay.h"

#include "graph/request.h"
#include "monotonic.h"

enum { PAGE_SIZE_DEFAULT = 1000 };

static json_t *page_request(const struct replay_options *options, json_t *cursor) {
    json_t *filter = options->filter != NULL ? json_deep_copy(options->filter) : json_object();
    return json_pack("{s: s, s: o, s: s, s: s, s: I, s: O*}", "op", "events", "filter", filter, "order", "asc",
                     "order_by", "id", "limit", (json_int_t)options->page_size, "cursor", cursor);
}

static bool visit_page(const json_t *events, replay_visit *visit, void *context, struct replay_result *result,
                       struct failure *failure) {
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        int64_t id = json_integer_value(json_object_get(event, "id"));
        if (id <= result->last_id) {
            return failure_set(failure, "replay: event %lld came after event %lld", (long long)id,
                               (long long)result->last_id);
        }
        result->last_id = id;
        result->events++;
        result->damaged += json_object_get(event, "damaged") != NULL;
        if (!visit(context, event, failure)) {
            return false;
        }
    }
    return true;
}

static bool visit_pages(struct host *host, const struct replay_options *options, replay_visit *visit, void *context,
                        struct replay_result *result, struct failure *failure) {
    json_auto_t *cursor = NULL;
    for (bool more = true; more;) {
        json_auto_t *reply = NULL;
        json_t *request = page_request(options, cursor);
        if (request_call(host, HOST_QUERY, request, &reply, failure) != POLARIS_ES_OK) {
            return false;
        }
        result->pages++;
        const json_t *events = json_object_get(reply, "events");
        more = json_is_true(json_object_get(reply, "more"));
        if (more && json_array_size(events) == 0) {
            return failure_set(failure, "replay: an empty page says that more follows");
        }
        if (!visit_page(events, visit, context, result, failure)) {
            return false;
        }
        json_t *next = json_incref(json_object_get(reply, "cursor"));
        json_decref(cursor);
        cursor = next;
    }
    return true;
}

bool replay_each(struct host *host, const struct replay_options *options, replay_visit *visit, void *context,
                 struct replay_result *ret_result, struct failure *failure) {
    struct replay_options chosen = options != NULL ? *options : (struct replay_options){0};
    if (chosen.page_size == 0) {
        chosen.page_size = PAGE_SIZE_DEFAULT;
    }
    int64_t start_us = monotonic_us();
    *ret_result = (struct replay_result){0};
    bool replayed = visit_pages(host, &chosen, visit, context, ret_result, failure);
    ret_result->elapsed_us = monotonic_us() - start_us;
    return replayed;
}

static bool apply(void *context, const json_t *event, struct failure *failure) {
    if (graph_apply(context, event) == GRAPH_NO_MEMORY) {
        return failure_set(failure, "replay: no memory for the graph");
    }
    return true;
}

bool replay_graph(struct host *host, const struct replay_options *options, struct graph *graph,
                  struct replay_result *ret_result, struct failure *failure) {
    return replay_each(host, options, apply, graph, ret_result, failure);
}
