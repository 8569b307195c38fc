/* log_buffer_alone.c: the buffer of the log under a connection of SQLite's, whatever the statements are, when a write
 * fails somewhere in a transaction. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/sqlite/log_buffer.h"
#include "torture/shim_vfs.h"

/* The cache has room for few pages, so that a transaction writes them all the time and reads them again. */
static const char TABLES[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                             "PRAGMA cache_size=10; PRAGMA temp_store=MEMORY;"
                             "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, text BLOB)";
/* 20 rows whose names lie all over the index, from a row on. */
static const char INSERT[] =
    "WITH RECURSIVE n (i) AS (VALUES (%d) UNION ALL SELECT i + 1 FROM n WHERE i < %d + 19)"
    "  INSERT INTO t SELECT i, printf('%%08x', i * 2654435761 & 4294967295), zeroblob(i * 37 %% 1500) FROM n";
/* Every fault; under the sanitizers, which are some ten times slower, every seventh. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 7 };
#else
enum { STRIDE = 1 };
#endif
enum { STATEMENTS = 50, ROWS = 20, PATH_MAX_SIZE = 128 };

static char folder[64];
static char path[PATH_MAX_SIZE];
static struct connection connection;
static struct log_buffer buffer;
static atomic_int writes;
static int refused; /* the one write to the log that fails; 0: none does */

static int refuse_one(struct vfs_access *access) {
    bool is_refused = access->kind == VFS_LOG && access->call == VFS_WRITE && ++writes == refused;
    if (is_refused) {
        errno = ENOSPC;
        access->torn_size = access->size / 2;
    }
    return is_refused ? SQLITE_FULL : SQLITE_OK;
}

static int run(const char *sql) {
    return sqlite3_exec(connection.db, sql, NULL, NULL, NULL);
}

static void open_store(const char *options) {
    char uri[2 * PATH_MAX_SIZE];
    struct error error;
    snprintf(path, sizeof path, "%s/t.db", folder);
    snprintf(uri, sizeof uri, "file:%s%s", path, options);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    cr_assert_eq(sqlite3_open_v2(uri, &connection.db, flags, NULL), SQLITE_OK);
    cr_assert_eq(run(TABLES), SQLITE_OK, "%s", sqlite3_errmsg(connection.db));
    cr_assert_eq(log_buffer_attach(&buffer, &connection, &error), OK);
}

static void remove_store(void) {
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".copy", ".copy-wal", ".copy-shm"};
    (void)sqlite3_close(connection.db);
    connection.db = NULL;
    log_buffer_done(&buffer);
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        char name[PATH_MAX_SIZE + 16];
        snprintf(name, sizeof name, "%s%s", path, SUFFIXES[i]);
        (void)unlink(name);
    }
}

static void set_up(void) {
    snprintf(folder, sizeof folder, "/dev/shm/polaris-test-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        snprintf(folder, sizeof folder, "/tmp/polaris-test-XXXXXX");
        cr_assert_not_null(mkdtemp(folder));
    }
    refused = 0;
    shim_vfs_install(refuse_one);
}

static void tear_down(void) {
    remove_store();
    (void)rmdir(folder);
}

TestSuite(log_buffer_alone, .init = set_up, .fini = tear_down, .timeout = 0);

/* ---- what is on the disk ---- */

static void copy_file(const char *suffix) {
    static uint8_t bytes[1 << 23];
    char name[PATH_MAX_SIZE + 16];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    FILE *from = fopen(name, "rb");
    snprintf(name, sizeof name, "%s.copy%s", path, suffix);
    FILE *to = fopen(name, "wb");
    cr_assert(from != NULL && to != NULL);
    size_t size = fread(bytes, 1, sizeof bytes, from);
    cr_assert_lt(size, sizeof bytes);
    cr_assert_eq(fwrite(bytes, 1, size, to), size);
    (void)fclose(from);
    cr_assert_eq(fclose(to), 0);
}

static int64_t number_of(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
    }
    (void)sqlite3_finalize(statement);
    return number;
}

