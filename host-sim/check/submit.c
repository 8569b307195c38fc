/* submit.c: requests that nobody waits for: each that was taken ends once, and what it says holds. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check/pattern.h"
#include "check/trial.h"
#include "message/message.h"

enum { ENDS_MAX = 1024 };

/* How a request ended; its address is the context of its completion. */
struct end {
    struct ends *ends;
    _Atomic int told;
    _Atomic uint64_t ticket; /* as done was told */
    int32_t status;
    size_t place; /* among the ends, in the order in which they were told */
    json_t *reply;
    bool foreign; /* told by the thread that submitted */
};

struct ends {
    struct end each[ENDS_MAX];
    _Atomic size_t told;
    pthread_t submitter;
};
static struct ends ends;

static void hear(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct end *end = context;
    struct failure failure;
    if (atomic_fetch_add(&end->told, 1) > 0) {
        return; /* the check will see it */
    }
    end->place = atomic_fetch_add(&end->ends->told, 1);
    atomic_store(&end->ticket, ticket);
    end->status = status;
    end->foreign = !pthread_equal(pthread_self(), end->ends->submitter);
    if (reply.size > 0 && !message_unpack(reply.data, reply.size, &end->reply, &failure)) {
        finding("the reply of an end is no msgpack: %s", failure.message);
    }
}

static void begin(struct trial *trial, const char *config) {
    memset(&ends, 0, sizeof ends);
    ends.submitter = pthread_self();
    trial_open(trial, config);
}

static int32_t submit(struct trial *trial, size_t index, uint64_t *ret_ticket, const char *request) {
    CLEANUP(packed_done) struct packed bytes = packed("%s", request);
    struct end *end = &ends.each[index];
    end->ends = &ends;
    const polaris_es_completion completion = {.size = sizeof completion, .context = end, .done = hear};
    doing("submit %s", request);
    return trial->table->submit(trial->self, packed_bytes(&bytes), &completion, ret_ticket);
}

static void submit_ok(struct trial *trial, size_t index, uint64_t *ret_ticket, const char *request) {
    int32_t status = submit(trial, index, ret_ticket, request);
    REQUIRE(status == POLARIS_ES_OK, "submit of %s answered %s", request, answer_name(status));
}

static void submit_event(struct trial *trial, size_t index, uint64_t *ret_ticket) {
    char request[96];
    (void)snprintf(request, sizeof request, "{'op': 'append', 'event': {'type': 'a', 'data': {'n': %zu}}}", index);
    submit_ok(trial, index, ret_ticket, request);
}

static void expect_ends(size_t count) {
    for (size_t i = 0; i < count; i++) {
        REQUIRE(atomic_load(&ends.each[i].told) == 1, "the end of request %zu of %zu was told %d times", i + 1, count,
                atomic_load(&ends.each[i].told));
    }
}

static void each_ends_once(struct trial *trial) {
    enum { COUNT = 300 };
    static uint64_t tickets[COUNT];
    begin(trial, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        submit_event(trial, i, &tickets[i]);
        REQUIRE(i == 0 || tickets[i] > tickets[i - 1], "a request got the ticket %" PRIu64 " after %" PRIu64,
                tickets[i], tickets[i - 1]);
    }
    trial_shutdown(trial);
    (void)usleep(20000);
    expect_ends(COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        REQUIRE(ends.each[i].status == POLARIS_ES_OK, "request %zu ended with %s", i, answer_name(ends.each[i].status));
        REQUIRE(ends.each[i].foreign, "an end was told by the thread that submitted it");
        REQUIRE(atomic_load(&ends.each[i].ticket) == tickets[i],
                "an end was told under another ticket than submit gave");
    }
    trial_open(trial, NULL);
    REQUIRE(trial_count(trial) == COUNT, "%d submitted requests ended well, %" PRId64 " events are there", COUNT,
            trial_count(trial));
    trial_shutdown(trial);
}

static void in_order(struct trial *trial) {
    enum { COUNT = 200 };
    begin(trial, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        submit_event(trial, i, NULL);
    }
    trial_shutdown(trial);
    expect_ends(COUNT);
    int64_t last = 0;
    for (size_t i = 0; i < COUNT; i++) {
        int64_t id = json_integer_value(json_array_get(json_object_get(ends.each[i].reply, "ids"), 0));
        REQUIRE(id > last, "request %zu of one thread got the id %" PRId64 " after %" PRId64, i + 1, id, last);
        REQUIRE(ends.each[i].place == i, "the end of request %zu was told as number %zu", i + 1,
                ends.each[i].place + 1);
        last = id;
    }
}

