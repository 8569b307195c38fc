/* submit_race.c: many threads submit, others give up what they can, call and read, schemas change; then shutdown comes
 * while requests are in flight, and the store is opened again. Each request that was taken ends once; what ended with
 * OK is stored once, where its reply says; what did not, is not; and the requests of a thread are committed in its
 * order. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "race.h"

enum {
    CYCLES = 4,
    SUBMITTERS = 6, /* one of them right before shutdown */
    REQUESTS = 160, /* of each submitter, in each cycle */
    SUBMIT_MAX = 48,
    TICKETS_MAX = SUBMITTERS * REQUESTS * SUBMIT_MAX /* tickets grow, not always by one */
};

struct cycle;

struct record {
    struct submitter *submitter;
    int number;
    int events;      /* 0: no append */
    bool is_checked; /* of the type whose schema changes: it may go behind others */
    bool taken;
    uint64_t ticket;
    atomic_int ends;
    int32_t status; /* set by the plugin's thread, before ends */
    int64_t first_id, last_id;
};

struct submitter {
    struct cycle *cycle;
    int number;
    int64_t last_id; /* the plugin's thread alone: of the last end in commit order */
    struct record records[REQUESTS];
};

struct cycle {
    polaris_es *self;
    int number;
    atomic_int submitting;         /* threads */
    atomic_uint_least64_t tickets; /* the highest so far */
    atomic_int ended, taken;
    atomic_int given_up[TICKETS_MAX + 1]; /* by ticket */
    struct submitter submitters[SUBMITTERS];
};

/* Over all cycles: a race that never came about proves nothing. */
static int64_t drained_in_all;
static atomic_int given_up_in_all;

/* ---- ends ---- */

static void done(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct record *record = context;
    struct submitter *submitter = record->submitter;
    struct failure failure = {0};
    json_t *map = NULL;
    EXPECT(message_unpack(reply.data, reply.size, &map, &failure), "the reply of %llu: %s", (unsigned long long)ticket,
           failure.message);
    const json_t *ids = json_object_get(map, "ids");
    record->status = status;
    record->ticket = ticket;
    if (status == POLARIS_ES_OK && record->events > 0) {
        record->first_id = json_integer_value(json_array_get(ids, 0));
        record->last_id = json_integer_value(json_array_get(ids, json_array_size(ids) - 1));
        EXPECT(record->last_id - record->first_id + 1 == record->events,
               "request %llu has %d events, but ids %lld to %lld", (unsigned long long)ticket, record->events,
               (long long)record->first_id, (long long)record->last_id);
        EXPECT(record->is_checked || record->first_id > submitter->last_id, "thread %d: id %lld was told after %lld",
               submitter->number, (long long)record->first_id, (long long)submitter->last_id);
        submitter->last_id = record->is_checked ? submitter->last_id : record->last_id;
    }
    json_decref(map);
    atomic_fetch_add(&record->ends, 1);
    atomic_fetch_add(&submitter->cycle->ended, 1);
}

/* ---- threads ---- */

static size_t make_request(struct record *record, char *text, size_t size) {
    const struct submitter *submitter = record->submitter;
    int cycle = submitter->cycle->number;
    int thread = submitter->number;
    int i = record->number;
    int length = 0;
    record->events = 1;
    switch (i % 8) {
    case 2: /* whole or not at all */
        record->events = 2;
        length = snprintf(text, size,
                          "{\"op\": \"append\", \"events\": [{\"type\": \"a\", \"data\": {}, \"key\": \"%d/%d/%d/0\"},"
                          " {\"type\": \"b\", \"data\": {}, \"key\": \"%d/%d/%d/1\", \"tags\": [\"x\", \"y\"]}]}",
                          cycle, thread, i, cycle, thread, i);
        break;
    case 3:
        record->is_checked = true;
        length = snprintf(text, size,
                          "{\"op\": \"append\", \"event\": {\"type\": \"checked\", \"data\": {\"n\": %d}, \"key\":"
                          " \"%d/%d/%d/0\"}}",
                          i, cycle, thread, i);
        break;
    case 5:
        record->events = 0;
        length = snprintf(text, size, "{\"op\": \"batch.create\", \"id\": \"b%d/%d/%d\"}", cycle, thread, i);
        break;
    case 6: /* of the batch before, which may have been given up */
        record->events = 0;
        length = snprintf(
            text, size, "{\"op\": \"batch.append\", \"id\": \"b%d/%d/%d\", \"event\": {\"type\": \"a\", \"data\": {}}}",
            cycle, thread, i - 1);
        break;
    case 7: /* refused */
        record->events = i % 16 == 7;
        length = snprintf(text, size,
                          "{\"op\": \"append\", \"event\": {\"type\": \"a\", \"data\": {}, \"key\": \"%d/%d/%d/0\","
                          " \"stream\": \"none\", \"expected_version\": %d}}",
                          cycle, thread, i, 1000000);
        break;
    default:
        length = snprintf(text, size,
                          "{\"op\": \"append\", \"event\": {\"type\": \"a\", \"data\": {\"n\": %d}, \"key\":"
                          " \"%d/%d/%d/0\", \"stream\": \"s%d\", \"tags\": [\"t%d\"]}}",
                          i, cycle, thread, i, thread, i % 3);
    }
    return (size_t)length;
}

