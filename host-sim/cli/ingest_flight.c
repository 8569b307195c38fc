/* ingest_flight.c: the requests of `ingest`: sending several at a time, and judging how they ended, in line order. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/ingest.h"
#include "message/message.h"

/* The events in flight come to no more than this, but for a single request; as much as a plugin takes by default. */
#define FLIGHT_SIZE_MAX ((size_t)64 << 20)

/* How long, and how often, is waited for a plugin that is busy although nothing of ours is in flight. */
enum { BUSY_WAIT_MS = 10, BUSY_WAITS_MAX = 100 };

/* How long after an interrupt it is told what is waited for. */
enum { PATIENCE_MS = 1000 };

/* ---- Requests ---- */

void pending_drop(struct pending *events, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)events[i].event.data);
    }
}

static void forget_end(struct request *request) {
    free(request->reply);
    request->reply = NULL;
    request->reply_size = 0;
    request->told = false;
}

static void request_free(struct request *request) {
    pending_drop(request->events, request->count);
    free(request->events);
    free(request->reply);
    free(request);
}

/* Takes the events over, whose array is copied. NULL: no memory. */
static struct request *request_new(struct ingest *ingest, const struct pending *events, size_t count) {
    struct request *request = calloc(1, sizeof *request);
    struct pending *copy = malloc(count * sizeof *copy);
    if (request == NULL || copy == NULL) {
        free(request);
        free(copy);
        return NULL;
    }
    memcpy(copy, events, count * sizeof *copy);
    *request = (struct request){.ingest = ingest, .events = copy, .count = count};
    for (size_t i = 0; i < count; i++) {
        request->size += copy[i].event.size;
    }
    return request;
}

/* Room for one more. */
static bool reserve(struct ingest *ingest) {
    if (ingest->request_count == ingest->request_capacity) {
        size_t capacity = 2 * ingest->request_capacity + 8;
        struct request **more = realloc(ingest->requests, capacity * sizeof(struct request *));
        if (more == NULL) {
            return false;
        }
        ingest->requests = more;
        ingest->request_capacity = capacity;
    }
    return true;
}

static void insert(struct ingest *ingest, size_t at, struct request *request) {
    memmove(ingest->requests + at + 1, ingest->requests + at, (ingest->request_count - at) * sizeof(struct request *));
    ingest->requests[at] = request;
    ingest->request_count++;
}

static void remove_at(struct ingest *ingest, size_t at) {
    request_free(ingest->requests[at]);
    ingest->request_count--;
    memmove(ingest->requests + at, ingest->requests + at + 1, (ingest->request_count - at) * sizeof(struct request *));
}

static void remove_events(struct request *request, size_t from, size_t count) {
    for (size_t i = from; i < from + count; i++) {
        request->size -= request->events[i].event.size;
    }
    pending_drop(request->events + from, count);
    memmove(request->events + from, request->events + from + count,
            (request->count - from - count) * sizeof *request->events);
    request->count -= count;
}

static bool no_memory(struct ingest *ingest) {
    progress_clear(&ingest->progress);
    (void)session_fail(ingest->session, EXIT_ERROR, "no memory");
    return false;
}

bool flight_add(struct ingest *ingest) {
    if (ingest->pending_count == 0) {
        return true;
    }
    struct request *request = request_new(ingest, ingest->pending, ingest->pending_count);
    if (request == NULL || !reserve(ingest)) {
        if (request != NULL) {
            request->count = 0; /* the events are pending still */
            request_free(request);
        }
        return no_memory(ingest);
    }
    insert(ingest, ingest->request_count, request);
    ingest->pending_count = ingest->pending_size = 0;
    return true;
}

/* Makes two of the first request. */
static bool split(struct ingest *ingest) {
    struct request *head = ingest->requests[0];
    size_t half = head->count / 2;
    struct request *rest = request_new(ingest, head->events + half, head->count - half);
    if (rest == NULL || !reserve(ingest)) {
        if (rest != NULL) {
            rest->count = 0;
            request_free(rest);
        }
        return no_memory(ingest);
    }
    head->size -= rest->size;
    head->count = half;
    insert(ingest, 1, rest);
    return true;
}

