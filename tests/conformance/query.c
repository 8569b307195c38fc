/* query.c: finding, counting and waiting for events. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"

/* Twelve events: id n has time 100 * (13 - n) (so that time runs against id), type a or b, stream s1 to s3, tags. */
static struct es *open_with_events(void) {
    struct es *es = es_open(NULL);
    for (int i = 1; i <= 12; i++) {
        atomic_store(&es->now_us, ES_START_US + i);
        (void)es_ok(es, "store",
                    "{'op': 'append', 'event': {'type': '%s', 'data': {'n': %d}, 'time': %d, 'stream': 's%d',"
                    " 'tags': ['all', 'tag:%d'], 'correlation': 'c%d', 'metadata': {'n': %d, 'deep': {'x': [%d]}}}}",
                    i % 2 == 1 ? "a" : "b", i, 100 * (13 - i), i % 3 + 1, i % 4, i % 2, i, i);
    }
    return es;
}

/* "1 2 3": the ids in the reply's events. */
static const char *ids_of(const json_t *reply) {
    static char text[4096];
    size_t used = 0;
    size_t index;
    const json_t *event;
    text[0] = '\0';
    json_array_foreach(json_object_get(reply, "events"), index, event) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld", index > 0 ? " " : "",
                                 (long long)es_int(event, "id"));
    }
    return text;
}

static void expect_ids(struct es *es, const char *fields, const char *expected) {
    json_t *reply = es_ok(es, "query", "{'op': 'events'%s%s}", fields[0] != '\0' ? ", " : "", fields);
    cr_assert_str_eq(ids_of(reply), expected, "%s: wanted %s, got %s", fields, expected, ids_of(reply));
    es_expect(reply, "{'count': %zu, 'last_id': 12}", json_array_size(json_object_get(reply, "events")));
}

/* ---- filters ---- */

static const struct {
    const char *filter, *ids;
} FILTERS[] = {
    {"{}", "1 2 3 4 5 6 7 8 9 10 11 12"},
    {"{'types': ['a']}", "1 3 5 7 9 11"},
    {"{'types': ['b', 'a', 'never seen']}", "1 2 3 4 5 6 7 8 9 10 11 12"},
    {"{'types': ['never seen']}", ""},
    {"{'from': 900}", "1 2 3 4"},
    {"{'to': 300}", "11 12"},
    {"{'from': 300, 'to': 500}", "9 10"},
    {"{'from': 500, 'to': 300}", ""},
    {"{'recorded_from': 1767225600000011}", "11 12"},
    {"{'recorded_to': 1767225600000003}", "1 2"},
    {"{'after_id': 10}", "11 12"},
    {"{'before_id': 3}", "1 2"},
    {"{'after_id': 3, 'before_id': 6}", "4 5"},
    {"{'after_id': 12}", ""},
    {"{'stream': 's1'}", "3 6 9 12"},
    {"{'stream': 'never seen'}", ""},
    {"{'correlation': 'c0'}", "2 4 6 8 10 12"},
    {"{'tags_any': ['tag:0', 'tag:1']}", "1 4 5 8 9 12"},
    {"{'tags_all': ['all', 'tag:3']}", "3 7 11"},
    {"{'tags_all': ['tag:2', 'tag:3']}", ""},
    {"{'tags_any': ['never seen']}", ""},
    {"{'metadata': {'/n': 3}}", "3"},
    {"{'metadata': {'/n': 3.0}}", "3"},
    {"{'metadata': {'/deep/x/0': 5}}", "5"},
    {"{'metadata': {'/deep': {'x': [7]}}}", "7"},
    {"{'metadata': {'/n': 3, '/deep/x': [4]}}", ""},
    {"{'metadata': {'/nowhere': null}}", ""},
    {"{'types': ['a'], 'stream': 's1', 'tags_any': ['tag:3', 'tag:1'], 'from': 300}", "3 9"},
    {"{'batch': 'b'}", ""},
};

