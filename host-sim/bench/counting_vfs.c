/* counting_vfs.c: the forwarding VFS. */
#include "bench/counting_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

#include "bench/clock.h"

/* A frame of the log is a header of 24 bytes, then a page; bytes 4 to 7 of the header are not zero in the frame that
 * ends a transaction. SQLite writes the headers by themselves (sqlite.org/fileformat2.html, section 4.1). */
enum { FRAME_HEADER_SIZE = 24, LOG_HEADER_SIZE = 32 };

static const char *const PREFIXES[VFS_OWNER_COUNT] = {"plugin.", "baseline.", ""};

struct counters {
    _Atomic uint64_t log_syncs, file_syncs, commits, written;
};

static struct counters counters[VFS_OWNER_COUNT];
static _Atomic int64_t marks_ns[VFS_MARKS_MAX];
static _Atomic uint32_t mark_count;
static sqlite3_vfs *below; /* the system's */

/* SQLite allocates this and what the system's VFS needs behind it. */
struct file {
    sqlite3_file base;
    sqlite3_io_methods methods; /* a copy for each file: kinds of files have different methods */
    enum vfs_owner owner;
    bool is_log, is_database;
    void *real[]; /* as SQLite aligns it: to eight bytes */
};

static sqlite3_file *real_of(sqlite3_file *file) {
    return (sqlite3_file *)((struct file *)file)->real;
}

/* ---- what is counted ---- */

static int write_file(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset) {
    const struct file *file = (struct file *)base;
    struct counters *mine = &counters[file->owner];
    if (file->is_log && size == FRAME_HEADER_SIZE && offset >= LOG_HEADER_SIZE) {
        static const uint8_t NO_END[4] = {0};
        mine->commits += memcmp((const uint8_t *)data + 4, NO_END, sizeof NO_END) != 0;
    }
    mine->written += (uint64_t)size;
    return real_of(base)->pMethods->xWrite(real_of(base), data, size, offset);
}

static int sync_file(sqlite3_file *base, int flags) {
    const struct file *file = (struct file *)base;
    int code = real_of(base)->pMethods->xSync(real_of(base), flags);
    counters[file->owner].log_syncs += file->is_log;
    counters[file->owner].file_syncs += file->is_database;
    if (file->is_database && file->owner == VFS_PLUGIN) {
        marks_ns[mark_count++ % VFS_MARKS_MAX] = monotonic_ns();
    }
    return code;
}

/* ---- what is forwarded ---- */

#define FORWARD(name, parameters, ...)                                                                                 \
    static int forward_##name parameters {                                                                             \
        return real_of(file)->pMethods->name(real_of(file), __VA_ARGS__);                                              \
    }
static int forward_xClose(sqlite3_file *file) {
    return real_of(file)->pMethods->xClose(real_of(file));
}
static int forward_xSectorSize(sqlite3_file *file) {
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}
static int forward_xDeviceCharacteristics(sqlite3_file *file) {
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}
static void forward_xShmBarrier(sqlite3_file *file) {
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}
FORWARD(xRead, (sqlite3_file * file, void *data, int size, sqlite3_int64 offset), data, size, offset)
FORWARD(xTruncate, (sqlite3_file * file, sqlite3_int64 size), size)
FORWARD(xFileSize, (sqlite3_file * file, sqlite3_int64 *ret_size), ret_size)
FORWARD(xLock, (sqlite3_file * file, int level), level)
FORWARD(xUnlock, (sqlite3_file * file, int level), level)
FORWARD(xCheckReservedLock, (sqlite3_file * file, int *ret_held), ret_held)
FORWARD(xFileControl, (sqlite3_file * file, int op, void *argument), op, argument)
FORWARD(xShmMap, (sqlite3_file * file, int page, int size, int extend, void volatile **ret_map), page, size, extend,
        ret_map)
FORWARD(xShmLock, (sqlite3_file * file, int offset, int count, int flags), offset, count, flags)
FORWARD(xShmUnmap, (sqlite3_file * file, int remove), remove)
FORWARD(xFetch, (sqlite3_file * file, sqlite3_int64 offset, int size, void **ret_map), offset, size, ret_map)
FORWARD(xUnfetch, (sqlite3_file * file, sqlite3_int64 offset, void *map), offset, map)
#undef FORWARD

