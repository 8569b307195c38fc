/* dlq_operate.c: dead letters for operators: finding, counting, redriving and purging them; and malformed requests. */
#include "dlq_support.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* ---- get, list, count ---- */

Test(dlq_operate, get_gives_the_entry_with_its_event_if_that_is_wanted) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    es_expect(es_ok(es, "dlq", "{'op': 'get', 'id': 1, 'with_event': true}"), "{'entry': {'event': {'id': 1}}}");
    cr_assert_null(json_object_get(get_entry(es, 1), "event"));
    es_close(es);
}

Test(dlq_operate, lists_go_by_consumer_state_and_stream_page_by_page) {
    struct es *es = open_with_events(6);
    for (int i = 1; i <= 6; i++) {
        (void)put(es, i, i <= 4 ? "x" : "y");
    }
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 2}");
    (void)es_ok(es, "dlq", "{'op': 'fail', 'id': 3, 'error': {'message': 'm'}, 'park': true}");
    static const struct {
        const char *fields, *entries;
    } CASES[] = {
        {"'limit': 10", "[{'id': 1}, {'id': 2}, {'id': 3}, {'id': 4}, {'id': 5}, {'id': 6}]"},
        {"'consumer': 'y'", "[{'id': 5}, {'id': 6}]"},
        {"'states': ['parked', 'resolved']", "[{'id': 2, 'state': 'resolved'}, {'id': 3, 'state': 'parked'}]"},
        {"'consumer': 'x', 'states': ['pending']", "[{'id': 1}, {'id': 4}]"},
        {"'stream': 's1'", "[{'id': 1}, {'id': 3}, {'id': 5}]"},
        {"'consumer': 'x', 'stream': 's0'", "[{'id': 2}, {'id': 4}]"},
        {"'consumer': 'nobody'", "[]"},
        {"'stream': 'never'", "[]"},
        {"'limit': 0", "[]"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        es_expect(es_ok(es, "dlq", "{'op': 'list', %s}", CASES[i].fields), "{'entries': %s}", CASES[i].entries);
    }
    char cursor[700];
    json_t *page = es_ok(es, "dlq", "{'op': 'list', 'consumer': 'x', 'limit': 3, 'with_events': true}");
    es_expect(page, "{'count': 3, 'more': true, 'entries': [{'id': 1, 'event': {'id': 1}}, {'id': 2}, {'id': 3}]}");
    snprintf(cursor, sizeof cursor, "%s", es_text(page, "cursor"));
    es_expect(es_ok(es, "dlq", "{'op': 'list', 'consumer': 'x', 'cursor': '%s'}", cursor),
              "{'entries': [{'id': 4}], 'more': false}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/cursor", "filter", "dlq",
                     "{'op': 'list', 'consumer': 'y', 'cursor': '%s'}", cursor);
    es_close(es);
}

Test(dlq_operate, counts_are_given_by_consumer_and_state) {
    struct es *es = open_with_events(4);
    (void)put(es, 1, "x");
    (void)put(es, 2, "x");
    (void)put(es, 3, "x");
    (void)put(es, 4, "y");
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 1}");
    (void)es_ok(es, "dlq", "{'op': 'fail', 'id': 2, 'error': {'message': 'm'}, 'park': true}");
    pass_seconds(es, 1);
    es_expect(es_ok(es, "dlq", "{'op': 'count'}"),
              "{'total': 4, 'consumers': [{'consumer': 'x', 'pending': 1, 'claimed': 0, 'resolved': 1, 'parked': 1,"
              " 'discarded': 0, 'due': 1}, {'consumer': 'y', 'pending': 1, 'due': 1}]}");
    es_expect(es_ok(es, "dlq", "{'op': 'count', 'consumer': 'y'}"), "{'total': 1, 'consumers': [{'consumer': 'y'}]}");
    (void)claim_one(es, "x");
    es_expect(es_ok(es, "dlq", "{'op': 'count', 'consumer': 'x'}"),
              "{'consumers': [{'pending': 0, 'claimed': 1, 'due': 0}]}");
    es_close(es);
}

/* ---- redrive, purge ---- */

Test(dlq_operate, one_entry_is_redriven_and_is_due_at_once_with_all_attempts_ahead) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    (void)es_ok(es, "dlq", "{'op': 'fail', 'id': 1, 'error': {'message': 'm'}, 'park': true}");

    es_expect(es_ok(es, "dlq", "{'op': 'redrive', 'event_id': 1}"),
              "{'count': 1, 'entry': {'event_id': 1, 'state': 'pending', 'attempts': 0, 'due_at': %lld}}",
              now_plus(es, 0));

    cr_assert_eq(claim_count(es, ""), 1);
    es_close(es);
}

Test(dlq_operate, many_entries_are_redriven_by_consumer_stream_and_state_or_all) {
    struct es *es = open_with_events(6);
    for (int i = 1; i <= 6; i++) {
        (void)put(es, i, i <= 3 ? "x" : "y");
    }
    (void)es_ok(es, "dlq", "{'op': 'fail', 'id': 1, 'error': {'message': 'm'}, 'park': true}");
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 2}");
    static const struct {
        const char *fields;
        int count;
    } CASES[] = {{"'states': ['parked']", 1}, {"'consumer': 'x'", 2},
                 {"'stream': 's0'", 2},       {"'consumer': 'y', 'stream': 's1', 'states': ['pending', 'parked']", 1},
                 {"'consumer': 'nobody'", 0}, {"'all': true", 5}};
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        json_t *reply = es_ok(es, "dlq", "{'op': 'redrive', %s}", CASES[i].fields);
        es_expect(reply, "{'count': %d}", CASES[i].count);
        cr_assert_null(json_object_get(reply, "entry"));
    }
    es_close(es);
}

