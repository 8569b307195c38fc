/* keywords.c: each keyword, narrowed and widened: the kind, both paths, the witness. */
#include "support.h"

Test(validate_compatible_keywords, a_narrower_type_is_told_with_a_value_of_the_lost_type) {
    expect_yes("{'type': 'integer'}", "{'type': 'number'}");
    expect_yes("{'type': 'string'}", "{'type': ['string', 'null']}");
    expect_yes("{'type': 'number', 'multipleOf': 1}", "{'type': 'integer'}");
    expect_no("{'type': 'number'}", "{'type': 'integer'}", "type_narrowed", "/type", "/type", "0.5");
    expect_no("{'type': ['string', 'null']}", "{'type': 'string'}", "type_narrowed", "/type", "/type", "null");
    expect_no("{}", "{'type': 'string'}", "type_narrowed", "/type", "/type", "null");
}

Test(validate_compatible_keywords, values_that_are_not_listed_any_more_are_each_a_difference) {
    expect_yes("{'enum': [1, 'a']}", "{'enum': ['a', 1.0, 2]}");
    expect_yes("{'const': {'a': [1]}}", "{'enum': [{'a': [1.0]}]}");
    expect_yes("{'enum': [1, 3, 'x']}", "{'type': ['integer', 'string'], 'maximum': 3, 'maxLength': 1}");
    expect_yes("{'type': 'boolean'}", "{'enum': [true, false]}");
    expect_no("{'enum': [1, 2, 3]}", "{'enum': [1]}", "enum_narrowed", "/enum", "/enum", "2");
    expect_no("{'enum': [1, 2, 3]}", "{'enum': [1]}", "enum_narrowed", "/enum", "/enum", "3");
    expect_no("{'const': 'a'}", "{'const': 'b'}", "const_changed", "/const", "/const", "'a'");
    expect_no("{'type': 'string'}", "{'enum': ['a', 'b']}", "enum_narrowed", "/enum", "/enum", "''");
    expect_no("{'type': 'boolean'}", "{'const': true}", "const_changed", "/const", "/const", "false");
}

Test(validate_compatible_keywords, bounds_of_numbers_compare_exactly) {
    expect_yes("{'minimum': 5}", "{'minimum': 5}");
    expect_yes("{'exclusiveMinimum': 5}", "{'minimum': 5}");
    expect_yes("{'type': 'integer', 'exclusiveMinimum': 4}", "{'minimum': 5}");
    expect_yes("{'type': 'integer', 'maximum': 4}", "{'exclusiveMaximum': 5}");
    expect_yes("{'type': 'integer', 'maximum': 4.5}", "{'maximum': 4}");
    expect_yes("{'type': 'string'}", "{'minimum': 5}");
    expect_no("{'type': 'integer'}", "{'type': 'integer', 'minimum': 0}", "minimum_raised", "/minimum", "/minimum",
              "-1");
    expect_no("{'maximum': 9}", "{'maximum': 8}", "maximum_lowered", "/maximum", "/maximum", "9");
    expect_no("{'type': 'number', 'minimum': 5}", "{'exclusiveMinimum': 5}", "exclusive_minimum_raised",
              "/exclusiveMinimum", "/exclusiveMinimum", "5");
    expect_no("{'type': 'integer', 'maximum': 9007199254740993}", "{'maximum': 9007199254740992}", "maximum_lowered",
              "/maximum", "/maximum", "9007199254740993");
    expect_no("{'type': 'number', 'exclusiveMinimum': 4}", "{'minimum': 5}", "minimum_raised", "/minimum", "/minimum",
              NULL);
}

Test(validate_compatible_keywords, multiples_compare_by_divisibility) {
    expect_yes("{'multipleOf': 6}", "{'multipleOf': 3}");
    expect_yes("{'multipleOf': 0.5}", "{'multipleOf': 0.1}");
    expect_yes("{'type': 'integer'}", "{'multipleOf': 1}");
    expect_yes("{'type': 'integer'}", "{'multipleOf': 0.01}");
    expect_no("{'type': 'number', 'multipleOf': 3}", "{'multipleOf': 6}", "multiple_of_changed", "/multipleOf",
              "/multipleOf", "3");
    expect_no("{'type': 'number', 'multipleOf': 0.1}", "{'multipleOf': 0.5}", "multiple_of_changed", "/multipleOf",
              "/multipleOf", "0.1");
}

