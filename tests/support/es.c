/* es.c: driving the shared object under test. */
#include "es.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message/message.h"

#ifndef ES_PLUGIN
#error "ES_PLUGIN is the path of the shared object"
#endif

/* ---- the library ---- */

static polaris_es_entry load(const char *path, void **library) {
    if (*library == NULL) {
        *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        cr_assert_not_null(*library, "%s", dlerror());
    }
    polaris_es_entry entry = NULL;
    void *symbol = dlsym(*library, POLARIS_ES_ENTRY_SYMBOL);
    cr_assert_not_null(symbol);
    memcpy(&entry, &symbol, sizeof entry);
    return entry;
}

polaris_es_entry es_entry(void) {
    static void *library;
    return load(ES_PLUGIN, &library);
}

static const polaris_es_table *negotiate(polaris_es_entry entry) {
    polaris_es_hello hello = {.size = sizeof hello, .major_min = 1, .major_max = 1};
    polaris_es_welcome welcome = {.size = sizeof welcome};
    cr_assert_eq(entry(&hello, &welcome), POLARIS_ES_OK, "%s", welcome.reason);
    return welcome.table;
}

const polaris_es_table *es_table(void) {
    return negotiate(es_entry());
}

const polaris_es_table *es_table_b(void) {
    static void *library;
    return negotiate(load(ES_PLUGIN_B, &library));
}

polaris_es_verb es_verb(const polaris_es_table *table, const char *name) {
    if (strcmp(name, "store") == 0) {
        return table->store;
    }
    if (strcmp(name, "query") == 0) {
        return table->query;
    }
    if (strcmp(name, "dlq") == 0) {
        return table->dlq;
    }
    cr_assert_str_eq(name, "schema");
    return table->schema;
}

/* ---- sinks ---- */

static int32_t sink_write(void *context, polaris_bytes piece) {
    struct es_sink *sink = context;
    if (sink->pieces++ == sink->refuse_at) {
        return 1;
    }
    if (piece.size > sink->piece_size_max) {
        sink->piece_size_max = piece.size;
    }
    if (piece.size > sink->capacity - sink->size) {
        sink->capacity = 2 * (sink->size + piece.size);
        sink->data = realloc(sink->data, sink->capacity);
        cr_assert_not_null(sink->data);
    }
    memcpy(sink->data + sink->size, piece.data, piece.size);
    sink->size += piece.size;
    return 0;
}

void es_sink_init(struct es_sink *sink) {
    *sink = (struct es_sink){
        .sink = {.size = sizeof sink->sink, .context = sink, .write = sink_write},
        .refuse_at = -1,
    };
}

void es_sink_done(struct es_sink *sink) {
    free(sink->data);
    sink->data = NULL;
    sink->size = sink->capacity = 0;
}

json_t *es_sink_reply(const struct es_sink *sink) {
    if (sink->size == 0) {
        return NULL;
    }
    json_t *reply = NULL;
    struct failure failure;
    cr_assert(message_unpack(sink->data, sink->size, &reply, &failure), "the reply is no msgpack: %s", failure.message);
    cr_assert(json_is_object(reply), "the reply is no map");
    return reply;
}

/* ---- JSON ---- */

static json_t *parse(const char *json) {
    char *text = strdup(json);
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            *c = '"';
        }
    }
    json_t *value = NULL;
    struct failure failure;
    bool ok = message_parse(text, strlen(text), &value, &failure);
    cr_assert(ok, "%s in %s", failure.message, text);
    free(text);
    return value;
}

void *es_pack(const char *json, size_t *ret_size) {
    json_t *value = parse(json);
    uint8_t *data = NULL;
    struct failure failure;
    bool ok = message_pack(value, &data, ret_size, &failure);
    cr_assert(ok, "%s in %s", failure.message, json);
    json_decref(value);
    return data;
}

static bool matches(const json_t *value, const json_t *pattern) {
    if (json_is_string(pattern) && strcmp(json_string_value(pattern), "*") == 0) {
        return value != NULL;
    }
    if (json_is_object(pattern)) {
        const char *key;
        json_t *expected;
        json_object_foreach((json_t *)(uintptr_t)pattern, key, expected) {
            if (!matches(json_object_get(value, key), expected)) {
                return false;
            }
        }
        return json_is_object(value);
    }
    if (json_is_array(pattern)) {
        bool same = json_is_array(value) && json_array_size(value) == json_array_size(pattern);
        for (size_t i = 0; same && i < json_array_size(pattern); i++) {
            same = matches(json_array_get(value, i), json_array_get(pattern, i));
        }
        return same;
    }
    return value != NULL && json_equal(value, pattern);
}

