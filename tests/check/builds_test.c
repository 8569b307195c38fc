/* builds_test.c: builds that keep what the interface promises, the reports, and wrong usage. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "run.h"

TestSuite(builds, .init = cli_enter, .fini = cli_leave, .timeout = 120);

static char *read_file(const char *path) {
    static char text[65536];
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    return text;
}

static json_int_t number(const json_t *run, const char *name) {
    return json_integer_value(json_object_get(run, name));
}

Test(builds, our_own_passes_all) {
    json_auto_t *run = check_json(0, PLUGIN, NULL);
    cr_assert_eq(number(run, "failed"), 0);
    cr_assert_eq(number(run, "skipped"), 0);
    cr_assert_geq(number(run, "passed"), 100);
}

Test(builds, that_of_1_0_passes_all_but_what_came_later) {
    json_auto_t *run = check_json(0, PLUGIN_1_0, NULL);
    cr_assert_eq(number(run, "failed"), 0);
    cr_assert_str_eq(check_verdict(run, "submit/each-request-ends-once"), "skipped");
    cr_assert_str_eq(check_verdict(run, "swap/keep-log-leaves-the-log"), "skipped");
    cr_assert_str_eq(check_verdict(run, "kill/acknowledged-events-are-there"), "passed");
    cr_assert_eq(number(run, "skipped"), 13);
}

Test(builds, the_template_passes_what_it_claims_and_that_is_little) {
    json_auto_t *run = check_json(0, TEMPLATE, NULL);
    cr_assert_eq(number(run, "failed"), 0);
    cr_assert_gt(number(run, "skipped"), number(run, "passed"));
    cr_assert_str_eq(check_verdict(run, "negotiation/refuses-an-unknown-tail"), "passed");
    cr_assert_str_eq(check_verdict(run, "lifecycle/a-second-writer-is-busy"), "skipped");
}

Test(builds, the_template_refuses_sizes_that_no_revision_has) {
    json_auto_t *run = check_json(0, TEMPLATE, "negotiation,sizes");
    cr_assert_str_eq(check_verdict(run, "negotiation/refuses-a-hello-above-4096"), "passed");
    cr_assert_str_eq(check_verdict(run, "negotiation/refuses-a-welcome-above-4096"), "passed");
    cr_assert_str_eq(check_verdict(run, "negotiation/zeroes-the-tail-of-a-larger-descriptor"), "passed");
    cr_assert_str_eq(check_verdict(run, "sizes/refuses-sinks-that-are-not"), "passed");
}

Test(builds, those_of_the_next_minor_pass_what_is_known_of_them) {
    json_auto_t *real = check_json(0, REAL_NEXT, "negotiation,sizes,lifecycle,swap");
    cr_assert_eq(number(real, "failed"), 0);
    cr_assert_str_eq(check_verdict(real, "negotiation/refuses-an-unknown-tail"), "passed");
    cr_assert_str_eq(check_verdict(real, "sizes/submit-judges-its-completion"), "passed");
    json_auto_t *template = check_json(0, TEMPLATE_NEXT, NULL);
    cr_assert_eq(number(template, "failed"), 0);
    cr_assert_str_eq(check_verdict(template, "sizes/refuses-sinks-that-are-not"), "passed");
}

Test(builds, one_that_reads_no_request_of_what_it_does_not_have_passes) {
    json_auto_t *letters = check_json(0, BROKEN "/has_no_letters.so", "errors,sizes,replies,dlq");
    cr_assert_eq(number(letters, "failed"), 0);
    cr_assert_str_eq(check_verdict(letters, "errors/what-is-no-map-is-invalid"), "passed");
    json_auto_t *schemas = check_json(0, BROKEN "/has_no_schemas.so", "errors,sizes,replies,schema");
    cr_assert_eq(number(schemas, "failed"), 0);
    cr_assert_str_eq(check_verdict(schemas, "sizes/refuses-bytes-at-null"), "passed");
}

Test(builds, one_that_prints_a_lot_passes_and_is_not_kept_as_a_whole) {
    json_auto_t *run = check_json(0, BROKEN "/prints_a_lot.so", "lifecycle/opens,lifecycle/a-second,kill/ack");
    cr_assert_eq(number(run, "failed"), 0);
}

Test(builds, one_without_a_file_is_held_to_what_it_claims_to_answer) {
    json_auto_t *run = check_json(0, BROKEN "/claims_no_file.so", "store,lifecycle/a-second");
    cr_assert_str_eq(check_verdict(run, "store/append-gives-ids-in-order"), "passed");
    cr_assert_str_eq(check_verdict(run, "lifecycle/a-second-writer-is-busy"), "skipped");
}

Test(builds, of_one_with_a_sqlite_of_its_own_no_two_copies_are_on_one_file) {
    json_auto_t *run = check_json(0, BROKEN "/has_its_own_sqlite.so", "negotiation/says,swap");
    cr_assert_eq(number(run, "failed"), 0);
    cr_assert_str_eq(check_verdict(run, "swap/copies-of-the-build-exclude-each-other"), "skipped");
    cr_assert_str_eq(check_verdict(run, "swap/copies-of-the-build-take-turns"), "passed");
}

Test(builds, one_may_begin_with_any_id) {
    json_auto_t *run = check_json(0, BROKEN "/begins_at_1001.so", NULL);
    cr_assert_eq(number(run, "failed"), 0);
    cr_assert_eq(number(run, "skipped"), 0);
}

/* As some shells and supervisors start programs: ended children go away by themselves. */
Test(builds, our_own_passes_where_ended_children_are_ignored) {
    int status = system("trap '' CHLD; exec " POLARIS_HOST_SIM
                        " --allow-unsafe check --only lifecycle/a-second,kill/ack " PLUGIN " > out.txt");
    cr_assert_eq(status, 0, "%s", read_file("out.txt"));
    (void)remove("out.txt");
}

