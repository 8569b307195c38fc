/* calls.c: appends that are handed in without waiting, and run as one group. */
#include "calls.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <string.h>

struct store store;
struct call calls[CALLS_MAX];
static size_t ended;
static sem_t all_ended, begun, go_on;

void calls_set_up(void) {
    store_open(&store, NULL);
    memset(calls, 0, sizeof calls);
    ended = 0;
    sem_init(&all_ended, 0, 0);
    sem_init(&begun, 0, 0);
    sem_init(&go_on, 0, 0);
}

void calls_tear_down(void) {
    store_done(&store);
    sem_destroy(&all_ended);
    sem_destroy(&begun);
    sem_destroy(&go_on);
}

bool call_begin(struct append_later *later) {
    return !((struct call *)(void *)later)->given_up;
}

void call_finished(struct append_later *later) {
    ((struct call *)(void *)later)->ended_as = ended++;
    sem_post(&all_ended);
}

/* The writer's thread stands still in the first call, so that those that come meanwhile wait together. */
static bool begin_and_wait(struct append_later *later) {
    (void)later;
    sem_post(&begun);
    sem_wait(&go_on);
    return true;
}

static void hand_in(struct call *call, bool (*how)(struct append_later *later)) {
    call->later.begin = how;
    call->later.finished = call_finished;
    call->later.results = call->results;
    call->later.error = &call->error;
    call->later.request.events = call->events;
    cr_assert_eq(store.storage->ops->append_later(store.storage, &call->later, &store.error), OK);
}

static struct call first;

void hold_writer(void) {
    first = (struct call){.events = {event_of("first")}, .later = {.request = {.count = 1}}};
    hand_in(&first, begin_and_wait);
    sem_wait(&begun);
}

void release_writer(size_t count) {
    sem_post(&go_on);
    await_ends(1 + count);
    cr_assert_eq(first.later.status, OK, "%s", first.error.message);
}

void await_ends(size_t count) {
    for (size_t i = 0; i < count; i++) {
        sem_wait(&all_ended);
    }
}

void run_as_group(struct call *group, size_t count) {
    hold_writer();
    for (size_t i = 0; i < count; i++) {
        hand_in(&group[i], call_begin);
    }
    release_writer(count);
}

struct call *call_with(size_t n, struct event event) {
    calls[n].events[calls[n].later.request.count++] = event;
    return &calls[n];
}

void expect_stored(size_t n, int64_t id, int64_t version) {
    cr_expect_eq(calls[n].later.status, OK, "call %zu: %s", n, calls[n].error.message);
    cr_expect_eq(calls[n].results[0].id, id, "call %zu: id %lld", n, (long long)calls[n].results[0].id);
    cr_expect_eq(calls[n].results[0].version, version);
}

void expect_failed(size_t n, enum status status) {
    cr_expect_eq(calls[n].later.status, status, "call %zu: %s", n, status_name(calls[n].later.status));
}

int64_t ask_file(const char *sql) {
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    cr_assert_eq(sqlite3_open_v2(store.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t answer = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}
