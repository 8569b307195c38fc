/* bounds.h: the fixed limits of the formats. Configurable limits are in config.h. All sizes are in bytes. */
#ifndef POLARIS_PLUGIN_BOUNDS_H
#define POLARIS_PLUGIN_BOUNDS_H

#include <stdint.h>

enum {
    TYPE_SIZE_MAX = 128,        /* of an event type's name; UTF-8, not empty, as all names here */
    STREAM_SIZE_MAX = 256,      /* of a stream's name */
    TAG_SIZE_MAX = 256,         /* of one tag */
    TAGS_MAX = 16,              /* tags of one event */
    KEY_SIZE_MAX = 64,          /* of an idempotency key */
    CORRELATION_SIZE_MAX = 128, /* of a correlation or causation */
    BATCH_ID_SIZE_MAX = 128,
    CONSUMER_SIZE_MAX = 128,
    HOLDER_SIZE_MAX = 128,           /* of who holds a lease */
    CLASS_SIZE_MAX = 128,            /* of a failure's class */
    MESSAGE_SIZE_MAX = 4096,         /* of a failure's message; longer ones are cut, as an error must never get lost */
    REASON_SIZE_MAX = 1024,          /* of a discard's or abort's reason */
    FAILURES_KEPT = 10,              /* of each dead letter */
    FILTER_TYPES_MAX = 64,           /* types in one filter */
    FILTER_METADATA_MAX = 16,        /* metadata conditions in one filter */
    FILTER_METADATA_SIZE_MAX = 4096, /* of a condition's expected value: it is compared with every candidate event */
    FILTER_METADATA_DEPTH_MAX = 32,  /* nesting of it */
    FILTER_POINTER_SIZE_MAX = 1024,  /* of a condition's pointer */
    PAGE_LIMIT_DEFAULT = 1000,
    PAGE_LIMIT_MAX = 100000,
    CLAIM_LIMIT_MAX = 1000,
    BUCKETS_MAX = 10000,  /* of one histogram */
    PATH_SIZE_MAX = 3900, /* of the store's file name, with room for "-wal" and ".owner" */
    SCHEMA_SIZE_MAX = 1 << 20,
    BATCH_METADATA_SIZE_MAX = 1 << 16,
};

/* Event times: 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z, which RFC 3339 can write. */
#define TIME_US_MIN INT64_C(-62135596800000000)
#define TIME_US_MAX INT64_C(253402300799999999)

/* Of a histogram's buckets: ten thousand years. Sums of a time and a width stay far within 64 bits. */
#define BUCKET_US_MAX INT64_C(315576000000000000)

#endif
