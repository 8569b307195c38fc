/* apart.c: forking, waiting, and files. */
#include "apart.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../stress/race.h"

bool run_apart(const char *what, unsigned seconds, void (*body)(void *context), void *context) {
    int result = 0;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        (void)complaints_forget(); /* what was complained of before is the parent's */
        (void)alarm(seconds);
        body(context);
        (void)fflush(NULL);
        _exit(complained() ? 3 : 0);
    }
    if (pid < 0) {
        complain("no child: %s", strerror(errno));
        return false;
    }
    while (waitpid(pid, &result, 0) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(result)) {
        complain("%s: %s", what, WTERMSIG(result) == SIGALRM ? "hangs" : strsignal(WTERMSIG(result)));
    } else {
        EXPECT(WEXITSTATUS(result) == 0, "%s: exit code %d", what, WEXITSTATUS(result));
    }
    return result == 0;
}

static int remove_one(const char *path, const struct stat *file, int kind, struct FTW *where) {
    (void)file;
    (void)kind;
    return where->level > 0 ? remove(path) : 0;
}

void empty_folder(void) {
    EXPECT(nftw(".", remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0, "the folder cannot be emptied");
}

void copy_file(const char *from, const char *to) {
    char block[8192];
    FILE *source = fopen(from, "rb");
    FILE *target = fopen(to, "wb");
    if (source == NULL || target == NULL) {
        fprintf(stderr, "%s cannot be copied to %s\n", from, to);
        exit(1);
    }
    for (size_t size = fread(block, 1, sizeof block, source); size > 0; size = fread(block, 1, sizeof block, source)) {
        EXPECT(fwrite(block, 1, size, target) == size, "%s cannot be written", to);
    }
    (void)fclose(source);
    EXPECT(fclose(target) == 0, "%s cannot be written", to);
}
