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
    CHECKPOINT_LOCK = 1,
    LOG_HEADER_SIZE = 32,
    FRAME_HEADER_SIZE = 24
};

/* The beginning of the first region, in the byte order of the machine. */
struct index {
    struct {
        uint32_t version, unused, changes;
        uint8_t is_complete, is_big_endian;
        uint16_t page_size; /* 1: 65,536 */
        uint32_t frames;    /* of committed transactions */
        uint32_t others[7];
    } headers[2];
    atomic_uint_least32_t backfill; /* so many frames are copied: whoever adds to it holds CHECKPOINT_LOCK */
};
static_assert(offsetof(struct index, headers[0].frames) == 16 && offsetof(struct index, backfill) == 96 &&
                  sizeof(atomic_uint_least32_t) == 4,
              "as in the file");

/* NULL: there is none. */
static volatile struct index *map(sqlite3_file *file) {
    if (file == NULL || file->pMethods == NULL || file->pMethods->iVersion < 2) {
        return NULL;
    }
    volatile void *region = NULL;
    int code = file->pMethods->xShmMap(file, 0, REGION_SIZE, 0, &region);
    return code == SQLITE_OK ? region : NULL;
}

int64_t wal_index_log_size(sqlite3 *db) {
    volatile struct index *index = map(file_methods_file(db, SQLITE_FCNTL_FILE_POINTER));
    if (index == NULL || index->headers[0].version != VERSION || index->headers[0].frames == 0) {
        return 0;
    }
    int64_t page_size = index->headers[0].page_size == 1 ? 65536 : index->headers[0].page_size;
    return LOG_HEADER_SIZE + (int64_t)index->headers[0].frames * (FRAME_HEADER_SIZE + page_size);
}

/* What else is there stays true:
 * - nBackfillAttempted, up to where the file may have pages of the log: it may.
 * - The read marks. Who reads the file alone (mark 0) began when all was copied, and keeps others from copying, as
 *   before; the writer among them finds 0 when it asks whether the log may begin again, and appends to it.
 * - Who reads already remembers what was copied when it began, and reads that from the file until it ends: what the
 *   system still has in memory is right, and nobody can tell it of what is not. */
bool wal_index_forget_copied(sqlite3 *db) {
    sqlite3_file *file = file_methods_file(db, SQLITE_FCNTL_FILE_POINTER);
    volatile struct index *index = map(file); /* before it is locked: there are no locks without */
    if (index == NULL) {
        return false;
    }
    int code = file->pMethods->xShmLock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE);
    if (code != SQLITE_OK) {
        return false;
    }
    bool is_known = index->headers[0].version == VERSION;
    if (is_known) {
        atomic_store(&index->backfill, 0);
        file->pMethods->xShmBarrier(file);
    }
    (void)file->pMethods->xShmLock(file, CHECKPOINT_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    return is_known;
}
