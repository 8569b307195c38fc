/* child.c: the process that appends until it is killed. */
#include "demo/child.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "demo/changes.h"
#include "demo/demo.h"
#include "graph/request.h"

struct child {
    struct host *host;
    struct packages packages;
    atomic_bool failed;
    pthread_mutex_t lock; /* for the failure */
    struct failure failure;
};

struct worker {
    struct child *child;
    int64_t number;
    pthread_t thread;
};

/* One line is one write, which a pipe takes whole or not at all: a line that is there is an acknowledgement. */
static bool acknowledge(int64_t id, const char *key, struct failure *failure) {
    char line[128];
    int size = snprintf(line, sizeof line, CHILD_LINE_PRINT, id, key);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) {
        return failure_set(failure, "cannot report event %" PRId64, id);
    }
    return true;
}

static bool append_one(struct worker *worker, int64_t round, struct failure *failure) {
    struct child *child = worker->child;
    int64_t sequence = round * CHILD_THREADS + worker->number;
    const struct package *package = &child->packages.items[(uint64_t)sequence % child->packages.count];
    char key[CHILD_KEY_SIZE];
    (void)snprintf(key, sizeof key, "check-%" PRId64, sequence);
    json_t *event = changes_check(package, sequence);
    if (event == NULL || json_object_set_new(event, "key", json_string(key)) != 0) {
        json_decref(event);
        return failure_set(failure, "no memory for an event");
    }
    json_auto_t *reply = NULL;
    json_t *request = json_pack("{s: s, s: o}", "op", "append", "event", event);
    if (request_call(child->host, HOST_STORE, request, &reply, failure) != POLARIS_ES_OK) {
        return false;
    }
    return acknowledge(json_integer_value(json_array_get(json_object_get(reply, "ids"), 0)), key, failure);
}

static void *work(void *context) {
    struct worker *worker = context;
    struct child *child = worker->child;
    struct failure failure;
    for (int64_t round = 0; !atomic_load(&child->failed); round++) {
        if (!append_one(worker, round, &failure)) {
            (void)pthread_mutex_lock(&child->lock);
            child->failure = failure;
            (void)pthread_mutex_unlock(&child->lock);
            atomic_store(&child->failed, true);
        }
    }
    return NULL;
}

static void child_done(struct child *child) {
    host_close(child->host);
    packages_done(&child->packages);
}

void demo_child(const struct demo_options *options, struct failure *failure) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody is left to kill it once the parent is gone */
    struct demo_clock clock = {0};
    CLEANUP(child_done) struct child child = {.lock = PTHREAD_MUTEX_INITIALIZER};
    if (!packages_read(options->packages_path, &child.packages, failure) ||
        !demo_open_host(options, &clock, "polaris demo, the child", &child.host, failure)) {
        return;
    }
    struct worker workers[CHILD_THREADS];
    size_t started = 0;
    for (; started < CHILD_THREADS; started++) {
        workers[started] = (struct worker){.child = &child, .number = (int64_t)started};
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0) {
            (void)failure_set(&child.failure, "no thread to append from");
            atomic_store(&child.failed, true);
            break;
        }
    }
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }
    *failure = child.failure;
}
