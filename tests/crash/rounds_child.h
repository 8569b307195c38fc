/* rounds_child.h: what the threads of the child share. */
#ifndef POLARIS_TESTS_CRASH_ROUNDS_CHILD_H
#define POLARIS_TESTS_CRASH_ROUNDS_CHILD_H

#include "../stress/race.h"
#include "rounds.h"

struct worker {
    struct ledger *ledger; /* of the rounds before: read by all; each consumer is changed by its own thread */
    enum thread_number thread;
    struct draws draws;
    int n; /* of the next request */
};

/* The instance, which one thread shuts down and opens again in another build while it excludes the others. */
enum verb { STORE, QUERY, DLQ, SCHEMA };
/* One call, repeated while it is BUSY; the status must be among the allowed ones. */
json_t *ask(enum verb verb, unsigned allowed, const char *format, ...) __attribute__((format(printf, 3, 4)));
json_t *ask_text(enum verb verb, unsigned allowed, const char *text);
bool is_ok(const json_t *reply);
bool child_lies(void);
int64_t child_last_id(void); /* some id that was told; 0: none yet */

/* Tells the parent; a broken pipe ends the child. */
void tell(const struct worker *worker, enum record_kind kind, int n, int64_t a, int64_t b, int64_t c);
void tell_record(const struct record *record);
/* Ends the child when something was complained of. */
void end_if_failed(void);

/* Threads, which never return (rounds_letters.c, rounds_batches.c, rounds_schemas.c). */
void *work_on_letters(void *context);
void *work_on_batches(void *context);
void *work_on_schemas(void *context);

#endif
