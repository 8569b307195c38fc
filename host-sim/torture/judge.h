/* judge.h: holds a store against the ledger: nothing that was acknowledged is missing, nothing is there twice, and
 * everything is whole. Through the interface alone. */
#ifndef POLARIS_TORTURE_JUDGE_H
#define POLARIS_TORTURE_JUDGE_H

#include "torture/call.h"
#include "torture/ledger.h"

/* What the events of a store have in all. */
struct census {
    int64_t events, tags, last_id, recorded_at, last_version;
    int64_t of_tag[TAGS], of_stream[STREAMS];
};

/* Opens the store in one of the builds, holds it against the ledger, complaining of what does not agree, appends what a
 * host would repeat, and shuts it down; brings the ledger up to what is there. Returns whether it could be opened. */
bool judge_store(struct ledger *ledger, const polaris_es_table *const builds[2], const char *config,
                 struct census *ret_census);

/* ---- its parts (judge_more.c) ---- */

struct opened {
    const polaris_es_table *table;
    polaris_es *self;
};

void judge_batches(struct ledger *ledger, const struct opened *store);
void judge_letters(struct ledger *ledger, const struct opened *store);
void judge_schemas(struct ledger *ledger, const struct census *census, const struct opened *store);

#endif
