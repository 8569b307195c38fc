/* publisher.h: from a change of the host's graph to everybody who must hear of it, losing nothing on the way.
 *
 *     publish --> buffer --full, or flush--> store (one request) --> each subscriber, in the order of ids
 *                                                                       |  fails
 *                                                                       v
 *                                         deliver again <--retry-- dead letters of the subscriber
 *
 * Subscribers hear of stored events only, so that none of them knows what the store might not know after a crash. Safe
 * for use by several threads: one at a time stores and delivers. */
#ifndef POLARIS_HOST_PUBLISHER_H
#define POLARIS_HOST_PUBLISHER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "host/host.h"

struct publisher;

struct publisher_options {
    struct host *host;                /* must outlive the publisher */
    size_t batch_size;                /* events of one request; 0: 100 */
    int64_t (*now_us)(void *context); /* when an event without time happened; NULL: the system's clock */
    void *context;
};

/* NULL: no memory. */
struct publisher *publisher_new(const struct publisher_options *options) __attribute__((warn_unused_result));
/* Events still in the buffer are forgotten: publisher_flush() first. NULL is allowed. */
void publisher_free(struct publisher *publisher);
void publisher_freep(struct publisher **publisher);

/* What a subscriber says when it could not take an event; kept with the dead letter. */
struct delivery_error {
    char class_name[129]; /* may stay empty */
    char message[1024];
};

struct subscriber {
    const char *name; /* the consumer whose dead letters are its own; copied */
    /* Takes an event as a query would give it, borrowed for the call; false: it failed. May hear of an event again
     * after it failed, never after it succeeded. Called by one thread at a time; must not call the publisher. */
    bool (*deliver)(void *context, const json_t *event, struct delivery_error *ret_error);
    void *context;
    bool ordered; /* retries of a stream's events wait for the earlier ones of that stream */
};

bool publisher_subscribe(struct publisher *publisher, const struct subscriber *subscriber, struct failure *failure)
    __attribute__((warn_unused_result));

/* Buffers an event as SPEC.md has it in a request (stolen), and hands the buffer over once it is full. False: it could
 * not be handed over; the events stay in the buffer and the next call tries again. A buffer that is full and cannot be
 * handed over takes no event more: then *ret_taken (may be NULL) is false. */
bool publisher_publish(struct publisher *publisher, json_t *event, bool *ret_taken, struct failure *failure)
    __attribute__((warn_unused_result));

/* Hands over what is buffered. */
bool publisher_flush(struct publisher *publisher, struct failure *failure) __attribute__((warn_unused_result));

/* Forgets what is buffered: the way out when the store refuses an event for good. Returns how many. */
size_t publisher_drop(struct publisher *publisher);

struct retry_report {
    uint64_t claimed, resolved;
    uint64_t failed;     /* will be tried again */
    uint64_t parked;     /* all attempts are used up */
    int64_t next_due_us; /* when the next one is due; 0: none waits */
};

/* Delivers the subscriber's dead letters that are due, at most `limit` of them, and says how it went. */
bool publisher_retry(struct publisher *publisher, const char *subscriber, size_t limit, struct retry_report *ret_report,
                     struct failure *failure) __attribute__((warn_unused_result));

struct publisher_counts {
    uint64_t published; /* taken into the buffer */
    uint64_t stored;    /* new in the store */
    uint64_t known;     /* were there already, under their keys: not delivered again */
    uint64_t rejected;  /* kept by the store as rejected entries, as their schema did not allow them: no events */
    uint64_t requests;
    uint64_t delivered; /* to a subscriber, which took it */
    uint64_t failed;    /* a subscriber did not */
    uint64_t owed;      /* of these, dead letters that the store could not take yet; tried again with the next call */
};
struct publisher_counts publisher_counts(struct publisher *publisher);

#endif
