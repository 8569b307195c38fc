/* run.c: the processes of the checks, some at a time. */
#include "check/run.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/orphans.h"
#include "check/process.h"
#include "check/trial.h"
#include "monotonic.h"
#include "owned.h"
#include "signals.h"
#include "text.h"

/* ---- in the process of a check ---- */

struct assignment {
    const struct check_options *options;
    const struct check *check;     /* NULL: to meet the build only */
    const char *sha256;            /* of the build that was met; NULL: any */
    struct check_build *ret_build; /* in memory that is shared with the parent */
};

static void meet(const struct trial *trial, struct check_build *build) {
    const struct plugin *plugin = trial->plugin;
    (void)snprintf(build->name, sizeof build->name, "%s", plugin->table->name);
    (void)snprintf(build->version, sizeof build->version, "%s", plugin->table->version);
    (void)snprintf(build->build_id, sizeof build->build_id, "%s", plugin->table->build_id);
    memcpy(build->sha256, plugin->sha256, sizeof build->sha256);
    build->major = plugin->major;
    build->minor = plugin->minor;
    build->has = plugin->table->capabilities & ~(NEEDS_FILE | NEEDS_MINOR_1);
    build->has |= plugin->descriptor.format_read_max > 0 ? NEEDS_FILE : 0;
    build->has |= plugin->minor >= 1 ? NEEDS_MINOR_1 : 0;
    if (!plugin_has(plugin, offsetof(polaris_es_table, submit)) ||
        !plugin_has(plugin, offsetof(polaris_es_table, cancel))) {
        build->has &= ~POLARIS_ES_CAN_SUBMIT; /* a bit alone is a finding of one check, and no crash of many */
    }
    build->loads = true;
}

static void run_assignment(const char *folder, const void *context) {
    const struct assignment *assignment = context;
    static struct trial trial;
    trial.check = assignment->check;
    trial.plugin_path = assignment->options->plugin_path;
    trial.loader = assignment->options->loader;
    trial.loader.sha256 = assignment->sha256;
    (void)snprintf(trial.folder, sizeof trial.folder, "%.1199s", folder);
    trial_init(&trial);
    if (assignment->check == NULL) {
        meet(&trial, assignment->ret_build);
    } else if (assignment->check->run != NULL) {
        assignment->check->run(&trial);
    } else {
        script_run(&trial);
    }
}

/* ---- the folder of a run ---- */

enum { FOLDER_SIZE_MAX = 1000 };
struct folder {
    char path[1100]; /* "": none */
};

static void folder_done(struct folder *folder) {
    if (folder->path[0] != '\0') {
        process_remove_folder(folder->path);
    }
}

static bool folder_init(struct folder *folder, struct failure *failure) {
    const char *parent = getenv("TMPDIR");
    parent = parent != NULL && parent[0] != '\0' ? parent : "/tmp";
    if (strlen(parent) > FOLDER_SIZE_MAX) {
        return failure_set(failure, "TMPDIR has %zu bytes, the limit is %d: name a folder nearer to the root",
                           strlen(parent), FOLDER_SIZE_MAX);
    }
    for (const char *at = parent; *at != '\0'; at += text_character_size((const unsigned char *)at)) {
        if (text_character_size((const unsigned char *)at) == 0) { /* paths of stores are text, by the interface */
            return failure_set(failure, "TMPDIR is no UTF-8, '%s': no store can be opened there", parent);
        }
    }
    (void)snprintf(folder->path, sizeof folder->path, "%s/polaris-check-XXXXXX", parent);
    if (mkdtemp(folder->path) == NULL) {
        (void)failure_set(failure, "cannot make a folder for the stores, '%s': %s", folder->path, strerror(errno));
        folder->path[0] = '\0';
        return false;
    }
    return true;
}

/* ---- signals: the folder and the processes go before this one does ---- */

static volatile sig_atomic_t came; /* the signal that came, or 0 */

static void note_signal(int number) {
    came = number;
}

/* ---- the run ---- */

