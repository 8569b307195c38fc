/* command_swap.c: `swap`: swaps builds of the plugin under generated load, and proves that nothing was lost or doubled.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/load.h"
#include "cli/scratch.h"
#include "cli/watchdog.h"
#include "demo/page.h"
#include "message/message.h"
#include "owned.h"

enum {
    OPTION_THREADS = 0x3000,
    OPTION_ROUNDS,
    OPTION_EVENTS,
    OPTION_JSON,
    OPTION_LIMIT,
    BUILDS_MAX = 64,
    ROUNDS_MAX = 10000,
    ROWS_SHOWN = 20
};

struct options {
    struct session *session;
    const char *builds[BUILDS_MAX];
    size_t build_count;
    int64_t threads, rounds, events, limit_s;
    bool json;
    struct scratch scratch; /* of the store; none with --db */
};

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->session;
        return 0;
    case OPTION_THREADS:
        options->threads = option_number(state, "--threads", argument, 1, LOAD_THREADS_MAX);
        return 0;
    case OPTION_ROUNDS:
        options->rounds = option_number(state, "--rounds", argument, 1, ROUNDS_MAX);
        return 0;
    case OPTION_EVENTS:
        options->events = option_number(state, "--events", argument, 1, 1000000);
        return 0;
    case OPTION_LIMIT:
        options->limit_s = option_number(state, "--limit", argument, 1, 3600);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->build_count == BUILDS_MAX) {
            argp_error(state, "takes %d builds at most", (int)BUILDS_MAX);
        }
        options->builds[options->build_count++] = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which build is to be swapped in?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Swap:", 1},
    {"rounds", OPTION_ROUNDS, "N", 0, "Go through the builds N times; default: 1", 0},
    {"threads", OPTION_THREADS, "N", 0, "Threads that append; default: 4", 0},
    {"events", OPTION_EVENTS, "N", 0, "Events appended before each swap, and after the last; default: 200", 0},
    {"limit", OPTION_LIMIT, "SECONDS", 0, "A call of a plugin that takes longer hangs, and ends this; default: 60", 0},
    {"json", OPTION_JSON, 0, 0, "One JSON object; default: a page for people", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .args_doc = "PLUGIN...",
    .doc =
        "Opens a store with the plugin of --plugin, lets threads append events and a reader follow them, and swaps "
        "each "
        "PLUGIN in while they go on. Then reads the store, and checks that every acknowledged event is there once, "
        "under its id and key and in order, that nothing else is, and that no call failed.\v"
        "The store is a file in a new folder, which is removed at the end; with --db it is that file, and the events "
        "(of type " LOAD_TYPE ") stay in it.\n"
        "\n"
        "Exit codes: 0 all of it holds, and every build was taken; 1 something does not, or a build hangs; 2 wrong "
        "usage.\n"
        "\n"
        "Example: there and back five times:\n"
        "  polaris-host-sim swap --rounds 5 ./new.so ./polaris-event-store.so",
    .children = SESSION_CHILDREN,
};

/* The swaps of a run. */
struct swaps {
    struct swap_report *reports;
    size_t count, refused;
    struct failure first_refusal;
    size_t first_refused; /* which of the reports */
};

static void swaps_done(struct swaps *swaps) {
    free(swaps->reports);
}

/* Swaps one build after the other, letting the load go on between them. */
static bool swap_all(const struct options *options, struct host *host, struct load *load, struct swaps *swaps) {
    for (int64_t round = 0; round < options->rounds; round++) {
        for (size_t i = 0; i < options->build_count; i++) {
            if (!load_wait(load, (uint64_t)options->events)) {
                return false;
            }
            struct failure failure;
            if (!host_swap(host, options->builds[i], &swaps->reports[swaps->count], &failure) &&
                swaps->refused++ == 0) {
                swaps->first_refusal = failure;
                swaps->first_refused = swaps->count;
            }
            swaps->count++;
        }
    }
    return load_wait(load, (uint64_t)options->events);
}

