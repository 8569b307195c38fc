/* polaris/event_store.h: the boundary between the Polaris graph database host and its event store plugin.
 *
 * This header is the specification of the binary interface. SPEC.md beside it specifies the msgpack requests and
 * replies that cross it, and CHANGELOG.md says what each revision added. C99 and C++11 or later; 64-bit Linux.
 *
 * In short: the host loads the plugin with dlopen, looks up the one exported symbol,
 * `polaris_event_store_entry`, says hello, and gets a table of functions. `init` opens a store and gives an
 * instance; every verb then takes one msgpack map and answers with one msgpack map through the caller's sink.
 *
 * SIZES. Every struct that crosses starts with its own size in bytes, set by whoever owns the memory, and grows at the
 * end only. A reader never touches a byte past the smaller of the size stated and the size it knows. A missing function
 * slot reads as NULL. An input larger than known is accepted only if its unknown tail is all zero: a new flag is never
 * silently ignored (the rule of openat2(2) and clone3(2)). Outputs are bounded by the caller's size; a tail that the
 * callee does not know is filled with zeros. A struct smaller than in revision 1.0, or with a stated size above 4096, is
 * refused; so is a `reserved` of an input that is not 0. The by-value pair polaris_bytes is frozen and has no size.
 *
 * OWNERSHIP. Nothing allocated on one side is freed by the other. What is passed in is borrowed until the call returns.
 * Nothing that outlives a call points into the plugin, but for the table and the instance, which live until the host
 * unloads the plugin or shuts the instance down.
 *
 * THREAD TAGS. Every function carries one line in this closed grammar, and POLARIS_ES_THREAD_RULES holds the same
 * facts for programs to read:
 *
 *     [who: W; state: S; blocks: B; calls: C]
 *
 *     W  any        from any number of threads at once
 *        exclusive  no other call on the same instance may be in progress (calls on other instances may)
 *     S  loaded     the plugin is loaded; no instance is needed
 *        ready      between a successful init and the start of shutdown of that instance
 *     B  no         never waits for another thread, a lock held over I/O, or I/O itself
 *        bounded    may wait for I/O or locks, no longer than the configuration allows
 *     C  none       calls nothing of the host's
 *        services   may call the host's services, or a completion, from the calling thread or a thread of the plugin
 *        sink       may call the reply sink, from the calling thread, before returning
 *        both       services and sink
 *
 * A callback (service, sink or completion) must not call back into the instance that called it.
 */
#ifndef POLARIS_EVENT_STORE_H
#define POLARIS_EVENT_STORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The revision that this header describes. A major changes only when something is removed or altered; a minor, whenever
 * something is added. */
#define POLARIS_ES_ABI_MAJOR 1u
#define POLARIS_ES_ABI_MINOR 1u

/* The name of the exported symbol, for dlsym. */
#define POLARIS_ES_ENTRY_SYMBOL "polaris_event_store_entry"

/* ---- Status: what every function returns ----------------------------------------------------------------------- */

/* X(NAME, number, retryable, meaning). Numbers are stable for good. `retryable`: the same request may succeed later
 * without anybody changing it. Unless said otherwise a call that did not return OK changed nothing. Since 1.0. */