/* A copy of the build, in the folder of the test. */
static void copy_build(const char *from, const char *to) {
    static char bytes[8 << 20];
    FILE *in = fopen(from, "r");
    FILE *out = fopen(to, "w");
    cr_assert(in != NULL && out != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, in);
    cr_assert_lt(size, sizeof bytes);
    cr_assert_eq(fwrite(bytes, 1, size, out), size);
    (void)fclose(in);
    cr_assert_eq(fclose(out), 0);
}

/* Checks a copy, and puts another build in its place (NULL: none) after the first check. */
static struct result change_amid_checks(const char *other) {
    copy_build(PLUGIN, "mine.so");
    struct process check = START("check", "--jobs", "1", "--only", "negotiation,lifecycle", "./mine.so");
    for (char *line; (line = process_line(&check)) != NULL;) {
        bool begun = strncmp(line, "negotiation", strlen("negotiation")) == 0;
        free(line);
        if (begun) {
            break;
        }
    }
    (void)remove("mine.so");
    if (other != NULL) {
        copy_build(other, "mine.so");
    }
    return process_finish(&check);
}

Test(builds, one_that_goes_away_amid_the_checks_fails) {
    CLEANUP(result_done) struct result result = change_amid_checks(NULL);
    cr_assert_eq(result.code, 1, "%s", result.out);
    cli_contains(result.out, "FAILED");
    cli_contains(result.out, "cannot find the plugin");
    cr_assert_null(strstr(result.out, " 0 FAILED"));
}

Test(builds, one_that_is_replaced_amid_the_checks_fails) {
    CLEANUP(result_done) struct result result = change_amid_checks(TEMPLATE);
    cr_assert_eq(result.code, 1, "%s", result.out);
    cli_contains(result.out, "SHA-256");
    cr_assert_null(strstr(result.out, " 0 FAILED"));
}

/* ---- reports ---- */

