/* host.c: opens a store with a build, calls it through the gate, and closes it. */
#include "host/host.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/error_map.h"
#include "host/host_internal.h"
#include "host/services.h"
#include "monotonic.h"

/* Between two looks at whether calls still are inside: a long poll may have begun after the last one was ended. */
enum { INTERRUPT_INTERVAL_US = 5000 };

static const struct {
    const char *name;
    size_t slot;
} VERBS[HOST_VERB_COUNT] = {
    [HOST_STORE] = {"store", offsetof(polaris_es_table, store)},
    [HOST_QUERY] = {"query", offsetof(polaris_es_table, query)},
    [HOST_DLQ] = {"dlq", offsetof(polaris_es_table, dlq)},
    [HOST_SCHEMA] = {"schema", offsetof(polaris_es_table, schema)},
};

const char *host_verb_name(enum host_verb verb) {
    return (unsigned)verb < HOST_VERB_COUNT ? VERBS[verb].name : "unknown";
}

bool host_verb_from_name(const char *name, enum host_verb *ret_verb) {
    for (unsigned verb = 0; verb < HOST_VERB_COUNT; verb++) {
        if (strcmp(VERBS[verb].name, name) == 0) {
            *ret_verb = (enum host_verb)verb;
            return true;
        }
    }
    return false;
}

void host_log(struct host *host, int32_t level, const char *format, ...) {
    if (host->options.log == NULL) {
        return;
    }
    char line[1024];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size > 0) {
        host->options.log(host->options.context, level, line);
    }
}

/* ---- the running build ---- */

/* Says what a verb of the lifecycle answered, in the plugin's words if it had any. */
static void describe(const char *verb, const struct plugin *plugin, const struct reply *reply,
                     struct failure *failure) {
    char message[512];
    bool has_words = error_map_message(reply->data, reply->size, message, sizeof message);
    (void)failure_set(failure, "%s of '%s' (build %s) answered %s%s%s", verb, plugin->path, plugin->table->build_id,
                      status_text(reply->status), has_words ? ": " : "", has_words ? message : "");
}

static bool init_with(struct host *host, struct running *running, polaris_bytes config, struct reply *reply,
                      struct failure *failure) {
    const polaris_es_services services = services_of(&host->options);
    const polaris_sink sink = reply_sink(reply);
    reply->size = 0;
    if (host->options.unguarded) {
        reply->status = running->plugin->table->init(&services, config, &sink, &running->self);
        if (reply->status == POLARIS_ES_OK) {
            running->table = running->plugin->table;
        }
    } else {
        reply->status = guard_init(running->plugin->table, &host->watch, &services, config, &sink, &running->guard);
        if (reply->status == POLARIS_ES_OK) {
            running->table = &GUARD_TABLE;
            running->self = guard_instance(running->guard);
        }
    }
    if (reply->status != POLARIS_ES_OK) {
        describe("init", running->plugin, reply, failure);
        return false;
    }
    return true;
}

bool running_init(struct host *host, struct running *running, struct reply *reply, struct failure *failure) {
    const polaris_bytes config = {.data = host->config, .size = host->options.config_size};
    return init_with(host, running, config, reply, failure);
}

bool running_init_reader(struct host *host, struct running *running, struct failure *failure) {
    CLEANUP(reply_done) struct reply reply = {0};
    const polaris_bytes config = {.data = host->reader_config, .size = host->options.reader_config_size};
    return host->reader_config != NULL && init_with(host, running, config, &reply, failure);
}

void running_shutdown(struct host *host, struct running *running, bool for_swap) {
    static const uint8_t EMPTY_MAP[] = {0x80};
    static const uint8_t KEEP_LOG[] = "\x81\xa8keep_log\xc3";
    if (running->table == NULL) {
        return;
    }
    CLEANUP(reply_done) struct reply reply = {0};
    const polaris_sink sink = reply_sink(&reply);
    bool keep_log = for_swap && running->plugin->minor >= 1; /* 1.0 does not know the field */
    const polaris_bytes request = keep_log ? (polaris_bytes){.data = KEEP_LOG, .size = sizeof KEEP_LOG - 1}
                                           : (polaris_bytes){.data = EMPTY_MAP, .size = sizeof EMPTY_MAP};
    reply.status = running->table->shutdown(running->self, request, &sink);
    if (reply.status != POLARIS_ES_OK) {
        struct failure failure;
        describe("shutdown", running->plugin, &reply, &failure);
        host_log(host, POLARIS_ES_LOG_ERROR, "%s", failure.message);
    }
    guard_free(running->guard);
    running->guard = NULL;
    running->self = NULL;
    running->table = NULL;
}

