/* image.c: reads a build's file once, and makes the private copy of it that runs.
 *
 * The copy is a sealed memfd, loaded through /proc/self/fd. The alternative, a file in a private folder, does not work
 * where every folder that can be written is mounted noexec, can be altered by other processes of the same user, and
 * stays behind when the host is killed at the wrong moment. A memfd has an inode of its own and, once sealed, content
 * that nobody can change. What it cannot have is neighbours: a build must not look for libraries beside itself
 * ($ORIGIN). */
#include "loader/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "owned.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

enum { FILE_SIZE_MAX = 256 << 20 };

static enum loader_refusal refuse_errno(struct failure *failure, const char *path, const char *what) {
    (void)failure_set(failure, "cannot %s '%s': %s", what, path, strerror(errno));
    return LOADER_NO_FILE;
}

/* Root's files are as trustworthy as the user's own: that is how packages install builds. */
static enum loader_refusal check_trust(const struct stat *status, const char *path, struct failure *failure) {
    const char *kind = S_ISDIR(status->st_mode) ? "folder" : "file";
    if (status->st_uid != geteuid() && status->st_uid != 0) {
        (void)failure_set(failure,
                          "the %s '%s' belongs to user %u, who is neither the user of this process (%u) nor root", kind,
                          path, status->st_uid, geteuid());
        return LOADER_UNSAFE_OWNER;
    }
    if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        (void)failure_set(failure, "the %s '%s' can be written by group or others (mode %03o): chmod go-w", kind, path,
                          status->st_mode & 0777U);
        return LOADER_UNSAFE_MODE;
    }
    return LOADER_OK;
}

/* Opens the file within its folder, so that the folder that was checked is the one that holds the file. `path` is
 * resolved: a link in the last place was put there since. */
static enum loader_refusal open_checked(const char *path, const struct loader_options *options, int *ret_fd,
                                        struct stat *ret_status, struct failure *failure) {
    char folder[PATH_MAX];
    const char *name = strrchr(path, '/') + 1;
    size_t folder_size = (size_t)(name - path) == 1 ? 1 : (size_t)(name - path) - 1;
    memcpy(folder, path, folder_size);
    folder[folder_size] = '\0';
    CLEANUP(fd_closep) int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    /* O_NONBLOCK: a pipe must be refused, not waited for. */
    CLEANUP(fd_closep)
    int fd = folder_fd < 0 ? -1 : openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat folder_status;
    if (fd < 0 || fstat(folder_fd, &folder_status) != 0 || fstat(fd, ret_status) != 0) {
        return refuse_errno(failure, path, "open the plugin");
    }
    if (!S_ISREG(ret_status->st_mode)) {
        (void)failure_set(failure, "cannot load the plugin '%s': it is not a regular file", path);
        return LOADER_NO_FILE;
    }
    if (!options->allow_unsafe) {
        enum loader_refusal refusal = check_trust(ret_status, path, failure);
        if (refusal == LOADER_OK) {
            refusal = check_trust(&folder_status, folder, failure);
        }
        if (refusal != LOADER_OK) {
            return refusal;
        }
    }
    *ret_fd = fd;
    fd = -1; /* the caller owns it now */
    return LOADER_OK;
}

static bool times_are_equal(const struct stat *a, const struct stat *b) {
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static enum loader_refusal read_all(int fd, const struct stat *before, struct image *image, struct failure *failure) {
    if (before->st_size > FILE_SIZE_MAX) {
        (void)failure_set(failure, "cannot load the plugin '%s': it has %lld bytes, the limit is %d", image->path,
                          (long long)before->st_size, FILE_SIZE_MAX);
        return LOADER_NO_FILE;
    }
    size_t size = (size_t)before->st_size;
    image->data = malloc(size + 1);
    if (image->data == NULL) {
        return refuse_errno(failure, image->path, "read the plugin");
    }
    while (image->size < size) {
        ssize_t got = read(fd, image->data + image->size, size - image->size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return refuse_errno(failure, image->path, "read the plugin");
        }
        if (got == 0) {
            break;
        }
        image->size += (size_t)got;
    }
    struct stat after;
    if (fstat(fd, &after) != 0 || image->size != size || !times_are_equal(before, &after)) {
        (void)failure_set(failure, "cannot load the plugin '%s': it was written to while it was read; try again",
                          image->path);
        return LOADER_NO_FILE;
    }
    return LOADER_OK;
}

static enum loader_refusal check_digest(struct image *image, const char *wanted, struct failure *failure) {
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(image->data, image->size, digest, NULL, EVP_sha256(), NULL) != 1) {
        (void)failure_set(failure, "cannot compute the SHA-256 of '%s'", image->path);
        return LOADER_WRONG_DIGEST;
    }
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(image->sha256 + 2 * i, 3, "%02x", digest[i]);
    }
    if (wanted != NULL && strcasecmp(wanted, image->sha256) != 0) {
        (void)failure_set(failure, "the SHA-256 of '%s' is %s, not %s as was asked for", image->path, image->sha256,
                          wanted);
        return LOADER_WRONG_DIGEST;
    }
    return LOADER_OK;
}

enum loader_refusal image_read(const char *path, const struct loader_options *options, struct image *ret_image,
                               struct failure *failure) {
    CLEANUP(image_done) struct image image = {0};
    char resolved[PATH_MAX];
    if (realpath(path, resolved) == NULL) {
        return refuse_errno(failure, path, "find the plugin");
    }
    (void)snprintf(image.path, sizeof image.path, "%s", resolved);

    CLEANUP(fd_closep) int fd = -1;
    struct stat status;
    enum loader_refusal refusal = open_checked(image.path, options, &fd, &status, failure);
    if (refusal == LOADER_OK) {
        refusal = read_all(fd, &status, &image, failure);
    }
    if (refusal == LOADER_OK) {
        refusal = check_digest(&image, options->sha256, failure);
    }
    if (refusal != LOADER_OK) {
        return refusal;
    }
    *ret_image = image;
    image = (struct image){0}; /* the caller owns it now */
    return LOADER_OK;
}

void image_done(struct image *image) {
    free(image->data);
    *image = (struct image){0};
}

static bool write_all(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t put = write(fd, data, size);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            data += put;
            size -= (size_t)put;
        }
    }
    return true;
}

bool image_copy(const struct image *image, int *ret_fd, struct failure *failure) {
    const char *name = strrchr(image->path, '/') + 1; /* what /proc/self/maps will call it */
    char memory_name[128];
    (void)snprintf(memory_name, sizeof memory_name, "polaris-plugin:%s", name);
    /* Not to be run by execve: mapping it executable needs no such permission. Kernels before 6.3 know no such flag. */
    CLEANUP(fd_closep) int fd = memfd_create(memory_name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) {
        fd = memfd_create(memory_name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    }
    if (fd < 0 || !write_all(fd, image->data, image->size) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        return failure_set(failure, "cannot copy the plugin '%s' into memory: %s", image->path, strerror(errno));
    }
    *ret_fd = fd;
    fd = -1; /* the caller owns it now */
    return true;
}
