/* submit.c: the queue of submitted requests, and the thread that works on it. */
#include "submit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "append.h"
#include "system.h"

/* A request may be given up only while it waits. */
enum progress { WAITS, BEGUN, GIVEN_UP };

struct submission {
    struct submitter *submitter;
    struct submission *next; /* in one of the submitter's lists */
    struct completion completion;
    uint64_t ticket;
    atomic_int progress; /* enum progress */
    struct verb_call call;
    struct append append;
    struct append_later later;
    size_t size;
    uint8_t request[];
};

struct list {
    struct submission *first, *last;
};

struct submitter {
    struct instance *instance;
    pthread_t thread;
    pthread_mutex_t mutex; /* all below */
    pthread_cond_t work;
    bool started; /* the thread */
    bool asleep;  /* it is */
    bool stopping;
    struct list submitted;
    struct list stored;  /* or failed: the storage is done with them */
    int64_t in_progress; /* with those that are being copied, and have no ticket yet */
    uint64_t bytes;      /* of the requests in progress */
    uint64_t last_ticket;
    int64_t ended_at_stop;
    struct submission *
        *by_ticket; /* submit_max places: the request with ticket t stands at t % submit_max, if at all */
};

/* ---- lists ---- */

static void list_put(struct list *list, struct submission *submission) {
    submission->next = NULL;
    if (list->last != NULL) {
        list->last->next = submission;
    } else {
        list->first = submission;
    }
    list->last = submission;
}

static struct submission *list_take(struct list *list) {
    struct submission *submission = list->first;
    list->first = submission->next;
    if (list->first == NULL) {
        list->last = NULL;
    }
    return submission;
}

/* The mutex is held. */
static void wake(struct submitter *submitter) {
    if (submitter->asleep) {
        submitter->asleep = false;
        (void)pthread_cond_signal(&submitter->work);
    }
}

/* The mutex is held. */
static void put(struct submitter *submitter, struct list *list, struct submission *submission) {
    list_put(list, submission);
    wake(submitter);
}

/* ---- the end of a request ---- */

/* False: it was given up. */
static bool begin(struct submission *submission) {
    int waits = WAITS;
    return atomic_compare_exchange_strong(&submission->progress, &waits, BEGUN) || waits == BEGUN;
}

static void submission_free(struct submission *submission) {
    append_done(&submission->append);
    verb_call_done(&submission->call);
    free(submission);
}

/* Without the mutex. */
static void tell(struct submission *submission, enum status status) {
    struct verb_call *call = &submission->call;
    struct bytes reply = buffer_view(&call->reply.buffer);
    if (status == REPLY_LOST) {
        const struct storage_host *host = &submission->submitter->instance->host;
        host->log(host->context, POLARIS_ES_LOG_WARNING, "%s, but there was no memory for the reply",
                  verb_done_text(call));
        reply = (struct bytes){0};
    } else if (status != OK) {
        reply = wire_error_reply(&call->reply, &call->error);
    }
    submission->completion.done(&submission->completion, submission->ticket, status, reply);
}

/* What was given up in time ends so, whatever would have become of it. Its place is free before it is told: who is told
 * may submit another one, and is not BUSY by the one that has ended. */
static void end(struct submitter *submitter, struct submission *submission, enum status status) {
    if (status != OK && !begin(submission)) {
        status =
            error_set(&submission->call.error, CANCELLED, "submit: the request was given up before its work began");
    }
    (void)pthread_mutex_lock(&submitter->mutex);
    submitter->by_ticket[submission->ticket % (uint64_t)submitter->instance->config.submit_max] = NULL;
    submitter->in_progress--;
    submitter->bytes -= submission->size;
    submitter->ended_at_stop += submitter->stopping;
    (void)pthread_mutex_unlock(&submitter->mutex);
    tell(submission, status);
    submission_free(submission);
}

/* ---- the work ---- */

static struct submission *submission_of(struct append_later *later) {
    return (struct submission *)(void *)((uint8_t *)later - offsetof(struct submission, later));
}

static bool begin_append(struct append_later *later) {
    return begin(submission_of(later));
}

static void finish_append(struct append_later *later) {
    struct submission *submission = submission_of(later);
    struct submitter *submitter = submission->submitter;
    (void)pthread_mutex_lock(&submitter->mutex);
    put(submitter, &submitter->stored, submission);
    (void)pthread_mutex_unlock(&submitter->mutex);
}

/* Hands an append that was opened to the storage. True: the storage has it. */
static bool hand_over(struct submission *submission, enum status *ret_status) {
    struct storage *storage = submission->submitter->instance->storage;
    *ret_status = append_prepare(&submission->append);
    if (*ret_status != OK) {
        return false;
    }
    submission->later.request = submission->append.request;
    *ret_status = storage->ops->append_later(storage, &submission->later, &submission->call.error);
    return *ret_status == OK;
}