#define POLARIS_ES_STATUSES(X)                                                                                         \
    X(OK, 0, 0, "done")                                                                                                \
    X(INVALID, 1, 0, "the request is malformed: an unknown, missing, mistyped or out of range field")                  \
    X(UNSUPPORTED, 2, 0, "this plugin does not have the operation or the option")                                      \
    X(NOT_FOUND, 3, 0, "what the request names does not exist")                                                        \
    X(CONFLICT, 4, 0, "the state of the store contradicts a precondition of the request")                              \
    X(CLOSED, 5, 0, "what the request names was closed before")                                                        \
    X(ALREADY, 6, 0, "what the request asks for was done before")                                                      \
    X(BUSY, 7, 1, "another owner, a foreign lock or a full queue; try again")                                          \
    X(TOO_LARGE, 8, 0, "a limit on size, depth or count would be exceeded")                                            \
    X(FULL, 9, 1, "no space left, on the disk or within the configured size")                                          \
    X(READ_ONLY, 10, 0, "the store was opened for reading, or the file cannot be written")                             \
    X(INCOMPATIBLE, 11, 0, "versions do not match: of the interface, or of the file")                                  \
    X(REJECTED, 12, 0, "the event does not satisfy the schema of its type")                                            \
    X(CANCELLED, 13, 1, "the call was given up before it began")                                                       \
    X(REPLY_LOST, 14, 0, "the work is DONE, but the sink refused the reply")                                           \
    X(IO, 15, 1, "the file system failed")                                                                             \
    X(CORRUPT, 16, 0, "the file is damaged or is not an event store")                                                  \
    X(NO_MEMORY, 17, 1, "memory could not be allocated")                                                               \
    X(INTERNAL, 18, 0, "a defect of the plugin")

#define POLARIS_ES_STATUS_CONSTANT(name, number, retryable, meaning) POLARIS_ES_##name = number,
enum { POLARIS_ES_STATUSES(POLARIS_ES_STATUS_CONSTANT) POLARIS_ES_STATUS_COUNT };
#undef POLARIS_ES_STATUS_CONSTANT

/* ---- Names ------------------------------------------------------------------------------------------------------- */

/* The types of the events that Polaris itself publishes; others are allowed unless the configuration closes the set.
 * X(CONSTANT, "name"). Since 1.0. */
#define POLARIS_ES_TYPES(X)                                                                                            \
    X(NODE_CREATED, "node_created")                                                                                    \
    X(NODE_UPDATED, "node_updated")                                                                                    \
    X(NODE_DELETED, "node_deleted")                                                                                    \
    X(EDGE_CREATED, "edge_created")                                                                                    \
    X(EDGE_UPDATED, "edge_updated")                                                                                    \
    X(EDGE_DELETED, "edge_deleted")                                                                                    \
    X(GRAPH_VALIDATED, "graph_validated")                                                                              \
    X(SCHEMA_UPDATED, "schema_updated")                                                                                \
    X(BACKUP_CREATED, "backup_created")                                                                                \
    X(BACKUP_RESTORED, "backup_restored")

#define POLARIS_ES_TYPE_NODE_CREATED "node_created"
#define POLARIS_ES_TYPE_NODE_UPDATED "node_updated"
#define POLARIS_ES_TYPE_NODE_DELETED "node_deleted"
#define POLARIS_ES_TYPE_EDGE_CREATED "edge_created"
#define POLARIS_ES_TYPE_EDGE_UPDATED "edge_updated"
#define POLARIS_ES_TYPE_EDGE_DELETED "edge_deleted"
#define POLARIS_ES_TYPE_GRAPH_VALIDATED "graph_validated"
#define POLARIS_ES_TYPE_SCHEMA_UPDATED "schema_updated"
#define POLARIS_ES_TYPE_BACKUP_CREATED "backup_created"
#define POLARIS_ES_TYPE_BACKUP_RESTORED "backup_restored"

/* Capability bits of polaris_es_table.capabilities: what works in this build. Since 1.0. */
#define POLARIS_ES_CAN_APPEND (UINT64_C(1) << 0)       /* store: append, batches                                   */
#define POLARIS_ES_CAN_QUERY (UINT64_C(1) << 1)        /* query: every op of SPEC.md                                */
#define POLARIS_ES_CAN_LONG_POLL (UINT64_C(1) << 2)    /* query: wait_us                                            */
#define POLARIS_ES_CAN_DEAD_LETTERS (UINT64_C(1) << 3) /* dlq: every op of SPEC.md                                  */
#define POLARIS_ES_CAN_SCHEMAS (UINT64_C(1) << 4)      /* schema: the registry keeps and gives back schemas         */
#define POLARIS_ES_CAN_VALIDATE (UINT64_C(1) << 5)     /* schema: validation by every op and setting of SPEC.md     */
#define POLARIS_ES_CAN_WAKE (UINT64_C(1) << 6)         /* polaris_es_services.wake is called                        */
#define POLARIS_ES_CAN_READ_MODE (UINT64_C(1) << 7)    /* init: mode "read" beside a writer of another process      */
#define POLARIS_ES_CAN_SUBMIT (UINT64_C(1) << 8)       /* submit and cancel; since 1.1                              */

