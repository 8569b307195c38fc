/* entry.c: negotiation, and structs of every size from both sides. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"

enum { GUARD = 64, GUARD_BYTE = 0xA5 };

/* `size` bytes at the end of their own allocation, so that the address sanitizer sees a byte read beyond; at least the
 * size member itself. The first bytes are those of `model`, the rest is zero. */
static void *struct_of_size(const void *model, size_t model_size, uint32_t size) {
    uint8_t *copy = calloc(1, size < sizeof size ? sizeof size : size);
    cr_assert_not_null(copy);
    memcpy(copy, model, size < model_size ? size : model_size);
    memcpy(copy, &size, sizeof size);
    return copy;
}

static polaris_es_hello good_hello(void) {
    return (polaris_es_hello){.size = sizeof(polaris_es_hello), .major_min = 1, .major_max = 1};
}

static int32_t negotiate(const polaris_es_hello *hello, polaris_es_welcome *welcome) {
    *welcome = (polaris_es_welcome){.size = sizeof *welcome};
    return es_entry()(hello, welcome);
}

Test(entry, the_table_is_complete_and_says_who_it_is) {
    const polaris_es_table *table = es_table();

    cr_assert_eq(table->size, sizeof *table);
    cr_assert_eq(table->abi_major, POLARIS_ES_ABI_MAJOR);
    cr_assert_eq(table->abi_minor, POLARIS_ES_ABI_MINOR);
    cr_assert_eq(table->reserved, 0);
    cr_assert_str_eq(table->name, "polaris-event-store");
    cr_assert_gt(strlen(table->version), 0);
    cr_assert_gt(strlen(table->build_id), 0);
    cr_assert(table->init && table->store && table->query && table->dlq && table->schema && table->shutdown);
    cr_assert(table->capabilities & POLARIS_ES_CAN_APPEND);
    cr_assert(table->capabilities & POLARIS_ES_CAN_LONG_POLL);
    cr_assert(table->capabilities & POLARIS_ES_CAN_VALIDATE);
}

Test(entry, the_descriptor_says_the_same_in_the_hosts_memory) {
    polaris_es_descriptor descriptor = {.size = sizeof descriptor};
    polaris_es_hello hello = good_hello();
    polaris_es_welcome welcome = {.size = sizeof welcome, .descriptor = &descriptor};

    cr_assert_eq(es_entry()(&hello, &welcome), POLARIS_ES_OK);

    cr_assert_eq(welcome.descriptor, &descriptor, "the host's pointer stays");
    cr_assert_str_eq(descriptor.id, "org.polaris.event-store.sqlite");
    cr_assert_str_eq(descriptor.version, welcome.table->version);
    cr_assert_str_eq(descriptor.build_id, welcome.table->build_id);
    cr_assert_eq(descriptor.sqlite_linkage, POLARIS_ES_SQLITE_SHARED);
    cr_assert_geq(descriptor.sqlite_version_number, 3040000);
    cr_assert_leq(descriptor.format_read_min, descriptor.format_write);
    cr_assert_geq(descriptor.format_read_max, descriptor.format_write);
    cr_assert_str_eq(welcome.reason, "");
}

Test(entry, may_be_called_any_number_of_times_and_gives_the_same_table) {
    const polaris_es_table *table = es_table();
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(es_table(), table);
    }
}