/* Whatever the storage has finished is told before what comes later. */
static void end_stored(struct submitter *submitter);

static void start(struct submitter *submitter, struct submission *submission) {
    struct bytes request = {.data = submission->request, .size = submission->size};
    enum status status = verb_open(&submission->call, &VERB_STORE, submitter->instance, request);
    if (status == OK && submission->call.op->run != append_run) {
        /* Any other op is run here and now. It waits for the storage, and so for all that was submitted before it. */
        status = begin(submission) ? verb_run(&submission->call) : CANCELLED;
        end_stored(submitter);
    } else if (status == OK) {
        status = append_open(&submission->append, &submission->call.call);
        submission->later.results = submission->append.incoming.results;
        if (status == OK && hand_over(submission, &status)) {
            return;
        }
    }
    end(submitter, submission, status);
}

/* The storage is done with an append. */
static void end_append(struct submitter *submitter, struct submission *submission) {
    enum status status = submission->later.status;
    if (append_is_stale(&submission->append, status)) {
        int begun = BEGUN;
        (void)atomic_compare_exchange_strong(&submission->progress, &begun, WAITS);
        if (hand_over(submission, &status)) {
            return;
        }
    }
    status = append_answer(&submission->append, status, &submission->later.summary);
    end(submitter, submission, verb_finish(&submission->call, status));
}

static void end_stored(struct submitter *submitter) {
    (void)pthread_mutex_lock(&submitter->mutex);
    struct list stored = submitter->stored;
    submitter->stored = (struct list){0};
    (void)pthread_mutex_unlock(&submitter->mutex);
    while (stored.first != NULL) {
        end_append(submitter, list_take(&stored));
    }
}

static void *submitter_main(void *argument) {
    struct submitter *submitter = argument;
    (void)pthread_mutex_lock(&submitter->mutex);
    for (;;) {
        if (submitter->stored.first != NULL) {
            (void)pthread_mutex_unlock(&submitter->mutex);
            end_stored(submitter);
            (void)pthread_mutex_lock(&submitter->mutex);
        } else if (submitter->submitted.first != NULL) {
            struct submission *submission = list_take(&submitter->submitted);
            (void)pthread_mutex_unlock(&submitter->mutex);
            start(submitter, submission);
            (void)pthread_mutex_lock(&submitter->mutex);
        } else if (submitter->stopping && submitter->in_progress == 0) {
            break;
        } else {
            submitter->asleep = true;
            while (submitter->asleep) {
                (void)pthread_cond_wait(&submitter->work, &submitter->mutex);
            }
        }
    }
    (void)pthread_mutex_unlock(&submitter->mutex);
    return NULL;
}

/* ---- taking requests ---- */

/* The mutex is held. */
static enum status check_room(const struct submitter *submitter, size_t size, struct error *error) {
    const struct config *config = &submitter->instance->config;
    if (submitter->in_progress >= config->submit_max) {
        error_set(error, BUSY, "submit: %lld requests are in progress, submit_max is %lld; wait until some have ended",
                  (long long)submitter->in_progress, (long long)config->submit_max);
        error_add_number(error, "limit", config->submit_max);
        return BUSY;
    }
    uint64_t limit = (uint64_t)config->submit_size_max;
    if (submitter->in_progress > 0 && (submitter->bytes >= limit || size > limit - submitter->bytes)) {
        error_set(
            error, BUSY,
            "submit: the requests in progress have %llu bytes, submit_size_max is %llu; wait until some have ended",
            (unsigned long long)submitter->bytes, (unsigned long long)limit);
        error_add_number(error, "limit", config->submit_size_max);
        return BUSY;
    }
    return OK;
}

/* With the first request; the mutex is held. */
static enum status start_thread(struct submitter *submitter, struct error *error) {
    if (submitter->started) {
        return OK;
    }
    if (submitter->by_ticket == NULL) {
        submitter->by_ticket = calloc((size_t)submitter->instance->config.submit_max, sizeof(struct submission *));
    }
    submitter->started = submitter->by_ticket != NULL && thread_start(&submitter->thread, submitter_main, submitter);
    return submitter->started ? OK : error_set(error, NO_MEMORY, "submit: the system gives no thread for the work");
}

/* A place for a request of so many bytes: it is in progress from now on, before it is copied, so that nothing is copied
 * for which there is no room. */
static enum status reserve(struct submitter *submitter, size_t size, struct error *error) {
    (void)pthread_mutex_lock(&submitter->mutex);
    enum status status = check_room(submitter, size, error);
    if (status == OK) {
        status = start_thread(submitter, error);
    }
    if (status == OK) {
        submitter->in_progress++;
        submitter->bytes += size;
    }
    (void)pthread_mutex_unlock(&submitter->mutex);
    return status;
}

