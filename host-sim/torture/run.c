/* run.c: the rounds of a run: their processes one after the other, what they found, and what is kept of it. */
#include "torture/run.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/process.h"
#include "files.h"
#include "monotonic.h"
#include "signals.h"
#include "torture/work.h"

/* What a ledger may grow to, of which next to nothing is ever touched. */
#define ARENA_SIZE (UINT64_C(1) << 30)
enum { COMPLAINTS_TOLD = 8, UNTOLD_MS_MAX = 200, FOLDER_SIZE_MAX = 1000 };

struct torture_run {
    const struct torture_options *options;
    struct torture_setting setting;
    struct shared *shared;
    struct torture_counts counts;
    struct round round;
    char store_folder[TORTURE_PATH_SIZE]; /* "": none */
    char paths[2][PATH_MAX];              /* of the builds */
    int64_t began_us;
    int out;
    bool kept; /* something in the folder */
};

/* ---- the processes of a round ---- */

static void show(void *context) {
    struct torture_run *run = context;
    struct torture_counts counts = run->counts;
    counts.elapsed_us = monotonic_us() - run->began_us;
    counts.acknowledged += run->shared->ledger.acknowledged; /* of the round in progress */
    counts.reports += run->shared->ledger.records;
    counts.swaps += run->shared->ledger.swaps;
    run->options->told(run->options->context, &counts, NULL);
}

static const char *task_name(enum task task) {
    static const char *const NAMES[] = {[TASK_MEET] = "getting to know the build",
                                        [TASK_WORK] = "at work",
                                        [TASK_FALL] = "opening the store, to be killed",
                                        [TASK_REPEAT] = "repeating requests",
                                        [TASK_RECOVER] = "opening the store after a power cut",
                                        [TASK_JUDGE] = "checking the store"};
    return NAMES[task];
}

static void add_line(struct torture_finding *finding, const char *line) {
    size_t used = strlen(finding->what);
    (void)snprintf(finding->what + used, sizeof finding->what - used, "%s%s", used > 0 ? "\n" : "", line);
}

