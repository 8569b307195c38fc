/* init.c: opening stores: configuration, owners, readers, files that are something else; and shutting down. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "es.h"

/* A second instance on the same file must be refused with `status`; returns the error map, a new reference. */
static json_t *refused_init(struct es *es, const char *config, int32_t status, const char *path) {
    polaris_es *untouched = (polaris_es *)(uintptr_t)1;
    polaris_es *self = untouched;
    json_t *reply = NULL;
    int32_t got = es_init_second(es, config, &self, &reply);
    const char *message = reply != NULL ? es_text(reply, "message") : "";
    cr_assert_eq(got, status, "%s: got %d: %s", config, got, message);
    cr_assert_eq(self, untouched, "the instance must be left alone");
    es_expect(reply, "{'code': %d, 'name': '*', 'message': '*', 'retryable': '*', 'details': {}}", status);
    if (path != NULL) {
        es_expect(reply, "{'details': {'path': '%s'}}", path);
    }
    return reply;
}

static void expect_refused(struct es *es, const char *config, int32_t status, const char *path) {
    json_decref(refused_init(es, config, status, path));
}

static void write_file(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    fclose(file);
}

Test(init, a_new_store_says_what_it_is) {
    struct es *es = es_open("{'durability': 'normal'}");

    es_expect(es->reply,
              "{'path': '%s', 'mode': 'write', 'created': true, 'store_id': {'$bin': '*'}, 'format': 2, 'last_id': 0,"
              " 'durability': 'normal', 'sqlite': '*'}",
              es->path);
    es_close(es);
}

Test(init, a_store_that_is_opened_again_is_the_same_one) {
    struct es *es = es_open(NULL);
    json_t *store_id = json_incref(json_object_get(es->reply, "store_id"));
    (void)es_append(es, "{'type': 'a', 'data': {}}");

    es_reopen(es, NULL);

    es_expect(es->reply, "{'created': false, 'last_id': 1, 'durability': 'full'}");
    cr_assert(json_equal(json_object_get(es->reply, "store_id"), store_id));
    json_decref(store_id);
    es_close(es);
}

Test(init, unknown_and_mistyped_keys_are_refused_by_name) {
    struct es *es = es_open(NULL);
    expect_refused(es, "{'colour': 'red'}", POLARIS_ES_INVALID, "/colour");
    expect_refused(es, "{'path': 7}", POLARIS_ES_INVALID, "/path");
    expect_refused(es, "{'path': ''}", POLARIS_ES_INVALID, "/path");
    expect_refused(es, "{'mode': 'both'}", POLARIS_ES_INVALID, "/mode");
    expect_refused(es, "{'create': 1}", POLARIS_ES_INVALID, "/create");
    expect_refused(es, "{'durability': 'half'}", POLARIS_ES_INVALID, "/durability");
    expect_refused(es, "{'readers': 2.0}", POLARIS_ES_INVALID, "/readers");
    expect_refused(es, "{'page_size': 5000}", POLARIS_ES_INVALID, "/page_size");
    expect_refused(es, "{'types': []}", POLARIS_ES_INVALID, "/types");
    expect_refused(es, "{'types': ['a', '']}", POLARIS_ES_INVALID, "/types/1");
    expect_refused(es, "{'retry_factor': 0.5}", POLARIS_ES_INVALID, "/retry_factor");
    expect_refused(es, "{'retry_jitter': 1.5}", POLARIS_ES_INVALID, "/retry_jitter");
    expect_refused(es, "{'retry_jitter': {'$float': 'nan'}}", POLARIS_ES_INVALID, "/retry_jitter");
    es_close(es);
}

