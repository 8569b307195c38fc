/* request.h: requests as bytes, made before the clock starts, as a host has its messages anyway; and the little that a
 * reader has to find in a reply. */
#ifndef POLARIS_BENCH_REQUEST_H
#define POLARIS_BENCH_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "bench/page.h"
#include "cleanup.h"
#include "host/host.h"

/* Owned. NULL data: there was no memory. */
struct bench_request {
    char *data;
    size_t size;
};
void request_done(struct bench_request *request);

/* What events are appended, and how. */
struct request_events {
    uint32_t body;     /* bytes of data, EVENT_BODY_... */
    uint32_t count;    /* events of a request */
    bool checked;      /* of the type that has a schema */
    const char *batch; /* into this batch; NULL: none */
};
/* Appends the events first ... first + count - 1. */
struct bench_request request_append(uint64_t first, const struct request_events *events) WARN_UNUSED;

/* A page of events. */
struct bench_request request_page(const struct page_query *query) WARN_UNUSED;
/* What comes after an id, or behind a cursor if that is not NULL, waiting for it if there is nothing. */
struct bench_request request_after(uint64_t id, const polaris_bytes *cursor, uint32_t limit,
                                   int64_t wait_us) WARN_UNUSED;

/* Finds a number, or a text, among the last fields of a reply; false: it is not there. */
bool reply_number(const struct reply *reply, const char *name, uint64_t *ret_number) WARN_UNUSED;
bool reply_text(const struct reply *reply, const char *name, polaris_bytes *ret_text) WARN_UNUSED;

#endif
