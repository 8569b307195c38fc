/* validation.c: measuring validation: the plugin's own clock, and msgpack-c by ours. */
#include "bench/validation.h"

#include <msgpack.h>

#include "bench/clock.h"
#include "message/message.h"
#include "owned.h"

enum {
    REPEAT_MAX = 1000000, /* of the op */
    TURNS = 41 /* of the two in one run: short ones, so that some are not hit by what else the machine does */
};

/* What the plugin says of itself, for one payload. */
struct timing {
    double tape_ns, evaluate_ns, both_ns;
};

static double per_round(const json_t *timing, const char *name, json_int_t rounds) {
    return (double)json_integer_value(json_object_get(timing, name)) / (double)rounds;
}

static bool measure_plugin(struct host *host, const struct validation_case *which, json_t *payload, size_t size,
                           uint64_t repeat, struct timing *ret_timing, struct failure *failure) {
    json_auto_t *reply = NULL;
    json_t *request = json_pack("{s: s, s: s, s: O, s: I}", "op", "validate", "schema", which->schema, "data", payload,
                                "repeat", (json_int_t)repeat);
    int32_t status = message_call(host, HOST_SCHEMA, request, &reply);
    if (status != POLARIS_ES_OK) {
        const char *message = json_string_value(json_object_get(reply, "message"));
        return failure_set(failure, "'%s' cannot be validated: %s", which->name,
                           message != NULL ? message : "the plugin gave no message");
    }
    if (!json_is_true(json_object_get(reply, "valid"))) {
        const json_t *first = json_array_get(json_object_get(reply, "failures"), 0);
        const char *line = json_string_value(json_object_get(first, "line"));
        return failure_set(failure, "the payload '%s' is not valid: %s", which->name, line != NULL ? line : "?");
    }
    const json_t *timing = json_object_get(reply, "timing");
    json_int_t rounds = json_integer_value(json_object_get(timing, "repeat"));
    json_int_t measured = json_integer_value(json_object_get(timing, "size"));
    if (rounds < 1 || measured != (json_int_t)size) {
        return failure_set(failure, "'%s': the plugin measured %lld rounds of %lld bytes, not of %zu", which->name,
                           (long long)rounds, (long long)measured, size);
    }
    *ret_timing = (struct timing){per_round(timing, "tape_ns", rounds), per_round(timing, "evaluate_ns", rounds),
                                  per_round(timing, "both_ns", rounds)};
    return true;
}

/* As its users do: one msgpack_unpacked for all messages, each of which is read into a fresh zone. */
static bool measure_unpack(const uint8_t *data, size_t size, uint64_t repeat, double *ret_ns, struct failure *failure) {
    msgpack_unpacked message;
    msgpack_unpacked_init(&message);
    bool good = true;
    int64_t began_ns = monotonic_ns();
    for (uint64_t i = 0; i < repeat && good; i++) {
        size_t offset = 0;
        good = msgpack_unpack_next(&message, (const char *)data, size, &offset) == MSGPACK_UNPACK_SUCCESS;
    }
    int64_t elapsed_ns = monotonic_ns() - began_ns;
    msgpack_unpacked_destroy(&message);
    *ret_ns = (double)elapsed_ns / (double)repeat;
    return good || failure_set(failure, "msgpack-c does not take the payload");
}

/* The turns of one run. */
struct turns {
    struct bench_series tape_ns, evaluate_ns, both_ns, unpack_ns;
};

bool validation_measure(struct host *host, const struct validation_case *which, uint64_t bytes,
                        struct validation_figures *figures, struct failure *failure) {
    json_auto_t *payload = which->payload();
    CLEANUP(freep) uint8_t *data = NULL;
    struct timing timing = {0};
    double unpack_ns = 0;
    if (payload == NULL) {
        return failure_set(failure, "no memory for the payload '%s'", which->name);
    }
    if (!message_pack(payload, &data, &figures->size, failure)) {
        return false;
    }
    uint64_t repeat = bytes / TURNS / figures->size;
    repeat = repeat < 1 ? 1 : repeat > REPEAT_MAX ? REPEAT_MAX : repeat;
    struct turns turns = {0};
    for (int i = 0; i < TURNS; i++) {
        if (!measure_plugin(host, which, payload, figures->size, repeat, &timing, failure) ||
            !measure_unpack(data, figures->size, repeat, &unpack_ns, failure)) {
            return false;
        }
        bench_note(&turns.tape_ns, timing.tape_ns);
        bench_note(&turns.evaluate_ns, timing.evaluate_ns);
        bench_note(&turns.both_ns, timing.both_ns);
        bench_note(&turns.unpack_ns, unpack_ns);
    }
    double both_ns = bench_smallest(&turns.both_ns);
    unpack_ns = bench_smallest(&turns.unpack_ns);
    bench_note(&figures->tape_ns, bench_smallest(&turns.tape_ns));
    bench_note(&figures->evaluate_ns, bench_smallest(&turns.evaluate_ns));
    bench_note(&figures->both_ns, both_ns);
    bench_note(&figures->unpack_ns, unpack_ns);
    bench_note(&figures->ratio, unpack_ns > 0 ? both_ns / unpack_ns : 0);
    return true;
}
