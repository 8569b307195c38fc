/* life.h: a process that works on a store, and whoever started it and listens: to its last word, and to its end. */
#ifndef POLARIS_TORTURE_LIFE_H
#define POLARIS_TORTURE_LIFE_H

#include <signal.h>

#include "torture/ledger.h"

/* When a process is killed: after so many reports, and so many microseconds more. */
struct moment {
    long long reports;
    int delay_us;
};
struct moment moment_of(uint64_t seed, int round);

struct life {
    void (*run)(void *context, int reports); /* in the process; does not return */
    void *context;
    bool is_killed; /* at `moment`; otherwise it ends by itself */
    struct moment moment;
    int64_t silence_ms_max;            /* the longest time without a report or an end; longer, and it hangs */
    int64_t *ret_silence_ms;           /* how long nothing had come when it was ended for that; NULL: not wanted */
    const volatile sig_atomic_t *stop; /* not 0: nobody waits for a silent process any more; NULL: never */
    void (*idle)(void *context);       /* called some times a second meanwhile; NULL: nothing is to be done */
    void *idle_context;
};

enum life_end {
    LIFE_ENDED,   /* *ret_status is that of waitpid */
    LIFE_HUNG,    /* and was killed for it */
    LIFE_STOPPED, /* it was silent when nobody was to wait any more, and was killed for that */
    LIFE_UNKNOWN, /* it has ended, and nobody can tell how: the system keeps no ends where SIGCHLD is ignored */
    LIFE_NO_CHILD /* errno says why */
};

/* Whole reports go to the ledger, to the last one that it wrote. The process leads a group of its own, and what it
 * started there ends with it. */
enum life_end life_run(struct ledger *ledger, const struct life *life, int *ret_status);

#endif
