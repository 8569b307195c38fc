/* baseline.h: what the plugin is measured against: a plain loop over SQLite with prepared statements.
 *
 * It works on a copy of a store that the plugin made, so it has the plugin's own tables, indexes and triggers, with the
 * same rows in the same pages. It keeps the plugin's durability (a write-ahead log, synchronous=FULL) and size of
 * cache, and writes the same rows: for an append event        the event stream       if it has one: the stream's next
 * version, its last event tag          how many events have the tag, and the last one event_tag    the tag's entry (the
 * number of a type is known after its first event, as in the plugin), and for dead letters consumer, dead_letter,
 * dead_letter_failure     as the plugin's put, claim and resolve leave them. It reads by the same indexes, all columns
 * with the names that the numbers stand for. What it leaves out is what the plugin is for: the boundary, the checks,
 * other threads, cursors. */
#ifndef POLARIS_BENCH_BASELINE_H
#define POLARIS_BENCH_BASELINE_H

#include <stdint.h>

#include "bench/page.h"
#include "cleanup.h"
#include "failure.h"

struct baseline;

/* The file at `path` is a copy of a store. */
bool baseline_open(const char *path, struct baseline **ret_baseline, struct failure *failure) WARN_UNUSED;
void baseline_freep(struct baseline **baseline);
int64_t baseline_last_id(const struct baseline *baseline);

/* Stores the events first ... first + count - 1, `per_commit` at a time, the first of which gets the next id. If `took`
 * is not NULL it is told how long each commit took, from its begin on. */
struct baseline_load {
    uint64_t first, count, per_commit;
    uint32_t body;
    void (*took)(void *context, int64_t ns);
    void *context;
};
bool baseline_append(struct baseline *baseline, const struct baseline_load *load, struct failure *failure) WARN_UNUSED;

/* ---- reading, on a connection of its own: one for each thread ---- */

enum { ROW_NUMBERS = 5, ROW_TEXTS = 9 };

/* NULL data: the column is NULL. Valid during the visit. */
struct baseline_text {
    const uint8_t *data;
    size_t size;
};
struct baseline_row {
    int64_t numbers[ROW_NUMBERS];          /* id, time, recorded, version, schema version; 0: NULL */
    struct baseline_text texts[ROW_TEXTS]; /* type, stream, batch, key, correlation, causation, tags, metadata, data */
};
typedef void (*baseline_visitor)(void *context, const struct baseline_row *row);

struct baseline_reader;
bool baseline_reader_open(const char *path, struct baseline_reader **ret_reader, struct failure *failure) WARN_UNUSED;
void baseline_reader_freep(struct baseline_reader **reader);

/* Visits the rows of the page; query->limit 0: all that there are. */
bool baseline_read(struct baseline_reader *reader, const struct page_query *query, baseline_visitor visit,
                   void *context, struct failure *failure) WARN_UNUSED;

/* A visitor that reads every byte; its context is an uint64_t, to which it adds them. */
void baseline_touch(void *context, const struct baseline_row *row);

/* ---- dead letters ---- */

#define BASELINE_CONSUMER "search"
#define BASELINE_FAILURE_CLASS "Timeout"
#define BASELINE_FAILURE_MESSAGE "index did not answer"

/* Puts a letter for an event that has none, due at once; claims the one that is due first, and reads its event;
 * resolves it. Each is a transaction of its own, as the plugin's calls are. */
bool baseline_letter_cycle(struct baseline *baseline, struct baseline_reader *reader, int64_t event_id,
                           struct failure *failure) WARN_UNUSED;

#endif
