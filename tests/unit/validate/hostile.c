/* hostile.c: schemas and payloads made to be slow, deep or large: each ends soon, or in an error that names a limit. */
#include "support.h"

#include "validate/program.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t steps_of(struct subject *subject, const char *payload, bool wanted) {
    CLEANUP(json_done) struct json instance;
    bool valid = !wanted;
    json_open(&instance, payload);
    enum status status = subject_run(subject, json_root(&instance), &valid);
    cr_assert_eq(status, OK, "%s", subject->error.message);
    cr_expect_eq(valid, wanted);
    cr_assert_eq(validate_run(subject->program, subject->context, json_root(&instance), &valid, &subject->error), OK);
    return validate_context_steps(subject->context);
}

static void expect_limit(struct subject *subject, const char *payload, const char *limit) {
    CLEANUP(json_done) struct json instance;
    bool valid = false;
    json_open(&instance, payload);
    enum status status =
        validate_run(subject->program, subject->context, json_root(&instance), &valid, &subject->error);
    cr_expect_eq(status, TOO_LARGE);
    cr_expect_not_null(strstr(subject->error.message, limit), "%s", subject->error.message);
}

static void expect_compiles_to(const char *schema, void (*alter)(struct validate_limits *limits), enum status wanted,
                               const char *fragment) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    if (alter != NULL) {
        alter(&subject.options.limits);
    }
    enum status status = subject_compile(&subject, schema);
    cr_expect_eq(status, wanted, "%s: %s", status_name(status), subject.error.message);
    cr_expect_not_null(strstr(subject.error.message, fragment), "%s", subject.error.message);
}

/* ---- schemas ---- */

static const char *doubled(struct buffer *text, int levels, const char *keyword) {
    printed(text, "{'$ref': '#/$defs/d0', '$defs': {");
    for (int i = 0; i < levels; i++) {
        printed(text, "'d%d': {'%s': [{'$ref': '#/$defs/d%d'}, {'$ref': '#/$defs/d%d'}]},", i, keyword, i + 1, i + 1);
    }
    return printed(text, "'d%d': {'type': 'integer'}}}", levels);
}

Test(validate_hostile, levels_of_doubled_references_compile_and_run_in_few_steps) {
    static const char *const KEYWORDS[] = {"allOf", "anyOf", "oneOf"};
    for (int i = 0; i < 3; i++) {
        CLEANUP(buffer_done) struct buffer text = {0};
        CLEANUP(subject_done) struct subject subject;
        subject_init(&subject);
        subject.options.limits.schema_compile_steps_max = 20000;
        subject.options.limits.validation_steps_max = 30000;
        cr_assert_eq(subject_compile(&subject, doubled(&text, 24, KEYWORDS[i])), OK, "%s", subject.error.message);
        /* Two equal branches are one too many for oneOf, and then none too few. */
        CLEANUP(json_done) struct json instance;
        bool valid;
        json_open(&instance, "1");
        cr_assert_eq(subject_run(&subject, json_root(&instance), &valid), OK, "%s: %s", KEYWORDS[i],
                     subject.error.message);
        cr_expect_eq(valid, i != 2);
        json_done(&instance);
        json_open(&instance, "'x'");
        cr_assert_eq(subject_run(&subject, json_root(&instance), &valid), OK, "%s: %s", KEYWORDS[i],
                     subject.error.message);
        cr_expect(!valid);
    }
}

Test(validate_hostile, thousands_of_branches_compile_in_few_steps) {
    CLEANUP(buffer_done) struct buffer text = {0};
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    subject.options.limits.schema_compile_steps_max = 200000;
    cr_assert(buffer_append(&text, "{'allOf':[", 10));
    for (int i = 0; i < 4000; i++) {
        char branch[64];
        int size = snprintf(branch, sizeof branch, "%s{'allOf':[{'required':['k%d']},true]}", i > 0 ? "," : "", i);
        cr_assert(buffer_append(&text, branch, (size_t)size));
    }
    cr_assert(buffer_append(&text, "]}", 3));
    subject.options.limits.schema_subschemas_max = 20000;
    cr_assert_eq(subject_compile(&subject, (const char *)text.data), OK, "%s", subject.error.message);
    cr_expect_lt(steps_of(&subject, "{}", false), 100);
}

