/* io.c: whichever call of the file system fails, once or from there on, a request says so with the right status and has
 * changed nothing, or has done all of its work; and when the fault is gone, the store works. */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"
#include "store_dump.h"
#include "trial.h"

static struct es *es;

static void set_up(void) {
    es = es_new();
    faults_install();
    steps_make(es);
}

static void tear_down(void) {
    steps_done();
    es_close(es);
}

TestSuite(io, .init = set_up, .fini = tear_down, .timeout = 0);

/* ---- one fault ---- */

static void expect_reply(const struct trial *trial, const struct step *step, int32_t status, const char *when) {
    char *reply = step_reply(es->reply);
    if (status != step->status || strcmp(reply, step->reply) != 0) {
        trial_found(trial, "%s: %d, %s, not %s", when, status, reply, step->reply);
    }
    free(reply);
}

static int32_t call(const struct step *step) {
    return es_call_bytes(es, step->verb, step->data, step->size);
}

/* Were the process killed now, the store would be found as it was; or, if nothing could be written any more to take it
 * back, with all of the request's work. */
static void expect_dump_if_killed(const struct trial *trial, const struct step *step) {
    char path[128];
    char problem[PROBLEM_SIZE];
    step_copy_files(es, path, sizeof path);
    char *dump = trial->persistent ? store_dump(path, problem) : NULL;
    bool is_done = dump != NULL && strcmp(dump, step->after) == 0;
    trial_expect_dump(trial, path, is_done ? step->after : step->before, "it failed, and a killed process leaves");
    free(dump);
    step_remove_copy(es);
}

/* Returns how many faults there were. */
static int64_t try_step(const struct step *step, enum fault_kind kind, bool persistent, int64_t n) {
    const struct trial trial = {step->text, kind, persistent, n};
    int descriptors = trial_descriptors();
    step_restore(step, es);
    if (!trial_start(&trial, es, STEPS_CONFIG)) {
        return 0;
    }
    trial_begin(&trial);
    int32_t status = call(step);
    int64_t fired = faults_end();
    if (status == step->status) {
        expect_reply(&trial, step, status, "the reply");
        trial_expect_dump(&trial, es->path, step->after, "it was done");
    } else {
        trial_check_error(&trial, status, es);
        trial_expect_dump(&trial, es->path, step->before, "it failed");
        expect_dump_if_killed(&trial, step);
        status = call(step);
        expect_reply(&trial, step, status, "once more");
    }
    es_shutdown(es);
    trial_expect_dump(&trial, es->path, step->after, "in the end");
    if (trial_descriptors() != descriptors) {
        trial_found(&trial, "%d descriptors are open, %d were", trial_descriptors(), descriptors);
    }
    return fired;
}

/* ---- every fault ---- */

static void try_all_steps(enum fault_kind kind, bool persistent) {
    /* A step that writes does so once or twice, when its log is synced: each of these. */
    int64_t stride = kind == FAULT_FULL ? 1 : trial_stride();
    int64_t tried = 0;
    for (size_t i = 0; i < step_count; i++) {
        int64_t n = kind == FAULT_FULL ? 1 : trial_first(i, stride);
        while (try_step(&steps[i], kind, persistent, n) > 0) {
            n += stride;
            tried++;
        }
    }
    cr_log_info("%s%s: %lld faults\n", fault_kind_name(kind), persistent ? " from there on" : "", (long long)tried);
    cr_expect_gt(tried, kind == FAULT_FULL ? 20 : 100 / trial_stride());
}

Test(io, a_failing_call_is_told_and_changes_nothing) {
    try_all_steps(FAULT_IO, false);
}

Test(io, calls_that_fail_from_there_on_are_told_and_change_nothing) {
    try_all_steps(FAULT_IO, true);
}

Test(io, a_disk_that_is_full_for_a_moment_is_told_and_changes_nothing) {
    try_all_steps(FAULT_FULL, false);
}

Test(io, a_full_disk_is_told_and_changes_nothing) {
    try_all_steps(FAULT_FULL, true);
}

Test(io, a_lock_that_is_busy_for_a_moment_is_waited_for_or_told) {
    try_all_steps(FAULT_BUSY, false);
}

Test(io, a_lock_that_stays_busy_is_told_and_changes_nothing) {
    try_all_steps(FAULT_BUSY, true);
}
