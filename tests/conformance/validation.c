/* validation.c: events held against the schemas of their types before they are stored. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "es.h"

/* Items with prices, as the errors of SPEC.md show them. */
static const char ORDER[] =
    "{'type': 'object', 'required': ['items'], 'properties': {'items': {'type': 'array', 'items':"
    " {'properties': {'price': {'type': 'number', 'minimum': 0}}}}}}";

static struct es *open_with(const char *policy) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'order', 'schema': %s}", ORDER);
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'order', 'policy': '%s'}", policy);
    return es;
}

static int64_t schema_version_of(struct es *es, int64_t id) {
    json_t *event = json_object_get(es_ok(es, "query", "{'op': 'get', 'id': %lld}", (long long)id), "event");
    json_t *version = json_object_get(event, "schema_version");
    return version != NULL ? json_integer_value(version) : 0;
}

static const char *first_line(const json_t *list) {
    return es_text(json_array_get(json_object_get(list, "failures"), 0), "line");
}

Test(validation, a_valid_event_is_stored_with_the_version_that_it_was_validated_by) {
    struct es *es = open_with("reject");
    int64_t first = es_append(es, "{'type': 'order', 'data': {'items': [{'price': 1}]}}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'order', 'schema': {'type': 'object'}}");
    int64_t second = es_append(es, "{'type': 'order', 'data': {}}");
    int64_t other = es_append(es, "{'type': 'unknown', 'data': {}}");
    cr_expect_eq(schema_version_of(es, first), 1);
    cr_expect_eq(schema_version_of(es, second), 2);
    cr_expect_eq(schema_version_of(es, other), 0);
    es_close(es);
}

Test(validation, reject_refuses_the_whole_request_and_says_where_and_why) {
    struct es *es = open_with("reject");
    json_t *reply = es_refused(es, POLARIS_ES_REJECTED, "/events/1", "must be >= 0", "store",
                               "{'op': 'append', 'events': [{'type': 'order', 'data': {'items': []}},"
                               " {'type': 'order', 'data': {'items': [{}, {}, {}, {'price': -1}]}}]}");
    const json_t *details = json_object_get(reply, "details");
    es_expect(details, "{'type': 'order', 'version': 1, 'truncated': false, 'failures': [{"
                       "'instance': '/items/3/price', 'keyword': '/properties/items/items/properties/price/minimum',"
                       " 'code': 'minimum', 'location': '*', 'message': '*', 'offset': '*', 'line': '*'}]}");
    cr_expect_str_eq(first_line(details),
                     "/items/3/price: must be >= 0 (got -1) [properties/items/items/properties/price/minimum]");
    cr_expect_eq(es_event_count(es), 0);
    es_close(es);
}

Test(validation, the_json_model_is_refused_with_code_path_and_offset) {
    struct es *es = open_with("reject");
    static const struct {
        const char *data, *instance;
        int offset;
    } CASES[] = {
        {"{'items': [], 'b': {'$bin': 'AA=='}}", "/b", 10},
        {"{'items': [], 'b': {'$ext': [5, 'AA==']}}", "/b", 10},
        {"{'items': [], 'b': {'$float': 'nan'}}", "/b", 10},
        {"{'items': [], 'b': {'$float': '-inf'}}", "/b", 10},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        json_t *reply = es_refused(es, POLARIS_ES_REJECTED, "/event", NULL, "store",
                                   "{'op': 'append', 'event': {'type': 'order', 'data': %s}}", CASES[i].data);
        es_expect(json_object_get(reply, "details"),
                  "{'failures': [{'code': 'model', 'instance': '%s', 'offset': %d}]}", CASES[i].instance,
                  CASES[i].offset);
    }
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'order', 'extended': true}");
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'order', 'data': %s}}", CASES[i].data);
    }
    es_close(es);
}

Test(validation, format_is_an_annotation_unless_the_type_asserts_it) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema",
                "{'op': 'put', 'type': 'a', 'schema': {'properties': {'when': {'format': 'date-time'}}}}");
    (void)es_append(es, "{'type': 'a', 'data': {'when': 'soon'}}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'format': 'assert'}");
    (void)es_refused(es, POLARIS_ES_REJECTED, "/event", "date-time", "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {'when': 'soon'}}}");
    (void)es_append(es, "{'type': 'a', 'data': {'when': '2026-01-01T00:00:00Z'}}");
    es_close(es);
}

