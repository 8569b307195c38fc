/* refusal_test.c: each reason for which the loader refuses a build, with its number and its words. */
#include <criterion/criterion.h>
#include <loader/loader.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

static struct scratch scratch;

static void set_up(void) {
    scratch_open(&scratch);
}

static void tear_down(void) {
    scratch_close(&scratch);
}

TestSuite(loader_refuses, .init = set_up, .fini = tear_down);

/* The load fails for this reason, in words that contain `word`, and leaves nothing mapped. */
static void expect_refusal(const char *path, const struct loader_options *options, enum loader_refusal wanted,
                           const char *word) {
    struct plugin *plugin = NULL;
    enum loader_refusal refusal = LOADER_OK;
    struct failure failure = {""};
    bool loaded = loader_load(path, options, &plugin, &refusal, &failure);
    cr_assert(!loaded && plugin == NULL, "%s was loaded", path);
    cr_assert_eq(refusal, wanted, "%s instead of %s: %s", loader_refusal_name(refusal), loader_refusal_name(wanted),
                 failure.message);
    cr_assert_not_null(strstr(failure.message, word), "'%s' is not in: %s", word, failure.message);
    cr_assert_eq(maps_with("memfd:polaris-plugin"), 0);
}

static void expect_loaded(const char *path, const struct loader_options *options) {
    struct plugin *plugin = NULL;
    struct failure failure = {""};
    cr_assert(loader_load(path, options, &plugin, NULL, &failure), "%s", failure.message);
    loader_unload(plugin);
}

/* The fixture with one setting. */
static void expect_fixture_refused(const char *setting, const char *value, enum loader_refusal wanted,
                                   const char *word) {
    cr_assert_eq(setenv(setting, value, 1), 0);
    expect_refusal(FIXTURE_PLUGIN, NULL, wanted, word);
    cr_assert_eq(unsetenv(setting), 0);
    expect_loaded(FIXTURE_PLUGIN, NULL);
}

/* ---- the file ---- */

Test(loader_refuses, a_file_that_is_missing) {
    expect_refusal(scratch_path(&scratch, "none.so"), NULL, LOADER_NO_FILE, "No such file");
}

Test(loader_refuses, a_folder) {
    expect_refusal(scratch.folder, NULL, LOADER_NO_FILE, "not a regular file");
}

Test(loader_refuses, a_pipe_without_waiting_for_a_writer) {
    const char *path = scratch_path(&scratch, "pipe");
    cr_assert_eq(mkfifo(path, 0600), 0);
    expect_refusal(path, NULL, LOADER_NO_FILE, "not a regular file");
}

Test(loader_refuses, the_name_of_a_library_that_is_loaded_already) {
    expect_refusal("libc.so.6", NULL, LOADER_NO_FILE, "No such file");
}

Test(loader_refuses, a_file_that_group_or_others_can_write) {
    const char *path = scratch_path(&scratch, "a.so");
    file_copy(FIXTURE_TEMPLATE, path);
    cr_assert_eq(chmod(path, 0775), 0);
    expect_refusal(path, NULL, LOADER_UNSAFE_MODE, "mode 775");
    cr_assert_eq(chmod(path, 0757), 0);
    expect_refusal(path, NULL, LOADER_UNSAFE_MODE, "the file '");
    expect_loaded(path, &(struct loader_options){.allow_unsafe = true});
}

Test(loader_refuses, a_file_in_a_folder_that_others_can_write) {
    const char *path = scratch_path(&scratch, "a.so");
    file_copy(FIXTURE_TEMPLATE, path);
    cr_assert_eq(chmod(scratch.folder, 0707), 0);
    expect_refusal(path, NULL, LOADER_UNSAFE_MODE, "the folder '");
    expect_loaded(path, &(struct loader_options){.allow_unsafe = true});
}

