/* store.h: the stores that are measured: one that the plugin filled with N events, and of it a copy for the plugin and
 * a copy for the baseline, so that both begin with the same pages. */
#ifndef POLARIS_BENCH_STORE_H
#define POLARIS_BENCH_STORE_H

#include <jansson.h>

#include "bench/baseline.h"
#include "bench/memory.h"
#include "host/host.h"

/* What all of a benchmark has in common. Its host options say nothing of a configuration. */
struct bench_setup {
    struct host_options host;            /* the build, how it is loaded, where its log lines go */
    json_t *config;                      /* laid over the configuration of each instance; NULL: nothing */
    const char *folder;                  /* where the files are made */
    const struct memory_process *memory; /* NULL: memory cannot be measured */
};

/* The files, each with its -wal, -shm and .owner, in that folder: for removing them. */
extern const char *const BENCH_FILES[];
enum { BENCH_FILE_COUNT = 3 };
enum bench_file { FILE_SEED, FILE_PLUGIN, FILE_BASELINE };
void bench_path(const struct bench_setup *setup, enum bench_file file, char ret_path[1100]);

/* The store with N events and a body, as it was filled. */
struct bench_seed {
    uint64_t size;
    uint32_t body;
    int64_t bytes;     /* of the file, once it was closed */
    double data_bytes; /* of the data of an event, in the middle */
    int64_t build_ns;
};
/* Fills a new store: 1,000 events a request, every tenth of them through a batch, with durability normal. */
bool bench_seed_make(const struct bench_setup *setup, uint64_t size, uint32_t body, struct bench_seed *ret_seed,
                     struct failure *failure) WARN_UNUSED;

struct bench_store {
    const struct bench_setup *setup;
    uint64_t size;
    uint32_t body;
    struct host *host;         /* NULL: closed */
    struct baseline *baseline; /* NULL: closed */
    struct baseline_reader *reader;
    uint64_t next_plugin, next_baseline;    /* numbers of the next events */
    uint64_t next_letter, next_bare_letter; /* events that have no dead letter yet */
};
/* Copies the seed, twice; both are on the disk when it returns. */
bool bench_store_copy(const struct bench_setup *setup, struct failure *failure) WARN_UNUSED;
/* Opens both copies. */
bool bench_store_open(const struct bench_setup *setup, const struct bench_seed *seed, struct bench_store *ret_store,
                      struct failure *failure) WARN_UNUSED;
void bench_store_close(struct bench_store *store);
/* Opens again what was closed; the plugin's part, the baseline's, or both. */
bool bench_store_reopen(struct bench_store *store, struct failure *failure) WARN_UNUSED;
/* The one part alone. */
void bench_store_close_plugin(struct bench_store *store);
void bench_store_close_baseline(struct bench_store *store);

/* The configuration of an instance on that file: a new reference, NULL without memory. */
json_t *bench_config(const struct bench_setup *setup, enum bench_file file, const char *durability);

/* A host of the plugin's copy alone, which is made if it is missing. */
bool bench_host_open(const struct bench_setup *setup, struct host **ret_host, struct failure *failure) WARN_UNUSED;

/* A call whose reply does not matter, or is wanted as JSON (ret_reply not NULL: a new reference). `request` is stolen.
 */
bool bench_call(struct host *host, enum host_verb verb, json_t *request, json_t **ret_reply,
                struct failure *failure) WARN_UNUSED;

#endif
