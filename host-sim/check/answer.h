/* answer.h: a sink that keeps the reply, and what the plugin did with it. */
#ifndef POLARIS_CHECK_ANSWER_H
#define POLARIS_CHECK_ANSWER_H

#include <jansson.h>
#include <polaris/event_store.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cleanup.h"

struct answer {
    polaris_sink sink;
    pthread_t caller;
    int refuse_at;        /* refuses the piece with this index; < 0: none */
    _Atomic int pieces;   /* that came, refused ones included */
    _Atomic int foreign;  /* from another thread than the caller */
    _Atomic int late;     /* after the verb had returned */
    _Atomic int stubborn; /* after one was refused */
    _Atomic bool returned, refused;
    pthread_mutex_t lock; /* of the bytes: whoever calls */
    uint8_t *data;
    size_t size;
};

/* For a call that this thread makes next. The address must not change. */
void answer_init(struct answer *answer);
void answer_done(struct answer *answer);

/* The call has returned: no piece may come any more, and is not kept if it does. */
void answer_returned(struct answer *answer);

/* The reply as JSON, a new reference; NULL: none came, or it is not exactly one map: see answer_fault. */
json_t *answer_reply(const struct answer *answer) WARN_UNUSED;

/* What is wrong with the reply itself: "is 2 bytes longer than one map"; NULL: nothing. Static memory. */
const char *answer_fault(const struct answer *answer);

#endif