/* ---- opening and closing ---- */

static void host_free(struct host *host) {
    if (host == NULL) {
        return;
    }
    loader_unload(host->running.plugin);
    (void)pthread_mutex_destroy(&host->swapping);
    gate_done(&host->gate);
    free(host->config);
    free(host->reader_config);
    free(host);
}

static void host_freep(struct host **host) {
    host_free(*host);
}

static void *copy_of(const void *data, size_t size) {
    void *copy = malloc(size + 1);
    return copy != NULL && size > 0 ? memcpy(copy, data, size) : copy;
}

static struct host *host_new(const struct host_options *options) {
    CLEANUP(freep) struct host *host = calloc(1, sizeof *host);
    CLEANUP(freep) void *config = copy_of(options->config, options->config_size);
    bool has_reader = options->reader_config != NULL;
    CLEANUP(freep) void *reader = has_reader ? copy_of(options->reader_config, options->reader_config_size) : NULL;
    if (host == NULL || config == NULL || (has_reader && reader == NULL) || !gate_init(&host->gate)) {
        return NULL;
    }
    if (pthread_mutex_init(&host->swapping, NULL) != 0) {
        gate_done(&host->gate);
        return NULL;
    }
    host->options = *options;
    host->options.plugin_path = NULL;
    host->options.config = NULL;
    host->options.reader_config = NULL;
    host->options.loader.sha256 = NULL; /* pins one file, not those that are swapped in */
    host->watch.log = options->log;
    host->watch.context = options->context;
    host->watch.calls = options->calls;
    host->watch.owner = host;
    host->config = config;
    host->reader_config = reader;
    config = reader = NULL; /* the host owns them now */

    struct host *made = host;
    host = NULL;
    return made;
}

bool host_load(struct host *host, const char *path, const struct loader_options *options, struct plugin **ret_plugin,
               struct failure *failure) {
    struct calls_entry call;
    calls_begin(host->options.calls, &call, "entry", path);
    bool loaded = loader_load(path, options, ret_plugin, NULL, failure);
    calls_end(host->options.calls, &call);
    return loaded;
}

bool host_open(const struct host_options *options, struct host **ret_host, struct reply *ret_reply,
               struct failure *failure) {
    CLEANUP(reply_done) struct reply reply = {.status = POLARIS_ES_INCOMPATIBLE};
    CLEANUP(host_freep) struct host *host = host_new(options);
    bool opened = false;
    if (host == NULL) {
        reply.status = POLARIS_ES_NO_MEMORY;
        (void)failure_set(failure, "cannot make a host: no memory");
    } else {
        opened = host_load(host, options->plugin_path, &options->loader, &host->running.plugin, failure) &&
                 running_init(host, &host->running, &reply, failure);
    }
    if (ret_reply != NULL) {
        *ret_reply = reply;
        reply = (struct reply){0}; /* the caller owns it now */
    }
    if (!opened) {
        return false;
    }
    atomic_store(&host->is_open, true);
    *ret_host = host;
    host = NULL; /* the caller owns it now */
    return true;
}

static void end_long_polls(struct host *host) {
    static const uint8_t INTERRUPT[] = "\x81\xa2op\xa9interrupt";
    if (host->running.table != NULL) {
        CLEANUP(reply_done) struct reply reply = {0};
        const polaris_sink sink = reply_sink(&reply);
        const polaris_bytes request = {.data = INTERRUPT, .size = sizeof INTERRUPT - 1};
        /* A build that has no long polls says so, and has none to end. */
        (void)host->running.table->query(host->running.self, request, &sink);
    }
}

bool host_drain(struct host *host, int64_t timeout_us) {
    int64_t until_us = monotonic_us() + timeout_us;
    bool drained = gate_drain(&host->gate, 0);
    while (!drained && monotonic_us() < until_us) {
        end_long_polls(host);
        drained = gate_drain(&host->gate, INTERRUPT_INTERVAL_US);
    }
    return drained;
}