/* As another process finds it: a copy of the files without the index of the log. */
static void expect_on_disk(int64_t rows, int fault) {
    sqlite3 *copy = NULL;
    char name[PATH_MAX_SIZE + 16];
    copy_file("");
    copy_file("-wal");
    snprintf(name, sizeof name, "%s.copy", path);
    cr_assert_eq(sqlite3_open(name, &copy), SQLITE_OK);
    cr_expect_eq(number_of(copy, "SELECT count(*) FROM t"), rows, "after fault %d", fault);
    cr_expect_eq(number_of(copy, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0,
                 "after fault %d", fault);
    (void)sqlite3_close(copy);
}

/* ---- transactions ---- */

/* All statements that SQLite still takes, whatever became of those before. Returns how many rows it says are stored. */
static int64_t insert_and_commit(void) {
    int64_t rows = 0;
    cr_assert_eq(run("BEGIN IMMEDIATE"), SQLITE_OK);
    for (int i = 0; i < STATEMENTS && !sqlite3_get_autocommit(connection.db); i++) {
        char sql[512];
        snprintf(sql, sizeof sql, INSERT, i * ROWS + 1, i * ROWS + 1);
        rows += run(sql) == SQLITE_OK ? ROWS : 0;
    }
    bool is_stored = !sqlite3_get_autocommit(connection.db) && run("COMMIT") == SQLITE_OK;
    if (!sqlite3_get_autocommit(connection.db)) {
        cr_assert_eq(run("ROLLBACK"), SQLITE_OK);
    }
    return is_stored ? rows : 0;
}

Test(log_buffer_alone, whichever_write_fails_what_is_acknowledged_is_on_the_disk_and_nothing_else) {
    bool has_failed = true;
    int fault = 0;
    while (has_failed) {
        open_store("");
        writes = 0;
        fault += STRIDE;
        refused = fault;

        int64_t rows = insert_and_commit();

        has_failed = writes >= refused;
        refused = 0;
        expect_on_disk(rows, fault);
        cr_expect_eq(rows, has_failed ? 0 : STATEMENTS * ROWS, "fault %d", fault);
        rows += insert_and_commit(); /* which repeats all names, if they were stored */
        expect_on_disk(STATEMENTS * ROWS, fault);
        cr_expect_eq(rows, STATEMENTS * ROWS, "after fault %d", fault);
        remove_store();
    }
    cr_expect_gt(fault, 30);
}

Test(log_buffer_alone, nothing_is_written_behind_a_gap_until_the_lock_is_let_go) {
    uint8_t bytes[64] = {0};
    sqlite3_file *log = NULL;
    open_store("");
    cr_assert_eq(sqlite3_file_control(connection.db, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&log), SQLITE_OK);
    cr_assert_eq(run("BEGIN IMMEDIATE"), SQLITE_OK);
    int64_t end = INT64_C(1) << 20;
    cr_assert_eq(log->pMethods->xWrite(log, bytes, sizeof bytes, end), SQLITE_OK);
    writes = 0;
    refused = 1;
    cr_assert_eq(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL), SQLITE_FULL);

    cr_expect_eq(log->pMethods->xWrite(log, bytes, sizeof bytes, end + 64), SQLITE_FULL);
    cr_expect_eq(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL), SQLITE_FULL);
    errno = 0;
    cr_expect_eq(log->pMethods->xRead(log, bytes, sizeof bytes, end), SQLITE_IOERR_WRITE);
    cr_expect_eq(errno, ENOSPC, "of SQLITE_FULL, which a read may not say, the reason is left");
    cr_expect_eq(log->pMethods->xRead(log, bytes, 32, 0), SQLITE_OK);
    cr_expect_eq(writes, 1);

    cr_assert_eq(run("ROLLBACK"), SQLITE_OK);
    cr_expect_eq(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL), SQLITE_OK);
    cr_expect_eq(writes, 1);
}

/* Then SQLite fills the last sector up behind the sync. */
Test(log_buffer_alone, is_not_there_on_a_disk_that_may_damage_what_stands_beside_a_write) {
    open_store("?psow=0");
    writes = 0;

    cr_expect_eq(insert_and_commit(), STATEMENTS * ROWS);

    cr_expect_null(buffer.data);
    cr_expect_gt(writes, STATEMENTS);
    expect_on_disk(STATEMENTS * ROWS, 0);
}
