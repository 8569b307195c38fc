/* fuzz_file.c: files that somebody prepared, given to init: whatever they hold, every call ends with a reply, or a
 * clear error that is no defect of the plugin's, and what does not belong to a store is never run.
 *
 * The input is which store to begin with, how it is opened, and edits of its files: of rows, of bytes, or both. */
#include <unistd.h>

#include "boundary.h"
#include "file_edits.h"
#include "require.h"
#include "seed.h"

#ifndef MUSEUM
#error "MUSEUM is the folder of what older builds wrote"
#endif

enum { EVENTS = 6, PAGES_MAX = 8, ASKED_MAX = 4 };

/* Anything but a defect, or that somebody else is to blame. NO_MEMORY: SQLite's word for a row of 4 GiB. */
#define MAY_FILE (~(MAY(INTERNAL) | MAY(INVALID) | MAY(BUSY) | MAY(UNSUPPORTED) | MAY(REPLY_LOST) | MAY(CANCELLED)))
#define MAY_ASKED (MAY_FILE | MAY(INVALID) | MAY(UNSUPPORTED)) /* for requests that may be wrong */

#define SMALL                                                                                                          \
    "\"path\":\"events.db\",\"page_size\":512,\"readers\":1,\"cache_kib\":64,\"busy_timeout_ms\":100,\"reply_size_"    \
    "max\":65536,"                                                                                                     \
    "\"schema_compile_steps_max\":100000,\"validation_steps_max\":100000,\"checkpoint_pages\":100"
#define WRITE "{" SMALL "}"
#define READ "{" SMALL ",\"mode\":\"read\"}"

enum { WHOLE, LOGGED, FORMAT_1, LOOSE, STORE_COUNT };
static struct store_files stores[STORE_COUNT];

/* ---- the stores ---- */

static void take_file(const char *name, struct buffer *ret) {
    struct bytes data = boundary_read_file(name);
    REQUIRE(bytes_present(data) && buffer_append(ret, data.data, data.size));
    free((void *)(uintptr_t)data.data);
}

static void make_stores(void) {
    static const char KEEP_LOG[] = "\x81\xa8keep_log\xc3";
    polaris_es *self = boundary_open(WRITE);
    seed_events(self, 0, EVENTS / 2);
    (void)boundary_shutdown(self, (struct bytes){0}, MAY(OK));
    self = boundary_open(WRITE);
    seed_events(self, EVENTS / 2, EVENTS - EVENTS / 2);
    seed_rest(self);
    (void)boundary_shutdown(self, BYTES_LITERAL(KEEP_LOG), MAY(OK));
    take_file("events.db", &stores[LOGGED].db);
    take_file("events.db-wal", &stores[LOGGED].wal);
    self = boundary_open(WRITE);
    (void)boundary_shutdown(self, (struct bytes){0}, MAY(OK));
    take_file("events.db", &stores[WHOLE].db);
    file_edits_loosen(boundary_path("events.db"));
    take_file("events.db", &stores[LOOSE].db);
    take_file(MUSEUM "/format-1.db", &stores[FORMAT_1].db);
}

/* ---- use ---- */

