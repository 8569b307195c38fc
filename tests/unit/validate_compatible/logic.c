/* logic.c: references, recursion, alternatives, conditions: what is proved, what is shown, what stays unknown and why.
 */
#include "support.h"

Test(validate_compatible_logic, references_are_followed_on_both_sides) {
    expect_yes("{'$ref': '#/$defs/a', '$defs': {'a': {'type': 'integer'}}}", "{'type': 'number'}");
    expect_yes("{'type': 'integer'}", "{'$ref': '#n', '$defs': {'a': {'$anchor': 'n', 'type': 'number'}}}");
    expect_yes("{'$ref': '#/$defs/a', 'minimum': 1, '$defs': {'a': {'type': 'integer'}}}",
               "{'type': 'integer', 'minimum': 1}");
    expect_yes("{'$id': 'http://x/r', '$ref': 'b', '$defs': {'b': {'$id': 'b', 'type': 'integer'}}}",
               "{'type': 'number'}");
    expect_no("{'properties': {'a': {'$ref': '#/$defs/n'}}, 'type': 'object', '$defs': {'n': {'type': 'number'}}}",
              "{'properties': {'a': {'$ref': '#/$defs/n'}}, '$defs': {'n': {'type': 'integer'}}}", "type_narrowed",
              "/$defs/n/type", "/$defs/n/type", "{'a': 0.5}");
}

Test(validate_compatible_logic, documents_given_with_a_schema_are_resolved) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(json_done) struct json number;
    CLEANUP(json_done) struct json integer;
    json_open(&number, "{'type': 'number'}");
    json_open(&integer, "{'type': 'integer'}");
    struct validate_document wide = {BYTES_LITERAL("http://x/n"), json_root(&number)};
    struct validate_document narrow = {BYTES_LITERAL("http://x/n"), json_root(&integer)};
    pair_init(&pair);
    pair.writer.options.documents = &wide;
    pair.writer.options.document_count = 1;
    pair.reader.options.documents = &narrow;
    pair.reader.options.document_count = 1;
    pair_compile(&pair, "{'$ref': 'http://x/n'}", "{'$ref': 'http://x/n'}");
    cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK);
    cr_expect_eq(pair.answer, COMPATIBLE_NO, "the texts are equal, what they refer to is not");
    struct compatible_difference difference = compatible_report_at(&pair.report, 0);
    cr_expect(bytes_equal_string(difference.reader_path, "http://x/n#/type"));
}

Test(validate_compatible_logic, recursion_is_proved_by_induction) {
    static const char LIST[] = "{'type': 'object', 'properties': {'v': {'type': 'integer'}, 'next': {'$ref': '#'}}, "
                               "'additionalProperties': false}";
    static const char WIDER[] = "{'type': 'object', 'properties': {'v': {'type': 'number'}, 'next': {'$ref': '#'}}}";
    static const char UNROLLED[] =
        "{'type': 'object', 'properties': {'v': {'type': 'number'}, 'next': {'type': 'object', 'properties': {'v': "
        "{'type': 'number'}, 'next': {'$ref': '#'}}}}}";
    expect_yes(LIST, WIDER);
    expect_yes(LIST, UNROLLED);
    expect_yes(WIDER, UNROLLED);
    expect_yes(UNROLLED, WIDER);
    expect_no(WIDER, LIST, "type_narrowed", "/properties/v/type", "/properties/v/type", "{'v': 0.5}");
    expect_yes("{'required': ['n'], 'type': 'object', 'properties': {'n': {'$ref': '#'}}}", "false");
    expect_yes("{'anyOf': [{'type': 'null'}, {'type': 'array', 'items': {'$ref': '#'}}]}",
               "{'anyOf': [{'type': 'array', 'items': {'$ref': '#'}}, {'type': 'null'}]}");
}

Test(validate_compatible_logic, what_hangs_on_an_assumption_that_fails_is_proved_anew) {
    /* Below x, b is proved on the assumption that a is; a then fails, which anyOf forgives, and y may not rely on b. */
    expect_no("{'type': 'object', 'properties': {'x': {'$ref': '#/$defs/a'}, 'y': {'$ref': '#/$defs/b'}}, '$defs': "
              "{'a': {'type': 'object', 'properties': {'b': {'$ref': '#/$defs/b'}, 'v': {'type': 'number'}}}, 'b': "
              "{'type': 'object', 'properties': {'a': {'$ref': '#/$defs/a'}}}}}",
              "{'properties': {'x': {'anyOf': [{'$ref': '#/$defs/a'}, true]}, 'y': {'$ref': '#/$defs/b'}}, '$defs': "
              "{'a': {'properties': {'b': {'$ref': '#/$defs/b'}, 'v': {'type': 'integer'}}}, 'b': {'properties': {'a': "
              "{'$ref': '#/$defs/a'}}}}}",
              "type_narrowed", "/$defs/a/properties/v/type", "/$defs/a/properties/v/type", "{'y': {'a': {'v': 0.5}}}");
}

