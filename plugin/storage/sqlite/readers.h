/* readers.h: the pool of reading connections; each read has one to itself, on one snapshot. */
#ifndef POLARIS_SQLITE_READERS_H
#define POLARIS_SQLITE_READERS_H

#include <pthread.h>

#include "storage/sqlite/connection.h"

struct readers {
    pthread_mutex_t mutex;
    pthread_cond_t returned;
    const struct config *config;
    const struct storage_host *host;
    const char *path;
    struct connection *connections; /* config->readers of them; opened when first needed */
    int32_t *idle;                  /* indexes of those not in use; the last one was used last, its cache is warm */
    int32_t idle_count;
};

/* All pointers must stay good until readers_done. */
WARN_UNUSED enum status readers_init(struct readers *readers, const char *path, const struct config *config,
                                     const struct storage_host *host, struct error *error);
void readers_done(struct readers *readers);

/* Waits for a free connection and begins a read transaction on it. Give back with reader_release, its CLEANUP
 * destructor; a zeroed reader holds nothing. */
struct reader {
    struct readers *pool;
    struct connection *connection;
    int32_t index;
};
WARN_UNUSED enum status reader_acquire(struct readers *readers, struct reader *ret_reader, struct error *error);
void reader_release(struct reader *reader);

#endif
