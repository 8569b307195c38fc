/* event.h: what the store keeps: events, filters over them, positions among them. Plain data, borrowed views. */
#ifndef POLARIS_PLUGIN_EVENT_H
#define POLARIS_PLUGIN_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "bytes.h"

/* What an append demands of the stream's version before it. */
enum expectation {
    EXPECT_ANY,
    EXPECT_NONE,   /* the stream has no event yet */
    EXPECT_EXISTS, /* it has at least one */
    EXPECT_EXACTLY /* its version is exactly `expected_version`; 0 is the same as none */
};

/* What becomes of an event that does not stand under its key already. */
enum event_verdict {
    EVENT_ACCEPTED,
    EVENT_REFUSED, /* its schema does not allow it: the append fails */
    EVENT_KEPT     /* nor is it stored, but kept as a rejected entry */
};

/* An event on its way in. All views borrow from the request. */
struct event {
    struct bytes type;
    struct bytes data;        /* one msgpack map, byte for byte */
    struct bytes metadata;    /* one msgpack map, or absent */
    struct bytes stream;      /* or absent */
    struct bytes key;         /* or absent */
    struct bytes correlation; /* or absent */
    struct bytes causation;   /* or absent */
    struct bytes tags;        /* the msgpack array as it came, or absent */
    struct bytes tag[TAGS_MAX];
    uint32_t tag_count; /* different tags: repeated ones are in `tags` but not here */
    bool has_time;
    int64_t time_us; /* valid if has_time */
    enum expectation expectation;
    int64_t expected_version;
    /* What validation said of it. */
    enum event_verdict verdict;
    int64_t schema_version; /* the version that it was validated by; 0: none */
    struct bytes failures;  /* EVENT_KEPT: why, a msgpack array */
    struct bytes raw;       /* the whole event as it came, a msgpack map */
    uint32_t data_item;     /* where `data` stands on the request's tape */
};

/* An event on its way out. All views are valid during the visit only. */
struct stored_event {
    int64_t id;
    int64_t time_us;
    int64_t recorded_us;
    int64_t version;        /* in its stream; 0: no stream */
    int64_t schema_version; /* 0: none */
    struct bytes type;
    struct bytes data;
    struct bytes metadata;
    struct bytes stream;
    struct bytes key;
    struct bytes correlation;
    struct bytes causation;
    struct bytes tags; /* a msgpack array, or absent */
    struct bytes batch;
    const char *damage; /* NULL, or what is wrong with the row: it is marked, and the read goes on */
};

/* Decides over the metadata of an event (absent: no metadata). Set by the use case, called by the storage. */
struct metadata_predicate {
    bool (*holds)(const void *context, struct bytes metadata);
    const void *context;
};

/* All conditions that are present must hold. A zeroed filter lets everything pass. */
struct event_filter {
    struct bytes types[FILTER_TYPES_MAX];
    uint32_t type_count; /* any of them; 0: all types */
    bool has_time_from, has_time_to, has_recorded_from, has_recorded_to;
    int64_t time_from_us, time_to_us;         /* from <= time < to */
    int64_t recorded_from_us, recorded_to_us; /* from <= recorded_at < to */
    bool has_after_id, has_before_id;
    int64_t after_id, before_id; /* after < id < before */
    struct bytes stream, batch, correlation;
    struct bytes tags_any[TAGS_MAX];
    uint32_t tags_any_count;
    struct bytes tags_all[TAGS_MAX];
    uint32_t tags_all_count;
    struct metadata_predicate metadata; /* holds NULL: no condition */
};

enum event_order { ORDER_BY_ID, ORDER_BY_TIME /* ties by id */ };

/* Where a page ended: the next one begins strictly behind it, in the order of the query. */
struct event_position {
    int64_t time_us; /* meaningful for ORDER_BY_TIME */
    int64_t id;
};

struct event_query {
    const struct event_filter *filter;
    enum event_order order_by;
    bool descending;
    bool has_position;
    struct event_position position;
    int64_t limit;
};

#endif
