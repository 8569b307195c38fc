/* boundary.h: the plugin as a host sees it: an instance on a store of its own, and calls whose answers are held against
 * what SPEC.md says of all of them. */
#ifndef POLARIS_TESTS_FUZZ_BOUNDARY_H
#define POLARIS_TESTS_FUZZ_BOUNDARY_H

#include <polaris/event_store.h>

#include "bytes.h"
#include "message/message.h"
#include "requests.h"

/* Statuses that may come, as a set: MAY(OK) | MAY(BUSY). */
#define MAY(status) (1u << POLARIS_ES_##status)
/* What a request to a sound store may be answered, whatever it holds. */
#define MAY_ANSWER (~(MAY(INTERNAL) | MAY(IO) | MAY(CORRUPT) | MAY(NO_MEMORY) | MAY(BUSY) | MAY(CANCELLED)))

/* By what the entry hands out. The first call makes a folder, in memory if the system has such; it is removed at exit.
 */
const polaris_es_table *boundary_table(void);
polaris_es_verb boundary_verb(enum verb_id verb);

/* Files of the folder; good until the next call. */
const char *boundary_path(const char *name);
struct bytes boundary_read_file(const char *name); /* or any absolute path; the caller free()s it; absent: none */
void boundary_write_file(const char *name, struct bytes data);
void boundary_empty_folder(void);

/* The host's clock, in microseconds. */
extern int64_t boundary_now_us;

/* `config` is msgpack. The status must be one of `allowed`. */
int32_t boundary_init(struct bytes config, unsigned allowed, polaris_es **ret_self);
/* A configuration in JSON as msgpack, with its path in the folder; the caller free()s it. */
struct bytes boundary_config(const char *config);
/* `config` is JSON; ends the program when the store cannot be opened. */
polaris_es *boundary_open(const char *config);
/* Shuts down with a request of msgpack; bytes that are absent are none. */
int32_t boundary_shutdown(polaris_es *self, struct bytes request, unsigned allowed);

/* One call. The request lies in memory of its very size, which is gone when the call returned. Pieces of the reply from
 * the `refuse_at`th on are refused (-1: none). *ret_reply is a new reference, NULL when the reply was refused;
 * ret_reply may be NULL. */
int32_t boundary_call(polaris_es *self, enum verb_id verb, struct bytes request, unsigned allowed, int refuse_at,
                      json_t **ret_reply);
/* The same for a request in JSON, which must be answered with one of `allowed`; the reply. */
json_t *boundary_ask(polaris_es *self, enum verb_id verb, unsigned allowed, const char *request);

/* Holds a reply against its status: exactly one map, which for an error is the error map. A new reference. */
json_t *boundary_check_reply(int32_t status, unsigned allowed, struct bytes reply);

/* JSON as msgpack; the caller free()s it. */
struct bytes boundary_pack(const char *json);
struct bytes boundary_pack_value(const json_t *value);

#endif
