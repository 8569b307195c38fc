/* Flat subschemas, which need no frame: what they apply, how deep, and by how many ways. All evaluators must agree. */
#include "support.h"

#include "validate/program.h"

enum { DEPTH_MAX = 2 * FLAT_LEVELS_MAX + 2 };

/* How a subschema is applied by the one around it, and the value that it is then for; %s is the inner one. */
static const struct {
    const char *before, *after;             /* of the schema */
    const char *value_before, *value_after; /* of the payload */
} WAYS[] = {
    {"{'type': 'object', 'required': ['a', 'z'], 'properties': {'a': ", "}}", "{'a': ", ", 'z': [{}]}"},
    {"{'properties': {'b': {'type': 'null'}}, 'additionalProperties': ", "}", "{'b': null, 'c': ", "}"},
    {"{'items': ", ", 'minItems': 1}", "[", "]"},
    {"{'prefixItems': [{'type': 'null'}, ", "], 'items': {'type': 'string'}}", "[null, ", ", 'x', 'y']"},
    {"{'$ref': '#/$defs/any', 'if': {'type': ['null', 'boolean']}, 'then': false, 'else': ", "}", "", ""},
    {"{'if': {'not': ", "}, 'then': false}", "", ""},
    {"{'anyOf': [{'const': 'never'}, ", "]}", "", ""},
    {"{'oneOf': [", ", {'const': 'never'}, {'required': ['never'], 'type': 'object'}]}", "", ""},
    {"{'not': {'not': ", "}}", "", ""},
};
enum { WAY_COUNT = sizeof WAYS / sizeof WAYS[0] };

/* The same way to apply at every depth, or (WAY_COUNT) all of them in turn. */
static uint32_t way_at(uint32_t way, uint32_t depth) {
    return way < WAY_COUNT ? way : depth % WAY_COUNT;
}

static const char *nested(struct buffer *text, uint32_t way, uint32_t depth, bool is_schema, const char *innermost) {
    text->size = 0;
    (void)printed(text, "%s", is_schema ? "{'$defs': {'any': true}, 'allOf': [" : "");
    for (uint32_t i = 0; i < depth; i++) {
        uint32_t at = way_at(way, i);
        (void)printed(text, "%s", is_schema ? WAYS[at].before : WAYS[at].value_before);
    }
    (void)printed(text, "%s", innermost);
    for (uint32_t i = depth; i > 0; i--) {
        uint32_t at = way_at(way, i - 1);
        (void)printed(text, "%s", is_schema ? WAYS[at].after : WAYS[at].value_after);
    }
    return printed(text, "%s", is_schema ? "]}" : "");
}

Test(validate_flat, however_deep_verdicts_are_the_same) {
    for (uint32_t way = 0; way <= WAY_COUNT; way++) {
        for (uint32_t depth = 1; depth <= DEPTH_MAX; depth++) {
            CLEANUP(buffer_done) struct buffer schema = {0};
            CLEANUP(buffer_done) struct buffer payload = {0};
            (void)nested(&schema, way, depth, true, "{'type': 'integer', 'minimum': 3}");
            cr_expect(is_valid((const char *)schema.data, nested(&payload, way, depth, false, "3")), "way %u, %u deep",
                      way, depth);
            cr_expect(!is_valid((const char *)schema.data, nested(&payload, way, depth, false, "2")), "way %u, %u deep",
                      way, depth);
            cr_expect(!is_valid((const char *)schema.data, nested(&payload, way, depth, false, "'text'")),
                      "way %u, %u deep", way, depth);
        }
    }
}

static uint32_t count_flat(const struct validate_program *program) {
    struct program_view view;
    program_view_init(&view, program);
    uint32_t count = 0;
    for (uint32_t i = 0; i < program->counts[SECTION_schemas]; i++) {
        count += (view.schemas[i].run.flags & SCHEMA_FLAT) != 0;
    }
    return count;
}

Test(validate_flat, only_so_many_levels_are_flat) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(buffer_done) struct buffer schema = {0};
    subject_init(&subject);
    (void)nested(&schema, 2, DEPTH_MAX, true, "{'type': 'integer'}");
    cr_assert_eq(subject_compile(&subject, (const char *)schema.data), OK, "%s", subject.error.message);
    cr_expect_eq(count_flat(subject.program), FLAT_LEVELS_MAX);
}

