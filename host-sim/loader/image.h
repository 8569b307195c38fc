/* image.h: a build's file, read once, and the private copy of it that runs. */
#ifndef POLARIS_HOST_LOADER_IMAGE_H
#define POLARIS_HOST_LOADER_IMAGE_H

#include "cleanup.h"
#include "loader/loader.h"

/* The bytes of a file, as they were at one moment. Zeroed is empty. */
struct image {
    char path[4096];
    char sha256[65];
    uint8_t *data;
    size_t size;
};

/* Reads the file, after checking who may write to it. Nothing is opened twice: what is checked, hashed and run are the
 * same bytes. */
enum loader_refusal image_read(const char *path, const struct loader_options *options, struct image *ret_image,
                               struct failure *failure) WARN_UNUSED;
void image_done(struct image *image);

/* Puts the bytes into memory that nobody can alter, and gives a descriptor of it. */
bool image_copy(const struct image *image, int *ret_fd, struct failure *failure) WARN_UNUSED;

#endif
