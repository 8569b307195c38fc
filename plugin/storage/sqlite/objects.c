/* objects.c: holding what a file's schema table says against the statements that make a store. */
#include "storage/sqlite/objects.h"

#include <string.h>

#define TABLE "CREATE TABLE "
static const char WHAT[] = "read the list of tables";
enum { NAME_SHOWN_MAX = 64 };

/* What else the schema table of a store may hold: SQLite's own tables, and what became of those that were altered. */
static const char *const ALSO_OURS[] = {
    "CREATE TABLE sqlite_sequence(name,seq)",
    "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
    "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
    /* FORMAT_2 in format.c */
    "CREATE TABLE schema_version (type TEXT NOT NULL, version INTEGER NOT NULL, format INTEGER NOT NULL,"
    "  schema BLOB NOT NULL, metadata BLOB, created_us INTEGER NOT NULL, documents BLOB,"
    " retired_us INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (type, version)) STRICT",
};

static bool starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Up to the name and the blank behind it: "CREATE TABLE event ". 0: not of that form. */
static size_t head_size(const char *sql) {
    static const char *const VERBS[] = {TABLE, "CREATE INDEX ", "CREATE UNIQUE INDEX ", "CREATE TRIGGER "};
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
        if (starts_with(sql, VERBS[i])) {
            size_t verb = strlen(VERBS[i]);
            size_t name = strcspn(sql + verb, " ");
            return sql[verb + name] == ' ' ? verb + name + 1 : 0;
        }
    }
    return 0;
}

/* The last statement in `steps` that makes something of that name. A statement ends with a semicolon, but within that
 * of a trigger there is one more, before its END. */
static const char *find_statement(const char *const *steps, const char *head, size_t size) {
    const char *found = NULL;
    for (; *steps != NULL; steps++) {
        for (const char *at = *steps; (at = strstr(at, "CREATE ")) != NULL; at++) {
            found = strncmp(at, head, size) == 0 ? at : found;
        }
    }
    return found;
}

static bool is_statement(const char *statement, const char *sql) {
    size_t size = strlen(sql);
    return strncmp(statement, sql, size) == 0 && (statement[size] == ';' || statement[size] == '\0');
}

static bool is_ours(const struct objects *objects, const char *sql) {
    for (size_t i = 0; i < sizeof ALSO_OURS / sizeof ALSO_OURS[0]; i++) {
        if (strcmp(sql, ALSO_OURS[i]) == 0) {
            return true;
        }
    }
    size_t size = head_size(sql);
    const char *statement = NULL;
    for (int64_t i = objects->format; statement == NULL && size > 0 && i > 0; i--) {
        statement = find_statement(objects->migrations[i - 1], sql, size);
    }
    return statement != NULL && is_statement(statement, sql);
}

static enum status refuse(const char *type, const char *name, struct error *error) {
    char shown[NAME_SHOWN_MAX + 1];
    size_t size = 0;
    for (; size < NAME_SHOWN_MAX && name[size] != '\0'; size++) {
        unsigned char byte = (unsigned char)name[size];
        shown[size] = (char)(byte < 0x20 || byte > 0x7E ? '?' : byte);
    }
    shown[size] = '\0';
    return error_set(error, CORRUPT,
                     "open: the file has a %.16s %s that no event store has; remove it if it is yours, or restore a "
                     "backup",
                     strcmp(type, "table") == 0 || strcmp(type, "index") == 0 || strcmp(type, "view") == 0 ||
                             strcmp(type, "trigger") == 0
                         ? type
                         : "thing",
                     shown);
}

/* A table that one migration makes anew comes twice. */
static enum status name_missing_table(struct connection *connection, const struct objects *objects,
                                      struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status =
        statement_get(connection, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", WHAT, &find, error);
    for (int64_t i = 0; status == OK && i < objects->format; i++) {
        for (const char *const *step = objects->migrations[i]; status == OK && *step != NULL; step++) {
            for (const char *at = *step; status == OK && (at = strstr(at, TABLE)) != NULL;) {
                at += strlen(TABLE);
                struct bytes name = {(const uint8_t *)at, strcspn(at, " ")};
                bool row = false;
                bind_text(&find, name);
                status = statement_step(&find, &row, error);
                if (status == OK && !row) {
                    status = error_set(error, CORRUPT, "open: the file has no table %.*s; restore a backup",
                                       (int)name.size, at);
                }
                statement_rewind(&find);
            }
        }
    }
    return status;
}

enum status objects_check(struct connection *connection, const struct objects *objects, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status =
        statement_get(connection, "SELECT type, name, sql FROM sqlite_schema", WHAT, &statement, error);
    int tables = 0;
    bool row = false;
    while (status == OK && (status = statement_step(&statement, &row, error)) == OK && row) {
        const char *type = (const char *)sqlite3_column_text(statement.handle, 0);
        const char *name = (const char *)sqlite3_column_text(statement.handle, 1);
        const char *sql = (const char *)sqlite3_column_text(statement.handle, 2);
        type = type != NULL ? type : "";
        name = name != NULL ? name : "";
        /* The index of a PRIMARY KEY or UNIQUE has no statement of its own. */
        bool ours =
            sql != NULL ? is_ours(objects, sql) : strcmp(type, "index") == 0 && starts_with(name, "sqlite_autoindex_");
        if (!ours) {
            return refuse(type, name, error);
        }
        tables += sql != NULL && starts_with(sql, TABLE) && !starts_with(sql, TABLE "sqlite_");
    }
    /* SQLite itself refuses a name that stands twice: as many as there should be are all of them. */
    return status == OK && tables < objects->table_count ? name_missing_table(connection, objects, error) : status;
}