/* The request for which the place was reserved will not come. */
static void unreserve(struct submitter *submitter, size_t size) {
    (void)pthread_mutex_lock(&submitter->mutex);
    submitter->in_progress--;
    submitter->bytes -= size;
    wake(submitter); /* the thread may wait for nothing else any more */
    (void)pthread_mutex_unlock(&submitter->mutex);
}

/* Into the place that was reserved; the submission may be gone when it returns. */
static uint64_t hand_in(struct submitter *submitter, struct submission *submission) {
    uint64_t places = (uint64_t)submitter->instance->config.submit_max;
    (void)pthread_mutex_lock(&submitter->mutex);
    do { /* one is free; an old request may still have the next */
        submission->ticket = ++submitter->last_ticket;
    } while (submitter->by_ticket[submission->ticket % places] != NULL);
    uint64_t ticket = submission->ticket;
    submitter->by_ticket[ticket % places] = submission;
    put(submitter, &submitter->submitted, submission);
    (void)pthread_mutex_unlock(&submitter->mutex);
    return ticket;
}

static struct submission *submission_new(struct submitter *submitter, struct bytes request,
                                         const struct completion *completion) {
    struct submission *submission = malloc(sizeof *submission + request.size);
    if (submission == NULL) {
        return NULL;
    }
    *submission = (struct submission){.submitter = submitter, .completion = *completion, .size = request.size};
    submission->later.begin = begin_append;
    submission->later.finished = finish_append;
    submission->later.error = &submission->call.error;
    if (request.size > 0) {
        memcpy(submission->request, request.data, request.size);
    }
    return submission;
}

enum status submitter_take(struct submitter *submitter, struct bytes request, const struct completion *completion,
                           uint64_t *ret_ticket, struct error *error) {
    const struct config *config = &submitter->instance->config;
    if (config->read_only) {
        return error_set(error, READ_ONLY, "submit: the store was opened with mode \"read\"");
    }
    if (request.size > (uint64_t)config->request_size_max) {
        error_set(error, TOO_LARGE, "submit: the request is %zu bytes, request_size_max is %lld: split it",
                  request.size, (long long)config->request_size_max);
        error_add_number(error, "limit", config->request_size_max);
        return TOO_LARGE;
    }
    enum status status = reserve(submitter, request.size, error);
    if (status != OK) {
        return status;
    }
    struct submission *submission = submission_new(submitter, request, completion);
    if (submission == NULL) {
        unreserve(submitter, request.size);
        return error_set(error, NO_MEMORY, "submit: no memory for a request of %zu bytes", request.size);
    }
    *ret_ticket = hand_in(submitter, submission);
    return OK;
}

enum status submitter_cancel(struct submitter *submitter, uint64_t ticket) {
    enum status status = ALREADY;
    (void)pthread_mutex_lock(&submitter->mutex);
    if (ticket == 0 || ticket > submitter->last_ticket) {
        status = NOT_FOUND;
    } else {
        struct submission *submission = submitter->by_ticket[ticket % (uint64_t)submitter->instance->config.submit_max];
        int waits = WAITS;
        if (submission != NULL && submission->ticket == ticket &&
            atomic_compare_exchange_strong(&submission->progress, &waits, GIVEN_UP)) {
            status = OK;
        }
    }
    (void)pthread_mutex_unlock(&submitter->mutex);
    return status;
}

/* ---- opening and closing ---- */

enum status submitter_open(struct instance *instance, struct submitter **ret_submitter, struct error *error) {
    struct submitter *submitter = calloc(1, sizeof *submitter);
    if (submitter == NULL) {
        return error_set(error, NO_MEMORY, "open: memory could not be allocated");
    }
    submitter->instance = instance;
    (void)pthread_mutex_init(&submitter->mutex, NULL); /* these cannot fail without attributes */
    (void)pthread_cond_init(&submitter->work, NULL);
    *ret_submitter = submitter;
    return OK;
}

void submitter_close(struct submitter *submitter, int64_t *ret_drained) {
    *ret_drained = 0;
    if (submitter == NULL) {
        return;
    }
    if (submitter->started) {
        (void)pthread_mutex_lock(&submitter->mutex);
        submitter->stopping = true;
        submitter->asleep = false;
        (void)pthread_cond_signal(&submitter->work);
        (void)pthread_mutex_unlock(&submitter->mutex);
        (void)pthread_join(submitter->thread, NULL);
        *ret_drained = submitter->ended_at_stop;
    }
    (void)pthread_cond_destroy(&submitter->work);
    (void)pthread_mutex_destroy(&submitter->mutex);
    free(submitter->by_ticket);
    free(submitter);
}
