/* batch.c: batches: drafts that become visible together, or never. */
#include <criterion/criterion.h>
#include <string.h>

#include "es.h"

static void create(struct es *es, const char *id) {
    (void)es_ok(es, "store", "{'op': 'batch.create', 'id': '%s'}", id);
}

static void append_two(struct es *es, const char *id) {
    (void)es_ok(es, "store",
                "{'op': 'batch.append', 'id': '%s', 'events': [{'type': 'a', 'data': {'n': 1}},"
                " {'type': 'b', 'data': {'n': 2}, 'tags': ['t'], 'stream': 's'}]}",
                id);
}

static json_t *get_batch(struct es *es, const char *id) {
    return json_object_get(es_ok(es, "store", "{'op': 'batch.get', 'id': '%s'}", id), "batch");
}

Test(batch, events_of_a_batch_become_visible_together_when_it_completes) {
    struct es *es = es_open(NULL);
    es_expect(
        es_ok(es, "store", "{'op': 'batch.create', 'id': 'b1', 'metadata': {'from': 'import'}}"),
        "{'batch': {'id': 'b1', 'state': 'open', 'count': 0, 'created_at': %lld, 'metadata': {'from': 'import'}}}",
        (long long)ES_START_US);
    append_two(es, "b1");
    es_expect(es->reply, "{'id': 'b1', 'count': 2}");
    (void)es_append(es, "{'type': 'z', 'data': {}}");
    cr_assert_eq(es_event_count(es), 1, "drafts are not visible");
    es_expect(es_ok(es, "query", "{'op': 'tags'}"), "{'count': 0}");
    es_expect(es_ok(es, "query", "{'op': 'streams'}"), "{'count': 0}");
    atomic_fetch_add(&es->now_us, ES_SECOND_US);

    json_t *reply = es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b1'}");

    long long now = ES_START_US + ES_SECOND_US;
    es_expect(reply,
              "{'batch': {'id': 'b1', 'state': 'completed', 'count': 2, 'first_id': 2, 'last_id': 3,"
              " 'closed_at': %lld}, 'duplicates': 0, 'recorded_at': %lld, 'last_id': 3}",
              now, now);
    es_expect(es_ok(es, "query", "{'op': 'events', 'filter': {'batch': 'b1'}}"),
              "{'events': [{'id': 2, 'data': {'n': 1}, 'batch': 'b1', 'recorded_at': %lld},"
              " {'id': 3, 'data': {'n': 2}, 'batch': 'b1', 'version': 1, 'tags': ['t']}]}",
              now);
    es_close(es);
}

Test(batch, the_count_is_true_at_every_moment) {
    struct es *es = es_open(NULL);
    create(es, "b");
    es_expect(get_batch(es, "b"), "{'count': 0}");
    for (int i = 1; i <= 5; i++) {
        (void)es_ok(es, "store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}");
        es_expect(es->reply, "{'count': %d}", i);
        es_expect(get_batch(es, "b"), "{'count': %d}", i);
    }
    (void)es_refused(es, POLARIS_ES_INVALID, "/event/type", NULL, "store",
                     "{'op': 'batch.append', 'id': 'b', 'event': {'data': {}}}");
    es_expect(get_batch(es, "b"), "{'count': 5}");
    (void)es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}");
    es_expect(get_batch(es, "b"), "{'count': 5, 'state': 'completed'}");
    cr_assert_eq(es_event_count(es), 5);
    es_close(es);
}

Test(batch, events_of_an_aborted_batch_are_never_seen) {
    struct es *es = es_open(NULL);
    create(es, "b");
    append_two(es, "b");

    es_expect(es_ok(es, "store", "{'op': 'batch.abort', 'id': 'b', 'reason': 'the source is gone'}"),
              "{'batch': {'state': 'aborted', 'reason': 'the source is gone', 'closed_at': '*'}}");

    cr_assert_eq(es_event_count(es), 0);
    es_reopen(es, NULL);
    cr_assert_eq(es_event_count(es), 0);
    json_t *batch = get_batch(es, "b");
    es_expect(batch, "{'state': 'aborted', 'count': 0}");
    cr_assert_null(json_object_get(batch, "first_id"));
    es_close(es);
}

