/* submit.c: requests that are not waited for: how each ends, in which order, and what happens when there are too many.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "es.h"
#include "message/message.h"

enum { ENDS_MAX = 20000 };

/* What was told, in order. A gate in `done` holds the plugin's thread, so that a test decides when requests end. */
struct ends {
    pthread_mutex_t mutex;
    pthread_cond_t moved;
    bool held;
    int waiting; /* threads that stand in `done` */
    size_t count;
    struct end {
        uint64_t ticket;
        int32_t status;
        int64_t first_id, last_id; /* of an append's reply */
        char name[32];             /* of an error map */
    } end[ENDS_MAX];
};

static struct ends ends;

static void set_up(void) {
    ends = (struct ends){0};
    pthread_mutex_init(&ends.mutex, NULL);
    pthread_cond_init(&ends.moved, NULL);
}

static void tear_down(void) {
    pthread_cond_destroy(&ends.moved);
    pthread_mutex_destroy(&ends.mutex);
}

TestSuite(submit, .init = set_up, .fini = tear_down, .timeout = 60);

static struct end end_of(uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct end end = {.ticket = ticket, .status = status};
    json_t *map = NULL;
    struct failure failure;
    cr_assert(message_unpack(reply.data, reply.size, &map, &failure), "the reply of %llu is no map",
              (unsigned long long)ticket);
    const json_t *ids = json_object_get(map, "ids");
    end.first_id = json_integer_value(json_array_get(ids, 0));
    end.last_id = json_integer_value(json_array_get(ids, json_array_size(ids) - 1));
    const char *name = json_string_value(json_object_get(map, "name"));
    snprintf(end.name, sizeof end.name, "%s", name != NULL ? name : "");
    json_decref(map);
    return end;
}

static void done(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    cr_assert_eq(context, &ends);
    pthread_mutex_lock(&ends.mutex);
    ends.waiting++;
    pthread_cond_broadcast(&ends.moved);
    while (ends.held) {
        pthread_cond_wait(&ends.moved, &ends.mutex);
    }
    ends.waiting--;
    cr_assert_lt(ends.count, ENDS_MAX);
    ends.end[ends.count++] = end_of(ticket, status, reply);
    pthread_cond_broadcast(&ends.moved);
    pthread_mutex_unlock(&ends.mutex);
}

static const polaris_es_completion COMPLETION = {.size = sizeof COMPLETION, .context = &ends, .done = done};

static void wait_for_ends(size_t count) {
    pthread_mutex_lock(&ends.mutex);
    while (ends.count < count) {
        pthread_cond_wait(&ends.moved, &ends.mutex);
    }
    pthread_mutex_unlock(&ends.mutex);
}

/* From now on the plugin's thread stands still in the next `done`. */
static void hold(void) {
    pthread_mutex_lock(&ends.mutex);
    ends.held = true;
    pthread_mutex_unlock(&ends.mutex);
}

static void wait_until_it_stands(void) {
    pthread_mutex_lock(&ends.mutex);
    while (ends.waiting == 0) {
        pthread_cond_wait(&ends.moved, &ends.mutex);
    }
    pthread_mutex_unlock(&ends.mutex);
}

static void release(void) {
    pthread_mutex_lock(&ends.mutex);
    ends.held = false;
    pthread_cond_broadcast(&ends.moved);
    pthread_mutex_unlock(&ends.mutex);
}

static int32_t submit(struct es *es, const char *json, uint64_t *ret_ticket) {
    size_t size = 0;
    void *data = es_pack(json, &size);
    int32_t status = es->table->submit(es->self, (polaris_bytes){data, size}, &COMPLETION, ret_ticket);
    free(data); /* it was copied */
    return status;
}

static uint64_t submit_ok(struct es *es, const char *json) {
    uint64_t ticket = 0;
    cr_assert_eq(submit(es, json, &ticket), POLARIS_ES_OK, "%s", json);
    cr_assert_neq(ticket, 0);
    return ticket;
}