Test(init, the_path_is_required_and_has_a_longest_size) {
    struct es *es = es_open(NULL);
    struct es_sink sink;
    es_sink_init(&sink);
    polaris_es *self = NULL;
    cr_assert_eq(es->table->init(NULL, (polaris_bytes){(const uint8_t *)"\x80", 1}, &sink.sink, &self),
                 POLARIS_ES_INVALID);
    json_t *reply = es_sink_reply(&sink);
    es_expect(reply, "{'details': {'path': '/path'}}");
    json_decref(reply);
    es_sink_done(&sink);

    char config[4000] = "{'path': '/";
    memset(config + strlen(config), 'x', 3901);
    strcat(config, "'}");
    expect_refused(es, config, POLARIS_ES_INVALID, "/path");
    es_close(es);
}

Test(init, every_number_is_refused_outside_of_its_range) {
    static const struct {
        const char *key;
        int64_t min, max;
    } NUMBERS[] = {
        {"busy_timeout_ms", 0, 60000},
        {"page_size", 512, 65536},
        {"cache_kib", 64, 1048576},
        {"readers", 1, 64},
        {"queue_max", 1, 65536},
        {"group_max", 1, 65536},
        {"checkpoint_pages", 100, 1000000},
        {"event_size_max", 64, 67108864},
        {"request_size_max", 1024, 1073741824},
        {"request_events_max", 1, 1000000},
        {"reply_size_max", 65536, 1073741824},
        {"depth_max", 4, 1024},
        {"batch_events_max", 1, 10000000},
        {"wait_max_us", 0, INT64_C(3600000000)},
        {"store_size_max", 0, INT64_C(1) << 48},
        {"retry_attempts_max", 1, 1000},
        {"retry_base_us", 0, INT64_C(86400000000)},
        {"retry_cap_us", 0, INT64_C(31536000000000)},
        {"lease_us", 1000, INT64_C(86400000000)},
        {"retry_factor", 1, 100},
        {"retry_jitter", 0, 1},
    };
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        char config[100];
        char path[50];
        snprintf(path, sizeof path, "/%s", NUMBERS[i].key);
        snprintf(config, sizeof config, "{'%s': %lld}", NUMBERS[i].key, (long long)NUMBERS[i].min - 1);
        expect_refused(es, config, POLARIS_ES_INVALID, path);
        snprintf(config, sizeof config, "{'%s': %lld}", NUMBERS[i].key, (long long)NUMBERS[i].max + 1);
        expect_refused(es, config, POLARIS_ES_INVALID, path);
    }
    expect_refused(es, "{'retry_seed': -1}", POLARIS_ES_INVALID, "/retry_seed");
    expect_refused(es, "{'retry_seed': {'$uint': '9223372036854775808'}}", POLARIS_ES_INVALID, "/retry_seed");
    es_close(es);
}

