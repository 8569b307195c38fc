/* limits.c: requests at the edge of what SPEC.md allows, and requests that are made again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"

Test(limits, a_filter_may_name_as_many_types_and_tags_as_the_specification_says) {
    struct es *es = es_open(NULL);
    char types[1024] = "", tags[256] = "";
    for (int i = 0; i < 64; i++) {
        snprintf(types + strlen(types), sizeof types - strlen(types), "%s'type%d'", i > 0 ? "," : "", i);
        es_ok(es, "store", "{'op': 'append', 'event': {'type': 'type%d', 'data': {}, 'tags': ['tag%d']}}", i, i % 16);
    }
    for (int i = 0; i < 16; i++) {
        snprintf(tags + strlen(tags), sizeof tags - strlen(tags), "%s'tag%d'", i > 0 ? "," : "", i);
    }
    static const char *const ORDERS[] = {"'order_by': 'id'", "'order_by': 'time'", "'order': 'desc'"};
    for (size_t i = 0; i < sizeof ORDERS / sizeof ORDERS[0]; i++) {
        char request[2048];
        snprintf(request, sizeof request,
                 "'op': 'events', %s, 'limit': 40, 'filter': {'types': [%s], 'tags_any': [%s], 'from': 0}", ORDERS[i],
                 types, tags);
        json_t *reply = es_ok(es, "query", "{%s}", request);
        es_expect(reply, "{'count': 40, 'more': true}");
        char *cursor = strdup(es_text(reply, "cursor"));
        es_expect(es_ok(es, "query", "{%s, 'cursor': '%s'}", request, cursor), "{'count': 24, 'more': false}");
        free(cursor);
    }
    es_close(es);
}

Test(limits, the_path_of_the_configuration_is_named_when_it_is_no_file) {
    struct es *es = es_open(NULL);
    static const char *const PATHS[] = {".", "/tmp/", "/tmp/..", "/dev/null"};
    for (size_t i = 0; i < sizeof PATHS / sizeof PATHS[0]; i++) {
        char config[64];
        polaris_es *self = NULL;
        json_t *reply = NULL;
        snprintf(config, sizeof config, "{'path': '%s'}", PATHS[i]);
        cr_expect_eq(es_init_second(es, config, &self, &reply), POLARIS_ES_INVALID);
        es_expect(reply, "{'details': {'path': '/path'}}");
        json_decref(reply);
    }
    es_close(es);
}

Test(limits, the_longest_stream_is_named_whole_in_the_details_of_a_conflict) {
    struct es *es = es_open(NULL);
    char stream[257];
    memset(stream, 's', sizeof stream - 1);
    stream[sizeof stream - 1] = '\0';

    json_t *reply = es_refused(es, POLARIS_ES_CONFLICT, "/event", NULL, "store",
                               "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': '%s',"
                               " 'expected_version': 3}}",
                               stream);

    cr_expect_str_eq(es_text(json_object_get(reply, "details"), "stream"), stream);
    es_close(es);
}

Test(limits, a_request_with_keys_may_be_repeated_whatever_its_condition) {
    static const char REQUEST[] = "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'tags': ['x'], 'key': 'one'},"
                                  " {'type': 'a', 'data': {}, 'key': 'two', 'stream': 's', 'expected_version': 0}],"
                                  " 'condition': {'filter': {'tags_any': ['x']}}}";
    struct es *es = es_open(NULL);
    es_ok(es, "store", "%s", REQUEST);

    es_expect(es_ok(es, "store", "%s", REQUEST), "{'ids': [1, 2], 'versions': [null, 1], 'duplicates': 2}");
    cr_expect_eq(es_event_count(es), 2);

    /* One event more, or other content under a key: that is another request. */
    es_refused(es, POLARIS_ES_CONFLICT, "/condition", NULL, "store",
               "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'tags': ['x'], 'key': 'one'},"
               " {'type': 'b', 'data': {}}], 'condition': {'filter': {'tags_any': ['x']}}}");
    es_refused(es, POLARIS_ES_CONFLICT, "/condition", NULL, "store",
               "{'op': 'append', 'event': {'type': 'a', 'data': {'n': 1}, 'tags': ['x'], 'key': 'one'},"
               " 'condition': {'filter': {'tags_any': ['x']}}}");
    cr_expect_eq(es_event_count(es), 2);
    es_close(es);
}

