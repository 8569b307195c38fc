/* script.h: requests that a seed determines, and what the store holds after each of them.
 *
 * They are made while a store answers them, as later ones refer to what earlier ones got (the token of a claim, say).
 * Played again on a new store, with the same clock, each has the same effect. */
#ifndef POLARIS_TESTS_POWER_SCRIPT_H
#define POLARIS_TESTS_POWER_SCRIPT_H

#include "es.h"

enum { SCRIPT_REQUESTS = 160 };

enum how {
    HOW_CALL,
    HOW_SUBMIT, /* with all that follow and are submitted, before the end of any is waited for */
    HOW_REOPEN,
    HOW_REOPEN_WITH_LOG
};

struct script {
    uint64_t seed;
    struct request {
        enum how how;
        const char *verb;
        void *data; /* msgpack */
        size_t size;
        char *text;
        int32_t status; /* what it must end with */
        int64_t now_us;
    } requests[SCRIPT_REQUESTS];
    char *states[SCRIPT_REQUESTS + 1]; /* dumps: states[i] is what the store holds after the first i requests */
    int64_t last_ids[SCRIPT_REQUESTS + 1];
    int64_t changes; /* of the disk, from the first to the last */
};

/* On a new disk. */
void script_make(struct script *script, uint64_t seed, struct es *es);
void script_done(struct script *script);
/* The configuration; `durability` is full or normal. */
const char *script_config(const struct script *script, const char *durability);

/* Shuts the store down. True: in good order, so that nothing of it is at risk any more, whatever the durability. */
bool script_shut_down(struct es *es, bool keep_log);

/* How far a script came. */
struct progress {
    int begun;        /* no request from this one on can have left anything */
    int acknowledged; /* each before this one was OK */
    int settled;      /* each before this one was OK when the store was shut down in good order, and no sync failed */
    int32_t status;   /* of the one that ended it; OK: none did */
};
/* How it is played. */
struct play {
    const char *durability;
    int tries; /* of a request that fails before the cut; more than one: each is waited for, none is submitted */
};
/* Plays it on an open store, until a request fails; from the request `progress->begun` on. */
void script_play(const struct script *script, struct es *es, const struct play *play, struct progress *progress);

#endif
