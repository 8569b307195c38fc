/* name_memo.h: names by their numbers, remembered. Rows of events refer to types, streams and batches by number; a join
 * for each of the names is a good part of what a page costs, and most rows of a page have the same few. */
#ifndef POLARIS_SQLITE_NAME_MEMO_H
#define POLARIS_SQLITE_NAME_MEMO_H

#include <stdbool.h>

#include "bounds.h"
#include "bytes.h"
#include "error.h"

enum name_kind { NAME_OF_TYPE, NAME_OF_STREAM, NAME_OF_BATCH, NAME_KINDS };

enum { NAMES_REMEMBERED = 32, NAME_BYTES_MAX = STREAM_SIZE_MAX };

/* Part of a connection; zeroed, it holds nothing. */
struct name_memo {
    /* What a connection reads was committed, and a number never gets another name. Not so for the one that writes: what
     * is rolled back takes its names along, and their numbers are given again. */
    bool remembers;
    struct remembered_name {
        int64_t id;
        uint16_t size;
        uint8_t text[NAME_BYTES_MAX];
    } names[NAME_KINDS][NAMES_REMEMBERED]; /* number n stands at n % NAMES_REMEMBERED */
};

struct connection;

/* Absent for number 0 and for one that the table does not have. A view that is valid until the next name of the kind.
 */
WARN_UNUSED enum status name_recall(struct connection *connection, enum name_kind kind, int64_t id,
                                    struct bytes *ret_name, struct error *error);

#endif