/* ---- Sending ---- */

/* On the plugin's thread. Once the mutex is free again the request may be gone. */
static void done(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct request *request = context;
    struct ingest *ingest = request->ingest;
    (void)ticket;
    uint8_t *copy = reply.size > 0 ? malloc(reply.size) : NULL;
    if (copy != NULL) {
        memcpy(copy, reply.data, reply.size);
    }
    (void)pthread_mutex_lock(&ingest->mutex);
    request->status = status;
    request->reply = copy;
    request->reply_size = copy != NULL ? reply.size : 0;
    request->told = true;
    (void)pthread_mutex_unlock(&ingest->mutex);
    (void)eventfd_write(ingest->wake_fd, 1);
}

static bool pack(const struct request *request, uint8_t **ret_data, size_t *ret_size) {
    struct failure failure;
    polaris_bytes *events = malloc(request->count * sizeof *events);
    if (events == NULL) {
        return false;
    }
    for (size_t i = 0; i < request->count; i++) {
        events[i] = request->events[i].event;
    }
    bool packed = message_pack_append(events, request->count, ret_data, ret_size, &failure);
    free(events);
    return packed;
}

static void send_by_call(struct request *request, const uint8_t *data, size_t size) {
    struct reply reply = {0};
    request->status = host_call(request->ingest->host, HOST_STORE, data, size, &reply);
    request->reply = reply.data; /* the request owns it now */
    request->reply_size = reply.size;
    request->state = REQUEST_ENDED;
}

/* False: not now. `alone`: nothing is in flight. */
static bool send_request(struct ingest *ingest, struct request *request, bool alone) {
    CLEANUP(memory_done) uint8_t *data = NULL;
    size_t size = 0;
    if (!pack(request, &data, &size)) {
        request->status = POLARIS_ES_NO_MEMORY;
        request->state = REQUEST_ENDED;
        return true;
    }
    if (!ingest->by_call && !request->by_call) {
        const polaris_es_completion completion = {.size = sizeof completion, .context = request, .done = done};
        int32_t status = host_submit(ingest->host, data, size, &completion, &request->ticket);
        if (status == POLARIS_ES_OK) {
            request->state = REQUEST_IN_FLIGHT;
            ingest->busy_count = 0;
            return true;
        }
        if (status == POLARIS_ES_UNSUPPORTED) {
            ingest->by_call = true;
            ingest->in_flight = ingest->window = 1;
        } else if (status != POLARIS_ES_BUSY || (alone && ++ingest->busy_count > BUSY_WAITS_MAX)) {
            request->by_call = true;
        }
    }
    if (!alone || (!ingest->by_call && !request->by_call)) {
        return false;
    }
    send_by_call(request, data, size);
    return true;
}

static void send_waiting(struct ingest *ingest) {
    size_t count = 0;
    size_t size = 0;
    for (size_t i = 0; i < ingest->request_count; i++) {
        if (ingest->requests[i]->state == REQUEST_IN_FLIGHT) {
            count++;
            size += ingest->requests[i]->size;
        }
    }
    for (size_t i = 0; i < ingest->request_count && count < ingest->window; i++) {
        struct request *request = ingest->requests[i];
        if (request->state != REQUEST_WAITS) {
            continue;
        }
        if (count > 0 && (request->by_call || request->size > FLIGHT_SIZE_MAX - size)) {
            return;
        }
        if (!send_request(ingest, request, count == 0) || request->state == REQUEST_ENDED) {
            return;
        }
        count++;
        size = request->size > FLIGHT_SIZE_MAX - size ? FLIGHT_SIZE_MAX : size + request->size;
    }
}

/* ---- Ends ---- */

static size_t count_in(const struct ingest *ingest, enum request_state state) {
    size_t count = 0;
    for (size_t i = 0; i < ingest->request_count; i++) {
        count += ingest->requests[i]->state == state;
    }
    return count;
}

