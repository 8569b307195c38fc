/* host.h: one open store behind a gate, through which builds of the plugin are swapped while calls go on.
 *
 * Every call enters through the gate, which counts it. A swap loads and checks the new build first, closes the gate,
 * ends long polls, drains, shuts the old instance down, starts the new one, and opens the gate: callers wait, none
 * fails. If the new build does not start, the old one is started again. There are never two writers on one file. */
#ifndef POLARIS_HOST_HOST_H
#define POLARIS_HOST_HOST_H

#include <polaris/event_store.h>
#include <stdint.h>

#include "failure.h"
#include "host/calls.h"
#include "loader/loader.h"

enum host_verb { HOST_STORE, HOST_QUERY, HOST_DLQ, HOST_SCHEMA, HOST_VERB_COUNT };
const char *host_verb_name(enum host_verb verb);
bool host_verb_from_name(const char *name, enum host_verb *ret_verb);

/* Owned bytes of a reply; zeroed is empty; free with reply_done(). */
struct reply {
    int32_t status;
    uint8_t *data;
    size_t size, capacity;
};
void reply_done(struct reply *reply);

struct host;

struct host_options {
    const char *plugin_path;
    struct loader_options loader; /* loader.sha256 pins the first build, not those that are swapped in */
    const void *config;           /* msgpack map for init; copied */
    size_t config_size;
    /* The same for a reader of the store; copied. NULL: none. During a swap the new build reads the store as well, from
     * before the gate closes: as long as somebody has it open, the index of its write-ahead log need not be made anew.
     */
    const void *reader_config;
    size_t reader_config_size;
    void (*log)(void *context, int32_t level, const char *line); /* NULL: dropped */
    int64_t (*now_us)(void *context);                            /* NULL: the system's clock */
    void (*wake)(void *context, int64_t last_id);                /* NULL: none */
    void *context;
    bool unguarded; /* leave out the run-time check of the thread rules (guard.h) */
    /* Where calls are noted while they are in progress, but for unguarded ones. NULL: nowhere. */
    struct calls_now *calls;
    uint32_t drain_max_ms; /* a swap gives up when calls are still inside after this long; 0: two minutes */
};

/* Loads the build and opens the store. The init reply, or the error map, is in *ret_reply if it is not NULL (reply_done
 * it in any case). If it is empty after a failure, it did not come to init: the build could not be loaded. */
bool host_open(const struct host_options *options, struct host **ret_host, struct reply *ret_reply,
               struct failure *failure) __attribute__((warn_unused_result));

/* Waits for calls in progress, shuts down, unloads. No call may begin after it. NULL is allowed. */
void host_close(struct host *host);

/* One call through the gate, from any thread. Returns the status; the reply replaces what *reply held. BUSY if no store
 * is open. INVALID from within a callback of this host (log, now_us, wake): they must not call. */
int32_t host_call(struct host *host, enum host_verb verb, const void *request, size_t size, struct reply *reply);

/* A request of `store` that is not waited for, through the gate, from any thread; for as long as a swap takes it waits
 * for the gate. What it returns, and when `done` is called, is the plugin's to say (polaris_es_table.submit); a swap
 * and host_close have it called for all that was taken. UNSUPPORTED: the running build has no submit. BUSY if no store
 * is open. INVALID from within a callback of this host. `ret_ticket` may be NULL. */
int32_t host_submit(struct host *host, const void *request, size_t size, const polaris_es_completion *completion,
                    uint64_t *ret_ticket);
/* Tickets are of the build that gave them: a swap ends all requests that had one. */
int32_t host_cancel(struct host *host, uint64_t ticket);

/* What a swap did and how long callers were kept out. Microseconds, monotonic. */
struct swap_report {
    bool swapped;          /* false: the old build goes on */
    char from[64], to[64]; /* build ids */
    int64_t load_us;       /* loading and checking the new build, and its reader, with the gate open */
    int64_t drain_us;      /* from closing the gate until no call was inside */
    int64_t shutdown_us;
    int64_t init_us;
    int64_t pause_us;     /* the gate was closed */
    int64_t waited_calls; /* calls that had to wait */
};

/* Swaps the running build for another one; one swap at a time, from any thread that is not within a call. False: the
 * new build was not taken; `failure` says why; the old one runs again, unless host_is_open says otherwise (then not
 * even the old one started: every call answers BUSY until a swap succeeds). The report is filled in either case. */
bool host_swap(struct host *host, const char *plugin_path, struct swap_report *ret_report, struct failure *failure)
    __attribute__((warn_unused_result));
bool host_is_open(const struct host *host);

/* How often the thread rules of the header were broken so far, by either side. Each was logged as an error. */
uint64_t host_violations(const struct host *host);

/* The build that runs now; valid until the next swap. */
const struct plugin *host_plugin(const struct host *host);

#endif
