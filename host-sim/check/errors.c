/* errors.c: refusals: what is malformed, unknown or too large; their maps; and that they change nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/trial.h"
#include "owned.h"

static const char *const VERBS[] = {"store", "query", "dlq", "schema"};
enum { VERB_COUNT = sizeof VERBS / sizeof VERBS[0] };

static void unknown_ops(struct trial *trial) {
    static const char *const OPS[] = {"no.such.op", "", "APPEND", "append ", "events\\u0000", "batch.", "put.x"};
    trial_open(trial, NULL);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        trial_refused(trial, POLARIS_ES_UNSUPPORTED, NULL, VERBS[i], "{'op': 'no.such.op'}");
        trial_refused(trial, POLARIS_ES_UNSUPPORTED, NULL, VERBS[i], "{'op': 'no.such.op', 'colour': 'red'}");
        for (size_t j = 0; j < sizeof OPS / sizeof OPS[0]; j++) {
            int32_t status = trial_call(trial, VERBS[i], "{'op': '%s'}", OPS[j]);
            REQUIRE(status == POLARIS_ES_UNSUPPORTED || status == POLARIS_ES_INVALID, "%s with the op '%s' answered %s",
                    VERBS[i], OPS[j], answer_name(status));
        }
    }
    trial_shutdown(trial);
}

static void foreign_ops(struct trial *trial) {
    static const struct {
        const char *verb, *op;
    } OPS[] = {{"store", "events"}, {"store", "put"},      {"query", "append"}, {"query", "list"},
               {"dlq", "head"},     {"dlq", "batch.list"}, {"schema", "count"}, {"schema", "claim"}};
    trial_open(trial, NULL);
    for (size_t i = 0; i < sizeof OPS / sizeof OPS[0]; i++) {
        trial_refused(trial, POLARIS_ES_UNSUPPORTED, NULL, OPS[i].verb, "{'op': '%s'}", OPS[i].op);
    }
    trial_shutdown(trial);
}

static void missing_op(struct trial *trial) {
    static const char *const REQUESTS[] = {"{}", "{'op': null}", "{'op': 7}", "{'op': ['append']}", "{'Op': 'head'}"};
    trial_open(trial, NULL);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        for (size_t j = 0; j < sizeof REQUESTS / sizeof REQUESTS[0]; j++) {
            int32_t status = trial_call(trial, VERBS[i], "%s", REQUESTS[j]);
            REQUIRE(trial_may_answer(trial, VERBS[i], status, POLARIS_ES_INVALID), "%s %s answered %s, not INVALID",
                    VERBS[i], REQUESTS[j], answer_name(status));
            trial_expect_error(trial, REQUESTS[j], status);
        }
    }
    trial_shutdown(trial);
}

/* A request, and the pointer to the field that is wrong. */
static const struct wrong {
    uint64_t needs;
    const char *verb, *request, *path;
} UNKNOWN_FIELDS[] = {
    {0, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}, 'colour': 'red'}", "/colour"},
    {0, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'colour': 'red'}}", "/event/colour"},
    {0, "store", "{'op': 'append', 'events': [{'type': 'a', 'data': {}}, {'type': 'a', 'data': {}, 'x': 1}]}",
     "/events/1/x"},
    {0, "store", "{'op': 'batch.create', 'id': 'b', 'meta': {}}", "/meta"},
    {0, "query", "{'op': 'events', 'filters': {}}", "/filters"},
    {0, "query", "{'op': 'events', 'filter': {'type': 'a'}}", "/filter/type"},
    {0, "query", "{'op': 'head', 'id': 1}", "/id"},
    {0, "query", "{'op': 'get', 'id': 1, 'with': true}", "/with"},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'count', 'consumers': 'a'}", "/consumers"},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'claim', 'lease': 1000}", "/lease"},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'put', 'type': 'a', 'schema': true, 'forced': true}", "/forced"},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'list', 'types': 'a'}", "/types"},
};

