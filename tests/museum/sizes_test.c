/* sizes_test.c: every size from 0 to twice its own of every struct that crosses, with tails of zeros and others,
 * against real shared objects: builds of 1.0, of this minor and of the next. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <loader/loader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

/* A build, and how much of each input it knows. */
struct build {
    const char *path;
    bool opens; /* init makes a store in a file */
    size_t hello, services, sink;
};

/* What 1.0 knows (1.1 appended nothing to these), and what the next minor appends to each. */
enum {
    HELLO_1_0 = 32,
    WELCOME_1_0 = 288,
    DESCRIPTOR_1_0 = 184,
    SERVICES_1_0 = 40,
    SINK_1_0 = 24,
    COMPLETION_1_1 = 24,
    NEXT = 8,
    NOTE = 24
};

static const struct build BUILDS[] = {
    {TEMPLATE_1_0, false, HELLO_1_0, SERVICES_1_0, SINK_1_0},
    {TEMPLATE_NEXT, false, HELLO_1_0 + NEXT, SERVICES_1_0 + NEXT, SINK_1_0 + NEXT},
    {REAL_1_0, true, HELLO_1_0, SERVICES_1_0, SINK_1_0},
    {REAL_NOW, true, HELLO_1_0, SERVICES_1_0, SINK_1_0},
    {REAL_NEXT, true, HELLO_1_0 + NEXT, SERVICES_1_0 + NEXT, SINK_1_0 + NEXT},
};
enum { BUILD_COUNT = sizeof BUILDS / sizeof BUILDS[0] };

/* Inputs lie at the very end of memory of their size, so that the address sanitizer sees a read beyond what they state.
 */
static void *input(const void *value, size_t known, size_t size, int tail) {
    uint8_t *bytes = calloc(1, size > 4 ? size : 4);
    uint32_t stated = (uint32_t)size;
    cr_assert_not_null(bytes);
    memcpy(bytes, value, size < known ? size : known);
    if (size > known && tail != 0) {
        bytes[size - 1] = (uint8_t)tail;
    }
    memcpy(bytes, &stated, sizeof stated);
    return bytes;
}

static struct plugin *load(const struct build *build) {
    struct plugin *plugin = NULL;
    struct failure failure = {""};
    /* Kept: a leak would be told by code that must still be there. */
    cr_assert(loader_load(build->path, &(struct loader_options){.keep_mapped = true}, &plugin, NULL, &failure), "%s",
              failure.message);
    return plugin;
}

static polaris_es_entry entry_of(const struct plugin *plugin) {
    void *symbol = dlsym(plugin->handle, POLARIS_ES_ENTRY_SYMBOL);
    polaris_es_entry entry = NULL;
    cr_assert_not_null(symbol);
    memcpy(&entry, &symbol, sizeof entry);
    return entry;
}

/* What an input of this size must give. */
static int32_t wanted(size_t size, size_t size_1_0, size_t known, int tail) {
    bool tail_is_unknown = size > known && tail != 0;
    return size < size_1_0 || tail_is_unknown ? POLARIS_ES_INVALID : POLARIS_ES_OK;
}

Test(sizes, of_hello) {
    const polaris_es_hello hello = {.major_min = 1, .major_max = 1};
    for (size_t b = 0; b < BUILD_COUNT; b++) {
        struct plugin *plugin = load(&BUILDS[b]);
        for (size_t size = 0; size <= 2 * BUILDS[b].hello; size++) {
            for (int tail = 0; tail <= 0x80; tail += 0x80) {
                polaris_es_welcome welcome = {.size = sizeof welcome};
                polaris_es_hello *odd = input(&hello, sizeof hello, size, size > BUILDS[b].hello ? tail : 0);
                cr_expect_eq(entry_of(plugin)(odd, &welcome), wanted(size, HELLO_1_0, BUILDS[b].hello, tail),
                             "%s: a hello of %zu bytes, tail %d", BUILDS[b].path, size, tail);
                cr_expect_eq(welcome.table == NULL, wanted(size, HELLO_1_0, BUILDS[b].hello, tail) != POLARIS_ES_OK);
                cr_expect(welcome.table != NULL || welcome.reason[0] != '\0', "it says why");
                free(odd);
            }
        }
        loader_unload(plugin);
    }
}

