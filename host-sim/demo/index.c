/* index.c: the search index that fails. */
#include "demo/index.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash_table.h"

struct index_entry {
    char *name;
    UT_hash_handle hh;
};

void search_index_init(struct search_index *index, const struct packages *packages) {
    size_t longest = 0;
    for (size_t i = 0; i < packages->count; i++) {
        size_t size = strlen(packages->items[i].name);
        longest = size > longest ? size : longest;
    }
    *index = (struct search_index){
        .shard_down = packages->count > 0 ? search_index_shard(packages->items[0].name) : SHARD_COUNT,
        .name_size_max = longest > 0 ? longest - 1 : 0,
    };
}

static void entry_free(struct index_entry *entry) {
    free(entry->name);
    free(entry);
}

void search_index_done(struct search_index *index) {
    struct index_entry *each, *next;
    HASH_ITER(hh, index->entries, each, next) {
        HASH_DEL(index->entries, each);
        entry_free(each);
    }
}

/* FNV-1a. */
unsigned search_index_shard(const char *name) {
    uint32_t hash = 2166136261u;
    for (const char *c = name; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    }
    return hash % SHARD_COUNT;
}

bool search_index_fails(const struct search_index *index, const char *name) {
    return strlen(name) > index->name_size_max || search_index_shard(name) == index->shard_down;
}

bool search_index_has(const struct search_index *index, const char *name) {
    const struct index_entry *found = NULL;
    HASH_FIND(hh, index->entries, name, strlen(name), found);
    return found != NULL;
}

static bool add(struct search_index *index, const char *name) {
    struct index_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        return false;
    }
    entry->name = strdup(name);
    if (entry->name != NULL) {
        HASH_ADD_KEYPTR(hh, index->entries, entry->name, strlen(entry->name), entry);
    }
    if (entry->hh.tbl == NULL) {
        entry_free(entry);
        return false;
    }
    index->count++;
    return true;
}

static bool fail(struct delivery_error *error, const char *class_name, const char *message) {
    (void)snprintf(error->class_name, sizeof error->class_name, "%s", class_name);
    (void)snprintf(error->message, sizeof error->message, "%s", message);
    return false;
}

bool search_index_deliver(void *context, const json_t *event, struct delivery_error *ret_error) {
    struct search_index *index = context;
    const char *type = json_string_value(json_object_get(event, "type"));
    const json_t *data = json_object_get(event, "data");
    const char *name = json_string_value(json_object_get(data, "node"));
    if (type == NULL || name == NULL || strcmp(type, "node_created") != 0 ||
        !json_is_true(json_object_get(json_object_get(data, "properties"), "installed"))) {
        return true;
    }
    char message[128];
    if (strlen(name) > index->name_size_max) {
        (void)snprintf(message, sizeof message, "a name of %zu characters, the column takes %zu", strlen(name),
                       index->name_size_max);
        return fail(ret_error, "NameTooLong", message);
    }
    if (search_index_shard(name) == index->shard_down) {
        (void)snprintf(message, sizeof message, "shard %u of the index does not answer", index->shard_down);
        return fail(ret_error, "ShardDown", message);
    }
    if (search_index_has(index, name)) {
        index->twice++;
        return true;
    }
    return add(index, name) || fail(ret_error, "NoMemory", "no memory for a name of the index");
}
