/* name_memo.c: names by their numbers, remembered. */
#include "storage/sqlite/name_memo.h"

#include <string.h>

#include "storage/sqlite/connection.h"

/* Reads the name into *name; its id stays 0 if there is none, or if it is longer than any that was ever stored. */
static enum status look_up(struct connection *connection, enum name_kind kind, int64_t id, struct remembered_name *name,
                           struct error *error) {
    static const char *const SQL[NAME_KINDS] = {
        [NAME_OF_TYPE] = "SELECT name FROM type WHERE id = ?1",
        [NAME_OF_STREAM] = "SELECT name FROM stream WHERE id = ?1",
        [NAME_OF_BATCH] = "SELECT name FROM batch WHERE id = ?1",
    };
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status = statement_get(connection, SQL[kind], "read a name", &statement, error);
    bool row = false;
    name->id = 0;
    if (status == OK) {
        bind_int(&statement, id);
        status = statement_step(&statement, &row, error);
    }
    if (status == OK && row) {
        struct bytes text = column_bytes(&statement, 0);
        if (bytes_present(text) && text.size <= NAME_BYTES_MAX) {
            memcpy(name->text, text.data, text.size);
            name->size = (uint16_t)text.size;
            name->id = id;
        }
    }
    return status;
}

enum status name_recall(struct connection *connection, enum name_kind kind, int64_t id, struct bytes *ret_name,
                        struct error *error) {
    *ret_name = (struct bytes){0};
    if (id == 0) {
        return OK;
    }
    struct remembered_name *name = &connection->memo.names[kind][(uint64_t)id % NAMES_REMEMBERED];
    if (name->id != id || !connection->memo.remembers) {
        enum status status = look_up(connection, kind, id, name, error);
        if (status != OK) {
            return status;
        }
    }
    if (name->id == id) {
        *ret_name = (struct bytes){name->text, name->size};
    }
    return OK;
}
