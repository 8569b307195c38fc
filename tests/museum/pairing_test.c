/* pairing_test.c: a host, built against one minor version, with plugins of its own and of others. This file and the
 * core of the host are compiled once against the header as it is and once against that of the next minor; the host
 * of 1.0 is a build (host_1_0.sh). */
#include <criterion/criterion.h>
#include <host/host.h>
#include <loader/loader.h>
#include <stdio.h>
#include <string.h>

#include "scratch.h"

enum { MINOR = 1, NEXT_MINOR };

#ifdef MUSEUM_NEXT
#define HOST_IS_NEXT true
#else
#define HOST_IS_NEXT false
#endif

/* The slot that the next minor has, by its place, for hosts that do not know its name. */
enum { TABLE_SIZE_NOW = 112, NEXT_SLOT = TABLE_SIZE_NOW };

static struct scratch scratch;

static void set_up(void) {
    scratch_open(&scratch);
}

static void tear_down(void) {
    scratch_close(&scratch);
}

TestSuite(pairing, .init = set_up, .fini = tear_down, .timeout = 60);

static struct plugin *load(const char *path) {
    struct plugin *plugin = NULL;
    struct failure failure = {""};
    cr_assert(loader_load(path, NULL, &plugin, NULL, &failure), "%s", failure.message);
    cr_assert_eq(plugin->major, 1);
    return plugin;
}

/* {"path": ...} */
static size_t config_write(uint8_t config[256], const char *path) {
    size_t size = strlen(path);
    cr_assert_lt(size, 200);
    memcpy(config, "\x81\xa4path\xd9", 7);
    config[7] = (uint8_t)size;
    memcpy(config + 8, path, size);
    return size + 8;
}

/* Opens, appends where the build can, asks, and closes; through the gate and the guard, and without the guard. */
static void expect_lives(const char *path, int32_t store_status, int32_t query_status) {
    static const char APPEND[] = "\x82\xa2op\xa6"
                                 "append\xa5"
                                 "event\x82\xa4type\xa1t\xa4"
                                 "data\x80";
    static const char HEAD[] = "\x81\xa2op\xa4head";
    uint8_t config[256];
    size_t config_size = config_write(config, scratch_path(&scratch, "events.db"));
    for (int unguarded = 0; unguarded <= 1; unguarded++) {
        struct host_options options = {
            .plugin_path = path, .config = config, .config_size = config_size, .unguarded = unguarded != 0};
        struct host *host = NULL;
        struct reply reply = {0};
        struct failure failure = {""};
        cr_assert(host_open(&options, &host, NULL, &failure), "%s", failure.message);
        cr_expect_eq(host_call(host, HOST_STORE, APPEND, sizeof APPEND - 1, &reply), store_status);
        cr_expect_eq(host_call(host, HOST_QUERY, HEAD, sizeof HEAD - 1, &reply), query_status);
        cr_expect_gt(reply.size, 0);
        cr_expect_eq(host_violations(host), 0);
        reply_done(&reply);
        host_close(host);
    }
}

/* ---- plugins of 1.0 ---- */

static void expect_of_1_0(const char *path) {
    struct plugin *plugin = load(path);
    cr_expect_eq(plugin->minor, 0);
    cr_expect_eq(plugin->table->abi_minor, 0);
    cr_expect(plugin_has(plugin, offsetof(polaris_es_table, shutdown)));
    cr_expect_not(plugin_has(plugin, offsetof(polaris_es_table, submit)), "a missing slot reads as NULL");
    cr_expect_not(plugin_has(plugin, NEXT_SLOT));
    loader_unload(plugin);
}

Test(pairing, with_the_template_of_1_0) {
    expect_of_1_0(TEMPLATE_1_0);
    expect_lives(TEMPLATE_1_0, POLARIS_ES_UNSUPPORTED, POLARIS_ES_UNSUPPORTED);
}

Test(pairing, with_the_plugin_of_1_0) {
    expect_of_1_0(REAL_1_0);
    expect_lives(REAL_1_0, POLARIS_ES_OK, POLARIS_ES_OK);
}

