/* child.c: forking, reporting, waiting. */
#include "child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

struct child child_start(const struct es *es, int (*body)(struct es *es, int reports)) {
    int ends[2];
    int go[2];
    char byte = 0;
    cr_assert_null(es->self, "it has threads");
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(pipe(go), 0);
    struct child child = {.pid = fork(), .reports = ends[0], .go = go[1]};
    cr_assert_geq(child.pid, 0);
    if (child.pid == 0) {
        (void)close(ends[0]);
        (void)close(go[1]);
        if (read(go[0], &byte, 1) != 1) {
            _exit(98);
        }
        struct es own = {.table = es->table, .now_us = ES_START_US};
        memcpy(own.path, es->path, sizeof own.path);
        _exit(body(&own, ends[1]));
    }
    (void)close(ends[1]);
    (void)close(go[0]);
    return child;
}

void child_go(const struct child *child) {
    cr_assert_eq(write(child->go, "", 1), 1);
    (void)close(child->go);
}

void child_report(int reports, int64_t number) {
    if (write(reports, &number, sizeof number) != (ssize_t)sizeof number) { /* below PIPE_BUF: whole or not at all */
        _exit(99);
    }
}

bool child_next(const struct child *child, int64_t *ret_number) {
    ssize_t size = 0;
    do {
        size = read(child->reports, ret_number, sizeof *ret_number);
    } while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof *ret_number;
}

int child_wait(struct child *child) {
    int result = 0;
    cr_assert_eq(waitpid(child->pid, &result, 0), child->pid);
    (void)close(child->reports);
    return WIFSIGNALED(result) ? -WTERMSIG(result) : WEXITSTATUS(result);
}
