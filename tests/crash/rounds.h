/* rounds.h: rounds of killing: a child works on a store with many threads and reports what it is told over a pipe, the
 * parent kills it, opens the store again, and holds it against the reports.
 *
 * What a thread asks for is drawn from the seed, the round and the thread, and can be told again from the key of a
 * stored event: "<round>/<thread>/<n>/<index>". */
#ifndef POLARIS_TESTS_CRASH_ROUNDS_H
#define POLARIS_TESTS_CRASH_ROUNDS_H

#include <jansson.h>
#include <polaris/event_store.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STORE_ROUNDS = 8, /* that one store lives through */
    STREAMS = 6,
    TAGS = 6,
    REQUEST_EVENTS_MAX = 8,
    BATCH_DRAFTS_MAX = 16,
    CONSUMERS = 2,
    LETTERS_MAX = 256,         /* of one consumer */
    CLAIM_MAX = 3,             /* entries of one claim */
    EVENT_TEXT_SIZE_MAX = 4096 /* of one event in a request */
};

enum thread_number {
    THREAD_SINGLE_1,
    THREAD_SINGLE_2,
    THREAD_MANY,
    THREAD_SUBMIT,
    THREAD_BATCH_1,
    THREAD_BATCH_2,
    THREAD_LETTERS_1,
    THREAD_LETTERS_2,
    THREAD_SCHEMA,
    THREAD_TAIL,
    THREAD_SWAP,
    THREAD_COUNT
};

/* ---- draws ---- */

struct draws {
    uint64_t state;
};
struct draws draws_of(uint64_t seed, int round, int thread, int n, int what);
uint64_t draw(struct draws *draws);
/* 0 to below - 1 */
int draw_below(struct draws *draws, int below);

/* ---- what is asked for ---- */

/* One event, as the seed and its key say. */
struct event_shape {
    char type;      /* 'a' to 'c' */
    int64_t number; /* its data: {"number": ..., "pad": "xxx"} */
    int pad;
    int stream;    /* < 0: none */
    unsigned tags; /* bit i: the tag "t<i>" */
};
struct event_shape event_shape(uint64_t seed, int round, int thread, int n, int index);
size_t put_event(char *text, size_t size, uint64_t seed, int round, int thread, int n, int index);

/* How many events the request has; of the threads that append. */
int request_events(uint64_t seed, int round, int thread, int n);
/* {"op": "append", "events": [...]}; the caller free()s it. */
char *request_text(uint64_t seed, int round, int thread, int n);

/* Of the thread THREAD_SCHEMA: what its n-th step is. */
enum schema_step { SCHEMA_APPEND, SCHEMA_APPEND_WRONG, SCHEMA_PUT, SCHEMA_KEEP, SCHEMA_RESUBMIT };
enum schema_step schema_step(uint64_t seed, int round, int n);
/* The type "s": version v allows {"v": v} only. The type "kept": what lacks "ok" becomes a rejected entry. */
#define CHECKED_SCHEMA "{\"type\":\"object\",\"properties\":{\"v\":{\"const\":%lld}}}"
#define KEPT_SCHEMA "{\"type\":\"object\",\"required\":[\"ok\"]}"

/* ---- reports ---- */

enum record_kind {
    RECORD_TOLD,         /* request n of the thread: stored; a: its first id (0: not said) */
    RECORD_GIVING_UP,    /* cancel is asked for */
    RECORD_CANCELLED,    /* it ended with CANCELLED */
    RECORD_REFUSED,      /* it ended with REJECTED: not stored */
    RECORD_BATCH_BEGIN,  /* of batch n of the thread and round: a: the state, b: the drafts that it is about to have */
    RECORD_BATCH,        /* it has them; c: the first id when it is completed */
    RECORD_LETTER_BEGIN, /* of consumer n: a: the op, b: the entry's id, c: the event's id */
    RECORD_LETTER,       /* of consumer n: a: the entry's id, b: the event's id, c: state, attempts, token, packed */
    RECORD_LETTER_END,   /* the op has returned */
    RECORD_SCHEMA_BEGIN, /* a: the version that is about to be put */
    RECORD_SCHEMA,       /* it is */
    RECORD_KEPT,         /* request n became the rejected entry a */
    RECORD_RESUBMITTING, /* the entry a is about to be resubmitted */
    RECORD_RESUBMITTED,  /* the entry a became the event b */
    RECORD_SEEN,         /* a reader has seen all events to id a */
    RECORD_SWAPPED,
};