static uint8_t *pack(const char *text, size_t *ret_size) {
    struct failure failure = {0};
    json_t *value = NULL;
    uint8_t *data = NULL;
    if (!message_parse(text, strlen(text), &value, &failure) || !message_pack(value, &data, ret_size, &failure)) {
        complain("%s: %s", text, failure.message);
    }
    json_decref(value);
    return data;
}

static void raise_to(atomic_uint_least64_t *highest, uint64_t ticket) {
    uint64_t seen = atomic_load(highest);
    while (seen < ticket && !atomic_compare_exchange_weak(highest, &seen, ticket)) {
    }
}

static void *submit_all(void *context) {
    struct submitter *submitter = context;
    struct cycle *cycle = submitter->cycle;
    for (int i = 0; i < REQUESTS; i++) {
        struct record *record = &submitter->records[i];
        record->submitter = submitter;
        record->number = i;
        char text[512];
        size_t size = 0;
        (void)make_request(record, text, sizeof text);
        uint8_t *data = pack(text, &size);
        const polaris_es_completion completion = {.size = sizeof completion, .context = record, .done = done};
        uint64_t ticket = 0;
        int32_t status = POLARIS_ES_BUSY;
        while (status == POLARIS_ES_BUSY) {
            status = table->submit(cycle->self, (polaris_bytes){data, size}, &completion, &ticket);
            if (status == POLARIS_ES_BUSY) {
                (void)sched_yield();
            }
        }
        free(data); /* it was copied */
        EXPECT(status == POLARIS_ES_OK, "submit: status %d", status);
        record->taken = status == POLARIS_ES_OK;
        atomic_fetch_add(&cycle->taken, record->taken);
        EXPECT(ticket > 0 && ticket <= TICKETS_MAX, "ticket %llu", (unsigned long long)ticket);
        raise_to(&cycle->tickets, ticket);
    }
    atomic_fetch_sub(&cycle->submitting, 1);
    return NULL;
}

static void *give_up_some(void *context) {
    struct cycle *cycle = context;
    unsigned seed = 12345u + (unsigned)cycle->number;
    while (atomic_load(&cycle->submitting) > 0) {
        uint64_t highest = atomic_load(&cycle->tickets);
        seed = seed * 1103515245u + 12345u;
        uint64_t back = (seed >> 16) % 24;
        uint64_t ticket = highest > back ? highest - back : 1;
        int32_t status = table->cancel(cycle->self, ticket);
        EXPECT(status == POLARIS_ES_OK || status == POLARIS_ES_ALREADY ||
                   (status == POLARIS_ES_NOT_FOUND && highest == 0),
               "cancel of %llu: status %d", (unsigned long long)ticket, status);
        if (status == POLARIS_ES_OK) {
            atomic_fetch_add(&given_up_in_all, 1);
            EXPECT(atomic_fetch_add(&cycle->given_up[ticket], 1) == 0, "%llu was given up twice",
                   (unsigned long long)ticket);
        }
        EXPECT(table->cancel(cycle->self, TICKETS_MAX + 1000) == POLARIS_ES_NOT_FOUND, "a ticket that never was");
        (void)sched_yield();
    }
    return NULL;
}

static void *call_and_read(void *context) {
    struct cycle *cycle = context;
    for (int i = 0; atomic_load(&cycle->submitting) > 0; i++) {
        json_decref(call(cycle->self, table->store, MAY(OK),
                         "{\"op\": \"append\", \"event\": {\"type\": \"c\", \"data\": {}, \"key\": \"%d/call/%d\"}}",
                         cycle->number, i));
        json_decref(call(cycle->self, table->query, MAY(OK), "{\"op\": \"count\", \"filter\": {\"types\": [\"a\"]}}"));
    }
    return NULL;
}

/* Every version allows all that is appended. */
static void *put_schemas(void *context) {
    struct cycle *cycle = context;
    for (int i = 0; atomic_load(&cycle->submitting) > 0; i++) {
        json_decref(call(cycle->self, table->schema, MAY(OK),
                         "{\"op\": \"put\", \"type\": \"checked\", \"schema\": {\"properties\": {\"n\": {\"maximum\":"
                         " %d}}}}",
                         1000000 * cycle->number + 1000 + i));
        (void)sched_yield();
    }
    return NULL;
}

/* ---- what must hold afterwards ---- */

