/* owned.h: destructors of what is not ours: descriptors and heap memory. */
#ifndef POLARIS_HOST_OWNED_H
#define POLARIS_HOST_OWNED_H

#include <stdlib.h>
#include <unistd.h>

#include "cleanup.h"

/* CLEANUP(fd_closep) int fd = -1; */
static inline void fd_closep(int *fd) {
    if (*fd >= 0) {
        (void)close(*fd);
    }
}

/* For any `T *local`. */
static inline void freep(void *local) {
    free(*(void **)local);
}

#endif
