/* call.c: calls in JSON, and complaints. */
#include "torture/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/error_map.h"

static atomic_int failures;
static atomic_bool silent;
static struct complaints *kept; /* NULL: they are printed */

void complain(const char *format, ...) {
    va_list args;
    int before = atomic_fetch_add(&failures, 1);
    va_start(args, format);
    if (kept != NULL) {
        int index = atomic_fetch_add(&kept->count, 1);
        if (index < COMPLAINTS_MAX) {
            (void)vsnprintf(kept->texts[index], COMPLAINT_SIZE, format, args);
        }
    } else if (before < COMPLAINTS_MAX && !atomic_load(&silent)) {
        flockfile(stderr);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
        funlockfile(stderr);
    }
    va_end(args);
}

bool complained(void) {
    return atomic_load(&failures) > 0;
}

void complaints_silence(bool yes) {
    atomic_store(&silent, yes);
}

int complaints_forget(void) {
    return atomic_exchange(&failures, 0);
}

void complaints_keep(struct complaints *complaints) {
    kept = complaints;
}

/* ---- calls in JSON ---- */

struct received {
    uint8_t *data;
    size_t size;
};

static int32_t receive(void *context, polaris_bytes piece) {
    struct received *received = context;
    uint8_t *grown = realloc(received->data, received->size + piece.size + 1);
    if (grown == NULL) {
        return 1;
    }
    memcpy(grown + received->size, piece.data, piece.size);
    received->data = grown;
    received->size += piece.size;
    return 0;
}

static json_t *read_reply(struct received *received) {
    struct failure failure = {0};
    json_t *reply = NULL;
    EXPECT(message_unpack(received->data, received->size, &reply, &failure), "a reply that cannot be read: %s",
           failure.message);
    free(received->data);
    return reply;
}

uint8_t *pack_text(const char *text, size_t *ret_size) {
    struct failure failure = {0};
    json_t *value = NULL;
    uint8_t *data = NULL;
    if (!message_parse(text, strlen(text), &value, &failure) || !message_pack(value, &data, ret_size, &failure)) {
        complain("%s: %s", text, failure.message);
    }
    json_decref(value);
    return data;
}

/* The answer first: requests are long, and can be made again. */
static void complain_of_answer(const char *how, int32_t status, const json_t *reply, const char *text) {
    char *map = reply != NULL ? message_print(reply) : NULL;
    complain("answered %s (%d)%s, map %.200s, to %.200s", status_text(status), (int)status, how,
             map != NULL ? map : "none", text);
    free(map);
}

/* The map of a failure has its status as the code; that of a success has none. */
static bool agrees(int32_t status, const json_t *reply) {
    return status == POLARIS_ES_REPLY_LOST || number(reply, "code") == status;
}

json_t *call_text(polaris_es *self, polaris_es_verb verb, unsigned allowed, const char *text) {
    struct received received = {0};
    polaris_sink sink = {.size = sizeof sink, .context = &received, .write = receive};
    size_t size = 0;
    uint8_t *request = pack_text(text, &size);
    int32_t status = verb(self, (polaris_bytes){.data = request, .size = size}, &sink);
    free(request);
    json_t *reply = read_reply(&received);
    if (status < 0 || status > 31 || (allowed & (1u << status)) == 0) {
        complain_of_answer("", status, reply, text);
    } else if (!agrees(status, reply)) {
        complain_of_answer(" in the status and not in the map", status, reply, text);
    }
    return reply;
}

json_t *call(polaris_es *self, polaris_es_verb verb, unsigned allowed, const char *format, ...) {
    char text[2048];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    EXPECT(length > 0 && (size_t)length < sizeof text, "a request is too long");
    return call_text(self, verb, allowed, text);
}

int64_t number(const json_t *reply, const char *name) {
    return json_integer_value(json_object_get(reply, name));
}

int32_t call_init(const polaris_es_table *table, const polaris_es_services *services, const char *config,
                  polaris_es **ret_self, json_t **ret_reply) {
    struct received received = {0};
    polaris_sink sink = {.size = sizeof sink, .context = &received, .write = receive};
    size_t size = 0;
    uint8_t *request = pack_text(config, &size);
    int32_t status = table->init(services, (polaris_bytes){.data = request, .size = size}, &sink, ret_self);
    free(request);
    json_t *reply = read_reply(&received);
    if (ret_reply != NULL) {
        *ret_reply = reply;
    } else {
        json_decref(reply);
    }
    return status;
}

void start(pthread_t *thread, void *(*run)(void *), void *context) {
    if (pthread_create(thread, NULL, run, context) != 0) {
        fprintf(stderr, "no thread could be started\n");
        exit(1);
    }
}
