/* page.c: places that look like chance. */
#include "bench/page.h"

#include <stdio.h>

static uint64_t mixed(uint64_t n) {
    n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
    return n ^ (n >> 31);
}

struct page_query page_query(enum page_kind kind, uint64_t n, uint64_t size) {
    struct page_query query = {.kind = kind, .limit = PAGE_SIZE};
    uint64_t place = mixed(2 * n + 1);
    uint64_t name = mixed(2 * n);
    uint64_t batch = name % (size / PAGE_STORE_SIZE_MIN);
    switch (kind) {
    case PAGE_TYPE_TIME: /* of the rarer types, one event in sixteen */
        (void)snprintf(query.name, sizeof query.name, "%s", EVENT_TYPE_NAMES[name % EVENT_TYPES]);
        query.from_us = event_time_us(1 + place % (size - 16 * (PAGE_SIZE + 1)));
        break;
    case PAGE_STREAM: /* of a hub, one event in eighty */
    case PAGE_TAG:
        (void)snprintf(query.name, sizeof query.name, "hub:%u", (unsigned)(name % EVENT_HUBS));
        query.after_id = (int64_t)(place % (size - 80 * (PAGE_SIZE + 1)));
        break;
    case PAGE_BATCH:
        (void)snprintf(query.name, sizeof query.name, "batch:%u", (unsigned)batch);
        query.after_id =
            (int64_t)((batch + 1) * PAGE_STORE_SIZE_MIN - PAGE_BATCH_SIZE + place % (PAGE_BATCH_SIZE - PAGE_SIZE));
        break;
    case PAGE_ALL:
    case PAGE_KIND_COUNT:
        query.after_id = (int64_t)(place % (size - PAGE_SIZE));
        break;
    }
    return query;
}