Test(init, the_least_of_everything_is_enough_to_store_and_find_an_event) {
    struct es *es = es_open("{'busy_timeout_ms': 0, 'page_size': 512, 'cache_kib': 64, 'readers': 1, 'queue_max': 1,"
                            " 'group_max': 1, 'checkpoint_pages': 100, 'event_size_max': 64, 'request_size_max': 1024,"
                            " 'request_events_max': 1, 'reply_size_max': 65536, 'depth_max': 4, 'batch_events_max': 1,"
                            " 'wait_max_us': 0, 'retry_attempts_max': 1, 'retry_base_us': 0, 'retry_cap_us': 0,"
                            " 'lease_us': 1000, 'retry_factor': 1, 'retry_jitter': 0, 'retry_seed': 0}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}

Test(init, what_is_no_map_is_refused) {
    struct es *es = es_open(NULL);
    static const struct {
        const char *data;
        size_t size;
    } INPUTS[] = {{"", 0}, {"\x90", 1}, {"\x80\x80", 2}, {"\xdf\xff\xff\xff\xff", 5}, {"\xc1", 1}};
    for (size_t i = 0; i < sizeof INPUTS / sizeof INPUTS[0]; i++) {
        struct es_sink sink;
        es_sink_init(&sink);
        polaris_es *self = NULL;
        polaris_bytes config = {(const uint8_t *)INPUTS[i].data, INPUTS[i].size};
        cr_assert_eq(es->table->init(NULL, config, &sink.sink, &self), POLARIS_ES_INVALID, "input %zu", i);
        cr_assert_null(self);
        es_sink_done(&sink);
    }
    es_close(es);
}

Test(init, without_create_a_missing_file_is_not_found_and_is_not_made) {
    struct es *es = es_open(NULL);
    char config[200];
    snprintf(config, sizeof config, "{'path': '%s/other.db', 'create': false}", es->folder);
    expect_refused(es, config, POLARIS_ES_NOT_FOUND, NULL);
    snprintf(config, sizeof config, "{'path': '%s/other.db', 'mode': 'read'}", es->folder);
    expect_refused(es, config, POLARIS_ES_NOT_FOUND, NULL);

    snprintf(config, sizeof config, "%s/other.db", es->folder);
    cr_assert_neq(access(config, F_OK), 0);
    es_close(es);
}

Test(init, a_folder_that_is_missing_is_told_by_name) {
    struct es *es = es_open(NULL);
    json_t *reply = refused_init(es, "{'path': '/nowhere-at-all/events.db'}", POLARIS_ES_NOT_FOUND, NULL);
    cr_assert_not_null(strstr(es_text(reply, "message"), "/nowhere-at-all"), "%s", es_text(reply, "message"));
    json_decref(reply);
    es_close(es);
}

Test(init, a_second_writer_is_busy_and_told_who_owns_the_file) {
    struct es *es = es_open("{'owner': 'the first host'}");

    json_t *reply = refused_init(es, "{'owner': 'the second host'}", POLARIS_ES_BUSY, NULL);

    es_expect(reply, "{'retryable': true, 'details': {'owner': 'the first host', 'pid': %d}}", (int)getpid());
    cr_assert_not_null(strstr(es_text(reply, "message"), "the first host"));
    json_decref(reply);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    es_reopen(es, "{'owner': 'the second host'}");
    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}

Test(init, the_same_file_by_another_path_has_the_same_owner) {
    struct es *es = es_open("{'owner': 'first'}");
    char config[300];
    snprintf(config, sizeof config, "{'path': '%s/../%s/./events.db'}", es->folder, strrchr(es->folder, '/') + 1);
    expect_refused(es, config, POLARIS_ES_BUSY, NULL);

    char folder[100];
    snprintf(folder, sizeof folder, "%s-link", es->folder);
    cr_assert_eq(symlink(es->folder, folder), 0);
    snprintf(config, sizeof config, "{'path': '%s/events.db'}", folder);
    expect_refused(es, config, POLARIS_ES_BUSY, NULL);
    cr_assert_eq(unlink(folder), 0);
    es_close(es);
}

/* The owner's lock and the write-ahead log stand beside a name: a file with two names could get two owners. */
Test(init, a_link_to_a_store_is_refused) {
    struct es *es = es_open(NULL);
    char name[200];
    char config[300];
    snprintf(name, sizeof name, "%s/link.db", es->folder);
    cr_assert_eq(symlink(es->path, name), 0);
    snprintf(config, sizeof config, "{'path': '%s'}", name);
    expect_refused(es, config, POLARIS_ES_INVALID, NULL);
    es_close(es);
}

Test(init, a_reader_beside_the_writer_sees_what_is_committed_and_writes_nothing) {
    struct es *es = es_open(NULL);
    polaris_es *writer = es->self;
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    json_t *reply = NULL;
    polaris_es *reader = NULL;
    cr_assert_eq(es_init_second(es, "{'mode': 'read'}", &reader, &reply), POLARIS_ES_OK);
    es_expect(reply, "{'mode': 'read', 'created': false, 'last_id': 1}");
    json_decref(reply);
    (void)es_append(es, "{'type': 'b', 'data': {}}");

    es->self = reader;
    cr_assert_eq(es_event_count(es), 2);
    static const struct {
        const char *verb, *request;
    } WRITES[] = {
        {"store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}"},
        {"store", "{'op': 'batch.create', 'id': 'b'}"},
        {"store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}"},
        {"store", "{'op': 'batch.complete', 'id': 'b'}"},
        {"store", "{'op': 'batch.abort', 'id': 'b'}"},
        {"dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}}"},
        {"dlq", "{'op': 'claim'}"},
        {"dlq", "{'op': 'retry'}"},
        {"dlq", "{'op': 'resolve', 'id': 1}"},
        {"dlq", "{'op': 'fail', 'id': 1, 'error': {'message': 'm'}}"},
        {"dlq", "{'op': 'discard', 'id': 1, 'reason': 'r'}"},
        {"dlq", "{'op': 'redrive', 'all': true}"},
        {"dlq", "{'op': 'purge'}"},
        {"schema", "{'op': 'put', 'type': 'a', 'schema': true}"},
        {"schema", "{'op': 'policy', 'type': 'a', 'policy': 'off'}"},
        {"schema", "{'op': 'retire', 'type': 'a', 'version': 1}"},
        {"dlq", "{'op': 'rejected.resubmit', 'id': 1}"},
        {"dlq", "{'op': 'rejected.discard', 'id': 1, 'reason': 'r'}"},
        {"dlq", "{'op': 'rejected.purge'}"},
    };
    for (size_t i = 0; i < sizeof WRITES / sizeof WRITES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_READ_ONLY, NULL, "read", WRITES[i].verb, "%s", WRITES[i].request);
    }
    static const struct {
        const char *verb, *request;
    } READS[] = {
        {"store", "{'op': 'batch.list'}"},
        {"query", "{'op': 'events'}"},
        {"query", "{'op': 'get', 'id': 1}"},
        {"query", "{'op': 'histogram'}"},
        {"query", "{'op': 'streams'}"},
        {"query", "{'op': 'tags'}"},
        {"query", "{'op': 'batches'}"},
        {"query", "{'op': 'head'}"},
        {"query", "{'op': 'interrupt'}"},
        {"dlq", "{'op': 'list'}"},
        {"dlq", "{'op': 'count'}"},
        {"schema", "{'op': 'list'}"},
        {"dlq", "{'op': 'rejected.list'}"},
        {"schema", "{'op': 'validate', 'schema': true, 'data': 1}"},
        {"schema", "{'op': 'check', 'type': 'a', 'schema': true}"},
        {"schema", "{'op': 'dry_run', 'type': 'a', 'schema': true}"},
    };
    for (size_t i = 0; i < sizeof READS / sizeof READS[0]; i++) {
        (void)es_ok(es, READS[i].verb, "%s", READS[i].request);
    }
    es_shutdown(es);
    es->self = writer;
    es_close(es);
}

Test(init, a_file_that_is_something_else_is_corrupt_and_stays_as_it_is) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    static const char TEXT[] = "This is a letter to my aunt, and no event store at all. It must not be harmed.";
    write_file(es->path, TEXT, sizeof TEXT);

    expect_refused(es, NULL, POLARIS_ES_CORRUPT, NULL);

    char found[sizeof TEXT] = "";
    FILE *file = fopen(es->path, "rb");
    cr_assert_eq(fread(found, 1, sizeof found, file), sizeof found);
    fclose(file);
    cr_assert_arr_eq(found, TEXT, sizeof TEXT);
    es_close(es);
}

