/* store.c: calls across the real boundary, in JSON. */
#include "store.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "message/message.h"

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

static void received_done(struct received *received) {
    free(received->data);
}

static void packed_done(uint8_t **data) {
    free(*data);
}

static int64_t story_clock(void *context) {
    return ((const struct spec_store *)context)->now_us;
}

static json_t *unpack(const struct received *received) {
    struct failure failure = {0};
    json_t *reply = NULL;
    cr_assert(message_unpack(received->data, received->size, &reply, &failure), "the reply cannot be read: %s",
              failure.message);
    return reply;
}

static polaris_bytes pack(const json_t *value, uint8_t **ret_data) {
    struct failure failure = {0};
    size_t size = 0;
    cr_assert(message_pack(value, ret_data, &size, &failure), "%s", failure.message);
    return (polaris_bytes){.data = *ret_data, .size = size};
}

json_t *spec_json(const char *text, int line) {
    struct failure failure = {0};
    json_t *value = NULL;
    cr_assert(message_parse(text, strlen(text), &value, &failure), "line %d: %s", line, failure.message);
    return value;
}

void spec_store_begin(struct spec_store *store) {
    *store = (struct spec_store){.now_us = STORY_BEGINS_US, .folder = "/tmp/polaris-spec-XXXXXX"};
    cr_assert_not_null(mkdtemp(store->folder));
    cr_assert_eq(chdir(store->folder), 0);
    /* Never closed: leak reports need the names of its functions. */
    void *library = dlopen(PLUGIN_PATH, RTLD_NOW | RTLD_LOCAL);
    cr_assert_not_null(library, "%s", dlerror());
    polaris_es_entry entry = NULL;
    void *symbol = dlsym(library, POLARIS_ES_ENTRY_SYMBOL);
    memcpy(&entry, &symbol, sizeof entry);
    cr_assert_not_null(symbol);
    polaris_es_hello hello = {.size = sizeof hello,
                              .major_min = POLARIS_ES_ABI_MAJOR,
                              .major_max = POLARIS_ES_ABI_MAJOR,
                              .minor = POLARIS_ES_ABI_MINOR};
    polaris_es_welcome welcome = {.size = sizeof welcome};
    cr_assert_eq(entry(&hello, &welcome), POLARIS_ES_OK, "%s", welcome.reason);
    store->table = welcome.table;
}

void spec_store_end(struct spec_store *store) {
    if (store->self != NULL) {
        (void)store->table->shutdown(store->self, (polaris_bytes){0}, NULL);
        store->self = NULL;
    }
    DIR *folder = opendir(".");
    cr_assert_not_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            (void)unlink(entry->d_name);
        }
    }
    closedir(folder);
    cr_assert_eq(chdir("/"), 0);
    cr_expect_eq(rmdir(store->folder), 0, "%s is not empty", store->folder);
}

int32_t spec_store_init(struct spec_store *store, const json_t *config, polaris_es **ret_self, json_t **ret_reply) {
    CLEANUP(received_done) struct received received = {0};
    CLEANUP(packed_done) uint8_t *data = NULL;
    polaris_sink sink = {.size = sizeof sink, .context = &received, .write = receive};
    polaris_es_services services = {.size = sizeof services, .context = store, .now_us = story_clock};
    int32_t status = store->table->init(&services, pack(config, &data), &sink, ret_self);
    *ret_reply = unpack(&received);
    return status;
}

static polaris_es_verb find_verb(const polaris_es_table *table, const char *name) {
    if (strcmp(name, "store") == 0) {
        return table->store;
    }
    if (strcmp(name, "query") == 0) {
        return table->query;
    }
    if (strcmp(name, "dlq") == 0) {
        return table->dlq;
    }
    return strcmp(name, "schema") == 0 ? table->schema : NULL;
}

int32_t spec_store_call(struct spec_store *store, const char *verb_name, const json_t *request, json_t **ret_reply) {
    CLEANUP(received_done) struct received received = {0};
    CLEANUP(packed_done) uint8_t *data = NULL;
    polaris_sink sink = {.size = sizeof sink, .context = &received, .write = receive};
    polaris_es_verb verb = find_verb(store->table, verb_name);
    cr_assert_not_null(verb, "there is no verb '%s'", verb_name);
    int32_t status = verb(store->self, pack(request, &data), &sink);
    *ret_reply = unpack(&received);
    return status;
}

int32_t spec_store_shutdown(struct spec_store *store, polaris_es *self, const json_t *request, json_t **ret_reply) {
    CLEANUP(received_done) struct received received = {0};
    CLEANUP(packed_done) uint8_t *data = NULL;
    polaris_sink sink = {.size = sizeof sink, .context = &received, .write = receive};
    int32_t status = store->table->shutdown(self, pack(request, &data), &sink);
    *ret_reply = unpack(&received);
    return status;
}
