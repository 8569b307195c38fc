/* store.c: filling, copying and opening stores. */
#include "bench/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/clock.h"
#include "bench/request.h"
#include "files.h"
#include "message/message.h"

enum { SEED_REQUEST = 1000, BATCH_EVERY = PAGE_STORE_SIZE_MIN / SEED_REQUEST };

/* The counting VFS knows whose file it is by these names. */
const char *const BENCH_FILES[BENCH_FILE_COUNT] = {"seed.db", "plugin.db", "baseline.db"};

void bench_path(const struct bench_setup *setup, enum bench_file file, char ret_path[1100]) {
    (void)snprintf(ret_path, 1100, "%s/%s", setup->folder, BENCH_FILES[file]);
}

/* ---- the plugin ---- */

json_t *bench_config(const struct bench_setup *setup, enum bench_file file, const char *durability) {
    char path[1100];
    bench_path(setup, file, path);
    json_auto_t *config =
        json_pack("{s: s, s: s, s: s}", "path", path, "owner", "the benchmark", "durability", durability);
    bool made = config != NULL && (setup->config == NULL || json_object_update(config, setup->config) == 0);
    return made ? json_incref(config) : NULL;
}

static bool open_host(const struct bench_setup *setup, enum bench_file file, const char *durability,
                      struct host **ret_host, struct failure *failure) {
    json_auto_t *config = bench_config(setup, file, durability);
    if (config == NULL) {
        return failure_set(failure, "the configuration cannot be made");
    }
    return message_open(config, &setup->host, ret_host, NULL, failure);
}

bool bench_call(struct host *host, enum host_verb verb, json_t *request, json_t **ret_reply, struct failure *failure) {
    json_auto_t *reply = NULL;
    int32_t status = message_call(host, verb, request, &reply);
    if (status != POLARIS_ES_OK) {
        const char *message = json_string_value(json_object_get(reply, "message"));
        return failure_set(failure, "%s", message != NULL ? message : "the plugin gave no message");
    }
    if (ret_reply != NULL) {
        *ret_reply = json_incref(reply);
    }
    return true;
}

/* ---- filling ---- */

static bool send_events(struct host *host, uint64_t first, const struct request_events *events,
                        struct failure *failure) {
    CLEANUP(request_done) struct bench_request request = request_append(first, events);
    CLEANUP(reply_done) struct reply reply = {0};
    if (request.data == NULL) {
        return failure_set(failure, "no memory for a request");
    }
    int32_t status = host_call(host, HOST_STORE, request.data, request.size, &reply);
    return status == POLARIS_ES_OK || failure_set(failure, "the store cannot be filled: status %d", (int)status);
}

static bool fill(struct host *host, uint64_t size, uint32_t body, struct failure *failure) {
    for (uint64_t first = 1; first <= size; first += SEED_REQUEST) {
        uint64_t nth = (first - 1) / SEED_REQUEST;
        char batch[32];
        (void)snprintf(batch, sizeof batch, "batch:%" PRIu64, nth / BATCH_EVERY);
        bool batched = nth % BATCH_EVERY == BATCH_EVERY - 1;
        struct request_events events = {.body = body, .count = SEED_REQUEST, .batch = batched ? batch : NULL};
        if (batched && !bench_call(host, HOST_STORE, json_pack("{s: s, s: s}", "op", "batch.create", "id", batch), NULL,
                                   failure)) {
            return false;
        }
        if (!send_events(host, first, &events, failure)) {
            return false;
        }
        if (batched && !bench_call(host, HOST_STORE, json_pack("{s: s, s: s}", "op", "batch.complete", "id", batch),
                                   NULL, failure)) {
            return false;
        }
    }
    return true;
}

static void remove_files(const struct bench_setup *setup, enum bench_file file) {
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".owner"};
    char path[1100];
    bench_path(setup, file, path);
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        char each[1120];
        (void)snprintf(each, sizeof each, "%s%s", path, SUFFIXES[i]);
        (void)unlink(each);
    }
}