struct run {
    const struct check_options *options;
    const struct check_build *build;
    const struct check *const *checks;
    struct check_result *results;
    size_t count, begun, told;
    const char *folder;
    struct process processes[CHECK_JOBS_MAX];
    struct assignment assignments[CHECK_JOBS_MAX];
    size_t which[CHECK_JOBS_MAX]; /* of the results */
    size_t running;
};

/* Results are told in order, however they come. */
static bool tell(struct run *run, struct failure *failure) {
    while (run->told < run->begun && run->results[run->told].verdict != VERDICT_NONE) {
        if (!run->options->told(run->options->context, &run->results[run->told])) {
            return failure_set(failure, "the results cannot be written");
        }
        run->told++;
    }
    return true;
}

static bool start_next(struct run *run, struct failure *failure) {
    size_t index = run->begun++;
    const struct check *check = run->checks[index];
    struct check_result *result = &run->results[index];
    *result = (struct check_result){.check = check};
    if (!run->build->loads) { /* said once, and not by each check */
        result->verdict = index == 0 ? VERDICT_FAILED : VERDICT_SKIPPED;
        (void)snprintf(result->reason, sizeof result->reason, "the build does not load%s%.900s", index == 0 ? ": " : "",
                       index == 0 ? run->build->reason : "");
        return true;
    }
    const char *missing = check_missing(check, run->build->has);
    if (missing != NULL) {
        result->verdict = VERDICT_SKIPPED;
        (void)snprintf(result->reason, sizeof result->reason, "the build %s", missing);
        return true;
    }
    size_t slot = 0;
    while (run->processes[slot].id != 0) {
        slot++;
    }
    run->which[slot] = index;
    run->assignments[slot] = (struct assignment){.options = run->options, .check = check, .sha256 = run->build->sha256};
    run->running++;
    return process_start(&run->processes[slot], run->folder, run_assignment, &run->assignments[slot], failure);
}

static void end(struct run *run, size_t slot, int64_t limit_ms) {
    struct check_result *result = &run->results[run->which[slot]];
    process_end(&run->processes[slot], limit_ms, result);
    if (result->verdict == VERDICT_REFUSED) { /* it was loaded when it was met: its file has changed, or is gone */
        result->verdict = VERDICT_FAILED;
    }
    run->running--;
}

/* poll, which a signal that asks to end ends: one that came since anybody looked as well. */
static int poll_or_signal(struct pollfd *fds, size_t count, int64_t timeout_us) {
    const struct timespec timeout = {.tv_sec = timeout_us > 0 ? timeout_us / 1000000 : 0,
                                     .tv_nsec = timeout_us > 0 ? timeout_us % 1000000 * 1000 : 0};
    sigset_t held, before;
    int ready = -1;
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &held, &before);
    if (came == 0) {
        ready = ppoll(fds, count, &timeout, &before);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return ready;
}

/* Waits until one of the processes has ended, and takes what they print meanwhile, `timeout_us` at most. Sets which of
 * them have ended. */
static void wait_some(struct process *const *processes, size_t count, int64_t timeout_us, bool *ret_ended) {
    struct pollfd fds[2 * CHECK_JOBS_MAX];
    for (size_t i = 0; i < count; i++) {
        fds[2 * i] = (struct pollfd){.fd = processes[i]->fd, .events = POLLIN};
        fds[2 * i + 1] = (struct pollfd){.fd = processes[i]->out, .events = POLLIN};
    }
    int ready = poll_or_signal(fds, 2 * count, timeout_us);
    for (size_t i = 0; i < count; i++) {
        ret_ended[i] = ready > 0 && fds[2 * i].revents != 0;
        if (ready > 0 && fds[2 * i + 1].revents != 0) {
            process_hear(processes[i]);
        }
    }
}

