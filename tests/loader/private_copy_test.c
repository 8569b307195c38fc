/* private_copy_test.c: whatever happens to the file of a loaded build, the build goes on; and loading the path again
 * runs what is there now. */
#include <criterion/criterion.h>
#include <loader/loader.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

static struct scratch scratch;
static const char *path;

static void set_up(void) {
    scratch_open(&scratch);
    path = scratch_path(&scratch, "build.so");
    file_copy(FIXTURE_TEMPLATE, path);
}

static void tear_down(void) {
    scratch_close(&scratch);
}

TestSuite(private_copy, .init = set_up, .fini = tear_down);

static struct plugin *load(void) {
    struct plugin *plugin = NULL;
    struct failure failure = {""};
    cr_assert(loader_load(path, NULL, &plugin, NULL, &failure), "%s", failure.message);
    return plugin;
}

static int32_t take(void *context, polaris_bytes piece) {
    size_t *size = context;
    *size += piece.size;
    return 0;
}

/* Runs code of every page that the template has. */
static void expect_works(const struct plugin *plugin, const char *build_id) {
    size_t size = 0;
    const polaris_sink sink = {.size = sizeof sink, .context = &size, .write = take};
    const polaris_bytes empty = {.data = (const uint8_t *)"\x80", .size = 1};
    polaris_es *self = NULL;
    cr_assert_str_eq(plugin->table->build_id, build_id);
    cr_assert_eq(plugin->table->init(NULL, empty, &sink, &self), POLARIS_ES_OK);
    cr_assert_eq(plugin->table->query(self, empty, &sink), POLARIS_ES_UNSUPPORTED);
    cr_assert_eq(plugin->table->shutdown(self, empty, &sink), POLARIS_ES_OK);
    cr_assert_gt(size, 20);
}

Test(private_copy, survives_a_new_build_renamed_over_the_file_and_loading_again_runs_the_new_code) {
    struct plugin *first = load();
    file_copy(FIXTURE_TEMPLATE_2, path);

    struct plugin *second = load();

    expect_works(first, "template-1");
    expect_works(second, "template-2");
    cr_expect_neq(first->table, second->table);
    cr_expect_str_neq(first->sha256, second->sha256);
    loader_unload(first);
    expect_works(second, "template-2");
    loader_unload(second);
}

Test(private_copy, survives_truncation_of_the_file) {
    struct plugin *plugin = load();
    file_overwrite(path, "", 0);
    expect_works(plugin, "template-1");
    loader_unload(plugin);
}

Test(private_copy, survives_other_content_in_the_same_file_and_loading_again_runs_the_new_code) {
    struct plugin *first = load();
    struct file other = file_read(FIXTURE_TEMPLATE_2);
    file_overwrite(path, other.data, other.size);
    free(other.data);

    struct plugin *second = load();

    expect_works(first, "template-1");
    expect_works(second, "template-2");
    loader_unload(second);
    loader_unload(first);
}

Test(private_copy, of_the_same_file_loaded_twice_is_two_builds) {
    struct plugin *first = load();
    struct plugin *second = load();
    cr_expect_neq(first->table, second->table, "one table for two loads");
    loader_unload(first);
    expect_works(second, "template-1");
    loader_unload(second);
}

Test(private_copy, of_retired_builds_that_stay_mapped_never_stands_in_for_a_new_one) {
    const struct loader_options keep = {.keep_mapped = true};
    for (int i = 0; i < 8; i++) {
        const char *fixture = i % 2 == 0 ? FIXTURE_TEMPLATE : FIXTURE_TEMPLATE_2;
        struct plugin *plugin = NULL;
        struct failure failure = {""};
        file_copy(fixture, path); /* the copy's descriptor gets the same number each time */
        cr_assert(loader_load(path, &keep, &plugin, NULL, &failure), "%s", failure.message);
        expect_works(plugin, i % 2 == 0 ? "template-1" : "template-2");
        loader_unload(plugin);
    }
    cr_assert_geq(maps_with("memfd:polaris-plugin"), 8);
}

Test(private_copy, is_nowhere_on_the_disk_and_leaves_no_descriptor) {
    size_t descriptors = proc_entries("fd");
    struct plugin *plugin = load();
    cr_expect_eq(proc_entries("fd"), descriptors);
    cr_expect_eq(maps_with(scratch.folder), 0);
    cr_expect_gt(maps_with("memfd:polaris-plugin:build.so"), 0);
    loader_unload(plugin);
    cr_expect_eq(maps_with("memfd:polaris-plugin"), 0);
}

Test(private_copy, knows_the_file_that_it_came_from) {
    struct plugin *plugin = load();
    cr_expect_str_eq(plugin->path, path);
    cr_expect_eq(plugin->major, POLARIS_ES_ABI_MAJOR);
    cr_expect_str_eq(plugin->descriptor.id, "org.polaris.event-store.template");
    cr_expect(plugin_has(plugin, offsetof(polaris_es_table, store)));
    cr_expect_not(plugin_has(plugin, plugin->table->size));
    cr_expect_not(plugin_has(plugin, plugin->table->size - 4));
    loader_unload(plugin);
    loader_unload(NULL);
}

Test(template, is_small_enough_to_be_read_at_once) {
    struct file source = file_read(TEMPLATE_SOURCE);
    size_t lines = 0;
    for (size_t i = 0; i < source.size; i++) {
        lines += source.data[i] == '\n';
    }
    free(source.data);
    cr_assert_lt(lines, 140);
}
