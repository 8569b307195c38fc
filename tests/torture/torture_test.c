/* torture_test.c: what is planted is found, in words, and found again by the command that was printed. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

static char folder[4096];

/* What is kept of findings goes with the folder of the test. */
static void enter(void) {
    cli_enter();
    cr_assert_not_null(getcwd(folder, sizeof folder));
    cr_assert_eq(setenv("TMPDIR", folder, 1), 0);
}

static void leave(void) {
    char command[sizeof folder + 64];
    (void)snprintf(command, sizeof command, "rm -rf '%s'/polaris-torture-*", folder);
    cr_assert_eq(system(command), 0);
    cli_leave();
}

TestSuite(torture, .init = enter, .fini = leave, .timeout = 240);

static json_t *read_json(const char *text) {
    json_t *value = json_loads(text, 0, NULL);
    cr_assert_not_null(value, "%s", text);
    return value;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    cr_assert_not_null(text, "%s", name);
    return text;
}

static int run_again(const char *command) {
    char line[20000];
    (void)snprintf(line, sizeof line, "%s >again.txt 2>&1", command);
    int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

enum { SEEDS_MAX = 16, REPLAYS_MAX = 10 };

/* A finding of the run says `words`, is kept, and is found again. The build has threads of its own: a fault of one
 * certain call may need some more of the twenty tries that the command has. False: many threads made it, and what they
 * do depends on the moment. */
static bool check_found(const char *out, const char *words) {
    json_auto_t *run = read_json(out);
    const json_t *finding = json_array_get(json_object_get(run, "findings"), 0);
    bool is_exact = json_is_true(json_object_get(finding, "exact"));
    char found[8192];
    if (!is_exact) {
        return false;
    }
    cli_contains(text_of(finding, "what"), words);
    (void)snprintf(found, sizeof found, "%s/found/events.db", text_of(finding, "folder"));
    cr_assert_eq(access(found, F_OK), 0, "%s is not kept", found);
    int code = 0;
    for (int i = 0; code == 0 && i < REPLAYS_MAX; i++) {
        code = run_again(text_of(finding, "again"));
    }
    cr_assert_eq(code, 1, "not found again: %s", text_of(finding, "again"));
    return true;
}

/* With one seed after the other, until one thread made the finding. */
#define FINDS(words, only, rounds, ...)                                                                                \
    do {                                                                                                               \
        bool is_exact = false;                                                                                         \
        for (int seed = 5; !is_exact; seed++) {                                                                        \
            char number[16];                                                                                           \
            cr_assert_lt(seed, 5 + SEEDS_MAX, "many threads made each finding");                                       \
            (void)snprintf(number, sizeof number, "%d", seed);                                                         \
            CLEANUP(result_done)                                                                                       \
            struct result found = RUN_FOR(1, NULL, "torture", "--json", "--seed", number, "--only", only, "--rounds",  \
                                          rounds, __VA_ARGS__);                                                        \
            is_exact = check_found(found.out, words);                                                                  \
        }                                                                                                              \
    } while (0)

Test(torture, kills_find_an_append_that_is_forgotten) {
    FINDS("is lost", "kill", "24", BROKEN "/forgets.so");
}

Test(torture, swaps_find_an_append_that_is_forgotten_after_them) {
    FINDS("is lost", "swap", "16", BROKEN "/forgets_after_a_swap.so");
}

Test(torture, a_crash_is_a_finding_and_no_end) {
    FINDS("at work: ended by SIGABRT", "swap", "16", BROKEN "/crashes.so");
}

Test(torture, power_cuts_find_what_was_acknowledged_and_not_synced) {
    FINDS("is lost", "power", "40", BROKEN "/acknowledges_unsynced.so");
}

/* The kill has to come between a write to the log and its sync, as it does in this round, which one thread makes. */
Test(torture, power_cuts_behind_kills_find_what_was_served_and_not_synced) {
    CLEANUP(result_done)
    struct result found = RUN_FOR(1, NULL, "torture", "--json", "--seed", "6", "--only", "kill,power", "--round", "25",
                                  "--tries", "20", BROKEN "/serves_unsynced.so");
    cr_expect(check_found(found.out, "was told of, the last one is "));
}

Test(torture, power_cuts_find_a_disk_that_does_not_sync) {
    FINDS("checking the store: ", "power", "40", "--lose-syncs", PLUGIN);
}

Test(torture, faults_find_a_failure_that_is_denied) {
    FINDS("is lost", "fault", "120", BROKEN "/denies_failures.so");
}

Test(torture, faults_find_a_failure_with_the_wrong_status) {
    FINDS("at work: answered INTERNAL (", "fault", "60", BROKEN "/says_another_failure.so");
}

Test(torture, faults_find_a_status_that_is_not_that_of_the_map) {
    FINDS("at work: answered BUSY (7) in the status and not in the map, map {\"code\":", "fault", "60",
          BROKEN "/says_busy.so");
}

Test(torture, the_check_misses_tags_that_are_not_listed) {
    FINDS("checking the store: the tag t0 is not listed", "kill", "8", BROKEN "/hides_tags.so");
}

Test(torture, the_check_misses_streams_that_are_not_listed) {
    FINDS("checking the store: the stream s0 is not listed", "kill", "8", BROKEN "/hides_streams.so");
}

Test(torture, a_check_of_the_file_that_cannot_be_made_is_a_finding) {
    FINDS("the integrity of the store could not be checked: interrupted", "kill", "8", BROKEN "/interrupts.so");
}

Test(torture, files_that_cannot_be_kept_are_told_of) {
    CLEANUP(result_done)
    struct result found =
        RUN_FOR(1, NULL, "torture", "--seed", "5", "--only", "kill", "--rounds", "24", BROKEN "/spoils_the_copy.so");
    cli_contains(found.out, "is lost");
    cli_contains(found.out, "found/ is incomplete: cannot copy ");
}

Test(torture, a_process_that_says_nothing_hangs) {
    FINDS("hangs: nothing came from it for 3 s", "swap", "16", "--limit", "3", BROKEN "/hangs.so");
}

Test(torture, a_folder_that_is_no_text_hides_no_finding) {
    char strange[sizeof folder + 16], command[sizeof folder + 32];
    (void)snprintf(strange, sizeof strange, "%s/\xff", folder);
    cr_assert_eq(mkdir(strange, 0700), 0);
    cr_assert_eq(setenv("TMPDIR", strange, 1), 0);
    CLEANUP(result_done)
    struct result found =
        RUN_FOR(1, NULL, "torture", "--json", "--seed", "5", "--only", "kill", "--rounds", "24", BROKEN "/forgets.so");
    json_auto_t *run = read_json(found.out);
    const json_t *findings = json_object_get(run, "findings");
    cr_expect_gt(json_array_size(findings), 0u);
    cr_expect_eq(json_integer_value(json_object_get(run, "found")), (json_int_t)json_array_size(findings));
    cli_contains(text_of(json_array_get(findings, 0), "folder"), "/?/polaris-torture-");
    (void)snprintf(command, sizeof command, "rm -rf '%s'", strange);
    cr_assert_eq(system(command), 0);
}

/* ---- ended from outside ---- */

/* Begins, and waits until it is at work: the first lines tell what the build is, and where. */
static struct process begin(const char *const *arguments) {
    struct process torture = cli_start(arguments);
    for (int i = 0; i < 2; i++) {
        char *line = process_line(&torture);
        cr_assert_not_null(line);
        free(line);
    }
    return torture;
}
#define BEGIN(...) begin((const char *const[]){"torture", __VA_ARGS__, NULL})

Test(torture, a_run_that_is_cut_short_says_so_and_ends_by_the_signal) {
    struct process torture = BEGIN("--rounds", "100000", "--seed", "1", PLUGIN);
    (void)kill(torture.id, SIGTERM);
    CLEANUP(result_done) struct result result = process_finish(&torture);
    cr_expect_eq(result.code, 128 + SIGTERM);
    cli_contains(result.err, "interrupted after ");
    cli_contains(result.err, " of 100000 rounds");
    cli_contains(result.out, "nothing was found");
}

Test(torture, a_run_until_ctrl_c_ends_by_it_in_good_order) {
    struct process torture = BEGIN("--seconds", "0", "--seed", "1", PLUGIN);
    (void)kill(torture.id, SIGINT);
    CLEANUP(result_done) struct result result = process_finish(&torture);
    cr_expect_eq(result.code, 0);
    cli_contains(result.out, "nothing was found");
}

Test(torture, nohup_is_respected) {
    (void)signal(SIGHUP, SIG_IGN);
    struct process torture = BEGIN("--rounds", "8", "--seed", "1", PLUGIN);
    (void)kill(torture.id, SIGHUP);
    CLEANUP(result_done) struct result result = process_finish(&torture);
    cr_expect_eq(result.code, 0);
    cli_contains(result.out, "seed 1: 8 rounds in ");
}

Test(torture, nobody_waits_for_a_silent_process_once_the_run_is_stopped) {
    struct process torture =
        BEGIN("--rounds", "16", "--seed", "5", "--only", "swap", "--limit", "3600", BROKEN "/hangs.so");
    (void)sleep(6);
    (void)kill(torture.id, SIGINT);
    CLEANUP(result_done) struct result result = process_finish(&torture);
    cr_expect_eq(result.code, 128 + SIGINT);
    cli_contains(result.err, " of 16 rounds");
    cli_contains(result.err, "is not judged: round ");
}

Test(torture, what_was_found_is_told_when_the_run_is_stopped) {
    struct process torture = BEGIN("--seconds", "0", "--seed", "5", "--only", "kill", BROKEN "/forgets.so");
    char *line = process_line(&torture);
    while (line != NULL && strncmp(line, "FOUND", 5) != 0) {
        free(line);
        line = process_line(&torture);
    }
    cr_assert_not_null(line);
    free(line);
    (void)kill(torture.id, SIGINT);
    CLEANUP(result_done) struct result result = process_finish(&torture);
    cr_expect_eq(result.code, 1);
    cli_contains(result.out, "SOMETHING WAS FOUND");
}

/* The run's folder is taken away while it goes on. */
Test(torture, a_run_that_cannot_go_on_tells_what_it_has_found) {
    struct process torture = BEGIN("--rounds", "100000", "--seed", "5", "--only", "kill", BROKEN "/forgets.so");
    char *line = process_line(&torture);
    while (line != NULL && strncmp(line, "FOUND", 5) != 0) {
        free(line);
        line = process_line(&torture);
    }
    cr_assert_not_null(line);
    free(line);
    cr_assert_eq(system("mv polaris-torture-* moved"), 0);
    CLEANUP(result_done) struct result result = process_finish(&torture);
    cr_expect_eq(result.code, 1);
    cli_contains(result.err, "cannot make the folder");
    cli_contains(result.out, "SOMETHING WAS FOUND");
    cr_assert_eq(system("rm -rf moved"), 0);
}

/* ---- builds that start processes ---- */

/* How many there are that work in a folder of a run: one that was killed is still there for a moment. */
static int count_left(void) {
    char below[sizeof folder + 32];
    int count = 0;
    DIR *all = opendir("/proc");
    (void)snprintf(below, sizeof below, "%s/polaris-torture-", folder);
    for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
        char link[512], place[8192];
        (void)snprintf(link, sizeof link, "/proc/%s/cwd", entry->d_name);
        ssize_t size = readlink(link, place, sizeof place - 1);
        place[size > 0 ? size : 0] = '\0';
        count += strncmp(place, below, strlen(below)) == 0;
    }
    (void)closedir(all);
    return count;
}

