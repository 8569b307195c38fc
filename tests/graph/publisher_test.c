/* publisher_test.c: what is published is stored and delivered, and what a subscriber fails on comes back. Many of these
 * are faults that the Python host had. */
#include "graph/publisher.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "store.h"

/* A subscriber that remembers what it heard, and fails on one node's events as often as it is told to. */
struct listener {
    json_t *heard; /* array: what it took */
    size_t tries;  /* deliveries, failed ones included */
    const char *fails_on;
    size_t failures_left;
    sqlite3 *locks; /* holds the store's write lock from its next failure on */
};

static struct store store;
static struct publisher *publisher;
static struct listener listener;

static bool listen(void *context, const json_t *event, struct delivery_error *ret_error) {
    struct listener *self = context;
    self->tries++;
    const char *node = json_string_value(json_object_get(json_object_get(event, "data"), "node"));
    if (self->fails_on != NULL && self->failures_left > 0 && node != NULL && strcmp(node, self->fails_on) == 0) {
        self->failures_left--;
        strcpy(ret_error->class_name, "Unwilling");
        strcpy(ret_error->message, "not this one");
        if (self->locks != NULL) {
            cr_assert_eq(sqlite3_exec(self->locks, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        }
        return false;
    }
    cr_assert_eq(json_array_append_new(self->heard, json_deep_copy(event)), 0);
    return true;
}

static void listen_as(const char *name, struct listener *self, bool ordered) {
    struct failure failure;
    self->heard = json_array();
    struct subscriber subscriber = {.name = name, .deliver = listen, .context = self, .ordered = ordered};
    cr_assert(publisher_subscribe(publisher, &subscriber, &failure), "%s", failure.message);
}

static void begin(const char *config, size_t batch_size, bool ordered) {
    store_open(&store, config);
    publisher = store_publisher(&store, batch_size);
    listener = (struct listener){0};
    listen_as("listener", &listener, ordered);
}

static void end(void) {
    publisher_freep(&publisher);
    json_decref(listener.heard);
    store_close(&store);
}

TestSuite(publisher, .fini = end);

static const char *heard_node(const struct listener *self, size_t i) {
    return json_string_value(json_object_get(json_object_get(json_array_get(self->heard, i), "data"), "node"));
}

static struct retry_report retry(void) {
    struct failure failure;
    struct retry_report report;
    cr_assert(publisher_retry(publisher, "listener", 1000, &report, &failure), "%s", failure.message);
    return report;
}

static void pass_seconds(int64_t seconds) {
    store.now_us += seconds * 1000000;
}

Test(publisher, a_failing_subscriber_leaves_a_dead_letter) {
    begin(NULL, 1, false);
    listener.fails_on = "b";
    listener.failures_left = 1;

    must_publish(publisher, node_created("a"));
    must_publish(publisher, node_created("b"));

    json_t *reply = store_call(&store, HOST_DLQ, "{'op': 'list', 'with_events': true}");
    const json_t *entries = json_object_get(reply, "entries");
    cr_assert_eq(json_array_size(entries), 1);
    const json_t *entry = json_array_get(entries, 0);
    const json_t *kept = json_array_get(json_object_get(entry, "failures"), 0);
    cr_expect_eq(json_integer_value(json_object_get(entry, "event_id")), 2);
    cr_expect_str_eq(json_string_value(json_object_get(entry, "consumer")), "listener");
    cr_expect_str_eq(json_string_value(json_object_get(kept, "class")), "Unwilling");
    cr_expect_str_eq(json_string_value(json_object_get(kept, "message")), "not this one");
    cr_expect_eq(publisher_counts(publisher).failed, 1);
    json_decref(reply);
}

Test(publisher, an_event_that_succeeds_on_retry_is_never_handed_out_again) {
    begin(NULL, 1, false);
    listener.fails_on = "a";
    listener.failures_left = 1;
    must_publish(publisher, node_created("a"));
    pass_seconds(10);

    struct retry_report first = retry();
    pass_seconds(100000);
    struct retry_report second = retry();

    cr_expect(first.claimed == 1 && first.resolved == 1);
    cr_expect_eq(second.claimed, 0);
    cr_expect_eq(listener.tries, 2);
    cr_expect_eq(json_array_size(listener.heard), 1);
    cr_expect_eq(store_letters(&store, "listener", "resolved"), 1);
}

Test(publisher, attempts_count_only_failures) {
    begin(NULL, 1, false);
    listener.fails_on = "a";
    listener.failures_left = 2;
    must_publish(publisher, node_created("a"));
    pass_seconds(10);
    (void)retry();
    pass_seconds(100);
    (void)retry();

    json_t *reply = store_call(&store, HOST_DLQ, "{'op': 'get', 'event_id': 1, 'consumer': 'listener'}");
    const json_t *entry = json_object_get(reply, "entry");

    cr_expect_str_eq(json_string_value(json_object_get(entry, "state")), "resolved");
    cr_expect_eq(json_integer_value(json_object_get(entry, "attempts")), 1);
    json_decref(reply);
}

Test(publisher, one_row_per_event_and_consumer) {
    begin(NULL, 1, false);
    struct listener other = {.fails_on = "a", .failures_left = 1};
    listen_as("other", &other, false);
    listener.fails_on = "a";
    listener.failures_left = 3;
    must_publish(publisher, node_created("a"));
    for (int i = 0; i < 2; i++) {
        pass_seconds(1000);
        (void)retry();
    }

    json_t *reply = store_call(&store, HOST_DLQ, "{'op': 'list'}");

    cr_expect_eq(json_array_size(json_object_get(reply, "entries")), 2);
    json_decref(reply);
    json_decref(other.heard);
}

Test(publisher, nothing_is_handed_out_before_it_is_due) {
    begin("{'retry_base_us': 60000000, 'retry_jitter': 0}", 1, false);
    listener.fails_on = "a";
    listener.failures_left = 1;
    must_publish(publisher, node_created("a"));
    int64_t failed_us = store.now_us;

    pass_seconds(59);
    struct retry_report early = retry();
    pass_seconds(1);
    struct retry_report due = retry();

    cr_expect_eq(early.claimed, 0);
    cr_expect_eq(early.next_due_us, failed_us + INT64_C(60000000));
    cr_expect_eq(due.resolved, 1);
}

Test(publisher, what_fails_every_retry_is_parked_and_comes_back_after_a_redrive) {
    begin("{'retry_attempts_max': 2}", 1, false);
    listener.fails_on = "a";
    listener.failures_left = 3;
    must_publish(publisher, node_created("a"));
    pass_seconds(100);
    struct retry_report first = retry();
    pass_seconds(100);
    struct retry_report second = retry();
    pass_seconds(100000);
    struct retry_report third = retry();

    json_decref(store_call(&store, HOST_DLQ, "{'op': 'redrive', 'consumer': 'listener'}"));
    struct retry_report last = retry();

    cr_expect(first.failed == 1 && first.parked == 0);
    cr_expect(second.failed == 0 && second.parked == 1);
    cr_expect_eq(third.claimed, 0);
    cr_expect_eq(last.resolved, 1);
}

Test(publisher, a_full_batch_is_handed_over_once) {
    begin(NULL, 3, false);
    must_publish(publisher, node_created("a"));
    must_publish(publisher, node_created("b"));
    int64_t before = store_event_count(&store);

    must_publish(publisher, node_created("c"));
    int64_t full = store_event_count(&store);
    must_flush(publisher);
    must_publish(publisher, node_created("d"));

    cr_expect_eq(before, 0);
    cr_expect_eq(full, 3);
    cr_expect_eq(store_event_count(&store), 3);
    cr_expect_eq(publisher_counts(publisher).requests, 1);
    cr_expect_eq(json_array_size(listener.heard), 3);
    must_flush(publisher);
    cr_expect_eq(store_event_count(&store), 4);
}

Test(publisher, subscribers_hear_of_an_event_as_a_query_gives_it) {
    begin(NULL, 1, false);

    must_publish(publisher,
                 json_of("{'type': 'node_updated', 'data': {'node': 'a', 'properties': {'x': 1.5, 'y': [null, {}]}},"
                         " 'metadata': {}, 'stream': 'node:a', 'expected_version': 'none', 'tags': ['node:a'],"
                         " 'key': 'k', 'correlation': 'c', 'causation': 'd'}"));

    json_t *reply = store_call(&store, HOST_QUERY, "{'op': 'get', 'id': 1}");
    char *heard = json_dumps(json_array_get(listener.heard, 0), JSON_SORT_KEYS);
    char *stored = json_dumps(json_object_get(reply, "event"), JSON_SORT_KEYS);
    cr_expect_str_eq(heard, stored);
    free(heard);
    free(stored);
    json_decref(reply);
}

Test(publisher, what_is_known_under_its_key_is_not_delivered_again) {
    begin(NULL, 4, false);
    must_publish(publisher, json_of("{'type': 't', 'data': {'node': 'a'}, 'time': 1, 'key': 'a'}"));
    must_flush(publisher);

    must_publish(publisher, json_of("{'type': 't', 'data': {'node': 'b'}, 'time': 1, 'key': 'b'}"));
    must_publish(publisher, json_of("{'type': 't', 'data': {'node': 'a'}, 'time': 1, 'key': 'a'}"));
    must_publish(publisher, json_of("{'type': 't', 'data': {'node': 'b'}, 'time': 1, 'key': 'b'}"));
    must_publish(publisher, json_of("{'type': 't', 'data': {'node': 'c'}, 'time': 1, 'key': 'c'}"));

    cr_assert_eq(json_array_size(listener.heard), 3);
    cr_expect_str_eq(heard_node(&listener, 0), "a");
    cr_expect_str_eq(heard_node(&listener, 1), "b");
    cr_expect_str_eq(heard_node(&listener, 2), "c");
    cr_expect_eq(publisher_counts(publisher).known, 2);
    cr_expect_eq(publisher_counts(publisher).stored, 3);
}

Test(publisher, what_is_kept_as_rejected_is_no_event_and_shifts_nothing) {
    begin(NULL, 3, false);
    json_decref(store_call(&store, HOST_SCHEMA, "{'op': 'put', 'type': 't', 'schema': {'required': ['node']}}"));
    json_decref(store_call(&store, HOST_SCHEMA, "{'op': 'policy', 'type': 't', 'policy': 'dead_letter'}"));
    must_publish(publisher, json_of("{'type': 't', 'data': {'node': 'a'}, 'time': 1, 'key': 'a'}"));
    must_flush(publisher);

    must_publish(publisher, json_of("{'type': 't', 'data': {'node': 'a'}, 'time': 1, 'key': 'a'}"));
    must_publish(publisher, json_of("{'type': 't', 'data': {}, 'time': 1}"));
    must_publish(publisher, json_of("{'type': 't', 'data': {'node': 'b'}, 'time': 1}"));
    must_flush(publisher);

    cr_assert_eq(json_array_size(listener.heard), 2);
    cr_expect_str_eq(heard_node(&listener, 0), "a");
    cr_expect_str_eq(heard_node(&listener, 1), "b");
    cr_expect_eq(publisher_counts(publisher).stored, 2);
    cr_expect_eq(publisher_counts(publisher).known, 1);
    cr_expect_eq(publisher_counts(publisher).rejected, 1);
}

Test(publisher, one_that_fails_keeps_nothing_from_the_others) {
    begin(NULL, 3, false);
    struct listener other = {0};
    listen_as("other", &other, false);
    listener.fails_on = "b";
    listener.failures_left = 1;

    must_publish(publisher, node_created("a"));
    must_publish(publisher, node_created("b"));
    must_publish(publisher, node_created("c"));

    cr_expect_eq(json_array_size(listener.heard), 2);
    cr_expect_eq(json_array_size(other.heard), 3);
    cr_expect_eq(store_letters(&store, "other", "pending"), 0);
    json_decref(other.heard);
}

Test(publisher, a_batch_that_is_refused_stays_and_can_be_dropped) {
    begin(NULL, 2, false);
    struct failure failure;
    bool taken = false;
    must_publish(publisher, node_created("a"));

    bool published = publisher_publish(publisher, json_of("{'type': '', 'data': {}}"), &taken, &failure);
    bool taken_first = taken;
    bool again = publisher_publish(publisher, node_created("c"), &taken, &failure);

    cr_expect(!published && taken_first);
    cr_expect(!again && !taken, "a full buffer takes no more");
    cr_expect_not_null(strstr(failure.message, "INVALID"), "%s", failure.message);
    cr_expect_eq(store_event_count(&store), 0);
    cr_expect_eq(json_array_size(listener.heard), 0);
    cr_expect_eq(publisher_drop(publisher), 2);
    must_publish(publisher, node_created("d"));
    must_flush(publisher);
    cr_expect_eq(store_event_count(&store), 1);
}

Test(publisher, a_dead_letter_that_the_store_cannot_take_yet_is_owed_and_not_lost) {
    begin("{'busy_timeout_ms': 0}", 1, false);
    struct failure failure;
    listener.fails_on = "a";
    listener.failures_left = 1;
    cr_assert_eq(sqlite3_open(store.path, &listener.locks), SQLITE_OK);

    bool published = publisher_publish(publisher, node_created("a"), NULL, &failure);
    uint64_t owed = publisher_counts(publisher).owed;
    cr_assert_eq(sqlite3_close(listener.locks), SQLITE_OK);
    must_flush(publisher);

    cr_expect(!published);
    cr_expect_not_null(strstr(failure.message, "BUSY"), "%s", failure.message);
    cr_expect_eq(owed, 1);
    cr_expect_eq(publisher_counts(publisher).owed, 0);
    cr_expect_eq(store_letters(&store, "listener", "pending"), 1);
    cr_expect_eq(store_event_count(&store), 1, "the event was stored once");
}

Test(publisher, a_retry_that_was_asked_for_in_order_keeps_the_order_of_a_stream) {
    begin(NULL, 4, true);
    listener.fails_on = "a";
    listener.failures_left = 3;
    for (int i = 1; i <= 3; i++) {
        must_publish(publisher, json_pack("{s: s, s: s, s: {s: s, s: i}}", "type", "t", "stream", "s", "data", "node",
                                          "a", "n", i));
    }
    must_flush(publisher);
    pass_seconds(100);

    struct retry_report report = retry();

    cr_expect_eq(report.resolved, 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *data = json_object_get(json_array_get(listener.heard, i), "data");
        cr_expect_eq(json_integer_value(json_object_get(data, "n")), (json_int_t)i + 1);
    }
}

Test(publisher, a_limit_bounds_what_one_retry_claims) {
    begin(NULL, 5, false);
    listener.fails_on = "a";
    listener.failures_left = 5;
    for (int i = 0; i < 5; i++) {
        must_publish(publisher, node_created("a"));
    }
    pass_seconds(100);
    struct failure failure;
    struct retry_report report;

    cr_assert(publisher_retry(publisher, "listener", 2, &report, &failure), "%s", failure.message);

    cr_expect_eq(report.claimed, 2);
    cr_expect_eq(store_letters(&store, "listener", "pending"), 3);
}

Test(publisher, a_name_is_taken_once_and_an_unknown_one_is_refused) {
    begin(NULL, 1, false);
    struct failure failure;
    struct retry_report report;
    struct subscriber again = {.name = "listener", .deliver = listen, .context = &listener};

    cr_expect_not(publisher_subscribe(publisher, &again, &failure));
    cr_expect_not(publisher_retry(publisher, "nobody", 1, &report, &failure));
}

enum { PUBLISHING_THREADS = 4, PUBLISHED_EACH = 50 };

static void *publish_many(void *context) {
    const char *name = context;
    for (int i = 0; i < PUBLISHED_EACH; i++) {
        must_publish(publisher, node_created(name));
    }
    return NULL;
}

Test(publisher, many_threads_publish_and_everybody_hears_in_the_order_of_ids) {
    static char names[PUBLISHING_THREADS][2] = {"a", "b", "c", "d"};
    begin(NULL, 7, false);
    pthread_t threads[PUBLISHING_THREADS];

    for (size_t i = 0; i < PUBLISHING_THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, publish_many, names[i]), 0);
    }
    for (size_t i = 0; i < PUBLISHING_THREADS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    }
    must_flush(publisher);

    size_t count = json_array_size(listener.heard);
    cr_assert_eq(count, (size_t)PUBLISHING_THREADS * PUBLISHED_EACH);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(json_integer_value(json_object_get(json_array_get(listener.heard, i), "id")), (json_int_t)i + 1);
    }
}