/* ---- plugins of this minor ---- */

Test(pairing, with_the_plugin_of_1_1) {
    struct plugin *plugin = load(REAL_NOW);
    cr_expect_eq(plugin->minor, MINOR);
    cr_expect_eq(plugin->table->size, TABLE_SIZE_NOW);
    cr_expect(plugin_has(plugin, offsetof(polaris_es_table, submit)));
    cr_expect(plugin_has(plugin, offsetof(polaris_es_table, cancel)));
    loader_unload(plugin);
    expect_lives(REAL_NOW, POLARIS_ES_OK, POLARIS_ES_OK);
}

static void note_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    (void)ticket;
    (void)reply;
    *(int32_t *)context = status;
}

/* Submits one append and closes: then its end was told. */
static void expect_submit(const char *path, int32_t wanted) {
    static const char APPEND[] = "\x82\xa2op\xa6"
                                 "append\xa5"
                                 "event\x82\xa4type\xa1t\xa4"
                                 "data\x80";
    uint8_t config[256];
    size_t config_size = config_write(config, scratch_path(&scratch, "submit.db"));
    for (int unguarded = 0; unguarded <= 1; unguarded++) {
        const struct host_options options = {
            .plugin_path = path, .config = config, .config_size = config_size, .unguarded = unguarded != 0};
        struct host *host = NULL;
        struct failure failure = {""};
        int32_t ended = -1;
        const polaris_es_completion completion = {.size = sizeof completion, .context = &ended, .done = note_end};
        cr_assert(host_open(&options, &host, NULL, &failure), "%s", failure.message);
        cr_expect_eq(host_submit(host, APPEND, sizeof APPEND - 1, &completion, NULL), wanted, "%s", path);
        cr_expect_eq(host_cancel(host, 77), wanted == POLARIS_ES_OK ? POLARIS_ES_NOT_FOUND : wanted, "%s", path);
        cr_expect_eq(host_violations(host), 0);
        host_close(host);
        cr_expect_eq(ended, wanted == POLARIS_ES_OK ? POLARIS_ES_OK : -1);
    }
}

Test(pairing, of_two_that_have_it_submits_and_one_without_it_is_unsupported) {
    expect_submit(TEMPLATE_1_0, POLARIS_ES_UNSUPPORTED);
    expect_submit(REAL_1_0, POLARIS_ES_UNSUPPORTED);
    expect_submit(REAL_NOW, POLARIS_ES_OK);
    expect_submit(REAL_NEXT, POLARIS_ES_OK);
    expect_submit(NEXT_PLUGIN, POLARIS_ES_UNSUPPORTED);
}

/* ---- plugins of the next minor ---- */

Test(pairing, with_the_template_of_the_next_minor) {
    struct plugin *plugin = load(TEMPLATE_NEXT);
    cr_expect_eq(plugin->minor, NEXT_MINOR);
    cr_expect_eq(plugin->table->size, TABLE_SIZE_NOW + 8);
    cr_expect_not(plugin_has(plugin, NEXT_SLOT), "it is there, but NULL");
    loader_unload(plugin);
    expect_lives(TEMPLATE_NEXT, POLARIS_ES_UNSUPPORTED, POLARIS_ES_UNSUPPORTED);
}

Test(pairing, with_the_plugin_of_the_next_minor) {
    struct plugin *plugin = load(REAL_NEXT);
    cr_expect_eq(plugin->minor, NEXT_MINOR);
    cr_expect_eq(plugin->table->size, TABLE_SIZE_NOW + 8);
    loader_unload(plugin);
    expect_lives(REAL_NEXT, POLARIS_ES_OK, POLARIS_ES_OK);
}

Test(pairing, with_a_plugin_that_uses_what_the_next_minor_added) {
    struct plugin *plugin = load(NEXT_PLUGIN);
    cr_expect_eq(plugin->minor, NEXT_MINOR);
    cr_expect(plugin_has(plugin, NEXT_SLOT));
    loader_unload(plugin);
    expect_lives(NEXT_PLUGIN, POLARIS_ES_OK, POLARIS_ES_OK);
}

