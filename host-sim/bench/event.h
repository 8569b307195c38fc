/* event.h: the events that the plugin and the baseline both store: changes of nodes, as Polaris publishes them.
 *
 * The n-th event (n from 1, its id in a store that a benchmark made) is the same always: about 200 bytes of data, or
 * 4 KiB, one tag, and a time of its own. Nine of ten are of one of 5,000 nodes ("node:123"); every tenth is of one of
 * eight hubs ("hub:3"), which are also streams, so that small stores too have pages to read by tag and by stream. */
#ifndef POLARIS_BENCH_EVENT_H
#define POLARIS_BENCH_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

enum {
    EVENT_NODES = 5000,
    EVENT_HUBS = 8,
    EVENT_TYPES = 3,
    EVENT_NAME_SIZE = 24,
    EVENT_DATA_SIZE_MAX = 4608,
    EVENT_BODY_SMALL = 200,
    EVENT_BODY_LARGE = 4096
};

/* Types of events, by number from 0; and one more, which has a schema. */
extern const char *const EVENT_TYPE_NAMES[EVENT_TYPES + 1];
enum { EVENT_TYPE_CHECKED = EVENT_TYPES };

struct bench_event {
    uint32_t type;
    int64_t time_us;
    bool has_stream;                   /* its name is that of the tag */
    char tag[EVENT_NAME_SIZE];         /* "node:123", "hub:3" */
    uint8_t tags[EVENT_NAME_SIZE + 4]; /* msgpack, ready to be stored as it is; so is data */
    size_t tags_size;
    uint8_t data[EVENT_DATA_SIZE_MAX];
    size_t data_size;
};
void event_make(uint64_t n, uint32_t body, struct bench_event *ret_event);

/* When the n-th event happened: a millisecond after the one before. */
int64_t event_time_us(uint64_t n);

#endif
