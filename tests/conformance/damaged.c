/* damaged.c: rows that somebody has damaged, beside those of events: replies stay well-formed, and nothing worse than
 * an error happens. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "es.h"

/* A store with one of everything, of which `sql` then damages something. */
static struct es *open_damaged(const char *sql) {
    struct es *es = es_open(NULL);
    es_append(es, "{'type': 't', 'data': {}, 'stream': 's', 'tags': ['x']}");
    es_ok(es, "store", "{'op': 'batch.create', 'id': 'b', 'metadata': {}}");
    es_ok(es, "store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 't', 'data': {}}}");
    es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'delay_us': 0}");
    es_ok(es, "schema", "{'op': 'put', 'type': 't', 'schema': {}, 'metadata': {}}");
    es_shutdown(es);
    sqlite3 *db = NULL;
    char *message = NULL;
    cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "DROP TRIGGER schema_version_is_never_updated", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &message), SQLITE_OK, "%s: %s", sql, message);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
    es_reopen(es, NULL);
    return es;
}

Test(damaged, the_state_of_a_batch) {
    static const char *const STATES[] = {"UPDATE batch SET state = 3", "UPDATE batch SET state = -1",
                                         "UPDATE batch SET state = 1000000"};
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++) {
        struct es *es = open_damaged(STATES[i]);
        es_expect(es_ok(es, "store", "{'op': 'batch.get', 'id': 'b'}"), "{'batch': {'state': 'damaged'}}");
        es_refused(es, POLARIS_ES_ALREADY, NULL, "damaged", "store", "{'op': 'batch.create', 'id': 'b'}");
        es_refused(es, POLARIS_ES_CORRUPT, NULL, "damaged", "store", "{'op': 'batch.complete', 'id': 'b'}");
        es_refused(es, POLARIS_ES_CORRUPT, NULL, "damaged", "store",
                   "{'op': 'batch.append', 'id': 'b', 'event': {'type': 't', 'data': {}}}");
        es_close(es);
    }
}

Test(damaged, the_state_of_a_dead_letter) {
    static const char *const STATES[] = {"UPDATE dead_letter SET state = 5", "UPDATE dead_letter SET state = 1000000"};
    for (size_t i = 0; i < sizeof STATES / sizeof STATES[0]; i++) {
        struct es *es = open_damaged(STATES[i]);
        es_expect(es_ok(es, "dlq", "{'op': 'get', 'id': 1}"), "{'entry': {'state': 'damaged'}}");
        es_expect(es_ok(es, "dlq", "{'op': 'list'}"), "{'count': 1, 'entries': [{'state': 'damaged'}]}");
        es_refused(es, POLARIS_ES_CORRUPT, NULL, "damaged", "dlq", "{'op': 'resolve', 'id': 1}");
        es_refused(es, POLARIS_ES_CORRUPT, NULL, "damaged", "dlq",
                   "{'op': 'fail', 'id': 1, 'error': {'message': 'm'}}");
        es_refused(es, POLARIS_ES_CORRUPT, NULL, "damaged", "dlq", "{'op': 'redrive', 'id': 1}");
        es_expect(es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}}"),
                  "{'entry': {'state': 'pending', 'attempts': 0}}");
        es_close(es);
    }
}

Test(damaged, the_numbers_of_a_dead_letter) {
    struct es *es = open_damaged("UPDATE dead_letter SET attempts = 9223372036854775807, token = 9223372036854775807,"
                                 " due_us = -9223372036854775807");
    es_expect(es_ok(es, "dlq", "{'op': 'claim'}"), "{'count': 1}");
    es_expect(es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'consumer': 'c', 'error': {'message': 'm'}}"),
              "{'entry': {'state': 'pending'}}");
    es_close(es);
}

