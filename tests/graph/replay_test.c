/* replay_test.c: the store read from the beginning, and followed as it grows. */
#include "graph/replay.h"

#include <criterion/criterion.h>
#include <string.h>

#include "graph/follower.h"
#include "store.h"

static struct store store;

static void set_up(void) {
    store_open(&store, NULL);
}

static void tear_down(void) {
    store_close(&store);
}

TestSuite(replay, .init = set_up, .fini = tear_down);
TestSuite(follower, .init = set_up, .fini = tear_down);

struct order {
    char text[256];
    size_t stop_after; /* 0: never */
    size_t count;
};

static bool note(void *context, const json_t *event, struct failure *failure) {
    struct order *order = context;
    strcat(order->text, json_string_value(json_object_get(json_object_get(event, "data"), "node")));
    order->count++;
    if (order->count == order->stop_after) {
        return failure_set(failure, "enough");
    }
    return true;
}

static void append(const char *name, int64_t time_us) {
    json_decref(store_call(&store, HOST_STORE,
                           "{'op': 'append', 'event': {'type': 'node_created', 'time': %lld, 'data': {'node': '%s'}}}",
                           (long long)time_us, name));
}

static struct replay_result replay(const struct replay_options *options, struct order *order) {
    struct replay_result result;
    struct failure failure;
    cr_assert(replay_each(store.host, options, note, order, &result, &failure), "%s", failure.message);
    return result;
}

Test(replay, is_oldest_first_and_ties_go_by_id) {
    append("c", 3000);
    append("a", 1000);
    append("b", 1000);
    append("d", 2000);

    for (int64_t page_size = 1; page_size <= 5; page_size++) {
        struct order order = {0};
        struct replay_options options = {.page_size = page_size};
        struct replay_result result = replay(&options, &order);
        cr_expect_str_eq(order.text, "cabd", "oldest is what was recorded first, whatever its time");
        cr_expect(result.events == 4 && result.last_id == 4);
    }
}

Test(replay, of_an_empty_store_is_empty) {
    struct order order = {0};

    struct replay_result result = replay(NULL, &order);

    cr_expect(result.events == 0 && result.last_id == 0 && result.pages == 1);
}

Test(replay, goes_by_the_filter) {
    append("a", 1);
    append("b", 2);
    append("c", 3);
    json_t *filter = json_of("{'after_id': 1}");
    struct order order = {0};

    (void)replay(&(struct replay_options){.filter = filter, .page_size = 1}, &order);

    cr_expect_str_eq(order.text, "bc");
    json_decref(filter);
}

Test(replay, ends_when_the_visitor_has_enough) {
    append("a", 1);
    append("b", 2);
    struct order order = {.stop_after = 1};
    struct replay_result result;
    struct failure failure;

    bool replayed = replay_each(store.host, NULL, note, &order, &result, &failure);

    cr_expect_not(replayed);
    cr_expect_str_eq(failure.message, "enough");
    cr_expect_str_eq(order.text, "a");
}

static bool deliver_to_graph(void *context, const json_t *event, struct delivery_error *ret_error) {
    (void)ret_error;
    return graph_apply(context, event) != GRAPH_NO_MEMORY;
}