Test(entry, a_host_without_a_common_major_is_incompatible_and_the_reason_names_both_ranges) {
    static const struct {
        uint32_t min, max;
        int32_t status;
    } CASES[] = {{1, 1, POLARIS_ES_OK},          {0, 1, POLARIS_ES_OK},           {1, 9, POLARIS_ES_OK},
                 {0, UINT32_MAX, POLARIS_ES_OK}, {2, 3, POLARIS_ES_INCOMPATIBLE}, {0, 0, POLARIS_ES_INCOMPATIBLE},
                 {3, 2, POLARIS_ES_INVALID}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        polaris_es_hello hello = good_hello();
        hello.major_min = CASES[i].min;
        hello.major_max = CASES[i].max;
        polaris_es_welcome welcome;

        cr_assert_eq(negotiate(&hello, &welcome), CASES[i].status, "%u to %u", CASES[i].min, CASES[i].max);

        cr_assert_eq(welcome.table == NULL, CASES[i].status != POLARIS_ES_OK);
        cr_assert_eq(welcome.major, CASES[i].status == POLARIS_ES_OK ? 1u : 0u);
        if (CASES[i].status == POLARIS_ES_INCOMPATIBLE) {
            char range[32];
            snprintf(range, sizeof range, "%u to %u", CASES[i].min, CASES[i].max);
            cr_assert_not_null(strstr(welcome.reason, range), "%s", welcome.reason);
            cr_assert_not_null(strstr(welcome.reason, "1 to 1"), "%s", welcome.reason);
        }
    }
}

Test(entry, missing_structs_are_invalid) {
    polaris_es_hello hello = good_hello();
    polaris_es_welcome welcome;

    cr_assert_eq(es_entry()(&hello, NULL), POLARIS_ES_INVALID);
    cr_assert_eq(es_entry()(NULL, NULL), POLARIS_ES_INVALID);
    cr_assert_eq(negotiate(NULL, &welcome), POLARIS_ES_INVALID);
    cr_assert_not_null(strstr(welcome.reason, "hello"));
    cr_assert_null(welcome.table);
}

Test(entry, a_hello_of_every_size_gets_the_right_answer) {
    const polaris_es_hello model = good_hello();
    for (uint32_t size = 0; size <= 2 * sizeof model; size++) {
        polaris_es_hello *hello = struct_of_size(&model, sizeof model, size);
        polaris_es_welcome welcome;
        int32_t status = negotiate(hello, &welcome);
        cr_assert_eq(status, size < sizeof model ? POLARIS_ES_INVALID : POLARIS_ES_OK, "size %u: %s", size,
                     welcome.reason);
        if (size < sizeof model) {
            cr_assert_not_null(strstr(welcome.reason, "polaris_es_hello.size"), "%s", welcome.reason);
        }
        free(hello);
    }
}

Test(entry, an_unknown_tail_of_hello_that_is_not_zero_is_refused_and_the_byte_is_named) {
    const polaris_es_hello model = good_hello();
    for (uint32_t at = sizeof model; at < 2 * sizeof model; at++) {
        uint8_t *hello = struct_of_size(&model, sizeof model, 2 * sizeof model);
        hello[at] = 1;
        polaris_es_welcome welcome;
        cr_assert_eq(negotiate((polaris_es_hello *)(void *)hello, &welcome), POLARIS_ES_INVALID);
        char offset[32];
        snprintf(offset, sizeof offset, "offset %u", at);
        cr_assert_not_null(strstr(welcome.reason, offset), "%s", welcome.reason);
        free(hello);
    }
}

Test(entry, a_welcome_of_every_size_is_never_written_beyond_it) {
    const polaris_es_hello hello = good_hello();
    for (uint32_t size = 0; size <= 2 * sizeof(polaris_es_welcome); size++) {
        uint8_t *memory = malloc(2 * sizeof(polaris_es_welcome) + GUARD);
        cr_assert_not_null(memory);
        memset(memory, GUARD_BYTE, 2 * sizeof(polaris_es_welcome) + GUARD);
        polaris_es_welcome *welcome = (polaris_es_welcome *)(void *)memory;
        welcome->size = size;
        welcome->descriptor = NULL;
        bool large = size >= sizeof *welcome;
        uint32_t end = size < 40 ? 40 : size; /* this test itself wrote the members before */

        cr_assert_eq(es_entry()(&hello, welcome), large ? POLARIS_ES_OK : POLARIS_ES_INVALID, "size %u", size);

        for (size_t i = end; i < 2 * sizeof *welcome + GUARD; i++) {
            cr_assert_eq(memory[i], GUARD_BYTE, "size %u: byte %zu was written", size, i);
        }
        for (size_t i = sizeof *welcome; i < size; i++) {
            cr_assert_eq(memory[i], 0, "size %u: byte %zu of the unknown tail is not zero", size, i);
        }
        if (size >= offsetof(polaris_es_welcome, table) + sizeof welcome->table) {
            cr_assert_eq(welcome->table != NULL, large, "size %u", size);
        }
        if (!large && size > offsetof(polaris_es_welcome, reason)) {
            size_t room = size - offsetof(polaris_es_welcome, reason);
            cr_assert_lt(strnlen(welcome->reason, room), room, "size %u: the reason ends within", size);
            cr_assert(room < 20 || strncmp(welcome->reason, "polaris_es_welcome", 18) == 0, "%s", welcome->reason);
        }
        free(memory);
    }
}

