/* kill.c: a process that is killed while a batch is open and a dead letter claimed. What happens at random moments is
 * in rounds.c. */
#include <criterion/criterion.h>
#include <signal.h>

#include "child.h"

/* Leaves a batch with two drafts open, and a claimed dead letter, and dies. */
static int leave_things_open(struct es *es, int reports) {
    (void)reports;
    if (es_init(es, NULL) != POLARIS_ES_OK ||
        es_call(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}") != POLARIS_ES_OK ||
        es_call(es, "store", "{'op': 'batch.create', 'id': 'b'}") != POLARIS_ES_OK ||
        es_call(
            es, "store",
            "{'op': 'batch.append', 'id': 'b', 'events': [{'type': 'b', 'data': {}}, {'type': 'b', 'data': {}}]}") !=
            POLARIS_ES_OK ||
        es_call(es, "dlq", "{'op': 'put', 'event_id': 1, 'delay_us': 0, 'error': {'message': 'no'}}") !=
            POLARIS_ES_OK ||
        es_call(es, "dlq", "{'op': 'claim'}") != POLARIS_ES_OK) {
        return 1;
    }
    (void)raise(SIGKILL);
    return 2;
}

Test(kill, leaves_an_open_batch_open_and_a_claimed_dead_letter_claimed) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    struct child child = child_start(es, leave_things_open);
    child_go(&child);
    cr_assert_eq(child_wait(&child), -SIGKILL);

    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    es_expect(es_ok(es, "store", "{'op': 'batch.get', 'id': 'b'}"), "{'batch': {'state': 'open', 'count': 2}}");
    es_expect(es_ok(es, "dlq", "{'op': 'get', 'id': 1}"), "{'entry': {'state': 'claimed', 'token': 1}}");
    es_expect(es_ok(es, "store", "{'op': 'batch.complete', 'id': 'b'}"),
              "{'batch': {'state': 'completed', 'count': 2, 'first_id': 2, 'last_id': 3}}");
    es_expect(es_ok(es, "dlq", "{'op': 'resolve', 'id': 1, 'token': 1}"), "{'entry': {'state': 'resolved'}}");
    es_close(es);
}
