/* store_test.c: appending events. */
#include <criterion/criterion.h>

#include "es.h"

Test(store, append_gives_ids_in_order_and_the_events_come_back_as_they_were) {
    struct es *es = es_open(NULL);

    json_t *reply = es_ok(es, "store",
                          "{'op': 'append', 'events': [{'type': 'node_created', 'data': {'id': 'alice'}},"
                          " {'type': 'node_created', 'data': {'id': 'bob'}, 'stream': 'node:bob', 'metadata': {}}]}");

    es_expect(reply, "{'ids': [1, 2], 'versions': [null, 1], 'duplicates': 0, 'recorded_at': %lld, 'last_id': 2}",
              (long long)ES_START_US);
    es_expect(es_ok(es, "query", "{'op': 'events'}"),
              "{'count': 2, 'more': false, 'last_id': 2, 'cursor': '*', 'events': ["
              "{'id': 1, 'type': 'node_created', 'data': {'id': 'alice'}, 'time': %lld, 'recorded_at': %lld},"
              "{'id': 2, 'type': 'node_created', 'data': {'id': 'bob'}, 'stream': 'node:bob', 'version': 1,"
              " 'metadata': {}}]}",
              (long long)ES_START_US, (long long)ES_START_US);
    es_close(es);
}
