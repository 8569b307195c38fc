/* demo.h: the main job on real input, printed as a page whose every claim is checked. */
#ifndef POLARIS_HOST_DEMO_H
#define POLARIS_HOST_DEMO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "demo/index.h"
#include "demo/packages.h"
#include "demo/page.h"
#include "failure.h"
#include "graph/graph.h"
#include "graph/publisher.h"
#include "host/host.h"

struct demo_options {
    const char *plugin_path;
    const char *second_path;   /* the build that is swapped in */
    const char *program_path;  /* what the child process runs */
    const char *db_path;       /* a file that does not exist yet */
    const char *packages_path; /* NULL: this machine's */
    const json_t *config;      /* laid over the demo's own; NULL: nothing */
    struct loader_options loader;
};

/* Runs all chapters and prints the page. *ret_holds: every claim holds. False: it could not even begin. */
bool demo_run(const struct demo_options *options, bool *ret_holds, struct failure *failure)
    __attribute__((warn_unused_result));

/* The child process: appends until it is killed, and prints "ID KEY" for each event that was acknowledged. Returns only
 * when something fails. */
void demo_child(const struct demo_options *options, struct failure *failure);

/* ---- for the chapters -------------------------------------------------------------------------------------------- */

/* Time as the store sees it: the system's, and what the demo lets pass without waiting for it. */
struct demo_clock {
    _Atomic int64_t ahead_us;
};
int64_t demo_now_us(void *clock);

struct demo {
    const struct demo_options *options;
    struct page page;
    struct demo_clock clock;
    struct packages packages;
    struct host *host;
    struct publisher *publisher;
    struct graph *graph; /* the live one, a subscriber of the publisher */
    struct search_index index;
    size_t batch_size;
    int64_t last_id; /* of the store, as far as the live graph has seen it */
};

bool demo_open_host(const struct demo_options *options, struct demo_clock *clock, const char *owner,
                    struct host **ret_host, struct failure *failure) __attribute__((warn_unused_result));

/* A call that must succeed: otherwise it is told on the page. NULL, or a new reference. */
json_t *demo_call(struct demo *demo, enum host_verb verb, json_t *request) __attribute__((warn_unused_result));

/* The chapters. False: the next ones cannot follow; the page says why. */
bool chapter_ingest(struct demo *demo) __attribute__((warn_unused_result));
bool chapter_letters(struct demo *demo) __attribute__((warn_unused_result));
bool chapter_kill(struct demo *demo) __attribute__((warn_unused_result));
bool chapter_queries(struct demo *demo) __attribute__((warn_unused_result));
bool chapter_schema(struct demo *demo) __attribute__((warn_unused_result));
bool chapter_replay(struct demo *demo) __attribute__((warn_unused_result));

#endif