Test(entry, a_descriptor_of_every_size_is_never_written_beyond_it) {
    const polaris_es_hello hello = good_hello();
    for (uint32_t size = 0; size <= 2 * sizeof(polaris_es_descriptor); size++) {
        uint8_t *memory = malloc(2 * sizeof(polaris_es_descriptor) + GUARD);
        cr_assert_not_null(memory);
        memset(memory, GUARD_BYTE, 2 * sizeof(polaris_es_descriptor) + GUARD);
        memcpy(memory, &size, sizeof size);
        polaris_es_welcome welcome = {.size = sizeof welcome, .descriptor = (polaris_es_descriptor *)(void *)memory};
        bool large = size >= sizeof(polaris_es_descriptor);

        cr_assert_eq(es_entry()(&hello, &welcome), large ? POLARIS_ES_OK : POLARIS_ES_INVALID, "size %u", size);

        for (size_t i = large ? size : sizeof size; i < 2 * sizeof(polaris_es_descriptor) + GUARD; i++) {
            cr_assert_eq(memory[i], GUARD_BYTE, "size %u: byte %zu was written", size, i);
        }
        for (size_t i = sizeof(polaris_es_descriptor); i < size; i++) {
            cr_assert_eq(memory[i], 0, "size %u: byte %zu of the unknown tail is not zero", size, i);
        }
        cr_assert(large || strstr(welcome.reason, "polaris_es_descriptor.size") != NULL, "%s", welcome.reason);
        free(memory);
    }
}

Test(entry, a_size_that_is_garbage_is_refused_without_touching_what_it_claims) {
    polaris_es_hello hello = good_hello();
    polaris_es_welcome welcome;
    hello.size = UINT32_MAX;
    cr_assert_eq(negotiate(&hello, &welcome), POLARIS_ES_INVALID);
    cr_assert_not_null(strstr(welcome.reason, "4294967295"), "%s", welcome.reason);

    hello = good_hello();
    welcome.size = UINT32_MAX;
    cr_assert_eq(es_entry()(&hello, &welcome), POLARIS_ES_INVALID);
    cr_assert_not_null(strstr(welcome.reason, "4294967295"), "%s", welcome.reason);

    polaris_es_descriptor descriptor = {.size = UINT32_MAX};
    welcome = (polaris_es_welcome){.size = sizeof welcome, .descriptor = &descriptor};
    cr_assert_eq(es_entry()(&hello, &welcome), POLARIS_ES_INVALID);
}

/* ---- sinks ---- */

static const char COUNT[] = "{'op': 'count'}";

static int32_t call_with_sink(struct es *es, const polaris_sink *sink) {
    size_t size = 0;
    void *request = es_pack(COUNT, &size);
    int32_t status = es->table->query(es->self, (polaris_bytes){request, size}, sink);
    free(request);
    return status;
}

Test(entry, a_sink_of_every_size_gets_the_right_answer) {
    struct es *es = es_open(NULL);
    for (uint32_t size = 0; size <= 2 * sizeof(polaris_sink); size++) {
        struct es_sink reply;
        es_sink_init(&reply);
        polaris_sink *sink = struct_of_size(&reply.sink, sizeof reply.sink, size);
        bool large = size >= sizeof *sink;
        cr_assert_eq(call_with_sink(es, sink), large ? POLARIS_ES_OK : POLARIS_ES_INVALID, "size %u", size);
        cr_assert_eq(reply.pieces > 0, large, "size %u", size);
        free(sink);
        es_sink_done(&reply);
    }
    es_close(es);
}