Test(query, every_filter_finds_what_it_says_in_every_order_page_by_page_and_counts_the_same) {
    struct es *es = open_with_events();
    for (size_t i = 0; i < sizeof FILTERS / sizeof FILTERS[0]; i++) {
        const char *filter = FILTERS[i].filter;
        char fields[400];
        snprintf(fields, sizeof fields, "'filter': %s, 'order_by': 'id'", filter);
        expect_ids(es, fields, FILTERS[i].ids);

        size_t count = json_array_size(json_object_get(es->reply, "events"));
        es_expect(es_ok(es, "query", "{'op': 'count', 'filter': %s}", filter), "{'count': %zu}", count);

        /* time runs against id: descending by time is ascending by id */
        snprintf(fields, sizeof fields, "'filter': %s, 'order': 'desc', 'order_by': 'time'", filter);
        expect_ids(es, fields, FILTERS[i].ids);

        char backwards[200] = "";
        for (size_t at = count; at > 0; at--) {
            const json_t *event = json_array_get(json_object_get(es->reply, "events"), at - 1);
            size_t used = strlen(backwards);
            snprintf(backwards + used, sizeof backwards - used, "%s%lld", used > 0 ? " " : "",
                     (long long)es_int(event, "id"));
        }
        snprintf(fields, sizeof fields, "'filter': %s, 'order': 'desc', 'order_by': 'id'", filter);
        expect_ids(es, fields, backwards);
        snprintf(fields, sizeof fields, "'filter': %s, 'order_by': 'time'", filter);
        expect_ids(es, fields, backwards);
    }
    es_close(es);
}

static void walk_in_pages(struct es *es, const char *fields, int limit, const char *expected) {
    char walked[400] = "";
    char cursor[700] = "";
    for (int page = 0; page < 30; page++) {
        json_t *reply = cursor[0] == '\0' ? es_ok(es, "query", "{'op': 'events', %s, 'limit': %d}", fields, limit)
                                          : es_ok(es, "query", "{'op': 'events', %s, 'limit': %d, 'cursor': '%s'}",
                                                  fields, limit, cursor);
        size_t used = strlen(walked);
        const char *ids = ids_of(reply);
        snprintf(walked + used, sizeof walked - used, "%s%s", used > 0 && ids[0] != '\0' ? " " : "", ids);
        if (json_is_false(json_object_get(reply, "more"))) {
            break;
        }
        cr_assert_eq(es_int(reply, "count"), limit, "%s: a page is short though there is more", fields);
        snprintf(cursor, sizeof cursor, "%s", es_text(reply, "cursor"));
    }
    cr_assert_str_eq(walked, expected, "%s, limit %d: wanted %s, got %s", fields, limit, expected, walked);
}

Test(query, pages_add_up_to_the_whole_in_every_order) {
    struct es *es = open_with_events();
    for (int limit = 1; limit <= 13; limit++) {
        walk_in_pages(es, "'order': 'asc'", limit, "1 2 3 4 5 6 7 8 9 10 11 12");
        walk_in_pages(es, "'order': 'desc'", limit, "12 11 10 9 8 7 6 5 4 3 2 1");
        walk_in_pages(es, "'order_by': 'time'", limit, "12 11 10 9 8 7 6 5 4 3 2 1");
        walk_in_pages(es, "'order_by': 'time', 'order': 'desc'", limit, "1 2 3 4 5 6 7 8 9 10 11 12");
        walk_in_pages(es, "'filter': {'types': ['a'], 'tags_any': ['tag:1', 'tag:3']}", limit, "1 3 5 7 9 11");
    }
    es_close(es);
}

Test(query, events_of_the_same_time_are_in_order_of_id_and_pages_split_them_well) {
    struct es *es = es_open(NULL);
    for (int i = 0; i < 7; i++) {
        (void)es_append(es, "{'type': 'a', 'data': {}, 'time': 5}");
    }
    for (int limit = 1; limit <= 8; limit++) {
        walk_in_pages(es, "'order_by': 'time'", limit, "1 2 3 4 5 6 7");
        walk_in_pages(es, "'order_by': 'time', 'order': 'desc'", limit, "7 6 5 4 3 2 1");
    }
    es_close(es);
}

