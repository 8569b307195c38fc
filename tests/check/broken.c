/* broken.c: the real plugin with one fault, which FAULT names: each is compiled into a shared object of its own.
 *
 * The entry of the plugin is linked in under another name; what is in front of it here passes everything on but what
 * the fault is about. A fault keeps to one place (an op, a size, every hundredth call), so that the check that is meant
 * for it finds it, and hardly another one. */
#include <polaris/event_store.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fault {
    IGNORES_A_TAIL = 1,      /* of a hello */
    WRITES_PAST_THE_WELCOME, /* of an old host */
    SHARES_THE_FILE,         /* with a second writer */
    CALLS_AFTER_SHUTDOWN     /* the log */
};
#define HAS(fault) (FAULT == (fault))

int32_t real_entry(const polaris_es_hello *in, polaris_es_welcome *out);

static const polaris_es_table *real; /* set when this object is loaded, and its table with it */
static polaris_es_table table;

/* ---- replies that are held back ---- */

struct captured {
    uint8_t data[65536];
    size_t size;
};

static int32_t take(void *context, polaris_bytes piece) {
    struct captured *captured = context;
    if (piece.size > sizeof captured->data - captured->size) {
        return 1;
    }
    memcpy(captured->data + captured->size, piece.data, piece.size);
    captured->size += piece.size;
    return 0;
}

static polaris_sink capture(struct captured *captured) {
    captured->size = 0;
    return (polaris_sink){.size = sizeof(polaris_sink), .context = captured, .write = take};
}

static int32_t pass_on(const struct captured *captured, int32_t status, const polaris_sink *reply) {
    int32_t refused =
        captured->size > 0 ? reply->write(reply->context, (polaris_bytes){captured->data, captured->size}) : 0;
    return refused == 0 || status != POLARIS_ES_OK ? status : POLARIS_ES_REPLY_LOST;
}

/* ---- init ---- */

static polaris_es_services services; /* of the last init */

/* The same configuration, for reading. */
static int32_t init_reader(polaris_bytes config, const polaris_sink *reply, polaris_es **ret_self) {
    static const char MODE[] = "\xa4mode\xa4read";
    uint8_t *changed = malloc(config.size + sizeof MODE);
    memcpy(changed, config.data, config.size);
    memcpy(changed + config.size, MODE, sizeof MODE - 1);
    changed[0]++; /* a map of one entry more */
    int32_t status = real->init(&services, (polaris_bytes){changed, config.size + sizeof MODE - 1}, reply, ret_self);
    free(changed);
    return status;
}

static int32_t broken_init(const polaris_es_services *host, polaris_bytes config, const polaris_sink *reply,
                           polaris_es **ret_self) {
    if (host != NULL && host->size >= sizeof services) {
        services = *host;
    }
    if (HAS(SHARES_THE_FILE) && reply != NULL && ret_self != NULL) {
        struct captured captured;
        const polaris_sink sink = capture(&captured);
        int32_t status = real->init(host, config, &sink, ret_self);
        return status == POLARIS_ES_BUSY ? init_reader(config, reply, ret_self) : pass_on(&captured, status, reply);
    }
    return real->init(host, config, reply, ret_self);
}

/* ---- shutdown ---- */

static void *call_late(void *context) {
    (void)context;
    (void)usleep(20000);
    if (services.log != NULL) {
        services.log(services.context, POLARIS_ES_LOG_INFO, (polaris_bytes){(const uint8_t *)"closed", 6});
    }
    return NULL;
}

static int32_t broken_shutdown(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    int32_t status = real->shutdown(self, request, reply);
    pthread_t thread;
    if (HAS(CALLS_AFTER_SHUTDOWN) && pthread_create(&thread, NULL, call_late, NULL) == 0) {
        (void)pthread_detach(thread);
    }
    return status;
}

/* ---- the entry ---- */

__attribute__((constructor)) static void make_table(void) {
    const polaris_es_hello in = {.size = sizeof in, .major_min = 1, .major_max = 1, .minor = POLARIS_ES_ABI_MINOR};
    polaris_es_welcome out = {.size = sizeof out};
    if (real_entry(&in, &out) != POLARIS_ES_OK) {
        return;
    }
    real = out.table;
    table = *real;
    table.init = broken_init;
    table.shutdown = broken_shutdown;
}

__attribute__((visibility("default"))) int32_t polaris_event_store_entry(const polaris_es_hello *in,
                                                                         polaris_es_welcome *out) {
    polaris_es_hello known;
    if (HAS(IGNORES_A_TAIL) && in != NULL && in->size > sizeof *in && in->size <= 4096) {
        known = *in;
        known.size = sizeof known;
        in = &known;
    }
    int32_t status = real_entry(in, out);
    if (status == POLARIS_ES_OK) {
        out->table = &table;
    }
    if (HAS(WRITES_PAST_THE_WELCOME) && status == POLARIS_ES_OK && in->minor == 0 && out->size == sizeof *out) {
        ((volatile uint8_t *)out)[out->size] = 0;
    }
    return status;
}
