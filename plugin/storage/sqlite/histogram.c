/* histogram.c: counting events by type and by time. */
#include <stdio.h>
#include <stdlib.h>

#include "storage/sqlite/filter.h"
#include "storage/sqlite/sqlite.h"

static const char WHAT[] = "count events by bucket";

static void free_sql(struct filter_sql **sql) {
    free(*sql);
}

/* The type, the start of the bucket (rounded down, below zero too), and what is counted. */
static void set_columns(char *columns, size_t size, enum histogram_by by, int64_t bucket_us, bool with_metadata) {
    char start[96] = "0";
    if (by != HISTOGRAM_BY_TYPE) {
        long long width = bucket_us;
        snprintf(start, sizeof start, "e.time_us - ((e.time_us %% %lld) + %lld) %% %lld", width, width, width);
    }
    snprintf(columns, size, "%s, %s, %s",
             by == HISTOGRAM_BY_TIME ? "NULL" : "(SELECT name FROM type WHERE id = e.type_id)", start,
             with_metadata ? "e.metadata" : "count(*)");
}

static enum status visit_groups(struct statement *rows, bucket_visitor visit, void *context, struct error *error) {
    for (;;) {
        bool row = false;
        enum status status = statement_step(rows, &row, error);
        if (status != OK || !row) {
            return status;
        }
        struct histogram_bucket bucket = {column_bytes(rows, 0), column_int(rows, 1), column_int(rows, 2)};
        if (!visit(context, &bucket)) {
            return OK;
        }
    }
}

/* For filters over metadata: the rows come sorted by bucket, and each is asked for its metadata. */
struct tally {
    uint8_t type[TYPE_SIZE_MAX];
    struct histogram_bucket bucket;
    bool begun;
};

static bool tally_continues(const struct tally *tally, struct bytes type, int64_t start_us) {
    return tally->begun && tally->bucket.start_us == start_us && bytes_equal(tally->bucket.type, type);
}

static void tally_begin(struct tally *tally, struct bytes type, int64_t start_us) {
    size_t size = type.size < sizeof tally->type ? type.size : sizeof tally->type;
    if (bytes_present(type)) {
        memcpy(tally->type, type.data, size);
    }
    tally->bucket = (struct histogram_bucket){
        .type = {bytes_present(type) ? tally->type : NULL, size}, .start_us = start_us, .count = 0};
    tally->begun = true;
}

static enum status visit_by_hand(struct statement *rows, const struct metadata_predicate *metadata,
                                 bucket_visitor visit, void *context, struct error *error) {
    struct tally tally = {0};
    for (;;) {
        bool row = false;
        enum status status = statement_step(rows, &row, error);
        if (status != OK) {
            return status;
        }
        if (row && !metadata->holds(metadata->context, column_bytes(rows, 2))) {
            continue;
        }
        if (!row || !tally_continues(&tally, column_bytes(rows, 0), column_int(rows, 1))) {
            if ((tally.begun && !visit(context, &tally.bucket)) || !row) {
                return OK;
            }
            tally_begin(&tally, column_bytes(rows, 0), column_int(rows, 1));
        }
        tally.bucket.count++;
    }
}

enum status sqlite_histogram(struct storage *base, const struct event_filter *filter, enum histogram_by by,
                             int64_t bucket_us, bucket_visitor visit, void *context, struct error *error) {
    static const struct filter_order AS_A_SET = {0};
    CLEANUP(reader_release) struct reader reader = {0};
    struct resolved_filter resolved;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = filter_resolve(reader.connection, filter, &resolved, error);
    }
    if (status != OK || resolved.nothing) {
        return status;
    }
    CLEANUP(free_sql) struct filter_sql *sql = malloc(sizeof *sql);
    if (sql == NULL) {
        return error_set(error, NO_MEMORY, "%s: memory could not be allocated", WHAT);
    }
    bool by_hand = resolved.metadata.holds != NULL;
    char columns[192];
    set_columns(columns, sizeof columns, by, bucket_us, by_hand);
    filter_build(&resolved, columns, &AS_A_SET, sql);
    filter_append(sql, by_hand ? " ORDER BY 1, 2" : " GROUP BY 1, 2 ORDER BY 1, 2");
    CLEANUP(statement_release) struct statement rows = {0};
    status = filter_prepare(reader.connection, sql, WHAT, &rows, error);
    if (status != OK) {
        return status;
    }
    return by_hand ? visit_by_hand(&rows, &resolved.metadata, visit, context, error)
                   : visit_groups(&rows, visit, context, error);
}
