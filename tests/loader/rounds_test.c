/* rounds_test.c: a thousand times loading, opening a store, appending, shutting down and unloading leave nothing
 * behind. */
#include <criterion/criterion.h>
#include <host/host.h>
#include <message/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

/* Under the address sanitizer builds stay mapped, because its leak reports are told by code that must still be there:
 * then mappings are not counted, and fewer rounds show the same. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
enum { ROUNDS = 50 };
#else
#define IS_SANITIZED false
enum { ROUNDS = 1000 };
#endif

static struct scratch scratch;

static void set_up(void) {
    scratch_open_in_memory(&scratch);
}

static void tear_down(void) {
    scratch_close(&scratch);
}

TestSuite(a_thousand_rounds, .init = set_up, .fini = tear_down, .timeout = 250);

/* One round. The real build appends one event to a small store. */
static void live_once(const char *plugin_path, bool appends, int64_t wanted_id) {
    json_t *config = json_pack("{s:s, s:s}", "path", scratch_path(&scratch, "events.db"), "durability", "normal");
    struct failure failure = {""};
    uint8_t *packed = NULL;
    size_t packed_size = 0;
    cr_assert(message_pack(config, &packed, &packed_size, &failure), "%s", failure.message);
    const struct host_options options = {
        .plugin_path = plugin_path,
        .config = packed,
        .config_size = packed_size,
        .loader.keep_mapped = IS_SANITIZED,
    };
    struct host *host = NULL;
    cr_assert(host_open(&options, &host, NULL, &failure), "%s", failure.message);
    if (appends) {
        json_t *reply = NULL;
        json_t *request = json_pack("{s:s, s:{s:s, s:{}}}", "op", "append", "event", "type", "node_created", "data");
        cr_assert_eq(message_call(host, HOST_STORE, request, &reply), POLARIS_ES_OK);
        cr_assert_eq(json_integer_value(json_object_get(reply, "last_id")), wanted_id);
        json_decref(reply);
    }
    cr_assert_eq(host_violations(host), 0);
    host_close(host);
    free(packed);
    json_decref(config);
}

static void live_often(const char *plugin_path, bool appends) {
    live_once(plugin_path, appends, 1); /* what libraries keep for good is theirs from the first round on */
    size_t threads = proc_entries("task");
    size_t descriptors = proc_entries("fd");
    for (int round = 2; round <= ROUNDS; round++) {
        live_once(plugin_path, appends, round);
    }
    cr_assert_eq(proc_entries("task"), threads);
    cr_assert_eq(proc_entries("fd"), descriptors);
    if (!IS_SANITIZED) {
        cr_assert_eq(maps_with("memfd:polaris-plugin"), 0);
    }
}

Test(a_thousand_rounds, of_the_template_leave_no_mapping_thread_or_descriptor) {
    live_often(FIXTURE_TEMPLATE, false);
}

Test(a_thousand_rounds, of_the_plugin_leave_no_mapping_thread_or_descriptor) {
    live_often(PLUGIN, true);
}