/* PRAGMA user_version stands at offset 60 of an SQLite file, PRAGMA application_id at 68, both big-endian. */
static void patch_header(const char *path, long offset, uint8_t value) {
    FILE *file = fopen(path, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, offset, SEEK_SET), 0);
    cr_assert_eq(fwrite(&value, 1, 1, file), 1);
    fclose(file);
}

Test(init, a_file_of_a_newer_format_is_incompatible_and_says_which) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    patch_header(es->path, 63, 99);

    json_t *reply = refused_init(es, NULL, POLARIS_ES_INCOMPATIBLE, NULL);

    es_expect(reply, "{'details': {'format': 99, 'format_max': 2}}");
    json_decref(reply);
    es_close(es);
}

/* At offset 44: which form the tables have, 1 to 4 so far. SQLite has no error code for another one. */
Test(init, a_file_with_tables_of_a_form_that_sqlite_does_not_know_is_corrupt) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    patch_header(es->path, 47, 5);
    expect_refused(es, NULL, POLARIS_ES_CORRUPT, NULL);
    expect_refused(es, "{'mode': 'read'}", POLARIS_ES_CORRUPT, NULL);
    es_close(es);
}

Test(init, an_empty_file_is_a_store_that_nobody_made_yet) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    cr_assert_eq(truncate(es->path, 0), 0);
    expect_refused(es, "{'mode': 'read'}", POLARIS_ES_NOT_FOUND, NULL);
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    es_expect(es->reply, "{'created': true}");
    es_close(es);
}

