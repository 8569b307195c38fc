/* publisher.c: buffering, storing, delivering, and the dead letters of those who failed. */
#include "graph/publisher.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "graph/request.h"

enum { BATCH_SIZE_DEFAULT = 100, CLAIM_LIMIT = 100 };

struct subscription {
    struct subscriber subscriber; /* its name is ours */
    struct subscription *next;
};

struct publisher {
    struct publisher_options options;
    pthread_mutex_t lock;
    struct subscription *subscriptions; /* in the order of subscribing */
    json_t *buffer;                     /* array of events */
    json_t *owed;                       /* array of dlq.put requests that failed */
    struct publisher_counts counts;
};

static int64_t system_now_us(void *context) {
    (void)context;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct publisher *publisher_new(const struct publisher_options *options) {
    CLEANUP(publisher_freep) struct publisher *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return NULL;
    }
    self->options = *options;
    if (self->options.batch_size == 0) {
        self->options.batch_size = BATCH_SIZE_DEFAULT;
    }
    if (self->options.now_us == NULL) {
        self->options.now_us = system_now_us;
    }
    (void)pthread_mutex_init(&self->lock, NULL); /* cannot fail with default attributes */
    self->buffer = json_array();
    self->owed = json_array();
    if (self->buffer == NULL || self->owed == NULL) {
        return NULL;
    }
    struct publisher *made = self;
    self = NULL;
    return made;
}

static void subscription_free(struct subscription *subscription) {
    free((char *)(uintptr_t)subscription->subscriber.name);
    free(subscription);
}

void publisher_free(struct publisher *publisher) {
    if (publisher == NULL) {
        return;
    }
    while (publisher->subscriptions != NULL) {
        struct subscription *next = publisher->subscriptions->next;
        subscription_free(publisher->subscriptions);
        publisher->subscriptions = next;
    }
    json_decref(publisher->buffer);
    json_decref(publisher->owed);
    (void)pthread_mutex_destroy(&publisher->lock);
    free(publisher);
}

void publisher_freep(struct publisher **publisher) {
    publisher_free(*publisher);
    *publisher = NULL;
}

/* Holds the lock until the local leaves its scope. */
static pthread_mutex_t *lock(struct publisher *publisher) {
    (void)pthread_mutex_lock(&publisher->lock);
    return &publisher->lock;
}

static void unlock(pthread_mutex_t **held) {
    (void)pthread_mutex_unlock(*held);
}

#define LOCKED(publisher) CLEANUP(unlock) pthread_mutex_t *held __attribute__((unused)) = lock(publisher)

static struct subscription *find_subscription(const struct publisher *publisher, const char *name) {
    struct subscription *found = publisher->subscriptions;
    while (found != NULL && strcmp(found->subscriber.name, name) != 0) {
        found = found->next;
    }
    return found;
}

bool publisher_subscribe(struct publisher *publisher, const struct subscriber *subscriber, struct failure *failure) {
    LOCKED(publisher);
    if (find_subscription(publisher, subscriber->name) != NULL) {
        return failure_set(failure, "there is a subscriber '%s' already", subscriber->name);
    }
    struct subscription *added = calloc(1, sizeof *added);
    if (added == NULL) {
        return failure_set(failure, "no memory for the subscriber '%s'", subscriber->name);
    }
    added->subscriber = *subscriber;
    added->subscriber.name = strdup(subscriber->name);
    if (added->subscriber.name == NULL) {
        free(added);
        return failure_set(failure, "no memory for the subscriber '%s'", subscriber->name);
    }
    struct subscription **end = &publisher->subscriptions;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = added;
    return true;
}

/* ---- Delivering -------------------------------------------------------------------------------------------------- */

static bool is_retryable(int32_t status) {
#define RETRYABLE_CASE(name, number, retryable, meaning)                                                               \
    if (status == (number)) {                                                                                          \
        return (retryable) != 0;                                                                                       \
    }
    POLARIS_ES_STATUSES(RETRYABLE_CASE)
#undef RETRYABLE_CASE
    return false;
}

/* Writes the dead letters that the store could not take before. One that it will never take (somebody else holds it, or
 * the event is gone) is told once, and must not keep the others, and all later events, waiting. */
