/* row_edits.c: rows with values that no writer gives them, and a schema table with what no store has. */
#include <sqlite3.h>

#include "file_edits.h"
#include "require.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

enum { OBJECTS_MAX = 64, COLUMNS_MAX = 200, COUNT_MAX = 8 };

/* The schema of the store as it was before it was loosened; and its columns. */
static struct object { char *type, *name, *table, *sql; } objects[OBJECTS_MAX];
static uint32_t object_count;
static struct column {
    char *table, *name;
    bool has_rowid;
} columns[COLUMNS_MAX];
static uint32_t column_count;

static sqlite3 *open_file(const char *file) {
    sqlite3 *db = NULL;
    REQUIRE(sqlite3_open(file, &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "PRAGMA synchronous=OFF; PRAGMA ignore_check_constraints=ON; PRAGMA writable_schema=ON",
                         NULL, NULL, NULL) == SQLITE_OK);
    return db;
}

static int keep_object(void *context, int count, char **values, char **names) {
    (void)context;
    (void)count;
    (void)names;
    REQUIRE(object_count < OBJECTS_MAX);
    objects[object_count++] =
        (struct object){strdup(values[0]), strdup(values[1]), strdup(values[2]), strdup(values[3])};
    return 0;
}

static int keep_column(void *context, int count, char **values, char **names) {
    (void)context;
    (void)count;
    (void)names;
    REQUIRE(column_count < COLUMNS_MAX);
    columns[column_count++] = (struct column){strdup(values[0]), strdup(values[1]), values[2][0] == '0'};
    return 0;
}

void file_edits_loosen(const char *file) {
    sqlite3 *db = open_file(file);
    REQUIRE(sqlite3_exec(db, "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql NOT NULL", keep_object,
                         NULL, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db,
                         "SELECT t.name, c.name, t.wr FROM pragma_table_list() AS t, pragma_table_info(t.name) AS c"
                         " WHERE t.schema = 'main' AND t.type = 'table' AND t.name <> 'sqlite_schema'",
                         keep_column, NULL, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db,
                         "UPDATE sqlite_schema SET sql = replace(replace(replace(sql,"
                         " 'STRICT, WITHOUT', 'WITHOUT'), ' STRICT', ''), 'NOT NULL', '') WHERE type = 'table';"
                         "DELETE FROM sqlite_schema WHERE type = 'trigger'",
                         NULL, NULL, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_close(db) == SQLITE_OK);
    REQUIRE(object_count > 0 && column_count > 0);
}

/* ---- one edit ---- */

static void bind_choice(sqlite3_stmt *statement, int at, struct choices *in) {
    static const sqlite3_int64 NUMBERS[] = {0,
                                            1,
                                            -1,
                                            2,
                                            3,
                                            4,
                                            5,
                                            100,
                                            65536,
                                            INT32_MAX,
                                            UINT32_MAX,
                                            INT64_MAX,
                                            INT64_MIN,
                                            1767225600000000,
                                            253402300800000000};
    static const char *const TEXTS[] = {"", "a", "open", "\xff", "a\nb", "canary", "default"};
    struct bytes bytes;
    switch (choose(in, 8)) {
    case 0:
    case 1:
        (void)sqlite3_bind_int64(statement, at, NUMBERS[choose(in, COUNT_OF(NUMBERS))]);
        break;
    case 2:
        (void)sqlite3_bind_text(statement, at, TEXTS[choose(in, COUNT_OF(TEXTS))], -1, SQLITE_STATIC);
        break;
    case 3:
        bytes = choose_bytes(in, 64);
        (void)sqlite3_bind_text(statement, at, (const char *)bytes.data, (int)bytes.size, SQLITE_TRANSIENT);
        break;
    case 4:
        bytes = choose_bytes(in, 64);
        (void)sqlite3_bind_blob(statement, at, bytes.data, (int)bytes.size, SQLITE_TRANSIENT);
        break;
    case 5:
        (void)sqlite3_bind_zeroblob(statement, at, (int)choose(in, 20000));
        break;
    case 6:
        (void)sqlite3_bind_double(statement, at, choose(in, 2) == 0 ? 1e300 : 0.5);
        break;
    default:
        break; /* NULL */
    }
}

/* What cannot be done is left undone. */
static void run_bound(sqlite3 *db, const char *sql, struct choices *in) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK) {
        if (sqlite3_bind_parameter_count(statement) > 0) {
            bind_choice(statement, 1, in);
        }
        (void)sqlite3_step(statement);
    }
    (void)sqlite3_finalize(statement);
}

