/* wal_index.h: what a write-ahead log's index says of the log: how much of it there is, and is in the file already. */
#ifndef POLARIS_SQLITE_WAL_INDEX_H
#define POLARIS_SQLITE_WAL_INDEX_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* From now on no page of the log counts as copied, for whoever has the store open: the next checkpoint copies from the
 * log's beginning, the log does not begin again before that, and who begins to read reads the log. Nothing of it is
 * lost or changed, so it may be done at any time. The caller has the connection for itself, outside of a transaction.
 * False: nothing was changed, as a checkpoint is in progress, or the index is not of the form that is known here. */
bool wal_index_forget_copied(sqlite3 *db);

/* How many bytes a log must have that holds all that was committed to it; 0: nobody knows. The connection has the lock
 * for writing. */
int64_t wal_index_log_size(sqlite3 *db);

#endif
