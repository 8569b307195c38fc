/* command_bench.c: `bench`: how fast the plugin is, beside a plain SQLite loop in the same run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/report.h"
#include "bench/run.h"
#include "cli/command.h"
#include "cli/scratch.h"
#include "message/message.h"
#include "owned.h"

enum {
    OPTION_JSON = 0x4000,
    OPTION_RUNS,
    OPTION_QUICK,
    OPTION_VALIDATION,
    OPTION_ONLY,
    OPTION_SIZES,
    OPTION_BODY,
    OPTION_HTML,
    OPTION_COMPARE,
    OPTION_FROM,
    OPTION_MACHINE,
    RUNS_DEFAULT = 5
};

struct options {
    struct session *session;
    struct bench_options bench;
    bool json;
    const char *html_path;    /* NULL: no page */
    const char *compare_path; /* NULL: no comparison */
    const char *from_path;    /* NULL: measure */
    const char *machine;      /* NULL: what the system says */
};

/* ---- options ---- */

/* The next of several words with commas between them; NULL: there are no more. The argument is cut up. */
static char *next_word(char **rest) {
    return strsep(rest, ",");
}

static void parse_only(struct bench_options *bench, char *argument, const struct argp_state *state) {
    for (char *word = next_word(&argument); word != NULL; word = next_word(&argument)) {
        if (bench_workload_find(word) == NULL && strcmp(word, BENCH_VALIDATION) != 0) {
            argp_error(state, "--only: there is no workload '%s'; bench --help lists them", word);
        }
        if (bench->only_count == BENCH_ONLY_MAX) {
            argp_error(state, "--only takes %d names at most", (int)BENCH_ONLY_MAX);
        }
        bench->only[bench->only_count++] = word;
    }
}

/* "10k", "1m", "20000". */
static uint64_t parse_size(const char *word, const struct argp_state *state) {
    char *end = NULL;
    unsigned long long size = strtoull(word, &end, 10);
    uint64_t unit = strcmp(end, "k") == 0 ? 1000 : strcmp(end, "m") == 0 ? 1000000 : *end == '\0' ? 1 : 0;
    if (end == word || unit == 0 || size == 0 || size > UINT64_C(100000000) / unit ||
        size * unit % PAGE_STORE_SIZE_MIN != 0) {
        argp_error(state, "--sizes wants multiples of 10k up to 100m, such as 10k,1m, not '%s'", word);
    }
    return size * unit;
}

static void parse_sizes(struct bench_options *bench, char *argument, const struct argp_state *state) {
    bench->size_count = 0;
    for (char *word = next_word(&argument); word != NULL; word = next_word(&argument)) {
        uint64_t size = parse_size(word, state);
        if (bench->size_count == BENCH_SIZES_MAX ||
            (bench->size_count > 0 && size <= bench->sizes[bench->size_count - 1])) {
            argp_error(state, "--sizes wants up to %d sizes, each larger than the one before", (int)BENCH_SIZES_MAX);
        }
        bench->sizes[bench->size_count++] = size;
    }
}

