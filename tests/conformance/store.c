/* store.c: appending events: what comes back, what is refused, and what is promised. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"

Test(store, append_gives_ids_in_order_and_the_events_come_back_as_they_were) {
    struct es *es = es_open(NULL);

    json_t *reply = es_ok(es, "store",
                          "{'op': 'append', 'events': [{'type': 'node_created', 'data': {'id': 'alice'}},"
                          " {'type': 'node_created', 'data': {'id': 'bob'}, 'stream': 'node:bob', 'metadata': {}}]}");

    es_expect(reply, "{'ids': [1, 2], 'versions': [null, 1], 'duplicates': 0, 'recorded_at': %lld, 'last_id': 2}",
              (long long)ES_START_US);
    es_expect(es_ok(es, "query", "{'op': 'events'}"),
              "{'count': 2, 'more': false, 'last_id': 2, 'cursor': '*', 'events': ["
              "{'id': 1, 'type': 'node_created', 'data': {'id': 'alice'}, 'time': %lld, 'recorded_at': %lld},"
              "{'id': 2, 'type': 'node_created', 'data': {'id': 'bob'}, 'stream': 'node:bob', 'version': 1,"
              " 'metadata': {}}]}",
              (long long)ES_START_US, (long long)ES_START_US);
    es_close(es);
}

Test(store, every_field_of_an_event_comes_back) {
    struct es *es = es_open(NULL);
    static const char EVENT[] = "{'type': 'typ\xc3\xa9', 'time': 5, 'data': {'a': [1, null, true, 'x']},"
                                " 'metadata': {'user': 'u'}, 'stream': 's', 'tags': ['node:a', 'edge:a>b'],"
                                " 'key': 'k', 'correlation': 'co', 'causation': 'ca'}";
    (void)es_append(es, EVENT);

    json_t *event = json_object_get(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "event");

    es_expect(event, "%s", EVENT);
    es_expect(event, "{'id': 1, 'version': 1, 'recorded_at': %lld}", (long long)ES_START_US);
    cr_assert_null(json_object_get(event, "batch"));
    cr_assert_null(json_object_get(event, "schema_version"));
    cr_assert_null(json_object_get(event, "damaged"));
    es_close(es);
}

Test(store, optional_fields_that_were_not_given_are_absent) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'metadata': null, 'stream': null, 'tags': null, 'key': null}");

    json_t *event = json_object_get(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "event");

    cr_assert_eq(json_object_size(event), 5, "id, type, time, recorded_at and data");
    es_close(es);
}

/* ---- payloads ---- */

/* Forms that a second encoder would not choose: a long form of 1, a str16, a float32, an ext, a map16. */
#define ODD_PAYLOAD                                                                                                    \
    "\xde\x00\x05"                                                                                                     \
    "\xd9\x01"                                                                                                         \
    "a"                                                                                                                \
    "\xcf\x00\x00\x00\x00\x00\x00\x00\x01"                                                                             \
    "\xa1"                                                                                                             \
    "b"                                                                                                                \
    "\xda\x00\x01x"                                                                                                    \
    "\xa1"                                                                                                             \
    "c"                                                                                                                \
    "\xca\x7f\xc0\x00\x00"                                                                                             \
    "\xa1"                                                                                                             \
    "d"                                                                                                                \
    "\xd4\x05\xff"                                                                                                     \
    "\xa1"                                                                                                             \
    "e"                                                                                                                \
    "\xc5\x00\x02\x00\x01"

