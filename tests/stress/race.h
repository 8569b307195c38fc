/* race.h: what the race programs share: the plugin under test, calls in JSON from any thread, and complaints. They are
 * plain programs, as Criterion does not start under the thread sanitizer. */
#ifndef POLARIS_TESTS_STRESS_RACE_H
#define POLARIS_TESTS_STRESS_RACE_H

#include <polaris/event_store.h>
#include <pthread.h>
#include <stdbool.h>

#include "message/message.h"

extern const polaris_es_table *table; /* of the plugin, once race_begin returned */

/* Says what does not hold, and makes race_end return 1. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define EXPECT(condition, ...) ((condition) ? (void)0 : complain(__VA_ARGS__))

/* The reply is a new reference; the statuses that may come are bits 1 << status. */
#define MAY(status) (1u << POLARIS_ES_##status)
json_t *call(polaris_es *self, polaris_es_verb verb, unsigned allowed, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a request of any length. */
json_t *call_text(polaris_es *self, polaris_es_verb verb, unsigned allowed, const char *text);
/* JSON as msgpack; the caller free()s it. */
uint8_t *pack_text(const char *text, size_t *ret_size);
int64_t number(const json_t *reply, const char *name);

int32_t open_store(const polaris_es_services *services, polaris_es **ret_self, const char *config);
/* These end the program when they cannot. */
polaris_es *must_open(const polaris_es_services *services, const char *config);
void must_close(polaris_es *self);
void start(pthread_t *thread, void *(*run)(void *), void *context);

bool race_failed(void); /* something was complained of */
/* For programs that plant what must be complained of: nothing is printed meanwhile; how often it was, and a new start.
 */
void race_be_silent(bool yes);
int race_forget(void);

/* The table of another build, which stays loaded; NULL when it refuses, and then the reason was printed. */
const polaris_es_table *race_load(const char *path);

/* Loads the plugin, and goes to a new folder. */
void race_begin(void);
/* The same with the new folder in another one, which is no longer than 32 bytes. */
void race_begin_in(const char *parent);
const char *race_folder(void);
/* Removes the folder; the program's exit code. */
int race_end(void);

#endif
