/* store_race.c: many threads on every verb at once, through the real shared object. A plain program, as Criterion does
 * not start under the thread sanitizer: it prints what does not hold and ends with 1. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "race.h"

enum {
    WRITERS = 8,
    APPENDS = 150,  /* requests of each writer */
    EVENTS_MAX = 3, /* of one request: 1 to 3 */
    TOTAL_MAX = WRITERS * APPENDS * EVENTS_MAX,
    RARE = 25,   /* every so many requests have one event that few look for */
    ROUNDS = 80, /* of each thread that mixes verbs */
    CYCLES = 12  /* of opening and closing */
};

/* ---- eight writers, and who follows them ---- */

struct flow {
    polaris_es *writer, *reader;
    atomic_int writing;                /* writers that are not done */
    atomic_llong rare;                 /* acknowledged events with the tag "rare" */
    atomic_llong acknowledged;         /* events */
    atomic_llong woken;                /* highest id that the wake-up told */
    unsigned char seen[TOTAL_MAX + 1]; /* acknowledged ids; each is written by one thread */
};

struct flow_writer {
    struct flow *flow;
    int number;
};

static void *write_events(void *context) {
    const struct flow_writer *me = context;
    struct flow *flow = me->flow;
    for (int i = 0; i < APPENDS; i++) {
        char events[512] = "";
        int count = 1 + (i + me->number) % EVENTS_MAX;
        for (int j = 0; j < count; j++) {
            size_t used = strlen(events);
            snprintf(events + used, sizeof events - used,
                     "%s{\"type\": \"node_updated\", \"data\": {\"n\": %d}, \"stream\": \"w%d\", \"tags\": [\"%s\"]}",
                     j > 0 ? "," : "", i, me->number, i % RARE == 0 && j == 0 ? "rare" : "common");
        }
        json_t *reply = call(flow->writer, table->store, MAY(OK), "{\"op\": \"append\", \"events\": [%s]}", events);
        const json_t *ids = json_object_get(reply, "ids");
        int64_t before = 0;
        for (size_t j = 0; j < json_array_size(ids); j++) {
            int64_t id = json_integer_value(json_array_get(ids, j));
            EXPECT(id > 0 && id <= TOTAL_MAX, "id %lld", (long long)id);
            EXPECT(before == 0 || id == before + 1, "one request got the ids %lld and %lld", (long long)before,
                   (long long)id);
            if (id > 0 && id <= TOTAL_MAX) {
                EXPECT(flow->seen[id] == 0, "id %lld was given twice", (long long)id);
                flow->seen[id] = 1;
            }
            before = id;
        }
        atomic_fetch_add(&flow->acknowledged, (long long)json_array_size(ids));
        atomic_fetch_add(&flow->rare, i % RARE == 0);
        json_decref(reply);
    }
    atomic_fetch_sub(&flow->writing, 1);
    return NULL;
}

struct follower {
    struct flow *flow;
    polaris_es *self;
    const char *who;
    const char *filter;
    bool sees_all;
    long long count;
};

/* Follows by cursor until the writers are done and nothing more comes: ids come in order, none twice, and without a gap
 * for who sees all. */
static void *follow(void *context) {
    struct follower *me = context;
    char cursor[256] = "";
    int64_t last = 0;
    for (bool done = false; !done;) {
        done = atomic_load(&me->flow->writing) == 0;
        json_t *reply =
            call(me->self, table->query, MAY(OK),
                 "{\"op\": \"events\", \"filter\": %s, \"limit\": 50, \"wait_us\": 20000%s%s%s}", me->filter,
                 cursor[0] != '\0' ? ", \"cursor\": \"" : "", cursor, cursor[0] != '\0' ? "\"" : "");
        const json_t *events = json_object_get(reply, "events");
        for (size_t i = 0; i < json_array_size(events); i++) {
            int64_t id = number(json_array_get(events, i), "id");
            EXPECT(me->sees_all ? id == last + 1 : id > last, "%s saw event %lld after %lld", me->who, (long long)id,
                   (long long)last);
            last = id;
            me->count++;
        }
        done = done && json_array_size(events) == 0;
        const char *next = json_string_value(json_object_get(reply, "cursor"));
        if (next != NULL) {
            snprintf(cursor, sizeof cursor, "%s", next);
        }
        json_decref(reply);
        if (complained()) {
            break;
        }
    }
    return NULL;
}

static void on_wake(void *context, int64_t last_id) {
    struct flow *flow = context;
    long long before = atomic_exchange(&flow->woken, last_id);
    EXPECT(before < last_id, "woken for %lld after %lld", (long long)last_id, before);
}