/* ---- Values that cross ------------------------------------------------------------------------------------------- */

/* Borrowed bytes: valid until the call that they are passed to returns. `data` may be NULL when `size` is 0. Frozen. */
typedef struct polaris_bytes {
    const uint8_t *data;
    uint64_t size;
} polaris_bytes;

/* Where a reply goes: the host's memory, file or socket. Input. Since 1.0. */
typedef struct polaris_sink {
    uint32_t size; /* sizeof(polaris_sink) */
    uint32_t reserved;
    void *context; /* handed back to write */

    /* Takes the next piece of the reply; pieces arrive in order and add up to exactly one msgpack map. Returns 0 to go
     * on, anything else to refuse: no further piece comes, and the verb returns REPLY_LOST if it had done its work.
     * Called by the thread that called the verb, before the verb returns. */
    int32_t (*write)(void *context, polaris_bytes piece);
} polaris_sink;

/* Log levels of polaris_es_services.log. Since 1.0. */
#define POLARIS_ES_LOG_DEBUG 0
#define POLARIS_ES_LOG_INFO 1
#define POLARIS_ES_LOG_WARNING 2
#define POLARIS_ES_LOG_ERROR 3

/* What the host does for the plugin. Input of init: the struct is copied, `context` must stay good until shutdown
 * returned. Every member but size may be NULL or 0. All functions may be called from any thread. Since 1.0. */
typedef struct polaris_es_services {
    uint32_t size; /* sizeof(polaris_es_services) */
    uint32_t reserved;
    void *context;

    /* One line of text, UTF-8, without newline or final NUL. NULL: nothing is logged. Must not block for long. */
    void (*log)(void *context, int32_t level, polaris_bytes line);

    /* The wall clock: microseconds since 1970-01-01 UTC. A test host drives time through it. NULL: the system's. */
    int64_t (*now_us)(void *context);

    /* Events up to and including `last_id` are stored and can be read: called after each commit that stored events, in
     * commit order, from a plugin thread. Must return at once and must not call the plugin. NULL: nobody is woken. */
    void (*wake)(void *context, int64_t last_id);
} polaris_es_services;

/* How the host hears of the end of a submitted request. Input of submit: the struct is copied, `context` must stay good
 * until `done` returned. Since 1.1. */
typedef struct polaris_es_completion {
    uint32_t size; /* sizeof(polaris_es_completion) */
    uint32_t reserved;
    void *context; /* handed back to done */

    /* The request with this ticket has ended: called once for each that submit took, by one thread of the plugin, for
     * those that were stored in the order of their commits. `status` and `reply` are what `store` would have answered;
     * CANCELLED: it was given up in time. With REPLY_LOST the reply is empty, otherwise it is one map; its bytes are
     * good until `done` returns. Must return at once and must not call the plugin. */
    void (*done)(void *context, uint64_t ticket, int32_t status, polaris_bytes reply);
} polaris_es_completion;

/* One open store; opaque. */
typedef struct polaris_es polaris_es;

/* ---- The table --------------------------------------------------------------------------------------------------- */

/* All verbs have this shape. `request` is one msgpack map with a string "op" (SPEC.md). The reply, a map as well, goes
 * through `reply`; after an error it is the error map {code, name, message, retryable, details}. A request that is
 * refused because `self` or `reply` is NULL or too small gets no reply map, only INVALID. */
typedef int32_t (*polaris_es_verb)(polaris_es *self, polaris_bytes request, const polaris_sink *reply);