Test(query, times_are_compared_as_times_also_before_1970) {
    struct es *es = es_open(NULL);
    static const char *const TIMES[] = {"-1000000", "5", "-3", "1000000000000000", "99"};
    for (size_t i = 0; i < 5; i++) {
        char event[100];
        snprintf(event, sizeof event, "{'type': 'a', 'data': {}, 'time': %s}", TIMES[i]);
        (void)es_append(es, event);
    }
    json_t *reply = es_ok(es, "query", "{'op': 'events', 'order_by': 'time'}");
    cr_assert_str_eq(ids_of(reply), "1 3 2 5 4");
    reply = es_ok(es, "query", "{'op': 'events', 'filter': {'from': -3, 'to': 99}}");
    cr_assert_str_eq(ids_of(reply), "3 2");
    reply = es_ok(es, "query", "{'op': 'events', 'filter': {'to': {'$ext': [-1, 'AAAAAA==']}}}");
    cr_assert_str_eq(ids_of(reply), "1 3");
    es_close(es);
}

Test(query, a_filter_that_is_malformed_is_refused_by_path) {
    struct es *es = es_open(NULL);
    static const struct {
        const char *filter, *path;
    } CASES[] = {
        {"7", "/filter"},
        {"{'type': 'a'}", "/filter/type"},
        {"{'types': 'a'}", "/filter/types"},
        {"{'types': []}", "/filter/types"},
        {"{'types': ['a', 7]}", "/filter/types/1"},
        {"{'from': 'now'}", "/filter/from"},
        {"{'from': 1.5}", "/filter/from"},
        {"{'to': {'$float': 'nan'}}", "/filter/to"},
        {"{'recorded_from': true}", "/filter/recorded_from"},
        {"{'after_id': '1'}", "/filter/after_id"},
        {"{'before_id': {'$uint': '18446744073709551615'}}", "/filter/before_id"},
        {"{'stream': ''}", "/filter/stream"},
        {"{'batch': 1}", "/filter/batch"},
        {"{'tags_any': ['1','2','3','4','5','6','7','8','9','10','11','12','13','14','15','16','17']}",
         "/filter/tags_any"},
        {"{'metadata': []}", "/filter/metadata"},
        {"{'metadata': {'no pointer': 1}}", "/filter/metadata/no pointer"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, CASES[i].path, NULL, "query", "{'op': 'events', 'filter': %s}",
                         CASES[i].filter);
        (void)es_refused(es, POLARIS_ES_INVALID, CASES[i].path, NULL, "query", "{'op': 'count', 'filter': %s}",
                         CASES[i].filter);
    }
    es_close(es);
}

/* ---- limit and cursor ---- */

Test(query, limit_zero_gives_none_and_a_negative_or_huge_one_is_refused) {
    struct es *es = open_with_events();
    es_expect(es_ok(es, "query", "{'op': 'events', 'limit': 0}"),
              "{'events': [], 'count': 0, 'more': true, 'last_id': 12}");
    cr_assert_null(json_object_get(es->reply, "cursor"));
    static const char *const WRONG[] = {"-1",  "100001", "9223372036854775807", "{'$uint': '18446744073709551615'}",
                                        "1.0", "'1'"};
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        static const char *const OPS[] = {"events", "streams", "tags", "batches"};
        for (size_t op = 0; op < 4; op++) {
            (void)es_refused(es, POLARIS_ES_INVALID, "/limit", "limit", "query", "{'op': '%s', 'limit': %s}", OPS[op],
                             WRONG[i]);
        }
    }
    es_expect(es_ok(es, "query", "{'op': 'events', 'limit': 100000}"), "{'count': 12, 'more': false}");
    es_close(es);
}