Test(validate_hostile, references_in_a_circle_are_refused) {
    static const char *const SCHEMAS[] = {
        "{'$ref': '#'}",
        "{'allOf': [{'$ref': '#'}]}",
        ("{'$ref': '#/$defs/a', '$defs': {'a': {'anyOf': [true, {'$ref': '#/$defs/b'}]}, 'b': {'not': {'$ref': "
         "'#/$defs/a'}}}}"),
        "{'if': {'$ref': '#'}, 'then': true}",
        "{'dependentSchemas': {'a': {'$ref': '#'}}}",
        "{'$dynamicAnchor': 'x', 'oneOf': [{'$dynamicRef': '#x'}]}",
    };
    for (size_t i = 0; i < sizeof SCHEMAS / sizeof SCHEMAS[0]; i++) {
        expect_compiles_to(SCHEMAS[i], NULL, INVALID, "lead back to here");
    }
}

static void few_subschemas(struct validate_limits *limits) {
    limits->schema_subschemas_max = 4;
}
static void few_references(struct validate_limits *limits) {
    limits->schema_references_max = 2;
}
static void few_patterns(struct validate_limits *limits) {
    limits->schema_patterns_max = 1;
}
static void small_schema(struct validate_limits *limits) {
    limits->schema_size_max = 20;
}
static void flat_schema(struct validate_limits *limits) {
    limits->schema_depth_max = 3;
}
static void small_program(struct validate_limits *limits) {
    limits->schema_program_size_max = 200;
}
static void few_steps(struct validate_limits *limits) {
    limits->schema_compile_steps_max = 20;
}

Test(validate_hostile, each_limit_on_schemas_is_named) {
    static const char SCHEMA[] = "{'properties': {'a': {'pattern': 'a'}, 'b': {'pattern': 'b'}, 'c': {'$ref': "
                                 "'#/$defs/d'}, 'd': {'$ref': '#/$defs/d'}, 'e': {'$ref': '#/$defs/d'}}, '$defs': "
                                 "{'d': {'items': {'not': {'type': 'null'}}}}}";
    expect_compiles_to(SCHEMA, few_subschemas, TOO_LARGE, "schema_subschemas_max");
    expect_compiles_to(SCHEMA, few_references, TOO_LARGE, "schema_references_max");
    expect_compiles_to(SCHEMA, few_patterns, TOO_LARGE, "schema_patterns_max");
    expect_compiles_to(SCHEMA, small_schema, TOO_LARGE, "schema_size_max");
    expect_compiles_to(SCHEMA, flat_schema, TOO_LARGE, "schema_depth_max");
    expect_compiles_to(SCHEMA, small_program, TOO_LARGE, "schema_program_size_max");
    expect_compiles_to(SCHEMA, few_steps, TOO_LARGE, "schema_compile_steps_max");
}

Test(validate_hostile, dynamic_scopes_that_multiply_end_in_a_limit) {
    /* Each resource may be entered or not before the next: 2^n ways to bind the anchors. */
    CLEANUP(buffer_done) struct buffer text = {0};
    CLEANUP(subject_done) struct subject subject;
    printed(&text, "{'$ref': 'r0', '$defs': {");
    for (int i = 0; i < 20; i++) {
        printed(&text,
                "'r%d': {'$id': 'r%d', 'items': {'$ref': 'r%d'}, 'additionalProperties': {'$ref': 's%d'}}, 's%d': "
                "{'$id': 's%d', '$dynamicAnchor': 'a%d', 'items': {'$ref': 'r%d'}},",
                i, i, i + 1, i, i, i, i, i + 1);
    }
    printed(&text, "'r20': {'$id': 'r20', 'items': {'$dynamicRef': 's3#a3'}}}}");
    subject_init(&subject);
    enum status status = subject_compile(&subject, (const char *)text.data);
    cr_expect_eq(status, TOO_LARGE, "%s %s", status_name(status), subject.error.message);
}

/* ---- payloads ---- */

