/* query_ops.c: the contract of query, op by op (SPEC.md, section 6). */
#include "check/trial.h"

#define OK POLARIS_ES_OK

/* Six events: times 1 s apart from 1970-01-01 but for the last, which happened first. */
#define SIX_EVENTS                                                                                                     \
    {                                                                                                                  \
        "store",                                                                                                       \
            "{'op': 'append', 'events': ["                                                                             \
            "{'type': 'a', 'data': {'n': 1}, 'time': 1000000, 'stream': 's', 'tags': ['x', 'y']},"                     \
            "{'type': 'b', 'data': {'n': 2}, 'time': 2000000, 'stream': 's', 'tags': ['x']},"                          \
            "{'type': 'a', 'data': {'n': 3}, 'time': 3000000, 'metadata': {'user': 'root', 'depth': {'n': 1}}},"       \
            "{'type': 'c', 'data': {'n': 4}, 'time': 4000000, 'correlation': 'r'},"                                    \
            "{'type': 'a', 'data': {'n': 5}, 'time': 5000000, 'stream': 'u', 'tags': ['y']},"                          \
            "{'type': 'b', 'data': {'n': 6}, 'time': 500000, 'metadata': {'user': 'eve'}}]}",                          \
            OK, "{'ids': ['#1', '#2', '#3', '#4', '#5', '#6']}"                                                        \
    }
#define FINDS(filter, ids)                                                                                             \
    { "query", "{'op': 'events', 'filter': " filter "}", OK, "{'events': " ids "}" }

