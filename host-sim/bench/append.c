/* append.c: appending, with more or fewer events in a request and threads that send them. */
#include "bench/callers.h"
#include "bench/workload.h"

/* Of the type that has a schema: what the events of a benchmark look like. */
static const char SCHEMA[] =
    "{\"type\": \"object\", \"required\": [\"node\", \"change\", \"properties\"], \"properties\": {"
    "\"node\": {\"type\": \"string\", \"pattern\": \"^[a-z0-9.+-]+$\", \"maxLength\": 64},"
    "\"change\": {\"type\": \"integer\", \"minimum\": 0},"
    "\"summary\": {\"type\": \"string\", \"maxLength\": 200},"
    "\"notes\": {\"type\": \"array\", \"maxItems\": 100, \"items\": {\"type\": \"string\", \"maxLength\": 200}},"
    "\"properties\": {\"type\": \"object\", \"required\": [\"section\"], \"properties\": {"
    "\"section\": {\"enum\": [\"libs\", \"utils\", \"doc\"]},"
    "\"installed_kib\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1000000000},"
    "\"maintainer\": {\"type\": \"string\", \"minLength\": 1, \"maxLength\": 128}},"
    "\"additionalProperties\": false}}, \"additionalProperties\": false}";

bool append_put_schema(struct bench_store *store, struct failure *failure) {
    return bench_call(
        store->host, HOST_SCHEMA,
        json_pack("{s: s, s: s, s: s}", "op", "put", "type", EVENT_TYPE_NAMES[EVENT_TYPE_CHECKED], "schema", SCHEMA),
        NULL, failure);
}

static bool append(struct bench_turn *turn, bool checked, struct failure *failure) {
    const struct bench_workload *workload = turn->workload;
    struct bench_store *store = turn->store;
    struct request_events events = {.body = store->body, .count = workload->per_request, .checked = checked};
    uint64_t per_caller = turn->operations / workload->per_request / workload->threads;
    CLEANUP(callers_done)
    struct callers callers = callers_make(store->host, workload->threads, per_caller, turn->latency);
    bool made = callers.requests != NULL;
    for (uint64_t i = 0; made && i < callers.count * per_caller; i++) {
        callers.requests[i] = request_append(store->next_plugin, &events);
        store->next_plugin += events.count;
        made = callers.requests[i].data != NULL;
    }
    int64_t elapsed_ns = 0;
    int32_t status = POLARIS_ES_OK;
    if (!made) {
        return failure_set(failure, "no memory for the requests");
    }
    if (!callers_run(&callers, &elapsed_ns, &status, failure)) {
        return false;
    }
    if (status != POLARIS_ES_OK) {
        return turn_fail(turn, "an append", status, failure);
    }
    turn_set_rate(turn, callers.count * per_caller * events.count, elapsed_ns);
    return true;
}

bool append_plugin(struct bench_turn *turn, struct failure *failure) {
    return append(turn, false, failure);
}

bool append_checked(struct bench_turn *turn, struct failure *failure) {
    return append(turn, true, failure);
}

/* The baseline's commits, timed one by one; making its events is no part of them. */
struct bare_time {
    struct histogram *latency;
    int64_t elapsed_ns;
};

static void took(void *context, int64_t ns) {
    struct bare_time *time = context;
    histogram_record(time->latency, ns);
    time->elapsed_ns += ns;
}

bool append_bare(struct bench_turn *turn, struct failure *failure) {
    struct bare_time time = {.latency = turn->latency};
    struct baseline_load load = {
        .first = turn->store->next_baseline,
        .count = turn->operations / (turn->workload->bare_part > 0 ? turn->workload->bare_part : 1),
        .per_commit = turn->workload->per_request,
        .body = turn->store->body,
        .took = took,
        .context = &time,
    };
    if (!baseline_append(turn->store->baseline, &load, failure)) {
        return false;
    }
    turn->store->next_baseline += load.count;
    turn_set_rate(turn, load.count, time.elapsed_ns);
    return true;
}