Test(query, an_empty_store_has_no_cursor_and_a_page_that_is_empty_later_has_the_same_one) {
    struct es *es = es_open(NULL);
    json_t *reply = es_ok(es, "query", "{'op': 'events'}");
    es_expect(reply, "{'events': [], 'count': 0, 'more': false, 'last_id': 0}");
    cr_assert_null(json_object_get(reply, "cursor"));

    (void)es_append(es, "{'type': 'a', 'data': {}}");
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s", es_text(es_ok(es, "query", "{'op': 'events'}"), "cursor"));
    es_expect(es_ok(es, "query", "{'op': 'events', 'cursor': '%s'}", cursor), "{'count': 0, 'cursor': '%s'}", cursor);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    cr_assert_str_eq(ids_of(es_ok(es, "query", "{'op': 'events', 'cursor': '%s'}", cursor)), "2");
    es_close(es);
}

Test(query, a_cursor_stays_right_while_events_are_appended) {
    struct es *es = open_with_events();
    static const struct {
        const char *fields, *first, *rest;
    } CASES[] = {
        {"'order': 'asc'", "1 2 3 4 5", "6 7 8 9 10 11 12 13 14"},
        {"'order': 'desc'", "14 13 12 11 10", "9 8 7 6 5 4 3 2 1"},
        {"'order_by': 'time', 'filter': {'to': 9999}", "12 11 10 9 8", "7 6 5 4 3 2 1"},
    };
    char cursors[3][700];
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    for (size_t i = 0; i < 3; i++) {
        json_t *reply = es_ok(es, "query", "{'op': 'events', 'limit': 5, %s}", CASES[i].fields);
        cr_assert_str_eq(ids_of(reply), CASES[i].first);
        snprintf(cursors[i], sizeof cursors[i], "%s", es_text(reply, "cursor"));
    }
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': 100000}");
    es_reopen(es, NULL);
    for (size_t i = 0; i < 3; i++) {
        json_t *reply = es_ok(es, "query", "{'op': 'events', %s, 'cursor': '%s'}", CASES[i].fields, cursors[i]);
        char expected[100];
        snprintf(expected, sizeof expected, "%s%s", CASES[i].rest, i == 0 ? " 15" : "");
        cr_assert_str_eq(ids_of(reply), expected, "%s: %s", CASES[i].fields, ids_of(reply));
    }
    es_close(es);
}

Test(query, a_cursor_that_was_tampered_with_or_comes_from_elsewhere_is_refused) {
    struct es *es = open_with_events();
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s",
             es_text(es_ok(es, "query", "{'op': 'events', 'limit': 2, 'filter': {'types': ['a']}}"), "cursor"));
    static const struct {
        const char *fields, *word;
    } ELSEWHERE[] = {
        {"'op': 'events', 'filter': {'types': ['b']}", "filter"},
        {"'op': 'events'", "filter"},
        {"'op': 'events', 'filter': {'types': ['a']}, 'order': 'desc'", "order"},
        {"'op': 'events', 'filter': {'types': ['a']}, 'order_by': 'time'", "order"},
        {"'op': 'streams'", "op"},
        {"'op': 'tags'", "op"},
        {"'op': 'batches'", "op"},
    };
    for (size_t i = 0; i < sizeof ELSEWHERE / sizeof ELSEWHERE[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, "/cursor", ELSEWHERE[i].word, "query", "{%s, 'cursor': '%s'}",
                         ELSEWHERE[i].fields, cursor);
    }
    struct es *other = es_open(NULL);
    (void)es_refused(other, POLARIS_ES_INVALID, "/cursor", "another store", "query",
                     "{'op': 'events', 'filter': {'types': ['a']}, 'cursor': '%s'}", cursor);
    es_close(other);
    cursor[40] = cursor[40] == '0' ? '1' : '0';
    (void)es_refused(es, POLARIS_ES_INVALID, "/cursor", "altered", "query",
                     "{'op': 'events', 'filter': {'types': ['a']}, 'cursor': '%s'}", cursor);
    static const char *const RUBBISH[] = {"''", "'x'", "7", "'00'", "{'$bin': 'AAAA'}"};
    for (size_t i = 0; i < sizeof RUBBISH / sizeof RUBBISH[0]; i++) {
        (void)es_refused(es, POLARIS_ES_INVALID, "/cursor", NULL, "query", "{'op': 'events', 'cursor': %s}",
                         RUBBISH[i]);
    }
    es_close(es);
}

