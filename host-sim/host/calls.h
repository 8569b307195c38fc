/* calls.h: which calls into plugins are in progress, for whoever watches that they come to an end. */
#ifndef POLARIS_HOST_CALLS_H
#define POLARIS_HOST_CALLS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One call; on the stack of the thread that makes it. */
struct calls_entry {
    const char *verb; /* "entry": the build is being loaded */
    char build[256];  /* its id; while it is being loaded its path */
    int64_t began_us; /* monotonic */
    struct calls_entry *next, *previous;
};

/* Outlives the hosts whose options point to it. Any thread. */
struct calls_now {
    pthread_mutex_t mutex;
    struct calls_entry *newest;
};
#define CALLS_NONE                                                                                                     \
    { .mutex = PTHREAD_MUTEX_INITIALIZER }

/* Around a call. `calls` may be NULL: nobody watches. */
void calls_begin(struct calls_now *calls, struct calls_entry *entry, const char *verb, const char *build);
void calls_end(struct calls_now *calls, struct calls_entry *entry);

/* Copies the call that has been in progress longest. False: there is none. */
bool calls_oldest(struct calls_now *calls, struct calls_entry *ret_entry);

#endif