static int compare_pauses(const void *left, const void *right) {
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* Median, 90 % and the longest of the pauses of the swaps that were done. False: no memory. */
static bool summarize_pauses(const struct swaps *swaps, int64_t ret_us[3]) {
    int64_t *pauses = calloc(swaps->count + 1, sizeof *pauses);
    if (pauses == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < swaps->count; i++) {
        if (swaps->reports[i].swapped) {
            pauses[count++] = swaps->reports[i].pause_us;
        }
    }
    qsort(pauses, count, sizeof *pauses, compare_pauses);
    static const double PARTS[] = {0.5, 0.9, 1};
    for (size_t i = 0; i < 3; i++) {
        ret_us[i] = count > 0 ? pauses[(size_t)(PARTS[i] * (double)(count - 1))] : 0;
    }
    free(pauses);
    return true;
}

/* ---- For people -------------------------------------------------------------------------------------------------- */

static void show_swaps(struct page *page, const struct swaps *swaps) {
    struct table table = {.titles = {"build", ">load", ">drain", ">shut down", ">start", ">calls paused"}};
    for (size_t i = 0; i < swaps->count && i < ROWS_SHOWN; i++) {
        const struct swap_report *report = &swaps->reports[i];
        table_row(&table, report->swapped ? show_build(report->to) : "(refused)", show_duration(report->load_us),
                  show_duration(report->drain_us), show_duration(report->shutdown_us), show_duration(report->init_us),
                  show_duration(report->pause_us));
    }
    page_table(page, &table);
    if (swaps->count > ROWS_SHOWN) {
        page_text(page, "... and %zu more.", swaps->count - ROWS_SHOWN);
    }
}

static void show_result(struct page *page, const struct options *options, const struct swaps *swaps,
                        const struct load_result *result, const int64_t pauses_us[3]) {
    int64_t elapsed_us = result->elapsed_us > 0 ? result->elapsed_us : 1;
    page_section(page, "Swaps");
    show_swaps(page, swaps);
    page_section(page, "Calls");
    page_figure(page, "events appended", show_count(result->acknowledged), "from %lld threads, in %s: %s",
                (long long)options->threads, show_duration(result->elapsed_us),
                show_rate((double)result->acknowledged * 1e6 / (double)elapsed_us));
    page_figure(page, "a call took, in the middle", show_duration(result->call_us[0]),
                "90 %%: %s, 99 %%: %s, 99.9 %%: %s", show_duration(result->call_us[1]),
                show_duration(result->call_us[2]), show_duration(result->call_us[3]));
    page_figure(page, "the longest call", show_duration(result->call_us[4]), "%s", "");
    page_figure(page, "a swap paused calls for", show_duration(pauses_us[0]),
                "in the middle; 90 %%: %s, the longest: %s", show_duration(pauses_us[1]), show_duration(pauses_us[2]));
    page_section(page, "Proof");
    if (swaps->refused > 0) {
        (void)page_failure(page, "%zu of %zu swaps were refused, the first one of %s: %s", swaps->refused, swaps->count,
                           options->builds[swaps->first_refused % options->build_count], swaps->first_refusal.message);
    } else {
        (void)page_claim(page, true, "all %zu swaps were done", swaps->count);
    }
    (void)page_claim(page, result->failed_calls == 0, "no call failed%s%s", result->failed_calls > 0 ? ": " : "",
                     result->first_failure);
    (void)page_claim(page, result->missing == 0, "every acknowledged event is there, under its id and key (%s missing)",
                     show_count(result->missing));
    (void)page_claim(page, result->doubled == 0 && result->stored == result->acknowledged,
                     "each is there once, and nothing else is (%s in the store)", show_count(result->stored));
    (void)page_claim(page, result->disorder == 0, "ids grow in the order of each thread's appends");
    (void)page_claim(page, result->followed == result->stored, "the reader that followed saw each once, in order");
}

/* ---- For programs ------------------------------------------------------------------------------------------------ */

static json_t *swaps_json(const struct swaps *swaps) {
    json_t *array = json_array();
    for (size_t i = 0; i < swaps->count; i++) {
        const struct swap_report *report = &swaps->reports[i];
        json_t *one = json_pack("{s: b, s: s, s: s, s: I, s: I, s: I, s: I, s: I, s: I}", "swapped", report->swapped,
                                "from", report->from, "to", report->to, "load_us", (json_int_t)report->load_us,
                                "drain_us", (json_int_t)report->drain_us, "shutdown_us",
                                (json_int_t)report->shutdown_us, "init_us", (json_int_t)report->init_us, "pause_us",
                                (json_int_t)report->pause_us, "waited_calls", (json_int_t)report->waited_calls);
        if (json_array_append_new(array, one) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static bool print_json(const struct swaps *swaps, const struct load_result *result, const int64_t pauses_us[3],
                       bool holds) {
    const int64_t *call_us = result->call_us;
    json_auto_t *object = json_pack(
        "{s: b, s: o, s: s*, s: I, s: I, s: I, s: I, s: I, s: I, s: I, s: I, s: {s: I, s: I, s: I, s: I, s: I},"
        " s: {s: I, s: I, s: I}}",
        "holds", holds, "swaps", swaps_json(swaps), "refusal", swaps->refused > 0 ? swaps->first_refusal.message : NULL,
        "acknowledged", (json_int_t)result->acknowledged, "stored", (json_int_t)result->stored, "failed_calls",
        (json_int_t)result->failed_calls, "missing", (json_int_t)result->missing, "doubled",
        (json_int_t)result->doubled, "disorder", (json_int_t)result->disorder, "followed", (json_int_t)result->followed,
        "elapsed_us", (json_int_t)result->elapsed_us, "call_us", "p50", (json_int_t)call_us[0], "p90",
        (json_int_t)call_us[1], "p99", (json_int_t)call_us[2], "p999", (json_int_t)call_us[3], "max",
        (json_int_t)call_us[4], "pause_us", "p50", (json_int_t)pauses_us[0], "p90", (json_int_t)pauses_us[1], "max",
        (json_int_t)pauses_us[2]);
    CLEANUP(freep) char *text = object != NULL ? message_print(object) : NULL;
    return text != NULL && puts(text) >= 0;
}

/* ---- The run ----------------------------------------------------------------------------------------------------- */

static int run(struct session *session, const struct options *options) {
    CLEANUP(session_closep) struct host *host = NULL;
    int code = session_open(session, SESSION_WRITE, &host, NULL);
    if (code != EXIT_OK) {
        return code;
    }
    CLEANUP(swaps_done) struct swaps swaps = {0};
    swaps.reports = calloc((size_t)options->rounds * options->build_count, sizeof *swaps.reports);
    CLEANUP(load_freep) struct load *load = NULL;
    struct load_result result;
    struct failure failure;
    int64_t pauses_us[3] = {0};
    if (swaps.reports == NULL) {
        return session_fail(session, EXIT_ERROR, "no memory");
    }
    if (!load_start(host, (size_t)options->threads, &load, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    bool went_on = swap_all(options, host, load, &swaps);
    if (!load_finish(load, &result, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s%s%s", result.first_failure,
                            result.first_failure[0] != '\0' ? "; then " : "", failure.message);
    }
    if (!summarize_pauses(&swaps, pauses_us)) {
        return session_fail(session, EXIT_ERROR, "no memory");
    }
    bool holds = went_on && swaps.refused == 0 && load_holds(&result);
    if (options->json) {
        if (!print_json(&swaps, &result, pauses_us, holds)) {
            return session_fail(session, EXIT_ERROR, "cannot print");
        }
    } else {
        struct page page;
        page_start(&page, stdout);
        show_result(&page, options, &swaps, &result, pauses_us);
        (void)putchar('\n');
    }
    return holds ? EXIT_OK : EXIT_ERROR;
}

/* On the watchdog's thread: what hangs can be left in no other way. */
static void end_hanging(void *context, const struct calls_entry *call) {
    struct options *options = context;
    (void)session_fail(options->session, EXIT_ERROR, "'%s' of the build '%s' hangs: it has not returned for %lld s",
                       call->verb, call->build, (long long)options->limit_s);
    scratch_done(&options->scratch);
    _exit(EXIT_ERROR);
}

static void options_done(struct options *options) {
    scratch_done(&options->scratch);
}

int command_swap(struct session *session, int argc, char **argv) {
    static struct calls_now calls = CALLS_NONE;
    CLEANUP(options_done)
    struct options options = {.session = session, .threads = 4, .rounds = 1, .events = 200, .limit_s = 60};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    struct failure failure;
    if (!session->db_given) {
        if (!scratch_init(&options.scratch, false, &failure)) {
            return session_fail(session, EXIT_USAGE, "%s", failure.message);
        }
        session->db_path = options.scratch.db_path;
    }
    session->calls = &calls;
    CLEANUP(watchdog_done)
    struct watchdog watchdog = {
        .calls = &calls, .limit_us = options.limit_s * 1000000, .hangs = end_hanging, .context = &options};
    if (!watchdog_start(&watchdog, &failure)) {
        return session_fail(session, EXIT_ERROR, "%s", failure.message);
    }
    return run(session, &options);
}
