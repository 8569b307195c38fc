/* index.h: a subscriber that fails, as subscribers do: a search index over the names of the installed packages. */
#ifndef POLARIS_HOST_INDEX_H
#define POLARIS_HOST_INDEX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "demo/packages.h"
#include "graph/publisher.h"

struct index_entry;

/* It keeps its names in sixteen shards, one of which is down for a while, and has a column that is too short for the
 * longest of the names. */
struct search_index {
    struct index_entry *entries;
    unsigned shard_down; /* SHARD_COUNT: none */
    size_t name_size_max;
    size_t count; /* names in it */
    size_t twice; /* names that it was given again after it had taken them */
};

enum { SHARD_COUNT = 16 };

/* The shard of the first package is down; the column is one short of the longest name. */
void search_index_init(struct search_index *index, const struct packages *packages);
void search_index_done(struct search_index *index);

/* For struct subscriber: takes the creation of an installed package, and passes over every other event. */
bool search_index_deliver(void *context, const json_t *event, struct delivery_error *ret_error);

unsigned search_index_shard(const char *name);
/* Would it fail on this name now? */
bool search_index_fails(const struct search_index *index, const char *name);
bool search_index_has(const struct search_index *index, const char *name);

#endif
