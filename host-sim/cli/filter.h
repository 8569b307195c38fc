/* filter.h: the filter of events as options of a command. */
#ifndef POLARIS_HOST_FILTER_H
#define POLARIS_HOST_FILTER_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>

#include "cleanup.h"

/* The input of both argps, which a command takes as children: what events carry, and the ranges they lie in. */
struct filter {
    json_t *conditions; /* but for the tags */
    json_t *tags;
    bool all_tags;
};
extern const struct argp FILTER_NAMES_ARGP, FILTER_RANGES_ARGP;

bool filter_init(struct filter *filter) WARN_UNUSED; /* false: no memory */
void filter_done(struct filter *filter);

/* The filter as requests have it. A new reference; NULL: no memory. */
json_t *filter_json(const struct filter *filter) WARN_UNUSED;

#endif
