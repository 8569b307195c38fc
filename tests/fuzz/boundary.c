/* boundary.c: calls through the table, and what must hold for every answer. */
#include "boundary.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "require.h"

enum {
    REPLY_SIZE_MAX = 4 << 20, /* far above reply_size_max in use here: whatever is asked for, a reply is bounded */
    MESSAGE_SIZE_MAX = 1024
};

int64_t boundary_now_us = INT64_C(1767225600000000);

/* SQLite asks for memory so often that where it was asked for takes most of the time. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "malloc_context_size=4:quarantine_size_mb=32:intercept_strstr=0";
}

/* ---- the folder ---- */

static char folder[64];

static void remove_folder(void) {
    boundary_empty_folder();
    (void)rmdir(folder);
}

static void make_folder(void) {
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || strlen(parent) > 32) {
        parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    }
    snprintf(folder, sizeof folder, "%s/polaris-fuzz-XXXXXX", parent);
    REQUIRE(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
}

const char *boundary_path(const char *name) {
    static char path[sizeof folder + 256];
    REQUIRE(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path);
    return path;
}

void boundary_empty_folder(void) {
    DIR *entries = opendir(folder);
    REQUIRE(entries != NULL);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

struct bytes boundary_read_file(const char *name) {
    struct bytes nothing = {0};
    FILE *file = fopen(name[0] == '/' ? name : boundary_path(name), "rb");
    if (file == NULL) {
        return nothing;
    }
    struct stat status;
    REQUIRE(fstat(fileno(file), &status) == 0);
    size_t size = (size_t)status.st_size;
    uint8_t *data = malloc(size > 0 ? size : 1);
    REQUIRE(data != NULL && fread(data, 1, size, file) == size);
    fclose(file);
    return (struct bytes){data, size};
}

void boundary_write_file(const char *name, struct bytes data) {
    FILE *file = fopen(boundary_path(name), "wb");
    REQUIRE(file != NULL && fwrite(data.data, 1, data.size, file) == data.size);
    REQUIRE(fclose(file) == 0);
}

/* ---- negotiation ---- */

const polaris_es_table *boundary_table(void) {
    static const polaris_es_table *table;
    if (table == NULL) {
        polaris_es_hello hello = {.size = sizeof hello, .major_min = 1, .major_max = 1};
        polaris_es_welcome welcome = {.size = sizeof welcome};
        make_folder();
        REQUIRE(polaris_event_store_entry(&hello, &welcome) == POLARIS_ES_OK);
        table = welcome.table;
    }
    return table;
}

polaris_es_verb boundary_verb(enum verb_id verb) {
    const polaris_es_table *table = boundary_table();
    const polaris_es_verb verbs[VERB_ID_COUNT] = {table->store, table->query, table->dlq, table->schema};
    return verbs[verb];
}

/* ---- the host's services ---- */

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static char last_line[MESSAGE_SIZE_MAX + 1]; /* it has SQLite's own words */

static void host_log(void *context, int32_t level, polaris_bytes line) {
    (void)context;
    REQUIRE(level >= POLARIS_ES_LOG_DEBUG && level <= POLARIS_ES_LOG_ERROR);
    REQUIRE(line.size <= MESSAGE_SIZE_MAX && memchr(line.data, '\n', line.size) == NULL);
    (void)pthread_mutex_lock(&log_mutex);
    snprintf(last_line, sizeof last_line, "%.*s", (int)line.size, (const char *)line.data);
    (void)pthread_mutex_unlock(&log_mutex);
}

static int64_t host_now_us(void *context) {
    (void)context;
    return __atomic_load_n(&boundary_now_us, __ATOMIC_RELAXED);
}

static void host_wake(void *context, int64_t last_id) {
    (void)context;
    REQUIRE(last_id > 0);
}

/* ---- replies ---- */

struct gathered {
    struct buffer reply;
    int pieces, refuse_at;
};

static int32_t gather(void *context, polaris_bytes piece) {
    struct gathered *gathered = context;
    REQUIRE(piece.size > 0 && gathered->reply.size + piece.size <= REPLY_SIZE_MAX);
    REQUIRE(gathered->refuse_at < 0 || gathered->pieces <= gathered->refuse_at); /* none after one that was refused */
    if (gathered->pieces++ == gathered->refuse_at) {
        return 1;
    }
    REQUIRE(buffer_append(&gathered->reply, piece.data, piece.size));
    return 0;
}

static void check_error(const json_t *reply, int32_t status) {
    static const struct {
        const char *name;
        bool retryable;
    } STATUSES[] = {
#define STATUS(name, number, retryable, meaning) [number] = {#name, (retryable) != 0},
        POLARIS_ES_STATUSES(STATUS)
#undef STATUS
    };
    const char *name = json_string_value(json_object_get(reply, "name"));
    const json_t *message = json_object_get(reply, "message");
    const json_t *details = json_object_get(reply, "details");
    const json_t *path = json_object_get(details, "path");
    REQUIRE(json_integer_value(json_object_get(reply, "code")) == status);
    REQUIRE(name != NULL && strcmp(name, STATUSES[status].name) == 0);
    REQUIRE(json_string_length(message) > 0 && json_string_length(message) < MESSAGE_SIZE_MAX);
    REQUIRE(json_is_boolean(json_object_get(reply, "retryable")));
    REQUIRE(json_is_true(json_object_get(reply, "retryable")) == STATUSES[status].retryable);
    REQUIRE(json_is_object(details) && json_object_get(details, "$map") == NULL);
    REQUIRE(path == NULL || json_string_length(path) == 0 || json_string_value(path)[0] == '/');
}

static void show(const char *what, int32_t status, const json_t *reply) {
    char *text = message_print(reply);
    fprintf(stderr, "%s: status %d: %.2000s\n", what, status, text != NULL ? text : "nothing");
    fprintf(stderr, "the log ends: %s\n", last_line);
    free(text);
}

json_t *boundary_check_reply(int32_t status, unsigned allowed, struct bytes reply) {
    json_t *value = NULL;
    struct failure failure;
    REQUIRE(status >= 0 && status < POLARIS_ES_STATUS_COUNT);
    if (!message_unpack(reply.data, reply.size, &value, &failure)) {
        fprintf(stderr, "the reply is not one value: %s\n", failure.message);
        abort();
    }
    if ((allowed & 1u << status) == 0) {
        show("this must not be answered", status, value);
        abort();
    }
    REQUIRE(json_is_object(value) && json_object_get(value, "$map") == NULL); /* keys are strings, each once */
    if (status != POLARIS_ES_OK) {
        check_error(value, status);
    }
    return value;
}

/* ---- calls ---- */

/* In memory of its very size: a sanitizer sees what is read beyond it, and what is read when it is gone. */
static uint8_t *copy_exactly(struct bytes request) {
    uint8_t *copy = malloc(request.size > 0 ? request.size : 1);
    REQUIRE(copy != NULL);
    if (request.size > 0) {
        memcpy(copy, request.data, request.size);
    }
    return copy;
}

int32_t boundary_call(polaris_es *self, enum verb_id verb, struct bytes request, unsigned allowed, int refuse_at,
                      json_t **ret_reply) {
    struct gathered gathered = {.refuse_at = refuse_at};
    const polaris_sink sink = {.size = sizeof sink, .context = &gathered, .write = gather};
    uint8_t *copy = copy_exactly(request);
    int32_t status = boundary_verb(verb)(self, (polaris_bytes){copy, request.size}, &sink);
    free(copy);
    json_t *reply = NULL;
    if (refuse_at < 0 || gathered.pieces <= refuse_at) {
        reply = boundary_check_reply(status, allowed & ~MAY(REPLY_LOST), buffer_view(&gathered.reply));
    } else {
        REQUIRE(status != POLARIS_ES_OK && (allowed & 1u << status) != 0);
    }
    buffer_done(&gathered.reply);
    if (ret_reply != NULL) {
        *ret_reply = reply;
    } else {
        json_decref(reply);
    }
    return status;
}

struct bytes boundary_pack_value(const json_t *value) {
    struct bytes packed = {0};
    uint8_t *data = NULL;
    struct failure failure;
    REQUIRE(message_pack(value, &data, &packed.size, &failure));
    packed.data = data;
    return packed;
}

struct bytes boundary_pack(const char *json) {
    json_t *value = NULL;
    struct failure failure;
    if (!message_parse(json, strlen(json), &value, &failure)) {
        fprintf(stderr, "%s: %s\n", json, failure.message);
        abort();
    }
    struct bytes packed = boundary_pack_value(value);
    json_decref(value);
    return packed;
}

json_t *boundary_ask(polaris_es *self, enum verb_id verb, unsigned allowed, const char *request) {
    struct bytes packed = boundary_pack(request);
    json_t *reply = NULL;
    int32_t status = boundary_call(self, verb, packed, ~0u, -1, &reply);
    free((void *)(uintptr_t)packed.data);
    if ((allowed & 1u << status) == 0) {
        show(request, status, reply);
        abort();
    }
    return reply;
}

/* ---- the lifecycle ---- */

int32_t boundary_init(struct bytes config, unsigned allowed, polaris_es **ret_self) {
    const polaris_es_services services = {
        .size = sizeof services, .log = host_log, .now_us = host_now_us, .wake = host_wake};
    struct gathered gathered = {.refuse_at = -1};
    const polaris_sink sink = {.size = sizeof sink, .context = &gathered, .write = gather};
    uint8_t *copy = copy_exactly(config);
    polaris_es *self = NULL;
    int32_t status = boundary_table()->init(&services, (polaris_bytes){copy, config.size}, &sink, &self);
    free(copy);
    REQUIRE((status == POLARIS_ES_OK) == (self != NULL));
    json_decref(boundary_check_reply(status, allowed, buffer_view(&gathered.reply)));
    buffer_done(&gathered.reply);
    *ret_self = self;
    return status;
}

struct bytes boundary_config(const char *config) {
    json_t *value = json_loads(config, 0, NULL);
    const char *path = json_string_value(json_object_get(value, "path"));
    REQUIRE(path != NULL && json_object_set_new(value, "path", json_string(boundary_path(path))) == 0);
    struct bytes packed = boundary_pack_value(value);
    json_decref(value);
    return packed;
}

polaris_es *boundary_open(const char *config) {
    struct bytes packed = boundary_config(config);
    polaris_es *self = NULL;
    (void)boundary_init(packed, MAY(OK), &self);
    free((void *)(uintptr_t)packed.data);
    return self;
}

int32_t boundary_shutdown(polaris_es *self, struct bytes request, unsigned allowed) {
    struct gathered gathered = {.refuse_at = -1};
    const polaris_sink sink = {.size = sizeof sink, .context = &gathered, .write = gather};
    uint8_t *copy = bytes_present(request) ? copy_exactly(request) : NULL;
    int32_t status = boundary_table()->shutdown(self, (polaris_bytes){copy, request.size}, &sink);
    free(copy);
    json_decref(boundary_check_reply(status, allowed, buffer_view(&gathered.reply)));
    buffer_done(&gathered.reply);
    return status;
}
