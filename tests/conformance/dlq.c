/* dlq.c: dead letters: put, handed out, resolved, failed, parked, discarded; and the old plugin's call. */
#include "dlq_support.h"

#include <criterion/criterion.h>
#include <string.h>

/* ---- put ---- */

Test(dlq, a_failed_event_becomes_a_pending_entry_that_is_due_after_the_first_delay) {
    struct es *es = open_with_events(1);

    json_t *reply = es_ok(es, "dlq",
                          "{'op': 'put', 'event_id': 1, 'consumer': 'mailer',"
                          " 'error': {'message': 'no route', 'class': 'Timeout'}}");

    es_expect(reply,
              "{'entry': {'id': 1, 'event_id': 1, 'consumer': 'mailer', 'state': 'pending', 'attempts': 0,"
              " 'attempts_max': 3, 'created_at': %lld, 'updated_at': %lld, 'due_at': %lld, 'stream': 's1',"
              " 'failures': [{'class': 'Timeout', 'message': 'no route', 'time': %lld}]}}",
              now_plus(es, 0), now_plus(es, 0), now_plus(es, 1), now_plus(es, 0));
    const json_t *entry = json_object_get(reply, "entry");
    static const char *const ABSENT[] = {"token", "lease_until", "holder", "reason", "event"};
    for (size_t i = 0; i < sizeof ABSENT / sizeof ABSENT[0]; i++) {
        cr_assert_null(json_object_get(entry, ABSENT[i]), "%s", ABSENT[i]);
    }
    es_close(es);
}

Test(dlq, there_is_no_dead_letter_for_an_event_that_does_not_exist) {
    struct es *es = open_with_events(1);
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, "/event_id", "7", "dlq",
                     "{'op': 'put', 'event_id': 7, 'error': {'message': 'm'}}");
    es_expect(es_ok(es, "dlq", "{'op': 'count'}"), "{'total': 0}");
    es_close(es);
}

Test(dlq, there_is_one_entry_per_event_and_consumer_and_putting_again_counts_an_attempt) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "x");
    (void)put(es, 1, "y");

    es_expect(put(es, 1, "x"), "{'id': 1, 'attempts': 1, 'due_at': %lld, 'failures': ['*', '*']}", now_plus(es, 2));

    es_expect(es_ok(es, "dlq", "{'op': 'list'}"), "{'count': 2, 'entries': [{'consumer': 'x'}, {'consumer': 'y'}]}");
    es_close(es);
}

Test(dlq, attempts_max_and_delay_of_a_put_replace_the_policys) {
    struct es *es = open_with_events(1);
    es_expect(
        es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'attempts_max': 1, 'delay_us': 5}"),
        "{'entry': {'attempts_max': 1, 'due_at': %lld, 'consumer': 'default'}}", now_plus(es, 0) + 5);
    es_close(es);
}

Test(dlq, an_entry_that_ended_begins_anew_when_it_is_put_again) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    (void)es_ok(es, "dlq", "{'op': 'fail', 'event_id': 1, 'error': {'message': 'm'}}");
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'event_id': 1}");
    es_expect(put(es, 1, "default"), "{'id': 1, 'state': 'pending', 'attempts': 0, 'due_at': %lld}", now_plus(es, 1));
    (void)es_ok(es, "dlq", "{'op': 'discard', 'event_id': 1, 'reason': 'r'}");
    json_t *entry = put(es, 1, "default");
    es_expect(entry, "{'state': 'pending', 'attempts': 0}");
    cr_assert_null(json_object_get(entry, "reason"));
    es_close(es);
}

Test(dlq, a_claimed_entry_cannot_be_put_again) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    pass_seconds(es, 1);
    (void)claim_one(es, "default");
    (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, "claimed", "dlq",
                     "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}}");
    es_close(es);
}

