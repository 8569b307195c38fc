/* life_test.c: a process whose end nobody can tell is not one that hangs. */
#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

#include "torture/life.h"

static void end_at_once(void *context, int reports) {
    (void)context;
    (void)reports;
    _exit(0);
}

Test(life, whose_end_is_not_kept_is_no_hang, .timeout = 60) {
    static struct ledger ledger;
    const struct life life = {.run = end_at_once, .silence_ms_max = 30000};
    int status = 0;
    ledger_init(&ledger, 1);
    cr_assert_eq(life_run(&ledger, &life, &status), LIFE_ENDED);
    (void)signal(SIGCHLD, SIG_IGN); /* as whoever starts a program may leave it */
    cr_expect_eq(life_run(&ledger, &life, &status), LIFE_UNKNOWN);
    ledger_done(&ledger);
}
