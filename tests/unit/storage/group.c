/* group.c: calls that share one commit: each sees what the ones before it stored, each fails alone, and the file is as
 * if they had come one by one. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "storage/sqlite/sqlite.h"

TestSuite(group, .init = calls_set_up, .fini = calls_tear_down, .timeout = 120);

static struct event in_stream(const char *stream, enum expectation expectation, int64_t version) {
    struct event event = event_of("a");
    event.stream = text(stream);
    event.expectation = expectation;
    event.expected_version = version;
    return event;
}

static struct event with_key(struct event event, const char *key) {
    event.key = text(key);
    return event;
}

/* ---- */

Test(group, shares_one_commit_and_ends_in_order) {
    for (size_t i = 0; i < 100; i++) {
        (void)call_with(i, event_of("a"));
    }
    run_as_group(calls, 100);
    for (size_t i = 0; i < 100; i++) {
        expect_stored(i, (int64_t)i + 2, 0);
        cr_expect_eq(calls[i].ended_as, i + 1);
    }
    store_close(&store);
    cr_expect_eq(store.wakes, 2, "one commit for the first, one for the others");
}

Test(group, of_calls_on_one_stream_sees_the_versions_of_those_before) {
    (void)call_with(0, in_stream("s", EXPECT_NONE, 0));
    (void)call_with(1, in_stream("s", EXPECT_EXACTLY, 1));
    (void)call_with(2, in_stream("s", EXPECT_EXACTLY, 1));
    (void)call_with(3, in_stream("s", EXPECT_EXISTS, 0));
    (void)call_with(4, in_stream("t", EXPECT_EXISTS, 0));
    (void)call_with(5, in_stream("t", EXPECT_NONE, 0));
    run_as_group(calls, 6);
    expect_stored(0, 2, 1);
    expect_stored(1, 3, 2);
    expect_failed(2, CONFLICT);
    expect_stored(3, 4, 3);
    expect_failed(4, CONFLICT);
    expect_stored(5, 5, 1);
    cr_expect_eq(ask_file("SELECT count(*) FROM stream"), 2);
    cr_expect_eq(ask_file("SELECT version * 100 + first_id * 10 + last_id FROM stream WHERE name = 's'"), 324);
}

Test(group, finds_keys_of_those_before) {
    (void)call_with(0, with_key(event_of("a"), "k"));
    (void)call_with(1, with_key(event_of("a"), "k"));
    (void)call_with(2, with_key(event_of("b"), "k"));
    run_as_group(calls, 3);
    expect_stored(0, 2, 0);
    expect_stored(1, 2, 0);
    cr_expect(calls[1].results[0].duplicate);
    expect_failed(2, CONFLICT);
    cr_expect_eq(ask_file("SELECT count(*) FROM event"), 2);
}

Test(group, one_request_may_have_a_key_twice) {
    (void)call_with(0, with_key(event_of("a"), "k"));
    (void)call_with(0, with_key(event_of("a"), "k"));
    run_as_group(calls, 1);
    expect_stored(0, 2, 0);
    cr_expect_eq(calls[0].results[1].id, 2);
    cr_expect_eq(calls[0].later.summary.duplicates, 1);
}

Test(group, takes_back_all_of_a_request_that_fails_at_its_end) {
    (void)call_with(0, with_key(tagged(in_stream("new", EXPECT_ANY, 0), "t"), "k"));
    (void)call_with(0, event_of("a type that nobody has"));
    (void)call_with(0, in_stream("new", EXPECT_EXACTLY, 7));
    (void)call_with(1, with_key(in_stream("new", EXPECT_NONE, 0), "k"));
    (void)call_with(2, tagged(event_of("a"), "u"));
    run_as_group(calls, 3);
    expect_failed(0, CONFLICT);
    cr_expect_str_eq(calls[0].error.path, "/events/2");
    expect_stored(1, 2, 1);
    expect_stored(2, 3, 0);
    cr_expect_eq(ask_file("SELECT count(*) FROM tag"), 1);
    cr_expect_eq(ask_file("SELECT count(*) FROM type WHERE name = 'a type that nobody has'"), 0);
}

Test(group, conditions_see_what_those_before_stored) {
    (void)call_with(0, tagged(event_of("a"), "t"));
    struct call *guarded = call_with(1, event_of("b"));
    guarded->filter.tags_any[0] = text("t");
    guarded->filter.tags_any_count = 1;
    guarded->condition.filter = &guarded->filter;
    guarded->later.request.condition = &guarded->condition;
    (void)call_with(2, event_of("c"));
    run_as_group(calls, 3);
    expect_stored(0, 2, 0);
    expect_failed(1, CONFLICT);
    expect_stored(2, 3, 0);
}

Test(group, counts_tags_once_for_each_event) {
    (void)call_with(0, tagged(tagged(event_of("a"), "t"), "u"));
    (void)call_with(1, tagged(event_of("a"), "t"));
    run_as_group(calls, 2);
    (void)append(&store, tagged(event_of("a"), "t"));
    cr_expect_eq(ask_file("SELECT event_count * 10 + last_id FROM tag WHERE name = 't'"), 34);
    cr_expect_eq(ask_file("SELECT event_count * 10 + last_id FROM tag WHERE name = 'u'"), 12);
    cr_expect_eq(ask_file("SELECT count(*) FROM event_tag"), 4);
}