Test(torture, what_a_build_starts_ends_with_its_process_and_is_no_hang) {
    ENDS(0, NULL, "torture", "--seed", "5", "--only", "swap", "--rounds", "8", "--limit", "30", BROKEN "/forks.so");
    for (int look = 0; look < 1000 && count_left() > 0; look++) {
        (void)poll(NULL, 0, 10);
    }
    cr_expect_eq(count_left(), 0);
}

/* ---- all the rest ---- */

Test(torture, a_good_build_has_no_finding_and_each_kind_is_counted) {
    CLEANUP(result_done)
    struct result good = RUN_FOR(0, NULL, "torture", "--json", "--seed", "1", "--rounds", "24", PLUGIN);
    json_auto_t *run = read_json(good.out);
    static const char *const COUNTS[] = {"kills", "cuts", "shutdowns", "swaps", "acknowledged", "reports"};
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
        cr_expect_gt(json_integer_value(json_object_get(run, COUNTS[i])), 0, "%s", COUNTS[i]);
    }
    cr_expect_eq(json_integer_value(json_object_get(run, "rounds")), 24);
    cr_expect_eq(json_array_size(json_object_get(run, "findings")), 0u);
}

Test(torture, a_build_of_1_0_is_tortured_without_what_it_does_not_have) {
    CLEANUP(result_done)
    struct result good = RUN_FOR(0, NULL, "torture", "--rounds", "8", "--seed", "2", PLUGIN_1_0);
    cli_contains(good.out, "ABI 1.0");
    cli_contains(good.out, "nothing was found");
}

