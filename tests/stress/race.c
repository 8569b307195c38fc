/* race.c: the plugin under test, and calls in JSON. */
#include "race.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const polaris_es_table *table;

static atomic_int failures;
static atomic_bool silent;
static char folder[64];

void complain(const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (atomic_fetch_add(&failures, 1) < 20 && !atomic_load(&silent)) {
        flockfile(stderr);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
        funlockfile(stderr);
    }
    va_end(args);
}

/* ---- calls in JSON ---- */

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

static json_t *read_reply(struct received *received) {
    struct failure failure = {0};
    json_t *reply = NULL;
    EXPECT(message_unpack(received->data, received->size, &reply, &failure), "a reply that cannot be read: %s",
           failure.message);
    free(received->data);
    return reply;
}

uint8_t *pack_text(const char *text, size_t *ret_size) {
    struct failure failure = {0};
    json_t *value = NULL;
    uint8_t *data = NULL;
    if (!message_parse(text, strlen(text), &value, &failure) || !message_pack(value, &data, ret_size, &failure)) {
        complain("%s: %s", text, failure.message);
    }
    json_decref(value);
    return data;
}

json_t *call_text(polaris_es *self, polaris_es_verb verb, unsigned allowed, const char *text) {
    struct received received = {0};
    polaris_sink sink = {.size = sizeof sink, .context = &received, .write = receive};
    size_t size = 0;
    uint8_t *request = pack_text(text, &size);
    int32_t status = verb(self, (polaris_bytes){.data = request, .size = size}, &sink);
    free(request);
    json_t *reply = read_reply(&received);
    if ((allowed & (1u << status)) == 0) {
        char *answer = message_print(reply);
        complain("%s: %s", text, answer != NULL ? answer : "no memory");
        free(answer);
    }
    return reply;
}

json_t *call(polaris_es *self, polaris_es_verb verb, unsigned allowed, const char *format, ...) {
    char text[2048];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    EXPECT(length > 0 && (size_t)length < sizeof text, "a request is too long");
    return call_text(self, verb, allowed, text);
}

int64_t number(const json_t *reply, const char *name) {
    return json_integer_value(json_object_get(reply, name));
}

int32_t open_store(const polaris_es_services *services, polaris_es **ret_self, const char *config) {
    struct received received = {0};
    polaris_sink sink = {.size = sizeof sink, .context = &received, .write = receive};
    size_t size = 0;
    uint8_t *request = pack_text(config, &size);
    int32_t status = table->init(services, (polaris_bytes){.data = request, .size = size}, &sink, ret_self);
    free(request);
    json_decref(read_reply(&received));
    return status;
}

polaris_es *must_open(const polaris_es_services *services, const char *config) {
    polaris_es *self = NULL;
    int32_t status = open_store(services, &self, config);
    if (status != POLARIS_ES_OK) {
        fprintf(stderr, "init %s: status %d\n", config, status);
        exit(1);
    }
    return self;
}

void must_close(polaris_es *self) {
    int32_t status = table->shutdown(self, (polaris_bytes){0}, NULL);
    EXPECT(status == POLARIS_ES_OK, "shutdown: status %d", status);
}

void start(pthread_t *thread, void *(*run)(void *), void *context) {
    if (pthread_create(thread, NULL, run, context) != 0) {
        fprintf(stderr, "no thread could be started\n");
        exit(1);
    }
}

/* ---- begin and end ---- */

const polaris_es_table *race_load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* stays: reports need the names of its functions */
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return NULL;
    }
    polaris_es_entry entry = NULL;
    void *symbol = dlsym(library, POLARIS_ES_ENTRY_SYMBOL);
    memcpy(&entry, &symbol, sizeof entry);
    polaris_es_hello hello = {.size = sizeof hello,
                              .major_min = POLARIS_ES_ABI_MAJOR,
                              .major_max = POLARIS_ES_ABI_MAJOR,
                              .minor = POLARIS_ES_ABI_MINOR};
    polaris_es_welcome welcome = {.size = sizeof welcome};
    if (entry == NULL || entry(&hello, &welcome) != POLARIS_ES_OK) {
        fprintf(stderr, "%s refuses: %s\n", path, welcome.reason);
        return NULL;
    }
    return welcome.table;
}

static void remove_folder(void) {
    DIR *here = opendir(".");
    if (here != NULL) {
        for (struct dirent *entry = readdir(here); entry != NULL; entry = readdir(here)) {
            (void)unlink(entry->d_name);
        }
        closedir(here);
    }
    (void)rmdir(folder);
}

void race_begin(void) {
    race_begin_in("/tmp");
}

void race_begin_in(const char *parent) {
    table = race_load(PLUGIN_PATH);
    if (table == NULL) {
        exit(1);
    }
    (void)snprintf(folder, sizeof folder, "%s/polaris-race-XXXXXX", parent);
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        perror(folder);
        exit(1);
    }
}

bool race_failed(void) {
    return atomic_load(&failures) > 0;
}

const char *race_folder(void) {
    return folder;
}

void race_be_silent(bool yes) {
    atomic_store(&silent, yes);
}

int race_forget(void) {
    return atomic_exchange(&failures, 0);
}

int race_end(void) {
    remove_folder();
    return race_failed() ? 1 : 0;
}
