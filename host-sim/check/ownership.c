/* ownership.c: what is passed in is borrowed until the call returns, and no longer; nothing of it is written to. */
#include <string.h>
#include <unistd.h>

#include "check/fence.h"
#include "check/trial.h"

/* Requests that a plugin might keep a pointer into, one for each verb that the build has. */
static const struct {
    uint64_t needs;
    const char *verb, *request;
} REQUESTS[] = {
    {POLARIS_ES_CAN_APPEND, "store",
     "{'op': 'append', 'event': {'type': 'a', 'data': {'text': 'kept'}, 'stream': 's', 'tags': ['t'], 'key': 'k'}}"},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'batch.create', 'id': 'nightly', 'metadata': {'job': 1}}"},
    {POLARIS_ES_CAN_APPEND, "store",
     "{'op': 'batch.append', 'id': 'nightly', 'events': [{'type': 'a', 'data': {'n': 1}, 'stream': 's'}]}"},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'events', 'filter': {'types': ['a'], 'tags_any': ['t']}, 'limit': 1}"},
    {POLARIS_ES_CAN_QUERY, "query", "{'op': 'streams', 'prefix': 's'}"},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq",
     "{'op': 'put', 'event_id': '#1', 'consumer': 'search', 'error': {'message': 'no answer', 'class': 'Timeout'}}"},
    {POLARIS_ES_CAN_DEAD_LETTERS, "dlq", "{'op': 'claim', 'consumer': 'search', 'holder': 'me'}"},
    {POLARIS_ES_CAN_SCHEMAS, "schema",
     "{'op': 'put', 'type': 'b', 'schema': {'type': 'object', 'properties': {'n': {'pattern': '^x+$'}}}}"},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'append', 'event': {'type': 'b', 'data': {'n': 'xx'}}}"},
    {POLARIS_ES_CAN_SCHEMAS, "schema", "{'op': 'get', 'type': 'b'}"},
    {POLARIS_ES_CAN_APPEND, "store", "{'op': 'batch.complete', 'id': 'nightly'}"},
};

enum manner { FORBIDDEN, OVERWRITTEN, CONSTANT };

static void call_each(struct trial *trial, enum manner manner) {
    static const char *const AFTER[] = {"which nobody may touch afterwards", "which is overwritten afterwards",
                                        "which nobody may write to"};
    trial_open(trial, NULL);
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        if ((trial->table->capabilities & REQUESTS[i].needs) == 0) {
            continue;
        }
        CLEANUP(packed_done) struct packed request = trial_request(trial, REQUESTS[i].request);
        struct fence fence = fence_new(request.data, request.size);
        if (manner == CONSTANT) {
            fence_make_constant(&fence);
        }
        doing("the call behind, or in, %s %.120s, %s", REQUESTS[i].verb, REQUESTS[i].request, AFTER[manner]);
        int32_t status = trial_call_bytes(trial, REQUESTS[i].verb, (polaris_bytes){fence.data, fence.size});
        REQUIRE(status == POLARIS_ES_OK, "%s %s answered %s", REQUESTS[i].verb, REQUESTS[i].request,
                answer_name(status));
        if (manner == FORBIDDEN) {
            fence_forbid(&fence);
        } else if (manner == OVERWRITTEN) {
            memset(fence.data, 0xC1, fence.size); /* what is never msgpack */
        }
    }
    if (manner == OVERWRITTEN) {
        (void)trial_ok(trial, "query", "{'op': 'events', 'filter': {'stream': 's'}}");
        trial_expect(trial, "reading events whose requests were overwritten",
                     "{'events': [{'type': 'a', 'data': {'text': 'kept'}, 'tags': ['t'], 'key': 'k'}, "
                     "{'type': 'a', 'data': {'n': 1}, 'batch': 'nightly'}]}");
    }
    trial_shutdown(trial);
}

static void request_forbidden(struct trial *trial) {
    call_each(trial, FORBIDDEN);
}

static void request_overwritten(struct trial *trial) {
    call_each(trial, OVERWRITTEN);
}

static void request_constant(struct trial *trial) {
    call_each(trial, CONSTANT);
}

/* All that init was given is gone when it has returned. */
static void init_arguments(struct trial *trial) {
    CLEANUP(packed_done) struct packed config = trial_config(trial, "{'types': ['checked', 'a'], 'owner': 'kept'}");
    struct answer answer;
    answer_init(&answer);
    polaris_es_services services = trial_services(trial);
    struct fence config_fence = fence_new(config.data, config.size);
    struct fence services_fence = fence_new(&services, sizeof services);
    struct fence sink_fence = fence_new(&answer.sink, sizeof answer.sink);
    fence_make_constant(&config_fence);
    fence_make_constant(&services_fence);
    fence_make_constant(&sink_fence);
    doing("init with arguments that nobody may write to");
    int32_t status = trial->table->init((const polaris_es_services *)(void *)services_fence.data,
                                        (polaris_bytes){config_fence.data, config_fence.size},
                                        (const polaris_sink *)(void *)sink_fence.data, &trial->self);
    answer_returned(&answer);
    answer_done(&answer);
    REQUIRE(status == POLARIS_ES_OK, "init answered %s", answer_name(status));
    fence_forbid(&config_fence);
    fence_forbid(&services_fence);
    fence_forbid(&sink_fence);
    doing("a call after what init was given is gone");
    if ((trial->table->capabilities & POLARIS_ES_CAN_APPEND) != 0) {
        (void)trial_append(trial, 1);
        doing("a call after what init was given is gone");
        (void)trial_call(trial, "store", "{'op': 'append', 'event': {'type': 'other', 'data': {}}}");
    }
    trial_shutdown(trial);
}

