/* shim_vfs.c: the forwarding VFS. */
#include "torture/shim_vfs.h"

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

/* SQLite allocates this and what the system's VFS needs behind it. */
struct file {
    sqlite3_file base;
    sqlite3_io_methods methods; /* a copy for each file: kinds of files have different methods */
    enum vfs_kind kind;
    void *token;
    void *real[]; /* as SQLite aligns it: to eight bytes */
};

static sqlite3_vfs vfs;
static sqlite3_vfs *below; /* the system's */
static _Atomic(vfs_hook) hook;

static const struct {
    const char *name;
    int failure;
} CALLS[VFS_CALLS] = {
    [VFS_OPEN] = {"open", SQLITE_CANTOPEN},
    [VFS_DELETE] = {"delete", SQLITE_IOERR_DELETE},
    [VFS_ACCESS] = {"access", SQLITE_IOERR_ACCESS},
    [VFS_FULL_PATH] = {"full path", SQLITE_CANTOPEN_FULLPATH},
    [VFS_READ] = {"read", SQLITE_IOERR_READ},
    [VFS_WRITE] = {"write", SQLITE_IOERR_WRITE},
    [VFS_TRUNCATE] = {"truncate", SQLITE_IOERR_TRUNCATE},
    [VFS_SYNC] = {"sync", SQLITE_IOERR_FSYNC},
    [VFS_FILE_SIZE] = {"file size", SQLITE_IOERR_FSTAT},
    [VFS_LOCK] = {"lock", SQLITE_IOERR_LOCK},
    [VFS_CHECK_LOCK] = {"check lock", SQLITE_IOERR_CHECKRESERVEDLOCK},
    [VFS_SHM_MAP] = {"map shared memory", SQLITE_IOERR_SHMMAP},
    [VFS_SHM_LOCK] = {"lock shared memory", SQLITE_IOERR_SHMLOCK},
};

int vfs_call_failure(enum vfs_call call) {
    return CALLS[call].failure;
}

const char *vfs_call_name(enum vfs_call call) {
    return CALLS[call].name;
}

static int ask(struct vfs_access *access) {
    vfs_hook asked = atomic_load(&hook);
    return asked != NULL ? asked(access) : SQLITE_OK;
}

static sqlite3_file *real_of(sqlite3_file *file) {
    return (sqlite3_file *)((struct file *)file)->real;
}

static int ask_of_file(const sqlite3_file *base, struct vfs_access access) {
    const struct file *file = (const struct file *)base;
    access.kind = file->kind;
    access.token = file->token;
    return ask(&access);
}

/* ---- files ---- */

/* Asks the hook, and makes the call if it may be. */
#define ASKED(name, vfs_call, parameters, ...)                                                                         \
    static int ask_##name parameters {                                                                                 \
        int code = ask_of_file(file, (struct vfs_access){.call = vfs_call});                                           \
        return code != SQLITE_OK ? code : real_of(file)->pMethods->name(real_of(file), __VA_ARGS__);                   \
    }
#define FORWARD(name, parameters, ...)                                                                                 \
    static int forward_##name parameters {                                                                             \
        return real_of(file)->pMethods->name(real_of(file), __VA_ARGS__);                                              \
    }

static int ask_xWrite(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    struct vfs_access access = {.call = VFS_WRITE, .data = data, .size = size, .offset = offset};
    access.kind = ((const struct file *)file)->kind;
    access.token = ((const struct file *)file)->token;
    int code = ask(&access);
    int written = code == SQLITE_OK ? size : (int)access.torn_size;
    int real_code = written > 0 ? real_of(file)->pMethods->xWrite(real_of(file), data, written, offset) : SQLITE_OK;
    return code != SQLITE_OK ? code : real_code;
}

