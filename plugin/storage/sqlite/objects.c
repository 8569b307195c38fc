/* objects.c: holding what a file's schema table says against the statements that make a store. */
#include "storage/sqlite/objects.h"

#include <string.h>

#define TABLE "CREATE TABLE "
#define AUTOMATIC "sqlite_autoindex_"
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

/* What a store is made of, by how its statements begin. */
static const struct object_kind {
    const char *sql, *type;
} KINDS[] = {
    {TABLE, "table"},
    {"CREATE INDEX ", "index"},
    {"CREATE UNIQUE INDEX ", "index"},
    {"CREATE TRIGGER ", "trigger"},
};

/* What a statement makes; NULL: none that a store has. */
static const struct object_kind *find_kind(const char *sql) {
    for (size_t i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        if (starts_with(sql, KINDS[i].sql)) {
            return &KINDS[i];
        }
    }
    return NULL;
}

/* Up to the name and the blank behind it: "CREATE TABLE event ". 0: not of that form. */
static size_t head_size(const char *sql) {
    const struct object_kind *kind = find_kind(sql);
    if (kind == NULL) {
        return 0;
    }
    size_t size = strlen(kind->sql);
    size += strcspn(sql + size, " ");
    return sql[size] == ' ' ? size + 1 : 0;
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

/* A row of the schema table. */
struct object {
    const char *type, *name, *table; /* "" for what is no text */
    const char *sql;                 /* or NULL */
};

static const char *text_of(const struct statement *statement, int column) {
    bool is_text = sqlite3_column_type(statement->handle, column) == SQLITE_TEXT;
    const char *text = is_text ? (const char *)sqlite3_column_text(statement->handle, column) : NULL;
    return text != NULL ? text : "";
}

static struct object read_object(const struct statement *statement) {
    return (struct object){.type = text_of(statement, 0),
                           .name = text_of(statement, 1),
                           .table = text_of(statement, 2),
                           .sql = (const char *)sqlite3_column_text(statement->handle, 3)};
}

/* The index of a PRIMARY KEY or UNIQUE has no statement of its own: "sqlite_autoindex_type_1" of the table type. */
static bool is_automatic(const struct object *object) {
    size_t prefix = strlen(AUTOMATIC);
    size_t table = strlen(object->table);
    return strcmp(object->type, "index") == 0 && starts_with(object->name, AUTOMATIC) &&
           strncmp(object->name + prefix, object->table, table) == 0 && object->name[prefix + table] == '_';
}

/* Does the row say of itself what its statement says? SQLite reads the statements, and goes by what stands beside them
 * when it alters something. */
static bool is_named_so(const struct object *object) {
    const struct object_kind *kind = find_kind(object->sql);
    if (kind == NULL || strcmp(kind->type, object->type) != 0) {
        return false;
    }
    const char *name = object->sql + strlen(kind->sql);
    size_t size = strcspn(name, " (");
    bool is_table = strcmp(object->type, "table") == 0;
    return strlen(object->name) == size && memcmp(object->name, name, size) == 0 &&
           (!is_table || strcmp(object->table, object->name) == 0);
}

/* A name from the file, as a message may have it. */
static void show_name(const char *name, char ret_shown[NAME_SHOWN_MAX + 1]) {
    size_t size = 0;
    for (; size < NAME_SHOWN_MAX && name[size] != '\0'; size++) {
        unsigned char byte = (unsigned char)name[size];
        ret_shown[size] = (char)(byte < 0x20 || byte > 0x7E ? '?' : byte);
    }
    ret_shown[size] = '\0';
}

static enum status refuse(const char *type, const char *name, struct error *error) {
    char shown[NAME_SHOWN_MAX + 1];
    show_name(name, shown);
    return error_set(error, CORRUPT,
                     "open: the file has a %.16s %s that no event store has; remove it if it is yours, or restore a "
                     "backup",
                     strcmp(type, "table") == 0 || strcmp(type, "index") == 0 || strcmp(type, "view") == 0 ||
                             strcmp(type, "trigger") == 0
                         ? type
                         : "thing",
                     shown);
}

/* The file lacks what this statement makes: CORRUPT. */
static enum status find_object(struct statement *find, const char *sql, struct error *error) {
    const struct object_kind *kind = find_kind(sql);
    if (kind == NULL || strcmp(kind->type, "trigger") == 0) {
        return OK;
    }
    const char *name = sql + strlen(kind->sql);
    size_t size = strcspn(name, " ");
    bool row = false;
    bind_text(find, bytes_from_string(kind->type));
    bind_text(find, (struct bytes){(const uint8_t *)name, size});
    enum status status = statement_step(find, &row, error);
    if (status == OK && !row) {
        status =
            error_set(error, CORRUPT, "open: the file has no %s %.*s; restore a backup", kind->type, (int)size, name);
    }
    statement_rewind(find);
    return status;
}

/* A table that one migration makes anew comes twice. */
static enum status name_missing(struct connection *connection, const struct objects *objects, struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status =
        statement_get(connection, "SELECT 1 FROM sqlite_schema WHERE type = ?1 AND name = ?2", WHAT, &find, error);
    for (int64_t i = 0; status == OK && i < objects->format; i++) {
        for (const char *const *step = objects->migrations[i]; status == OK && *step != NULL; step++) {
            for (const char *at = *step; status == OK && (at = strstr(at, "CREATE ")) != NULL; at++) {
                status = find_object(&find, at, error);
            }
        }
    }
    return status;
}

/* Two that lie on the same pages would write over each other. */
static enum status check_pages(struct connection *connection, struct error *error) {
    CLEANUP(statement_release) struct statement shared = {0};
    bool row = false;
    enum status status =
        statement_get(connection,
                      "SELECT min(name), max(name) FROM sqlite_schema WHERE rootpage > 0 GROUP BY rootpage"
                      " HAVING count(*) > 1",
                      WHAT, &shared, error);
    if (status == OK && (status = statement_step(&shared, &row, error)) == OK && row) {
        char one[NAME_SHOWN_MAX + 1], other[NAME_SHOWN_MAX + 1];
        show_name(text_of(&shared, 0), one);
        show_name(text_of(&shared, 1), other);
        status = error_set(
            error, CORRUPT,
            "open: the file's list of tables is damaged: %s and %s have the same pages; restore a backup", one, other);
    }
    return status;
}

enum status objects_check(struct connection *connection, const struct objects *objects, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status =
        statement_get(connection, "SELECT type, name, tbl_name, sql FROM sqlite_schema", WHAT, &statement, error);
    int count = 0;
    bool row = false;
    while (status == OK && (status = statement_step(&statement, &row, error)) == OK && row) {
        struct object object = read_object(&statement);
        if (object.sql == NULL ? !is_automatic(&object) : !is_ours(objects, object.sql)) {
            return refuse(object.type, object.name, error);
        }
        if (object.sql != NULL && !is_named_so(&object)) {
            return error_set(error, CORRUPT, "open: the file's list of tables is damaged at \"%.*s\"; restore a backup",
                             (int)strcspn(object.sql, "("), object.sql);
        }
        count += object.sql != NULL && strcmp(object.type, "trigger") != 0 && !starts_with(object.name, "sqlite_");
    }
    /* SQLite itself refuses a name that stands twice: as many as there should be are all of them. */
    if (status == OK && count < objects->count) {
        status = name_missing(connection, objects, error);
    }
    return status == OK ? check_pages(connection, error) : status;
}