Test(init, an_sqlite_file_of_another_application_is_corrupt) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    patch_header(es->path, 68, 1);
    expect_refused(es, NULL, POLARIS_ES_CORRUPT, NULL);
    es_close(es);
}

Test(init, nothing_is_held_when_the_sink_refuses_the_reply) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    char json[200];
    snprintf(json, sizeof json, "{'path': '%s'}", es->path);
    size_t size = 0;
    void *config = es_pack(json, &size);
    struct es_sink sink;
    es_sink_init(&sink);
    sink.refuse_at = 0;
    polaris_es *self = NULL;

    cr_assert_eq(es->table->init(NULL, (polaris_bytes){config, size}, &sink.sink, &self), POLARIS_ES_REPLY_LOST);

    cr_assert_null(self);
    es_sink_done(&sink);
    free(config);
    es_reopen(es, NULL);
    es_close(es);
}

Test(init, without_a_place_for_the_instance_nothing_is_opened) {
    struct es *es = es_open(NULL);
    struct es_sink sink;
    es_sink_init(&sink);
    polaris_bytes config = {(const uint8_t *)"\x80", 1};

    cr_assert_eq(es->table->init(NULL, config, &sink.sink, NULL), POLARIS_ES_INVALID);

    es_sink_done(&sink);
    cr_assert_eq(es->table->init(NULL, config, NULL, NULL), POLARIS_ES_INVALID);
    es_close(es);
}

Test(init, a_relative_path_is_resolved_in_the_reply) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    cr_assert_eq(chdir(es->folder), 0);
    cr_assert_eq(es_init(es, "{'path': 'events.db'}"), POLARIS_ES_OK);
    es_expect(es->reply, "{'path': '%s'}", es->path);
    es_close(es);
}

Test(init, many_instances_live_in_one_process) {
    enum { COUNT = 8 };
    struct es *stores[COUNT];
    for (int i = 0; i < COUNT; i++) {
        stores[i] = es_open(NULL);
    }
    for (int i = 0; i < COUNT; i++) {
        (void)es_append(stores[i], "{'type': 'a', 'data': {}}");
        cr_assert_eq(es_event_count(stores[i]), 1);
    }
    for (int i = 0; i < COUNT; i++) {
        es_close(stores[i]);
    }
}

/* ---- shutdown ---- */

static int32_t shut_down(struct es *es, const char *data, size_t size, const polaris_sink *sink) {
    int32_t status = es->table->shutdown(es->self, (polaris_bytes){(const uint8_t *)data, size}, sink);
    es->self = NULL;
    return status;
}

Test(init, shutdown_takes_an_empty_map_or_nothing_and_needs_no_sink) {
    struct es *es = es_open(NULL);
    struct es_sink sink;
    es_sink_init(&sink);
    cr_assert_eq(shut_down(es, "\x80", 1, &sink.sink), POLARIS_ES_OK);
    json_t *reply = es_sink_reply(&sink);
    cr_assert(json_is_object(reply));
    json_decref(reply);
    es_sink_done(&sink);

    es_reopen(es, NULL);
    cr_assert_eq(shut_down(es, NULL, 0, NULL), POLARIS_ES_OK);
    es_reopen(es, NULL);
    es_close(es);
}

