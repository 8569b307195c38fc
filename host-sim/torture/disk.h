/* disk.h: a disk that loses its power, under the databases of this process.
 *
 * It remembers what of each file was synced, and every change since then: writes, truncations, files made and deleted.
 * At a cut the world stands still: each further call fails, until disk_restore() makes the files what they may be after
 * such a cut: what was synced, and of the rest, sector by sector, what a seed says.
 *
 * What it takes for granted of real disks and file systems; on those that are worse it proves nothing:
 * - A sector of SECTOR_SIZE bytes is written whole or not at all.
 * - A write harms nothing beside it: what was synced stays, also in the page or block around what is being written when
 *   the power goes (SQLite's "powersafe overwrite").
 * - As on ext4 and xfs, folders are journalled: names appear and go in order, and a file that was synced has its name,
 *   whether its folder was synced or not.
 * - What was synced is there for good, and can be read.
 *
 * One disk; changes are counted over all files and threads. */
#ifndef POLARIS_TORTURE_DISK_H
#define POLARIS_TORTURE_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum { SECTOR_SIZE = 512 };

/* Which syncs do what they say: the others claim success, and are nothing. */
enum disk_syncs { DISK_SYNCS_ALL, DISK_SYNCS_NONE, DISK_SYNCS_NO_LOG, DISK_SYNCS_NO_DATABASE };

/* A new disk, with nothing on it but the files that there are. From now on databases are opened on it. */
void disk_begin(enum disk_syncs syncs);
/* The power is cut at the n-th change from now on: that one may be made in part, and fails. 0: never. */
void disk_cut_at(int64_t change);
/* One sync in `one_in` fails, as the seed says; 0: none. As on Linux, what was to be synced then is on the disk or not,
 * and never tried again: the next sync succeeds without it. */
void disk_fail_syncs(uint32_t one_in, uint64_t seed);
/* The next sync of a database's own file fails like that; those of its log do not. */
void disk_fail_next_file_sync(uint64_t seed);
/* How many syncs have failed since disk_begin, but for cuts. */
int64_t disk_failed_syncs(void);
/* A cut ends the process, with this exit code, once the files are what they may be after it, as the seed says. */
void disk_end_with_cut(uint64_t seed, int exit_code);
/* Or the process ends as if it had been killed there: before the call is made. The files stay what they are, and what
 * of it is not on the disk is written to the file `left`: the next process that has this disk goes on with that. NULL:
 * there is no such process. The text lives on. */
void disk_end_killed(const char *left, int exit_code);
/* Behind disk_begin: what a kill left, if there is such a file, which goes. */
void disk_go_on(const char *left);
/* It is cut now, if it is not yet. */
void disk_cut(void);
bool disk_is_cut(void);
/* How many changes there were since disk_cut_at. */
int64_t disk_changes(void);
/* How many calls there were of files that are kept, from now on, goes there: a process that ends leaves it to others.
 * NULL: nobody wants it. None: what is open uses another file system. */
void disk_tell(int64_t *calls);
/* The power is back: writes the files as the seed says, which are all that there is from now on. No database may be
 * open. */
void disk_restore(uint64_t seed);
/* Removes the files, and forgets them. */
void disk_end(void);

#endif