Test(limits, a_request_with_keys_may_be_repeated_when_the_store_is_full) {
    static const char REQUEST[] = "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'key': 'one'}}";
    struct es *es = es_open(NULL);
    es_ok(es, "store", "%s", REQUEST);
    es_reopen(es, "{'store_size_max': 1}");

    es_expect(es_ok(es, "store", "%s", REQUEST), "{'ids': [1], 'duplicates': 1}");
    es_refused(es, POLARIS_ES_FULL, NULL, NULL, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
    es_close(es);
}

Test(limits, what_waits_behind_an_entry_of_its_stream_is_not_said_to_be_due) {
    struct es *es = es_open(NULL);
    es_ok(es, "store",
          "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'stream': 's'},"
          " {'type': 'a', 'data': {}, 'stream': 's'}, {'type': 'a', 'data': {}, 'stream': 'other'}]}");
    for (int id = 1; id <= 3; id++) {
        es_ok(es, "dlq", "{'op': 'put', 'event_id': %d, 'error': {'message': 'm'}, 'delay_us': %d}", id,
              id == 3 ? 7000000 : 0);
    }

    json_t *reply = es_ok(es, "dlq", "{'op': 'claim', 'ordered': true, 'limit': 10, 'lease_us': 9000000}");

    es_expect(reply, "{'count': 1, 'entries': [{'event_id': 1}], 'next_due_at': %lld}",
              (long long)ES_START_US + 7 * ES_SECOND_US);
    es_expect(es_ok(es, "dlq", "{'op': 'claim', 'limit': 0}"), "{'count': 0, 'next_due_at': %lld}",
              (long long)ES_START_US);
    es_close(es);
}

/* {"op": "append", "event": {"type": TYPE, "data": {"p": "xxx…"}}} */
static uint8_t *large_request(char type, size_t size, size_t *ret_size) {
    static const char HEAD[] = "\x82\xa2op\xa6"
                               "append\xa5"
                               "event\x82\xa4type\xa1?\xa4"
                               "data\x81\xa1p\xdb";
    size_t head = sizeof HEAD - 1;
    uint8_t *data = malloc(head + 4 + size);
    cr_assert_not_null(data);
    memcpy(data, HEAD, head);
    *(char *)memchr(data, '?', head) = type;
    for (int i = 0; i < 4; i++) {
        data[head + (size_t)i] = (uint8_t)(size >> (24 - 8 * i));
    }
    memset(data + head + 4, 'x', size);
    *ret_size = head + 4 + size;
    return data;
}

Test(limits, the_largest_event_is_stored_kept_and_given_back, .timeout = 120) {
    enum { LARGE = 67108864 - 16 };
    struct es *es = es_open("{'event_size_max': 67108864, 'request_size_max': 134217728, 'durability': 'normal'}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'k', 'schema': {'required': ['id']}}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'k', 'policy': 'dead_letter'}");
    size_t size = 0;
    uint8_t *event = large_request('a', LARGE, &size);
    cr_assert_eq(es_call_bytes(es, "store", event, size), POLARIS_ES_OK);
    free(event);
    event = large_request('k', LARGE, &size);
    cr_assert_eq(es_call_bytes(es, "store", event, size), POLARIS_ES_OK);
    es_expect(es->reply, "{'ids': [null], 'rejected': [{'id': 1}]}");
    free(event);

    static const char *const REQUESTS[][2] = {{"query", "{'op': 'get', 'id': 1}"},
                                              {"dlq", "{'op': 'rejected.get', 'id': 1}"}};
    for (int i = 0; i < 2; i++) {
        struct es_sink sink;
        es_sink_init(&sink);
        void *request = es_pack(REQUESTS[i][1], &size);
        polaris_bytes bytes = {request, size};
        cr_assert_eq(es_verb(es->table, REQUESTS[i][0])(es->self, bytes, &sink.sink), POLARIS_ES_OK);
        cr_expect_gt(sink.size, LARGE);
        free(request);
        es_sink_done(&sink);
    }
    event = large_request('a', LARGE + 32, &size);
    (void)es_refused_bytes(es, POLARIS_ES_TOO_LARGE, NULL, "store", event, size);
    free(event);
    es_close(es);
}
