/* packages_test.c: the demo's input: what dpkg-query prints, as packages, as events, and in the index that fails. */
#include "demo/packages.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "demo/changes.h"
#include "demo/index.h"

static struct packages parse(const char *text) {
    struct packages packages = {0};
    struct failure failure;
    cr_assert(packages_parse(text, strlen(text), &packages, &failure), "%s", failure.message);
    return packages;
}

#define LINE(name, needs) name "\t1.0\tamd64\tlibs\t42\tinstalled\t1751328000\t" needs "\n"

Test(packages, a_line_gives_every_field) {
    struct packages packages =
        parse("apt\t2.6.1\tamd64\tadmin\t4232\tinstalled\t1751328000\tdpkg\tlibc6 (>= 2.34)\tgit\n");

    cr_assert_eq(packages.count, 1);
    const struct package *package = &packages.items[0];
    cr_expect_str_eq(package->name, "apt");
    cr_expect_str_eq(package->version, "2.6.1");
    cr_expect_str_eq(package->architecture, "amd64");
    cr_expect_str_eq(package->section, "admin");
    cr_expect_eq(package->size_kib, 4232);
    cr_expect_eq(package->installed_us, INT64_C(1751328000000000));
    cr_assert_eq(package->need_count, 3);
    cr_expect_eq(package->needs[0].kind, NEED_PRE_DEPENDS);
    cr_expect_eq(package->needs[1].kind, NEED_DEPENDS);
    cr_expect_str_eq(package->needs[1].name, "libc6");
    cr_expect_str_eq(package->needs[1].version, ">= 2.34");
    cr_expect_eq(package->needs[2].kind, NEED_RECOMMENDS);
    cr_expect_eq(packages.need_count, 3);
    packages_done(&packages);
}

Test(packages, alternatives_qualifiers_and_repeated_needs_are_understood) {
    struct packages packages = parse(LINE("a", "\tb:any (>= 1) | c, b (<< 3), d|e ,\t"));

    const struct package *package = &packages.items[0];
    cr_assert_eq(package->need_count, 4);
    cr_expect_str_eq(package->needs[0].name, "b");
    cr_expect_str_eq(package->needs[0].version, ">= 1, << 3");
    cr_expect_not(package->needs[0].alternative, "the second mention wants it in any case");
    cr_expect_str_eq(package->needs[1].name, "c");
    cr_expect(package->needs[1].alternative);
    cr_expect_null(package->needs[1].version);
    cr_expect_str_eq(package->needs[2].name, "d");
    cr_expect_str_eq(package->needs[3].name, "e");
    packages_done(&packages);
}

Test(packages, what_is_not_installed_or_no_package_is_left_out) {
    struct packages packages = parse(
        "gone\t1\tamd64\tlibs\t1\tconfig-files\t\t\t\t\n\nno tabs at all\n\t\t\t\t\tinstalled\n" LINE("a", "\t\t"));

    cr_expect_eq(packages.count, 1);
    packages_done(&packages);
}

Test(packages, a_second_architecture_is_a_node_of_its_own) {
    struct packages packages = parse(LINE("a", "\t\t") "a\t1.0\ti386\tlibs\t42\tinstalled\t\t\t\t\n");

    cr_assert_eq(packages.count, 2);
    cr_expect_str_eq(packages.items[1].name, "a:i386");
    cr_expect_eq(packages.items[1].installed_us, 0);
    packages_done(&packages);
}

Test(packages, the_sample_parses_by_the_same_code) {
    struct packages packages = {0};
    struct failure failure;

    cr_assert(packages_parse(PACKAGES_SAMPLE, (size_t)(PACKAGES_SAMPLE_END - PACKAGES_SAMPLE), &packages, &failure));

    cr_expect_gt(packages.count, 50);
    cr_expect_gt(packages.need_count, 150);
    packages_done(&packages);
}

Test(packages, a_file_that_is_not_there_is_named) {
    struct packages packages = {0};
    struct failure failure;

    cr_expect_not(packages_read("/nonexistent/packages.tsv", &packages, &failure));

    cr_expect_not_null(strstr(failure.message, "/nonexistent/packages.tsv"), "%s", failure.message);
}