Test(validate_compatible_keywords, strings_by_length_pattern_and_format) {
    expect_yes("{'minLength': 3, 'maxLength': 5}", "{'minLength': 2, 'maxLength': 5}");
    expect_yes("{'pattern': '^a'}", "{'pattern': '^a'}");
    expect_yes("{'type': 'string'}", "{'pattern': ''}");
    expect_yes("{'format': 'date'}", "{'format': 'email'}");
    expect_no("{'type': 'string', 'maxLength': 4}", "{'maxLength': 3}", "max_length_lowered", "/maxLength",
              "/maxLength", "'aaaa'");
    expect_no("{'type': 'string'}", "{'minLength': 1}", "min_length_raised", "/minLength", "/minLength", "''");
    expect_no("{'type': 'string', 'pattern': '^[A-Z]{2}$'}", "{'pattern': '^[A-Z]{3}$'}", "pattern_changed", "/pattern",
              "/pattern", "'AA'");
}

Test(validate_compatible_keywords, a_format_that_is_asserted_counts) {
    CLEANUP(pair_done) struct pair pair;
    pair_init(&pair);
    pair.writer.options.assert_format = true;
    pair.reader.options.assert_format = true;
    pair_compile(&pair, "{'type': 'string', 'format': 'date'}", "{'format': 'date-time'}");
    cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK);
    cr_expect_eq(pair.answer, COMPATIBLE_NO);
    cr_expect_str_eq(compatible_report_at(&pair.report, 0).kind, "format_changed");
}

Test(validate_compatible_keywords, arrays_by_count_uniqueness_and_elements) {
    expect_yes("{'type': 'array', 'maxItems': 1}", "{'uniqueItems': true}");
    expect_yes("{'prefixItems': [{'type': 'integer'}], 'items': false}",
               "{'items': {'type': 'number'}, 'maxItems': 1}");
    expect_yes("{'type': 'array', 'items': {'type': 'integer'}, 'minItems': 2}", "{'contains': {'type': 'number'}}");
    expect_yes("{'contains': {'const': 1}, 'minContains': 2}", "{'contains': {'type': 'integer'}, 'minItems': 2}");
    expect_no("{'type': 'array'}", "{'minItems': 1}", "min_items_raised", "/minItems", "/minItems", "[]");
    expect_no("{'type': 'array', 'items': {'type': 'integer'}}", "{'maxItems': 2}", "max_items_lowered", "/maxItems",
              "/maxItems", "[0, 0, 0]");
    expect_no("{'type': 'array', 'items': {'type': 'string'}}", "{'uniqueItems': true}", "unique_items_required",
              "/uniqueItems", "/uniqueItems", "['', '']");
    expect_no("{'type': 'array', 'items': {'type': 'number'}}", "{'items': {'type': 'integer'}}", "type_narrowed",
              "/items/type", "/items/type", "[0.5]");
    expect_no("{'type': 'array', 'prefixItems': [{'type': 'number'}]}", "{'prefixItems': [{'type': 'integer'}]}",
              "type_narrowed", "/prefixItems/0/type", "/prefixItems/0/type", "[0.5]");
    expect_no("{'type': 'array', 'items': {'type': 'string'}}", "{'prefixItems': [true], 'items': false}",
              "items_closed", "/items", "/items", "['', '']");
    expect_no("{'type': 'array', 'items': {'type': 'integer'}}", "{'contains': {'const': 1}}", "contains_narrowed",
              "/contains", "/contains", "[]");
}

Test(validate_compatible_keywords, elements_that_match_contains_are_counted_from_both_ends) {
    expect_yes("{'contains': {'type': 'number'}, 'minContains': 0, 'maxContains': 1}",
               "{'contains': {'type': 'integer'}, 'minContains': 0, 'maxContains': 2}");
    expect_yes("{'type': 'array', 'items': {'type': 'string'}, 'minItems': 1}",
               "{'contains': {'type': 'integer'}, 'minContains': 0, 'maxContains': 0}");
    expect_no("{'type': 'array', 'contains': {'type': 'integer'}}",
              "{'contains': {'type': 'integer'}, 'maxContains': 1}", "contains_narrowed", "/contains", "/contains",
              "[0, 0]");
}

Test(validate_compatible_keywords, draft_07_arrays_and_dependencies) {
    expect_yes("{'$schema': 'http://json-schema.org/draft-07/schema#', 'items': [{'type': 'integer'}], "
               "'additionalItems': {'type': 'string'}}",
               "{'prefixItems': [{'type': 'number'}], 'items': {'type': 'string'}}");
    expect_yes("{'$schema': 'http://json-schema.org/draft-07/schema#', 'dependencies': {'a': ['b'], 'c': {'required': "
               "['d']}}}",
               "{'dependentRequired': {'a': ['b'], 'c': ['d']}}");
    expect_yes("{'$schema': 'http://json-schema.org/draft-07/schema#', '$ref': '#/definitions/x', 'type': 'string', "
               "'definitions': {'x': {'type': 'integer'}}}",
               "{'type': 'integer'}");
    expect_no("{'$schema': 'http://json-schema.org/draft-07/schema#', 'type': 'array', 'items': [{'type': 'integer'}]}",
              "{'$schema': 'http://json-schema.org/draft-07/schema#', 'items': [true], 'additionalItems': false}",
              "items_closed", "/additionalItems", "/additionalItems", "[0, null]");
}

