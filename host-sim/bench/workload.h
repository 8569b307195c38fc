/* workload.h: what is measured: a table of workloads, each a name and functions that take one turn at it. */
#ifndef POLARIS_BENCH_WORKLOAD_H
#define POLARIS_BENCH_WORKLOAD_H

#include "bench/counting_vfs.h"
#include "bench/histogram.h"
#include "bench/store.h"

struct bench_workload;

/* One turn of one party. The function does `operations` operations and says what it did. */
struct bench_turn {
    struct bench_store *store;
    const struct bench_workload *workload;
    uint64_t operations;
    bool quick;

    struct histogram *latency; /* how long each operation took, nanoseconds; left empty where that means nothing */
    double figure;             /* in the unit of the workload */
    uint64_t events;           /* stored or read */
    uint64_t resident_kib;     /* the most that was seen; 0: as it is when the turn is over */
    json_t *details;           /* an object: what else there is to tell of the last turn; set by workload and party */
    bool unsupported;          /* false was returned because this build of the plugin cannot do it */
};

/* False: it could not be done; the failure says why. */
typedef bool (*bench_take_turn)(struct bench_turn *turn, struct failure *failure);

struct bench_workload {
    const char *name;  /* for --only and programs */
    const char *title; /* for people */
    const char *unit;
    bool lower_is_better; /* the figure is a time or an amount, otherwise a rate */
    bool once;            /* at one size and body only, the largest: size makes no difference to it, or it takes long */
    bool cold;            /* no turn to warm up */
    bool writes;          /* the stores are not what they were */
    uint32_t threads, per_request;
    uint32_t bare_part; /* the baseline's single appends are the same whoever waits: it does one in so many; 0: all */
    uint64_t operations, operations_quick;
    bool (*prepare)(struct bench_store *store, struct failure *failure); /* once, before the turns; NULL: nothing */
    bench_take_turn plugin;
    bench_take_turn reference;  /* NULL: there is nothing to compare with */
    const char *reference_name; /* NULL: "bare SQLite" */
    enum page_kind page;
};

extern const struct bench_workload BENCH_WORKLOADS[];
extern const size_t BENCH_WORKLOAD_COUNT;
/* NULL: there is none of that name. */
const struct bench_workload *bench_workload_find(const char *name);

/* ---- the functions, by file ---- */

/* append.c: appends of per_request events from `threads` threads; the baseline has one, as SQLite has one writer. */
bool append_plugin(struct bench_turn *turn, struct failure *failure);
bool append_bare(struct bench_turn *turn, struct failure *failure);
/* The same with events of a type that has a schema. */
bool append_put_schema(struct bench_store *store, struct failure *failure);
bool append_checked(struct bench_turn *turn, struct failure *failure);

/* read.c: a page of the workload's kind; all events, oldest first; 4 readers beside writers. */
bool page_plugin(struct bench_turn *turn, struct failure *failure);
bool page_bare(struct bench_turn *turn, struct failure *failure);
bool read_all_plugin(struct bench_turn *turn, struct failure *failure);
bool read_all_bare(struct bench_turn *turn, struct failure *failure);
bool read_all(struct host *host, struct histogram *latency, uint64_t *ret_events, struct failure *failure) WARN_UNUSED;
bool mixed_plugin(struct bench_turn *turn, struct failure *failure);
bool mixed_bare(struct bench_turn *turn, struct failure *failure);
/* live.c */
bool live_plugin(struct bench_turn *turn, struct failure *failure);
/* letters.c */
bool letters_plugin(struct bench_turn *turn, struct failure *failure);
bool letters_bare(struct bench_turn *turn, struct failure *failure);
/* lifecycle.c: init of a store; a second in which nobody calls. */
bool open_plugin(struct bench_turn *turn, struct failure *failure);
bool open_bare(struct bench_turn *turn, struct failure *failure);
bool idle_plugin(struct bench_turn *turn, struct failure *failure);
/* swap.c */
bool swap_plugin(struct bench_turn *turn, struct failure *failure);
/* memory.c: reading all; appending for as many milliseconds as there are operations. */
bool memory_replay_plugin(struct bench_turn *turn, struct failure *failure);
bool memory_replay_bare(struct bench_turn *turn, struct failure *failure);
bool memory_append_plugin(struct bench_turn *turn, struct failure *failure);
bool memory_append_bare(struct bench_turn *turn, struct failure *failure);

/* submit.c */
bool submit_plugin(struct bench_turn *turn, struct failure *failure);

/* What is common to the turns: the rate of the events, from the time that they took. */
void turn_set_rate(struct bench_turn *turn, uint64_t events, int64_t elapsed_ns);
/* Says which call failed, and notes if it is one that the plugin does not have. Returns false. */
bool turn_fail(struct bench_turn *turn, const char *what, int32_t status, struct failure *failure);

#endif
