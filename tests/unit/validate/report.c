/* report.c: what a report says of an invalid payload. */
#include "support.h"

Test(validate_report, names_where_what_was_expected_and_what_came) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject,
                                 "{'properties': {'items': {'items': {'properties': {'price': {'minimum': 0}, 'name': "
                                 "{'$ref': '#/$defs/name'}}}}}, '$defs': {'name': {'type': 'string', 'maxLength': 3}}, "
                                 "'required': ['id', 'items'], 'additionalProperties': false}"),
                 OK);
    expect_lines(&subject, "{'items': [{}, {'price': 2}, {'name': 1}, {'price': -1, 'name': 'long'}], 'more': [1]}",
                 "/items/2/name: must be string (got integer) [properties/items/items/properties/name/$ref/type]\n"
                 "/items/3/price: must be >= 0 (got -1) [properties/items/items/properties/price/minimum]\n"
                 "/items/3/name: must be at most 3 characters (got 4) "
                 "[properties/items/items/properties/name/$ref/maxLength]\n"
                 "(root): must have the property \"id\" [required]\n"
                 "/more: must not be there (got array) [additionalProperties]\n");
}

Test(validate_report, has_every_assertion_in_words) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    subject.options.assert_format = true;
    cr_assert_eq(
        subject_compile(&subject,
                        "{'properties': {'a': {'type': ['string', 'null']}, 'b': {'enum': [1, 'x', null, [2]]}, 'c': "
                        "{'const': 2.5}, 'd': {'multipleOf': 0.1}, 'e': {'exclusiveMaximum': 3, 'exclusiveMinimum': "
                        "9}, 'f': {'minLength': 4, 'pattern': '^x', 'format': 'date'}, 'g': {'minItems': 3, "
                        "'uniqueItems': true, 'contains': {'const': 0}}, 'h': {'minProperties': 1, 'maxProperties': "
                        "0}, 'i': {'maximum': '=18446744073709551615'}, 'j': {'dependentRequired': {'k': ['l']}}, 'm': "
                        "{'not': {}}, 'n': {'anyOf': [{'type': 'null'}, false]}, 'o': {'oneOf': [true, false, true]}, "
                        "'p': {'if': true, 'then': {'maxItems': 1}}, 'q': {'contains': true, 'maxContains': 1}, 'r': "
                        "{'propertyNames': {'maxLength': 1}}}}"),
        OK, "%s", subject.error.message);
    expect_lines(
        &subject,
        "{'a': 1, 'b': 2, 'c': false, 'd': 0.25, 'e': 5, 'f': 'abc', 'g': [1, 1], 'h': {'~': 1, '/': 2}, 'i': 1e300, "
        "'j': {'k': 1}, 'm': 0, 'n': 'y', 'o': 0, 'p': [1, 2], 'q': [1, 2], 'r': {'long': 1}}",
        "/a: must be null or string (got integer) [properties/a/type]\n"
        "/b: must be one of 1, \"x\", null, array (got 2) [properties/b/enum]\n"
        "/c: must be 2.5 (got false) [properties/c/const]\n"
        "/d: must be a multiple of 0.1 (got 0.25) [properties/d/multipleOf]\n"
        "/e: must be < 3 (got 5) [properties/e/exclusiveMaximum]\n"
        "/e: must be > 9 (got 5) [properties/e/exclusiveMinimum]\n"
        "/f: must be at least 4 characters (got 3) [properties/f/minLength]\n"
        "/f: must match the pattern ^x (got \"abc\") [properties/f/pattern]\n"
        "/f: must be in the format date (got \"abc\") [properties/f/format]\n"
        "/g: must have at least 3 items (got 2) [properties/g/minItems]\n"
        "/g: must not contain an item twice [properties/g/uniqueItems]\n"
        "/g: must contain a matching item [properties/g/contains]\n"
        "/h: must have at most 0 properties (got 2) [properties/h/maxProperties]\n"
        "/i: must be <= 18446744073709551615 (got 1e+300) [properties/i/maximum]\n"
        "/j: must have the property \"l\", as it has \"k\" [properties/j/dependentRequired]\n"
        "/m: must not match the schema (got integer) [properties/m/not]\n"
        "/n: must be null (got string) [properties/n/anyOf/0/type]\n"
        "/n: must not be there (got \"y\") [properties/n/anyOf/1]\n"
        "/n: must match at least one of the 2 schemas (got string) [properties/n/anyOf]\n"
        "/o: must match exactly one of the 3 schemas (integer matches 0 and 2) [properties/o/oneOf]\n"
        "/p: must have at most 1 item (got 2) [properties/p/then/maxItems]\n"
        "/q: must contain at most 1 matching items [properties/q/maxContains]\n"
        "/r/long: must be at most 1 character (got 4) [properties/r/propertyNames/maxLength]\n");
}