Test(batch, a_batch_that_is_open_when_the_store_closes_is_open_after_it) {
    struct es *es = es_open(NULL);
    create(es, "b");
    append_two(es, "b");
    es_reopen(es, NULL);
    es_expect(get_batch(es, "b"), "{'state': 'open', 'count': 2}");
    append_two(es, "b");
    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}"), "{'batch': {'count': 4}}");
    es_close(es);
}

Test(batch, an_unknown_a_completed_and_an_aborted_batch_are_three_different_errors) {
    struct es *es = es_open(NULL);
    create(es, "done");
    create(es, "gone");
    (void)es_ok(es, "store", "{'op': 'batch.complete', 'id': 'done'}");
    (void)es_ok(es, "store", "{'op': 'batch.abort', 'id': 'gone'}");
    static const struct {
        const char *op, *id;
        int32_t status;
    } CASES[] = {
        {"complete", "never", POLARIS_ES_NOT_FOUND}, {"complete", "done", POLARIS_ES_ALREADY},
        {"complete", "gone", POLARIS_ES_CLOSED},     {"abort", "never", POLARIS_ES_NOT_FOUND},
        {"abort", "done", POLARIS_ES_CLOSED},        {"abort", "gone", POLARIS_ES_ALREADY},
        {"get", "never", POLARIS_ES_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_refused(es, CASES[i].status, "/id", CASES[i].id, "store", "{'op': 'batch.%s', 'id': '%s'}",
                         CASES[i].op, CASES[i].id);
    }
    static const char EVENT[] = "{'type': 'a', 'data': {}}";
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, "/id", "never", "store",
                     "{'op': 'batch.append', 'id': 'never', 'event': %s}", EVENT);
    (void)es_refused(es, POLARIS_ES_CLOSED, "/id", "done", "store", "{'op': 'batch.append', 'id': 'done', 'event': %s}",
                     EVENT);
    (void)es_refused(es, POLARIS_ES_CLOSED, "/id", "gone", "store", "{'op': 'batch.append', 'id': 'gone', 'event': %s}",
                     EVENT);
    es_close(es);
}

Test(batch, an_id_that_exists_cannot_be_created_again) {
    struct es *es = es_open(NULL);
    create(es, "b");
    es_expect(es_refused(es, POLARIS_ES_ALREADY, "/id", "b", "store", "{'op': 'batch.create', 'id': 'b'}"),
              "{'details': {'state': 'open'}}");
    (void)es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}");
    es_expect(es_refused(es, POLARIS_ES_ALREADY, "/id", "b", "store", "{'op': 'batch.create', 'id': 'b'}"),
              "{'details': {'state': 'completed'}}");
    es_close(es);
}

Test(batch, an_empty_batch_completes_without_ids) {
    struct es *es = es_open(NULL);
    create(es, "b");
    json_t *reply = es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}");
    es_expect(reply, "{'batch': {'state': 'completed', 'count': 0}, 'last_id': 0}");
    cr_assert_null(json_object_get(json_object_get(reply, "batch"), "first_id"));
    es_close(es);
}

Test(batch, what_fails_at_completion_leaves_the_batch_open_and_nothing_visible) {
    struct es *es = es_open(NULL);
    create(es, "b");
    append_two(es, "b");
    (void)es_ok(es, "store",
                "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}, 'stream': 'x',"
                " 'expected_version': 'none'}}");
    (void)es_append(es, "{'type': 'a', 'data': {}, 'stream': 'x'}");

    (void)es_refused(es, POLARIS_ES_CONFLICT, NULL, "x", "store", "{'op': 'batch.complete', 'id': 'b'}");

    es_expect(get_batch(es, "b"), "{'state': 'open', 'count': 3}");
    cr_assert_eq(es_event_count(es), 1);
    es_close(es);
}

