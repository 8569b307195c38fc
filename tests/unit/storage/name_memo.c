/* name_memo.c: names that connections remember. */
#include "storage/sqlite/name_memo.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "storage/sqlite/sqlite.h"
#include "support.h"

static struct store store;

static void set_up(void) {
    store_open(&store, NULL);
}

static void tear_down(void) {
    store_done(&store);
}

TestSuite(name_memo, .init = set_up, .fini = tear_down);

static bool count_if_named_after_its_time(void *context, const struct stored_event *event) {
    char name[32];
    int size = snprintf(name, sizeof name, "%lld", (long long)event->time_us);
    bool named = event->type.size == (size_t)size && memcmp(event->type.data, name, (size_t)size) == 0 &&
                 event->stream.size == (size_t)size && memcmp(event->stream.data, name, (size_t)size) == 0;
    *(size_t *)context += named;
    return true;
}

Test(name_memo, tells_more_names_apart_than_it_keeps) {
    enum { NAMES = 3 * NAMES_REMEMBERED + 1, EVENTS = 4 * NAMES };
    for (int i = 0; i < EVENTS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%d", i * 7 % NAMES);
        struct event event = event_of(name);
        event.has_time = true;
        event.time_us = i * 7 % NAMES;
        event.stream = text(name);
        append(&store, event);
    }
    static const struct event_filter EVERYTHING = {0};
    const struct event_query query = {.filter = &EVERYTHING, .limit = EVENTS + 1};
    size_t named = 0;

    cr_assert_eq(store.storage->ops->read_events(store.storage, &query, count_if_named_after_its_time, &named, NULL,
                                                 &store.error),
                 OK);

    cr_expect_eq(named, EVENTS);
}

Test(name_memo, of_the_connection_that_writes_forgets) {
    struct connection *writer = &((struct sqlite_storage *)store.storage)->writer.connection;
    struct bytes name = {0};
    append(&store, event_of("first"));

    cr_assert_eq(name_recall(writer, NAME_OF_TYPE, 1, &name, &store.error), OK);
    cr_expect_eq(name.size, 5);
    cr_assert_eq(connection_execute(writer, "BEGIN; UPDATE type SET name = 'other one'", "test", &store.error), OK);
    cr_assert_eq(name_recall(writer, NAME_OF_TYPE, 1, &name, &store.error), OK);

    cr_expect_eq(name.size, 9, "it read the table again");
    cr_assert_eq(connection_execute(writer, "ROLLBACK", "test", &store.error), OK);
}

Test(name_memo, says_of_what_is_not_there_that_it_is_absent) {
    struct connection *writer = &((struct sqlite_storage *)store.storage)->writer.connection;
    struct bytes name = text("something");
    cr_expect_eq(name_recall(writer, NAME_OF_STREAM, 7, &name, &store.error), OK);
    cr_expect_not(bytes_present(name));
    cr_expect_eq(name_recall(writer, NAME_OF_STREAM, 0, &name, &store.error), OK);
    cr_expect_not(bytes_present(name));
}
