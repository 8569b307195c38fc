/* formats.c: stores that older builds wrote, from the museum. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "es.h"

static void copy_file(const char *from, const char *to) {
    FILE *source = fopen(from, "rb");
    FILE *target = fopen(to, "wb");
    cr_assert(source != NULL && target != NULL, "%s to %s", from, to);
    char block[4096];
    for (size_t size = fread(block, 1, sizeof block, source); size > 0; size = fread(block, 1, sizeof block, source)) {
        cr_assert_eq(fwrite(block, 1, size, target), size);
    }
    cr_assert_eq(fclose(source), 0);
    cr_assert_eq(fclose(target), 0);
}

/* A store of format 1, shut down: events 1 and 2, an open batch with a draft, a dead letter, and two versions of a
 * schema, of which the second wants an id. */
static struct es *format_1(void) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    copy_file(MUSEUM "/format-1.db", es->path);
    return es;
}

Test(formats, a_store_of_format_1_is_raised_and_loses_nothing) {
    struct es *es = format_1();
    es_reopen(es, NULL);
    es_expect(es_ok(es, "query", "{'op': 'events'}"),
              "{'events': [{'id': 1, 'type': 'node_created', 'data': {'id': 'alice'}, 'key': 'k1', 'version': 1},"
              " {'id': 2, 'type': 'edge_created', 'time': %lld}]}",
              (long long)ES_START_US);
    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'open'}"), "{'batch': {'count': 1, 'first_id': 3}}");
    es_expect(es_ok(es, "dlq", "{'op': 'get', 'id': 1}"), "{'entry': {'consumer': 'search', 'state': 'pending'}}");
    es_expect(es_ok(es, "schema", "{'op': 'versions', 'type': 'node_created'}"),
              "{'latest': 2, 'current': 2, 'policy': 'off', 'compatibility': 'none', 'versions': [{'version': 1},"
              " {'version': 2, 'format': 'json'}]}");
    es_reopen(es, NULL);
    es_expect(es_ok(es, "query", "{'op': 'head'}"), "{'last_id': 3}");
    es_close(es);
}

Test(formats, schemas_of_format_1_validate_once_the_policy_says_so) {
    struct es *es = format_1();
    es_reopen(es, NULL);
    static const char APPEND[] = "{'op': 'append', 'event': {'type': 'node_created', 'data': {'%s': 1}}}";
    (void)es_ok(es, "store", APPEND, "name");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'node_created', 'policy': 'reject'}");
    (void)es_refused(es, POLARIS_ES_REJECTED, "/event", "id", "store", APPEND, "name");
    (void)es_ok(es, "store", APPEND, "id");
    es_close(es);
}

Test(formats, a_reader_cannot_raise_a_store_and_says_who_can) {
    struct es *es = format_1();
    cr_assert_eq(es_init(es, "{'mode': 'read'}"), POLARIS_ES_INCOMPATIBLE);
    es_expect(es->reply, "{'details': {'format': 1, 'format_max': 2}}");
    cr_expect_not_null(strstr(es_text(es->reply, "message"), "mode write"));
    es_reopen(es, NULL);
    es_reopen(es, "{'mode': 'read'}");
    es_expect(es_ok(es, "query", "{'op': 'head'}"), "{'last_id': 2}");
    es_close(es);
}

/* What a migration alters is found by the names and the row ids of the schema table, and those may be wrong. */
Test(formats, a_store_of_format_1_whose_schema_table_is_damaged_is_corrupt) {
    static const struct {
        long offset;
        int was, is;
    } DAMAGES[] = {
        {6170, 10, 11},    /* the id of the row of the table event is that of the next row too */
        {13904, '+', '*'}, /* the name of sqlite_sequence is a blob */
    };
    for (size_t i = 0; i < sizeof DAMAGES / sizeof DAMAGES[0]; i++) {
        struct es *es = format_1();
        FILE *file = fopen(es->path, "r+b");
        cr_assert_not_null(file);
        cr_assert_eq(fseek(file, DAMAGES[i].offset, SEEK_SET), 0);
        cr_assert_eq(fgetc(file), DAMAGES[i].was);
        cr_assert_eq(fseek(file, DAMAGES[i].offset, SEEK_SET), 0);
        cr_assert_eq(fputc(DAMAGES[i].is, file), DAMAGES[i].is);
        cr_assert_eq(fclose(file), 0);
        int32_t status = es_init(es, NULL);
        cr_expect_eq(status, POLARIS_ES_CORRUPT, "at %ld: status %d", DAMAGES[i].offset, status);
        es_close(es);
    }
}
