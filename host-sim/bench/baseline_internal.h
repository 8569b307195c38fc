/* baseline_internal.h: the baseline's inside. */
#ifndef POLARIS_BENCH_BASELINE_INTERNAL_H
#define POLARIS_BENCH_BASELINE_INTERNAL_H

#include <sqlite3.h>

#include "bench/baseline.h"

enum baseline_statement {
    BEGIN,
    COMMIT,
    TYPE,
    STREAM,
    EVENT,
    TAG,
    EVENT_TAG,
    CONSUMER,
    STREAM_OF,
    LETTER,
    LETTER_FAILURE,
    CLAIM_LETTER,
    RESOLVE_LETTER,
    BASELINE_STATEMENTS
};

struct baseline {
    sqlite3 *db;
    sqlite3_stmt *statements[BASELINE_STATEMENTS];
    int64_t last_id;
    int64_t type_ids[EVENT_TYPES]; /* 0: not yet known */
};

bool baseline_connect(const char *path, sqlite3 **ret_db, struct failure *failure) WARN_UNUSED;
bool baseline_prepare(sqlite3 *db, const char *const *sql, int count, sqlite3_stmt **ret_statements,
                      struct failure *failure) WARN_UNUSED;
/* Runs a statement that gives no row, and rewinds it. */
bool baseline_run(sqlite3_stmt *statement) WARN_UNUSED;
bool baseline_fail(sqlite3 *db, const char *what, struct failure *failure);
int64_t baseline_now_us(void);
void baseline_events_freep(struct bench_event **events);

#endif
