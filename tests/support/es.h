/* es.h: a store behind the real shared object, for tests: opened in a folder of its own, with a clock that the test
 * moves.
 *
 * Requests are JSON in the mapping of SPEC.md, section 9, with ' for " so that they can be read in C. */
#ifndef POLARIS_TESTS_SUPPORT_ES_H
#define POLARIS_TESTS_SUPPORT_ES_H

#include <jansson.h>
#include <polaris/event_store.h>
#include <stdatomic.h>
#include <stdbool.h>

/* 2026-01-01T00:00:00Z: where the clock of a new store stands. */
#define ES_START_US INT64_C(1767225600000000)
enum { ES_SECOND_US = 1000000 };

struct es {
    const polaris_es_table *table;
    polaris_es *self; /* NULL: shut down */
    json_t *reply;    /* of the last call; owned here, replaced by the next */
    char folder[64];
    char path[96];
    atomic_int_least64_t now_us;
    atomic_int_least64_t woken; /* the last id that wake told */
    atomic_int log_count;
    char log[1024]; /* the last line */
};

/* The table of the plugin under test. The library stays mapped: a leak report needs its symbols. */
const polaris_es_table *es_table(void);
polaris_es_entry es_entry(void);
/* The table of the second build of the same plugin. */
const polaris_es_table *es_table_b(void);

/* A folder for a store, which is not made yet: es_init. */
struct es *es_new(void);
/* Opens a new store. `config`: more configuration as a JSON object, or NULL. Fails the test if it cannot. */
struct es *es_open(const char *config);
/* Shuts it down, if it is not yet, and removes its files. */
void es_close(struct es *es);
/* Closes and opens the same file again. */
void es_reopen(struct es *es, const char *config);
void es_shutdown(struct es *es);
/* init on es->path, or on the path in `config`; es->reply is its reply. Returns the status. */
int32_t es_init(struct es *es, const char *config);
/* The same into an instance of its own; *ret_reply is a new reference. */
int32_t es_init_second(struct es *es, const char *config, polaris_es **ret_self, json_t **ret_reply);

/* One call: the request is a printf format of JSON. Returns the status; es->reply is the reply. */
int32_t es_call(struct es *es, const char *verb, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for a call that must be OK; returns es->reply. */
json_t *es_ok(struct es *es, const char *verb, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same for a call that must fail with `status`, its path being `path` (NULL: whatever), and the message containing
 * `word` (NULL: whatever). Checks the error map's form. */
json_t *es_refused(struct es *es, int32_t status, const char *path, const char *word, const char *verb,
                   const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Bytes as they are. */
int32_t es_call_bytes(struct es *es, const char *verb, const void *data, size_t size);
json_t *es_refused_bytes(struct es *es, int32_t status, const char *word, const char *verb, const void *data,
                         size_t size);

/* Does `value` match the pattern? Objects: the pattern's fields are there and match, others may be. Arrays: of the same
 * length, each matches. The string "*" matches anything. */
bool es_matches(const json_t *value, const char *pattern);
/* Fails the test, showing both, if it does not. */
void es_expect(const json_t *value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* {'type': ..., 'data': {}} appended; returns the id. */
int64_t es_append(struct es *es, const char *event);
/* All of a list in one request, which may be refused; takes the list, returns the status. */
int32_t es_append_list(struct es *es, json_t *events);
/* The same with `count` events that are alike, of a text of `size` bytes. */
int32_t es_append_large(struct es *es, int count, size_t size);
int64_t es_event_count(struct es *es);
int64_t es_int(const json_t *object, const char *name);
const char *es_text(const json_t *object, const char *name);

/* JSON with ' for " as msgpack; the caller free()s it. */
void *es_pack(const char *json, size_t *ret_size);
polaris_es_verb es_verb(const polaris_es_table *table, const char *name);

/* A sink that keeps what it gets; refuses the piece with index `refuse_at` (< 0: none). */
struct es_sink {
    polaris_sink sink;
    uint8_t *data;
    size_t size, capacity;
    size_t piece_size_max; /* seen */
    int pieces;
    int refuse_at;
};
void es_sink_init(struct es_sink *sink);
void es_sink_done(struct es_sink *sink);
/* A new reference, or NULL when nothing came. */
json_t *es_sink_reply(const struct es_sink *sink);

#endif
