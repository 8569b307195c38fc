/* hostile_input.c: what must never be believed: each gets the right code, a message that names the place, and nothing
 * is stored. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"

#define BYTES(text) text, sizeof(text) - 1

static const char *const VERBS[] = {"store", "query", "dlq", "schema"};

/* Every verb refuses the bytes with `status` and a message that has `word` (NULL: whatever). */
static void expect_refused(int32_t status, const char *word, const void *data, size_t size) {
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
        (void)es_refused_bytes(es, status, word, VERBS[i], data, size);
    }
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

Test(hostile_input, an_empty_request_is_invalid) {
    expect_refused(POLARIS_ES_INVALID, NULL, "", 0);
    expect_refused(POLARIS_ES_INVALID, NULL, NULL, 0);
}

Test(hostile_input, a_size_without_bytes_is_invalid) {
    expect_refused(POLARIS_ES_INVALID, "NULL", NULL, 10);
}

Test(hostile_input, what_is_no_map_is_invalid) {
    expect_refused(POLARIS_ES_INVALID, "map", BYTES("\x90"));
    expect_refused(POLARIS_ES_INVALID, "map",
                   BYTES("\xa6"
                         "append"));
    expect_refused(POLARIS_ES_INVALID, "map", BYTES("\x01"));
    expect_refused(POLARIS_ES_INVALID, "map", BYTES("\xc0"));
}

Test(hostile_input, the_byte_that_means_nothing_is_invalid) {
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\xc1"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x81\xa2op\xc1"));
}

Test(hostile_input, trailing_bytes_are_invalid) {
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x81\xa2op\xa4head\x00"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x80\x80"));
}

Test(hostile_input, every_cut_of_a_good_request_is_invalid) {
    struct es *es = es_open(NULL);
    size_t size = 0;
    uint8_t *request = es_pack("{'op': 'append', 'event': {'type': 'a', 'data': {'x': [1, 2.5, 'y', {'$bin': 'AAAA'}]},"
                               " 'tags': ['t'], 'time': {'$ext': [-1, 'AAAAAQ==']}, 'stream': 's'}}",
                               &size);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut > 0 ? cut : 1); /* its own allocation: a read beyond is seen */
        cr_assert_not_null(copy);
        memcpy(copy, request, cut);
        (void)es_refused_bytes(es, POLARIS_ES_INVALID, NULL, "store", copy, cut);
        free(copy);
    }
    cr_assert_eq(es_event_count(es), 0);
    cr_assert_eq(es_call_bytes(es, "store", request, size), POLARIS_ES_OK);
    free(request);
    es_close(es);
}

Test(hostile_input, a_header_that_claims_64_gib_in_11_bytes_is_invalid) {
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\xdf\x2a\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\xdd\xff\xff\xff\xff\xdd\xff\xff\xff\xff\xc0"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x81\xa2op\xdb\xff\xff\xff\xff"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x81\xa2op\xc6\xff\xff\xff\xff"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x81\xa2op\xc9\xff\xff\xff\xff\x01"));
}

Test(hostile_input, nesting_ten_thousand_deep_is_too_large) {
    enum { DEPTH = 10000 };
    static const char HEAD[] = "\x82\xa2op\xa6"
                               "append\xa5"
                               "event";
    uint8_t request[sizeof HEAD - 1 + DEPTH + 1];
    memcpy(request, HEAD, sizeof HEAD - 1);
    memset(request + sizeof HEAD - 1, 0x91, DEPTH);
    request[sizeof request - 1] = 0xC0;
    expect_refused(POLARIS_ES_TOO_LARGE, "128", request, sizeof request);
}

Test(hostile_input, nesting_is_allowed_to_the_limit) {
    struct es *es = es_open("{'depth_max': 6}");
    /* the request, the event, its data, and three more */
    (void)es_append(es, "{'type': 'a', 'data': {'x': [[[]]]}}");
    (void)es_refused(es, POLARIS_ES_TOO_LARGE, NULL, "6", "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {'x': [[[[]]]]}}}");
    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}

Test(hostile_input, a_field_that_stands_twice_is_invalid) {
    expect_refused(POLARIS_ES_INVALID, "op", BYTES("\x82\xa2op\xa4head\xa2op\xa4head"));
}

Test(hostile_input, keys_that_are_no_strings_are_invalid) {
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x82\xa2op\xa4head\x01\x02"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x82\xa2op\xa4head\xc0\x02"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x82\xa2op\xa4head\xc4\x01x\x02"));
    expect_refused(POLARIS_ES_INVALID, NULL, BYTES("\x82\xa2op\xa4head\x90\x02"));
}