Test(dlq, the_last_ten_failures_are_kept_oldest_first_and_long_messages_are_cut) {
    struct es *es = open_with_events(1);
    for (int i = 1; i <= 12; i++) {
        (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'attempts_max': 1000, 'error': {'message': 'm%d'}}", i);
    }
    json_t *failures = json_object_get(get_entry(es, 1), "failures");
    cr_assert_eq(json_array_size(failures), 10);
    es_expect(json_array_get(failures, 0), "{'message': 'm3'}");
    es_expect(json_array_get(failures, 9), "{'message': 'm12'}");

    /* 4,095 bytes, then a character of two: it must go as a whole */
    char message[4100];
    memset(message, 'x', 4095);
    strcpy(message + 4095, "\xc3\xa9");
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': '%s'}}", message);
    failures = json_object_get(get_entry(es, 1), "failures");
    cr_assert_eq(strlen(es_text(json_array_get(failures, 9), "message")), 4095);
    es_close(es);
}

/* ---- claim ---- */

Test(dlq, what_is_due_is_handed_out_with_its_event_a_token_and_a_lease) {
    struct es *es = open_with_events(2);
    (void)put(es, 1, "default");
    (void)put(es, 2, "other");
    es_expect(es_ok(es, "dlq", "{'op': 'claim'}"), "{'entries': [], 'count': 0, 'next_due_at': %lld}", now_plus(es, 1));
    pass_seconds(es, 1);

    json_t *reply = es_ok(es, "dlq", "{'op': 'claim', 'lease_us': 5000000, 'holder': 'worker 1', 'limit': 10}");

    es_expect(reply,
              "{'count': 1, 'entries': [{'id': 1, 'state': 'claimed', 'attempts': 0, 'token': '*',"
              " 'lease_until': %lld, 'holder': 'worker 1', 'event': {'id': 1, 'data': {'n': 1}, 'stream': 's1'}}]}",
              now_plus(es, 5));
    cr_assert_null(json_object_get(json_array_get(json_object_get(reply, "entries"), 0), "due_at"));
    cr_assert_eq(claim_count(es, ""), 0, "it is handed out once");
    es_expect(es->reply, "{'next_due_at': %lld}", now_plus(es, 5));
    es_close(es);
}

Test(dlq, claims_go_by_due_time_and_limit_zero_gives_none) {
    struct es *es = open_with_events(3);
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'delay_us': 300}");
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 2, 'error': {'message': 'm'}, 'delay_us': 100}");
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 3, 'error': {'message': 'm'}, 'delay_us': 200}");
    pass_seconds(es, 1);
    es_expect(es_ok(es, "dlq", "{'op': 'claim', 'limit': 0}"), "{'entries': [], 'count': 0}");
    es_expect(es_ok(es, "dlq", "{'op': 'claim'}"), "{'entries': [{'event_id': 2}]}");
    es_expect(es_ok(es, "dlq", "{'op': 'claim', 'limit': 5}"), "{'entries': [{'event_id': 3}, {'event_id': 1}]}");
    es_expect(es_ok(es, "dlq", "{'op': 'claim', 'consumer': 'nobody'}"), "{'entries': [], 'count': 0}");
    cr_assert_null(json_object_get(es->reply, "next_due_at"));
    es_close(es);
}

Test(dlq, with_order_later_entries_of_a_stream_wait_for_the_earlier_live_one) {
    struct es *es = open_with_events(5); /* 1, 3, 5 are of s1; 2, 4 of s0 */
    for (int i = 1; i <= 5; i++) {
        (void)put(es, i, "default");
    }
    pass_seconds(es, 1);
    es_expect(es_ok(es, "dlq", "{'op': 'claim', 'limit': 10, 'ordered': true}"),
              "{'entries': [{'event_id': 1, 'token': 1}, {'event_id': 2}]}");
    cr_assert_eq(claim_count(es, "'ordered': true"), 0);
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'event_id': 1, 'token': 1}");
    es_expect(es_ok(es, "dlq", "{'op': 'claim', 'limit': 10, 'ordered': true}"), "{'entries': [{'event_id': 3}]}");
    cr_assert_eq(claim_count(es, ""), 2, "without order nothing waits");
    es_close(es);
}

