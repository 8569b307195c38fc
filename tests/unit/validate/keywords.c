/* keywords.c: each keyword of both drafts, by values that it accepts and values that it refuses. */
#include "support.h"

struct row {
    const char *schema;
    const char *valid[6];
    const char *invalid[6];
};

static void check(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < 6 && rows[i].valid[j] != NULL; j++) {
            cr_expect(is_valid(rows[i].schema, rows[i].valid[j]), "%s refuses %s", rows[i].schema, rows[i].valid[j]);
        }
        for (size_t j = 0; j < 6 && rows[i].invalid[j] != NULL; j++) {
            cr_expect(!is_valid(rows[i].schema, rows[i].invalid[j]), "%s accepts %s", rows[i].schema,
                      rows[i].invalid[j]);
        }
    }
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))
#define DRAFT_07 "'$schema': 'http://json-schema.org/draft-07/schema#', "

Test(validate_keywords, types_and_values) {
    static const struct row ROWS[] = {
        {"true", {"1", "null", "{}"}, {NULL}},
        {"false", {NULL}, {"1", "null"}},
        {"{'type': 'integer'}", {"1", "1.0", "1e300", "'=18446744073709551615'"}, {"1.5", "'1'", "null", "true"}},
        {"{'type': 'number'}", {"1", "1.5"}, {"'1'", "false"}},
        {"{'type': 'boolean'}", {"true", "false"}, {"0", "null"}},
        {"{'type': ['null', 'object']}", {"null", "{}"}, {"[]", "0"}},
        {"{'type': ['string', 'array']}", {"''", "[]"}, {"{}"}},
        {"{'enum': [1, 'a', null, [1, {'x': 0}]]}", {"1.0", "'a'", "null", "[1.0, {'x': 0.0}]"}, {"2", "[1]", "false"}},
        {"{'enum': []}", {NULL}, {"1", "null"}},
        {"{'const': {'a': 1, 'b': [true]}}", {"{'b': [true], 'a': 1.0}"}, {"{'a': 1}", "{'a': 1, 'b': [1]}"}},
        {"{'const': 0}", {"0", "0.0", "-0.0"}, {"false", "null", "''"}},
        {"{'const': false}", {"false"}, {"0", "null", "[]"}},
        {"{'const': 9007199254740993}", {"9007199254740993"}, {"9007199254740992.0"}},
    };
    CHECK(ROWS);
}

Test(validate_keywords, numbers) {
    static const struct row ROWS[] = {
        {"{'minimum': 1.5}", {"1.5", "2", "'x'"}, {"1", "1.4"}},
        {"{'maximum': 3}", {"3", "3.0", "-1e300"}, {"3.1", "4"}},
        {"{'exclusiveMinimum': 0}", {"0.1", "1"}, {"0", "-0.0"}},
        {"{'exclusiveMaximum': 9223372036854775807}", {"9223372036854775806"}, {"9223372036854775807", "1e19"}},
        {"{'maximum': 9007199254740992.0}", {"9007199254740992"}, {"9007199254740993"}},
        {"{'minimum': '=18446744073709551615'}", {"'=18446744073709551615'", "2e19"}, {"'=18446744073709551614'"}},
        {"{'type': 'integer', 'minimum': -1.5, 'maximum': 1.5}", {"-1", "1", "1.0"}, {"-2", "2", "0.5", "'x'"}},
        {"{'type': 'integer', 'exclusiveMinimum': 9223372036854775807}", {"'=9223372036854775808'"}, {"1"}},
        {"{'type': 'number', 'minimum': 0, 'exclusiveMinimum': 0, 'maximum': 1}", {"1", "0.5"}, {"0", "0.0", "1.1"}},
        {"{'multipleOf': 0.01}", {"0.07", "4.02", "19.99", "1e300"}, {"0.075", "1.001"}},
        {"{'multipleOf': 0.0001}", {"0.0075"}, {"0.00751"}},
        {"{'multipleOf': 3}", {"9", "9.0", "-3", "0", "'x'"}, {"10", "9.5"}},
        {"{'multipleOf': 1e-8}", {"1e300", "12391239123"}, {"1e-9"}},
        {"{'multipleOf': 0.123456789}", {"0"}, {"1e308"}},
    };
    CHECK(ROWS);
}

Test(validate_keywords, strings) {
    static const struct row ROWS[] = {
        {"{'maxLength': 2}", {"'ab'", "'\\ud83d\\udca9\\ud83d\\udca9'", "12345"}, {"'abc'"}},
        {"{'minLength': 2}", {"'ab'", "[]"}, {"'a'", "'\\ud83d\\udca9'"}},
        {"{'type': 'string', 'minLength': 1, 'maxLength': 3}", {"'\\u00e4\\u00e4\\u00e4'"}, {"''", "'abcd'", "1"}},
        {"{'maxLength': 2.0}", {"'ab'"}, {"'abc'"}},
        {"{'pattern': '^a+$'}", {"'aaa'", "1"}, {"'ab'", "''"}},
        {"{'format': 'ipv4'}", {"'x'"}, {NULL}},
    };
    CHECK(ROWS);
}