Test(store, payloads_come_back_byte_for_byte) {
    struct es *es = es_open(NULL);
    static const char REQUEST[] = "\x82\xa2op\xa6"
                                  "append\xa5"
                                  "event\x83\xa4type\xa1t\xa4"
                                  "data" ODD_PAYLOAD "\xa8metadata" ODD_PAYLOAD;
    cr_assert_eq(es_call_bytes(es, "store", REQUEST, sizeof REQUEST - 1), POLARIS_ES_OK);
    es_reopen(es, NULL);

    struct es_sink sink;
    es_sink_init(&sink);
    static const char GET[] = "\x82\xa2op\xa3get\xa2id\x01";
    polaris_bytes request = {(const uint8_t *)GET, sizeof GET - 1};
    cr_assert_eq(es->table->query(es->self, request, &sink.sink), POLARIS_ES_OK);

    static const char DATA[] = "\xa4"
                               "data" ODD_PAYLOAD;
    static const char METADATA[] = "\xa8metadata" ODD_PAYLOAD;
    cr_assert_not_null(memmem(sink.data, sink.size, DATA, sizeof DATA - 1));
    cr_assert_not_null(memmem(sink.data, sink.size, METADATA, sizeof METADATA - 1));
    es_sink_done(&sink);
    es_close(es);
}

Test(store, an_empty_metadata_map_stays_an_empty_map_and_is_not_the_same_as_none) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'metadata': {}}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");

    json_t *events = json_object_get(es_ok(es, "query", "{'op': 'events'}"), "events");

    const json_t *metadata = json_object_get(json_array_get(events, 0), "metadata");
    cr_assert(json_is_object(metadata) && json_object_size(metadata) == 0);
    cr_assert_null(json_object_get(json_array_get(events, 1), "metadata"));
    es_close(es);
}

Test(store, nan_and_infinity_survive) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {'x': {'$float': 'nan'}, 'y': {'$float': '-inf'}}}");
    es_reopen(es, NULL);
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 1}"),
              "{'event': {'data': {'x': {'$float': 'nan'}, 'y': {'$float': '-inf'}}}}");
    es_close(es);
}

Test(store, integers_to_the_ends_of_64_bits_survive) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {'min': -9223372036854775808, 'max': {'$uint':"
                        " '18446744073709551615'}, 'odd': 9007199254740993}}");
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 1}"),
              "{'event': {'data': {'min': -9223372036854775808, 'max': {'$uint': '18446744073709551615'},"
              " 'odd': 9007199254740993}}}");
    es_close(es);
}

/* ---- times ---- */

Test(store, a_time_that_is_not_given_is_the_hosts_clock) {
    struct es *es = es_open(NULL);
    atomic_store(&es->now_us, 1234567);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "{'event': {'time': 1234567, 'recorded_at': 1234567}}");
    es_close(es);
}

Test(store, recorded_at_never_goes_back_though_the_clock_and_time_do) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    atomic_fetch_sub(&es->now_us, 3600 * (int64_t)ES_SECOND_US);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': 1}");
    es_reopen(es, NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': -1}");

    long long start = ES_START_US;
    es_expect(
        es_ok(es, "query", "{'op': 'events'}"),
        "{'events': [{'recorded_at': %lld}, {'recorded_at': %lld, 'time': 1}, {'recorded_at': %lld, 'time': -1}]}",
        start, start, start);
    es_close(es);
}

Test(store, a_msgpack_timestamp_is_the_same_time_cut_to_microseconds) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': {'$ext': [-1, 'AAAAAQ==']}}");         /* 1 s */
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': {'$ext': [-1, 'O5rJ////////////']}}"); /* long form */

    json_t *events = json_object_get(es_ok(es, "query", "{'op': 'events'}"), "events");

    es_expect(json_array_get(events, 0), "{'time': 1000000}");
    es_expect(json_array_get(events, 1), "{'time': -1}"); /* -1 s and 999,999,999 ns; 0.999999999 is cut */
    es_close(es);
}

Test(store, times_outside_of_the_calendar_and_those_that_are_no_integers_are_refused) {
    struct es *es = es_open(NULL);
    static const char *const TIMES[] = {
        "253402300800000000",     "-62135596800000001",        "1.0", "{'$float': 'nan'}", "'now'",
        "{'$ext': [-1, 'AAA=']}", "{'$ext': [3, 'AAAAAQ==']}", "true"};
    for (size_t i = 0; i < sizeof TIMES / sizeof TIMES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, "/event/time", "time", "store",
                         "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'time': %s}}", TIMES[i]);
    }
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': 253402300799999999}");
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': -62135596800000000}");
    cr_assert_eq(es_event_count(es), 2);
    es_close(es);
}

