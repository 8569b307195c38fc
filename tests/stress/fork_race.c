/* fork_race.c: a host that starts other programs while its store is open and many threads append: its children hold and
 * disturb nothing of it. What they may do with an instance of the parent is: nothing. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "race.h"

enum {
    APPENDERS = 4,
    FORKS = 90,
    LOCK_BYTE = 128, /* of the log's index: whoever has the database open in SQLite holds it */
};

#define CONFIG "{\"path\": \"fork.db\", \"durability\": \"normal\", \"checkpoint_pages\": 100}"

static polaris_es *self;
static atomic_bool stop;
static atomic_llong stored;

static void *append(void *context) {
    while (!atomic_load(&stop)) {
        json_decref(call(self, table->store, MAY(OK),
                         "{\"op\":\"append\",\"event\":{\"type\":\"a\",\"data\":{},\"tags\":[\"x\"]}}"));
        atomic_fetch_add(&stored, 1);
    }
    return context;
}

/* ---- children: after a fork of many threads they may only do what a signal handler may ---- */

static void leave(void) {
    _exit(0);
}

static void close_everything_and_leave(void) {
    for (int descriptor = 3; descriptor < 256; descriptor++) {
        (void)close(descriptor);
    }
    _exit(0);
}

static void run_another_program(void) {
    (void)execl("/bin/sh", "sh", "-c",
                "for i in /proc/self/fd/*; do readlink $i; done | grep -q fork.db && exit 9; exit 0", (char *)NULL);
    _exit(8);
}

/* Does the parent still hold SQLite's lock? Asked by another process, as one's own locks are not seen. */
static void look_for_the_lock(void) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_BYTE, .l_len = 1};
    int descriptor = open("fork.db-shm", O_RDWR | O_CLOEXEC);
    bool held = descriptor >= 0 && fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type == F_RDLCK;
    _exit(held && lock.l_pid == getppid() ? 0 : 7);
}

static int run_child(void (*body)(void)) {
    int result = 0;
    pid_t pid = fork();
    if (pid == 0) {
        body();
        _exit(6);
    }
    while (pid > 0 && waitpid(pid, &result, 0) < 0 && errno == EINTR) {
    }
    return pid > 0 && WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

static void fork_under_load(void) {
    static void (*const BODIES[])(void) = {leave, close_everything_and_leave, run_another_program, look_for_the_lock};
    enum { BODY_COUNT = sizeof BODIES / sizeof BODIES[0] };
    pthread_t threads[APPENDERS];
    self = must_open(NULL, CONFIG);
    for (int i = 0; i < APPENDERS; i++) {
        start(&threads[i], append, NULL);
    }
    for (int i = 0; i < FORKS; i++) {
        long long before = atomic_load(&stored);
        int code = run_child(BODIES[i % BODY_COUNT]);
        EXPECT(code == 0, "child %d: %d", i % BODY_COUNT, code);
        while (atomic_load(&stored) == before && !complained()) {
            (void)usleep(100);
        }
    }
    atomic_store(&stop, true);
    for (int i = 0; i < APPENDERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/* A child that lives on, without another program, has copies of the parent's descriptors: that of the lock as well. */
static void open_again_beside_a_child(void) {
    pid_t pid = fork();
    if (pid == 0) {
        (void)pause();
        _exit(0);
    }
    must_close(self);
    int32_t status = open_store(NULL, &self, CONFIG);
    EXPECT(status == POLARIS_ES_OK, "init beside a child of the last owner: %d", status);
    if (status == POLARIS_ES_OK) {
        json_t *reply = call(self, table->query, MAY(OK), "{\"op\":\"count\",\"filter\":{\"tags_any\":[\"x\"]}}");
        EXPECT(number(reply, "count") == atomic_load(&stored), "%lld events of %lld", (long long)number(reply, "count"),
               atomic_load(&stored));
        json_decref(reply);
        must_close(self);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

int main(void) {
    race_begin();
    fork_under_load();
    open_again_beside_a_child();
    return race_end();
}