bool es_matches(const json_t *value, const char *pattern) {
    json_t *expected = parse(pattern);
    bool result = matches(value, expected);
    json_decref(expected);
    return result;
}

__attribute__((format(printf, 1, 0))) static char *print_format(const char *format, va_list args) {
    char *text = NULL;
    cr_assert_geq(vasprintf(&text, format, args), 0);
    return text;
}

void es_expect(const json_t *value, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *pattern = print_format(format, args);
    va_end(args);
    char *text = message_print(value);
    cr_assert(es_matches(value, pattern), "\nexpected %s\ngot      %s", pattern, text != NULL ? text : "nothing");
    free(text);
    free(pattern);
}

int64_t es_int(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    cr_assert(json_is_integer(value), "%s is no integer", name);
    return json_integer_value(value);
}

const char *es_text(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    cr_assert(json_is_string(value), "%s is no string", name);
    return json_string_value(value);
}

/* ---- the host's services ---- */

static void host_log(void *context, int32_t level, polaris_bytes line) {
    struct es *es = context;
    cr_assert(level >= POLARIS_ES_LOG_DEBUG && level <= POLARIS_ES_LOG_ERROR);
    snprintf(es->log, sizeof es->log, "%.*s", (int)line.size, (const char *)line.data);
    atomic_fetch_add(&es->log_count, 1);
}

static int64_t host_now_us(void *context) {
    return atomic_load(&((struct es *)context)->now_us);
}

static void host_wake(void *context, int64_t last_id) {
    atomic_store(&((struct es *)context)->woken, last_id);
}

/* ---- opening and closing ---- */

int32_t es_init_second(struct es *es, const char *config, polaris_es **ret_self, json_t **ret_reply) {
    json_t *map = parse(config != NULL ? config : "{}");
    if (json_object_get(map, "path") == NULL) {
        json_object_set_new(map, "path", json_string(es->path));
    }
    uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;
    cr_assert(message_pack(map, &data, &size, &failure), "%s", failure.message);
    json_decref(map);
    polaris_es_services services = {
        .size = sizeof services, .context = es, .log = host_log, .now_us = host_now_us, .wake = host_wake};
    struct es_sink sink;
    es_sink_init(&sink);
    int32_t status = es->table->init(&services, (polaris_bytes){data, size}, &sink.sink, ret_self);
    *ret_reply = es_sink_reply(&sink);
    es_sink_done(&sink);
    free(data);
    return status;
}

int32_t es_init(struct es *es, const char *config) {
    json_decref(es->reply);
    es->reply = NULL;
    return es_init_second(es, config, &es->self, &es->reply);
}

struct es *es_new(void) {
    struct es *es = calloc(1, sizeof *es);
    cr_assert_not_null(es);
    es->table = es_table();
    atomic_store(&es->now_us, ES_START_US);
    snprintf(es->folder, sizeof es->folder, "/tmp/polaris-test-XXXXXX");
    cr_assert_not_null(mkdtemp(es->folder));
    snprintf(es->path, sizeof es->path, "%s/events.db", es->folder);
    return es;
}

struct es *es_open(const char *config) {
    struct es *es = es_new();
    int32_t status = es_init(es, config);
    cr_assert_eq(status, POLARIS_ES_OK, "init: %s", es->reply != NULL ? es_text(es->reply, "message") : "no reply");
    return es;
}

void es_shutdown(struct es *es) {
    if (es->self != NULL) {
        struct es_sink sink;
        es_sink_init(&sink);
        cr_assert_eq(es->table->shutdown(es->self, (polaris_bytes){0}, &sink.sink), POLARIS_ES_OK);
        es_sink_done(&sink);
        es->self = NULL;
    }
}

void es_reopen(struct es *es, const char *config) {
    es_shutdown(es);
    int32_t status = es_init(es, config);
    cr_assert_eq(status, POLARIS_ES_OK, "init: %s", es->reply != NULL ? es_text(es->reply, "message") : "no reply");
}

static void remove_folder(const char *folder) {
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    if (entries != NULL) {
        closedir(entries);
    }
    (void)rmdir(folder);
}

void es_close(struct es *es) {
    es_shutdown(es);
    json_decref(es->reply);
    remove_folder(es->folder);
    free(es);
}