Test(validate_compatible_logic, a_proof_on_an_assumption_that_failed_is_not_kept) {
    /* Under the first alternative of b, a is proved on the assumption that b is; w then fails b. The second alternative
     * asks for a again: {'x': {'b': {'w': 0.5, 'a': {'b': {'w': 0.5}}}}} is what speaks against it. */
    enum compatible_answer answer =
        compare("{'type': 'object', 'properties': {'x': {'$ref': '#/$defs/a'}}, '$defs': {'a': {'type': 'object', "
                "'properties': {'b': {'$ref': '#/$defs/b'}}}, 'b': {'type': 'object', 'properties': {'a': {'$ref': "
                "'#/$defs/a'}, 'w': {'type': 'number'}}}}}",
                "{'properties': {'x': {'properties': {'b': {'anyOf': [{'$ref': '#/$defs/b'}, {'properties': {'a': "
                "{'$ref': '#/$defs/a'}}}]}}}}, '$defs': {'a': {'properties': {'b': {'$ref': '#/$defs/b'}}}, 'b': "
                "{'properties': {'a': {'$ref': '#/$defs/a'}, 'w': {'type': 'integer'}}}}}",
                COMPATIBLE_STRICT);
    cr_expect_neq(answer, COMPATIBLE_YES);
}

Test(validate_compatible_logic, all_of_is_a_conjunction_on_both_sides) {
    expect_yes("{'allOf': [{'type': 'integer'}, {'minimum': 3}]}", "{'type': 'integer', 'minimum': 2}");
    expect_yes("{'type': 'integer', 'minimum': 2}", "{'allOf': [{'type': 'integer'}, {'minimum': 2}]}");
    expect_no("{'type': 'integer'}", "{'allOf': [{'type': 'integer'}, {'minimum': 2}]}", "minimum_raised", "/minimum",
              "/allOf/1/minimum", "1");
}

Test(validate_compatible_logic, alternatives_are_split_and_chosen) {
    expect_yes("{'anyOf': [{'type': 'string'}, {'type': 'integer'}]}", "{'type': ['integer', 'string', 'null']}");
    expect_yes("{'type': ['integer', 'string']}", "{'anyOf': [{'type': 'string'}, {'type': 'number'}]}");
    expect_yes("{'oneOf': [{'type': 'string', 'maxLength': 3}, {'type': 'integer'}]}",
               "{'oneOf': [{'type': 'number'}, {'type': 'string', 'maxLength': 4}]}");
    expect_yes("{'anyOf': [{'type': 'integer', 'minimum': 5}, {'type': 'integer', 'maximum': 1}]}",
               "{'type': 'number'}");
    expect_no("{'anyOf': [{'type': 'string'}, {'type': 'integer'}]}", "{'anyOf': [{'type': 'string'}]}",
              "any_of_narrowed", "/anyOf", "/anyOf", "0");
    expect_no("{'oneOf': [{'type': 'string'}, {'type': 'integer'}]}",
              "{'oneOf': [{'type': 'string'}, {'type': 'integer'}, {'minimum': 3, 'type': 'number'}]}",
              "one_of_narrowed", "/oneOf", "/oneOf", "3");
}

Test(validate_compatible_logic, objects_told_apart_by_a_constant_are_split) {
    static const char OLD[] =
        "{'oneOf': [{'type': 'object', 'required': ['k', 'r'], 'properties': {'k': {'const': 'circle'}, 'r': {'type': "
        "'integer'}}}, {'type': 'object', 'required': ['k', 's'], 'properties': {'k': {'const': 'square'}, 's': "
        "{'type': 'integer'}}}]}";
    static const char NEW[] =
        "{'oneOf': [{'type': 'object', 'required': ['k', 'r'], 'properties': {'k': {'const': 'circle'}, 'r': {'type': "
        "'number'}}}, {'type': 'object', 'required': ['k', 's'], 'properties': {'k': {'const': 'square'}, 's': "
        "{'type': 'number'}}}, {'type': 'object', 'required': ['k'], 'properties': {'k': {'const': 'point'}}}]}";
    expect_yes(OLD, NEW);
    expect_no(NEW, OLD, "one_of_narrowed", "/oneOf", "/oneOf", NULL);
}

