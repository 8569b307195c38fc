/* wal_index.c: writing into the index of a write-ahead log, as sqlite.org/walformat.html ("The WAL-Index File Format")
 * describes it, under the lock that it names. */
#include "storage/sqlite/wal_index.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/sqlite/file_methods.h"

enum {
    VERSION = 3007000, /* of the form below; since 2010 there was no other one */
    REGION_SIZE = 32768,
    CHECKPOINT_LOCK = 1
};

/* The beginning of the first region, in the byte order of the machine. */
struct index {
    struct {
        uint32_t version;
        uint32_t others[11];
    } headers[2];
    atomic_uint_least32_t backfill; /* so many frames are copied: whoever adds to it holds CHECKPOINT_LOCK */
};
static_assert(offsetof(struct index, backfill) == 96 && sizeof(atomic_uint_least32_t) == 4, "as in the file");

/* What else is there stays true:
 * - nBackfillAttempted, up to where the file may have pages of the log: it may.
 * - The read marks. Who reads the file alone (mark 0) began when all was copied, and keeps others from copying, as
 *   before; the writer among them finds 0 when it asks whether the log may begin again, and appends to it.
 * - Who reads already remembers what was copied when it began, and reads that from the file until it ends: what the
 *   system still has in memory is right, and nobody can tell it of what is not. */
bool wal_index_forget_copied(sqlite3 *db) {
    sqlite3_file *file = file_methods_file(db, SQLITE_FCNTL_FILE_POINTER);
    if (file == NULL || file->pMethods == NULL || file->pMethods->iVersion < 2) {
        return false;
    }
    volatile void *region = NULL; /* mapped before it is locked: there are no locks without */
    int code = file->pMethods->xShmMap(file, 0, REGION_SIZE, 0, &region);
    if (code != SQLITE_OK || region == NULL) {
        return false;
    }
    code = file->pMethods->xShmLock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
    if (code != SQLITE_OK) {
        return false;
    }
    volatile struct index *index = region;
    bool is_known = index->headers[0].version == VERSION;
    if (is_known) {
        atomic_store(&index->backfill, 0);
        file->pMethods->xShmBarrier(file);
    }
    (void)file->pMethods->xShmLock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    return is_known;
}