static bool settle_owed(struct publisher *publisher, struct failure *failure) {
    bool settled = true;
    while (json_array_size(publisher->owed) > 0) {
        json_auto_t *reply = NULL;
        json_t *request = json_incref(json_array_get(publisher->owed, 0));
        int32_t status = request_call(publisher->options.host, HOST_DLQ, request, &reply, failure);
        if (is_retryable(status)) {
            return false;
        }
        settled = settled && status == POLARIS_ES_OK;
        (void)json_array_remove(publisher->owed, 0);
    }
    return settled;
}

/* False: the failure could be written neither to the store nor into memory. */
static bool owe_dead_letter(struct publisher *publisher, const struct subscriber *subscriber, const json_t *event,
                            const struct delivery_error *error) {
    json_t *request = json_pack("{s: s, s: O, s: s, s: {s: s*, s: s}}", "op", "put", "event_id",
                                json_object_get(event, "id"), "consumer", subscriber->name, "error", "class",
                                error->class_name[0] != '\0' ? error->class_name : NULL, "message", error->message);
    return request != NULL && json_array_append_new(publisher->owed, request) == 0;
}

/* A message is required with a dead letter. */
static bool deliver(const struct subscriber *subscriber, const json_t *event, struct delivery_error *ret_error) {
    *ret_error = (struct delivery_error){0};
    if (subscriber->deliver(subscriber->context, event, ret_error)) {
        return true;
    }
    if (ret_error->message[0] == '\0') {
        strcpy(ret_error->message, "the subscriber gave no reason");
    }
    return false;
}

static bool deliver_to_all(struct publisher *publisher, const json_t *event, struct failure *failure) {
    bool kept = true;
    for (struct subscription *each = publisher->subscriptions; each != NULL; each = each->next) {
        struct delivery_error error;
        if (deliver(&each->subscriber, event, &error)) {
            publisher->counts.delivered++;
            continue;
        }
        publisher->counts.failed++;
        if (!owe_dead_letter(publisher, &each->subscriber, event, &error)) {
            kept = failure_set(failure, "no memory for the dead letter of '%s' on event %" JSON_INTEGER_FORMAT,
                               each->subscriber.name, json_integer_value(json_object_get(event, "id")));
        }
    }
    return kept;
}

/* ---- Storing ----------------------------------------------------------------------------------------------------- */

static int compare_ids(const void *left, const void *right) {
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* Stands for the id of an event that was kept as a rejected entry and has none. */
enum { REJECTED_ID = 0 };

/* Ids grow in commit order: of the ids in a reply, the new ones are the highest, and as many as were no duplicates.
 * Returns the lowest new id. */
static int64_t lowest_new_id(const int64_t *ids, size_t count, size_t new_count, int64_t *scratch) {
    memcpy(scratch, ids, count * sizeof *ids);
    qsort(scratch, count, sizeof *scratch, compare_ids);
    int64_t lowest = INT64_MAX;
    for (size_t i = count; i > 0 && new_count > 0; i--) {
        if (scratch[i - 1] != lowest) { /* a key twice in one request gives one id twice */
            lowest = scratch[i - 1];
            new_count--;
        }
    }
    return lowest;
}

/* The event as a query would give it. NULL: no memory. */
static json_t *as_stored(const json_t *event, int64_t id, const json_t *version, const json_t *recorded_at) {
    json_t *stored = json_copy((json_t *)(uintptr_t)event);
    bool made =
        stored != NULL && json_object_set_new(stored, "id", json_integer(id)) == 0 &&
        (recorded_at == NULL || json_object_set(stored, "recorded_at", (json_t *)(uintptr_t)recorded_at) == 0) &&
        (!json_is_integer(version) || json_object_set(stored, "version", (json_t *)(uintptr_t)version) == 0);
    if (!made) {
        json_decref(stored);
        return NULL;
    }
    (void)json_object_del(stored, "expected_version");
    return stored;
}

/* Delivers the new ones among the events; those that were there under their keys were delivered when they came. */
static bool deliver_stored(struct publisher *publisher, const json_t *events, const json_t *reply, const int64_t *ids,
                           int64_t lowest_new, struct failure *failure) {
    bool delivered = true;
    int64_t last = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        if (ids[i] == REJECTED_ID) {
            publisher->counts.rejected++;
            continue;
        }
        if (ids[i] < lowest_new || ids[i] <= last) {
            publisher->counts.known++;
            continue;
        }
        last = ids[i];
        publisher->counts.stored++;
        json_auto_t *event =
            as_stored(json_array_get(events, i), ids[i], json_array_get(json_object_get(reply, "versions"), i),
                      json_object_get(reply, "recorded_at"));
        if (event == NULL) {
            delivered = failure_set(failure, "no memory to deliver event %lld, which is stored", (long long)ids[i]);
            continue;
        }
        delivered = deliver_to_all(publisher, event, failure) && delivered;
    }
    return delivered;
}

