/* judge.c: holds the events of the store against what was told of them. */
#include "torture/judge.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 500, KEY_PARTS = 4, UNTOLD_SUBMITTED_MAX = 64, REQUESTS_MAX = 1 << 24 };

/* ---- one event ---- */

/* The round, the thread, the request and the event in it: "12/3/40/0". */
static bool read_key(const char *text, int ret_key[KEY_PARTS]) {
    const char *at = text;
    for (int i = 0; i < KEY_PARTS; i++) {
        char *end = NULL;
        long part = strtol(at, &end, 10);
        if (end == at || *end != (i < KEY_PARTS - 1 ? '/' : '\0') || part < 0 || part > INT_MAX) {
            return false;
        }
        ret_key[i] = (int)part;
        at = end + 1;
    }
    return true;
}

/* Of a name like "t3"; `beyond` when it is none that was asked for. */
static int number_in(const json_t *name, int beyond) {
    const char *text = json_string_value(name);
    bool good = text != NULL && strlen(text) == 2 && text[1] >= '0' && text[1] - '0' < beyond;
    return good ? text[1] - '0' : beyond;
}

/* Is it this letter and number; < 0: is there none? */
static bool is_name(const json_t *event, const char *field, char letter, int which) {
    char wanted[16];
    const json_t *found = json_object_get(event, field);
    (void)snprintf(wanted, sizeof wanted, "%c%d", letter, which);
    return which < 0 ? found == NULL : json_is_string(found) && strcmp(json_string_value(found), wanted) == 0;
}

static bool has_content(const json_t *event, const struct event_shape *shape) {
    char pad[PAD_SIZE_MAX + 1];
    const json_t *data = json_object_get(event, "data");
    const json_t *found = json_object_get(data, "pad");
    const json_t *metadata = json_object_get(event, "metadata");
    const char type[] = {shape->type, '\0'};
    const char *type_found = json_string_value(json_object_get(event, "type"));
    int64_t time_us = shape->time_us > 0 ? shape->time_us : number(event, "recorded_at");
    event_pad(shape, pad);
    return type_found != NULL && strcmp(type_found, type) == 0 && json_object_size(data) == 2 &&
           number(data, "number") == shape->number && json_string_length(found) == (size_t)shape->pad + 1 &&
           memcmp(json_string_value(found), pad, (size_t)shape->pad + 1) == 0 && number(event, "time") == time_us &&
           (shape->metadata < 0 ? metadata == NULL
                                : json_object_size(metadata) == 1 && number(metadata, "m") == shape->metadata) &&
           is_name(event, "correlation", 'c', shape->correlation) && is_name(event, "causation", 'r', shape->causation);
}

static void check_shape(const struct ledger *ledger, struct census *census, const json_t *event, const int *key) {
    struct event_shape shape = event_shape(ledger->seed, key[0], key[1], key[2], key[3]);
    const char *stream = json_string_value(json_object_get(event, "stream"));
    const json_t *tags = json_object_get(event, "tags");
    unsigned set = 0;
    for (size_t i = 0; i < json_array_size(tags); i++) {
        set |= 1u << number_in(json_array_get(tags, i), TAGS);
    }
    for (int i = 0; i < TAGS; i++) {
        census->of_tag[i] += (set & 1u << i) != 0;
    }
    census->tags += (int64_t)json_array_size(tags);
    bool same =
        has_content(event, &shape) && set == shape.tags &&
        (stream != NULL ? number_in(json_object_get(event, "stream"), STREAMS) == shape.stream : shape.stream < 0);
    EXPECT(same, "event %lld is not what was asked for", (long long)census->last_id);
    if (stream != NULL && shape.stream >= 0) {
        EXPECT(number(event, "version") == ++census->of_stream[shape.stream], "event %lld has version %lld of %s",
               (long long)census->last_id, (long long)number(event, "version"), stream);
    }
}

