/* sizes.c: what init and the verbs are handed: structs of any size, missing ones, bytes at NULL. */
#include <stdio.h>
#include <string.h>

#include "check/fence.h"
#include "check/trial.h"

enum { ROOM = SIZE_LIMIT + 8, EXTRA = 64 };

/* A struct of which `known` bytes are there, with `size` for its size: it ends at a fence, its tail is zero but for
 * the byte `mark` (0: none). Its first member is its size. */
static struct fence struct_new(const void *known, size_t known_size, uint32_t size, size_t mark) {
    uint8_t bytes[ROOM] = {0};
    memcpy(bytes, known, known_size);
    memcpy(bytes, &size, sizeof size);
    if (mark > 0) {
        bytes[mark] = 1;
    }
    return fence_new(bytes, size < 8 ? 8 : size < ROOM ? (size + 7) / 8 * 8 : ROOM);
}

/* What a struct looks like, and what must become of it. */
struct shape {
    const char *what;
    uint32_t size;
    size_t mark;       /* offset of a byte that is 1, or 0 */
    uint32_t reserved; /* the second member */
    int32_t status;
};

/* Is it about a byte that a build of a newer minor may know? */
static bool may_be_known(const struct trial *trial, const struct shape *shape) {
    return trial_is_newer(trial) && shape->mark > 0 && shape->mark < SIZE_LIMIT - 1;
}

/* Everything that is wrong with an input of `known` bytes, of which 1.0 had `least`; ends with what is NULL. */
#define SHAPES_OF_INPUT(known, least)                                                                                  \
    {"of 1.0, which ends where nobody may read", (least), 0, 0, POLARIS_ES_OK},                                        \
        {"with an unknown tail of zeros", (known) + EXTRA, 0, 0, POLARIS_ES_OK},                                       \
        {"of 4096 bytes, all zeros behind what is known", 4096, 0, 0, POLARIS_ES_OK},                                  \
        {"with no size", 0, 0, 0, POLARIS_ES_INVALID}, {"smaller than in 1.0", (least)-8, 0, 0, POLARIS_ES_INVALID},   \
        {"with an unknown tail that is not zero", (known) + EXTRA, (known), 0, POLARIS_ES_INVALID},                    \
        {"with an unknown tail of which the last byte is not zero", (known) + EXTRA, (known) + EXTRA - 1, 0,           \
         POLARIS_ES_INVALID},                                                                                          \
        {"of 4096 bytes of which the last is not zero", SIZE_LIMIT, SIZE_LIMIT - 1, 0, POLARIS_ES_INVALID},            \
        {"with a size above 4096", 4097, 0, 0, POLARIS_ES_INVALID},                                                    \
        {"with garbage for a size", UINT32_MAX, 0, 0, POLARIS_ES_INVALID},                                             \
        {"whose reserved is not 0", (known), 0, 1, POLARIS_ES_INVALID}, {                                              \
        NULL, 0, 0, 0, 0                                                                                               \
    }

static const struct shape SERVICES[] = {
    SHAPES_OF_INPUT(sizeof(polaris_es_services), SIZE_1_0(polaris_es_services, wake))};
static const struct shape SINKS[] = {SHAPES_OF_INPUT(sizeof(polaris_sink), SIZE_1_0(polaris_sink, write))};
static const struct shape COMPLETIONS[] = {
    SHAPES_OF_INPUT(sizeof(polaris_es_completion), SIZE_1_0(polaris_es_completion, done))};

static void expect(const struct shape *shape, const char *call, const char *what, int32_t status) {
    REQUIRE(status == shape->status, "%s with %s %s answered %s, not %s", call, what, shape->what, answer_name(status),
            answer_name(shape->status));
}

/* What an init that fails must leave alone: no instance, and not NULL. */
static polaris_es *untouched(struct trial *trial) {
    return (polaris_es *)(void *)trial;
}

/* ---- services ---- */

