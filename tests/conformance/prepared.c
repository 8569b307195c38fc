/* prepared.c: database files that somebody has prepared: what they bring along besides the store's own tables is never
 * used, and never run. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "es.h"

/* A store with an event, shut down, on which `sql` was then run. False: this SQLite does not have what it needs. */
static bool prepare(struct es *es, const char *sql) {
    sqlite3 *db = NULL;
    (void)es_append(es, "{'type': 't', 'data': {}, 'stream': 's', 'tags': ['x']}");
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'delay_us': 0}");
    es_shutdown(es);
    cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 1, NULL);
    bool done = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
    return done;
}

/* Neither a writer nor a reader opens it, and both name what they found. */
static void expect_refused(struct es *es, const char *sql, const char *name) {
    static const char *const CONFIGS[] = {NULL, "{'mode': 'read'}"};
    for (int i = 0; i < 2; i++) {
        int32_t status = es_init(es, CONFIGS[i]);
        cr_expect_eq(status, POLARIS_ES_CORRUPT, "%s: status %d", sql, status);
        if (status == POLARIS_ES_OK) {
            es_shutdown(es);
        } else {
            cr_expect_not_null(strstr(es_text(es->reply, "message"), name), "%s: %s", sql,
                               es_text(es->reply, "message"));
        }
    }
}

Test(prepared, what_is_no_part_of_a_store_or_is_missing_is_refused_by_name, .timeout = 60) {
    static const struct {
        const char *name, *sql;
        bool optional; /* not every SQLite can make it */
    } CASES[] = {
        {"evil", "CREATE TRIGGER evil AFTER INSERT ON event BEGIN DELETE FROM dead_letter; END", false},
        {"evil", "CREATE TRIGGER evil AFTER INSERT ON event BEGIN SELECT load_extension('/tmp/evil.so'); END", false},
        {"evil",
         "CREATE TRIGGER evil AFTER INSERT ON tag BEGIN INSERT INTO consumer (name) WITH RECURSIVE c(n) AS"
         " (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c; END",
         false},
        {"event_is_never_deleted",
         "DROP TRIGGER event_is_never_deleted; CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event BEGIN"
         " SELECT writefile('/tmp/evil', 'x'); END",
         false},
        {"hidden",
         "ALTER TABLE tag RENAME TO hidden; CREATE VIEW tag AS SELECT id, name, event_count,"
         " load_extension('/tmp/evil.so') AS last_id FROM hidden",
         false},
        {"evil", "CREATE VIEW evil AS SELECT fts3_tokenizer('simple', x'4141414141414141')", false},
        {"tag",
         "DROP TABLE tag; CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, event_count INTEGER NOT"
         " NULL, last_id INTEGER NOT NULL, evil AS (zeroblob(1000000000)))",
         false},
        {"tag",
         "DROP TABLE tag; CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE CHECK (name <>"
         " hex(zeroblob(100000000))), event_count INTEGER NOT NULL, last_id INTEGER NOT NULL)",
         false},
        {"tag",
         "DROP TABLE tag; CREATE TABLE tag (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, event_count INTEGER NOT"
         " NULL, last_id INTEGER NOT NULL DEFAULT (load_extension('/tmp/evil.so')))",
         false},
        {"evil", "CREATE INDEX evil ON event (abs(time_us))", false},
        {"evil", "CREATE INDEX evil ON event (type_id) WHERE abs(time_us) > 0", false},
        {"evil", "CREATE TABLE evil (x)", false},
        {"evil", "CREATE VIRTUAL TABLE evil USING fts4(x)", true},
        {"evil", "CREATE VIRTUAL TABLE evil USING rtree(a, b, c)", true},
        {"evil",
         "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('table', 'evil', 'evil', 0,"
         " 'CREATE VIRTUAL TABLE evil USING csv(filename=''/etc/passwd'')')",
         false},
        {"evil",
         "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('trigger', 'evil', 'event', 0,"
         " 'CREATE TRIGGER evil AFTER INSERT ON event BEGIN DELETE FROM tag; END')",
         false},
        {"tag",
         "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ') STRICT',"
         " ', evil TEXT AS (upper(name))) STRICT') WHERE name = 'tag'",
         false},
        {"store", "DROP TABLE store", false},
        {"dead_letter", "DROP TABLE dead_letter", false},
        {"index event_by_key", "DROP INDEX event_by_key", false},
        {"index dead_letter_by_due", "DROP INDEX dead_letter_by_due", false},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct es *es = es_open(NULL);
        bool prepared = prepare(es, CASES[i].sql);
        cr_assert(prepared || CASES[i].optional, "%s", CASES[i].sql);
        if (prepared) {
            expect_refused(es, CASES[i].sql, CASES[i].name);
        }
        es_close(es);
    }
}

