/* schema_check.c: new versions against those before them, without putting and when put. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "es.h"

#define PERSON(more) "{'type': 'object', 'required': ['id'], 'properties': {'id': {'type': 'string'}" more "}}"

static struct es *open_with_person(const char *settings) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': %s}", PERSON(""));
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', %s}", settings);
    return es;
}

Test(schema_check, a_check_answers_with_differences_and_witnesses) {
    struct es *es = open_with_person("'compatibility': 'backward'");
    es_expect(es_ok(es, "schema",
                    "{'op': 'check', 'type': 'a', 'schema': {'type': 'object', 'required': ['id', 'age'],"
                    " 'properties': {'id': {'type': 'string'}, 'age': true}}}"),
              "{'type': 'a', 'compatibility': 'backward', 'content': 'strict', 'against': [1], 'answer': 'no',"
              " 'truncated': false, 'differences': [{'kind': '*', 'direction': 'backward', 'version': 1, 'old': '*',"
              " 'new': '/required', 'answer': 'no', 'message': '*', 'witness': {'id': '*'}}]}");
    es_expect(es_ok(es, "schema", "{'op': 'check', 'type': 'a', 'schema': {'type': 'object'}}"),
              "{'answer': 'yes', 'differences': []}");
    es_expect(
        es_ok(es, "schema", "{'op': 'check', 'type': 'a', 'schema': {'type': 'object'}, 'compatibility': 'full'}"),
        "{'answer': 'no', 'differences': [{'direction': 'forward', 'kind': 'property_required', 'witness': {}},"
        " {'direction': 'forward', 'kind': 'property_added'}]}");
    es_expect(es_ok(es, "schema", "{'op': 'versions', 'type': 'a'}"), "{'latest': 1}");
    es_close(es);
}

Test(schema_check, an_optional_property_is_judged_by_the_content_model) {
    struct es *es = open_with_person("'compatibility': 'backward'");
    static const char CHECK[] = "{'op': 'check', 'type': 'a', 'content': '%s', 'schema': %s}";
    es_expect(es_ok(es, "schema", CHECK, "strict", PERSON(", 'age': {'type': 'integer'}")), "{'answer': 'no'}");
    es_expect(es_ok(es, "schema", CHECK, "lenient", PERSON(", 'age': {'type': 'integer'}")), "{'answer': 'yes'}");
    es_close(es);
}

Test(schema_check, a_put_is_refused_when_it_is_not_compatible_unless_it_is_forced) {
    struct es *es = open_with_person("'compatibility': 'backward'");
    static const char PUT[] = "{'op': 'put', 'type': 'a', 'schema': {'type': 'object', 'required': ['id', 'age'],"
                              " 'properties': {'id': {'type': 'string'}}}%s}";
    json_t *reply = es_refused(es, POLARIS_ES_CONFLICT, "/schema", "backward", "schema", PUT, "");
    es_expect(json_object_get(reply, "details"), "{'answer': 'no', 'against': [1], 'differences': [{'answer': 'no'}]}");
    es_expect(es_ok(es, "schema", PUT, ", 'force': true"), "{'version': 2, 'created': true}");
    es_expect(es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'type': 'object'}}"), "{'version': 3}");
    es_close(es);
}

Test(schema_check, transitive_modes_look_at_every_version_that_is_in_use) {
    struct es *es = open_with_person("'compatibility': 'none'");
    static const char *const TYPES[] = {"integer", "number", "string"};
    for (size_t i = 0; i < 3; i++) {
        (void)es_ok(es, "schema", "{'op': 'put', 'type': 'n', 'schema': {'type': '%s'}}", TYPES[i]);
    }
    static const char CHECK[] =
        "{'op': 'check', 'type': 'n', 'compatibility': '%s', 'schema': {'type': ['string', 'integer']}}";
    es_expect(es_ok(es, "schema", CHECK, "backward"), "{'against': [3], 'answer': 'yes'}");
    es_expect(es_ok(es, "schema", CHECK, "backward_transitive"),
              "{'against': [1, 2, 3], 'answer': 'no', 'differences': [{'version': 2}]}");
    (void)es_ok(es, "schema", "{'op': 'retire', 'type': 'n', 'version': 2}");
    es_expect(es_ok(es, "schema", CHECK, "backward_transitive"), "{'against': [1, 3], 'answer': 'yes'}");
    es_expect(es_ok(es, "schema", "{'op': 'check', 'type': 'n', 'version': 2, 'schema': {'type': 'integer'}}"),
              "{'against': [2], 'answer': 'no'}");
    es_close(es);
}

/* Two patterns that no structural proof compares, and that differ on nothing that is tried first. */
#define PATTERN_1 "{'type': 'string', 'pattern': '^([a-c]x?)*$'}"
#define PATTERN_2 "{'type': 'string', 'pattern': '^((a|b|c)x?)*$'}"

Test(schema_check, what_settles_an_unknown_answer_is_the_types_to_say) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'properties': {'p': " PATTERN_1 "}}}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'compatibility': 'full'}");
    static const char PUT[] = "{'op': 'put', 'type': 'a', 'schema': {'properties': {'p': " PATTERN_2 "}}}";
    json_t *reply = es_refused(es, POLARIS_ES_CONFLICT, "/schema", "not known", "schema", PUT);
    es_expect(json_object_get(reply, "details"), "{'answer': 'unknown'}");

    (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'p': 'axb'}}}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'unknown': 'dry_run'}");
    es_expect(es_ok(es, "schema", PUT), "{'version': 2}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'unknown': 'accept'}");
    es_expect(es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'properties': {'p': " PATTERN_1 "}}}"),
              "{'version': 3}");
    es_close(es);
}

Test(schema_check, the_first_version_is_compatible_with_nothing_before_it) {
    struct es *es = es_open(NULL);
    es_expect(es_ok(es, "schema", "{'op': 'check', 'type': 'a', 'schema': {}, 'compatibility': 'full_transitive'}"),
              "{'against': [], 'answer': 'yes', 'differences': []}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'a', 'compatibility': 'full_transitive'}");
    es_expect(es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {}}"), "{'version': 1}");
    es_close(es);
}
