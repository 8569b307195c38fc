/* disk_folder.c: names that appear and go in order. */
#include "torture/disk_folder.h"

#include <stdlib.h>
#include <string.h>

struct inode *folder_new_inode(struct folder *folder) {
    struct inode *inode = must(calloc(1, sizeof *inode));
    inode->next = folder->inodes;
    folder->inodes = inode;
    return inode;
}

struct name *folder_name(struct folder *folder, const char *path) {
    for (size_t i = 0; i < folder->name_count; i++) {
        if (strcmp(folder->names[i].path, path) == 0) {
            return &folder->names[i];
        }
    }
    must_be(folder->name_count < NAMES_MAX);
    struct name *name = &folder->names[folder->name_count++];
    *name = (struct name){.path = must(strdup(path))};
    return name;
}

/* The first `count` changes are on the folder-> */
void folder_sync(struct folder *folder, size_t count) {
    for (size_t i = 0; i < count; i++) {
        folder_name(folder, folder->changes[i].name)->durable = folder->changes[i].inode;
    }
    folder->change_count -= count;
    memmove(folder->changes, folder->changes + count, folder->change_count * sizeof *folder->changes);
}

void folder_change(struct folder *folder, struct name *name, struct inode *inode) {
    name->now = inode;
    if (folder->change_count == NAME_CHANGES_MAX) {
        folder_sync(folder, 1); /* long ago */
    }
    folder->changes[folder->change_count++] = (struct name_change){name->path, inode};
}

void folder_sync_name_of(struct folder *folder, const struct inode *inode) {
    for (size_t i = folder->change_count; i > 0; i--) {
        if (folder->changes[i - 1].inode == inode) {
            folder_sync(folder, i);
            return;
        }
    }
}

void folder_take_file(struct folder *folder, struct name *name) {
    struct content content = {0};
    if (content_read(&content, name->path)) {
        name->now = name->durable = folder_new_inode(folder);
        name->now->synced = content;
    }
}

void folder_done(struct folder *folder) {
    for (size_t i = 0; i < folder->name_count; i++) {
        free(folder->names[i].path);
    }
    for (struct inode *inode = folder->inodes, *next; inode != NULL; inode = next) {
        next = inode->next;
        inode_free(inode);
    }
    *folder = (struct folder){0};
}
