/* command_torture.c: `torture`: kills, power cuts, faults of the disk and swaps, for as long as wanted, on any build.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/torture_tell.h"
#include "message/message.h"
#include "owned.h"
#include "signals.h"

enum { OPTION_WITH = 0x4000, OPTION_SECONDS, OPTION_ROUNDS, OPTION_SEED, OPTION_ROUND, OPTION_TRIES, OPTION_ONLY };
enum { OPTION_LOSE_SYNCS = OPTION_ONLY + 1, OPTION_LIMIT, OPTION_JSON, SECONDS_DEFAULT = 60 };

struct options {
    struct session *session;
    struct torture_options how;
    bool json, bounded;
};

static volatile sig_atomic_t stop; /* the signal that came, or 0 */

static void parse_only(struct options *options, char *argument, const struct argp_state *state) {
    options->how.kinds = 0;
    for (char *word = strtok(argument, ","); word != NULL; word = strtok(NULL, ",")) {
        unsigned kind = torture_kind_from_name(word);
        if (kind == 0) {
            argp_error(state, "--only knows kill, power, fault and swap, not '%s'", word);
        }
        options->how.kinds |= kind;
    }
    if (options->how.kinds == 0) {
        argp_error(state, "--only names at least one of kill, power, fault and swap");
    }
}

static void check_together(const struct torture_options *how, const struct argp_state *state) {
    if (how->tries > 0 && how->round < 0) {
        argp_error(state, "--tries is for --round");
    }
    if (how->rounds > 0 && how->round >= 0) {
        argp_error(state, "--rounds and --round do not go together");
    }
    if (how->lose_syncs && (how->kinds & TORTURE_POWER) == 0) {
        argp_error(state, "--lose-syncs is for power cuts, and --only leaves them out");
    }
}

static error_t parse_number(int key, const char *argument, const struct argp_state *state, struct options *options) {
    struct torture_options *how = &options->how;
    switch (key) {
    case OPTION_SECONDS:
        how->seconds = option_number(state, "--seconds", argument, 0, INT32_MAX);
        options->bounded = true;
        return 0;
    case OPTION_ROUNDS:
        how->rounds = option_number(state, "--rounds", argument, 1, INT32_MAX);
        options->bounded = true;
        return 0;
    case OPTION_SEED:
        how->seed = (uint64_t)option_number(state, "--seed", argument, 0, INT64_MAX);
        return 0;
    case OPTION_ROUND:
        how->round = option_number(state, "--round", argument, 0, INT32_MAX - 1);
        options->bounded = true;
        return 0;
    case OPTION_TRIES:
        how->tries = option_number(state, "--tries", argument, 1, INT32_MAX);
        return 0;
    case OPTION_LIMIT:
        how->limit_ms = option_number(state, "--limit", argument, 1, 3600) * 1000;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *argument, struct argp_state *state) {
    struct options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options->session;
        return 0;
    case OPTION_WITH:
        options->how.other_path = argument;
        return 0;
    case OPTION_ONLY:
        parse_only(options, argument, state);
        return 0;
    case OPTION_LOSE_SYNCS:
        options->how.lose_syncs = true;
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->how.plugin_path != NULL) {
            argp_error(state, "takes one build, not '%s' as well; --with names the one to swap to", argument);
        }
        options->how.plugin_path = argument;
        return 0;
    case ARGP_KEY_END:
        check_together(&options->how, state);
        return 0;
    default:
        return parse_number(key, argument, state, options);
    }
}

static const struct argp_option OPTIONS[] = {
    {0, 0, 0, 0, "Torture:", 1},
    {"with", OPTION_WITH, "PLUGIN", 0, "The build that is swapped to and fro; default: a second copy of the first", 0},
    {"seconds", OPTION_SECONDS, "N", 0, "How long; 0: until Ctrl-C; default: 60", 0},
    {"rounds", OPTION_ROUNDS, "N", 0, "Or how many rounds", 0},
    {"seed", OPTION_SEED, "S", 0, "What all rounds follow from; default: another one each time", 0},
    {"round", OPTION_ROUND, "R", 0, "This round only, and those that its store lived through before", 0},
    {"tries", OPTION_TRIES, "N", 0, "With --round: again, until something is found, so many times; default: 1", 0},
    {"only", OPTION_ONLY, "KIND[,KIND]", 0, "Of kill, power, fault and swap; default: all", 0},
    {"lose-syncs", OPTION_LOSE_SYNCS, 0, 0,
     "The disk claims to sync, and does not: power cuts must then be found to lose something", 0},
    {"limit", OPTION_LIMIT, "SECONDS", 0, "What says nothing for longer hangs; default: 60", 0},
    {"json", OPTION_JSON, 0, 0, "One JSON object at the end; default: for people", 0},
    {0},
};

