/* rejected.c: entries of what validation did not allow: found, corrected, resubmitted, discarded. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "es.h"

/* A type whose schema wants an integer n, and the entries 1 and 2 of events that had none. */
static struct es *open_with_entries(void) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema",
                "{'op': 'put', 'type': 'a', 'schema': {'required': ['n'], 'properties':"
                " {'n': {'type': 'integer'}}}}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'policy': 'dead_letter'}");
    es_expect(es_ok(es, "store",
                    "{'op': 'append', 'events': [{'type': 'a', 'data': {'n': 'x'}, 'stream': 's',"
                    " 'tags': ['t'], 'metadata': {'m': 1}}, {'type': 'a', 'data': {}, 'key': 'k'}]}"),
              "{'ids': [null, null], 'rejected': [{'id': 1}, {'id': 2}]}");
    return es;
}

Test(rejected, an_entry_has_the_event_as_it_came_and_the_reasons) {
    struct es *es = open_with_entries();
    es_reopen(es, NULL);
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.get', 'id': 1}"),
              "{'entry': {'id': 1, 'type': 'a', 'schema_version': 1, 'state': 'waiting', 'created_at': %lld,"
              " 'updated_at': %lld, 'event': {'type': 'a', 'data': {'n': 'x'}, 'stream': 's', 'tags': ['t'],"
              " 'metadata': {'m': 1}}, 'failures': [{'instance': '/n', 'code': 'type'}]}}",
              (long long)ES_START_US, (long long)ES_START_US);
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, "/id", "3", "dlq", "{'op': 'rejected.get', 'id': 3}");
    es_close(es);
}

Test(rejected, entries_are_listed_by_type_and_state_page_by_page) {
    struct es *es = open_with_entries();
    (void)es_ok(es, "dlq", "{'op': 'rejected.discard', 'id': 1, 'reason': 'test data'}");
    json_t *page = es_ok(es, "dlq", "{'op': 'rejected.list', 'limit': 1}");
    es_expect(page, "{'entries': [{'id': 1, 'state': 'discarded', 'reason': 'test data'}], 'count': 1, 'more': true}");
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s", es_text(page, "cursor"));
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.list', 'limit': 1, 'cursor': '%s'}", cursor),
              "{'entries': [{'id': 2}], 'more': false}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.list', 'states': ['waiting']}"), "{'entries': [{'id': 2}]}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.list', 'type': 'b'}"), "{'entries': []}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/states/0", NULL, "dlq", "{'op': 'rejected.list', 'states': ['parked']}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/cursor", NULL, "dlq",
                     "{'op': 'rejected.list', 'type': 'a', 'cursor': '%s'}", cursor);
    es_close(es);
}

Test(rejected, a_corrected_event_is_stored_and_ends_the_entry) {
    struct es *es = open_with_entries();
    es->now_us += 5 * ES_SECOND_US;
    es_expect(es_ok(es, "dlq",
                    "{'op': 'rejected.resubmit', 'id': 1, 'event': {'type': 'a', 'data': {'n': 1},"
                    " 'stream': 's'}}"),
              "{'id': 1, 'version': 1, 'entry': {'id': 1, 'state': 'resubmitted', 'event_id': 1}}");
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 1}"),
              "{'event': {'data': {'n': 1}, 'schema_version': 1, 'time': %lld}}", (long long)ES_START_US);
    (void)es_refused(es, POLARIS_ES_ALREADY, "/id", NULL, "dlq",
                     "{'op': 'rejected.resubmit', 'id': 1, 'event': {'type': 'a', 'data': {'n': 1}}}");
    (void)es_refused(es, POLARIS_ES_CLOSED, "/id", NULL, "dlq",
                     "{'op': 'rejected.discard', 'id': 1, 'reason': 'late'}");
    es_close(es);
}

Test(rejected, what_a_newer_schema_allows_is_stored_as_it_came) {
    struct es *es = open_with_entries();
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {}}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.resubmit', 'id': 1}"), "{'id': 1}");
    es_expect(
        es_ok(es, "query", "{'op': 'get', 'id': 1}"),
        "{'event': {'data': {'n': 'x'}, 'metadata': {'m': 1}, 'tags': ['t'], 'stream': 's', 'schema_version': 2}}");
    es_close(es);
}

Test(rejected, what_is_still_not_allowed_stays_an_entry) {
    struct es *es = open_with_entries();
    json_t *reply = es_refused(es, POLARIS_ES_REJECTED, "/event", "/n", "dlq", "{'op': 'rejected.resubmit', 'id': 1}");
    es_expect(json_object_get(reply, "details"), "{'failures': [{'code': 'type'}]}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.list'}"),
              "{'entries': [{'id': 1, 'state': 'waiting'}, {'id': 2, 'state': 'waiting'}]}");
    cr_expect_eq(es_event_count(es), 0);
    es_close(es);
}

Test(rejected, a_request_that_is_repeated_under_its_key_is_kept_once) {
    struct es *es = open_with_entries();
    static const char APPEND[] = "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'key': 'k'}}";
    es_expect(es_ok(es, "store", APPEND), "{'ids': [null], 'rejected': [{'id': 2}]}");
    (void)es_ok(es, "dlq", "{'op': 'rejected.discard', 'id': 2, 'reason': 'r'}");
    es_expect(es_ok(es, "store", APPEND), "{'rejected': [{'id': 3}]}");
    es_close(es);
}

Test(rejected, only_what_ended_is_purged) {
    struct es *es = open_with_entries();
    (void)es_ok(es, "dlq", "{'op': 'rejected.discard', 'id': 2, 'reason': 'r'}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/states/0", NULL, "dlq",
                     "{'op': 'rejected.purge', 'states': ['waiting']}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.purge', 'type': 'b'}"), "{'count': 0}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.purge', 'before': %lld}", (long long)ES_START_US), "{'count': 0}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.purge'}"), "{'count': 1}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.list'}"), "{'entries': [{'id': 1}]}");
    es_close(es);
}

Test(rejected, entries_can_be_dealt_with_when_the_store_is_full) {
    struct es *es = open_with_entries();
    es_reopen(es, "{'store_size_max': 1}");
    (void)es_refused(es, POLARIS_ES_FULL, NULL, NULL, "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {'n': 1}}}");
    (void)es_ok(es, "dlq", "{'op': 'rejected.discard', 'id': 1, 'reason': 'r'}");
    (void)es_ok(es, "dlq", "{'op': 'rejected.purge'}");
    es_close(es);
}

Test(rejected, whether_an_entry_waits_is_asked_before_what_its_event_is_worth) {
    struct es *es = open_with_entries();
    (void)es_ok(es, "dlq", "{'op': 'rejected.discard', 'id': 1, 'reason': 'r'}");
    static const char *const POLICIES[] = {"reject", "dead_letter"};
    for (size_t i = 0; i < 2; i++) {
        (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'policy': '%s'}", POLICIES[i]);
        (void)es_refused(es, POLARIS_ES_CLOSED, "/id", NULL, "dlq", "{'op': 'rejected.resubmit', 'id': 1}");
        (void)es_refused(es, POLARIS_ES_NOT_FOUND, "/id", NULL, "dlq",
                         "{'op': 'rejected.resubmit', 'id': 9, 'event': {'type': 'a', 'data': {}}}");
        (void)es_refused(es, POLARIS_ES_REJECTED, "/event", "/n", "dlq",
                         "{'op': 'rejected.resubmit', 'id': 2, 'event': {'type': 'a', 'data': {'n': 'x'}}}");
    }
    es_close(es);
}