static void same_replies(struct trial *trial) {
    static const struct {
        const char *request, *pattern;
        int32_t status;
    } REQUESTS[] = {
        {"{'op': 'append', 'event': {'type': 'a', 'data': {}}}",
         "{'ids': ['#1'], 'versions': [null], 'duplicates': 0, 'last_id': '#1'}", POLARIS_ES_OK},
        {"{'op': 'append', 'event': {'type': 'a', 'data': {}, 'colour': 'red'}}",
         "{'code': 1, 'name': 'INVALID', 'retryable': false, 'details': {'path': '/event/colour'}}",
         POLARIS_ES_INVALID},
        {"{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 7}}",
         "{'code': 4, 'details': {'path': '/event', 'current_version': 0}}", POLARIS_ES_CONFLICT},
        {"{'op': 'no.such.op'}", "{'code': 2, 'name': 'UNSUPPORTED'}", POLARIS_ES_UNSUPPORTED},
        {"{'op': 'batch.create', 'id': 'b'}", "{'batch': {'id': 'b', 'state': 'open'}}", POLARIS_ES_OK},
        {"{'op': 'batch.create', 'id': 'b'}", "{'code': 6, 'details': {'state': 'open'}}", POLARIS_ES_ALREADY},
    };
    enum { COUNT = sizeof REQUESTS / sizeof REQUESTS[0] };
    begin(trial, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        submit_ok(trial, i, NULL, REQUESTS[i].request);
    }
    trial_shutdown(trial);
    expect_ends(COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        json_auto_t *pattern = pattern_parse(REQUESTS[i].pattern);
        REQUIRE(ends.each[i].status == REQUESTS[i].status, "%s ended with %s, not %s", REQUESTS[i].request,
                answer_name(ends.each[i].status), answer_name(REQUESTS[i].status));
        REQUIRE(pattern_matches(ends.each[i].reply, pattern, trial->names), "the reply of %s is not %s",
                REQUESTS[i].request, REQUESTS[i].pattern);
    }
}

/* A thread that waits is switched away from; one that does not wait is so hardly ever. */
static void does_not_wait(struct trial *trial) {
    enum { COUNT = 200 };
    struct rusage before, after;
    begin(trial, "{'durability': 'full'}");
    (void)getrusage(RUSAGE_THREAD, &before);
    for (size_t i = 0; i < COUNT; i++) {
        submit_event(trial, i, NULL);
    }
    (void)getrusage(RUSAGE_THREAD, &after);
    trial_shutdown(trial);
    long waits = after.ru_nvcsw - before.ru_nvcsw;
    REQUIRE(waits < COUNT / 2, "submit waits: in %d calls its thread slept %ld times", COUNT, waits);
}

