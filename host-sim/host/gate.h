/* gate.h: a gate that counts who is inside, so that somebody can close it and wait until it is empty.
 *
 * Fair: whoever waits when the gate opens has entered, even if it closes again before that thread runs. */
#ifndef POLARIS_HOST_GATE_H
#define POLARIS_HOST_GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;  /* for those who wait outside */
    pthread_cond_t drained; /* for who closed it */
    uint64_t openings;      /* who waits remembers it: once it is another one, they are inside */
    uint64_t waiting;
    atomic_uint_least64_t state; /* how many are inside, plus GATE_CLOSED while it is closed */
};
#define GATE_CLOSED (UINT64_C(1) << 32)

bool gate_init(struct gate *gate) WARN_UNUSED; /* open, and empty */
void gate_done(struct gate *gate);             /* nobody may be inside or waiting */

/* Waits while the gate is closed. Each enter is paired with one leave, which need not be of the same thread. */
void gate_enter(struct gate *gate);
void gate_leave(struct gate *gate);

/* By one thread at a time, which opens it again. Those inside stay until they leave. */
void gate_close(struct gate *gate);
/* Waits until nobody is inside; false after timeout_us. Only while it is closed. */
bool gate_drain(struct gate *gate, int64_t timeout_us) WARN_UNUSED;
/* Lets everybody in; returns how many had to wait. */
uint64_t gate_open(struct gate *gate);

#endif