/* The i-th event of something that was asked for: there once, behind the one before. */
static void note_found(unsigned *found, int64_t *first_id, int index, int64_t id, bool gaps_allowed) {
    EXPECT((*found & 1u << index) == 0, "event %lld is there twice", (long long)id);
    *first_id = index == 0 ? id : *first_id;
    EXPECT(gaps_allowed ? *found == (1u << index) - 1 : id == *first_id + index,
           "event %lld is not where those of its request are", (long long)id);
    *found |= 1u << index;
}

static void check_resubmitted(struct ledger *ledger, const json_t *event, int64_t id) {
    int64_t entry = number(json_object_get(event, "data"), "ok");
    for (int i = 0; i < ledger->kept_count; i++) {
        if (ledger->kept[i].id == entry) {
            EXPECT(ledger->kept[i].found_id == 0, "entry %lld became two events", (long long)entry);
            ledger->kept[i].found_id = id;
            return;
        }
    }
    complain("event %lld: nobody asked for it", (long long)id);
}

static void check_event(struct ledger *ledger, struct census *census, const json_t *event) {
    int64_t id = number(event, "id");
    int64_t recorded_at = number(event, "recorded_at");
    const char *text = json_string_value(json_object_get(event, "key"));
    int key[KEY_PARTS];
    EXPECT(ledger->gaps_allowed ? id > census->last_id : id == census->last_id + 1, "event %lld stands behind %lld",
           (long long)id, (long long)census->last_id);
    EXPECT(recorded_at >= census->recorded_at, "event %lld was recorded before the one before", (long long)id);
    EXPECT(json_object_get(event, "damaged") == NULL, "event %lld is damaged", (long long)id);
    census->last_id = id;
    census->recorded_at = recorded_at;
    census->events++;
    if (text == NULL) {
        check_resubmitted(ledger, event, id);
        return;
    }
    if (!read_key(text, key) || key[0] > ledger->round || key[0] / STORE_ROUNDS != ledger->round / STORE_ROUNDS ||
        key[1] < 0 || key[1] > THREAD_SCHEMA || key[2] < 0 || key[2] > REQUESTS_MAX || key[3] < 0 ||
        key[3] >= BATCH_DRAFTS_MAX) {
        complain("event %lld: nobody asked for %.64s", (long long)id, text);
        return;
    }
    if (key[1] == THREAD_BATCH_1 || key[1] == THREAD_BATCH_2) {
        struct batch *batch = ledger_batch(ledger, key[0], key[1], key[2]);
        note_found(&batch->found, &batch->found_id, key[3], id, ledger->gaps_allowed);
        check_shape(ledger, census, event, key);
        return;
    }
    struct request *request = ledger_request(ledger, key[0], key[1], key[2]);
    note_found(&request->found, &request->found_id, key[3], id, ledger->gaps_allowed);
    if (key[1] == THREAD_SCHEMA) {
        int64_t version = number(json_object_get(event, "data"), "v");
        EXPECT(number(event, "schema_version") == version, "event %lld was allowed by version %lld, and has %lld",
               (long long)id, (long long)version, (long long)number(event, "schema_version"));
        census->last_version = version > census->last_version ? version : census->last_version;
    } else {
        check_shape(ledger, census, event, key);
    }
}

static void read_events(struct ledger *ledger, struct census *census, const struct opened *store) {
    for (bool more = true; more && !complained();) {
        json_t *reply =
            call(store->self, store->table->query, MAY(OK),
                 "{\"op\":\"events\",\"filter\":{\"after_id\":%lld},\"limit\":%d}", (long long)census->last_id, PAGE);
        const json_t *events = json_object_get(reply, "events");
        for (size_t i = 0; i < json_array_size(events); i++) {
            check_event(ledger, census, json_array_get(events, i));
        }
        more = json_is_true(json_object_get(reply, "more"));
        json_decref(reply);
    }
}

/* ---- requests ---- */

