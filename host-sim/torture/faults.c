/* faults.c: deciding which call fails, and how. */
#include "torture/faults.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>

#include "torture/shim_vfs.h"

static struct {
    pthread_mutex_t mutex;
    enum fault_kind kind;
    int64_t at;    /* 0: none */
    int64_t count; /* of those that fail from there on */
    int64_t ticks;
    struct faults_seen own, *seen;
} faults = {.mutex = PTHREAD_MUTEX_INITIALIZER, .seen = &faults.own};

const char *fault_kind_name(enum fault_kind kind) {
    static const char *const NAMES[FAULT_KINDS] = {"failing", "disk full", "busy"};
    return NAMES[kind];
}

static bool file_exists(const char *path) {
    struct stat file;
    return stat(path, &file) == 0;
}

static bool can_have_it(const struct vfs_access *access) {
    switch (faults.kind) {
    case FAULT_IO:
        return true;
    case FAULT_FULL:
        return access->call == VFS_WRITE || access->call == VFS_SYNC ||
               (access->call == VFS_SHM_MAP && access->may_grow) ||
               (access->call == VFS_OPEN && access->may_grow && (access->path == NULL || !file_exists(access->path)));
    case FAULT_BUSY:
        return access->call == VFS_LOCK || access->call == VFS_SHM_LOCK;
    case FAULT_KINDS:
        break;
    }
    return false;
}

static bool is_its_turn(void) {
    int64_t tick = ++faults.ticks;
    return tick >= faults.at && tick - faults.at < faults.count;
}

static int code_of(struct vfs_access *access) {
    if (faults.kind == FAULT_BUSY) {
        return SQLITE_BUSY;
    }
    errno = faults.kind == FAULT_FULL ? ENOSPC : EIO;
    if (faults.kind == FAULT_FULL && access->call == VFS_WRITE) {
        access->torn_size = access->size / 2;
        return SQLITE_FULL;
    }
    return faults.kind == FAULT_FULL && access->call == VFS_SHM_MAP ? SQLITE_IOERR_SHMSIZE
                                                                    : vfs_call_failure(access->call);
}

static int on_access(struct vfs_access *access) {
    int code = SQLITE_OK;
    pthread_mutex_lock(&faults.mutex);
    if (faults.at > 0 && can_have_it(access) && is_its_turn()) {
        code = code_of(access);
        if (faults.seen->fired++ == 0) {
            faults.seen->first = (int)access->call;
        }
        faults.seen->was_sync = faults.seen->was_sync || access->call == VFS_SYNC;
    }
    pthread_mutex_unlock(&faults.mutex);
    return code;
}

void faults_tell(struct faults_seen *seen) {
    faults.seen = seen;
}

void faults_install(void) {
    shim_vfs_install(on_access);
    shim_vfs_skip_sleep();
}

void faults_from(enum fault_kind kind, int64_t n, int64_t count) {
    pthread_mutex_lock(&faults.mutex);
    faults.kind = kind;
    faults.at = n;
    faults.count = count;
    faults.ticks = 0;
    *faults.seen = (struct faults_seen){0};
    pthread_mutex_unlock(&faults.mutex);
}

void faults_at(enum fault_kind kind, int64_t n, bool persistent) {
    faults_from(kind, n, persistent ? INT64_MAX : 1);
}

bool faults_are_over(void) {
    pthread_mutex_lock(&faults.mutex);
    bool over = faults.at == 0 || faults.ticks - faults.at >= faults.count - 1;
    pthread_mutex_unlock(&faults.mutex);
    return over;
}

int64_t faults_fired(void) {
    pthread_mutex_lock(&faults.mutex);
    int64_t fired = faults.seen->fired;
    pthread_mutex_unlock(&faults.mutex);
    return fired;
}

bool faults_had_sync(void) {
    pthread_mutex_lock(&faults.mutex);
    bool had = faults.seen->was_sync;
    pthread_mutex_unlock(&faults.mutex);
    return had;
}

int64_t faults_end(void) {
    pthread_mutex_lock(&faults.mutex);
    faults.at = 0;
    int64_t fired = faults.seen->fired;
    pthread_mutex_unlock(&faults.mutex);
    return fired;
}

const char *faults_first(void) {
    return vfs_call_name((enum vfs_call)faults.seen->first);
}
