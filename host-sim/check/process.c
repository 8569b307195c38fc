/* process.c: starting the process of a check, and telling from its end what it found. */
#include "check/process.h"
#include "monotonic.h"
#include "owned.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE_SIZE = 65536, LAST_PIECES = 16 };

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
    (void)status;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

void process_remove_folder(const char *folder) {
    (void)nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void process_become_child(pid_t parent, int out) {
    static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD};
    sigset_t none;
    (void)setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(1);
    }
    for (size_t i = 0; i < sizeof SIGNALS / sizeof SIGNALS[0]; i++) {
        (void)signal(SIGNALS[i], SIG_DFL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    int in = open("/dev/null", O_RDONLY);
    (void)dup2(in, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
    (void)close(in);
    (void)setenv("LIBC_FATAL_STDERR_", "1", 1); /* what the C library has to say goes where ours goes */
}

static void close_all(struct process *process) {
    verdict_page_free(process->page);
    if (process->out >= 0) {
        (void)close(process->out);
    }
    if (process->folder[0] != '\0') {
        process_remove_folder(process->folder);
    }
    *process = (struct process){0};
}

bool process_start(struct process *process, const char *parent, void (*run)(const char *folder, const void *context),
                   const void *context, struct failure *failure) {
    struct process made = {.page = verdict_page_new(), .out = -1};
    int ends[2] = {-1, -1};
    bool piped = pipe2(ends, O_CLOEXEC) == 0;
    made.out = ends[0];
    CLEANUP(fd_closep) int printing = ends[1];
    (void)snprintf(made.folder, sizeof made.folder, "%s/check-XXXXXX", parent);
    if (made.page == NULL || !piped || fcntl(made.out, F_SETFL, O_NONBLOCK) != 0 || mkdtemp(made.folder) == NULL) {
        (void)failure_set(failure, "cannot prepare a check in '%s': %s", parent, strerror(errno));
        made.folder[0] = '\0';
        close_all(&made);
        return false;
    }
    pid_t self = getpid();
    made.began_us = monotonic_us();
    (void)fflush(NULL); /* what stands in our buffers must not be written twice */
    made.id = fork();
    if (made.id == 0) {
        process_become_child(self, printing);
        (void)close(made.out);
        (void)close(printing);
        verdict_begin(made.page);
        run(made.folder, context);
        passed();
    }
    made.fd = made.id > 0 ? pidfd_open(made.id, 0) : -1;
    if (made.fd < 0) {
        (void)failure_set(failure, "cannot start the process of a check: %s", strerror(errno));
        if (made.id > 0) {
            (void)kill(made.id, SIGKILL);
            (void)waitpid(made.id, NULL, 0);
        }
        close_all(&made);
        return false;
    }
    (void)setpgid(made.id, made.id); /* whoever of both comes first */
    *process = made;
    return true;
}

const char *process_telling_line(int out, char text[PROCESS_TEXT_SIZE]) {
    struct output output = {0};
    char piece[PIECE_SIZE];
    off_t at = 0;
    for (ssize_t size; (size = pread(out, piece, sizeof piece, at)) > 0; at += size) {
        output_take(&output, piece, (size_t)size);
    }
    const char *line = output_telling_line(&output);
    return line != NULL ? strcpy(text, line) : NULL;
}

void process_hear(struct process *process) {
    char piece[PIECE_SIZE];
    ssize_t size = process->out >= 0 ? read(process->out, piece, sizeof piece) : -1;
    if (size > 0) {
        output_take(&process->printed, piece, (size_t)size);
    } else if (size == 0) {
        (void)close(process->out);
        process->out = -1;
    }
}

static void describe_end(struct process *process, int status, int64_t limit_ms, struct check_result *result) {
    const char *line = output_telling_line(&process->printed);
    char end[64];
    if (limit_ms >= 0) {
        (void)snprintf(end, sizeof end, "hangs: had not ended after %lld s", (long long)(limit_ms / 1000));
    } else if (WIFSIGNALED(status)) {
        (void)snprintf(end, sizeof end, "ended by SIG%s", sigabbrev_np(WTERMSIG(status)));
    } else {
        (void)snprintf(end, sizeof end, "ended with exit code %d", WEXITSTATUS(status));
    }
    const char *at = process->page->doing;
    result->verdict = VERDICT_FAILED;
    (void)snprintf(result->reason, sizeof result->reason, "%s%s%.256s%s%.400s", end, at[0] != '\0' ? " in " : "", at,
                   line != NULL ? ": " : "", line != NULL ? line : "");
}

void process_end(struct process *process, int64_t limit_ms, struct check_result *result) {
    int status = 0;
    if (limit_ms >= 0) {
        (void)kill(process->id, SIGKILL);
    }
    /* What it left behind as well; while it is not waited for, its number is nobody else's. */
    (void)kill(-process->id, SIGKILL);
    while (waitpid(process->id, &status, 0) < 0 && errno == EINTR) {
    }
    (void)close(process->fd);
    for (int i = 0; i < LAST_PIECES; i++) { /* what is in the pipe; there may be somebody left who goes on and on */
        process_hear(process);
    }
    result->elapsed_us = monotonic_us() - process->began_us;
    result->verdict = (enum verdict)atomic_load(&process->page->verdict);
    bool said = result->verdict == VERDICT_FAILED || (result->verdict != VERDICT_NONE && limit_ms < 0);
    if (!said) { /* one that found something may have left another one behind that hangs */
        describe_end(process, status, limit_ms, result);
    } else {
        (void)snprintf(result->reason, sizeof result->reason, "%.1023s", process->page->reason);
    }
    close_all(process);
}
