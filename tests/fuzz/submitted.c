/* submitted.c: completions come on a thread of the plugin: they are kept there and judged here. */
#include "submitted.h"

#include <pthread.h>

#include "require.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;

static struct submitted {
    struct buffer request;
    uint64_t ticket;
    bool taken;
    /* By the plugin's thread, under the mutex. */
    bool done;
    uint64_t done_ticket;
    int32_t status;
    struct buffer reply;
} places[SUBMITTED_MAX];

static void note_done(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct submitted *submitted = context;
    (void)pthread_mutex_lock(&mutex);
    REQUIRE(!submitted->done); /* once */
    submitted->done = true;
    submitted->done_ticket = ticket;
    submitted->status = status;
    REQUIRE(buffer_append(&submitted->reply, reply.data, reply.size));
    (void)pthread_cond_signal(&ended);
    (void)pthread_mutex_unlock(&mutex);
}

static void clear(struct submitted *submitted) {
    buffer_done(&submitted->request);
    buffer_done(&submitted->reply);
    *submitted = (struct submitted){0};
}

void submitted_add(polaris_es *self, struct bytes request) {
    for (uint32_t i = 0; i < SUBMITTED_MAX; i++) {
        struct submitted *submitted = &places[i];
        if (submitted->taken) {
            continue;
        }
        const polaris_es_completion completion = {.size = sizeof completion, .context = submitted, .done = note_done};
        uint8_t *copy = malloc(request.size > 0 ? request.size : 1);
        REQUIRE(copy != NULL && buffer_append(&submitted->request, request.data, request.size));
        memcpy(copy, submitted->request.data != NULL ? submitted->request.data : (const uint8_t *)"", request.size);
        int32_t status =
            boundary_table()->submit(self, (polaris_bytes){copy, request.size}, &completion, &submitted->ticket);
        free(copy); /* it was copied */
        REQUIRE((1u << status & (MAY(OK) | MAY(BUSY) | MAY(TOO_LARGE) | MAY(READ_ONLY))) != 0);
        submitted->taken = status == POLARIS_ES_OK;
        if (!submitted->taken) {
            clear(submitted);
        }
        return;
    }
}

void submitted_cancel(polaris_es *self, uint32_t place) {
    const struct submitted *submitted = &places[place % SUBMITTED_MAX];
    int32_t status = boundary_table()->cancel(self, submitted->taken ? submitted->ticket : UINT64_MAX);
    REQUIRE(status == POLARIS_ES_NOT_FOUND ? !submitted->taken
                                           : status == POLARIS_ES_OK || status == POLARIS_ES_ALREADY);
}

bool submitted_any(void) {
    for (uint32_t i = 0; i < SUBMITTED_MAX; i++) {
        if (places[i].taken) {
            return true;
        }
    }
    return false;
}

void submitted_await(struct ledger *ledger) {
    for (uint32_t i = 0; i < SUBMITTED_MAX; i++) {
        struct submitted *submitted = &places[i];
        if (!submitted->taken) {
            continue;
        }
        (void)pthread_mutex_lock(&mutex);
        while (!submitted->done) {
            (void)pthread_cond_wait(&ended, &mutex);
        }
        (void)pthread_mutex_unlock(&mutex);
        REQUIRE(submitted->done_ticket == submitted->ticket);
        json_t *reply = boundary_check_reply(submitted->status, MAY_ANSWER | MAY(CANCELLED) | MAY(BUSY),
                                             buffer_view(&submitted->reply));
        ledger_note(ledger, VERB_ID_STORE, buffer_view(&submitted->request), submitted->status, reply);
        json_decref(reply);
        clear(submitted);
    }
    ledger->overlaps = false;
}
