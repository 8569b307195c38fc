/* trial.h: what a check has at hand within its process: the loaded build, a folder, a store, and the host's services,
 * which keep what they are told. */
#ifndef POLARIS_CHECK_TRIAL_H
#define POLARIS_CHECK_TRIAL_H

#include <jansson.h>
#include <polaris/event_store.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "check/answer.h"
#include "check/check.h"
#include "check/verdict.h"
#include "loader/loader.h"

/* 2026-01-01T00:00:00Z: where the clock of a trial stands. */
#define TRIAL_START_US INT64_C(1767225600000000)

/* The sizes of revision 1.0, which stay legal for good. */
#define SIZE_1_0(type, last) ((uint32_t)(offsetof(type, last) + sizeof(((type *)0)->last)))

/* No struct has more: what states more is garbage. */
#define SIZE_LIMIT 4096

/* What the services were asked. */
struct services {
    _Atomic int64_t now_us;
    _Atomic int64_t woken; /* the last id that wake told */
    _Atomic int wakes, logs, clocks;
    _Atomic int disorder;  /* wakes that went back */
    _Atomic int bad_lines; /* log lines with an unknown level, or that are no line of text */
    _Atomic bool over;     /* shutdown returned */
    _Atomic int late;      /* calls after that */
};

struct trial {
    const struct check *check;
    const char *plugin_path;
    struct loader_options loader;
    struct plugin *plugin; /* NULL: a check that loads by itself has unloaded it */
    const polaris_es_table *table;
    polaris_es_entry entry;
    char folder[1200], path[1220]; /* of the store */
    struct services services;
    polaris_es *self; /* the open store, or NULL */
    json_t *reply;    /* of the last call that went through the trial; NULL: none that can be read */
    json_t *names;    /* ids that the build has chosen (pattern.h) */
    char fault[200];  /* what was wrong with that reply; "": nothing */
};

/* Loads the build, which must succeed. */
void trial_init(struct trial *trial);
void trial_load(struct trial *trial);

/* Is the build of a minor after this host's? Then it knows more of a struct than its beginning. */
bool trial_is_newer(const struct trial *trial);

polaris_es_services trial_services(struct trial *trial);

/* init with the trial's services. `config`: JSON (' for ") laid over path, owner and durability "normal"; or NULL. */
int32_t trial_try_open(struct trial *trial, const char *config, polaris_es **ret_self);
/* The trial's own store; must succeed. */
void trial_open(struct trial *trial, const char *config);
/* Must succeed. */
void trial_shutdown(struct trial *trial);
void trial_reopen(struct trial *trial, const char *config);
/* A configuration as trial_try_open makes it, packed; the caller free()s it. */
struct packed {
    uint8_t *data;
    size_t size;
};
struct packed trial_config(const struct trial *trial, const char *config);

/* JSON with ' for " as msgpack; the caller free()s the data. */
struct packed packed(const char *format, ...) __attribute__((format(printf, 1, 2)));
void packed_done(struct packed *packed);
static inline polaris_bytes packed_bytes(const struct packed *packed) {
    return (polaris_bytes){.data = packed->data, .size = packed->size};
}

/* store, query, dlq or schema. */
polaris_es_verb trial_verb(const struct trial *trial, const char *name);

/* May the verb answer this, where `expected` is due? A verb of which the build has nothing, by its capability bits, may
 * say UNSUPPORTED to whatever it is asked. */
bool trial_may_answer(const struct trial *trial, const char *verb, int32_t status, int32_t expected);

/* Calls on the trial's store; the request is a printf format of JSON. The status is returned, the reply kept. */
int32_t trial_call(struct trial *trial, const char *verb, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with bytes. */
int32_t trial_call_bytes(struct trial *trial, const char *verb, polaris_bytes request);
/* The same, and it must be OK, with a reply that can be read. */
json_t *trial_ok(struct trial *trial, const char *verb, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same, and it must end in `status` with a whole error map, whose details.path is `path` (NULL: whatever). */
void trial_refused(struct trial *trial, int32_t status, const char *path, const char *verb, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* JSON (' for ") as msgpack, with '#1' for the id of the first event in the store. The caller free()s the data. */
struct packed trial_request(struct trial *trial, const char *request);

/* The last reply must match; `what` names it in the finding. */
void trial_expect(const struct trial *trial, const char *what, const char *pattern);
/* Is the last reply the error map of `status`, as SPEC.md section 3 has it? Ends the check if not. */
void trial_expect_error(const struct trial *trial, const char *what, int32_t status);
/* An integer of the last reply, which must be there. */
int64_t trial_int(const struct trial *trial, const char *name);

/* {"type": "checked", "data": {"n": number}} stored; returns its id. */
int64_t trial_append(struct trial *trial, int64_t number);
/* The events in the store. */
int64_t trial_count(struct trial *trial);

/* How much a folder has, "." and ".." included. */
size_t trial_entries(const char *folder);

/* For threads: one call that touches nothing of the trial; *ret_reply (may be NULL) is a new reference. */
int32_t call_json(const struct trial *trial, polaris_es *self, const char *verb, json_t **ret_reply, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));

/* A process that goes with the check; in the child it returns 0. No store may be open. */
pid_t trial_fork(void);
/* Waits for it: must have ended with 0, or by the signal. */
void trial_wait(pid_t process, int signal);

/* The name of a status: "NOT_FOUND", or "status 77". Static memory. */
const char *answer_name(int32_t status);

void script_run(struct trial *trial);

#endif
