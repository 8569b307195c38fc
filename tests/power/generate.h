/* generate.h: what a host might ask next, as a seed says. */
#ifndef POLARIS_TESTS_POWER_GENERATE_H
#define POLARIS_TESTS_POWER_GENERATE_H

#include "script.h"

enum { TEXT_SIZE = 1 << 16 };

struct generator {
    uint64_t random;
    int64_t next_number; /* in each payload: no two are alike */
    int64_t last_id;
    int submits_left;
    int batches, drafts; /* the last batch, and what is in it; -1: it is closed */
    int schemas;         /* versions of the type that has any */
    bool is_retired;     /* the last one */
    bool has_policy;
    int64_t claimed_id, claimed_token; /* 0: none */
    int64_t rejected_id;               /* 0: none waits */
    const char *verb;
    enum how how;
    size_t size;
    char text[TEXT_SIZE];
    char keyed[TEXT_SIZE]; /* the last request with a key, to be repeated */
};

/* Decides on the next request: verb, how, text. */
void generate(struct generator *generator);
/* Takes note of its reply. */
void generate_note(struct generator *generator, const json_t *reply);

#endif
