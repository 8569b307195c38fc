/* disk_left.c: what a process that is killed leaves on the disk and beside it. Whoever reads it is the same program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "torture/disk_folder.h"

/* ---- writing ---- */

static void put(FILE *file, const void *data, size_t size) {
    must_be(size == 0 || fwrite(data, size, 1, file) == 1);
}

static void put_number(FILE *file, int64_t number) {
    put(file, &number, sizeof number);
}

static void put_text(FILE *file, const char *text) {
    put_number(file, (int64_t)strlen(text));
    put(file, text, strlen(text));
}

static void put_inode(FILE *file, const struct inode *inode) {
    put_number(file, inode->synced.size);
    put(file, inode->synced.data, (size_t)inode->synced.size);
    put_number(file, (int64_t)inode->count);
    for (size_t i = 0; i < inode->count; i++) {
        const struct change *change = &inode->changes[i];
        put_number(file, change->data != NULL ? change->size : -1);
        put_number(file, change->offset);
        put(file, change->data, change->data != NULL ? (size_t)change->size : 0);
    }
}

/* 0: none. */
static void put_which(FILE *file, const struct inode *inode) {
    put_number(file, inode != NULL ? inode->number : 0);
}

void folder_leave(struct folder *folder, const char *left) {
    FILE *file = fopen(left, "wbe");
    must_be(file != NULL);
    int count = 0;
    for (struct inode *inode = folder->inodes; inode != NULL; inode = inode->next) {
        inode->number = ++count;
    }
    put_number(file, count);
    for (const struct inode *inode = folder->inodes; inode != NULL; inode = inode->next) {
        put_inode(file, inode);
    }
    put_number(file, (int64_t)folder->name_count);
    for (size_t i = 0; i < folder->name_count; i++) {
        const struct name *name = &folder->names[i];
        put_text(file, name->path);
        put_which(file, name->now);
        put_which(file, name->durable);
        put_number(file, name->is_known);
    }
    put_number(file, (int64_t)folder->change_count);
    for (size_t i = 0; i < folder->change_count; i++) {
        put_text(file, folder->changes[i].name);
        put_which(file, folder->changes[i].inode);
    }
    must_be(fclose(file) == 0);
}

/* ---- reading ---- */

static void take(FILE *file, void *data, size_t size) {
    must_be(size == 0 || fread(data, size, 1, file) == 1);
}

static int64_t take_number(FILE *file) {
    int64_t number = 0;
    take(file, &number, sizeof number);
    return number;
}

/* With a zero behind it. */
static uint8_t *take_data(FILE *file, int64_t size) {
    uint8_t *data = must(calloc((size_t)size + 1, 1));
    take(file, data, (size_t)size);
    return data;
}

static struct name *take_name(FILE *file, struct folder *folder) {
    char *path = (char *)take_data(file, take_number(file));
    struct name *name = folder_name(folder, path);
    free(path);
    return name;
}

static void take_inode(FILE *file, struct inode *inode) {
    inode->synced.size = take_number(file);
    inode->synced.data = take_data(file, inode->synced.size);
    int64_t count = take_number(file);
    for (int64_t i = 0; i < count; i++) {
        int64_t size = take_number(file);
        int64_t offset = take_number(file);
        if (size < 0) {
            inode_truncate(inode, offset);
        } else {
            uint8_t *data = take_data(file, size);
            inode_write(inode, data, size, offset);
            free(data);
        }
    }
}

/* The inodes are read in the order of their numbers, each before those that were. */
static struct inode *take_which(FILE *file, const struct folder *folder, int64_t count) {
    int64_t number = take_number(file);
    struct inode *inode = number > 0 ? folder->inodes : NULL;
    for (int64_t i = count; inode != NULL && i > number; i--) {
        inode = inode->next;
    }
    return inode;
}

static void take_folder(FILE *file, struct folder *folder) {
    int64_t inodes = take_number(file);
    for (int64_t i = 0; i < inodes; i++) {
        take_inode(file, folder_new_inode(folder));
    }
    int64_t names = take_number(file);
    for (int64_t i = 0; i < names; i++) {
        struct name *name = take_name(file, folder);
        name->now = take_which(file, folder, inodes);
        name->durable = take_which(file, folder, inodes);
        name->is_known = take_number(file) != 0;
    }
    folder->change_count = (size_t)take_number(file);
    must_be(folder->change_count <= NAME_CHANGES_MAX);
    for (size_t i = 0; i < folder->change_count; i++) {
        const char *path = take_name(file, folder)->path;
        folder->changes[i] = (struct name_change){path, take_which(file, folder, inodes)};
    }
}

/* ---- what came to pass ---- */

/* The last change of the name did not. */
static void take_back(struct folder *folder, struct name *name) {
    size_t last = folder->change_count;
    while (last > 0 && folder->changes[last - 1].name != name->path) {
        last--;
    }
    if (last == 0) {
        return;
    }
    folder->change_count--;
    memmove(&folder->changes[last - 1], &folder->changes[last],
            (folder->change_count - (last - 1)) * sizeof *folder->changes);
    name->now = name->durable;
    for (size_t i = 0; i < last - 1; i++) {
        name->now = folder->changes[i].name == name->path ? folder->changes[i].inode : name->now;
    }
}

/* Another thread may have been about to make what it had recorded. */
static void compare_with_file(struct folder *folder, struct name *name) {
    struct content there = {0};
    bool is_there = content_read(&there, name->path);
    if (is_there != (name->now != NULL)) {
        take_back(folder, name);
    }
    if (is_there != (name->now != NULL)) {
        folder_change(folder, name, is_there ? folder_new_inode(folder) : NULL);
    }
    if (name->now != NULL) {
        struct content recorded = inode_content(name->now);
        bool same = recorded.size == there.size &&
                    (there.size == 0 || memcmp(recorded.data, there.data, (size_t)there.size) == 0);
        if (!same) {
            inode_differ(name->now, &there);
        }
        free(recorded.data);
    }
    free(there.data);
}

void folder_go_on(struct folder *folder, const char *left) {
    FILE *file = fopen(left, "rbe");
    if (file == NULL) {
        return;
    }
    take_folder(file, folder);
    (void)fclose(file);
    (void)unlink(left);
    for (size_t i = 0; i < folder->name_count; i++) {
        if (folder->names[i].is_known) {
            compare_with_file(folder, &folder->names[i]);
        }
    }
}
