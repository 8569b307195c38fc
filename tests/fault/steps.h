/* steps.h: a script that touches every op of every verb, with what is in the files before each of its requests, so that
 * each can be made again from there. */
#ifndef POLARIS_TESTS_FAULT_STEPS_H
#define POLARIS_TESTS_FAULT_STEPS_H

#include "es.h"

struct file_copy {
    void *data; /* NULL: there is no file */
    size_t size;
};

struct step {
    const char *verb;
    const char *text;
    int32_t status; /* that it must end with */
    void *data;     /* the request */
    size_t size;
    char *reply;
    struct file_copy database, log; /* before it */
    char *before, *after;           /* dumps */
};

extern struct step steps[];
extern const size_t step_count;

#define STEPS_CONFIG "{'checkpoint_pages': 100, 'cache_kib': 64, 'busy_timeout_ms': 5}"

/* Runs them on a store without faults. */
void steps_make(struct es *es);
void steps_done(void);
/* Makes the files what they were before the step; NULL: there are none. No database may be open. */
void step_restore(const struct step *step, const struct es *es);
/* Copies the files as they are now, beside them. */
void step_copy_files(const struct es *es, char *ret_path, size_t size);
void step_remove_copy(const struct es *es);
/* As text, to be compared; the caller free()s it. */
char *step_reply(const json_t *reply);

#endif
