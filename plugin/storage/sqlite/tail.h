/* tail.h: the head of the store, and those who wait for it to move. */
#ifndef POLARIS_SQLITE_TAIL_H
#define POLARIS_SQLITE_TAIL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct tail {
    pthread_mutex_t mutex;
    pthread_cond_t moved; /* waits on the monotonic clock */
    int64_t last_id;      /* highest id that was committed */
    int64_t waiting;
    int64_t interrupts; /* how often interrupt was called */
};

bool tail_init(struct tail *tail, int64_t last_id);
void tail_done(struct tail *tail);

/* After a commit. */
void tail_advance(struct tail *tail, int64_t last_id);

/* How often interrupt was called. */
int64_t tail_interrupts(struct tail *tail);

/* Waits for an id above last_id. Returns false when it was interrupted since tail_interrupts gave `interrupts`. `poll`,
 * if not NULL, is asked every few milliseconds for the highest id: for readers of a file that another process writes.
 * When it fails, the wait is over: the read that follows tells what is wrong. */
struct tail_poll {
    int64_t (*last_id)(void *context); /* < 0: it failed */
    void *context;
};
bool tail_wait(struct tail *tail, int64_t last_id, int64_t timeout_us, int64_t interrupts,
               const struct tail_poll *poll);
int64_t tail_interrupt(struct tail *tail);

#endif