/* The functions of the plugin. Constant, and good until the plugin is unloaded. New slots go to the end. Since 1.0. */
typedef struct polaris_es_table {
    uint32_t size;      /* of the table as the plugin has it */
    uint32_t abi_major; /* POLARIS_ES_ABI_MAJOR and _MINOR that the plugin was built for */
    uint32_t abi_minor;
    uint32_t reserved;
    const char *name;     /* "polaris-event-store" */
    const char *version;  /* of the plugin: "1.0.0" */
    const char *build_id; /* differs between any two builds that differ in code */
    uint64_t capabilities; /* POLARIS_ES_CAN_... */

    /* Opens or creates a store. `services` may be NULL. `config` is one msgpack map (SPEC.md, "Configuration"); the
     * reply describes the opened store. On OK *ret_self is the instance; otherwise it is left alone and nothing is
     * held; that goes for REPLY_LOST too: the store is closed again. BUSY: another writer owns the file (the reply names
     * it). INCOMPATIBLE: the file is newer than this plugin. Since 1.0.
     * [who: any; state: loaded; blocks: bounded; calls: both] */
    int32_t (*init)(const polaris_es_services *services, polaris_bytes config, const polaris_sink *reply,
                    polaris_es **ret_self);

    /* Appends events and batches of events. OK means durable, as the configuration defines it. Since 1.0.
     * [who: any; state: ready; blocks: bounded; calls: both] */
    polaris_es_verb store;

    /* Finds, counts and waits for events. Since 1.0.
     * [who: any; state: ready; blocks: bounded; calls: both] */
    polaris_es_verb query;

    /* Dead letters: which events a consumer failed on, and when to try again. Since 1.0.
     * [who: any; state: ready; blocks: bounded; calls: both] */
    polaris_es_verb dlq;

    /* The schema registry. Since 1.0.
     * [who: any; state: ready; blocks: bounded; calls: both] */
    polaris_es_verb schema;

    /* Finishes what was accepted (submitted requests end, and it is told how), closes the file and frees the instance,
     * whatever it returns: `self` is gone. After it returned no thread of the plugin runs and no service is called any
     * more, so that dlclose is safe when every instance was shut down. The request is a map, or no bytes at all.
     * `reply` may be NULL. Since 1.0.
     * [who: exclusive; state: ready; blocks: bounded; calls: both] */
    polaris_es_verb shutdown;

    /* `store` without waiting, for event loops: the request is copied, and how it ended is told through `completion`,
     * possibly before submit returns. *ret_ticket names it (tickets grow, not always by one; `ret_ticket` may be NULL).
     * The appends of one thread are committed in the order in which it submitted them, unless the schema of their type
     * is changed meanwhile; other ops of `store` take their turn among them. OK: the request was taken, and will end.
     * Otherwise `done` is not called: BUSY (submit_max requests, or submit_size_max bytes, are in progress; nothing is
     * dropped and nothing waits), INVALID (`self`, the completion or the bytes are not usable), TOO_LARGE, READ_ONLY,
     * NO_MEMORY. What is wrong within the request is told by `done`. NULL unless POLARIS_ES_CAN_SUBMIT is set. Since 1.1.
     * [who: any; state: ready; blocks: no; calls: services] */
    int32_t (*submit)(polaris_es *self, polaris_bytes request, const polaris_es_completion *completion,
                      uint64_t *ret_ticket);

    /* Gives up a submitted request whose work has not begun. OK: it changes nothing, and ends with CANCELLED, in its
     * turn. ALREADY: its work has begun, or it has ended; `done` tells how. NOT_FOUND: there never was such a ticket.
     * A number left out between two tickets, which only a host that guesses asks for, may be told as ALREADY.
     * NULL unless POLARIS_ES_CAN_SUBMIT is set. Since 1.1.
     * [who: any; state: ready; blocks: no; calls: none] */
    int32_t (*cancel)(polaris_es *self, uint64_t ticket);

    /* ---- new slots go here, with the minor version that added them ---- */
} polaris_es_table;

