/* broken.c: the real plugin with one fault, which FAULT names: each is compiled into a shared object of its own.
 *
 * The entry of the plugin is linked in under another name; what is in front of it here passes everything on but what
 * the fault is about. A fault keeps to one place (an op, a size, every hundredth call), so that the check that is meant
 * for it finds it, and hardly another one. */
#include <fcntl.h>
#include <polaris/event_store.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/captured.h"

enum fault {
    CRASHES_WHEN_LOADED = 1, /* in a constructor */
    LACKS_A_SLOT,            /* dlq */
    IGNORES_A_TAIL,          /* of a hello */
    WRITES_PAST_THE_WELCOME, /* of an old host */
    BIT_WITHOUT_SLOT,        /* CAN_SUBMIT, and submit is NULL */
    READS_PAST_THE_SERVICES, /* that init was given */
    SHARES_THE_FILE,         /* with a second writer */
    CALLS_AFTER_SHUTDOWN,    /* the log */
    STAYS_OPEN,              /* when shutdown has no sink */
    REUSES_AN_ID,            /* after the store was opened again */
    KEEPS_THE_REQUEST,       /* of store, and reads it in the next call */
    WRITES_TO_THE_REQUEST,   /* of query */
    KEEPS_THE_SUBMITTED,     /* request, and does not copy it */
    REPLIES_TWICE,           /* to query head */
    REPLIES_LATE,            /* to query tags: a piece comes after the verb has returned */
    REPLIES_FROM_A_THREAD,   /* to query streams */
    REPLIES_NO_MAP,          /* to query batches: an array with the map in it */
    GOES_ON_AFTER_A_REFUSAL, /* of the sink of dlq */
    TAKES_ANY_OP,            /* of schema */
    TAKES_ANY_FIELD,         /* of query */
    SAYS_RETRYABLE,          /* of a NOT_FOUND of query */
    SAYS_ANOTHER_STATUS,     /* in the error map than it returns, of schema NOT_FOUND */
    CRASHES_ON_A_CLAIM,      /* of a map with billions of entries */
    FORGETS_AN_EVENT,        /* each hundredth */
    ACKNOWLEDGES_EARLY,      /* up to five appends, which it stores together */
    HANGS,                   /* in query interrupt, when somebody waits */
    SUBMIT_WAITS,            /* until the request has ended */
    TELLS_TWICE,             /* how each hundredth submitted request ended */
    CANCELS_NOTHING,         /* and says that it did */
    LOSES_THE_LOG,           /* which shutdown was to keep */
    LEAKS_A_THREAD,          /* for each init */
    LEAKS_A_DESCRIPTOR,      /* for each init */
    LEAKS_MEMORY,            /* for each init */
    STAYS_MAPPED             /* whatever dlclose says */
};
#define HAS(fault) (FAULT == (fault))

int32_t real_entry(const polaris_es_hello *in, polaris_es_welcome *out);

static const polaris_es_table *real; /* set when this object is loaded, and its table with it */
static polaris_es_table table;
static polaris_es_services services; /* of the last init */

static polaris_bytes bytes_of(const void *data, size_t size) {
    return (polaris_bytes){.data = data, .size = size};
}

