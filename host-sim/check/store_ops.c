/* store_ops.c: the contract of store, op by op (SPEC.md, section 5). */
#include <inttypes.h>
#include <stdio.h>

#include "check/trial.h"

/* Acknowledged, each of them, and each there under its id. */
static void keeps_every_event(struct trial *trial) {
    enum { EVENTS = 250 };
    int64_t ids[EVENTS];
    trial_open(trial, NULL);
    for (int64_t i = 0; i < EVENTS; i++) {
        ids[i] = trial_append(trial, i);
        REQUIRE(i == 0 || ids[i] > ids[i - 1], "event %" PRId64 " got the id %" PRId64 ", the one before it %" PRId64,
                i, ids[i], ids[i - 1]);
    }
    REQUIRE(trial_count(trial) == EVENTS, "%d events were acknowledged, %lld are there", EVENTS,
            (long long)trial_count(trial));
    for (int64_t i = 0; i < EVENTS; i++) {
        char pattern[64];
        (void)trial_ok(trial, "query", "{'op': 'get', 'id': %" PRId64 "}", ids[i]);
        (void)snprintf(pattern, sizeof pattern, "{'event': {'data': {'n': %" PRId64 "}}}", i);
        trial_expect(trial, "an event by the id that it got", pattern);
    }
    trial_shutdown(trial);
}

static void large_batch(struct trial *trial) {
    trial_open(trial, NULL);
    (void)trial_ok(trial, "store", "{'op': 'batch.create', 'id': 'b'}");
    for (int i = 0; i < 20; i++) {
        (void)trial_ok(trial, "store",
                       "{'op': 'batch.append', 'id': 'b', 'events': [{'type': 'a', 'data': {'n': %d}}, "
                       "{'type': 'a', 'data': {'n': %d}}, {'type': 'a', 'data': {'n': %d}}]}",
                       3 * i, 3 * i + 1, 3 * i + 2);
    }
    trial_reopen(trial, NULL); /* a draft is durable */
    REQUIRE(trial_count(trial) == 0, "drafts of an open batch are visible");
    (void)trial_ok(trial, "store", "{'op': 'batch.complete', 'id': 'b'}");
    trial_expect(trial, "completing 60 drafts", "{'batch': {'state': 'completed', 'count': 60, 'first_id': '#1'}}");
    REQUIRE(trial_count(trial) == 60, "of 60 drafts %lld became events", (long long)trial_count(trial));
    trial_shutdown(trial);
}

#define OK POLARIS_ES_OK
#define EVENT(fields) "{'op': 'append', 'event': {'type': 'a', 'data': {}" fields "}}"