static const struct {
    enum verb_id verb;
    const char *request;
} READS[] = {
    {VERB_ID_QUERY, "{\"op\":\"events\"}"},
    {VERB_ID_QUERY, "{\"op\":\"events\",\"order\":\"desc\",\"order_by\":\"time\",\"limit\":4}"},
    {VERB_ID_QUERY, "{\"op\":\"events\",\"filter\":{\"types\":[\"a\",\"v\"]}}"},
    {VERB_ID_QUERY, "{\"op\":\"events\",\"filter\":{\"stream\":\"s\"}}"},
    {VERB_ID_QUERY, "{\"op\":\"events\",\"filter\":{\"tags_any\":[\"x\",\"node:1\"]},\"limit\":2}"},
    {VERB_ID_QUERY, "{\"op\":\"events\",\"filter\":{\"tags_all\":[\"x\",\"node:0\"]},\"order\":\"desc\"}"},
    {VERB_ID_QUERY, "{\"op\":\"events\",\"filter\":{\"correlation\":\"open\"}}"},
    {VERB_ID_QUERY, "{\"op\":\"events\",\"filter\":{\"batch\":\"done\"}}"},
    {VERB_ID_QUERY, "{\"op\":\"events\",\"filter\":{\"metadata\":{\"/user\":1},\"from\":0,\"recorded_from\":1}}"},
    {VERB_ID_QUERY, "{\"op\":\"get\",\"id\":4}"},
    {VERB_ID_QUERY, "{\"op\":\"count\"}"},
    {VERB_ID_QUERY, "{\"op\":\"count\",\"filter\":{\"tags_any\":[\"y\"]}}"},
    {VERB_ID_QUERY, "{\"op\":\"histogram\"}"},
    {VERB_ID_QUERY, "{\"op\":\"histogram\",\"by\":\"type_and_time\",\"bucket_us\":1000000}"},
    {VERB_ID_QUERY, "{\"op\":\"streams\",\"limit\":1}"},
    {VERB_ID_QUERY, "{\"op\":\"tags\",\"prefix\":\"node:\",\"limit\":2}"},
    {VERB_ID_QUERY, "{\"op\":\"batches\",\"limit\":2}"},
    {VERB_ID_QUERY, "{\"op\":\"head\"}"},
    {VERB_ID_DLQ, "{\"op\":\"list\",\"with_events\":true,\"limit\":3}"},
    {VERB_ID_DLQ, "{\"op\":\"count\"}"},
    {VERB_ID_DLQ, "{\"op\":\"get\",\"id\":1,\"with_event\":true}"},
    {VERB_ID_DLQ, "{\"op\":\"rejected.list\",\"limit\":1}"},
    {VERB_ID_DLQ, "{\"op\":\"rejected.get\",\"id\":1}"},
    {VERB_ID_SCHEMA, "{\"op\":\"list\",\"limit\":1}"},
    {VERB_ID_SCHEMA, "{\"op\":\"versions\",\"type\":\"v\"}"},
    {VERB_ID_SCHEMA, "{\"op\":\"get\",\"type\":\"v\"}"},
    {VERB_ID_SCHEMA, "{\"op\":\"get\",\"type\":\"w\"}"},
    {VERB_ID_SCHEMA, "{\"op\":\"validate\",\"type\":\"v\",\"data\":{}}"},
    {VERB_ID_SCHEMA, "{\"op\":\"check\",\"type\":\"v\",\"schema\":true}"},
    {VERB_ID_SCHEMA, "{\"op\":\"dry_run\",\"type\":\"v\",\"schema\":{\"required\":[\"a\"]}}"},
};
static const struct {
    enum verb_id verb;
    const char *request;
} WRITES[] = {
    {VERB_ID_STORE, "{\"op\":\"append\",\"event\":{\"type\":\"a\",\"data\":{},\"stream\":\"s\",\"tags\":[\"x\"],"
                    "\"key\":\"n\"}}"},
    {VERB_ID_STORE, "{\"op\":\"append\",\"event\":{\"type\":\"b\",\"data\":{\"id\":3},\"key\":\"k3\"}}"},
    {VERB_ID_STORE, "{\"op\":\"append\",\"event\":{\"type\":\"v\",\"data\":{\"id\":2}}}"},
    {VERB_ID_STORE, "{\"op\":\"append\",\"event\":{\"type\":\"v\",\"data\":{}}}"},
    {VERB_ID_STORE, "{\"op\":\"append\",\"event\":{\"type\":\"w\",\"data\":{\"a\":1}}}"},
    {VERB_ID_STORE, "{\"op\":\"batch.append\",\"id\":\"open\",\"event\":{\"type\":\"a\",\"data\":{}}}"},
    {VERB_ID_STORE, "{\"op\":\"batch.complete\",\"id\":\"open\"}"},
    {VERB_ID_STORE, "{\"op\":\"batch.create\",\"id\":\"new\"}"},
    {VERB_ID_STORE, "{\"op\":\"batch.abort\",\"id\":\"new\"}"},
    {VERB_ID_DLQ, "{\"op\":\"put\",\"event_id\":5,\"error\":{\"message\":\"m\"}}"},
    {VERB_ID_DLQ, "{\"op\":\"put\",\"event_id\":2,\"error\":{\"message\":\"m\"}}"},
    {VERB_ID_DLQ, "{\"op\":\"fail\",\"id\":1,\"token\":1,\"error\":{\"message\":\"m\"}}"},
    {VERB_ID_DLQ, "{\"op\":\"claim\",\"limit\":10,\"ordered\":true}"},
    {VERB_ID_DLQ, "{\"op\":\"retry\",\"consumer\":\"c\"}"},
    {VERB_ID_DLQ, "{\"op\":\"redrive\",\"all\":true}"},
    {VERB_ID_DLQ, "{\"op\":\"discard\",\"id\":3,\"reason\":\"r\"}"},
    {VERB_ID_DLQ, "{\"op\":\"purge\"}"},
    {VERB_ID_DLQ, "{\"op\":\"rejected.resubmit\",\"id\":1,\"event\":{\"type\":\"v\",\"data\":{\"id\":3}}}"},
    {VERB_ID_DLQ, "{\"op\":\"rejected.discard\",\"id\":1,\"reason\":\"r\"}"},
    {VERB_ID_DLQ, "{\"op\":\"rejected.purge\"}"},
    {VERB_ID_SCHEMA, "{\"op\":\"put\",\"type\":\"v\",\"schema\":{\"required\":[\"id\"]}}"},
    {VERB_ID_SCHEMA, "{\"op\":\"policy\",\"type\":\"v\",\"policy\":\"warn\"}"},
    {VERB_ID_SCHEMA, "{\"op\":\"retire\",\"type\":\"v\",\"version\":1}"},
};

