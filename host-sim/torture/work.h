/* work.h: what a process does to a store until it is ended: many threads at once, or one that takes a step after the
 * other, as the seed says. What it is told it reports, before it goes on. */
#ifndef POLARIS_TORTURE_WORK_H
#define POLARIS_TORTURE_WORK_H

#include <stdnoreturn.h>

#include "torture/call.h"
#include "torture/ledger.h"

/* Exit codes of the process. */
enum work_end {
    WORK_ENDED = 0,      /* the store was shut down */
    WORK_COMPLAINED = 3, /* of something that does not hold */
    WORK_NO_PIPE = 4,
    WORK_NO_MEMORY = 5,
    WORK_NO_BUILD = 6 /* its file is not what it was: no fault of the build */
};

struct work {
    const struct ledger *before; /* of the rounds before; its `round` is this one */
    const char *config;
    int reports;                       /* the pipe */
    const polaris_es_table *builds[2]; /* one of which is open at any time; the same one twice: no swap to another */
    bool lying;                        /* appends are acknowledged before they were made */
    bool alone;                        /* one thread, one step after the other */
    int32_t trouble;                   /* how calls may end while the disk fails (faults.h); OK: it does not */
    bool stays;                        /* it fails for more than one call */
    long long reports_max;             /* then this is how it ends; 0: never */
    void (*end)(void);                 /* does not return; NULL: the store is shut down, and the process ends */
};

/* Ends the process, if nobody else does. */
noreturn void work_until_end(const struct work *work);

/* ---- for the threads (work_*.c) ---- */

struct worker {
    struct ledger *ledger; /* of the rounds before: read by all; each consumer is changed by its own thread */
    enum thread_number thread;
    struct draws draws;
    int n;    /* of the next request */
    int step; /* that comes next; 0: it has just begun */
};

/* The instance, which one thread shuts down and opens again in another build while it excludes the others. */
enum verb { STORE, QUERY, DLQ, SCHEMA };
/* One call, repeated while it is BUSY or in trouble; the status must be among the allowed ones. */
json_t *ask(enum verb verb, unsigned allowed, const char *format, ...) __attribute__((format(printf, 3, 4)));
json_t *ask_text(enum verb verb, unsigned allowed, const char *text);
bool is_ok(const json_t *reply);
int64_t work_last_id(void); /* some id that was told; 0: none yet */

/* Tells whoever keeps the ledger; a broken pipe ends the process. */
void tell(const struct worker *worker, enum record_kind kind, int n, int64_t a, int64_t b, int64_t c);
void tell_record(const struct record *record);
/* Ends the process when something was complained of. */
void end_if_failed(void);

/* The next step of a thread. */
void work_on_letters(struct worker *worker);
void work_on_batches(struct worker *worker);
void work_on_schemas(struct worker *worker);

#endif