Test(loader_refuses, a_file_behind_a_link_whose_own_folder_is_unsafe) {
    char link[256];
    const char *path = scratch_path(&scratch, "a.so");
    (void)snprintf(link, sizeof link, "%s.link", path);
    file_copy(FIXTURE_TEMPLATE, path);
    cr_assert_eq(chmod(path, 0775), 0);
    cr_assert_eq(symlink(path, link), 0);
    expect_refusal(link, NULL, LOADER_UNSAFE_MODE, "a.so'");
    cr_assert_eq(chmod(path, 0755), 0);
    expect_loaded(link, NULL);
}

Test(loader_refuses, a_file_or_folder_of_another_user) {
    if (geteuid() != 0) {
        cr_skip_test("only root can give files away");
    }
    const char *path = scratch_path(&scratch, "a.so");
    file_copy(FIXTURE_TEMPLATE, path);
    cr_assert_eq(chown(path, 12345, 0), 0);
    expect_refusal(path, NULL, LOADER_UNSAFE_OWNER, "12345");
    expect_loaded(path, &(struct loader_options){.allow_unsafe = true});
    cr_assert_eq(chown(path, 0, 0), 0);
    cr_assert_eq(chown(scratch.folder, 12345, 0), 0);
    expect_refusal(path, NULL, LOADER_UNSAFE_OWNER, "the folder '");
}

Test(loader_refuses, another_file_than_the_pinned_one) {
    struct plugin *plugin = NULL;
    struct failure failure = {""};
    char sha256[65];
    cr_assert(loader_load(FIXTURE_TEMPLATE, NULL, &plugin, NULL, &failure), "%s", failure.message);
    memcpy(sha256, plugin->sha256, sizeof sha256);
    loader_unload(plugin);
    cr_assert_eq(strlen(sha256), 64);

    expect_loaded(FIXTURE_TEMPLATE, &(struct loader_options){.sha256 = sha256});
    expect_refusal(FIXTURE_TEMPLATE_2, &(struct loader_options){.sha256 = sha256}, LOADER_WRONG_DIGEST, sha256);
    sha256[63] = sha256[63] == '0' ? '1' : '0';
    expect_refusal(FIXTURE_TEMPLATE, &(struct loader_options){.sha256 = sha256}, LOADER_WRONG_DIGEST, sha256);
    expect_refusal(FIXTURE_TEMPLATE, &(struct loader_options){.sha256 = ""}, LOADER_WRONG_DIGEST, "SHA-256");
}

Test(loader_refuses, a_text_and_an_empty_file) {
    const char *path = scratch_path(&scratch, "a.so");
    file_replace(path, "#!/bin/sh\n", 10);
    expect_refusal(path, NULL, LOADER_NOT_ELF, "does not begin as an ELF file");
    file_replace(path, "", 0);
    expect_refusal(path, NULL, LOADER_NOT_ELF, "does not begin as an ELF file");
}

Test(loader_refuses, an_executable_stack) {
    expect_refusal(FIXTURE_EXECSTACK, NULL, LOADER_EXECUTABLE_STACK, "asks for an executable stack");
}

/* ---- linking ---- */

Test(loader_refuses, a_symbol_that_nobody_has) {
    expect_refusal(FIXTURE_MISSING, NULL, LOADER_LINK, "fixture_that_nobody_has");
}

Test(loader_refuses, a_library_without_the_entry) {
    expect_refusal(FIXTURE_NO_ENTRY, NULL, LOADER_NO_ENTRY, "does not export polaris_event_store_entry");
}

Test(loader_refuses, an_entry_that_is_not_in_the_file_that_was_checked) {
    expect_refusal(FIXTURE_NEEDS, NULL, LOADER_NO_ENTRY, "exported by a library that it needs");
}

/* ---- negotiation ---- */

Test(loader_refuses, a_major_that_is_too_old) {
    const struct loader_options host_of_2 = {.major_min = 2, .major_max = 3};
    expect_refusal(FIXTURE_PLUGIN, &host_of_2, LOADER_MAJOR_TOO_OLD, "it speaks major 1, this host 2 to 3");
    expect_refusal(FIXTURE_TEMPLATE, &host_of_2, LOADER_MAJOR_TOO_OLD, "too old");
}

