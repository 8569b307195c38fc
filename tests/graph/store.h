/* store.h: a store for one test, opened by the host with the real plugin, in a folder of its own, with a clock that the
 * test moves. */
#ifndef TESTS_GRAPH_STORE_H
#define TESTS_GRAPH_STORE_H

#include <jansson.h>
#include <stdatomic.h>

#include "graph/publisher.h"
#include "host/host.h"

struct store {
    struct host *host;
    char folder[64];
    char path[96];
    _Atomic int64_t now_us;
};

/* `config`: more configuration as JSON with ' for ", or NULL. */
void store_open(struct store *store, const char *config);
void store_close(struct store *store);

/* A call that must be OK; the request is a printf format of JSON with ' for ". A new reference. */
json_t *store_call(struct store *store, enum host_verb verb, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* JSON with ' for ". A new reference. */
json_t *json_of(const char *text);

/* {"type": "node_created", "data": {"node": name}}. A new reference. */
json_t *node_created(const char *name);

int64_t store_event_count(struct store *store);
/* A member of the consumer's entry in dlq.count; 0 if there is none. */
int64_t store_letters(struct store *store, const char *consumer, const char *member);

struct publisher *store_publisher(struct store *store, size_t batch_size);
/* Publishes or flushes; fails the test if it cannot. */
void must_publish(struct publisher *publisher, json_t *event);
void must_flush(struct publisher *publisher);

#endif