Test(dlq, a_parked_entry_holds_back_later_ones_of_its_stream_until_it_is_discarded) {
    struct es *es = open_with_events(3);
    (void)put(es, 1, "default");
    (void)put(es, 3, "default");
    (void)es_ok(es, "dlq", "{'op': 'fail', 'event_id': 1, 'error': {'message': 'm'}, 'park': true}");
    pass_seconds(es, 1);
    cr_assert_eq(claim_count(es, "'ordered': true"), 0);
    (void)es_ok(es, "dlq", "{'op': 'discard', 'event_id': 1, 'reason': 'will never work'}");
    cr_assert_eq(claim_count(es, "'ordered': true"), 1);
    es_close(es);
}

Test(dlq, an_expired_lease_counts_as_a_failed_attempt_when_the_next_claim_settles_it) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    pass_seconds(es, 1);
    int64_t token = claim_one(es, "default");
    pass_seconds(es, 30);

    cr_assert_eq(claim_count(es, ""), 0);

    es_expect(get_entry(es, 1), "{'state': 'pending', 'attempts': 1, 'due_at': %lld}", now_plus(es, 2));
    (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, "token", "dlq", "{'op': 'resolve', 'id': 1, 'token': %lld}",
                     (long long)token);
    pass_seconds(es, 2);
    cr_assert_neq(claim_one(es, "default"), token);
    (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, "token", "dlq", "{'op': 'resolve', 'id': 1, 'token': %lld}",
                     (long long)token);
    es_close(es);
}

Test(dlq, a_claim_ends_when_its_reply_is_large_and_leaves_the_rest_for_the_next) {
    struct es *es = es_open("{'retry_jitter': 0, 'retry_base_us': 0, 'reply_size_max': 65536}");
    char text[30001];
    memset(text, 'x', 30000);
    text[30000] = '\0';
    for (int i = 1; i <= 5; i++) {
        (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'x': '%s'}}}", text);
        (void)put(es, i, "default");
    }
    cr_assert_eq(claim_count(es, ""), 3);
    cr_assert_eq(claim_count(es, ""), 2);
    cr_assert_eq(claim_count(es, ""), 0);
    es_close(es);
}

/* ---- resolve, fail, discard ---- */

Test(dlq, an_event_that_succeeds_on_retry_is_never_handed_out_again) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    pass_seconds(es, 1);
    int64_t token = claim_one(es, "default");

    es_expect(es_ok(es, "dlq", "{'op': 'resolve', 'id': 1, 'token': %lld}", (long long)token),
              "{'entry': {'state': 'resolved', 'attempts': 0}}");

    for (int i = 0; i < 5; i++) {
        pass_seconds(es, 100000);
        cr_assert_eq(claim_count(es, ""), 0);
        es_expect(es_ok(es, "dlq", "{'op': 'retry'}"), "{'count': 0}");
    }
    es_close(es);
}

Test(dlq, failed_attempts_wait_longer_each_time_and_the_last_one_parks) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    static const int64_t DELAYS[] = {1, 2, 4};
    for (int i = 0; i < 3; i++) {
        pass_seconds(es, DELAYS[i] - 1);
        cr_assert_eq(claim_count(es, ""), 0, "not due before its time");
        pass_seconds(es, 1);
        int64_t token = claim_one(es, "default");
        es_expect(
            es_ok(es, "dlq", "{'op': 'fail', 'id': 1, 'token': %lld, 'error': {'message': 'again'}}", (long long)token),
            "{'entry': {'state': '%s', 'attempts': %d}}", i < 2 ? "pending" : "parked", i + 1);
    }
    pass_seconds(es, 1000000);
    cr_assert_eq(claim_count(es, ""), 0);
    cr_assert_null(json_object_get(es->reply, "next_due_at"));
    es_close(es);
}