Test(validation, warn_stores_the_event_and_tells_reply_and_log) {
    struct es *es = open_with("warn");
    int before = es->log_count;
    json_t *reply = es_ok(es, "store",
                          "{'op': 'append', 'events': [{'type': 'order', 'data': {'items': []}},"
                          " {'type': 'order', 'data': {'items': 7}}]}");
    es_expect(reply, "{'ids': [1, 2], 'warnings': [{'index': 1, 'type': 'order', 'version': 1, 'truncated': false,"
                     " 'failures': [{'instance': '/items', 'code': 'type'}]}]}");
    cr_assert_null(json_object_get(reply, "rejected"));
    cr_expect_eq(es->log_count, before + 1);
    cr_expect_not_null(strstr(es->log, "/items: "), "%s", es->log);
    cr_expect_eq(schema_version_of(es, 2), 1);
    es_close(es);
}

Test(validation, off_validates_nothing) {
    struct es *es = open_with("off");
    int64_t id = es_append(es, "{'type': 'order', 'data': {}}");
    cr_expect_eq(schema_version_of(es, id), 0);
    es_close(es);
}

Test(validation, dead_letter_keeps_what_is_not_allowed_and_stores_the_rest) {
    struct es *es = open_with("dead_letter");
    json_t *reply = es_ok(es, "store",
                          "{'op': 'append', 'events': [{'type': 'order', 'data': {'items': [1]}},"
                          " {'type': 'order', 'data': {'items': 7}}, {'type': 'other', 'data': {}}]}");
    es_expect(reply,
              "{'ids': [1, null, 2], 'versions': [null, null, null], 'last_id': 2,"
              " 'rejected': [{'index': 1, 'id': 1, 'type': 'order', 'version': 1, 'failures': [{'code': 'type'}]}]}");
    cr_expect_eq(es_event_count(es), 2);
    es_close(es);
}

Test(validation, a_request_that_fails_keeps_nothing_of_what_was_not_allowed) {
    struct es *es = open_with("dead_letter");
    (void)es_refused(es, POLARIS_ES_CONFLICT, "/events/1", NULL, "store",
                     "{'op': 'append', 'events': [{'type': 'order', 'data': {}}, {'type': 'other', 'data': {},"
                     " 'stream': 's', 'expected_version': 5}]}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.list'}"), "{'count': 0}");
    es_close(es);
}

Test(validation, what_was_stored_under_its_key_is_found_whatever_the_schema_says_now) {
    struct es *es = open_with("off");
    static const char REQUEST[] = "{'op': 'append', 'event': {'type': 'order', 'data': {'items': 1}, 'key': '%s'}}";
    (void)es_ok(es, "store", REQUEST, "k");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'order', 'policy': 'reject'}");
    es_expect(es_ok(es, "store", REQUEST, "k"), "{'ids': [1], 'duplicates': 1}");
    json_t *reply = es_refused(es, POLARIS_ES_REJECTED, "/event", NULL, "store", REQUEST, "new");
    es_expect(json_object_get(reply, "details"), "{'type': 'order', 'version': 1, 'failures': [{'code': 'type'}]}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'order', 'policy': 'dead_letter'}");
    reply = es_ok(es, "store", REQUEST, "k");
    es_expect(reply, "{'ids': [1], 'duplicates': 1}");
    cr_expect_null(json_object_get(reply, "rejected"));
    es_close(es);
}