Test(validate_hostile, recursive_disjunction_is_remembered) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(buffer_done) struct buffer text = {0};
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject,
                                 "{'anyOf': [{'properties': {'c': {'$ref': '#'}}, 'required': ['a']}, {'properties': "
                                 "{'c': {'$ref': '#'}}, 'required': ['b']}, {'properties': {'c': {'$ref': '#'}}, "
                                 "'required': ['d']}]}"),
                 OK, "%s", subject.error.message);
    for (int i = 0; i < 16; i++) {
        printed(&text, "{'d': 1, 'c': ");
    }
    printed(&text, "{'x': 1}");
    for (int i = 0; i < 16; i++) {
        printed(&text, "}");
    }
    uint64_t steps = steps_of(&subject, (const char *)text.data, false);
    cr_expect_lt(steps, 6000, "%llu steps", (unsigned long long)steps);
}

Test(validate_hostile, a_hundred_thousand_unique_items_are_told_apart_in_linear_time) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(buffer_done) struct buffer text = {0};
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'uniqueItems': true}"), OK);
    printed(&text, "[");
    cr_assert(buffer_reserve(&text, 1 << 20));
    for (int i = 0; i < 100000; i++) {
        char number[16];
        int size = snprintf(number, sizeof number, "%s%d", i > 0 ? "," : "", i);
        text.size -= 1;
        cr_assert(buffer_append(&text, number, (size_t)size + 1));
    }
    printed(&text, "]");
    uint64_t steps = steps_of(&subject, (const char *)text.data, true);
    cr_expect_lt(steps, 400000, "%llu steps", (unsigned long long)steps);
    text.size -= 2;
    cr_assert(buffer_append(&text, ",5.0]", 6));
    steps = steps_of(&subject, (const char *)text.data, false);
    cr_expect_lt(steps, 400000, "%llu steps", (unsigned long long)steps);
}

Test(validate_hostile, wide_equal_objects_in_different_order_are_compared_in_linear_time) {
    enum { KEYS = 20000 };
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(buffer_done) struct buffer text = {0};
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'uniqueItems': true}"), OK);
    cr_assert(buffer_append(&text, "[{", 2));
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < KEYS; i++) {
            char pair[32];
            int key = side == 0 ? i : KEYS - 1 - i;
            int size = snprintf(pair, sizeof pair, "%s'%d':%d", i > 0 ? "," : "", key, key);
            cr_assert(buffer_append(&text, pair, (size_t)size));
        }
        cr_assert(buffer_append(&text, side == 0 ? "},{" : "}]", 3));
    }
    uint64_t steps = steps_of(&subject, (const char *)text.data, false);
    cr_expect_lt(steps, 500000, "%llu steps", (unsigned long long)steps);
}

Test(validate_hostile, a_pattern_that_backtracks_ends_soon_or_in_a_limit) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(buffer_done) struct buffer text = {0};
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'pattern': '^(a+)+$'}"), OK);
    printed(&text, "'");
    printed_run(&text, 'a', 100000);
    printed(&text, "b'");
    uint64_t steps = steps_of(&subject, (const char *)text.data, false);
    cr_expect_lt(steps, 20000, "%llu steps", (unsigned long long)steps);
    validate_program_free(subject.program);
    subject.program = NULL;
    json_done(&subject.schema);
    cr_assert_eq(subject_compile(&subject, "{'pattern': '(a+)+$'}"), OK);
    steps = steps_of(&subject, (const char *)text.data, false);
    cr_expect_lt(steps, 20000, "%llu steps", (unsigned long long)steps);
}

