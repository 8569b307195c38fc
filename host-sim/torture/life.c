/* life.c: one life of a process. */
#include "torture/life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IDLE_MS = 100 };

struct moment moment_of(uint64_t seed, int round) {
    struct draws draws = draws_of(seed, round, 0, 0, 6);
    switch (draw_below(&draws, 8)) {
    case 0: /* while it opens the store, or makes it */
        return (struct moment){0, draw_below(&draws, 15000)};
    case 1: /* long enough for the log to be copied a few times */
        return (struct moment){2000 + draw_below(&draws, 2000), draw_below(&draws, 2000)};
    default:
        return (struct moment){1 + draw_below(&draws, 900), draw_below(&draws, 3000)};
    }
}

/* Reads whole reports into the ledger until there are `count`, or no more come. False: it says nothing for too long. */
static bool listen_for(struct ledger *ledger, const struct life *life, int reports, long long count) {
    struct record record;
    int silence_ms = 0;
    while (ledger->records < count) {
        struct pollfd wanted = {.fd = reports, .events = POLLIN};
        int ready = poll(&wanted, 1, IDLE_MS);
        if (life->idle != NULL) {
            life->idle(life->idle_context);
        }
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready == 0) {
            silence_ms += IDLE_MS;
            if (silence_ms >= life->silence_ms_max) {
                return false;
            }
            continue;
        }
        silence_ms = 0;
        if (ready < 0 || read(reports, &record, sizeof record) != (ssize_t)sizeof record) {
            return true;
        }
        ledger_note(ledger, &record);
    }
    return true;
}

enum life_end life_run(struct ledger *ledger, const struct life *life, int *ret_status) {
    int ends[2];
    (void)fflush(NULL); /* what stands in our buffers must not be written twice */
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return LIFE_NO_CHILD;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        life->run(life->context, ends[1]);
        _exit(1);
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return LIFE_NO_CHILD;
    }
    long long count = life->is_killed ? ledger->records + life->moment.reports : INT64_MAX;
    bool told = listen_for(ledger, life, ends[0], count);
    if (life->is_killed && told) {
        (void)usleep((useconds_t)life->moment.delay_us);
    }
    if (life->is_killed || !told) {
        (void)kill(pid, SIGKILL);
    }
    (void)listen_for(ledger, life, ends[0], INT64_MAX); /* what was still in the pipe was acknowledged as well */
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR) {
    }
    (void)close(ends[0]);
    return told ? LIFE_ENDED : LIFE_HUNG;
}
