/* submit_test.c: requests that are not waited for, through the host: the gate, swaps, builds that have no submit. */
#include <criterion/criterion.h>
#include <host/host_internal.h>
#include <message/message.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"
#include "scratch.h"

static struct scratch scratch;
static struct host *host;

static void set_up(void) {
    struct failure failure = {""};
    scratch_open(&scratch);
    host = load_open(PLUGIN, scratch_path(&scratch, "events.db"), &failure);
    cr_assert_not_null(host, "%s", failure.message);
}

static void tear_down(void) {
    host_close(host);
    scratch_close(&scratch);
}

TestSuite(host_submit, .init = set_up, .fini = tear_down, .timeout = 120);

static const uint8_t APPEND[] = "\x82\xa2op\xa6"
                                "append\xa5"
                                "event\x82\xa4type\xa1t\xa4"
                                "data\x80";

static atomic_int ends, bad_ends;
static atomic_bool held, stands; /* `done` stands still while it is held */
static _Atomic uint64_t last_ticket;

static void done(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    (void)reply;
    if (context != &ends || status != POLARIS_ES_OK) {
        atomic_fetch_add(&bad_ends, 1);
    }
    while (atomic_load(&held)) {
        atomic_store(&stands, true);
        (void)sched_yield();
    }
    atomic_store(&last_ticket, ticket);
    atomic_fetch_add(&ends, 1);
}

static const polaris_es_completion COMPLETION = {.size = sizeof COMPLETION, .context = &ends, .done = done};

static int32_t submit(uint64_t *ret_ticket) {
    return host_submit(host, APPEND, sizeof APPEND - 1, &COMPLETION, ret_ticket);
}

static int64_t last_id(void) {
    json_t *reply = NULL;
    cr_assert_eq(load_call(host, HOST_QUERY, "{'op': 'head'}", &reply), POLARIS_ES_OK);
    int64_t id = json_integer_value(json_object_get(reply, "last_id"));
    json_decref(reply);
    return id;
}

static void wait_for_ends(int count) {
    while (atomic_load(&ends) < count) {
        (void)sched_yield();
    }
}

Test(host_submit, gives_tickets_and_tells_each_end) {
    uint64_t first = 0, second = 0;
    cr_assert_eq(submit(&first), POLARIS_ES_OK);
    cr_assert_eq(submit(&second), POLARIS_ES_OK);
    cr_assert_eq(submit(NULL), POLARIS_ES_OK);
    wait_for_ends(3);
    cr_expect_gt(first, 0);
    cr_expect_gt(second, first);
    cr_expect_gt(atomic_load(&last_ticket), second);
    cr_expect_eq(atomic_load(&bad_ends), 0);
    cr_expect_eq(last_id(), 3);
    cr_expect_eq(host_cancel(host, first), POLARIS_ES_ALREADY);
    cr_expect_eq(host_cancel(host, second + 100), POLARIS_ES_NOT_FOUND);
    cr_expect_eq(host_violations(host), 0);
}

static atomic_int cancelled;

static void done_or_cancelled(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    atomic_fetch_add(&cancelled, status == POLARIS_ES_CANCELLED);
    done(context, ticket, POLARIS_ES_OK, reply);
}

Test(host_submit, gives_up_what_has_not_begun) {
    const polaris_es_completion completion = {.size = sizeof completion, .context = &ends, .done = done_or_cancelled};
    uint64_t ticket = 0;
    atomic_store(&held, true);
    cr_assert_eq(submit(NULL), POLARIS_ES_OK);
    while (!atomic_load(&stands)) {
        (void)sched_yield();
    }
    cr_assert_eq(host_submit(host, APPEND, sizeof APPEND - 1, &completion, &ticket), POLARIS_ES_OK);
    cr_expect_eq(host_cancel(host, ticket), POLARIS_ES_OK);
    cr_expect_eq(host_cancel(host, ticket), POLARIS_ES_ALREADY);
    atomic_store(&held, false);
    wait_for_ends(2);
    cr_expect_eq(atomic_load(&cancelled), 1);
    cr_expect_eq(last_id(), 1);
}

Test(host_submit, all_that_was_taken_has_ended_when_the_host_is_closed) {
    for (int i = 0; i < 500; i++) {
        cr_assert_eq(submit(NULL), POLARIS_ES_OK);
    }
    host_close(host);
    host = NULL;
    cr_expect_eq(atomic_load(&ends), 500);
    cr_expect_eq(atomic_load(&bad_ends), 0);
}

/* ---- swaps ---- */

static void *swap_to_b(void *argument) {
    struct swap_report report;
    struct failure failure = {""};
    cr_expect(host_swap(host, PLUGIN_B, &report, &failure), "%s", failure.message);
    *(int *)argument = atomic_load(&ends);
    return NULL;
}

static void *submit_one(void *argument) {
    cr_expect_eq(submit(argument), POLARIS_ES_OK);
    return NULL;
}

static void wait_until_closed(void) {
    while (atomic_load(&host->gate.state) < GATE_CLOSED) {
    }
}