Test(dlq, fail_takes_a_delay_of_its_own_or_gives_up_at_once) {
    struct es *es = open_with_events(2);
    (void)put(es, 1, "default");
    es_expect(es_ok(es, "dlq", "{'op': 'fail', 'id': 1, 'error': {'message': 'm'}, 'delay_us': 7}"),
              "{'entry': {'state': 'pending', 'attempts': 1, 'due_at': %lld}}", now_plus(es, 0) + 7);
    json_t *entry = json_object_get(
        es_ok(es, "dlq", "{'op': 'fail', 'id': 1, 'error': {'message': 'm', 'class': 'C'}, 'park': true}"), "entry");
    es_expect(entry, "{'state': 'parked', 'attempts': 2}");
    cr_assert_null(json_object_get(entry, "due_at"));
    es_close(es);
}

Test(dlq, a_discard_needs_a_reason_and_keeps_it) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    (void)es_refused(es, POLARIS_ES_INVALID, "/reason", "reason", "dlq", "{'op': 'discard', 'id': 1}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/reason", NULL, "dlq", "{'op': 'discard', 'id': 1, 'reason': ''}");
    es_expect(es_ok(es, "dlq", "{'op': 'discard', 'id': 1, 'reason': 'a duplicate'}"),
              "{'entry': {'state': 'discarded', 'reason': 'a duplicate'}}");
    pass_seconds(es, 100);
    cr_assert_eq(claim_count(es, ""), 0);
    es_close(es);
}

Test(dlq, a_claimed_entry_is_changed_only_by_who_has_its_token) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    pass_seconds(es, 1);
    long long token = (long long)claim_one(es, "default");
    static const char *const CHANGES[] = {"'op': 'resolve'", "'op': 'fail', 'error': {'message': 'm'}",
                                          "'op': 'discard', 'reason': 'r'"};
    for (size_t i = 0; i < 3; i++) {
        (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, "token", "dlq", "{%s, 'id': 1}", CHANGES[i]);
        (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, "token", "dlq", "{%s, 'id': 1, 'token': %lld}", CHANGES[i],
                         token + 1);
    }
    (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, "claimed", "dlq", "{'op': 'redrive', 'id': 1}");
    es_expect(get_entry(es, 1), "{'state': 'claimed', 'attempts': 0, 'failures': ['*']}");
    (void)es_ok(es, "dlq", "{'op': 'discard', 'id': 1, 'token': %lld, 'reason': 'r'}", token);
    es_close(es);
}

Test(dlq, unknown_and_ended_entries_are_different_errors) {
    struct es *es = open_with_events(2);
    (void)put(es, 1, "default");
    (void)put(es, 2, "default");
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 1}");
    (void)es_ok(es, "dlq", "{'op': 'discard', 'id': 2, 'reason': 'r'}");
    static const struct {
        const char *change;
        int32_t unknown, resolved, discarded;
    } CASES[] = {
        {"'op': 'resolve'", POLARIS_ES_NOT_FOUND, POLARIS_ES_ALREADY, POLARIS_ES_CLOSED},
        {"'op': 'fail', 'error': {'message': 'm'}", POLARIS_ES_NOT_FOUND, POLARIS_ES_CLOSED, POLARIS_ES_CLOSED},
        {"'op': 'discard', 'reason': 'r'", POLARIS_ES_NOT_FOUND, POLARIS_ES_CLOSED, POLARIS_ES_ALREADY},
        {"'op': 'redrive'", POLARIS_ES_NOT_FOUND, POLARIS_ES_CLOSED, POLARIS_ES_CLOSED},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_refused(es, CASES[i].unknown, NULL, "77", "dlq", "{%s, 'id': 77}", CASES[i].change);
        (void)es_refused(es, CASES[i].unknown, NULL, "event 1", "dlq", "{%s, 'event_id': 1, 'consumer': 'nobody'}",
                         CASES[i].change);
        (void)es_refused(es, CASES[i].resolved, NULL, "resolved", "dlq", "{%s, 'id': 1}", CASES[i].change);
        (void)es_refused(es, CASES[i].discarded, NULL, "discarded", "dlq", "{%s, 'event_id': 2}", CASES[i].change);
    }
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, NULL, "77", "dlq", "{'op': 'get', 'id': 77}");
    es_close(es);
}

