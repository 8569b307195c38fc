/* table.h: events on standard output, as JSON Lines or as a table for people. */
#ifndef POLARIS_HOST_TABLE_H
#define POLARIS_HOST_TABLE_H

#include <jansson.h>
#include <stdbool.h>

#include "cleanup.h"
#include "cli/command.h"

/* The columns but for the last, the data, which takes what is left of the line. */
enum table_column { TABLE_ID, TABLE_TIME, TABLE_TYPE, TABLE_STREAM, TABLE_TAGS, TABLE_COLUMNS };

/* Zeroed but for `json` is ready. */
struct table {
    bool json; /* one event a line, as the reply has it */
    bool begun;
    int line_width; /* of the terminal; 0: there is none, lines are not cut */
    int widths[TABLE_COLUMNS];
};

/* Prints events (a JSON array) in their order. The columns become as wide as these events need, and never narrower
 * again. False: no memory, or standard output cannot be written. */
bool table_print(struct table *table, const json_t *events) WARN_UNUSED;

/* Tells why table_print failed, and gives the exit code. */
int table_fail(const struct session *session);

#endif
