/* verbs.c: whichever allocation of ours fails, a call says NO_MEMORY and has changed nothing: made again, it does all
 * of its work. So does a submitted request, at once or at its end. What fails after the work was done takes nothing. */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failing_allocations.h"
#include "store_dump.h"
#include "submit.h"
#include "use_cases.h"
#include "wire/json_text.h"

__attribute__((format(printf, 3, 4))) static void no_log(void *context, int32_t level, const char *format, ...) {
    (void)context;
    (void)level;
    (void)format;
}

static int64_t still_time(void *context) {
    (void)context;
    return INT64_C(1767225600000000);
}

static void no_wake(void *context, int64_t last_id) {
    (void)context;
    (void)last_id;
}

static void make_request(const char *text, struct buffer *ret) {
    char json[4096];
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    struct error error;
    cr_assert_eq(json_text_convert(bytes_from_string(json), 64, ret, &error), OK, "%s: %s", text, error.message);
}

/* The status with the n-th allocation failing; 0: none. The reply is empty unless that is OK. */
static enum status run_for_reply(struct instance *instance, const struct verb *verb, struct bytes request, int tick,
                                 struct buffer *ret_reply, struct error *error) {
    CLEANUP(verb_call_done) struct verb_call call = {0};
    allocations_fail_at(tick, false);
    enum status status = verb_open(&call, verb, instance, request);
    if (status == OK) {
        status = verb_run(&call);
    }
    *error = call.error;
    allocations_fail_at(0, false);
    ret_reply->size = 0;
    cr_assert(status != OK || buffer_append(ret_reply, call.reply.buffer.data, call.reply.buffer.size));
    return status;
}

static enum status run(struct instance *instance, const struct verb *verb, struct bytes request, int tick,
                       struct error *error) {
    CLEANUP(buffer_done) struct buffer reply = {0};
    return run_for_reply(instance, verb, request, tick, &reply, error);
}

static int run_with_every_fault(struct instance *instance, const struct verb *verb, const char *text,
                                enum status wanted) {
    CLEANUP(buffer_done) struct buffer request = {0};
    struct error error = {0};
    make_request(text, &request);
    int tick = 1;
    for (;; tick++) {
        enum status status = run(instance, verb, buffer_view(&request), tick, &error);
        if (allocations_failed() == 0 ||
            (status == wanted && status != OK)) { /* a refusal may need less than its description */
            cr_expect_eq(status, wanted, "%s: %s: %s", text, status_name(status), error.message);
            break;
        }
        if (status == OK || status == REPLY_LOST) { /* the memory was for what is kept for the next call */
            break;
        }
        cr_assert_eq(status, NO_MEMORY, "%s, allocation %d: %s: %s", text, tick, status_name(status), error.message);
    }
    return tick - 1;
}

#define STRICT                                                                                                         \
    "{'type': 'object', 'required': ['n'], 'properties': {'n': {'type': 'integer', 'minimum': 0},"                     \
    " 's': {'pattern': '^[a-z]+-\\\\d{2,}$'}, 'r': {'$ref': 'https://example.org/r'}}}"
#define DOCUMENTS "'documents': [{'uri': 'https://example.org/r', 'schema': {'enum': [1, 'a', null]}}]"