Test(validate_keywords, arrays) {
    static const struct row ROWS[] = {
        {"{'minItems': 1, 'maxItems': 2}", {"[1]", "[1, 2]", "{}"}, {"[]", "[1, 2, 3]"}},
        {"{'uniqueItems': true}",
         {"[1, 2]", "[1, true]", "[0, false]", "[{'a': 1}, {'a': 2}]"},
         {"[1, 1.0]", "[{'a': 1, 'b': 2}, {'b': 2, 'a': 1}]", "[[0], [0.0]]", "[1,2,3,4,5,6,7,8,9,3]"}},
        {"{'uniqueItems': false}", {"[1, 1]"}, {NULL}},
        {"{'items': {'type': 'null'}}", {"[]", "[null]", "1"}, {"[1]"}},
        {"{'prefixItems': [{'type': 'null'}, true], 'items': false}",
         {"[]", "[null]", "[null, 1]"},
         {"[1]", "[null, 1, 2]"}},
        {"{'contains': {'const': 1}}", {"[1]", "[2, 1]", "{}"}, {"[]", "[2]"}},
        {"{'contains': {'const': 1}, 'minContains': 2, 'maxContains': 3}",
         {"[1, 1]", "[1, 1, 1]"},
         {"[1]", "[1, 1, 1, 1]"}},
        {"{'contains': {'const': 1}, 'minContains': 0}", {"[]", "[2]"}, {NULL}},
        {"{'prefixItems': [true], 'contains': {'const': 2}, 'unevaluatedItems': false}",
         {"[1, 2]", "[2]"},
         {"[2, 3]", "[1]"}},
        {"{'allOf': [{'prefixItems': [true]}], 'unevaluatedItems': false}", {"[1]"}, {"[1, 2]"}},
        {"{'anyOf': [{'prefixItems': [{'const': 1}]}, true], 'unevaluatedItems': {'type': 'null'}}",
         {"[1, null]", "[null]"},
         {"[2]"}},
        {"{" DRAFT_07 "'items': [{'type': 'null'}], 'additionalItems': {'type': 'string'}}",
         {"[null, 'x']"},
         {"[1]", "[null, 1]"}},
        {"{" DRAFT_07 "'items': {'type': 'null'}, 'additionalItems': false}", {"[null, null]"}, {"[1]"}},
    };
    CHECK(ROWS);
}

Test(validate_keywords, objects) {
    static const struct row ROWS[] = {
        {"{'minProperties': 1, 'maxProperties': 2}", {"{'a': 1}", "[]"}, {"{}", "{'a': 1, 'b': 1, 'c': 1}"}},
        {"{'required': ['a', 'b']}", {"{'b': 1, 'a': 1}", "[]"}, {"{'a': 1}", "{}"}},
        {"{'properties': {'a': {'type': 'null'}}}", {"{'a': null}", "{'b': 1}", "1"}, {"{'a': 1}"}},
        {"{'properties': {'a': {'items': false}}, 'required': ['c'], 'patternProperties': {'^x': {'type': 'null'}}, "
         "'additionalProperties': {'type': 'integer'}, 'type': 'object'}",
         {"{'c': 1}", "{'c': 1, 'x1': null, 'a': []}"},
         {"{}", "{'c': null}", "{'c': 1, 'x': 1}", "{'c': 1, 'a': [1]}", "[]"}},
        {"{'patternProperties': {'a': {'type': 'integer'}, 'b': {'minimum': 3}}}",
         {"{'ab': 3}"},
         {"{'ab': 2}", "{'ab': 3.5}"}},
        {"{'additionalProperties': false}", {"{}"}, {"{'a': 1}"}},
        {"{'propertyNames': {'maxLength': 1}}", {"{'a': 1}", "{}"}, {"{'ab': 1}"}},
        {"{'dependentRequired': {'a': ['b', 'c'], 'b': ['c']}}",
         {"{'c': 1}", "{'a': 1, 'b': 1, 'c': 1}"},
         {"{'a': 1, 'b': 1}", "{'b': 1}"}},
        {"{'dependentSchemas': {'a': {'required': ['b']}}}", {"{'b': 1}", "{'a': 1, 'b': 1}"}, {"{'a': 1}"}},
        {"{" DRAFT_07 "'dependencies': {'a': ['b'], 'c': {'maxProperties': 1}}}",
         {"{'a': 1, 'b': 1}", "{'c': 1}"},
         {"{'a': 1}", "{'c': 1, 'd': 1}"}},
        {"{'properties': {'a': true}, 'unevaluatedProperties': false}", {"{'a': 1}"}, {"{'b': 1}"}},
        {"{'$ref': '#/$defs/base', 'properties': {'b': true}, 'unevaluatedProperties': false, '$defs': {'base': "
         "{'properties': {'a': true}}}}",
         {"{'a': 1, 'b': 1}"},
         {"{'c': 1}"}},
        {"{'if': {'properties': {'k': {'const': 1}}, 'required': ['k']}, 'then': {'properties': {'x': true}}, 'else': "
         "{'properties': {'y': true}}, 'unevaluatedProperties': false}",
         {"{'k': 1, 'x': 1}", "{'y': 1}"},
         {"{'k': 1, 'y': 1}", "{'x': 1}", "{'k': 2}"}},
        {"{'not': {'not': {'properties': {'a': true}}}, 'unevaluatedProperties': false}", {"{}"}, {"{'a': 1}"}},
    };
    CHECK(ROWS);
}

