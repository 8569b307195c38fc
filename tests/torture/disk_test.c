/* disk_test.c: the disk that loses its power, between processes: what one that is killed had written, and not synced,
 * the next one sees, and a power cut may take. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "torture/disk.h"
#include "torture/random.h"

enum { ENDED = 9, SEEDS = 8, CHANGES_MAX = 16 };

static char folder[64];

static void enter(void) {
    (void)snprintf(folder, sizeof folder, "/tmp/polaris-test-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void leave(void) {
    char command[sizeof folder + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(disk, .init = enter, .fini = leave, .timeout = 120);

static sqlite3 *open_store(void) {
    sqlite3 *db = NULL;
    if (sqlite3_open("store.db", &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "CREATE TABLE IF NOT EXISTS t(n INTEGER PRIMARY KEY)",
                     NULL, NULL, NULL) != SQLITE_OK) {
        _exit(1);
    }
    return db;
}

static int count_rows(sqlite3 *db) {
    sqlite3_stmt *statement = NULL;
    int count = -1;
    if (sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        count = sqlite3_column_int(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return count;
}

/* In a process of its own. Returns its exit code. */
static int in_process(void (*run)(int), int argument) {
    pid_t id = fork();
    if (id == 0) {
        run(argument);
        _exit(0);
    }
    int status = 0;
    cr_assert_eq(waitpid(id, &status, 0), id);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void make_store(int unused) {
    (void)unused;
    (void)sqlite3_close(open_store());
}

static void insert_until_killed(int change) {
    disk_begin(DISK_SYNCS_ALL);
    disk_end_killed("left", ENDED);
    sqlite3 *db = open_store();
    disk_cut_at(change);
    for (;;) {
        (void)sqlite3_exec(db, "INSERT INTO t DEFAULT VALUES", NULL, NULL, NULL);
    }
}

static void count(int unused) {
    (void)unused;
    _exit(100 + count_rows(open_store()));
}

/* Tells what it saw, and loses its power. */
static void count_and_be_cut(int seed) {
    disk_begin(DISK_SYNCS_ALL);
    disk_go_on("left");
    disk_end_with_cut((uint64_t)seed, 100 + count_rows(open_store()));
    disk_cut();
}

static void count_and_be_killed(int unused) {
    (void)unused;
    disk_begin(DISK_SYNCS_ALL);
    disk_go_on("left");
    disk_end_killed("left", 100 + count_rows(open_store()));
    disk_cut();
}

static void remove_store(void) {
    (void)unlink("store.db");
    (void)unlink("store.db-wal");
    (void)unlink("store.db-shm");
}

/* How many rows a power cut took that were seen after a kill at this change. */
static int lost(int change, int seed, bool is_killed_again) {
    remove_store();
    cr_assert_eq(in_process(make_store, 0), 0);
    cr_assert_eq(in_process(insert_until_killed, change), ENDED);
    cr_assert_eq(access("left", F_OK), 0);
    int seen_before = is_killed_again ? in_process(count_and_be_killed, 0) : 0;
    int seen = in_process(count_and_be_cut, seed);
    cr_assert(seen >= 100 && (!is_killed_again || seen == seen_before), "%d, %d", seen_before, seen);
    cr_assert_neq(access("left", F_OK), 0, "it is left still");
    return seen - in_process(count, 0);
}

static void expect_only_the_last_is_lost(bool is_killed_again) {
    int losses = 0;
    for (int change = 1; change < CHANGES_MAX; change++) {
        for (int seed = 0; seed < SEEDS / (is_killed_again ? 2 : 1); seed++) {
            int rows = lost(change, seed, is_killed_again);
            cr_expect(rows == 0 || rows == 1, "%d rows lost, killed at change %d, seed %d", rows, change, seed);
            losses += rows > 0;
        }
    }
    cr_expect_gt(losses, 0);
}

Test(disk, a_power_cut_may_take_what_was_seen_after_a_kill_and_nothing_that_was_synced) {
    expect_only_the_last_is_lost(false);
}

Test(disk, it_may_so_after_a_second_kill) {
    expect_only_the_last_is_lost(true);
}

static void insert(int unused) {
    (void)unused;
    disk_begin(DISK_SYNCS_ALL);
    disk_go_on("left");
    sqlite3 *db = open_store();
    int rows = count_rows(db);
    disk_end_with_cut(1, 100 + rows);
    if (sqlite3_exec(db, "INSERT INTO t DEFAULT VALUES", NULL, NULL, NULL) != SQLITE_OK) {
        _exit(1);
    }
    disk_cut();
}

/* A sync is of all that the file has, whoever wrote it. */
Test(disk, a_sync_is_of_what_was_left_as_well) {
    for (int change = 1; change < CHANGES_MAX; change++) {
        remove_store();
        cr_assert_eq(in_process(make_store, 0), 0);
        cr_assert_eq(in_process(insert_until_killed, change), ENDED);
        int seen = in_process(insert, 0);
        cr_assert_geq(seen, 100);
        cr_expect_eq(in_process(count, 0), seen + 1, "killed at change %d", change);
    }
}

Test(disk, a_file_that_is_not_there_is_not_made_by_opening_it) {
    sqlite3 *db = NULL;
    disk_begin(DISK_SYNCS_ALL);
    disk_cut_at(0);
    bool opened = sqlite3_open_v2("none.db", &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK;
    (void)sqlite3_close(db);
    cr_expect_not(opened);
    cr_expect_eq(disk_changes(), 0);
    disk_cut();
    disk_restore(1);
    cr_expect_neq(access("none.db", F_OK), 0);
    disk_end();
}
