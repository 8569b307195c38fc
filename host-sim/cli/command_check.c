/* command_check.c: `check`: the conformance suite on any build, by anyone. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/process.h"
#include "check/report.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "demo/page.h"
#include "message/message.h"
#include "monotonic.h"
#include "owned.h"

enum { OPTION_ONLY = 0x3000, OPTION_LIST, OPTION_JSON, OPTION_JUNIT, OPTION_JOBS, OPTION_LIMIT, CHECKS_MAX = 512 };

struct options {
    struct session *session;
    const char *patterns[CHECK_PATTERNS_MAX];
    size_t pattern_count;
    const char *junit_path, *plugin_path;
    int64_t jobs, limit_s;
    bool list, json;
};

static void parse_only(struct options *options, char *argument, const struct argp_state *state) {
    for (char *word = strsep(&argument, ","); word != NULL; word = strsep(&argument, ",")) {
        if (word[0] == '\0') {
            argp_error(state, "--only: a name is empty; --list prints those that there are");
        }
        if (options->pattern_count == CHECK_PATTERNS_MAX) {
            argp_error(state, "--only takes %d patterns at most", (int)CHECK_PATTERNS_MAX);
        }
        options->patterns[options->pattern_count++] = word;
    }
    if (options->pattern_count == 0) {
        argp_error(state, "--only names at least one pattern");
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->session;
        return 0;
    case OPTION_ONLY:
        parse_only(options, argument, state);
        return 0;
    case OPTION_LIST:
        options->list = true;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_JUNIT:
        options->junit_path = argument;
        return 0;
    case OPTION_JOBS:
        options->jobs = option_number(state, "--jobs", argument, 1, CHECK_JOBS_MAX);
        return 0;
    case OPTION_LIMIT:
        options->limit_s = option_number(state, "--limit", argument, 1, 3600);
        return 0;
    case ARGP_KEY_ARG:
        if (options->plugin_path != NULL) {
            argp_error(state, "takes one build, not '%s' as well", argument);
        }
        options->plugin_path = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Check:", 1},
    {"only", OPTION_ONLY, "PATTERN[,PATTERN]", 0,
     "These checks only: beginnings of their names, or globs: 'submit/', '*second-writer*'", 0},
    {"list", OPTION_LIST, 0, 0, "Print the names of the checks, and what each looks at; run none", 0},
    {"json", OPTION_JSON, 0, 0, "One JSON object; default: a table for people", 0},
    {"junit", OPTION_JUNIT, "FILE", 0, "Write JUnit XML as well", 0},
    {"jobs", OPTION_JOBS, "N", 0, "Checks at a time; default: 2", 0},
    {"limit", OPTION_LIMIT, "SECONDS", 0, "What takes longer hangs; default: 30", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .args_doc = "[PLUGIN]",
    .doc =
        "Looks whether a build of the plugin, by whomever, keeps what the interface promises: more than 170 checks of "
        "its lifecycle, versions, sizes, ownership, threads, errors, of the contract of each operation, and of what "
        "is left after a kill, a swap and an unload. PLUGIN is a shared object; default: that of --plugin.\v"
        "Each check runs in a process of its own, on a store of its own in $TMPDIR or /tmp: a build that crashes or "
        "hangs in one of them is found out, and the others go on. What a build does not claim to have, by its "
        "capability bits, is skipped. --db and --config are not used.\n"
        "\n"
        "Exit codes: 0 all passed, or were skipped; 1 at least one found something; 2 wrong usage, or a file that is "
        "no plugin.\n"
        "\n"
        "Example: all of it, and what a CI server reads:\n"
        "  polaris-host-sim check --junit check.xml ./my-event-store.so",
    .children = SESSION_CHILDREN,
};

static bool is_meant(const struct options *options, const struct check *check) {
    bool meant = options->pattern_count == 0;
    for (size_t i = 0; i < options->pattern_count; i++) {
        meant = meant || check_is_meant(check, options->patterns[i]);
    }
    return meant;
}

static bool is_found(const char *pattern) {
    const struct check *check;
    for (size_t i = 0; (check = check_at(i)) != NULL; i++) {
        if (check_is_meant(check, pattern)) {
            return true;
        }
    }
    return false;
}

/* Each pattern has to mean something: a misspelt one would pass. */
static int tell_unknown(const struct options *options) {
    char unknown[1024] = "";
    size_t used = 0;
    for (size_t i = 0; i < options->pattern_count; i++) {
        if (!is_found(options->patterns[i]) && used < sizeof unknown) {
            used += (size_t)snprintf(unknown + used, sizeof unknown - used, "%s'%.200s'", used > 0 ? ", " : "",
                                     options->patterns[i]);
        }
    }
    return used == 0 ? EXIT_OK
                     : session_fail(options->session, EXIT_USAGE,
                                    "--only: no check has such a name: %s; --list prints them", unknown);
}

