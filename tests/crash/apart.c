/* apart.c: forking, waiting, and files. */
#include "apart.h"

#include <dirent.h>
#include <errno.h>
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
        (void)race_forget(); /* what was complained of before is the parent's */
        (void)alarm(seconds);
        body(context);
        (void)fflush(NULL);
        _exit(race_failed() ? 3 : 0);
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

void empty_folder(void) {
    DIR *here = opendir(".");
    if (here == NULL) {
        complain("the folder cannot be read");
        return;
    }
    for (struct dirent *entry = readdir(here); entry != NULL; entry = readdir(here)) {
        if (entry->d_name[0] != '.' && unlink(entry->d_name) != 0) {
            (void)rmdir(entry->d_name);
        }
    }
    (void)closedir(here);
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
