/* plan.c: drawing what a round is. */
#include "torture/plan.h"

#include <stdio.h>

/* What the whole store is like. */
static void draw_store(struct plan *plan, unsigned kinds) {
    struct draws draws = draws_of(plan->seed, plan->round / STORE_ROUNDS, 0, 0, 10);
    plan->alone = draw_below(&draws, 2) == 0;
    /* With durability normal a power cut may take the last commits: there is nothing to hold it against. */
    bool is_normal = draw_below(&draws, 4) == 0 && kinds != TORTURE_POWER;
    plan->durability = is_normal ? "normal" : "full";
}

/* 1 to 2^bits: small numbers as often as large ones. */
static int64_t draw_scaled(struct draws *draws, int bits) {
    return 1 + draw_below(draws, 1 << draw_below(draws, bits + 1));
}

static void draw_fault(struct plan *plan, struct draws *draws) {
    plan->has_fault = true;
    plan->fault = (enum fault_kind)draw_below(draws, FAULT_KINDS);
    plan->fault_at = draw_scaled(draws, 12);
    plan->fault_count = draw_below(draws, 2) == 0 ? 1 : 1 + draw_scaled(draws, 8);
}

static void draw_ending(struct plan *plan, unsigned kinds, struct draws *draws) {
    const bool may_cut = (kinds & TORTURE_POWER) != 0 && plan->durability[0] == 'f' && !plan->has_fault;
    const bool may_be_killed = (kinds & TORTURE_KILL) != 0;
    int lot = draw_below(draws, 16);
    bool other = (kinds & (TORTURE_FAULT | TORTURE_SWAP)) != 0;
    if (may_cut && (lot < 8 || (!may_be_killed && !other))) {
        plan->ending = ENDING_POWER;
    } else if (may_be_killed && (lot < 14 || !other)) {
        plan->ending = ENDING_KILL;
    }
    plan->change = plan->ending != ENDING_CLEAN && (plan->alone || plan->ending == ENDING_POWER) && !plan->has_fault
                       ? draw_scaled(draws, 13)
                       : 0;
    if (plan->change > 0) {
        plan->moment.reports += 100; /* so that it does not come first all too often */
    }
    plan->rest_seed = draw(draws);
    if (plan->ending == ENDING_POWER && draw_below(draws, 3) == 0) {
        plan->recovery_cuts = 1 + draw_below(draws, RECOVERY_CUTS_MAX);
    }
    for (int i = 0; i < RECOVERY_CUTS_MAX; i++) {
        plan->recovery_changes[i] = 1 + draw_below(draws, 40);
    }
}

/* Whoever comes behind a kill finds what was written, on the disk or not. */
static void draw_followers(struct plan *plan, unsigned kinds) {
    struct draws draws = draws_of(plan->seed, plan->round, 0, 0, 12);
    const bool may_be = (kinds & TORTURE_POWER) != 0 && (kinds & TORTURE_KILL) != 0 && plan->durability[0] == 'f' &&
                        !plan->has_fault && plan->ending != ENDING_CLEAN;
    if (!may_be || draw_below(&draws, 3) == 0) {
        return;
    }
    const bool was_killed = plan->ending == ENDING_KILL;
    int64_t change = draw_scaled(&draws, 13);
    if (plan->change == 0) { /* only in the middle of a change it is known what is on the disk */
        plan->change = change;
        plan->moment.reports += 100;
    }
    int64_t fall_change = 1 + draw_below(&draws, 40);
    plan->fall_change = draw_below(&draws, 3) == 0 || !was_killed ? fall_change : 0;
    int64_t repeat_change = 1 + draw_below(&draws, 60);
    plan->repeat_change = draw_below(&draws, 3) == 0 ? repeat_change : 0; /* later ones bring syncs, and less is lost */
    plan->is_followed = true;
}

struct plan plan_of(uint64_t seed, int round, unsigned kinds) {
    struct plan plan = {.seed = seed, .round = round, .moment = moment_of(seed, round)};
    struct draws draws = draws_of(seed, round, 0, 0, 11);
    draw_store(&plan, kinds);
    plan.swaps = (kinds & TORTURE_SWAP) != 0 && (draw_below(&draws, 4) > 0 || kinds == TORTURE_SWAP);
    if ((kinds & TORTURE_FAULT) != 0 && (draw_below(&draws, 3) == 0 || (kinds & (TORTURE_KILL | TORTURE_POWER)) == 0)) {
        draw_fault(&plan, &draws);
    }
    draw_ending(&plan, kinds, &draws);
    draw_followers(&plan, kinds);
    return plan;
}

void plan_tell(const struct plan *plan, char *text, size_t size) {
    static const char *const DISKS[FAULT_KINDS] = {
        [FAULT_IO] = "failing", [FAULT_FULL] = "full", [FAULT_BUSY] = "busy"};
    char fault[96] = "";
    char followed[128] = "";
    char end[96] = "shut down in good order";
    if (plan->has_fault) {
        (void)snprintf(fault, sizeof fault, ", the disk %s in its calls %lld to %lld", DISKS[plan->fault],
                       (long long)plan->fault_at, (long long)(plan->fault_at + plan->fault_count - 1));
    }
    const char *what = plan->ending == ENDING_POWER ? "the power cut" : "killed";
    if (plan->ending != ENDING_CLEAN && plan->change > 0) {
        (void)snprintf(end, sizeof end, "%s in the middle of change %lld of its files, or after %lld reports", what,
                       (long long)plan->change, plan->moment.reports);
    } else if (plan->ending != ENDING_CLEAN) {
        (void)snprintf(end, sizeof end, "%s after %lld reports and %d us", what, plan->moment.reports,
                       plan->moment.delay_us);
    }
    if (plan->is_followed) {
        (void)snprintf(followed, sizeof followed, ", %sthe power cut %s",
                       plan->fall_change > 0 ? "killed again while it recovered, " : "",
                       plan->repeat_change > 0 ? "while requests were repeated"
                                               : "once a repeated request was answered");
    }
    (void)snprintf(text, size, "%s, durability %s%s%s, %s%s%s", plan->alone ? "one thread" : "many threads",
                   plan->durability, plan->swaps ? ", swaps" : "", fault, end, followed,
                   plan->recovery_cuts > 0 ? ", and the power cut again while it recovered" : "");
}