/* Waits until a process has ended, has printed something, or has taken too long. */
static void wait_for_one(struct run *run) {
    struct process *processes[CHECK_JOBS_MAX];
    bool ended[CHECK_JOBS_MAX];
    size_t slots[CHECK_JOBS_MAX];
    size_t count = 0;
    int64_t limit_us = run->options->limit_ms * 1000;
    int64_t next_us = limit_us;
    for (size_t slot = 0; slot < run->options->jobs; slot++) {
        if (run->processes[slot].id != 0) {
            int64_t left_us = run->processes[slot].began_us + limit_us - monotonic_us();
            next_us = left_us < next_us ? left_us : next_us;
            slots[count] = slot;
            processes[count++] = &run->processes[slot];
        }
    }
    wait_some(processes, count, next_us, ended);
    for (size_t i = 0; i < count; i++) {
        if (ended[i] || monotonic_us() - processes[i]->began_us >= limit_us) {
            end(run, slots[i], ended[i] ? -1 : run->options->limit_ms);
        }
    }
}

static void run_end(struct run *run) {
    for (size_t slot = 0; slot < run->options->jobs; slot++) {
        if (run->processes[slot].id != 0) {
            end(run, slot, 0);
        }
    }
}

bool check_run(const struct check_options *options, const struct check_build *build, const struct check *const *checks,
               size_t count, struct check_result *results, int *ret_signal, struct failure *failure) {
    CLEANUP(folder_done) struct folder folder = {0};
    *ret_signal = 0;
    if (!folder_init(&folder, failure)) {
        return false;
    }
    struct run run = {.options = options,
                      .build = build,
                      .checks = checks,
                      .results = results,
                      .count = count,
                      .folder = folder.path};
    bool good = true;
    struct signals signals;
    came = 0;
    signals_catch(&signals, note_signal, false);
    orphans_adopt();
    while (good && came == 0 && (run.begun < count || run.running > 0)) {
        if (run.begun < count && run.running < options->jobs) {
            good = start_next(&run, failure);
        } else {
            wait_for_one(&run);
        }
        good = good && tell(&run, failure);
    }
    run_end(&run);
    orphans_end();
    signals_restore(&signals);
    if (came != 0) {
        *ret_signal = came;
        return failure_set(failure, "ended by SIG%s", sigabbrev_np(came));
    }
    return good;
}

static void page_freep(struct verdict_page **page) {
    verdict_page_free(*page);
}

/* Leaves no folder behind. */
static bool meet_apart(const struct check_options *options, struct check_build *ret_build, struct failure *failure) {
    CLEANUP(folder_done) struct folder folder = {0};
    struct process process = {0};
    struct check_result result = {0};
    static_assert(sizeof(struct check_build) <= VERDICT_ROOM_SIZE, "the build's description fits");
    CLEANUP(page_freep) struct verdict_page *shared = verdict_page_new(); /* the child describes the build in there */
    if (shared == NULL) {
        return failure_set(failure, "no memory");
    }
    if (!folder_init(&folder, failure)) {
        return false;
    }
    struct check_build *build = (struct check_build *)(void *)shared->room;
    const struct assignment assignment = {.options = options, .ret_build = build};
    if (!process_start(&process, folder.path, run_assignment, &assignment, failure)) {
        return false;
    }
    bool ended = false;
    for (int64_t left_us = options->limit_ms * 1000; !ended && left_us > 0 && came == 0;) {
        wait_some(&(struct process *){&process}, 1, left_us, &ended);
        left_us = process.began_us + options->limit_ms * 1000 - monotonic_us();
    }
    process_end(&process, ended ? -1 : options->limit_ms, &result);
    *ret_build = *build;
    (void)snprintf(ret_build->path, sizeof ret_build->path, "%s", options->plugin_path);
    if (result.verdict != VERDICT_PASSED) {
        ret_build->loads = false;
        (void)snprintf(ret_build->reason, sizeof ret_build->reason, "%.1023s", result.reason);
    }
    return result.verdict != VERDICT_REFUSED || failure_set(failure, "%.1000s", result.reason);
}

bool check_meet(const struct check_options *options, struct check_build *ret_build, struct failure *failure) {
    struct signals signals;
    came = 0;
    signals_catch(&signals, note_signal, false);
    orphans_adopt();
    bool good = meet_apart(options, ret_build, failure);
    orphans_end();
    signals_restore(&signals);
    if (came != 0) {
        (void)raise(came); /* nothing is left to remove */
    }
    return good;
}