static void init_with_services(struct trial *trial, const struct shape *shape) {
    CLEANUP(packed_done) struct packed config = trial_config(trial, NULL);
    polaris_es_services services = trial_services(trial);
    services.reserved = shape->reserved;
    struct fence fence = struct_new(&services, sizeof services, shape->size, shape->mark);
    struct answer answer;
    answer_init(&answer);
    doing("init with services %s", shape->what);
    trial->self = untouched(trial);
    int32_t status = trial->table->init((const polaris_es_services *)(void *)fence.data, packed_bytes(&config),
                                        &answer.sink, &trial->self);
    answer_returned(&answer);
    answer_done(&answer);
    expect(shape, "init", "services", status);
    REQUIRE(status == POLARIS_ES_OK || trial->self == untouched(trial),
            "init with services %s failed, and changed *ret_self", shape->what);
    if (status == POLARIS_ES_OK) {
        trial_shutdown(trial);
    }
}

static void services_good(struct trial *trial) {
    for (const struct shape *shape = SERVICES; shape->what != NULL; shape++) {
        if (shape->status == POLARIS_ES_OK) {
            init_with_services(trial, shape);
        }
    }
}

static void services_bad(struct trial *trial) {
    for (const struct shape *shape = SERVICES; shape->what != NULL; shape++) {
        if (shape->status != POLARIS_ES_OK && !may_be_known(trial, shape)) {
            init_with_services(trial, shape);
        }
    }
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

/* ---- sinks ---- */

static const char *const VERBS[] = {"store", "query", "dlq", "schema"};
enum { VERB_COUNT = sizeof VERBS / sizeof VERBS[0] };

/* The verb's own status for a request that every build answers: UNSUPPORTED. A sink that is refused makes it INVALID,
 * and is not called. */
static void call_with_sink(struct trial *trial, const char *verb, const struct shape *shape) {
    CLEANUP(packed_done) struct packed request = packed("{'op': 'no.such.op'}");
    struct answer answer;
    answer_init(&answer);
    polaris_sink sink = answer.sink;
    sink.reserved = shape->reserved;
    struct fence fence = struct_new(&sink, sizeof sink, shape->size, shape->mark);
    doing("%s with a sink %s", verb, shape->what);
    int32_t status =
        trial_verb(trial, verb)(trial->self, packed_bytes(&request), (const polaris_sink *)(void *)fence.data);
    answer_returned(&answer);
    bool good = shape->status == POLARIS_ES_OK;
    int32_t expected = good ? POLARIS_ES_UNSUPPORTED : POLARIS_ES_INVALID;
    REQUIRE(status == expected, "%s with a sink %s answered %s, not %s", verb, shape->what, answer_name(status),
            answer_name(expected));
    REQUIRE(good || answer.pieces == 0, "%s called a sink %s", verb, shape->what);
    answer_done(&answer);
}

static void all_sinks(struct trial *trial, bool good) {
    trial_open(trial, NULL);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        for (const struct shape *shape = SINKS; shape->what != NULL; shape++) {
            if ((shape->status == POLARIS_ES_OK) == good && !may_be_known(trial, shape)) {
                call_with_sink(trial, VERBS[i], shape);
            }
        }
    }
    trial_shutdown(trial);
}

static void sinks_good(struct trial *trial) {
    all_sinks(trial, true);
}

static void sinks_bad(struct trial *trial) {
    all_sinks(trial, false);
}

static void sinks_bad_for_init(struct trial *trial) {
    CLEANUP(packed_done) struct packed config = trial_config(trial, NULL);
    for (const struct shape *shape = SINKS; shape->what != NULL; shape++) {
        if (may_be_known(trial, shape)) {
            continue;
        }
        struct answer answer;
        answer_init(&answer);
        polaris_sink sink = answer.sink;
        sink.reserved = shape->reserved;
        struct fence fence = struct_new(&sink, sizeof sink, shape->size, shape->mark);
        doing("init with a sink %s", shape->what);
        trial->self = untouched(trial);
        int32_t status =
            trial->table->init(NULL, packed_bytes(&config), (const polaris_sink *)(void *)fence.data, &trial->self);
        answer_returned(&answer);
        answer_done(&answer);
        expect(shape, "init", "a sink", status);
        REQUIRE(status == POLARIS_ES_OK || trial->self == untouched(trial),
                "init with a sink %s failed, and changed *ret_self", shape->what);
        if (status == POLARIS_ES_OK) {
            trial_shutdown(trial);
        }
    }
}

