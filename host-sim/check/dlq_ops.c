/* dlq_ops.c: the contract of dlq, op by op (SPEC.md, section 7). */
#include "check/trial.h"

#define OK POLARIS_ES_OK
#define NEEDS_DLQ (NEEDS_QUERY | POLARIS_ES_CAN_DEAD_LETTERS)
#define THREE_EVENTS                                                                                                   \
    {                                                                                                                  \
        "store",                                                                                                       \
            "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'stream': 's'}, "                                   \
            "{'type': 'a', 'data': {}, 'stream': 's'}, {'type': 'a', 'data': {}}]}",                                   \
            OK, "{'ids': ['#1', '#2', '#3']}"                                                                          \
    }
#define PUT(id, more)                                                                                                  \
    {                                                                                                                  \
        "dlq",                                                                                                         \
            "{'op': 'put', 'event_id': '#" id "', 'consumer': 'c', 'error': {'message': 'm', 'class': 'k'}" more "}",  \
            OK, "{'entry': {'id': '#d" id "'}}"                                                                        \
    }
#define CLAIM(reply)                                                                                                   \
    { "dlq", "{'op': 'claim', 'consumer': 'c'}", OK, reply }

static const struct check CHECKS[] = {
    SCRIPT(
        "dlq/put-makes-one-entry", "for an event and a consumer; again is one more failed attempt", NEEDS_DLQ, NULL,
        THREE_EVENTS,
        {"dlq",
         "{'op': 'put', 'event_id': '#1', 'consumer': 'c', 'delay_us': 5000000, "
         "'error': {'message': 'm', 'class': 'k'}}",
         OK,
         "{'entry': {'id': '#d1', 'event_id': '#1', 'consumer': 'c', 'state': 'pending', 'attempts': 0, 'stream': 's', "
         "'attempts_max': 3, 'due_at': 1767225605000000, 'failures': [{'class': 'k', 'message': 'm'}]}}"},
        {"dlq", "{'op': 'put', 'event_id': '#1', 'consumer': 'c', 'error': {'message': 'again'}}", OK,
         "{'entry': {'id': '#d1', 'attempts': 1, 'failures': [{'message': 'm'}, {'message': 'again'}]}}"},
        {"dlq", "{'op': 'put', 'event_id': 9000000000000000000, 'error': {'message': 'm'}}", POLARIS_ES_NOT_FOUND,
         "{'details': {'path': '/event_id'}}"},
        {"dlq", "{'op': 'count'}", OK, "{'consumers': [{'consumer': 'c', 'pending': 1}], 'total': 1}"}),
    SCRIPT(
        "dlq/claim-waits-until-it-is-due", "by the host's clock, and says when", NEEDS_DLQ, NULL, THREE_EVENTS,
        PUT("1", ", 'delay_us': 5000000"), CLAIM("{'entries': [], 'count': 0, 'next_due_at': 1767225605000000}"),
        {"clock", "5000000", 0, NULL},
        {"dlq", "{'op': 'claim', 'consumer': 'c', 'holder': 'h', 'lease_us': 1000000}", OK,
         "{'entries': [{'id': '#d1', 'state': 'claimed', 'holder': 'h', 'token': '*', 'lease_until': 1767225606000000, "
         "'event': {'id': '#1', 'type': 'a'}}], 'count': 1}"},
        CLAIM("{'count': 0}")),
    SCRIPT("dlq/resolve-ends-an-entry", "once", NEEDS_DLQ, NULL, THREE_EVENTS, PUT("1", ", 'delay_us': 0"),
           CLAIM("{'count': 1}"),
           {"dlq", "{'op': 'resolve', 'id': '#d1', 'token': 9000000000000000000}", POLARIS_ES_CONFLICT, NULL},
           {"dlq", "{'op': 'resolve', 'id': '#d1', 'token': '$token'}", OK, "{'entry': {'state': 'resolved'}}"},
           {"dlq", "{'op': 'resolve', 'id': '#d1'}", POLARIS_ES_ALREADY, NULL},
           {"dlq", "{'op': 'resolve', 'id': 9000000000000000000}", POLARIS_ES_NOT_FOUND, NULL}),
    SCRIPT("dlq/fail-counts-and-parks", "when the attempts are used up", NEEDS_DLQ, "{'retry_attempts_max': 2}",
           THREE_EVENTS, PUT("1", ", 'delay_us': 0"), CLAIM("{'count': 1}"),
           {"dlq", "{'op': 'fail', 'id': '#d1', 'token': '$token', 'delay_us': 0, 'error': {'message': 'm'}}", OK,
            "{'entry': {'state': 'pending', 'attempts': 1}}"},
           CLAIM("{'count': 1}"),
           {"dlq", "{'op': 'fail', 'id': '#d1', 'token': '$token', 'delay_us': 0, 'error': {'message': 'm'}}", OK,
            "{'entry': {'state': 'parked', 'attempts': 2, 'due_at': '!'}}"},
           CLAIM("{'count': 0}"), {"dlq", "{'op': 'list', 'states': ['parked']}", OK, "{'entries': [{'id': '#d1'}]}"}),
    SCRIPT("dlq/fail-may-park-at-once", "when its caller gives up", NEEDS_DLQ, NULL, THREE_EVENTS,
           PUT("1", ", 'delay_us': 0"), CLAIM("{'count': 1}"),
           {"dlq", "{'op': 'fail', 'id': '#d1', 'token': '$token', 'park': true, 'error': {'message': 'm'}}", OK,
            "{'entry': {'state': 'parked'}}"}),
    SCRIPT("dlq/an-expired-lease-is-a-failed-attempt", "and its token is worth nothing", NEEDS_DLQ, NULL, THREE_EVENTS,
           PUT("1", ", 'delay_us': 0"),
           {"dlq", "{'op': 'claim', 'consumer': 'c', 'lease_us': 1000000}", OK,
            "{'entries': [{'token': '#token'}], 'count': 1}"},
           {"clock", "10000000000", 0, NULL}, CLAIM("{'count': '*'}"), {"clock", "10000000000", 0, NULL},
           {"dlq", "{'op': 'get', 'id': '#d1'}", OK, "{'entry': {'attempts': 1}}"},
           {"dlq", "{'op': 'resolve', 'id': '#d1', 'token': '#token'}", POLARIS_ES_CONFLICT, NULL}),
    SCRIPT("dlq/ordered-claims-keep-a-stream-in-order", "later entries of it wait", NEEDS_DLQ, NULL, THREE_EVENTS,
           PUT("1", ", 'delay_us': 0"), PUT("2", ", 'delay_us': 0"), PUT("3", ", 'delay_us': 0"),
           {"dlq", "{'op': 'claim', 'consumer': 'c', 'ordered': true, 'limit': 10}", OK,
            "{'entries': [{'event_id': '#1'}, {'event_id': '#3'}], 'count': 2}"}),
    SCRIPT("dlq/redrive-starts-over", "one, or what a filter says", NEEDS_DLQ, "{'retry_attempts_max': 1}",
           THREE_EVENTS, PUT("1", ", 'delay_us': 0"), CLAIM("{'count': 1}"),
           {"dlq", "{'op': 'fail', 'id': '#d1', 'token': '$token', 'error': {'message': 'm'}}", OK,
            "{'entry': {'state': 'parked'}}"},
           {"dlq", "{'op': 'redrive', 'consumer': 'c', 'states': ['parked']}", OK, "{'count': 1}"},
           {"dlq", "{'op': 'get', 'id': '#d1'}", OK, "{'entry': {'state': 'pending', 'attempts': 0}}"},
           {"dlq", "{'op': 'redrive', 'id': '#d1'}", OK, "{'count': 1, 'entry': {'id': '#d1'}}"},
           {"dlq", "{'op': 'redrive'}", POLARIS_ES_INVALID, NULL}),
    SCRIPT("dlq/discard-needs-a-reason", "and ends an entry", NEEDS_DLQ, NULL, THREE_EVENTS, PUT("1", ""),
           {"dlq", "{'op': 'discard', 'id': '#d1'}", POLARIS_ES_INVALID, "{'details': {'path': '/reason'}}"},
           {"dlq", "{'op': 'discard', 'id': '#d1', 'reason': 'a test'}", OK,
            "{'entry': {'state': 'discarded', 'reason': 'a test'}}"},
           {"dlq", "{'op': 'discard', 'id': '#d1', 'reason': 'a test'}", POLARIS_ES_ALREADY, NULL},
           {"dlq", "{'op': 'redrive', 'id': '#d1'}", POLARIS_ES_CLOSED, NULL}),
    SCRIPT("dlq/purge-forgets-what-ended", "and nothing else", NEEDS_DLQ, NULL, THREE_EVENTS, PUT("1", ""),
           PUT("2", ""), {"dlq", "{'op': 'discard', 'id': '#d1', 'reason': 'a test'}", OK, NULL},
           {"dlq", "{'op': 'purge'}", OK, "{'count': 1}"},
           {"dlq", "{'op': 'get', 'id': '#d1'}", POLARIS_ES_NOT_FOUND, NULL},
           {"dlq", "{'op': 'get', 'id': '#d2'}", OK, NULL}, {"query", "{'op': 'count'}", OK, "{'count': 3}"}),
    SCRIPT("dlq/entries-are-listed-by-state", "with their events, with pages", NEEDS_DLQ, NULL, THREE_EVENTS,
           PUT("1", ""), PUT("3", ""),
           {"dlq", "{'op': 'list', 'consumer': 'c', 'states': ['pending'], 'limit': 1, 'with_events': true}", OK,
            "{'entries': [{'event_id': '#1', 'event': {'id': '#1'}}], 'more': true}"},
           {"dlq",
            "{'op': 'list', 'consumer': 'c', 'states': ['pending'], 'limit': 1, 'with_events': true, "
            "'cursor': '$cursor'}",
            OK, "{'entries': [{'event_id': '#3'}], 'more': false}"},
           {"dlq", "{'op': 'list', 'stream': 's'}", OK, "{'entries': [{'event_id': '#1', 'event': '!'}]}"},
           {"dlq", "{'op': 'list', 'consumer': 'none'}", OK, "{'entries': []}"}),
    SCRIPT("dlq/an-entry-has-two-names", "its id, or its event and consumer, but not both", NEEDS_DLQ, NULL,
           THREE_EVENTS, PUT("1", ""),
           {"dlq", "{'op': 'get', 'event_id': '#1', 'consumer': 'c'}", OK, "{'entry': {'id': '#d1'}}"},
           {"dlq", "{'op': 'get', 'event_id': '#1'}", POLARIS_ES_NOT_FOUND, NULL},
           {"dlq", "{'op': 'get', 'id': '#d1', 'event_id': '#1'}", POLARIS_ES_INVALID, NULL}),
    SCRIPT("dlq/retry-counts-at-once", "as the plugin before this one did", NEEDS_DLQ, NULL, THREE_EVENTS,
           PUT("1", ", 'delay_us': 0, 'attempts_max': 1"),
           {"dlq", "{'op': 'retry', 'consumer': 'c'}", OK,
            "{'entries': [{'id': '#d1', 'attempts': 1, 'event': {'id': '#1'}}], 'count': 1, 'parked': 0}"},
           {"dlq", "{'op': 'fail', 'id': '#d1', 'token': '$token', 'error': {'message': 'm'}}", OK,
            "{'entry': {'state': 'parked', 'attempts': 1}}"}),
    SCRIPT("dlq/survives-a-restart", "entries, attempts and tokens", NEEDS_DLQ, NULL, THREE_EVENTS,
           PUT("1", ", 'delay_us': 0"), CLAIM("{'count': 1}"), {"reopen", NULL, 0, NULL},
           {"dlq", "{'op': 'fail', 'id': '#d1', 'token': '$token', 'delay_us': 0, 'error': {'message': 'm'}}", OK,
            "{'entry': {'state': 'pending', 'attempts': 1}}"}),
};
const struct check_group CHECK_DLQ = CHECK_GROUP(CHECKS);