Test(query, no_filter_and_an_empty_filter_share_their_cursors) {
    struct es *es = open_with_events();
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s", es_text(es_ok(es, "query", "{'op': 'events', 'limit': 11}"), "cursor"));
    cr_assert_str_eq(ids_of(es_ok(es, "query", "{'op': 'events', 'filter': {}, 'cursor': '%s'}", cursor)), "12");
    es_close(es);
}

Test(query, a_page_ends_before_its_reply_grows_too_large_but_gives_at_least_one_entry) {
    struct es *es = es_open("{'reply_size_max': 65536}");
    char text[50001];
    memset(text, 'x', 50000);
    for (int size = 50000; size >= 20000; size -= 10000) {
        text[size] = '\0';
        (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'x': '%s'}}}", text);
    }
    /* 50,000, 40,000, 30,000 and 20,000: the first two do not fit together, nor the third with the second */
    static const char *const PAGES[] = {"1", "2", "3 4"};
    char cursor[700] = "";
    for (size_t i = 0; i < 3; i++) {
        json_t *reply = i == 0 ? es_ok(es, "query", "{'op': 'events'}")
                               : es_ok(es, "query", "{'op': 'events', 'cursor': '%s'}", cursor);
        cr_assert_str_eq(ids_of(reply), PAGES[i]);
        cr_assert_eq(json_is_true(json_object_get(reply, "more")), i < 2);
        snprintf(cursor, sizeof cursor, "%s", es_text(reply, "cursor"));
    }
    char large[100001];
    memset(large, 'x', 100000);
    large[100000] = '\0';
    (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'x': '%s'}}}", large);
    cr_assert_str_eq(ids_of(es_ok(es, "query", "{'op': 'events', 'cursor': '%s'}", cursor)), "5");
    es_close(es);
}

/* ---- waiting ---- */

struct background {
    struct es *es;
    const char *verb, *request;
    atomic_bool *until; /* repeated until it is true; NULL: once */
};

/* A call from another thread, with a reply of its own. */
static void *run_in_background(void *context) {
    const struct background *call = context;
    size_t size = 0;
    void *request = es_pack(call->request, &size);
    do {
        struct es_sink sink;
        es_sink_init(&sink);
        polaris_bytes bytes = {request, size};
        cr_assert_eq(es_verb(call->es->table, call->verb)(call->es->self, bytes, &sink.sink), POLARIS_ES_OK);
        es_sink_done(&sink);
    } while (call->until != NULL && !atomic_load(call->until));
    free(request);
    return NULL;
}

Test(query, a_long_poll_answers_at_once_when_something_matches) {
    struct es *es = open_with_events();
    expect_ids(es, "'limit': 2, 'wait_us': 60000000", "1 2");
    cr_assert_null(json_object_get(es->reply, "interrupted"));
    es_close(es);
}

Test(query, a_long_poll_ends_when_an_event_that_matches_is_stored) {
    struct es *es = open_with_events();
    struct background append = {
        es, "store", "{'op': 'append', 'events': [{'type': 'x', 'data': {}}, {'type': 'y', 'data': {}}]}", NULL};
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, run_in_background, &append), 0);

    json_t *reply = es_ok(es, "query", "{'op': 'events', 'filter': {'types': ['y']}, 'wait_us': 60000000}");

    cr_assert_str_eq(ids_of(reply), "14");
    cr_assert_eq(pthread_join(thread, NULL), 0);
    es_close(es);
}

