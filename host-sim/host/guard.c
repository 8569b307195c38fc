/* guard.c: the run-time check of the thread rules. */
#include "host/guard.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/error_map.h"
#include "owned.h"

/* ---- the rules, as the header has them ---- */

enum who { WHO_any, WHO_exclusive };
enum state { STATE_loaded, STATE_ready, STATE_over };
enum blocks { BLOCKS_no, BLOCKS_bounded };
enum calls { CALLS_none = 0, CALLS_services = 1, CALLS_sink = 2, CALLS_both = 3 };

struct rule {
    const char *slot;
    enum who who;
    enum state state;
    enum blocks blocks; /* for the reader: time limits are the business of tests */
    enum calls calls;
};

#define RULE_INDEX(slot, who, state, blocks, calls) RULE_##slot,
enum { POLARIS_ES_THREAD_RULES(RULE_INDEX) RULE_COUNT };
#undef RULE_INDEX

#define RULE_ROW(slot, who, state, blocks, calls) {#slot, WHO_##who, STATE_##state, BLOCKS_##blocks, CALLS_##calls},
static const struct rule RULES[] = {POLARIS_ES_THREAD_RULES(RULE_ROW)};
#undef RULE_ROW

/* ---- the guard ---- */

/* How many finished calls are remembered, so that a sink which is called too late is recognised. */
enum { FINISHED_MAX = 64 };

/* One call in progress. The plugin's sink context: it must outlive the call to tell that the sink is called late. */
struct call {
    struct guard *guard;
    const struct rule *rule;
    const polaris_sink *sink; /* the caller's */
    pthread_t thread;
    _Atomic bool returned;
    bool refused;    /* the sink said stop */
    uint64_t pieces; /* that were not empty */
};

struct guard {
    const polaris_es_table *real;
    polaris_es *self;
    struct guard_watch *watch;
    polaris_es_services services; /* the host's; members that it does not have are NULL */
    pthread_mutex_t lock;         /* of what follows */
    enum state state;
    uint32_t inside;
    bool exclusive; /* a call that excludes others is in progress */
    struct call *finished[FINISHED_MAX];
    size_t finished_next;
    struct submission *ended[FINISHED_MAX];
    size_t ended_next;
    struct submission *open; /* requests whose end was not told yet */
    int64_t open_count;
};

/* The watch of the callback that this thread is in. */
static _Thread_local const struct guard_watch *calling_back;