/* SQLite reads the statements of the schema table, and goes by the names beside them when it alters something. */
Test(prepared, a_schema_table_that_contradicts_its_statements_is_refused, .timeout = 60) {
    static const struct {
        const char *name, *sql;
    } CASES[] = {
        {"sqlite_sequence", "name = CAST(name AS BLOB) WHERE name = 'sqlite_sequence'"},
        {"event_by_time", "name = CAST(name AS BLOB) WHERE name = 'event_by_time'"},
        {"other", "name = 'other' WHERE name = 'schema_type'"},
        {"other", "name = 'other' WHERE name = 'event_by_time'"},
        {"schema_type", "tbl_name = 'other' WHERE name = 'schema_type'"},
        {"schema_type", "type = 'trigger' WHERE name = 'schema_type'"},
        {"event_by_time", "type = CAST(type AS BLOB) WHERE name = 'event_by_time'"},
        {"sqlite_autoindex_schema_type_1", "tbl_name = 'other' WHERE name = 'sqlite_autoindex_schema_type_1'"},
        {"event_is_never_deleted", "name = NULL WHERE name = 'event_is_never_deleted'"},
        {"stream", "rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'tag') WHERE name = 'stream'"},
        {"event_by_key",
         "rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'event_by_time') WHERE name = 'event_by_key'"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct es *es = es_open(NULL);
        char sql[200];
        (void)snprintf(sql, sizeof sql, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET %s", CASES[i].sql);
        cr_assert(prepare(es, sql), "%s", sql);
        expect_refused(es, CASES[i].sql, "");
        es_close(es);
    }
}

Test(prepared, a_name_in_the_message_is_cut_and_has_no_control_characters) {
    struct es *es = es_open(NULL);
    cr_assert(prepare(
        es, "CREATE TABLE \"evil\n\x1b[2J\xff "
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" (x)"));
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_CORRUPT);
    const char *message = es_text(es->reply, "message");
    cr_expect_not_null(strstr(message, "evil"), "%s", message);
    cr_expect_lt(strlen(message), 400);
    for (const char *c = message; *c != '\0'; c++) {
        cr_expect(*c >= ' ', "%s", message);
    }
    es_close(es);
}

Test(prepared, statistics_are_sqlites_own_and_welcome) {
    struct es *es = es_open(NULL);
    cr_assert(prepare(es, "ANALYZE"));
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_expect_eq(es_append(es, "{'type': 't', 'data': {}, 'tags': ['x']}"), 2);
    es_close(es);
}

enum kind { LINK, SECOND_NAME, FIFO, FOLDER, KIND_COUNT };

static int make(enum kind kind, const char *victim, const char *path) {
    switch (kind) {
    case LINK:
        return symlink(victim, path);
    case SECOND_NAME:
        return link(victim, path);
    case FIFO:
        return mkfifo(path, 0600);
    case FOLDER:
        return mkdir(path, 0700);
    case KIND_COUNT:
        break;
    }
    return -1;
}

static void expect_not_followed(const char *suffix, enum kind kind, const char *config) {
    struct es *es = es_open(NULL);
    char victim[128], beside[128], text[16] = "";
    (void)es_append(es, "{'type': 't', 'data': {}}");
    es_shutdown(es);
    snprintf(victim, sizeof victim, "%s/victim", es->folder);
    snprintf(beside, sizeof beside, "%s%s", es->path, suffix);
    FILE *file = fopen(victim, "w");
    cr_assert(file != NULL && fputs("precious", file) >= 0 && fclose(file) == 0);
    (void)unlink(beside);
    cr_assert_eq(make(kind, victim, beside), 0);

    int32_t status = es_init(es, config);
    cr_expect_eq(status, POLARIS_ES_IO, "%s, kind %d: status %d", suffix, (int)kind, status);
    if (status == POLARIS_ES_OK) {
        (void)es_call(es, "store", "{'op': 'append', 'event': {'type': 't', 'data': {}}}");
        es_shutdown(es);
    } else {
        cr_expect_not_null(strstr(es_text(es->reply, "message"), suffix), "%s", es_text(es->reply, "message"));
    }

    file = fopen(victim, "r");
    cr_assert_not_null(file);
    cr_expect_not_null(fgets(text, sizeof text, file), "%s, kind %d", suffix, (int)kind);
    (void)fclose(file);
    cr_expect_str_eq(text, "precious", "%s, kind %d was written to", suffix, (int)kind);
    (void)(kind == FOLDER ? rmdir(beside) : unlink(beside));
    es_close(es);
}

Test(prepared, what_stands_beside_a_store_under_its_names_is_a_file_with_one_name, .timeout = 60) {
    static const char *const SUFFIXES[] = {"-wal", "-shm", "-journal", ".owner"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            expect_not_followed(SUFFIXES[i], (enum kind)kind, NULL);
            if (i < 3) { /* a reader has no use for the lock */
                expect_not_followed(SUFFIXES[i], (enum kind)kind, "{'mode': 'read'}");
            }
        }
    }
}