/* How it ended, if not as it was to. */
static void describe_end(const struct torture_run *run, enum task task, bool hung, int status,
                         struct torture_finding *finding) {
    char output[PROCESS_TEXT_SIZE];
    char text[1024];
    char end[64];
    const char *line = process_telling_line(run->out, output);
    if (hung) {
        (void)snprintf(end, sizeof end, "hangs: nothing came from it for %d s", (int)(run->options->limit_ms / 1000));
    } else if (WIFSIGNALED(status)) {
        (void)snprintf(end, sizeof end, "ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
    } else {
        (void)snprintf(end, sizeof end, "ended with exit code %d", WEXITSTATUS(status));
    }
    (void)snprintf(text, sizeof text, "%s: %s%s%.600s", task_name(task), end, line != NULL ? ": " : "",
                   line != NULL ? line : "");
    add_line(finding, text);
}

static void describe_complaints(const struct torture_run *run, enum task task, struct torture_finding *finding) {
    struct complaints *complaints = &run->shared->complaints;
    int count = atomic_load(&complaints->count);
    char text[COMPLAINT_SIZE + 64];
    for (int i = 0; i < count && i < COMPLAINTS_TOLD; i++) {
        (void)snprintf(text, sizeof text, "%s: %s", task_name(task), complaints->texts[i]);
        add_line(finding, text);
    }
    if (count > COMPLAINTS_TOLD) {
        (void)snprintf(text, sizeof text, "and %d more", count - COMPLAINTS_TOLD);
        add_line(finding, text);
    }
}

static bool is_as_it_was_to(const struct plan *plan, enum task task, int status) {
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    bool cut = WIFEXITED(status) && WEXITSTATUS(status) == ROUND_CUT;
    bool ended = WIFEXITED(status) && WEXITSTATUS(status) == WORK_ENDED;
    switch (task) {
    case TASK_WORK:
        return plan->ending == ENDING_CLEAN  ? ended
               : plan->ending == ENDING_KILL ? killed || (plan->change > 0 && cut)
                                             : cut;
    case TASK_FALL:
    case TASK_REPEAT:
    case TASK_RECOVER:
        return cut;
    case TASK_MEET:
    case TASK_JUDGE:
        break;
    }
    return ended;
}

/* Whoever ended this process was about to end the run as well. */
static bool ended_with_the_run(const struct torture_run *run, int status) {
    if (!WIFSIGNALED(status) || !signals_ask_to_end(WTERMSIG(status))) {
        return false;
    }
    for (int64_t until_us = monotonic_us() + UNTOLD_MS_MAX * 1000;
         *run->options->stop == 0 && monotonic_us() < until_us;) {
        (void)usleep(1000);
    }
    return *run->options->stop != 0;
}

static bool is_abandoned(const struct torture_run *run) {
    return run->counts.unjudged[0] != '\0';
}

static void abandon(struct torture_run *run, enum task task, int64_t silence_ms) {
    run->counts.cut_short = true;
    (void)snprintf(run->counts.unjudged, sizeof run->counts.unjudged, "round %d, %s: nothing had come from it for %d s",
                   run->round.plan.round, task_name(task), (int)(silence_ms / 1000));
}

/* One process of the round. False: it could not be started. What it found is added to the finding. */
static bool run_task(struct torture_run *run, enum task task, int64_t change, struct torture_finding *finding,
                     bool *ret_cut, struct failure *failure) {
    const struct plan *plan = &run->round.plan;
    struct assignment assignment = {.round = &run->round, .task = task, .change = change};
    int64_t silence_ms = 0;
    const struct life life = {.run = round_run,
                              .context = &assignment,
                              .is_killed =
                                  task == TASK_WORK && plan->ending == ENDING_KILL && !plan->alone && plan->change == 0,
                              .moment = plan->moment,
                              .silence_ms_max = run->options->limit_ms,
                              .ret_silence_ms = &silence_ms,
                              .stop = run->options->stop,
                              .idle = show,
                              .idle_context = run};
    int status = 0;
    atomic_store(&run->shared->complaints.count, 0);
    run->shared->disk_calls = 0;
    if (ftruncate(run->out, 0) != 0 || lseek(run->out, 0, SEEK_SET) != 0) {
        return failure_set(failure, "the output of the rounds cannot be emptied: %s", strerror(errno));
    }
    enum life_end end = life_run(&run->shared->ledger, &life, &status);
    if (end == LIFE_NO_CHILD) {
        return failure_set(failure, "a process cannot be started: %s", strerror(errno));
    }
    if (end == LIFE_UNKNOWN) {
        return failure_set(failure, "how a process ended cannot be told: SIGCHLD is ignored");
    }
    *ret_cut = WIFEXITED(status) && WEXITSTATUS(status) == ROUND_CUT && run->shared->disk_calls > 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == WORK_NO_BUILD) {
        return failure_set(failure, "%s", run->shared->complaints.texts[0]);
    }
    bool complained_of = atomic_load(&run->shared->complaints.count) > 0;
    if (complained_of) {
        describe_complaints(run, task, finding);
    } else if (end == LIFE_STOPPED || ended_with_the_run(run, status)) {
        abandon(run, task, silence_ms);
    } else if (end == LIFE_HUNG || !is_as_it_was_to(plan, task, status)) {
        describe_end(run, task, end == LIFE_HUNG, status, finding);
    }
    return true;
}

/* ---- files ---- */

static bool make_store_folder(struct torture_run *run, int round, struct failure *failure) {
    if (run->store_folder[0] != '\0') {
        process_remove_folder(run->store_folder);
    }
    (void)snprintf(run->store_folder, sizeof run->store_folder, "%.4000s/store-%d", run->setting.folder, round);
    process_remove_folder(run->store_folder); /* of a try before */
    if (mkdir(run->store_folder, 0700) != 0) {
        (void)failure_set(failure, "cannot make the folder '%s': %s", run->store_folder, strerror(errno));
        run->store_folder[0] = '\0';
        return false;
    }
    return true;
}

/* As the round has left them: the check opens them, and so changes them. False: not all of it. */
static bool keep_files(const struct torture_run *run, struct failure *failure) {
    static const char *const NAMES[] = {STORE_FILE, STORE_FILE "-wal"};
    char from[TORTURE_PATH_SIZE + 64], to[TORTURE_PATH_SIZE + 64];
    bool kept = true;
    (void)snprintf(to, sizeof to, "%s/found", run->store_folder);
    (void)mkdir(to, 0700);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        (void)snprintf(from, sizeof from, "%s/%s", run->store_folder, NAMES[i]);
        (void)snprintf(to, sizeof to, "%s/found/%s", run->store_folder, NAMES[i]);
        (void)unlink(to);
        bool is_there = access(from, F_OK) == 0 || errno != ENOENT; /* it may have ended before there was any */
        kept = (!is_there || file_copy(from, to, false, failure)) && kept;
    }
    return kept;
}

