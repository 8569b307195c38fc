/* log_buffer.c: what a commit writes to the log is written at once, when it is synced; and what was not committed is
 * never written after others were let in. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "es.h"
#include "store_dump.h"
#include "torture/shim_vfs.h"

enum { TEXT_SIZE = 3000, SOME = 20, MORE_THAN_THE_CACHE = 35, MANY = 300, NAMES = 700 };

static struct es *es;
static atomic_int log_writes, log_syncs;
static atomic_int refuse_writes_after; /* < 0: never */

static int count(struct vfs_access *access) {
    if (access->kind != VFS_LOG) {
        return SQLITE_OK;
    }
    log_syncs += access->call == VFS_SYNC;
    if (access->call != VFS_WRITE) {
        return SQLITE_OK;
    }
    log_writes++;
    return refuse_writes_after >= 0 && log_writes > refuse_writes_after ? SQLITE_FULL : SQLITE_OK;
}

static void set_up(void) {
    refuse_writes_after = -1;
    shim_vfs_install(count);
    es = es_open("{'cache_kib': 64, 'busy_timeout_ms': 1000}");
}

static void tear_down(void) {
    es_close(es);
}

TestSuite(log_buffer, .init = set_up, .fini = tear_down);

static int32_t append(int events) {
    return es_append_large(es, events, TEXT_SIZE);
}

/* Small events whose names lie all over the indexes, so that each page of them is needed again and again. */
static int32_t append_names(int events) {
    json_t *list = json_array();
    for (int i = 0; i < events; i++) {
        char name[16];
        snprintf(name, sizeof name, "%08x", (unsigned)i * 2654435761u);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:[s], s:{}}", "type", "t", "stream", name, "tags", name, "data"));
    }
    return es_append_list(es, list);
}

static void begin_counting(void) {
    log_writes = 0;
    log_syncs = 0;
}

/* Somebody else's commit. */
static void commit_beside(void) {
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "UPDATE store SET created_us = created_us + 1", NULL, NULL, NULL), SQLITE_OK, "%s",
                 sqlite3_errmsg(db));
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

static void expect_sound(int64_t events) {
    char problem[PROBLEM_SIZE] = "";
    es_shutdown(es);
    char *dump = store_dump(es->path, problem);
    cr_assert_not_null(dump, "%s", problem);
    cr_expect(strncmp(dump, "integrity", 9) != 0, "%.200s", dump);
    cr_expect(store_is_sound(es->path, problem), "%s", problem);
    free(dump);
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_expect_eq(es_event_count(es), events);
}

Test(log_buffer, writes_a_commit_of_many_pages_at_once) {
    (void)append(1); /* writes the log's own header */
    begin_counting();

    cr_assert_eq(append(SOME), POLARIS_ES_OK);

    cr_expect_eq(log_writes, 1);
    cr_expect_eq(log_syncs, 1);
}

Test(log_buffer, is_not_used_when_a_commit_is_not_synced_as_others_may_read_it_at_once) {
    es_shutdown(es);
    cr_assert_eq(es_init(es, "{'durability': 'normal'}"), POLARIS_ES_OK);
    polaris_es *reader = NULL;
    json_t *reply = NULL;
    cr_assert_eq(es_init_second(es, "{'mode': 'read'}", &reader, &reply), POLARIS_ES_OK);
    (void)append(1);
    begin_counting();

    cr_assert_eq(append(SOME), POLARIS_ES_OK);

    cr_expect_gt(log_writes, SOME);
    cr_expect_eq(log_syncs, 0);
    polaris_es *writer = es->self;
    es->self = reader;
    cr_expect_eq(es_event_count(es), 1 + SOME);
    es->self = writer;
    (void)es->table->shutdown(reader, (polaris_bytes){0}, NULL);
    json_decref(reply);
}

Test(log_buffer, gives_back_what_a_transaction_wrote_that_is_larger_than_it_and_the_cache) {
    cr_assert_eq(append(MANY), POLARIS_ES_OK);
    cr_assert_eq(append_names(NAMES), POLARIS_ES_OK);

    expect_sound(MANY + NAMES);
}

Test(log_buffer, drops_what_was_rolled_back_before_others_write_there) {
    char owner[128];
    char elsewhere[128];
    snprintf(owner, sizeof owner, "%s.owner", es->path);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", es->folder);
    cr_assert_eq(append(SOME), POLARIS_ES_OK);
    int64_t stored = SOME;
    cr_assert_eq(rename(owner, elsewhere), 0);
    int32_t status = append(MORE_THAN_THE_CACHE);
    for (; status == POLARIS_ES_OK; status = append(MORE_THAN_THE_CACHE)) { /* it looks for its files once a tick */
        stored += MORE_THAN_THE_CACHE;
    }
    cr_assert_eq(status, POLARIS_ES_IO); /* when it was to be committed, some pages having left the cache */
    cr_assert_eq(rename(elsewhere, owner), 0);

    commit_beside();

    cr_assert_eq(append(SOME), POLARIS_ES_OK);
    expect_sound(stored + SOME);
}

Test(log_buffer, tells_of_a_write_that_failed_once_it_is_made_and_goes_on_after_it) {
    cr_assert_eq(append(SOME), POLARIS_ES_OK);
    for (int writes = 0; writes < 4; writes++) {
        begin_counting();
        refuse_writes_after = writes;
        cr_assert_eq(append(MANY), POLARIS_ES_FULL, "after %d", writes);
        refuse_writes_after = -1;
        commit_beside();
    }

    cr_assert_eq(append(SOME), POLARIS_ES_OK);
    expect_sound((int64_t)2 * SOME);
}
