/* plans.c: every default order is a walk through an index: read from EXPLAIN QUERY PLAN, for every combination. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/sqlite/events.h"
#include "storage/sqlite/filter.h"
#include "support.h"

/* Each bit adds one condition. */
enum {
    ONE_TYPE = 1,
    MORE_TYPES = 2,
    ANY_TAG = 4,
    ANY_OF_TAGS = 8,
    ALL_TAGS = 16,
    STREAM = 32,
    BATCH = 64,
    CORRELATION = 128,
    TIMES = 256,
    IDS = 512,
    COMBINATIONS = 1024
};

static struct resolved_filter filter_of(unsigned conditions) {
    struct resolved_filter filter = {
        .types = {1, 2, 3}, .any = {4, 5, 6}, .all = {7, 8}, .after_id = INT64_MIN, .before_id = INT64_MAX};
    filter.type_count = conditions & MORE_TYPES ? 3 : conditions & ONE_TYPE ? 1 : 0;
    filter.any_count = conditions & ANY_OF_TAGS ? 3 : conditions & ANY_TAG ? 1 : 0;
    filter.all_count = conditions & ALL_TAGS ? 2 : 0;
    filter.stream = conditions & STREAM ? 1 : 0;
    filter.batch = conditions & BATCH ? 1 : 0;
    filter.correlation = conditions & CORRELATION ? text("c") : (struct bytes){0};
    filter.has_time_from = filter.has_time_to = (conditions & TIMES) != 0;
    if (conditions & IDS) {
        filter.after_id = 10;
        filter.before_id = 1000;
    }
    return filter;
}

/* The plan's lines that speak of a full scan or a sort; "" if there is none. */
static void find_slow_steps(sqlite3 *db, const char *sql, char *ret_text, size_t size) {
    char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    sqlite3_stmt *plan = NULL;
    cr_assert_eq(sqlite3_prepare_v2(db, explain, -1, &plan, NULL), SQLITE_OK, "%s: %s", sqlite3_errmsg(db), sql);
    ret_text[0] = '\0';
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(plan, 3);
        if (strncmp(line, "SCAN", 4) == 0 || strstr(line, "TEMP B-TREE") != NULL) {
            snprintf(ret_text, size, "%s", line);
        }
    }
    sqlite3_finalize(plan);
    sqlite3_free(explain);
}

static void expect_fast(sqlite3 *db, unsigned conditions, struct filter_order order) {
    struct filter_sql *sql = malloc(sizeof *sql);
    struct resolved_filter filter = filter_of(conditions);
    char slow[256];
    filter_build(&filter, EVENT_COLUMNS, &order, sql);
    cr_assert(!sql->overflow);
    find_slow_steps(db, sql->text, slow, sizeof slow);
    cr_expect_str_empty(slow, "conditions %u, by time %d, descending %d: %s\n%s", conditions, order.by_time,
                        order.descending, slow, sql->text);
    free(sql);
}

Test(plans, no_default_order_scans_the_table_or_sorts) {
    struct store store;
    store_open(&store, NULL);
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(store.path, &db), SQLITE_OK);
    for (unsigned conditions = 0; conditions < COMBINATIONS; conditions++) {
        for (int variant = 0; variant < 4; variant++) {
            struct filter_order order = {.ordered = true,
                                         .descending = variant & 1,
                                         .has_position = variant & 2,
                                         .position = {.time_us = 5, .id = 50}};
            expect_fast(db, conditions, order);
        }
    }
    sqlite3_close(db);
    store_done(&store);
}

/* Steps of SQLite's machine for ten rows behind the position. */
static int steps_of_a_page(const char *path, const struct resolved_filter *filter, const struct filter_order *order) {
    struct filter_sql *sql = malloc(sizeof *sql);
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    filter_build(filter, "", order, sql);
    cr_assert(!sql->overflow);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_prepare_v2(db, sql->text, -1, &rows, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    for (int i = 0; i < sql->parameter_count; i++) {
        cr_assert_eq(sqlite3_bind_int64(rows, i + 2, sql->parameters[i]), SQLITE_OK);
    }
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(sqlite3_step(rows), SQLITE_ROW);
    }
    int steps = sqlite3_stmt_status(rows, SQLITE_STMTSTATUS_VM_STEP, 0);
    sqlite3_finalize(rows);
    sqlite3_close(db);
    free(sql);
    return steps;
}

