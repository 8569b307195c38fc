/* owner.c: taking and naming the owner of a store. */
#include "storage/sqlite/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bounds.h"

/* The file is one line: "<pid> <owner>\n". */
enum { OWNER_LINE_SIZE = 192 };

static enum status busy(int descriptor, const char *path, struct error *error) {
    char line[OWNER_LINE_SIZE] = "";
    ssize_t size = pread(descriptor, line, sizeof line - 1, 0);
    line[size > 0 ? size : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    char *name = line;
    long long pid = strtoll(line, &name, 10);
    name += strspn(name, " ");
    for (char *c = name; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x20 || (unsigned char)*c > 0x7E ? '?' : *c; /* it goes into a message as it is */
    }
    error_set(error, BUSY, "open for writing: %s is owned by %s (process %lld); close it there, or open with mode read",
              path, *name != '\0' ? name : "a writer without a name", pid);
    error_add_text(error, "owner", name);
    error_add_number(error, "pid", pid);
    return BUSY;
}

static enum status write_down(int descriptor, const char *path, const char *owner, struct error *error) {
    char line[OWNER_LINE_SIZE];
    int size = snprintf(line, sizeof line, "%lld %s\n", (long long)getpid(), owner);
    /* In this order: where no space is left, a line may still be written over another one. */
    if (pwrite(descriptor, line, (size_t)size, 0) != size || ftruncate(descriptor, size) != 0) {
        return error_set(error, errno == ENOSPC ? FULL : IO, "open for writing: writing %s.owner failed: %s", path,
                         strerrordesc_np(errno));
    }
    return OK;
}

/* Somebody may have removed it before it was locked, and the next one would make and lock another one. */
static bool is_in_its_place(const char *path, const struct stat *opened) {
    struct stat now;
    return lstat(path, &now) == 0 && now.st_ino == opened->st_ino && now.st_dev == opened->st_dev;
}

enum status owner_acquire(const char *database_path, const char *owner, int *ret_descriptor, struct error *error) {
    char path[PATH_SIZE_MAX + 16];
    snprintf(path, sizeof path, "%s.owner", database_path);
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (descriptor < 0) {
        bool forbidden = errno == EACCES || errno == EROFS || errno == EPERM;
        return error_set(error,
                         forbidden         ? READ_ONLY
                         : errno == ENOSPC ? FULL
                                           : IO,
                         "open for writing: %s cannot be made: %s", path, strerrordesc_np(errno));
    }
    struct stat opened;
    enum status status = OK;
    if (fstat(descriptor, &opened) != 0 || !S_ISREG(opened.st_mode) || opened.st_nlink > 1) {
        status = error_set(error, IO, "open for writing: %s is not a regular file with one name; remove it", path);
    } else if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        status = errno == EWOULDBLOCK
                     ? busy(descriptor, database_path, error)
                     : error_set(error, IO, "open for writing: %s cannot be locked: %s", path, strerrordesc_np(errno));
    } else if (!is_in_its_place(path, &opened)) {
        status = error_set(error, IO, "open for writing: %s was removed or replaced meanwhile; try again", path);
    } else {
        status = write_down(descriptor, database_path, owner, error);
    }
    if (status != OK) {
        (void)close(descriptor);
        return status;
    }
    *ret_descriptor = descriptor;
    return OK;
}

void owner_release(int *descriptor) {
    if (*descriptor >= 0) {
        /* Closing would do, were it not for children that the host forked: they have the descriptor as well. */
        (void)flock(*descriptor, LOCK_UN);
        (void)close(*descriptor);
        *descriptor = -1;
    }
}