static const sqlite3_io_methods METHODS = {
    .xClose = forward_xClose,
    .xRead = forward_xRead,
    .xWrite = write_file,
    .xTruncate = forward_xTruncate,
    .xSync = sync_file,
    .xFileSize = forward_xFileSize,
    .xLock = forward_xLock,
    .xUnlock = forward_xUnlock,
    .xCheckReservedLock = forward_xCheckReservedLock,
    .xFileControl = forward_xFileControl,
    .xSectorSize = forward_xSectorSize,
    .xDeviceCharacteristics = forward_xDeviceCharacteristics,
    .xShmMap = forward_xShmMap,
    .xShmLock = forward_xShmLock,
    .xShmBarrier = forward_xShmBarrier,
    .xShmUnmap = forward_xShmUnmap,
    .xFetch = forward_xFetch,
    .xUnfetch = forward_xUnfetch,
};

static enum vfs_owner owner_of(const char *path) {
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    const char *name = path == NULL ? "" : slash != NULL ? slash + 1 : path;
    for (int i = 0; i < VFS_OTHER; i++) {
        if (strncmp(name, PREFIXES[i], strlen(PREFIXES[i])) == 0) {
            return (enum vfs_owner)i;
        }
    }
    return VFS_OTHER;
}

static int open_file(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *base, int flags, int *ret_flags) {
    (void)vfs;
    struct file *file = (struct file *)base;
    *file = (struct file){
        .owner = owner_of(path),
        .is_log = (flags & SQLITE_OPEN_WAL) != 0,
        .is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0,
    };
    sqlite3_file *real = real_of(base);
    int code = below->xOpen(below, path, real, flags, ret_flags);
    if (real->pMethods != NULL) { /* set even after some failures: then SQLite closes it */
        file->methods = METHODS;
        file->methods.iVersion = real->pMethods->iVersion;
        file->base.pMethods = &file->methods;
    }
    return code;
}

/* The other methods of a VFS are the system's own, which look at their VFS no closer than at its data. */
bool counting_vfs_install(struct failure *failure) {
    static sqlite3_vfs vfs;
    if (below != NULL) {
        return true;
    }
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    if (system == NULL) {
        return failure_set(failure, "SQLite has no VFS");
    }
    vfs = *system;
    vfs.pNext = NULL;
    vfs.zName = "polaris-counting";
    vfs.szOsFile = (int)sizeof(struct file) + system->szOsFile;
    vfs.xOpen = open_file;
    below = system;
    return sqlite3_vfs_register(&vfs, 1) == SQLITE_OK || failure_set(failure, "SQLite does not take a VFS");
}

struct vfs_counts counting_vfs_read(enum vfs_owner owner) {
    const struct counters *mine = &counters[owner];
    return (struct vfs_counts){
        .log_syncs = mine->log_syncs,
        .file_syncs = mine->file_syncs,
        .commits = mine->commits,
        .written = mine->written,
    };
}

struct vfs_counts vfs_counts_between(const struct vfs_counts *before, const struct vfs_counts *after) {
    return (struct vfs_counts){
        .log_syncs = after->log_syncs - before->log_syncs,
        .file_syncs = after->file_syncs - before->file_syncs,
        .commits = after->commits - before->commits,
        .written = after->written - before->written,
    };
}

void vfs_counts_add(struct vfs_counts *sum, const struct vfs_counts *other) {
    sum->log_syncs += other->log_syncs;
    sum->file_syncs += other->file_syncs;
    sum->commits += other->commits;
    sum->written += other->written;
}

uint32_t counting_vfs_checkpoints(int64_t since_ns, int64_t ret_ns[VFS_MARKS_MAX]) {
    uint32_t end = mark_count;
    uint32_t count = 0;
    for (uint32_t i = end > VFS_MARKS_MAX ? end - VFS_MARKS_MAX : 0; i < end; i++) {
        int64_t mark_ns = marks_ns[i % VFS_MARKS_MAX];
        if (mark_ns >= since_ns) {
            ret_ns[count++] = mark_ns;
        }
    }
    return count;
}
