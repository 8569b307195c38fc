/* answer.c: a sink that keeps the reply. */
#include "check/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/verdict.h"
#include "message/message.h"

static int32_t take(void *context, polaris_bytes piece) {
    struct answer *answer = context;
    int index = atomic_fetch_add(&answer->pieces, 1);
    if (atomic_load(&answer->returned)) {
        (void)atomic_fetch_add(&answer->late, 1);
        return 1;
    }
    if (!pthread_equal(pthread_self(), answer->caller)) {
        (void)atomic_fetch_add(&answer->foreign, 1);
    }
    if (atomic_load(&answer->refused)) {
        (void)atomic_fetch_add(&answer->stubborn, 1);
    }
    if (index == answer->refuse_at) {
        atomic_store(&answer->refused, true);
        return 1;
    }
    (void)pthread_mutex_lock(&answer->lock);
    uint8_t *data = realloc(answer->data, answer->size + piece.size + 1);
    REQUIRE(data != NULL, "the check has no memory for a reply of %llu bytes",
            (unsigned long long)(answer->size + piece.size));
    if (piece.size > 0) {
        memcpy(data + answer->size, piece.data, piece.size);
    }
    answer->data = data;
    answer->size += piece.size;
    (void)pthread_mutex_unlock(&answer->lock);
    return 0;
}

void answer_init(struct answer *answer) {
    *answer = (struct answer){
        .sink = {.size = sizeof answer->sink, .context = answer, .write = take},
        .caller = pthread_self(),
        .refuse_at = -1,
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
}

void answer_done(struct answer *answer) {
    free(answer->data);
    answer->data = NULL;
    answer->size = 0;
}

void answer_returned(struct answer *answer) {
    atomic_store(&answer->returned, true);
}

json_t *answer_reply(const struct answer *answer) {
    json_t *reply = NULL;
    struct failure failure;
    if (answer->size == 0 || !message_unpack(answer->data, answer->size, &reply, &failure)) {
        return NULL;
    }
    if (!json_is_object(reply) || json_object_get(reply, "$map") != NULL) {
        json_decref(reply);
        return NULL;
    }
    return reply;
}

const char *answer_fault(const struct answer *answer) {
    static char text[200];
    json_auto_t *reply = NULL;
    struct failure failure;
    if (answer->size == 0) {
        return "there is no reply";
    }
    if (!message_unpack(answer->data, answer->size, &reply, &failure)) {
        (void)snprintf(text, sizeof text, "the reply of %zu bytes is not exactly one msgpack value: %.100s",
                       answer->size, failure.message);
        return text;
    }
    return json_is_object(reply) && json_object_get(reply, "$map") == NULL
               ? NULL
               : "the reply is not a map with text for keys";
}