/* With a lookahead it is searched for by trying: an error wherever the pattern stands. */
Test(validate_hostile, limits_of_patterns_are_named_and_are_no_verdict) {
    static const struct {
        const char *schema, *limit;
        size_t size;
    } CASES[] = {
        {"{'pattern': '^(?=(a+)+$)'}", "pattern_steps_max", 100},
        {"{'not': {'pattern': '^(?=(a+)+$)'}}", "pattern_steps_max", 100},
        {"{'anyOf': [{'pattern': '^(?=(a+)+$)'}, true]}", "pattern_steps_max", 100},
        {"{'if': {'pattern': '^(?=(a+)+$)'}, 'else': false}", "pattern_steps_max", 100},
        {"{'not': {'pattern': '^(?=x?)(a|c)*$'}}", "memory of a search for a pattern", 400000},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(subject_done) struct subject subject;
        CLEANUP(buffer_done) struct buffer text = {0};
        subject_init(&subject);
        cr_assert_eq(subject_compile(&subject, CASES[i].schema), OK, "%s", subject.error.message);
        printed(&text, "'");
        printed_run(&text, 'a', CASES[i].size);
        expect_limit(&subject, printed(&text, "b'"), CASES[i].limit);
        cr_expect_leq(validate_context_steps(subject.context), 2000000);
    }
}

Test(validate_hostile, a_payload_nested_400_deep_is_judged) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(buffer_done) struct buffer text = {0};
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, "{'type': ['array', 'integer'], 'items': {'$ref': '#'}}"), OK);
    for (int i = 0; i < 400; i++) {
        printed(&text, "[");
    }
    printed(&text, "1.5");
    for (int i = 0; i < 400; i++) {
        printed(&text, "]");
    }
    uint64_t steps = steps_of(&subject, (const char *)text.data, false);
    cr_expect_lt(steps, 4000, "%llu steps", (unsigned long long)steps);
}

Test(validate_hostile, limits_of_evaluation_are_named_and_are_no_verdict_even_inside_not) {
    static const char *const SCHEMAS[] = {
        "{'items': {'enum': [1, 2]}}",
        "{'not': {'items': {'enum': [1, 2]}}}",
        "{'not': {'not': {'items': {'enum': [1, 2]}}}}",
        "{'anyOf': [{'items': {'enum': [1, 2]}}, true]}",
        "{'if': {'items': {'enum': [1, 2]}}, 'then': false}",
        "{'oneOf': [{'contains': {'enum': [3]}}, true]}",
        "{'contains': {'not': {'enum': [1, 2]}}, 'minContains': 0, 'maxContains': 1}",
        "{'anyOf': [true, {'prefixItems': [true]}], 'unevaluatedItems': {'not': {'enum': [3]}}}",
        "{'not': {'uniqueItems': true, 'items': {'enum': [1, 2]}}}",
        "{'dependentSchemas': {'x': false}, 'not': {'contains': {'enum': [3]}}}",
    };
    for (size_t i = 0; i < sizeof SCHEMAS / sizeof SCHEMAS[0]; i++) {
        CLEANUP(subject_done) struct subject subject;
        subject_init(&subject);
        subject.options.limits.validation_steps_max = 30;
        cr_assert_eq(subject_compile(&subject, SCHEMAS[i]), OK, "%s", subject.error.message);
        expect_limit(&subject, "[1,2,1,2,1,2,1,2,1,2,1,2,1,2,1,2]", "validation_steps_max");
    }
}

Test(validate_hostile, the_limit_on_frames_is_named) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    subject.options.limits.validation_frames_max = 64;
    cr_assert_eq(subject_compile(&subject, "{'items': {'$ref': '#'}}"), OK);
    CLEANUP(buffer_done) struct buffer text = {0};
    for (int i = 0; i < 100; i++) {
        printed(&text, "[");
    }
    for (int i = 0; i < 100; i++) {
        printed(&text, "]");
    }
    expect_limit(&subject, (const char *)text.data, "validation_frames_max");
}

Test(validate_hostile, the_limit_on_memory_is_named) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    subject.options.limits.validation_memory_max = 512;
    subject.options.trusted = true;
    cr_assert_eq(subject_compile(&subject, "{'uniqueItems': true}"), OK, "%s", subject.error.message);
    expect_limit(&subject, "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]", "validation_memory_max");
}