static int ask_xTruncate(sqlite3_file *file, sqlite3_int64 size) {
    int code = ask_of_file(file, (struct vfs_access){.call = VFS_TRUNCATE, .size = size});
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int ask_xSync(sqlite3_file *file, int flags) {
    (void)flags;
    return ask_of_file(file, (struct vfs_access){.call = VFS_SYNC});
}

static int ask_xShmLock(sqlite3_file *file, int offset, int count, int flags) {
    bool locks = (flags & SQLITE_SHM_LOCK) != 0;
    int code = locks ? ask_of_file(file, (struct vfs_access){.call = VFS_SHM_LOCK}) : SQLITE_OK;
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static int ask_xShmMap(sqlite3_file *file, int page, int size, int extend, void volatile **ret_map) {
    int code = ask_of_file(file, (struct vfs_access){.call = VFS_SHM_MAP, .may_grow = extend != 0});
    return code != SQLITE_OK ? code : real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret_map);
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
ASKED(xRead, VFS_READ, (sqlite3_file * file, void *data, int size, sqlite3_int64 offset), data, size, offset)
ASKED(xFileSize, VFS_FILE_SIZE, (sqlite3_file * file, sqlite3_int64 *ret_size), ret_size)
ASKED(xLock, VFS_LOCK, (sqlite3_file * file, int level), level)
ASKED(xCheckReservedLock, VFS_CHECK_LOCK, (sqlite3_file * file, int *ret_held), ret_held)
FORWARD(xUnlock, (sqlite3_file * file, int level), level)
FORWARD(xFileControl, (sqlite3_file * file, int op, void *argument), op, argument)
FORWARD(xShmUnmap, (sqlite3_file * file, int remove), remove)
FORWARD(xFetch, (sqlite3_file * file, sqlite3_int64 offset, int size, void **ret_map), offset, size, ret_map)
FORWARD(xUnfetch, (sqlite3_file * file, sqlite3_int64 offset, void *map), offset, map)
#undef FORWARD
#undef ASKED

static const sqlite3_io_methods METHODS = {
    .xClose = forward_xClose,
    .xRead = ask_xRead,
    .xWrite = ask_xWrite,
    .xTruncate = ask_xTruncate,
    .xSync = ask_xSync,
    .xFileSize = ask_xFileSize,
    .xLock = ask_xLock,
    .xUnlock = forward_xUnlock,
    .xCheckReservedLock = ask_xCheckReservedLock,
    .xFileControl = forward_xFileControl,
    .xSectorSize = forward_xSectorSize,
    .xDeviceCharacteristics = forward_xDeviceCharacteristics,
    .xShmMap = ask_xShmMap,
    .xShmLock = ask_xShmLock,
    .xShmBarrier = forward_xShmBarrier,
    .xShmUnmap = forward_xShmUnmap,
    .xFetch = forward_xFetch,
    .xUnfetch = forward_xUnfetch,
};

/* ---- the VFS ---- */

static enum vfs_kind kind_of(const char *path, int flags) {
    if (path == NULL) {
        return VFS_OTHER_FILE;
    }
    return (flags & SQLITE_OPEN_MAIN_DB) != 0        ? VFS_DATABASE
           : (flags & SQLITE_OPEN_WAL) != 0          ? VFS_LOG
           : (flags & SQLITE_OPEN_MAIN_JOURNAL) != 0 ? VFS_JOURNAL
                                                     : VFS_OTHER_FILE;
}

static int open_file(sqlite3_vfs *self, sqlite3_filename path, sqlite3_file *base, int flags, int *ret_flags) {
    (void)self;
    struct file *file = (struct file *)base;
    *file = (struct file){.kind = kind_of(path, flags)};
    struct vfs_access access = {
        .call = VFS_OPEN, .kind = file->kind, .path = path, .may_grow = (flags & SQLITE_OPEN_CREATE) != 0};
    int code = ask(&access);
    if (code != SQLITE_OK) {
        return code; /* without methods, so that SQLite does not close it */
    }
    sqlite3_file *real = real_of(base);
    file->token = access.token;
    code = below->xOpen(below, path, real, flags, ret_flags);
    if (real->pMethods != NULL) { /* set even after some failures: then SQLite closes it */
        file->methods = METHODS;
        file->methods.iVersion = real->pMethods->iVersion;
        file->base.pMethods = &file->methods;
    }
    return code;
}

static int delete_file(sqlite3_vfs *self, const char *path, int sync_folder) {
    (void)self;
    struct vfs_access access = {.call = VFS_DELETE, .path = path, .sync_folder = sync_folder != 0};
    int code = ask(&access);
    return code != SQLITE_OK ? code : below->xDelete(below, path, 0);
}

static int access_file(sqlite3_vfs *self, const char *path, int flags, int *ret_result) {
    (void)self;
    int code = ask(&(struct vfs_access){.call = VFS_ACCESS, .path = path});
    return code != SQLITE_OK ? code : below->xAccess(below, path, flags, ret_result);
}

static int make_full_path(sqlite3_vfs *self, const char *path, int size, char *ret_path) {
    (void)self;
    int code = ask(&(struct vfs_access){.call = VFS_FULL_PATH, .path = path});
    return code != SQLITE_OK ? code : below->xFullPathname(below, path, size, ret_path);
}

static int skip_sleep(sqlite3_vfs *self, int us) {
    (void)self;
    (void)sched_yield();
    return us;
}

/* The other methods of a VFS are the system's own, which look at their VFS no closer than at its data. */
void shim_vfs_install(vfs_hook new_hook) {
    atomic_store(&hook, new_hook);
    if (below != NULL) {
        return;
    }
    (void)sqlite3_initialize();
    below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.zName = "shim";
    vfs.pNext = NULL;
    vfs.szOsFile += (int)sizeof(struct file);
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    vfs.xAccess = access_file;
    vfs.xFullPathname = make_full_path;
    (void)sqlite3_vfs_register(&vfs, 1);
}

void shim_vfs_skip_sleep(void) {
    vfs.xSleep = skip_sleep;
}