static void parse_bodies(struct bench_options *bench, char *argument, const struct argp_state *state) {
    bench->body_count = 0;
    for (char *word = next_word(&argument); word != NULL; word = next_word(&argument)) {
        bool is_small = strcmp(word, "200") == 0;
        if ((!is_small && strcmp(word, "4096") != 0) || bench->body_count == BENCH_BODIES_MAX) {
            argp_error(state, "--body wants 200, 4096 or both, not '%s'", word);
        }
        bench->bodies[bench->body_count++] = is_small ? EVENT_BODY_SMALL : EVENT_BODY_LARGE;
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    struct bench_options *bench = &options->bench;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->session;
        return 0;
    case OPTION_RUNS:
        bench->runs = (uint32_t)option_number(state, "--runs", argument, 1, BENCH_RUNS_MAX);
        return 0;
    case OPTION_QUICK:
        bench->quick = true;
        return 0;
    case OPTION_ONLY:
        parse_only(bench, argument, state);
        return 0;
    case OPTION_VALIDATION:
        bench->only[0] = BENCH_VALIDATION;
        bench->only_count = 1;
        return 0;
    case OPTION_SIZES:
        parse_sizes(bench, argument, state);
        return 0;
    case OPTION_BODY:
        parse_bodies(bench, argument, state);
        return 0;
    case OPTION_HTML:
        options->html_path = argument;
        return 0;
    case OPTION_COMPARE:
        options->compare_path = argument;
        return 0;
    case OPTION_FROM:
        options->from_path = argument;
        return 0;
    case OPTION_MACHINE:
        options->machine = argument;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "takes options only, not '%s'", argument);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Bench:", 1},
    {"runs", OPTION_RUNS, "N", 0, "Runs of each workload; figures are medians. Default: 5", 0},
    {"quick", OPTION_QUICK, 0, 0, "Everything in less than a minute: too short to rely on", 0},
    {"only", OPTION_ONLY, "NAME[,NAME]", 0, "These workloads only", 0},
    {"validation", OPTION_VALIDATION, 0, 0, "The same as --only validation", 0},
    {"sizes", OPTION_SIZES, "N[,N]", 0, "Events in the stores. Default: 10k,100k; with --quick 10k", 0},
    {"body", OPTION_BODY, "BYTES", 0,
     "Size of the events' data: 200,4096 or one of them. Default: both; with --quick 200", 0},
    {"html", OPTION_HTML, "FILE", 0, "Write a page with plots as well", 0},
    {"compare", OPTION_COMPARE, "FILE", 0, "Set the figures beside those of an earlier run, from its --json", 0},
    {"from", OPTION_FROM, "FILE", 0, "Measure nothing: take the figures of an earlier run, from its --json", 0},
    {"machine", OPTION_MACHINE, "NAME", 0, "What the report calls the machine", 0},
    {"json", OPTION_JSON, 0, 0, "One JSON object; default: tables", 0},
    {0},
};

/* The names of the workloads, for --help. */
static char *help_filter(int key, const char *text, void *input) {
    (void)input;
    if (key != ARGP_KEY_HELP_EXTRA) {
        return (char *)(uintptr_t)text;
    }
    char *names = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&names, &size);
    if (out == NULL) {
        return NULL;
    }
    (void)fputs("Workloads:\n", out);
    for (size_t i = 0; i < BENCH_WORKLOAD_COUNT; i++) {
        (void)fprintf(out, "  %-20s %s\n", BENCH_WORKLOADS[i].name, BENCH_WORKLOADS[i].title);
    }
    (void)fprintf(out, "  %-20s %s", BENCH_VALIDATION, "from the bytes of a payload to the verdict of its schema");
    (void)fclose(out);
    return names;
}

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .help_filter = help_filter,
    .doc = "Measures the plugin through the shared object, as a host does, and in the same run a plain C loop over "
           "SQLite with the same tables, indexes, rows and durability. For each size a store is filled; both work on "
           "copies of it, in a folder in $TMPDIR or /tmp that is removed afterwards: set TMPDIR to measure another "
           "disk. Validation is measured beside msgpack-c's unpack of the same bytes.\v"
           "A figure is the median of the runs; \u00b1 is half the distance between their quartiles. The ratio is that "
           "of plugin to reference, run by run. Latencies are those of single calls in all runs. SQLite has one "
           "writer: the threads are compared with the baseline's only one.\n"
           "\n"
           "Exit codes: 0 done; 1 something failed; 2 wrong usage.\n"
           "\n"
           "Example: a page, and later what has changed since:\n"
           "  polaris-host-sim bench --json --html before.html > before.json\n"
           "  polaris-host-sim bench --compare before.json",
    .children = SESSION_CHILDREN,
};