/* Takes what the plugin's thread has told. */
static void collect(struct ingest *ingest) {
    eventfd_t told;
    (void)eventfd_read(ingest->wake_fd, &told);
    (void)pthread_mutex_lock(&ingest->mutex);
    for (size_t i = 0; i < ingest->request_count; i++) {
        struct request *request = ingest->requests[i];
        if (request->state == REQUEST_IN_FLIGHT && request->told) {
            request->state = REQUEST_ENDED;
        }
    }
    (void)pthread_mutex_unlock(&ingest->mutex);
}

static void wait_for_an_end(struct ingest *ingest) {
    struct interrupt *interrupt = &ingest->interrupt;
    struct pollfd watched[2] = {{.fd = ingest->wake_fd, .events = POLLIN},
                                {.fd = interrupt->came ? -1 : interrupt->fd, .events = POLLIN}};
    size_t count = count_in(ingest, REQUEST_IN_FLIGHT);
    bool impatient = count > 0 && interrupt->came && !ingest->told_waiting;
    int ready = poll(watched, 2, count == 0 ? BUSY_WAIT_MS : impatient ? PATIENCE_MS : -1);
    if (ready == 0 && impatient) {
        ingest->told_waiting = true;
        tell_waiting(ingest, count);
    }
    (void)interrupt_came(interrupt);
    collect(ingest);
}

static bool is_stored(const struct request *request) {
    return request->state == REQUEST_STORED ||
           (request->state == REQUEST_ENDED &&
            (request->status == POLARIS_ES_OK || request->status == POLARIS_ES_REPLY_LOST));
}

/* Gives up what is in flight from a request on, as far as it was not begun, and waits for the ends of all of it. What
 * was not stored, for whatever reason, waits again. */
static void recall(struct ingest *ingest, size_t from) {
    for (size_t i = ingest->request_count; i > from; i--) { /* the last first: it is the least likely to have begun */
        if (ingest->requests[i - 1]->state == REQUEST_IN_FLIGHT) {
            (void)host_cancel(ingest->host, ingest->requests[i - 1]->ticket);
        }
    }
    while (count_in(ingest, REQUEST_IN_FLIGHT) > 0) {
        wait_for_an_end(ingest);
    }
    for (size_t i = from; i < ingest->request_count; i++) {
        struct request *request = ingest->requests[i];
        if (is_stored(request)) {
            request->state = REQUEST_STORED;
        } else if (request->state == REQUEST_ENDED) {
            forget_end(request);
            request->state = REQUEST_WAITS;
        }
    }
}

/* Is it the fault of an event (or of too many in one request), rather than of the store? */
static bool is_about_events(int32_t status) {
    return status == POLARIS_ES_INVALID || status == POLARIS_ES_TOO_LARGE || status == POLARIS_ES_CONFLICT ||
           status == POLARIS_ES_REJECTED;
}

/* Which of `count` events an error is about, from its path "/events/K…"; `count` if it does not say. *ret_rest is the
 * path within the event. */
static size_t find_culprit(const json_t *error, size_t count, const char **ret_rest) {
    static const char PREFIX[] = "/events/";
    const char *path = json_string_value(json_object_get(json_object_get(error, "details"), "path"));
    *ret_rest = "";
    if (path == NULL || strncmp(path, PREFIX, sizeof PREFIX - 1) != 0) {
        return count == 1 ? 0 : count;
    }
    char *end = NULL;
    unsigned long long index = strtoull(path + sizeof PREFIX - 1, &end, 10);
    if (end == path + sizeof PREFIX - 1 || index >= count) {
        return count == 1 ? 0 : count;
    }
    *ret_rest = end;
    return (size_t)index;
}

static void read_reply(const struct request *request, json_t **ret_reply) {
    struct failure failure;
    if (!message_unpack(request->reply, request->reply_size, ret_reply, &failure)) {
        *ret_reply = NULL;
    }
}

/* --strict: what stands before the bad event goes in still, and nothing after it. Nothing is in flight: it never is
 * more than the first request. */
static void stop_at(struct ingest *ingest, size_t culprit) {
    struct request *head = ingest->requests[0];
    ingest->resume_line = head->events[culprit].line;
    ingest->stopped = true;
    remove_events(head, culprit, head->count - culprit);
    while (ingest->request_count > 1) {
        remove_at(ingest, ingest->request_count - 1);
    }
    pending_drop(ingest->pending, ingest->pending_count);
    ingest->pending_count = ingest->pending_size = 0;
}

