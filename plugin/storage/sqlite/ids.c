/* ids.c: refusing ids that no writer gave. */
#include "storage/sqlite/ids.h"

enum status id_refuse(const char *what, const char *table, int64_t id, struct error *error) {
    return error_set(error, CORRUPT, "%s: table %s has the id %lld, which no writer gave; restore a backup", what,
                     table, (long long)id);
}

enum status ids_check(struct connection *connection, enum id_table table, const char *what, struct error *error) {
    /* Each minimum and maximum by itself: it is found at one end of the table, without a scan. */
    static const struct {
        const char *name, *sql;
    } TABLES[] = {
        [IDS_OF_TYPES] = {"type", "SELECT (SELECT min(id) FROM type), (SELECT max(id) FROM type)"},
        [IDS_OF_TAGS] = {"tag", "SELECT (SELECT min(id) FROM tag), (SELECT max(id) FROM tag)"},
    };
    CLEANUP(statement_release) struct statement select = {0};
    bool row = false;
    enum status status = statement_get(connection, TABLES[table].sql, what, &select, error);
    if (status == OK) {
        status = statement_step(&select, &row, error);
    }
    bool is_empty = status == OK && (!row || sqlite3_column_type(select.handle, 0) == SQLITE_NULL);
    for (int i = 0; i < 2 && status == OK && !is_empty; i++) {
        int64_t id = column_int(&select, i);
        status = id_is_sound(id) ? OK : id_refuse(what, TABLES[table].name, id, error);
    }
    return status;
}
