/* counting_vfs.h: what SQLite asks of the disk, counted: a VFS over the system's that forwards every call.
 *
 * The plugin and the baseline share one libsqlite3, and so this VFS, once it is the default: neither knows of it, and
 * what a call costs more is the same for both. Files are told apart by their names. */
#ifndef POLARIS_BENCH_COUNTING_VFS_H
#define POLARIS_BENCH_COUNTING_VFS_H

#include <stdint.h>

#include "cleanup.h"
#include "failure.h"

/* Whose file it is: names of files begin with "plugin." or "baseline.". */
enum vfs_owner { VFS_PLUGIN, VFS_BASELINE, VFS_OTHER, VFS_OWNER_COUNT };

struct vfs_counts {
    uint64_t log_syncs;   /* fsyncs of the write-ahead log */
    uint64_t file_syncs;  /* of the database file */
    uint64_t checkpoints; /* of all of the log, so that the file was synced */
    uint64_t commits;     /* frames in the log that end a transaction */
    uint64_t written;     /* bytes, log and file */
};

/* Makes it the default of this process; before any database is opened. Again: nothing happens. */
bool counting_vfs_install(struct failure *failure) WARN_UNUSED;

struct vfs_counts counting_vfs_read(enum vfs_owner owner);

/* What was counted between two readings. */
struct vfs_counts vfs_counts_between(const struct vfs_counts *before, const struct vfs_counts *after);
void vfs_counts_add(struct vfs_counts *sum, const struct vfs_counts *other);

/* When the last checkpoints of the plugin's file ended, at most VFS_MARKS_MAX, oldest first, on the clock of
 * monotonic_ns(). Returns how many there are. */
enum { VFS_MARKS_MAX = 256 };
uint32_t counting_vfs_checkpoints(int64_t since_ns, int64_t ret_ns[VFS_MARKS_MAX]);

#endif
