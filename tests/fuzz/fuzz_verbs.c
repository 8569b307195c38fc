/* fuzz_verbs.c: hosts that ask for anything, in any order, through the table: every answer is what SPEC.md says of
 * answers, a request that failed changed nothing, and what was acknowledged is there when the store is opened again.
 *
 * The input is a configuration and up to PIECES_MAX pieces: requests made of choices or of bytes as they are, calls of
 * submit and cancel, other instances, greetings. */
#include <unistd.h>

#include "ledger.h"
#include "require.h"
#include "seed.h"
#include "submitted.h"

enum { PIECES_MAX = 24, EVENTS = 4, RAW_SIZE_MAX = 1000 };

#define SMALL                                                                                                          \
    "\"path\":\"events.db\",\"page_size\":512,\"readers\":1,\"cache_kib\":64,\"busy_timeout_ms\":100,\"event_size_"    \
    "max\":2048,"                                                                                                      \
    "\"request_events_max\":8,\"reply_size_max\":65536,\"wait_max_us\":1000,\"batch_events_max\":8,\"submit_max\":3,"  \
    "\"schema_compile_steps_max\":100000,\"validation_steps_max\":100000,\"pattern_steps_max\":10000,"                 \
    "\"failures_max\":4"

static const char *const CONFIGS[] = {
    "{" SMALL "}",
    "{" SMALL ",\"hide_values\":true,\"retry_base_us\":0,\"retry_jitter\":1}",
    "{" SMALL ",\"types\":[\"a\",\"v\"],\"durability\":\"normal\",\"depth_max\":8,\"lease_us\":1000}",
    "{" SMALL ",\"store_size_max\":40000,\"checkpoint_pages\":100,\"retry_attempts_max\":1}",
    "{" SMALL ",\"mode\":\"read\"}",
};
enum { CONFIG_COUNT = sizeof CONFIGS / sizeof CONFIGS[0] };

struct run {
    struct choices in;
    struct requests requests;
    struct ledger ledger;
    const char *config;
    polaris_es *self;
};

/* ---- one call ---- */

/* What later requests may refer to. */
static void remember(struct run *run, const json_t *reply) {
    const char *cursor = json_string_value(json_object_get(reply, "cursor"));
    const json_t *entry = json_array_get(json_object_get(reply, "entries"), 0);
    const json_t *token = json_object_get(entry, "token");
    if (cursor != NULL) {
        REQUIRE(strlen(cursor) < sizeof run->requests.cursor);
        strcpy(run->requests.cursor, cursor);
    }
    if (json_is_integer(token)) {
        run->requests.token = json_integer_value(token);
    }
}

static int32_t call(struct run *run, enum verb_id verb, struct bytes request, int refuse_at) {
    json_t *reply = NULL;
    run->ledger.overlaps = submitted_any();
    unsigned allowed = MAY_ANSWER | (run->ledger.overlaps ? MAY(BUSY) : 0);
    int32_t status = boundary_call(run->self, verb, request, allowed, refuse_at, &reply);
    ledger_note(&run->ledger, verb, request, status, reply);
    remember(run, reply);
    json_decref(reply);
    return status;
}

static void call_made(struct run *run, int refuse_at) {
    enum verb_id verb = requests_make(&run->requests);
    (void)call(run, verb, buffer_view(&run->requests.out.buffer), refuse_at);
}

static void call_raw(struct run *run) {
    enum verb_id verb = (enum verb_id)choose(&run->in, VERB_ID_COUNT);
    (void)call(run, verb, choose_bytes(&run->in, RAW_SIZE_MAX), -1);
}

