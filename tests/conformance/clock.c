/* clock.c: a host's clock that jumps, back and forth: what is recorded never goes back, and no lease, delay or wait is
 * lost or lasts for ever. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "es.h"

#define HOUR_US (INT64_C(3600) * ES_SECOND_US)
#define YEAR_US (INT64_C(365) * 24 * HOUR_US)

static void jump_to(struct es *es, int64_t now_us) {
    atomic_store(&es->now_us, now_us);
}

Test(clock, recorded_at_never_goes_back_wherever_the_clock_goes_and_whoever_opens_the_store) {
    static const int64_t JUMPS_US[] = {0, ES_SECOND_US, -HOUR_US, 1, YEAR_US, -YEAR_US, -20 * YEAR_US, HOUR_US};
    enum { JUMPS = sizeof JUMPS_US / sizeof JUMPS_US[0], JUMP_YEAR = 4 };
    struct es *es = es_open(NULL);
    int64_t last_us = 0, highest_us = 0;
    for (int i = 0; i < 3 * JUMPS; i++) {
        int64_t now_us = ES_START_US + JUMPS_US[i % JUMPS];
        jump_to(es, now_us);
        highest_us = now_us > highest_us ? now_us : highest_us;
        if (i % 3 == 2) {
            es_reopen(es, NULL);
        }
        json_t *reply = es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
        int64_t recorded_us = es_int(reply, "recorded_at");
        cr_expect_geq(recorded_us, last_us, "jump %d", i);
        cr_expect_eq(recorded_us, highest_us, "jump %d", i);
        last_us = recorded_us;
    }
    es_expect(es_ok(es, "query", "{'op': 'events', 'filter': {'recorded_from': %lld}}", (long long)last_us),
              "{'count': %d}", 3 * JUMPS - JUMP_YEAR);
    es_close(es);
}

Test(clock, a_batch_that_completes_while_the_clock_is_back_is_recorded_behind_what_was_there) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "store", "{'op': 'batch.create', 'id': 'b'}");
    (void)es_ok(es, "store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    jump_to(es, ES_START_US - YEAR_US);
    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}"), "{'recorded_at': %lld}",
              (long long)ES_START_US);
    es_close(es);
}

Test(clock, a_claimed_entry_is_held_while_the_clock_is_back_and_free_when_its_lease_ends) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'delay_us': 0}");
    es_expect(es_ok(es, "dlq", "{'op': 'claim', 'lease_us': 1000000}"), "{'count': 1, 'entries': [{'token': 1}]}");

    jump_to(es, ES_START_US - HOUR_US);
    es_expect(es_ok(es, "dlq", "{'op': 'claim'}"), "{'count': 0, 'next_due_at': %lld}",
              (long long)ES_START_US + ES_SECOND_US);

    jump_to(es, ES_START_US + YEAR_US); /* expired: one attempt more, and due at its time */
    (void)es_ok(es, "dlq", "{'op': 'claim'}");
    es_expect(es_ok(es, "dlq", "{'op': 'get', 'id': 1}"), "{'entry': {'attempts': 1}}");
    jump_to(es, ES_START_US + YEAR_US + HOUR_US);
    es_expect(es_ok(es, "dlq", "{'op': 'claim'}"), "{'count': 1, 'entries': [{'token': 2}]}");
    (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, NULL, "dlq", "{'op': 'resolve', 'id': 1, 'token': 1}");
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 1, 'token': 2}");
    es_close(es);
}

Test(clock, at_the_ends_of_time_every_op_answers) {
    static const int64_t TIMES_US[] = {INT64_C(-62135596800000000), /* year 1 */
                                       -1,
                                       0,
                                       INT64_C(253402300799999999), /* the end of year 9999 */
                                       INT64_MAX,
                                       INT64_MIN};
    for (size_t i = 0; i < sizeof TIMES_US / sizeof TIMES_US[0]; i++) {
        struct es *es = es_open(NULL);
        (void)es_append(es, "{'type': 'a', 'data': {}}");
        jump_to(es, TIMES_US[i]);
        static const char *const REQUESTS[][2] = {
            {"store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}"},
            {"dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}}"},
            {"dlq", "{'op': 'claim', 'lease_us': 86400000000}"},
            {"dlq", "{'op': 'retry'}"},
            {"dlq", "{'op': 'count'}"},
            {"store", "{'op': 'batch.create', 'id': 'b'}"},
            {"schema", "{'op': 'put', 'type': 'a', 'schema': true}"},
            {"query", "{'op': 'events', 'wait_us': 1000}"},
            {"query", "{'op': 'events', 'filter': {'after_id': 1000}, 'wait_us': 1000}"},
            {"query", "{'op': 'histogram', 'by': 'time', 'bucket_us': 1000000}"},
        };
        for (size_t j = 0; j < sizeof REQUESTS / sizeof REQUESTS[0]; j++) {
            int32_t status = es_call(es, REQUESTS[j][0], "%s", REQUESTS[j][1]);
            char *reply = json_dumps(es->reply, JSON_COMPACT);
            cr_expect_eq(status, POLARIS_ES_OK, "clock %lld, %s: %s", (long long)TIMES_US[i], REQUESTS[j][1], reply);
            free(reply);
        }
        es_close(es);
    }
}

Test(clock, a_long_poll_ends_in_its_time_though_the_clock_stands) {
    struct es *es = es_open(NULL);
    es_expect(es_ok(es, "query", "{'op': 'events', 'wait_us': 50000}"), "{'count': 0}");
    es_close(es);
}