void host_close(struct host *host) {
    if (host == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&host->swapping); /* a swap goes first */
    gate_close(&host->gate);
    while (!host_drain(host, INT64_C(60000000))) {
        host_log(host, POLARIS_ES_LOG_WARNING, "closing: calls are still in progress");
    }
    atomic_store(&host->is_open, false);
    running_shutdown(host, &host->running, false);
    (void)gate_open(&host->gate); /* who waited outside is answered BUSY */
    gate_close(&host->gate);
    while (!host_drain(host, INT64_C(60000000))) {
    }
    (void)gate_open(&host->gate);
    (void)pthread_mutex_unlock(&host->swapping);
    host_free(host);
}

bool host_is_open(const struct host *host) {
    return atomic_load(&host->is_open);
}

const struct plugin *host_plugin(const struct host *host) {
    return host->running.plugin;
}

uint64_t host_violations(const struct host *host) {
    return guard_violations(&host->watch);
}

/* ---- calling ---- */

static int32_t answer(struct reply *reply, int32_t status, const char *message) {
    uint8_t map[ERROR_MAP_SIZE_MAX];
    const polaris_bytes piece = {.data = map, .size = error_map_write(map, status, message)};
    const polaris_sink sink = reply_sink(reply);
    (void)sink.write(sink.context, piece);
    return status;
}

static int32_t call_inside(struct host *host, enum host_verb verb, polaris_bytes request, struct reply *reply) {
    const struct running *running = &host->running;
    if (running->table == NULL) {
        return answer(reply, POLARIS_ES_BUSY,
                      "no store is open: after a failed swap no build could be started; swap one in that can");
    }
    polaris_es_verb slot = NULL;
    memcpy(&slot, (const uint8_t *)running->table + VERBS[verb].slot, sizeof slot);
    const polaris_sink sink = reply_sink(reply);
    return slot(running->self, request, &sink);
}

int32_t host_call(struct host *host, enum host_verb verb, const void *request, size_t size, struct reply *reply) {
    reply->size = 0;
    if ((unsigned)verb >= HOST_VERB_COUNT) {
        reply->status = answer(reply, POLARIS_ES_INVALID, "there is no such verb");
    } else if (!host->options.unguarded && guard_is_calling_back(&host->watch)) {
        /* Before the gate: a swap that waits for this very call would never open it. */
        reply->status =
            answer(reply, POLARIS_ES_INVALID, "a callback must not call back into the store that called it");
    } else {
        gate_enter(&host->gate);
        reply->status = call_inside(host, verb, (polaris_bytes){.data = request, .size = size}, reply);
        gate_leave(&host->gate);
    }
    return reply->status;
}

/* Enters the gate for a slot of later minors, and says whether it may be called. */
static int32_t enter_for(struct host *host, size_t slot_offset) {
    if (!host->options.unguarded && guard_is_calling_back(&host->watch)) {
        return POLARIS_ES_INVALID;
    }
    gate_enter(&host->gate);
    if (host->running.table == NULL) {
        gate_leave(&host->gate);
        return POLARIS_ES_BUSY;
    }
    if (!plugin_has(host->running.plugin, slot_offset)) {
        gate_leave(&host->gate);
        return POLARIS_ES_UNSUPPORTED;
    }
    return POLARIS_ES_OK;
}

int32_t host_submit(struct host *host, const void *request, size_t size, const polaris_es_completion *completion,
                    uint64_t *ret_ticket) {
    int32_t status = enter_for(host, offsetof(polaris_es_table, submit));
    if (status == POLARIS_ES_OK) {
        const polaris_bytes bytes = {.data = request, .size = size};
        status = host->running.table->submit(host->running.self, bytes, completion, ret_ticket);
        gate_leave(&host->gate);
    }
    return status;
}

int32_t host_cancel(struct host *host, uint64_t ticket) {
    int32_t status = enter_for(host, offsetof(polaris_es_table, cancel));
    if (status == POLARIS_ES_OK) {
        status = host->running.table->cancel(host->running.self, ticket);
        gate_leave(&host->gate);
    }
    return status;
}
