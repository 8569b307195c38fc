/* mapped.h: where the code of every build lies that this process has mapped, retired ones included. */
#ifndef POLARIS_HOST_LOADER_MAPPED_H
#define POLARIS_HOST_LOADER_MAPPED_H

#include "cleanup.h"
#include <stdbool.h>

/* False if the base is there already: the system's loader gave the code of an earlier load; or no memory. */
bool mapped_add(const void *base) WARN_UNUSED;
void mapped_remove(const void *base);

#endif