Test(validate_hostile, tracking_what_was_evaluated_through_doubled_references_ends_soon) {
    CLEANUP(buffer_done) struct buffer text = {0};
    CLEANUP(subject_done) struct subject subject;
    printed(&text, "{'$ref': '#/$defs/d0', 'unevaluatedProperties': false, '$defs': {");
    for (int i = 0; i < 24; i++) {
        printed(&text, "'d%d': {'anyOf': [{'$ref': '#/$defs/d%d'}, {'$ref': '#/$defs/d%d'}]},", i, i + 1, i + 1);
    }
    printed(&text, "'d24': {'properties': {'a': true}}}}");
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject, (const char *)text.data), OK, "%s", subject.error.message);
    uint64_t steps = steps_of(&subject, "{'a': 1}", true);
    cr_expect_lt(steps, 30000, "%llu steps", (unsigned long long)steps);
    steps = steps_of(&subject, "{'a': 1, 'b': 1}", false);
    cr_expect_lt(steps, 30000, "%llu steps", (unsigned long long)steps);
}

/* Contexts are kept, and their memory may be larger than a program allows: it must not be more generous for that. */
Test(validate_hostile, limits_do_not_depend_on_what_ran_before) {
    CLEANUP(subject_done) struct subject large;
    CLEANUP(subject_done) struct subject small;
    CLEANUP(json_done) struct json instance;
    CLEANUP(buffer_done) struct buffer text = {0};
    static const char SCHEMA[] =
        "{'$ref': '#/$defs/a', '$defs': {'a': {'anyOf': [{'items': {'$ref': '#/$defs/a'}, 'minItems': 2}, {'items': "
        "{'$ref': '#/$defs/a'}, 'type': 'array'}]}}}";
    bool valid = false;
    subject_init(&large);
    subject_init(&small);
    small.options.trusted = true;
    cr_assert_eq(subject_compile(&large, SCHEMA), OK, "%s", large.error.message);
    cr_assert_eq(subject_compile(&small, SCHEMA), OK, "%s", small.error.message);
    for (int i = 0; i < 400; i++) {
        printed(&text, "[");
    }
    for (int i = 0; i < 400; i++) {
        printed(&text, "]");
    }
    json_open(&instance, (const char *)text.data);
    cr_assert_eq(validate_run(large.program, large.context, json_root(&instance), &valid, &large.error), OK);
    cr_expect(valid);
    for (int warmed = 0; warmed < 2; warmed++) {
        struct validate_context *context = warmed != 0 ? large.context : small.context;
        small.program->limits.validation_frames_max = 400;
        cr_expect_eq(validate_run(small.program, context, json_root(&instance), &valid, &small.error), TOO_LARGE);
        cr_expect_not_null(strstr(small.error.message, "validation_frames_max"), "%s", small.error.message);
        small.program->limits.validation_frames_max = 5000;
        small.program->limits.validation_memory_max = 1000;
        cr_expect_eq(validate_run(small.program, context, json_root(&instance), &valid, &small.error), TOO_LARGE);
        cr_expect_not_null(strstr(small.error.message, "validation_memory_max"), "%s", small.error.message);
    }
}

/* What is hashed or compared as a whole costs by its size, not as one. */
Test(validate_hostile, long_text_costs_steps_wherever_it_is_compared) {
    static const char *const CASES[][4] = {
        /* around the text, in the schema and in the payload */
        {"{'enum': ['", "', 1]}", "'", "'"},
        {"{'const': '", "'}", "'", "'"},
        {"{'const': ['", "']}", "['", "']"},
        {"{'enum': [['", "', 2]]}", "['", "', 2]"},
    };
    CLEANUP(buffer_done) struct buffer word = {0};
    printed_run(&word, 'x', 64000);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        CLEANUP(subject_done) struct subject subject;
        CLEANUP(buffer_done) struct buffer schema = {0};
        CLEANUP(buffer_done) struct buffer payload = {0};
        const char *text = (const char *)word.data;
        subject_init(&subject);
        printed(&schema, "%s%s%s", CASES[i][0], text, CASES[i][1]);
        printed(&payload, "%s%s%s", CASES[i][2], text, CASES[i][3]);
        cr_assert_eq(subject_compile(&subject, (const char *)schema.data), OK, "%s", subject.error.message);
        uint64_t steps = steps_of(&subject, (const char *)payload.data, true);
        cr_expect_geq(steps, 1000, "%s: %llu steps", CASES[i][0], (unsigned long long)steps);
    }
}