Test(entry, a_sink_that_is_missing_or_has_what_is_not_known_is_invalid_and_nothing_is_done) {
    struct es *es = es_open(NULL);
    size_t size = 0;
    void *append = es_pack("{'op': 'append', 'event': {'type': 'a', 'data': {}}}", &size);
    polaris_bytes request = {append, size};
    struct es_sink reply;
    es_sink_init(&reply);

    cr_assert_eq(es->table->store(es->self, request, NULL), POLARIS_ES_INVALID);

    polaris_sink sink = reply.sink;
    sink.write = NULL;
    cr_assert_eq(es->table->store(es->self, request, &sink), POLARIS_ES_INVALID);

    sink = reply.sink;
    sink.reserved = 1;
    cr_assert_eq(es->table->store(es->self, request, &sink), POLARIS_ES_INVALID);

    sink = reply.sink;
    sink.size = UINT32_MAX;
    cr_assert_eq(es->table->store(es->self, request, &sink), POLARIS_ES_INVALID);

    uint8_t *tail = struct_of_size(&reply.sink, sizeof reply.sink, 2 * sizeof reply.sink);
    tail[2 * sizeof reply.sink - 1] = 1;
    cr_assert_eq(es->table->store(es->self, request, (polaris_sink *)(void *)tail), POLARIS_ES_INVALID);
    free(tail);

    cr_assert_eq(es->table->store(NULL, request, &reply.sink), POLARIS_ES_INVALID);
    cr_assert_eq(reply.pieces, 0);
    cr_assert_eq(es_event_count(es), 0);
    free(append);
    es_close(es);
}

Test(entry, a_long_reply_comes_in_pieces_of_at_most_64_kib) {
    struct es *es = es_open(NULL);
    char text[40000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 5; i++) {
        (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'text': '%s'}}}", text);
    }
    struct es_sink sink;
    es_sink_init(&sink);
    size_t size = 0;
    void *request = es_pack("{'op': 'events'}", &size);

    cr_assert_eq(es->table->query(es->self, (polaris_bytes){request, size}, &sink.sink), POLARIS_ES_OK);

    cr_assert_eq(sink.pieces, 4);
    cr_assert_leq(sink.piece_size_max, 65536);
    json_t *reply = es_sink_reply(&sink);
    es_expect(reply, "{'count': 5}");
    json_decref(reply);
    es_sink_done(&sink);
    free(request);
    es_close(es);
}

static int32_t call_refusing(struct es *es, const char *verb, const char *json, int refuse_at) {
    struct es_sink sink;
    es_sink_init(&sink);
    sink.refuse_at = refuse_at;
    size_t size = 0;
    void *request = es_pack(json, &size);
    int32_t status = es_verb(es->table, verb)(es->self, (polaris_bytes){request, size}, &sink.sink);
    cr_assert_eq(sink.pieces, refuse_at + 1, "no piece comes after the one that was refused");
    free(request);
    es_sink_done(&sink);
    return status;
}

Test(entry, a_sink_that_refuses_loses_the_reply_but_not_the_event_and_the_log_says_so) {
    struct es *es = es_open(NULL);

    cr_assert_eq(call_refusing(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}", 0),
                 POLARIS_ES_REPLY_LOST);

    cr_assert_not_null(strstr(es->log, "append"), "%s", es->log);
    cr_assert_not_null(strstr(es->log, "ids 1 to 1"), "%s", es->log);
    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}