/* Reads the reply of an append. From here on the events are stored, whatever happens. */
static bool hand_out(struct publisher *publisher, const json_t *events, const json_t *reply, struct failure *failure) {
    size_t count = json_array_size(events);
    const json_t *reply_ids = json_object_get(reply, "ids");
    json_int_t duplicates = json_integer_value(json_object_get(reply, "duplicates"));
    if (json_array_size(reply_ids) != count || duplicates < 0 || (size_t)duplicates > count) {
        return failure_set(failure,
                           "store append: stored %zu events, but answered %zu ids and %" JSON_INTEGER_FORMAT
                           " duplicates: nothing was delivered",
                           count, json_array_size(reply_ids), duplicates);
    }
    int64_t *ids = calloc(2 * count, sizeof *ids);
    if (ids == NULL) {
        return failure_set(failure, "no memory to deliver %zu events, which are stored", count);
    }
    size_t new_count = count - (size_t)duplicates;
    for (size_t i = 0; i < count; i++) {
        const json_t *id = json_array_get(reply_ids, i);
        ids[i] = json_is_integer(id) ? json_integer_value(id) : REJECTED_ID;
        new_count -= ids[i] == REJECTED_ID && new_count > 0;
    }
    int64_t lowest_new = lowest_new_id(ids, count, new_count, ids + count);
    bool delivered = deliver_stored(publisher, events, reply, ids, lowest_new, failure);
    free(ids);
    return settle_owed(publisher, failure) && delivered;
}

static bool flush_locked(struct publisher *publisher, struct failure *failure) {
    if (!settle_owed(publisher, failure)) {
        return false;
    }
    if (json_array_size(publisher->buffer) == 0) {
        return true;
    }
    json_t *empty = json_array();
    if (empty == NULL) {
        return failure_set(failure, "no memory for another buffer of events");
    }
    json_auto_t *reply = NULL;
    json_t *request = json_pack("{s: s, s: O}", "op", "append", "events", publisher->buffer);
    int32_t status = request_call(publisher->options.host, HOST_STORE, request, &reply, failure);
    if (status != POLARIS_ES_OK && status != POLARIS_ES_REPLY_LOST) {
        json_decref(empty);
        return false; /* nothing was stored: the buffer stays for the next try */
    }
    json_auto_t *events = publisher->buffer; /* handed over: never again, whatever follows */
    publisher->buffer = empty;
    publisher->counts.requests++;
    return status == POLARIS_ES_OK && hand_out(publisher, events, reply, failure);
}

bool publisher_flush(struct publisher *publisher, struct failure *failure) {
    LOCKED(publisher);
    return flush_locked(publisher, failure);
}

bool publisher_publish(struct publisher *publisher, json_t *event, bool *ret_taken, struct failure *failure) {
    LOCKED(publisher);
    json_auto_t *owned = event;
    bool ignored;
    bool *taken = ret_taken != NULL ? ret_taken : &ignored;
    *taken = false;
    if (!json_is_object(owned)) {
        return failure_set(failure, "an event must be an object");
    }
    if (json_array_size(publisher->buffer) >= publisher->options.batch_size && !flush_locked(publisher, failure)) {
        return false;
    }
    if (json_object_get(owned, "time") == NULL || json_is_null(json_object_get(owned, "time"))) {
        json_t *now = json_integer(publisher->options.now_us(publisher->options.context));
        if (json_object_set_new(owned, "time", now) != 0) {
            return failure_set(failure, "no memory for the time of an event");
        }
    }
    if (json_array_append(publisher->buffer, owned) != 0) {
        return failure_set(failure, "no memory to buffer an event");
    }
    *taken = true;
    publisher->counts.published++;
    return json_array_size(publisher->buffer) < publisher->options.batch_size || flush_locked(publisher, failure);
}