/* ---- a round ---- */

static void count_round(struct torture_run *run, bool cut) {
    const struct plan *plan = &run->round.plan;
    struct torture_counts *counts = &run->counts;
    counts->kills += plan->ending == ENDING_KILL;
    counts->cuts += plan->ending == ENDING_POWER && cut;
    counts->shutdowns += plan->ending == ENDING_CLEAN;
    if (plan->has_fault && run->shared->faults.fired > 0) {
        counts->fault_rounds[plan->fault]++;
        counts->faults[plan->fault] += run->shared->faults.fired;
    }
}

static bool goes_on(const struct torture_run *run, const struct torture_finding *finding) {
    return finding->what[0] == '\0' && !is_abandoned(run);
}

/* Those that open the store behind a kill or a power cut, and are killed, or have their power cut. */
static bool run_followers(struct torture_run *run, struct torture_finding *finding, struct failure *failure) {
    const struct plan *plan = &run->round.plan;
    bool cut = false;
    if (plan->fall_change > 0 && goes_on(run, finding)) {
        if (!run_task(run, TASK_FALL, plan->fall_change, finding, &cut, failure)) {
            return false;
        }
        run->counts.kills += cut;
    }
    if (plan->is_followed && goes_on(run, finding)) {
        if (!run_task(run, TASK_REPEAT, plan->repeat_change, finding, &cut, failure)) {
            return false;
        }
        run->counts.cuts += cut;
    }
    for (int i = 0; i < plan->recovery_cuts && goes_on(run, finding); i++) {
        if (!run_task(run, TASK_RECOVER, plan->recovery_changes[i], finding, &cut, failure)) {
            return false;
        }
        run->counts.recovery_cuts += cut;
    }
    return true;
}

static bool run_tasks(struct torture_run *run, struct torture_finding *finding, struct failure *failure) {
    bool cut = false;
    run->shared->faults = (struct faults_seen){0};
    if (!run_task(run, TASK_WORK, 0, finding, &cut, failure)) {
        return false;
    }
    if (is_abandoned(run)) {
        return true;
    }
    count_round(run, cut);
    if (!run_followers(run, finding, failure)) {
        return false;
    }
    struct failure copying;
    bool kept = keep_files(run, &copying);
    if (!is_abandoned(run) && !run_task(run, TASK_JUDGE, 0, finding, &cut, failure)) {
        return false;
    }
    if (finding->what[0] != '\0' && !kept) {
        char line[sizeof copying.message + 32];
        (void)snprintf(line, sizeof line, "found/ is incomplete: %s", copying.message);
        add_line(finding, line);
    }
    return true;
}

static void add_ledger(struct torture_run *run) {
    struct ledger *ledger = &run->shared->ledger;
    run->counts.acknowledged += ledger->acknowledged;
    run->counts.reports += ledger->records;
    run->counts.swaps += ledger->swaps;
    ledger->acknowledged = ledger->records = ledger->swaps = 0;
}

static unsigned threads_of(const struct torture_setting *setting) {
    uint64_t both = setting->builds[0].capabilities & setting->builds[1].capabilities;
    unsigned threads = (1u << THREAD_COUNT) - 1;
    if (!setting->builds[0].has_submit || !setting->builds[1].has_submit) {
        threads &= ~(1u << THREAD_SUBMIT);
    }
    if ((both & POLARIS_ES_CAN_DEAD_LETTERS) == 0) {
        threads &= ~(1u << THREAD_LETTERS_1 | 1u << THREAD_LETTERS_2);
    }
    if ((both & POLARIS_ES_CAN_VALIDATE) == 0 || (both & POLARIS_ES_CAN_DEAD_LETTERS) == 0) {
        threads &= ~(1u << THREAD_SCHEMA);
    }
    if ((both & POLARIS_ES_CAN_LONG_POLL) == 0) {
        threads &= ~(1u << THREAD_TAIL);
    }
    return threads;
}

static void begin_store(struct torture_run *run) {
    struct ledger *ledger = &run->shared->ledger;
    ledger_init_in(ledger, run->options->seed, &run->shared->arena);
    ledger->threads = threads_of(&run->setting);
    ledger->keeps_log = run->setting.builds[0].minor >= 1 && run->setting.builds[1].minor >= 1;
    ledger->gaps_allowed = true; /* the interface promises ids that grow, and no more */
}

