/* faults.h: the n-th call of the file system fails, counted over all files and threads of this process. */
#ifndef POLARIS_TORTURE_FAULTS_H
#define POLARIS_TORTURE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_IO,   /* any call, each with its own code */
    FAULT_FULL, /* what needs space: writes (half of it is written), files that are made, shared memory that grows, and
                   syncs: some systems look for the space only then */
    FAULT_BUSY, /* locks, of files and of shared memory */
    FAULT_KINDS
};

const char *fault_kind_name(enum fault_kind kind);

/* How many there were since they were asked for, and the call (enum vfs_call) that had the first; kept by whoever wants
 * to know it after this process was killed. */
struct faults_seen {
    int64_t fired;
    int first;
    bool was_sync; /* one of them */
};
void faults_tell(struct faults_seen *seen);

/* From now on databases are opened where faults can be. Waits for locks take no time. */
void faults_install(void);
/* The n-th call from now on that can have such a fault has it, and all such after it if `persistent`. */
void faults_at(enum fault_kind kind, int64_t n, bool persistent);
/* The same for `count` calls from the n-th on. */
void faults_from(enum fault_kind kind, int64_t n, int64_t count);
/* All that were to come have come. */
bool faults_are_over(void);
int64_t faults_fired(void);
/* No more of them. Returns how many there were. */
int64_t faults_end(void);
/* One of them was a sync: what failed there for want of space need not be told as that. */
bool faults_had_sync(void);
/* The name of the first call that had one. */
const char *faults_first(void);

#endif