/* A few pages: cursors are made of what the rows hold. */
static void ask(polaris_es *self, enum verb_id verb, const char *request) {
    json_t *value = NULL;
    struct failure failure;
    bool more = true;
    REQUIRE(message_parse(request, strlen(request), &value, &failure));
    for (int page = 0; more && page < PAGES_MAX; page++) {
        struct bytes packed = boundary_pack_value(value);
        json_t *reply = NULL;
        (void)boundary_call(self, verb, packed, MAY_FILE, -1, &reply);
        free((void *)(uintptr_t)packed.data);
        more = json_is_true(json_object_get(reply, "more"));
        if (more) {
            REQUIRE(json_object_set(value, "cursor", json_object_get(reply, "cursor")) == 0);
        }
        json_decref(reply);
    }
    json_decref(value);
}

/* All that can be asked, or a quarter of it, which leaves time for more files. */
static void use(polaris_es *self, bool writes, struct requests *requests) {
    size_t step = choose(requests->in, 2) == 0 ? 1 : 4;
    size_t first = step > 1 ? choose(requests->in, (uint32_t)step) : 0;
    for (size_t i = first; i < sizeof READS / sizeof READS[0]; i += step) {
        ask(self, READS[i].verb, READS[i].request);
    }
    for (size_t i = first; writes && i < sizeof WRITES / sizeof WRITES[0]; i += step) {
        ask(self, WRITES[i].verb, WRITES[i].request);
    }
    for (int i = 0; i < ASKED_MAX && requests->in->left > 0; i++) {
        enum verb_id verb = requests_make(requests);
        (void)boundary_call(self, verb, buffer_view(&requests->out.buffer), MAY_ASKED, -1, NULL);
    }
}

/* Whether it was opened. */
static bool open_and_use(bool writes, struct requests *requests) {
    polaris_es *self = NULL;
    struct bytes config = boundary_config(writes ? WRITE : READ);
    int32_t status = boundary_init(config, MAY_FILE, &self);
    free((void *)(uintptr_t)config.data);
    if (status == POLARIS_ES_OK) {
        use(self, writes, requests);
        (void)boundary_shutdown(self, (struct bytes){0}, MAY_FILE);
    }
    return status == POLARIS_ES_OK;
}

/* Writes the store with its edits. True: it has something that no store has. */
static bool prepare(uint32_t store, struct choices *in) {
    struct store_files files;
    bool hostile = false;
    store_files_copy(&files, &stores[store]);
    if (store == LOOSE) {
        boundary_write_file("events.db", buffer_view(&files.db));
        hostile = file_edits_rows(boundary_path("events.db"), in);
        store_files_done(&files);
        files = (struct store_files){0};
        take_file("events.db", &files.db);
    }
    if (store != LOOSE || seldom(in, 8)) {
        file_edits_bytes(&files, in);
        hostile = false; /* whether it is still there, nobody knows */
    }
    boundary_write_file("events.db", buffer_view(&files.db));
    if (files.wal.size > 0) {
        boundary_write_file("events.db-wal", buffer_view(&files.wal));
    }
    store_files_done(&files);
    return hostile;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct choices in = {data, size};
    struct requests requests = {.in = &in};
    boundary_now_us = INT64_C(1767225600000000);
    (void)boundary_table();
    if (stores[WHOLE].db.size == 0) {
        make_stores();
    }
    boundary_empty_folder();
    uint32_t flow = choose(&in, 4);
    uint32_t store = choose(&in, 8);
    store = store < STORE_COUNT ? store : LOOSE; /* rows get further than bytes */
    bool hostile = prepare(store, &in);
    if (seldom(&in, 16)) {
        boundary_write_file(seldom(&in, 2) ? "events.db-shm" : "events.db.owner", choose_bytes(&in, 128));
    }
    bool opened = false;
    if (flow % 2 == 1) {
        opened = open_and_use(false, &requests);
    }
    if (flow != 3) {
        opened = open_and_use(true, &requests) || opened;
    }
    REQUIRE(!hostile || !opened);
    wire_writer_done(&requests.out);
    return 0;
}