Test(entry, a_sink_that_fails_midway_through_a_long_reply_loses_it) {
    struct es *es = es_open(NULL);
    char request[1 << 17] = "{'op': 'append', 'events': [";
    for (int i = 0; i < 3000; i++) {
        strcat(request, i > 0 ? ",{'type':'a','data':{}}" : "{'type':'a','data':{}}");
    }
    strcat(request, "]}");
    (void)es_ok(es, "store", "%s", request);

    cr_assert_eq(call_refusing(es, "query", "{'op': 'events', 'limit': 3000}", 1), POLARIS_ES_REPLY_LOST);

    cr_assert_eq(es_event_count(es), 3000);
    es_close(es);
}

Test(entry, a_sink_that_refuses_an_error_leaves_the_status_as_it_is) {
    struct es *es = es_open(NULL);

    cr_assert_eq(call_refusing(es, "query", "{'op': 'get', 'id': 7}", 0), POLARIS_ES_NOT_FOUND);
    cr_assert_eq(call_refusing(es, "query", "{'op': 'nothing'}", 0), POLARIS_ES_UNSUPPORTED);

    es_close(es);
}

/* ---- services ---- */

Test(entry, services_of_every_size_get_the_right_answer) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    char json[200];
    snprintf(json, sizeof json, "{'path': '%s'}", es->path);
    size_t config_size = 0;
    void *config = es_pack(json, &config_size);
    const polaris_es_services model = {.size = sizeof model};
    for (uint32_t size = 0; size <= 2 * sizeof model; size++) {
        polaris_es_services *services = struct_of_size(&model, sizeof model, size);
        struct es_sink sink;
        es_sink_init(&sink);
        polaris_es *self = NULL;
        int32_t status = es->table->init(services, (polaris_bytes){config, config_size}, &sink.sink, &self);
        json_t *reply = es_sink_reply(&sink);
        if (size < sizeof model) {
            cr_assert_eq(status, POLARIS_ES_INVALID, "size %u", size);
            cr_assert_null(self);
            cr_assert_not_null(strstr(es_text(reply, "message"), "polaris_es_services.size"));
        } else {
            cr_assert_eq(status, POLARIS_ES_OK, "size %u", size);
            cr_assert_eq(es->table->shutdown(self, (polaris_bytes){0}, NULL), POLARIS_ES_OK);
        }
        json_decref(reply);
        es_sink_done(&sink);
        free(services);
    }
    free(config);
    es_close(es);
}

Test(entry, services_with_an_unknown_tail_that_is_not_zero_are_refused_and_the_byte_is_named) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    size_t config_size = 0;
    void *config = es_pack("{'path': '/nowhere/x.db'}", &config_size);
    const polaris_es_services model = {.size = sizeof model};
    uint8_t *services = struct_of_size(&model, sizeof model, 2 * sizeof model);
    services[sizeof model + 3] = 1;
    struct es_sink sink;
    es_sink_init(&sink);
    polaris_es *self = NULL;

    int32_t status = es->table->init((polaris_es_services *)(void *)services, (polaris_bytes){config, config_size},
                                     &sink.sink, &self);

    cr_assert_eq(status, POLARIS_ES_INVALID);
    cr_assert_null(self);
    json_t *reply = es_sink_reply(&sink);
    char offset[32];
    snprintf(offset, sizeof offset, "offset %zu", sizeof model + 3);
    cr_assert_not_null(strstr(es_text(reply, "message"), offset), "%s", es_text(reply, "message"));
    json_decref(reply);
    es_sink_done(&sink);
    free(services);
    free(config);
    es_close(es);
}

Test(entry, without_services_the_systems_clock_is_used_and_nothing_else_is_missed) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    char json[200];
    snprintf(json, sizeof json, "{'path': '%s'}", es->path);
    size_t size = 0;
    void *config = es_pack(json, &size);
    struct es_sink sink;
    es_sink_init(&sink);
    cr_assert_eq(es->table->init(NULL, (polaris_bytes){config, size}, &sink.sink, &es->self), POLARIS_ES_OK);
    es_sink_done(&sink);
    free(config);

    json_t *reply = es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");

    cr_assert_gt(es_int(reply, "recorded_at"), ES_START_US - INT64_C(366) * 86400 * ES_SECOND_US);
    es_close(es);
}
