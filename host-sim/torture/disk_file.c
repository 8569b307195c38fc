/* disk_file.c: what is left of a file whose changes were not all synced. */
#include "torture/disk_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "torture/disk.h"
#include "torture/random.h"

void must_be(bool good) {
    if (!good) {
        (void)fputs("the disk that loses its power: no memory, or a file that cannot be read or written\n", stderr);
        abort();
    }
}

void *must(void *memory) {
    must_be(memory != NULL);
    return memory;
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
    if (size > 0) {
        memcpy((uint8_t *)must(content->data) + offset, data, (size_t)size);
    }
}

static void apply(struct content *content, const struct change *change) {
    if (change->data == NULL) {
        content_resize(content, change->offset);
    } else {
        content_write(content, change->data, change->size, change->offset);
    }
}

void inode_sync(struct inode *inode) {
    for (size_t i = 0; i < inode->count; i++) {
        apply(&inode->synced, &inode->changes[i]);
        free(inode->changes[i].data);
    }
    inode->count = 0;
}

static struct change *add_change(struct inode *inode) {
    if (inode->count == inode->capacity) {
        inode->capacity = inode->capacity == 0 ? 64 : 2 * inode->capacity;
        inode->changes = must(realloc(inode->changes, inode->capacity * sizeof *inode->changes));
    }
    return &inode->changes[inode->count++];
}

void inode_write(struct inode *inode, const uint8_t *data, int64_t size, int64_t offset) {
    struct change *change = add_change(inode);
    *change = (struct change){must(malloc((size_t)size)), offset, size};
    memcpy(change->data, data, (size_t)size);
}

void inode_truncate(struct inode *inode, int64_t size) {
    *add_change(inode) = (struct change){.offset = size};
}

void inode_free(struct inode *inode) {
    inode_sync(inode); /* frees the changes */
    free(inode->changes);
    free(inode->synced.data);
    free(inode);
}

struct content inode_content(const struct inode *inode) {
    struct content content = {0};
    content_write(&content, inode->synced.data, inode->synced.size, 0);
    for (size_t i = 0; i < inode->count; i++) {
        apply(&content, &inode->changes[i]);
    }
    return content;
}

void inode_differ(struct inode *inode, const struct content *content) {
    for (size_t i = 0; i < inode->count; i++) {
        free(inode->changes[i].data);
    }
    inode->count = 0;
    if (content->size < inode->synced.size) {
        inode_truncate(inode, content->size);
    }
    for (int64_t at = 0; at < content->size; at += SECTOR_SIZE) {
        int64_t size = content->size - at < SECTOR_SIZE ? content->size - at : SECTOR_SIZE;
        bool same =
            at + size <= inode->synced.size && memcmp(content->data + at, inode->synced.data + at, (size_t)size) == 0;
        if (!same) {
            inode_write(inode, content->data + at, size, at);
        }
    }
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

void inode_decide(struct inode *inode, uint64_t *random) {
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

/* ---- files ---- */

bool content_read(struct content *content, const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    if (descriptor < 0) {
        return false;
    }
    must_be(fstat(descriptor, &file) == 0);
    content_resize(content, file.st_size);
    must_be(file.st_size == 0 || read(descriptor, content->data, (size_t)file.st_size) == file.st_size);
    (void)close(descriptor);
    return true;
}

void content_write_file(const struct content *content, const char *path) {
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must_be(descriptor >= 0);
    must_be(write(descriptor, content->data != NULL ? (const void *)content->data : "", (size_t)content->size) ==
            content->size);
    (void)close(descriptor);
}