/* The first request was refused. False: to go on makes no sense. */
static bool judge_refused(struct ingest *ingest, const json_t *error) {
    struct request *head = ingest->requests[0];
    int32_t status = head->status;
    recall(ingest, 1);
    ingest->window = 1;
    forget_end(head);
    head->state = REQUEST_WAITS;
    if (!is_about_events(status)) {
        progress_clear(&ingest->progress);
        (void)session_fail_reply(ingest->session, "the store refuses to go on", status, error);
        return false;
    }
    const char *rest;
    size_t culprit = find_culprit(error, head->count, &rest);
    if (culprit == head->count) { /* too much for one request, by a limit that this host does not know */
        ingest->batch = status == POLARIS_ES_TOO_LARGE ? head->count / 2 : ingest->batch;
        return split(ingest);
    }
    tell_refused(ingest, head->events[culprit].line, status, error, rest);
    if (ingest->strict) {
        stop_at(ingest, culprit);
    } else {
        remove_events(head, culprit, 1);
    }
    if (head->count == 0) {
        remove_at(ingest, 0);
    }
    return true;
}

/* The first request has ended. */
static bool judge(struct ingest *ingest) {
    struct request *head = ingest->requests[0];
    json_auto_t *reply = NULL;
    read_reply(head, &reply);
    if (!is_stored(head)) {
        return judge_refused(ingest, reply);
    }
    tell_stored(ingest, head, reply);
    remove_at(ingest, 0);
    ingest->window = 2 * ingest->window < ingest->in_flight ? 2 * ingest->window : ingest->in_flight;
    return true;
}

/* To go on makes no sense; what is stored all the same, behind what is not, is counted. */
static bool give_up_here(struct ingest *ingest) {
    recall(ingest, 0);
    for (size_t i = 0; i < ingest->request_count; i++) {
        if (ingest->requests[i]->state == REQUEST_STORED) {
            json_auto_t *reply = NULL;
            read_reply(ingest->requests[i], &reply);
            tell_stored(ingest, ingest->requests[i], reply);
        }
    }
    return false;
}

static bool has_reached(const struct ingest *ingest, enum advance until) {
    if (ingest->stopped || until == ADVANCE_ALL) {
        return ingest->request_count == 0;
    }
    return until == ADVANCE_NOW || (count_in(ingest, REQUEST_WAITS) == 0 && ingest->request_count <= ingest->in_flight);
}

bool flight_advance(struct ingest *ingest, enum advance until) {
    for (;;) {
        collect(ingest);
        while (ingest->request_count > 0 && ingest->requests[0]->state >= REQUEST_ENDED) {
            if (!judge(ingest)) {
                return give_up_here(ingest);
            }
        }
        if (!ingest->given_up && interrupt_came(&ingest->interrupt)) {
            flight_give_up(ingest);
            return false;
        }
        send_waiting(ingest);
        if (ingest->request_count > 0 && ingest->requests[0]->state >= REQUEST_ENDED) {
            continue; /* by a call */
        }
        if (has_reached(ingest, until)) {
            return !ingest->stopped;
        }
        wait_for_an_end(ingest);
    }
}

void flight_give_up(struct ingest *ingest) {
    ingest->given_up = true;
    recall(ingest, 0);
    while (ingest->request_count > 0 && ingest->requests[ingest->request_count - 1]->state == REQUEST_WAITS) {
        ingest->resume_line = ingest->requests[ingest->request_count - 1]->events[0].line;
        remove_at(ingest, ingest->request_count - 1);
    }
    (void)flight_advance(ingest, ADVANCE_ALL);
}

/* ---- The whole ---- */

bool flight_init(struct ingest *ingest) {
    ingest->window = 1;
    ingest->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return ingest->wake_fd >= 0;
}

void flight_done(struct ingest *ingest) {
    while (ingest->request_count > 0) {
        remove_at(ingest, ingest->request_count - 1);
    }
    free(ingest->requests);
    if (ingest->wake_fd > 0) {
        (void)close(ingest->wake_fd);
    }
}
