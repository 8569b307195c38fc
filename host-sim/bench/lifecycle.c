/* lifecycle.c: opening a store, and a store that nobody calls. */
#include <stdlib.h>

#include "bench/clock.h"
#include "bench/probe.h"
#include "bench/workload.h"
#include "loader/loader.h"
#include "message/message.h"
#include "owned.h"

/* ---- opening ---- */

static void set_mean_ms(struct bench_turn *turn, int64_t elapsed_ns) {
    turn->figure = (double)elapsed_ns / 1e6 / (double)turn->operations;
}

static int32_t drop(void *context, polaris_bytes piece) {
    (void)context;
    (void)piece;
    return 0;
}

/* init alone, on a store that was shut down well: loading the build is no part of it. */
static bool time_inits(struct bench_turn *turn, const struct plugin *plugin, polaris_bytes config,
                       int64_t *ret_elapsed_ns, struct failure *failure) {
    const polaris_es_services services = {.size = sizeof services};
    const polaris_sink sink = {.size = sizeof sink, .write = drop};
    const polaris_bytes empty = {0};
    for (uint64_t i = 0; i < turn->operations; i++) {
        polaris_es *self = NULL;
        int64_t began_ns = monotonic_ns();
        int32_t status = plugin->table->init(&services, config, &sink, &self);
        int64_t took_ns = monotonic_ns() - began_ns;
        if (status != POLARIS_ES_OK) {
            return turn_fail(turn, "init", status, failure);
        }
        (void)plugin->table->shutdown(self, empty, &sink);
        histogram_record(turn->latency, took_ns);
        *ret_elapsed_ns += took_ns;
    }
    return true;
}

bool open_plugin(struct bench_turn *turn, struct failure *failure) {
    const struct bench_setup *setup = turn->store->setup;
    struct plugin *plugin = NULL;
    CLEANUP(freep) uint8_t *data = NULL;
    size_t size = 0;
    int64_t elapsed_ns = 0;
    bench_store_close_plugin(turn->store);
    json_auto_t *config = bench_config(setup, FILE_PLUGIN, "full");
    bool ok = config != NULL && message_pack(config, &data, &size, failure) &&
              loader_load(setup->host.plugin_path, &setup->host.loader, &plugin, NULL, failure) &&
              time_inits(turn, plugin, (polaris_bytes){.data = data, .size = size}, &elapsed_ns, failure);
    loader_unload(plugin);
    set_mean_ms(turn, elapsed_ns);
    return ok && bench_store_reopen(turn->store, failure);
}

/* The file, its settings, prepared statements, and the last id. */
bool open_bare(struct bench_turn *turn, struct failure *failure) {
    char path[1100];
    int64_t elapsed_ns = 0;
    bench_path(turn->store->setup, FILE_BASELINE, path);
    bench_store_close_baseline(turn->store);
    for (uint64_t i = 0; i < turn->operations; i++) {
        CLEANUP(baseline_freep) struct baseline *baseline = NULL;
        int64_t began_ns = monotonic_ns();
        if (!baseline_open(path, &baseline, failure)) {
            return false;
        }
        int64_t took_ns = monotonic_ns() - began_ns;
        histogram_record(turn->latency, took_ns);
        elapsed_ns += took_ns;
    }
    set_mean_ms(turn, elapsed_ns);
    return bench_store_reopen(turn->store, failure);
}

/* ---- idling ---- */

/* Nobody but this thread and those of the plugin is there. */
bool idle_plugin(struct bench_turn *turn, struct failure *failure) {
    (void)failure;
    static const int64_t SETTLE_NS = 100000000;
    int64_t window_ns = turn->quick ? 200000000 : 1000000000;
    bench_sleep_ns(SETTLE_NS);
    uint64_t before = probe_switches_of_others();
    bench_sleep_ns(window_ns);
    uint64_t switches = probe_switches_of_others() - before;
    turn->figure = (double)switches * 1e9 / (double)window_ns;
    return true;
}