Test(query, events_that_do_not_match_do_not_end_a_long_poll_but_interrupt_does) {
    struct es *es = open_with_events();
    atomic_bool ended = false;
    struct background interrupt = {es, "query", "{'op': 'interrupt'}", &ended}; /* again, if it comes too early */
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, run_in_background, &interrupt), 0);

    json_t *reply = es_ok(es, "query", "{'op': 'events', 'filter': {'types': ['never']}, 'wait_us': 60000000}");

    es_expect(reply, "{'events': [], 'count': 0, 'more': false, 'last_id': 12, 'interrupted': true}");
    atomic_store(&ended, true);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    es_expect(es_ok(es, "query", "{'op': 'interrupt'}"), "{'interrupted': 0}");
    es_close(es);
}

Test(query, a_long_poll_ends_empty_when_its_time_is_over) {
    struct es *es = open_with_events();
    json_t *reply = es_ok(es, "query", "{'op': 'events', 'filter': {'after_id': 12}, 'wait_us': 20000}");
    es_expect(reply, "{'events': [], 'more': false, 'last_id': 12}");
    cr_assert_null(json_object_get(reply, "interrupted"));
    es_close(es);
}

Test(query, a_poll_that_found_nothing_gives_a_cursor_that_does_not_look_at_the_same_events_again) {
    struct es *es = open_with_events();
    static const char FILTER[] = "'filter': {'types': ['rare']}";
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s", es_text(es_ok(es, "query", "{'op': 'events', %s}", FILTER), "cursor"));
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    (void)es_append(es, "{'type': 'rare', 'data': {}}");
    cr_assert_str_eq(ids_of(es_ok(es, "query", "{'op': 'events', %s, 'cursor': '%s'}", FILTER, cursor)), "14");
    snprintf(cursor, sizeof cursor, "%s", es_text(es->reply, "cursor"));
    es_expect(es_ok(es, "query", "{'op': 'events', %s, 'cursor': '%s'}", FILTER, cursor), "{'count': 0}");
    es_close(es);
}

Test(query, the_order_is_by_id_unless_the_filter_is_a_window_of_time_alone_or_with_types) {
    struct es *es = open_with_events();
    static const struct {
        const char *filter, *ids;
    } CASES[] = {
        {"{'types': ['a']}", "1 3 5 7 9 11"},
        {"{'from': 900}", "4 3 2 1"},
        {"{'to': 300}", "12 11"},
        {"{'from': 500, 'types': ['a']}", "7 5 3 1"},
        {"{'from': 900, 'tags_any': ['all']}", "1 2 3 4"},
        {"{'from': 900, 'tags_all': ['all']}", "1 2 3 4"},
        {"{'from': 500, 'stream': 's1'}", "3 6"},
        {"{'from': 900, 'correlation': 'c1'}", "1 3"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char fields[200];
        snprintf(fields, sizeof fields, "'filter': %s", CASES[i].filter);
        expect_ids(es, fields, CASES[i].ids);
    }
    es_close(es);
}

Test(query, waiting_is_for_ascending_order_by_id_and_has_a_longest_time) {
    struct es *es = es_open("{'wait_max_us': 1000}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/wait_us", "order", "query",
                     "{'op': 'events', 'order': 'desc', 'wait_us': 1}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/wait_us", "order", "query",
                     "{'op': 'events', 'order_by': 'time', 'wait_us': 1}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/wait_us", "1000", "query", "{'op': 'events', 'wait_us': 1001}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/wait_us", NULL, "query", "{'op': 'events', 'wait_us': -1}");
    (void)es_ok(es, "query", "{'op': 'events', 'order': 'desc', 'wait_us': 0}");
    (void)es_ok(es, "query", "{'op': 'events', 'limit': 0, 'wait_us': 1000}");
    es_close(es);
}

/* ---- get, head, histogram ---- */

Test(query, get_gives_one_event_or_says_that_there_is_none) {
    struct es *es = open_with_events();
    es_expect(es_ok(es, "query", "{'op': 'get', 'id': 7}"), "{'event': {'id': 7, 'data': {'n': 7}}}");
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, NULL, "13", "query", "{'op': 'get', 'id': 13}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/id", NULL, "query", "{'op': 'get', 'id': 0}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/id", NULL, "query", "{'op': 'get'}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/ids", NULL, "query", "{'op': 'get', 'id': 1, 'ids': [2]}");
    es_close(es);
}

