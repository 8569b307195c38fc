/* scratch.c: a store for one run only. */
#include "cli/scratch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signals.h"

enum { SUFFIX_COUNT = 4, PATHS_MAX = 8 * SUFFIX_COUNT };

/* What a signal has to remove: made in advance, as a handler may do little more than unlink. */
static char paths[PATHS_MAX][1100];
static volatile sig_atomic_t path_count;
static char folder[1024];
static struct signals signals;

static void remove_all(void) {
    for (int i = 0; i < path_count; i++) {
        (void)unlink(paths[i]); /* the log is not there when the store was closed well */
    }
    (void)rmdir(folder);
}

static void handle_signal(int number) {
    remove_all();
    signals_restore(&signals);
    (void)raise(number); /* so that the shell sees what ended the program */
}

bool scratch_add(struct scratch *scratch, const char *name, struct failure *failure) {
    static const char *const SUFFIXES[SUFFIX_COUNT] = {"", "-wal", "-shm", ".owner"};
    if (path_count + SUFFIX_COUNT > PATHS_MAX) {
        return failure_set(failure, "too many databases for one folder");
    }
    for (int i = 0; i < SUFFIX_COUNT; i++) {
        (void)snprintf(paths[path_count], sizeof paths[0], "%s/%s%s", scratch->folder, name, SUFFIXES[i]);
        path_count++;
    }
    return true;
}

bool scratch_init(struct scratch *scratch, bool keep, struct failure *failure) {
    const char *parent = getenv("TMPDIR");
    struct scratch made = {.keep = keep};
    int size = snprintf(made.folder, sizeof made.folder, "%s/polaris-XXXXXX",
                        parent != NULL && parent[0] != '\0' ? parent : "/tmp");
    if (size < 0 || (size_t)size >= sizeof made.folder) {
        return failure_set(failure, "TMPDIR is too long");
    }
    if (mkdtemp(made.folder) == NULL) {
        return failure_set(failure, "cannot make a folder for the store, '%s': %s", made.folder, strerror(errno));
    }
    (void)snprintf(made.db_path, sizeof made.db_path, "%s/events.db", made.folder);
    if (!keep) {
        strcpy(folder, made.folder);
        path_count = 0;
        if (!scratch_add(&made, "events.db", failure)) {
            return false;
        }
        signals_catch(&signals, handle_signal, false);
    }
    *scratch = made;
    return true;
}

void scratch_done(struct scratch *scratch) {
    if (scratch->folder[0] != '\0' && !scratch->keep) {
        signals_restore(&signals);
        remove_all();
    }
}
