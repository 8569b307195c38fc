/* limits.c: hostile pairs end in time, within bounds, and never in a YES that was not proved. */
#include "support.h"

#include <stdio.h>

static void append(struct buffer *buffer, const char *text) {
    cr_assert(buffer_append(buffer, text, strlen(text)));
}

static const char *finish(struct buffer *buffer) {
    cr_assert(buffer_append(buffer, "", 1));
    return (const char *)buffer->data;
}

Test(validate_compatible_limits, a_budget_that_is_used_up_is_unknown_or_an_error) {
    CLEANUP(pair_done) struct pair pair;
    bool seen[3] = {false, false, false};
    pair_init(&pair);
    pair_compile(
        &pair,
        "{'type': 'object', 'properties': {'a': {'oneOf': [{'type': 'string'}, {'type': 'integer'}]}, 'b': "
        "{'enum': [1, 2, 3]}}}",
        "{'properties': {'a': {'anyOf': [{'type': 'number'}, {'type': 'string'}]}, 'b': {'type': 'integer'}}}");
    for (uint32_t steps = 1; steps < 4000; steps += 7) {
        pair.reader.options.limits.schema_compile_steps_max = steps;
        enum status status = pair_check(&pair, COMPATIBLE_STRICT);
        cr_assert(status == OK || status == TOO_LARGE, "%s", status_name(status));
        if (status == OK) {
            cr_assert_neq(pair.answer, COMPATIBLE_NO, "nothing was narrowed");
            seen[pair.answer] = true;
        }
    }
    cr_expect(seen[COMPATIBLE_YES] && seen[COMPATIBLE_UNKNOWN]);
}

Test(validate_compatible_limits, differences_beyond_64_are_truncated) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer writer = {0};
    CLEANUP(buffer_done) struct buffer reader = {0};
    append(&writer, "{'type': 'object', 'properties': {'x': true");
    append(&reader, "{'type': 'object', 'properties': {'x': true");
    for (int i = 0; i < 100; i++) {
        char text[64];
        snprintf(text, sizeof text, ", 'p%d': {'type': 'number'}", i);
        append(&writer, text);
        snprintf(text, sizeof text, ", 'p%d': {'type': 'integer'}", i);
        append(&reader, text);
    }
    append(&writer, "}}");
    append(&reader, "}}");
    pair_init(&pair);
    pair_compile(&pair, finish(&writer), finish(&reader));
    cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK);
    cr_expect_eq(pair.answer, COMPATIBLE_NO);
    cr_expect_eq(pair.report.count, COMPATIBLE_DIFFERENCES_MAX);
    cr_expect(pair.report.truncated);
}

Test(validate_compatible_limits, schemas_that_double_at_every_level_end_in_time) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer writer = {0};
    CLEANUP(buffer_done) struct buffer reader = {0};
    append(&writer, "{'$ref': '#/$defs/d0', '$defs': {'d30': {'type': 'integer'}");
    append(&reader, "{'$ref': '#/$defs/d0', '$defs': {'d30': {'type': 'string'}");
    for (int i = 0; i < 30; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 ", 'd%d': {'anyOf': [{'$ref': '#/$defs/d%d'}, {'not': {'$ref': '#/$defs/d%d'}}], 'oneOf': [{'$ref': "
                 "'#/$defs/d%d'}, {'maxLength': %d}]}",
                 i, i + 1, i + 1, i + 1, i);
        append(&writer, text);
        append(&reader, text);
    }
    append(&writer, "}}");
    append(&reader, "}}");
    pair_init(&pair);
    pair.reader.options.limits.schema_compile_steps_max = 300000;
    pair_compile(&pair, finish(&writer), finish(&reader));
    cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK, "%s", pair.error.message);
    cr_expect_neq(pair.answer, COMPATIBLE_YES);
}

static void nest(struct buffer *text, int depth, const char *innermost) {
    for (int i = 0; i < depth; i++) {
        append(text, "{'type': 'array', 'items': ");
    }
    append(text, innermost);
    for (int i = 0; i < depth; i++) {
        append(text, "}");
    }
}

Test(validate_compatible_limits, deep_schemas_are_compared_or_unknown) {
    static const int DEPTHS[] = {10, 60, 120};
    for (int i = 0; i < 3; i++) {
        CLEANUP(buffer_done) struct buffer writer = {0};
        CLEANUP(buffer_done) struct buffer wider = {0};
        nest(&writer, DEPTHS[i], "{'type': 'integer'}");
        nest(&wider, DEPTHS[i], "{'type': 'number'}");
        enum compatible_answer answer = compare(finish(&writer), finish(&wider), COMPATIBLE_STRICT);
        cr_expect(answer == COMPATIBLE_YES || (i == 2 && answer == COMPATIBLE_UNKNOWN), "%d deep: %s", DEPTHS[i],
                  compatible_answer_name(answer));
        answer = compare((const char *)wider.data, (const char *)writer.data, COMPATIBLE_STRICT);
        cr_expect_neq(answer, COMPATIBLE_YES);
    }
}

Test(validate_compatible_limits, the_same_pair_gives_the_same_report) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer first = {0};
    CLEANUP(buffer_done) struct buffer second = {0};
    pair_init(&pair);
    pair_compile(&pair, "{'type': ['object', 'array'], 'properties': {'a': {'enum': [1, 2, 'x']}}}",
                 "{'type': 'object', 'properties': {'a': {'type': 'integer', 'maximum': 1}, 'b': false}}");
    cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK);
    (void)print_report(&pair.report, &first);
    cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK);
    cr_expect_str_eq(print_report(&pair.report, &second), (const char *)first.data);
}