Test(group, what_was_given_up_is_cancelled_and_writes_nothing) {
    (void)call_with(0, event_of("a"));
    call_with(1, event_of("a"))->given_up = true;
    (void)call_with(2, event_of("a"));
    run_as_group(calls, 3);
    expect_stored(0, 2, 0);
    expect_failed(1, CANCELLED);
    expect_stored(2, 3, 0);
}

/* ---- many keys ---- */

enum { KEYED_MAX = 130 };

/* A call with more events than the others may have. */
struct keyed_call {
    struct call call; /* first: it is found by it */
    struct event events[KEYED_MAX];
    struct append_result results[KEYED_MAX];
    char names[KEYED_MAX][16];
};

static void hand_in_keyed(struct keyed_call *keyed, int first_key, size_t count, bool refused) {
    memset(&keyed->call, 0, sizeof keyed->call);
    for (size_t i = 0; i < count; i++) {
        snprintf(keyed->names[i], sizeof keyed->names[i], "k%d", first_key + (int)i);
        keyed->events[i] = with_key(event_of("a"), keyed->names[i]);
    }
    if (refused) {
        keyed->events[count - 1] = in_stream("nowhere", EXPECT_EXISTS, 0);
    }
    struct append_later *later = &keyed->call.later;
    *later = (struct append_later){.begin = call_begin,
                                   .finished = call_finished,
                                   .results = keyed->results,
                                   .error = &keyed->call.error,
                                   .request = {.events = keyed->events, .count = count}};
    cr_assert_eq(store.storage->ops->append_later(store.storage, later, &store.error), OK);
}

/* The index of keys grows while they are put, and the newest are taken back: no older one may get lost. */
Test(group, forgets_the_keys_of_a_request_that_fails_and_no_others) {
    static struct keyed_call good, bad, again;
    for (int round = 0; round < 60; round++) { /* in each new store keys stand elsewhere */
        store_done(&store);
        store_open(&store, NULL);
        hold_writer();
        hand_in_keyed(&good, 1000 * round, 30, false);
        hand_in_keyed(&bad, 1000 * round + 500, 120, true);
        hand_in_keyed(&again, 1000 * round, 30, false);
        release_writer(3);
        cr_assert_eq(good.call.later.status, OK, "round %d: %s", round, good.call.error.message);
        cr_assert_eq(bad.call.later.status, CONFLICT);
        cr_assert_eq(again.call.later.status, OK, "round %d: %s", round, again.call.error.message);
        cr_assert_eq(again.call.later.summary.duplicates, 30);
        hand_in_keyed(&bad, 1000 * round + 500, 100, false); /* none of them was there before */
        await_ends(1);
        cr_assert_eq(bad.call.later.status, OK, "round %d: %s", round, bad.call.error.message);
        cr_assert_eq(bad.call.later.summary.duplicates, 0);
    }
}

static void one_mebibyte(struct config *config) {
    config->store_size_max = 1 << 20;
}

Test(group, counts_what_it_has_not_written_yet_against_the_size_of_the_store) {
    static const uint8_t DATA[100000];
    store_done(&store);
    store_open(&store, one_mebibyte);
    for (size_t i = 0; i < 100; i++) {
        call_with(i, event_of("a"))->events[0].data = (struct bytes){DATA, sizeof DATA};
    }
    run_as_group(calls, 100);
    size_t taken = 0;
    for (size_t i = 0; i < 100; i++) {
        taken += calls[i].later.status == OK;
        cr_expect(calls[i].later.status == OK || calls[i].later.status == FULL);
    }
    cr_expect_geq(taken, 5);
    cr_expect_leq(taken, 15, "%zu events of 100 kB", taken);
}

Test(group, numbers_may_begin_again) {
    struct writer *writer = &sqlite_of(store.storage)->writer;
    writer->next_group = UINT32_MAX - 20;
    for (uint32_t i = 0; i < ENDED_GROUPS; i++) { /* as groups without callers have left them */
        uint32_t number = writer->next_group - ENDED_GROUPS + i;
        atomic_store(&writer->ended_groups[number % ENDED_GROUPS], number);
    }
    for (int round = 0; round < 60; round++) {
        memset(calls, 0, sizeof calls);
        (void)call_with(0, event_of("a"));
        run_as_group(calls, 1);
        cr_assert_eq(calls[0].later.status, OK);
        for (uint32_t i = 0; i < ENDED_GROUPS; i++) {
            cr_assert_gt((int32_t)(atomic_load(&writer->ended_groups[i]) - (writer->next_group - 2 * ENDED_GROUPS)), 0,
                         "a group without callers is noted as well");
        }
    }
}

/* ---- any calls ---- */

static uint32_t random_state;

static uint32_t random_below(uint32_t limit) {
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 16) % limit;
}