Test(pairing, swaps_between_all_minors_on_one_file) {
    static const struct {
        const char *path;
        uint32_t minor;
    } STEPS[] = {{REAL_NOW, MINOR},       {REAL_NEXT, NEXT_MINOR}, {REAL_1_0, 0},
                 {REAL_NEXT, NEXT_MINOR}, {REAL_NOW, MINOR},       {REAL_1_0, 0}};
    uint8_t config[256];
    size_t config_size = config_write(config, scratch_path(&scratch, "events.db"));
    const struct host_options options = {.plugin_path = REAL_1_0, .config = config, .config_size = config_size};
    struct host *host = NULL;
    struct failure failure = {""};
    struct swap_report report;
    cr_assert(host_open(&options, &host, NULL, &failure), "%s", failure.message);
    for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
        cr_expect(host_swap(host, STEPS[i].path, &report, &failure), "%s", failure.message);
        cr_expect_eq(host_plugin(host)->minor, STEPS[i].minor);
    }
    cr_expect_eq(host_violations(host), 0);
    host_close(host);
}

#ifdef MUSEUM_NEXT

/* ---- what the next minor added, from the side of a host that has it ---- */

static int64_t counted;

static void count(void *context, int64_t number) {
    (void)context;
    counted += number;
}

static int32_t take(void *context, polaris_bytes piece) {
    (void)context;
    (void)piece;
    return 0;
}

static const polaris_bytes EMPTY = {.data = (const uint8_t *)"\x80", .size = 1};

Test(pairing, of_two_that_have_it_uses_the_new_slot_and_the_new_service) {
    const polaris_es_services services = {.size = sizeof services, .next_count = count};
    const polaris_sink sink = {.size = sizeof sink, .write = take};
    struct plugin *plugin = load(NEXT_PLUGIN);
    polaris_es *self = NULL;
    cr_assert_eq(plugin->table->init(&services, EMPTY, &sink, &self), POLARIS_ES_OK);
    cr_expect_eq(plugin->table->query(self, EMPTY, &sink), POLARIS_ES_OK);
    cr_expect_eq(counted, 1);
    cr_expect_eq(plugin->table->next_verb(self, EMPTY, &sink), POLARIS_ES_OK);
    cr_expect_eq(plugin->table->shutdown(self, EMPTY, &sink), POLARIS_ES_OK);
    cr_expect_str_eq(plugin->descriptor.next_note, "noted");
    loader_unload(plugin);
}

static void expect_refused_until_it_is_left_out(const char *path, const char *store) {
    uint8_t config_bytes[256];
    const polaris_bytes config = {.data = config_bytes, .size = config_write(config_bytes, store)};
    const polaris_sink sink = {.size = sizeof sink, .write = take};
    polaris_es_services services = {.size = sizeof services, .next_count = count};
    struct plugin *plugin = load(path);
    polaris_es *self = NULL;
    cr_expect_eq(plugin->table->init(&services, config, &sink, &self), POLARIS_ES_INVALID);
    cr_expect_null(self);
    services.next_count = NULL;
    cr_expect_eq(plugin->table->init(&services, config, &sink, &self), POLARIS_ES_OK);
    cr_expect_eq(plugin->table->shutdown(self, EMPTY, &sink), POLARIS_ES_OK);
    cr_expect_eq(plugin->descriptor.next_note[0], '\0', "what the plugin does not know stays zero");
    loader_unload(plugin);
}

Test(pairing, with_1_0_a_new_service_is_refused_and_never_silently_ignored) {
    expect_refused_until_it_is_left_out(TEMPLATE_1_0, "unused");
    expect_refused_until_it_is_left_out(REAL_1_0, scratch_path(&scratch, "events.db"));
}

#endif

Test(pairing, is_of_the_minor_that_this_host_was_built_for) {
    cr_assert_eq(POLARIS_ES_ABI_MINOR, (uint32_t)(HOST_IS_NEXT ? NEXT_MINOR : MINOR));
}
