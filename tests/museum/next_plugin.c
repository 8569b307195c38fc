/* next_plugin.c: a plugin that was built for the minor after this one, and uses what it added wherever the host has it.
 */
#include <polaris/event_store.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_UP_TO(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

struct polaris_es {
    polaris_es_services services;
};

static bool tail_is_zero(const void *input, size_t size, size_t size_known) {
    for (size_t i = size_known; i < size; i++) {
        if (((const uint8_t *)input)[i] != 0) {
            return false;
        }
    }
    return true;
}

static int32_t answer(const polaris_sink *reply, const char *map, size_t size) {
    const polaris_bytes piece = {.data = (const uint8_t *)map, .size = size};
    return reply->write(reply->context, piece) == 0 ? POLARIS_ES_OK : POLARIS_ES_REPLY_LOST;
}

static int32_t init(const polaris_es_services *services, polaris_bytes config, const polaris_sink *reply,
                    polaris_es **ret_self) {
    (void)config;
    if (services->size < SIZE_UP_TO(polaris_es_services, wake) ||
        !tail_is_zero(services, services->size, sizeof *services)) {
        return POLARIS_ES_INVALID;
    }
    polaris_es *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return POLARIS_ES_NO_MEMORY;
    }
    memcpy(&self->services, services, services->size < sizeof *services ? services->size : sizeof *services);
    *ret_self = self;
    return answer(reply, "\200", 1);
}

static int32_t verb(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)request;
    if (self->services.next_count != NULL) {
        self->services.next_count(self->services.context, 1);
    }
    return answer(reply, "\200", 1);
}

static int32_t next_verb(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)self;
    (void)request;
    return answer(reply, "\201\244next\303", 7); /* {"next": true} */
}

static int32_t shutdown_verb(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)request;
    free(self);
    return reply == NULL ? POLARIS_ES_OK : answer(reply, "\200", 1);
}

static const polaris_es_table TABLE = {
    .size = sizeof(polaris_es_table),
    .abi_major = POLARIS_ES_ABI_MAJOR,
    .abi_minor = POLARIS_ES_ABI_MINOR,
    .name = "next",
    .version = "1.2.0",
    .build_id = "next-1",
    .init = init,
    .store = verb,
    .query = verb,
    .dlq = verb,
    .schema = verb,
    .shutdown = shutdown_verb,
    .next_verb = next_verb,
};

__attribute__((visibility("default"))) int32_t polaris_event_store_entry(const polaris_es_hello *in,
                                                                         polaris_es_welcome *out) {
    if (out->size < SIZE_UP_TO(polaris_es_welcome, reason) || in->size < SIZE_UP_TO(polaris_es_hello, host_version) ||
        !tail_is_zero(in, in->size, sizeof *in)) {
        return POLARIS_ES_INVALID;
    }
    if (in->major_min > 1 || in->major_max < 1) {
        return POLARIS_ES_INCOMPATIBLE;
    }
    out->major = 1;
    out->minor = POLARIS_ES_ABI_MINOR;
    out->table = &TABLE;
    if (out->size >= SIZE_UP_TO(polaris_es_welcome, next_grants)) {
        bool wishes = in->size >= SIZE_UP_TO(polaris_es_hello, next_wishes) && in->next_wishes != 0;
        out->next_grants = wishes ? 1 : 2;
    }
    if (out->descriptor != NULL && out->descriptor->size >= SIZE_UP_TO(polaris_es_descriptor, next_note)) {
        (void)snprintf(out->descriptor->next_note, sizeof out->descriptor->next_note, "noted");
    }
    return POLARIS_ES_OK;
}