static void violation(struct guard_watch *watch, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void violation(struct guard_watch *watch, const char *format, ...) {
    char line[512] = "thread rule broken: ";
    size_t prefix = strlen(line);
    va_list args;
    va_start(args, format);
    if (vsnprintf(line + prefix, sizeof line - prefix, format, args) < 0) {
        line[prefix] = '\0';
    }
    va_end(args);
    atomic_fetch_add(&watch->violations, 1);
    if (watch->log != NULL) {
        watch->log(watch->context, POLARIS_ES_LOG_ERROR, line);
    }
}

uint64_t guard_violations(const struct guard_watch *watch) {
    return atomic_load(&watch->violations);
}

bool guard_is_calling_back(struct guard_watch *watch) {
    bool is_calling_back = calling_back != NULL && calling_back->owner == watch->owner;
    if (is_calling_back) {
        violation(watch, "a callback calls back into the instance that called it");
    }
    return is_calling_back;
}

polaris_es *guard_instance(struct guard *guard) {
    return (polaris_es *)(void *)guard;
}

/* ---- services ---- */

/* After shutdown the plugin must be silent; the guard is still there to hear it. */
static bool service_is_allowed(struct guard *guard, const char *service) {
    (void)pthread_mutex_lock(&guard->lock);
    bool allowed = guard->state != STATE_over;
    (void)pthread_mutex_unlock(&guard->lock);
    if (!allowed) {
        violation(guard->watch, "the plugin calls the service '%s' after shutdown", service);
    }
    return allowed;
}

static void guarded_log(void *context, int32_t level, polaris_bytes line) {
    struct guard *guard = context;
    if (service_is_allowed(guard, "log")) {
        const struct guard_watch *outer = calling_back;
        calling_back = guard->watch;
        guard->services.log(guard->services.context, level, line);
        calling_back = outer;
    }
}

static int64_t guarded_now_us(void *context) {
    struct guard *guard = context;
    int64_t now_us = 0;
    if (service_is_allowed(guard, "now_us")) {
        const struct guard_watch *outer = calling_back;
        calling_back = guard->watch;
        now_us = guard->services.now_us(guard->services.context);
        calling_back = outer;
    }
    return now_us;
}

static void guarded_wake(void *context, int64_t last_id) {
    struct guard *guard = context;
    if (service_is_allowed(guard, "wake")) {
        const struct guard_watch *outer = calling_back;
        calling_back = guard->watch;
        guard->services.wake(guard->services.context, last_id);
        calling_back = outer;
    }
}

/* ---- the sink ---- */

static bool piece_begins_a_map(polaris_bytes piece) {
    uint8_t first = piece.data[0];
    return (first >= 0x80 && first < 0x90) || first == 0xde || first == 0xdf;
}

static int32_t guarded_write(void *context, polaris_bytes piece) {
    struct call *call = context;
    struct guard_watch *watch = call->guard->watch;
    const char *slot = call->rule->slot;
    if (atomic_load(&call->returned)) {
        violation(watch, "the plugin calls the sink of '%s' after it returned", slot);
        return 1;
    }
    if (!pthread_equal(call->thread, pthread_self())) {
        violation(watch, "the plugin calls the sink of '%s' from another thread", slot);
        return 1;
    }
    if ((call->rule->calls & CALLS_sink) == 0) {
        violation(watch, "'%s' calls the sink", slot);
    }
    if (piece.data == NULL && piece.size > 0) {
        violation(watch, "the plugin gives the sink of '%s' %" PRIu64 " bytes at NULL", slot, piece.size);
        return 1;
    }
    if (call->refused) {
        violation(watch, "the plugin goes on with the reply of '%s' after the sink refused it", slot);
        return 1;
    }
    if (piece.size > 0 && call->pieces++ == 0 && !piece_begins_a_map(piece)) {
        violation(watch, "the reply of '%s' is no map", slot);
    }
    const struct guard_watch *outer = calling_back;
    calling_back = watch;
    int32_t result = call->sink->write(call->sink->context, piece);
    calling_back = outer;
    call->refused = result != 0;
    return result;
}

/* ---- calls ---- */

static struct call *call_new(struct guard *guard, const struct rule *rule, const polaris_sink *reply) {
    struct call *call = calloc(1, sizeof *call);
    if (call != NULL) {
        *call = (struct call){.guard = guard, .rule = rule, .sink = reply, .thread = pthread_self()};
    }
    return call;
}

static bool reply_is_usable(const polaris_sink *reply) {
    return reply != NULL && reply->size >= sizeof *reply && reply->write != NULL;
}

/* What a verb owes when it returns. */
static void check_reply(struct guard *guard, struct call *call, int32_t status) {
    atomic_store(&call->returned, true);
    const char *slot = call->rule->slot;
    if (status == POLARIS_ES_REPLY_LOST && !call->refused) {
        violation(guard->watch, "'%s' answers REPLY_LOST, but the sink refused nothing", slot);
    } else if (status != POLARIS_ES_REPLY_LOST && !call->refused && call->pieces == 0) {
        violation(guard->watch, "'%s' answers %s without a reply", slot, status_text(status));
    } else if (status == POLARIS_ES_OK && call->refused) {
        violation(guard->watch, "'%s' answers OK, but the sink refused the reply", slot);
    }
}

/* The call joins those that are remembered; the oldest is forgotten. */
static void call_retire(struct guard *guard, struct call *call) {
    (void)pthread_mutex_lock(&guard->lock);
    struct call *oldest = guard->finished[guard->finished_next];
    guard->finished[guard->finished_next] = call;
    guard->finished_next = (guard->finished_next + 1) % FINISHED_MAX;
    (void)pthread_mutex_unlock(&guard->lock);
    free(oldest);
}

static int32_t refuse(const polaris_sink *reply, int32_t status, const char *message) {
    if (reply_is_usable(reply)) {
        uint8_t map[ERROR_MAP_SIZE_MAX];
        const polaris_bytes piece = {.data = map, .size = error_map_write(map, status, message)};
        (void)reply->write(reply->context, piece);
    }
    return status;
}

/* Why the rule forbids this call now, or NULL; then the call is counted. */
static const char *enter(struct guard *guard, const struct rule *rule) {
    const char *broken = NULL;
    (void)pthread_mutex_lock(&guard->lock);
    if (guard->state != rule->state) {
        broken = guard->state == STATE_over ? "called after shutdown" : "called before init returned";
    } else if (guard->exclusive) {
        broken = "called while a call that excludes all others is in progress";
    } else if (rule->who == WHO_exclusive && guard->inside > 0) {
        broken = "excludes all other calls, but some are in progress";
    } else {
        guard->inside++;
        guard->exclusive = rule->who == WHO_exclusive;
    }
    (void)pthread_mutex_unlock(&guard->lock);
    return broken;
}

static void leave(struct guard *guard, const struct rule *rule, enum state state) {
    (void)pthread_mutex_lock(&guard->lock);
    guard->inside--;
    if (rule->who == WHO_exclusive) {
        guard->exclusive = false;
    }
    guard->state = state;
    (void)pthread_mutex_unlock(&guard->lock);
}

static int32_t guarded_verb(struct guard *guard, const struct rule *rule, polaris_es_verb verb, polaris_bytes request,
                            const polaris_sink *reply, enum state state_after) {
    if (guard_is_calling_back(guard->watch)) {
        return refuse(reply, POLARIS_ES_INVALID, "a callback must not call back into the instance that called it");
    }
    const char *broken = enter(guard, rule);
    if (broken != NULL) {
        violation(guard->watch, "'%s' %s", rule->slot, broken);
        return refuse(reply, POLARIS_ES_INVALID, broken);
    }
    int32_t status = POLARIS_ES_OK;
    struct calls_entry noted;
    calls_begin(guard->watch->calls, &noted, rule->slot, guard->real->build_id);
    struct call *call = reply_is_usable(reply) ? call_new(guard, rule, reply) : NULL;
    if (call == NULL) {
        /* For the plugin to judge. Nor refused for want of memory: whoever shuts down must not lose the instance. */
        status = verb(guard->self, request, reply);
    } else {
        const polaris_sink sink = {.size = sizeof sink, .context = call, .write = guarded_write};
        status = verb(guard->self, request, &sink);
        check_reply(guard, call, status);
        call_retire(guard, call);
    }
    calls_end(guard->watch->calls, &noted);
    leave(guard, rule, state_after);
    if (state_after == STATE_over) {
        (void)pthread_mutex_lock(&guard->lock);
        int64_t open_count = guard->open_count;
        (void)pthread_mutex_unlock(&guard->lock);
        if (open_count != 0) {
            violation(guard->watch, "%" PRId64 " submitted requests were never told how they ended", open_count);
        }
    }
    return status;
}

/* One function for each slot of an instance, made from the rules: whoever appends a slot to them gets its guard. */
#define HAS_SLOT(table, slot)                                                                                          \
    ((table)->size >= offsetof(polaris_es_table, slot) + sizeof((table)->slot) && (table)->slot != NULL)
#define GUARDED_VERB(slot, state_after)                                                                                \
    static int32_t guarded_##slot(polaris_es *self, polaris_bytes request, const polaris_sink *reply) {                \
        struct guard *guard = (struct guard *)(void *)self;                                                            \
        if (!HAS_SLOT(guard->real, slot)) {                                                                            \
            return refuse(reply, POLARIS_ES_UNSUPPORTED, "this build has no '" #slot "'");                             \
        }                                                                                                              \
        return guarded_verb(guard, &RULES[RULE_##slot], guard->real->slot, request, reply, state_after);               \
    }
#define GUARDED_ready_any_bounded(slot) GUARDED_VERB(slot, STATE_ready)
#define GUARDED_ready_exclusive_bounded(slot) GUARDED_VERB(slot, STATE_over)
#define GUARDED_ready_any_no(slot)       /* submit and cancel: by hand */
#define GUARDED_loaded_any_bounded(slot) /* init: by hand */
#define GUARDED(slot, who, state, blocks, calls) GUARDED_##state##_##who##_##blocks(slot)
POLARIS_ES_THREAD_RULES(GUARDED)
#undef GUARDED

/* ---- submitted requests ---- */

/* One request in progress: the plugin's completion context. Remembered for a while when it is over, so that an end that
 * is told twice is recognised. */
struct submission {
    struct guard *guard;
    polaris_es_completion completion;   /* the host's */
    _Atomic bool ended;                 /* or refused */
    struct submission *next, *previous; /* while it is open; under the guard's lock */
};

static struct submission *submission_new(struct guard *guard, const polaris_es_completion *completion) {
    struct submission *submission = calloc(1, sizeof *submission);
    if (submission != NULL) {
        *submission = (struct submission){.guard = guard, .completion = *completion};
    }
    return submission;
}

static void submission_open(struct guard *guard, struct submission *submission) {
    (void)pthread_mutex_lock(&guard->lock);
    submission->next = guard->open;
    if (guard->open != NULL) {
        guard->open->previous = submission;
    }
    guard->open = submission;
    guard->open_count++;
    (void)pthread_mutex_unlock(&guard->lock);
}

static void submission_retire(struct guard *guard, struct submission *submission) {
    (void)pthread_mutex_lock(&guard->lock);
    if (submission->previous != NULL) {
        submission->previous->next = submission->next;
    } else {
        guard->open = submission->next;
    }
    if (submission->next != NULL) {
        submission->next->previous = submission->previous;
    }
    guard->open_count--;
    struct submission *oldest = guard->ended[guard->ended_next];
    guard->ended[guard->ended_next] = submission;
    guard->ended_next = (guard->ended_next + 1) % FINISHED_MAX;
    (void)pthread_mutex_unlock(&guard->lock);
    free(oldest);
}

static void guarded_done(void *context, uint64_t ticket, int32_t status, polaris_bytes reply) {
    struct submission *submission = context;
    struct guard *guard = submission->guard;
    if (!service_is_allowed(guard, "done")) {
        return;
    }
    if (atomic_exchange(&submission->ended, true)) {
        violation(guard->watch, "the end of request %" PRIu64 " is told twice, or although it was refused", ticket);
        return;
    }
    bool is_empty = reply.size == 0;
    if (status == POLARIS_ES_REPLY_LOST ? !is_empty : is_empty || !piece_begins_a_map(reply)) {
        violation(guard->watch, "request %" PRIu64 " ends with %s and a reply that is %s", ticket, status_text(status),
                  is_empty ? "empty" : "no map, or should be empty");
    }
    const struct guard_watch *outer = calling_back;
    calling_back = guard->watch;
    submission->completion.done(submission->completion.context, ticket, status, reply);
    calling_back = outer;
    submission_retire(guard, submission);
}

/* One of another size, or with something in `reserved`, is for the plugin to judge. */
static bool completion_is_usable(const polaris_es_completion *completion) {
    return completion != NULL && completion->size == sizeof *completion && completion->reserved == 0 &&
           completion->done != NULL;
}

static int32_t submit_inside(struct guard *guard, polaris_bytes request, const polaris_es_completion *completion,
                             uint64_t *ret_ticket) {
    if (!completion_is_usable(completion)) {
        return guard->real->submit(guard->self, request, completion, ret_ticket); /* for the plugin to judge */
    }
    struct submission *submission = submission_new(guard, completion);
    if (submission == NULL) {
        return POLARIS_ES_NO_MEMORY;
    }
    const polaris_es_completion watched = {.size = sizeof watched, .context = submission, .done = guarded_done};
    submission_open(guard, submission); /* before: it may end before submit returns */
    int32_t status = guard->real->submit(guard->self, request, &watched, ret_ticket);
    if (status == POLARIS_ES_OK) {
        return status;
    }
    if (atomic_exchange(&submission->ended, true)) {
        violation(guard->watch, "'submit' answers %s, but told how the request ended", status_text(status));
    } else {
        submission_retire(guard, submission); /* its end may be told still */
    }
    return status;
}

/* Enters as a call of the slot. False: it is not allowed. */
static bool enter_slot(struct guard *guard, const struct rule *rule) {
    if (guard_is_calling_back(guard->watch)) {
        return false;
    }
    const char *broken = enter(guard, rule);
    if (broken != NULL) {
        violation(guard->watch, "'%s' %s", rule->slot, broken);
    }
    return broken == NULL;
}

static int32_t guarded_submit(polaris_es *self, polaris_bytes request, const polaris_es_completion *completion,
                              uint64_t *ret_ticket) {
    struct guard *guard = (struct guard *)(void *)self;
    const struct rule *rule = &RULES[RULE_submit];
    if (!HAS_SLOT(guard->real, submit)) {
        return POLARIS_ES_UNSUPPORTED;
    }
    if (!enter_slot(guard, rule)) {
        return POLARIS_ES_INVALID;
    }
    struct calls_entry noted;
    calls_begin(guard->watch->calls, &noted, rule->slot, guard->real->build_id);
    int32_t status = submit_inside(guard, request, completion, ret_ticket);
    calls_end(guard->watch->calls, &noted);
    leave(guard, rule, STATE_ready);
    return status;
}

static int32_t guarded_cancel(polaris_es *self, uint64_t ticket) {
    struct guard *guard = (struct guard *)(void *)self;
    const struct rule *rule = &RULES[RULE_cancel];
    if (!HAS_SLOT(guard->real, cancel)) {
        return POLARIS_ES_UNSUPPORTED;
    }
    if (!enter_slot(guard, rule)) {
        return POLARIS_ES_INVALID;
    }
    struct calls_entry noted;
    calls_begin(guard->watch->calls, &noted, rule->slot, guard->real->build_id);
    int32_t status = guard->real->cancel(guard->self, ticket);
    calls_end(guard->watch->calls, &noted);
    leave(guard, rule, STATE_ready);
    return status;
}

/* ---- the lifecycle ---- */

static int32_t guarded_init(const polaris_es_services *services, polaris_bytes config, const polaris_sink *reply,
                            polaris_es **ret_self) {
    (void)services;
    (void)config;
    (void)ret_self;
    return refuse(reply, POLARIS_ES_UNSUPPORTED, "a guarded instance is opened with guard_init");
}

#define GUARDED_SLOT(slot, who, state, blocks, calls) .slot = guarded_##slot,
const polaris_es_table GUARD_TABLE = {.size = sizeof(polaris_es_table),
                                      .abi_major = POLARIS_ES_ABI_MAJOR,
                                      .abi_minor = POLARIS_ES_ABI_MINOR,
                                      .name = "guard",
                                      .version = "1.0.0",
                                      .build_id = "guard",
                                      POLARIS_ES_THREAD_RULES(GUARDED_SLOT)};
#undef GUARDED_SLOT

int32_t guard_init(const polaris_es_table *real, struct guard_watch *watch, const polaris_es_services *services,
                   polaris_bytes config, const polaris_sink *reply, struct guard **ret_guard) {
    const struct rule *rule = &RULES[RULE_init];
    CLEANUP(freep) struct guard *guard = calloc(1, sizeof *guard);
    struct call *call = guard != NULL ? call_new(guard, rule, reply) : NULL;
    if (call == NULL || pthread_mutex_init(&guard->lock, NULL) != 0) {
        free(call);
        return refuse(reply, POLARIS_ES_NO_MEMORY, "no memory to watch the instance");
    }
    guard->real = real;
    guard->watch = watch;
    guard->state = STATE_loaded;
    guard->services = *services;
    const polaris_es_services watched = {
        .size = sizeof watched,
        .context = guard,
        .log = services->log != NULL ? guarded_log : NULL,
        .now_us = services->now_us != NULL ? guarded_now_us : NULL,
        .wake = services->wake != NULL ? guarded_wake : NULL,
    };
    const polaris_sink sink = {.size = sizeof sink, .context = call, .write = guarded_write};
    struct calls_entry noted;
    calls_begin(watch->calls, &noted, rule->slot, real->build_id);
    int32_t status = real->init(&watched, config, &sink, &guard->self);
    calls_end(watch->calls, &noted);
    check_reply(guard, call, status);
    call_retire(guard, call);
    if (status == POLARIS_ES_OK && guard->self == NULL) {
        violation(watch, "'init' answers OK, but gives no instance");
        status = POLARIS_ES_INTERNAL;
    }
    (void)pthread_mutex_lock(&guard->lock);
    guard->state = status == POLARIS_ES_OK ? STATE_ready : STATE_over;
    (void)pthread_mutex_unlock(&guard->lock);
    if (status != POLARIS_ES_OK) {
        guard_free(guard);
        guard = NULL;
        return status;
    }
    *ret_guard = guard;
    guard = NULL; /* the caller owns it now */
    return status;
}

void guard_free(struct guard *guard) {
    if (guard == NULL) {
        return;
    }
    for (size_t i = 0; i < FINISHED_MAX; i++) {
        free(guard->finished[i]);
        free(guard->ended[i]);
    }
    while (guard->open != NULL) {
        struct submission *next = guard->open->next;
        free(guard->open);
        guard->open = next;
    }
    (void)pthread_mutex_destroy(&guard->lock);
    free(guard);
}