Test(validation, drafts_of_a_batch_are_validated_when_they_are_appended) {
    struct es *es = open_with("reject");
    (void)es_ok(es, "store", "{'op': 'batch.create', 'id': 'b'}");
    static const char APPEND[] =
        "{'op': 'batch.append', 'id': 'b', 'events': [{'type': 'order', 'data': {'items': []}},"
        " {'type': 'order', 'data': {'items': 7}}]}";
    (void)es_refused(es, POLARIS_ES_REJECTED, "/events/1", "/items", "store", APPEND);
    es_expect(es_ok(es, "store", "{'op': 'batch.get', 'id': 'b'}"), "{'batch': {'count': 0}}");

    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'order', 'policy': 'dead_letter'}");
    es_expect(es_ok(es, "store", APPEND), "{'count': 1, 'rejected': [{'index': 1, 'id': 1}]}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'order', 'schema': {'required': ['never']}}");
    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}"), "{'batch': {'count': 1}}");
    cr_expect_eq(schema_version_of(es, 1), 1, "the version that validated the draft");
    es_close(es);
}

Test(validation, a_limit_is_an_error_and_never_a_verdict) {
    struct es *es = es_open("{'validation_steps_max': 1000}");
    (void)es_ok(es, "schema",
                "{'op': 'put', 'type': 'a', 'schema': {'not': {'properties': {'x': {'items':"
                " {'type': 'string'}}}}}}");
    char many[8192] = "1";
    for (int i = 1; i < 2000; i++) {
        strcat(many, ",1");
    }
    json_t *reply = es_refused(es, POLARIS_ES_TOO_LARGE, "/event", "steps_max", "store",
                               "{'op': 'append', 'event': {'type': 'a', 'data': {'x': [%s]}}}", many);
    es_expect(json_object_get(reply, "details"), "{'limit': 1000}");

    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'policy': 'dead_letter'}");
    es_expect(es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'x': [%s]}}}", many),
              "{'ids': [null], 'rejected': [{'failures': [{'code': 'limit'}]}]}");
    es_close(es);
}

Test(validation, failures_are_cut_at_the_configured_count_and_values_can_be_hidden) {
    struct es *es = es_open("{'failures_max': 2, 'hide_values': true}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'additionalProperties': {'minimum': 1000}}}");
    json_t *reply = es_refused(es, POLARIS_ES_REJECTED, "/event", NULL, "store",
                               "{'op': 'append', 'event': {'type': 'a', 'data': {'a': 17, 'b': 17, 'c': 17}}}");
    const json_t *details = json_object_get(reply, "details");
    cr_expect_eq(json_array_size(json_object_get(details, "failures")), 2);
    es_expect(details, "{'truncated': true}");
    cr_expect_null(strstr(first_line(details), "17"), "%s", first_line(details));
    es_close(es);
}

Test(validation, another_build_that_opens_the_store_compiles_what_is_kept) {
    struct es *es = open_with("reject");
    es_shutdown(es);
    es->table = es_table_b();
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    (void)es_refused(es, POLARIS_ES_REJECTED, "/event", NULL, "store",
                     "{'op': 'append', 'event': {'type': 'order', 'data': {}}}");
    cr_expect_eq(schema_version_of(es, es_append(es, "{'type': 'order', 'data': {'items': []}}")), 1);
    es_close(es);
}

Test(validation, many_types_are_forgotten_and_compiled_again) {
    struct es *es = es_open("{'schema_cache_kib': 1024}");
    char enumeration[6000] = "0";
    for (int i = 1; i < 1000; i++) {
        snprintf(enumeration + strlen(enumeration), sizeof enumeration - strlen(enumeration), ",%d", i);
    }
    enum { TYPES = 40 };
    for (int i = 0; i < TYPES; i++) {
        (void)es_ok(es, "schema", "{'op': 'put', 'type': 't%d', 'schema': {'properties': {'n': {'enum': [%s]}}}}", i,
                    enumeration);
    }
    for (int i = 0; i < 2 * TYPES; i++) {
        (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 't%d', 'data': {'n': 999}}}", i % TYPES);
        (void)es_refused(es, POLARIS_ES_REJECTED, "/event", NULL, "store",
                         "{'op': 'append', 'event': {'type': 't%d', 'data': {'n': 1000}}}", i % TYPES);
    }
    es_close(es);
}

