/* schema.c: the registry: numbered versions that never change, and policies. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"

Test(schema, versions_are_numbered) {
    struct es *es = es_open(NULL);
    static const char PUT[] = "{'op': 'put', 'type': 'a', 'schema': {'type': '%s'}}";
    es_expect(es_ok(es, "schema", PUT, "object"), "{'type': 'a', 'version': 1, 'created': true}");
    es_expect(es_ok(es, "schema", PUT, "object"), "{'version': 1, 'created': false}");
    es_expect(es_ok(es, "schema", PUT, "array"), "{'version': 2, 'created': true}");
    es_expect(es_ok(es, "schema", PUT, "object"), "{'version': 3, 'created': true}");
    es_close(es);
}

Test(schema, a_schema_comes_back_as_it_came_whatever_its_form) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object'}, 'metadata': {'by': 'me'}}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': true}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': '{ }'}");
    es_reopen(es, NULL);

    es_expect(es_ok(es, "schema", "{'op': 'get', 'type': 'a', 'version': 1}"),
              "{'type': 'a', 'version': 1, 'format': 'msgpack', 'schema': {'type': 'object'}, 'created_at': %lld,"
              " 'metadata': {'by': 'me'}}",
              (long long)ES_START_US);
    json_t *second = es_ok(es, "schema", "{'op': 'get', 'type': 'a', 'version': 2}");
    es_expect(second, "{'format': 'msgpack', 'schema': true}");
    cr_assert_null(json_object_get(second, "metadata"));
    es_expect(es_ok(es, "schema", "{'op': 'get', 'type': 'a'}"), "{'version': 3, 'format': 'json', 'schema': '{ }'}");
    es_close(es);
}

Test(schema, versions_of_a_type_are_listed_with_their_sizes) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': true}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': 'false'}");
    es_expect(es_ok(es, "schema", "{'op': 'versions', 'type': 'a'}"),
              "{'type': 'a', 'policy': 'reject', 'versions': [{'version': 1, 'format': 'msgpack', 'size': 1,"
              " 'created_at': '*'}, {'version': 2, 'format': 'json', 'size': 5}]}");
    es_close(es);
}

Test(schema, types_are_listed_by_name_page_by_page) {
    struct es *es = es_open(NULL);
    static const char *const TYPES[] = {"b2", "a", "b1"};
    for (size_t i = 0; i < 3; i++) {
        (void)es_ok(es, "schema", "{'op': 'put', 'type': '%s', 'schema': true}", TYPES[i]);
    }
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': false}");
    json_t *page = es_ok(es, "schema", "{'op': 'list', 'limit': 2}");
    es_expect(page,
              "{'count': 2, 'more': true, 'types': [{'type': 'a', 'latest': 2, 'versions': 2, 'policy': 'reject'},"
              " {'type': 'b1', 'latest': 1, 'versions': 1, 'policy': 'reject'}]}");
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s", es_text(page, "cursor"));
    es_expect(es_ok(es, "schema", "{'op': 'list', 'limit': 2, 'cursor': '%s'}", cursor),
              "{'types': [{'type': 'b2'}], 'more': false}");
    es_expect(es_ok(es, "schema", "{'op': 'list', 'prefix': 'b'}"), "{'types': [{'type': 'b1'}, {'type': 'b2'}]}");
    es_expect(es_ok(es, "schema", "{'op': 'list', 'limit': 0}"), "{'types': [], 'more': true}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/cursor", "filter", "schema",
                     "{'op': 'list', 'prefix': 'b', 'cursor': '%s'}", cursor);
    es_close(es);
}

Test(schema, what_is_not_there_is_not_found) {
    struct es *es = es_open(NULL);
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, NULL, "a", "schema", "{'op': 'get', 'type': 'a'}");
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, NULL, "a", "schema", "{'op': 'versions', 'type': 'a'}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': true}");
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, NULL, "2", "schema", "{'op': 'get', 'type': 'a', 'version': 2}");
    es_close(es);
}

Test(schema, a_stale_expected_version_conflicts_and_puts_nothing) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': true, 'expected_version': 0}");
    es_expect(es_refused(es, POLARIS_ES_CONFLICT, "/expected_version", "1", "schema",
                         "{'op': 'put', 'type': 'a', 'schema': false, 'expected_version': 0}"),
              "{'details': {'current_version': 1}}");
    es_expect(es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': false, 'expected_version': 1}"),
              "{'version': 2}");
    es_close(es);
}

Test(schema, settings_are_the_defaults_until_they_are_set_one_by_one) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {}}");
    es_expect(es_ok(es, "schema", "{'op': 'versions', 'type': 'a'}"),
              "{'policy': 'reject', 'compatibility': 'none', 'content': 'strict', 'format': 'annotate',"
              " 'extended': false, 'unknown': 'refuse', 'latest': 1, 'current': 1}");
    es_expect(es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'compatibility': 'full_transitive'}"),
              "{'type': 'a', 'policy': 'reject', 'compatibility': 'full_transitive', 'content': 'strict'}");
    (void)es_ok(es, "schema",
                "{'op': 'policy', 'type': 'a', 'policy': 'warn', 'content': 'lenient',"
                " 'format': 'assert', 'extended': true, 'unknown': 'dry_run'}");
    es_reopen(es, NULL);
    es_expect(es_ok(es, "schema", "{'op': 'list'}"),
              "{'types': [{'policy': 'warn', 'compatibility': 'full_transitive', 'content': 'lenient',"
              " 'format': 'assert', 'extended': true, 'unknown': 'dry_run'}]}");
    es_close(es);
}

Test(schema, a_type_may_have_settings_before_it_has_a_schema) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'policy': 'off'}");
    es_expect(es_ok(es, "schema", "{'op': 'versions', 'type': 'a'}"),
              "{'policy': 'off', 'latest': 0, 'current': 0, 'versions': []}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': false}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    cr_assert_null(
        json_object_get(json_object_get(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "event"), "schema_version"));
    es_close(es);
}

Test(schema, the_same_schema_by_value_is_the_same_version) {
    struct es *es = es_open(NULL);
    es_expect(es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object', 'minProperties': 1}}"),
              "{'version': 1, 'created': true}");
    static const char *const SAME[] = {"{'minProperties': 1, 'type': 'object'}",
                                       "{'type': 'object', 'minProperties': 1.0}",
                                       "'{\\'minProperties\\': 1.0, \\'type\\': \\'object\\'}'"};
    for (size_t i = 0; i < sizeof SAME / sizeof SAME[0]; i++) {
        es_expect(es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': %s}", SAME[i]),
                  "{'version': 1, 'created': false}");
    }
    es_expect(es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object', 'minProperties': 2}}"),
              "{'version': 2, 'created': true}");
    es_close(es);
}

Test(schema, what_is_no_schema_is_refused_with_the_place_and_the_failures) {
    struct es *es = es_open(NULL);
    json_t *reply = es_refused(es, POLARIS_ES_INVALID, "/schema/properties/a/type", "meta-schema", "schema",
                               "{'op': 'put', 'type': 'a', 'schema': {'properties': {'a': {'type': 'strin'}}}}");
    es_expect(json_object_get(reply, "details"), "{'failures': '*', 'truncated': false}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/schema/pattern", NULL, "schema",
                     "{'op': 'put', 'type': 'a', 'schema': {'pattern': '('}}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/schema/$ref", NULL, "schema",
                     "{'op': 'put', 'type': 'a', 'schema': {'$ref': '#/$defs/none', 'title': 't'}}");
    (void)es_refused(
        es, POLARIS_ES_UNSUPPORTED, "/schema", NULL, "schema",
        "{'op': 'put', 'type': 'a', 'schema': {'$schema': 'https://json-schema.org/draft-04/schema#', 'title': 't'}}");
    es_expect(es_ok(es, "schema", "{'op': 'list'}"), "{'count': 0}");
    es_close(es);
}

Test(schema, documents_given_with_a_schema_are_kept_and_used) {
    struct es *es = es_open(NULL);
    static const char PUT[] = "{'op': 'put', 'type': 'a', 'schema': {'properties': {'id': {'$ref': "
                              "'https://example.org/id', 'title': 'id'}}},"
                              " 'documents': [{'uri': 'https://example.org/id', 'schema': {'type': '%s'}}]}";
    es_expect(es_ok(es, "schema", PUT, "string"), "{'version': 1}");
    es_expect(es_ok(es, "schema", PUT, "string"), "{'version': 1, 'created': false}");
    es_reopen(es, NULL);
    (void)es_append(es, "{'type': 'a', 'data': {'id': 'x'}}");
    (void)es_refused(es, POLARIS_ES_REJECTED, "/event", "/id", "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {'id': 1}}}");
    es_expect(es_ok(es, "schema", "{'op': 'get', 'type': 'a'}"),
              "{'documents': [{'uri': 'https://example.org/id', 'schema': {'type': 'string'}}]}");
    es_expect(es_ok(es, "schema", PUT, "integer"), "{'version': 2, 'created': true}");
    (void)es_append(es, "{'type': 'a', 'data': {'id': 1}}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/documents/0/uri", NULL, "schema",
                     "{'op': 'put', 'type': 'a', 'schema': {}, 'documents': [{'schema': {}}]}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/documents/0/schema", NULL, "schema",
                     "{'op': 'put', 'type': 'a', 'schema': {}, 'documents': [{'uri': 'x:y', 'schema': 7}]}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/documents", NULL, "schema",
                     "{'op': 'put', 'type': 'a', 'schema': {}, 'documents': {}}");
    es_close(es);
}

Test(schema, a_retired_version_is_used_no_more) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'required': ['x']}}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'required': ['x', 'y']}}");
    (void)es_refused(es, POLARIS_ES_REJECTED, "/event", NULL, "store",
                     "{'op': 'append', 'event': {'type': 'a', 'data': {'x': 1}}}");

    es_expect(es_ok(es, "schema", "{'op': 'retire', 'type': 'a', 'version': 2}"), "{'version': 2, 'current': 1}");
    (void)es_append(es, "{'type': 'a', 'data': {'x': 1}}");
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "{'event': {'schema_version': 1}}");
    es_expect(es_ok(es, "schema", "{'op': 'get', 'type': 'a'}"), "{'version': 1}");
    es_expect(es_ok(es, "schema", "{'op': 'get', 'type': 'a', 'version': 2}"), "{'retired_at': '*'}");
    (void)es_refused(es, POLARIS_ES_ALREADY, "/version", NULL, "schema", "{'op': 'retire', 'type': 'a', 'version': 2}");
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, "/version", NULL, "schema",
                     "{'op': 'retire', 'type': 'a', 'version': 3}");

    es_expect(es_ok(es, "schema", "{'op': 'retire', 'type': 'a', 'version': 1}"), "{'current': 0}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, "/type", NULL, "schema", "{'op': 'get', 'type': 'a'}");
    /* Numbers are never given anew, and what was retired is not found again. */
    es_expect(es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'required': ['x']}}"),
              "{'version': 3, 'created': true}");
    es_close(es);
}

