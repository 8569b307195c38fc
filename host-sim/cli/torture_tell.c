/* torture_tell.c: a line that changes on a terminal, lines now and then elsewhere, findings, and the sum. */
#include "cli/torture_tell.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "check/report.h"
#include "cli/command.h"
#include "cli/terminal.h"

enum { LINE_SIZE = 512, COMMAND_SIZE = 16384, LIVE_US = 100000, PLAIN_US = 10000000, TRIES = 20 };

static const struct {
    unsigned kind;
    const char *name;
} KINDS[] = {{TORTURE_KILL, "kill"}, {TORTURE_POWER, "power"}, {TORTURE_FAULT, "fault"}, {TORTURE_SWAP, "swap"}};
enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0] };

static const char *const FAULTS[FAULT_KINDS] = {[FAULT_IO] = "io", [FAULT_FULL] = "full", [FAULT_BUSY] = "busy"};

unsigned torture_kind_from_name(const char *name) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (strcmp(KINDS[i].name, name) == 0) {
            return KINDS[i].kind;
        }
    }
    return 0;
}

static void put_kinds(char *text, size_t size, unsigned kinds) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if ((kinds & KINDS[i].kind) != 0) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? "," : "", KINDS[i].name);
        }
    }
}

/* ---- the command that makes it again ----------------------------------------------------------------------------- */

/* For a shell. */
static void put_word(FILE *out, const char *word) {
    if (word[0] != '\0' &&
        word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+:=@,-")] == '\0') {
        (void)fputs(word, out);
        return;
    }
    (void)fputc('\'', out);
    for (; *word != '\0'; word++) {
        (void)fputs(*word == '\'' ? "'\\''" : (const char[]){*word, '\0'}, out);
    }
    (void)fputc('\'', out);
}

static void put_path(FILE *out, const char *path) {
    char whole[PATH_MAX];
    put_word(out, realpath(path, whole) != NULL ? whole : path);
}

static void put_command(FILE *out, const struct torture_options *options, const struct torture_finding *finding) {
    char kinds[64];
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = '\0';
    put_word(out, length > 0 ? program : PROGRAM);
    (void)fputs(" torture ", out);
    put_path(out, options->plugin_path);
    if (options->other_path != NULL) {
        (void)fputs(" --with ", out);
        put_path(out, options->other_path);
    }
    put_kinds(kinds, sizeof kinds, options->kinds);
    (void)fprintf(out, " --seed %" PRIu64 " --round %d", options->seed, finding->round);
    if (options->kinds != TORTURE_ALL) {
        (void)fprintf(out, " --only %s", kinds);
    }
    (void)fprintf(out, " --tries %d", TRIES); /* threads that the build has itself come into each round */
    if (options->limit_ms != TORTURE_LIMIT_MS) {
        (void)fprintf(out, " --limit %" PRId64, options->limit_ms / 1000);
    }
    (void)fputs(options->lose_syncs ? " --lose-syncs" : "", out);
    (void)fputs(options->loader.allow_unsafe ? " --allow-unsafe" : "", out);
}

static const char *replay_words(const struct torture_finding *finding) {
    return finding->alone ? "one thread made it: again it is the same, but for threads that the build itself has"
                          : "many threads made it: again the plan is the same, and the moments are not";
}

/* ---- while it goes on -------------------------------------------------------------------------------------------- */

/* What a build says of itself is its own. */
static void put_build(FILE *out, const char *before, const struct torture_build *build) {
    (void)fputs(before, out);
    (void)terminal_print(out, build->name, 0);
    (void)fputc(' ', out);
    (void)terminal_print(out, build->version, 0);
    (void)fprintf(out, ", ABI %u.%u, build ", build->major, build->minor);
    (void)terminal_print(out, build->build_id, 0);
    (void)fputc('\n', out);
}

void torture_tell_begin(struct torture_teller *teller) {
    const struct torture_setting *setting = teller->setting;
    char kinds[64];
    teller->is_terminal = isatty(STDERR_FILENO) == 1;
    put_kinds(kinds, sizeof kinds, setting->kinds);
    for (int i = 0; i < 2 && !teller->silent; i++) {
        const struct torture_build *build = &setting->builds[i];
        if (i == 0 || teller->options->other_path != NULL) {
            put_build(stdout, i == 0 ? "" : "with ", build);
        }
    }
    if (!teller->silent) {
        (void)printf("seed %" PRIu64 ", %s, in %s\n", teller->options->seed, kinds, setting->folder);
        if (setting->kinds != teller->options->kinds) {
            (void)printf("%s: no power cuts and no faults\n", torture_unshared(setting));
        }
        (void)fflush(stdout);
    }
}