/* ---- calls ---- */

int32_t es_call_bytes(struct es *es, const char *verb, const void *data, size_t size) {
    struct es_sink sink;
    es_sink_init(&sink);
    int32_t status = es_verb(es->table, verb)(es->self, (polaris_bytes){data, size}, &sink.sink);
    json_decref(es->reply);
    es->reply = es_sink_reply(&sink);
    cr_assert_not_null(es->reply, "no reply, status %d", status);
    es_sink_done(&sink);
    return status;
}

static int32_t call_text(struct es *es, const char *verb, const char *json) {
    size_t size = 0;
    void *data = es_pack(json, &size);
    int32_t status = es_call_bytes(es, verb, data, size);
    free(data);
    return status;
}

int32_t es_call(struct es *es, const char *verb, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *json = print_format(format, args);
    va_end(args);
    int32_t status = call_text(es, verb, json);
    free(json);
    return status;
}

json_t *es_ok(struct es *es, const char *verb, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *json = print_format(format, args);
    va_end(args);
    int32_t status = call_text(es, verb, json);
    char *reply = message_print(es->reply);
    cr_assert_eq(status, POLARIS_ES_OK, "%s %s: %s", verb, json, reply);
    free(reply);
    free(json);
    return es->reply;
}

static const char *name_of(int32_t status) {
    static const char *const NAMES[] = {
#define NAME(name, number, retryable, meaning) [number] = #name,
        POLARIS_ES_STATUSES(NAME)
#undef NAME
    };
    return NAMES[status];
}

/* The error map must say the same as the status, in the form that SPEC.md gives it. */
static void check_error(const json_t *reply, int32_t got, int32_t status, const char *path, const char *word,
                        const char *what) {
    char *text = message_print(reply);
    cr_assert_eq(got, status, "%s: wanted %s, got %d: %s", what, name_of(status), got, text);
    cr_assert_eq(json_integer_value(json_object_get(reply, "code")), status, "%s: %s", what, text);
    cr_assert_str_eq(es_text(reply, "name"), name_of(status), "%s: %s", what, text);
    cr_assert(json_is_boolean(json_object_get(reply, "retryable")), "%s: %s", what, text);
    const json_t *details = json_object_get(reply, "details");
    cr_assert(json_is_object(details), "%s: %s", what, text);
    if (path != NULL) {
        cr_assert_not_null(json_object_get(details, "path"), "%s: wanted path %s: %s", what, path, text);
        cr_assert_str_eq(es_text(details, "path"), path, "%s: wanted path %s: %s", what, path, text);
    }
    if (word != NULL) {
        cr_assert_not_null(strstr(es_text(reply, "message"), word), "%s: wanted '%s' in: %s", what, word, text);
    }
    free(text);
}

json_t *es_refused(struct es *es, int32_t status, const char *path, const char *word, const char *verb,
                   const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *json = print_format(format, args);
    va_end(args);
    int32_t got = call_text(es, verb, json);
    check_error(es->reply, got, status, path, word, json);
    free(json);
    return es->reply;
}

json_t *es_refused_bytes(struct es *es, int32_t status, const char *word, const char *verb, const void *data,
                         size_t size) {
    int32_t got = es_call_bytes(es, verb, data, size);
    check_error(es->reply, got, status, NULL, word, "bytes");
    return es->reply;
}

int64_t es_append(struct es *es, const char *event) {
    json_t *reply = es_ok(es, "store", "{'op': 'append', 'event': %s}", event);
    return json_integer_value(json_array_get(json_object_get(reply, "ids"), 0));
}

int32_t es_append_list(struct es *es, json_t *events) {
    json_t *request = json_pack("{s:s, s:o}", "op", "append", "events", events);
    char *text = json_dumps(request, 0);
    int32_t status = es_call(es, "store", "%s", text);
    free(text);
    json_decref(request);
    return status;
}

int32_t es_append_large(struct es *es, int count, size_t size) {
    char *text = malloc(size);
    json_t *list = json_array();
    cr_assert_not_null(text);
    memset(text, 'x', size);
    for (int i = 0; i < count; i++) {
        json_array_append_new(list, json_pack("{s:s, s:{s:s%}}", "type", "t", "data", "text", text, size));
    }
    free(text);
    return es_append_list(es, list);
}

int64_t es_event_count(struct es *es) {
    return es_int(es_ok(es, "query", "{'op': 'count'}"), "count");
}