static struct bytes name_into(char target[32], const char *kind, uint32_t n) {
    snprintf(target, 32, "%s%u", kind, n);
    return text(target);
}

static void make_event(struct call *call, size_t i) {
    struct event *event = &call->events[i];
    *event = event_of(random_below(8) == 0 ? "rare" : "common");
    event->type = name_into(call->texts[i][0], "type", random_below(5));
    if (random_below(2) == 0) {
        event->stream = name_into(call->texts[i][1], "stream", random_below(6));
        event->expectation = (enum expectation)random_below(4);
        event->expected_version = random_below(8);
    }
    if (random_below(4) == 0) {
        event->key = name_into(call->texts[i][2], "key", random_below(40));
        event->stream = (struct bytes){0};
    }
    if (random_below(2) == 0) {
        *event = tagged(*event, (const char *)name_into(call->texts[i][3], "tag", random_below(10)).data);
    }
}

static void make_call(struct call *call) {
    call->later.request.count = 1 + random_below(EVENTS_MAX);
    for (size_t i = 0; i < call->later.request.count; i++) {
        make_event(call, i);
    }
    if (random_below(6) == 0) {
        call->filter.types[0] = call->events[0].type;
        call->filter.type_count = 1;
        call->condition = (struct append_condition){.filter = &call->filter, .after_id = random_below(900)};
        call->later.request.condition = &call->condition;
    }
    call->given_up = random_below(30) == 0;
}

/* Every row of every table that appends write, as one text. */
static char *dump(void) {
    static const char *const TABLES[] = {
        ("SELECT id, (SELECT name FROM type WHERE id = type_id), time_us, recorded_us,"
         " (SELECT name FROM stream WHERE id = stream_id), version, key, tags, data FROM event ORDER BY id"),
        "SELECT name, version, first_id, last_id FROM stream ORDER BY name",
        "SELECT name, event_count, last_id FROM tag ORDER BY name",
        "SELECT (SELECT name FROM tag WHERE id = tag_id), event_id FROM event_tag ORDER BY 2, 1",
        "SELECT name FROM type ORDER BY name",
    };
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open_v2(store.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
        sqlite3_stmt *rows = NULL;
        cr_assert_eq(sqlite3_prepare_v2(db, TABLES[i], -1, &rows, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
        while (sqlite3_step(rows) == SQLITE_ROW) {
            for (int column = 0; column < sqlite3_column_count(rows); column++) {
                const char *value = (const char *)sqlite3_column_text(rows, column);
                fprintf(out, "%s|", value != NULL ? value : "");
            }
            fputc('\n', out);
        }
        sqlite3_finalize(rows);
    }
    sqlite3_close(db);
    fclose(out);
    return text;
}

static void append_alone(struct call *call) {
    call->later.request.events = call->events;
    if (call->given_up) {
        call->later.status = CANCELLED;
        return;
    }
    call->later.status = store.storage->ops->append(store.storage, &call->later.request, call->results,
                                                    &call->later.summary, &call->error);
}

static void expect_same_ends(const struct call *alone, size_t count) {
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(calls[i].later.status, alone[i].later.status, "call %zu: %s, alone %s", i,
                     status_name(calls[i].later.status), status_name(alone[i].later.status));
        for (size_t j = 0; alone[i].later.status == OK && j < alone[i].later.request.count; j++) {
            cr_assert_eq(calls[i].results[j].id, alone[i].results[j].id, "call %zu, event %zu", i, j);
            cr_assert_eq(calls[i].results[j].version, alone[i].results[j].version);
            cr_assert_eq(calls[i].results[j].duplicate, alone[i].results[j].duplicate);
        }
    }
}

/* The filter points into the call that was copied from. */
static void copy_calls(struct call *to, const struct call *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        to[i].later.request.count = from[i].later.request.count;
        to[i].later.request.condition = from[i].later.request.condition;
        memcpy(to[i].events, from[i].events, sizeof to[i].events);
        to[i].given_up = from[i].given_up;
    }
}

Test(group, leaves_the_file_as_if_its_calls_had_come_one_by_one) {
    static struct call alone[CALLS_MAX];
    int conflicts = 0;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        memset(calls, 0, sizeof calls);
        memset(alone, 0, sizeof alone);
        random_state = seed;
        size_t count = 1 + random_below(CALLS_MAX);
        for (size_t i = 0; i < count; i++) {
            make_call(&calls[i]);
        }
        copy_calls(alone, calls, count);
        (void)append(&store, event_of("first"));
        for (size_t i = 0; i < count; i++) {
            append_alone(&alone[i]);
            conflicts += alone[i].later.status == CONFLICT;
        }
        char *wanted = dump();
        store_done(&store);
        store_open(&store, NULL);
        run_as_group(calls, count);
        char *got = dump();
        expect_same_ends(alone, count);
        cr_assert_str_eq(got, wanted, "seed %u", seed);
        free(wanted);
        free(got);
        store_done(&store);
        store_open(&store, NULL);
    }
    cr_expect_gt(conflicts, 100, "calls that fail are among them: %d", conflicts);
}