/* ---- Changes ----------------------------------------------------------------------------------------------------- */

struct collected {
    json_t *events;
    struct graph *graph;
};

static bool collect(void *context, json_t *event, struct failure *failure) {
    struct collected *collected = context;
    (void)failure;
    cr_assert_eq(graph_apply(collected->graph, event), GRAPH_APPLIED);
    return json_array_append_new(collected->events, event) == 0;
}

Test(changes, describe_every_package_every_need_and_what_is_missing) {
    struct packages packages = parse(LINE("a", "\tb, missing\t") LINE("b", "\t\ta"));
    struct collected collected = {.events = json_array(), .graph = graph_new()};
    struct failure failure;

    cr_assert(changes_describe(&packages, collect, &collected, &failure), "%s", failure.message);

    struct graph_counts counts = graph_counts(collected.graph);
    cr_expect(counts.nodes == 3 && counts.edges == 3);
    cr_expect(json_is_false(json_object_get(graph_node(collected.graph, "missing"), "installed")));
    cr_expect_not_null(graph_edge(collected.graph, "b", "a", "recommends"));
    const json_t *edge = json_array_get(collected.events, 2);
    json_t *tags = json_pack("[s, s, s]", "node:a", "node:b", "edge:a>b");
    cr_expect(json_equal(json_object_get(edge, "tags"), tags));
    cr_expect_str_eq(json_string_value(json_object_get(edge, "stream")), "node:a");
    cr_expect_eq(json_integer_value(json_object_get(edge, "time")), INT64_C(1751328000000000));
    json_decref(tags);
    json_decref(collected.events);
    graph_free(collected.graph);
    packages_done(&packages);
}

Test(changes, settle_counts_who_needs_a_package_and_removes_what_is_missing) {
    struct packages packages = parse(LINE("a", "\tb, missing\t") LINE("b", "\t\ta") LINE("c", "\tb\tmissing"));
    struct collected collected = {.events = json_array(), .graph = graph_new()};
    struct failure failure;
    cr_assert(changes_describe(&packages, collect, &collected, &failure), "%s", failure.message);

    cr_assert(changes_settle(&packages, collected.graph, 7, collect, &collected, &failure), "%s", failure.message);

    struct graph_counts counts = graph_counts(collected.graph);
    cr_expect(counts.nodes == 3 && counts.edges == 3);
    cr_expect_null(graph_node(collected.graph, "missing"));
    cr_expect_eq(json_integer_value(json_object_get(graph_node(collected.graph, "b"), "needed_by")), 2);
    json_decref(collected.events);
    graph_free(collected.graph);
    packages_done(&packages);
}

/* ---- The index --------------------------------------------------------------------------------------------------- */

static bool offer(struct search_index *index, const char *name, struct delivery_error *ret_error) {
    json_t *event = json_pack("{s: s, s: {s: s, s: {s: b}}}", "type", "node_created", "data", "node", name,
                              "properties", "installed", 1);
    bool taken = search_index_deliver(index, event, ret_error);
    json_decref(event);
    return taken;
}

Test(search_index, fails_on_the_shard_that_is_down_and_on_the_longest_name) {
    struct packages packages = parse(LINE("a", "\t\t") LINE("longest", "\t\t"));
    struct search_index index;
    struct delivery_error error = {0};
    search_index_init(&index, &packages);

    bool down = offer(&index, "a", &error);
    cr_expect_str_eq(error.class_name, "ShardDown");
    bool too_long = offer(&index, "longest", &error);
    cr_expect_str_eq(error.class_name, "NameTooLong");
    cr_expect(search_index_fails(&index, "a") && search_index_fails(&index, "longest"));
    index.shard_down = SHARD_COUNT;
    index.name_size_max++;

    cr_expect(!down && !too_long && index.count == 0);
    cr_expect(offer(&index, "a", &error) && offer(&index, "longest", &error));
    cr_expect(index.count == 2 && index.twice == 0);
    cr_expect(offer(&index, "a", &error));
    cr_expect_eq(index.twice, 1);
    search_index_done(&index);
    packages_done(&packages);
}
