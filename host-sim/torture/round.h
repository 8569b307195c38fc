/* round.h: the processes of a round: one that works, some that recover and are killed or have their power cut, and one
 * that holds the store against the ledger. Builds are loaded in there only. */
#ifndef POLARIS_TORTURE_ROUND_H
#define POLARIS_TORTURE_ROUND_H

#include <sys/types.h>

#include "loader/loader.h"
#include "torture/call.h"
#include "torture/disk.h"
#include "torture/plan.h"

enum { CONFIG_KEYS_MAX = 32, CONFIG_KEY_SIZE = 32, CONFIG_SIZE = 1024 };

/* What a build says of itself. */
struct torture_build {
    char name[64], version[64], build_id[64];
    uint32_t major, minor;
    uint64_t capabilities;
    bool has_submit;
    bool says_shared;                               /* of its SQLite: that it is the system's */
    bool shares_sqlite;                             /* it does, and its calls are seen */
    char sha256[65];                                /* of the bytes that run; those of all rounds */
    char lacking[CONFIG_KEYS_MAX][CONFIG_KEY_SIZE]; /* keys of the configuration that it does not know */
    int lacking_count;
};

/* What the processes of a run share; one of them writes at a time. */
struct shared {
    struct ledger ledger;
    struct arena arena;
    struct complaints complaints;
    struct faults_seen faults;
    int64_t disk_calls; /* of the last process that had a disk which loses its power */
    struct torture_build builds[2];
};

struct round {
    struct plan plan;
    struct shared *shared;
    const char *paths[2]; /* of the builds; the second may be NULL: the first once more */
    struct loader_options loader;
    const char *folder; /* of the store */
    enum disk_syncs syncs;
    pid_t parent;
    int out; /* a file: what its processes write to standard output and error */
};

enum task { TASK_MEET, TASK_WORK, TASK_FALL, TASK_REPEAT, TASK_RECOVER, TASK_JUDGE };
struct assignment {
    const struct round *round;
    enum task task;
    int64_t change; /* in the middle of which TASK_FALL, TASK_REPEAT or TASK_RECOVER ends */
};

/* Exit code of a process that a power cut, or a kill in the middle of a change, ended. */
enum { ROUND_CUT = 9 };

/* For struct life; `context` is a struct assignment. */
void round_run(void *context, int reports);

#endif
