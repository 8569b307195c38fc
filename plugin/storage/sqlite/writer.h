/* writer.h: the one writer: a thread that runs the jobs which wait together in one transaction, and so in one fsync.
 *
 * Each job has its own savepoint, so that one that fails, fails alone. A second thread copies the write-ahead log into
 * the file, off the writer's path. Neither wakes up while nobody calls. */
#ifndef POLARIS_SQLITE_WRITER_H
#define POLARIS_SQLITE_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/tail.h"

/* Types repeat: their numbers are remembered. Forgotten on every rollback, which may have taken the rows. */
enum { TYPE_CACHE_SIZE = 64 };
struct type_cache {
    uint32_t count;
    struct {
        int64_t id;
        uint8_t size;
        char name[TYPE_SIZE_MAX];
    } entries[TYPE_CACHE_SIZE];
};

/* The types whose schema or settings were changed last: change n stands at n % SCHEMA_CHANGES_KEPT. */
enum { SCHEMA_CHANGES_KEPT = 64 };
struct schema_changes {
    int64_t count;                       /* of changes, done or tried */
    uint64_t types[SCHEMA_CHANGES_KEPT]; /* hashes of their names */
};

/* What the writer's transaction has done so far; a savepoint that is rolled back restores it. */
struct writer_progress {
    int64_t last_id;     /* highest id given */
    int64_t recorded_us; /* highest recorded_at given: it never goes back */
};

struct writer {
    bool started;                 /* false: the store was opened for reading */
    struct connection connection; /* used by the writer's thread only */
    struct connection checkpointer;
    const struct config *config;
    const struct storage_host *host;
    struct tail *tail;
    struct writer_progress progress; /* the writer's thread only */
    struct type_cache types;
    int64_t page_size;
    int wal_pages;                          /* of the log, after the last commit */
    struct schema_changes schema_changes;   /* the writer's thread only */
    atomic_int_least64_t schema_generation; /* their count, as of the end of the last group: others read it */

    pthread_t thread;
    pthread_t checkpoint_thread;
    pthread_mutex_t mutex; /* all below */
    pthread_cond_t work;
    pthread_cond_t checkpoint_work;
    struct write_job *first, *last;
    int64_t queued;
    int64_t finished_at_stop; /* jobs that were still waiting when writer_stop was called */
    bool stopping;
    bool checkpoint_wanted;
    bool checkpoint_stopping;
};

/* Runs in the writer's thread inside a transaction; must leave nothing running. When it fails, what it wrote is undone.
 */
typedef enum status (*write_function)(struct writer *writer, void *argument, struct error *error);

/* `path` is open and has the newest format. */
WARN_UNUSED enum status writer_start(struct writer *writer, const char *path, const struct config *config,
                                     const struct storage_host *host, struct tail *tail, struct error *error);
/* Finishes all that was queued, stops both threads, closes both connections. Returns how many jobs were finished here.
 */
int64_t writer_stop(struct writer *writer);

/* Queues the job and waits until it is committed. BUSY: queue_max jobs wait already. */
WARN_UNUSED enum status writer_run(struct writer *writer, write_function function, void *argument, struct error *error);

/* < 0: the store was opened for reading. */
static inline int64_t writer_schema_generation(const struct writer *writer) {
    return writer->started ? atomic_load(&writer->schema_generation) : -1;
}

/* The next id, and the time to record with it. */
int64_t writer_next_id(struct writer *writer);
int64_t writer_recorded_us(struct writer *writer);

/* The number of a type, made if it is new. */
WARN_UNUSED enum status writer_type_id(struct writer *writer, struct bytes name, int64_t *ret_id, struct error *error);

#endif
