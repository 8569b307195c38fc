/* lenient.c: nobody writes what is not declared: where that holds, and where it does not. */
#include "support.h"

static void expect_lenient(const char *writer, const char *reader, enum compatible_answer answer) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer text = {0};
    pair_init(&pair);
    pair_compile(&pair, writer, reader);
    cr_assert_eq(pair_check(&pair, COMPATIBLE_LENIENT), OK, "%s", pair.error.message);
    cr_expect_eq(pair.answer, answer, "%s is read by %s: %s%s", writer, reader, compatible_answer_name(pair.answer),
                 print_report(&pair.report, &text));
}

Test(validate_compatible_lenient, undeclared_names_are_taken_as_never_written) {
    expect_lenient("{'type': 'object', 'properties': {'a': true}}",
                   "{'properties': {'a': true, 'b': {'type': 'integer'}}}", COMPATIBLE_YES);
    expect_lenient("{'type': 'object', 'properties': {'a': true}}",
                   "{'properties': {'a': true}, 'additionalProperties': false}", COMPATIBLE_YES);
    expect_lenient("{'type': 'object', 'properties': {'a': {'type': 'object', 'properties': {'b': true}}}}",
                   "{'properties': {'a': {'properties': {'c': {'type': 'null'}}}}}", COMPATIBLE_YES);
}

Test(validate_compatible_lenient, what_a_schema_of_its_own_allows_is_written) {
    expect_lenient("{'type': 'object', 'properties': {'a': true}, 'additionalProperties': {'type': 'string'}}",
                   "{'properties': {'a': true, 'b': {'type': 'integer'}}}", COMPATIBLE_NO);
    expect_lenient("{'type': 'object', 'properties': {'a': true}, 'patternProperties': {'^x': {'type': 'string'}}}",
                   "{'properties': {'x1': {'type': 'integer'}}}", COMPATIBLE_NO);
    expect_lenient("{'type': 'object', 'properties': {'a': true}, 'required': ['b']}",
                   "{'properties': {'b': {'type': 'integer'}}}", COMPATIBLE_NO);
}

Test(validate_compatible_lenient, an_object_that_declares_nothing_is_a_free_map) {
    expect_lenient("{'type': 'object'}", "{'additionalProperties': {'type': 'string'}}", COMPATIBLE_NO);
    expect_lenient("{'properties': {'m': {'type': 'object'}}}",
                   "{'properties': {'m': {'additionalProperties': {'type': 'string'}}}}", COMPATIBLE_NO);
    expect_lenient("{'type': 'object', 'properties': {}}", "{'additionalProperties': {'type': 'string'}}",
                   COMPATIBLE_YES);
}

Test(validate_compatible_lenient, names_of_any_alternative_are_declared) {
    expect_lenient("{'type': 'object', 'anyOf': [{'properties': {'a': {'type': 'string'}}}, {'properties': {'b': "
                   "{'type': 'string'}}}]}",
                   "{'properties': {'b': {'type': 'string'}}}", COMPATIBLE_NO);
}

Test(validate_compatible_lenient, a_witness_has_only_what_is_declared) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer text = {0};
    pair_init(&pair);
    pair_compile(&pair, "{'type': 'object', 'properties': {'a': {'type': 'number'}}}",
                 "{'properties': {'a': {'type': 'integer'}, 'b': {'type': 'null'}}, 'minProperties': 1}");
    cr_assert_eq(pair_check(&pair, COMPATIBLE_LENIENT), OK);
    cr_expect_str_eq(print_report(&pair.report, &text),
                     "\n  no type_narrowed '/properties/a/type' '/properties/a/type' type must be 'integer', "
                     "at /a {'a': 0.5}"
                     "\n  no min_properties_raised '/minProperties' '/minProperties' minProperties is 1 {}");
}