Test(prepared, the_path_of_a_store_is_a_regular_file_with_one_name) {
    struct es *es = es_open(NULL);
    char other[128], config[192];
    es_shutdown(es);
    for (int kind = 0; kind < 5; kind++) {
        snprintf(other, sizeof other, "%s/other%d", es->folder, kind);
        snprintf(config, sizeof config, "{'path': '%s'}", kind == 4 ? "/dev/full" : other);
        int made = kind == 0   ? symlink(es->path, other)
                   : kind == 1 ? mkfifo(other, 0600)
                   : kind == 2 ? mkdir(other, 0700)
                   : kind == 3 ? link(es->path, other)
                               : 0;
        cr_assert_eq(made, 0);
        polaris_es *self = NULL;
        json_t *reply = NULL;
        cr_expect_eq(es_init_second(es, config, &self, &reply), POLARIS_ES_INVALID, "kind %d", kind);
        es_expect(reply, "{'details': {'path': '/path'}}");
        json_decref(reply);
        (void)(kind == 2 ? rmdir(other) : unlink(other));
    }
    es_close(es);
}

Test(prepared, files_are_private_whatever_the_umask) {
    static const char *const SUFFIXES[] = {"", "-wal", "-shm", ".owner"};
    static const char *const CONFIGS[] = {NULL, "{'durability': 'normal'}"};
    for (int i = 0; i < 2; i++) {
        mode_t before = umask(0);
        struct es *es = es_open(CONFIGS[i]);
        (void)es_append(es, "{'type': 't', 'data': {}}");
        for (size_t j = 0; j < sizeof SUFFIXES / sizeof SUFFIXES[0]; j++) {
            char path[128];
            struct stat file;
            snprintf(path, sizeof path, "%s%s", es->path, SUFFIXES[j]);
            cr_assert_eq(stat(path, &file), 0, "%s", path);
            cr_expect_eq(file.st_mode & 07777, 0600, "%s has mode %o", path, file.st_mode & 07777);
        }
        (void)umask(before);
        es_close(es);
    }
}