static double data_bytes(uint32_t body) {
    enum { SAMPLE = 1000 };
    uint64_t sum = 0;
    for (uint64_t n = 1; n <= SAMPLE; n++) {
        struct bench_event event;
        event_make(n, body, &event);
        sum += event.data_size;
    }
    return (double)sum / SAMPLE;
}

bool bench_seed_make(const struct bench_setup *setup, uint64_t size, uint32_t body, struct bench_seed *ret_seed,
                     struct failure *failure) {
    struct host *host = NULL;
    struct stat file;
    char path[1100];
    bench_path(setup, FILE_SEED, path);
    remove_files(setup, FILE_SEED);
    if (!open_host(setup, FILE_SEED, "normal", &host, failure)) {
        return false;
    }
    int64_t began_ns = monotonic_ns();
    bool filled = fill(host, size, body, failure);
    host_close(host); /* the log is in the file then */
    if (!filled) {
        return false;
    }
    if (stat(path, &file) != 0) {
        return failure_set(failure, "the store that was filled is not there: %s", strerror(errno));
    }
    *ret_seed = (struct bench_seed){.size = size,
                                    .body = body,
                                    .bytes = file.st_size,
                                    .data_bytes = data_bytes(body),
                                    .build_ns = monotonic_ns() - began_ns};
    return true;
}

/* ---- copying ---- */

bool bench_store_copy(const struct bench_setup *setup, struct failure *failure) {
    char from[1100];
    bench_path(setup, FILE_SEED, from);
    for (int i = FILE_PLUGIN; i <= FILE_BASELINE; i++) {
        char to[1100];
        remove_files(setup, (enum bench_file)i);
        bench_path(setup, (enum bench_file)i, to);
        if (!file_copy(from, to, true, failure)) {
            return false;
        }
    }
    return true;
}

/* ---- opening ---- */

bool bench_host_open(const struct bench_setup *setup, struct host **ret_host, struct failure *failure) {
    return open_host(setup, FILE_PLUGIN, "full", ret_host, failure);
}

void bench_store_close_plugin(struct bench_store *store) {
    host_close(store->host);
    store->host = NULL;
}

void bench_store_close_baseline(struct bench_store *store) {
    baseline_reader_freep(&store->reader);
    baseline_freep(&store->baseline);
}

void bench_store_close(struct bench_store *store) {
    bench_store_close_plugin(store);
    bench_store_close_baseline(store);
}

/* Larger stores keep what earlier workloads added. */
static bool read_heads(struct bench_store *store, struct failure *failure) {
    json_auto_t *head = NULL;
    if (!bench_call(store->host, HOST_QUERY, json_pack("{s: s}", "op", "head"), &head, failure)) {
        return false;
    }
    store->next_plugin = (uint64_t)json_integer_value(json_object_get(head, "last_id")) + 1;
    store->next_baseline = (uint64_t)baseline_last_id(store->baseline) + 1;
    return true;
}

bool bench_store_reopen(struct bench_store *store, struct failure *failure) {
    char path[1100];
    bench_path(store->setup, FILE_BASELINE, path);
    return (store->host != NULL || bench_host_open(store->setup, &store->host, failure)) &&
           (store->baseline != NULL || baseline_open(path, &store->baseline, failure)) &&
           (store->reader != NULL || baseline_reader_open(path, &store->reader, failure)) && read_heads(store, failure);
}

bool bench_store_open(const struct bench_setup *setup, const struct bench_seed *seed, struct bench_store *ret_store,
                      struct failure *failure) {
    struct bench_store store = {
        .setup = setup,
        .size = seed->size,
        .body = seed->body,
        .next_letter = 1,
        .next_bare_letter = 1,
    };
    if (!bench_store_reopen(&store, failure)) {
        bench_store_close(&store);
        return false;
    }
    *ret_store = store;
    return true;
}
