/* log_file.h: the write-ahead log as a file: bringing to the disk what somebody else wrote to it, or what a sync that
 * failed left. */
#ifndef POLARIS_SQLITE_LOG_FILE_H
#define POLARIS_SQLITE_LOG_FILE_H

#include "storage/sqlite/connection.h"

/* Syncs the log. A process that was killed may have written commits to it and not synced them: everybody finds them
 * there, and the power may take them yet. When it fails the log was written again: the next sync is of all of it. The
 * connection was read with. */
WARN_UNUSED enum status log_file_sync(struct connection *connection, struct error *error);

/* After a sync that failed the system drops what was to be synced, or counts it as written; the next sync succeeds
 * without it. So all of the log is written again, as it is read now, while nobody else writes to it. It is not synced.
 * The connection is in no transaction. False: that could not be done. */
WARN_UNUSED bool log_file_write_again(struct connection *connection);

#endif
