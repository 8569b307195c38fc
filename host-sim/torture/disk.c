/* disk.c: what was synced, what was not, and what is left of that. */
#include "torture/disk.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "torture/disk_folder.h"
#include "torture/random.h"
#include "torture/shim_vfs.h"

/* An open file. */
struct handle {
    struct handle *next; /* of all there were */
    struct inode *inode;
    unsigned seen; /* of the failures */
};

static struct {
    pthread_mutex_t mutex;
    enum disk_syncs syncs;
    int64_t ticks, cut_at;
    bool cut;
    uint32_t failing_syncs; /* one in so many; 0: none */
    uint64_t random;        /* of those */
    bool next_file_fails;   /* the next sync of a database's own file */
    uint64_t next_random;   /* of that one */
    int64_t failed_syncs;   /* since disk_begin */
    enum { STANDS_STILL, ENDS_CUT, ENDS_KILLED } at_cut;
    uint64_t seed;    /* of what a cut that ends the process leaves */
    int exit_code;    /* of the process */
    const char *left; /* by one that is killed (folder_leave); NULL: nobody wants it */
    int64_t *calls;   /* how many there were; NULL: nobody wants it */
    struct handle *handles;
    struct folder folder;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct handle *handle_new(struct inode *inode) {
    struct handle *handle = must(malloc(sizeof *handle));
    *handle = (struct handle){disk.handles, inode, inode->failures};
    disk.handles = handle;
    return handle;
}

static void free_handles(void) {
    for (struct handle *handle = disk.handles, *next; handle != NULL; handle = next) {
        next = handle->next;
        free(handle);
    }
    disk.handles = NULL;
}

/* ---- after a cut ---- */

/* What is not there any more lives on in no name, and is freed with the disk. */
static void leave(uint64_t seed) {
    uint64_t random = seed;
    struct folder *folder = &disk.folder;
    folder_sync(folder, random_below(&random, (uint32_t)folder->change_count + 1));
    folder->change_count = 0;
    for (size_t i = 0; i < folder->name_count; i++) {
        struct name *name = &folder->names[i];
        name->now = name->durable;
        (void)unlink(name->path);
        if (name->now != NULL) {
            inode_decide(name->now, &random);
            content_write_file(&name->now->synced, name->path);
        }
    }
}

/* Whoever comes meanwhile waits for the mutex, and goes with the process. */
static void end_process(void) {
    if (disk.at_cut == ENDS_CUT) {
        leave(disk.seed);
    } else if (disk.left != NULL) {
        folder_leave(&disk.folder, disk.left);
    }
    _exit(disk.exit_code);
}

/* ---- calls ---- */

static bool is_honest(enum vfs_kind kind) {
    return disk.syncs == DISK_SYNCS_ALL || (disk.syncs == DISK_SYNCS_NO_LOG && kind != VFS_LOG) ||
           (disk.syncs == DISK_SYNCS_NO_DATABASE && kind != VFS_DATABASE);
}

/* Counts one more change. True: the power goes with it. A process that is killed makes nothing of it. */
static bool tick(void) {
    disk.ticks++;
    disk.cut = disk.ticks == disk.cut_at;
    if (disk.cut && disk.at_cut == ENDS_KILLED) {
        end_process();
    }
    return disk.cut;
}

static void record_open(struct vfs_access *access) {
    struct name *name = folder_name(&disk.folder, access->path);
    if (name->now == NULL && !name->is_known) {
        folder_take_file(&disk.folder, name);
    }
    name->is_known = true;
    if (name->now == NULL && !access->may_grow) {
        return; /* it is not there, and will not be: the call says so itself */
    }
    if (name->now == NULL) {
        (void)tick();
        folder_change(&disk.folder, name, folder_new_inode(&disk.folder));
    }
    access->token = handle_new(name->now);
}

static void record_delete(const struct vfs_access *access) {
    struct name *name = folder_name(&disk.folder, access->path);
    if (name->now == NULL && !name->is_known) {
        folder_take_file(&disk.folder, name);
    }
    name->is_known = true;
    if (name->now != NULL) {
        bool in_progress = tick();
        folder_change(&disk.folder, name, NULL);
        if (!in_progress && access->sync_folder && disk.syncs == DISK_SYNCS_ALL) {
            folder_sync(&disk.folder, disk.folder.change_count);
        }
    }
}

/* False: it fails, as it does once for each of those who have the file open when writing failed. */
static bool record_sync(const struct vfs_access *access) {
    struct handle *handle = access->token;
    struct inode *inode = handle->inode;
    if (tick()) {
        return false;
    }
    if (disk.next_file_fails && access->kind == VFS_DATABASE) {
        disk.next_file_fails = false;
        inode_decide(inode, &disk.next_random);
        inode->failures++;
    } else if (disk.failing_syncs > 0 && random_below(&disk.random, disk.failing_syncs) == 0) {
        inode_decide(inode, &disk.random);
        inode->failures++;
    }
    if (is_honest(access->kind)) {
        inode_sync(inode);
        folder_sync_name_of(&disk.folder, inode);
    }
    bool is_good = handle->seen == inode->failures;
    handle->seen = inode->failures;
    disk.failed_syncs += !is_good;
    return is_good;
}

/* False: the call fails. */
static bool record(struct vfs_access *access) {
    bool is_kept = access->token != NULL; /* not a temporary file */
    if (access->call == VFS_OPEN && access->path != NULL) {
        record_open(access);
    } else if (access->call == VFS_DELETE) {
        record_delete(access);
    } else if (access->call == VFS_SYNC && is_kept) {
        return record_sync(access);
    } else if ((access->call == VFS_WRITE || access->call == VFS_TRUNCATE) && is_kept) {
        struct inode *inode = ((struct handle *)access->token)->inode;
        (void)tick();
        if (access->call == VFS_WRITE) {
            inode_write(inode, access->data, access->size, access->offset);
        } else {
            inode_truncate(inode, access->size);
        }
    }
    return !disk.cut;
}

void disk_restore(uint64_t seed) {
    leave(seed);
    disk.cut = false;
    disk_cut_at(0);
    disk_fail_syncs(0, 0);
}

/* ---- the disk ---- */

static int on_access(struct vfs_access *access) {
    pthread_mutex_lock(&disk.mutex);
    if (disk.calls != NULL) {
        *disk.calls += access->token != NULL;
    }
    bool is_made = !disk.cut && record(access);
    if (disk.cut && disk.at_cut != STANDS_STILL) {
        end_process();
    }
    pthread_mutex_unlock(&disk.mutex);
    return is_made ? SQLITE_OK : vfs_call_failure(access->call);
}

void disk_begin(enum disk_syncs syncs) {
    disk.syncs = syncs;
    disk.cut = false;
    disk.next_file_fails = false;
    disk.failed_syncs = 0;
    disk_cut_at(0);
    disk_fail_syncs(0, 0);
    shim_vfs_install(on_access);
}

void disk_cut_at(int64_t change) {
    pthread_mutex_lock(&disk.mutex);
    disk.ticks = 0;
    disk.cut_at = change;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_fail_syncs(uint32_t one_in, uint64_t seed) {
    pthread_mutex_lock(&disk.mutex);
    disk.failing_syncs = one_in;
    disk.random = seed;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_fail_next_file_sync(uint64_t seed) {
    pthread_mutex_lock(&disk.mutex);
    disk.next_file_fails = true;
    disk.next_random = seed;
    pthread_mutex_unlock(&disk.mutex);
}

int64_t disk_failed_syncs(void) {
    pthread_mutex_lock(&disk.mutex);
    int64_t failed = disk.failed_syncs;
    pthread_mutex_unlock(&disk.mutex);
    return failed;
}

void disk_end_with_cut(uint64_t seed, int exit_code) {
    pthread_mutex_lock(&disk.mutex);
    disk.at_cut = ENDS_CUT;
    disk.seed = seed;
    disk.exit_code = exit_code;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_end_killed(const char *left, int exit_code) {
    pthread_mutex_lock(&disk.mutex);
    disk.at_cut = ENDS_KILLED;
    disk.left = left;
    disk.exit_code = exit_code;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_go_on(const char *left) {
    pthread_mutex_lock(&disk.mutex);
    folder_go_on(&disk.folder, left);
    pthread_mutex_unlock(&disk.mutex);
}

void disk_tell(int64_t *calls) {
    pthread_mutex_lock(&disk.mutex);
    disk.calls = calls;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_cut(void) {
    pthread_mutex_lock(&disk.mutex);
    disk.cut = true;
    if (disk.at_cut != STANDS_STILL) {
        end_process();
    }
    pthread_mutex_unlock(&disk.mutex);
}

bool disk_is_cut(void) {
    pthread_mutex_lock(&disk.mutex);
    bool is_cut = disk.cut;
    pthread_mutex_unlock(&disk.mutex);
    return is_cut;
}

int64_t disk_changes(void) {
    pthread_mutex_lock(&disk.mutex);
    int64_t changes = disk.ticks;
    pthread_mutex_unlock(&disk.mutex);
    return changes;
}

void disk_end(void) {
    shim_vfs_install(NULL);
    for (size_t i = 0; i < disk.folder.name_count; i++) {
        (void)unlink(disk.folder.names[i].path);
    }
    free_handles();
    folder_done(&disk.folder);
}