Test(schema, limits_at_put_are_named_and_configurable) {
    static const struct {
        const char *config, *schema, *limit;
    } CASES[] = {
        {"{'schema_depth_max': 4}", "{'not': {'not': {'not': {'not': {}}}}}", "schema_depth_max"},
        {"{'schema_subschemas_max': 3}", "{'allOf': [{'minimum': 1}, {'minimum': 2}, {'minimum': 3}]}",
         "subschemas_max"},
        {"{'schema_references_max': 1}",
         "{'items': {'$ref': '#', 'title': 't'}, 'contains': {'$ref': '#', 'title': 't'}}", "references_max"},
        {"{'schema_patterns_max': 1}", "{'properties': {'a': {'pattern': 'a+b'}, 'b': {'pattern': 'b+c'}}}",
         "patterns_max"},
        {"{'schema_program_size_max': 4096}", "{'enum': [%s]}", "program_size_max"},
        {"{'schema_compile_steps_max': 1000}", "{'enum': [%s]}", "compile_steps_max"},
        {"{'schema_size_max': 100}", "{'enum': [%s]}", "schema_size_max"},
    };
    char many[8192] = "0";
    for (int i = 1; i < 1200; i++) {
        snprintf(many + strlen(many), sizeof many - strlen(many), ", %d", i);
    }
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct es *es = es_open(CASES[i].config);
        char schema[9000];
        const char *hole = strstr(CASES[i].schema, "%s");
        snprintf(schema, sizeof schema, "%.*s%s%s", (int)(hole != NULL ? hole - CASES[i].schema : 8000),
                 CASES[i].schema, hole != NULL ? many : "", hole != NULL ? hole + 2 : "");
        json_t *reply = es_refused(es, POLARIS_ES_TOO_LARGE, NULL, CASES[i].limit, "schema",
                                   "{'op': 'put', 'type': 'a', 'schema': %s}", schema);
        cr_expect_eq(strncmp(es_text(json_object_get(reply, "details"), "path"), "/schema", 7), 0);
        es_close(es);
    }
}