static const struct {
    const struct verb *verb;
    const char *request;
    enum status wanted;
} SCRIPT[] = {
    {&VERB_SCHEMA, "{'op': 'put', 'type': 'a', 'schema': " STRICT ", " DOCUMENTS "}", OK},
    {&VERB_SCHEMA, "{'op': 'put', 'type': 'a', 'schema': {'type': 'strin'}}", INVALID},
    {&VERB_SCHEMA, "{'op': 'policy', 'type': 'a', 'format': 'assert', 'compatibility': 'backward'}", OK},
    {&VERB_STORE, "{'op': 'append', 'events': [{'type': 'a', 'data': {'n': 1, 's': 'x-12', 'r': null}}]}", OK},
    {&VERB_STORE, "{'op': 'append', 'event': {'type': 'a', 'data': {'n': -1, 's': 'x'}}}", REJECTED},
    {&VERB_SCHEMA, "{'op': 'policy', 'type': 'a', 'policy': 'dead_letter'}", OK},
    {&VERB_STORE,
     "{'op': 'append', 'events': [{'type': 'a', 'data': {'n': 2}}, {'type': 'a', 'data': {'n': -1},"
     " 'key': 'k'}]}",
     OK},
    {&VERB_DLQ, "{'op': 'rejected.list'}", OK},
    {&VERB_DLQ, "{'op': 'rejected.resubmit', 'id': 1}", REJECTED},
    {&VERB_DLQ, "{'op': 'rejected.resubmit', 'id': 1, 'event': {'type': 'a', 'data': {'n': 3}}}", OK},
    {&VERB_SCHEMA, "{'op': 'validate', 'type': 'a', 'data': {'n': 'x'}}", OK},
    {&VERB_SCHEMA, "{'op': 'check', 'type': 'a', 'schema': {'type': 'object', 'required': ['n', 'm']}}", OK},
    {&VERB_SCHEMA, "{'op': 'put', 'type': 'a', 'schema': {'type': 'object', 'required': ['n', 'm']}}", CONFLICT},
    {&VERB_SCHEMA, "{'op': 'dry_run', 'type': 'a', 'schema': {'properties': {'n': {'maximum': 2}}}}", OK},
    {&VERB_SCHEMA, "{'op': 'versions', 'type': 'a'}", OK},
    {&VERB_SCHEMA, "{'op': 'retire', 'type': 'a', 'version': 1}", OK},
};

/* ---- a store in a folder of its own ---- */

static char folder[64];
static struct instance instance;

static void open_instance(void) {
    char config[256];
    static const struct storage_host HOST = {.log = no_log, .now_us = still_time, .wake = no_wake};
    CLEANUP(buffer_done) struct buffer init = {0};
    struct wire_writer reply = {0};
    struct error error = {0};
    snprintf(config, sizeof config, "{'path': '%s/events.db', 'durability': 'normal'}", folder);
    make_request(config, &init);
    cr_assert_eq(instance_open(&instance, buffer_view(&init), &HOST, &reply, &error), OK, "%s", error.message);
    wire_writer_done(&reply);
}

static void set_up(void) {
    strcpy(folder, "/tmp/polaris-verbs-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    open_instance();
}

static const char *path_of(const char *file) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    return path;
}

static void tear_down(void) {
    instance_done(&instance);
    static const char *const FILES[] = {"events.db", "events.db-wal", "events.db-shm", "events.db.owner"};
    for (size_t i = 0; i < sizeof FILES / sizeof FILES[0]; i++) {
        (void)unlink(path_of(FILES[i]));
    }
    cr_expect_eq(rmdir(folder), 0);
}

TestSuite(verbs, .init = set_up, .fini = tear_down, .timeout = 280);

static void expect_last_id(int64_t last_id, const char *what, int tick) {
    struct storage_head head = {0};
    struct error error = {0};
    cr_assert_eq(instance.storage->ops->head(instance.storage, &head, &error), OK);
    cr_assert_eq(head.last_id, last_id, "%s, allocation %d: the last id is %lld, not %lld", what, tick,
                 (long long)head.last_id, (long long)last_id);
}

Test(verbs, a_call_that_runs_out_of_memory_says_so_and_may_be_made_again) {
    int faults = 0;
    for (size_t i = 0; i < sizeof SCRIPT / sizeof SCRIPT[0]; i++) {
        faults += run_with_every_fault(&instance, SCRIPT[i].verb, SCRIPT[i].request, SCRIPT[i].wanted);
    }
    expect_last_id(3, "each event was stored once", 0);
    cr_expect_gt(faults, 200, "only %d allocations were seen", faults);
}

/* ---- each allocation of a call, all of its work before it ---- */

