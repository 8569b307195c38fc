/* disk_file.h: one file of the disk that loses its power: what of it was synced, and what happened to it since. */
#ifndef POLARIS_TORTURE_DISK_FILE_H
#define POLARIS_TORTURE_DISK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    int number;        /* in what a kill left (disk_left.c) */
};

/* A disk that cannot be kept in memory is none: there is nothing to go on with. */
void *must(void *memory);
void must_be(bool good);

void inode_write(struct inode *inode, const uint8_t *data, int64_t size, int64_t offset);
void inode_truncate(struct inode *inode, int64_t size);
/* All changes are on the disk. */
void inode_sync(struct inode *inode);
/* So are those that a seed says, wholly or in part, and the others never will be. */
void inode_decide(struct inode *inode, uint64_t *random);
void inode_free(struct inode *inode);

/* False: there is no such file. */
bool content_read(struct content *content, const char *path);
void content_write_file(const struct content *content, const char *path);
/* What was synced, and the changes since then. The caller free()s its data. */
struct content inode_content(const struct inode *inode);
/* The changes become others that lead to this content, sector by sector. */
void inode_differ(struct inode *inode, const struct content *content);

#endif