Test(init, shutdown_ends_the_instance_whatever_it_is_given) {
    static const struct {
        const char *data;
        size_t size;
    } REQUESTS[] = {{"\x81\xa1x\x01", 4}, {"\x90", 1}, {"\xc1", 1}, {NULL, 5}};
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        struct es_sink sink;
        es_sink_init(&sink);
        cr_assert_eq(shut_down(es, REQUESTS[i].data, REQUESTS[i].size, &sink.sink), POLARIS_ES_INVALID);
        json_t *reply = es_sink_reply(&sink);
        es_expect(reply, "{'name': 'INVALID'}");
        json_decref(reply);
        es_sink_done(&sink);
        es_reopen(es, NULL); /* it would be BUSY, were the file still held */
    }
    polaris_sink small = {.size = 8};
    cr_assert_eq(shut_down(es, NULL, 0, &small), POLARIS_ES_INVALID);
    es_reopen(es, NULL);
    cr_assert_eq(es->table->shutdown(NULL, (polaris_bytes){0}, NULL), POLARIS_ES_INVALID);
    es_close(es);
}

static off_t size_of_log(const struct es *es) {
    char path[128];
    struct stat file;
    snprintf(path, sizeof path, "%s-wal", es->path);
    return stat(path, &file) == 0 ? file.st_size : 0;
}

Test(init, shutdown_copies_the_log_into_the_file_unless_it_is_asked_to_keep_it) {
    struct es *es = es_open(NULL);
    struct es_sink sink;
    es_sink_init(&sink);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    cr_expect_eq(shut_down(es, "\x81\xa8keep_log\xc3", 11, &sink.sink), POLARIS_ES_OK);
    cr_expect_gt(size_of_log(es), 0, "it goes on from there");

    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    es_expect(es->reply, "{'last_id': 1}");
    cr_expect_eq(es_event_count(es), 1);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    es_shutdown(es);
    cr_expect_eq(size_of_log(es), 0, "all is in the file");
    es_reopen(es, "{'mode': 'read'}");
    cr_expect_eq(es_event_count(es), 2);
    es_sink_done(&sink);
    es_close(es);
}

Test(init, shutdown_with_durability_normal_keeps_no_log_as_it_may_not_be_on_the_disk) {
    struct es *es = es_open("{'durability': 'normal'}");
    struct es_sink sink;
    es_sink_init(&sink);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    cr_expect_eq(shut_down(es, "\x81\xa8keep_log\xc3", 11, &sink.sink), POLARIS_ES_OK);
    cr_expect_eq(size_of_log(es), 0);
    es_sink_done(&sink);
    es_close(es);
}

static void copy_file(const char *path, const char *folder, const char *name) {
    char target[128];
    char block[4096];
    snprintf(target, sizeof target, "%s/%s", folder, name);
    FILE *from = fopen(path, "re");
    FILE *to = fopen(target, "we");
    cr_assert(from != NULL && to != NULL);
    for (size_t size; (size = fread(block, 1, sizeof block, from)) > 0;) {
        cr_assert_eq(fwrite(block, 1, size, to), size);
    }
    cr_assert_eq(fclose(to), 0);
    (void)fclose(from);
}

Test(init, shutdown_copies_the_log_even_while_a_reader_has_the_file_open) {
    struct es *es = es_open(NULL);
    polaris_es *reader = NULL;
    json_t *reply = NULL;
    for (int i = 0; i < 10; i++) {
        (void)es_append(es, "{'type': 'a', 'data': {}}");
    }
    cr_assert_eq(es_init_second(es, "{'mode': 'read'}", &reader, &reply), POLARIS_ES_OK);
    json_decref(reply);

    es_shutdown(es);
    copy_file(es->path, es->folder, "copy.db");
    char config[256];
    snprintf(config, sizeof config, "{'path': '%s/copy.db'}", es->folder);
    cr_assert_eq(es_init(es, config), POLARIS_ES_OK);

    cr_expect_eq(es_event_count(es), 10, "the file alone has them all");
    cr_expect_eq(es->table->shutdown(reader, (polaris_bytes){0}, NULL), POLARIS_ES_OK);
    es_close(es);
}