Test(sizes, of_welcome_and_of_the_descriptor) {
    const polaris_es_hello hello = {.size = sizeof hello, .major_min = 1, .major_max = 1};
    for (size_t b = 0; b < BUILD_COUNT; b++) {
        struct plugin *plugin = load(&BUILDS[b]);
        const polaris_es_welcome empty_welcome = {0};
        const polaris_es_descriptor empty_descriptor = {0};
        for (size_t size = 0; size <= 2 * (WELCOME_1_0 + NEXT); size++) {
            polaris_es_welcome *odd = input(&empty_welcome, sizeof empty_welcome, size, 0x80);
            cr_expect_eq(entry_of(plugin)(&hello, odd), wanted(size, WELCOME_1_0, size, 0),
                         "%s: a welcome of %zu bytes", BUILDS[b].path, size);
            cr_expect(size <= WELCOME_1_0 + NEXT || ((uint8_t *)odd)[size - 1] == 0, "an unknown tail is zeroed");
            free(odd);
        }
        for (size_t size = 0; size <= 2 * (DESCRIPTOR_1_0 + NOTE); size++) {
            polaris_es_descriptor *odd = input(&empty_descriptor, sizeof empty_descriptor, size, 0);
            polaris_es_welcome welcome = {.size = sizeof welcome, .descriptor = odd};
            int32_t status = entry_of(plugin)(&hello, &welcome);
            cr_expect(status == POLARIS_ES_OK || (size < DESCRIPTOR_1_0 && status == POLARIS_ES_INVALID),
                      "%s: a descriptor of %zu bytes: %d", BUILDS[b].path, size, status);
            cr_expect(size < DESCRIPTOR_1_0 || odd->build_id[0] != '\0');
            free(odd);
        }
        loader_unload(plugin);
    }
}

static int32_t take(void *context, polaris_bytes piece) {
    (void)context;
    (void)piece;
    return 0;
}

static const polaris_bytes EMPTY = {.data = (const uint8_t *)"\x80", .size = 1};

/* {"path": ..., "durability": "normal"} */
static polaris_bytes config_of(uint8_t config[256], const char *path) {
    size_t size = strlen(path);
    cr_assert_lt(size, 150);
    memcpy(config,
           "\x82\xaa"
           "durability\xa6normal\xa4path\xd9",
           25);
    config[25] = (uint8_t)size;
    memcpy(config + 26, path, size);
    return (polaris_bytes){.data = config, .size = size + 26};
}

Test(sizes, of_services_and_of_sinks, .timeout = 120) {
    struct scratch scratch;
    scratch_open_in_memory(&scratch);
    uint8_t config_bytes[256];
    const polaris_bytes config = config_of(config_bytes, scratch_path(&scratch, "events.db"));
    const polaris_es_services no_services = {0};
    const polaris_sink sink = {.size = sizeof sink, .write = take};
    for (size_t b = 0; b < BUILD_COUNT; b++) {
        struct plugin *plugin = load(&BUILDS[b]);
        for (size_t size = 0; size <= 2 * BUILDS[b].services; size++) {
            for (int tail = 0; tail <= 0x80; tail += 0x80) {
                polaris_es *self = NULL;
                polaris_es_services *odd =
                    input(&no_services, sizeof no_services, size, size > BUILDS[b].services ? tail : 0);
                int32_t status = plugin->table->init(odd, config, &sink, &self);
                cr_expect_eq(status, wanted(size, SERVICES_1_0, BUILDS[b].services, tail),
                             "%s: services of %zu bytes, tail %d: %d", BUILDS[b].path, size, tail, status);
                free(odd);
                if (status == POLARIS_ES_OK) {
                    cr_expect_eq(plugin->table->shutdown(self, EMPTY, &sink), POLARIS_ES_OK);
                }
            }
        }
        polaris_es *self = NULL;
        cr_assert_eq(plugin->table->init(NULL, config, &sink, &self), POLARIS_ES_OK);
        static const polaris_bytes HEAD = {.data = (const uint8_t *)"\x81\xa2op\xa4head", .size = 9};
        const int32_t good = BUILDS[b].opens ? POLARIS_ES_OK : POLARIS_ES_UNSUPPORTED;
        for (size_t size = 0; size <= 2 * BUILDS[b].sink; size++) {
            for (int tail = 0; tail <= 0x80; tail += 0x80) {
                polaris_sink *odd = input(&sink, sizeof sink, size, size > BUILDS[b].sink ? tail : 0);
                int32_t want = wanted(size, SINK_1_0, BUILDS[b].sink, tail);
                cr_expect_eq(plugin->table->query(self, HEAD, odd), want == POLARIS_ES_OK ? good : want,
                             "%s: a sink of %zu bytes, tail %d", BUILDS[b].path, size, tail);
                free(odd);
            }
        }
        cr_expect_eq(plugin->table->shutdown(self, EMPTY, NULL), POLARIS_ES_OK);
        loader_unload(plugin);
    }
    scratch_close(&scratch);
}