Test(damaged, names_and_payloads_leave_every_reply_well_formed) {
    static const struct {
        const char *sql, *verb, *request, *reply;
    } CASES[] = {
        {"UPDATE batch SET metadata = x'df'", "store", "{'op': 'batch.get', 'id': 'b'}", "{'batch': {'id': 'b'}}"},
        {"UPDATE batch SET name = cast(x'ff41' AS TEXT)", "query", "{'op': 'batches'}", "{'batches': [{'id': '?A'}]}"},
        {"UPDATE batch SET state = 9", "query", "{'op': 'batches'}", "{'batches': [{'state': 'damaged'}]}"},
        {"UPDATE stream SET name = cast(x'41ff' AS TEXT)", "query", "{'op': 'streams'}",
         "{'streams': [{'stream': 'A?'}]}"},
        {"UPDATE tag SET name = cast(x'41ff' AS TEXT)", "query", "{'op': 'tags'}", "{'tags': [{'tag': 'A?'}]}"},
        {"UPDATE type SET name = cast(x'ff' AS TEXT)", "query", "{'op': 'histogram'}", "{'buckets': [{'type': '?'}]}"},
        {"UPDATE consumer SET name = cast(x'ff' AS TEXT)", "dlq", "{'op': 'count'}",
         "{'consumers': [{'consumer': '?'}]}"},
        {"UPDATE schema_type SET policy = 9", "schema", "{'op': 'list'}", "{'types': [{'damaged': true}]}"},
        {"UPDATE schema_version SET metadata = x'c1'", "schema", "{'op': 'get', 'type': 't'}", "{'schema': {}}"},
        {"UPDATE schema_version SET format = 1, schema = x'ff'", "schema", "{'op': 'get', 'type': 't'}",
         "{'schema': '?'}"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct es *es = open_damaged(CASES[i].sql);
        es_expect(es_ok(es, CASES[i].verb, "%s", CASES[i].request), "%s", CASES[i].reply);
        es_close(es);
    }
}

Test(damaged, a_schema_that_cannot_be_given_back_is_an_error) {
    static const char *const SCHEMAS[] = {
        "UPDATE schema_version SET schema = x'df'", "UPDATE schema_version SET schema = x'8080'",
        "UPDATE schema_version SET schema = x'', format = 0", "UPDATE schema_version SET format = 7"};
    for (size_t i = 0; i < sizeof SCHEMAS / sizeof SCHEMAS[0]; i++) {
        struct es *es = open_damaged(SCHEMAS[i]);
        es_refused(es, POLARIS_ES_CORRUPT, NULL, "damaged", "schema", "{'op': 'get', 'type': 't'}");
        es_close(es);
    }
}

Test(damaged, rows_of_the_registry_never_switch_validation_off) {
    static const struct {
        const char *sql;
        int32_t append, put;
    } CASES[] = {
        {"UPDATE schema_type SET current = 9", POLARIS_ES_CORRUPT, POLARIS_ES_CORRUPT},
        {"UPDATE schema_type SET current = 0", POLARIS_ES_OK, POLARIS_ES_OK}, /* as if it had been retired */
        {"UPDATE schema_type SET policy = 4", POLARIS_ES_CORRUPT, POLARIS_ES_CORRUPT},
        {"UPDATE schema_type SET latest = 9223372036854775807", POLARIS_ES_CORRUPT, POLARIS_ES_CORRUPT},
        {"UPDATE schema_type SET latest = 2", POLARIS_ES_OK, POLARIS_ES_CORRUPT},
        {"UPDATE schema_type SET latest = -1, current = -1", POLARIS_ES_CORRUPT, POLARIS_ES_CORRUPT},
        {"UPDATE schema_version SET format = 7", POLARIS_ES_INCOMPATIBLE, POLARIS_ES_OK},
        {"UPDATE schema_version SET schema = x'c1'", POLARIS_ES_INCOMPATIBLE, POLARIS_ES_OK},
        {"UPDATE schema_version SET documents = x'c1'", POLARIS_ES_INCOMPATIBLE, POLARIS_ES_OK},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct es *es = open_damaged(CASES[i].sql);
        cr_expect_eq(es_call(es, "store", "{'op': 'append', 'event': {'type': 't', 'data': {}}}"), CASES[i].append,
                     "%s", CASES[i].sql);
        cr_expect_eq(es_call(es, "schema", "{'op': 'put', 'type': 't', 'schema': {'type': 'object'}}"), CASES[i].put,
                     "%s", CASES[i].sql);
        es_close(es);
    }
}

/* Of each file: an append that would have to go by the damaged number, and one that need not. */
Test(damaged, an_append_that_meets_a_number_which_no_writer_gave_is_refused_and_others_are_not, .timeout = 60) {
    static const struct {
        const char *sql, *table, *refused, *taken;
    } CASES[] = {
        {"INSERT INTO stream VALUES (9223372036854775807, 'x', 1, 1, 1)", "stream", "'stream': 's2'", "'stream': 's'"},
        {"INSERT INTO stream VALUES (4611686018427387904, 'x', 1, 1, 1)", "stream", "'stream': 's2'", "'stream': 's'"},
        {"INSERT INTO stream VALUES (-5, 's2', 1, 1, 1)", "stream", "'stream': 's2'", "'stream': 's3'"},
        {"INSERT INTO stream VALUES (0, 's2', 1, 1, 1)", "stream", "'stream': 's2'", "'stream': 's3'"},
        {"UPDATE stream SET id = -7", "stream", "'stream': 's'", "'tags': ['x']"},
        {"UPDATE stream SET version = 9223372036854775807", "version 9223372036854775807 of stream s,", "'stream': 's'",
         "'stream': 's3'"},
        {"UPDATE stream SET version = -1", "version -1 of stream s,", "'stream': 's'", "'stream': 's3'"},
        {"INSERT INTO tag VALUES (9223372036854775807, 'y', 1, 1)", "tag", "'tags': ['z']", "'stream': 's'"},
        {"INSERT INTO tag VALUES (-5, 'b', 1, 1)", "tag", "'tags': ['z', 'b']", "'tags': ['x', 'z']"},
        {"INSERT INTO tag VALUES (0, 'b', 1, 1)", "tag", "'tags': ['b']", "'tags': ['x']"},
        {"INSERT INTO type VALUES (-5, 'u')", "type", "'type': 'u'", NULL},
        {"UPDATE type SET id = 9223372036854775807", "type", "'type': 'u'", NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        bool of_type = CASES[i].taken == NULL;
        struct es *es = open_damaged(CASES[i].sql);
        es_refused(es, POLARIS_ES_CORRUPT, NULL, CASES[i].table, "store",
                   "{'op': 'append', 'event': {%s 'data': {}, %s}}", of_type ? "" : "'type': 't',", CASES[i].refused);
        cr_expect_not_null(strstr(es_text(es->reply, "message"), "restore a backup"), "%s", CASES[i].sql);
        cr_expect_eq(es_event_count(es), 1, "%s", CASES[i].sql);
        if (!of_type) {
            cr_expect_eq(
                es_call(es, "store", "{'op': 'append', 'event': {'type': 't', 'data': {}, %s}}", CASES[i].taken),
                POLARIS_ES_OK, "%s", CASES[i].sql);
            cr_expect_eq(es_event_count(es), 2, "%s", CASES[i].sql);
        }
        es_close(es);
    }
}

Test(damaged, a_batch_with_an_id_that_no_writer_gave_is_not_completed_without_it) {
    struct es *es = open_damaged("UPDATE batch SET id = -5; UPDATE draft SET batch_id = -5");
    es_refused(es, POLARIS_ES_CORRUPT, NULL, "batch", "store", "{'op': 'batch.complete', 'id': 'b'}");
    es_refused(es, POLARIS_ES_CORRUPT, NULL, "batch", "store",
               "{'op': 'batch.append', 'id': 'b', 'event': {'type': 't', 'data': {}}}");
    cr_expect_eq(es_event_count(es), 1);
    es_close(es);
}

Test(damaged, a_highest_id_from_which_no_other_follows_is_refused_by_a_writer) {
    struct es *es = open_damaged("UPDATE batch SET state = 0");
    es_shutdown(es);
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "UPDATE store SET removed_last_id = 9223372036854775807", NULL, NULL, NULL),
                 SQLITE_OK);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);

    cr_expect_eq(es_init(es, NULL), POLARIS_ES_CORRUPT);
    es_close(es);
}

