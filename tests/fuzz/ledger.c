/* ledger.c: acknowledgements, and snapshots that they are held against. */
#include "ledger.h"

#include "require.h"

enum { PAGES_MAX = 10000 };

/* ---- snapshots ---- */

/* All pages of a listing as one array. */
static json_t *read_all(polaris_es *self, enum verb_id verb, const char *op, const char *array, bool with_events) {
    json_t *all = json_array();
    json_t *request = json_pack("{s: s, s: i}", "op", op, "limit", 100000);
    if (with_events) {
        REQUIRE(json_object_set_new(request, "with_events", json_true()) == 0);
    }
    bool more = true;
    for (int page = 0; more; page++) {
        REQUIRE(page < PAGES_MAX);
        struct bytes packed = boundary_pack_value(request);
        json_t *reply = NULL;
        (void)boundary_call(self, verb, packed, MAY(OK), -1, &reply);
        free((void *)(uintptr_t)packed.data);
        const json_t *entries = json_object_get(reply, array);
        REQUIRE(json_integer_value(json_object_get(reply, "count")) == (json_int_t)json_array_size(entries));
        REQUIRE(json_array_extend(all, json_object_get(reply, array)) == 0);
        more = json_is_true(json_object_get(reply, "more"));
        REQUIRE(!more || json_array_size(entries) > 0); /* a page gives one entry at least */
        if (more) {
            REQUIRE(json_object_set(request, "cursor", json_object_get(reply, "cursor")) == 0);
        }
        json_decref(reply);
    }
    json_decref(request);
    return all;
}

json_t *ledger_snapshot(polaris_es *self) {
    static const struct {
        enum verb_id verb;
        const char *op, *array;
        bool with_events;
    } LISTS[] = {
        {VERB_ID_QUERY, "events", "events", false}, {VERB_ID_QUERY, "streams", "streams", false},
        {VERB_ID_QUERY, "tags", "tags", false},     {VERB_ID_QUERY, "batches", "batches", false},
        {VERB_ID_DLQ, "list", "entries", true},     {VERB_ID_DLQ, "rejected.list", "entries", false},
        {VERB_ID_SCHEMA, "list", "types", false},
    };
    json_t *snapshot = json_object();
    for (size_t i = 0; i < sizeof LISTS / sizeof LISTS[0]; i++) {
        json_t *all = read_all(self, LISTS[i].verb, LISTS[i].op, LISTS[i].array, LISTS[i].with_events);
        char key[32];
        snprintf(key, sizeof key, "%d %s", (int)LISTS[i].verb, LISTS[i].op);
        REQUIRE(json_object_set_new(snapshot, key, all) == 0);
    }
    json_t *head = boundary_ask(self, VERB_ID_QUERY, MAY(OK), "{\"op\":\"head\"}");
    REQUIRE(json_object_set_new(snapshot, "head", head) == 0);
    return snapshot;
}

static const json_t *events_of(const json_t *snapshot) {
    char key[32];
    snprintf(key, sizeof key, "%d events", (int)VERB_ID_QUERY);
    const json_t *events = json_object_get(snapshot, key);
    REQUIRE(json_is_array(events));
    return events;
}

/* ---- acknowledgements ---- */

static int64_t number(const json_t *map, const char *name) {
    const json_t *value = json_object_get(map, name);
    REQUIRE(json_is_integer(value));
    return json_integer_value(value);
}

void ledger_init(struct ledger *ledger, const json_t *snapshot) {
    *ledger = (struct ledger){.events = json_array()};
    ledger->last_id = number(json_object_get(snapshot, "head"), "last_id");
    ledger->count = (int64_t)json_array_size(events_of(snapshot));
}

void ledger_done(struct ledger *ledger) {
    json_decref(ledger->events);
}

/* New events have ids above all that were acknowledged before; those that were there under their keys have not. */
static bool note_id(struct ledger *ledger, int64_t id, json_t *event) {
    REQUIRE(id > 0);
    bool is_new = id > ledger->last_id;
    ledger->last_id = is_new ? id : ledger->last_id;
    ledger->count += is_new;
    if (event != NULL) {
        REQUIRE(json_array_append_new(ledger->events, json_pack("[I, O]", (json_int_t)id, event)) == 0);
    }
    return is_new;
}