/* Nothing would be seen of the power cuts: none is made, and none is counted. */
Test(torture, a_build_whose_calls_are_not_seen_has_no_power_cuts_whatever_it_says) {
    CLEANUP(result_done)
    struct result good = RUN_FOR(0, NULL, "torture", "--rounds", "8", "--seed", "2", BROKEN "/hides_its_calls.so");
    cli_contains(good.out, "none of its calls are seen: no power cuts and no faults");
    CLEANUP(result_done)
    struct result power = RUN_FOR(2, NULL, "torture", "--rounds", "8", "--only", "power", BROKEN "/hides_its_calls.so");
    cli_contains(power.err, "none of its calls are seen: its disk cannot be made to fail");
}

Test(torture, a_build_without_append_has_nothing_to_lose) {
    CLEANUP(result_done) struct result none = RUN_FOR(2, NULL, "torture", "--rounds", "8", TEMPLATE);
    cli_contains(none.err, "the build has no append");
}

/* Begins with a copy of the build, which `command` then does something to. */
static void expect_no_finding(const char *command) {
    cr_assert_eq(system("cp '" PLUGIN "' copy.so"), 0);
    struct process torture = BEGIN("--rounds", "100000", "--seed", "5", "--only", "kill", "./copy.so");
    cr_assert_eq(system(command), 0);
    CLEANUP(result_done) struct result result = process_finish(&torture);
    cr_expect_eq(result.code, 2);
    cli_contains(result.err, "the build cannot be loaded any more: ");
    cli_contains(result.out, "nothing was found");
    cr_expect_neq(system("ls -d polaris-torture-* >ls.txt 2>&1"), 0, "a folder was kept");
}

