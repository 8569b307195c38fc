/* chapter_ingest.c: the packages become events, while builds of the plugin are swapped and a follower reads along. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "demo/changes.h"
#include "demo/demo.h"
#include "graph/follower.h"
#include "monotonic.h"

enum { SWAPS = 2 };

/* The thread that publishes, and how far it is. */
struct ingest {
    struct demo *demo;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    size_t published;
    bool ended;
    bool failed;
    struct failure failure;
    int64_t elapsed_us;
};

static bool publish(void *context, json_t *event, struct failure *failure) {
    struct ingest *ingest = context;
    if (!publisher_publish(ingest->demo->publisher, event, NULL, failure)) {
        return false;
    }
    (void)pthread_mutex_lock(&ingest->lock);
    ingest->published++;
    (void)pthread_cond_signal(&ingest->moved);
    (void)pthread_mutex_unlock(&ingest->lock);
    return true;
}

static bool publish_all(struct ingest *ingest) {
    struct demo *demo = ingest->demo;
    return changes_describe(&demo->packages, publish, ingest, &ingest->failure) &&
           publisher_flush(demo->publisher, &ingest->failure) &&
           changes_settle(&demo->packages, demo->graph, demo_now_us(&demo->clock), publish, ingest, &ingest->failure) &&
           publisher_flush(demo->publisher, &ingest->failure);
}

static void *ingest_thread(void *context) {
    struct ingest *ingest = context;
    int64_t start_us = monotonic_us();
    bool published = publish_all(ingest);
    ingest->elapsed_us = monotonic_us() - start_us;
    (void)pthread_mutex_lock(&ingest->lock);
    ingest->failed = !published;
    ingest->ended = true;
    (void)pthread_cond_signal(&ingest->moved);
    (void)pthread_mutex_unlock(&ingest->lock);
    return NULL;
}

static void wait_for(struct ingest *ingest, size_t published) {
    (void)pthread_mutex_lock(&ingest->lock);
    while (ingest->published < published && !ingest->ended) {
        (void)pthread_cond_wait(&ingest->moved, &ingest->lock);
    }
    (void)pthread_mutex_unlock(&ingest->lock);
}

/* Swaps to the second build after a third of the events, and back after two thirds. */
static bool swap_meanwhile(struct ingest *ingest, struct swap_report reports[SWAPS], struct failure *failure) {
    const struct demo *demo = ingest->demo;
    const char *const builds[SWAPS] = {demo->options->second_path, demo->options->plugin_path};
    size_t expected = demo->packages.count + demo->packages.need_count;
    for (size_t i = 0; i < SWAPS; i++) {
        wait_for(ingest, expected * (i + 1) / (SWAPS + 1));
        if (!host_swap(demo->host, builds[i], &reports[i], failure)) {
            return false;
        }
    }
    return true;
}

static void show_swaps(struct demo *demo, const struct swap_report reports[SWAPS]) {
    struct table table = {.titles = {"build swapped", ">load", ">drain", ">shut down", ">start", ">calls paused"}};
    for (size_t i = 0; i < SWAPS; i++) {
        table_row(&table, show_text("%s > %s", show_build(reports[i].from), show_build(reports[i].to)),
                  show_duration(reports[i].load_us), show_duration(reports[i].drain_us),
                  show_duration(reports[i].shutdown_us), show_duration(reports[i].init_us),
                  show_duration(reports[i].pause_us));
    }
    page_table(&demo->page, &table);
}

static void show_input(struct demo *demo) {
    page_text(
        &demo->page,
        "Every package is a node, everything it needs is an edge. The changes are published in batches; each batch "
        "is one request and one commit on disk. Meanwhile the plugin is replaced by a second build of it and back, "
        "and a follower reads along.");
    page_figure(&demo->page, "packages installed", show_count(demo->packages.count), "%s%s",
                demo->packages.is_sample               ? "the committed sample: there is no dpkg here"
                : demo->options->packages_path != NULL ? "from "
                                                       : "from dpkg-query",
                demo->options->packages_path != NULL ? demo->options->packages_path : "");
    page_figure(&demo->page, "what they need", show_count(demo->packages.need_count), "depends, recommends");
}

static void show_result(struct demo *demo, const struct ingest *ingest, const struct swap_report swaps[SWAPS],
                        const struct follower_result *followed) {
    struct publisher_counts counts = publisher_counts(demo->publisher);
    struct graph_counts graph = graph_counts(demo->graph);
    page_figure(&demo->page, "events stored", show_count(counts.stored), "%s requests of up to %zu events, in %s",
                show_count(counts.requests), demo->batch_size, show_duration(ingest->elapsed_us));
    page_figure(&demo->page, "rate, swaps included",
                show_rate((double)counts.stored * 1e6 / (double)(ingest->elapsed_us > 0 ? ingest->elapsed_us : 1)),
                "one publisher, every commit synced to the disk");
    page_figure(&demo->page, "the graph now", show_count(graph.nodes), "nodes, and %s edges", show_count(graph.edges));
    show_swaps(demo, swaps);
    bool there_and_back = strcmp(swaps[0].from, swaps[1].to) == 0 && strcmp(swaps[0].to, swaps[1].from) == 0 &&
                          strcmp(swaps[0].from, swaps[0].to) != 0;
    (void)page_claim(&demo->page, there_and_back && host_violations(demo->host) == 0,
                     "two builds took turns; no call failed, and neither side broke a thread rule");
    (void)page_claim(&demo->page, counts.stored == counts.published && counts.owed == 0,
                     "all %s published events were stored", show_count(counts.published));
    (void)page_claim(&demo->page, followed->events == counts.stored,
                     "the follower saw each of them once, in order, across both swaps (%s polls)",
                     show_count(followed->polls));
    (void)page_claim(&demo->page, graph.refused == 0 && graph.nodes == demo->packages.count,
                     "the live graph took every change and holds each package");
}

bool chapter_ingest(struct demo *demo) {
    page_section(&demo->page, "Ingest, while the plugin is swapped");
    show_input(demo);
    struct failure failure;
    struct follower *follower = follower_start(&(struct follower_options){.host = demo->host}, &failure);
    if (follower == NULL) {
        return page_failure(&demo->page, "%s", failure.message);
    }
    struct ingest ingest = {.demo = demo, .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    struct swap_report swaps[SWAPS] = {0};
    pthread_t thread;
    bool swapped = false;
    bool started = pthread_create(&thread, NULL, ingest_thread, &ingest) == 0;
    if (started) {
        swapped = swap_meanwhile(&ingest, swaps, &failure);
        (void)pthread_join(thread, NULL);
    }
    demo->last_id = graph_counts(demo->graph).last_id;
    struct follower_result followed;
    struct failure follower_failure;
    bool has_followed = follower_finish(follower, demo->last_id, &followed, &follower_failure);
    if (!started) {
        return page_failure(&demo->page, "no thread to publish from");
    }
    if (!swapped) {
        return page_failure(&demo->page, "the swap failed: %s", failure.message);
    }
    if (ingest.failed) {
        return page_failure(&demo->page, "publishing failed: %s", ingest.failure.message);
    }
    if (!has_followed) {
        return page_failure(&demo->page, "%s", follower_failure.message);
    }
    show_result(demo, &ingest, swaps, &followed);
    return true;
}