static void put_line(const struct torture_counts *counts, char line[LINE_SIZE]) {
    double seconds = (double)(counts->elapsed_us > 0 ? counts->elapsed_us : 1) / 1e6;
    int minutes = (int)(seconds / 60);
    (void)snprintf(
        line, LINE_SIZE,
        "%3d:%02d  %" PRId64 " rounds, %.1f/s, %" PRId64 " findings; %" PRId64 " kills, %" PRId64 " cuts, %" PRId64
        " swaps, faults: %" PRId64 " I/O %" PRId64 " full %" PRId64 " busy; %" PRId64 " events acknowledged",
        minutes, (int)seconds - 60 * minutes, counts->rounds, (double)counts->rounds / seconds, counts->findings,
        counts->kills, counts->cuts + counts->recovery_cuts, counts->swaps, counts->faults[FAULT_IO],
        counts->faults[FAULT_FULL], counts->faults[FAULT_BUSY], counts->acknowledged);
}

/* The same for a line of a terminal that is too narrow for the words. */
static void put_short_line(const struct torture_counts *counts, char line[LINE_SIZE]) {
    int seconds = (int)(counts->elapsed_us / 1000000);
    (void)snprintf(line, LINE_SIZE,
                   "%d:%02d %" PRId64 "r %.1f/s found %" PRId64 ", kill %" PRId64 " cut %" PRId64 " swap %" PRId64
                   " fault %" PRId64 "/%" PRId64 "/%" PRId64 " events %" PRId64,
                   seconds / 60, seconds % 60, counts->rounds,
                   (double)counts->rounds * 1e6 / (double)(counts->elapsed_us + 1), counts->findings, counts->kills,
                   counts->cuts + counts->recovery_cuts, counts->swaps, counts->faults[FAULT_IO],
                   counts->faults[FAULT_FULL], counts->faults[FAULT_BUSY], counts->acknowledged);
}

void torture_tell_clear(struct torture_teller *teller) {
    if (teller->drawn) {
        (void)fputs("\r\033[K", stderr);
        (void)fflush(stderr);
        teller->drawn = false;
    }
}

static void draw_line(struct torture_teller *teller, const struct torture_counts *counts) {
    char line[LINE_SIZE];
    struct winsize size;
    put_line(counts, line);
    teller->told_us = counts->elapsed_us;
    if (!teller->is_terminal) {
        (void)fprintf(stderr, "%s\n", line);
        return;
    }
    int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
    if (width < (int)strlen(line)) {
        put_short_line(counts, line);
    }
    (void)fprintf(stderr, "\r%.*s\033[K", width, line); /* a line that wraps cannot be drawn over */
    (void)fflush(stderr);
    teller->drawn = true;
}

static void tell_finding(struct torture_teller *teller, const struct torture_finding *finding) {
    FILE *out = teller->silent ? stderr : stdout;
    torture_tell_clear(teller);
    (void)fprintf(out, "\nFOUND in round %d: %s\n", finding->round, finding->plan);
    char what[TORTURE_TEXT_SIZE];
    (void)snprintf(what, sizeof what, "%s", finding->what);
    char *rest = what;
    for (char *line = strtok_r(what, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        (void)fputs("  ", out);
        (void)terminal_print(out, line, 0);
        (void)fputc('\n', out);
    }
    (void)fprintf(out,
                  "        (requests and batches are named round/thread/number)\n"
                  "files:  %s (found/ has them as the round left them)\nagain:  ",
                  finding->folder);
    put_command(out, teller->options, finding);
    (void)fprintf(out, "\n        (%s)\n\n", replay_words(finding));
    (void)fflush(out);
}

void torture_told(void *context, const struct torture_counts *counts, const struct torture_finding *finding) {
    struct torture_teller *teller = context;
    if (finding != NULL && teller->finding_count < TORTURE_FINDINGS_MAX) {
        teller->findings[teller->finding_count++] = *finding;
        tell_finding(teller, finding);
    }
    int64_t pause_us = teller->is_terminal ? LIVE_US : PLAIN_US;
    if (teller->setting != NULL && counts->elapsed_us - teller->told_us >= pause_us) {
        draw_line(teller, counts);
    }
}

/* ---- the sum ----------------------------------------------------------------------------------------------------- */

void torture_tell_sum(const struct torture_teller *teller, const struct torture_counts *counts) {
    double seconds = (double)(counts->elapsed_us > 0 ? counts->elapsed_us : 1) / 1e6;
    const struct {
        const char *name;
        int64_t number;
    } ROWS[] = {{"rounds", counts->rounds},
                {"killed", counts->kills},
                {"power cut", counts->cuts},
                {"power cut while recovering", counts->recovery_cuts},
                {"shut down in good order", counts->shutdowns},
                {"rounds with I/O faults", counts->fault_rounds[FAULT_IO]},
                {"rounds with a full disk", counts->fault_rounds[FAULT_FULL]},
                {"rounds with busy locks", counts->fault_rounds[FAULT_BUSY]},
                {"calls that failed: I/O", counts->faults[FAULT_IO]},
                {"calls that failed: full", counts->faults[FAULT_FULL]},
                {"calls that failed: busy", counts->faults[FAULT_BUSY]},
                {"swaps", counts->swaps},
                {"events acknowledged", counts->acknowledged},
                {"reports checked", counts->reports},
                {"findings", counts->findings}};
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        (void)printf("%-28s %12" PRId64 "\n", ROWS[i].name, ROWS[i].number);
    }
    (void)printf("\nseed %" PRIu64 ": %" PRId64 " rounds in %.1f s, %.1f a second: %s\n", teller->options->seed,
                 counts->rounds, seconds, (double)counts->rounds / seconds,
                 counts->findings == 0 ? "nothing was found" : "SOMETHING WAS FOUND");
}