/* ---- ids, transactions ---- */

Test(store, one_request_is_one_transaction_all_its_events_or_none) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'stream': 's'}");

    (void)es_refused(es, POLARIS_ES_CONFLICT, "/events/1", "s", "store",
                     "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'stream': 't', 'tags': ['x']},"
                     " {'type': 'b', 'data': {}, 'stream': 's', 'expected_version': 'none'}]}");

    cr_assert_eq(es_event_count(es), 1);
    es_expect(es_ok(es, "query", "{'op': 'streams'}"), "{'count': 1}");
    es_expect(es_ok(es, "query", "{'op': 'tags'}"), "{'count': 0}");
    es_expect(es_ok(es, "query", "{'op': 'histogram'}"), "{'buckets': [{'type': 'a', 'count': 1}]}");
    es_close(es);
}

Test(store, ids_grow_over_requests_reopening_and_failures) {
    struct es *es = es_open(NULL);
    int64_t last = 0;
    for (int i = 0; i < 20; i++) {
        int64_t id = es_append(es, "{'type': 'a', 'data': {}}");
        cr_assert_gt(id, last);
        last = id;
        (void)es_refused(es, POLARIS_ES_CONFLICT, "/event", NULL, "store",
                         "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's',"
                         " 'expected_version': 'exists'}}");
        if (i % 5 == 0) {
            es_reopen(es, NULL);
        }
    }
    es_close(es);
}

Test(store, what_was_acknowledged_is_there_after_reopening) {
    struct es *es = es_open(NULL);
    for (int i = 0; i < 50; i++) {
        (void)es_append(es, "{'type': 'a', 'data': {}}");
    }
    es_reopen(es, NULL);
    cr_assert_eq(es_event_count(es), 50);
    es_expect(es_ok(es, "query", "{'op': 'head'}"), "{'first_id': 1, 'last_id': 50}");
    es_close(es);
}

Test(store, the_host_is_woken_with_the_last_id) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "store", "{'op': 'append', 'events': [{'type': 'a', 'data': {}}, {'type': 'a', 'data': {}}]}");
    es_shutdown(es); /* by then it was; the call itself does not wait for it */
    cr_assert_eq(atomic_load(&es->woken), 2);
    es_close(es);
}

/* ---- expected_version ---- */

Test(store, an_expected_version_that_holds_is_no_hindrance) {
    struct es *es = es_open(NULL);
    static const char *const EXPECTED[] = {"'none'", "'exists'", "2", "'any'", "4"};
    for (int64_t i = 0; i < 5; i++) {
        es_expect(es_ok(es, "store",
                        "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': %s}}",
                        EXPECTED[i]),
                  "{'versions': [%lld]}", (long long)i + 1);
    }
    es_expect(es_ok(es, "store",
                    "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 't', 'expected_version': 0}}"),
              "{'versions': [1]}");
    es_close(es);
}

Test(store, append_with_stale_expected_version_conflicts_and_writes_nothing) {
    struct es *es = es_open(NULL);
    static const char *const STALE[] = {"'none'", "0", "1", "3"};
    (void)es_append(es, "{'type': 'a', 'data': {}, 'stream': 's'}");
    (void)es_append(es, "{'type': 'a', 'data': {}, 'stream': 's'}");
    for (size_t i = 0; i < sizeof STALE / sizeof STALE[0]; i++) {
        json_t *reply = es_refused(es, POLARIS_ES_CONFLICT, "/event", "version 2", "store",
                                   "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's',"
                                   " 'expected_version': %s}}",
                                   STALE[i]);
        es_expect(reply, "{'retryable': false, 'details': {'stream': 's', 'expected': '*', 'current_version': 2}}");
    }
    (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, NULL, "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 'new',"
                     " 'expected_version': 'exists'}}");
    cr_assert_eq(es_event_count(es), 2);
    es_close(es);
}

