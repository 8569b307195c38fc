/* connection.c: what a connection to a file that may be hostile lets it do, and how much. */
#include "storage/sqlite/connection.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "storage/sqlite/events.h"
#include "storage/sqlite/filter.h"
#include "support.h"

static const enum connection_role ROLES[] = {CONNECTION_WRITER, CONNECTION_CHECKPOINTER, CONNECTION_READER};
enum { ROLE_COUNT = sizeof ROLES / sizeof ROLES[0] };

__attribute__((format(printf, 3, 4))) static void drop_log(void *context, int32_t level, const char *format, ...) {
    (void)context;
    (void)level;
    (void)format;
}

static const struct storage_host HOST = {.log = drop_log};
static struct store store;
static struct connection connection;

static void open_as(enum connection_role role) {
    cr_assert_eq(connection_open(&connection, store.path, role, &store.config, &HOST, &store.error), OK, "%s",
                 store.error.message);
}

static void set_up(void) {
    store_open(&store, NULL);
}

static void tear_down(void) {
    store_done(&store);
}

TestSuite(connection, .init = set_up, .fini = tear_down);

Test(connection, has_off_what_a_prepared_file_could_use) {
    static const struct {
        int setting, value;
    } SETTINGS[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
        {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (int role = 0; role < ROLE_COUNT; role++) {
        open_as(ROLES[role]);
        for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++) {
            int value = -1;
            cr_assert_eq(sqlite3_db_config(connection.db, SETTINGS[i].setting, -1, &value), SQLITE_OK);
            cr_expect_eq(value, SETTINGS[i].value, "role %d, setting %d is %d", role, SETTINGS[i].setting, value);
        }
        cr_expect_neq(sqlite3_exec(connection.db, "SELECT load_extension('evil')", NULL, NULL, NULL), SQLITE_OK);
        cr_expect_neq(sqlite3_exec(connection.db, "ATTACH 'other.db' AS other", NULL, NULL, NULL), SQLITE_OK);
        connection_close(&connection);
    }
}

Test(connection, has_every_limit_of_sqlite_set) {
    static const struct {
        int limit, at_least, at_most;
    } LIMITS[] = {
        /* the largest event, or schema with its documents, in one row */
        {SQLITE_LIMIT_LENGTH, 3 * (64 << 20), 512 << 20},
        {SQLITE_LIMIT_SQL_LENGTH, FILTER_SQL_SIZE, 1 << 20},
        {SQLITE_LIMIT_COLUMN, 20, 100},
        {SQLITE_LIMIT_EXPR_DEPTH, 20, 500},
        {SQLITE_LIMIT_COMPOUND_SELECT, 64, 500},
        {SQLITE_LIMIT_VDBE_OP, 10000, 1000000},
        {SQLITE_LIMIT_FUNCTION_ARG, 4, 16},
        {SQLITE_LIMIT_ATTACHED, 0, 0},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 0, 1024},
        {SQLITE_LIMIT_VARIABLE_NUMBER, FILTER_PARAMETERS_MAX, 2 * FILTER_PARAMETERS_MAX},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1, 10},
        {SQLITE_LIMIT_WORKER_THREADS, 0, 0},
    };
    for (int role = 0; role < ROLE_COUNT; role++) {
        open_as(ROLES[role]);
        for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++) {
            int value = sqlite3_limit(connection.db, LIMITS[i].limit, -1);
            cr_expect(value >= LIMITS[i].at_least && value <= LIMITS[i].at_most, "limit %d is %d", LIMITS[i].limit,
                      value);
        }
        connection_close(&connection);
    }
}

Test(connection, prepares_the_largest_filter) {
    struct filter_sql *sql = malloc(sizeof *sql);
    open_as(CONNECTION_READER);
    for (int variant = 0; variant < 64; variant++) {
        struct resolved_filter filter = {.type_count = FILTER_TYPES_MAX,
                                         .any_count = variant & 1 ? TAGS_MAX : 0,
                                         .all_count = variant & 2 ? TAGS_MAX : 0,
                                         .stream = variant & 4 ? 1 : 0,
                                         .batch = variant & 4 ? 1 : 0,
                                         .correlation = variant & 4 ? text("c") : (struct bytes){0},
                                         .has_time_from = true,
                                         .has_time_to = true,
                                         .time_to_us = 10};
        struct filter_order order = {.ordered = variant & 8,
                                     .by_time = variant & 16,
                                     .descending = variant & 32,
                                     .has_position = true,
                                     .position = {.time_us = 5, .id = 5}};
        sqlite3_stmt *statement = NULL;
        filter_build(&filter, order.ordered ? EVENT_COLUMNS : "count(*)", &order, sql);
        cr_expect_eq(sqlite3_prepare_v2(connection.db, sql->text, -1, &statement, NULL), SQLITE_OK, "variant %d: %s",
                     variant, sqlite3_errmsg(connection.db));
        (void)sqlite3_finalize(statement);
    }
    connection_close(&connection);
    free(sql);
}
