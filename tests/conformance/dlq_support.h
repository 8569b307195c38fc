/* dlq_support.h: events, time and entries for the tests of dead letters. */
#ifndef POLARIS_TESTS_CONFORMANCE_DLQ_SUPPORT_H
#define POLARIS_TESTS_CONFORMANCE_DLQ_SUPPORT_H

#include "es.h"

/* Delays without jitter: 1 s, 2 s, 4 s; three attempts; a lease of 30 s. */
extern const char STEADY[];

/* A store with events 1 to `count`, the odd ones of stream s1, the even ones of s0. */
struct es *open_with_events(int count);

void pass_seconds(struct es *es, int64_t seconds);
long long now_plus(const struct es *es, int64_t seconds);

/* The replies are the store's: good until the next call. */
json_t *put(struct es *es, int event_id, const char *consumer);
json_t *get_entry(struct es *es, int event_id);
/* Claims one that must be there; returns its token. */
int64_t claim_one(struct es *es, const char *consumer);
/* Claims all that there are; returns how many. */
int64_t claim_count(struct es *es, const char *fields);

#endif
