/* storage.h: the seam between the use cases and where events are kept. It speaks in events and positions, never in rows
 * or SQL. Storage knows nothing of msgpack but that payloads are bytes.
 *
 * Every function may be called from any thread. Writes are durable when they return OK, as configured; a write that
 * fails changed nothing. Visitors that return false end the visit early, which is not an error.
 *
 * Visitors of reads run in the calling thread, on one snapshot. Visitors of writes may run in another one, before the
 * commit: they must not block, and what they collected counts only if the call returns OK. */
#ifndef POLARIS_PLUGIN_STORAGE_H
#define POLARIS_PLUGIN_STORAGE_H

#include "config.h"
#include "dead_letter.h"
#include "error.h"
#include "event.h"
#include "rejected.h"
#include "schema_settings.h"

/* What the storage needs of the host. No function but `wake` is ever NULL. */
struct storage_host {
    void *context;
    void (*log)(void *context, int32_t level, const char *format, ...) __attribute__((format(printf, 3, 4)));
    int64_t (*now_us)(void *context);
    /* After each commit that stored events, in commit order, from a thread of the storage; the call that stored them
     * may have returned by then. NULL: nobody is to be woken. */
    void (*wake)(void *context, int64_t last_id);
};

typedef bool (*event_visitor)(void *context, const struct stored_event *event);

/* ---- store ---- */

/* Fails the append when an event that matches `filter` exists with an id above `after_id`. */
struct append_condition {
    const struct event_filter *filter;
    int64_t after_id;
};

struct append_request {
    const struct event *events;
    size_t count;
    const struct append_condition *condition; /* or NULL */
    int64_t schema_generation;                /* by which the events were validated */
};

struct append_result {
    int64_t id;          /* 0: it was not stored, but kept as a rejected entry */
    int64_t version;     /* in its stream; 0: none */
    bool duplicate;      /* stored before under the same key */
    int64_t rejected_id; /* of the entry that it is kept as; otherwise 0 */
};

struct append_summary {
    int64_t recorded_us;
    int64_t last_id; /* the highest id in the store */
    size_t duplicates;
};

/* An append that nobody stands waiting for. The caller's: it stays as it is until `finished` was called. */
struct append_later {
    struct append_request request;
    struct append_result *results; /* request.count of them */
    struct append_summary summary; /* set if it was stored */
    enum status status;
    struct error *error;
    /* The work begins. False: the append was given up, and ends with CANCELLED. */
    bool (*begin)(struct append_later *later);
    /* The work is done, or failed: called once, in commit order, from a thread of the storage. */
    void (*finished)(struct append_later *later);
};

enum batch_state { BATCH_OPEN, BATCH_COMPLETED, BATCH_ABORTED, BATCH_STATE_COUNT };

struct batch {
    struct bytes id;
    struct bytes metadata;  /* one msgpack map, or absent */
    struct bytes reason;    /* of an abort, or absent */
    enum batch_state state; /* BATCH_STATE_COUNT: the row is damaged */
    int64_t count;          /* drafts while open; events stored for it once completed; 0 once aborted */
    int64_t first_id;       /* completed and not empty; otherwise 0 */
    int64_t last_id;
    int64_t created_us;
    int64_t closed_us; /* 0 while open */
};
typedef bool (*batch_visitor)(void *context, const struct batch *batch);

/* ---- query ---- */

struct storage_head {
    int64_t first_id; /* 0: no event */
    int64_t last_id;  /* 0: never an event. The highest id ever given */
    int64_t recorded_us;
};

enum histogram_by { HISTOGRAM_BY_TYPE, HISTOGRAM_BY_TIME, HISTOGRAM_BY_TYPE_AND_TIME };

struct histogram_bucket {
    struct bytes type; /* absent for BY_TIME */
    int64_t start_us;  /* a multiple of the bucket's width (floor); 0 for BY_TYPE */
    int64_t count;
};
typedef bool (*bucket_visitor)(void *context, const struct histogram_bucket *bucket);

/* Names are listed in byte order, strictly after `after` (absent: from the first). */
struct name_page {
    struct bytes prefix; /* or absent */
    struct bytes after;
    int64_t limit;
};

struct stream_info {
    struct bytes name;
    int64_t version; /* how many events it has had */
    int64_t first_id;
    int64_t last_id;
};
typedef bool (*stream_visitor)(void *context, const struct stream_info *stream);

struct tag_info {
    struct bytes name;
    int64_t count;
    int64_t last_id;
};
typedef bool (*tag_visitor)(void *context, const struct tag_info *tag);