static const struct wrong MISTYPED_FIELDS[] = {
    {0, "store", "{'op': 'append', 'event': {'type': 7, 'data': {}}}", "/event/type"},
    {0, "store", "{'op': 'append', 'event': {'type': '', 'data': {}}}", "/event/type"},
    {0, "store", "{'op': 'append', 'event': {'type': 'a', 'data': []}}", "/event/data"},
    {0, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'time': 'now'}}", "/event/time"},
    {0, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'tags': 't'}}", "/event/tags"},
    {0, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 'a\\u0000b'}}", "/event/stream"},
    {0, "store", "{'op': 'append', 'event': {'type': {'$str': 'gIE='}, 'data': {}}}", "/event/type"},
    {0, "store", "{'op': 'append', 'events': []}", "/events"},
    {0, "query", "{'op': 'events', 'limit': -1}", "/limit"},
    {0, "query", "{'op': 'events', 'limit': 100001}", "/limit"},
    {0, "query", "{'op': 'events', 'limit': 1.0}", "/limit"},
    {0, "query", "{'op': 'events', 'order': 'up'}", "/order"},
    {0, "query", "{'op': 'events', 'filter': []}", "/filter"},
    {0, "query", "{'op': 'events', 'filter': {'types': []}}", "/filter/types"},
    {0, "query", "{'op': 'events', 'filter': {'after_id': '1'}}", "/filter/after_id"},
    {0, "query", "{'op': 'events', 'cursor': 'made up'}", "/cursor"},
    {0, "query", "{'op': 'get', 'id': 1.5}", "/id"},
    {0, "query", "{'op': 'get', 'id': true}", "/id"},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'put', 'event_id': 'one', 'error': {'message': 'm'}}", "/event_id"},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'claim', 'limit': 1001}", "/limit"},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'get', 'type': 'a', 'version': 'first'}", "/version"},
};

static const struct wrong MISSING_FIELDS[] = {
    {0, "store", "{'op': 'append', 'event': {'data': {}}}", "/event/type"},
    {0, "store", "{'op': 'append', 'event': {'type': 'a'}}", "/event/data"},
    {0, "store", "{'op': 'append', 'event': {'type': 'a', 'data': null}}", "/event/data"},
    {0, "store", "{'op': 'append'}", NULL},
    {0, "store", "{'op': 'batch.complete'}", "/id"},
    {0, "query", "{'op': 'get'}", "/id"},
    {0, "query", "{'op': 'get', 'id': null}", "/id"},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'put', 'event_id': 1}", "/error"},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'discard', 'id': 1}", "/reason"},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'put', 'type': 'a'}", "/schema"},
};

static void refuse_each(struct trial *trial, const struct wrong *wrong, size_t count) {
    trial_open(trial, NULL);
    (void)trial_append(trial, 1);
    for (size_t i = 0; i < count; i++) {
        if (wrong[i].needs == 0 || (trial->table->capabilities & wrong[i].needs) != 0) {
            trial_refused(trial, POLARIS_ES_INVALID, wrong[i].path, wrong[i].verb, "%s", wrong[i].request);
        }
    }
    REQUIRE(trial_count(trial) == 1, "requests that were refused left %lld events behind",
            (long long)trial_count(trial) - 1);
    trial_shutdown(trial);
}

#define REFUSE_EACH(array) refuse_each(trial, (array), sizeof(array) / sizeof((array)[0]))

static void unknown_fields(struct trial *trial) {
    REFUSE_EACH(UNKNOWN_FIELDS);
}

static void mistyped_fields(struct trial *trial) {
    REFUSE_EACH(MISTYPED_FIELDS);
}

static void missing_fields(struct trial *trial) {
    REFUSE_EACH(MISSING_FIELDS);
}

/* ---- bytes ---- */

/* clang-format off */
#define BYTES(literal) literal, sizeof(literal) - 1
/* clang-format on */

static void refuse_bytes(struct trial *trial, const char *what, const void *data, size_t size) {
    for (size_t i = 0; i < VERB_COUNT; i++) {
        doing("%s with %s", VERBS[i], what);
        int32_t status = trial_call_bytes(trial, VERBS[i], (polaris_bytes){data, size});
        REQUIRE(trial_may_answer(trial, VERBS[i], status, POLARIS_ES_INVALID) || status == POLARIS_ES_TOO_LARGE,
                "%s with %s answered %s", VERBS[i], what, answer_name(status));
        trial_expect_error(trial, what, status);
    }
}