static void ignore_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    (void)context;
    (void)ticket;
    (void)status;
    (void)reply;
}

Test(sizes, of_completions, .timeout = 120) {
    static const struct {
        const char *path;
        size_t known;
    } SUBMITTING[] = {{REAL_NOW, COMPLETION_1_1}, {REAL_NEXT, COMPLETION_1_1 + NEXT}};
    struct scratch scratch;
    scratch_open_in_memory(&scratch);
    uint8_t config_bytes[256];
    const polaris_bytes config = config_of(config_bytes, scratch_path(&scratch, "events.db"));
    const polaris_sink sink = {.size = sizeof sink, .write = take};
    const polaris_es_completion completion = {.size = sizeof completion, .done = ignore_end};
    for (size_t b = 0; b < sizeof SUBMITTING / sizeof SUBMITTING[0]; b++) {
        struct plugin *plugin = load(&(struct build){.path = SUBMITTING[b].path});
        polaris_es *self = NULL;
        cr_assert_eq(plugin->table->init(NULL, config, &sink, &self), POLARIS_ES_OK);
        for (size_t size = 0; size <= 2 * SUBMITTING[b].known; size++) {
            for (int tail = 0; tail <= 0x80; tail += 0x80) {
                polaris_es_completion *odd =
                    input(&completion, sizeof completion, size, size > SUBMITTING[b].known ? tail : 0);
                cr_expect_eq(plugin->table->submit(self, EMPTY, odd, NULL),
                             wanted(size, COMPLETION_1_1, SUBMITTING[b].known, tail),
                             "%s: a completion of %zu bytes, tail %d", SUBMITTING[b].path, size, tail);
                free(odd);
            }
        }
        cr_expect_eq(plugin->table->shutdown(self, EMPTY, NULL), POLARIS_ES_OK);
        loader_unload(plugin);
    }
    scratch_close(&scratch);
}

/* ---- the host's side: tables of odd sizes ---- */

Test(sizes, of_the_table_are_taken_from_that_of_1_0_on) {
    for (size_t size = 0; size <= 192; size++) {
        char text[16];
        struct plugin *plugin = NULL;
        enum loader_refusal refusal = LOADER_OK;
        struct failure failure = {""};
        (void)snprintf(text, sizeof text, "%zu", size);
        setenv("FIXTURE_TABLE_SIZE", text, 1);
        bool loaded = loader_load(FIXTURE_PLUGIN, NULL, &plugin, &refusal, &failure);
        cr_expect_eq(loaded, size >= 96, "a table of %zu bytes: %s", size, failure.message);
        cr_expect(loaded || refusal == LOADER_TABLE_SHORT);
        for (size_t slot = 96; loaded && slot <= 192; slot += 8) {
            cr_expect_not(plugin_has(plugin, slot), "beyond the table, or zero in it");
        }
        loader_unload(plugin);
    }
}

Test(sizes, of_texts_in_the_descriptor_end_within_it) {
    struct plugin *plugin = NULL;
    struct failure failure = {""};
    cr_assert(loader_load(FIXTURE_PLUGIN, NULL, &plugin, NULL, &failure), "%s", failure.message);
    cr_expect_eq(strnlen(plugin->descriptor.build_id, sizeof plugin->descriptor.build_id), 63,
                 "the fixture ends it with no NUL");
    loader_unload(plugin);
}