Test(validate_report, hides_values_but_not_types) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'items': {'const': 1}}"), OK);
    subject.report.hide_values = true;
    expect_lines(&subject, "['secret', 2, 2.5, {}]",
                 "/0: must be 1 (got string) [items/const]\n/1: must be 1 (got integer) [items/const]\n"
                 "/2: must be 1 (got number) [items/const]\n/3: must be 1 (got object) [items/const]\n");
}

Test(validate_report, gives_absolute_locations_codes_and_offsets) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json instance;
    bool valid = true;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'$id': 'https://example.com/a', 'items': {'$ref': 'b#/$defs/x~1%20y'}, "
                                           "'$defs': {'b': {'$id': 'b', '$defs': {'x/ y': {'type': 'null'}}}}}"),
                 OK, "%s", subject.error.message);
    json_open(&instance, "[null, 1]");
    cr_assert_eq(subject_run(&subject, json_root(&instance), &valid), OK);
    cr_assert_eq(subject.report.count, 1);
    struct validate_failure failure = validate_report_at(&subject.report, 0);
    cr_expect(bytes_equal_string(failure.instance_path, "/1"));
    cr_expect(bytes_equal_string(failure.keyword_path, "/items/$ref/type"));
    cr_expect(bytes_equal_string(failure.absolute_location, "https://example.com/b#/$defs/x~1%20y/type"), "%.*s",
              BYTES_FORMAT(failure.absolute_location));
    cr_expect_str_eq(failure.code, "type");
    cr_expect_eq(failure.offset, instance.tape.items[2].offset);
}

Test(validate_report, ends_as_truncated_at_its_limit) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json instance;
    bool valid = true;
    subject_init(&subject);
    subject.options.limits.failures_size_max = 200;
    cr_assert_eq(subject_compile(&subject, "{'items': {'type': 'null'}}"), OK);
    json_open(&instance, "[1,2,3,4,5,6,7,8,9]");
    cr_assert_eq(subject_run(&subject, json_root(&instance), &valid), OK);
    cr_expect(subject.report.truncated);
    cr_expect_gt(subject.report.count, 1);
    cr_expect_leq(subject.report.text.size, 200);
}

Test(validate_report, follows_the_order_of_the_schema) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'required': ['z'], 'maxProperties': 1, 'properties': {'b': false, 'a': "
                                           "false}, 'type': 'array'}"),
                 OK);
    expect_lines(&subject, "{'a': 1, 'b': 2}",
                 "(root): must have the property \"z\" [required]\n"
                 "(root): must have at most 1 property (got 2) [maxProperties]\n"
                 "/b: must not be there (got 2) [properties/b]\n"
                 "/a: must not be there (got 1) [properties/a]\n"
                 "(root): must be array (got object) [type]\n");
}

Test(validate_report, ends_as_truncated_after_as_many_failures_as_the_caller_wants) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json instance;
    bool valid = true;
    subject_init(&subject);
    subject.report.failures_max = 4;
    cr_assert_eq(subject_compile(&subject, "{'items': {'anyOf': [{'items': {'const': 1}}, {'not': {}}, {'minItems': "
                                           "4}]}}"),
                 OK);
    /* Those of branches do not count where another branch holds. */
    json_open(&instance, "[[2, 2, 2, 2, 2], [2, 2, 2]]");
    cr_assert_eq(subject_run(&subject, json_root(&instance), &valid), OK);
    cr_expect(subject.report.truncated);
    cr_assert_eq(subject.report.count, 4);
    struct validate_failure failure = validate_report_at(&subject.report, 0);
    cr_expect(bytes_equal_string(failure.instance_path, "/1/0"));
    json_done(&instance);
    json_open(&instance, "[[2, 1, 1]]");
    cr_assert_eq(subject_run(&subject, json_root(&instance), &valid), OK);
    cr_expect_eq(subject.report.count, 4);
    cr_expect(!subject.report.truncated);
}

Test(validate_report, follows_the_order_of_dependent_schemas) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'dependentSchemas': {'b': {'required': ['x']}, 'c': false, 'a': {'not': "
                                           "{}}}}"),
                 OK);
    expect_lines(&subject, "{'a': 1, 'b': 2}",
                 "(root): must have the property \"x\" [dependentSchemas/b/required]\n"
                 "(root): must not match the schema (got object) [dependentSchemas/a/not]\n");
}