static void no_map(struct trial *trial) {
    static const struct {
        const char *what, *data;
        size_t size;
    } REQUESTS[] = {
        {"a byte that is never msgpack", BYTES("\xc1")},
        {"nil", BYTES("\xc0")},
        {"an integer", BYTES("\x07")},
        {"a string", BYTES("\xa4head")},
        {"an array", BYTES("\x91\x81\xa2op\xa4head")},
        {"two maps", BYTES("\x81\xa2op\xa4head\x81\xa2op\xa4head")},
        {"a byte behind the map", BYTES("\x81\xa2op\xa4head\xc0")},
        {"a map that ends too early", BYTES("\x82\xa2op\xa4head")},
        {"a string that ends too early", BYTES("\x81\xa2op\xd9\xff"
                                               "head")},
        {"a key that is no string", BYTES("\x82\x01\x02\xa2op\xa4head")},
        {"the same field twice", BYTES("\x82\xa2op\xa4head\xa2op\xa4head")},
    };
    trial_open(trial, NULL);
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        refuse_bytes(trial, REQUESTS[i].what, REQUESTS[i].data, REQUESTS[i].size);
    }
    trial_shutdown(trial);
}

/* Headers that claim more than there is: nothing may be allocated for it. */
static void empty_claims(struct trial *trial) {
    static const struct {
        const char *what, *data;
        size_t size;
    } REQUESTS[] = {
        {"a map of 4 billion entries, of which there are none", BYTES("\xdf\xff\xff\xff\xff")},
        {"a map of 700 million entries of maps", BYTES("\xdf\x2a\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf")},
        {"an array of 4 billion entries", BYTES("\x81\xa6"
                                                "events\xdd\xff\xff\xff\xff")},
        {"a string of 4 GB", BYTES("\x81\xa2op\xdb\xff\xff\xff\xff")},
        {"binary data of 4 GB", BYTES("\x81\xa2op\xc6\xff\xff\xff\xff")},
        {"an extension of 4 GB", BYTES("\x81\xa2op\xc9\xff\xff\xff\xff\x01")},
    };
    trial_open(trial, NULL);
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        refuse_bytes(trial, REQUESTS[i].what, REQUESTS[i].data, REQUESTS[i].size);
    }
    trial_shutdown(trial);
}

static void deep_nesting(struct trial *trial) {
    static const size_t DEPTHS[] = {200, 5000, 4000000};
    static const char HEAD[] = "\x82\xa2op\xa6"
                               "append\xa5"
                               "event";
    trial_open(trial, NULL);
    for (size_t i = 0; i < sizeof DEPTHS / sizeof DEPTHS[0]; i++) {
        CLEANUP(freep) uint8_t *data = malloc(sizeof HEAD + DEPTHS[i]);
        REQUIRE(data != NULL, "the check has no memory");
        memcpy(data, HEAD, sizeof HEAD - 1);
        memset(data + sizeof HEAD - 1, 0x91, DEPTHS[i]); /* arrays of one */
        data[sizeof HEAD - 1 + DEPTHS[i]] = 0xC0;
        char what[64];
        (void)snprintf(what, sizeof what, "%zu arrays within each other", DEPTHS[i]);
        refuse_bytes(trial, what, data, sizeof HEAD + DEPTHS[i]);
    }
    trial_shutdown(trial);
}

/* Bytes from a generator with a fixed seed: whatever they say, no crash, and an answer. */
static void noise(struct trial *trial) {
    uint64_t state = UINT64_C(0x9E3779B97F4A7C15);
    uint8_t bytes[128];
    trial_open(trial, NULL);
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            bytes[i] = (uint8_t)(state >> 56);
        }
        static const char BEGINNING[] = "\x82\xa2op\xa6"
                                        "append\xa5"
                                        "event";
        if (round % 2 == 0) {
            memcpy(bytes, BEGINNING, sizeof BEGINNING - 1);
        }
        doing("noise, round %d", round);
        int32_t status =
            trial_call_bytes(trial, VERBS[round % 4], (polaris_bytes){bytes, 1 + (state >> 32) % sizeof bytes});
        REQUIRE(status > POLARIS_ES_OK && status < POLARIS_ES_STATUS_COUNT, "noise is answered %s",
                answer_name(status));
    }
    REQUIRE(trial_count(trial) == 0, "noise was stored");
    trial_shutdown(trial);
}

/* ---- limits ---- */

