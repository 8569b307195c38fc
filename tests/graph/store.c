/* store.c: a store for one test. */
#include "store.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message/message.h"

static int64_t read_clock(void *context) {
    struct store *store = context;
    return atomic_load(&store->now_us);
}

json_t *json_of(const char *text) {
    char *quoted = strdup(text);
    cr_assert_not_null(quoted);
    for (char *c = quoted; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    json_t *value = NULL;
    struct failure failure;
    cr_assert(message_parse(quoted, strlen(quoted), &value, &failure), "%s: %s", quoted, failure.message);
    free(quoted);
    return value;
}

void store_open(struct store *store, const char *config) {
    *store = (struct store){.folder = "/tmp/polaris-graph-XXXXXX", .now_us = INT64_C(1767225600000000)};
    cr_assert_not_null(mkdtemp(store->folder));
    (void)snprintf(store->path, sizeof store->path, "%s/events.db", store->folder);
    json_t *full = json_pack("{s: s, s: s}", "path", store->path, "owner", "test");
    json_t *more = config != NULL ? json_of(config) : json_object();
    cr_assert_eq(json_object_update(full, more), 0);
    uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;
    cr_assert(message_pack(full, &data, &size, &failure), "%s", failure.message);
    struct host_options options = {.plugin_path = TEST_PLUGIN,
                                   .loader = {.allow_unsafe = true, .keep_mapped = true},
                                   .config = data,
                                   .config_size = size,
                                   .now_us = read_clock,
                                   .context = store};
    cr_assert(host_open(&options, &store->host, NULL, &failure), "%s", failure.message);
    free(data);
    json_decref(more);
    json_decref(full);
}

void store_close(struct store *store) {
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".owner"};
    host_close(store->host);
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", store->path, SUFFIXES[i]);
        (void)unlink(path);
    }
    cr_expect_eq(rmdir(store->folder), 0, "something is left in '%s'", store->folder);
}

json_t *store_call(struct store *store, enum host_verb verb, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    cr_assert_geq(vasprintf(&text, format, args), 0);
    va_end(args);
    json_t *reply = NULL;
    int32_t status = message_call(store->host, verb, json_of(text), &reply);
    cr_assert_eq(status, POLARIS_ES_OK, "%s: %s", text, json_string_value(json_object_get(reply, "message")));
    free(text);
    return reply;
}

json_t *node_created(const char *name) {
    return json_pack("{s: s, s: {s: s}}", "type", "node_created", "data", "node", name);
}

int64_t store_event_count(struct store *store) {
    json_t *reply = store_call(store, HOST_QUERY, "{'op': 'count', 'filter': {}}");
    int64_t count = json_integer_value(json_object_get(reply, "count"));
    json_decref(reply);
    return count;
}

int64_t store_letters(struct store *store, const char *consumer, const char *member) {
    json_t *reply = store_call(store, HOST_DLQ, "{'op': 'count', 'consumer': '%s'}", consumer);
    const json_t *entry = json_array_get(json_object_get(reply, "consumers"), 0);
    int64_t count = json_integer_value(json_object_get(entry, member));
    json_decref(reply);
    return count;
}

struct publisher *store_publisher(struct store *store, size_t batch_size) {
    struct publisher_options options = {
        .host = store->host, .batch_size = batch_size, .now_us = read_clock, .context = store};
    struct publisher *publisher = publisher_new(&options);
    cr_assert_not_null(publisher);
    return publisher;
}

void must_publish(struct publisher *publisher, json_t *event) {
    struct failure failure;
    bool taken = false;
    cr_assert(publisher_publish(publisher, event, &taken, &failure), "%s", failure.message);
    cr_assert(taken);
}

void must_flush(struct publisher *publisher) {
    struct failure failure;
    cr_assert(publisher_flush(publisher, &failure), "%s", failure.message);
}