Test(torture, a_build_whose_file_goes_ends_the_run_and_is_no_finding) {
    expect_no_finding("rm copy.so");
}

Test(torture, a_build_whose_file_is_replaced_ends_the_run_and_is_no_finding) {
    expect_no_finding("cp '" BROKEN "/forgets.so' other.so && mv other.so copy.so");
}

Test(torture, what_a_build_says_of_itself_steers_no_terminal) {
    CLEANUP(result_done)
    struct result good = RUN_FOR(0, NULL, "torture", "--rounds", "1", "--seed", "2", BROKEN "/steers_terminals.so");
    cli_contains(good.out, "a?[2Jb? a?[2Jb?, ABI 1.");
    cr_expect_null(strchr(good.out, '\033'));
}

Test(torture, a_folder_for_the_stores_that_is_none_or_too_long_is_told) {
    cr_assert_eq(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    CLEANUP(result_done) struct result none = RUN_FOR(2, NULL, "torture", "--rounds", "1", PLUGIN);
    cli_contains(none.err, "'/nowhere/at/all': No such file or directory; set TMPDIR");
    char deep[sizeof folder + 1100];
    (void)snprintf(deep, sizeof deep, "%s", folder);
    while (strlen(deep) <= 1000) {
        (void)strcat(deep, "/a-folder-with-a-name-of-some-length");
        cr_assert_eq(mkdir(deep, 0700), 0);
    }
    cr_assert_eq(setenv("TMPDIR", deep, 1), 0);
    CLEANUP(result_done) struct result far = RUN_FOR(2, NULL, "torture", "--rounds", "1", PLUGIN);
    cli_contains(far.err, " bytes, limit 1000: '");
    cli_contains(far.err, "set TMPDIR to a shorter one");
    cr_assert_eq(system("rm -rf a-folder-with-a-name-of-some-length"), 0);
}

Test(torture, people_are_told_what_was_found_and_how_to_find_it_again) {
    CLEANUP(result_done)
    struct result found =
        RUN_FOR(1, NULL, "torture", "--seed", "5", "--only", "kill", "--rounds", "24", BROKEN "/forgets.so");
    cli_contains(found.out, "FOUND in round ");
    cli_contains(found.out, "was acknowledged as ");
    cli_contains(found.out, "again:  ");
    cli_contains(found.out, " --seed 5 --round ");
    cli_contains(found.out, "SOMETHING WAS FOUND");
}

Test(torture, wrong_usage_is_told) {
    CLEANUP(result_done) struct result kind = RUN_FOR(2, NULL, "torture", "--only", "flood", PLUGIN);
    cli_contains(kind.err, "not 'flood'");
    CLEANUP(result_done) struct result none = RUN_FOR(2, NULL, "torture", "--rounds", "1", "nowhere.so");
    cli_contains(none.err, "cannot open the build 'nowhere.so'");
    cli_file("text.so", "no shared object");
    CLEANUP(result_done) struct result text = RUN_FOR(2, NULL, "torture", "--rounds", "1", "text.so");
    cli_contains(text.err, "the build cannot be loaded");
    static const struct {
        const char *words, *arguments[4];
    } WRONG[] = {
        {"--only names at least one", {"--only", ","}},
        {"--tries is for --round", {"--tries", "3"}},
        {"do not go together", {"--round", "3", "--rounds", "4"}},
        {"--lose-syncs is for power cuts", {"--lose-syncs", "--only", "kill"}},
    };
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        const char *const *given = WRONG[i].arguments;
        CLEANUP(result_done)
        struct result wrong = RUN_FOR(2, NULL, "torture", PLUGIN, given[0], given[1], given[2], given[3]);
        cli_contains(wrong.err, WRONG[i].words);
    }
    CLEANUP(result_done) struct result two = RUN_FOR(2, NULL, "torture", PLUGIN, PLUGIN);
    cli_contains(two.err, "--with names");
}
