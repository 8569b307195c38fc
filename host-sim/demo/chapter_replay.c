/* chapter_replay.c: the graph is made anew from the store alone, and is the same. */
#include <string.h>

#include "cleanup.h"
#include "demo/demo.h"
#include "graph/replay.h"

bool chapter_replay(struct demo *demo) {
    page_section(&demo->page, "The graph comes back by replay");
    struct failure failure;
    struct replay_result result;
    CLEANUP(graph_freep) struct graph *rebuilt = graph_new();
    if (rebuilt == NULL || !replay_graph(demo->host, NULL, rebuilt, &result, &failure)) {
        return page_failure(&demo->page, "%s", rebuilt != NULL ? failure.message : "no memory for a second graph");
    }
    char live_digest[GRAPH_DIGEST_SIZE], digest[GRAPH_DIGEST_SIZE];
    if (!graph_digest(demo->graph, live_digest) || !graph_digest(rebuilt, digest)) {
        return page_failure(&demo->page, "no memory for the digest of a graph");
    }
    struct graph_counts live = graph_counts(demo->graph);
    struct graph_counts counts = graph_counts(rebuilt);
    page_figure(&demo->page, "events read, oldest first", show_count(result.events), "%s pages, in %s: %s",
                show_count(result.pages), show_duration(result.elapsed_us),
                show_rate((double)result.events * 1e6 / (double)(result.elapsed_us > 0 ? result.elapsed_us : 1)));
    page_figure(&demo->page, "the live graph", show_count(live.nodes), "nodes, %6s edges  %.32s",
                show_count(live.edges), live_digest);
    page_figure(&demo->page, "the graph made anew", show_count(counts.nodes), "nodes, %6s edges  %.32s",
                show_count(counts.edges), digest);
    (void)page_claim(&demo->page, result.damaged == 0 && counts.refused == 0 && counts.applied == live.applied,
                     "every event applies again");
    (void)page_claim(&demo->page, strcmp(live_digest, digest) == 0 && counts.nodes > 0,
                     "both graphs are the same to the last property (SHA-256)");
    return true;
}