size_t publisher_drop(struct publisher *publisher) {
    LOCKED(publisher);
    size_t count = json_array_size(publisher->buffer);
    (void)json_array_clear(publisher->buffer);
    return count;
}

struct publisher_counts publisher_counts(struct publisher *publisher) {
    LOCKED(publisher);
    struct publisher_counts counts = publisher->counts;
    counts.owed = json_array_size(publisher->owed);
    return counts;
}

/* ---- Retrying ---------------------------------------------------------------------------------------------------- */

/* Delivers one claimed dead letter and tells the store how it went. */
static bool retry_entry(struct publisher *publisher, const struct subscriber *subscriber, const json_t *entry,
                        struct retry_report *report, struct failure *failure) {
    json_t *id = json_object_get(entry, "id"), *token = json_object_get(entry, "token");
    struct delivery_error error;
    json_auto_t *reply = NULL;
    if (deliver(subscriber, json_object_get(entry, "event"), &error)) {
        json_t *request = json_pack("{s: s, s: O, s: O}", "op", "resolve", "id", id, "token", token);
        if (request_call(publisher->options.host, HOST_DLQ, request, &reply, failure) != POLARIS_ES_OK) {
            return false;
        }
        publisher->counts.delivered++;
        report->resolved++;
        return true;
    }
    json_t *request =
        json_pack("{s: s, s: O, s: O, s: {s: s*, s: s}}", "op", "fail", "id", id, "token", token, "error", "class",
                  error.class_name[0] != '\0' ? error.class_name : NULL, "message", error.message);
    if (request_call(publisher->options.host, HOST_DLQ, request, &reply, failure) != POLARIS_ES_OK) {
        return false;
    }
    const char *state = json_string_value(json_object_get(json_object_get(reply, "entry"), "state"));
    bool parked = state != NULL && strcmp(state, "parked") == 0;
    publisher->counts.failed++;
    report->parked += parked;
    report->failed += !parked;
    return true;
}

/* Claims a page of what is due and works through it. *ret_claimed is 0 when nothing is due. */
static bool retry_page(struct publisher *publisher, const struct subscriber *subscriber, size_t limit,
                       struct retry_report *report, size_t *ret_claimed, struct failure *failure) {
    json_auto_t *reply = NULL;
    json_t *request = json_pack("{s: s, s: s, s: I, s: b}", "op", "claim", "consumer", subscriber->name, "limit",
                                (json_int_t)limit, "ordered", subscriber->ordered);
    if (request_call(publisher->options.host, HOST_DLQ, request, &reply, failure) != POLARIS_ES_OK) {
        return false;
    }
    const json_t *entries = json_object_get(reply, "entries");
    *ret_claimed = json_array_size(entries);
    report->claimed += *ret_claimed;
    report->next_due_us = json_integer_value(json_object_get(reply, "next_due_at"));
    for (size_t i = 0; i < *ret_claimed; i++) {
        if (!retry_entry(publisher, subscriber, json_array_get(entries, i), report, failure)) {
            return false; /* the leases of the rest run out, and they come again */
        }
    }
    return true;
}

bool publisher_retry(struct publisher *publisher, const char *subscriber, size_t limit, struct retry_report *ret_report,
                     struct failure *failure) {
    LOCKED(publisher);
    *ret_report = (struct retry_report){0};
    struct subscription *found = find_subscription(publisher, subscriber);
    if (found == NULL) {
        return failure_set(failure, "there is no subscriber '%s'", subscriber);
    }
    if (!settle_owed(publisher, failure)) {
        return false;
    }
    size_t claimed = 1;
    while (claimed > 0 && limit > 0) {
        size_t page = limit < CLAIM_LIMIT ? limit : CLAIM_LIMIT;
        if (!retry_page(publisher, &found->subscriber, page, ret_report, &claimed, failure)) {
            return false;
        }
        limit -= claimed;
    }
    return true;
}