static void writers_and_followers(void) {
    static struct flow flow;
    polaris_es_services services = {.size = sizeof services, .context = &flow, .wake = on_wake};
    flow.writer = must_open(&services, "{\"path\": \"flow.db\", \"durability\": \"normal\"}");
    flow.reader = must_open(NULL, "{\"path\": \"flow.db\", \"mode\": \"read\"}");
    atomic_store(&flow.writing, WRITERS);
    static const char RARE_ONLY[] = "{\"tags_any\": [\"rare\"]}";
    struct follower of_followers[] = {{&flow, flow.writer, "the writer's tail", "{}", true, 0},
                                      {&flow, flow.reader, "the reader's tail", "{}", true, 0},
                                      {&flow, flow.writer, "the writer's tail of rare events", RARE_ONLY, false, 0},
                                      {&flow, flow.reader, "the reader's tail of rare events", RARE_ONLY, false, 0}};
    enum { FOLLOWERS = sizeof of_followers / sizeof of_followers[0] };
    pthread_t writers[WRITERS], followers[FOLLOWERS];
    struct flow_writer of_writers[WRITERS];
    for (int i = 0; i < FOLLOWERS; i++) {
        start(&followers[i], follow, &of_followers[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        of_writers[i] = (struct flow_writer){&flow, i};
        start(&writers[i], write_events, &of_writers[i]);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    long long total = atomic_load(&flow.acknowledged);
    for (int i = 0; i < FOLLOWERS; i++) {
        pthread_join(followers[i], NULL);
        long long expected = of_followers[i].sees_all ? total : atomic_load(&flow.rare);
        EXPECT(of_followers[i].count == expected, "%s saw %lld of %lld events", of_followers[i].who,
               of_followers[i].count, expected);
    }
    json_t *head = call(flow.writer, table->query, MAY(OK), "{\"op\": \"head\"}");
    EXPECT(number(head, "last_id") == total, "the last id is %lld after %lld events",
           (long long)number(head, "last_id"), total);
    json_decref(head);
    must_close(flow.reader);
    must_close(flow.writer);
    EXPECT(atomic_load(&flow.woken) == total, "the last wake-up told %lld of %lld", atomic_load(&flow.woken), total);
}

/* ---- every verb at once ---- */

struct mix {
    polaris_es *self;
    int number;
};

static void *mix_batches(void *context) {
    const struct mix *me = context;
    for (int i = 0; i < ROUNDS; i++) {
        polaris_es *self = me->self;
        json_decref(call(self, table->store, MAY(OK), "{\"op\": \"batch.create\", \"id\": \"b%d-%d\"}", me->number, i));
        json_decref(call(self, table->store, MAY(OK),
                         "{\"op\": \"batch.append\", \"id\": \"b%d-%d\", \"event\": {\"type\": \"t\", \"data\": {}}}",
                         me->number, i));
        json_decref(call(self, table->store, MAY(OK), "{\"op\": \"batch.%s\", \"id\": \"b%d-%d\"}",
                         i % 3 == 0 ? "abort" : "complete", me->number, i));
        json_decref(call(self, table->store, MAY(OK), "{\"op\": \"batch.list\", \"limit\": 5}"));
    }
    return NULL;
}

static void *mix_dead_letters(void *context) {
    const struct mix *me = context;
    polaris_es *self = me->self;
    for (int i = 0; i < ROUNDS; i++) {
        json_decref(call(self, table->dlq, MAY(OK) | MAY(CONFLICT),
                         "{\"op\": \"put\", \"event_id\": %d, \"delay_us\": 0, \"error\": {\"message\": \"m\"}}",
                         1 + i % 8));
        json_t *claimed = call(self, table->dlq, MAY(OK), "{\"op\": \"%s\", \"limit\": 2}", i % 2 ? "claim" : "retry");
        const json_t *entries = json_object_get(claimed, "entries");
        for (size_t j = 0; j < json_array_size(entries); j++) {
            /* Nobody else may have it as long as the lease runs: no conflict is allowed. */
            const json_t *entry = json_array_get(entries, j);
            json_decref(call(self, table->dlq, MAY(OK), "{\"op\": \"resolve\", \"id\": %lld, \"token\": %lld}",
                             (long long)number(entry, "id"), (long long)number(entry, "token")));
        }
        json_decref(claimed);
        json_decref(call(self, table->dlq, MAY(OK), "{\"op\": \"count\"}"));
        json_decref(call(self, table->dlq, MAY(OK), "{\"op\": \"list\", \"limit\": 3, \"with_events\": true}"));
    }
    return NULL;
}

static void *mix_schemas(void *context) {
    const struct mix *me = context;
    for (int i = 0; i < ROUNDS; i++) {
        json_decref(call(me->self, table->schema, MAY(OK),
                         "{\"op\": \"put\", \"type\": \"s%d\", \"schema\": {\"round\": %d}}", me->number % 2, i));
        json_decref(call(me->self, table->schema, MAY(OK), "{\"op\": \"get\", \"type\": \"s%d\"}", me->number % 2));
        json_decref(call(me->self, table->schema, MAY(OK), "{\"op\": \"list\"}"));
    }
    return NULL;
}

static void *mix_queries(void *context) {
    static const char *const QUERIES[] = {
        "{\"op\": \"count\"}",
        "{\"op\": \"histogram\", \"by\": \"type_and_time\", \"bucket_us\": 60000000}",
        "{\"op\": \"streams\"}",
        "{\"op\": \"tags\"}",
        "{\"op\": \"head\"}",
        "{\"op\": \"events\", \"order\": \"desc\", \"order_by\": \"time\", \"limit\": 10}",
        "{\"op\": \"events\", \"filter\": {\"after_id\": 100000}, \"wait_us\": 3000}",
        "{\"op\": \"interrupt\"}",
        "{\"op\": \"batches\", \"limit\": 3}",
        "{\"op\": \"get\", \"id\": 1}",
    };
    const struct mix *me = context;
    for (int i = 0; i < 2 * ROUNDS; i++) {
        size_t which = (size_t)(i + me->number) % (sizeof QUERIES / sizeof QUERIES[0]);
        json_decref(call(me->self, table->query, MAY(OK), "%s", QUERIES[which]));
    }
    return NULL;
}

static void *mix_keys(void *context) {
    const struct mix *me = context;
    for (int i = 0; i < ROUNDS; i++) {
        json_t *reply =
            call(me->self, table->store, MAY(OK),
                 "{\"op\": \"append\", \"event\": {\"type\": \"k\", \"data\": {\"i\": %d}, \"key\": \"k%d\"}}", i, i);
        json_decref(reply);
    }
    return NULL;
}

static void every_verb_at_once(void) {
    static void *(*const KINDS[])(void *) = {mix_batches, mix_dead_letters, mix_schemas, mix_queries, mix_keys};
    enum { KIND_COUNT = sizeof KINDS / sizeof KINDS[0], EACH = 2, COUNT = KIND_COUNT * EACH };
    polaris_es *self = must_open(NULL, "{\"path\": \"mix.db\", \"durability\": \"normal\", \"readers\": 3}");
    for (int i = 0; i < 8; i++) {
        json_decref(call(self, table->store, MAY(OK),
                         "{\"op\": \"append\", \"event\": {\"type\": \"t\", \"data\": {}, \"stream\": \"s\"}}"));
    }
    pthread_t threads[COUNT];
    struct mix of_threads[COUNT];
    for (int i = 0; i < COUNT; i++) {
        of_threads[i] = (struct mix){self, i};
        start(&threads[i], KINDS[i % KIND_COUNT], &of_threads[i]);
    }
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
    }
    /* One event for each key, whoever came first. */
    json_t *reply = call(self, table->query, MAY(OK), "{\"op\": \"count\", \"filter\": {\"types\": [\"k\"]}}");
    EXPECT(number(reply, "count") == ROUNDS, "%d keys made %lld events", ROUNDS, (long long)number(reply, "count"));
    json_decref(reply);
    must_close(self);
}

/* ---- opening and closing ---- */

struct cycle {
    const char *path;
    int number;
};

static void *append_and_read(void *context) {
    polaris_es *self = context;
    for (int i = 0; i < 4; i++) {
        json_decref(call(self, table->store, MAY(OK),
                         "{\"op\": \"append\", \"event\": {\"type\": \"t\", \"data\": {\"i\": %d}}}", i));
        json_decref(call(self, table->query, MAY(OK), "{\"op\": \"events\", \"order\": \"desc\", \"limit\": 2}"));
    }
    return NULL;
}

static void *open_and_close(void *context) {
    const struct cycle *me = context;
    char config[256];
    snprintf(config, sizeof config, "{\"path\": \"%s\", \"durability\": \"normal\"}", me->path);
    for (int i = 0; i < CYCLES; i++) {
        polaris_es *self = must_open(NULL, config);
        polaris_es *second = NULL;
        int32_t status = open_store(NULL, &second, config);
        EXPECT(status == POLARIS_ES_BUSY && second == NULL, "%s was opened by two writers: status %d", me->path,
               status);
        pthread_t threads[3];
        for (int j = 0; j < 3; j++) {
            start(&threads[j], append_and_read, self);
        }
        for (int j = 0; j < 3; j++) {
            pthread_join(threads[j], NULL);
        }
        json_t *head = call(self, table->query, MAY(OK), "{\"op\": \"head\"}");
        EXPECT(number(head, "last_id") == (i + 1) * 12, "%s: %lld events after %d rounds", me->path,
               (long long)number(head, "last_id"), i + 1);
        json_decref(head);
        must_close(self);
    }
    return NULL;
}

static void instances_come_and_go(void) {
    pthread_t threads[2];
    struct cycle cycles[2] = {{"one.db", 0}, {"two.db", 1}};
    for (int i = 0; i < 2; i++) {
        start(&threads[i], open_and_close, &cycles[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

int main(void) {
    race_begin();
    writers_and_followers();
    every_verb_at_once();
    instances_come_and_go();
    return race_end();
}
