/* dlq_support.c: events, time and entries for the tests of dead letters. */
#include "dlq_support.h"

#include <criterion/criterion.h>

const char STEADY[] = "{'retry_jitter': 0}";

struct es *open_with_events(int count) {
    struct es *es = es_open(STEADY);
    for (int i = 1; i <= count; i++) {
        (void)es_ok(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'n': %d}, 'stream': 's%d'}}", i,
                    i % 2);
    }
    return es;
}

void pass_seconds(struct es *es, int64_t seconds) {
    atomic_fetch_add(&es->now_us, seconds * ES_SECOND_US);
}

long long now_plus(const struct es *es, int64_t seconds) {
    return (long long)(atomic_load(&es->now_us) + seconds * ES_SECOND_US);
}

json_t *put(struct es *es, int event_id, const char *consumer) {
    return json_object_get(es_ok(es, "dlq",
                                 "{'op': 'put', 'event_id': %d, 'consumer': '%s', 'error': {'message': 'boom'}}",
                                 event_id, consumer),
                           "entry");
}

int64_t claim_one(struct es *es, const char *consumer) {
    json_t *entries = json_object_get(es_ok(es, "dlq", "{'op': 'claim', 'consumer': '%s'}", consumer), "entries");
    cr_assert_eq(json_array_size(entries), 1);
    return es_int(json_array_get(entries, 0), "token");
}

int64_t claim_count(struct es *es, const char *fields) {
    return es_int(es_ok(es, "dlq", "{'op': 'claim', 'limit': 100%s%s}", fields[0] != '\0' ? ", " : "", fields),
                  "count");
}

json_t *get_entry(struct es *es, int event_id) {
    return json_object_get(es_ok(es, "dlq", "{'op': 'get', 'event_id': %d}", event_id), "entry");
}