static void expect_path(const char *schema, bool trusted, const char *start) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    subject.options.trusted = trusted;
    cr_expect_eq(subject_compile(&subject, schema), INVALID);
    cr_expect(wire_utf8_valid(bytes_from_string(subject.error.path)), "%s", subject.error.path);
    cr_expect(wire_utf8_valid(bytes_from_string(subject.error.message)), "%s", subject.error.message);
    cr_expect_eq(strncmp(subject.error.path, start, strlen(start)), 0, "%s", subject.error.path);
}

Test(validate_report, errors_in_schemas_have_their_path_cut_at_a_character) {
    for (int lead = 0; lead < 2; lead++) {
        CLEANUP(buffer_done) struct buffer text = {0};
        printed(&text, "{'properties': {'%s", lead != 0 ? "x" : "");
        for (int i = 0; i < 200; i++) {
            printed(&text, "\u00e9");
        }
        printed(&text, "': {'type': 7}}}");
        expect_path((const char *)text.data, true, lead != 0 ? "/properties/x\u00e9" : "/properties/\u00e9");
        expect_path((const char *)text.data, false, lead != 0 ? "/properties/x\u00e9" : "/properties/\u00e9");
    }
    expect_path("{'$defs': {'a b': {'~/': {'pattern': '('}}}, '$ref': '#/$defs/a%20b/~0~1'}", true,
                "/$defs/a b/~0~1/pattern");
}

Test(validate_report, errors_in_deep_schemas_have_their_path_from_the_root) {
    CLEANUP(buffer_done) struct buffer text = {0};
    printed(&text, "{'properties': {'first': ");
    for (int i = 0; i < 100; i++) {
        printed(&text, "{'not': ");
    }
    printed(&text, "{'pattern': 7}");
    for (int i = 0; i < 100; i++) {
        printed(&text, "}");
    }
    expect_path(printed(&text, "}}"), true, "/properties/first/not/not");
}

Test(validate_report, lines_are_cut_at_characters) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json instance;
    bool valid = true;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'additionalProperties': false}"), OK);
    json_open(&instance, "{'\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9': 1}");
    cr_assert_eq(subject_run(&subject, json_root(&instance), &valid), OK);
    struct validate_failure failure = validate_report_at(&subject.report, 0);
    for (size_t size = 1; size < 24; size++) {
        char line[64];
        validate_failure_print(&failure, line, size);
        cr_expect(wire_utf8_valid(bytes_from_string(line)), "%zu", size);
    }
}

Test(validate_report, of_what_is_no_json_keeps_to_its_size_too) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    CLEANUP(buffer_done) struct buffer bytes = {0};
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 16};
    bool valid = true;
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "true"), OK);
    const uint8_t head[] = {0x81, 0xDB, 0, 1, 0x86, 0xA0};
    cr_assert(buffer_append(&bytes, head, sizeof head) && buffer_reserve(&bytes, 100002));
    memset(bytes.data + bytes.size, 'k', 100000);
    bytes.size += 100000;
    cr_assert(buffer_append(&bytes, "\xC4\x00", 2));
    cr_assert_eq(wire_document_parse(&tape, buffer_view(&bytes), &LIMITS, &subject.error), OK);
    enum status status = validate_explain(subject.program, subject.context, (struct wire_value){&tape, 0}, &valid,
                                          &subject.report, &subject.error);
    cr_assert_eq(status, OK);
    cr_expect(!valid && subject.report.truncated);
    cr_expect_leq(subject.report.text.size, 65536);
}

Test(validate_report, keys_that_are_no_text_are_refused_at_their_map) {
    static const struct wire_limits LIMITS = {.size_max = 100, .depth_max = 8};
    static const char *const SCHEMAS[] = {"\x82\xA4"
                                          "type\xA1"
                                          "x\xA2\xFF\xFE\x80",
                                          "\x81\xA3"
                                          "not\x81\xA1\xFF\x80"};
    for (int i = 0; i < 2; i++) {
        CLEANUP(wire_document_done) struct wire_document tape = {0};
        CLEANUP(subject_done) struct subject subject;
        subject_init(&subject);
        cr_assert_eq(wire_document_parse(&tape, bytes_from_string(SCHEMAS[i]), &LIMITS, &subject.error), OK);
        cr_expect_eq(
            validate_compile((struct wire_value){&tape, 0}, &subject.options, &subject.program, NULL, &subject.error),
            INVALID);
        cr_expect_str_eq(subject.error.path, i == 0 ? "" : "/not");
    }
}
