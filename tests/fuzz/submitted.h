/* submitted.h: requests that were handed in with submit, and how they end. */
#ifndef POLARIS_TESTS_FUZZ_SUBMITTED_H
#define POLARIS_TESTS_FUZZ_SUBMITTED_H

#include "ledger.h"

/* At most one of them is in progress for each place. */
enum { SUBMITTED_MAX = 4 };

/* Hands a request in, if there is room for it. */
void submitted_add(polaris_es *self, struct bytes request);
/* Cancels the one in that place, or a ticket that was never given. */
void submitted_cancel(polaris_es *self, uint32_t place);
bool submitted_any(void);
/* Waits until all have ended, each exactly once, and notes how. */
void submitted_await(struct ledger *ledger);

#endif