/* The slots and their thread tags, for programs: X(slot, who, state, blocks, calls). Since 1.0. */
#define POLARIS_ES_THREAD_RULES(X)                                                                                     \
    X(init, any, loaded, bounded, both)                                                                                \
    X(store, any, ready, bounded, both)                                                                                \
    X(query, any, ready, bounded, both)                                                                                \
    X(dlq, any, ready, bounded, both)                                                                                  \
    X(schema, any, ready, bounded, both)                                                                               \
    X(shutdown, exclusive, ready, bounded, both)                                                                       \
    X(submit, any, ready, no, services)                                                                                \
    X(cancel, any, ready, no, none)

/* ---- Negotiation ------------------------------------------------------------------------------------------------- */

/* What the host says of itself. Input. Since 1.0. */
typedef struct polaris_es_hello {
    uint32_t size;            /* sizeof(polaris_es_hello) */
    uint32_t major_min;       /* the ABI majors that the host speaks, both inclusive */
    uint32_t major_max;
    uint32_t minor;           /* of major_max */
    const char *host_name;    /* for the plugin's log; may be NULL */
    const char *host_version; /* may be NULL */
} polaris_es_hello;

/* How the plugin got its SQLite: polaris_es_descriptor.sqlite_linkage. Since 1.0. */
#define POLARIS_ES_SQLITE_NONE 0u
#define POLARIS_ES_SQLITE_SHARED 1u  /* the system's shared library */
#define POLARIS_ES_SQLITE_PRIVATE 2u /* a copy of its own: never two such builds on one file in one process */

/* Who the plugin is, in the host's memory, so that it is still there when the plugin is gone. Output. Since 1.0. */
typedef struct polaris_es_descriptor {
    uint32_t size;                  /* set by the host: sizeof(polaris_es_descriptor) */
    uint32_t format_read_min;       /* file formats (PRAGMA user_version) that it can open ... */
    uint32_t format_read_max;       /* ... both inclusive; 0 and 0: it keeps no file */
    uint32_t format_write;          /* the format that a file has after this plugin wrote to it: a host knows from  */
                                    /* it whether going back to another build is possible                            */
    uint32_t sqlite_version_number; /* such as 3040001; 0: none */
    uint32_t sqlite_linkage;        /* POLARIS_ES_SQLITE_... */
    char id[64];                    /* stable over versions: "org.polaris.event-store.sqlite"; NUL-terminated, as all */
    char version[32];
    char build_id[64];
} polaris_es_descriptor;

/* The answer. Output, in the host's memory, zeroed by the host but for `size` and `descriptor`. Since 1.0. */
typedef struct polaris_es_welcome {
    uint32_t size;                     /* set by the host: sizeof(polaris_es_welcome) */
    uint32_t major;                    /* the highest major that both speak; 0 when refused */
    uint32_t minor;                    /* the plugin's minor of that major */
    uint32_t reserved;
    const polaris_es_table *table;     /* NULL when refused */
    polaris_es_descriptor *descriptor; /* set by the host, filled by the plugin; may be NULL */
    char reason[256];                  /* why it refuses: names the field, what it has, what is wanted; or "" */
} polaris_es_welcome;

/* The one exported symbol. Free of side effects; may be called any number of times. Returns OK, INVALID (a struct is
 * missing, too small, or has a tail that is not zero) or INCOMPATIBLE (no common major); `out->reason` says why when
 * `out` is large enough to hold it. Since 1.0.
 * [who: any; state: loaded; blocks: no; calls: none] */
int32_t polaris_event_store_entry(const polaris_es_hello *in, polaris_es_welcome *out);

typedef int32_t (*polaris_es_entry)(const polaris_es_hello *in, polaris_es_welcome *out);

#ifdef __cplusplus
}
#endif

#endif /* POLARIS_EVENT_STORE_H */