Test(reports, the_table_has_a_row_for_each_check_in_order_and_a_sum, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done)
    struct result result =
        RUN_FOR(0, NULL, "check", "--only", "submit/does,negotiation/says", "--jobs", "1", PLUGIN_1_0);
    cli_contains(result.out, "polaris-event-store 1.0.0, ABI 1.0, build ");
    cli_contains(result.out, "GROUP        CHECK           VERDICT      TIME  REASON\n"
                             "negotiation  says-who-it-is  passed   ");
    cli_contains(result.out, "\nsubmit       does-not-wait   skipped         -  the build has no submit\n");
    cli_contains(result.out, "\n1 passed, 0 FAILED, 1 skipped, in ");
    cr_assert_str_empty(result.err);
}

Test(reports, json_says_who_was_checked_and_why_a_check_failed, .init = cli_enter, .fini = cli_leave) {
    json_auto_t *run = check_json(1, BROKEN "/ignores_a_tail.so", "negotiation/refuses-an-unknown-tail");
    const json_t *build = json_object_get(run, "build");
    const json_t *check = json_array_get(json_object_get(run, "checks"), 0);
    cr_assert_str_eq(json_string_value(json_object_get(build, "name")), "polaris-event-store");
    cr_assert_eq(json_string_length(json_object_get(build, "sha256")), 64u);
    cr_assert_str_eq(json_string_value(json_object_get(check, "promise")), "a new flag is never silently ignored");
    cr_assert_str_eq(json_string_value(json_object_get(check, "reason")),
                     "a hello with a tail that is not zero: the entry answered OK, not INVALID");
    cr_assert_gt(number(check, "elapsed_us"), 0);
    cr_assert_eq(number(run, "failed"), 1);
}

