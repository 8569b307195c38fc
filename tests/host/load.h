/* load.h: threads that append through a host until they are told to stop, and remember what was acknowledged. Plain C:
 * Criterion does not start under the thread sanitizer. */
#ifndef POLARIS_TESTS_HOST_LOAD_H
#define POLARIS_TESTS_HOST_LOAD_H

#include <host/host.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

enum { LOAD_THREADS = 8, LOAD_APPENDS_MAX = 100000 };

struct load;

struct load_thread {
    struct load *load;
    pthread_t thread;
    int number;
    int64_t acknowledged; /* also the version of the last event in the thread's stream */
    int64_t *ids;
    char failure[512]; /* the first thing that went wrong, or "" */
};

struct load {
    struct host *host;
    atomic_bool stop;
    atomic_int running; /* threads: one less as soon as one fails */
    atomic_int_least64_t total;
    struct load_thread threads[LOAD_THREADS];
};

void load_start(struct load *load, struct host *host);
/* Waits until this many more appends were acknowledged since the call, or a thread failed. */
void load_await(struct load *load, int64_t more);
/* Stops the threads and compares the store with what they were told: every acknowledged event is there, once, in the
 * order of its stream. Returns NULL, or what does not hold; good until load_done. */
const char *load_stop(struct load *load);
void load_done(struct load *load);

/* A host of this build on this file; clock and log of the system. NULL: *failure says why. */
struct host *load_open(const char *plugin, const char *path, struct failure *failure);

/* One call, the request as JSON with ' for ". The reply is a new reference. */
int32_t load_call(struct host *host, enum host_verb verb, const char *request, json_t **ret_reply);

#endif