Test(plans, a_page_in_the_order_of_time_costs_the_same_wherever_it_begins) {
    enum { EVENTS = 5000, MANY_STEPS = 2000 };
    static struct event events[EVENTS];
    static struct append_result results[EVENTS];
    struct store store;
    struct append_summary summary;
    store_open(&store, NULL);
    for (int i = 0; i < EVENTS; i++) { /* the second half happened all at once */
        events[i] = event_of("t");
        events[i].has_time = true;
        events[i].time_us = START_US + (i < EVENTS / 2 ? i : EVENTS / 2);
    }
    struct append_request request = {.events = events, .count = EVENTS};
    cr_assert_eq(store.storage->ops->append(store.storage, &request, results, &summary, &store.error), OK);
    for (int variant = 0; variant < 16; variant++) {
        struct resolved_filter filter = {.after_id = INT64_MIN, .before_id = INT64_MAX};
        filter.type_count = variant & 1;
        filter.types[0] = 1;
        filter.has_time_from = filter.has_time_to = (variant & 2) != 0;
        filter.time_from_us = START_US;
        filter.time_to_us = START_US + EVENTS;
        int place = variant & 8 ? EVENTS / 4 : EVENTS * 3 / 4;
        struct filter_order order = {.ordered = true,
                                     .by_time = true,
                                     .descending = variant & 4,
                                     .has_position = true,
                                     .position = {.time_us = events[place].time_us, .id = place + 1}};
        int steps = steps_of_a_page(store.path, &filter, &order);
        cr_expect_lt(steps, MANY_STEPS, "variant %d: %d steps for ten events", variant, steps);
    }
    store_done(&store);
}

Test(plans, the_largest_filter_has_room) {
    struct filter_sql *sql = malloc(sizeof *sql);
    for (int variant = 0; variant < 64; variant++) {
        struct resolved_filter filter = {.type_count = FILTER_TYPES_MAX,
                                         .any_count = variant & 1 ? TAGS_MAX : 0,
                                         .all_count = variant & 2 ? TAGS_MAX : 0,
                                         .stream = variant & 4 ? 1 : 0,
                                         .batch = variant & 4 ? 1 : 0,
                                         .correlation = variant & 4 ? text("c") : (struct bytes){0},
                                         .has_time_from = true,
                                         .has_time_to = true,
                                         .time_to_us = 10};
        struct filter_order order = {.ordered = variant & 8,
                                     .by_time = variant & 16,
                                     .descending = variant & 32,
                                     .has_position = true,
                                     .position = {.time_us = 5, .id = 5}};
        filter_build(&filter, EVENT_COLUMNS, &order, sql);
        cr_expect(!sql->overflow, "variant %d: %zu bytes, %d parameters", variant, sql->size, sql->parameter_count);
    }
    free(sql);
}

Test(plans, order_by_time_of_all_events_or_of_types_is_a_walk_too) {
    struct store store;
    store_open(&store, NULL);
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(store.path, &db), SQLITE_OK);
    static const unsigned SERVED[] = {0, ONE_TYPE, MORE_TYPES, TIMES, ONE_TYPE | TIMES, MORE_TYPES | TIMES};
    for (size_t i = 0; i < sizeof SERVED / sizeof SERVED[0]; i++) {
        for (int variant = 0; variant < 4; variant++) {
            struct filter_order order = {.ordered = true,
                                         .by_time = true,
                                         .descending = variant & 1,
                                         .has_position = variant & 2,
                                         .position = {.time_us = 5, .id = 50}};
            expect_fast(db, SERVED[i], order);
        }
    }
    sqlite3_close(db);
    store_done(&store);
}