Test(query, head_is_all_zero_in_an_empty_store) {
    struct es *es = es_open(NULL);
    es_expect(es_ok(es, "query", "{'op': 'head'}"), "{'first_id': 0, 'last_id': 0, 'recorded_at': 0}");
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    es_expect(es_ok(es, "query", "{'op': 'head'}"), "{'first_id': 1, 'last_id': 1, 'recorded_at': %lld}",
              (long long)ES_START_US);
    (void)es_refused(es, POLARIS_ES_INVALID, "/x", NULL, "query", "{'op': 'head', 'x': 1}");
    es_close(es);
}

Test(query, histograms_count_by_type_and_by_time) {
    struct es *es = open_with_events();
    es_expect(es_ok(es, "query", "{'op': 'histogram'}"),
              "{'buckets': [{'type': 'a', 'count': 6}, {'type': 'b', 'count': 6}]}");
    es_expect(es_ok(es, "query", "{'op': 'histogram', 'by': 'time', 'bucket_us': 500}"),
              "{'buckets': [{'time': 0, 'count': 4}, {'time': 500, 'count': 5}, {'time': 1000, 'count': 3}]}");
    es_expect(es_ok(es, "query", "{'op': 'histogram', 'by': 'type_and_time', 'bucket_us': 1000}"),
              "{'buckets': [{'type': 'a', 'time': 0, 'count': 4}, {'type': 'a', 'time': 1000, 'count': 2},"
              " {'type': 'b', 'time': 0, 'count': 5}, {'type': 'b', 'time': 1000, 'count': 1}]}");
    es_expect(es_ok(es, "query", "{'op': 'histogram', 'filter': {'stream': 's1', 'types': ['a']}}"),
              "{'buckets': [{'type': 'a', 'count': 2}]}");
    es_expect(es_ok(es, "query", "{'op': 'histogram', 'filter': {'types': ['never']}}"), "{'buckets': []}");
    es_close(es);
}

Test(query, buckets_begin_at_multiples_also_before_1970) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': -1}");
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': -100}");
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': -101}");
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': 0}");
    es_expect(es_ok(es, "query", "{'op': 'histogram', 'by': 'time', 'bucket_us': 100}"),
              "{'buckets': [{'time': -200, 'count': 1}, {'time': -100, 'count': 2}, {'time': 0, 'count': 1}]}");
    es_expect(es_ok(es, "query", "{'op': 'histogram', 'by': 'time', 'bucket_us': 315576000000000000}"),
              "{'buckets': [{'time': -315576000000000000, 'count': 3}, {'time': 0, 'count': 1}]}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/bucket_us", "315576000000000000", "query",
                     "{'op': 'histogram', 'by': 'time', 'bucket_us': 315576000000000001}");
    es_close(es);
}

Test(query, a_histogram_needs_a_bucket_for_times_and_for_nothing_else) {
    struct es *es = es_open(NULL);
    (void)es_refused(es, POLARIS_ES_INVALID, "/bucket_us", NULL, "query", "{'op': 'histogram', 'by': 'time'}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/bucket_us", NULL, "query", "{'op': 'histogram', 'by': 'type_and_time'}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/bucket_us", NULL, "query", "{'op': 'histogram', 'bucket_us': 5}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/bucket_us", NULL, "query",
                     "{'op': 'histogram', 'by': 'time', 'bucket_us': 0}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/by", "type_and_time", "query", "{'op': 'histogram', 'by': 'stream'}");
    es_close(es);
}