#define APPEND "{'op': 'append', 'event': {'type': 'a', 'data': {'n': 1}}}"

static const struct end *end_with(uint64_t ticket) {
    for (size_t i = 0; i < ends.count; i++) {
        if (ends.end[i].ticket == ticket) {
            return &ends.end[i];
        }
    }
    cr_assert_fail("request %llu did not end", (unsigned long long)ticket);
    return NULL;
}

/* ---- how requests end ---- */

Test(submit, is_among_the_capabilities) {
    const polaris_es_table *table = es_table();
    cr_expect(table->capabilities & POLARIS_ES_CAN_SUBMIT);
    cr_expect_not_null(table->submit);
    cr_expect_not_null(table->cancel);
}

Test(submit, an_append_ends_with_the_reply_that_store_would_give) {
    struct es *es = es_open(NULL);

    uint64_t ticket = submit_ok(es, APPEND);
    wait_for_ends(1);

    cr_expect_eq(end_with(ticket)->status, POLARIS_ES_OK);
    cr_expect_eq(end_with(ticket)->first_id, 1);
    cr_expect_eq(es_event_count(es), 1);
    es_close(es);
}

Test(submit, ends_come_in_commit_order_and_the_requests_of_a_thread_keep_theirs) {
    struct es *es = es_open("{'durability': 'normal'}");
    enum { COUNT = 3000 };

    for (int i = 0; i < COUNT; i++) {
        (void)submit_ok(es, "{'op': 'append', 'events': [{'type': 'a', 'data': {}}, {'type': 'b', 'data': {}}]}");
    }
    wait_for_ends(COUNT);

    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_eq(ends.end[i].ticket, i + 1);
        cr_assert_eq(ends.end[i].first_id, (int64_t)(2 * i + 1));
        cr_assert_eq(ends.end[i].last_id, (int64_t)(2 * i + 2));
    }
    es_close(es);
}

Test(submit, what_is_wrong_within_a_request_is_told_at_its_end) {
    static const struct {
        const char *request;
        int32_t status;
    } WRONG[] = {
        {"{'op': 'append', 'event': {'type': 'a'}}", POLARIS_ES_INVALID},
        {"{'op': 'append', 'evnt': {}}", POLARIS_ES_INVALID},
        {"{'op': 'apend'}", POLARIS_ES_UNSUPPORTED},
        {"[]", POLARIS_ES_INVALID},
        {"{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 7}}",
         POLARIS_ES_CONFLICT},
        {"{'op': 'batch.complete', 'id': 'unknown'}", POLARIS_ES_NOT_FOUND},
    };
    struct es *es = es_open(NULL);
    for (size_t i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        uint64_t ticket = submit_ok(es, WRONG[i].request);
        wait_for_ends(i + 1);
        cr_expect_eq(end_with(ticket)->status, WRONG[i].status, "%s: %s", WRONG[i].request, end_with(ticket)->name);
        cr_expect_neq(end_with(ticket)->name[0], '\0', "an error map");
    }
    cr_expect_eq(es_event_count(es), 0);
    es_close(es);
}

Test(submit, one_bad_request_fails_alone) {
    struct es *es = es_open(NULL);
    hold();
    (void)submit_ok(es, APPEND);
    wait_until_it_stands(); /* the others will share a commit */
    uint64_t good = submit_ok(es, APPEND);
    uint64_t bad =
        submit_ok(es, "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 1}}");
    uint64_t better = submit_ok(es, APPEND);
    release();
    wait_for_ends(4);

    cr_expect_eq(end_with(good)->first_id, 2);
    cr_expect_eq(end_with(bad)->status, POLARIS_ES_CONFLICT);
    cr_expect_eq(end_with(better)->first_id, 3);
    es_close(es);
}

