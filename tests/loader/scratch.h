/* scratch.h: a folder of a test's own, and files in it. Whatever fails, fails the test. */
#ifndef POLARIS_TESTS_LOADER_SCRATCH_H
#define POLARIS_TESTS_LOADER_SCRATCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct scratch {
    char folder[64];
    char path[128]; /* of the file that scratch_path named last */
};

void scratch_open(struct scratch *scratch);
/* Where files cost no time, if the machine has such a place. */
void scratch_open_in_memory(struct scratch *scratch);
/* Removes the folder and the files in it. */
void scratch_close(struct scratch *scratch);

/* The path of a file in the folder; good until the next call. */
const char *scratch_path(struct scratch *scratch, const char *name);

struct file {
    uint8_t *data; /* free() it */
    size_t size;
};
struct file file_read(const char *path);
/* A new file takes the place of what was there: another inode. */
void file_replace(const char *path, const void *data, size_t size);
/* The same inode gets other content. */
void file_overwrite(const char *path, const void *data, size_t size);
void file_copy(const char *from, const char *to);

/* What this process holds: lines of /proc/self/maps with the word; entries of /proc/self/NAME. */
size_t maps_with(const char *word);
size_t proc_entries(const char *name);

#endif