Test(validate_compatible_keywords, objects_by_required_names_and_counts) {
    expect_yes("{'required': ['a', 'b']}", "{'required': ['b'], 'minProperties': 2}");
    expect_yes("{'properties': {'a': true, 'b': true}, 'additionalProperties': false}", "{'maxProperties': 2}");
    expect_yes("{'required': ['a'], 'dependentRequired': {'a': ['b']}}", "{'required': ['b']}");
    expect_yes("{'dependentRequired': {'a': ['b']}}", "{'dependentSchemas': {'a': {}}}");
    expect_yes("{'dependentSchemas': {'a': {'required': ['b']}}}", "{'dependentRequired': {'a': ['b']}}");
    expect_yes("{'propertyNames': {'enum': ['a', 'b']}}", "{'propertyNames': {'maxLength': 1}, 'maxProperties': 2}");
    expect_yes("{'properties': {'abc': true}, 'additionalProperties': false}", "{'propertyNames': {'pattern': '^a'}}");
    expect_no("{'type': 'object', 'properties': {'age': {'type': 'integer'}}}",
              "{'properties': {'age': {'type': 'integer'}}, 'required': ['age']}", "property_required", "/required",
              "/required", "{}");
    expect_no("{'type': 'object'}", "{'maxProperties': 1}", "max_properties_lowered", "/maxProperties",
              "/maxProperties", NULL);
    expect_no("{'type': 'object'}", "{'minProperties': 1}", "min_properties_raised", "/minProperties", "/minProperties",
              "{}");
    expect_no("{'type': 'object', 'properties': {'a': {'type': 'integer'}}}", "{'dependentRequired': {'a': ['b']}}",
              "dependent_required_added", "/dependentRequired", "/dependentRequired", "{'a': 0}");
    expect_no("{'type': 'object', 'properties': {'a': {'type': 'integer'}}}",
              "{'dependentSchemas': {'a': {'required': ['b']}}}", "dependent_schema_narrowed", "/dependentSchemas",
              "/dependentSchemas", "{'a': 0}");
    expect_no("{'type': 'object', 'additionalProperties': {'type': 'integer'}}", "{'propertyNames': {'pattern': '^a'}}",
              "property_names_narrowed", "/propertyNames", "/propertyNames", "{'x': 0}");
}

Test(validate_compatible_keywords, members_by_name_pattern_and_the_rest) {
    expect_yes("{'additionalProperties': {'type': 'integer'}}", "{'properties': {'a': {'type': 'number'}}}");
    expect_yes("{'patternProperties': {'^x': {'type': 'integer'}}, 'additionalProperties': false}",
               "{'patternProperties': {'^x': {'type': 'number'}}, 'additionalProperties': false}");
    expect_yes("{'patternProperties': {'^x': {'type': 'integer'}}}", "{'properties': {'xy': {'type': 'number'}}}");
    expect_no("{'type': 'object', 'properties': {'a': {'properties': {'b': {'type': 'number'}}, 'type': 'object'}}}",
              "{'properties': {'a': {'properties': {'b': {'type': 'integer'}}}}}", "type_narrowed",
              "/properties/a/properties/b/type", "/properties/a/properties/b/type", "{'a': {'b': 0.5}}");
    expect_no("{'type': 'object'}", "{'additionalProperties': false}", "additional_closed", "/additionalProperties",
              "/additionalProperties", "{'x': null}");
    expect_no("{'type': 'object', 'additionalProperties': {'type': 'number'}}",
              "{'additionalProperties': {'type': 'integer'}}", "additional_narrowed", "/additionalProperties",
              "/additionalProperties", "{'x': 0.5}");
    expect_no("{'type': 'object', 'patternProperties': {'^x_': {'type': 'number'}}}",
              "{'patternProperties': {'^x_': {'type': 'integer'}}}", "pattern_property_narrowed", "/patternProperties",
              "/patternProperties", "{'x_': 0.5}");
    expect_no("{'type': 'object', 'properties': {'a/b': {'type': 'number'}}}",
              "{'properties': {'a/b': {'type': 'integer'}}}", "type_narrowed", "/properties/a~1b/type",
              "/properties/a~1b/type", "{'a/b': 0.5}");
    expect_no("{'type': 'object', 'required': ['id'], 'properties': {'id': {'type': 'string', 'minLength': 2}, 'n': "
              "{'type': 'number'}}, 'additionalProperties': false}",
              "{'properties': {'n': {'type': 'integer'}}}", "type_narrowed", "/properties/n/type", "/properties/n/type",
              "{'n': 0.5, 'id': 'aa'}");
}