Test(store, expected_version_sees_the_events_before_it_in_the_same_request) {
    struct es *es = es_open(NULL);
    es_expect(es_ok(es, "store",
                    "{'op': 'append', 'events': ["
                    "{'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 'none'},"
                    "{'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 1}]}"),
              "{'versions': [1, 2]}");
    es_close(es);
}

Test(store, expected_version_needs_a_stream_and_one_of_its_forms) {
    struct es *es = es_open(NULL);
    (void)es_refused(es, POLARIS_ES_INVALID, "/event/expected_version", "stream", "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'expected_version': 1}}");
    static const char *const WRONG[] = {"'some'", "-1", "1.0", "true", "[]"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, "/event/expected_version", NULL, "store",
                         "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': %s}}",
                         WRONG[i]);
    }
    es_close(es);
}

/* ---- keys ---- */

Test(store, the_same_key_and_content_is_ok_with_the_first_id) {
    struct es *es = es_open(NULL);
    static const char EVENT[] = "{'type': 'a', 'data': {'x': 1}, 'metadata': {'m': 1}, 'stream': 's',"
                                " 'tags': ['t'], 'key': 'k', 'correlation': 'co', 'causation': 'ca'}";
    es_expect(es_ok(es, "store", "{'op': 'append', 'event': %s}", EVENT), "{'ids': [1], 'duplicates': 0}");
    atomic_fetch_add(&es->now_us, ES_SECOND_US);
    es_reopen(es, NULL);

    es_expect(es_ok(es, "store", "{'op': 'append', 'event': %s}", EVENT),
              "{'ids': [1], 'versions': [1], 'duplicates': 1, 'last_id': 1}");

    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}

Test(store, the_same_key_with_other_content_is_a_conflict_that_names_the_first) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {'x': 1}, 'key': 'k', 'time': 5}");
    static const char *const OTHERS[] = {
        "{'type': 'b', 'data': {'x': 1}, 'key': 'k'}",
        "{'type': 'a', 'data': {'x': 2}, 'key': 'k'}",
        "{'type': 'a', 'data': {'x': 1}, 'key': 'k', 'time': 6}",
        "{'type': 'a', 'data': {'x': 1}, 'key': 'k', 'metadata': {}}",
        "{'type': 'a', 'data': {'x': 1}, 'key': 'k', 'stream': 's'}",
        "{'type': 'a', 'data': {'x': 1}, 'key': 'k', 'tags': ['t']}",
        "{'type': 'a', 'data': {'x': 1}, 'key': 'k', 'correlation': 'c'}",
        "{'type': 'a', 'data': {'x': 1}, 'key': 'k', 'causation': 'c'}",
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        json_t *reply = es_refused(es, POLARIS_ES_CONFLICT, "/events/1", "key", "store",
                                   "{'op': 'append', 'events': [{'type': 'z', 'data': {}}, %s]}", OTHERS[i]);
        es_expect(reply, "{'details': {'id': 1}}");
    }
    cr_assert_eq(es_event_count(es), 1);
    (void)es_append(es, "{'type': 'a', 'data': {'x': 1}, 'key': 'k'}"); /* a time that is not given is no difference */
    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}

Test(store, a_key_twice_in_one_request_is_stored_once) {
    struct es *es = es_open(NULL);
    es_expect(es_ok(es, "store",
                    "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'key': 'k'},"
                    " {'type': 'a', 'data': {}}, {'type': 'a', 'data': {}, 'key': 'k'}]}"),
              "{'ids': [1, 2, 1], 'duplicates': 1, 'last_id': 2}");
    es_close(es);
}

Test(store, a_key_may_be_binary) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'key': {'$bin': 'AP8B'}}");
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "{'event': {'key': {'$bin': 'AP8B'}}}");
    (void)es_append(es, "{'type': 'a', 'data': {}, 'key': {'$bin': 'AP8B'}}");
    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}

/* ---- condition ---- */