static void large_requests(struct trial *trial) {
    char text[3001];
    memset(text, 'x', 3000);
    text[3000] = '\0';
    trial_open(trial, "{'event_size_max': 1024, 'request_size_max': 2048, 'request_events_max': 3}");
    trial_refused(trial, POLARIS_ES_TOO_LARGE, NULL, "store",
                  "{'op': 'append', 'event': {'type': 'a', 'data': {'text': '%.1100s'}}}", text);
    trial_refused(trial, POLARIS_ES_TOO_LARGE, NULL, "store",
                  "{'op': 'append', 'event': {'type': 'a', 'data': {'text': '%s'}}}", text);
    trial_refused(trial, POLARIS_ES_TOO_LARGE, NULL, "store",
                  "{'op': 'append', 'events': [{'type': 'a', 'data': {}}, {'type': 'a', 'data': {}}, "
                  "{'type': 'a', 'data': {}}, {'type': 'a', 'data': {}}]}");
    (void)trial_ok(trial, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'text': '%.900s'}}}", text);
    REQUIRE(trial_count(trial) == 1, "there are %lld events, not 1", (long long)trial_count(trial));
    trial_shutdown(trial);
}

static void long_names(struct trial *trial) {
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    trial_open(trial, NULL);
    (void)trial_ok(trial, "store", "{'op': 'append', 'event': {'type': '%.128s', 'data': {}}}", name);
    (void)trial_ok(trial, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': '%.256s'}}", name);
    (void)trial_ok(trial, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'key': '%.64s'}}", name);
    static const struct {
        int size;
        const char *field;
    } FIELDS[] = {{257, "stream"}, {65, "key"}, {129, "correlation"}, {129, "causation"}};
    for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
        int32_t status =
            trial_call(trial, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}, '%s': '%.*s'}}",
                       FIELDS[i].field, FIELDS[i].size, name);
        REQUIRE(status == POLARIS_ES_TOO_LARGE || status == POLARIS_ES_INVALID, "a %s of %d bytes is answered %s",
                FIELDS[i].field, FIELDS[i].size, answer_name(status));
    }
    trial_shutdown(trial);
}

static void full_store(struct trial *trial) {
    char text[2001];
    int32_t status = POLARIS_ES_OK;
    memset(text, 'x', 2000);
    text[2000] = '\0';
    trial_open(trial, "{'store_size_max': 400000}");
    int64_t stored = 0;
    for (int i = 0; i < 2000 && status == POLARIS_ES_OK; i++) {
        status = trial_call(trial, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'text': '%s'}}}", text);
        stored += status == POLARIS_ES_OK ? 1 : 0;
    }
    REQUIRE(status == POLARIS_ES_FULL, "a store of 400,000 bytes took 4 MB, and then answered %s", answer_name(status));
    trial_expect_error(trial, "append to a full store", status);
    REQUIRE(trial_count(trial) == stored, "of %lld events that were stored before it was full there are %lld",
            (long long)stored, (long long)trial_count(trial));
    trial_shutdown(trial);
}

/* One request of each kind of error that can be brought about; trial_refused looks at the maps. */
static void whole_maps(struct trial *trial) {
    trial_open(trial, NULL);
    (void)trial_append(trial, 1);
    trial_refused(trial, POLARIS_ES_INVALID, "/limit", "query", "{'op': 'events', 'limit': -1}");
    trial_refused(trial, POLARIS_ES_UNSUPPORTED, NULL, "query", "{'op': 'no.such.op'}");
    trial_refused(trial, POLARIS_ES_NOT_FOUND, NULL, "query", "{'op': 'get', 'id': 9000000000000000000}");
    trial_refused(trial, POLARIS_ES_NOT_FOUND, NULL, "store", "{'op': 'batch.get', 'id': 'none'}");
    trial_refused(trial, POLARIS_ES_CONFLICT, "/event", "store",
                  "{'op': 'append', 'event': {'type': 'a', 'data': {}, 'stream': 's', 'expected_version': 3}}");
    trial_refused(trial, POLARIS_ES_CONFLICT, "/condition", "store",
                  "{'op': 'append', 'event': {'type': 'a', 'data': {}}, 'condition': {}}");
    (void)trial_ok(trial, "store", "{'op': 'batch.create', 'id': 'b'}");
    trial_refused(trial, POLARIS_ES_ALREADY, NULL, "store", "{'op': 'batch.create', 'id': 'b'}");
    (void)trial_ok(trial, "store", "{'op': 'batch.abort', 'id': 'b'}");
    trial_refused(trial, POLARIS_ES_CLOSED, "/id", "store", "{'op': 'batch.complete', 'id': 'b'}");
    if ((trial->table->capabilities & POLARIS_ES_CAN_DEAD_LETTERS) != 0) {
        trial_refused(trial, POLARIS_ES_NOT_FOUND, NULL, "dlq", "{'op': 'get', 'id': 9000000000000000000}");
    }
    if ((trial->table->capabilities & POLARIS_ES_CAN_SCHEMAS) != 0) {
        trial_refused(trial, POLARIS_ES_NOT_FOUND, "/type", "schema", "{'op': 'get', 'type': 'none'}");
    }
    trial_shutdown(trial);
}

