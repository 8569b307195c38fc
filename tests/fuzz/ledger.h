/* ledger.h: what was acknowledged, so that at the end it can be shown to be there, and nothing else. */
#ifndef POLARIS_TESTS_FUZZ_LEDGER_H
#define POLARIS_TESTS_FUZZ_LEDGER_H

#include "boundary.h"

struct ledger {
    json_t *events;  /* [id, the event as it was asked for] of each that was acknowledged; owned */
    int64_t last_id; /* the highest id that was acknowledged */
    int64_t count;   /* of the events that the store must have */
    bool vague;      /* a reply was lost: there may be more than is known here */
    bool overlaps;   /* requests are in progress: ids need not be given in the order of the replies */
};

/* What all reads together say of a store: a new reference. */
json_t *ledger_snapshot(polaris_es *self);

/* Begins with what a store has. */
void ledger_init(struct ledger *ledger, const json_t *snapshot);
void ledger_done(struct ledger *ledger);
/* A request has ended so; `reply` NULL: it was lost. Holds the ids against those that were given before. */
void ledger_note(struct ledger *ledger, enum verb_id verb, struct bytes request, int32_t status, const json_t *reply);
/* Holds what is there against what was acknowledged. */
void ledger_check(const struct ledger *ledger, const json_t *snapshot);

#endif
