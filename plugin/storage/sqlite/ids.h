/* ids.h: numbers found in a file, which may be damaged or prepared.
 *
 * The writer counts on from what it finds. Nobody stores so much that a number reaches the half of what an int64_t
 * holds: one beyond is damage, and behind one below there is room to count. */
#ifndef POLARIS_SQLITE_IDS_H
#define POLARIS_SQLITE_IDS_H

#include "storage/sqlite/connection.h"

/* The highest id of a table, a version, a count: 0 is none. */
static inline bool number_is_sound(int64_t number) {
    return number >= 0 && number <= INT64_MAX / 2;
}

/* The id of a row. */
static inline bool id_is_sound(int64_t id) {
    return id > 0 && number_is_sound(id);
}

/* CORRUPT: the table has this id, and no writer gave it. `what` is what was attempted. */
enum status id_refuse(const char *what, const char *table, int64_t id, struct error *error);

enum id_table { IDS_OF_TYPES, IDS_OF_TAGS };

/* Are all ids of the table sound? */
WARN_UNUSED enum status ids_check(struct connection *connection, enum id_table table, const char *what,
                                  bool *ret_are_sound, struct error *error);
/* Of a table in which not all are. CORRUPT: the name's id is not sound, or it has none and none can follow. */
WARN_UNUSED enum status ids_check_name(struct connection *connection, enum id_table table, struct bytes name,
                                       const char *what, struct error *error);

#endif
