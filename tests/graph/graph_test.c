/* graph_test.c: what each event makes of the graph, and when two graphs have the same digest. */
#include "graph/graph.h"

#include <criterion/criterion.h>
#include <string.h>

static struct graph *graph;

static void set_up(void) {
    graph = graph_new();
    cr_assert_not_null(graph);
}

static void tear_down(void) {
    graph_freep(&graph);
}

TestSuite(graph, .init = set_up, .fini = tear_down);

static enum graph_outcome apply_to(struct graph *target, const char *text) {
    json_error_t error;
    json_t *event = json_loads(text, JSON_ALLOW_NUL, &error);
    cr_assert_not_null(event, "%s: %s", text, error.text);
    enum graph_outcome outcome = graph_apply(target, event);
    json_decref(event);
    return outcome;
}

static enum graph_outcome apply(const char *text) {
    return apply_to(graph, text);
}

static void expect_json(const json_t *actual, const char *expected_text) {
    json_t *expected = json_loads(expected_text, 0, NULL);
    cr_assert_not_null(expected);
    cr_assert(json_equal(actual, expected), "is not %s", expected_text);
    json_decref(expected);
}

#define NODE(name) "{\"id\":1,\"type\":\"node_created\",\"data\":{\"node\":\"" name "\"}}"
#define EDGE(from, to)                                                                                                 \
    "{\"id\":2,\"type\":\"edge_created\",\"data\":{\"from\":\"" from "\",\"to\":\"" to "\",\"kind\":\"depends\"}}"

Test(graph, a_created_node_has_exactly_the_properties_of_the_event) {
    apply("{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"old\":1}}}");

    enum graph_outcome outcome =
        apply("{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"new\":[1,null]}}}");

    cr_assert_eq(outcome, GRAPH_APPLIED);
    expect_json(graph_node(graph, "a"), "{\"new\":[1,null]}");
    cr_assert_eq(graph_counts(graph).nodes, 1);
}

Test(graph, an_update_sets_properties_and_null_removes_one) {
    apply("{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"keep\":1,\"drop\":2,\"set\":3}}}");

    apply("{\"type\":\"node_updated\",\"data\":{\"node\":\"a\",\"properties\":{\"drop\":null,\"set\":4,\"never\":null}}"
          "}");

    expect_json(graph_node(graph, "a"), "{\"keep\":1,\"set\":4}");
}

Test(graph, an_edge_is_created_updated_and_deleted) {
    apply(NODE("a"));
    apply(NODE("b"));
    size_t out = 0, in = 0;

    apply(EDGE("a", "b"));
    apply("{\"type\":\"edge_updated\",\"data\":{\"from\":\"a\",\"to\":\"b\",\"kind\":\"depends\","
          "\"properties\":{\"version\":\">= 2\"}}}");

    expect_json(graph_edge(graph, "a", "b", "depends"), "{\"version\":\">= 2\"}");
    graph_degree(graph, "a", &out, &in);
    cr_assert(out == 1 && in == 0);
    cr_assert_eq(apply("{\"type\":\"edge_deleted\",\"data\":{\"from\":\"a\",\"to\":\"b\",\"kind\":\"depends\"}}"),
                 GRAPH_APPLIED);
    cr_assert_null(graph_edge(graph, "a", "b", "depends"));
    graph_degree(graph, "b", &out, &in);
    cr_assert(out == 0 && in == 0);
}

Test(graph, edges_of_different_kind_or_direction_are_different_edges) {
    apply(NODE("a"));
    apply(NODE("b"));

    apply(EDGE("a", "b"));
    apply(EDGE("b", "a"));
    apply(EDGE("a", "b"));
    apply("{\"type\":\"edge_created\",\"data\":{\"from\":\"a\",\"to\":\"b\",\"kind\":\"recommends\"}}");

    cr_assert_eq(graph_counts(graph).edges, 3);
}

Test(graph, a_deleted_node_takes_its_edges_along_even_one_to_itself) {
    apply(NODE("a"));
    apply(NODE("b"));
    apply(NODE("c"));
    apply(EDGE("a", "a"));
    apply(EDGE("a", "b"));
    apply(EDGE("b", "a"));
    apply(EDGE("b", "c"));

    enum graph_outcome outcome = apply("{\"type\":\"node_deleted\",\"data\":{\"node\":\"a\"}}");

    cr_assert_eq(outcome, GRAPH_APPLIED);
    cr_assert_eq(graph_counts(graph).nodes, 2);
    cr_assert_eq(graph_counts(graph).edges, 1);
    cr_assert_null(graph_node(graph, "a"));
    cr_assert_not_null(graph_edge(graph, "b", "c", "depends"));
}

Test(graph, an_unknown_type_never_breaks_a_read) {
    apply(NODE("a"));
    char before[GRAPH_DIGEST_SIZE], after[GRAPH_DIGEST_SIZE];
    cr_assert(graph_digest(graph, before));

    cr_assert_eq(apply("{\"id\":7,\"type\":\"moon_phase\",\"data\":{\"node\":\"a\"}}"), GRAPH_IGNORED);
    cr_assert_eq(apply("{\"id\":8,\"type\":\"graph_validated\",\"data\":{}}"), GRAPH_IGNORED);
    cr_assert_eq(apply("{\"id\":9}"), GRAPH_IGNORED);

    cr_assert(graph_digest(graph, after));
    cr_assert_str_eq(before, after);
    cr_assert_eq(graph_counts(graph).ignored, 3);
    cr_assert_eq(graph_counts(graph).last_id, 9);
}