Test(hostile_input, an_op_that_is_missing_or_no_string_is_invalid) {
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
        static const char *const REQUESTS[] = {"{}", "{'op': null}", "{'op': 7}", "{'op': ''}", "{'op': ['head']}"};
        for (size_t j = 0; j < sizeof REQUESTS / sizeof REQUESTS[0]; j++) {
            (void)es_refused(es, POLARIS_ES_INVALID, "/op", "op", VERBS[i], "%s", REQUESTS[j]);
        }
    }
    es_close(es);
}

Test(hostile_input, an_unknown_op_is_unsupported_and_the_known_ones_are_named) {
    static const char *const KNOWN[] = {"batch.complete", "histogram", "redrive", "versions"};
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
        (void)es_refused(es, POLARIS_ES_UNSUPPORTED, "/op", KNOWN[i], VERBS[i], "{'op': 'explode', 'x': 1}");
        (void)es_refused(es, POLARIS_ES_UNSUPPORTED, "/op", "EVENTS", VERBS[i], "{'op': 'EVENTS'}");
    }
    es_close(es);
}

Test(hostile_input, every_op_refuses_a_field_that_it_does_not_know) {
    static const struct {
        const char *verb, *request;
    } OPS[] = {
        {"store", "'op': 'append', 'event': {'type': 'a', 'data': {}}"},
        {"store", "'op': 'batch.create', 'id': 'b'"},
        {"store", "'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}"},
        {"store", "'op': 'batch.complete', 'id': 'b'"},
        {"store", "'op': 'batch.abort', 'id': 'b'"},
        {"store", "'op': 'batch.get', 'id': 'b'"},
        {"store", "'op': 'batch.list'"},
        {"query", "'op': 'events'"},
        {"query", "'op': 'get', 'id': 1"},
        {"query", "'op': 'count'"},
        {"query", "'op': 'histogram'"},
        {"query", "'op': 'streams'"},
        {"query", "'op': 'tags'"},
        {"query", "'op': 'batches'"},
        {"query", "'op': 'head'"},
        {"query", "'op': 'interrupt'"},
        {"dlq", "'op': 'put', 'event_id': 1, 'error': {'message': 'm'}"},
        {"dlq", "'op': 'claim'"},
        {"dlq", "'op': 'resolve', 'id': 1"},
        {"dlq", "'op': 'fail', 'id': 1, 'error': {'message': 'm'}"},
        {"dlq", "'op': 'list'"},
        {"dlq", "'op': 'get', 'id': 1"},
        {"dlq", "'op': 'count'"},
        {"dlq", "'op': 'redrive', 'all': true"},
        {"dlq", "'op': 'discard', 'id': 1, 'reason': 'r'"},
        {"dlq", "'op': 'purge'"},
        {"dlq", "'op': 'retry'"},
        {"schema", "'op': 'put', 'type': 'a', 'schema': true"},
        {"schema", "'op': 'get', 'type': 'a'"},
        {"schema", "'op': 'list'"},
        {"schema", "'op': 'versions', 'type': 'a'"},
        {"schema", "'op': 'policy', 'type': 'a', 'policy': 'off'"},
        {"schema", "'op': 'retire', 'type': 'a', 'version': 1"},
        {"schema", "'op': 'validate', 'schema': true, 'data': 1"},
        {"schema", "'op': 'check', 'type': 'a', 'schema': true"},
        {"schema", "'op': 'dry_run', 'type': 'a', 'schema': true"},
        {"dlq", "'op': 'rejected.list'"},
        {"dlq", "'op': 'rejected.get', 'id': 1"},
        {"dlq", "'op': 'rejected.resubmit', 'id': 1"},
        {"dlq", "'op': 'rejected.discard', 'id': 1, 'reason': 'r'"},
        {"dlq", "'op': 'rejected.purge'"},
    };
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof OPS / sizeof OPS[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, "/no~1such~0field", "no/such~field", OPS[i].verb,
                         "{%s, 'no/such~field': 1}", OPS[i].request);
    }
    es_expect(es_ok(es, "query", "{'op': 'head'}"), "{'last_id': 0}");
    es_expect(es_ok(es, "store", "{'op': 'batch.list'}"), "{'count': 0}");
    es_expect(es_ok(es, "schema", "{'op': 'list'}"), "{'count': 0}");
    es_close(es);
}

