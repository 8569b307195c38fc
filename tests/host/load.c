/* load.c: appends under way while something else happens. */
#include "load.h"

#include <message/message.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int32_t load_call(struct host *host, enum host_verb verb, const char *request, json_t **ret_reply) {
    char text[512];
    size_t size = strnlen(request, sizeof text - 1);
    for (size_t i = 0; i < size; i++) {
        text[i] = request[i] == '\'' ? '"' : request[i];
    }
    json_t *value = NULL;
    struct failure failure;
    if (!message_parse(text, size, &value, &failure)) {
        (void)fprintf(stderr, "%s: %s\n", request, failure.message);
        abort();
    }
    return message_call(host, verb, value, ret_reply);
}

struct host *load_open(const char *plugin, const char *path, struct failure *failure) {
    struct host *host = NULL;
    json_auto_t *config = json_pack("{s:s, s:s}", "path", path, "durability", "normal");
    const struct host_options options = {.plugin_path = plugin, .loader.keep_mapped = true};
    return message_open(config, &options, &host, NULL, failure) ? host : NULL;
}

/* One append to the thread's stream. It must be acknowledged as the next version. */
static bool append_once(struct load_thread *self) {
    char request[256];
    json_t *reply = NULL;
    (void)snprintf(request, sizeof request,
                   "{'op': 'append', 'event': {'type': 'node_created', 'data': {'n': %lld}, 'stream': 'load-%d'}}",
                   (long long)self->acknowledged, self->number);
    int32_t status = load_call(self->load->host, HOST_STORE, request, &reply);
    int64_t version = json_integer_value(json_array_get(json_object_get(reply, "versions"), 0));
    int64_t id = json_integer_value(json_array_get(json_object_get(reply, "ids"), 0));
    bool good = status == POLARIS_ES_OK && version == self->acknowledged + 1;
    if (good) {
        self->ids[self->acknowledged++] = id;
        atomic_fetch_add(&self->load->total, 1);
    } else {
        char *text = reply != NULL ? json_dumps(reply, 0) : NULL;
        (void)snprintf(self->failure, sizeof self->failure, "thread %d, append %lld: status %d, version %lld: %s",
                       self->number, (long long)self->acknowledged, status, (long long)version,
                       text != NULL ? text : "no reply");
        free(text);
    }
    json_decref(reply);
    return good;
}

static void *append_until_stopped(void *argument) {
    struct load_thread *self = argument;
    while (!atomic_load(&self->load->stop) && self->acknowledged < LOAD_APPENDS_MAX && append_once(self)) {
    }
    atomic_fetch_sub(&self->load->running, 1);
    return NULL;
}

void load_start(struct load *load, struct host *host) {
    memset(load, 0, sizeof *load);
    load->host = host;
    atomic_store(&load->running, LOAD_THREADS);
    for (int i = 0; i < LOAD_THREADS; i++) {
        struct load_thread *self = &load->threads[i];
        self->load = load;
        self->number = i;
        self->ids = calloc(LOAD_APPENDS_MAX, sizeof *self->ids);
        if (self->ids == NULL || pthread_create(&self->thread, NULL, append_until_stopped, self) != 0) {
            abort();
        }
    }
}

void load_await(struct load *load, int64_t more) {
    int64_t wanted = atomic_load(&load->total) + more;
    while (atomic_load(&load->total) < wanted && atomic_load(&load->running) == LOAD_THREADS) {
        (void)sched_yield();
    }
}

static int compare_ids(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool ids_are_unique(struct load *load, int64_t total) {
    int64_t *all = calloc((size_t)total + 1, sizeof *all);
    int64_t count = 0;
    for (int i = 0; i < LOAD_THREADS; i++) {
        memcpy(all + count, load->threads[i].ids, (size_t)load->threads[i].acknowledged * sizeof *all);
        count += load->threads[i].acknowledged;
    }
    qsort(all, (size_t)count, sizeof *all, compare_ids);
    bool unique = true;
    for (int64_t i = 1; i < count; i++) {
        unique = unique && all[i] > all[i - 1];
    }
    free(all);
    return unique;
}

const char *load_stop(struct load *load) {
    atomic_store(&load->stop, true);
    int64_t total = 0;
    char *failure = load->threads[0].failure;
    for (int i = 0; i < LOAD_THREADS; i++) {
        (void)pthread_join(load->threads[i].thread, NULL);
        total += load->threads[i].acknowledged;
    }
    for (int i = 0; i < LOAD_THREADS; i++) {
        if (load->threads[i].failure[0] != '\0') {
            return load->threads[i].failure;
        }
    }
    json_t *reply = NULL;
    int32_t status =
        load_call(load->host, HOST_QUERY, "{'op': 'count', 'filter': {'types': ['node_created']}}", &reply);
    int64_t stored = json_integer_value(json_object_get(reply, "count"));
    json_decref(reply);
    if (status != POLARIS_ES_OK || stored != total) {
        (void)snprintf(failure, sizeof load->threads[0].failure, "%lld events are stored, %lld were acknowledged",
                       (long long)stored, (long long)total);
        return failure;
    }
    return ids_are_unique(load, total) ? NULL : "an id was given twice";
}

void load_done(struct load *load) {
    for (int i = 0; i < LOAD_THREADS; i++) {
        free(load->threads[i].ids);
    }
}