static void busy_when_full(struct trial *trial) {
    enum { COUNT = 600 };
    size_t taken = 0, refused = 0;
    begin(trial, "{'submit_max': 4, 'durability': 'full'}");
    for (size_t i = 0; i < COUNT; i++) {
        int32_t status = submit(trial, taken, NULL, "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
        REQUIRE(status == POLARIS_ES_OK || status == POLARIS_ES_BUSY, "submit answered %s", answer_name(status));
        taken += status == POLARIS_ES_OK ? 1 : 0;
        refused += status == POLARIS_ES_BUSY ? 1 : 0;
    }
    trial_shutdown(trial);
    expect_ends(taken);
    REQUIRE(refused > 0, "with submit_max 4, %d requests at once were all taken", COUNT);
    REQUIRE(atomic_load(&ends.told) == taken, "%zu requests were taken, %zu ends were told", taken,
            atomic_load(&ends.told));
    trial_open(trial, NULL);
    REQUIRE(trial_count(trial) == (int64_t)taken, "%zu requests were taken, %" PRId64 " events are there", taken,
            trial_count(trial));
    trial_shutdown(trial);
}

static void cancel(struct trial *trial) {
    enum { COUNT = 200 };
    static uint64_t tickets[COUNT];
    static int32_t answers[COUNT];
    size_t given_up = 0;
    begin(trial, "{'durability': 'full'}");
    for (size_t i = 0; i < COUNT; i++) {
        submit_event(trial, i, &tickets[i]);
    }
    for (size_t i = COUNT; i-- > 0;) {
        doing("cancel");
        answers[i] = trial->table->cancel(trial->self, tickets[i]);
        REQUIRE(answers[i] == POLARIS_ES_OK || answers[i] == POLARIS_ES_ALREADY, "cancel answered %s",
                answer_name(answers[i]));
        given_up += answers[i] == POLARIS_ES_OK ? 1 : 0;
    }
    trial_shutdown(trial);
    expect_ends(COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        int32_t expected = answers[i] == POLARIS_ES_OK ? POLARIS_ES_CANCELLED : POLARIS_ES_OK;
        REQUIRE(ends.each[i].status == expected, "cancel answered %s, and the request ended with %s",
                answer_name(answers[i]), answer_name(ends.each[i].status));
    }
    trial_open(trial, NULL);
    REQUIRE(trial_count(trial) == (int64_t)(COUNT - given_up),
            "%zu of %d requests were given up, %" PRId64 " events are there", given_up, COUNT, trial_count(trial));
    trial_shutdown(trial);
}

static void cancel_in_vain(struct trial *trial) {
    uint64_t ticket = 0;
    begin(trial, NULL);
    int32_t status = trial->table->cancel(trial->self, UINT64_C(1) << 60);
    REQUIRE(status == POLARIS_ES_NOT_FOUND, "cancel of a ticket that never was answered %s", answer_name(status));
    submit_event(trial, 0, &ticket);
    for (int i = 0; i < 10000 && atomic_load(&ends.told) == 0; i++) {
        (void)usleep(1000);
    }
    REQUIRE(atomic_load(&ends.each[0].told) == 1, "a submitted request has not ended after 10 s");
    status = trial->table->cancel(trial->self, ticket);
    REQUIRE(status == POLARIS_ES_ALREADY, "cancel of what has ended answered %s", answer_name(status));
    trial_shutdown(trial);
}

static void among_stores(struct trial *trial) {
    begin(trial, NULL);
    for (size_t i = 0; i < 50; i++) {
        submit_event(trial, i, NULL);
        (void)trial_append(trial, (int64_t)i);
    }
    trial_shutdown(trial);
    expect_ends(50);
    trial_open(trial, NULL);
    REQUIRE(trial_count(trial) == 100, "50 stored and 50 submitted events make %" PRId64, trial_count(trial));
    trial_shutdown(trial);
}

static void reader_refuses(struct trial *trial) {
    begin(trial, NULL);
    trial_shutdown(trial);
    trial_open(trial, "{'mode': 'read'}");
    int32_t status = submit(trial, 0, NULL, "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
    REQUIRE(status == POLARIS_ES_READ_ONLY, "submit to a reader answered %s", answer_name(status));
    trial_shutdown(trial);
    REQUIRE(atomic_load(&ends.told) == 0, "an end was told of what was not taken");
}

static const struct check CHECKS[] = {
    CHECK("submit/each-request-ends-once", "300 of them, each under its ticket, before shutdown returns", NEEDS_SUBMIT,
          each_ends_once),
    CHECK("submit/keeps-the-order-of-a-thread", "ids and ends in the order of submission", NEEDS_SUBMIT, in_order),
    CHECK("submit/ends-as-store-answers", "status and reply, of errors as well", NEEDS_SUBMIT, same_replies),
    CHECK("submit/does-not-wait", "its thread is not put to sleep while commits go on", NEEDS_SUBMIT, does_not_wait),
    CHECK("submit/is-busy-when-full", "submit_max; nothing is dropped, nothing told of what was not taken",
          NEEDS_SUBMIT, busy_when_full),
    CHECK("submit/cancel-gives-up-what-has-not-begun", "CANCELLED, and it changes nothing; ALREADY otherwise",
          NEEDS_SUBMIT, cancel),
    CHECK("submit/cancel-tells-tickets-apart", "NOT_FOUND for what never was, ALREADY for what has ended", NEEDS_SUBMIT,
          cancel_in_vain),
    CHECK("submit/takes-its-turn-among-stores", "both ways of storing at once", NEEDS_SUBMIT, among_stores),
    CHECK("submit/of-a-reader-is-read-only", "and no end is told", NEEDS_SUBMIT | POLARIS_ES_CAN_READ_MODE,
          reader_refuses),
};
const struct check_group CHECK_SUBMIT = CHECK_GROUP(CHECKS);