static const struct check CHECKS[] = {
    CHECK("store/keeps-every-event-of-many", "250 appends: each acknowledged one is there, under its id", NEEDS_QUERY,
          keeps_every_event),
    SCRIPT("store/append-gives-ids-in-order", "the events of a request, and of the next one", NEEDS_APPEND, NULL,
           {"store", "{'op': 'append', 'events': [{'type': 'a', 'data': {}}, {'type': 'b', 'data': {}}]}", OK,
            "{'ids': ['#1', '#2'], 'versions': [null, null], 'duplicates': 0, 'recorded_at': 1767225600000000, "
            "'last_id': '#2'}"},
           {"store", EVENT(""), OK, "{'ids': ['#3'], 'last_id': '#3'}"}),
    SCRIPT("store/append-keeps-every-field", "as it came", NEEDS_QUERY, NULL,
           {"store",
            EVENT(", 'time': 1000000, 'metadata': {'m': [1, 2.5, null]}, 'stream': 's', 'tags': ['t', 'u'], "
                  "'key': 'k', 'correlation': 'c', 'causation': 'd'"),
            OK, "{'ids': ['#1'], 'versions': [1]}"},
           {"query", "{'op': 'get', 'id': '#1'}", OK,
            "{'event': {'id': '#1', 'type': 'a', 'time': 1000000, 'recorded_at': 1767225600000000, 'data': {}, "
            "'metadata': {'m': [1, 2.5, null]}, 'stream': 's', 'version': 1, 'tags': ['t', 'u'], 'key': 'k', "
            "'correlation': 'c', 'causation': 'd'}}"}),
    SCRIPT("store/append-keeps-every-value", "of msgpack: to 64 bits, binary data, extensions, any keys", NEEDS_QUERY,
           NULL,
           {"store",
            "{'op': 'append', 'event': {'type': 'a', 'data': {'i': -9223372036854775808, 'u': {'$uint': "
            "'18446744073709551615'}, 'f': 0.1, 'n': {'$float': 'nan'}, 'b': {'$bin': 'AAEC'}, 'e': {'$ext': [7, "
            "'AAEC']}, 'm': {'$map': [[1, 2], [1, 3]]}, 't': 'caf\\u00e9', 'd': [[], {}]}}}",
            OK, "{'ids': ['#1']}"},
           {"query", "{'op': 'get', 'id': '#1'}", OK,
            "{'event': {'data': {'i': -9223372036854775808, 'u': {'$uint': '18446744073709551615'}, 'f': 0.1, "
            "'n': {'$float': 'nan'}, 'b': {'$bin': 'AAEC'}, 'e': {'$ext': [7, 'AAEC']}, "
            "'m': {'$map': [[1, 2], [1, 3]]}, 't': 'caf\\u00e9', 'd': [[], {}]}}}"}),
    SCRIPT("store/append-takes-timestamps", "of msgpack, cut to microseconds", NEEDS_QUERY, NULL,
           {"store", EVENT(", 'time': {'$ext': [-1, 'aVW5AA==']}"), OK, "{'ids': ['#1']}"},
           {"query", "{'op': 'get', 'id': '#1'}", OK, "{'event': {'time': 1767225600000000}}"}),
    SCRIPT("store/append-is-all-or-nothing", "one event that conflicts undoes its request", NEEDS_QUERY, NULL,
           {"store",
            "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'stream': 's'}, "
            "{'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 5}]}",
            POLARIS_ES_CONFLICT, "{'details': {'path': '/events/1', 'stream': 's'}}"},
           {"query", "{'op': 'count'}", OK, "{'count': 0}"}),
    SCRIPT("store/versions-count-a-stream", "from 1, within a request as well", NEEDS_APPEND, NULL,
           {"store", EVENT(", 'stream': 's'"), OK, "{'versions': [1]}"},
           {"store",
            "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'stream': 's'}, {'type': 'a', 'data': {}}, "
            "{'type': 'a', 'data': {}, 'stream': 'u'}, {'type': 'a', 'data': {}, 'stream': 's'}]}",
            OK, "{'versions': [2, null, 1, 3]}"}),
    SCRIPT("store/expected-versions-are-judged", "any, none, exists, and numbers", NEEDS_APPEND, NULL,
           {"store", EVENT(", 'stream': 's', 'expected_version': 'exists'"), POLARIS_ES_CONFLICT,
            "{'details': {'path': '/event', 'stream': 's', 'expected': 'exists', 'current_version': 0}}"},
           {"store", EVENT(", 'stream': 's', 'expected_version': 'none'"), OK, "{'versions': [1]}"},
           {"store", EVENT(", 'stream': 's', 'expected_version': 'none'"), POLARIS_ES_CONFLICT,
            "{'details': {'current_version': 1}}"},
           {"store", EVENT(", 'stream': 's', 'expected_version': 0"), POLARIS_ES_CONFLICT, NULL},
           {"store", EVENT(", 'stream': 's', 'expected_version': 1"), OK, "{'versions': [2]}"},
           {"store", EVENT(", 'stream': 's', 'expected_version': 'exists'"), OK, "{'versions': [3]}"},
           {"store", EVENT(", 'stream': 's', 'expected_version': 'any'"), OK, "{'versions': [4]}"},
           {"store", EVENT(", 'expected_version': 1"), POLARIS_ES_INVALID, NULL}),
    SCRIPT("store/a-key-stores-once", "the same content again: the first id, nothing stored", NEEDS_QUERY, NULL,
           {"store", EVENT(", 'key': 'k'"), OK, "{'ids': ['#1'], 'duplicates': 0}"},
           {"store", EVENT(", 'key': 'k'"), OK, "{'ids': ['#1'], 'duplicates': 1, 'last_id': '#1'}"},
           {"reopen", NULL, 0, NULL}, {"store", EVENT(", 'key': 'k'"), OK, "{'ids': ['#1'], 'duplicates': 1}"},
           {"store", EVENT(", 'key': {'$bin': 'aw=='}"), OK, "{'ids': ['#1'], 'duplicates': 1}"},
           {"query", "{'op': 'count'}", OK, "{'count': 1}"}),
    SCRIPT("store/a-key-with-other-content-conflicts", "and the first id is told", NEEDS_APPEND, NULL,
           {"store", EVENT(", 'key': 'k'"), OK, "{'ids': ['#1']}"},
           {"store", "{'op': 'append', 'event': {'type': 'a', 'data': {'n': 1}, 'key': 'k'}}", POLARIS_ES_CONFLICT,
            "{'details': {'path': '/event', 'id': '#1'}}"},
           {"store", EVENT(", 'key': 'k', 'stream': 's'"), POLARIS_ES_CONFLICT, NULL}),
    SCRIPT("store/conditions-are-judged", "no event of the filter above an id", NEEDS_APPEND, NULL,
           {"store", EVENT(", 'tags': ['t']"), OK, "{'ids': ['#1']}"},
           {"store",
            "{'op': 'append', 'event': {'type': 'a', 'data': {}}, 'condition': {'filter': {'tags_any': ['t']}}}",
            POLARIS_ES_CONFLICT, "{'details': {'path': '/condition', 'id': '#1'}}"},
           {"store",
            "{'op': 'append', 'event': {'type': 'a', 'data': {}}, "
            "'condition': {'filter': {'tags_any': ['t']}, 'after': '#1'}}",
            OK, "{'ids': ['#2']}"},
           {"store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}, 'condition': {'after': '#1'}}",
            POLARIS_ES_CONFLICT, "{'details': {'id': '#2'}}"},
           {"store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}, 'condition': {'after': '#2'}}", OK, NULL}),
    SCRIPT("store/closed-sets-of-types-are-closed", "the configuration's types only", NEEDS_APPEND,
           "{'types': ['a', 'b']}", {"store", EVENT(""), OK, NULL},
           {"store", "{'op': 'append', 'event': {'type': 'c', 'data': {}}}", POLARIS_ES_INVALID,
            "{'details': {'path': '/event/type'}}"}),
    SCRIPT("store/batches-become-visible-together", "when they complete, with ids in order", NEEDS_QUERY, NULL,
           {"store", "{'op': 'batch.create', 'id': 'b', 'metadata': {'job': 1}}", OK,
            "{'batch': {'id': 'b', 'state': 'open', 'count': 0, 'metadata': {'job': 1}}}"},
           {"store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {'n': 1}}}", OK,
            "{'id': 'b', 'count': 1}"},
           {"store", EVENT(""), OK, "{'ids': ['#1']}"},
           {"store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {'n': 2}}}", OK, "{'count': 2}"},
           {"query", "{'op': 'count'}", OK, "{'count': 1}"},
           {"store", "{'op': 'batch.complete', 'id': 'b'}", OK,
            "{'batch': {'state': 'completed', 'count': 2, 'first_id': '#2', 'last_id': '#3'}, 'last_id': '#3'}"},
           {"query", "{'op': 'events', 'filter': {'batch': 'b'}}", OK,
            "{'events': [{'id': '#2', 'data': {'n': 1}, 'batch': 'b'}, {'id': '#3', 'data': {'n': 2}}]}"}),
    SCRIPT("store/batches-that-are-aborted-are-never-seen", "and stay closed", NEEDS_QUERY, NULL,
           {"store", "{'op': 'batch.create', 'id': 'b'}", OK, NULL},
           {"store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}", OK, NULL},
           {"store", "{'op': 'batch.abort', 'id': 'b', 'reason': 'a mistake'}", OK,
            "{'batch': {'state': 'aborted', 'count': 0, 'reason': 'a mistake'}}"},
           {"store", "{'op': 'batch.complete', 'id': 'b'}", POLARIS_ES_CLOSED, "{'details': {'state': 'aborted'}}"},
           {"store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}", POLARIS_ES_CLOSED, NULL},
           {"store", "{'op': 'batch.abort', 'id': 'b'}", POLARIS_ES_ALREADY, NULL},
           {"query", "{'op': 'count'}", OK, "{'count': 0}"}),
    SCRIPT(
        "store/batches-tell-their-mistakes-apart", "unknown, there already, completed", NEEDS_APPEND, NULL,
        {"store", "{'op': 'batch.complete', 'id': 'b'}", POLARIS_ES_NOT_FOUND, "{'details': {'path': '/id'}}"},
        {"store", "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}}}", POLARIS_ES_NOT_FOUND, NULL},
        {"store", "{'op': 'batch.create', 'id': 'b'}", OK, NULL},
        {"store", "{'op': 'batch.create', 'id': 'b'}", POLARIS_ES_ALREADY, "{'details': {'state': 'open'}}"},
        {"store", "{'op': 'batch.complete', 'id': 'b'}", OK, NULL},
        {"store", "{'op': 'batch.complete', 'id': 'b'}", POLARIS_ES_ALREADY, "{'details': {'state': 'completed'}}"},
        {"store", "{'op': 'batch.abort', 'id': 'b'}", POLARIS_ES_CLOSED, NULL}),
    SCRIPT("store/batches-that-conflict-stay-open", "expected versions are judged at completion", NEEDS_QUERY, NULL,
           {"store", "{'op': 'batch.create', 'id': 'b'}", OK, NULL},
           {"store",
            "{'op': 'batch.append', 'id': 'b', 'event': {'type': 'a', 'data': {}, 'stream': 's', "
            "'expected_version': 'exists'}}",
            OK, NULL},
           {"store", "{'op': 'batch.complete', 'id': 'b'}", POLARIS_ES_CONFLICT, NULL},
           {"store", "{'op': 'batch.get', 'id': 'b'}", OK, "{'batch': {'state': 'open', 'count': 1}}"},
           {"store", EVENT(", 'stream': 's'"), OK, NULL}, {"store", "{'op': 'batch.complete', 'id': 'b'}", OK, NULL},
           {"query", "{'op': 'count', 'filter': {'stream': 's'}}", OK, "{'count': 2}"}),
    SCRIPT("store/batches-are-listed-by-state", "with pages", NEEDS_APPEND, NULL,
           {"store", "{'op': 'batch.create', 'id': 'a'}", OK, NULL},
           {"store", "{'op': 'batch.create', 'id': 'b'}", OK, NULL},
           {"store", "{'op': 'batch.create', 'id': 'c'}", OK, NULL},
           {"store", "{'op': 'batch.abort', 'id': 'b'}", OK, NULL},
           {"store", "{'op': 'batch.list', 'state': 'open', 'limit': 1}", OK,
            "{'batches': [{'id': '*', 'state': 'open'}], 'count': 1, 'more': true, 'cursor': '*'}"},
           {"store", "{'op': 'batch.list', 'state': 'open', 'limit': 1, 'cursor': '$cursor'}", OK,
            "{'batches': [{'state': 'open'}], 'more': false}"},
           {"store", "{'op': 'batch.list', 'state': 'aborted'}", OK, "{'batches': [{'id': 'b'}], 'more': false}"}),
    CHECK("store/drafts-are-durable", "60 of them, over a restart", NEEDS_QUERY, large_batch),
};
const struct check_group CHECK_STORE = CHECK_GROUP(CHECKS);
