/* workload.c: making events and requests. */
#include "bench/workload.h"

#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void workload_event(uint64_t n, struct workload_event *ret_event) {
    uint64_t node = n * UINT64_C(2654435761) % WORKLOAD_NODES; /* neighbours in time are none in the index */
    (void)snprintf(ret_event->tag, sizeof ret_event->tag, "node:%u", (unsigned)node);

    struct fixed tags = {.data = ret_event->tags, .capacity = sizeof ret_event->tags};
    msgpack_packer packer;
    msgpack_packer_init(&packer, &tags, write_fixed);
    (void)msgpack_pack_array(&packer, 1);
    pack_text(&packer, ret_event->tag);
    ret_event->tags_size = tags.size;

    struct fixed data = {.data = ret_event->data, .capacity = sizeof ret_event->data};
    msgpack_packer_init(&packer, &data, write_fixed);
    (void)msgpack_pack_map(&packer, 4);
    pack_text(&packer, "node");
    pack_text(&packer, ret_event->tag + strlen("node:"));
    pack_text(&packer, "change");
    (void)msgpack_pack_uint64(&packer, n);
    pack_text(&packer, "summary");
    pack_text(&packer, "what a package says of itself in the one line that every list of packages shows");
    pack_text(&packer, "properties");
    (void)msgpack_pack_map(&packer, 3);
    pack_text(&packer, "section");
    pack_text(&packer, "libs");
    pack_text(&packer, "installed_kib");
    (void)msgpack_pack_uint64(&packer, 1000 + n % 100000);
    pack_text(&packer, "maintainer");
    pack_text(&packer, "The Maintainers of Packages");
    ret_event->data_size = data.size;
}

struct workload_request workload_request(uint64_t first, uint32_t count) {
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    int failed = msgpack_pack_map(&packer, 2);
    pack_text(&packer, "op");
    pack_text(&packer, "append");
    pack_text(&packer, "events");
    failed |= msgpack_pack_array(&packer, count);
    for (uint64_t n = first; n < first + count && failed == 0; n++) {
        struct workload_event event;
        workload_event(n, &event);
        failed |= msgpack_pack_map(&packer, 3);
        pack_text(&packer, "type");
        pack_text(&packer, WORKLOAD_TYPE);
        pack_text(&packer, "tags");
        failed |= msgpack_sbuffer_write(&buffer, (const char *)event.tags, event.tags_size);
        pack_text(&packer, "data");
        failed |= msgpack_sbuffer_write(&buffer, (const char *)event.data, event.data_size);
    }
    if (failed != 0) {
        msgpack_sbuffer_destroy(&buffer);
        return (struct workload_request){0};
    }
    return (struct workload_request){.data = buffer.data, .size = buffer.size};
}

void workload_request_done(struct workload_request *request) {
    free(request->data);
    *request = (struct workload_request){0};
}
