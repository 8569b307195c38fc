/* plan.h: what a round is: all of it follows from the seed, the number of the round, and the kinds that are wanted. */
#ifndef POLARIS_TORTURE_PLAN_H
#define POLARIS_TORTURE_PLAN_H

#include "torture/faults.h"
#include "torture/life.h"

/* The kinds, as bits. */
enum torture_kind { TORTURE_KILL = 1, TORTURE_POWER = 2, TORTURE_FAULT = 4, TORTURE_SWAP = 8, TORTURE_ALL = 15 };

enum ending { ENDING_CLEAN, ENDING_KILL, ENDING_POWER };
enum { RECOVERY_CUTS_MAX = 2 };

struct plan {
    uint64_t seed;
    int round;
    bool alone;             /* one thread: what it does depends on nothing else */
    bool swaps;             /* builds are swapped meanwhile */
    const char *durability; /* of the store */
    bool has_fault;         /* calls of the file system fail: `fault_count` of this kind from the `fault_at`-th on */
    enum fault_kind fault;
    int64_t fault_at, fault_count;
    enum ending ending;
    struct moment moment; /* at which it ends at the latest */
    int64_t change;       /* of the files, in the middle of which it ends; 0: it does not matter */
    uint64_t rest_seed;   /* of what a power cut leaves */
    bool is_followed; /* by others that open the store, one of which repeats what was not heard of until the power is
                         cut: what the process before it had written may not be on the disk yet */
    int64_t
        fall_change; /* the first of them is killed in the middle of this change; 0: there is none before the last */
    int64_t repeat_change; /* the last one has its power cut in the middle of this one; 0: when it was told something */
    int recovery_cuts;     /* power cuts more, while the store is opened and closed */
    int64_t recovery_changes[RECOVERY_CUTS_MAX];
};

struct plan plan_of(uint64_t seed, int round, unsigned kinds);

/* In words. */
void plan_tell(const struct plan *plan, char *text, size_t size);

#endif