static const struct argp ARGP = {
    .options = OPTIONS,
    .parser = parse_option,
    .args_doc = "[PLUGIN]",
    .doc =
        "Works on stores with a build of the plugin, by whomever, and ends it badly, again and again: killed, its "
        "power "
        "cut, calls of its file system failing, builds swapped under load. After each round the store is opened and "
        "held against what was acknowledged. PLUGIN is a shared object; default: that of --plugin.\v"
        "A store lives through eight rounds. In a round single appends, batches, submitted requests, dead letters, "
        "schemas and a reader go on at once, in many threads or, in every other store, in one that takes a step after "
        "the other. Then the store must have all that was acknowledged, nothing twice, ids that grow, batches that are "
        "whole or open, and schemas and dead letters in the states that were told. A call that failed for the disk "
        "must say so, and must have changed nothing.\n"
        "\n"
        "What a round does follows from the seed and its number. With one thread a power cut, a fault or a kill comes "
        "at the same call again, and a replay is exact but for threads that the build itself has; with many threads "
        "the plan is the same, and the moment is not: --tries repeats it. Power cuts and faults come from a layer "
        "below SQLite, and need a build that uses the system's shared one.\n"
        "\n"
        "Stores lie in $TMPDIR or /tmp; that of a finding is kept; after ten findings the run ends. --db and --config "
        "are not used. Ctrl-C, SIGTERM and SIGHUP end a run in good order: it says what was found until then, and ends "
        "by the signal, unless it was to go on until Ctrl-C. Exit codes: 0 nothing was found; 1 something was; 2 wrong "
        "usage, a build that cannot be loaded or opens no store, or a run that could not go on and had found nothing.\n"
        "\n"
        "Example: a night with a new build, swapped with the one in use:\n"
        "  polaris-host-sim torture ./new.so --with ./old.so --seconds 30000",
    .children = SESSION_CHILDREN,
};

static void note_signal(int number) {
    stop = number;
}

static void torture_closep(struct torture_run **run) {
    torture_close(*run);
}

static bool print_json(const struct torture_teller *teller, const struct torture_counts *counts) {
    json_auto_t *json = torture_json(teller, counts);
    CLEANUP(freep) char *text = json != NULL ? message_print(json) : NULL;
    return text != NULL && puts(text) >= 0 && fflush(stdout) == 0;
}

/* The exit code. */
static int tell(const struct options *options, struct torture_teller *teller, const struct torture_counts *counts) {
    torture_tell_clear(teller);
    if (!options->json) {
        torture_tell_sum(teller, counts);
    } else if (!print_json(teller, counts)) {
        return session_fail(options->session, EXIT_ERROR, "cannot print the results");
    }
    return counts->findings == 0 ? EXIT_OK : EXIT_ERROR;
}

/* Whoever wanted an end of the run by itself got another one: *ret_signal. */
static int run(struct options *options, int *ret_signal) {
    static struct torture_teller teller;
    struct session *session = options->session;
    struct torture_counts counts = {0};
    struct failure failure;
    CLEANUP(torture_closep) struct torture_run *torture = NULL;
    options->how.told = torture_told;
    options->how.context = &teller;
    teller.options = &options->how;
    teller.silent = options->json;
    if (!torture_open(&options->how, &torture, &failure)) {
        *ret_signal = stop;
        return session_fail(session, EXIT_USAGE, "%s", failure.message);
    }
    teller.setting = torture_setting(torture);
    torture_tell_begin(&teller);
    bool made = torture_go(torture, &counts, &failure);
    int code = tell(options, &teller, &counts);
    torture_tell_end(&teller, &counts);
    if (!made) { /* of the host, and not of the build: what was found until then stands */
        return session_fail(session, counts.findings > 0 ? EXIT_ERROR : EXIT_USAGE, "%s", failure.message);
    }
    *ret_signal = counts.cut_short && torture_is_bounded(&options->how) ? stop : 0;
    return code;
}

int command_torture(struct session *session, int argc, char **argv) {
    struct options options = {.session = session};
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    options.how = (struct torture_options){.seed = (uint64_t)now.tv_sec % 1000000,
                                           .kinds = TORTURE_ALL,
                                           .round = -1,
                                           .stop = &stop,
                                           .limit_ms = TORTURE_LIMIT_MS};
    (void)argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    options.how.loader.allow_unsafe = session->allow_unsafe;
    options.how.plugin_path = options.how.plugin_path != NULL ? options.how.plugin_path : session->plugin_path;
    options.how.tries = options.how.tries > 0 ? options.how.tries : 1;
    options.how.seconds = options.bounded ? options.how.seconds : SECONDS_DEFAULT;
    struct signals signals;
    int number = 0;
    signals_catch(&signals, note_signal, true); /* the second one ends the program */
    int code = run(&options, &number);
    signals_restore(&signals);
    if (number != 0) {
        (void)fflush(stdout);
        (void)raise(number); /* so that the shell sees what ended the program */
    }
    return code;
}