static void sinks_missing(struct trial *trial) {
    CLEANUP(packed_done) struct packed request = packed("{'op': 'no.such.op'}");
    const polaris_sink hollow = {.size = sizeof hollow};
    trial_open(trial, NULL);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        doing("%s without a sink", VERBS[i]);
        int32_t status = trial_verb(trial, VERBS[i])(trial->self, packed_bytes(&request), NULL);
        REQUIRE(status == POLARIS_ES_INVALID, "%s without a sink answered %s", VERBS[i], answer_name(status));
        doing("%s with a sink whose write is NULL", VERBS[i]);
        status = trial_verb(trial, VERBS[i])(trial->self, packed_bytes(&request), &hollow);
        REQUIRE(status == POLARIS_ES_INVALID, "%s with a sink whose write is NULL answered %s", VERBS[i],
                answer_name(status));
    }
    trial_shutdown(trial);
}

static void instance_missing(struct trial *trial) {
    CLEANUP(packed_done) struct packed request = packed("{'op': 'no.such.op'}");
    for (size_t i = 0; i <= VERB_COUNT; i++) {
        struct answer answer;
        answer_init(&answer);
        const char *verb = i < VERB_COUNT ? VERBS[i] : "shutdown";
        doing("%s without an instance", verb);
        int32_t status = i < VERB_COUNT ? trial_verb(trial, verb)(NULL, packed_bytes(&request), &answer.sink)
                                        : trial->table->shutdown(NULL, (polaris_bytes){0}, &answer.sink);
        REQUIRE(status == POLARIS_ES_INVALID, "%s without an instance answered %s", verb, answer_name(status));
        REQUIRE(answer.pieces == 0, "%s without an instance replied all the same", verb);
    }
}

static void ret_self_missing(struct trial *trial) {
    CLEANUP(packed_done) struct packed config = trial_config(trial, NULL);
    struct answer answer;
    answer_init(&answer);
    doing("init without ret_self");
    int32_t status = trial->table->init(NULL, packed_bytes(&config), &answer.sink, NULL);
    REQUIRE(status == POLARIS_ES_INVALID, "init without ret_self answered %s", answer_name(status));
    answer_done(&answer);
    trial_open(trial, NULL);
    trial_shutdown(trial);
}

/* ---- requests ---- */

static void bytes_at_null(struct trial *trial) {
    trial_open(trial, NULL);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        char what[64];
        (void)snprintf(what, sizeof what, "%s with 7 bytes at NULL", VERBS[i]);
        doing("%s", what);
        int32_t status = trial_call_bytes(trial, VERBS[i], (polaris_bytes){.data = NULL, .size = 7});
        REQUIRE(trial_may_answer(trial, VERBS[i], status, POLARIS_ES_INVALID), "%s answered %s", what,
                answer_name(status));
        status = trial_call_bytes(trial, VERBS[i], (polaris_bytes){0});
        REQUIRE(trial_may_answer(trial, VERBS[i], status, POLARIS_ES_INVALID), "%s with no bytes answered %s", VERBS[i],
                answer_name(status));
    }
    trial_shutdown(trial);
}

static void requests_fenced(struct trial *trial) {
    static const struct {
        const char *verb, *request;
    } REQUESTS[] = {
        {"store", "{'op': 'append', 'event': {'type': 'a', 'data': {'text': 'to the end'}}}"},
        {"store", "{'op': 'batch.create', 'id': 'nightly'}"},
        {"query", "{'op': 'events', 'filter': {'types': ['a', 'b']}}"},
        {"query", "{'op': 'head'}"},
        {"dlq", "{'op': 'count', 'consumer': 'search'}"},
        {"schema", "{'op': 'list', 'prefix': 'a'}"},
    };
    trial_open(trial, NULL);
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        CLEANUP(packed_done) struct packed request = packed("%s", REQUESTS[i].request);
        for (size_t size = request.size;; size--) { /* whole, and cut at every byte */
            struct fence fence = fence_new(request.data, size);
            doing("%s with %zu of the %zu bytes of %s, behind which nobody may read", REQUESTS[i].verb, size,
                  request.size, REQUESTS[i].request);
            int32_t status = trial_call_bytes(trial, REQUESTS[i].verb, (polaris_bytes){fence.data, fence.size});
            REQUIRE(size == request.size || status != POLARIS_ES_OK, "%s answered OK to %zu of the %zu bytes of %s",
                    REQUESTS[i].verb, size, request.size, REQUESTS[i].request);
            fence_done(&fence);
            if (size == 0) {
                break;
            }
        }
    }
    trial_shutdown(trial);
}

