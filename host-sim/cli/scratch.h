/* scratch.h: a store for one run only, in a folder of its own that is gone afterwards. */
#ifndef POLARIS_HOST_SCRATCH_H
#define POLARIS_HOST_SCRATCH_H

#include <stdbool.h>

#include "cleanup.h"
#include "failure.h"

struct scratch {
    char folder[1024]; /* "": none was made */
    char db_path[1040];
    bool keep;
};

/* Makes the folder, in $TMPDIR or /tmp. It goes with SIGINT, SIGTERM and SIGHUP as well. One at a time. */
bool scratch_init(struct scratch *scratch, bool keep, struct failure *failure) WARN_UNUSED;
/* Another database in the folder, by its name: removed with the rest, and what stands beside it. */
bool scratch_add(struct scratch *scratch, const char *name, struct failure *failure) WARN_UNUSED;
/* Removes the folder, unless it is to be kept. For CLEANUP, before anything that has the store open. */
void scratch_done(struct scratch *scratch);

#endif
