/* scratch.c: files of tests. */
#include "scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void scratch_open(struct scratch *scratch) {
    *scratch = (struct scratch){.folder = "/tmp/polaris-loader-XXXXXX"};
    cr_assert_not_null(mkdtemp(scratch->folder));
}

void scratch_open_in_memory(struct scratch *scratch) {
    *scratch = (struct scratch){.folder = "/dev/shm/polaris-loader-XXXXXX"};
    if (mkdtemp(scratch->folder) == NULL) {
        scratch_open(scratch);
    }
}

void scratch_close(struct scratch *scratch) {
    DIR *folder = opendir(scratch->folder);
    cr_assert_not_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            cr_assert_eq(unlinkat(dirfd(folder), entry->d_name, 0), 0);
        }
    }
    (void)closedir(folder);
    cr_assert_eq(rmdir(scratch->folder), 0);
}

const char *scratch_path(struct scratch *scratch, const char *name) {
    (void)snprintf(scratch->path, sizeof scratch->path, "%s/%s", scratch->folder, name);
    return scratch->path;
}

struct file file_read(const char *path) {
    struct file file = {0};
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && fstat(fd, &status) == 0, "cannot open %s", path);
    file.size = (size_t)status.st_size;
    file.data = malloc(file.size + 1);
    cr_assert_not_null(file.data);
    cr_assert_eq(read(fd, file.data, file.size), (ssize_t)file.size);
    (void)close(fd);
    return file;
}

static void write_file(const char *path, int flags, const void *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0755);
    cr_assert(fd >= 0, "cannot write %s", path);
    cr_assert_eq(fchmod(fd, 0755), 0); /* whatever the umask is */
    cr_assert_eq(write(fd, data, size), (ssize_t)size);
    cr_assert_eq(close(fd), 0);
}

void file_replace(const char *path, const void *data, size_t size) {
    char other[256];
    (void)snprintf(other, sizeof other, "%s.new", path);
    write_file(other, O_CREAT | O_EXCL, data, size);
    cr_assert_eq(rename(other, path), 0);
}

void file_overwrite(const char *path, const void *data, size_t size) {
    write_file(path, O_TRUNC, data, size);
}

void file_copy(const char *from, const char *to) {
    struct file file = file_read(from);
    file_replace(to, file.data, file.size);
    free(file.data);
}

size_t maps_with(const char *word) {
    FILE *maps = fopen("/proc/self/maps", "re");
    cr_assert_not_null(maps);
    char line[4096];
    size_t count = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        count += strstr(line, word) != NULL;
    }
    (void)fclose(maps);
    return count;
}

size_t proc_entries(const char *name) {
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/%s", name);
    DIR *folder = opendir(path);
    cr_assert_not_null(folder);
    size_t count = 0;
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}
