/* shim_vfs.h: a VFS before the system's: everything in this process that opens a database after it was
 * installed goes through it, the plugin too, as it links the same SQLite. A hook sees each call before it is made, and
 * may refuse it. Nothing is ever synced for real: whoever wants to know what was, is the hook. */
#ifndef POLARIS_TORTURE_SHIM_VFS_H
#define POLARIS_TORTURE_SHIM_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/* What gives something back (close, unlock, unmap) is not among them: it does not fail, and is always made. */
enum vfs_call {
    VFS_OPEN,
    VFS_DELETE,
    VFS_ACCESS,
    VFS_FULL_PATH,
    VFS_READ,
    VFS_WRITE,
    VFS_TRUNCATE,
    VFS_SYNC,
    VFS_FILE_SIZE,
    VFS_LOCK,
    VFS_CHECK_LOCK,
    VFS_SHM_MAP,
    VFS_SHM_LOCK,
    VFS_CALLS
};

enum vfs_kind { VFS_DATABASE, VFS_LOG, VFS_JOURNAL, VFS_OTHER_FILE };

struct vfs_access {
    enum vfs_call call;
    enum vfs_kind kind; /* of the file, where there is one */
    const char *path;   /* open (NULL: a temporary file), delete, access */
    void *token;        /* what the hook made of it when the file was opened */
    const void *data;   /* write */
    int64_t size;       /* write, truncate */
    int64_t offset;     /* write */
    bool sync_folder;   /* delete */
    bool may_grow;      /* open: it makes the file when there is none; shared memory: it grows when it is too small */
    int64_t torn_size;  /* write, out: when it is refused, so much of it is written nevertheless */
};

/* The code that the call ends with, or SQLITE_OK: it is made. Called by any thread. */
typedef int (*vfs_hook)(struct vfs_access *access);

/* From now on the default VFS. `hook` may be NULL. */
void shim_vfs_install(vfs_hook hook);

/* Whoever would sleep, waiting for a lock, goes on at once, so that waits end as soon as they would in the end. */
void shim_vfs_skip_sleep(void);

/* SQLite's code for "this call failed" of the file system. */
int vfs_call_failure(enum vfs_call call);
const char *vfs_call_name(enum vfs_call call);

#endif