Test(validate_keywords, logic) {
    static const struct row ROWS[] = {
        {"{'allOf': [{'minimum': 1}, {'maximum': 2}]}", {"1", "2"}, {"0", "3"}},
        {"{'anyOf': [{'type': 'null'}, {'minimum': 2}]}", {"null", "2", "'x'"}, {"1"}},
        {"{'oneOf': [{'multipleOf': 2}, {'multipleOf': 3}]}", {"2", "3"}, {"6", "5"}},
        {"{'not': {'type': 'null'}}", {"1"}, {"null"}},
        {"{'if': {'minimum': 10}, 'then': {'multipleOf': 10}, 'else': {'multipleOf': 3}}", {"20", "9"}, {"15", "5"}},
        {"{'then': false, 'else': false}", {"1"}, {NULL}},
    };
    CHECK(ROWS);
}

Test(validate_keywords, references) {
    static const struct row ROWS[] = {
        {"{'items': {'$ref': '#'}, 'maxItems': 1}", {"[[[]]]"}, {"[[], []]", "[[[], []]]"}},
        {"{'$ref': '#/$defs/a%25b', 'maximum': 5, '$defs': {'a%b': {'minimum': 1}}}", {"3"}, {"0", "6"}},
        {"{" DRAFT_07 "'$ref': '#/definitions/a', 'maximum': 5, 'definitions': {'a': {'minimum': 1}}}", {"6"}, {"0"}},
        {"{'$id': 'http://x/y/', '$ref': 'z', '$defs': {'q': {'$id': 'z', '$anchor': 'w', 'type': 'null'}}}",
         {"null"},
         {"1"}},
        {"{'$ref': '#w', '$defs': {'q': {'$anchor': 'w', 'type': 'null'}}}", {"null"}, {"1"}},
        {"{" DRAFT_07 "'allOf': [{'$ref': '#w'}], 'definitions': {'q': {'$id': '#w', 'type': 'null'}}}",
         {"null"},
         {"1"}},
        {"{'$id': 'http://x/strict', '$ref': 'tree', '$dynamicAnchor': 'node', 'unevaluatedProperties': false, "
         "'$defs': "
         "{'tree': {'$id': 'tree', '$dynamicAnchor': 'node', 'properties': {'data': true, 'children': {'items': "
         "{'$dynamicRef': '#node'}}}}}}",
         {"{'children': [{'data': 1}]}"},
         {"{'children': [{'daat': 1}]}", "{'x': 1}"}},
        {"{'$ref': 'https://json-schema.org/draft/2020-12/schema'}",
         {"{'type': 'null'}", "true"},
         {"{'type': 'nil'}", "1"}},
        {"{'properties': {'a': {'$ref': '#/unknown/0'}}, 'unknown': [{'type': 'null'}]}",
         {"{'a': null}"},
         {"{'a': 1}"}},
    };
    CHECK(ROWS);
}

static void expect_refused(const char *schema, enum status wanted, const char *path, const char *fragment) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    enum status status = subject_compile(&subject, schema);
    cr_expect_eq(status, wanted, "%s: %s", schema, status_name(status));
    cr_expect_str_eq(subject.error.path, path, "%s: %s", schema, subject.error.path);
    cr_expect_not_null(strstr(subject.error.message, fragment), "%s: %s", schema, subject.error.message);
}

