/* event.c: what happened to nodes. */
#include "bench/event.h"

#include <msgpack.h>
#include <stdio.h>
#include <string.h>

const char *const EVENT_TYPE_NAMES[EVENT_TYPES + 1] = {"node_updated", "node_created", "node_deleted", "node_checked"};

/* Strings that make a body large. */
enum { NOTES = 47 };
#define NOTE "what somebody noted about this package when it was changed, in some eighty letters"

static void pack_text(msgpack_packer *packer, const char *text) {
    (void)msgpack_pack_str(packer, strlen(text));
    (void)msgpack_pack_str_body(packer, text, strlen(text));
}

/* Writes into memory of a fixed size; the events are made to fit. */
struct fixed {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

static int write_fixed(void *context, const char *data, size_t size) {
    struct fixed *fixed = context;
    if (size > fixed->capacity - fixed->size) {
        return -1;
    }
    memcpy(fixed->data + fixed->size, data, size);
    fixed->size += size;
    return 0;
}

static void pack_data(msgpack_packer *packer, uint64_t n, uint32_t body, const char *node) {
    bool large = body == EVENT_BODY_LARGE;
    (void)msgpack_pack_map(packer, large ? 5 : 4);
    pack_text(packer, "node");
    pack_text(packer, node);
    pack_text(packer, "change");
    (void)msgpack_pack_uint64(packer, n);
    pack_text(packer, "summary");
    pack_text(packer, "what a package says of itself in the one line that every list of packages shows");
    pack_text(packer, "properties");
    (void)msgpack_pack_map(packer, 3);
    pack_text(packer, "section");
    pack_text(packer, "libs");
    pack_text(packer, "installed_kib");
    (void)msgpack_pack_uint64(packer, 1000 + n % 100000);
    pack_text(packer, "maintainer");
    pack_text(packer, "The Maintainers of Packages");
    if (large) {
        pack_text(packer, "notes");
        (void)msgpack_pack_array(packer, NOTES);
        for (int i = 0; i < NOTES; i++) {
            pack_text(packer, NOTE);
        }
    }
}

int64_t event_time_us(uint64_t n) {
    return INT64_C(1700000000000000) + (int64_t)n * 1000;
}

void event_make(uint64_t n, uint32_t body, struct bench_event *ret_event) {
    bool is_hub = n % 10 == 9;
    uint64_t node = n * UINT64_C(2654435761) % EVENT_NODES; /* neighbours in time are none in the index */
    ret_event->type = n % 16 == 1 ? 1 : n % 16 == 8 ? 2 : 0;
    ret_event->time_us = event_time_us(n);
    ret_event->has_stream = is_hub;
    (void)snprintf(ret_event->tag, sizeof ret_event->tag, is_hub ? "hub:%u" : "node:%u",
                   (unsigned)(is_hub ? n / 10 % EVENT_HUBS : node));

    struct fixed tags = {.data = ret_event->tags, .capacity = sizeof ret_event->tags};
    msgpack_packer packer;
    msgpack_packer_init(&packer, &tags, write_fixed);
    (void)msgpack_pack_array(&packer, 1);
    pack_text(&packer, ret_event->tag);
    ret_event->tags_size = tags.size;

    struct fixed data = {.data = ret_event->data, .capacity = sizeof ret_event->data};
    msgpack_packer_init(&packer, &data, write_fixed);
    pack_data(&packer, n, body, strchr(ret_event->tag, ':') + 1);
    ret_event->data_size = data.size;
}
