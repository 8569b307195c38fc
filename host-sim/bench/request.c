/* request.c: packing requests, and looking at the end of replies. */
#include "bench/request.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

void request_done(struct bench_request *request) {
    free(request->data);
    *request = (struct bench_request){0};
}

/* A request on its way. */
struct packing {
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    int failed;
};

static void pack_bytes(struct packing *packing, const void *data, size_t size) {
    packing->failed |= msgpack_pack_str(&packing->packer, size) | msgpack_pack_str_body(&packing->packer, data, size);
}

static void pack_text(struct packing *packing, const char *text) {
    pack_bytes(packing, text, strlen(text));
}

static void pack_number(struct packing *packing, const char *name, int64_t number) {
    pack_text(packing, name);
    packing->failed |= msgpack_pack_int64(&packing->packer, number);
}

static void begin(struct packing *packing, uint32_t fields, const char *op) {
    msgpack_sbuffer_init(&packing->buffer);
    msgpack_packer_init(&packing->packer, &packing->buffer, msgpack_sbuffer_write);
    packing->failed = msgpack_pack_map(&packing->packer, fields);
    pack_text(packing, "op");
    pack_text(packing, op);
}

static struct bench_request finish(struct packing *packing) {
    if (packing->failed != 0) {
        msgpack_sbuffer_destroy(&packing->buffer);
        return (struct bench_request){0};
    }
    return (struct bench_request){.data = packing->buffer.data, .size = packing->buffer.size};
}

/* ---- appends ---- */

static void pack_event(struct packing *packing, uint64_t n, const struct request_events *events) {
    struct bench_event event;
    event_make(n, events->body, &event);
    packing->failed |= msgpack_pack_map(&packing->packer, event.has_stream ? 5 : 4);
    pack_text(packing, "type");
    pack_text(packing, EVENT_TYPE_NAMES[events->checked ? (uint32_t)EVENT_TYPE_CHECKED : event.type]);
    pack_number(packing, "time", event.time_us);
    if (event.has_stream) {
        pack_text(packing, "stream");
        pack_text(packing, event.tag);
    }
    pack_text(packing, "tags");
    packing->failed |= msgpack_sbuffer_write(&packing->buffer, (const char *)event.tags, event.tags_size);
    pack_text(packing, "data");
    packing->failed |= msgpack_sbuffer_write(&packing->buffer, (const char *)event.data, event.data_size);
}

struct bench_request request_append(uint64_t first, const struct request_events *events) {
    struct packing packing;
    begin(&packing, events->batch != NULL ? 3 : 2, events->batch != NULL ? "batch.append" : "append");
    if (events->batch != NULL) {
        pack_text(&packing, "id");
        pack_text(&packing, events->batch);
    }
    pack_text(&packing, "events");
    packing.failed |= msgpack_pack_array(&packing.packer, events->count);
    for (uint64_t n = first; n < first + events->count && packing.failed == 0; n++) {
        pack_event(&packing, n, events);
    }
    return finish(&packing);
}

/* ---- reads ---- */

/* A field of the filter that holds the name, as the kind has it. */
static void pack_name(struct packing *packing, const struct page_query *query) {
    static const char *const FIELDS[PAGE_KIND_COUNT] = {"types", "stream", "tags_any", "batch", ""};
    pack_text(packing, FIELDS[query->kind]);
    if (query->kind == PAGE_TYPE_TIME || query->kind == PAGE_TAG) {
        packing->failed |= msgpack_pack_array(&packing->packer, 1);
    }
    pack_text(packing, query->name);
}

struct bench_request request_page(const struct page_query *query) {
    struct packing packing;
    begin(&packing, 3, "events");
    pack_number(&packing, "limit", query->limit);
    pack_text(&packing, "filter");
    packing.failed |= msgpack_pack_map(&packing.packer, query->kind == PAGE_ALL ? 1 : 2);
    if (query->kind != PAGE_ALL) {
        pack_name(&packing, query);
    }
    if (query->kind == PAGE_TYPE_TIME) {
        pack_number(&packing, "from", query->from_us);
    } else {
        pack_number(&packing, "after_id", query->after_id);
    }
    return finish(&packing);
}

struct bench_request request_after(uint64_t id, const polaris_bytes *cursor, uint32_t limit, int64_t wait_us) {
    struct packing packing;
    begin(&packing, 3u + (cursor != NULL) + (wait_us > 0), "events");
    pack_number(&packing, "limit", limit);
    pack_text(&packing, "filter");
    packing.failed |= msgpack_pack_map(&packing.packer, 1);
    pack_number(&packing, "after_id", (int64_t)id);
    if (cursor != NULL) {
        pack_text(&packing, "cursor");
        pack_bytes(&packing, cursor->data, cursor->size);
    }
    if (wait_us > 0) {
        pack_number(&packing, "wait_us", wait_us);
    }
    return finish(&packing);
}

/* ---- replies ---- */

/* The fields behind the events of a page are short: where the value of one begins, searched from the end. */
static const uint8_t *find_last(const struct reply *reply, const char *name, const uint8_t **ret_end) {
    enum { TAIL = 1024 };
    size_t size = strlen(name);
    size_t tail = reply->size < TAIL ? reply->size : TAIL;
    const uint8_t *end = reply->data + reply->size;
    *ret_end = end;
    for (const uint8_t *at = end - size - 1; at >= end - tail; at--) {
        if (at[0] == (0xa0 | size) && memcmp(at + 1, name, size) == 0) {
            return at + 1 + size;
        }
    }
    return NULL;
}

bool reply_number(const struct reply *reply, const char *name, uint64_t *ret_number) {
    const uint8_t *end = NULL;
    const uint8_t *value = reply->size > strlen(name) ? find_last(reply, name, &end) : NULL;
    if (value == NULL || value == end) {
        return false;
    }
    if (value[0] < 0x80) {
        *ret_number = value[0];
        return true;
    }
    size_t size = value[0] >= 0xcc && value[0] <= 0xcf ? (size_t)1 << (value[0] - 0xcc) : 0;
    if (size == 0 || (size_t)(end - value) < 1 + size) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 1; i <= size; i++) {
        number = number << 8 | value[i];
    }
    *ret_number = number;
    return true;
}

bool reply_text(const struct reply *reply, const char *name, polaris_bytes *ret_text) {
    const uint8_t *end = NULL;
    const uint8_t *value = reply->size > strlen(name) ? find_last(reply, name, &end) : NULL;
    if (value == NULL || end - value < 2) {
        return false;
    }
    bool is_short = (value[0] & 0xe0) == 0xa0;
    size_t size = is_short ? value[0] & 0x1f : value[0] == 0xd9 ? value[1] : SIZE_MAX;
    value += is_short ? 1 : 2;
    if (size > (size_t)(end - value)) {
        return false;
    }
    *ret_text = (polaris_bytes){.data = value, .size = size};
    return true;
}
