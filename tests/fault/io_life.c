/* io_life.c: whichever call of the file system fails while a store is made, opened or closed, or under requests that
 * nobody waits for, nothing is lost, and the next try succeeds. */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message/message.h"
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

TestSuite(io_life, .init = set_up, .fini = tear_down, .timeout = 0);

/* Returns how many faults there were. */
typedef int64_t (*try_function)(const struct trial *trial, const void *context);

static void try_one_in(int64_t stride, const char *what, try_function function, const void *context) {
    int64_t tried = 0;
    for (int mode = 0; mode < 2 * FAULT_KINDS; mode++) {
        struct trial trial = {what, (enum fault_kind)(mode / 2), mode % 2 != 0, trial_first((size_t)mode, stride)};
        while (function(&trial, context) > 0) {
            trial.n += stride;
            tried++;
        }
    }
    cr_log_info("%s: %lld faults\n", what, (long long)tried);
    cr_expect_gt(tried, 0);
}

static void try_all(const char *what, try_function function, const void *context) {
    try_one_in(trial_stride(), what, function, context);
}

/* What makes few calls: each of them, as of some kinds there is one only. */
static void try_each(const char *what, try_function function, const void *context) {
    try_one_in(1, what, function, context);
}

static void expect_no_descriptor(const struct trial *trial, int before) {
    int now = trial_descriptors();
    if (now != before) {
        trial_found(trial, "%d descriptors are open, %d were", now, before);
    }
}

static int32_t shut_down(const char *request) {
    size_t size = 0;
    void *data = es_pack(request, &size);
    int32_t status = es->table->shutdown(es->self, (polaris_bytes){data, size}, NULL);
    es->self = NULL;
    free(data);
    return status;
}

/* ---- init ---- */

struct opening {
    const struct step *step; /* the files are those before it; NULL: there are none */
    const char *config;
};

static int64_t try_init(const struct trial *trial, const void *context) {
    const struct opening *opening = context;
    const char *wanted = opening->step != NULL ? opening->step->before : steps[0].before;
    int descriptors = trial_descriptors();
    step_restore(opening->step, es);
    trial_begin(trial);
    int32_t status = es_init(es, opening->config);
    int64_t fired = faults_end();
    if (status != POLARIS_ES_OK) {
        trial_check_error(trial, status, es);
        expect_no_descriptor(trial, descriptors);
        (void)trial_start(trial, es, opening->config);
    }
    trial_expect_dump(trial, es->path, wanted, "once it is open");
    es_shutdown(es);
    trial_expect_dump(trial, es->path, wanted, "in the end");
    expect_no_descriptor(trial, descriptors);
    return fired;
}

Test(io_life, a_store_that_cannot_be_made_is_made_by_the_next_try) {
    try_all("init of a new store", try_init, &(struct opening){NULL, STEPS_CONFIG});
}

Test(io_life, a_store_that_cannot_be_opened_is_opened_by_the_next_try) {
    try_all("init", try_init, &(struct opening){&steps[step_count - 1], STEPS_CONFIG});
}

Test(io_life, a_store_that_cannot_be_read_is_read_by_the_next_try) {
    try_all("init of a reader", try_init,
            &(struct opening){&steps[step_count - 1], "{'mode': 'read', 'cache_kib': 64, 'busy_timeout_ms': 5}"});
}

/* ---- shutdown ---- */

struct closing {
    const struct step *step; /* the last request */
    const char *request;     /* of shutdown */
};

/* What could not be copied into the file is still in the log. */
static int64_t try_shutdown(const struct trial *trial, const void *context) {
    const struct closing *closing = context;
    const struct step *step = closing->step;
    int descriptors = trial_descriptors();
    step_restore(step, es);
    if (!trial_start(trial, es, STEPS_CONFIG)) {
        return 0;
    }
    cr_assert_eq(es_call_bytes(es, step->verb, step->data, step->size), step->status);
    trial_begin(trial);
    int32_t status = shut_down(closing->request);
    int64_t fired = faults_end();
    if (status != POLARIS_ES_OK) {
        trial_found(trial, "status %d", status);
    }
    expect_no_descriptor(trial, descriptors);
    trial_expect_dump(trial, es->path, step->after, "when it was shut down");
    if (trial_start(trial, es, STEPS_CONFIG)) {
        trial_expect_dump(trial, es->path, step->after, "when it was opened again");
        es_shutdown(es);
    }
    return fired;
}

Test(io_life, a_shutdown_that_fails_loses_nothing) {
    try_all("shutdown", try_shutdown, &(struct closing){&steps[2], "{}"});
}

Test(io_life, a_shutdown_that_keeps_the_log_and_fails_loses_nothing) {
    try_each("shutdown, keep_log", try_shutdown, &(struct closing){&steps[2], "{'keep_log': true}"});
}

/* ---- submit ---- */

struct end {
    sem_t told;
    int32_t status;
    json_t *reply;
};

static void on_end(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct end *end = context;
    struct failure failure;
    (void)ticket;
    end->status = status;
    cr_assert(message_unpack(reply.data, reply.size, &end->reply, &failure), "%s", failure.message);
    (void)sem_post(&end->told);
}

/* The reply becomes that of the store. */
static int32_t submit(const struct step *step) {
    struct end end = {.status = POLARIS_ES_OK};
    const polaris_es_completion completion = {.size = sizeof completion, .context = &end, .done = on_end};
    cr_assert_eq(sem_init(&end.told, 0, 0), 0);
    cr_assert_eq(es->table->submit(es->self, (polaris_bytes){step->data, step->size}, &completion, NULL),
                 POLARIS_ES_OK);
    while (sem_wait(&end.told) != 0) {
    }
    (void)sem_destroy(&end.told);
    json_decref(es->reply);
    es->reply = end.reply;
    return end.status;
}

static int64_t try_submit(const struct trial *trial, const void *context) {
    const struct step *step = context;
    int descriptors = trial_descriptors();
    step_restore(step, es);
    if (!trial_start(trial, es, STEPS_CONFIG)) {
        return 0;
    }
    trial_begin(trial);
    int32_t status = submit(step);
    int64_t fired = faults_end();
    if (status != step->status) {
        trial_check_error(trial, status, es);
        trial_expect_dump(trial, es->path, step->before, "it failed");
        status = submit(step);
        if (status != step->status) {
            trial_found(trial, "once more: status %d", status);
        }
    }
    es_shutdown(es);
    trial_expect_dump(trial, es->path, step->after, "in the end");
    expect_no_descriptor(trial, descriptors);
    return fired;
}

Test(io_life, a_submitted_append_is_told_of_the_fault_at_its_end) {
    try_each("submit of an append", try_submit, &steps[2]);
}

Test(io_life, a_submitted_batch_is_told_of_the_fault_at_its_end) {
    try_each("submit of a batch", try_submit, &steps[8]);
}
