/* group_failures.c: groups that cannot be written: what was acknowledged is in the file, and only those fail that have
 * to. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "calls.h"
#include "storage/sqlite/sqlite.h"

TestSuite(group_failures, .init = calls_set_up, .fini = calls_tear_down, .timeout = 120);

static uint8_t payload[200000];

static struct event large_event(size_t size) {
    struct event event = event_of("large");
    event.data = (struct bytes){payload, size};
    return event;
}

static struct connection *writing_connection(void) {
    return &((struct sqlite_storage *)store.storage)->writer.connection;
}

/* The disk has room for so many more pages. SQLite then undoes the statement, and not the transaction. */
static void leave_room_for(int64_t pages) {
    char sql[64];
    (void)snprintf(sql, sizeof sql, "PRAGMA max_page_count=%lld", (long long)(ask_file("PRAGMA page_count") + pages));
    cr_assert_eq(connection_execute(writing_connection(), sql, "test", &store.error), OK);
}

static int64_t stored_with_id(int64_t id) {
    char sql[64];
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM event WHERE id = %lld", (long long)id);
    return ask_file(sql);
}

Test(group_failures, nothing_is_acknowledged_that_a_repeated_request_found_no_room_for) {
    enum { OTHERS = 60 };
    struct event again = event_of("t");
    again.key = text("again");
    (void)append(&store, again);
    for (size_t i = 0; i < OTHERS; i++) {
        (void)call_with(i, large_event(3000));
    }
    /* It has its condition asked of the file, for which the others are written; it is refused, and was done before. */
    struct call *repeated = call_with(OTHERS, again);
    repeated->filter = (struct event_filter){.types = {text("t")}, .type_count = 1};
    repeated->condition = (struct append_condition){.filter = &repeated->filter};
    repeated->later.request.condition = &repeated->condition;
    leave_room_for(8);

    run_as_group(calls, OTHERS + 1);

    int64_t acknowledged = 0;
    for (size_t i = 0; i < OTHERS; i++) {
        acknowledged += calls[i].later.status == OK;
        cr_expect(calls[i].later.status == OK ? stored_with_id(calls[i].results[0].id) == 1
                                              : calls[i].later.status == FULL,
                  "call %zu: %s", i, status_name(calls[i].later.status));
    }
    cr_expect_lt(acknowledged, OTHERS);
    cr_expect_eq(ask_file("SELECT count(*) FROM event"), 2 + acknowledged);
    cr_expect_eq(repeated->later.status, OK);
    cr_expect(repeated->results[0].duplicate);
}

Test(group_failures, a_call_that_finds_no_room_fails_alone) {
    for (size_t i = 0; i < 20; i++) {
        (void)call_with(i, i == 10 ? large_event(sizeof payload) : event_of("small"));
    }
    (void)append(&store, event_of("small"));
    leave_room_for(10);

    run_as_group(calls, 20);

    for (size_t i = 0; i < 20; i++) {
        if (i == 10) {
            expect_failed(i, FULL);
        } else {
            expect_stored(i, (int64_t)i + (i < 10 ? 3 : 2), 0);
        }
    }
    cr_expect_eq(ask_file("SELECT count(*) FROM event"), 21);
}

static int refuse_the_second(void *context) {
    return ++*(int *)context == 2;
}

Test(group_failures, when_the_commit_fails_nobody_is_told_of_what_is_not_there) {
    int commits = 0;
    (void)sqlite3_commit_hook(writing_connection()->db, refuse_the_second, &commits);
    struct event event = event_of("a");
    event.key = text("k");
    (void)call_with(0, event);
    event.data = BYTES_LITERAL("\x81\xa1x\x01");
    (void)call_with(1, event); /* the same key, other content */
    call_with(2, event)->given_up = true;

    run_as_group(calls, 3);

    cr_expect_neq(calls[0].later.status, OK);
    cr_expect_eq(calls[1].later.status, calls[0].later.status, "not CONFLICT, but %s",
                 status_name(calls[1].later.status));
    expect_failed(2, CANCELLED);
    cr_expect_eq(ask_file("SELECT count(*) FROM event"), 1);
}

/* Once the group was taken back, somebody else writes, and does not end. */
struct foreign_writer {
    sqlite3 *db;
    bool comes;
};

static void let_it_come(void *context) {
    ((struct foreign_writer *)context)->comes = true;
}

static int come_before_the_next_begin(unsigned event, void *context, void *statement, void *sql) {
    struct foreign_writer *foreign = context;
    (void)event;
    (void)statement;
    if (foreign->comes && strcmp(sql, "BEGIN IMMEDIATE") == 0) {
        foreign->comes = false;
        cr_assert_eq(sqlite3_exec(foreign->db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    }
    return 0;
}

Test(group_failures, nobody_is_told_of_a_conflict_with_what_was_taken_back) {
    struct foreign_writer foreign = {0};
    struct event event = event_of("a");
    event.key = text("k");
    (void)call_with(0, event);
    event.data = BYTES_LITERAL("\x81\xa1x\x01");
    (void)call_with(1, event);                       /* the same key, other content: a conflict, */
    (void)call_with(2, large_event(sizeof payload)); /* but the group finds no room, */
    call_with(3, event_of("a"))->given_up = true;
    leave_room_for(10);
    cr_assert_eq(sqlite3_open(store.path, &foreign.db), SQLITE_OK);
    sqlite3 *db = writing_connection()->db;
    (void)sqlite3_busy_timeout(db, 0);
    (void)sqlite3_rollback_hook(db, let_it_come, &foreign);
    (void)sqlite3_trace_v2(db, SQLITE_TRACE_STMT, come_before_the_next_begin, &foreign);

    run_as_group(calls, 4);

    expect_failed(0, BUSY); /* and none of it can be tried alone. */
    expect_failed(1, BUSY);
    expect_failed(2, BUSY);
    expect_failed(3, CANCELLED);
    cr_expect_eq(sqlite3_close(foreign.db), SQLITE_OK);
    cr_expect_eq(ask_file("SELECT count(*) FROM event"), 1);
}
