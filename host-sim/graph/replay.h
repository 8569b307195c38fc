/* replay.h: reading the store from the oldest event to the newest, and making the graph anew from it. */
#ifndef POLARIS_HOST_REPLAY_H
#define POLARIS_HOST_REPLAY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "failure.h"
#include "graph/graph.h"
#include "host/host.h"

struct replay_options {
    const json_t *filter; /* SPEC.md, section 6; NULL: all events */
    int64_t page_size;    /* 0: 1,000 */
};

struct replay_result {
    uint64_t events, pages;
    uint64_t damaged; /* rows that the store marked; they were visited as far as they could be read */
    int64_t last_id;
    int64_t elapsed_us;
};

/* Visits the matching events in the order of their ids, up to the last one there is when the last page is read. A
 * visitor that returns false, with the failure set, ends it. Ids that do not grow from event to event are a failure. */
typedef bool replay_visit(void *context, const json_t *event, struct failure *failure);
bool replay_each(struct host *host, const struct replay_options *options, replay_visit *visit, void *context,
                 struct replay_result *ret_result, struct failure *failure) __attribute__((warn_unused_result));

/* Applies the events to a graph, which counts what became of them. */
bool replay_graph(struct host *host, const struct replay_options *options, struct graph *graph,
                  struct replay_result *ret_result, struct failure *failure) __attribute__((warn_unused_result));

#endif
