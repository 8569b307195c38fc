/* disk_folder.h: the names of the disk that loses its power: what they are now, what of that is durable, and how it
 * becomes so. */
#ifndef POLARIS_TORTURE_DISK_FOLDER_H
#define POLARIS_TORTURE_DISK_FOLDER_H

#include "torture/disk_file.h"

enum { NAMES_MAX = 64, NAME_CHANGES_MAX = 256 };

struct name {
    char *path;
    struct inode *now, *durable;
    bool is_known; /* otherwise there may be a file from before */
};

struct name_change {
    const char *name;
    struct inode *inode; /* NULL: deleted */
};

struct folder {
    struct inode *inodes; /* all that there were */
    struct name names[NAMES_MAX];
    size_t name_count;
    struct name_change changes[NAME_CHANGES_MAX]; /* not durable yet */
    size_t change_count;
};

struct inode *folder_new_inode(struct folder *folder);
/* It is made when it is not there. */
struct name *folder_name(struct folder *folder, const char *path);
/* A file that was there before the disk was: all of it is on it. */
void folder_take_file(struct folder *folder, struct name *name);
void folder_change(struct folder *folder, struct name *name, struct inode *inode);
/* The first `count` changes are on the disk. */
void folder_sync(struct folder *folder, size_t count);
/* With a file that is synced its name becomes durable, and with that what happened in the folder before. */
void folder_sync_name_of(struct folder *folder, const struct inode *inode);
/* Frees all that it has. */
void folder_done(struct folder *folder);

/* What a kill leaves to those who come behind it (disk_left.c): the files are what they were, and what of them and of
 * their names is not on the disk yet stands in this file. */
void folder_leave(struct folder *folder, const char *left);
/* Takes that up, if the file is there, and removes it. What was recorded, and did not come to pass for the kill, is
 * left out. */
void folder_go_on(struct folder *folder, const char *left);

#endif