static void note_append(struct ledger *ledger, const json_t *request, const json_t *reply) {
    json_t *one = json_object_get(request, "event");
    json_t *many = json_object_get(request, "events");
    const json_t *ids = json_object_get(reply, "ids");
    size_t count = json_is_array(many) ? json_array_size(many) : 1;
    int64_t fresh = 0;
    int64_t kept = 0;
    REQUIRE(json_array_size(ids) == count && json_array_size(json_object_get(reply, "versions")) == count);
    for (size_t i = 0; i < count; i++) {
        const json_t *id = json_array_get(ids, i);
        if (json_is_null(id)) {
            kept++;
        } else {
            REQUIRE(json_is_integer(id));
            fresh += note_id(ledger, json_integer_value(id), json_is_array(many) ? json_array_get(many, i) : one);
        }
    }
    REQUIRE(json_array_size(json_object_get(reply, "rejected")) == (size_t)kept);
    REQUIRE(ledger->vague || fresh + kept + number(reply, "duplicates") == (int64_t)count);
    REQUIRE(number(reply, "last_id") >= ledger->last_id || ledger->vague);
}

static void note_complete(struct ledger *ledger, const json_t *reply) {
    const json_t *batch = json_object_get(reply, "batch");
    int64_t count = number(batch, "count");
    if (count > 0) {
        REQUIRE(number(batch, "first_id") > ledger->last_id || ledger->vague);
        REQUIRE(number(batch, "last_id") - number(batch, "first_id") == count - 1);
        ledger->last_id = number(batch, "last_id");
        ledger->count += count;
    }
}

void ledger_note(struct ledger *ledger, enum verb_id verb, struct bytes request, int32_t status, const json_t *reply) {
    json_t *asked = NULL;
    struct failure failure;
    if (status == POLARIS_ES_REPLY_LOST || ledger->overlaps) {
        ledger->vague = true;
    }
    if (status != POLARIS_ES_OK) {
        return;
    }
    REQUIRE(message_unpack(request.data, request.size, &asked, &failure) && json_is_object(asked));
    const char *op = json_string_value(json_object_get(asked, "op"));
    REQUIRE(op != NULL);
    if (verb == VERB_ID_STORE && strcmp(op, "append") == 0) {
        note_append(ledger, asked, reply);
    } else if (verb == VERB_ID_STORE && strcmp(op, "batch.complete") == 0) {
        note_complete(ledger, reply);
    } else if (verb == VERB_ID_DLQ && strcmp(op, "rejected.resubmit") == 0) {
        (void)note_id(ledger, number(reply, "id"), NULL);
    }
    json_decref(asked);
}

/* ---- is it there? ---- */

/* What is absent or nil in a request is absent in the store, and so is an empty list of tags. */
static bool is_nothing(const json_t *value) {
    return value == NULL || json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0);
}

static void check_event(const json_t *stored, const json_t *asked) {
    static const char *const FIELDS[] = {"type", "data", "metadata", "stream", "tags", "correlation", "causation"};
    REQUIRE(json_object_get(stored, "damaged") == NULL);
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
        const json_t *is = json_object_get(stored, FIELDS[i]);
        const json_t *wanted = json_object_get(asked, FIELDS[i]);
        REQUIRE((is_nothing(is) && is_nothing(wanted)) || json_equal(is, wanted));
    }
    const json_t *time = json_object_get(asked, "time");
    REQUIRE(!json_is_integer(time) || json_equal(json_object_get(stored, "time"), time));
}

void ledger_check(const struct ledger *ledger, const json_t *snapshot) {
    const json_t *events = events_of(snapshot);
    int64_t last_id = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        int64_t id = number(json_array_get(events, i), "id");
        REQUIRE(id > last_id);
        last_id = id;
    }
    REQUIRE(last_id == number(json_object_get(snapshot, "head"), "last_id"));
    REQUIRE(ledger->vague || ((int64_t)json_array_size(events) == ledger->count && last_id == ledger->last_id));
    for (size_t i = 0; i < json_array_size(ledger->events); i++) {
        const json_t *noted = json_array_get(ledger->events, i);
        const json_t *found = NULL;
        for (size_t j = 0; j < json_array_size(events) && found == NULL; j++) {
            const json_t *event = json_array_get(events, j);
            found = number(event, "id") == json_integer_value(json_array_get(noted, 0)) ? event : NULL;
        }
        REQUIRE(found != NULL);
        check_event(found, json_array_get(noted, 1));
    }
}
