/* wal_index.c: pages of the log that count as copied, and do so no more. */
#include "storage/sqlite/wal_index.h"

#include "storage/sqlite/checkpointer.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHECKPOINT_LOCK = 1, BACKFILL = 96 / 4 };

static char folder[64];
static char path[96];
static sqlite3 *writer, *reader;

static void execute(sqlite3 *db, const char *sql) {
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3_file *file_of(sqlite3 *db) {
    sqlite3_file *file = NULL;
    cr_assert_eq(sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&file), SQLITE_OK);
    return file;
}

static int copied_pages(void) {
    volatile void *region = NULL;
    sqlite3_file *file = file_of(reader);
    cr_assert_eq(file->pMethods->xShmMap(file, 0, 32768, 0, &region), SQLITE_OK);
    return (int)((volatile uint32_t *)region)[BACKFILL];
}

/* Returns how many pages count as copied after it. */
static int copy(void) {
    int copied = 0;
    cr_assert_eq(sqlite3_wal_checkpoint_v2(writer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &copied), SQLITE_OK);
    return copied;
}

/* A log of three commits and more, of which those before a reader's snapshot are copied. */
static void set_up(void) {
    snprintf(folder, sizeof folder, "/tmp/polaris-test-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.db", folder);
    cr_assert_eq(sqlite3_open(path, &writer), SQLITE_OK);
    cr_assert_eq(sqlite3_open(path, &reader), SQLITE_OK);
    execute(writer, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t (n)");
    execute(writer, "INSERT INTO t VALUES (1)");
    execute(reader, "BEGIN; SELECT * FROM t");
    execute(writer, "INSERT INTO t VALUES (2)");
    cr_assert_gt(copy(), 0);
    cr_assert_eq(copied_pages(), copy());
}

static void tear_down(void) {
    char name[128];
    (void)sqlite3_close(reader);
    (void)sqlite3_close(writer);
    static const char *const SUFFIXES[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        snprintf(name, sizeof name, "%s%s", path, SUFFIXES[i]);
        (void)unlink(name);
    }
    (void)rmdir(folder);
}

TestSuite(wal_index, .init = set_up, .fini = tear_down);

Test(wal_index, forgets_what_was_copied_and_a_checkpoint_copies_all_of_it_again) {
    int before = copied_pages();
    cr_expect(wal_index_forget_copied(writer));
    cr_expect_eq(copied_pages(), 0);
    cr_expect_eq(copy(), before);
    execute(reader, "COMMIT");
    cr_expect_gt(copy(), before);
}

/* All is copied, and the reader needs nothing but the file: the log would begin again with the next commit. */
Test(wal_index, forgets_while_somebody_reads_the_file_alone_and_the_log_goes_on) {
    execute(reader, "COMMIT");
    int all = copy();
    execute(reader, "BEGIN; SELECT * FROM t");
    cr_expect(wal_index_forget_copied(writer));
    execute(writer, "INSERT INTO t VALUES (3)");
    cr_expect_eq(copy(), 0, "who reads the file alone must not see it change");
    execute(reader, "COMMIT");
    cr_expect_gt(copy(), all);
    execute(reader, "PRAGMA integrity_check");
}

Test(wal_index, changes_nothing_while_another_one_copies) {
    int before = copied_pages();
    sqlite3_file *file = file_of(reader);
    cr_assert_eq(file->pMethods->xShmLock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE), SQLITE_OK);
    cr_expect_not(wal_index_forget_copied(writer));
    cr_expect_eq(copied_pages(), before);
    cr_assert_eq(file->pMethods->xShmLock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE),
                 SQLITE_OK);
    cr_expect(wal_index_forget_copied(writer));
}

/* A checkpointer whose sync failed, and could not have that forgotten. */
Test(wal_index, is_tried_after_each_commit_until_nobody_else_copies) {
    struct config config;
    config_init(&config);
    struct connection connection = {.db = writer};
    struct checkpointer checkpointer = {.config = &config};
    atomic_store(&checkpointer.sync_failed, true);
    sqlite3_file *file = file_of(reader);
    cr_assert_eq(file->pMethods->xShmLock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE), SQLITE_OK);
    checkpointer_pace(&checkpointer, &connection);
    cr_expect(atomic_load(&checkpointer.sync_failed));
    cr_assert_eq(file->pMethods->xShmLock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE),
                 SQLITE_OK);
    checkpointer_pace(&checkpointer, &connection);
    cr_expect_not(atomic_load(&checkpointer.sync_failed));
    cr_expect_eq(copied_pages(), 0);
    config_done(&config);
}

Test(wal_index, there_is_none_without_a_log) {
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    cr_expect_not(wal_index_forget_copied(db));
    (void)sqlite3_close(db);
}
