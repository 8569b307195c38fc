/* dead_letter.c: how a dead letter changes state, and when it is tried again. */
#include "dead_letter.h"

#include <criterion/criterion.h>

static const struct retry_policy STEADY = {
    .attempts_max = 3,
    .base_us = 1000,
    .factor = 2,
    .cap_us = 3000,
    .lease_us = 500,
};
enum { EVENT = 7, NOW = 1000000 };

static struct dead_letter_progress in_state(enum dead_letter_state state) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);
    progress.state = state;
    progress.token = 4;
    return progress;
}

Test(dead_letter, begins_pending_with_no_attempt_counted_and_the_first_delay) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);

    cr_assert_eq(progress.state, DEAD_LETTER_PENDING);
    cr_assert_eq(progress.attempts, 0);
    cr_assert_eq(progress.attempts_max, 3);
    cr_assert_eq(progress.due_us, NOW + 1000);
}

Test(dead_letter, each_failed_attempt_waits_longer_up_to_the_cap_and_the_last_one_parks) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);

    dead_letter_claim(&progress, STEADY.lease_us, false, NOW);
    dead_letter_fail(&progress, &STEADY, EVENT, -1, NOW);
    cr_assert_eq(progress.due_us, NOW + 2000);
    dead_letter_claim(&progress, STEADY.lease_us, false, NOW);
    dead_letter_fail(&progress, &STEADY, EVENT, -1, NOW);
    cr_assert_eq(progress.due_us, NOW + 3000, "capped");
    dead_letter_claim(&progress, STEADY.lease_us, false, NOW);
    dead_letter_fail(&progress, &STEADY, EVENT, -1, NOW);

    cr_assert_eq(progress.state, DEAD_LETTER_PARKED);
    cr_assert_eq(progress.attempts, 3);
    cr_assert_eq(progress.due_us, 0);
}

Test(dead_letter, a_delay_that_is_given_replaces_the_policys) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);

    dead_letter_fail(&progress, &STEADY, EVENT, 5, NOW);

    cr_assert_eq(progress.due_us, NOW + 5);
}

Test(dead_letter, a_delay_beyond_the_calendar_does_not_wrap_into_the_past) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);

    dead_letter_fail(&progress, &STEADY, EVENT, INT64_MAX, NOW);
    cr_assert_eq(progress.due_us, TIME_US_MAX);

    dead_letter_claim(&progress, INT64_MAX, false, TIME_US_MAX);
    cr_assert_eq(progress.lease_until_us, TIME_US_MAX);
}

Test(dead_letter, the_delay_stays_finite_after_a_thousand_attempts) {
    struct retry_policy policy = {.attempts_max = 1000, .base_us = 1, .factor = 100, .cap_us = 50, .jitter = 1};
    struct dead_letter_progress progress = dead_letter_begin(&policy, EVENT, NOW);
    progress.attempts = 998;

    dead_letter_fail(&progress, &policy, EVENT, -1, NOW);

    cr_assert_geq(progress.due_us, NOW);
    cr_assert_leq(progress.due_us, NOW + 100);
}

Test(dead_letter, a_base_of_zero_is_due_at_once_however_often_it_failed) {
    struct retry_policy policy = {.attempts_max = 1000, .base_us = 0, .factor = 100, .cap_us = 50};
    struct dead_letter_progress progress = dead_letter_begin(&policy, EVENT, NOW);
    progress.attempts = 998;

    dead_letter_fail(&progress, &policy, EVENT, -1, NOW);

    cr_assert_eq(progress.due_us, NOW);
}

Test(dead_letter, jitter_stays_within_its_part_and_repeats_with_its_seed) {
    struct retry_policy policy = STEADY;
    policy.jitter = 0.1;
    int different = 0;
    for (int64_t event = 1; event <= 1000; event++) {
        int64_t due = dead_letter_begin(&policy, event, NOW).due_us;
        cr_assert_geq(due, NOW + 900);
        cr_assert_leq(due, NOW + 1100);
        cr_assert_eq(due, dead_letter_begin(&policy, event, NOW).due_us);
        policy.seed++;
        different += due != dead_letter_begin(&policy, event, NOW).due_us;
        policy.seed--;
    }
    cr_assert_gt(different, 900);
}

Test(dead_letter, an_attempt_that_was_counted_when_handed_out_is_not_counted_twice) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);

    dead_letter_claim(&progress, STEADY.lease_us, true, NOW);
    cr_assert_eq(progress.attempts, 1);
    dead_letter_fail(&progress, &STEADY, EVENT, -1, NOW);

    cr_assert_eq(progress.attempts, 1);
    cr_assert_not(progress.counted);
}