/* The requests of one thread were stored in their order: behind one that was not, there is none. */
static void check_requests(struct ledger *ledger, int round, int thread) {
    struct requests *requests = &ledger->requests[round % STORE_ROUNDS][thread];
    int untold = 0;
    bool hole = false;
    int64_t last_id = 0;
    for (int n = 0; n < requests->count; n++) {
        struct request *request = &requests->items[n];
        unsigned all = (1u << request_events(ledger->seed, round, thread, n)) - 1;
        bool found = request->found != 0;
        EXPECT(!found || request->found == all, "request %d/%d/%d was stored in part", round, thread, n);
        EXPECT(!found || request->found_id > last_id, "request %d/%d/%d was stored before the one before", round,
               thread, n);
        EXPECT(!found || !hole || thread == THREAD_SCHEMA, "request %d/%d/%d was stored, and one before was not", round,
               thread, n);
        EXPECT(found || request->state != REQUEST_TOLD, "request %d/%d/%d was acknowledged as %lld, and is lost", round,
               thread, n, (long long)request->first_id);
        EXPECT(!found || request->state != REQUEST_TOLD || request->first_id == 0 ||
                   request->first_id == request->found_id,
               "request %d/%d/%d was acknowledged as %lld, and is %lld", round, thread, n, (long long)request->first_id,
               (long long)request->found_id);
        EXPECT(!found || request->state != REQUEST_NEVER, "request %d/%d/%d was not stored, and now is", round, thread,
               n);
        hole = hole || (request->state == REQUEST_UNTOLD && !found);
        untold += request->state == REQUEST_UNTOLD && found;
        last_id = found ? request->found_id : last_id;
        *request = (struct request){.state = found ? REQUEST_TOLD : REQUEST_NEVER, .first_id = request->found_id};
    }
    EXPECT(untold <= (thread == THREAD_SUBMIT ? UNTOLD_SUBMITTED_MAX : 1),
           "thread %d/%d: %d requests that nobody was told of", round, thread, untold);
}

/* Repeats a request, as a host does that did not hear its end. */
static void send_again(struct ledger *ledger, struct census *census, const struct opened *store, int thread, int n) {
    struct request *request = ledger_request(ledger, ledger->round, thread, n);
    int count = request_events(ledger->seed, ledger->round, thread, n);
    bool known = request->state == REQUEST_TOLD;
    char *text = request_text(ledger->seed, ledger->round, thread, n);
    json_t *reply = call_text(store->self, store->table->store, MAY(OK), text);
    int64_t id = json_integer_value(json_array_get(json_object_get(reply, "ids"), 0));
    EXPECT(number(reply, "duplicates") == (known ? count : 0), "request %d/%d/%d again: %lld duplicates", ledger->round,
           thread, n, (long long)number(reply, "duplicates"));
    EXPECT(!known || id == request->first_id, "request %d/%d/%d again is %lld, not %lld", ledger->round, thread, n,
           (long long)id, (long long)request->first_id);
    bool next = ledger->gaps_allowed ? id > census->last_id : id == census->last_id + 1;
    EXPECT(known || next, "request %d/%d/%d got the id %lld after %lld", ledger->round, thread, n, (long long)id,
           (long long)census->last_id);
    *request = (struct request){.state = REQUEST_TOLD, .first_id = id};
    for (int i = 0; !known && i < count; i++) {
        struct event_shape shape = event_shape(ledger->seed, ledger->round, thread, n, i);
        census->events++;
        census->last_id = json_integer_value(json_array_get(json_object_get(reply, "ids"), (size_t)i));
        for (int tag = 0; tag < TAGS; tag++) {
            census->of_tag[tag] += (shape.tags & 1u << tag) != 0;
            census->tags += (shape.tags & 1u << tag) != 0;
        }
        if (shape.stream >= 0) {
            census->of_stream[shape.stream]++;
        }
    }
    json_decref(reply);
    free(text);
}

static void repeat_last_requests(struct ledger *ledger, struct census *census, const struct opened *store) {
    for (int thread = THREAD_SINGLE_1; thread <= THREAD_MANY; thread++) {
        const struct requests *requests = &ledger->requests[ledger->round % STORE_ROUNDS][thread];
        int n = requests->count - 1;
        while (n >= 0 && requests->items[n].state != REQUEST_TOLD) {
            n--;
        }
        if (n >= 0) {
            send_again(ledger, census, store, thread, n);
        }
        send_again(ledger, census, store, thread, n + 1);
    }
}

/* ---- names ---- */

