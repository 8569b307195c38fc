/* demo_test.c: `demo`, on the committed sample. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

/* The demo's folder of its own is made here, where the test sees what is left of it. */
static void enter(void) {
    cli_enter();
    char folder[512];
    cr_assert_not_null(getcwd(folder, sizeof folder));
    cr_assert_eq(setenv("TMPDIR", folder, 1), 0);
    cr_assert_eq(setenv("LANG", "C.UTF-8", 1), 0);
    (void)unsetenv("LC_ALL");
    (void)unsetenv("LC_CTYPE");
}

static void leave(void) {
    (void)unsetenv("TMPDIR");
    cli_leave();
}

TestSuite(demo, .init = enter, .fini = leave);

static size_t folders_left(void) {
    size_t count = 0;
    DIR *here = opendir(".");
    cr_assert_not_null(here);
    for (const struct dirent *entry = readdir(here); entry != NULL; entry = readdir(here)) {
        count += strncmp(entry->d_name, "polaris-", 8) == 0;
    }
    cr_assert_eq(closedir(here), 0);
    return count;
}

Test(demo, holds_on_the_sample_and_leaves_nothing_behind) {
    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "demo", "--packages", TEST_SAMPLE);

    cli_contains(result.out, "claims above were checked and hold");
    cli_contains(result.out, "✓ two builds took turns");
    cli_contains(result.out, "✓ every acknowledged event is there");
    cli_contains(result.out,
                 "\n     /properties/size_kib: must be >= 0 (got -1) [properties/properties/properties/size_kib/");
    cli_contains(result.out, "✓ it was refused, for both reasons, and nothing was stored");
    cli_contains(result.out, "✓ both graphs are the same");
    cr_expect_null(strchr(result.out, '\033'), "no colours in a pipe");
    cr_expect_str_eq(result.err, "");
    cr_expect_eq(folders_left(), 0);
}

Test(demo, keeps_to_ascii_where_the_locale_does) {
    cr_assert_eq(setenv("LANG", "C", 1), 0);

    CLEANUP(result_done) struct result result = RUN_FOR(0, NULL, "demo", "--packages", TEST_SAMPLE);

    for (const char *c = result.out; *c != '\0'; c++) {
        cr_assert_geq(*c, 0, "not ASCII: %s", c);
    }
}

Test(demo, keeps_the_store_that_it_is_given) {
    ENDS(0, NULL, "--db", "kept.db", "demo", "--packages", TEST_SAMPLE);
    CLEANUP(result_done) struct result replay = RUN_FOR(0, NULL, "replay", "--db", "kept.db");

    cli_contains(replay.out, "nodes    68\n");
    cli_contains(replay.out, " 0 refused\n");
}

Test(demo, wants_a_new_file) {
    cli_file("there.db", "");

    CLEANUP(result_done) struct result result = RUN_FOR(2, NULL, "demo", "--db", "there.db");

    cli_contains(result.err, "'there.db' exists");
}

Test(demo, fails_when_the_second_build_cannot_be_swapped_in) {
    cli_file("broken.so", "no plugin");
    cr_assert_eq(chmod("broken.so", 0600), 0);

    CLEANUP(result_done)
    struct result result = RUN_FOR(1, NULL, "demo", "--packages", TEST_SAMPLE, "--second", "./broken.so");

    cli_contains(result.out, "✗ the swap failed");
    cli_contains(result.out, "claims do not hold");
    cr_expect_eq(folders_left(), 0);
}

Test(demo, says_what_is_wrong_with_its_input) {
    cli_file("empty.tsv", "");

    CLEANUP(result_done) struct result empty = RUN_FOR(2, NULL, "demo", "--packages", "empty.tsv");
    CLEANUP(result_done) struct result missing = RUN_FOR(2, NULL, "demo", "--packages", "missing.tsv");
    CLEANUP(result_done) struct result argument = RUN_FOR(2, NULL, "demo", "surplus");

    cli_contains(empty.err, "no installed packages in 'empty.tsv'");
    cli_contains(missing.err, "'missing.tsv': No such file");
    cli_contains(argument.err, "'surplus'");
}

Test(demo, removes_its_store_when_it_is_interrupted) {
    struct process process = START("demo", "--packages", TEST_SAMPLE);
    char *line = process_line(&process);
    free(line);

    cr_assert_eq(kill(process.id, SIGTERM), 0);
    CLEANUP(result_done) struct result result = process_finish(&process);

    cr_expect_eq(result.code, 128 + SIGTERM);
    cr_expect_eq(folders_left(), 0);
}