static void expect_ends(struct cycle *cycle) {
    for (int i = 0; i < SUBMITTERS; i++) {
        for (int j = 0; j < REQUESTS; j++) {
            const struct record *record = &cycle->submitters[i].records[j];
            int ends = atomic_load(&record->ends);
            EXPECT(ends == record->taken, "request %d of thread %d was taken, and ended %d times", j, i, ends);
            if (ends != 1) {
                continue;
            }
            bool given_up = atomic_load(&cycle->given_up[record->ticket]) > 0;
            EXPECT((record->status == POLARIS_ES_CANCELLED) == given_up, "request %d of thread %d ended with %d%s", j,
                   i, record->status, given_up ? ", but was given up" : "");
            bool may_be_refused = j % 8 == 7 || j % 8 == 6;
            EXPECT(record->status == POLARIS_ES_OK || given_up || may_be_refused,
                   "request %d of thread %d ended with %d", j, i, record->status);
        }
    }
}

/* The event is there once, and its id is what its request was told. */
static void count_event(struct cycle *cycle, const json_t *event, int *seen) {
    int of_cycle = 0, thread = 0, request = 0, index = 0;
    const char *key = json_string_value(json_object_get(event, "key"));
    if (key == NULL || sscanf(key, "%d/%d/%d/%d", &of_cycle, &thread, &request, &index) != 4 ||
        of_cycle != cycle->number) {
        return;
    }
    const struct record *record = &cycle->submitters[thread].records[request];
    EXPECT(record->status == POLARIS_ES_OK, "%s is stored, but its request ended with %d", key, record->status);
    EXPECT(number(event, "id") == record->first_id + index, "%s has another id than its request was told", key);
    seen[thread * REQUESTS + request]++;
}

static void expect_stored(struct cycle *cycle) {
    static int seen[SUBMITTERS * REQUESTS];
    memset(seen, 0, sizeof seen);
    json_t *reply = call(cycle->self, table->query, MAY(OK), "{\"op\": \"events\", \"limit\": 100000}");
    size_t i = 0;
    json_t *event = NULL;
    json_array_foreach(json_object_get(reply, "events"), i, event) {
        count_event(cycle, event, seen);
    }
    json_decref(reply);
    for (int thread = 0; thread < SUBMITTERS; thread++) {
        for (int request = 0; request < REQUESTS; request++) {
            const struct record *record = &cycle->submitters[thread].records[request];
            int wanted = record->status == POLARIS_ES_OK ? record->events : 0;
            EXPECT(seen[thread * REQUESTS + request] == wanted,
                   "of request %d of thread %d %d events are stored, not %d", request, thread,
                   seen[thread * REQUESTS + request], wanted);
        }
    }
}

static polaris_es *open_again(void) {
    return must_open(NULL,
                     "{\"path\": \"submit.db\", \"durability\": \"normal\", \"submit_max\": 48}" /* SUBMIT_MAX */);
}

static void run_cycle(int number_of_cycle) {
    struct cycle *cycle = calloc(1, sizeof *cycle);
    pthread_t threads[SUBMITTERS + 2];
    if (cycle == NULL) {
        complain("no memory");
        return;
    }
    cycle->self = open_again();
    cycle->number = number_of_cycle;
    atomic_store(&cycle->submitting, SUBMITTERS - 1);
    for (int i = 0; i < SUBMITTERS; i++) {
        cycle->submitters[i].cycle = cycle;
        cycle->submitters[i].number = i;
    }
    for (int i = 0; i < SUBMITTERS - 1; i++) {
        start(&threads[i], submit_all, &cycle->submitters[i]);
    }
    start(&threads[SUBMITTERS - 1], give_up_some, cycle);
    start(&threads[SUBMITTERS], call_and_read, cycle);
    start(&threads[SUBMITTERS + 1], put_schemas, cycle);
    for (int i = 0; i < SUBMITTERS + 2; i++) {
        pthread_join(threads[i], NULL);
    }
    /* Shutdown excludes all other calls, but not what these have left in flight. */
    (void)submit_all(&cycle->submitters[SUBMITTERS - 1]);
    int in_flight = atomic_load(&cycle->taken) - atomic_load(&cycle->ended);
    json_t *reply = call(cycle->self, table->shutdown, MAY(OK), "{}");
    int64_t drained = number(reply, "drained");
    EXPECT(drained >= 0 && drained <= in_flight, "%lld were drained, %d were in flight", (long long)drained, in_flight);
    json_decref(reply);
    drained_in_all += drained;
    expect_ends(cycle);
    cycle->self = open_again();
    expect_stored(cycle);
    must_close(cycle->self);
    free(cycle);
}

int main(void) {
    race_begin();
    for (int i = 1; i <= CYCLES; i++) {
        run_cycle(i);
    }
    EXPECT(drained_in_all > 0, "no shutdown found a request in flight");
    EXPECT(atomic_load(&given_up_in_all) > 0, "nothing could be given up");
    return race_end();
}