Test(hostile_input, a_time_that_is_not_a_number_is_invalid) {
    struct es *es = es_open(NULL);
    (void)es_refused(es, POLARIS_ES_INVALID, "/event/time", "time", "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'time': {'$float': 'nan'}}}");
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

Test(hostile_input, a_key_of_65_bytes_is_invalid) {
    struct es *es = es_open(NULL);
    char key[66];
    memset(key, 'k', 65);
    key[65] = '\0';
    (void)es_refused(es, POLARIS_ES_INVALID, "/event/key", "64", "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'key': '%s'}}", key);
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

Test(hostile_input, seventeen_tags_are_invalid) {
    struct es *es = es_open(NULL);
    (void)es_refused(es, POLARIS_ES_INVALID, "/event/tags", "16", "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'tags': ['1','2','3','4','5','6','7','8',"
                     "'9','10','11','12','13','14','15','16','17']}}");
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

Test(hostile_input, a_type_that_is_no_utf_8_or_has_a_nul_is_invalid) {
    static const char *const TYPES[] = {"gA==" /* 80 */, "wK8=" /* overlong */, "7aCA" /* a surrogate */,
                                        "9JCAgA==" /* beyond U+10FFFF */, "4oI=" /* cut */};
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, "/event/type", "UTF-8", "store",
                         "{'op': 'append', 'event': {'type': {'$str': '%s'}, 'data': {}}}", TYPES[i]);
    }
    static const char NUL[] = "\x82\xa2op\xa6"
                              "append\xa5"
                              "event\x82\xa4type\xa3"
                              "a\0b\xa4"
                              "data\x80";
    (void)es_refused_bytes(es, POLARIS_ES_INVALID, "NUL", "store", NUL, sizeof NUL - 1);
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

Test(hostile_input, a_type_longer_than_128_bytes_is_invalid) {
    struct es *es = es_open(NULL);
    char type[130];
    memset(type, 't', 129);
    type[129] = '\0';
    (void)es_refused(es, POLARIS_ES_INVALID, "/event/type", "128", "store",
                     "{'op': 'append', 'event': {'type': '%s', 'data': {}}}", type);
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

Test(hostile_input, a_request_over_the_request_limit_is_too_large) {
    struct es *es = es_open("{'request_size_max': 1024}");
    char text[1100];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
        (void)es_refused(es, POLARIS_ES_TOO_LARGE, NULL, "1024", VERBS[i], "{'op': 'head', 'x': '%s'}", text);
    }
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

Test(hostile_input, names_in_messages_are_bounded) {
    struct es *es = es_open(NULL);
    char *name = malloc(200001);
    cr_assert_not_null(name);
    for (size_t i = 0; i < 200000; i += 2) {
        memcpy(name + i, "\xc3\xa9", 2);
    }
    name[200000] = '\0';
    int32_t status = es_call(es, "query", "{'op': 'head', '%s': 1}", name);
    cr_assert_eq(status, POLARIS_ES_INVALID);
    cr_assert_lt(strlen(es_text(es->reply, "message")), 600);
    status = es_call(es, "query", "{'op': '%s'}", name);
    cr_assert(status == POLARIS_ES_INVALID || status == POLARIS_ES_UNSUPPORTED);
    cr_assert_lt(strlen(es_text(es->reply, "message")), 600);
    free(name);
    es_close(es);
}

/* ---- a file that somebody has damaged ---- */

static void run_sql(const struct es *es, const char *sql) {
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
    char *message = NULL;
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &message), SQLITE_OK, "%s: %s", sql, message);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

/* The triggers that guard events are gone until the store is opened again. */
static void drop_triggers(const struct es *es) {
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
    char sql[4000] = "";
    sqlite3_stmt *rows = NULL;
    cr_assert_eq(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'trigger'", -1, &rows, NULL),
                 SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        size_t used = strlen(sql);
        snprintf(sql + used, sizeof sql - used, "DROP TRIGGER \"%s\";", (const char *)sqlite3_column_text(rows, 0));
    }
    sqlite3_finalize(rows);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

Test(hostile_input, a_damaged_row_is_marked_and_never_fails_the_read) {
    struct es *es = es_open(NULL);
    for (int i = 0; i < 3; i++) {
        (void)es_append(es, "{'type': 'a', 'data': {'x': 1}}");
    }
    es_shutdown(es);
    drop_triggers(es);
    run_sql(es, "UPDATE event SET data = x'ff00ff' WHERE id = 2");
    es_reopen(es, NULL);

    json_t *reply = es_ok(es, "query", "{'op': 'events'}");

    es_expect(reply, "{'count': 3, 'events': [{'id': 1, 'data': {'x': 1}}, {'id': 2, 'damaged': '*'},"
                     " {'id': 3, 'data': {'x': 1}}]}");
    cr_assert_null(json_object_get(json_array_get(json_object_get(reply, "events"), 0), "damaged"));
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 2}"), "{'event': {'type': 'a', 'damaged': '*'}}");
    es_close(es);
}

Test(hostile_input, a_type_that_is_gone_from_its_table_never_breaks_a_read) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {'x': 1}}");
    (void)es_append(es, "{'type': 'b', 'data': {'x': 2}}");
    es_shutdown(es);
    drop_triggers(es);
    run_sql(es, "PRAGMA foreign_keys = OFF; DELETE FROM type WHERE name = 'a'");
    es_reopen(es, NULL);
    es_expect(es_ok(es, "query", "{'op': 'events'}"),
              "{'events': [{'id': 1, 'data': {'x': 1}, 'damaged': '*'}, {'id': 2, 'type': 'b'}]}");
    es_close(es);
}
