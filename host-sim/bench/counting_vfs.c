/* counting_vfs.c: the forwarding VFS. */
#include "bench/counting_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

#include "bench/clock.h"

/* A log is a header of 32 bytes, with the size of a page in bytes 8 to 11, and frames: 24 bytes, of which 4 to 7 are
 * not zero when the frame ends a transaction, and a page (sqlite.org/fileformat2.html, section 4.1). SQLite writes both
 * parts by themselves; the plugin many frames at once. */
enum { FRAME_HEADER_SIZE = 24, LOG_HEADER_SIZE = 32, PAGE_SIZE_AT = 8, END_AT = 4, NUMBER_SIZE = 4 };

static const char *const PREFIXES[VFS_OWNER_COUNT] = {"plugin.", "baseline.", ""};

struct counters {
    _Atomic uint64_t log_syncs, file_syncs, checkpoints, commits, written;
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
    bool is_copied;    /* of a database: the pages of a checkpoint are written, and nothing came after them */
    int64_t page_size; /* of a log; 0: not known yet */
    void *real[];      /* as SQLite aligns it: to eight bytes */
};

static sqlite3_file *real_of(sqlite3_file *file) {
    return (sqlite3_file *)((struct file *)file)->real;
}

/* ---- what is counted ---- */

static uint32_t number_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void learn_page_size(struct file *file, const uint8_t *data, int size, int64_t offset) {
    uint8_t number[NUMBER_SIZE];
    if (offset == 0 && size >= LOG_HEADER_SIZE) {
        file->page_size = number_at(data + PAGE_SIZE_AT);
    } else if (file->page_size == 0) {
        sqlite3_file *real = real_of(&file->base);
        int code = real->pMethods->xRead(real, number, NUMBER_SIZE, PAGE_SIZE_AT);
        file->page_size = code == SQLITE_OK ? number_at(number) : 0;
    }
}

/* The frames among the bytes that end a transaction. */
static uint64_t count_commits(const struct file *file, const uint8_t *data, int64_t size, int64_t offset) {
    if (file->page_size == 0) {
        return 0;
    }
    int64_t frame_size = FRAME_HEADER_SIZE + file->page_size;
    int64_t frames_before = offset > LOG_HEADER_SIZE ? (offset - LOG_HEADER_SIZE + frame_size - 1) / frame_size : 0;
    uint64_t count = 0;
    for (int64_t at = LOG_HEADER_SIZE + frames_before * frame_size - offset; at + FRAME_HEADER_SIZE <= size;
         at += frame_size) {
        count += number_at(data + at + END_AT) != 0;
    }
    return count;
}

static int write_file(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset) {
    struct file *file = (struct file *)base;
    struct counters *mine = &counters[file->owner];
    if (file->is_log) {
        learn_page_size(file, data, size, offset);
        mine->commits += count_commits(file, data, size, offset);
    }
    file->is_copied = false;
    mine->written += (uint64_t)size;
    return real_of(base)->pMethods->xWrite(real_of(base), data, size, offset);
}

static int sync_file(sqlite3_file *base, int flags) {
    struct file *file = (struct file *)base;
    int code = real_of(base)->pMethods->xSync(real_of(base), flags);
    counters[file->owner].log_syncs += file->is_log;
    counters[file->owner].file_syncs += file->is_database;
    counters[file->owner].checkpoints += file->is_copied;
    if (file->is_copied && file->owner == VFS_PLUGIN) {
        marks_ns[mark_count++ % VFS_MARKS_MAX] = monotonic_ns();
    }
    file->is_copied = false;
    return code;
}

static int control_file(sqlite3_file *base, int op, void *argument) {
    if (op == SQLITE_FCNTL_CKPT_DONE) {
        ((struct file *)base)->is_copied = true;
    }
    return real_of(base)->pMethods->xFileControl(real_of(base), op, argument);
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
    .xFileControl = control_file,
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
        .checkpoints = mine->checkpoints,
        .commits = mine->commits,
        .written = mine->written,
    };
}

struct vfs_counts vfs_counts_between(const struct vfs_counts *before, const struct vfs_counts *after) {
    return (struct vfs_counts){
        .log_syncs = after->log_syncs - before->log_syncs,
        .file_syncs = after->file_syncs - before->file_syncs,
        .checkpoints = after->checkpoints - before->checkpoints,
        .commits = after->commits - before->commits,
        .written = after->written - before->written,
    };
}

void vfs_counts_add(struct vfs_counts *sum, const struct vfs_counts *other) {
    sum->log_syncs += other->log_syncs;
    sum->file_syncs += other->file_syncs;
    sum->checkpoints += other->checkpoints;
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
