/* ids.c: refusing ids that no writer gave. */
#include "storage/sqlite/ids.h"

enum status id_refuse(const char *what, const char *table, int64_t id, struct error *error) {
    return error_set(error, CORRUPT, "%s: table %s has the id %lld, which no writer gave; restore a backup", what,
                     table, (long long)id);
}

/* Each minimum and maximum by itself: it is found at one end of the table, without a scan. */
static const struct {
    const char *name, *ends, *of_name;
} TABLES[] = {
    [IDS_OF_TYPES] = {"type", "SELECT (SELECT min(id) FROM type), (SELECT max(id) FROM type)",
                      "SELECT coalesce((SELECT id FROM type WHERE name = ?1), (SELECT max(id) FROM type))"},
    [IDS_OF_TAGS] = {"tag", "SELECT (SELECT min(id) FROM tag), (SELECT max(id) FROM tag)",
                     "SELECT coalesce((SELECT id FROM tag WHERE name = ?1), (SELECT max(id) FROM tag))"},
};

enum status ids_check(struct connection *connection, enum id_table table, const char *what, bool *ret_are_sound,
                      struct error *error) {
    CLEANUP(statement_release) struct statement select = {0};
    bool row = false;
    enum status status = statement_get(connection, TABLES[table].ends, what, &select, error);
    if (status == OK) {
        status = statement_step(&select, &row, error);
    }
    if (status != OK) {
        return status;
    }
    bool is_empty = !row || sqlite3_column_type(select.handle, 0) == SQLITE_NULL;
    *ret_are_sound = is_empty || (id_is_sound(column_int(&select, 0)) && id_is_sound(column_int(&select, 1)));
    return OK;
}

enum status ids_check_name(struct connection *connection, enum id_table table, struct bytes name, const char *what,
                           struct error *error) {
    CLEANUP(statement_release) struct statement select = {0};
    bool row = false;
    enum status status = statement_get(connection, TABLES[table].of_name, what, &select, error);
    if (status == OK) {
        bind_text(&select, name);
        status = statement_step(&select, &row, error);
    }
    int64_t id = status == OK && row ? column_int(&select, 0) : 0;
    return status != OK || id_is_sound(id) ? status : id_refuse(what, TABLES[table].name, id, error);
}