/* What a store lists: each name once, those that events have, and how many of them. */
struct listing {
    const char *op;   /* and the field of the reply */
    const char *name; /* fields of an entry */
    const char *number;
    char letter; /* that the names begin with */
    const int64_t *counts;
    int count;
};

static void check_listing(const struct listing *listing, const struct opened *store) {
    json_t *reply = call(store->self, store->table->query, MAY(OK), "{\"op\":\"%s\"}", listing->op);
    const json_t *entries = json_object_get(reply, listing->op);
    unsigned seen = 0;
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        int which = number_in(json_object_get(entry, listing->name), listing->count);
        int64_t events = which < listing->count ? listing->counts[which] : 0;
        EXPECT(number(entry, listing->number) == events, "the %s %c%d has %lld events, and says %lld", listing->name,
               listing->letter, which, (long long)events, (long long)number(entry, listing->number));
        EXPECT((seen & 1u << which) == 0, "the %s list %c%d twice", listing->op, listing->letter, which);
        seen |= 1u << which;
    }
    for (int i = 0; i < listing->count; i++) {
        EXPECT(listing->counts[i] == 0 || (seen & 1u << i) != 0, "the %s %c%d is not listed, and has %lld events",
               listing->name, listing->letter, i, (long long)listing->counts[i]);
    }
    json_decref(reply);
}

static void check_names(const struct census *census, const struct opened *store) {
    const struct listing tags = {"tags", "tag", "count", 't', census->of_tag, TAGS};
    const struct listing streams = {"streams", "stream", "version", 's', census->of_stream, STREAMS};
    check_listing(&tags, store);
    check_listing(&streams, store);
    json_t *reply = call(store->self, store->table->query, MAY(OK), "{\"op\":\"head\"}");
    EXPECT(number(reply, "last_id") == census->last_id, "the head is %lld, the last event %lld",
           (long long)number(reply, "last_id"), (long long)census->last_id);
    json_decref(reply);
    reply = call(store->self, store->table->query, MAY(OK), "{\"op\":\"count\"}");
    EXPECT(number(reply, "count") == census->events, "%lld events are counted, %lld read",
           (long long)number(reply, "count"), (long long)census->events);
    json_decref(reply);
}

/* ---- all of it ---- */

bool judge_store(struct ledger *ledger, const polaris_es_table *const builds[2], const char *config,
                 struct census *ret_census) {
    struct draws draws = draws_of(ledger->seed, ledger->round, 0, 0, 5);
    struct census census = {0};
    struct opened opened = {.table = builds[draw_below(&draws, 2)]};
    json_t *reply = NULL;
    int32_t status = call_init(opened.table, NULL, config, &opened.self, &reply);
    if (status != POLARIS_ES_OK) {
        const char *message = json_string_value(json_object_get(reply, "message"));
        complain("the store cannot be opened any more: status %d: %s", (int)status, message != NULL ? message : "");
        json_decref(reply);
        return false;
    }
    json_decref(reply);
    read_events(ledger, &census, &opened);
    EXPECT(census.last_id >= ledger->last_id, "event %lld was told of, the last one is %lld",
           (long long)ledger->last_id, (long long)census.last_id);
    for (int round = ledger->round - ledger->round % STORE_ROUNDS; round <= ledger->round; round++) {
        for (int thread = THREAD_SINGLE_1; thread <= THREAD_SCHEMA; thread++) {
            check_requests(ledger, round, thread);
        }
    }
    check_names(&census, &opened);
    judge_batches(ledger, &opened);
    if ((ledger->threads & 1u << THREAD_LETTERS_1) != 0) {
        judge_letters(ledger, &opened);
    }
    if ((ledger->threads & 1u << THREAD_SCHEMA) != 0) {
        judge_schemas(ledger, &census, &opened);
    }
    if (!complained()) {
        repeat_last_requests(ledger, &census, &opened);
        check_names(&census, &opened);
    }
    ledger->last_id = census.last_id;
    json_decref(call_text(opened.self, opened.table->shutdown, MAY(OK), ledger_shutdown(ledger, &draws)));
    *ret_census = census;
    return true;
}