static void nothing_changed(struct trial *trial) {
    trial_open(trial, NULL);
    (void)trial_append(trial, 1);
    trial_refused(trial, POLARIS_ES_INVALID, "/events/2/data", "store",
                  "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'stream': 's'}, {'type': 'a', 'data': {}}, "
                  "{'type': 'a', 'data': 7}]}");
    trial_refused(trial, POLARIS_ES_CONFLICT, "/events/1", "store",
                  "{'op': 'append', 'events': [{'type': 'a', 'data': {}, 'stream': 's'}, "
                  "{'type': 'a', 'data': {}, 'stream': 'other', 'expected_version': 'exists'}]}");
    REQUIRE(trial_count(trial) == 1, "of a request that was refused %lld events are stored",
            (long long)trial_count(trial) - 1);
    (void)trial_ok(trial, "query", "{'op': 'streams'}");
    trial_expect(trial, "the streams after requests that were refused", "{'streams': []}");
    (void)trial_append(trial, 2);
    REQUIRE(trial_count(trial) == 2, "after requests that were refused there are %lld events, not 2",
            (long long)trial_count(trial));
    trial_shutdown(trial);
}

static const struct check CHECKS[] = {
    CHECK("errors/maps-are-whole", "code, name, message, retryable, details: as the header and SPEC.md have them",
          NEEDS_QUERY, whole_maps),
    CHECK("errors/unknown-ops-are-unsupported", "whatever else the request says", 0, unknown_ops),
    CHECK("errors/ops-belong-to-their-verb", "store does not answer what is query's", 0, foreign_ops),
    CHECK("errors/a-request-needs-an-op", "missing, nil or mistyped: INVALID", NEEDS_QUERY, missing_op),
    CHECK("errors/unknown-fields-are-invalid", "a typing mistake is never ignored; the path names it", NEEDS_QUERY,
          unknown_fields),
    CHECK("errors/mistyped-fields-are-invalid", "or out of range, or no text; the path names it", NEEDS_QUERY,
          mistyped_fields),
    CHECK("errors/missing-fields-are-invalid", "nil counts as absent; the path names it", NEEDS_QUERY, missing_fields),
    CHECK("errors/what-is-no-map-is-invalid", "or more than one, or cut, or with a field twice", NEEDS_QUERY, no_map),
    CHECK("errors/empty-claims-are-not-believed", "lengths of gigabytes in requests of some bytes", NEEDS_QUERY,
          empty_claims),
    CHECK("errors/deep-nesting-is-bounded", "200, 5,000 and 4 million arrays within each other", NEEDS_QUERY,
          deep_nesting),
    CHECK("errors/noise-is-answered", "20,000 requests of random bytes: refused, each of them", NEEDS_QUERY, noise),
    CHECK("errors/limits-of-size-hold", "event_size_max, request_size_max, request_events_max: TOO_LARGE", NEEDS_QUERY,
          large_requests),
    CHECK("errors/limits-of-names-hold", "the longest are taken, longer ones are not", NEEDS_QUERY, long_names),
    CHECK("errors/a-full-store-says-so", "store_size_max: FULL, and what was stored stays", NEEDS_QUERY, full_store),
    CHECK("errors/change-nothing", "of a request that was refused nothing is there", NEEDS_QUERY, nothing_changed),
};
const struct check_group CHECK_ERRORS = CHECK_GROUP(CHECKS);
