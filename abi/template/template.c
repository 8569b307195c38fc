/* template.c: the smallest legal event store plugin. It can be loaded, opened, swapped to and shut down, and answers
 * UNSUPPORTED to everything else: a beginning for a build of your own.
 *
 *     cc -std=c17 -fPIC -shared -fvisibility=hidden -Wl,-z,noexecstack $(pkg-config --cflags polaris-event-store) \
 *        -o template.so template.c
 */
#include <polaris/event_store.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifndef TEMPLATE_BUILD_ID
#define TEMPLATE_BUILD_ID "template-1" /* differs between any two builds that differ in code */
#endif

/* The sizes of revision 1.0, which stay legal for good; sizeof is what this build knows. */
#define SIZE_1_0(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/* An open store. It holds nothing, so that one serves every init; a build of your own allocates it, and keeps its store
 * and a copy of the services there. */
struct polaris_es {
    char nothing;
};
static polaris_es instance;

/* A size that no revision has is garbage: nothing is read from, or written to, where it says. */
#define SIZE_MAX_OF_ALL 4096

/* May this input be read? What the host knows and this plugin does not must be zero: nothing is silently ignored. */
static bool input_is_legal(const void *input, size_t size_min, size_t size_known) {
    uint32_t size = input == NULL ? 0 : *(const uint32_t *)input;
    for (size_t i = size_known; i < size && size <= SIZE_MAX_OF_ALL; i++) {
        if (((const unsigned char *)input)[i] != 0) {
            return false;
        }
    }
    return size >= size_min && size <= SIZE_MAX_OF_ALL;
}

static bool sink_is_legal(const polaris_sink *reply) {
    return input_is_legal(reply, SIZE_1_0(polaris_sink, write), sizeof *reply) && reply->reserved == 0 &&
           reply->write != NULL;
}

static bool services_are_legal(const polaris_es_services *services) {
    return input_is_legal(services, SIZE_1_0(polaris_es_services, wake), sizeof *services) && services->reserved == 0;
}

/* What this plugin does not know of an output is zero for the host to read. */
static void zero_tail(void *output, size_t size_known, uint32_t size) {
    memset((char *)output + size_known, 0, size > size_known ? size - size_known : 0);
}

/* The reply must be one msgpack map. Returns what the verb returns. */
static int32_t answer(const polaris_sink *reply, int32_t status, const char *map, size_t size) {
    const polaris_bytes piece = {(const uint8_t *)map, size};
    return reply->write(reply->context, piece) == 0 || status != POLARIS_ES_OK ? status : POLARIS_ES_REPLY_LOST;
}

/* store, query, dlq, schema. {"code": 2, "name": "UNSUPPORTED", "message": …, "retryable": false, "details": {}} */
static int32_t unsupported(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    static const char MAP[] = "\205\244code\002\244name\253UNSUPPORTED\247message\266the template does none"
                              "\251retryable\302\247details\200";
    (void)request;
    bool legal = self != NULL && sink_is_legal(reply);
    return legal ? answer(reply, POLARIS_ES_UNSUPPORTED, MAP, sizeof MAP - 1) : POLARIS_ES_INVALID;
}

/* A build of your own reads `config` here, opens its store, and describes it in the reply. */
static int32_t template_init(const polaris_es_services *services, polaris_bytes config, const polaris_sink *reply,
                             polaris_es **ret_self) {
    (void)config;
    if (ret_self == NULL || !sink_is_legal(reply) || (services != NULL && !services_are_legal(services))) {
        return POLARIS_ES_INVALID;
    }
    int32_t status = answer(reply, POLARIS_ES_OK, "\200", 1);
    if (status == POLARIS_ES_OK) {
        *ret_self = &instance;
    }
    return status;
}

static int32_t template_shutdown(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)request;
    if (self == NULL || (reply != NULL && !sink_is_legal(reply))) {
        return POLARIS_ES_INVALID;
    }
    return reply == NULL ? POLARIS_ES_OK : answer(reply, POLARIS_ES_OK, "\200", 1);
}

static const polaris_es_table TABLE = {
    .size = sizeof(polaris_es_table),
    .abi_major = POLARIS_ES_ABI_MAJOR,
    .abi_minor = POLARIS_ES_ABI_MINOR,
    .name = "template",
    .version = "1.0.0",
    .build_id = TEMPLATE_BUILD_ID,
    .init = template_init,
    .store = unsupported,
    .query = unsupported,
    .dlq = unsupported,
    .schema = unsupported,
    .shutdown = template_shutdown,
};

__attribute__((visibility("default"))) int32_t /* the only symbol that leaves */
polaris_event_store_entry(const polaris_es_hello *in, polaris_es_welcome *out) {
    if (out == NULL || out->size < SIZE_1_0(polaris_es_welcome, reason) || out->size > SIZE_MAX_OF_ALL) {
        return POLARIS_ES_INVALID; /* nowhere to say why */
    }
    zero_tail(out, sizeof *out, out->size);
    if (!input_is_legal(in, SIZE_1_0(polaris_es_hello, host_version), sizeof *in)) {
        (void)snprintf(out->reason, sizeof out->reason, "hello is missing, of a wrong size, or its tail is not zero");
        return POLARIS_ES_INVALID;
    }
    if (in->major_min > POLARIS_ES_ABI_MAJOR || in->major_max < POLARIS_ES_ABI_MAJOR) {
        (void)snprintf(out->reason, sizeof out->reason, "hello.major_min to major_max is %u to %u, the template has %u",
                       in->major_min, in->major_max, POLARIS_ES_ABI_MAJOR);
        return POLARIS_ES_INCOMPATIBLE;
    }
    out->major = POLARIS_ES_ABI_MAJOR;
    out->minor = POLARIS_ES_ABI_MINOR;
    out->table = &TABLE;
    polaris_es_descriptor *descriptor = out->descriptor;
    if (descriptor != NULL && descriptor->size >= SIZE_1_0(polaris_es_descriptor, build_id) &&
        descriptor->size <= SIZE_MAX_OF_ALL) {
        zero_tail(descriptor, sizeof *descriptor, descriptor->size);
        (void)snprintf(descriptor->id, sizeof descriptor->id, "org.polaris.event-store.template");
        (void)snprintf(descriptor->build_id, sizeof descriptor->build_id, "%s", TABLE.build_id);
    }
    return POLARIS_ES_OK;
}
