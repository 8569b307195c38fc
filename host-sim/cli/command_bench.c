/* command_bench.c: `bench`: how fast the plugin appends, beside a plain SQLite loop in the same run. */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "cli/command.h"
#include "cli/scratch.h"
#include "message/message.h"
#include "owned.h"

enum { OPTION_JSON = 0x4000, OPTION_RUNS, OPTION_QUICK, RUNS_DEFAULT = 5, QUICK_DIVISOR = 10 };

static const struct bench_workload WORKLOADS[] = {
    {"single append, one caller", 1, 1, 2000},
    {"1,000 events a request", 1000, 1, 100000},
    {"single append, 64 callers", 1, 64, 16000},
};
enum { WORKLOAD_COUNT = sizeof WORKLOADS / sizeof WORKLOADS[0] };

struct options {
    struct session *session;
    uint32_t runs;
    bool quick;
    bool json;
};

struct figures {
    struct bench_series plugin[WORKLOAD_COUNT];
    struct bench_series baseline[WORKLOAD_COUNT];
};

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->session;
        return 0;
    case OPTION_RUNS:
        options->runs = (uint32_t)option_number(state, "--runs", argument, 1, BENCH_RUNS_MAX);
        return 0;
    case OPTION_QUICK:
        options->quick = true;
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
    {"quick", OPTION_QUICK, 0, 0, "A tenth of the events", 0},
    {"json", OPTION_JSON, 0, 0, "One JSON object; default: a table", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .doc = "Measures appends of events of about 200 bytes with one tag each through the plugin, at full durability, "
           "and in "
           "the same run a plain C loop over SQLite with the same tables, indexes, rows and durability. Both work in a "
           "folder in $TMPDIR or /tmp that is removed afterwards: set TMPDIR to measure another disk.\v"
           "The spread is half the distance between the quartiles of the runs. The 64 callers are compared with the "
           "baseline's one: SQLite has one writer.\n"
           "\n"
           "Exit codes: 0 done; 1 something failed; 2 wrong usage.\n"
           "\n"
           "Example: TMPDIR=/var/tmp polaris-host-sim bench --runs 9",
    .children = SESSION_CHILDREN,
};

/* Plugin and baseline take turns, so that what else the machine does hits both. */
static bool measure(struct host *host, struct baseline *baseline, const struct options *options,
                    struct figures *figures, struct failure *failure) {
    uint64_t first = 0;
    for (uint32_t run = 0; run < options->runs; run++) {
        for (int i = 0; i < WORKLOAD_COUNT; i++) {
            struct bench_workload workload = WORKLOADS[i];
            workload.events /= options->quick ? QUICK_DIVISOR : 1;
            if (!bench_plugin(host, &workload, first, &figures->plugin[i], failure) ||
                !bench_baseline(baseline, &workload, first, &figures->baseline[i], failure)) {
                return false;
            }
            first += workload.events;
        }
    }
    return true;
}

static double ratio(const struct figures *figures, int i) {
    double baseline = bench_median(&figures->baseline[i]);
    return baseline > 0 ? bench_median(&figures->plugin[i]) / baseline : 0;
}

static bool print_json(const struct figures *figures, const struct options *options) {
    json_auto_t *workloads = json_array();
    for (int i = 0; i < WORKLOAD_COUNT; i++) {
        json_t *entry = json_pack("{s: s, s: f, s: f, s: f, s: f, s: f}", "workload", WORKLOADS[i].name, "plugin",
                                  bench_median(&figures->plugin[i]), "plugin_spread", bench_spread(&figures->plugin[i]),
                                  "baseline", bench_median(&figures->baseline[i]), "baseline_spread",
                                  bench_spread(&figures->baseline[i]), "ratio", ratio(figures, i));
        if (json_array_append_new(workloads, entry) != 0) {
            return false;
        }
    }
    json_auto_t *object = json_pack("{s: i, s: O}", "runs", (int)options->runs, "workloads", workloads);
    CLEANUP(freep) char *text = object != NULL ? message_print(object) : NULL;
    return text != NULL && puts(text) >= 0;
}

static void print_table(const struct figures *figures) {
    (void)printf("%-26s %12s %7s %12s %7s %7s\n", "events per second", "plugin", "spread", "bare SQLite", "spread",
                 "ratio");
    for (int i = 0; i < WORKLOAD_COUNT; i++) {
        (void)printf("%-26s %12.0f %6.0f%% %12.0f %6.0f%% %7.2f\n", WORKLOADS[i].name,
                     bench_median(&figures->plugin[i]), 100 * bench_spread(&figures->plugin[i]),
                     bench_median(&figures->baseline[i]), 100 * bench_spread(&figures->baseline[i]), ratio(figures, i));
    }
}

int command_bench(struct session *session, int argc, char **argv) {
    struct options options = {.session = session, .runs = RUNS_DEFAULT};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    struct failure failure;
    struct figures figures = {0};
    CLEANUP(scratch_done) struct scratch scratch = {0};
    if (!scratch_init(&scratch, false, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    session->db_path = scratch.db_path;
    char baseline_path[sizeof scratch.db_path + 16];
    (void)snprintf(baseline_path, sizeof baseline_path, "%s-baseline", scratch.db_path);
    CLEANUP(session_closep) struct host *host = NULL;
    int code = session_open(session, SESSION_WRITE, &host, NULL);
    if (code != EXIT_OK) {
        return code;
    }
    CLEANUP(baseline_freep) struct baseline *baseline = NULL;
    if (!baseline_open(baseline_path, scratch.db_path, &baseline, &failure) ||
        !measure(host, baseline, &options, &figures, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    if (options.json) {
        return print_json(&figures, &options) ? EXIT_OK : session_fail(session, EXIT_ERROR, "cannot print");
    }
    print_table(&figures);
    return EXIT_OK;
}
