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
        "/m: must not match the schema [properties/m/not]\n"
        "/n: must be null (got string) [properties/n/anyOf/0/type]\n"
        "/n: must not be there (got \"y\") [properties/n/anyOf/1]\n"
        "/n: must match at least one of the 2 schemas [properties/n/anyOf]\n"
        "/o: must match exactly one of the 3 schemas (matches 0 and 2) [properties/o/oneOf]\n"
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
    subject.options.limits.report_size_max = 200;
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