Test(store, a_condition_fails_the_append_if_an_event_matches_after_the_id) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'tags': ['x']}");
    (void)es_append(es, "{'type': 'b', 'data': {}, 'tags': ['y']}");

    json_t *reply = es_refused(es, POLARIS_ES_CONFLICT, "/condition", "1", "store",
                               "{'op': 'append', 'event': {'type': 'c', 'data': {}},"
                               " 'condition': {'filter': {'tags_any': ['x']}}}");
    es_expect(reply, "{'details': {'id': 1}}");
    (void)es_ok(es, "store",
                "{'op': 'append', 'event': {'type': 'c', 'data': {}},"
                " 'condition': {'filter': {'tags_any': ['x']}, 'after': 1}}");
    (void)es_refused(es, POLARIS_ES_CONFLICT, "/condition", NULL, "store",
                     "{'op': 'append', 'event': {'type': 'c', 'data': {}},"
                     " 'condition': {'filter': {'types': ['c']}, 'after': 2}}");
    cr_assert_eq(es_event_count(es), 3);
    es_close(es);
}

Test(store, a_condition_that_is_malformed_is_refused_by_path) {
    struct es *es = es_open(NULL);
    static const struct {
        const char *condition, *path;
    } CASES[] = {
        {"7", "/condition"},
        {"{'filter': 7}", "/condition/filter"},
        {"{'filter': {'typs': ['a']}}", "/condition/filter/typs"},
        {"{'filter': {}, 'after': -1}", "/condition/after"},
        {"{'filter': {}, 'since': 1}", "/condition/since"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, CASES[i].path, NULL, "store",
                         "{'op': 'append', 'event': {'type': 'c', 'data': {}}, 'condition': %s}", CASES[i].condition);
    }
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

/* ---- limits ---- */

Test(store, an_event_needs_a_type_and_data_and_a_request_needs_an_event) {
    struct es *es = es_open(NULL);
    static const struct {
        const char *fields, *path;
    } CASES[] = {
        {"'event': {'data': {}}", "/event/type"},
        {"'event': {'type': 'a'}", "/event/data"},
        {"'event': {'type': 'a', 'data': []}", "/event/data"},
        {"'event': {'type': 'a', 'data': {}, 'metadata': 'm'}", "/event/metadata"},
        {"'event': {'type': '', 'data': {}}", "/event/type"},
        {"'event': {'type': 7, 'data': {}}", "/event/type"},
        {"'event': {'type': 'a', 'data': {}, 'tags': 'x'}", "/event/tags"},
        {"'event': {'type': 'a', 'data': {}, 'tags': ['x', 7]}", "/event/tags/1"},
        {"'event': {'type': 'a', 'data': {}, 'tags': ['x', '']}", "/event/tags/1"},
        {"'event': {'type': 'a', 'data': {}, 'colour': 'red'}", "/event/colour"},
        {"'event': {'type': 'a', 'data': {}, 'stream': ''}", "/event/stream"},
        {"'event': []", "/event"},
        {"'events': {}", "/events"},
        {"'events': [7]", "/events/0"},
        {"'events': [{'type': 'a', 'data': {}}, {'type': 'a', 'data': 7}]", "/events/1/data"},
        {"'events': []", "/events"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, CASES[i].path, NULL, "store", "{'op': 'append', %s}", CASES[i].fields);
    }
    (void)es_refused(es, POLARIS_ES_INVALID, NULL, "event", "store", "{'op': 'append'}");
    (void)es_refused(es, POLARIS_ES_INVALID, NULL, "event", "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {}}, 'events': [{'type': 'a', 'data': {}}]}");
    cr_assert_eq(es_event_count(es), 0);
    es_close(es);
}

static char *repeated(size_t count) {
    char *text = malloc(count + 1);
    cr_assert_not_null(text);
    memset(text, 'x', count);
    text[count] = '\0';
    return text;
}

Test(store, names_fit_to_their_last_byte_and_not_beyond) {
    static const struct {
        const char *field;
        size_t size_max;
        const char *open, *close;
    } NAMES[] = {
        {"type", 128, "'", "'"},        {"stream", 256, "'", "'"},    {"key", 64, "'", "'"},
        {"correlation", 128, "'", "'"}, {"causation", 128, "'", "'"}, {"tags", 256, "['", "']"},
    };
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        const char *type = strcmp(NAMES[i].field, "type") == 0 ? "" : ", 'type': 'a'";
        for (size_t extra = 0; extra < 2; extra++) {
            char *text = repeated(NAMES[i].size_max + extra);
            char request[600];
            snprintf(request, sizeof request, "{'op': 'append', 'event': {'data': {}%s, '%s': %s%s%s}}", type,
                     NAMES[i].field, NAMES[i].open, text, NAMES[i].close);
            if (extra == 0) {
                (void)es_ok(es, "store", "%s", request);
            } else {
                char path[64];
                snprintf(path, sizeof path, "/event/%s%s", NAMES[i].field, NAMES[i].open[0] == '[' ? "/0" : "");
                (void)es_refused(es, POLARIS_ES_INVALID, path, NAMES[i].field, "store", "%s", request);
            }
            free(text);
        }
    }
    cr_assert_eq(es_event_count(es), sizeof NAMES / sizeof NAMES[0]);
    es_close(es);
}

