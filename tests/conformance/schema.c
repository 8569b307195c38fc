/* schema.c: the registry: numbered versions that never change, and policies. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"

Test(schema, versions_are_numbered_and_the_same_bytes_make_no_new_one) {
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
              "{'type': 'a', 'policy': 'off', 'versions': [{'version': 1, 'format': 'msgpack', 'size': 1,"
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
    es_expect(page, "{'count': 2, 'more': true, 'types': [{'type': 'a', 'latest': 2, 'versions': 2, 'policy': 'off'},"
                    " {'type': 'b1', 'latest': 1, 'versions': 1, 'policy': 'off'}]}");
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

Test(schema, only_the_policy_off_is_supported_since_nothing_validates) {
    struct es *es = es_open(NULL);
    es_expect(es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'policy': 'off'}"), "{'type': 'a', 'policy': 'off'}");
    static const char *const OTHERS[] = {"reject", "dead-letter", "warn", "anything"};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        (void)es_refused(es, POLARIS_ES_UNSUPPORTED, "/policy", OTHERS[i], "schema",
                         "{'op': 'policy', 'type': 'a', 'policy': '%s'}", OTHERS[i]);
    }
    (void)es_refused(es, POLARIS_ES_INVALID, "/policy", NULL, "schema", "{'op': 'policy', 'type': 'a', 'policy': 7}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': false}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    cr_assert_null(
        json_object_get(json_object_get(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "event"), "schema_version"));
    es_close(es);
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