static void set_defaults(struct bench_options *bench) {
    static const uint64_t SIZES[] = {10000, 100000};
    for (uint32_t i = 0; bench->size_count == 0 && i < (bench->quick ? 1 : 2); i++) {
        bench->sizes[i] = SIZES[i];
    }
    bench->size_count = bench->size_count > 0 ? bench->size_count : bench->quick ? 1 : 2;
    if (bench->body_count == 0) {
        bench->bodies[bench->body_count++] = EVENT_BODY_SMALL;
        if (!bench->quick) {
            bench->bodies[bench->body_count++] = EVENT_BODY_LARGE;
        }
    }
}

/* ---- the run ---- */

static void show_progress(void *context, const char *what) {
    (void)context;
    (void)fprintf(stderr, "\r\033[K%s", what);
}

static bool add_files(struct scratch *scratch, struct failure *failure) {
    for (int i = 0; i < BENCH_FILE_COUNT; i++) {
        if (!scratch_add(scratch, BENCH_FILES[i], failure)) {
            return false;
        }
    }
    return true;
}

static bool run(struct session *session, struct options *options, json_t **ret_report, struct failure *failure) {
    CLEANUP(scratch_done) struct scratch scratch = {0};
    if (!scratch_init(&scratch, false, failure) || !add_files(&scratch, failure)) {
        return false;
    }
    struct bench_setup setup = {
        .host = session_host_options(session),
        .config = session->config,
        .folder = scratch.folder,
    };
    setup.host.unguarded = true;           /* the run-time check of the thread rules is for tests */
    setup.host.loader.keep_mapped = false; /* every build that stayed would count as memory */
    bool shown = isatty(STDERR_FILENO) == 1;
    options->bench.progress = shown ? show_progress : NULL;
    bool done = bench_run(&setup, &options->bench, ret_report, failure);
    if (shown) {
        (void)fputs("\r\033[K", stderr);
    }
    return done;
}

/* ---- reports ---- */

static bool read_report(const char *path, json_t **ret_report, struct failure *failure) {
    json_error_t error;
    json_auto_t *report = json_load_file(path, 0, &error);
    if (report == NULL) {
        return failure_set(failure, "%s: line %d: %s", path, error.line, error.text);
    }
    if (json_integer_value(json_object_get(report, "format")) != BENCH_FORMAT) {
        return failure_set(failure, "%s is no report of this benchmark, which bench --json prints", path);
    }
    *ret_report = json_incref(report);
    return true;
}

static bool write_page(const char *path, const json_t *report, struct failure *failure) {
    FILE *out = fopen(path, "we");
    if (out == NULL) {
        return failure_set(failure, "%s cannot be written: %s", path, strerror(errno));
    }
    bool written = report_write_html(out, report, failure);
    return (fclose(out) == 0 || failure_set(failure, "%s cannot be written", path)) && written;
}

static bool give(const struct options *options, json_t *report, const json_t *old, struct failure *failure) {
    if (options->machine != NULL &&
        json_object_set_new(json_object_get(report, "machine"), "name", json_string(options->machine)) != 0) {
        return failure_set(failure, "--machine: no UTF-8, or no memory");
    }
    if (options->html_path != NULL && !write_page(options->html_path, report, failure)) {
        return false;
    }
    if (options->json) {
        CLEANUP(freep) char *text = message_print(report);
        return (text != NULL && puts(text) >= 0) || failure_set(failure, "cannot print");
    }
    if (old != NULL) {
        report_print_comparison(stdout, old, report);
    } else {
        report_print(stdout, report);
    }
    return true;
}

int command_bench(struct session *session, int argc, char **argv) {
    struct options options = {.session = session, .bench.runs = RUNS_DEFAULT};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    set_defaults(&options.bench);
    struct failure failure;
    json_auto_t *report = NULL;
    json_auto_t *old = NULL;
    if ((options.compare_path != NULL && !read_report(options.compare_path, &old, &failure)) ||
        (options.from_path != NULL && !read_report(options.from_path, &report, &failure))) {
        return session_fail(session, EXIT_USAGE, "%s", failure.message);
    }
    if ((report == NULL && !run(session, &options, &report, &failure)) || !give(&options, report, old, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    return EXIT_OK;
}
