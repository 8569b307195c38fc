/* workload.h: the events that the plugin and the baseline both store: a node's change, about 200 bytes, and one tag. */
#ifndef POLARIS_HOST_WORKLOAD_H
#define POLARIS_HOST_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

#define WORKLOAD_TYPE "node_updated"
enum { WORKLOAD_NODES = 5000, WORKLOAD_TAG_SIZE = 24, WORKLOAD_DATA_SIZE_MAX = 512 };

/* The n-th event. Its payloads are msgpack, ready to be stored as they are. */
struct workload_event {
    char tag[WORKLOAD_TAG_SIZE]; /* "node:123" */
    uint8_t tags[WORKLOAD_TAG_SIZE + 4];
    size_t tags_size;
    uint8_t data[WORKLOAD_DATA_SIZE_MAX];
    size_t data_size;
};
void workload_event(uint64_t n, struct workload_event *ret_event);

/* A request that appends the events first ... first + count - 1. Owned; NULL data: no memory. */
struct workload_request {
    char *data;
    size_t size;
};
struct workload_request workload_request(uint64_t first, uint32_t count) WARN_UNUSED;
void workload_request_done(struct workload_request *request);

#endif