Test(store, an_event_over_its_size_limit_is_too_large) {
    struct es *es = es_open("{'event_size_max': 100}");
    char *fits = repeated(100 - 6);
    char *over = repeated(100 - 5);
    /* a map of one pair: 1, "x": 2, and the text with a str8 header: 2 */
    (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'x': '%s'}}}", fits);
    (void)es_refused(es, POLARIS_ES_TOO_LARGE, "/events/1", "100", "store",
                     "{'op': 'append', 'events': [{'type': 'a', 'data': {}},"
                     " {'type': 'a', 'data': {'x': '%s'}, 'metadata': {'y': 1}}]}",
                     over);
    cr_assert_eq(es_event_count(es), 1);
    free(fits);
    free(over);
    es_close(es);
}

Test(store, more_events_than_a_request_may_have_are_refused) {
    struct es *es = es_open("{'request_events_max': 2}");
    static const char E[] = "{'type': 'a', 'data': {}}";
    (void)es_ok(es, "store", "{'op': 'append', 'events': [%s, %s]}", E, E);
    int32_t status = es_call(es, "store", "{'op': 'append', 'events': [%s, %s, %s]}", E, E, E);
    cr_assert(status == POLARIS_ES_TOO_LARGE || status == POLARIS_ES_INVALID);
    es_expect(es->reply, "{'details': {'path': '/events'}}");
    cr_assert_eq(es_event_count(es), 2);
    es_close(es);
}

Test(store, sixteen_tags_fit_and_a_repeated_one_counts_once) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'tags': ['1','2','3','4','5','6','7','8','9','10','11','12','13',"
                        "'14','15','1']}");
    es_expect(es_ok(es, "query", "{'op': 'tags', 'prefix': '1', 'limit': 1}"), "{'tags': [{'tag': '1', 'count': 1}]}");
    json_t *event = json_object_get(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "event");
    cr_assert_eq(json_array_size(json_object_get(event, "tags")), 16, "the tags come back as they came");
    es_close(es);
}

Test(store, a_closed_set_of_types_refuses_others) {
    struct es *es = es_open("{'types': ['node_created', 'mine']}");
    (void)es_append(es, "{'type': 'mine', 'data': {}}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/event/type", "other", "store",
                     "{'op': 'append', 'event': {'type': 'other', 'data': {}}}");
    es_close(es);
}

Test(store, types_that_nobody_knows_are_welcome_while_the_set_is_open) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'never heard of', 'data': {}}");
    es_expect(es_ok(es, "query", "{'op': 'events'}"), "{'events': [{'type': 'never heard of'}]}");
    es_close(es);
}

Test(store, a_full_store_refuses_appends_while_dead_letters_still_work) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    es_reopen(es, "{'store_size_max': 4096}");

    json_t *reply = es_refused(es, POLARIS_ES_FULL, NULL, "store_size_max", "store",
                               "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");

    es_expect(reply, "{'retryable': true}");
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}}");
    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}