/* False: it could not be made. *ret_found: the store is kept for what was found, and no further round is made on it. */
static bool run_round(struct torture_run *run, int round, bool *ret_found, struct failure *failure) {
    struct torture_finding finding = {.round = round};
    struct ledger *ledger = &run->shared->ledger;
    run->round.plan = plan_of(run->options->seed, round, run->setting.kinds);
    run->round.folder = run->store_folder;
    ledger->round = round;
    ledger->threads =
        run->round.plan.swaps ? ledger->threads | 1u << THREAD_SWAP : ledger->threads & ~(1u << THREAD_SWAP);
    bool made = run_tasks(run, &finding, failure);
    add_ledger(run);
    run->counts.rounds += made && !is_abandoned(run);
    *ret_found = made && finding.what[0] != '\0';
    if (!*ret_found) {
        show(run);
        return made;
    }
    finding.alone = run->round.plan.alone;
    plan_tell(&run->round.plan, finding.plan, sizeof finding.plan);
    (void)snprintf(finding.folder, sizeof finding.folder, "%s", run->store_folder);
    run->store_folder[0] = '\0';
    run->kept = true;
    run->counts.findings++;
    run->counts.elapsed_us = monotonic_us() - run->began_us;
    run->options->told(run->options->context, &run->counts, &finding);
    return true;
}

/* ---- the run ---- */

static bool is_done(const struct torture_run *run) {
    const struct torture_options *options = run->options;
    return run->counts.findings >= TORTURE_FINDINGS_MAX ||
           (options->seconds > 0 && monotonic_us() - run->began_us >= options->seconds * 1000000);
}

/* Rounds, from the first of a store. After a finding the rest of its store is left out. */
static bool run_rounds(struct torture_run *run, int64_t first, int64_t end, struct failure *failure) {
    for (int64_t round = first; round < end && !is_done(run) && !run->counts.cut_short;) {
        if (*run->options->stop != 0) {
            run->counts.cut_short = true;
            return true;
        }
        bool found = false;
        if (round % STORE_ROUNDS == 0) {
            begin_store(run);
            if (!make_store_folder(run, (int)round, failure)) {
                return false;
            }
        }
        if (!run_round(run, (int)round, &found, failure)) {
            return false;
        }
        round = found ? (round / STORE_ROUNDS + 1) * STORE_ROUNDS : round + 1;
    }
    return true;
}

bool torture_go(struct torture_run *run, struct torture_counts *ret_counts, struct failure *failure) {
    const struct torture_options *options = run->options;
    bool made = true;
    run->began_us = monotonic_us();
    if (options->round < 0) {
        made = run_rounds(run, 0, options->rounds > 0 ? options->rounds : INT32_MAX, failure);
    }
    for (int64_t i = 0; options->round >= 0 && i < options->tries && made && run->counts.findings == 0; i++) {
        made = run_rounds(run, options->round / STORE_ROUNDS * STORE_ROUNDS, options->round + 1, failure);
    }
    run->counts.elapsed_us = monotonic_us() - run->began_us;
    *ret_counts = run->counts;
    return made;
}

/* ---- opening and closing ---- */

static bool make_folder(struct torture_run *run, struct failure *failure) {
    const char *parent = getenv("TMPDIR");
    parent = parent != NULL && parent[0] != '\0' ? parent : "/tmp";
    char whole[PATH_MAX];
    if (realpath(parent, whole) == NULL) {
        return failure_set(failure,
                           "cannot use the folder for the stores, '%.1000s': %s; set TMPDIR to one that is there",
                           parent, strerror(errno));
    }
    if (strlen(whole) > FOLDER_SIZE_MAX) {
        return failure_set(
            failure,
            "the path of the folder for the stores has %zu bytes, limit %d: '%.100s...'; set TMPDIR to a shorter one",
            strlen(whole), FOLDER_SIZE_MAX, whole);
    }
    (void)snprintf(run->setting.folder, sizeof run->setting.folder, "%.1000s/polaris-torture-XXXXXX", whole);
    if (mkdtemp(run->setting.folder) == NULL) {
        (void)failure_set(failure, "cannot make a folder for the stores, '%s': %s", run->setting.folder,
                          strerror(errno));
        run->setting.folder[0] = '\0';
        return false;
    }
    return true;
}