/* ---- dlq ---- */

typedef bool (*dead_letter_visitor)(void *context, const struct dead_letter *letter, const struct stored_event *event);

/* One entry: by id, or by (consumer, event). */
struct dead_letter_ref {
    int64_t id; /* 0: by consumer and event_id */
    struct bytes consumer;
    int64_t event_id;
};

struct dead_letter_put {
    struct bytes consumer;
    int64_t event_id;
    struct dead_letter_failure failure; /* its time_us is ignored */
    int64_t attempts_max;               /* < 0: the policy's */
    int64_t delay_us;                   /* < 0: the policy's */
};

struct dead_letter_claim_request {
    struct bytes consumer;
    struct bytes holder;  /* or absent */
    int64_t lease_us;     /* < 0: the policy's */
    int64_t attempts_max; /* retry: < 0: each entry's own; otherwise entries with as many attempts are parked */
    int64_t limit;
    bool ordered;   /* an entry waits while an earlier event of its stream has a live entry for this consumer */
    bool count_now; /* retry: the attempt is counted when handed out */
};

struct dead_letter_change {
    struct dead_letter_ref ref;
    int64_t token;                      /* < 0: none given */
    struct dead_letter_failure failure; /* fail */
    int64_t delay_us;                   /* fail; < 0: the policy's */
    bool park;                          /* fail: give up at once */
    struct bytes reason;                /* discard */
};

/* Which entries: all conditions that are present. */
struct dead_letter_filter {
    struct bytes consumer; /* or absent */
    struct bytes stream;   /* or absent */
    uint32_t states;       /* a set; 0: all */
    bool has_updated_before;
    int64_t updated_before_us;
};

struct dead_letter_list {
    struct dead_letter_filter filter;
    int64_t after_id; /* by id, ascending, strictly after */
    int64_t limit;
    bool with_events;
};

struct dead_letter_count {
    struct bytes consumer;
    int64_t states[DEAD_LETTER_STATE_COUNT];
    int64_t due; /* pending and due now, or claimed with an expired lease */
};
typedef bool (*dead_letter_count_visitor)(void *context, const struct dead_letter_count *count);

/* ---- schema ---- */

enum schema_format { SCHEMA_MSGPACK, SCHEMA_JSON, SCHEMA_FORMAT_KINDS /* the row is damaged */ };

struct schema_version {
    struct bytes type;
    int64_t version;
    enum schema_format format;
    struct bytes schema;    /* as it came */
    struct bytes documents; /* given with it, a msgpack array, or absent */
    struct bytes metadata;  /* or absent */
    int64_t created_us;
    int64_t retired_us; /* 0: it is in use */
};
typedef bool (*schema_visitor)(void *context, const struct schema_version *version);

struct schema_put {
    struct bytes type;
    enum schema_format format;
    struct bytes schema;
    struct bytes documents;   /* or absent */
    struct bytes metadata;    /* or absent */
    int64_t expected_version; /* < 0: any; otherwise the latest version must be this one (0: none yet) */
    int64_t generation;       /* by which it was checked */
};

struct schema_type {
    struct bytes type;
    int64_t latest;  /* the highest number given; 0: it has settings but no version */
    int64_t current; /* the highest that is not retired; 0: none */
    struct schema_settings settings;
    bool damaged; /* the settings, or the numbers of versions, are not what a plugin wrote */
};
typedef bool (*schema_type_visitor)(void *context, const struct schema_type *type);
/* `version` NULL: the type has no version that is not retired. */
typedef bool (*schema_current_visitor)(void *context, const struct schema_type *type,
                                       const struct schema_version *version);

/* ---- rejected ---- */

typedef bool (*rejected_visitor)(void *context, const struct rejected_entry *entry);

struct rejected_filter {
    struct bytes type; /* or absent */
    uint32_t states;   /* a set of 1 << state; 0: all */
    bool has_updated_before;
    int64_t updated_before_us;
};

/* ---- the table ---- */

struct storage;

struct storage_close {
    bool keep_log; /* leave what is not copied into the file yet in the log beside it: whoever opens it next goes on
                      there */
};

struct storage_ops {
    /* Finishes what was accepted, stops every thread, closes the files. `ret_drained`: calls that were finished here.
     */
    void (*close)(struct storage *self, const struct storage_close *how, int64_t *ret_drained);