Test(batch, keys_are_judged_at_completion_and_duplicates_are_counted_apart) {
    struct es *es = es_open(NULL);
    create(es, "b");
    (void)es_ok(es, "store",
                "{'op': 'batch.append', 'id': 'b', 'events': [{'type': 'a', 'data': {}, 'key': 'k'},"
                " {'type': 'a', 'data': {}, 'key': 'l'}]}");
    (void)es_append(es, "{'type': 'a', 'data': {}, 'key': 'k'}");

    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}"), "{'duplicates': 1, 'last_id': 2}");

    cr_assert_eq(es_event_count(es), 2);
    es_close(es);
}

Test(batch, a_full_batch_is_too_large_and_keeps_what_it_has) {
    struct es *es = es_open("{'batch_events_max': 3}");
    create(es, "b");
    append_two(es, "b");
    (void)es_refused(es, POLARIS_ES_TOO_LARGE, "/events", "batch_events_max", "store",
                     "{'op': 'batch.append', 'id': 'b', 'events': [{'type': 'a', 'data': {}},"
                     " {'type': 'a', 'data': {}}]}");
    (void)es_ok(es, "store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}");
    (void)es_refused(es, POLARIS_ES_TOO_LARGE, "/event", "batch_events_max", "store",
                     "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}");
    es_expect(get_batch(es, "b"), "{'count': 3}");
    es_close(es);
}

Test(batch, a_batch_is_completed_once_though_two_ask_and_handed_over_once) {
    struct es *es = es_open(NULL);
    create(es, "b");
    append_two(es, "b");
    (void)es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}");
    (void)es_refused(es, POLARIS_ES_ALREADY, "/id", NULL, "store", "{'op': 'batch.complete', 'id': 'b'}");
    cr_assert_eq(es_event_count(es), 2);
    es_close(es);
}

Test(batch, drafts_remember_the_time_at_which_they_came) {
    struct es *es = es_open(NULL);
    create(es, "b");
    append_two(es, "b");
    atomic_fetch_add(&es->now_us, 60 * (int64_t)ES_SECOND_US);
    (void)es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}");
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 1}"), "{'event': {'time': %lld, 'recorded_at': %lld}}",
              (long long)ES_START_US, (long long)ES_START_US + 60 * (long long)ES_SECOND_US);
    es_close(es);
}

Test(batch, malformed_requests_are_refused_by_field) {
    struct es *es = es_open(NULL);
    static const struct {
        const char *request, *path;
    } CASES[] = {
        {"{'op': 'batch.create'}", "/id"},
        {"{'op': 'batch.create', 'id': ''}", "/id"},
        {"{'op': 'batch.create', 'id': 7}", "/id"},
        {"{'op': 'batch.create', 'id': 'b', 'metadata': []}", "/metadata"},
        {"{'op': 'batch.create', 'id': 'b', 'name': 'n'}", "/name"},
        {"{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}, 'condition': {}}", "/condition"},
        {"{'op': 'batch.complete', 'id': 'b', 'force': true}", "/force"},
        {"{'op': 'batch.abort', 'id': 'b', 'reason': 7}", "/reason"},
        {"{'op': 'batch.get'}", "/id"},
        {"{'op': 'batch.list', 'state': 'half'}", "/state"},
        {"{'op': 'batch.list', 'limit': -1}", "/limit"},
        {"{'op': 'batch.list', 'cursor': 'x'}", "/cursor"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, CASES[i].path, NULL, "store", "%s", CASES[i].request);
    }
    char id[130];
    memset(id, 'x', 129);
    id[129] = '\0';
    (void)es_refused(es, POLARIS_ES_INVALID, "/id", "129", "store", "{'op': 'batch.create', 'id': '%s'}", id);
    es_close(es);
}

