/* files.h: what is done to whole files. */
#ifndef POLARIS_HOST_FILES_H
#define POLARIS_HOST_FILES_H

#include "cleanup.h"
#include "failure.h"

/* Copies a file, over one that may be there; with `sync` it is on the disk then. False: the copy is none, or a part. */
bool file_copy(const char *from, const char *to, bool sync, struct failure *failure) WARN_UNUSED;

#endif