Test(validate_keywords, schemas_that_are_none_are_refused_where_they_fail) {
    expect_refused("{'properties': {'a': {'type': 'nil'}}}", INVALID, "/properties/a/type", "fails its meta-schema");
    expect_refused("{" DRAFT_07 "'minLength': -1}", INVALID, "/minLength", "must be >= 0");
    expect_refused("[]", INVALID, "", "must be boolean or object");
    expect_refused("{'items': {'$ref': '#/$defs/none'}}", INVALID, "/items/$ref", "leads to nothing");
    expect_refused("{'items': {'$ref': 'http://x/y'}}", INVALID, "/items/$ref", "nothing is ever fetched");
    expect_refused("{'pattern': '('}", INVALID, "/pattern", "");
    expect_refused("{'$schema': 'http://json-schema.org/draft-04/schema#'}", UNSUPPORTED, "", "2020-12");
    expect_refused("{'type': 'null', '=type': 'null'}", INVALID, "", "each key once");
    expect_refused("{'$defs': {'a': {'$anchor': 'x'}, 'b': {'$anchor': 'x'}}}", INVALID, "/$defs/a", "there twice");
    expect_refused("{'$defs': {'a': {'$id': 'http://x/a'}, 'b': {'$id': 'http://x/a#'}}}", INVALID, "/$defs/a",
                   "two schemas are identified by 'http://x/a'");
}

static void expect_meta_refused(const char *meta, enum status wanted, const char *fragment) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json other;
    subject_init(&subject);
    json_open(&other, meta);
    struct validate_document document = {.uri = bytes_from_string("http://x/meta"), .root = json_root(&other)};
    subject.options.documents = &document;
    subject.options.document_count = 1;
    enum status status = subject_compile(&subject, "{'$schema': 'http://x/meta'}");
    cr_expect_eq(status, wanted, "%s: %s", meta, status_name(status));
    cr_expect_not_null(strstr(subject.error.message, fragment), "%s: %s", meta, subject.error.message);
}

Test(validate_keywords, meta_schemas_that_cannot_be_followed_are_refused) {
    expect_meta_refused("{'$schema': 'http://x/meta'}", INVALID, "$schema leads in a circle");
    expect_meta_refused("{'$schema': 'https://json-schema.org/draft/2020-12/schema', "
                        "'$vocabulary': {'http://x/words': true}}",
                        UNSUPPORTED, "the vocabulary 'http://x/words', which is unknown");
}

Test(validate_keywords, format_is_asserted_when_asked) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    subject.options.assert_format = true;
    cr_assert_eq(subject_compile(&subject, "{'format': 'ipv4'}"), OK);
    expect_lines(&subject, "'256.0.0.1'", "(root): must be in the format ipv4 (got \"256.0.0.1\") [format]\n");
}

Test(validate_keywords, documents_given_with_the_schema_are_known_by_their_uri_and_their_id) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json other;
    subject_init(&subject);
    json_open(&other, "{'$id': 'http://x/id', 'type': 'null'}");
    struct validate_document document = {.uri = bytes_from_string("http://x/given"), .root = json_root(&other)};
    subject.options.documents = &document;
    subject.options.document_count = 1;
    cr_assert_eq(subject_compile(&subject, "{'prefixItems': [{'$ref': 'http://x/id'}, {'$ref': 'http://x/given'}]}"),
                 OK, "%s", subject.error.message);
    expect_lines(&subject, "[1, 2]",
                 "/0: must be null (got integer) [prefixItems/0/$ref/type]\n"
                 "/1: must be null (got integer) [prefixItems/1/$ref/type]\n");
}

Test(validate_keywords, a_custom_meta_schema_chooses_vocabularies_and_is_asked) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json meta;
    CLEANUP(json_done) struct json payload;
    bool valid = false;
    subject_init(&subject);
    json_open(&meta,
              "{'$schema': 'https://json-schema.org/draft/2020-12/schema', '$id': 'http://x/meta', '$vocabulary': "
              "{'https://json-schema.org/draft/2020-12/vocab/core': true, "
              "'https://json-schema.org/draft/2020-12/vocab/applicator': true, 'http://x/unknown': false}, "
              "'required': ['title']}");
    struct validate_document document = {.uri = bytes_from_string("http://x/meta"), .root = json_root(&meta)};
    subject.options.documents = &document;
    subject.options.document_count = 1;
    cr_assert_eq(subject_compile(&subject, "{'$schema': 'http://x/meta', 'minimum': 5}"), INVALID);
    cr_expect_not_null(strstr(subject.error.message, "title"), "%s", subject.error.message);
    json_done(&subject.schema);
    cr_assert_eq(subject_compile(&subject,
                                 "{'$schema': 'http://x/meta', 'title': '', 'minimum': 5, 'properties': {'a': "
                                 "false}}"),
                 OK, "%s", subject.error.message);
    json_open(&payload, "1");
    cr_assert_eq(subject_run(&subject, json_root(&payload), &valid), OK);
    cr_expect(valid, "minimum is of no vocabulary of that meta-schema");
}
