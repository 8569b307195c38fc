/* hostile_put.c: schemas made to be slow to compile: what they cost is counted, and ends in an error that says so. */
#include "support.h"

static void expect_too_many_steps(struct buffer *text, bool trusted) {
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    subject.options.trusted = trusted;
    enum status status = subject_compile(&subject, (const char *)text->data);
    cr_expect_eq(status, TOO_LARGE, "%s %s", status_name(status), subject.error.message);
    cr_expect_not_null(strstr(subject.error.message, "schema_compile_steps_max"), "%s", subject.error.message);
}

/* Each identifier is resolved against the long one: that would be 200 MB of names. */
Test(validate_hostile_put, identifiers_below_a_long_one_cost_steps) {
    CLEANUP(buffer_done) struct buffer text = {0};
    printed(&text, "{'$id': 'http://x/");
    printed_run(&text, 'a', 100000);
    printed(&text, "/', '$defs': {");
    for (int i = 0; i < 2000; i++) {
        printed(&text, "%s'%d': {'$id': '%d'}", i > 0 ? "," : "", i, i);
    }
    printed(&text, "}}");
    expect_too_many_steps(&text, true);
}

Test(validate_hostile_put, references_below_a_long_identifier_cost_steps) {
    CLEANUP(buffer_done) struct buffer text = {0};
    printed(&text, "{'$id': 'http://x/");
    printed_run(&text, 'a', 100000);
    printed(&text, "/', '$defs': {'b': {'$id': 'b'}}, 'properties': {");
    for (int i = 0; i < 2000; i++) {
        printed(&text, "%s'%d': {'$ref': 'b'}", i > 0 ? "," : "", i);
    }
    printed(&text, "}}");
    expect_too_many_steps(&text, true);
}

/* The meta-schema is looked for by what identifies the root, behind all its other members, each time. */
Test(validate_hostile_put, meta_schemas_with_many_members_cost_steps) {
    CLEANUP(buffer_done) struct buffer text = {0};
    printed(&text, "{");
    for (int i = 0; i < 10000; i++) {
        printed(&text, "'%d': 0,", i);
    }
    printed(&text, "'$id': 'http://y', '$schema': 'http://json-schema.org/draft-07/schema#', 'definitions': {");
    for (int i = 0; i < 2000; i++) {
        printed(&text, "%s'%d': {'$id': '%d', '$schema': 'http://y'}", i > 0 ? "," : "", i, i);
    }
    printed(&text, "}}");
    expect_too_many_steps(&text, true);
}

/* All anchors are bound anew in each subschema's scope, in the order of their names. */
Test(validate_hostile_put, thousands_of_dynamic_anchors_cost_steps) {
    CLEANUP(buffer_done) struct buffer text = {0};
    printed(&text, "{'$dynamicAnchor': 'r', '$defs': {");
    for (int i = 0; i < 5000; i++) {
        printed(&text, "%s'%d': {'$dynamicAnchor': 'a%d'}", i > 0 ? "," : "", i, 99999 - i);
    }
    printed(&text, "}, 'properties': {");
    for (int i = 0; i < 2000; i++) {
        printed(&text, "%s'%d': {}", i > 0 ? "," : "", i);
    }
    printed(&text, "}}");
    expect_too_many_steps(&text, true);
}

/* The subschema with many members that mean nothing is seen from each of the 2^n scopes. */
Test(validate_hostile_put, a_wide_subschema_costs_steps_in_every_scope) {
    CLEANUP(buffer_done) struct buffer text = {0};
    enum { LEVELS = 9 };
    printed(&text, "{'$ref': 'r0', '$defs': {");
    for (int i = 0; i < LEVELS; i++) {
        printed(&text,
                "'r%d': {'$id': 'r%d', 'items': {'$ref': 'r%d'}, 'additionalProperties': {'$ref': 's%d'}}, 's%d': "
                "{'$id': 's%d', '$dynamicAnchor': 'a%d', 'items': {'$ref': 'r%d'}},",
                i, i, i + 1, i, i, i, i, i + 1);
    }
    printed(&text, "'r%d': {'$id': 'r%d', 'not': {", LEVELS, LEVELS);
    for (int i = 0; i < 20000; i++) {
        printed(&text, "'%d': 0,", i);
    }
    printed(&text, "'type': 'null'}}}}");
    expect_too_many_steps(&text, true);
}

/* Each takes its automaton to the limit of states or steps. */
Test(validate_hostile_put, patterns_that_are_hard_to_compile_cost_steps) {
    CLEANUP(buffer_done) struct buffer text = {0};
    printed(&text, "{'properties': {");
    for (int i = 0; i < 1000; i++) {
        printed(&text, "%s'%d': {'pattern': '(a|b|c%d|[d-z])*a(.|x){9}[^x]{0,200}(x|y[0-%d]){1,40}$'}",
                i > 0 ? "," : "", i, i, i % 9);
    }
    printed(&text, "}}");
    expect_too_many_steps(&text, true);
}