Test(query, a_histogram_of_more_than_ten_thousand_buckets_is_too_large) {
    struct es *es = es_open("{'durability': 'normal'}");
    for (int part = 0; part < 2; part++) {
        char *request = malloc(1 << 20);
        cr_assert_not_null(request);
        char *end = request + sprintf(request, "{'op': 'append', 'events': [");
        for (int i = 0; i < 5000; i++) {
            end += sprintf(end, "%s{'type':'a','data':{},'time':%d}", i > 0 ? "," : "", part * 5000 + i);
        }
        strcpy(end, "]}");
        (void)es_ok(es, "store", "%s", request);
        free(request);
    }
    json_t *reply = es_ok(es, "query", "{'op': 'histogram', 'by': 'time', 'bucket_us': 1}");
    cr_assert_eq(json_array_size(json_object_get(reply, "buckets")), 10000);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'time': 10000}");
    (void)es_refused(es, POLARIS_ES_TOO_LARGE, NULL, "10000", "query",
                     "{'op': 'histogram', 'by': 'time', 'bucket_us': 1}");
    es_close(es);
}

/* ---- streams, tags ---- */

Test(query, streams_are_listed_by_name_with_their_versions_page_by_page) {
    struct es *es = open_with_events();
    (void)es_append(es, "{'type': 'a', 'data': {}, 'stream': 'other'}");
    es_expect(es_ok(es, "query", "{'op': 'streams'}"),
              "{'count': 4, 'more': false, 'streams': [{'stream': 'other', 'version': 1, 'first_id': 13,"
              " 'last_id': 13}, {'stream': 's1', 'version': 4, 'first_id': 3, 'last_id': 12},"
              " {'stream': 's2', 'version': 4, 'first_id': 1}, {'stream': 's3', 'version': 4, 'first_id': 2}]}");
    json_t *page = es_ok(es, "query", "{'op': 'streams', 'prefix': 's', 'limit': 2}");
    es_expect(page, "{'streams': [{'stream': 's1'}, {'stream': 's2'}], 'more': true}");
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s", es_text(page, "cursor"));
    es_expect(es_ok(es, "query", "{'op': 'streams', 'prefix': 's', 'limit': 2, 'cursor': '%s'}", cursor),
              "{'streams': [{'stream': 's3'}], 'more': false}");
    (void)es_refused(es, POLARIS_ES_INVALID, "/cursor", "filter", "query", "{'op': 'streams', 'cursor': '%s'}", cursor);
    es_expect(es_ok(es, "query", "{'op': 'streams', 'prefix': 'never'}"), "{'streams': [], 'count': 0}");
    es_close(es);
}

Test(query, tags_are_listed_by_name_with_their_counts_page_by_page) {
    struct es *es = open_with_events();
    es_expect(es_ok(es, "query", "{'op': 'tags'}"),
              "{'count': 5, 'tags': [{'tag': 'all', 'count': 12, 'last_id': 12}, {'tag': 'tag:0', 'count': 3,"
              " 'last_id': 12}, {'tag': 'tag:1', 'last_id': 9}, {'tag': 'tag:2'}, {'tag': 'tag:3'}]}");
    json_t *page = es_ok(es, "query", "{'op': 'tags', 'prefix': 'tag:', 'limit': 3}");
    es_expect(page, "{'tags': [{'tag': 'tag:0'}, {'tag': 'tag:1'}, {'tag': 'tag:2'}], 'more': true}");
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s", es_text(page, "cursor"));
    es_expect(es_ok(es, "query", "{'op': 'tags', 'prefix': 'tag:', 'cursor': '%s'}", cursor),
              "{'tags': [{'tag': 'tag:3'}], 'more': false}");
    es_close(es);
}

Test(query, a_prefix_may_end_in_the_last_character_there_is) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}, 'tags': ['x\xf4\x8f\xbf\xbfy', 'x\xf4\x8f\xbf\xbf', 'x', 'y']}");
    es_expect(es_ok(es, "query", "{'op': 'tags', 'prefix': 'x\xf4\x8f\xbf\xbf'}"), "{'count': 2}");
    es_close(es);
}
