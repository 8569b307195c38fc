/* seed.h: a store with some of everything. */
#ifndef POLARIS_TESTS_FUZZ_SEED_H
#define POLARIS_TESTS_FUZZ_SEED_H

#include <polaris/event_store.h>

/* Appends `count` events from number `first` on. */
void seed_events(polaris_es *self, int first, int count);
/* Batches, dead letters, schemas and rejected entries; needs the first three events. */
void seed_rest(polaris_es *self);

#endif