static bool share(struct torture_run *run, struct failure *failure) {
    const int FLAGS = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    void *shared = mmap(NULL, sizeof *run->shared, PROT_READ | PROT_WRITE, FLAGS, -1, 0);
    if (shared == MAP_FAILED) {
        return failure_set(failure, "no memory to share with the processes of the rounds");
    }
    run->shared = shared;
    void *arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, FLAGS, -1, 0);
    if (arena == MAP_FAILED) {
        return failure_set(failure, "no memory to share with the processes of the rounds");
    }
    run->shared->arena = (struct arena){.memory = arena, .size = ARENA_SIZE};
    run->out = memfd_create("output", MFD_CLOEXEC);
    return run->out >= 0 || failure_set(failure, "no file for the output of the rounds: %s", strerror(errno));
}

const char *torture_unshared(const struct torture_setting *setting) {
    for (int i = 0; i < 2; i++) {
        if (setting->builds[i].says_shared && !setting->builds[i].shares_sqlite) {
            return "a build says that its SQLite is the shared one, and none of its calls are seen";
        }
    }
    return "a build has no shared SQLite";
}

static bool meet(struct torture_run *run, struct failure *failure) {
    struct torture_finding finding = {0};
    bool cut = false;
    run->round.plan = plan_of(run->options->seed, 0, run->options->kinds);
    run->round.folder = run->store_folder;
    if (!make_store_folder(run, -1, failure) || !run_task(run, TASK_MEET, 0, &finding, &cut, failure)) {
        return false;
    }
    if (finding.what[0] != '\0') {
        return failure_set(failure, "%.1000s", finding.what);
    }
    if (is_abandoned(run)) {
        return failure_set(failure, "interrupted while %s", task_name(TASK_MEET));
    }
    memcpy(run->setting.builds, run->shared->builds, sizeof run->setting.builds);
    run->setting.kinds = run->options->kinds;
    if (!run->setting.builds[0].shares_sqlite || !run->setting.builds[1].shares_sqlite) {
        run->setting.kinds &= ~(unsigned)(TORTURE_POWER | TORTURE_FAULT);
    }
    return run->setting.kinds != 0 || failure_set(failure, "%s: its disk cannot be made to fail or to lose its power",
                                                  torture_unshared(&run->setting));
}

/* The processes of the rounds work elsewhere. */
static bool find_builds(struct torture_run *run, struct failure *failure) {
    const char *paths[] = {run->options->plugin_path, run->options->other_path};
    for (int i = 0; i < 2; i++) {
        if (paths[i] != NULL && realpath(paths[i], run->paths[i]) == NULL) {
            return failure_set(failure, "cannot open the build '%s': %s", paths[i], strerror(errno));
        }
    }
    return true;
}

bool torture_open(const struct torture_options *options, struct torture_run **ret_run, struct failure *failure) {
    struct torture_run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        return failure_set(failure, "no memory");
    }
    run->options = options;
    run->out = -1;
    run->began_us = monotonic_us();
    bool good = find_builds(run, failure) && make_folder(run, failure) && share(run, failure);
    run->round = (struct round){.shared = run->shared,
                                .paths = {run->paths[0], options->other_path != NULL ? run->paths[1] : NULL},
                                .loader = options->loader,
                                .syncs = options->lose_syncs ? DISK_SYNCS_NONE : DISK_SYNCS_ALL,
                                .parent = getpid(),
                                .out = run->out};
    if (!good || !meet(run, failure)) {
        torture_close(run);
        return false;
    }
    *ret_run = run;
    return true;
}

const struct torture_setting *torture_setting(const struct torture_run *run) {
    return &run->setting;
}

void torture_close(struct torture_run *run) {
    if (run == NULL) {
        return;
    }
    if (run->store_folder[0] != '\0') {
        process_remove_folder(run->store_folder);
    }
    if (run->setting.folder[0] != '\0' && !run->kept) {
        process_remove_folder(run->setting.folder);
    }
    if (run->shared != NULL && run->shared->arena.memory != NULL) {
        (void)munmap(run->shared->arena.memory, ARENA_SIZE);
    }
    if (run->shared != NULL) {
        (void)munmap(run->shared, sizeof *run->shared);
    }
    if (run->out >= 0) {
        (void)close(run->out);
    }
    free(run);
}
