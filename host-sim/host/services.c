/* services.c: adapters between the plain functions of a host and the services and sinks of the boundary. */
#include "host/services.h"

#include <stdlib.h>
#include <string.h>

static void log_line(void *context, int32_t level, polaris_bytes line) {
    const struct host_options *options = context;
    char text[2048];
    size_t size = line.size < sizeof text ? (size_t)line.size : sizeof text - 1;
    for (size_t i = 0; i < size; i++) {
        /* One line stays one line, whatever the plugin was given to log. */
        text[i] = line.data[i] < 0x20 || line.data[i] == 0x7f ? ' ' : (char)line.data[i];
    }
    text[size] = '\0';
    options->log(options->context, level, text);
}

static int64_t now_us(void *context) {
    const struct host_options *options = context;
    return options->now_us(options->context);
}

static void wake(void *context, int64_t last_id) {
    const struct host_options *options = context;
    options->wake(options->context, last_id);
}

polaris_es_services services_of(struct host_options *options) {
    return (polaris_es_services){
        .size = sizeof(polaris_es_services),
        .context = options,
        .log = options->log != NULL ? log_line : NULL,
        .now_us = options->now_us != NULL ? now_us : NULL,
        .wake = options->wake != NULL ? wake : NULL,
    };
}

static int32_t collect(void *context, polaris_bytes piece) {
    struct reply *reply = context;
    if (piece.size > SIZE_MAX / 4 - reply->size) {
        return 1;
    }
    size_t size = reply->size + (size_t)piece.size;
    if (size > reply->capacity) {
        size_t capacity = reply->capacity * 2 > size ? reply->capacity * 2 : size + 256;
        uint8_t *data = realloc(reply->data, capacity);
        if (data == NULL) {
            return 1;
        }
        reply->data = data;
        reply->capacity = capacity;
    }
    if (piece.size > 0) {
        memcpy(reply->data + reply->size, piece.data, (size_t)piece.size);
    }
    reply->size = size;
    return 0;
}

polaris_sink reply_sink(struct reply *reply) {
    return (polaris_sink){.size = sizeof(polaris_sink), .context = reply, .write = collect};
}

void reply_done(struct reply *reply) {
    free(reply->data);
    *reply = (struct reply){0};
}