/* ---- submit ---- */

static void told(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    (void)ticket;
    (void)status;
    (void)reply;
    (void)atomic_fetch_add((_Atomic int *)context, 1);
}

static void completions(struct trial *trial) {
    CLEANUP(packed_done) struct packed request = packed("{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
    static _Atomic int ends;
    int taken = 0;
    trial_open(trial, NULL);
    for (const struct shape *shape = COMPLETIONS; shape->what != NULL; shape++) {
        if (may_be_known(trial, shape)) {
            continue;
        }
        polaris_es_completion completion = {
            .size = sizeof completion, .reserved = shape->reserved, .context = &ends, .done = told};
        struct fence fence = struct_new(&completion, sizeof completion, shape->size, shape->mark);
        doing("submit with a completion %s", shape->what);
        int32_t status = trial->table->submit(trial->self, packed_bytes(&request),
                                              (const polaris_es_completion *)(void *)fence.data, NULL);
        expect(shape, "submit", "a completion", status);
        taken += status == POLARIS_ES_OK ? 1 : 0;
    }
    doing("submit without a completion");
    int32_t status = trial->table->submit(trial->self, packed_bytes(&request), NULL, NULL);
    REQUIRE(status == POLARIS_ES_INVALID, "submit without a completion answered %s", answer_name(status));
    const polaris_es_completion hollow = {.size = sizeof hollow};
    status = trial->table->submit(trial->self, packed_bytes(&request), &hollow, NULL);
    REQUIRE(status == POLARIS_ES_INVALID, "submit with a completion without done answered %s", answer_name(status));
    const polaris_es_completion whole = {.size = sizeof whole, .context = &ends, .done = told};
    status = trial->table->submit(NULL, packed_bytes(&request), &whole, NULL);
    REQUIRE(status == POLARIS_ES_INVALID, "submit without an instance answered %s", answer_name(status));
    status = trial->table->submit(trial->self, (polaris_bytes){.data = NULL, .size = 7}, &whole, NULL);
    REQUIRE(status == POLARIS_ES_INVALID, "submit with 7 bytes at NULL answered %s", answer_name(status));
    status = trial->table->cancel(NULL, 1);
    REQUIRE(status != POLARIS_ES_OK, "cancel without an instance answered OK");
    trial_shutdown(trial);
    REQUIRE(atomic_load(&ends) == taken, "%d submitted requests were taken, %d ends were told", taken,
            atomic_load(&ends));
}

static const struct check CHECKS[] = {
    CHECK("sizes/accepts-services-of-any-legal-size", "of 1.0, and larger with a tail of zeros", 0, services_good),
    CHECK("sizes/refuses-services-that-are-not", "too small, above 4096, a tail or a reserved that is not zero", 0,
          services_bad),
    CHECK("sizes/accepts-sinks-of-any-legal-size", "of 1.0, and larger with a tail of zeros", 0, sinks_good),
    CHECK("sizes/refuses-sinks-that-are-not", "INVALID, and such a sink is not called", 0, sinks_bad),
    CHECK("sizes/init-judges-its-sink-as-well", "the same sizes for the sink of init", 0, sinks_bad_for_init),
    CHECK("sizes/refuses-to-work-without-a-sink", "or with one whose write is NULL: INVALID", 0, sinks_missing),
    CHECK("sizes/refuses-to-work-without-an-instance", "INVALID, without a reply", 0, instance_missing),
    CHECK("sizes/init-wants-a-place-for-the-instance", "INVALID, and nothing is held", 0, ret_self_missing),
    CHECK("sizes/refuses-bytes-at-null", "a request with a size and no data, or with neither", NEEDS_QUERY,
          bytes_at_null),
    CHECK("sizes/reads-requests-no-further-than-they-are", "whole ones, and ones cut at every byte",
          NEEDS_QUERY | POLARIS_ES_CAN_DEAD_LETTERS | POLARIS_ES_CAN_SCHEMAS, requests_fenced),
    CHECK("sizes/submit-judges-its-completion", "as all inputs: sizes, tail, reserved, missing ones", NEEDS_SUBMIT,
          completions),
};
const struct check_group CHECK_SIZES = CHECK_GROUP(CHECKS);