Test(reports, junit_has_a_suite_for_each_group_and_escapes_its_texts, .init = cli_enter, .fini = cli_leave) {
    ENDS(1, NULL, "check", "--junit", "check.xml", "--only", "errors/maps,errors/ops,negotiation/says",
         BROKEN "/says_another_status.so");
    char *xml = read_file("check.xml");
    cli_contains(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"polaris-host-sim check\" "
                      "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"");
    cli_contains(xml, "  <testsuite name=\"negotiation\" tests=\"1\" failures=\"0\"");
    cli_contains(xml, "  <testsuite name=\"errors\" tests=\"2\" failures=\"1\"");
    cli_contains(xml, "<testcase classname=\"errors\" name=\"maps-are-whole\" time=\"");
    cli_contains(xml,
                 "<failure message=\"schema {'op': 'get', 'type': 'none'} answered NOT_FOUND, but the error map has "
                 "another code: {&quot;code&quot;:15,");
    cli_contains(xml, "</testsuites>\n");
    (void)remove("check.xml");
}

Test(reports, junit_of_what_was_skipped_says_so, .init = cli_enter, .fini = cli_leave) {
    ENDS(0, NULL, "check", "--junit", "check.xml", "--only", "submit/does", PLUGIN_1_0);
    cli_contains(read_file("check.xml"), "<skipped message=\"the build has no submit\"/>");
    (void)remove("check.xml");
}

Test(reports, the_strings_of_a_build_steer_no_terminal, .init = cli_enter, .fini = cli_leave) {
    static const char BUILD[] = BROKEN "/steers_a_terminal.so";
    CLEANUP(result_done) struct result table = RUN_FOR(0, NULL, "check", "--only", "negotiation/says", BUILD);
    cli_contains(table.out, "odd?]0;title? 1?[31m, ABI ");
    cr_assert_null(strchr(table.out, '\033'));
    CLEANUP(result_done) struct result versions = RUN_FOR(0, NULL, "--plugin", BUILD, "--version");
    cli_contains(versions.out, "plugin odd?]0;title? 1?[31m, ABI ");
    cr_assert_null(strchr(versions.out, '\033'));
}

Test(reports, junit_has_no_character_that_xml_has_not, .init = cli_enter, .fini = cli_leave) {
    ENDS(0, NULL, "check", "--junit", "check.xml", "--only", "negotiation/says", BROKEN "/steers_a_terminal.so");
    cli_contains(read_file("check.xml"), "value=\"?-?-\xEF\xBF\xBD-?[2J\"");
    (void)remove("check.xml");
}

/* The stores go to the test's own folder, whose path is given. */
static const char *keep_stores_here(void) {
    static char folder[4096];
    cr_assert_not_null(getcwd(folder, sizeof folder));
    (void)setenv("TMPDIR", folder, 1);
    return folder;
}

Test(reports, the_folder_for_stores_may_have_any_name, .init = cli_enter, .fini = cli_leave) {
    static const char NAME[] = "it's \"a\" \\ folder of \xC3\xA9v\xC3\xA9nements";
    cr_assert_eq(mkdir(NAME, 0700), 0);
    (void)setenv("TMPDIR", NAME, 1);
    ENDS(0, NULL, "check", "--only", "lifecycle/a-second,lifecycle/two,lifecycle/opens,swap,kill/ack", PLUGIN);
    cr_assert_eq(rmdir(NAME), 0, "a store was left behind");
}

Test(reports, nothing_is_left_when_nobody_reads_the_table, .init = cli_enter, .fini = cli_leave, .timeout = 60) {
    const char *folder = keep_stores_here();
    struct process check = START("check", "--jobs", "1", PLUGIN);
    free(process_line(&check));
    (void)close(check.out);
    check.out = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CLEANUP(result_done) struct result result = process_finish(&check);
    cr_assert_eq(result.code, 128 + SIGPIPE);
    cr_assert_str_empty(result.err);
    cr_assert_eq(rmdir(folder), 0, "a store was left behind");
}

Test(reports, nothing_is_left_by_a_signal_while_the_build_is_met, .init = cli_enter, .fini = cli_leave, .timeout = 60) {
    const char *folder = keep_stores_here();
    (void)setenv("FIXTURE_HELLO", "hangs", 1);
    struct process check = START("check", FIXTURE_PLUGIN);
    (void)usleep(500000);
    cr_expect_neq(rmdir(folder), 0);
    (void)kill(check.id, SIGTERM);
    CLEANUP(result_done) struct result result = process_finish(&check);
    cr_assert_eq(result.code, 128 + SIGTERM);
    cr_assert_eq(rmdir(folder), 0, "a store was left behind");
}

Test(reports, nothing_is_left_in_the_folder_for_stores, .init = cli_enter, .fini = cli_leave) {
    const char *folder = keep_stores_here();
    ENDS(1, NULL, "check", "--only", "negotiation,kill/ack,errors/empty", BROKEN "/crashes_on_a_claim.so");
    cr_assert_eq(rmdir(folder), 0, "a store was left behind");
}

/* Processes that are at home in this folder, but for the test itself. */
static size_t processes_in(const char *folder) {
    size_t count = 0;
    DIR *processes = opendir("/proc");
    cr_assert_not_null(processes);
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        char path[300], home[4096] = "";
        (void)snprintf(path, sizeof path, "/proc/%s/cwd", entry->d_name);
        count += strtol(entry->d_name, NULL, 10) > 0 && strtol(entry->d_name, NULL, 10) != getpid() &&
                         readlink(path, home, sizeof home - 1) > 0 && strcmp(home, folder) == 0
                     ? 1
                     : 0;
    }
    (void)closedir(processes);
    return count;
}

Test(reports, nothing_is_left_of_the_processes_that_a_build_started, .init = cli_enter, .fini = cli_leave) {
    char folder[4096];
    cr_assert_not_null(getcwd(folder, sizeof folder));
    struct process check =
        START("check", "--only", "lifecycle/opens,lifecycle/shutdown", BROKEN "/leaves_a_process.so");
    cr_assert_geq(processes_in(folder), 1);
    CLEANUP(result_done) struct result result = process_finish(&check);
    cr_assert_eq(result.code, 0);
    cr_assert_eq(processes_in(folder), 0);
}