Test(validate_compatible_keywords, what_nothing_evaluates_is_like_what_is_additional) {
    expect_yes("{'properties': {'a': true}, 'unevaluatedProperties': false}",
               "{'properties': {'a': true}, 'additionalProperties': false}");
    expect_yes("{'$ref': '#/$defs/b', 'properties': {'x': {'type': 'integer'}}, 'unevaluatedProperties': false, "
               "'$defs': {'b': {'properties': {'a': {'type': 'integer'}}}}}",
               "{'properties': {'x': {'type': 'number'}, 'a': true}, 'additionalProperties': false}");
    expect_yes("{'properties': {'x': {'type': 'number'}, 'a': true}, 'additionalProperties': false}",
               "{'$ref': '#/$defs/b', 'properties': {'x': true}, 'unevaluatedProperties': false, '$defs': {'b': "
               "{'properties': {'a': true}}}}");
    expect_yes("{'items': {'type': 'integer'}}", "{'prefixItems': [{'type': 'number'}], 'unevaluatedItems': {'type': "
                                                 "'integer'}}");
    expect_no("{'type': 'object', '$ref': '#/$defs/b', 'unevaluatedProperties': false, '$defs': {'b': "
              "{'additionalProperties': {'type': 'string'}}}}",
              "{'additionalProperties': false}", "additional_closed", "/$defs/b/additionalProperties",
              "/additionalProperties", "{'x': ''}");
    expect_no("{'type': 'object', 'properties': {'x': {'type': 'integer'}}, 'additionalProperties': false}",
              "{'allOf': [{'properties': {'y': true}}], 'unevaluatedProperties': false}", "property_removed",
              "/unevaluatedProperties", "/unevaluatedProperties", "{'x': 0}");
}

Test(validate_compatible_keywords, boolean_schemas_and_schemas_that_allow_nothing) {
    expect_yes("true", "{}");
    expect_yes("false", "{'type': 'string'}");
    expect_yes("{'type': 'integer', 'minimum': 2, 'maximum': 1}", "false");
    expect_yes("{'type': 'object', 'required': ['a'], 'properties': {'a': false}}", "false");
    expect_yes("{'allOf': [{'type': 'string'}, {'type': 'integer'}]}", "false");
    expect_yes("{'type': 'array', 'minItems': 1, 'items': false}", "false");
    expect_no("{'type': 'string'}", "false", "value_refused", "", "", "''");
}

Test(validate_compatible_keywords, annotations_never_matter) {
    expect_yes("{'type': 'string'}", "{'type': 'string', 'title': 'T', 'description': 'D', 'default': 1, 'examples': "
                                     "[1], 'deprecated': true, '$comment': 'c', 'readOnly': true}");
    expect_yes("{'contentSchema': {'type': 'integer'}, 'contentMediaType': 'a/b'}", "{}");
    expect_yes("{}", "{'contentSchema': {'type': 'integer'}, 'x-own': {'type': 'string'}}");
}

Test(validate_compatible_keywords, every_difference_is_listed_in_the_order_of_the_reader) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer text = {0};
    pair_init(&pair);
    pair_compile(&pair,
                 "{'type': 'object', 'properties': {'name': {'type': 'string'}, 'age': {'type': 'number'}}, "
                 "'additionalProperties': false}",
                 "{'type': 'object', 'required': ['name'], 'properties': {'name': {'type': 'string', 'minLength': 1}, "
                 "'age': {'type': 'integer', 'minimum': 0}}, 'additionalProperties': false}");
    cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK);
    cr_expect_str_eq(print_report(&pair.report, &text),
                     "\n  no property_required '/required' '/required' property 'name' is required {}"
                     "\n  no min_length_raised '/properties/name/minLength' '/properties/name/minLength' minLength "
                     "is 1, at /name {'name': ''}"
                     "\n  no type_narrowed '/properties/age/type' '/properties/age/type' type must be "
                     "'integer', at /age {'age': 0.5}"
                     "\n  no minimum_raised '/properties/age/minimum' '/properties/age/minimum' minimum is 0, at "
                     "/age {'age': -1}");
}