static bool contains(polaris_bytes bytes, const char *text) {
    return bytes.data != NULL && memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

static uint8_t *find(uint8_t *data, size_t size, const char *text) {
    return memmem(data, size, text, strlen(text));
}

/* ---- replies that are held back ---- */

static int32_t send(const polaris_sink *reply, int32_t status, const void *data, size_t size) {
    int32_t refused = size > 0 ? reply->write(reply->context, bytes_of(data, size)) : 0;
    return refused == 0 || status != POLARIS_ES_OK ? status : POLARIS_ES_REPLY_LOST;
}

static int32_t pass_on(const struct captured *captured, int32_t status, const polaris_sink *reply) {
    return send(reply, status, captured->data, captured->size);
}

/* A sink that the real plugin would take. */
static bool is_sink(const polaris_sink *reply) {
    return reply != NULL && reply->size == sizeof *reply && reply->reserved == 0 && reply->write != NULL;
}

/* ---- init ---- */

/* The same configuration, for reading. */
static int32_t init_reader(polaris_bytes config, const polaris_sink *reply, polaris_es **ret_self) {
    static const char MODE[] = "\xa4mode\xa4read";
    uint8_t *changed = malloc(config.size + sizeof MODE);
    memcpy(changed, config.data, config.size);
    memcpy(changed + config.size, MODE, sizeof MODE - 1);
    changed[0]++; /* a map of one entry more */
    int32_t status = real->init(&services, bytes_of(changed, config.size + sizeof MODE - 1), reply, ret_self);
    free(changed);
    return status;
}

static void *sleep_on(void *context) {
    (void)context;
    for (;;) {
        (void)pause();
    }
    return NULL;
}

static void *volatile lost; /* the compiler must not see that nobody wants it */

static void leak(void) {
    pthread_t thread;
    if (HAS(LEAKS_A_THREAD) && pthread_create(&thread, NULL, sleep_on, NULL) == 0) {
        (void)pthread_detach(thread);
    } else if (HAS(LEAKS_A_DESCRIPTOR)) {
        (void)open("/dev/null", O_RDONLY | O_CLOEXEC);
    } else if (HAS(LEAKS_MEMORY)) {
        lost = malloc(100);
    }
}

static bool reopened; /* the file was there */

static int32_t broken_init(const polaris_es_services *host, polaris_bytes config, const polaris_sink *reply,
                           polaris_es **ret_self) {
    leak();
    if (host != NULL && host->size >= sizeof services) {
        services = *host;
    }
    if (HAS(READS_PAST_THE_SERVICES) && host != NULL && host->size == sizeof *host) {
        (void)*(const volatile uint8_t *)(host + 1);
    }
    if ((!HAS(SHARES_THE_FILE) && !HAS(REUSES_AN_ID)) || !is_sink(reply) || ret_self == NULL) {
        return real->init(host, config, reply, ret_self);
    }
    struct captured captured;
    const polaris_sink sink = capture(&captured);
    int32_t status = real->init(host, config, &sink, ret_self);
    reopened = find(captured.data, captured.size,
                    "\xa7"
                    "created\xc2") != NULL;
    return HAS(SHARES_THE_FILE) && status == POLARIS_ES_BUSY ? init_reader(config, reply, ret_self)
                                                             : pass_on(&captured, status, reply);
}

/* ---- appends that are acknowledged, and are not there, or not yet ---- */

static struct {
    pthread_mutex_t lock;
    uint8_t requests[5][4096];
    size_t sizes[5];
    size_t count;
    int64_t appended;
    int64_t last_id;
} early = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_plain_append(polaris_bytes request) {
    return contains(request, "\xa2op\xa6"
                             "append\xa5"
                             "event\x82") &&
           request.size <= sizeof early.requests[0];
}

static void flush(polaris_es *self) {
    for (size_t i = 0; i < early.count; i++) {
        struct captured captured;
        const polaris_sink sink = capture(&captured);
        (void)real->store(self, bytes_of(early.requests[i], early.sizes[i]), &sink);
    }
    early.count = 0;
}

/* The last id of the store, which must have less than 65,536 events. */
static int64_t ask_last_id(polaris_es *self) {
    struct captured captured;
    const polaris_sink sink = capture(&captured);
    (void)real->query(self, bytes_of("\x81\xa2op\xa4head", 9), &sink);
    const uint8_t *value = find(captured.data, captured.size, "\xa7last_id");
    return value == NULL ? 0 : value[8] < 0x80 ? value[8] : value[8] == 0xcc ? value[9] : value[9] << 8 | value[10];
}

/* {"ids": [id], "versions": [null], "duplicates": 0, "recorded_at": the host's time, "last_id": id} */
static int32_t acknowledge(int64_t id, const polaris_sink *reply) {
    static const char BEFORE[] = "\x85\xa3ids\x91\xcd??\xa8versions\x91\xc0\xaa"
                                 "duplicates\x00\xab"
                                 "recorded_at\xcf????????"
                                 "\xa7last_id\xcd??";
    uint8_t map[sizeof BEFORE - 1];
    memcpy(map, BEFORE, sizeof map);
    int64_t now_us = services.now_us != NULL ? services.now_us(services.context) : 1;
    uint8_t *time = find(map, sizeof map, "recorded_at") + 12;
    for (int i = 0; i < 8; i++) {
        time[i] = (uint8_t)((uint64_t)now_us >> (56 - 8 * i));
    }
    map[7] = map[sizeof map - 2] = (uint8_t)(id >> 8);
    map[8] = map[sizeof map - 1] = (uint8_t)id;
    return send(reply, POLARIS_ES_OK, map, sizeof map);
}

static int32_t store_later(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)pthread_mutex_lock(&early.lock);
    bool plain = is_plain_append(request) && is_sink(reply);
    int64_t id = 0;
    if (plain) {
        id = early.count == 0 ? ask_last_id(self) + 1 : early.last_id + 1;
        early.last_id = id;
        memcpy(early.requests[early.count], request.data, request.size);
        early.sizes[early.count++] = request.size;
    }
    if (!plain || early.count == 5) {
        flush(self);
    }
    (void)pthread_mutex_unlock(&early.lock);
    return plain ? acknowledge(id, reply) : real->store(self, request, reply);
}

