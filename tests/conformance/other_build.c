/* other_build.c: another build of the plugin, and other programs, on the same file. */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "es.h"

static void swap(struct es *es) {
    es_shutdown(es);
    es->table = es_table_b();
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
}

Test(other_build, is_told_from_the_first_by_its_build_id) {
    cr_assert_neq(es_table(), es_table_b());
    cr_assert_str_neq(es_table()->build_id, es_table_b()->build_id);
    cr_assert_str_eq(es_table()->version, es_table_b()->version);
}

Test(other_build, a_second_writer_is_busy_whichever_build_it_is) {
    struct es *es = es_open("{'owner': 'the first build'}");
    const polaris_es_table *first = es->table;
    es->table = es_table_b();
    polaris_es *self = NULL;
    json_t *reply = NULL;
    cr_assert_eq(es_init_second(es, NULL, &self, &reply), POLARIS_ES_BUSY);
    es_expect(reply, "{'details': {'owner': 'the first build'}}");
    json_decref(reply);
    es->table = first;
    es_close(es);
}

Test(other_build, cursors_tokens_keys_and_open_batches_are_good_after_a_swap) {
    struct es *es = es_open(NULL);
    static const char KEYED[] = "{'type': 'a', 'data': {}, 'key': 'k'}";
    (void)es_append(es, KEYED);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    (void)es_ok(es, "store", "{'op': 'batch.create', 'id': 'b'}");
    (void)es_ok(es, "store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}");
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'delay_us': 0}");
    (void)es_ok(es, "dlq", "{'op': 'claim'}");
    long long token = (long long)es_int(json_array_get(json_object_get(es->reply, "entries"), 0), "token");
    char cursor[700];
    snprintf(cursor, sizeof cursor, "%s", es_text(es_ok(es, "query", "{'op': 'events', 'limit': 1}"), "cursor"));

    swap(es);

    es_expect(es_ok(es, "query", "{'op': 'events', 'cursor': '%s'}", cursor), "{'events': [{'id': 2}]}");
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 1, 'token': %lld}", token);
    cr_assert_eq(es_append(es, KEYED), 1);
    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}"), "{'batch': {'first_id': 3}}");
    es_close(es);
}

/* ---- a foreign SQLite client ---- */

static sqlite3 *lock_for_writing(const struct es *es) {
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

Test(other_build, a_foreign_client_that_holds_the_write_lock_ends_in_busy_after_the_bounded_wait) {
    struct es *es = es_open("{'busy_timeout_ms': 20}");
    sqlite3 *db = lock_for_writing(es);

    json_t *reply =
        es_refused(es, POLARIS_ES_BUSY, NULL, NULL, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");

    es_expect(reply, "{'retryable': true}");
    const char *message = es_text(reply, "message");
    cr_assert_null(strstr(message, "SQLITE"), "the library's own error leaks: %s", message);
    cr_assert_eq(es_event_count(es), 0, "reads go on");
    (void)es_refused(es, POLARIS_ES_BUSY, NULL, NULL, "store", "{'op': 'batch.create', 'id': 'b'}");
    (void)es_refused(es, POLARIS_ES_BUSY, NULL, NULL, "schema", "{'op': 'put', 'type': 'a', 'schema': true}");
    cr_assert_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
    cr_assert_eq(es_append(es, "{'type': 'a', 'data': {}}"), 1);
    es_close(es);
}
