/* owner.h: one writer per file, in the whole system: flock on `<db>.owner`.
 *
 * Never on the database file itself: closing any descriptor of it drops the POSIX locks that SQLite holds on it. flock
 * also conflicts between two opens in one process, which POSIX record locks do not. */
#ifndef POLARIS_SQLITE_OWNER_H
#define POLARIS_SQLITE_OWNER_H

#include "error.h"

/* Takes the lock and writes down who has it. The file is never removed: that would let two owners hold two files of the
 * same name. BUSY names the owner (details owner, pid). `*ret_descriptor` is given back with owner_release. */
WARN_UNUSED enum status owner_acquire(const char *database_path, const char *owner, int *ret_descriptor,
                                      struct error *error);
void owner_release(int *descriptor); /* < 0: none; leaves -1 */

#endif
