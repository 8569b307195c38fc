/* ledger.h: what is asked for in a round, and what was told of it: a process works on a store and reports what it is
 * told over a pipe, until it is ended; whoever started it keeps the ledger, and has the store held against it.
 *
 * What a thread asks for is drawn from the seed, the round and the thread, and can be told again from the key of a
 * stored event: "<round>/<thread>/<n>/<index>". */
#ifndef POLARIS_TORTURE_LEDGER_H
#define POLARIS_TORTURE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STORE_ROUNDS = 8, /* that one store lives through; its first one is a multiple of it */
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
    uint64_t state; /* of random.h */
};
struct draws draws_of(uint64_t seed, int round, int thread, int n, int what);
uint64_t draw(struct draws *draws);
/* 0 to below - 1 */
int draw_below(struct draws *draws, int below);

/* ---- what is asked for ---- */

/* One event, as the seed and its key say. */
struct event_shape {
    char type;        /* 'a' to 'c' */
    int64_t number;   /* its data: {"number": ..., "pad": "k3x..."} */
    int pad;          /* one less than the pad has letters */
    uint64_t letters; /* that determine them */
    int stream;       /* < 0: none */
    unsigned tags;    /* bit i: the tag "t<i>" */
    int64_t time_us;  /* 0: not given, and that of recording */
    int64_t metadata; /* {"m": ...}; < 0: none */
    int correlation;  /* "c<number>"; < 0: none */
    int causation;    /* "r<number>"; < 0: none */
};
enum { PAD_SIZE_MAX = 3000 };
struct event_shape event_shape(uint64_t seed, int round, int thread, int n, int index);
void event_pad(const struct event_shape *shape, char text[PAD_SIZE_MAX + 1]);
size_t put_event(char *data, size_t size, uint64_t seed, int round, int thread, int n, int index);

/* How many events the request has; of the threads that append. */
int request_events(uint64_t seed, int round, int thread, int n);
/* {"op": "append", "events": [...]}; the caller free()s it. */
char *request_text(uint64_t seed, int round, int thread, int n);

/* The configuration of the store that the round is about, as JSON. */
#define STORE_FILE "events.db"
void store_config(char *text, size_t size, uint64_t seed, int round, const char *durability);

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
    int32_t round;
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

/* Where what grows in a ledger lies, if others than its process are to see it; only ever added to. */
struct arena {
    uint8_t *memory;
    size_t size, used;
};

struct ledger {
    struct arena *arena; /* NULL: the heap */
    uint64_t seed;
    unsigned threads;  /* that take part: bits 1 << thread_number */
    bool keeps_log;    /* shutdown has "keep_log", since 1.1 */
    bool gaps_allowed; /* between ids: of builds that do not promise their absence */
    int round;         /* the last */
    struct requests requests[STORE_ROUNDS][THREAD_COUNT];
    struct batch *batches;
    int batch_count, batch_capacity;
    struct consumer consumers[CONSUMERS];
    int64_t schema_version, schema_begun;
    struct kept *kept;
    int kept_count, kept_capacity;
    int64_t resubmitting;                   /* the entry's id, or 0 */
    int64_t last_id;                        /* told to anybody */
    long long records, swaps, acknowledged; /* acknowledged: events */
};

void ledger_init(struct ledger *ledger, uint64_t seed);
/* With an arena, which is empty then, and may be used for the next one. */
void ledger_init_in(struct ledger *ledger, uint64_t seed, struct arena *arena);
/* Of the heap: a copy of what the threads of a process look at, which does not change with the original. */
void ledger_copy(struct ledger *copy, const struct ledger *ledger);
void ledger_done(struct ledger *ledger);
/* A request of shutdown, as the draws say. */
const char *ledger_shutdown(const struct ledger *ledger, struct draws *draws);
void ledger_note(struct ledger *ledger, const struct record *record);
/* The request, which is made when it is not there. */
struct request *ledger_request(struct ledger *ledger, int round, int thread, int n);
struct batch *ledger_batch(struct ledger *ledger, int round, int thread, int n);
/* Notes one of a consumer's letters, as RECORD_LETTER does, and forgets those that ended, as a purge does. */
void consumer_note(struct consumer *consumer, const struct letter *letter);
void consumer_purge(struct consumer *consumer);
int64_t letter_pack(int state, int attempts, int64_t token);

#endif