Test(damaged, a_file_with_tables_that_would_stand_in_for_those_of_the_writer_is_refused) {
    static const char *const NAMES[] = {"staged_event", "staged_tag"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        struct es *es = es_open(NULL);
        char sql[64];
        sqlite3 *db = NULL;
        (void)es_append(es, "{'type': 't', 'data': {}}");
        es_shutdown(es);
        snprintf(sql, sizeof sql, "CREATE TABLE %s (id)", NAMES[i]);
        cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
        cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        cr_assert_eq(sqlite3_close(db), SQLITE_OK);
        cr_expect_eq(es_init(es, NULL), POLARIS_ES_CORRUPT);
        es_close(es);
    }
}

Test(damaged, an_event_that_the_file_does_not_take_is_not_acknowledged) {
    struct es *es = es_open(NULL);
    sqlite3 *foreign = NULL;
    (void)es_append(es, "{'type': 't', 'data': {}}");
    cr_assert_eq(sqlite3_open(es->path, &foreign), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(foreign, "CREATE TRIGGER thief BEFORE INSERT ON event BEGIN SELECT RAISE(IGNORE); END",
                              NULL, NULL, NULL),
                 SQLITE_OK);

    (void)es_refused(es, POLARIS_ES_CORRUPT, NULL, NULL, "store",
                     "{'op': 'append', 'event': {'type': 't', 'data': {}}}");

    cr_assert_eq(sqlite3_exec(foreign, "DROP TRIGGER thief", NULL, NULL, NULL), SQLITE_OK);
    cr_expect_eq(es_append(es, "{'type': 't', 'data': {}}"), 2);
    sqlite3_close(foreign);
    es_close(es);
}

/* Where the file has these bytes for the first time. */
static long place_of(FILE *file, const char *bytes, size_t size) {
    char found[32] = "";
    for (long at = 0; fseek(file, at, SEEK_SET) == 0 && fread(found, size, 1, file) == 1; at++) {
        if (memcmp(found, bytes, size) == 0) {
            return at;
        }
    }
    return -1;
}

Test(damaged, a_row_that_claims_more_than_any_memory_is_told_as_that_or_damage) {
    struct es *es = es_open("{'page_size': 512}");
    es_shutdown(es);
    FILE *file = fopen(es->path, "r+b");
    cr_assert_not_null(file);
    /* Before the texts of a row: its size in two bytes, its number, and seven bytes of what the texts are. */
    long place = place_of(file, "tableevent", 10) - 7 - 1 - 2;
    cr_assert_gt(place, 0);
    cr_assert_eq(fseek(file, place, SEEK_SET), 0);
    cr_assert_eq(fwrite("\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9, 1, file), 1);
    cr_assert_eq(fclose(file), 0);

    int32_t status = es_init(es, NULL);

    cr_expect(status == POLARIS_ES_NO_MEMORY || status == POLARIS_ES_CORRUPT, "status %d", status);
    cr_expect_not_null(strstr(es_text(es->reply, "message"), "the file is damaged"), "%s",
                       es_text(es->reply, "message"));
    es_close(es);
}