    /* store. `ret_results` has `count` elements. */
    enum status (*append)(struct storage *self, const struct append_request *request, struct append_result *ret_results,
                          struct append_summary *ret_summary, struct error *error);
    /* Returns at once; what came of it is in *later when its `finished` is called, which happens only after OK. Appends
     * of one thread are stored in the order in which they were handed in. */
    enum status (*append_later)(struct storage *self, struct append_later *later, struct error *error);
    enum status (*batch_create)(struct storage *self, struct bytes id, struct bytes metadata, batch_visitor visit,
                                void *context, struct error *error);
    /* The request has no condition. `ret_results` has `count` elements, of which only `rejected_id` is set. */
    enum status (*batch_append)(struct storage *self, struct bytes id, const struct append_request *request,
                                struct append_result *ret_results, int64_t *ret_count, struct error *error);
    enum status (*batch_complete)(struct storage *self, struct bytes id, batch_visitor visit, void *context,
                                  struct append_summary *ret_summary, struct error *error);
    enum status (*batch_abort)(struct storage *self, struct bytes id, struct bytes reason, batch_visitor visit,
                               void *context, struct error *error);
    enum status (*batch_get)(struct storage *self, struct bytes id, batch_visitor visit, void *context,
                             struct error *error); /* NOT_FOUND */
    /* In order of creation, strictly after the batch `after` (absent: from the first). `states`: a set of 1 << state,
     * 0: all. */
    enum status (*batch_list)(struct storage *self, uint32_t states, struct bytes after, int64_t limit,
                              batch_visitor visit, void *context, struct error *error);

    /* query */
    enum status (*read_events)(struct storage *self, const struct event_query *query, event_visitor visit,
                               void *context, struct storage_head *ret_head,
                               struct error *error); /* the head of the same snapshot */
    enum status (*get_event)(struct storage *self, int64_t id, event_visitor visit, void *context,
                             struct error *error); /* NOT_FOUND */
    enum status (*count_events)(struct storage *self, const struct event_filter *filter, int64_t *ret_count,
                                struct error *error);
    enum status (*histogram)(struct storage *self, const struct event_filter *filter, enum histogram_by by,
                             int64_t bucket_us, bucket_visitor visit, void *context, struct error *error);
    enum status (*list_streams)(struct storage *self, const struct name_page *page, stream_visitor visit, void *context,
                                struct error *error);
    enum status (*list_tags)(struct storage *self, const struct name_page *page, tag_visitor visit, void *context,
                             struct error *error);
    enum status (*head)(struct storage *self, struct storage_head *ret_head, struct error *error);
    /* How many times interrupt was called: read it before looking for events and give it to wait, so that an interrupt
     * between looking and waiting is not missed. */
    int64_t (*interrupts)(struct storage *self);
    /* Waits until an event with an id above `last_id` may be read, `timeout_us` passed (monotonic time), or interrupt
     * was called since `interrupts` was read: all three are OK. */
    enum status (*wait)(struct storage *self, int64_t last_id, int64_t timeout_us, int64_t interrupts,
                        bool *ret_interrupted, struct error *error);
    /* Ends every wait in progress. Returns how many there were. */
    int64_t (*interrupt)(struct storage *self);

    /* dlq */
    enum status (*dead_letter_put)(struct storage *self, const struct dead_letter_put *put, dead_letter_visitor visit,
                                   void *context, struct error *error);
    /* Settles expired leases of the consumer first. `ret_next_due_us`: when the next one is due, 0: none is waiting.
     * `ret_parked`: how many were parked by this call. Visits with events; a visitor that returns false got
     * the last one: no more are claimed. */
    enum status (*dead_letter_claim)(struct storage *self, const struct dead_letter_claim_request *request,
                                     dead_letter_visitor visit, void *context, int64_t *ret_next_due_us,
                                     int64_t *ret_parked, struct error *error);
    enum status (*dead_letter_resolve)(struct storage *self, const struct dead_letter_change *change,
                                       dead_letter_visitor visit, void *context, struct error *error);
    enum status (*dead_letter_fail)(struct storage *self, const struct dead_letter_change *change,
                                    dead_letter_visitor visit, void *context, struct error *error);
    enum status (*dead_letter_discard)(struct storage *self, const struct dead_letter_change *change,
                                       dead_letter_visitor visit, void *context, struct error *error);
    enum status (*dead_letter_get)(struct storage *self, const struct dead_letter_ref *ref, bool with_event,
                                   dead_letter_visitor visit, void *context, struct error *error);
    enum status (*dead_letter_list)(struct storage *self, const struct dead_letter_list *list,
                                    dead_letter_visitor visit, void *context, struct error *error);
    enum status (*dead_letter_count)(struct storage *self, struct bytes consumer, dead_letter_count_visitor visit,
                                     void *context, struct error *error);
    /* One entry (NOT_FOUND if there is none), or all that match: redriven are pending and parked ones. */
    enum status (*dead_letter_redrive_one)(struct storage *self, const struct dead_letter_ref *ref,
                                           dead_letter_visitor visit, void *context, struct error *error);
    enum status (*dead_letter_redrive)(struct storage *self, const struct dead_letter_filter *filter,
                                       int64_t *ret_count, struct error *error);
    /* Removes ended (resolved, discarded) entries that match. */
    enum status (*dead_letter_purge)(struct storage *self, const struct dead_letter_filter *filter, int64_t *ret_count,
                                     struct error *error);

