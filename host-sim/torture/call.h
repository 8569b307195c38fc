/* call.h: calls of a build's table in JSON, from any thread, and complaints of what does not hold. */
#ifndef POLARIS_TORTURE_CALL_H
#define POLARIS_TORTURE_CALL_H

#include <polaris/event_store.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "message/message.h"

/* ---- complaints ---- */

enum { COMPLAINTS_MAX = 20, COMPLAINT_SIZE = 512 };

/* Says what does not hold; the first COMPLAINTS_MAX of them are printed to standard error, or kept. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define EXPECT(condition, ...) ((condition) ? (void)0 : complain(__VA_ARGS__))

bool complained(void); /* of anything */
/* For programs that plant what must be complained of: nothing is printed meanwhile; how often it was, and a new start.
 */
void complaints_silence(bool yes);
int complaints_forget(void);

/* For a process that says it to another one: they are kept here, in memory that both share, and not printed. */
struct complaints {
    atomic_int count; /* that were begun: more than there is room for, perhaps */
    char texts[COMPLAINTS_MAX][COMPLAINT_SIZE];
};
void complaints_keep(struct complaints *complaints);

/* ---- calls ---- */

/* The reply is a new reference; the statuses that may come are bits 1 << status. */
#define MAY(status) (1u << POLARIS_ES_##status)
json_t *call(polaris_es *self, polaris_es_verb verb, unsigned allowed, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a request of any length. */
json_t *call_text(polaris_es *self, polaris_es_verb verb, unsigned allowed, const char *text);
/* JSON as msgpack; the caller free()s it. */
uint8_t *pack_text(const char *text, size_t *ret_size);
int64_t number(const json_t *reply, const char *name);

/* init with this configuration; *ret_reply (may be NULL) is a new reference. */
int32_t call_init(const polaris_es_table *table, const polaris_es_services *services, const char *config,
                  polaris_es **ret_self, json_t **ret_reply);
/* Ends the program when it cannot. */
void start(pthread_t *thread, void *(*run)(void *), void *context);

#endif
