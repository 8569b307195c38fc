/* life.c: one life of a process. */
#include "torture/life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check/process.h"
#include "monotonic.h"
#include "owned.h"

/* STOP_MS: a process in good order has said something, or ended, by then. */
enum { IDLE_MS = 100, STOP_MS = 2000, END_MS_MAX = 30000 };

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

enum heard { HEARD_ENOUGH, HEARD_END, HEARD_NOTHING, HEARD_STOP };

struct child {
    pid_t pid;
    int end;     /* a pidfd: readable when it has ended */
    int reports; /* -1: nobody writes there any more */
};

/* False: there will be no more. */
static bool read_report(struct ledger *ledger, const struct child *child) {
    struct record record;
    if (read(child->reports, &record, sizeof record) != (ssize_t)sizeof record) {
        return false;
    }
    ledger_note(ledger, &record);
    return true;
}

/* Reads whole reports into the ledger until there are `count`, or the process has ended, or says nothing for too long:
 * a process that started others may end and leave its end of the pipe to them. */
static enum heard listen_for(struct ledger *ledger, const struct life *life, struct child child, long long count) {
    int64_t heard_us = monotonic_us(), stop_us = INT64_MAX;
    while (ledger->records < count) {
        struct pollfd wanted[] = {{.fd = child.end, .events = POLLIN}, {.fd = child.reports, .events = POLLIN}};
        int ready = poll(wanted, 2, IDLE_MS);
        int64_t now_us = monotonic_us();
        if (life->idle != NULL) {
            life->idle(life->idle_context);
        }
        if (ready > 0 && wanted[0].revents != 0) {
            return HEARD_END;
        }
        if (ready > 0 && wanted[1].revents != 0) {
            child.reports = read_report(ledger, &child) ? child.reports : -1;
            heard_us = now_us;
            continue;
        }
        if (stop_us == INT64_MAX && life->stop != NULL && *life->stop != 0) {
            stop_us = now_us;
        }
        int64_t silence_ms = (now_us - heard_us) / 1000;
        int64_t since_us = stop_us > heard_us ? stop_us : heard_us;
        bool is_hanging = silence_ms >= life->silence_ms_max;
        if (is_hanging || (stop_us != INT64_MAX && now_us - since_us >= STOP_MS * INT64_C(1000))) {
            if (life->ret_silence_ms != NULL) {
                *life->ret_silence_ms = silence_ms;
            }
            return is_hanging ? HEARD_NOTHING : HEARD_STOP;
        }
    }
    return HEARD_ENOUGH;
}

/* What it wrote before it ended: there is no more of it, even if others have the pipe as well. */
static void read_rest(struct ledger *ledger, const struct child *child) {
    int size = 0;
    if (ioctl(child->reports, FIONREAD, &size) != 0) {
        return;
    }
    while (size >= (int)sizeof(struct record) && read_report(ledger, child)) {
        size -= (int)sizeof(struct record);
    }
}

enum reaped { REAPED, REAPED_BY_NOBODY, REAPED_BY_OTHERS };

/* With what it started; while it is not waited for, its number is nobody else's. By nobody: it does not end, whatever
 * it waits for. By others: it has ended, and how is not known. */
static enum reaped reap(const struct child *child, int *ret_status) {
    struct pollfd end = {.fd = child->end, .events = POLLIN};
    int64_t until_us = monotonic_us() + END_MS_MAX * INT64_C(1000);
    int ready = 0;
    while (ready <= 0 && monotonic_us() < until_us) {
        ready = poll(&end, 1, IDLE_MS);
    }
    (void)kill(-child->pid, SIGKILL);
    pid_t pid = waitpid(child->pid, ret_status, WNOHANG);
    return pid == child->pid ? REAPED : pid < 0 && errno == ECHILD ? REAPED_BY_OTHERS : REAPED_BY_NOBODY;
}

static pid_t begin(const struct life *life, const int ends[2]) {
    (void)fflush(NULL); /* what stands in our buffers must not be written twice */
    pid_t pid = fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a signal of the terminal reaches its parent only */
        (void)close(ends[0]);
        life->run(life->context, ends[1]);
        _exit(1);
    }
    if (pid > 0) {
        (void)setpgid(pid, pid); /* whoever of both comes first */
    }
    return pid;
}

enum life_end life_run(struct ledger *ledger, const struct life *life, int *ret_status) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return LIFE_NO_CHILD;
    }
    CLEANUP(fd_closep) int reports = ends[0];
    struct child child = {.pid = begin(life, ends), .reports = reports};
    (void)close(ends[1]);
    if (child.pid < 0) {
        return LIFE_NO_CHILD;
    }
    CLEANUP(fd_closep) int end = pidfd_open(child.pid, 0);
    child.end = end;
    if (end < 0) {
        (void)kill(child.pid, SIGKILL);
        (void)waitpid(child.pid, ret_status, 0);
        return LIFE_NO_CHILD;
    }
    enum heard heard =
        listen_for(ledger, life, child, life->is_killed ? ledger->records + life->moment.reports : INT64_MAX);
    if (heard == HEARD_ENOUGH) {
        (void)usleep((useconds_t)life->moment.delay_us);
    }
    if (heard != HEARD_END) {
        (void)kill(child.pid, SIGKILL);
    }
    enum reaped reaped = reap(&child, ret_status);
    read_rest(ledger, &child); /* it was acknowledged as well */
    if (heard == HEARD_STOP || heard == HEARD_NOTHING) {
        return heard == HEARD_STOP ? LIFE_STOPPED : LIFE_HUNG;
    }
    return reaped == REAPED ? LIFE_ENDED : reaped == REAPED_BY_OTHERS ? LIFE_UNKNOWN : LIFE_HUNG;
}
