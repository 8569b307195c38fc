/* support.c: stores for tests. */
#include "support.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((format(printf, 3, 4))) static void drop_log(void *context, int32_t level, const char *format, ...) {
    (void)context;
    (void)level;
    (void)format;
}

static int64_t test_now(void *context) {
    struct store *store = context;
    return store->now_us;
}

static void note_wake(void *context, int64_t last_id) {
    struct store *store = context;
    store->woken_id = last_id;
    store->wakes++;
}

static struct storage_host host_of(struct store *store) {
    return (struct storage_host){.context = store, .log = drop_log, .now_us = test_now, .wake = note_wake};
}

void store_reopen(struct store *store) {
    if (store->storage != NULL) {
        store_close(store);
    }
    struct storage_host host = host_of(store);
    enum status status = sqlite_storage_open(&store->config, &host, &store->storage, &store->error);
    cr_assert_eq(status, OK, "%s", store->error.message);
}

void store_open(struct store *store, void (*adjust)(struct config *config)) {
    *store = (struct store){.now_us = START_US};
    /* In memory where there is such a folder: loops over thousands of faults need no disk. */
    snprintf(store->folder, sizeof store->folder, "/dev/shm/polaris-test-XXXXXX");
    if (mkdtemp(store->folder) == NULL) {
        snprintf(store->folder, sizeof store->folder, "/tmp/polaris-test-XXXXXX");
        cr_assert_not_null(mkdtemp(store->folder));
    }
    snprintf(store->path, sizeof store->path, "%s/events.db", store->folder);
    config_init(&store->config);
    snprintf(store->config.path, sizeof store->config.path, "%s", store->path);
    snprintf(store->config.owner, sizeof store->config.owner, "the first owner");
    store->config.durability = DURABILITY_NORMAL; /* tests of what survives a power loss are elsewhere */
    if (adjust != NULL) {
        adjust(&store->config);
    }
    store_reopen(store);
}

void storage_close(struct storage *storage) {
    int64_t drained = 0;
    storage->ops->close(storage, &(struct storage_close){0}, &drained);
}

void store_close(struct store *store) {
    storage_close(store->storage);
    store->storage = NULL;
}

void store_done(struct store *store) {
    if (store->storage != NULL) {
        store_close(store);
    }
    DIR *folder = opendir(store->folder);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    (void)closedir(folder);
    cr_expect_eq(rmdir(store->folder), 0);
    config_done(&store->config);
}

enum status store_open_again(struct store *store, bool read_only, struct storage **ret_storage, struct error *error) {
    struct config config = store->config;
    struct storage_host host = host_of(store);
    config.read_only = read_only;
    return sqlite_storage_open(&config, &host, ret_storage, error);
}

struct bytes text(const char *text) {
    return bytes_from_string(text);
}

struct event event_of(const char *type) {
    return (struct event){.type = text(type), .data = {(const uint8_t *)"\x80", 1}};
}

struct event tagged(struct event event, const char *tag) {
    event.tag[event.tag_count++] = text(tag);
    event.tags = BYTES_LITERAL("\x90"); /* storage never looks into it */
    return event;
}

enum status try_append(struct store *store, struct event event, struct append_result *ret_result) {
    struct append_request request = {.events = &event, .count = 1};
    struct append_summary summary;
    return store->storage->ops->append(store->storage, &request, ret_result, &summary, &store->error);
}

int64_t append(struct store *store, struct event event) {
    struct append_result result = {0};
    enum status status = try_append(store, event, &result);
    cr_assert_eq(status, OK, "%s", store->error.message);
    return result.id;
}

static bool note_id(void *context, const struct stored_event *event) {
    struct ids *ids = context;
    cr_assert_lt(ids->count, sizeof ids->id / sizeof ids->id[0]);
    ids->id[ids->count++] = event->id;
    return true;
}

struct ids read_ids(struct store *store, struct event_query query) {
    static const struct event_filter EVERYTHING = {0};
    struct ids ids = {0};
    query.filter = query.filter != NULL ? query.filter : &EVERYTHING;
    query.limit = query.limit != 0 ? query.limit : 1000;
    enum status status = store->storage->ops->read_events(store->storage, &query, note_id, &ids, NULL, &store->error);
    cr_assert_eq(status, OK, "%s", store->error.message);
    return ids;
}

struct ids all_ids(struct store *store) {
    return read_ids(store, (struct event_query){0});
}
