/* schema_try.c: payloads held against schemas, and schemas over stored events, without consequences. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "es.h"

Test(schema_try, a_payload_is_held_against_the_current_version_or_another) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'required': ['x']}}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'required': ['y']}}");
    es_expect(es_ok(es, "schema", "{'op': 'validate', 'type': 'a', 'data': {'x': 1}}"),
              "{'valid': false, 'type': 'a', 'version': 2, 'truncated': false, 'failures': [{'code': 'required'}]}");
    es_expect(es_ok(es, "schema", "{'op': 'validate', 'type': 'a', 'version': 1, 'data': {'x': 1}}"),
              "{'valid': true, 'version': 1, 'failures': []}");
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, "/version", NULL, "schema",
                     "{'op': 'validate', 'type': 'a', 'version': 3, 'data': {}}");
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, "/type", NULL, "schema", "{'op': 'validate', 'type': 'b', 'data': {}}");
    cr_expect_eq(es_event_count(es), 0);
    es_close(es);
}

Test(schema_try, any_value_may_be_held_against_a_schema_that_is_not_put) {
    struct es *es = es_open(NULL);
    static const struct {
        const char *schema, *data;
        bool valid;
    } CASES[] = {
        {"{'type': 'null'}", "null", true},
        {"{'type': 'integer'}", "1.0", true},
        {"{'const': 1}", "1.0", true},
        {"{'const': 0}", "false", false},
        {"'{\\'type\\': \\'string\\'}'", "'x'", true},
        {"false", "1", false},
        {"{'format': 'ipv4', 'type': 'string'}", "'1'", true},
        {"{'maximum': 9223372036854775807}", "9223372036854775808.0", false},
        {"{'maxLength': 1}", "'\xF0\x9F\x92\xA9'", true},
        {"{'uniqueItems': true}", "[1, 1.0]", false},
        {"{'multipleOf': 0.01}", "4.35", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        es_expect(es_ok(es, "schema", "{'op': 'validate', 'schema': %s, 'data': %s}", CASES[i].schema, CASES[i].data),
                  "{'valid': %s}", CASES[i].valid ? "true" : "false");
    }
    es_expect(es_ok(es, "schema",
                    "{'op': 'validate', 'schema': {'format': 'ipv4', 'type': 'string'}, 'data': '1',"
                    " 'format': 'assert'}"),
              "{'valid': false}");
    es_expect(es_ok(es, "schema", "{'op': 'validate', 'schema': true, 'data': {'$float': 'nan'}}"),
              "{'valid': false, 'failures': [{'code': 'model'}]}");
    es_expect(es_ok(es, "schema", "{'op': 'validate', 'schema': true, 'data': {'$float': 'nan'}, 'extended': true}"),
              "{'valid': true}");
    es_close(es);
}

Test(schema_try, failures_can_be_cut_and_values_hidden_by_the_call) {
    struct es *es = es_open(NULL);
    json_t *reply = es_ok(es, "schema",
                          "{'op': 'validate', 'schema': {'items': {'minimum': 5}}, 'data': [1, 2, 3],"
                          " 'failures_max': 2, 'hide_values': true}");
    es_expect(reply, "{'truncated': true, 'failures': [{'instance': '/0', 'offset': 1}, {'instance': '/1'}]}");
    const char *line = es_text(json_array_get(json_object_get(reply, "failures"), 0), "line");
    cr_expect_null(strstr(line, "got 1"), "%s", line);
    es_close(es);
}

Test(schema_try, a_payload_can_be_measured) {
    struct es *es = es_open(NULL);
    json_t *reply =
        es_ok(es, "schema", "{'op': 'validate', 'schema': {'type': 'object'}, 'data': {'a': 1}, 'repeat': 100}");
    es_expect(reply, "{'valid': true, 'timing': {'repeat': 100, 'size': 4, 'values': 3, 'tape_ns': '*',"
                     " 'evaluate_ns': '*', 'both_ns': '*'}}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/repeat", NULL, "schema",
                     "{'op': 'validate', 'schema': true, 'data': 1, 'repeat': 1000001}");
    es_close(es);
}

Test(schema_try, readers_validate_and_see_what_the_writer_puts_meanwhile) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'const': {'n': 1}}}");
    polaris_es *reader = NULL;
    json_t *reply = NULL;
    cr_assert_eq(es_init_second(es, "{'mode': 'read'}", &reader, &reply), POLARIS_ES_OK);
    json_decref(reply);
    polaris_es *writer = es->self;

    es->self = reader;
    es_expect(es_ok(es, "schema", "{'op': 'validate', 'type': 'a', 'data': {'n': 2}}"), "{'valid': false}");
    (void)es_refused(es, POLARIS_ES_READ_ONLY, NULL, NULL, "schema", "{'op': 'put', 'type': 'a', 'schema': true}");
    es->self = writer;
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'const': {'n': 2}}}");
    es->self = reader;
    es_expect(es_ok(es, "schema", "{'op': 'validate', 'type': 'a', 'data': {'n': 2}}"),
              "{'valid': true, 'version': 2}");
    es->self = writer;
    cr_assert_eq(es->table->shutdown(reader, (polaris_bytes){0}, NULL), POLARIS_ES_OK);
    es_close(es);
}

/* Ten events a with n from 1 to 10 and a name that grows with it, and one of another type. */
static struct es *open_with_numbers(void) {
    struct es *es = es_open(NULL);
    for (int n = 1; n <= 10; n++) {
        char name[16] = "xxxxxxxxxxxxxxx";
        name[n] = '\0';
        (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'n': %d, 'name': '%s'}}}", n, name);
    }
    (void)es_append(es, "{'type': 'b', 'data': {}}");
    return es;
}