/* ---- which checks ---- */

Test(usage, list_prints_names_and_promises_and_runs_nothing, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done) struct result all = RUN_FOR(0, NULL, "check", "--list");
    CLEANUP(result_done) struct result some = RUN_FOR(0, NULL, "check", "--list", "--only", "*second-writer*");
    size_t lines = 0;
    for (const char *at = all.out; *at != '\0'; at++) {
        lines += *at == '\n' ? 1 : 0;
    }
    cr_assert_geq(lines, 100u);
    cli_contains(all.out, "\nlifecycle/shutdown-frees-the-file ");
    cr_assert_str_eq(some.out,
                     "lifecycle/a-second-writer-is-busy                  and told who owns the file\n"
                     "lifecycle/a-second-writer-by-another-path-is-busy  one file, one writer, however it is called\n");
}

Test(usage, each_check_has_a_name_of_its_own, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done) struct result all = RUN_FOR(0, NULL, "check", "--list");
    for (char *line = strtok(all.out, "\n"), *rest; line != NULL; line = strtok(NULL, "\n")) {
        char name[128];
        rest = line + strlen(line) + 1;
        (void)snprintf(name, sizeof name, "%.*s ", (int)strcspn(line, " "), line);
        cr_assert_not_null(strchr(name, '/'), "%s has no group", name);
        cr_assert_null(strstr(rest, name), "two checks are called %s", name);
    }
}

/* Wrong usage: exit code 2, and these words on standard error. */
#define REFUSES(words, ...)                                                                                            \
    do {                                                                                                               \
        CLEANUP(result_done) struct result refused = RUN_FOR(2, NULL, "check", __VA_ARGS__);                           \
        cli_contains(refused.err, words);                                                                              \
    } while (0)

Test(usage, what_is_wrong_is_told_with_exit_code_2, .init = cli_enter, .fini = cli_leave) {
    cli_file("text.so", "no shared object\n");
    REFUSES("no check has such a name: 'nothing/like-it';", "--only", "nothing/like-it");
    REFUSES("no check has such a name: 'kil/', '*no-such-*';", "--only", "swap/keep-log*,kil/,*no-such-*", PLUGIN);
    REFUSES("no check has such a name: 'kil/';", "--list", "--only", "kil/");
    REFUSES("--only: a name is empty", "--only", "", PLUGIN);
    REFUSES("--only: a name is empty", "--only", "swap/,", PLUGIN);
    REFUSES("cannot find the plugin './none.so'", "./none.so");
    REFUSES("text.so", "./text.so");
    REFUSES("takes one build", PLUGIN, PLUGIN);
    REFUSES("--jobs", "--jobs", "0", PLUGIN);
    REFUSES("cannot write '/no/such/folder/x.xml'", "--only", "negotiation/says", "--junit", "/no/such/folder/x.xml",
            PLUGIN);
}

Test(usage, a_folder_for_stores_that_cannot_be_is_told, .init = cli_enter, .fini = cli_leave) {
    static char name[1002];
    memset(name, 'x', sizeof name - 1);
    (void)setenv("TMPDIR", name, 1);
    REFUSES("TMPDIR has 1001 bytes, the limit is 1000", PLUGIN);
    (void)setenv("TMPDIR", "/tmp/\xFF", 1);
    REFUSES("TMPDIR is no UTF-8", PLUGIN);
    (void)setenv("TMPDIR", "/no/such/folder", 1);
    REFUSES("cannot make a folder for the stores, '/no/such/folder/", PLUGIN);
}

Test(usage, the_build_may_be_that_of_the_option_plugin, .init = cli_enter, .fini = cli_leave) {
    CLEANUP(result_done)
    struct result plain = RUN_FOR(0, NULL, "--plugin", PLUGIN, "check", "--only", "negotiation/says");
    cli_contains(plain.out, "1 passed");
}