/* Below PIPE_BUF: written whole or, after a kill, not at all. */
struct record {
    uint8_t kind;
    uint8_t thread;
    uint16_t round;
    int32_t n;
    int64_t a, b, c;
};

enum letter_op {
    LETTER_PUT,
    LETTER_CLAIM,
    LETTER_RESOLVE,
    LETTER_FAIL,
    LETTER_DISCARD,
    LETTER_REDRIVE,
    LETTER_PURGE,
    LETTER_OP_COUNT
};
enum letter_state {
    LETTER_PENDING,
    LETTER_CLAIMED,
    LETTER_RESOLVED,
    LETTER_PARKED,
    LETTER_DISCARDED,
    LETTER_STATE_COUNT
};
int letter_state_of(const char *name); /* -1: no such state */

/* ---- the ledger: what was told ---- */

enum request_state { REQUEST_UNTOLD, REQUEST_TOLD, REQUEST_GIVEN_UP, REQUEST_NEVER };
struct request {
    enum request_state state;
    int64_t first_id; /* as told; 0: not said */
    int64_t found_id; /* in the store: of its first event */
    unsigned found;   /* bit i: the event with the index i */
};
struct requests {
    struct request *items;
    int count, capacity;
};

enum batch_state { BATCH_NONE, BATCH_OPEN, BATCH_COMPLETED, BATCH_ABORTED };
struct batch {
    int round, thread, n;
    enum batch_state state, next_state; /* next: only if `begun` */
    int drafts, next_drafts;
    bool begun;
    int64_t first_id;
    unsigned found;
    int64_t found_id;
};

struct letter {
    int64_t id, event_id, token;
    int state, attempts;
    bool found;
};
struct consumer {
    struct letter letters[LETTERS_MAX];
    int count;
    bool begun;
    enum letter_op op;
    int64_t op_id, op_event_id;
};

struct kept {
    int round, n;
    int64_t id, event_id; /* event_id: as told; 0 while it waits */
    int64_t found_id;     /* in the store: the event that it became */
};

struct ledger {
    uint64_t seed;
    int round; /* the last */
    struct requests requests[STORE_ROUNDS][THREAD_COUNT];
    struct batch *batches;
    int batch_count;
    struct consumer consumers[CONSUMERS];
    int64_t schema_version, schema_begun;
    struct kept *kept;
    int kept_count;
    int64_t resubmitting; /* the entry's id, or 0 */
    int64_t last_id;      /* told to anybody */
    long long records, swaps;
};

void ledger_init(struct ledger *ledger, uint64_t seed);
void ledger_done(struct ledger *ledger);
void ledger_note(struct ledger *ledger, const struct record *record);
/* The request, which is made when it is not there. */
struct request *ledger_request(struct ledger *ledger, int round, int thread, int n);
struct batch *ledger_batch(struct ledger *ledger, int round, int thread, int n);
/* Notes one of a consumer's letters, as RECORD_LETTER does, and forgets those that ended, as a purge does. */
void consumer_note(struct consumer *consumer, const struct letter *letter);
void consumer_purge(struct consumer *consumer);
int64_t letter_pack(int state, int attempts, int64_t token);

/* ---- both sides ---- */

/* Builds, one of which is `table` of race.h at any time. */
extern const polaris_es_table *builds[2];

/* The configuration of the store that the round is about, as JSON. */
void rounds_config(char *text, size_t size, uint64_t seed, int round);

/* In the child: works on the store until it is killed, or does not return. `lying`: requests are acknowledged before
 * they were made. */
void rounds_child(const struct ledger *ledger, int reports, bool lying) __attribute__((noreturn));

/* What the events of a store have in all. */
struct census {
    int64_t events, tags, last_id, recorded_at, last_version;
    int64_t of_tag[TAGS], of_stream[STREAMS];
};

/* Notes in the ledger that the event is there, and complains if it is not what was asked for. */
void check_event(struct ledger *ledger, struct census *census, const json_t *event);
/* What there is besides events (rounds_check_more.c). */
void check_batches(struct ledger *ledger, polaris_es *self);
void check_letters(struct ledger *ledger, polaris_es *self);
void check_schemas(struct ledger *ledger, const struct census *census, polaris_es *self);

/* In the parent: holds the store against the ledger, complaining of what does not agree; and brings the ledger up to
 * what is there. */
void rounds_check(struct ledger *ledger);
/* The same of the tables themselves, when nobody has the store open. */
void rounds_check_tables(const struct census *census);

/* Damages the store as a defect would have left it. Returns how many rows it changed. */
extern const char *const PLANTED[];
int rounds_plant(const char *what);

#endif