/* ---- retry: the old plugin's call ---- */

Test(dlq, retry_hands_out_what_is_due_and_counts_the_attempt_at_once) {
    struct es *es = open_with_events(2);
    (void)put(es, 1, "default");
    (void)put(es, 2, "default");
    es_expect(es_ok(es, "dlq", "{'op': 'retry'}"), "{'entries': [], 'count': 0, 'parked': 0}");
    pass_seconds(es, 1);
    es_expect(es_ok(es, "dlq", "{'op': 'retry'}"),
              "{'count': 2, 'parked': 0, 'entries': [{'event_id': 1, 'attempts': 1, 'state': 'claimed', 'token': '*',"
              " 'event': {'id': 1}}, {'event_id': 2, 'attempts': 1}]}");
    es_close(es);
}

Test(dlq, attempts_count_only_failures_a_success_takes_its_own_back) {
    struct es *es = open_with_events(2);
    (void)put(es, 1, "default");
    (void)put(es, 2, "default");
    pass_seconds(es, 1);
    json_t *entries = json_object_get(es_ok(es, "dlq", "{'op': 'retry'}"), "entries");
    long long first = (long long)es_int(json_array_get(entries, 0), "token");
    long long second = (long long)es_int(json_array_get(entries, 1), "token");

    es_expect(es_ok(es, "dlq", "{'op': 'resolve', 'id': 1, 'token': %lld}", first),
              "{'entry': {'state': 'resolved', 'attempts': 0}}");
    es_expect(es_ok(es, "dlq", "{'op': 'fail', 'id': 2, 'token': %lld, 'error': {'message': 'm'}}", second),
              "{'entry': {'state': 'pending', 'attempts': 1, 'due_at': %lld}}", now_plus(es, 2));
    es_close(es);
}

Test(dlq, retry_stops_at_the_maximum_and_parks) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    int handed_out = 0;
    int parked = 0;
    for (int i = 0; i < 10; i++) {
        pass_seconds(es, 100); /* the lease is over, and so is every delay */
        json_t *reply = es_ok(es, "dlq", "{'op': 'retry'}");
        handed_out += (int)es_int(reply, "count");
        parked += (int)es_int(reply, "parked");
    }
    cr_assert_eq(handed_out, 3);
    cr_assert_eq(parked, 1);
    es_expect(get_entry(es, 1), "{'state': 'parked', 'attempts': 3}");
    es_close(es);
}

Test(dlq, retry_takes_a_maximum_of_its_own) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    (void)es_ok(es, "dlq", "{'op': 'fail', 'id': 1, 'error': {'message': 'm'}}");
    pass_seconds(es, 10);
    es_expect(es_ok(es, "dlq", "{'op': 'retry', 'attempts_max': 1}"), "{'count': 0, 'parked': 1}");
    es_expect(get_entry(es, 1), "{'state': 'parked'}");
    es_close(es);
}

Test(dlq, dead_letters_survive_reopening) {
    struct es *es = open_with_events(1);
    (void)put(es, 1, "default");
    pass_seconds(es, 1);
    long long token = (long long)claim_one(es, "default");
    es_reopen(es, STEADY);
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 1, 'token': %lld}", token);
    es_close(es);
}

Test(dlq, jitter_gives_the_same_times_for_the_same_seed) {
    int64_t due[3];
    static const char *const CONFIGS[] = {"{'retry_seed': 5}", "{'retry_seed': 5}", "{'retry_seed': 6}"};
    for (int i = 0; i < 3; i++) {
        struct es *es = es_open(CONFIGS[i]);
        (void)es_append(es, "{'type': 'a', 'data': {}}");
        due[i] = es_int(put(es, 1, "default"), "due_at");
        cr_assert_geq(due[i], ES_START_US + 900000);
        cr_assert_leq(due[i], ES_START_US + 1100000);
        es_close(es);
    }
    cr_assert_eq(due[0], due[1]);
    cr_assert_neq(due[0], due[2]);
}
