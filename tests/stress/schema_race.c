/* schema_race.c: schemas change while events are appended: each event was validated by exactly the version recorded
 * with it, and none after the version that forbids it was put. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "race.h"

enum {
    VERSIONS = 60,
    WRITERS = 4,
    APPENDS = 200, /* of each writer */
    SAME_PUTS = 60,
};

struct story {
    polaris_es *self;
    atomic_int put;     /* the highest version whose put returned */
    atomic_int putting; /* the highest whose put began */
    atomic_bool done;
    int64_t heads[VERSIONS + 1]; /* the highest id when the put of the version had returned */
};

/* Version n allows events of the number n only. */
static void *put_versions(void *context) {
    struct story *story = context;
    for (int i = 1; i <= VERSIONS; i++) {
        atomic_store(&story->putting, i);
        json_t *reply =
            call(story->self, table->schema, MAY(OK),
                 "{\"op\": \"put\", \"type\": \"t\", \"schema\": {\"properties\": {\"n\": {\"const\": %d}}}}", i);
        EXPECT(number(reply, "version") == i, "put %d made version %lld", i, (long long)number(reply, "version"));
        json_decref(reply);
        atomic_store(&story->put, i);
        reply = call(story->self, table->query, MAY(OK), "{\"op\": \"head\"}");
        story->heads[i] = number(reply, "last_id");
        json_decref(reply);
    }
    atomic_store(&story->done, true);
    return NULL;
}

static void *append_numbers(void *context) {
    struct story *story = context;
    for (int i = 0; i < APPENDS; i++) {
        int before = atomic_load(&story->put);
        int n = before + i % 3 - 1; /* about the one that is current: some are allowed, some are not */
        const char *batch = i % 4 == 0 ? "batch." : "";
        char id[32] = "";
        if (i % 4 == 0) {
            (void)snprintf(id, sizeof id, "\"id\": \"b\", ");
        }
        json_t *reply =
            call(story->self, table->store, MAY(OK) | MAY(REJECTED),
                 "{\"op\": \"%sappend\", %s\"event\": {\"type\": \"t\", \"data\": {\"n\": %d}}}", batch, id, n);
        int after = atomic_load(&story->putting);
        bool stored = json_object_get(reply, "code") == NULL;
        EXPECT(!stored || before == 0 || (n >= before && n <= after), "number %d was stored between versions %d and %d",
               n, before, after);
        EXPECT(stored || n != before || after > before, "number %d was refused while version %d was current", n,
               before);
        json_decref(reply);
    }
    return NULL;
}

/* Settings that change nothing keep everybody busy. */
static void *set_policies(void *context) {
    struct story *story = context;
    while (!atomic_load(&story->done)) {
        json_decref(call(story->self, table->schema, MAY(OK) | MAY(BUSY),
                         "{\"op\": \"policy\", \"type\": \"other\", \"policy\": \"warn\"}"));
        json_decref(call(story->self, table->schema, MAY(OK) | MAY(NOT_FOUND),
                         "{\"op\": \"validate\", \"type\": \"t\", \"data\": {\"n\": 1}}"));
    }
    return NULL;
}

/* Callers that put the same schema at once: one of them made the version. */
struct claims {
    polaris_es *self;
    pthread_barrier_t together;
    atomic_int created[SAME_PUTS];
};

static void *put_the_same(void *context) {
    struct claims *claims = context;
    for (int i = 0; i < SAME_PUTS; i++) {
        (void)pthread_barrier_wait(&claims->together);
        json_t *reply = call(claims->self, table->schema, MAY(OK),
                             "{\"op\": \"put\", \"type\": \"same\", \"schema\": {\"const\": {\"n\": %d}}}", i);
        atomic_fetch_add(&claims->created[i], json_is_true(json_object_get(reply, "created")));
        json_decref(reply);
    }
    return NULL;
}

static void each_version_is_claimed_once(polaris_es *self) {
    struct claims claims = {.self = self};
    pthread_t threads[WRITERS];
    (void)pthread_barrier_init(&claims.together, NULL, WRITERS);
    for (int i = 0; i < WRITERS; i++) {
        start(&threads[i], put_the_same, &claims);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    (void)pthread_barrier_destroy(&claims.together);
    for (int i = 0; i < SAME_PUTS; i++) {
        EXPECT(claims.created[i] == 1, "version %d was made by %d callers", i + 1, claims.created[i]);
    }
}

/* An event that got its id after a put had returned was not validated by a version before. */
static void expect_newest(const struct story *story, int64_t id, int64_t version) {
    for (int i = 1; i <= VERSIONS; i++) {
        EXPECT(id <= story->heads[i] || version >= i, "event %lld was stored by version %lld after version %d was put",
               (long long)id, (long long)version, i);
    }
}

static void expect_recorded_versions(const struct story *story) {
    polaris_es *self = story->self;
    json_decref(call(self, table->store, MAY(OK), "{\"op\": \"batch.complete\", \"id\": \"b\"}"));
    json_t *reply = call(self, table->query, MAY(OK), "{\"op\": \"events\", \"limit\": 100000}");
    const json_t *events = json_object_get(reply, "events");
    EXPECT(json_array_size(events) > 0, "nothing was stored");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        int64_t n = number(json_object_get(event, "data"), "n");
        int64_t version = number(event, "schema_version");
        EXPECT(version == 0 || version == n, "number %lld was validated by version %lld", (long long)n,
               (long long)version);
        if (json_object_get(event, "batch") == NULL) {
            expect_newest(story, number(event, "id"), version);
        }
    }
    json_decref(reply);
}

int main(void) {
    race_begin();
    struct story story = {.self = must_open(NULL, "{\"path\": \"schemas.db\", \"durability\": \"normal\"}")};
    json_decref(call(story.self, table->store, MAY(OK), "{\"op\": \"batch.create\", \"id\": \"b\"}"));
    pthread_t threads[WRITERS + 2];
    start(&threads[0], put_versions, &story);
    start(&threads[1], set_policies, &story);
    for (int i = 0; i < WRITERS; i++) {
        start(&threads[2 + i], append_numbers, &story);
    }
    for (int i = 0; i < WRITERS + 2; i++) {
        pthread_join(threads[i], NULL);
    }
    expect_recorded_versions(&story);
    each_version_is_claimed_once(story.self);
    must_close(story.self);
    return race_end();
}