Test(dlq_operate, a_redrive_must_say_which_ones) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    static const char *const UNCLEAR[] = {
        "",
        ", 'all': false",
        ", 'all': true, 'consumer': 'x'",
        ", 'all': true, 'id': 1",
        ", 'id': 1, 'stream': 's'",
        ", 'event_id': 1, 'states': ['parked']",
    };
    for (size_t i = 0; i < sizeof UNCLEAR / sizeof UNCLEAR[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, NULL, "which", "dlq", "{'op': 'redrive'%s}", UNCLEAR[i]);
    }
    (void)es_refused(es, POLARIS_ES_INVALID, "/states/0", "resolved", "dlq",
                     "{'op': 'redrive', 'states': ['resolved']}");
    es_close(es);
}

Test(dlq_operate, purge_removes_what_ended_and_nothing_that_lives) {
    struct es *es = open_with_events(5);
    for (int i = 1; i <= 5; i++) {
        (void)put(es, i, i <= 3 ? "x" : "y");
    }
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 1}");
    (void)es_ok(es, "dlq", "{'op': 'discard', 'id': 2, 'reason': 'r'}");
    long long before = now_plus(es, 1);
    pass_seconds(es, 1);
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 4}");
    es_expect(es_ok(es, "dlq", "{'op': 'purge', 'consumer': 'nobody'}"), "{'count': 0}");
    es_expect(es_ok(es, "dlq", "{'op': 'purge', 'states': ['discarded'], 'before': %lld}", before), "{'count': 1}");
    es_expect(es_ok(es, "dlq", "{'op': 'purge', 'before': %lld}", before), "{'count': 1}");
    es_expect(es_ok(es, "dlq", "{'op': 'purge', 'stream': 's1'}"), "{'count': 0}");
    es_expect(es_ok(es, "dlq", "{'op': 'purge'}"), "{'count': 1}");
    es_expect(es_ok(es, "dlq", "{'op': 'list'}"), "{'entries': [{'id': 3}, {'id': 5}]}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/states/0", "pending", "dlq", "{'op': 'purge', 'states': ['pending']}");
    es_close(es);
}

/* ---- requests ---- */

Test(dlq_operate, malformed_requests_are_refused_by_field) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    static const struct {
        const char *request, *path;
    } CASES[] = {
        {"'op': 'put', 'error': {'message': 'm'}", "/event_id"},
        {"'op': 'put', 'event_id': 0, 'error': {'message': 'm'}", "/event_id"},
        {"'op': 'put', 'event_id': 1", "/error"},
        {"'op': 'put', 'event_id': 1, 'error': 'boom'", "/error"},
        {"'op': 'put', 'event_id': 1, 'error': {}", "/error/message"},
        {"'op': 'put', 'event_id': 1, 'error': {'message': 7}", "/error/message"},
        {"'op': 'put', 'event_id': 1, 'error': {'message': 'm', 'class': ''}", "/error/class"},
        {"'op': 'put', 'event_id': 1, 'error': {'message': 'm', 'stack': 's'}", "/error/stack"},
        {"'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'attempts_max': 0", "/attempts_max"},
        {"'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'attempts_max': 1001", "/attempts_max"},
        {"'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'delay_us': -1", "/delay_us"},
        {"'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'consumer': ''", "/consumer"},
        {"'op': 'claim', 'limit': -1", "/limit"},
        {"'op': 'claim', 'limit': 1001", "/limit"},
        {"'op': 'claim', 'lease_us': 999", "/lease_us"},
        {"'op': 'claim', 'lease_us': 86400000001", "/lease_us"},
        {"'op': 'claim', 'holder': ''", "/holder"},
        {"'op': 'claim', 'ordered': 1", "/ordered"},
        {"'op': 'claim', 'attempts_max': 1", "/attempts_max"},
        {"'op': 'retry', 'limit': 1001", "/limit"},
        {"'op': 'retry', 'limit': -1", "/limit"},
        {"'op': 'retry', 'attempts_max': 0", "/attempts_max"},
        {"'op': 'resolve'", "/id"},
        {"'op': 'resolve', 'consumer': 'x'", "/id"},
        {"'op': 'resolve', 'id': 1, 'event_id': 1", "/id"},
        {"'op': 'resolve', 'id': 1, 'consumer': 'x'", "/id"},
        {"'op': 'resolve', 'id': '1'", "/id"},
        {"'op': 'resolve', 'id': 1, 'token': 'x'", "/token"},
        {"'op': 'resolve', 'id': 1, 'error': {}", "/error"},
        {"'op': 'fail', 'id': 1", "/error"},
        {"'op': 'fail', 'id': 1, 'error': {'message': 'm'}, 'park': 'yes'", "/park"},
        {"'op': 'get', 'id': 1, 'with_event': 1", "/with_event"},
        {"'op': 'get'", "/id"},
        {"'op': 'list', 'states': 'pending'", "/states"},
        {"'op': 'list', 'states': []", "/states"},
        {"'op': 'list', 'states': ['pending', 'dead']", "/states/1"},
        {"'op': 'list', 'limit': 100001", "/limit"},
        {"'op': 'list', 'stream': 7", "/stream"},
        {"'op': 'count', 'state': 'pending'", "/state"},
        {"'op': 'purge', 'before': 'now'", "/before"},
        {"'op': 'purge', 'all': true", "/all"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, CASES[i].path, NULL, "dlq", "{%s}", CASES[i].request);
    }
    es_expect(get_entry(es, 1), "{'state': 'pending', 'attempts': 0, 'failures': ['*']}");
    es_close(es);
}
