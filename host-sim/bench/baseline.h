/* baseline.h: what the plugin is measured against: a plain loop over SQLite with prepared statements.
 *
 * It has the plugin's own tables, indexes and triggers (their SQL is read from a store that the plugin made), the same
 * durability, and writes the same rows: the event, its tag's count, the tag's entry. What it leaves out is what the
 * plugin is for: the boundary, the checks, other threads. */
#ifndef POLARIS_HOST_BASELINE_H
#define POLARIS_HOST_BASELINE_H

#include <stdint.h>

#include "cleanup.h"
#include "failure.h"

struct baseline;

/* A new file at `path` with the tables of the store at `store_path`. */
bool baseline_open(const char *path, const char *store_path, struct baseline **ret_baseline,
                   struct failure *failure) WARN_UNUSED;
void baseline_freep(struct baseline **baseline);

/* Stores the events first ... first + count - 1, `per_commit` at a time. */
bool baseline_append(struct baseline *baseline, uint64_t first, uint64_t count, uint64_t per_commit,
                     struct failure *failure) WARN_UNUSED;

#endif
