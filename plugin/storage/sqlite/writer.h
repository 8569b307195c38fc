/* writer.h: the one writer: jobs that wait together are run in one transaction, and so in one fsync.
 *
 * Each job has its own savepoint, or only puts events on the stage, so that one that fails, fails alone; when what is
 * on the stage cannot be written, its jobs are run anew, each in a transaction of its own. A thread commits the groups;
 * a caller that is alone commits by itself. A second thread copies the write-ahead log into the file, off the writer's
 * path. Neither wakes up while nobody calls. */
#ifndef POLARIS_SQLITE_WRITER_H
#define POLARIS_SQLITE_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "storage/sqlite/checkpointer.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/log_buffer.h"
#include "storage/sqlite/stage.h"
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

struct writer;

/* Runs inside a transaction, in the writer's thread or in that of a caller; must leave nothing running. When it fails,
 * what it wrote is undone. */
typedef enum status (*write_function)(struct writer *writer, void *argument, struct error *error);

struct write_job {
    write_function function;
    void *argument;
    struct error *error;
    /* The job is committed, or failed: told in commit order, without a lock held. The job may be gone when it returns.
     */
    void (*finished)(struct write_job *job);
    bool is_awaited;  /* its caller stands still until its group has ended; `finished` is NULL */
    bool only_stages; /* it reads, and puts events on the stage, and does nothing else */
    enum status status;
    struct write_job *next;
};

enum { ENDED_GROUPS = 8 };

struct writer {
    bool started; /* false: the store was opened for reading */
    /* For whoever is at work: see `busy`. */
    struct connection connection;
    struct log_buffer log_buffer;
    struct checkpointer checkpointer;
    const struct config *config;
    const struct storage_host *host;
    struct tail *tail;
    struct stage stage;
    struct writer_progress progress;
    struct type_cache types;
    int64_t page_size;
    int64_t commit_ns; /* what the last group took; before the first, a guess */
    struct schema_changes schema_changes;
    atomic_int_least64_t schema_generation; /* their count, as of the end of the last group: others read it */

    /* The last group that has ended, of those whose number is i modulo their count: its callers sleep on it (futex(2)),
     * so that one call wakes all of them. */
    atomic_uint_least32_t ended_groups[ENDED_GROUPS];

    pthread_t thread;
    pthread_mutex_t mutex; /* all below */
    pthread_cond_t work;
    uint32_t next_group; /* the number of the group that is taken next */
    bool busy;           /* a group is being committed, by the writer's thread or by a caller on its own */
    struct write_job *first, *last;
    int64_t queued;
    int64_t awaited;          /* of them, those whose callers wait */
    int64_t wanted;           /* so many queued jobs wake the writer's thread */
    int64_t expected;         /* the callers of the last group; before the first, a guess */
    int64_t unheard_id;       /* committed by a caller on its own: the host is still to be woken; or 0 */
    int64_t finished_at_stop; /* jobs that were still waiting when writer_stop was called */
    bool stopping;
};

/* `path` is open and has the newest format. */
WARN_UNUSED enum status writer_start(struct writer *writer, const char *path, const struct config *config,
                                     const struct storage_host *host, struct tail *tail, struct error *error);
/* Finishes all that was queued, stops both threads, closes both connections. Returns how many jobs were finished here.
 * `keep_log`: what is not copied into the file yet stays in the log. */
int64_t writer_stop(struct writer *writer, bool keep_log);

/* Queues the job and waits until it is committed. BUSY: queue_max jobs wait already. */
WARN_UNUSED enum status writer_run(struct writer *writer, write_function function, void *argument, struct error *error);

/* The same for a function that writes only by putting events on the stage: it needs no savepoint. */
WARN_UNUSED enum status writer_stage(struct writer *writer, write_function function, void *argument,
                                     struct error *error);

/* Queues the job and returns; on OK its `finished` will be called. queue_max does not count it: whoever begins jobs
 * bounds their number. */
WARN_UNUSED enum status writer_begin(struct writer *writer, struct write_job *job, struct error *error);

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
