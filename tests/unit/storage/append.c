/* append.c: what an append promises: order, all or none, idempotency, versions. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>

#include "support.h"

static struct store store;

static void set_up(void) {
    store_open(&store, NULL);
}

static void tear_down(void) {
    store_done(&store);
}

TestSuite(append, .init = set_up, .fini = tear_down);

Test(append, gives_ids_that_grow_by_one) {
    cr_expect_eq(append(&store, event_of("a")), 1);
    cr_expect_eq(append(&store, event_of("b")), 2);
    cr_expect_eq(append(&store, event_of("a")), 3);
}

Test(append, goes_on_behind_the_last_id_after_a_restart) {
    append(&store, event_of("a"));
    append(&store, event_of("a"));
    store_reopen(&store);
    cr_expect_eq(append(&store, event_of("a")), 3);
}

Test(append, of_many_events_stores_none_when_one_fails) {
    struct event events[3] = {event_of("a"), event_of("a"), event_of("a")};
    events[2].stream = text("s");
    events[2].expectation = EXPECT_EXISTS;
    struct append_request request = {.events = events, .count = 3};
    struct append_result results[3];
    struct append_summary summary;

    enum status status = store.storage->ops->append(store.storage, &request, results, &summary, &store.error);

    cr_expect_eq(status, CONFLICT);
    cr_expect_str_eq(store.error.path, "/events/2");
    cr_expect_eq(all_ids(&store).count, 0);
    cr_expect_eq(append(&store, event_of("a")), 1, "a failed append uses up no id");
}

Test(append, with_the_same_key_and_content_gives_the_first_id) {
    struct event event = event_of("a");
    event.key = text("k");
    struct append_result result;
    int64_t first = append(&store, event);
    append(&store, event_of("b"));

    cr_expect_eq(try_append(&store, event, &result), OK);

    cr_expect_eq(result.id, first);
    cr_expect(result.duplicate);
    cr_expect_eq(all_ids(&store).count, 2);
}

Test(append, with_the_same_key_and_other_content_conflicts) {
    struct event event = event_of("a");
    event.key = text("k");
    struct append_result result;
    append(&store, event);

    struct event others[6] = {event, event, event, event, event, event};
    others[0].type = text("b");
    others[1].data = BYTES_LITERAL("\x81\xa1x\x01");
    others[2].metadata = BYTES_LITERAL("\x80");
    others[3].stream = text("s");
    others[4].correlation = text("c");
    others[5] = (struct event){.type = text("a"), .data = event.data, .key = event.key, .has_time = true, .time_us = 5};
    for (size_t i = 0; i < 6; i++) {
        cr_expect_eq(try_append(&store, others[i], &result), CONFLICT, "difference %zu", i);
        cr_expect_eq(store.error.details[0].number, 1);
    }
    cr_expect_eq(all_ids(&store).count, 1);
}

Test(append, with_an_empty_metadata_map_differs_from_one_without_metadata) {
    struct event event = event_of("a");
    event.key = text("k");
    event.metadata = BYTES_LITERAL("\x80");
    struct append_result result;
    append(&store, event);
    event.metadata = (struct bytes){0};
    cr_expect_eq(try_append(&store, event, &result), CONFLICT);
}

Test(append, with_an_expected_version_holds_it_against_the_stream) {
    struct append_result result;
    struct event event = event_of("a");
    event.stream = text("s");
    static const struct {
        enum expectation expectation;
        int64_t version;
        enum status when_empty, when_one;
    } CASES[] = {
        {EXPECT_NONE, 0, OK, CONFLICT},    {EXPECT_EXISTS, 0, CONFLICT, OK},        {EXPECT_EXACTLY, 0, OK, CONFLICT},
        {EXPECT_EXACTLY, 1, CONFLICT, OK}, {EXPECT_EXACTLY, 2, CONFLICT, CONFLICT}, {EXPECT_ANY, 0, OK, OK},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char empty[16], one[16];
        snprintf(empty, sizeof empty, "empty%zu", i);
        snprintf(one, sizeof one, "one%zu", i);
        event.stream = text(one);
        event.expectation = EXPECT_ANY;
        append(&store, event);
        event.expectation = CASES[i].expectation;
        event.expected_version = CASES[i].version;
        cr_expect_eq(try_append(&store, event, &result), CASES[i].when_one, "one, case %zu", i);
        event.stream = text(empty);
        cr_expect_eq(try_append(&store, event, &result), CASES[i].when_empty, "empty, case %zu", i);
    }
}

Test(append, recorded_at_never_goes_back_while_time_may) {
    struct event event = event_of("a");
    append(&store, event);
    store.now_us = START_US - 1000000;
    struct append_request request = {.events = &event, .count = 1};
    struct append_result result;
    struct append_summary summary;

    cr_assert_eq(store.storage->ops->append(store.storage, &request, &result, &summary, &store.error), OK);

    cr_expect_eq(summary.recorded_us, START_US);
}

Test(append, wakes_the_host_with_the_last_id_after_each_commit) {
    append(&store, event_of("a"));
    append(&store, event_of("a"));
    store_close(&store); /* by then it was; the call itself does not wait for it */
    cr_expect_eq(store.woken_id, 2);
    cr_expect_eq(store.wakes, 2);
}

