/* format.c: what a reader is told of a file while a writer makes a store of it, or raises it to the newest format. */
#include "storage/sqlite/format.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <unistd.h>

#include "support.h"

__attribute__((format(printf, 3, 4))) static void drop_log(void *context, int32_t level, const char *format, ...) {
    (void)context;
    (void)level;
    (void)format;
}

static const struct storage_host HOST = {.log = drop_log};

/* A writer that makes or raises the store before the reader's statement number `before`. */
struct maker {
    struct store *store;
    int before;
    int statements; /* so far */
    bool done;
};

static int note_statement(unsigned event, void *context, void *statement, void *text) {
    struct maker *maker = context;
    (void)event;
    (void)statement;
    (void)text;
    if (++maker->statements == maker->before) {
        store_reopen(maker->store);
        maker->done = true;
    }
    return 0;
}

static void copy_file(const char *from, const char *to) {
    FILE *source = fopen(from, "rb");
    FILE *target = fopen(to, "wb");
    cr_assert(source != NULL && target != NULL, "%s to %s", from, to);
    for (int byte = fgetc(source); byte != EOF; byte = fgetc(source)) {
        cr_assert_neq(fputc(byte, target), EOF);
    }
    cr_assert_eq(fclose(source), 0);
    cr_assert_eq(fclose(target), 0);
}

/* The file without a table, or as `from`, with the log that lets a writer in while it is read. The connection stays
 * open: the last one to close would remove the log. */
static sqlite3 *start_with(const struct store *store, const char *from) {
    static const char *const SUFFIXES[] = {"", "-wal", "-shm"};
    sqlite3 *db = NULL;
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", store->path, SUFFIXES[i]);
        (void)unlink(path);
    }
    if (from != NULL) {
        copy_file(from, store->path);
    }
    cr_assert_eq(sqlite3_open(store->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "PRAGMA journal_mode = WAL; SELECT * FROM sqlite_schema", NULL, NULL, NULL),
                 SQLITE_OK);
    return db;
}

/* A reader opens the file, and before each of its statements in turn a writer opens it as well. */
static void expect_as_it_was_or_whole(const char *from, enum status as_it_was) {
    struct store store;
    bool done = true;
    store_open(&store, NULL);
    for (int before = 1; done; before++) {
        struct maker maker = {.store = &store, .before = before};
        struct config config = store.config;
        struct connection connection;
        struct storage_info info;
        struct error error = {0};
        store_close(&store);
        sqlite3 *held = start_with(&store, from);
        config.read_only = true;
        cr_assert_eq(connection_open(&connection, store.path, CONNECTION_READER, &config, &HOST, &error), OK);
        cr_assert_eq(sqlite3_trace_v2(connection.db, SQLITE_TRACE_STMT, note_statement, &maker), SQLITE_OK);

        enum status status = format_open(&connection, &config, &info, &error);

        cr_expect(status == OK || status == as_it_was, "before statement %d: status %d, %s", before, (int)status,
                  error.message);
        cr_expect(status == OK || before > 1, "it was there before anything was read");
        cr_expect(status == as_it_was || maker.done, "nobody made it");
        connection_close(&connection);
        sqlite3_close(held);
        done = maker.done;
        if (!done) {
            store_reopen(&store);
        }
    }
    store_done(&store);
}

Test(format, a_store_that_a_writer_makes_while_a_reader_opens_it_is_not_there_yet_or_whole, .timeout = 60) {
    expect_as_it_was_or_whole(NULL, NOT_FOUND);
}

Test(format, a_store_that_a_writer_raises_while_a_reader_opens_it_is_as_it_was_or_raised, .timeout = 60) {
    expect_as_it_was_or_whole(MUSEUM "/format-1.db", INCOMPATIBLE);
}