static size_t choose(const struct options *options, const struct check *ret_checks[CHECKS_MAX]) {
    size_t count = 0;
    const struct check *check;
    for (size_t i = 0; (check = check_at(i)) != NULL && count < CHECKS_MAX; i++) {
        if (is_meant(options, check)) {
            ret_checks[count++] = check;
        }
    }
    return count;
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

struct sheet {
    int group_width, name_width;
    bool silent; /* the results are printed otherwise */
};

static const char *name_of(const struct check *check) {
    return strchr(check->name, '/') + 1;
}

static struct sheet measure(const struct check *const *checks, size_t count) {
    struct sheet sheet = {.group_width = 5, .name_width = 5};
    for (size_t i = 0; i < count; i++) {
        int group = (int)strcspn(checks[i]->name, "/");
        int name = (int)strlen(name_of(checks[i]));
        sheet.group_width = group > sheet.group_width ? group : sheet.group_width;
        sheet.name_width = name > sheet.name_width ? name : sheet.name_width;
    }
    return sheet;
}

static void show_head(const struct sheet *sheet, const struct check_build *build) {
    if (sheet->silent) {
        return;
    }
    if (build->loads) {
        terminal_print_build(stdout, build->name, build->version, build->major, build->minor, build->build_id);
    }
    (void)terminal_print(stdout, build->path, 0);
    (void)fputs("\n\n", stdout);
    (void)printf("%-*s  %-*s  %-7s  %8s  %s\n", sheet->group_width, "GROUP", sheet->name_width, "CHECK", "VERDICT",
                 "TIME", "REASON");
}

static bool show_result(void *context, const struct check_result *result) {
    const struct sheet *sheet = context;
    if (sheet->silent) {
        return true;
    }
    (void)printf("%-*.*s  %-*s  %-7s  %8s%s", sheet->group_width, (int)strcspn(result->check->name, "/"),
                 result->check->name, sheet->name_width, name_of(result->check), check_verdict_name(result->verdict),
                 result->verdict == VERDICT_SKIPPED ? "-" : show_duration(result->elapsed_us),
                 result->reason[0] != '\0' ? "  " : "");
    (void)terminal_print(stdout, result->reason, 0);
    (void)putchar('\n');
    return fflush(stdout) == 0 && !ferror(stdout); /* whoever waits sees it */
}

static void show_sum(const struct check_report *report) {
    (void)printf("\n%zu passed, %zu FAILED, %zu skipped, in %s\n", check_report_count(report, VERDICT_PASSED),
                 check_report_count(report, VERDICT_FAILED), check_report_count(report, VERDICT_SKIPPED),
                 show_duration(report->elapsed_us));
}

static int list(const struct options *options) {
    static const struct check *checks[CHECKS_MAX];
    size_t count = choose(options, checks);
    struct sheet sheet = measure(checks, count);
    for (size_t i = 0; i < count; i++) {
        (void)printf("%-*s  %s\n", sheet.group_width + sheet.name_width + 1, checks[i]->name, checks[i]->summary);
    }
    return EXIT_OK;
}

/* ---- the run ----------------------------------------------------------------------------------------------------- */

static bool write_junit(const struct check_report *report, const char *path, struct failure *failure) {
    FILE *out = fopen(path, "we");
    bool good = out != NULL && check_report_junit(report, out);
    good = out != NULL && fclose(out) == 0 && good;
    return good || failure_set(failure, "cannot write '%s': %s", path, strerror(errno));
}

static int tell(const struct options *options, const struct check_report *report) {
    struct failure failure;
    if (options->json) {
        json_auto_t *json = check_report_json(report);
        CLEANUP(freep) char *text = json != NULL ? message_print(json) : NULL;
        if (text == NULL || puts(text) < 0) {
            return session_fail(options->session, EXIT_ERROR, "cannot print the results");
        }
    } else {
        show_sum(report);
    }
    if (options->junit_path != NULL && !write_junit(report, options->junit_path, &failure)) {
        return session_fail(options->session, EXIT_USAGE, "%s", failure.message);
    }
    return check_report_count(report, VERDICT_FAILED) == 0 ? EXIT_OK : EXIT_ERROR;
}

static int run(const struct options *options) {
    static const struct check *checks[CHECKS_MAX];
    static struct check_result results[CHECKS_MAX];
    static struct check_build build;
    struct session *session = options->session;
    size_t count = choose(options, checks);
    struct sheet sheet = measure(checks, count);
    sheet.silent = options->json;
    const struct check_options how = {
        .plugin_path = options->plugin_path != NULL ? options->plugin_path : session->plugin_path,
        .loader = {.allow_unsafe = session->allow_unsafe},
        .jobs = (size_t)options->jobs,
        .limit_ms = options->limit_s * 1000,
        .told = show_result,
        .context = &sheet,
    };
    struct failure failure;
    int number = 0;
    int64_t began_us = monotonic_us();
    if (!check_meet(&how, &build, &failure)) {
        return session_fail(session, EXIT_USAGE, "%s", failure.message);
    }
    show_head(&sheet, &build);
    if (!check_run(&how, &build, checks, count, results, &number, &failure)) {
        if (number != 0) {
            (void)fflush(stdout);
            (void)raise(number); /* so that the shell sees what ended the program */
        }
        if (ferror(stdout)) {
            return EXIT_ERROR; /* main tells it */
        }
        return session_fail(session, EXIT_USAGE, "%s", failure.message);
    }
    const struct check_report report = {
        .build = &build, .results = results, .count = count, .elapsed_us = monotonic_us() - began_us};
    return tell(options, &report);
}

int command_check(struct session *session, int argc, char **argv) {
    struct options options = {.session = session, .jobs = 2, .limit_s = 30};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    if (tell_unknown(&options) != EXIT_OK) {
        return EXIT_USAGE;
    }
    return options.list ? list(&options) : run(&options);
}
