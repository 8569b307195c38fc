/* page.h: the pages that are read, from the plugin and from the baseline: which, and from where on. */
#ifndef POLARIS_BENCH_PAGE_H
#define POLARIS_BENCH_PAGE_H

#include <stdint.h>

#include "bench/event.h"

enum page_kind { PAGE_TYPE_TIME, PAGE_STREAM, PAGE_TAG, PAGE_BATCH, PAGE_ALL, PAGE_KIND_COUNT };

/* Every tenth thousand of a store's events is one batch: "batch:0" holds the events 9,001 to 10,000. */
enum { PAGE_SIZE = 100, PAGE_STORE_SIZE_MIN = 10000, PAGE_BATCH_SIZE = 1000 };

struct page_query {
    enum page_kind kind;
    char name[EVENT_NAME_SIZE]; /* of the type, stream, tag or batch */
    int64_t after_id;           /* PAGE_TYPE_TIME: 0 */
    int64_t from_us;            /* PAGE_TYPE_TIME only */
    uint32_t limit;
};

/* The n-th page of a kind in a store of `size` events: of another name, from another place, the same at each call; all
 * of them are full. */
struct page_query page_query(enum page_kind kind, uint64_t n, uint64_t size);

#endif