Test(validation, many_events_with_long_reports_are_told_in_brief) {
    struct es *es = es_open("{'reply_size_max': 65536, 'failures_max': 100}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'additionalProperties': {'type': 'string'}}}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'policy': 'dead_letter'}");
    enum { EVENTS = 40, KEYS = 30 };
    static char events[EVENTS * KEYS * 16];
    for (int i = 0; i < EVENTS; i++) {
        size_t used = strlen(events);
        used += (size_t)snprintf(events + used, sizeof events - used, "%s{'type': 'a', 'data': {", i > 0 ? "," : "");
        for (int j = 0; j < KEYS; j++) {
            used += (size_t)snprintf(events + used, sizeof events - used, "%s'k%d': 1", j > 0 ? "," : "", j);
        }
        (void)snprintf(events + used, sizeof events - used, "}}");
    }
    json_t *rejected = json_object_get(es_ok(es, "store", "{'op': 'append', 'events': [%s]}", events), "rejected");
    cr_assert_eq(json_array_size(rejected), EVENTS);
    es_expect(json_array_get(rejected, 0), "{'truncated': false}");
    cr_expect_eq(json_array_size(json_object_get(json_array_get(rejected, 0), "failures")), KEYS);
    es_expect(json_array_get(rejected, EVENTS - 1), "{'truncated': true, 'failures': [{'code': 'type', 'line': '*'}]}");
    es_close(es);
}

Test(validation, a_limit_is_no_reason_to_forget_what_was_stored_under_a_key) {
    struct es *es = es_open(NULL);
    char many[8192] = "1";
    for (int i = 1; i < 2000; i++) {
        strcat(many, ",1");
    }
    static const char APPEND[] = "{'op': 'append', 'event': {'type': 'a', 'data': {'x': [%s]}, 'key': '%s'}}";
    (void)es_ok(es, "store", APPEND, many, "k");
    (void)es_ok(es, "schema",
                "{'op': 'put', 'type': 'a', 'schema': {'properties': {'x': {'items': {'type': 'string'}}}}}");
    es_reopen(es, "{'validation_steps_max': 1000}");
    es_expect(es_ok(es, "store", APPEND, many, "k"), "{'ids': [1], 'duplicates': 1}");
    json_t *reply =
        es_refused(es, POLARIS_ES_TOO_LARGE, "/event", "validation_steps_max", "store", APPEND, many, "new");
    es_expect(json_object_get(reply, "details"), "{'limit_name': 'validation_steps_max', 'limit': 1000}");
    es_close(es);
}

Test(validation, a_request_with_keys_may_be_repeated_though_one_event_was_kept_as_rejected) {
    struct es *es = open_with("dead_letter");
    static const char APPEND[] = "{'op': 'append', 'events': [{'type': 'order', 'data': {'items': []}, 'key': 'a'},"
                                 " {'type': 'order', 'data': {}, 'key': 'b'}], 'condition': {'after': 0}}";
    es_expect(es_ok(es, "store", APPEND), "{'ids': [1, null], 'rejected': [{'id': 1}]}");
    es_expect(es_ok(es, "store", APPEND), "{'ids': [1, null], 'duplicates': 1, 'rejected': [{'id': 1}]}");
    es_close(es);
}

Test(validation, a_schema_that_cannot_be_used_any_more_is_told_with_the_event_and_the_way_out) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'properties': {'x': {'pattern': 'a+b'}}}}");
    es_reopen(es, "{'schema_patterns_max': 0}");
    json_t *reply = es_refused(es, POLARIS_ES_TOO_LARGE, "/events/1", "raise the limit", "store",
                               "{'op': 'append', 'events': [{'type': 'b', 'data': {}}, {'type': 'a', 'data': {}}]}");
    es_expect(json_object_get(reply, "details"), "{'limit_name': 'schema_patterns_max', 'limit': 0}");
    (void)es_refused(es, POLARIS_ES_TOO_LARGE, NULL, "schema_patterns_max", "schema",
                     "{'op': 'validate', 'type': 'a', 'data': {}}");
    (void)es_refused(es, POLARIS_ES_TOO_LARGE, NULL, "schema_patterns_max", "schema",
                     "{'op': 'policy', 'type': 'a', 'policy': 'warn'}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'policy': 'off'}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    es_close(es);
}