    /* schema */
    /* Grows with every change of a schema or of settings. Appends and puts bring the one that they were checked by, and
     * are BUSY when their types were changed since. < 0: other processes may change schemas unnoticed. */
    int64_t (*schema_generation)(struct storage *self);
    /* The next version of the type. CONFLICT: expected_version. */
    enum status (*schema_put)(struct storage *self, const struct schema_put *put, int64_t *ret_version,
                              struct error *error);
    /* `version` 0: the current one. NOT_FOUND. */
    enum status (*schema_get)(struct storage *self, struct bytes type, int64_t version, schema_visitor visit,
                              void *context, struct error *error);
    /* In order, retired ones too. NOT_FOUND: there is none. */
    enum status (*schema_versions)(struct storage *self, struct bytes type, schema_visitor visit, void *context,
                                   struct error *error);
    enum status (*schema_types)(struct storage *self, const struct name_page *page, schema_type_visitor visit,
                                void *context, struct error *error);
    /* The type and its current version, from one snapshot. NOT_FOUND: neither schema nor settings. */
    enum status (*schema_current)(struct storage *self, struct bytes type, schema_current_visitor visit, void *context,
                                  struct error *error);
    /* `generation`: by which the settings were read that these were made from; otherwise BUSY. */
    enum status (*schema_set)(struct storage *self, struct bytes type, const struct schema_settings *settings,
                              int64_t generation, struct error *error);
    /* NOT_FOUND, ALREADY. */
    enum status (*schema_retire)(struct storage *self, struct bytes type, int64_t version, int64_t *ret_current,
                                 struct error *error);

    /* rejected */
    enum status (*rejected_get)(struct storage *self, int64_t id, rejected_visitor visit, void *context,
                                struct error *error); /* NOT_FOUND */
    /* By id, ascending, strictly after. */
    enum status (*rejected_list)(struct storage *self, const struct rejected_filter *filter, int64_t after_id,
                                 int64_t limit, rejected_visitor visit, void *context, struct error *error);
    /* Stores the one event of the request, and ends the entry, which must be waiting. Events without a time get that of
     * the entry. Otherwise as append; NOT_FOUND, ALREADY, CLOSED. */
    enum status (*rejected_resubmit)(struct storage *self, int64_t id, const struct append_request *request,
                                     struct append_result *ret_result, rejected_visitor visit, void *context,
                                     struct error *error);
    enum status (*rejected_discard)(struct storage *self, int64_t id, struct bytes reason, rejected_visitor visit,
                                    void *context, struct error *error); /* NOT_FOUND, ALREADY, CLOSED */
    /* Removes entries that ended and match. */
    enum status (*rejected_purge)(struct storage *self, const struct rejected_filter *filter, int64_t *ret_count,
                                  struct error *error);
};

/* What is known of a store once it is open. */
struct storage_info {
    char path[PATH_SIZE_MAX + 1]; /* resolved */
    uint8_t store_id[16];         /* random, given when the store was made */
    uint8_t secret[32];           /* random, kept in the store, never leaves it: what cursors are signed with */
    int32_t format;
    bool created;
    int64_t last_id;
};

struct storage {
    const struct storage_ops *ops;
    struct storage_info info;
};

/* The SQLite backend. BUSY: another writer owns the file; INCOMPATIBLE: the file is newer; CORRUPT: it is something
 * else. `config` and `host` are copied as far as they are needed later. */
WARN_UNUSED enum status sqlite_storage_open(const struct config *config, const struct storage_host *host,
                                            struct storage **ret_storage, struct error *error);

/* What it reads and writes: for the descriptor. */
enum { STORE_FORMAT_READ_MIN = 1, STORE_FORMAT = 2 };
const char *sqlite_storage_library_version(void); /* "3.40.1", of the library loaded */
int32_t sqlite_storage_library_version_number(void);

#endif