/* When it fails, nothing has changed. */
static void call_between_snapshots(struct run *run) {
    submitted_await(&run->ledger);
    json_t *before = ledger_snapshot(run->self);
    enum verb_id verb = requests_make(&run->requests);
    int32_t status = call(run, verb, buffer_view(&run->requests.out.buffer), -1);
    json_t *after = ledger_snapshot(run->self);
    REQUIRE(status == POLARIS_ES_OK || json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void submit(struct run *run) {
    requests_make_of(&run->requests, VERB_ID_STORE);
    submitted_add(run->self, buffer_view(&run->requests.out.buffer));
    if (seldom(&run->in, 4)) {
        submitted_cancel(run->self, choose(&run->in, SUBMITTED_MAX));
    } else if (!seldom(&run->in, 2)) {
        submitted_await(&run->ledger);
    }
}

/* ---- other instances ---- */

/* The same with its path in the folder; as it is when there is no path in it. */
static void move_into_folder(struct wire_writer *config) {
    json_t *value = NULL;
    struct failure failure;
    if (!message_unpack(config->buffer.data, config->buffer.size, &value, &failure)) {
        return;
    }
    const char *path = json_string_value(json_object_get(value, "path"));
    /* Of the files of the store in use only the database. */
    if (path != NULL && strlen(path) < 100 && strstr(path, "..") == NULL &&
        (strstr(path, "events.db") == NULL || strcmp(path, "events.db") == 0)) {
        REQUIRE(json_object_set_new(value, "path", json_string(boundary_path(path))) == 0);
    } else {
        (void)json_object_del(value, "path");
    }
    struct bytes packed = {0};
    uint8_t *data = NULL;
    if (json_object_get(value, "$map") == NULL && message_pack(value, &data, &packed.size, &failure)) {
        packed.data = data;
        wire_rollback(config, 0);
        wire_put_raw(config, packed);
    } else {
        wire_rollback(config, 0); /* it may hold a path all the same */
    }
    free(data);
    json_decref(value);
}

static void init_other(struct run *run) {
    struct wire_writer *config = &run->requests.out;
    polaris_es *other = NULL;
    if (seldom(&run->in, 3)) {
        wire_rollback(config, 0);
        wire_put_raw(config, choose_bytes(&run->in, RAW_SIZE_MAX));
    } else {
        requests_make_config(&run->requests, choose(&run->in, 2) == 0 ? "other.db" : NULL);
    }
    move_into_folder(config);
    if (boundary_init(buffer_view(&config->buffer), MAY_ANSWER | MAY(BUSY) | MAY(IO) | MAY(CORRUPT), &other) !=
        POLARIS_ES_OK) {
        return;
    }
    for (uint32_t i = choose(&run->in, 3); i > 0; i--) {
        enum verb_id verb = requests_make(&run->requests);
        (void)boundary_call(other, verb, buffer_view(&run->requests.out.buffer), MAY_ANSWER | MAY(BUSY), -1, NULL);
    }
    requests_make_shutdown(&run->requests);
    (void)boundary_shutdown(other, buffer_view(&run->requests.out.buffer), MAY_ANSWER);
}

/* ---- greetings ---- */

/* Structs of any size, in memory of just that size. */
static void greet(struct run *run) {
    uint32_t hello_size = choose(&run->in, 64);
    uint32_t welcome_size = choose(&run->in, 400);
    struct bytes bytes = choose_bytes(&run->in, 24);
    size_t hello_room = hello_size < sizeof(uint32_t) ? sizeof(uint32_t) : hello_size;
    size_t welcome_room = welcome_size < sizeof(uint32_t) ? sizeof(uint32_t) : welcome_size;
    uint8_t *hello = calloc(1, hello_room);
    uint8_t *welcome = calloc(1, welcome_room);
    REQUIRE(hello != NULL && welcome != NULL);
    memcpy(hello, &hello_size, sizeof hello_size);
    memcpy(welcome, &welcome_size, sizeof welcome_size);
    if (hello_room > 4) { /* not into the pointers: those are the host's own */
        size_t room = hello_room - 4 < 12 ? hello_room - 4 : 12;
        memcpy(hello + 4, bytes.data, bytes.size < room ? bytes.size : room);
    }
    int32_t status =
        polaris_event_store_entry((const polaris_es_hello *)(void *)hello, (polaris_es_welcome *)(void *)welcome);
    REQUIRE(status == POLARIS_ES_OK || status == POLARIS_ES_INVALID || status == POLARIS_ES_INCOMPATIBLE);
    free(hello);
    free(welcome);
}

/* ---- the whole ---- */

static void take_piece(struct run *run) {
    switch (choose(&run->in, 20)) {
    case 12:
        call_made(run, (int)choose(&run->in, 2));
        break;
    case 13:
    case 14:
        call_raw(run);
        break;
    case 15:
        call_between_snapshots(run);
        break;
    case 16:
    case 17:
        submit(run);
        break;
    case 18:
        init_other(run);
        break;
    case 19:
        if (choose(&run->in, 2) == 0) {
            greet(run);
        } else {
            boundary_now_us += ((int64_t)choose(&run->in, 256) - 64) * 100000;
        }
        break;
    default:
        call_made(run, -1);
        break;
    }
}

/* A store to begin with, made once; every input has a copy of it. */
static struct {
    struct bytes file;
    json_t *snapshot;
} seed;

static void make_seed(void) {
    polaris_es *self = boundary_open(CONFIGS[0]);
    seed_events(self, 0, EVENTS);
    seed_rest(self);
    seed.snapshot = ledger_snapshot(self);
    (void)boundary_shutdown(self, (struct bytes){0}, MAY(OK));
    seed.file = boundary_read_file("events.db");
}

static void reopen(struct run *run, const json_t *before) {
    run->self = boundary_open(run->config);
    json_t *after = ledger_snapshot(run->self);
    REQUIRE(json_equal(before, after));
    (void)boundary_shutdown(run->self, (struct bytes){0}, MAY(OK));
    json_decref(after);
}

static void end_run(struct run *run, bool again) {
    submitted_await(&run->ledger);
    json_t *snapshot = ledger_snapshot(run->self);
    ledger_check(&run->ledger, snapshot);
    requests_make_shutdown(&run->requests);
    (void)boundary_shutdown(run->self, buffer_view(&run->requests.out.buffer), MAY_ANSWER);
    if (again) {
        reopen(run, snapshot);
    }
    json_decref(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    boundary_now_us = INT64_C(1767225600000000);
    (void)boundary_table();
    if (!bytes_present(seed.file)) {
        make_seed();
    }
    boundary_empty_folder();
    boundary_write_file("events.db", seed.file);
    struct run run = {.in = {data, size}};
    run.requests.in = &run.in;
    uint32_t way = choose(&run.in, 4 * CONFIG_COUNT);
    run.config = CONFIGS[way % CONFIG_COUNT];
    run.self = boundary_open(run.config);
    ledger_init(&run.ledger, seed.snapshot);
    for (int i = 0; i < PIECES_MAX && run.in.left > 0; i++) {
        take_piece(&run);
    }
    end_run(&run, way < CONFIG_COUNT); /* takes as long as all the rest */
    ledger_done(&run.ledger);
    wire_writer_done(&run.requests.out);
    return 0;
}