Test(loader_refuses, a_major_that_is_too_new) {
    setenv("FIXTURE_MAJOR_MIN", "2", 1);
    setenv("FIXTURE_MAJOR_MAX", "3", 1);
    expect_refusal(FIXTURE_PLUGIN, NULL, LOADER_MAJOR_TOO_NEW, "too new");
}

Test(loader_refuses, a_pick_outside_of_what_the_host_speaks) {
    expect_fixture_refused("FIXTURE_PICK", "0", LOADER_MAJOR_TOO_OLD, "picked major 0");
    expect_fixture_refused("FIXTURE_PICK", "7", LOADER_MAJOR_TOO_NEW, "picked major 7");
}

Test(loader_refuses, a_table_of_another_major_than_was_picked) {
    expect_fixture_refused("FIXTURE_ABI_MAJOR", "2", LOADER_REFUSED, "its table says 2");
}

Test(loader_refuses, what_refuses_by_itself_and_gives_its_reason) {
    expect_fixture_refused("FIXTURE_STATUS", "1", LOADER_REFUSED, "status 1: rrrr");
    expect_fixture_refused("FIXTURE_STATUS", "11", LOADER_REFUSED, "refuses: rrrr");
}

Test(loader_takes, the_highest_major_that_both_speak) {
    setenv("FIXTURE_MAJOR_MIN", "1", 1);
    setenv("FIXTURE_MAJOR_MAX", "4", 1);
    setenv("FIXTURE_ABI_MAJOR", "3", 1);
    struct plugin *plugin = NULL;
    struct failure failure = {""};
    cr_assert(
        loader_load(FIXTURE_PLUGIN, &(struct loader_options){.major_min = 1, .major_max = 3}, &plugin, NULL, &failure),
        "%s", failure.message);
    cr_expect_eq(plugin->major, 3);
    loader_unload(plugin);
}

/* ---- the table ---- */

Test(loader_refuses, no_table) {
    expect_fixture_refused("FIXTURE_TABLE", "none", LOADER_REFUSED, "gives no table");
}

Test(loader_refuses, every_table_that_is_shorter_than_that_of_1_0) {
    for (size_t size = 0; size < 96; size++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", size);
        setenv("FIXTURE_TABLE_SIZE", text, 1);
        expect_refusal(FIXTURE_PLUGIN, NULL, LOADER_TABLE_SHORT, "revision 1.0 has 96");
    }
}

Test(loader_refuses, every_slot_and_name_that_is_null) {
    static const struct {
        size_t offset;
        const char *name;
    } SLOTS[] = {
        {offsetof(polaris_es_table, name), "'name'"},         {offsetof(polaris_es_table, version), "'version'"},
        {offsetof(polaris_es_table, build_id), "'build_id'"}, {offsetof(polaris_es_table, init), "'init'"},
        {offsetof(polaris_es_table, store), "'store'"},       {offsetof(polaris_es_table, query), "'query'"},
        {offsetof(polaris_es_table, dlq), "'dlq'"},           {offsetof(polaris_es_table, schema), "'schema'"},
        {offsetof(polaris_es_table, shutdown), "'shutdown'"},
    };
    for (size_t i = 0; i < sizeof SLOTS / sizeof SLOTS[0]; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", SLOTS[i].offset);
        expect_fixture_refused("FIXTURE_NULL", text, LOADER_NULL_SLOT, SLOTS[i].name);
    }
}

Test(loader_refuses, by_names_that_programs_can_rely_on) {
    for (int refusal = LOADER_OK; refusal <= LOADER_SAME_CODE; refusal++) {
        cr_expect_str_neq(loader_refusal_name((enum loader_refusal)refusal), "UNKNOWN");
    }
    cr_expect_str_eq(loader_refusal_name((enum loader_refusal)(LOADER_SAME_CODE + 1)), "UNKNOWN");
}
