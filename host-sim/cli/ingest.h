/* ingest.h: what the parts of `ingest` share: events on their way from lines into the store, as requests of which
 * several are in flight.
 *
 * Requests stand in the order of their lines and are judged in that order, so that whatever was stored when it ends can
 * be told by one line number. A refused one is told and sent again without its bad event; what was in flight behind it
 * is given up first, and what could not be given up any more and was refused is sent again unjudged: it may have been
 * refused only because what stands before it was missing. */
#ifndef POLARIS_HOST_INGEST_H
#define POLARIS_HOST_INGEST_H

#include <pthread.h>

#include "cli/command.h"
#include "cli/input.h"
#include "cli/progress.h"

/* An event that was read and not yet stored. */
struct pending {
    uint64_t line;
    polaris_bytes event; /* msgpack; freed with free() */
};

struct ingest;

enum request_state {
    REQUEST_WAITS,     /* to be sent, for the first time or again */
    REQUEST_IN_FLIGHT, /* submitted */
    REQUEST_ENDED,     /* and not judged yet */
    REQUEST_STORED     /* ended well, behind one that did not */
};

struct request {
    struct ingest *ingest;
    struct pending *events;
    size_t count, size; /* size: of the events, in bytes */
    enum request_state state;
    bool by_call; /* submit does not take it: only a call tells why */
    uint64_t ticket;
    /* How it ended. From submitting it until `told` they belong to the plugin's thread, under the mutex. */
    bool told;
    int32_t status;
    uint8_t *reply; /* NULL: none, or no memory for it */
    size_t reply_size;
};

struct ingest {
    struct session *session;
    const char *path;
    size_t batch;     /* events in a request */
    size_t in_flight; /* requests at once */
    bool strict;

    struct host *host;
    struct interrupt interrupt;
    struct line_reader lines;
    struct progress progress;
    struct pending *pending; /* `batch` of them as it was given: what is read for the next request */
    size_t pending_count, pending_size;

    pthread_mutex_t mutex;     /* of what the plugin's thread tells */
    int wake_fd;               /* an eventfd: something was told */
    struct request **requests; /* in the order of their lines */
    size_t request_count, request_capacity;
    size_t window; /* requests at once just now: one after a refusal, twice as many after each that is stored */
    bool by_call;  /* the plugin has no submit */
    int busy_count;
    bool stopped;                /* --strict has found its bad line */
    bool given_up, told_waiting; /* after an interrupt */

    uint64_t stored, duplicates, refused, kept; /* what the summary says; kept: as rejected entries */
    int64_t first_id, last_id;
    int code;             /* of a failure to read; EXIT_OK: none */
    uint64_t resume_line; /* when it ended early: the first line that was neither stored nor refused; otherwise 0 */
};

/* ---- ingest_flight.c ---- */

enum advance {
    ADVANCE_NOW,  /* without waiting */
    ADVANCE_ROOM, /* until all that is there was sent */
    ADVANCE_ALL   /* until all has ended and was judged */
};

bool flight_init(struct ingest *ingest) WARN_UNUSED;
void flight_done(struct ingest *ingest); /* after host_close */

/* Makes a request of what is pending. False: no memory, which was told; it is pending still. */
bool flight_add(struct ingest *ingest) WARN_UNUSED;
/* Sends requests and judges those that have ended. False: to go on makes no sense, or an interrupt came; none is in
 * flight any more, and those that are still there were not stored, unless their state says so. */
bool flight_advance(struct ingest *ingest, enum advance until);
/* Gives up what was not begun, and brings the rest to its end. */
void flight_give_up(struct ingest *ingest);

void pending_drop(struct pending *events, size_t count);

/* ---- ingest_tell.c ---- */

/* Tells a bad line: `what` goes on after its number. */
void tell_bad_line(struct ingest *ingest, uint64_t line, const char *what);
/* Tells an event that the store refused; `rest` is where in the event. */
void tell_refused(struct ingest *ingest, uint64_t line, int32_t status, const json_t *error, const char *rest);
/* Counts a request that is stored, and tells what validation found in it. */
void tell_stored(struct ingest *ingest, const struct request *request, const json_t *reply);
/* After an interrupt: the plugin takes its time for what it has begun. */
void tell_waiting(struct ingest *ingest, size_t count);
void tell_summary(const struct ingest *ingest);

#endif