static int32_t store_not(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)pthread_mutex_lock(&early.lock);
    bool forgotten = is_plain_append(request) && is_sink(reply) && ++early.appended % 100 == 0;
    int64_t id = forgotten ? ask_last_id(self) + 1 : 0;
    (void)pthread_mutex_unlock(&early.lock);
    return forgotten ? acknowledge(id, reply) : real->store(self, request, reply);
}

/* ---- the verbs ---- */

static int32_t broken_store(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    static const volatile uint8_t *kept;
    if (self == NULL) {
        return real->store(self, request, reply);
    }
    if (HAS(KEEPS_THE_REQUEST)) {
        (void)(kept != NULL ? *kept : 0);
        kept = request.size > 50 ? request.data : NULL;
    }
    if (HAS(ACKNOWLEDGES_EARLY)) {
        return store_later(self, request, reply);
    }
    if (HAS(FORGETS_AN_EVENT)) {
        return store_not(self, request, reply);
    }
    if (HAS(REUSES_AN_ID) && reopened && is_sink(reply)) {
        struct captured captured;
        const polaris_sink sink = capture(&captured);
        int32_t status = real->store(self, request, &sink);
        uint8_t *ids = find(captured.data, captured.size, "\xa3ids\x91");
        if (ids != NULL && ids[5] > 1 && ids[5] < 0x80) {
            ids[5]--;
        }
        return pass_on(&captured, status, reply);
    }
    return real->store(self, request, reply);
}

struct call {
    polaris_es *self;
    polaris_bytes request;
    polaris_sink reply;
    int32_t status;
};

static void *query_here(void *context) {
    struct call *call = context;
    call->status = real->query(call->self, call->request, &call->reply);
    return NULL;
}

static void *reply_late(void *context) {
    struct call *call = context;
    (void)usleep(20000);
    (void)call->reply.write(call->reply.context, bytes_of("\x80", 1));
    free(call);
    return NULL;
}

static int32_t query_in_a_thread(struct call call) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, query_here, &call) == 0) {
        (void)pthread_join(thread, NULL);
    }
    return call.status;
}

static int32_t query_and_reply_late(struct call call) {
    struct call *copy = malloc(sizeof *copy);
    pthread_t thread;
    (void)query_here(&call);
    *copy = call;
    if (pthread_create(&thread, NULL, reply_late, copy) == 0) {
        (void)pthread_detach(thread);
    }
    return call.status;
}

/* What the fault makes of a reply to query. */
static int32_t spoil_query(struct captured *captured, int32_t status, polaris_bytes request,
                           const polaris_sink *reply) {
    if (HAS(REPLIES_TWICE) && contains(request, "\xa2op\xa4head")) {
        (void)pass_on(captured, status, reply);
    }
    if (HAS(REPLIES_NO_MAP) &&
        contains(request, "\xa2op\xa7"
                          "batches") &&
        status == POLARIS_ES_OK) {
        memmove(captured->data + 1, captured->data, captured->size++);
        captured->data[0] = 0x91;
    }
    if (HAS(TAKES_ANY_FIELD) && status == POLARIS_ES_INVALID &&
        contains(request, "\xa7"
                          "filters")) {
        return send(reply, POLARIS_ES_OK, "\x80", 1);
    }
    uint8_t *retryable = find(captured->data, captured->size, "\xa9retryable");
    if (HAS(SAYS_RETRYABLE) && status == POLARIS_ES_NOT_FOUND && retryable != NULL) {
        retryable[10] = 0xc3;
    }
    return pass_on(captured, status, reply);
}

