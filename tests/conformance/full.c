/* full.c: a store that has reached its size limit: appends are refused, whichever way they come; all else works. */
#include <criterion/criterion.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "es.h"

/* Some events, a dead letter that is due, an open batch with a draft, a rejected entry; and no room. */
static struct es *open_full(void) {
    struct es *es = es_open(NULL);
    for (int i = 0; i < 5; i++) {
        (void)es_append(es, "{'type': 'a', 'data': {}, 'stream': 's', 'tags': ['x']}");
    }
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 1, 'error': {'message': 'm'}, 'delay_us': 0}");
    (void)es_ok(es, "store", "{'op': 'batch.create', 'id': 'b'}");
    (void)es_ok(es, "store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}");
    (void)es_ok(es, "schema", "{'op': 'put', 'type': 'k', 'schema': {'required': ['id']}}");
    (void)es_ok(es, "schema", "{'op': 'policy', 'type': 'k', 'policy': 'dead_letter'}");
    (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'k', 'data': {}}}");
    es_reopen(es, "{'store_size_max': 1}");
    return es;
}

struct ending {
    atomic_int ends;
    int32_t status;
};

static void done(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct ending *ending = context;
    (void)ticket;
    (void)reply;
    ending->status = status;
    atomic_fetch_add(&ending->ends, 1);
}

Test(full, appends_are_refused_whichever_way_they_come) {
    struct es *es = open_full();
    json_t *reply = es_refused(es, POLARIS_ES_FULL, NULL, "store_size_max", "store",
                               "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
    cr_expect(json_is_true(json_object_get(reply, "retryable")));
    (void)es_refused(es, POLARIS_ES_FULL, NULL, NULL, "store",
                     "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}");
    struct ending ending = {.status = -1};
    polaris_es_completion completion = {.size = sizeof completion, .context = &ending, .done = done};
    size_t size = 0;
    void *request = es_pack("{'op': 'append', 'event': {'type': 'a', 'data': {}}}", &size);
    cr_assert_eq(es->table->submit(es->self, (polaris_bytes){request, size}, &completion, NULL), POLARIS_ES_OK);
    while (atomic_load(&ending.ends) == 0) {
        (void)sched_yield();
    }
    cr_expect_eq(ending.status, POLARIS_ES_FULL);
    free(request);
    cr_expect_eq(es_event_count(es), 5);
    es_close(es);
}

Test(full, dead_letters_and_reads_work) {
    struct es *es = open_full();
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 2, 'error': {'message': 'm'}, 'delay_us': 0}");
    (void)es_ok(es, "dlq", "{'op': 'put', 'event_id': 3, 'consumer': 'c', 'error': {'message': 'm'}, 'delay_us': 0}");
    es_expect(es_ok(es, "dlq", "{'op': 'claim', 'limit': 10}"), "{'count': 2}");
    (void)es_ok(es, "dlq", "{'op': 'fail', 'id': 1, 'token': 1, 'error': {'message': 'm'}, 'park': true}");
    (void)es_ok(es, "dlq", "{'op': 'resolve', 'id': 2, 'token': 1}");
    (void)es_ok(es, "dlq", "{'op': 'redrive', 'id': 1}");
    es_expect(es_ok(es, "dlq", "{'op': 'retry', 'consumer': 'c'}"), "{'count': 1}");
    (void)es_ok(es, "dlq", "{'op': 'discard', 'id': 1, 'reason': 'r'}");
    es_expect(es_ok(es, "dlq", "{'op': 'purge'}"), "{'count': 2}");
    es_expect(es_ok(es, "dlq", "{'op': 'count'}"), "{'total': 1}");
    (void)es_ok(es, "dlq", "{'op': 'rejected.discard', 'id': 1, 'reason': 'r'}");
    es_expect(es_ok(es, "dlq", "{'op': 'rejected.purge'}"), "{'count': 1}");
    es_expect(es_ok(es, "query", "{'op': 'events', 'filter': {'stream': 's', 'tags_any': ['x']}}"), "{'count': 5}");
    es_expect(es_ok(es, "store", "{'op': 'batch.get', 'id': 'b'}"), "{'batch': {'state': 'open', 'count': 1}}");
    es_close(es);
}

Test(full, with_a_higher_limit_it_goes_on_where_it_was) {
    struct es *es = open_full();
    (void)es_refused(es, POLARIS_ES_FULL, NULL, NULL, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
    es_reopen(es, "{'store_size_max': 1000000000}");
    cr_expect_eq(es_append(es, "{'type': 'a', 'data': {}}"), 6);
    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}"), "{'batch': {'count': 1, 'first_id': 7}}");
    es_close(es);
}

Test(full, a_store_that_grows_stops_near_its_limit) {
    enum { LIMIT = 400000, ROOM = 300000 };
    struct es *es = es_open("{'store_size_max': 400000, 'durability': 'normal', 'checkpoint_pages': 100}");
    int stored = 0;
    while (es_call(es, "store",
                   "{'op': 'append', 'event': {'type': 'a', 'data': {'pad':"
                   " 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'}}}") ==
           POLARIS_ES_OK) {
        cr_assert_lt(++stored, 20000, "it grows without an end");
    }
    es_expect(es->reply, "{'name': 'FULL'}");
    cr_expect_gt(stored, ROOM / 1000);
    cr_expect_eq(es_event_count(es), stored);
    es_close(es);
}
