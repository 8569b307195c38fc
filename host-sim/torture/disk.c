/* disk.c: what was synced, what was not, and what is left of that. */
#include "torture/disk.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "torture/random.h"
#include "torture/shim_vfs.h"

enum { NAMES_MAX = 64, FOLDER_CHANGES_MAX = 256 };

/* Not synced yet. */
struct change {
    uint8_t *data; /* NULL: truncated to `offset` */
    int64_t offset, size;
};

struct content {
    uint8_t *data;
    int64_t size;
};

struct inode {
    struct inode *next; /* of all there are */
    struct content synced;
    struct change *changes;
    size_t count, capacity;
    unsigned failures; /* syncs that failed */
};

/* An open file. */
struct handle {
    struct handle *next; /* of all there were */
    struct inode *inode;
    unsigned seen; /* of the failures */
};

struct folder_change {
    const char *name;
    struct inode *inode; /* NULL: deleted */
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
    bool ends;              /* the process, with a cut */
    bool keeps_all;         /* then: what was written is what is left */
    uint64_t seed;          /* of what is left */
    int exit_code;
    struct inode *inodes;
    struct handle *handles;
    /* The folder: what it is now, what of it is durable, and how that becomes the first. */
    struct name {
        char *path;
        struct inode *now, *durable;
        bool is_known; /* otherwise there may be a file from before */
    } names[NAMES_MAX];
    size_t name_count;
    struct folder_change changes[FOLDER_CHANGES_MAX];
    size_t change_count;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* A disk that cannot be kept in memory is none: there is nothing to go on with. */
static void *must(void *memory) {
    if (memory == NULL) {
        (void)fputs("the disk that loses its power: no memory, or a file that cannot be read or written\n", stderr);
        abort();
    }
    return memory;
}

static void must_be(bool good) {
    (void)must(good ? &disk : NULL);
}

/* ---- content ---- */

static void content_resize(struct content *content, int64_t size) {
    if (size > content->size) {
        content->data = must(realloc(content->data, (size_t)size));
        memset(content->data + content->size, 0, (size_t)(size - content->size));
    }
    content->size = size;
}

static void content_write(struct content *content, const uint8_t *data, int64_t size, int64_t offset) {
    if (offset + size > content->size) {
        content_resize(content, offset + size);
    }
    memcpy(content->data + offset, data, (size_t)size);
}

static void inode_sync(struct inode *inode) {
    for (size_t i = 0; i < inode->count; i++) {
        struct change *change = &inode->changes[i];
        if (change->data == NULL) {
            content_resize(&inode->synced, change->offset);
        } else {
            content_write(&inode->synced, change->data, change->size, change->offset);
        }
        free(change->data);
    }
    inode->count = 0;
}

static void inode_change(struct inode *inode, const struct vfs_access *access) {
    if (inode->count == inode->capacity) {
        inode->capacity = inode->capacity == 0 ? 64 : 2 * inode->capacity;
        inode->changes = must(realloc(inode->changes, inode->capacity * sizeof *inode->changes));
    }
    struct change *change = &inode->changes[inode->count++];
    *change = (struct change){.offset = access->size};
    if (access->call == VFS_WRITE) {
        *change = (struct change){must(malloc((size_t)access->size)), access->offset, access->size};
        memcpy(change->data, access->data, (size_t)access->size);
    }
}

static struct inode *inode_new(void) {
    struct inode *inode = must(calloc(1, sizeof *inode));
    inode->next = disk.inodes;
    disk.inodes = inode;
    return inode;
}

static struct handle *handle_new(struct inode *inode) {
    struct handle *handle = must(malloc(sizeof *handle));
    *handle = (struct handle){disk.handles, inode, inode->failures};
    disk.handles = handle;
    return handle;
}

static void free_all(void) {
    for (struct handle *handle = disk.handles, *next; handle != NULL; handle = next) {
        next = handle->next;
        free(handle);
    }
    disk.handles = NULL;
    for (struct inode *inode = disk.inodes, *next; inode != NULL; inode = next) {
        next = inode->next;
        inode_sync(inode); /* frees the changes */
        free(inode->changes);
        free(inode->synced.data);
        free(inode);
    }
    disk.inodes = NULL;
}

/* ---- luck ---- */

/* What of the changes that were not synced is left. */
enum luck {
    ALL_IS_LOST,
    ALL_IS_KEPT,
    IN_ORDER,         /* the first ones are kept; the last of them is torn */
    SECTOR_BY_SECTOR, /* of each sector the first ones */
    ANY,              /* of each sector any */
    LUCK_COUNT
};

struct fate {
    enum luck luck;
    uint64_t seed;
    size_t kept;      /* in order; for truncations always */
    bool has_garbage; /* not zeros, where the file grew and nothing was written */
    bool has_size;    /* the size is what it was, even if what it grew by is lost */
};

static bool is_kept(const struct fate *fate, size_t change, size_t count, int64_t sector) {
    uint64_t of_sector = random_mix(fate->seed + (uint64_t)sector);
    switch (fate->luck) {
    case ALL_IS_LOST:
        return false;
    case ALL_IS_KEPT:
        return true;
    case IN_ORDER:
        return change < fate->kept || (change == fate->kept && of_sector % 2 == 0);
    case SECTOR_BY_SECTOR:
        return change < of_sector % (count + 1);
    case ANY:
        return random_mix(of_sector + change) % 2 == 0;
    case LUCK_COUNT:
        break;
    }
    return false;
}

static void grow(struct content *content, int64_t size, const struct fate *fate) {
    int64_t old = content->size;
    if (size > old) {
        content_resize(content, size);
        for (int64_t i = old; fate->has_garbage && i < size; i++) {
            content->data[i] = (uint8_t)random_mix(fate->seed ^ (uint64_t)i);
        }
    }
}

static void keep_write(struct content *content, const struct change *change, size_t number, size_t count,
                       const struct fate *fate) {
    int64_t end = change->offset + change->size;
    for (int64_t at = change->offset; at < end;) {
        int64_t sector = at / SECTOR_SIZE;
        int64_t sector_end = (sector + 1) * SECTOR_SIZE;
        int64_t size = (sector_end < end ? sector_end : end) - at;
        if (is_kept(fate, number, count, sector)) {
            grow(content, at + size, fate);
            memcpy(content->data + at, change->data + (at - change->offset), (size_t)size);
        }
        at += size;
    }
}

/* Makes the synced content what is left of the file. */
static void decide(struct inode *inode, uint64_t *random) {
    struct fate fate = {
        .luck = (enum luck)random_below(random, LUCK_COUNT),
        .seed = random_next(random),
        .kept = random_below(random, (uint32_t)inode->count + 1),
        .has_garbage = random_below(random, 2) == 0,
        .has_size = random_below(random, 2) == 0,
    };
    int64_t size = inode->synced.size; /* as it was before the cut */
    for (size_t i = 0; i < inode->count; i++) {
        struct change *change = &inode->changes[i];
        if (change->data != NULL) {
            size = change->offset + change->size > size ? change->offset + change->size : size;
            keep_write(&inode->synced, change, i, inode->count, &fate);
        } else {
            size = change->offset;
            bool truncates = fate.luck == ALL_IS_KEPT || (fate.luck != ALL_IS_LOST && i < fate.kept);
            if (truncates && inode->synced.size > change->offset) {
                content_resize(&inode->synced, change->offset);
            }
        }
        free(change->data);
    }
    if (fate.has_size && fate.luck != ALL_IS_LOST) {
        grow(&inode->synced, size, &fate);
    }
    inode->count = 0;
}

/* ---- the folder ---- */

static struct name *find_name(const char *path) {
    for (size_t i = 0; i < disk.name_count; i++) {
        if (strcmp(disk.names[i].path, path) == 0) {
            return &disk.names[i];
        }
    }
    must_be(disk.name_count < NAMES_MAX);
    struct name *name = &disk.names[disk.name_count++];
    *name = (struct name){.path = must(strdup(path))};
    return name;
}

/* The first `count` changes are on the disk. */
static void sync_folder(size_t count) {
    for (size_t i = 0; i < count; i++) {
        find_name(disk.changes[i].name)->durable = disk.changes[i].inode;
    }
    disk.change_count -= count;
    memmove(disk.changes, disk.changes + count, disk.change_count * sizeof *disk.changes);
}

static void change_folder(struct name *name, struct inode *inode) {
    name->now = inode;
    if (disk.change_count == FOLDER_CHANGES_MAX) {
        sync_folder(1); /* long ago */
    }
    disk.changes[disk.change_count++] = (struct folder_change){name->path, inode};
}

/* With a file that is synced its name becomes durable, and with that what happened in the folder before. */
static void sync_name_of(const struct inode *inode) {
    for (size_t i = disk.change_count; i > 0; i--) {
        if (disk.changes[i - 1].inode == inode) {
            sync_folder(i);
            return;
        }
    }
}

/* ---- calls ---- */

static bool is_honest(enum vfs_kind kind) {
    return disk.syncs == DISK_SYNCS_ALL || (disk.syncs == DISK_SYNCS_NO_LOG && kind != VFS_LOG) ||
           (disk.syncs == DISK_SYNCS_NO_DATABASE && kind != VFS_DATABASE);
}

/* Counts one more change. True: the power goes with it. */
static bool tick(void) {
    disk.ticks++;
    disk.cut = disk.ticks == disk.cut_at;
    return disk.cut;
}

/* A file that was there before the disk was: all of it is on it. */
static void take_file(struct name *name) {
    int descriptor = open(name->path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    if (descriptor < 0) {
        return;
    }
    must_be(fstat(descriptor, &file) == 0);
    name->now = name->durable = inode_new();
    content_resize(&name->now->synced, file.st_size);
    must_be(file.st_size == 0 || read(descriptor, name->now->synced.data, (size_t)file.st_size) == file.st_size);
    (void)close(descriptor);
}

static void record_open(struct vfs_access *access) {
    struct name *name = find_name(access->path);
    if (name->now == NULL && !name->is_known) {
        take_file(name);
    }
    name->is_known = true;
    if (name->now == NULL) {
        (void)tick();
        change_folder(name, inode_new());
    }
    access->token = handle_new(name->now);
}

static void record_delete(const struct vfs_access *access) {
    struct name *name = find_name(access->path);
    if (name->now == NULL && !name->is_known) {
        take_file(name);
    }
    name->is_known = true;
    if (name->now != NULL) {
        bool in_progress = tick();
        change_folder(name, NULL);
        if (!in_progress && access->sync_folder && disk.syncs == DISK_SYNCS_ALL) {
            sync_folder(disk.change_count);
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
        decide(inode, &disk.next_random);
        inode->failures++;
    } else if (disk.failing_syncs > 0 && random_below(&disk.random, disk.failing_syncs) == 0) {
        decide(inode, &disk.random);
        inode->failures++;
    }
    if (is_honest(access->kind)) {
        inode_sync(inode);
        sync_name_of(inode);
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
        (void)tick();
        inode_change(((struct handle *)access->token)->inode, access);
    }
    return !disk.cut;
}

/* ---- after a cut ---- */

static void write_file(const char *path, const struct content *content) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must_be(descriptor >= 0);
    must_be(write(descriptor, content->data != NULL ? (const void *)content->data : "", (size_t)content->size) ==
            content->size);
    (void)close(descriptor);
}

/* What is not there any more lives on in no name, and is freed with the disk. */
static void leave(uint64_t seed) {
    uint64_t random = seed;
    sync_folder(random_below(&random, (uint32_t)disk.change_count + 1));
    disk.change_count = 0;
    for (size_t i = 0; i < disk.name_count; i++) {
        struct name *name = &disk.names[i];
        name->now = name->durable;
        (void)unlink(name->path);
        if (name->now != NULL) {
            decide(name->now, &random);
            write_file(name->path, &name->now->synced);
        }
    }
}

void disk_restore(uint64_t seed) {
    leave(seed);
    disk.cut = false;
    disk_cut_at(0);
    disk_fail_syncs(0, 0);
}

/* Whoever comes meanwhile waits for the mutex, and goes with the process. */
static void end_process(void) {
    if (!disk.keeps_all) {
        leave(disk.seed);
    }
    _exit(disk.exit_code);
}

/* ---- the disk ---- */

static int on_access(struct vfs_access *access) {
    pthread_mutex_lock(&disk.mutex);
    bool is_made = !disk.cut && record(access);
    if (disk.cut && disk.ends) {
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

void disk_end_with_cut(bool keeps_all, uint64_t seed, int exit_code) {
    pthread_mutex_lock(&disk.mutex);
    disk.ends = true;
    disk.keeps_all = keeps_all;
    disk.seed = seed;
    disk.exit_code = exit_code;
    pthread_mutex_unlock(&disk.mutex);
}

void disk_cut(void) {
    pthread_mutex_lock(&disk.mutex);
    disk.cut = true;
    if (disk.ends) {
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
    for (size_t i = 0; i < disk.name_count; i++) {
        (void)unlink(disk.names[i].path);
        free(disk.names[i].path);
    }
    free_all();
    disk.name_count = 0;
    disk.change_count = 0;
}