/* What it finds out only when all are written would fail all. */
Test(submit, one_request_that_meets_a_damaged_table_fails_alone) {
    static const char *const TABLES[] = {"stream VALUES (-5, 'x', 1, 1, 1)", "tag VALUES (-5, 'x', 1, 1)"};
    for (size_t i = 0; i < sizeof TABLES / sizeof TABLES[0]; i++) {
        struct es *es = es_open(NULL);
        char sql[80];
        sqlite3 *db = NULL;
        size_t before = ends.count;
        es_shutdown(es);
        snprintf(sql, sizeof sql, "INSERT INTO %s", TABLES[i]);
        cr_assert_eq(sqlite3_open(es->path, &db), SQLITE_OK);
        cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sql);
        cr_assert_eq(sqlite3_close(db), SQLITE_OK);
        cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);

        hold();
        (void)submit_ok(es, APPEND);
        wait_until_it_stands(); /* the others will share a commit */
        (void)submit_ok(es, APPEND);
        (void)submit_ok(es, i == 0 ? "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 'x'}}"
                                   : "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'tags': ['x']}}");
        (void)submit_ok(es, APPEND);
        release();
        wait_for_ends(before + 4);

        const struct end *end = &ends.end[before];
        cr_expect_eq(end[1].status, POLARIS_ES_OK, "%s", sql);
        cr_expect_eq(end[2].status, POLARIS_ES_CORRUPT, "%s", sql);
        cr_expect_eq(end[3].first_id, 3, "%s", sql);
        es_close(es);
    }
}

Test(submit, every_op_of_store_takes_its_turn) {
    struct es *es = es_open(NULL);
    static const char *const REQUESTS[] = {
        APPEND,
        "{'op': 'batch.create', 'id': 'b'}",
        "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}",
        APPEND,
        "{'op': 'batch.complete', 'id': 'b'}",
        "{'op': 'batch.get', 'id': 'b'}",
        APPEND,
    };
    enum { COUNT = sizeof REQUESTS / sizeof REQUESTS[0] };
    for (size_t i = 0; i < COUNT; i++) {
        (void)submit_ok(es, REQUESTS[i]);
    }
    wait_for_ends(COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        cr_expect_eq(ends.end[i].status, POLARIS_ES_OK, "%s", REQUESTS[i]);
        cr_expect_eq(ends.end[i].ticket, i + 1, "each in its turn");
    }
    cr_expect_eq(end_with(7)->first_id, 4, "behind the event of the batch");
    es_close(es);
}

Test(submit, an_event_is_validated_by_the_version_that_is_kept_with_it) {
    struct es *es = es_open(NULL);
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'a', 'schema': {'required': ['n']}}");
    uint64_t good = submit_ok(es, APPEND);
    uint64_t bad = submit_ok(es, "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
    wait_for_ends(2);
    cr_expect_eq(end_with(good)->status, POLARIS_ES_OK);
    cr_expect_eq(end_with(bad)->status, POLARIS_ES_REJECTED);
    es_expect(es_ok(es, "query", "{'op': 'events'}"), "{'events': [{'schema_version': 1}]}");
    es_close(es);
}

/* ---- too many, too large ---- */

Test(submit, is_busy_when_as_many_are_in_progress_as_submit_max_allows_and_drops_nothing) {
    struct es *es = es_open("{'submit_max': 3}");
    hold();
    (void)submit_ok(es, APPEND);
    wait_until_it_stands(); /* one that is being told of is not in progress any more */
    for (int i = 0; i < 3; i++) {
        (void)submit_ok(es, APPEND);
    }

    cr_expect_eq(submit(es, APPEND, NULL), POLARIS_ES_BUSY);
    release();
    wait_for_ends(4);
    es_shutdown(es);

    cr_expect_eq(ends.count, 4, "the refused one is not told of");
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_expect_eq(es_event_count(es), 4);
    es_close(es);
}

Test(submit, whoever_is_told_of_an_end_may_submit_another_one) {
    struct es *es = es_open("{'submit_max': 1, 'durability': 'normal'}");
    for (size_t i = 0; i < 300; i++) {
        (void)submit_ok(es, APPEND);
        wait_for_ends(i + 1);
    }
    es_close(es);
}