Test(replay, makes_the_graph_that_was_delivered) {
    static const char *const EVENTS[] = {
        "{'type': 'node_created', 'data': {'node': 'a', 'properties': {'x': 1, 'pi': 3.5, 'text': 'é'}}}",
        ("{'type': 'node_created', 'data': {'node': 'b', 'properties': {'nan': {'$float': 'nan'}, 'raw': {'$bin': "
         "'AAE='}}}}"),
        "{'type': 'node_created', 'data': {'node': 'c'}}",
        "{'type': 'edge_created', 'data': {'from': 'a', 'to': 'b', 'kind': 'knows', 'properties': {'since': 1}}}",
        "{'type': 'edge_created', 'data': {'from': 'a', 'to': 'c', 'kind': 'knows'}}",
        "{'type': 'moon_phase', 'data': {'node': 'a', 'full': true}}",
        "{'type': 'edge_created', 'data': {'from': 'a', 'to': 'missing', 'kind': 'knows'}}",
        "{'type': 'node_updated', 'data': {'node': 'a', 'properties': {'x': null, 'y': {'deep': [1, {}]}}}}",
        "{'type': 'edge_updated', 'data': {'from': 'a', 'to': 'b', 'kind': 'knows', 'properties': {'since': 2}}}",
        "{'type': 'node_deleted', 'data': {'node': 'c'}}",
    };
    struct graph *live = graph_new(), *rebuilt = graph_new();
    struct publisher *publisher = store_publisher(&store, 4);
    struct failure failure;
    struct subscriber subscriber = {.name = "graph", .deliver = deliver_to_graph, .context = live};
    cr_assert(publisher_subscribe(publisher, &subscriber, &failure), "%s", failure.message);
    for (size_t i = 0; i < sizeof EVENTS / sizeof EVENTS[0]; i++) {
        must_publish(publisher, json_of(EVENTS[i]));
    }
    must_flush(publisher);
    struct replay_result result;

    cr_assert(replay_graph(store.host, &(struct replay_options){.page_size = 3}, rebuilt, &result, &failure), "%s",
              failure.message);

    char live_digest[GRAPH_DIGEST_SIZE], digest[GRAPH_DIGEST_SIZE];
    cr_assert(graph_digest(live, live_digest) && graph_digest(rebuilt, digest));
    struct graph_counts counts = graph_counts(rebuilt);
    cr_expect_str_eq(live_digest, digest);
    cr_expect(counts.nodes == 2 && counts.edges == 1);
    cr_expect(counts.applied == 8 && counts.ignored == 1 && counts.refused == 1);
    publisher_free(publisher);
    graph_free(live);
    graph_free(rebuilt);
}

Test(replay, of_an_unknown_type_never_breaks_the_read) {
    append("a", 1);
    json_decref(store_call(&store, HOST_STORE, "{'op': 'append', 'event': {'type': '🌒 phase', 'data': {}}}"));
    append("b", 2);
    struct graph *graph = graph_new();
    struct replay_result result;
    struct failure failure;

    cr_assert(replay_graph(store.host, NULL, graph, &result, &failure), "%s", failure.message);

    cr_expect_eq(result.events, 3);
    cr_expect_eq(graph_counts(graph).nodes, 2);
    cr_expect_eq(graph_counts(graph).ignored, 1);
    graph_free(graph);
}

Test(replay, tells_what_the_store_says_of_a_bad_filter) {
    struct replay_result result;
    struct failure failure;
    struct order order = {0};
    json_t *filter = json_of("{'colour': 'red'}");

    bool replayed =
        replay_each(store.host, &(struct replay_options){.filter = filter}, note, &order, &result, &failure);

    cr_expect_not(replayed);
    cr_expect_not_null(strstr(failure.message, "query events: INVALID"), "%s", failure.message);
    json_decref(filter);
}

Test(follower, sees_what_was_there_and_what_comes) {
    append("a", 1);
    struct order order = {0};
    struct failure failure;
    struct follower_result result;
    struct follower_options options = {.host = store.host, .visit = note, .context = &order};

    struct follower *follower = follower_start(&options, &failure);
    cr_assert_not_null(follower, "%s", failure.message);
    append("b", 2);
    append("c", 3);
    bool followed = follower_finish(follower, 3, &result, &failure);

    cr_expect(followed, "%s", failure.message);
    cr_expect_str_eq(order.text, "abc");
    cr_expect(result.events == 3 && result.last_id == 3);
}

Test(follower, goes_on_across_a_swap) {
    struct order order = {0};
    struct failure failure;
    struct follower_result result;
    struct swap_report report;
    struct follower_options options = {.host = store.host, .visit = note, .context = &order};
    struct follower *follower = follower_start(&options, &failure);
    cr_assert_not_null(follower, "%s", failure.message);

    append("a", 1);
    cr_assert(host_swap(store.host, TEST_PLUGIN_B, &report, &failure), "%s", failure.message);
    append("b", 2);
    bool followed = follower_finish(follower, 2, &result, &failure);

    cr_expect(followed, "%s", failure.message);
    cr_expect_str_eq(order.text, "ab");
}

Test(follower, begins_after_an_id_and_tells_when_its_visitor_fails) {
    append("a", 1);
    append("b", 2);
    append("c", 3);
    struct order order = {.stop_after = 1};
    struct failure failure;
    struct follower_result result;
    struct follower_options options = {.host = store.host, .after_id = 1, .visit = note, .context = &order};

    struct follower *follower = follower_start(&options, &failure);
    cr_assert_not_null(follower, "%s", failure.message);
    bool followed = follower_finish(follower, 3, &result, &failure);

    cr_expect_not(followed);
    cr_expect_str_eq(failure.message, "enough");
    cr_expect_str_eq(order.text, "b");
}