Test(validate_compatible_logic, negations_and_conditions) {
    expect_yes("{'type': 'string'}", "{'not': {'type': 'integer'}}");
    expect_yes("{'not': {'type': 'number'}}", "{'not': {'type': 'integer'}}");
    expect_yes("{'type': 'integer', 'not': {'multipleOf': 2}}", "{'not': {'multipleOf': 4}}");
    expect_yes("{'not': {'type': 'null'}, 'type': ['null', 'string']}", "{'type': 'string'}");
    expect_yes("{'type': 'string', 'maxLength': 2}", "{'if': {'type': 'string'}, 'then': {'maxLength': 3}}");
    expect_yes("{'if': {'type': 'string'}, 'then': {'maxLength': 2}, 'else': {'type': 'integer'}}",
               "{'if': {'type': 'string'}, 'then': {'maxLength': 3}, 'else': {'type': 'number'}}");
    expect_yes("{'if': {'required': ['a']}, 'then': {'required': ['b']}}",
               "{'if': {'required': ['a']}, 'then': {'required': ['b']}}");
    expect_no("{'type': 'string'}", "{'not': {'maxLength': 1}}", "not_widened", "/not", "/not", "''");
    expect_no("{'type': ['string', 'integer']}", "{'if': {'type': 'string'}, 'then': {'maxLength': 0}}",
              "condition_narrowed", "/if", "/if", "'a'");
}

Test(validate_compatible_logic, dynamic_references_are_followed_where_they_can_mean_one_thing_only) {
    static const char TREE[] = "{'$id': 'http://x/t', '$dynamicAnchor': 'n', 'type': 'object', 'properties': {'v': "
                               "{'type': 'integer'}, 'c': {'items': {'$dynamicRef': '#n'}}}}";
    static const char WIDER[] = "{'$id': 'http://x/t', '$dynamicAnchor': 'n', 'type': 'object', 'properties': {'v': "
                                "{'type': 'number'}, 'c': {'items': {'$dynamicRef': '#n'}}}}";
    static const char BOUND[] =
        "{'$id': 'http://x/s', '$dynamicAnchor': 'n', '$ref': 't', 'required': ['v'], '$defs': {'t': {'$id': 't', "
        "'$dynamicAnchor': 'n', 'type': 'object', 'properties': {'c': {'items': {'$dynamicRef': '#n'}}}}}}";
    static const char BOUND_WIDER[] =
        "{'$id': 'http://x/s', '$dynamicAnchor': 'n', '$ref': 't', 'required': ['v'], '$defs': {'t': {'$id': 't', "
        "'$dynamicAnchor': 'n', 'type': 'object', 'properties': {'c': {'items': {'$dynamicRef': '#n'}}}, 'title': "
        "'T'}}}";
    expect_yes(TREE, WIDER);
    expect_yes(BOUND, BOUND);
    expect_unknown(BOUND, BOUND_WIDER, "reference_not_followed");
}

Test(validate_compatible_logic, what_is_neither_proved_nor_shown_is_unknown_and_names_the_keyword) {
    expect_unknown("{'type': 'string', 'pattern': '^(ab)+$'}", "{'pattern': '^(ab)*$'}", "pattern_changed");
    expect_unknown("{'type': 'string', 'pattern': '^a{3}$'}", "{'minLength': 3}", "min_length_raised");
    expect_unknown("{'type': 'string', 'pattern': '^[ab]$'}", "{'enum': ['a', 'b']}", "enum_narrowed");
}

Test(validate_compatible_logic, equal_schemas_are_read_whatever_is_in_them) {
    static const char HARD[] =
        "{'$ref': '#/$defs/x', 'unevaluatedProperties': false, 'not': {'pattern': '^(?=a)b'}, 'contains': {'not': "
        "{'required': ['q']}}, '$defs': {'x': {'patternProperties': {'^(a|b)+$': {'$dynamicRef': '#y'}}, "
        "'$dynamicAnchor': 'y'}}}";
    expect_yes(HARD, HARD);
}