Test(append, under_a_condition_fails_only_when_a_matching_event_exists_behind_the_id) {
    struct event_filter filter = {.types = {text("b")}, .type_count = 1};
    struct append_condition condition = {.filter = &filter, .after_id = 2};
    struct event event = event_of("c");
    struct append_request request = {.events = &event, .count = 1, .condition = &condition};
    struct append_result result;
    struct append_summary summary;
    append(&store, event_of("a"));
    append(&store, event_of("b"));
    cr_expect_eq(store.storage->ops->append(store.storage, &request, &result, &summary, &store.error), OK);
    append(&store, event_of("b"));
    cr_expect_eq(store.storage->ops->append(store.storage, &request, &result, &summary, &store.error), CONFLICT);
    cr_expect_eq(store.error.details[0].number, 4);
}

static void limit_size(struct config *config) {
    config->store_size_max = 1;
}

static bool ignore_letter(void *context, const struct dead_letter *letter, const struct stored_event *event) {
    (void)context;
    (void)letter;
    (void)event;
    return true;
}

Test(full_store, refuses_appends_while_dead_letters_still_work) {
    store_open(&store, NULL);
    append(&store, event_of("a"));
    limit_size(&store.config);
    store_reopen(&store);
    struct append_result result;
    struct dead_letter_put put = {
        .consumer = text("c"), .event_id = 1, .failure.message = text("no"), .attempts_max = -1, .delay_us = -1};

    cr_expect_eq(try_append(&store, event_of("a"), &result), FULL);
    cr_expect_eq(store.storage->ops->dead_letter_put(store.storage, &put, ignore_letter, NULL, &store.error), OK);
    store_done(&store);
}

static int execute(const char *sql) {
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(store.path, &db), SQLITE_OK);
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return code;
}

Test(events_table, refuses_to_be_altered_or_thinned_by_anybody) {
    store_open(&store, NULL);
    append(&store, event_of("a"));
    cr_expect_neq(execute("UPDATE event SET data = x'80'"), SQLITE_OK);
    cr_expect_neq(execute("DELETE FROM event"), SQLITE_OK);
    cr_expect_eq(all_ids(&store).count, 1);
    store_done(&store);
}

static void short_timeout(struct config *config) {
    config->busy_timeout_ms = 20;
}

Test(foreign_lock, ends_in_busy_after_the_bounded_wait_and_not_in_a_raw_error) {
    store_open(&store, short_timeout);
    sqlite3 *foreign = NULL;
    cr_assert_eq(sqlite3_open(store.path, &foreign), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(foreign, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct append_result result;

    cr_expect_eq(try_append(&store, event_of("a"), &result), BUSY);
    cr_expect_null(strstr(store.error.message, "database is locked"), "%s", store.error.message);

    cr_assert_eq(sqlite3_exec(foreign, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    cr_expect_eq(try_append(&store, event_of("a"), &result), OK, "and works again when the lock is gone");
    sqlite3_close(foreign);
    store_done(&store);
}