static const struct check CHECKS[] = {
    SCRIPT("query/an-empty-store-has-nothing", "and says so without an error", NEEDS_QUERY, NULL,
           {"query", "{'op': 'events'}", OK, "{'events': [], 'count': 0, 'more': false, 'last_id': 0}"},
           {"query", "{'op': 'head'}", OK, "{'first_id': 0, 'last_id': 0, 'recorded_at': 0}"},
           {"query", "{'op': 'count'}", OK, "{'count': 0}"}, {"query", "{'op': 'histogram'}", OK, "{'buckets': []}"},
           {"query", "{'op': 'streams'}", OK, "{'streams': [], 'more': false}"},
           {"query", "{'op': 'tags'}", OK, "{'tags': []}"}, {"query", "{'op': 'batches'}", OK, "{'batches': []}"}),
    SCRIPT("query/filters-by-type-and-id", "any of the types; after and before are not included", NEEDS_QUERY, NULL,
           SIX_EVENTS, FINDS("{'types': ['a']}", "[{'id': '#1'}, {'id': '#3'}, {'id': '#5'}]"),
           FINDS("{'types': ['b', 'c', 'none']}", "[{'id': '#2'}, {'id': '#4'}, {'id': '#6'}]"),
           FINDS("{'after_id': '#2', 'before_id': '#5'}", "[{'id': '#3'}, {'id': '#4'}]"),
           FINDS("{'after_id': '#6'}", "[]")),
    SCRIPT("query/filters-by-time", "from is included, to is not; both clocks", NEEDS_QUERY, NULL, SIX_EVENTS,
           FINDS("{'from': 2000000, 'to': 4000000}", "[{'id': '#2'}, {'id': '#3'}]"),
           FINDS("{'to': 1000000}", "[{'id': '#6'}]"), FINDS("{'recorded_from': 1767225600000001}", "[]"),
           FINDS("{'recorded_to': 1767225600000001, 'types': ['c']}", "[{'id': '#4'}]")),
    SCRIPT("query/filters-by-tags", "any and all", NEEDS_QUERY, NULL, SIX_EVENTS,
           FINDS("{'tags_any': ['x', 'y']}", "[{'id': '#1'}, {'id': '#2'}, {'id': '#5'}]"),
           FINDS("{'tags_all': ['x', 'y']}", "[{'id': '#1'}]"),
           FINDS("{'tags_any': ['y'], 'tags_all': ['x']}", "[{'id': '#1'}]"), FINDS("{'tags_any': ['z']}", "[]")),
    SCRIPT("query/filters-by-stream-and-correlation", "one condition and another must both hold", NEEDS_QUERY, NULL,
           SIX_EVENTS, FINDS("{'stream': 's'}", "[{'id': '#1', 'version': 1}, {'id': '#2', 'version': 2}]"),
           FINDS("{'stream': 's', 'types': ['b']}", "[{'id': '#2'}]"), FINDS("{'correlation': 'r'}", "[{'id': '#4'}]"),
           FINDS("{'batch': 'none'}", "[]")),
    SCRIPT("query/filters-by-metadata", "equality at pointers; 1 equals 1.0", NEEDS_QUERY, NULL, SIX_EVENTS,
           FINDS("{'metadata': {'/user': 'root'}}", "[{'id': '#3'}]"),
           FINDS("{'metadata': {'/depth/n': 1.0}}", "[{'id': '#3'}]"),
           FINDS("{'metadata': {'/depth': {'n': 1}}}", "[{'id': '#3'}]"),
           FINDS("{'metadata': {'/user': 'none'}}", "[]")),
    SCRIPT("query/orders-either-way", "by id, and by time with ties by id", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'events', 'order': 'desc', 'limit': 2}", OK, "{'events': [{'id': '#6'}, {'id': '#5'}]}"},
           {"query", "{'op': 'events', 'order_by': 'time', 'limit': 3}", OK,
            "{'events': [{'id': '#6'}, {'id': '#1'}, {'id': '#2'}]}"},
           {"query", "{'op': 'events', 'order': 'desc', 'order_by': 'time', 'limit': 1}", OK,
            "{'events': [{'id': '#5'}]}"}),
    SCRIPT("query/pages-miss-nothing", "a cursor goes on where the page ended", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'events', 'limit': 4}", OK,
            "{'events': [{'id': '#1'}, {'id': '#2'}, {'id': '#3'}, {'id': '#4'}], 'count': 4, 'more': true, 'cursor': "
            "'*'}"},
           {"query", "{'op': 'events', 'limit': 4, 'cursor': '$cursor'}", OK,
            "{'events': [{'id': '#5'}, {'id': '#6'}], 'more': false, 'cursor': '*'}"},
           {"query", "{'op': 'events', 'limit': 4, 'cursor': '$cursor'}", OK, "{'events': [], 'cursor': '*'}"}),
    SCRIPT("query/pages-go-on-under-appends", "and when the store was opened again", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'events', 'filter': {'types': ['a']}, 'limit': 3}", OK, "{'more': false}"},
           {"query", "{'op': 'events', 'filter': {'types': ['a']}, 'limit': 3, 'cursor': '$cursor'}", OK,
            "{'events': []}"},
           {"reopen", NULL, 0, NULL},
           {"query", "{'op': 'events', 'filter': {'types': ['a']}, 'cursor': '$cursor'}", OK, "{'events': []}"},
           {"query", "{'op': 'events', 'filter': {'types': ['b']}, 'cursor': '$cursor'}", POLARIS_ES_INVALID,
            "{'details': {'path': '/cursor'}}"}),
    SCRIPT("query/limit-zero-gives-none", "and still says whether there is more", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'events', 'limit': 0}", OK, "{'events': [], 'count': 0, 'more': true}"}),
    SCRIPT("query/get-gives-one-event", "or NOT_FOUND", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'get', 'id': '#4'}", OK, "{'event': {'id': '#4', 'type': 'c', 'correlation': 'r'}}"},
           {"query", "{'op': 'get', 'id': 9000000000000000000}", POLARIS_ES_NOT_FOUND, NULL},
           {"query", "{'op': 'get', 'id': -1}", POLARIS_ES_INVALID, NULL}),
    SCRIPT("query/absent-fields-are-absent", "not nil", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'get', 'id': '#4'}", OK,
            "{'event': {'metadata': '!', 'stream': '!', 'version': '!', 'tags': '!', 'key': '!', 'causation': '!', "
            "'batch': '!', 'schema_version': '!', 'damaged': '!'}}"}),
    SCRIPT("query/counts-by-filter", "the same filters", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'count'}", OK, "{'count': 6}"},
           {"query", "{'op': 'count', 'filter': {'types': ['a']}}", OK, "{'count': 3}"},
           {"query", "{'op': 'count', 'filter': {'tags_any': ['y'], 'from': 2000000}}", OK, "{'count': 1}"}),
    SCRIPT("query/makes-histograms", "by type, time and both", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'histogram'}", OK,
            "{'buckets': [{'type': 'a', 'count': 3}, {'type': 'b', 'count': 2}, {'type': 'c', 'count': 1}]}"},
           {"query", "{'op': 'histogram', 'by': 'time', 'bucket_us': 3000000}", OK,
            "{'buckets': [{'time': 0, 'count': 3}, {'time': 3000000, 'count': 3}]}"},
           {"query", "{'op': 'histogram', 'by': 'type_and_time', 'bucket_us': 3000000, 'filter': {'types': ['a']}}", OK,
            "{'buckets': [{'type': 'a', 'time': 0, 'count': 1}, {'type': 'a', 'time': 3000000, 'count': 2}]}"},
           {"query", "{'op': 'histogram', 'by': 'time'}", POLARIS_ES_INVALID, NULL}),
    SCRIPT("query/lists-streams-and-tags", "by prefix, with pages", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'streams'}", OK,
            "{'streams': [{'stream': 's', 'version': 2, 'first_id': '#1', 'last_id': '#2'}, "
            "{'stream': 'u', 'version': 1, 'first_id': '#5', 'last_id': '#5'}]}"},
           {"query", "{'op': 'streams', 'prefix': 'u'}", OK, "{'streams': [{'stream': 'u'}]}"},
           {"query", "{'op': 'tags', 'limit': 1}", OK,
            "{'tags': [{'tag': 'x', 'count': 2, 'last_id': '#2'}], 'more': true}"},
           {"query", "{'op': 'tags', 'limit': 1, 'cursor': '$cursor'}", OK, "{'tags': [{'tag': 'y', 'count': 2}]}"}),
    SCRIPT("query/head-says-where-the-store-stands", "first and last id, and when", NEEDS_QUERY, NULL, SIX_EVENTS,
           {"query", "{'op': 'head'}", OK, "{'first_id': '#1', 'last_id': '#6', 'recorded_at': 1767225600000000}"}),
    SCRIPT("query/a-wait-ends-when-it-has-to", "nothing comes: an empty page", NEEDS_QUERY | POLARIS_ES_CAN_LONG_POLL,
           NULL, SIX_EVENTS,
           {"query", "{'op': 'events', 'filter': {'after_id': '#6'}, 'wait_us': 20000}", OK,
            "{'events': [], 'last_id': '#6'}"},
           {"query", "{'op': 'events', 'filter': {'after_id': '#5'}, 'wait_us': 60000000}", OK,
            "{'events': [{'id': '#6'}]}"},
           {"query", "{'op': 'events', 'wait_us': 60000001}", POLARIS_ES_INVALID, "{'details': {'path': '/wait_us'}}"},
           {"query", "{'op': 'events', 'order': 'desc', 'wait_us': 1000}", POLARIS_ES_INVALID, NULL}),
};
const struct check_group CHECK_QUERY = CHECK_GROUP(CHECKS);
