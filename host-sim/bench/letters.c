/* letters.c: dead letters, from put over claim to resolve. */
#include "bench/clock.h"
#include "bench/workload.h"
#include "message/message.h"
#include "owned.h"

/* The requests of one cycle, packed; `event_id` has never been put before, so its first token is 1. */
enum { PUT, CLAIM, RESOLVE, CYCLE_CALLS };
struct cycle {
    uint8_t *data[CYCLE_CALLS];
    size_t size[CYCLE_CALLS];
};

static void cycle_done(struct cycle *cycle) {
    for (int i = 0; i < CYCLE_CALLS; i++) {
        free(cycle->data[i]);
    }
}

static bool make_cycle(uint64_t event_id, struct cycle *cycle, struct failure *failure) {
    json_t *requests[CYCLE_CALLS] = {
        json_pack("{s: s, s: I, s: s, s: i, s: {s: s, s: s}}", "op", "put", "event_id", (json_int_t)event_id,
                  "consumer", BASELINE_CONSUMER, "delay_us", 0, "error", "class", BASELINE_FAILURE_CLASS, "message",
                  BASELINE_FAILURE_MESSAGE),
        json_pack("{s: s, s: s}", "op", "claim", "consumer", BASELINE_CONSUMER),
        json_pack("{s: s, s: I, s: s, s: i}", "op", "resolve", "event_id", (json_int_t)event_id, "consumer",
                  BASELINE_CONSUMER, "token", 1),
    };
    bool made = true;
    for (int i = 0; i < CYCLE_CALLS; i++) {
        made = made && message_pack(requests[i], &cycle->data[i], &cycle->size[i], failure);
        json_decref(requests[i]);
    }
    return made;
}

bool letters_plugin(struct bench_turn *turn, struct failure *failure) {
    CLEANUP(reply_done) struct reply reply = {0};
    int64_t elapsed_ns = 0;
    for (uint64_t i = 0; i < turn->operations; i++) {
        CLEANUP(cycle_done) struct cycle cycle = {0};
        if (!make_cycle(turn->store->next_letter + i, &cycle, failure)) {
            return false;
        }
        int64_t began_ns = monotonic_ns();
        for (int k = 0; k < CYCLE_CALLS; k++) {
            int32_t status = host_call(turn->store->host, HOST_DLQ, cycle.data[k], cycle.size[k], &reply);
            if (status != POLARIS_ES_OK) {
                return turn_fail(turn, "a call about a dead letter", status, failure);
            }
        }
        int64_t took_ns = monotonic_ns() - began_ns;
        histogram_record(turn->latency, took_ns);
        elapsed_ns += took_ns;
    }
    turn_set_rate(turn, turn->operations, elapsed_ns);
    turn->store->next_letter += turn->operations;
    return true;
}

bool letters_bare(struct bench_turn *turn, struct failure *failure) {
    int64_t elapsed_ns = 0;
    for (uint64_t i = 0; i < turn->operations; i++) {
        int64_t began_ns = monotonic_ns();
        if (!baseline_letter_cycle(turn->store->baseline, turn->store->reader,
                                   (int64_t)(turn->store->next_bare_letter + i), failure)) {
            return false;
        }
        int64_t took_ns = monotonic_ns() - began_ns;
        histogram_record(turn->latency, took_ns);
        elapsed_ns += took_ns;
    }
    turn_set_rate(turn, turn->operations, elapsed_ns);
    turn->store->next_bare_letter += turn->operations;
    return true;
}
