/* follower.c: long polls, one after the other, each taken up where the one before ended. */
#include "graph/follower.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "graph/request.h"

/* Each poll is short, so that the thread soon sees that it shall end; a hundred empty ones in a row are ten seconds. */
enum { POLL_US = 100000, EMPTY_POLLS_MAX = 100 };

struct follower {
    struct follower_options options;
    pthread_t thread;
    atomic_bool finishing;
    _Atomic int64_t target_id; /* valid once finishing */
    struct follower_result result;
    bool failed;
    struct failure failure;
};

static bool visit_events(struct follower *self, const json_t *events) {
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        int64_t id = json_integer_value(json_object_get(event, "id"));
        if (id <= self->result.last_id) {
            return failure_set(&self->failure, "following: event %lld came after event %lld", (long long)id,
                               (long long)self->result.last_id);
        }
        self->result.last_id = id;
        self->result.events++;
        if (self->options.visit != NULL && !self->options.visit(self->options.context, event, &self->failure)) {
            return false;
        }
    }
    return true;
}

/* One poll; *ret_count events came. */
static bool poll_once(struct follower *self, size_t *ret_count) {
    json_auto_t *reply = NULL;
    json_t *request = json_pack("{s: s, s: {s: I}, s: I}", "op", "events", "filter", "after_id",
                                (json_int_t)self->result.last_id, "wait_us", (json_int_t)POLL_US);
    if (request_call(self->options.host, HOST_QUERY, request, &reply, &self->failure) != POLARIS_ES_OK) {
        return false;
    }
    const json_t *events = json_object_get(reply, "events");
    self->result.polls++;
    self->result.interrupted += json_is_true(json_object_get(reply, "interrupted"));
    *ret_count = json_array_size(events);
    return visit_events(self, events);
}

static bool is_done(struct follower *self) {
    return atomic_load(&self->finishing) && self->result.last_id >= atomic_load(&self->target_id);
}

static void *follow(void *context) {
    struct follower *self = context;
    unsigned empty = 0;
    while (!is_done(self) && !self->failed) {
        size_t count = 0;
        if (!poll_once(self, &count)) {
            self->failed = true;
        } else if (count > 0 || !atomic_load(&self->finishing)) {
            empty = 0;
        } else if (++empty == EMPTY_POLLS_MAX) {
            self->failed = true;
            (void)failure_set(&self->failure, "following: event %lld is stored, but nothing comes after event %lld",
                              (long long)atomic_load(&self->target_id), (long long)self->result.last_id);
        }
    }
    return NULL;
}

struct follower *follower_start(const struct follower_options *options, struct failure *failure) {
    struct follower *self = calloc(1, sizeof *self);
    if (self == NULL) {
        (void)failure_set(failure, "no memory to follow the store");
        return NULL;
    }
    self->options = *options;
    self->result.last_id = options->after_id;
    if (pthread_create(&self->thread, NULL, follow, self) != 0) {
        (void)failure_set(failure, "no thread to follow the store");
        free(self);
        return NULL;
    }
    return self;
}

bool follower_finish(struct follower *follower, int64_t last_id, struct follower_result *ret_result,
                     struct failure *failure) {
    atomic_store(&follower->target_id, last_id);
    atomic_store(&follower->finishing, true);
    (void)pthread_join(follower->thread, NULL);
    *ret_result = follower->result;
    bool followed = !follower->failed;
    if (!followed) {
        *failure = follower->failure;
    }
    free(follower);
    return followed;
}