Test(schema, malformed_requests_are_refused_by_field) {
    struct es *es = es_open(NULL);
    static const struct {
        const char *request, *path;
    } CASES[] = {
        {"'op': 'put', 'schema': true", "/type"},
        {"'op': 'put', 'type': '', 'schema': true", "/type"},
        {"'op': 'put', 'type': 'a'", "/schema"},
        {"'op': 'put', 'type': 'a', 'schema': 7", "/schema"},
        {"'op': 'put', 'type': 'a', 'schema': []", "/schema"},
        {"'op': 'put', 'type': 'a', 'schema': {'$bin': 'AAAA'}", "/schema"},
        {"'op': 'put', 'type': 'a', 'schema': 'no JSON'", "/schema"},
        {"'op': 'put', 'type': 'a', 'schema': '[]'", "/schema"},
        {"'op': 'put', 'type': 'a', 'schema': '{} {}'", "/schema"},
        {"'op': 'put', 'type': 'a', 'schema': ''", "/schema"},
        {"'op': 'put', 'type': 'a', 'schema': true, 'metadata': 7", "/metadata"},
        {"'op': 'put', 'type': 'a', 'schema': true, 'expected_version': -1", "/expected_version"},
        {"'op': 'put', 'type': 'a', 'schema': true, 'mode': 'x'", "/mode"},
        {"'op': 'get'", "/type"},
        {"'op': 'get', 'type': 'a', 'version': 0", "/version"},
        {"'op': 'list', 'limit': -1", "/limit"},
        {"'op': 'versions'", "/type"},
        {"'op': 'policy', 'type': 'a'", "/policy"},
        {"'op': 'policy', 'type': 'a', 'policy': 'strict'", "/policy"},
        {"'op': 'policy', 'type': 'a', 'compatibility': 'some'", "/compatibility"},
        {"'op': 'policy', 'type': 'a', 'extended': 1", "/extended"},
        {"'op': 'policy', 'type': 'a', 'extended': true, 'x': 1", "/x"},
        {"'op': 'retire', 'type': 'a'", "/version"},
        {"'op': 'validate', 'data': {}", "/type"},
        {"'op': 'validate', 'type': 'a', 'schema': {}, 'data': {}", "/schema"},
        {"'op': 'validate', 'schema': {}, 'version': 1, 'data': {}", "/version"},
        {"'op': 'validate', 'schema': {}", "/data"},
        {"'op': 'validate', 'type': 'a', 'documents': [], 'data': 1", "/documents"},
        {"'op': 'dry_run', 'type': 'a'", "/schema"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, CASES[i].path, NULL, "schema", "{%s}", CASES[i].request);
    }
    es_expect(es_ok(es, "schema", "{'op': 'list'}"), "{'count': 0}");
    es_close(es);
}

Test(schema, a_schema_beyond_a_mebibyte_is_too_large) {
    struct es *es = es_open(NULL);
    size_t size = (1 << 20) + 100;
    char *text = malloc(size + 1);
    cr_assert_not_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    (void)es_refused(es, POLARIS_ES_TOO_LARGE, "/schema", "1048576", "schema",
                     "{'op': 'put', 'type': 'a', 'schema': {'title': '%s'}}", text);
    free(text);
    es_close(es);
}