Test(submit, is_not_busy_below_submit_max_however_old_the_one_in_progress_is) {
    struct es *es = es_open("{'submit_max': 2}");
    sqlite3 *foreign = NULL;
    cr_assert_eq(sqlite3_open(es->path, &foreign), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(foreign, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);

    uint64_t waits = submit_ok(es, APPEND);
    for (size_t i = 0; i < 5; i++) {
        (void)submit_ok(es, "{'op': 'unknown'}");
        wait_for_ends(i + 1);
    }
    uint64_t last = submit_ok(es, APPEND);
    cr_assert_eq(sqlite3_exec(foreign, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    wait_for_ends(7);

    cr_expect_eq(end_with(waits)->first_id, 1);
    cr_expect_eq(end_with(last)->first_id, 2);
    sqlite3_close(foreign);
    es_close(es);
}

Test(submit, is_busy_when_requests_in_progress_have_as_many_bytes_as_submit_size_max_allows) {
    struct es *es = es_open("{'submit_size_max': 1024}");
    char request[4096];
    snprintf(request, sizeof request, "{'op': 'append', 'event': {'type': 'a', 'data': {'text': '%01500d'}}}", 7);
    hold();
    (void)submit_ok(es, APPEND);
    wait_until_it_stands();
    uint64_t ticket = submit_ok(es, request); /* alone it may be larger */
    cr_expect_eq(submit(es, APPEND, NULL), POLARIS_ES_BUSY);
    release();
    wait_for_ends(2);
    cr_expect_eq(end_with(ticket)->status, POLARIS_ES_OK);
    es_close(es);
}

/* A host that tries again on BUSY pays for no copy: bytes that may not be read are as good as any. */
Test(submit, a_request_for_which_there_is_no_room_is_not_even_read) {
    enum { SIZE = 1 << 20 };
    struct es *es = es_open("{'submit_max': 3, 'submit_size_max': 4096}");
    void *unreadable = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(unreadable, MAP_FAILED);
    const polaris_bytes request = {.data = unreadable, .size = SIZE};
    hold();
    (void)submit_ok(es, APPEND);
    wait_until_it_stands();

    uint64_t before = submit_ok(es, APPEND);
    cr_expect_eq(es->table->submit(es->self, request, &COMPLETION, NULL), POLARIS_ES_BUSY, "of the size");
    (void)submit_ok(es, APPEND);
    uint64_t last = submit_ok(es, APPEND);
    cr_expect_eq(last, before + 2, "a refused one takes no ticket");
    cr_expect_eq(es->table->submit(es->self, request, &COMPLETION, NULL), POLARIS_ES_BUSY, "of the number");
    release();
    wait_for_ends(4);

    (void)munmap(unreadable, SIZE);
    es_close(es);
}

Test(submit, refuses_what_it_cannot_take_at_once) {
    struct es *es = es_open("{'request_size_max': 1024}");
    const polaris_es_completion no_done = {.size = sizeof no_done};
    const polaris_es_completion reserved = {.size = sizeof reserved, .reserved = 1, .done = done};
    const polaris_bytes nothing = {.data = NULL, .size = 5};
    static const uint8_t ZEROS[2048];
    const polaris_bytes large = {.data = ZEROS, .size = sizeof ZEROS};
    const polaris_bytes empty = {.data = ZEROS, .size = 0};
    int32_t (*call)(polaris_es *, polaris_bytes, const polaris_es_completion *, uint64_t *) = es->table->submit;

    cr_expect_eq(call(NULL, empty, &COMPLETION, NULL), POLARIS_ES_INVALID);
    cr_expect_eq(call(es->self, empty, NULL, NULL), POLARIS_ES_INVALID);
    cr_expect_eq(call(es->self, empty, &no_done, NULL), POLARIS_ES_INVALID);
    cr_expect_eq(call(es->self, empty, &reserved, NULL), POLARIS_ES_INVALID);
    cr_expect_eq(call(es->self, nothing, &COMPLETION, NULL), POLARIS_ES_INVALID);
    cr_expect_eq(call(es->self, large, &COMPLETION, NULL), POLARIS_ES_TOO_LARGE);
    cr_expect_neq(strstr(es->log, "request_size_max is 1024"), NULL, "it is logged, as there is no reply: %s", es->log);
    es_shutdown(es);
    cr_expect_eq(ends.count, 0);
    es_close(es);
}

Test(submit, of_a_reader_is_read_only) {
    struct es *es = es_open(NULL);
    es_reopen(es, "{'mode': 'read'}");
    cr_expect_eq(submit(es, APPEND, NULL), POLARIS_ES_READ_ONLY);
    es_close(es);
}

/* ---- giving up ---- */

Test(submit, what_has_not_begun_can_be_given_up_and_changes_nothing) {
    struct es *es = es_open(NULL);
    hold();
    uint64_t first = submit_ok(es, APPEND);
    wait_until_it_stands();
    uint64_t second = submit_ok(es, APPEND);
    uint64_t third = submit_ok(es, "{'op': 'batch.create', 'id': 'b'}");
    uint64_t fourth = submit_ok(es, APPEND);

    cr_expect_eq(es->table->cancel(es->self, first), POLARIS_ES_ALREADY, "it is stored");
    cr_expect_eq(es->table->cancel(es->self, second), POLARIS_ES_OK);
    cr_expect_eq(es->table->cancel(es->self, second), POLARIS_ES_ALREADY, "it was given up");
    cr_expect_eq(es->table->cancel(es->self, third), POLARIS_ES_OK);
    cr_expect_eq(es->table->cancel(es->self, fourth + 1), POLARIS_ES_NOT_FOUND);
    cr_expect_eq(es->table->cancel(es->self, 0), POLARIS_ES_NOT_FOUND);
    cr_expect_eq(es->table->cancel(NULL, first), POLARIS_ES_INVALID);
    release();
    wait_for_ends(4);

    cr_expect_eq(end_with(second)->status, POLARIS_ES_CANCELLED);
    cr_expect_str_eq(end_with(second)->name, "CANCELLED");
    cr_expect_eq(end_with(third)->status, POLARIS_ES_CANCELLED);
    cr_expect_eq(end_with(fourth)->first_id, 2);
    cr_expect_eq(es->table->cancel(es->self, fourth), POLARIS_ES_ALREADY);
    (void)es_refused(es, POLARIS_ES_NOT_FOUND, NULL, NULL, "store", "{'op': 'batch.get', 'id': 'b'}");
    es_close(es);
}

Test(submit, a_bad_request_that_was_given_up_in_time_ends_with_cancelled) {
    struct es *es = es_open(NULL);
    hold();
    (void)submit_ok(es, APPEND);
    wait_until_it_stands();
    uint64_t bad = submit_ok(es, "{'op': 'append'}");
    cr_expect_eq(es->table->cancel(es->self, bad), POLARIS_ES_OK);
    release();
    wait_for_ends(2);
    cr_expect_eq(end_with(bad)->status, POLARIS_ES_CANCELLED);
    es_close(es);
}

/* ---- the end ---- */

Test(submit, shutdown_ends_all_that_was_taken_and_counts_it) {
    struct es *es = es_open(NULL);
    enum { COUNT = 500 };
    hold();
    (void)submit_ok(es, APPEND);
    wait_until_it_stands();
    for (int i = 1; i < COUNT; i++) {
        (void)submit_ok(es, APPEND);
    }
    release();

    struct es_sink sink;
    es_sink_init(&sink);
    cr_assert_eq(es->table->shutdown(es->self, (polaris_bytes){0}, &sink.sink), POLARIS_ES_OK);
    es->self = NULL;
    json_t *reply = es_sink_reply(&sink);
    es_sink_done(&sink);

    cr_expect_eq(ends.count, COUNT);
    cr_expect_geq(es_int(reply, "drained"), 0);
    cr_expect_leq(es_int(reply, "drained"), COUNT);
    json_decref(reply);
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    cr_expect_eq(es_event_count(es), COUNT);
    es_close(es);
}