Test(dead_letter, a_success_takes_back_the_attempt_that_was_counted_when_handed_out) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);

    dead_letter_claim(&progress, STEADY.lease_us, true, NOW);
    dead_letter_resolve(&progress);

    cr_assert_eq(progress.state, DEAD_LETTER_RESOLVED);
    cr_assert_eq(progress.attempts, 0);
}

Test(dead_letter, a_success_after_a_claim_takes_nothing_back) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);
    dead_letter_fail(&progress, &STEADY, EVENT, -1, NOW);

    dead_letter_claim(&progress, STEADY.lease_us, false, NOW);
    dead_letter_resolve(&progress);

    cr_assert_eq(progress.attempts, 1);
}

Test(dead_letter, every_claim_has_a_token_of_its_own_and_a_lease) {
    struct dead_letter_progress progress = dead_letter_begin(&STEADY, EVENT, NOW);

    dead_letter_claim(&progress, 500, false, NOW);
    int64_t first = progress.token;
    cr_assert_eq(progress.state, DEAD_LETTER_CLAIMED);
    cr_assert_eq(progress.lease_until_us, NOW + 500);
    dead_letter_fail(&progress, &STEADY, EVENT, -1, NOW);
    dead_letter_claim(&progress, 500, false, NOW);

    cr_assert_gt(progress.token, first);
}

Test(dead_letter, what_was_parked_stays_parked_when_it_fails_again) {
    struct dead_letter_progress progress = in_state(DEAD_LETTER_PARKED);

    dead_letter_fail(&progress, &STEADY, EVENT, 0, NOW);

    cr_assert_eq(progress.state, DEAD_LETTER_PARKED);
    cr_assert_eq(progress.attempts, 1);
}

Test(dead_letter, redrive_is_due_at_once_with_all_attempts_ahead) {
    struct dead_letter_progress progress = in_state(DEAD_LETTER_PARKED);
    progress.attempts = 3;

    dead_letter_redrive(&progress, NOW);

    cr_assert_eq(progress.state, DEAD_LETTER_PENDING);
    cr_assert_eq(progress.attempts, 0);
    cr_assert_eq(progress.due_us, NOW);
}

static void expect_check(enum dead_letter_state state, int64_t token, enum dead_letter_state wanted,
                         enum status expected) {
    struct dead_letter_progress progress = in_state(state);
    struct error error = {0};
    enum status status = dead_letter_check(&progress, 1, token, wanted, &error);
    cr_assert_eq(status, expected, "state %s, token %lld: %s", dead_letter_state_name(state), (long long)token,
                 error.message);
}

Test(dead_letter, a_claimed_entry_is_changed_with_its_token_only) {
    expect_check(DEAD_LETTER_CLAIMED, 4, DEAD_LETTER_RESOLVED, OK);
    expect_check(DEAD_LETTER_CLAIMED, 3, DEAD_LETTER_RESOLVED, CONFLICT);
    expect_check(DEAD_LETTER_CLAIMED, -1, DEAD_LETTER_RESOLVED, CONFLICT);
}

Test(dead_letter, a_token_of_a_lost_lease_conflicts) {
    expect_check(DEAD_LETTER_PENDING, 4, DEAD_LETTER_RESOLVED, CONFLICT);
    expect_check(DEAD_LETTER_PARKED, 4, DEAD_LETTER_RESOLVED, CONFLICT);
}

Test(dead_letter, what_nobody_holds_can_be_changed_without_a_token) {
    expect_check(DEAD_LETTER_PENDING, -1, DEAD_LETTER_RESOLVED, OK);
    expect_check(DEAD_LETTER_PARKED, -1, DEAD_LETTER_DISCARDED, OK);
}

Test(dead_letter, what_ended_as_wanted_is_already_and_otherwise_closed) {
    expect_check(DEAD_LETTER_RESOLVED, 4, DEAD_LETTER_RESOLVED, ALREADY);
    expect_check(DEAD_LETTER_RESOLVED, 4, DEAD_LETTER_DISCARDED, CLOSED);
    expect_check(DEAD_LETTER_DISCARDED, -1, DEAD_LETTER_DISCARDED, ALREADY);
    expect_check(DEAD_LETTER_DISCARDED, -1, DEAD_LETTER_PENDING, CLOSED);
}

Test(dead_letter, every_state_has_a_name_that_leads_back_to_it) {
    for (unsigned i = 0; i < DEAD_LETTER_STATE_COUNT; i++) {
        enum dead_letter_state state = DEAD_LETTER_STATE_COUNT;
        cr_assert(
            dead_letter_state_from_name(bytes_from_string(dead_letter_state_name((enum dead_letter_state)i)), &state));
        cr_assert_eq((unsigned)state, i);
    }
    enum dead_letter_state state;
    cr_assert_not(dead_letter_state_from_name(BYTES_LITERAL("pend"), &state));
    cr_assert_not(dead_letter_state_from_name(BYTES_LITERAL(""), &state));
}