static void wait_until_somebody_waits(void) {
    for (bool waits = false; !waits;) {
        (void)pthread_mutex_lock(&host->gate.lock);
        waits = host->gate.waiting > 0;
        (void)pthread_mutex_unlock(&host->gate.lock);
    }
}

Test(host_submit, during_a_swap_those_in_flight_end_before_it_is_over_and_a_new_one_waits) {
    pthread_t swapping, submitting;
    int ends_at_swap = 0;
    uint64_t ticket = 0;
    atomic_store(&held, true);
    for (int i = 0; i < 50; i++) {
        cr_assert_eq(submit(NULL), POLARIS_ES_OK);
    }
    cr_assert_eq(pthread_create(&swapping, NULL, swap_to_b, &ends_at_swap), 0);
    wait_until_closed();
    cr_assert_eq(pthread_create(&submitting, NULL, submit_one, &ticket), 0);
    wait_until_somebody_waits();
    cr_expect_eq(atomic_load(&ends), 0);

    atomic_store(&held, false);
    (void)pthread_join(swapping, NULL);
    (void)pthread_join(submitting, NULL);
    wait_for_ends(51);

    cr_expect_geq(ends_at_swap, 50);
    cr_expect_eq(atomic_load(&bad_ends), 0);
    cr_expect_eq(ticket, 1, "it is the new build's first");
    cr_expect_eq(last_id(), 51);
    cr_expect_eq(host_violations(host), 0);
}

Test(host_submit, over_many_swaps_each_request_ends_once_and_is_stored_once) {
    enum { ROUNDS = 6, EACH = 100 };
    for (int i = 0; i < ROUNDS; i++) {
        struct swap_report report;
        struct failure failure = {""};
        for (int j = 0; j < EACH; j++) {
            cr_assert_eq(submit(NULL), POLARIS_ES_OK);
        }
        cr_assert(host_swap(host, i % 2 == 0 ? PLUGIN_B : PLUGIN, &report, &failure), "%s", failure.message);
        cr_expect_eq(atomic_load(&ends), (i + 1) * EACH);
    }
    cr_expect_eq(atomic_load(&bad_ends), 0);
    cr_expect_eq(last_id(), ROUNDS * EACH);
    cr_expect_eq(host_violations(host), 0);
}

/* ---- refused ---- */

Test(host_submit, of_a_build_without_submit_is_unsupported) {
    struct swap_report report;
    struct failure failure = {""};
    cr_assert(host_swap(host, FIXTURE_TEMPLATE, &report, &failure), "%s", failure.message);
    cr_expect_eq(submit(NULL), POLARIS_ES_UNSUPPORTED);
    cr_expect_eq(host_cancel(host, 1), POLARIS_ES_UNSUPPORTED);
    cr_expect_eq(host_violations(host), 0);
}

#ifdef PLUGIN_1_0
Test(host_submit, of_a_build_of_the_first_minor_is_unsupported_and_a_swap_to_one_ends_all) {
    struct swap_report report;
    struct failure failure = {""};
    for (int i = 0; i < 20; i++) {
        cr_assert_eq(submit(NULL), POLARIS_ES_OK);
    }
    cr_assert(host_swap(host, PLUGIN_1_0, &report, &failure), "%s", failure.message);
    cr_expect_eq(atomic_load(&ends), 20);
    cr_expect_eq(submit(NULL), POLARIS_ES_UNSUPPORTED);
    cr_expect_eq(host_cancel(host, 1), POLARIS_ES_UNSUPPORTED);
    cr_expect_eq(last_id(), 20);
    cr_expect_eq(host_violations(host), 0);
}
#endif

Test(host_submit, is_busy_while_no_store_is_open) {
    struct swap_report report;
    struct failure failure = {""};
    cr_assert(host_swap(host, FIXTURE_PLUGIN, &report, &failure), "%s", failure.message);
    setenv("FIXTURE_INIT", "15", 1);
    cr_assert_not(host_swap(host, FIXTURE_NEWER_FORMAT, &report, &failure));
    cr_assert_not(host_is_open(host));
    cr_expect_eq(submit(NULL), POLARIS_ES_BUSY);
    cr_expect_eq(host_cancel(host, 1), POLARIS_ES_BUSY);
    cr_expect_eq(atomic_load(&ends), 0);
}

static _Atomic int32_t status_in_callback = -1;

static void submit_from_within(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    atomic_store(&status_in_callback, submit(NULL));
    done(context, ticket, status, reply);
}

Test(host_submit, from_within_a_completion_is_refused) {
    const polaris_es_completion completion = {.size = sizeof completion, .context = &ends, .done = submit_from_within};
    cr_assert_eq(host_submit(host, APPEND, sizeof APPEND - 1, &completion, NULL), POLARIS_ES_OK);
    wait_for_ends(1);
    cr_expect_eq(atomic_load(&status_in_callback), POLARIS_ES_INVALID);
    cr_expect_eq(host_violations(host), 1);
    cr_expect_eq(last_id(), 1);
}