static int32_t broken_query(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    const struct call call = {self, request, is_sink(reply) ? *reply : (polaris_sink){0}, POLARIS_ES_INTERNAL};
    if (self == NULL || !is_sink(reply)) {
        return real->query(self, request, reply);
    }
    if (HAS(ACKNOWLEDGES_EARLY)) {
        (void)pthread_mutex_lock(&early.lock);
        flush(self);
        (void)pthread_mutex_unlock(&early.lock);
    } else if (HAS(WRITES_TO_THE_REQUEST) && request.data != NULL) {
        volatile uint8_t *data = (volatile uint8_t *)(uintptr_t)request.data;
        *data = *data;
    } else if (HAS(REPLIES_FROM_A_THREAD) && contains(request, "\xa2op\xa7streams")) {
        return query_in_a_thread(call);
    } else if (HAS(REPLIES_LATE) && contains(request, "\xa2op\xa4tags")) {
        return query_and_reply_late(call);
    } else if (HAS(CRASHES_ON_A_CLAIM) && request.data != NULL && request.data[0] == 0xdf) {
        abort();
    } else if (HAS(HANGS) && contains(request, "\xa2op\xa9interrupt")) {
        (void)sleep_on(NULL);
    } else if (HAS(REPLIES_TWICE) || HAS(REPLIES_NO_MAP) || HAS(TAKES_ANY_FIELD) || HAS(SAYS_RETRYABLE)) {
        if (!HAS(TAKES_ANY_FIELD) && contains(request, "\xa2op\xa6"
                                                       "events")) { /* pages may be longer than there is room */
            return real->query(self, request, reply);
        }
        struct captured captured;
        const polaris_sink sink = capture(&captured);
        int32_t status = real->query(self, request, &sink);
        return spoil_query(&captured, status, request, reply);
    }
    return real->query(self, request, reply);
}

static int32_t broken_dlq(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    if (!HAS(GOES_ON_AFTER_A_REFUSAL) || self == NULL || !is_sink(reply)) {
        return real->dlq(self, request, reply);
    }
    struct captured captured;
    const polaris_sink sink = capture(&captured);
    int32_t status = real->dlq(self, request, &sink);
    int32_t sent = send(reply, status, captured.data, 1);
    int32_t rest = send(reply, status, captured.data + 1, captured.size - 1);
    return sent == POLARIS_ES_OK ? rest : sent;
}

static int32_t broken_schema(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    if ((!HAS(TAKES_ANY_OP) && !HAS(SAYS_ANOTHER_STATUS)) || self == NULL || !is_sink(reply)) {
        return real->schema(self, request, reply);
    }
    struct captured captured;
    const polaris_sink sink = capture(&captured);
    int32_t status = real->schema(self, request, &sink);
    if (HAS(TAKES_ANY_OP) && status == POLARIS_ES_UNSUPPORTED && contains(request, "no.such.op")) {
        return send(reply, POLARIS_ES_OK, "\x80", 1);
    }
    uint8_t *code = find(captured.data, captured.size,
                         "\xa4"
                         "code");
    if (HAS(SAYS_ANOTHER_STATUS) && status == POLARIS_ES_NOT_FOUND && code != NULL) {
        code[5] = POLARIS_ES_IO;
    }
    return pass_on(&captured, status, reply);
}

/* ---- submit ---- */

struct relay {
    polaris_es_completion host;
    sem_t ended;
    unsigned number;
};

static void told(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct relay *relay = context;
    relay->host.done(relay->host.context, ticket, status, reply);
    if (HAS(TELLS_TWICE) && relay->number % 100 == 0) {
        relay->host.done(relay->host.context, ticket, status, reply);
    }
    if (HAS(SUBMIT_WAITS)) {
        (void)sem_post(&relay->ended); /* who waits frees it */
    } else {
        free(relay);
    }
}

/* submit, with `told` between. */
static int32_t submit_relayed(polaris_es *self, polaris_bytes request, const polaris_es_completion *host,
                              uint64_t *ret_ticket) {
    static _Atomic unsigned count;
    struct relay *relay = calloc(1, sizeof *relay);
    relay->host = *host;
    relay->number = atomic_fetch_add(&count, 1) + 1;
    (void)sem_init(&relay->ended, 0, 0);
    const polaris_es_completion completion = {.size = sizeof completion, .context = relay, .done = told};
    int32_t status = real->submit(self, request, &completion, ret_ticket);
    if (status == POLARIS_ES_OK && HAS(SUBMIT_WAITS)) {
        (void)sem_wait(&relay->ended);
    }
    if (status != POLARIS_ES_OK || HAS(SUBMIT_WAITS)) {
        free(relay);
    }
    return status;
}