Test(schema_try, a_dry_run_counts_and_shows_the_three_smallest_counter_examples) {
    struct es *es = open_with_numbers();
    es_expect(es_ok(es, "schema", "{'op': 'dry_run', 'type': 'a', 'schema': {'properties': {'n': {'maximum': 4}}}}"),
              "{'checked': 10, 'valid': 4, 'invalid': 6, 'newly_invalid': 6, 'newly_valid': 0, 'failed': 0,"
              " 'last_id': 10, 'more': false, 'newly_valid_examples': [], 'newly_invalid_examples':"
              " [{'id': 5, 'size': '*', 'failures': [{'instance': '/n', 'code': 'maximum'}]}, {'id': 6}, {'id': 7}]}");
    es_close(es);
}

Test(schema_try, a_dry_run_compares_with_the_current_version_in_both_directions) {
    struct es *es = open_with_numbers();
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'properties': {'n': {'minimum': 4}}}}");
    es_expect(es_ok(es, "schema",
                    "{'op': 'dry_run', 'type': 'a', 'schema': {'properties': {'n': {'minimum': 2, 'maximum': 8}}}}"),
              "{'checked': 10, 'valid': 7, 'invalid': 3, 'newly_invalid': 2, 'newly_valid': 2,"
              " 'newly_invalid_examples': [{'id': 9}, {'id': 10}], 'newly_valid_examples': [{'id': 2, 'failures':"
              " [{'code': 'minimum'}]}, {'id': 3}]}");
    es_expect(es_ok(es, "schema", "{'op': 'versions', 'type': 'a'}"), "{'latest': 1}");
    es_close(es);
}

Test(schema_try, a_dry_run_goes_on_where_it_ended) {
    struct es *es = open_with_numbers();
    static const char RUN[] = "{'op': 'dry_run', 'type': 'a', 'schema': {}, 'limit': 4, 'after': %lld}";
    json_t *reply = es_ok(es, "schema", RUN, 0LL);
    es_expect(reply, "{'checked': 4, 'last_id': 4, 'more': true}");
    es_expect(es_ok(es, "schema", RUN, 4LL), "{'checked': 4, 'last_id': 8, 'more': true}");
    es_expect(es_ok(es, "schema", RUN, 8LL), "{'checked': 2, 'last_id': 10, 'more': false}");
    es_expect(es_ok(es, "schema", "{'op': 'dry_run', 'type': 'none', 'schema': {}}"), "{'checked': 0, 'more': false}");
    es_close(es);
}

Test(schema_try, events_that_hit_a_limit_are_counted_apart) {
    struct es *es = es_open("{'validation_steps_max': 1000}");
    char many[8192] = "1";
    for (int i = 1; i < 2000; i++) {
        strcat(many, ",1");
    }
    (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'x': [%s]}}}", many);
    es_expect(es_ok(es, "schema",
                    "{'op': 'dry_run', 'type': 'a', 'schema': {'properties': {'x': {'items': {'type': 'integer'}}}}}"),
              "{'checked': 1, 'valid': 0, 'invalid': 0, 'failed': 1}");
    es_close(es);
}