Test(batch, batches_are_listed_in_order_of_creation_page_by_page_by_both_verbs) {
    struct es *es = es_open(NULL);
    static const char *const IDS[] = {"c", "a", "e", "b", "d"};
    for (size_t i = 0; i < 5; i++) {
        create(es, IDS[i]);
    }
    (void)es_ok(es, "store", "{'op': 'batch.complete', 'id': 'a'}");
    (void)es_ok(es, "store", "{'op': 'batch.abort', 'id': 'e'}");
    static const char *const CALLS[][2] = {{"store", "batch.list"}, {"query", "batches"}};
    for (size_t i = 0; i < 2; i++) {
        const char *verb = CALLS[i][0];
        const char *op = CALLS[i][1];
        json_t *page = es_ok(es, verb, "{'op': '%s', 'limit': 3}", op);
        es_expect(page, "{'batches': [{'id': 'c'}, {'id': 'a', 'state': 'completed'}, {'id': 'e'}], 'count': 3,"
                        " 'more': true}");
        char cursor[700];
        snprintf(cursor, sizeof cursor, "%s", es_text(page, "cursor"));
        page = es_ok(es, verb, "{'op': '%s', 'limit': 3, 'cursor': '%s'}", op, cursor);
        es_expect(page, "{'batches': [{'id': 'b'}, {'id': 'd'}], 'count': 2, 'more': false}");
        es_expect(es_ok(es, verb, "{'op': '%s', 'state': 'open'}", op),
                  "{'batches': [{'id': 'c'}, {'id': 'b'}, {'id': 'd'}]}");
        es_expect(es_ok(es, verb, "{'op': '%s', 'state': 'aborted'}", op), "{'batches': [{'id': 'e'}]}");
        (void)es_refused(es, POLARIS_ES_INVALID, "/cursor", "filter", verb,
                         "{'op': '%s', 'state': 'open', 'cursor': '%s'}", op, cursor);
        es_expect(es_ok(es, verb, "{'op': '%s', 'limit': 0}", op), "{'batches': [], 'count': 0, 'more': true}");
    }
    es_close(es);
}

/* ---- many drafts ---- */

static void append_drafts(struct es *es, int from, int to) {
    for (int i = from; i < to; i += 50) {
        char events[8192] = "";
        for (int j = i; j < i + 50; j++) {
            size_t used = strlen(events);
            snprintf(events + used, sizeof events - used,
                     "%s{'type': 'type%d', 'data': {'n': %d}, 'stream': 's%d', 'tags': ['t%d', 'all'], 'key': 'k%d'}",
                     j > i ? "," : "", j % 3, j, j % 7, j % 5, j);
        }
        (void)es_ok(es, "store", "{'op': 'batch.append', 'id': 'many', 'events': [%s]}", events);
    }
}

Test(batch, of_many_drafts_becomes_events_in_their_order) {
    struct es *es = es_open("{'durability': 'normal'}");
    (void)es_ok(es, "store", "{'op': 'batch.create', 'id': 'many'}");
    append_drafts(es, 0, 700);

    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'many'}"),
              "{'batch': {'count': 700, 'first_id': 1, 'last_id': 700}, 'duplicates': 0}");

    json_t *events = json_object_get(es_ok(es, "query", "{'op': 'events', 'limit': 700}"), "events");
    for (int i = 0; i < 700; i++) {
        es_expect(json_array_get(events, (size_t)i),
                  "{'id': %d, 'type': 'type%d', 'data': {'n': %d}, 'stream': 's%d', 'version': %d, 'batch': 'many',"
                  " 'tags': ['t%d', 'all'], 'key': '*'}",
                  i + 1, i % 3, i, i % 7, i / 7 + 1, i % 5);
    }
    es_expect(es_ok(es, "query", "{'op': 'tags', 'prefix': 'all'}"), "{'tags': [{'tag': 'all', 'count': 700}]}");
    es_close(es);
}

Test(batch, of_many_drafts_whose_last_one_conflicts_stores_none) {
    struct es *es = es_open("{'durability': 'normal'}");
    (void)es_append(es, "{'type': 'other', 'data': {}, 'key': 'k649'}");
    (void)es_ok(es, "store", "{'op': 'batch.create', 'id': 'many'}");
    append_drafts(es, 0, 650);

    es_expect(es_refused(es, POLARIS_ES_CONFLICT, NULL, NULL, "store", "{'op': 'batch.complete', 'id': 'many'}"),
              "{'details': {'id': 1, 'draft': 649}}");

    cr_expect_eq(es_event_count(es), 1);
    es_expect(es_ok(es, "store", "{'op': 'batch.get', 'id': 'many'}"), "{'batch': {'state': 'open', 'count': 650}}");
    es_expect(es_ok(es, "query", "{'op': 'tags'}"), "{'tags': []}");
    es_close(es);
}