struct late {
    polaris_es *self;
    polaris_bytes request;
    polaris_es_completion completion;
    uint64_t ticket;
};
static pthread_t late_thread;
static bool late_runs;

/* Stores what was submitted, from where it lay. */
static void *submit_late(void *context) {
    struct late *late = context;
    struct captured captured;
    const polaris_sink sink = capture(&captured);
    int32_t status = real->store(late->self, late->request, &sink);
    late->completion.done(late->completion.context, late->ticket, status, bytes_of(captured.data, captured.size));
    free(late);
    return NULL;
}

static void wait_for_late(void) {
    if (late_runs) {
        (void)pthread_join(late_thread, NULL);
        late_runs = false;
    }
}

static int32_t broken_submit(polaris_es *self, polaris_bytes request, const polaris_es_completion *completion,
                             uint64_t *ret_ticket) {
    static uint64_t tickets;
    bool good = self != NULL && completion != NULL && completion->size == sizeof *completion &&
                completion->reserved == 0 && completion->done != NULL && request.data != NULL;
    if (good && (HAS(TELLS_TWICE) || HAS(SUBMIT_WAITS))) {
        return submit_relayed(self, request, completion, ret_ticket);
    }
    if (good && HAS(KEEPS_THE_SUBMITTED)) {
        wait_for_late();
        struct late *late = malloc(sizeof *late);
        *late = (struct late){self, request, *completion, ++tickets};
        late_runs = pthread_create(&late_thread, NULL, submit_late, late) == 0;
        if (ret_ticket != NULL) {
            *ret_ticket = tickets;
        }
        return POLARIS_ES_OK;
    }
    return real->submit(self, request, completion, ret_ticket);
}

static int32_t broken_cancel(polaris_es *self, uint64_t ticket) {
    return HAS(CANCELS_NOTHING) && self != NULL && ticket < 1000 ? POLARIS_ES_OK : real->cancel(self, ticket);
}

/* ---- shutdown ---- */

static void *call_late(void *context) {
    (void)context;
    (void)usleep(20000);
    if (services.log != NULL) {
        services.log(services.context, POLARIS_ES_LOG_INFO, bytes_of("closed", 6));
    }
    return NULL;
}

static int32_t broken_shutdown(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    pthread_t thread;
    wait_for_late();
    if (HAS(STAYS_OPEN) && self != NULL && reply == NULL) {
        return POLARIS_ES_OK;
    }
    if (HAS(ACKNOWLEDGES_EARLY) && self != NULL) {
        flush(self);
    }
    if (HAS(LOSES_THE_LOG) && contains(request, "keep_log\xc3")) {
        request = bytes_of("\x80", 1);
    }
    int32_t status = real->shutdown(self, request, reply);
    if (HAS(CALLS_AFTER_SHUTDOWN) && pthread_create(&thread, NULL, call_late, NULL) == 0) {
        (void)pthread_detach(thread);
    }
    return status;
}

/* ---- the entry ---- */

static const polaris_es_table BROKEN = {
    .init = broken_init,
    .store = broken_store,
    .query = broken_query,
    .dlq = HAS(LACKS_A_SLOT) ? NULL : broken_dlq,
    .schema = broken_schema,
    .shutdown = broken_shutdown,
    .submit = HAS(BIT_WITHOUT_SLOT) ? NULL : broken_submit,
    .cancel = broken_cancel,
};

__attribute__((constructor)) static void make_table(void) {
    const polaris_es_hello in = {.size = sizeof in, .major_min = 1, .major_max = 1, .minor = POLARIS_ES_ABI_MINOR};
    polaris_es_welcome out = {.size = sizeof out};
    if (real_entry(&in, &out) != POLARIS_ES_OK) {
        return;
    }
    if (HAS(CRASHES_WHEN_LOADED)) {
        abort();
    }
    real = out.table;
    table = *real;
    memcpy((uint8_t *)&table + offsetof(polaris_es_table, init), &BROKEN.init,
           sizeof table - offsetof(polaris_es_table, init));
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
