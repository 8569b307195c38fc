/* orphans.c: ending processes whose parent has ended. */
#include "check/orphans.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "owned.h"

enum { ROUNDS_MAX = 2000, ROUND_US = 1000 };

void orphans_adopt(void) {
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* The parent of a process, or 0: it is gone. */
static pid_t parent_of(const char *process) {
    char path[300], line[512] = "";
    (void)snprintf(path, sizeof path, "/proc/%.20s/stat", process);
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, line, sizeof line - 1) <= 0) {
        return 0;
    }
    const char *name_end = strrchr(line, ')'); /* "7 (name) S 1 ...": a name may have anything in it */
    return name_end != NULL && strlen(name_end) > 4 ? (pid_t)strtol(name_end + 4, NULL, 10) : 0;
}

static void kill_children(void) {
    DIR *processes = opendir("/proc");
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);
        if (id > 1 && parent_of(entry->d_name) == getpid()) {
            (void)kill(id, SIGKILL);
        }
    }
    if (processes != NULL) {
        (void)closedir(processes);
    }
}

void orphans_end(void) {
    for (int round = 0; round < ROUNDS_MAX; round++) {
        pid_t ended;
        while ((ended = waitpid(-1, NULL, WNOHANG)) > 0 || (ended < 0 && errno == EINTR)) {
        }
        if (ended < 0) {
            return; /* there is none */
        }
        kill_children();
        (void)usleep(ROUND_US);
    }
}