/* Every allocation; under the sanitizers, which are some ten times slower, every seventh: the release build does the
 * rest. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 7 };
#else
enum { STRIDE = 1 };
#endif

static char *dump(void) {
    char problem[PROBLEM_SIZE];
    char *text = store_dump(path_of("events.db"), problem);
    cr_assert_not_null(text, "%s", problem);
    return text;
}

static void expect_dump(const char *wanted, const char *text, int tick, const char *when) {
    char problem[PROBLEM_SIZE];
    char *got = dump();
    if (strcmp(got, wanted) != 0) {
        store_dump_compare(got, wanted, problem);
        cr_expect_fail("%s, allocation %d: %s: %s", text, tick, when, problem);
    }
    free(got);
}

/* The store's file while no instance has it: there is no log then. */
static void read_store(struct buffer *ret) {
    FILE *file = fopen(path_of("events.db"), "rb");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(file);
    rewind(file);
    cr_assert(buffer_reserve(ret, size));
    ret->size = fread(ret->data, 1, size, file);
    (void)fclose(file);
    cr_assert_eq(ret->size, size);
    cr_assert_neq(access(path_of("events.db-wal"), F_OK), 0);
}

static void write_store(struct bytes store) {
    FILE *file = fopen(path_of("events.db"), "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(store.data, 1, store.size, file), store.size);
    cr_assert_eq(fclose(file), 0);
}

/* Another instance, of a store as it was. */
static void open_again(struct bytes store) {
    instance_done(&instance);
    write_store(store);
    open_instance();
}

/* A step of the script, and what it makes of a store. */
struct trial {
    size_t step;
    struct buffer request, before, reply;
    char *dump_before, *dump_after;
};

static void trial_done(struct trial *trial) {
    buffer_done(&trial->request);
    buffer_done(&trial->before);
    buffer_done(&trial->reply);
    free(trial->dump_before);
    free(trial->dump_after);
}

/* Makes the step without a fault. */
static void trial_init(struct trial *ret_trial, size_t step) {
    struct trial trial = {.step = step};
    struct error error = {0};
    make_request(SCRIPT[step].request, &trial.request);
    instance_done(&instance);
    read_store(&trial.before);
    open_instance();
    trial.dump_before = dump();
    enum status status =
        run_for_reply(&instance, SCRIPT[step].verb, buffer_view(&trial.request), 0, &trial.reply, &error);
    cr_assert_eq(status, SCRIPT[step].wanted, "%s: %s: %s", SCRIPT[step].request, status_name(status), error.message);
    trial.dump_after = dump();
    *ret_trial = trial;
}

/* The step with the n-th allocation failing, on a store as it was before. False: fewer than n were made. */
static bool try_allocation(const struct trial *trial, int tick) {
    const struct verb *verb = SCRIPT[trial->step].verb;
    const char *text = SCRIPT[trial->step].request;
    enum status wanted = SCRIPT[trial->step].wanted;
    struct bytes request = buffer_view(&trial->request);
    CLEANUP(buffer_done) struct buffer reply = {0};
    struct error error = {0};
    open_again(buffer_view(&trial->before));
    enum status status = run_for_reply(&instance, verb, request, tick, &reply, &error);
    bool has_failed = allocations_failed() > 0;
    if (has_failed && status == NO_MEMORY) {
        expect_dump(trial->dump_before, text, tick, "it failed");
        status = run_for_reply(&instance, verb, request, 0, &reply, &error);
    }
    bool is_lost = has_failed && status == REPLY_LOST && wanted == OK;
    cr_assert(status == wanted || is_lost, "%s, allocation %d: %s: %s", text, tick, status_name(status), error.message);
    cr_expect(is_lost || bytes_equal(buffer_view(&reply), buffer_view(&trial->reply)),
              "%s, allocation %d: another reply", text, tick);
    expect_dump(trial->dump_after, text, tick, "in the end");
    return has_failed;
}

Test(verbs, whichever_allocation_fails_a_call_has_done_all_of_its_work_or_nothing, .timeout = 560) {
    int faults = 0;
    for (size_t i = 0; i < sizeof SCRIPT / sizeof SCRIPT[0]; i++) {
        CLEANUP(trial_done) struct trial trial;
        int tick = 1;
        trial_init(&trial, i);
        for (; try_allocation(&trial, tick); tick += STRIDE) {
            faults++;
        }
        cr_log_info("%d allocations of %s %s\n", tick - 1, SCRIPT[i].verb->name, SCRIPT[i].request);
    }
    cr_expect_gt(faults, 3000 / STRIDE, "only %d allocations were seen", faults);
}

/* ---- submitted requests ---- */

struct end {
    sem_t told;
    int count;
    enum status status;
    bool has_map; /* in the reply */
};

static void done(const struct completion *completion, uint64_t ticket, enum status status, struct bytes reply) {
    struct end *end = completion->context;
    (void)ticket;
    end->count++;
    end->status = status;
    end->has_map = reply.size > 0 && ((reply.data[0] & 0xf0) == 0x80 || reply.data[0] >= 0xde);
    (void)sem_post(&end->told);
}

/* The status with the n-th allocation failing, of submit or at the end. */
static enum status submit(struct bytes request, int tick, bool persistent) {
    struct end end = {.count = 0};
    struct error error = {0};
    uint64_t ticket = 0;
    const struct completion completion = {.context = &end, .done = done};
    cr_assert_eq(sem_init(&end.told, 0, 0), 0);
    allocations_fail_at(tick, persistent);
    enum status status = submitter_take(instance.submitter, request, &completion, &ticket, &error);
    if (status == OK) {
        while (sem_wait(&end.told) != 0) {
        }
        status = end.status;
        cr_assert_eq(end.has_map, status != REPLY_LOST, "allocation %d: %s", tick, status_name(status));
        cr_assert_gt(ticket, 0);
    }
    allocations_fail_at(0, false);
    cr_assert_leq(end.count, 1);
    (void)sem_destroy(&end.told);
    return status;
}

/* Returns how many allocations failed. */
static int submit_with_every_fault(const char *text, enum status wanted, int events, bool persistent,
                                   int64_t *last_id) {
    CLEANUP(buffer_done) struct buffer request = {0};
    make_request(text, &request);
    int tick = 1;
    for (bool has_failed = true; has_failed; tick++) {
        enum status status = submit(buffer_view(&request), tick, persistent);
        has_failed = allocations_failed() > 0;
        cr_assert(status == wanted || status == REPLY_LOST || (has_failed && status == NO_MEMORY),
                  "%s, allocation %d: %s", text, tick, status_name(status));
        *last_id += status == OK || status == REPLY_LOST ? events : 0;
        expect_last_id(*last_id, text, tick);
        cr_assert_eq(submit(buffer_view(&request), 0, false), wanted, "the next one is taken, and ends as it should");
        *last_id += wanted == OK ? events : 0;
        expect_last_id(*last_id, text, tick);
    }
    return tick - 1;
}

static void submit_script(bool persistent) {
    int64_t last_id = 0;
    int faults = 0;
    faults += submit_with_every_fault("{'op': 'append', 'events': [{'type': 'a', 'data': {'n': 1}, 'tags': ['t']},"
                                      " {'type': 'b', 'data': {}, 'stream': 's'}]}",
                                      OK, 2, persistent, &last_id);
    faults += submit_with_every_fault("{'op': 'append', 'event': {'type': 'a', 'data': 1}}", INVALID, 0, persistent,
                                      &last_id);
    faults += submit_with_every_fault("{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's',"
                                      " 'expected_version': 1000000}}",
                                      CONFLICT, 0, persistent, &last_id);
    faults += submit_with_every_fault("{'op': 'batch.get', 'id': 'none'}", NOT_FOUND, 0, persistent, &last_id);
    cr_expect_gt(faults, 20, "only %d allocations were seen", faults);
}

Test(verbs, a_submitted_request_that_runs_out_of_memory_says_so_and_changes_nothing) {
    submit_script(false);
}

Test(verbs, a_submitted_request_that_gets_no_memory_any_more_says_so_and_changes_nothing) {
    submit_script(true);
}