static void edit_row(sqlite3 *db, struct choices *in) {
    const struct column *column = &columns[choose(in, column_count)];
    uint32_t row = choose(in, 8);
    char sql[512];
    char where[160] = "";
    if (column->has_rowid && row < 7) {
        snprintf(where, sizeof where, " WHERE rowid = (SELECT rowid FROM \"%s\" LIMIT 1 OFFSET %u)", column->table,
                 row);
    }
    if (seldom(in, 8)) {
        snprintf(sql, sizeof sql, "DELETE FROM \"%s\"%s", column->table, where);
    } else {
        snprintf(sql, sizeof sql, "UPDATE OR IGNORE \"%s\" SET \"%s\" = ?1%s", column->table, column->name, where);
    }
    run_bound(db, sql, in);
}

/* ---- the schema table ---- */

static void restore_schema(sqlite3 *db) {
    sqlite3_stmt *update = NULL;
    sqlite3_stmt *insert = NULL;
    REQUIRE(sqlite3_prepare_v2(db, "UPDATE sqlite_schema SET sql = ?1 WHERE name = ?2", -1, &update, NULL) ==
            SQLITE_OK);
    REQUIRE(sqlite3_prepare_v2(db, "INSERT INTO sqlite_schema VALUES ('trigger', ?1, ?2, 0, ?3)", -1, &insert, NULL) ==
            SQLITE_OK);
    for (uint32_t i = 0; i < object_count; i++) {
        bool is_trigger = strcmp(objects[i].type, "trigger") == 0;
        sqlite3_stmt *statement = is_trigger ? insert : update;
        const char *values[] = {is_trigger ? objects[i].name : objects[i].sql,
                                is_trigger ? objects[i].table : objects[i].name, objects[i].sql};
        for (int j = 0; j < (is_trigger ? 3 : 2); j++) {
            (void)sqlite3_bind_text(statement, j + 1, values[j], -1, SQLITE_STATIC);
        }
        REQUIRE(sqlite3_step(statement) == SQLITE_DONE && sqlite3_reset(statement) == SQLITE_OK);
    }
    REQUIRE(sqlite3_finalize(update) == SQLITE_OK && sqlite3_finalize(insert) == SQLITE_OK);
}

/* Something that would be run: none of it is a store's. */
static bool add_object(sqlite3 *db, struct choices *in) {
    static const char *const ROWS[] = {
        "'trigger', 'canary', 'event', 0, 'CREATE TRIGGER canary AFTER INSERT ON event BEGIN INSERT INTO type (name)"
        " VALUES (''canary''); END'",
        "'trigger', 'event_is_never_updated', 'type', 0, 'CREATE TRIGGER event_is_never_updated AFTER INSERT ON type"
        " BEGIN UPDATE store SET created_us = 7; END'",
        "'view', 'canary', 'canary', 0, 'CREATE VIEW canary AS SELECT load_extension(''canary'')'",
        "'table', 'canary', 'canary', 0, 'CREATE VIRTUAL TABLE canary USING fts5(x)'",
        "'table', 'canary', 'canary', 2, 'CREATE TABLE canary (x DEFAULT (load_extension(''canary'')))'",
        "'table', 'canary', 'canary', 3, 'CREATE TABLE canary (x, y AS (hex(x)))'",
        "'index', 'canary', 'event', 4, 'CREATE INDEX canary ON event (abs(time_us))'",
        "'index', 'canary', 'event', 4, 'CREATE INDEX canary ON event (time_us) WHERE hex(data) > 0'",
        "'view', 'type', 'type', 0, 'CREATE VIEW type AS SELECT 1 AS id, ''a'' AS name'",
    };
    char sql[512];
    snprintf(sql, sizeof sql, "INSERT INTO sqlite_schema VALUES (%s)", ROWS[choose(in, COUNT_OF(ROWS))]);
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static void edit_object(sqlite3 *db, struct choices *in) {
    static const char *const COLUMNS[] = {"type", "name", "tbl_name", "rootpage", "sql"};
    char sql[512];
    snprintf(sql, sizeof sql, "UPDATE OR IGNORE sqlite_schema SET %s = ?1 WHERE rowid = %u",
             COLUMNS[choose(in, COUNT_OF(COLUMNS))], 1 + choose(in, object_count));
    run_bound(db, sql, in);
}

bool file_edits_rows(const char *file, struct choices *in) {
    sqlite3 *db = open_file(file);
    uint32_t schema_edit = choose(in, 8);
    bool hostile = false;
    for (int i = 0; i < COUNT_MAX && in->left > 0; i++) {
        edit_row(db, in);
    }
    restore_schema(db);
    if (schema_edit == 6) {
        edit_object(db, in);
    } else if (schema_edit == 7) {
        hostile = add_object(db, in);
    }
    REQUIRE(sqlite3_close(db) == SQLITE_OK);
    return hostile;
}
