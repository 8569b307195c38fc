/* swap.c: swaps the running build for another one, step by step. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/host_internal.h"
#include "monotonic.h"

enum { DRAIN_MAX_MS_DEFAULT = 120000 };

static void plugin_unloadp(struct plugin **plugin) {
    loader_unload(*plugin);
}

static void take_name(char ret_name[64], const struct plugin *plugin) {
    (void)snprintf(ret_name, 64, "%s", plugin->table->build_id);
}

/* What can be known to fail is refused while the gate is still open: nobody has to wait for it. */
static bool new_build_reads_the_file(const struct plugin *from, const struct plugin *to, struct failure *failure) {
    uint32_t format = from->descriptor.format_write;
    bool both_keep_files = format != 0 && to->descriptor.format_read_max != 0;
    if (both_keep_files && (format < to->descriptor.format_read_min || format > to->descriptor.format_read_max)) {
        return failure_set(
            failure, "the build %s reads file formats %" PRIu32 " to %" PRIu32 "; the running build %s writes %" PRIu32,
            to->table->build_id, to->descriptor.format_read_min, to->descriptor.format_read_max, from->table->build_id,
            format);
    }
    return true;
}

/* The new build did not start: the old one gets its store back. `failure` holds the reason, and gets the outcome. */
static void roll_back(struct host *host, struct running *old, const struct plugin *refused, struct failure *failure) {
    struct failure first = *failure;
    struct failure second;
    CLEANUP(reply_done) struct reply reply = {0};
    if (running_init(host, old, &reply, &second)) {
        (void)failure_set(failure, "the build %s did not start; the build %s runs again (%.700s)",
                          refused->table->build_id, old->plugin->table->build_id, first.message);
    } else {
        (void)failure_set(
            failure,
            "the build %s did not start (%.400s), and neither did the build %s again (%.400s): no store is "
            "open until a swap succeeds",
            refused->table->build_id, first.message, old->plugin->table->build_id, second.message);
    }
    host->running = *old;
}

/* With the gate closed and nobody inside. On success *plugin is the build to unload. */
static bool exchange(struct host *host, struct plugin **plugin, struct swap_report *report, struct failure *failure) {
    struct running old = host->running;
    int64_t start_us = monotonic_us();
    running_shutdown(host, &old, true);
    int64_t shut_us = monotonic_us();
    report->shutdown_us = shut_us - start_us;

    struct running new = {.plugin = *plugin};
    CLEANUP(reply_done) struct reply reply = {0};
    bool started = running_init(host, &new, &reply, failure);
    report->init_us = monotonic_us() - shut_us;
    if (started) {
        host->running = new;
        *plugin = old.plugin;
    } else {
        roll_back(host, &old, *plugin, failure);
    }
    atomic_store(&host->is_open, host->running.table != NULL);
    return started;
}

/* With the gate closed at first and open at last. */
static bool exchange_when_drained(struct host *host, struct plugin **plugin, struct swap_report *report,
                                  struct failure *failure) {
    uint32_t drain_max_ms = host->options.drain_max_ms != 0 ? host->options.drain_max_ms : DRAIN_MAX_MS_DEFAULT;
    int64_t closed_us = monotonic_us();
    gate_close(&host->gate);
    bool drained = host_drain(host, (int64_t)drain_max_ms * 1000);
    report->drain_us = monotonic_us() - closed_us;
    if (drained) {
        report->swapped = exchange(host, plugin, report, failure);
    } else {
        (void)failure_set(failure, "calls were still in progress after %" PRIu32 " ms: the build %s goes on",
                          drain_max_ms, report->from);
    }
    report->waited_calls = (int64_t)gate_open(&host->gate);
    report->pause_us = monotonic_us() - closed_us;
    return report->swapped;
}

static bool swap_locked(struct host *host, const char *plugin_path, struct swap_report *report,
                        struct failure *failure) {
    CLEANUP(plugin_unloadp) struct plugin *plugin = NULL; /* of two builds, the one that does not run in the end */
    take_name(report->from, host->running.plugin);
    int64_t start_us = monotonic_us();
    if (!host_load(host, plugin_path, &host->options.loader, &plugin, failure)) {
        return false;
    }
    take_name(report->to, plugin);
    if (!new_build_reads_the_file(host->running.plugin, plugin, failure)) {
        report->load_us = monotonic_us() - start_us;
        return false;
    }
    /* A build that cannot read beside the running one, for whatever reason, may still take its place. */
    struct running reader = {.plugin = plugin};
    struct failure ignored;
    bool has_reader = running_init_reader(host, &reader, &ignored);
    report->load_us = monotonic_us() - start_us;
    bool swapped = exchange_when_drained(host, &plugin, report, failure);
    if (has_reader) {
        running_shutdown(host, &reader, false);
    }
    return swapped;
}

bool host_swap(struct host *host, const char *plugin_path, struct swap_report *ret_report, struct failure *failure) {
    struct swap_report report = {0};
    (void)pthread_mutex_lock(&host->swapping);
    bool swapped = swap_locked(host, plugin_path, &report, failure);
    (void)pthread_mutex_unlock(&host->swapping);
    if (swapped) {
        host_log(host, POLARIS_ES_LOG_INFO, "swapped build %s for %s; callers were kept out for %" PRId64 " us",
                 report.from, report.to, report.pause_us);
    } else {
        host_log(host, POLARIS_ES_LOG_WARNING, "no swap: %s", failure->message);
    }
    if (ret_report != NULL) {
        *ret_report = report;
    }
    return swapped;
}