Test(graph, data_that_does_not_fit_is_refused_and_changes_nothing) {
    static const char *const MISFITS[] = {
        "{\"type\":\"node_created\"}",
        "{\"type\":\"node_created\",\"data\":[]}",
        "{\"type\":\"node_created\",\"data\":{\"node\":\"\"}}",
        "{\"type\":\"node_created\",\"data\":{\"node\":7}}",
        "{\"type\":\"node_created\",\"data\":{\"node\":\"a\\u0000b\"}}",
        "{\"type\":\"node_created\",\"data\":{\"node\":\"b\",\"properties\":[]}}",
        "{\"type\":\"node_updated\",\"data\":{\"node\":\"missing\"}}",
        "{\"type\":\"node_deleted\",\"data\":{\"node\":\"missing\"}}",
        "{\"type\":\"edge_created\",\"data\":{\"from\":\"a\",\"to\":\"missing\",\"kind\":\"depends\"}}",
        "{\"type\":\"edge_created\",\"data\":{\"from\":\"missing\",\"to\":\"a\",\"kind\":\"depends\"}}",
        "{\"type\":\"edge_created\",\"data\":{\"from\":\"a\",\"to\":\"a\"}}",
        "{\"type\":\"edge_updated\",\"data\":{\"from\":\"a\",\"to\":\"a\",\"kind\":\"depends\"}}",
        "{\"type\":\"edge_deleted\",\"data\":{\"from\":\"a\",\"to\":\"a\",\"kind\":\"depends\"}}",
    };
    size_t misfit_count = sizeof MISFITS / sizeof MISFITS[0];
    apply(NODE("a"));
    char before[GRAPH_DIGEST_SIZE], after[GRAPH_DIGEST_SIZE];
    cr_assert(graph_digest(graph, before));

    for (size_t i = 0; i < misfit_count; i++) {
        cr_expect_eq(apply(MISFITS[i]), GRAPH_REFUSED, "%s", MISFITS[i]);
    }

    cr_assert(graph_digest(graph, after));
    cr_assert_str_eq(before, after);
    cr_assert_eq(graph_counts(graph).refused, misfit_count);
}

Test(graph, keeps_a_copy_of_the_event) {
    json_t *event =
        json_loads("{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"n\":1}}}", 0, NULL);
    cr_assert_eq(graph_apply(graph, event), GRAPH_APPLIED);

    json_object_set_new(json_object_get(json_object_get(event, "data"), "properties"), "n", json_integer(2));
    json_decref(event);

    expect_json(graph_node(graph, "a"), "{\"n\":1}");
}

Test(graph, the_digest_depends_on_content_and_not_on_the_order_of_members_or_of_creation) {
    struct graph *other = graph_new();
    apply(
        "{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":1,\"y\":{\"p\":true,\"q\":1.5}}}}");
    apply(NODE("b"));
    apply_to(other, NODE("b"));
    apply_to(other, NODE("c"));
    apply_to(other, "{\"type\":\"node_created\",\"data\":{\"node\":\"a\","
                    "\"properties\":{\"y\":{\"q\":1.5,\"p\":true},\"x\":1}}}");
    apply_to(other, "{\"type\":\"node_deleted\",\"data\":{\"node\":\"c\"}}");
    char digest[GRAPH_DIGEST_SIZE], other_digest[GRAPH_DIGEST_SIZE];

    cr_assert(graph_digest(graph, digest));
    cr_assert(graph_digest(other, other_digest));

    cr_expect_str_eq(digest, other_digest);
    cr_expect_eq(strlen(digest), 64);
    graph_free(other);
}

/* Pairs that a form without lengths, counts and types would take for the same. */
Test(graph, the_digest_tells_apart_what_looks_alike) {
    static const char *const ALIKE[][3] = {
        {NODE("ab"), NODE("c"), NULL},
        {NODE("a"), NODE("bc"), NULL},
        {NODE("a"), NODE("bc"), EDGE("a", "bc")},
        {NODE("a"), NODE("bc"), EDGE("bc", "a")},
        {"{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":1}}}", NULL, NULL},
        {"{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":1.0}}}", NULL, NULL},
        {"{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":\"1\"}}}", NULL, NULL},
        {"{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":true}}}", NULL, NULL},
        {"{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":[1]}}}", NULL, NULL},
        {"{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":null}}}", NULL, NULL},
        {"{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":{}}}}", NULL, NULL},
        {"{\"type\":\"node_created\",\"data\":{\"node\":\"a\",\"properties\":{\"x\":[]}}}", NULL, NULL},
        {NULL, NULL, NULL},
    };
    enum { COUNT = sizeof ALIKE / sizeof ALIKE[0] };
    char digests[COUNT][GRAPH_DIGEST_SIZE];

    for (size_t i = 0; i < COUNT; i++) {
        struct graph *one = graph_new();
        for (size_t j = 0; j < 3 && ALIKE[i][j] != NULL; j++) {
            cr_assert_eq(apply_to(one, ALIKE[i][j]), GRAPH_APPLIED);
        }
        cr_assert(graph_digest(one, digests[i]));
        graph_free(one);
    }

    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = i + 1; j < COUNT; j++) {
            cr_expect_str_neq(digests[i], digests[j], "%zu and %zu", i, j);
        }
    }
}

struct seen {
    char names[64];
};

static void note_name(void *context, const char *name, const json_t *properties) {
    struct seen *seen = context;
    cr_assert(json_is_object(properties));
    strcat(seen->names, name);
    strcat(seen->names, " ");
}

Test(graph, nodes_are_visited_in_the_order_of_their_names) {
    apply(NODE("b"));
    apply(NODE("c"));
    apply(NODE("a"));
    struct seen seen = {0};

    cr_assert(graph_each_node(graph, note_name, &seen));

    cr_assert_str_eq(seen.names, "a b c ");
}