/* By so many ways as double with each level nothing flat may come to an element: there nothing is remembered. */
Test(validate_flat, ways_to_an_element_do_not_multiply) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json instance;
    CLEANUP(buffer_done) struct buffer schema = {0};
    CLEANUP(buffer_done) struct buffer payload = {0};
    bool valid = false;
    subject_init(&subject);
    (void)printed(&schema, "{'$ref': '#/$defs/d0', '$defs': {");
    for (uint32_t i = 0; i < 24; i++) {
        (void)printed(&schema,
                      "'d%u': {'oneOf': [{'items': {'$ref': '#/$defs/d%u'}, 'minItems': 2}, "
                      "{'items': {'$ref': '#/$defs/d%u'}, 'maxItems': 1}]}, ",
                      i, i + 1, i + 1);
    }
    (void)printed(&schema, "'d24': {'type': 'integer'}}}");
    for (uint32_t i = 0; i < 24; i++) {
        (void)printed(&payload, "[");
    }
    (void)printed(&payload, "1");
    for (uint32_t i = 0; i < 24; i++) {
        (void)printed(&payload, "]");
    }
    cr_assert_eq(subject_compile(&subject, (const char *)schema.data), OK, "%s", subject.error.message);
    json_open(&instance, (const char *)payload.data);
    cr_assert_eq(validate_run(subject.program, subject.context, json_root(&instance), &valid, &subject.error), OK, "%s",
                 subject.error.message);
    cr_expect(valid);
    cr_expect_lt(validate_context_steps(subject.context), 5000);
}

Test(validate_flat, patterns_properties_and_the_rest_each_have_their_members) {
    static const char SCHEMA[] = "{'properties': {'a': {'type': 'integer'}, 'xa': {'items': {'type': 'integer'}}}, "
                                 "'patternProperties': {'^x': {'minItems': 1}, 'y$': {'maxItems': 1}}, "
                                 "'required': ['a', 'b'], 'additionalProperties': {'type': 'string'}}";
    static const struct {
        const char *payload;
        bool valid;
    } CASES[] = {
        {"{'a': 1, 'b': 'x'}", true},
        {"{'b': 'x', 'a': 1}", true},
        {"{'a': 1, 'b': 2}", false}, /* required, but no property */
        {"{'a': 1}", false},
        {"{'a': 1, 'b': 'x', 'xa': [1]}", true},
        {"{'a': 1, 'b': 'x', 'xa': []}", false},
        {"{'a': 1, 'b': 'x', 'xa': ['1']}", false},
        {"{'a': 1, 'b': 'x', 'xy': [1]}", true},
        {"{'a': 1, 'b': 'x', 'xy': [1, 2]}", false},
        {"{'a': 1, 'b': 'x', 'xy': []}", false},
        {"{'a': 1, 'b': 'x', 'c': 1}", false},
        {"{'c': '', 'a': 1, 'xa': [2], 'b': 'x', 'y': 4}", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        cr_expect_eq(is_valid(SCHEMA, CASES[i].payload), CASES[i].valid, "%s", CASES[i].payload);
    }
}

/* The next key of the schema is tried first: what comes out of order, twice over or not at all must be found as well.
 */
Test(validate_flat, members_are_found_in_any_order) {
    static const char SCHEMA[] = "{'properties': {'a': {'const': 1}, 'b': {'const': 2}, 'c': {'const': 3}, "
                                 "'d': {'const': 4}}, 'additionalProperties': {'const': 0}, 'required': ['b', 'e']}";
    static const char *const VALID[] = {"{'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 0}",
                                        "{'e': 0, 'd': 4, 'c': 3, 'b': 2, 'a': 1}",
                                        "{'b': 2, 'x': 0, 'd': 4, 'e': 0, 'y': 0}", "{'e': 0, 'b': 2}"};
    static const char *const INVALID_ONES[] = {"{'a': 1, 'b': 2, 'c': 3, 'd': 4}",
                                               "{'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5}", "{'b': 1, 'a': 2, 'e': 0}",
                                               "{'b': 2, 'e': 0, 'ee': 1}"};
    for (size_t i = 0; i < sizeof VALID / sizeof VALID[0]; i++) {
        cr_expect(is_valid(SCHEMA, VALID[i]), "%s", VALID[i]);
        cr_expect(!is_valid(SCHEMA, INVALID_ONES[i]), "%s", INVALID_ONES[i]);
    }
}
