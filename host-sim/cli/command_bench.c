/* command_bench.c: `bench`: how fast the plugin appends, beside a plain SQLite loop in the same run, and how fast it
 * validates, beside msgpack-c. */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/validation.h"
#include "cli/command.h"
#include "cli/scratch.h"
#include "message/message.h"
#include "owned.h"

enum { OPTION_JSON = 0x4000, OPTION_RUNS, OPTION_QUICK, OPTION_VALIDATION, RUNS_DEFAULT = 5, QUICK_DIVISOR = 10 };

/* Payloads of one run of each validation, in bytes. */
static const uint64_t VALIDATION_BYTES = 20000000;

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
    bool validation_only;
};

struct figures {
    struct bench_series plugin[WORKLOAD_COUNT];
    struct bench_series baseline[WORKLOAD_COUNT];
    struct validation_figures validation[VALIDATION_CASE_COUNT];
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
    case OPTION_VALIDATION:
        options->validation_only = true;
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
    {"validation", OPTION_VALIDATION, 0, 0, "Measure validation only", 0},
    {"json", OPTION_JSON, 0, 0, "One JSON object; default: tables", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .doc = "Measures appends of events of about 200 bytes with one tag each through the plugin, at full durability, "
           "and in the same run a plain C loop over SQLite with the same tables, indexes, rows and durability. Both "
           "work in a folder in $TMPDIR or /tmp that is removed afterwards: set TMPDIR to measure another disk. Then "
           "it measures validation: five payloads, from 100 bytes to 4 KiB, against schemas; the plugin's pass over "
           "the bytes (tape), the evaluation, and both, from the bytes to the verdict, beside msgpack-c's unpack of "
           "the same bytes in the same run.\v"
           "The spread is half the distance between the quartiles of the runs; that of a validation is the spread of "
           "its ratio, which is both to msgpack-c. The 64 callers are compared with the baseline's one: SQLite has one "
           "writer.\n"
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

static bool measure_validation(struct host *host, const struct options *options, struct figures *figures,
                               struct failure *failure) {
    uint64_t bytes = VALIDATION_BYTES / (options->quick ? QUICK_DIVISOR : 1);
    for (uint32_t run = 0; run < options->runs; run++) {
        for (int i = 0; i < VALIDATION_CASE_COUNT; i++) {
            if (!validation_measure(host, &VALIDATION_CASES[i], bytes, &figures->validation[i], failure)) {
                return false;
            }
        }
    }
    return true;
}

static double ratio(const struct figures *figures, int i) {
    double baseline = bench_median(&figures->baseline[i]);
    return baseline > 0 ? bench_median(&figures->plugin[i]) / baseline : 0;
}

static json_t *workloads_json(const struct figures *figures) {
    json_auto_t *workloads = json_array();
    for (int i = 0; i < WORKLOAD_COUNT; i++) {
        json_t *entry = json_pack("{s: s, s: f, s: f, s: f, s: f, s: f}", "workload", WORKLOADS[i].name, "plugin",
                                  bench_median(&figures->plugin[i]), "plugin_spread", bench_spread(&figures->plugin[i]),
                                  "baseline", bench_median(&figures->baseline[i]), "baseline_spread",
                                  bench_spread(&figures->baseline[i]), "ratio", ratio(figures, i));
        if (json_array_append_new(workloads, entry) != 0) {
            return NULL;
        }
    }
    return json_incref(workloads);
}

/* Bytes in a nanosecond are thousands of megabytes in a second. */
static double tape_mb_s(const struct validation_figures *figures) {
    double ns = bench_median(&figures->tape_ns);
    return ns > 0 ? 1000 * (double)figures->size / ns : 0;
}

static json_t *validation_json(const struct figures *figures) {
    json_auto_t *cases = json_array();
    for (int i = 0; i < VALIDATION_CASE_COUNT; i++) {
        const struct validation_figures *each = &figures->validation[i];
        json_t *entry = json_pack(
            "{s: s, s: I, s: f, s: f, s: f, s: f, s: f, s: f, s: f}", "payload", VALIDATION_CASES[i].name, "bytes",
            (json_int_t)each->size, "tape_ns", bench_median(&each->tape_ns), "tape_mb_s", tape_mb_s(each),
            "evaluate_ns", bench_median(&each->evaluate_ns), "both_ns", bench_median(&each->both_ns), "msgpack_c_ns",
            bench_median(&each->unpack_ns), "ratio", bench_median(&each->ratio), "spread", bench_spread(&each->ratio));
        if (json_array_append_new(cases, entry) != 0) {
            return NULL;
        }
    }
    return json_incref(cases);
}

static bool print_json(const struct figures *figures, const struct options *options) {
    json_auto_t *object =
        json_pack("{s: i, s: o*, s: o}", "runs", (int)options->runs, "workloads",
                  options->validation_only ? NULL : workloads_json(figures), "validation", validation_json(figures));
    CLEANUP(freep) char *text = object != NULL ? message_print(object) : NULL;
    return text != NULL && puts(text) >= 0;
}

static void print_workloads(const struct figures *figures) {
    (void)printf("%-26s %12s %7s %12s %7s %7s\n", "events per second", "plugin", "spread", "bare SQLite", "spread",
                 "ratio");
    for (int i = 0; i < WORKLOAD_COUNT; i++) {
        (void)printf("%-26s %12.0f %6.0f%% %12.0f %6.0f%% %7.2f\n", WORKLOADS[i].name,
                     bench_median(&figures->plugin[i]), 100 * bench_spread(&figures->plugin[i]),
                     bench_median(&figures->baseline[i]), 100 * bench_spread(&figures->baseline[i]), ratio(figures, i));
    }
    (void)putchar('\n');
}

static void print_validation(const struct figures *figures) {
    (void)printf("%-20s %6s %8s %10s %14s %8s %13s %6s %7s\n", "validation", "bytes", "tape ns", "tape MB/s",
                 "evaluation ns", "both ns", "msgpack-c ns", "ratio", "spread");
    for (int i = 0; i < VALIDATION_CASE_COUNT; i++) {
        const struct validation_figures *each = &figures->validation[i];
        (void)printf("%-20s %6zu %8.0f %10.0f %14.0f %8.0f %13.0f %6.2f %6.0f%%\n", VALIDATION_CASES[i].name,
                     each->size, bench_median(&each->tape_ns), tape_mb_s(each), bench_median(&each->evaluate_ns),
                     bench_median(&each->both_ns), bench_median(&each->unpack_ns), bench_median(&each->ratio),
                     100 * bench_spread(&each->ratio));
    }
}

/* The appends, in stores that are made for them: `store_path` is the plugin's. */
static bool measure_appends(struct host *host, const char *store_path, const struct options *options,
                            struct figures *figures, struct failure *failure) {
    char path[sizeof((struct scratch *)0)->db_path + 16];
    (void)snprintf(path, sizeof path, "%s-baseline", store_path);
    CLEANUP(baseline_freep) struct baseline *baseline = NULL;
    return baseline_open(path, store_path, &baseline, failure) && measure(host, baseline, options, figures, failure);
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
    CLEANUP(session_closep) struct host *host = NULL;
    int code = session_open(session, SESSION_WRITE, &host, NULL);
    if (code != EXIT_OK) {
        return code;
    }
    if ((!options.validation_only && !measure_appends(host, scratch.db_path, &options, &figures, &failure)) ||
        !measure_validation(host, &options, &figures, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    if (options.json) {
        return print_json(&figures, &options) ? EXIT_OK : session_fail(session, EXIT_ERROR, "cannot print");
    }
    if (!options.validation_only) {
        print_workloads(&figures);
    }
    print_validation(&figures);
    return EXIT_OK;
}