/* Each call has a sink of its own, which nobody may touch afterwards. */
static void sink_struct(struct trial *trial) {
    CLEANUP(packed_done) struct packed request = packed("{'op': 'no.such.op'}");
    trial_open(trial, NULL);
    for (int i = 0; i < 8; i++) {
        static const char *const VERBS[] = {"store", "query", "dlq", "schema"};
        struct answer answer;
        answer_init(&answer);
        struct fence fence = fence_new(&answer.sink, sizeof answer.sink);
        doing("%s after the sink of the call before is gone", VERBS[i % 4]);
        (void)trial_verb(trial, VERBS[i % 4])(trial->self, packed_bytes(&request),
                                              (const polaris_sink *)(void *)fence.data);
        answer_returned(&answer);
        answer_done(&answer);
        fence_forbid(&fence);
    }
    trial_shutdown(trial);
}

struct heard {
    _Atomic int good, bad;
};

static void hear(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct heard *heard = context;
    (void)ticket;
    (void)reply;
    (void)atomic_fetch_add(status == POLARIS_ES_OK ? &heard->good : &heard->bad, 1);
}

/* submit returns before the work is done: both must have been copied. */
static void submit_arguments(struct trial *trial) {
    enum { COUNT = 64 };
    static struct heard heard;
    trial_open(trial, NULL);
    for (int i = 0; i < COUNT; i++) {
        CLEANUP(packed_done)
        struct packed request = packed("{'op': 'append', 'event': {'type': 'a', 'data': {'n': %d}}}", i);
        const polaris_es_completion completion = {.size = sizeof completion, .context = &heard, .done = hear};
        struct fence bytes = fence_new(request.data, request.size);
        struct fence how = fence_new(&completion, sizeof completion);
        fence_make_constant(&bytes);
        fence_make_constant(&how);
        doing("submit, after which nobody may touch what it was given");
        int32_t status = trial->table->submit(trial->self, (polaris_bytes){bytes.data, bytes.size},
                                              (const polaris_es_completion *)(void *)how.data, NULL);
        REQUIRE(status == POLARIS_ES_OK, "submit answered %s", answer_name(status));
        fence_forbid(&bytes);
        fence_forbid(&how);
    }
    trial_shutdown(trial);
    REQUIRE(heard.good == COUNT && heard.bad == 0, "of %d submitted requests %d ended well and %d badly", COUNT,
            heard.good, heard.bad);
    trial_open(trial, NULL);
    (void)trial_ok(trial, "query", "{'op': 'events', 'order': 'desc', 'limit': 1}");
    trial_expect(trial, "the last submitted event", "{'events': [{'data': {'n': 63}}]}");
    trial_shutdown(trial);
}

/* What was told before the build was unloaded must mean the same to the build that is loaded after it. */
static void loaded_anew(struct trial *trial) {
    trial_open(trial, NULL);
    (void)trial_ok(trial, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {'text': 'abc'}}}");
    (void)trial_ok(trial, "query", "{'op': 'events'}");
    json_auto_t *first = json_incref(trial->reply);
    trial_shutdown(trial);
    REQUIRE(!trial->loader.keep_mapped, "a defect of the check: the build stays mapped");
    loader_unload(trial->plugin);
    trial->plugin = NULL;
    trial_load(trial);
    trial_open(trial, NULL);
    (void)trial_ok(trial, "query", "{'op': 'events'}");
    REQUIRE(json_equal(json_object_get(first, "events"), json_object_get(trial->reply, "events")),
            "loaded anew, the build reads other events than before");
    const char *cursor = json_string_value(json_object_get(first, "cursor"));
    REQUIRE(cursor != NULL, "the reply of events has no cursor");
    (void)trial_ok(trial, "query", "{'op': 'events', 'cursor': '%s'}", cursor);
    trial_expect(trial, "a cursor from before the build was loaded anew", "{'count': 0, 'more': false}");
    trial_shutdown(trial);
}

static const struct check CHECKS[] = {
    CHECK("ownership/keeps-no-pointer-to-a-request", "its memory is gone when the verb has returned", NEEDS_QUERY,
          request_forbidden),
    CHECK("ownership/keeps-what-a-request-said", "though its memory says something else afterwards",
          NEEDS_QUERY | POLARIS_ES_CAN_DEAD_LETTERS | POLARIS_ES_CAN_SCHEMAS, request_overwritten),
    CHECK("ownership/leaves-requests-as-they-are", "nothing is written to them", NEEDS_QUERY, request_constant),
    CHECK("ownership/keeps-no-pointer-to-what-init-was-given", "configuration, services and sink are copied", 0,
          init_arguments),
    CHECK("ownership/keeps-no-pointer-to-a-sink", "it is gone when the verb has returned", 0, sink_struct),
    CHECK("ownership/submit-copies-what-it-was-given", "request and completion", NEEDS_SUBMIT, submit_arguments),
    CHECK("ownership/replies-outlive-the-build", "events and cursors are good after it was unloaded", NEEDS_QUERY,
          loaded_anew),
};
const struct check_group CHECK_OWNERSHIP = CHECK_GROUP(CHECKS);
