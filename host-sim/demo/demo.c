/* demo.c: the order of the chapters, and what they share. */
#include "demo/demo.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "graph/request.h"
#include "message/message.h"
#include "monotonic.h"
#include "owned.h"

/* Requests in the ingest, so that there is something to swap builds under even on a small machine. */
enum { REQUESTS_WANTED = 60, BATCH_SIZE_MAX = 100, BATCH_SIZE_MIN = 4 };

/* The first retry is a minute after the failure: later than the ingest takes on any machine. */
static const int64_t RETRY_BASE_US = INT64_C(60000000);

int64_t demo_now_us(void *clock) {
    struct demo_clock *self = clock;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + atomic_load(&self->ahead_us);
}

/* Warnings and errors of the plugin; the rest would disturb the page. */
static void log_line(void *context, int32_t level, const char *line) {
    (void)context;
    if (level >= POLARIS_ES_LOG_WARNING) {
        (void)fprintf(stderr, "plugin: %s\n", line);
    }
}

bool demo_open_host(const struct demo_options *options, struct demo_clock *clock, const char *owner,
                    struct host **ret_host, struct failure *failure) {
    json_auto_t *config = json_pack("{s: s, s: s, s: I, s: i}", "path", options->db_path, "owner", owner,
                                    "retry_base_us", (json_int_t)RETRY_BASE_US, "retry_attempts_max", 3);
    if (config == NULL ||
        (options->config != NULL && json_object_update(config, (json_t *)(uintptr_t)options->config) != 0)) {
        return failure_set(failure, "no memory for the configuration");
    }
    struct host_options host_options = {
        .plugin_path = options->plugin_path,
        .loader = options->loader,
        .log = log_line,
        .now_us = demo_now_us,
        .context = clock,
    };
    return message_open(config, &host_options, ret_host, NULL, failure);
}

json_t *demo_call(struct demo *demo, enum host_verb verb, json_t *request) {
    json_t *reply = NULL;
    struct failure failure;
    if (request_call(demo->host, verb, request, &reply, &failure) != POLARIS_ES_OK) {
        (void)page_failure(&demo->page, "%s", failure.message);
        return NULL;
    }
    return reply;
}

/* The live graph: as a subscriber it sees every event that is stored. */
static bool deliver_to_graph(void *context, const json_t *event, struct delivery_error *ret_error) {
    if (graph_apply(context, event) == GRAPH_NO_MEMORY) {
        (void)snprintf(ret_error->message, sizeof ret_error->message, "no memory for the graph");
        return false;
    }
    return true;
}

static bool prepare(struct demo *demo, struct failure *failure) {
    if (!packages_read(demo->options->packages_path, &demo->packages, failure)) {
        return false;
    }
    if (demo->packages.count == 0) {
        return failure_set(failure, "there are no installed packages in '%s'", demo->options->packages_path);
    }
    size_t wanted = (demo->packages.count + demo->packages.need_count) / REQUESTS_WANTED;
    demo->batch_size = wanted > BATCH_SIZE_MAX ? BATCH_SIZE_MAX : wanted < BATCH_SIZE_MIN ? BATCH_SIZE_MIN : wanted;
    search_index_init(&demo->index, &demo->packages);
    if (!demo_open_host(demo->options, &demo->clock, "polaris demo", &demo->host, failure)) {
        return false;
    }
    demo->graph = graph_new();
    struct publisher_options options = {
        .host = demo->host, .batch_size = demo->batch_size, .now_us = demo_now_us, .context = &demo->clock};
    demo->publisher = publisher_new(&options);
    if (demo->graph == NULL || demo->publisher == NULL) {
        return failure_set(failure, "no memory for the graph and its publisher");
    }
    struct subscriber graph = {.name = "graph", .deliver = deliver_to_graph, .context = demo->graph};
    struct subscriber search = {.name = "search-index", .deliver = search_index_deliver, .context = &demo->index};
    return publisher_subscribe(demo->publisher, &graph, failure) &&
           publisher_subscribe(demo->publisher, &search, failure);
}

static void demo_done(struct demo *demo) {
    publisher_free(demo->publisher);
    host_close(demo->host);
    graph_free(demo->graph);
    search_index_done(&demo->index);
    packages_done(&demo->packages);
}

static void conclude(struct page *page, int64_t elapsed_us) {
    (void)fputc('\n', page->out);
    if (page->broken == 0) {
        (void)page_claim(page, true, "All %u claims above were checked and hold. It took %s.", page->claims,
                         show_duration(elapsed_us));
    } else {
        (void)page_claim(page, false, "%u of %u claims do not hold.", page->broken, page->claims);
    }
    (void)fputc('\n', page->out);
}

bool demo_run(const struct demo_options *options, bool *ret_holds, struct failure *failure) {
    int64_t start_us = monotonic_us();
    CLEANUP(demo_done) struct demo demo = {.options = options};
    if (!prepare(&demo, failure)) {
        return false;
    }
    page_start(&demo.page, stdout);
    page_title(&demo.page, "Polaris event store: the packages of this machine as a graph",
               show_text("store %s", options->db_path));
    bool (*const chapters[])(struct demo *) = {chapter_ingest,  chapter_letters, chapter_kill,
                                               chapter_queries, chapter_schema,  chapter_replay};
    for (size_t i = 0; i < sizeof chapters / sizeof chapters[0] && chapters[i](&demo); i++) {
    }
    conclude(&demo.page, monotonic_us() - start_us);
    *ret_holds = demo.page.broken == 0;
    return true;
}