bool torture_is_bounded(const struct torture_options *options) {
    return options->rounds > 0 || options->seconds > 0 || options->round >= 0;
}

void torture_tell_end(const struct torture_teller *teller, const struct torture_counts *counts) {
    const struct torture_options *options = teller->options;
    if (counts->cut_short && options->round < 0 && options->rounds > 0) {
        (void)fprintf(stderr, "interrupted after %" PRId64 " of %" PRId64 " rounds\n", counts->rounds, options->rounds);
    } else if (counts->cut_short && options->round < 0 && options->seconds > 0) {
        (void)fprintf(stderr, "interrupted after %" PRId64 " of %" PRId64 " s\n", counts->elapsed_us / 1000000,
                      options->seconds);
    } else if (counts->cut_short) {
        (void)fprintf(stderr, "interrupted after %" PRId64 " rounds\n", counts->rounds);
    }
    if (counts->unjudged[0] != '\0') {
        (void)fprintf(stderr, "what went on then was ended, and is not judged: %s\n", counts->unjudged);
    }
}

static json_t *build_json(const struct torture_build *build) {
    return json_pack("{s: o, s: o, s: o, s: i, s: i}", "name", check_text_json(build->name), "version",
                     check_text_json(build->version), "build", check_text_json(build->build_id), "major",
                     (int)build->major, "minor", (int)build->minor);
}

static json_t *finding_json(const struct torture_options *options, const struct torture_finding *finding) {
    char *command = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&command, &size);
    if (out == NULL) {
        return NULL;
    }
    put_command(out, options, finding);
    json_t *result = fclose(out) == 0 ? json_pack("{s: i, s: s, s: o, s: b, s: o, s: o}", "round", finding->round,
                                                  "plan", finding->plan, "what", check_text_json(finding->what),
                                                  "exact", (int)finding->alone, "folder",
                                                  check_text_json(finding->folder), "again", check_text_json(command))
                                      : NULL;
    free(command);
    return result;
}

static json_t *findings_json(const struct torture_teller *teller) {
    json_t *findings = json_array();
    for (int i = 0; i < teller->finding_count; i++) {
        if (json_array_append_new(findings, finding_json(teller->options, &teller->findings[i])) != 0) {
            json_decref(findings);
            return NULL;
        }
    }
    return findings;
}

static json_t *faults_json(const struct torture_counts *counts) {
    json_t *faults = json_object();
    for (int i = 0; i < FAULT_KINDS; i++) {
        json_t *fault = json_pack("{s: I, s: I}", "rounds", counts->fault_rounds[i], "calls", counts->faults[i]);
        if (json_object_set_new(faults, FAULTS[i], fault) != 0) {
            json_decref(faults);
            return NULL;
        }
    }
    return faults;
}

json_t *torture_json(const struct torture_teller *teller, const struct torture_counts *counts) {
    const struct torture_build *builds = teller->setting->builds;
    char kinds[64];
    put_kinds(kinds, sizeof kinds, teller->setting->kinds);
    return json_pack("{s: [o, o], s: I, s: s, s: I, s: I, s: I, s: I, s: I, s: o, s: I, s: I, s: I, s: I, s: b, s: I, "
                     "s: o}",
                     "builds", build_json(&builds[0]), build_json(&builds[1]), "seed",
                     (json_int_t)teller->options->seed, "kinds", kinds, "rounds", counts->rounds, "kills",
                     counts->kills, "cuts", counts->cuts, "recovery_cuts", counts->recovery_cuts, "shutdowns",
                     counts->shutdowns, "faults", faults_json(counts), "swaps", counts->swaps, "acknowledged",
                     counts->acknowledged, "reports", counts->reports, "elapsed_us", counts->elapsed_us, "interrupted",
                     (int)counts->cut_short, "found", counts->findings, "findings", findings_json(teller));
}
