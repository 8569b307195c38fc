/* fixture.c: a plugin that is as wrong as the environment asks for; without any of it, a right one.
 *
 * FIXTURE_MAJOR_MIN, FIXTURE_MAJOR_MAX  the majors that it speaks
 * FIXTURE_PICK        the major that it says it picked, whatever was offered
 * FIXTURE_ABI_MAJOR   the major in its table
 * FIXTURE_HELLO       "hangs": the entry never returns
 * FIXTURE_STATUS      what the entry returns, whatever was said
 * FIXTURE_TABLE       "none": it says OK and gives no table
 * FIXTURE_TABLE_SIZE  the size that its table states
 * FIXTURE_NULL        the offset of a slot or name of the table that is NULL
 * FIXTURE_INIT        what init returns; "hangs": it never does
 * FIXTURE_BLOCK       "yes": query calls the host's clock until it returns 0
 * FIXTURE_STORE       "hangs": store never returns; "forgets": submit takes requests and never tells their end */
#include <polaris/event_store.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef FIXTURE_BUILD_ID
#define FIXTURE_BUILD_ID "fixture"
#endif
#ifndef FIXTURE_FORMAT
#define FIXTURE_FORMAT 0
#endif

#ifdef FIXTURE_MISSING
void fixture_that_nobody_has(void);
#endif

/* Larger than any revision's, so that every size that it may state can be read. */
static union {
    polaris_es_table table;
    unsigned char bytes[4096];
} shown;

static polaris_es_services kept;

static long setting(const char *name, long otherwise) {
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): tests set it before they load */
    return text == NULL ? otherwise : strtol(text, NULL, 0);
}

static bool says(const char *name, const char *word) {
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): tests set it before they load */
    return text != NULL && strcmp(text, word) == 0;
}

static int32_t answer(const polaris_sink *reply, int32_t status) {
    static const uint8_t EMPTY[] = {0x80};
    const polaris_bytes piece = {.data = EMPTY, .size = sizeof EMPTY};
    return reply->write(reply->context, piece) != 0 && status == POLARIS_ES_OK ? POLARIS_ES_REPLY_LOST : status;
}

static int32_t verb_ok(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)self;
    (void)request;
    return answer(reply, POLARIS_ES_OK);
}

static int32_t store(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    while (says("FIXTURE_STORE", "hangs")) {
        (void)pause();
    }
    return verb_ok(self, request, reply);
}

static int32_t submit(polaris_es *self, polaris_bytes request, const polaris_es_completion *completion,
                      uint64_t *ret_ticket) {
    (void)self;
    (void)request;
    (void)completion;
    *ret_ticket = 1;
    return POLARIS_ES_OK;
}

static int32_t cancel(polaris_es *self, uint64_t ticket) {
    (void)self;
    (void)ticket;
    return POLARIS_ES_NOT_FOUND;
}

static bool is_interrupt(polaris_bytes request) {
    return request.size == 14 && memcmp(request.data + 4, "\xa9interrupt", 10) == 0;
}

static int32_t query(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    (void)self;
    if (getenv("FIXTURE_BLOCK") != NULL && !is_interrupt(request)) { /* NOLINT(concurrency-mt-unsafe) */
        while (kept.now_us(kept.context) != 0) {
        }
    }
    return answer(reply, POLARIS_ES_OK);
}

static int32_t init(const polaris_es_services *services, polaris_bytes config, const polaris_sink *reply,
                    polaris_es **ret_self) {
    (void)config;
    if (services != NULL) {
        kept = *services;
    }
    while (says("FIXTURE_INIT", "hangs")) {
        (void)pause();
    }
    int32_t status = (int32_t)setting("FIXTURE_INIT", POLARIS_ES_OK);
    if (answer(reply, status) == POLARIS_ES_OK) {
        *ret_self = (polaris_es *)(void *)&shown;
    }
    return status;
}

static void fill_table(void) {
    memset(&shown, 0, sizeof shown);
    shown.table = (polaris_es_table){
        .size = (uint32_t)setting("FIXTURE_TABLE_SIZE", sizeof shown.table),
        .abi_major = (uint32_t)setting("FIXTURE_ABI_MAJOR", POLARIS_ES_ABI_MAJOR),
        .abi_minor = POLARIS_ES_ABI_MINOR,
        .name = "fixture",
        .version = "1.0.0",
        .build_id = FIXTURE_BUILD_ID,
        .init = init,
        .store = store,
        .query = query,
        .dlq = verb_ok,
        .schema = verb_ok,
        .shutdown = verb_ok,
    };
    if (says("FIXTURE_STORE", "forgets")) {
        shown.table.capabilities = POLARIS_ES_CAN_SUBMIT;
        shown.table.submit = submit;
        shown.table.cancel = cancel;
    }
    long null_offset = setting("FIXTURE_NULL", -1);
    if (null_offset >= 0) {
        memset(shown.bytes + null_offset, 0, sizeof(void *));
    }
}

#ifdef FIXTURE_ENTRY
#define ENTRY FIXTURE_ENTRY
int32_t ENTRY(const polaris_es_hello *in, polaris_es_welcome *out);
#else
#define ENTRY polaris_event_store_entry
#endif

__attribute__((visibility("default"))) int32_t ENTRY(const polaris_es_hello *in, polaris_es_welcome *out) {
#ifdef FIXTURE_MISSING
    fixture_that_nobody_has();
#endif
    while (says("FIXTURE_HELLO", "hangs")) {
        (void)pause();
    }
    long major_min = setting("FIXTURE_MAJOR_MIN", POLARIS_ES_ABI_MAJOR);
    long major_max = setting("FIXTURE_MAJOR_MAX", POLARIS_ES_ABI_MAJOR);
    long status = setting("FIXTURE_STATUS", POLARIS_ES_OK);
    if (status != POLARIS_ES_OK) {
        memset(out->reason, 'r', sizeof out->reason); /* not even ended by a NUL */
        return (int32_t)status;
    }
    if (in->major_min > major_max || in->major_max < major_min) {
        (void)snprintf(out->reason, sizeof out->reason, "the fixture speaks %ld to %ld", major_min, major_max);
        return POLARIS_ES_INCOMPATIBLE;
    }
    uint32_t highest = in->major_max < major_max ? in->major_max : (uint32_t)major_max;
    fill_table();
    out->major = (uint32_t)setting("FIXTURE_PICK", highest);
    out->minor = POLARIS_ES_ABI_MINOR;
    out->table = getenv("FIXTURE_TABLE") != NULL ? NULL : &shown.table; /* NOLINT(concurrency-mt-unsafe) */
    out->descriptor->format_read_min = FIXTURE_FORMAT;
    out->descriptor->format_read_max = FIXTURE_FORMAT;
    out->descriptor->format_write = FIXTURE_FORMAT;
    memset(out->descriptor->build_id, 'b', sizeof out->descriptor->build_id);
    return POLARIS_ES_OK;
}
