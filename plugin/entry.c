/* entry.c: the boundary: the one exported function, the table, and the checks of what hosts hand in.
 *
 * Nothing else in the plugin sees the types of the boundary: a verb checks its arguments, runs the use case, sends the
 * reply through the host's sink, and returns the status. */
#include <build_id.h> /* generated */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "use_cases.h"

/* A second build of the same sources can be told from the first: swaps are tested with it. */
#ifndef POLARIS_BUILD_SUFFIX
#define POLARIS_BUILD_SUFFIX ""
#endif

enum {
    MAJOR_MIN = 1, /* the ABI majors that this plugin speaks */
    MAJOR_MAX = POLARIS_ES_ABI_MAJOR,
    STRUCT_SIZE_MAX = 4096,      /* a size beyond is garbage, not a newer revision: nothing is read from there */
    REPLY_PIECE_SIZE_MAX = 65536 /* the most that a sink gets at once */
};

/* The sizes of revision 1.0: structs may be larger, but not smaller. */
#define SIZE_UP_TO(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))
enum {
    SINK_SIZE_MIN = SIZE_UP_TO(polaris_sink, write),
    SERVICES_SIZE_MIN = SIZE_UP_TO(polaris_es_services, wake),
    COMPLETION_SIZE_MIN = SIZE_UP_TO(polaris_es_completion, done),
    HELLO_SIZE_MIN = SIZE_UP_TO(polaris_es_hello, host_version),
    DESCRIPTOR_SIZE_MIN = SIZE_UP_TO(polaris_es_descriptor, build_id),
    WELCOME_SIZE_MIN = SIZE_UP_TO(polaris_es_welcome, reason)
};

struct polaris_es {
    struct instance instance;
    polaris_es_services services; /* what the host does not have is NULL */
};

/* ---- structs that cross ---- */

/* An input struct that is larger than known: accepted if the tail is all zero, since a new flag must not be ignored. */
static enum status check_input(const void *data, const char *what, uint32_t size, size_t size_min, size_t size_known,
                               struct error *error) {
    if (size < size_min) {
        return error_set(error, INVALID, "%s.size is %u, at least %zu is wanted", what, size, size_min);
    }
    if (size > STRUCT_SIZE_MAX) {
        return error_set(error, INVALID, "%s.size is %u, no revision has more than %d", what, size, STRUCT_SIZE_MAX);
    }
    const uint8_t *bytes = data;
    for (size_t i = size_known; i < size; i++) {
        if (bytes[i] != 0) {
            return error_set(error, INVALID,
                             "%s has a byte that is not zero at offset %zu; this plugin knows %zu bytes of it, of %u",
                             what, i, size_known, size);
        }
    }
    return OK;
}

static enum status check_reserved(const char *what, uint32_t reserved, struct error *error) {
    if (reserved != 0) {
        return error_set(error, INVALID, "%s.reserved is %u, it must be 0", what, reserved);
    }
    return OK;
}

static enum status check_sink(const polaris_sink *sink, struct error *error) {
    if (sink == NULL) {
        return error_set(error, INVALID, "the sink is missing");
    }
    enum status status = check_input(sink, "polaris_sink", sink->size, SINK_SIZE_MIN, sizeof *sink, error);
    if (status == OK) {
        status = check_reserved("polaris_sink", sink->reserved, error);
    }
    if (status == OK && sink->write == NULL) {
        status = error_set(error, INVALID, "polaris_sink.write is NULL");
    }
    return status;
}

/* `services` may be NULL: the host does nothing for the plugin. */
static enum status copy_services(const polaris_es_services *services, polaris_es_services *ret_copy,
                                 struct error *error) {
    if (services == NULL) {
        return OK;
    }
    enum status status =
        check_input(services, "polaris_es_services", services->size, SERVICES_SIZE_MIN, sizeof *services, error);
    if (status == OK) {
        status = check_reserved("polaris_es_services", services->reserved, error);
    }
    if (status == OK) {
        /* An older host's struct is smaller: what it does not have stays NULL. */
        memcpy(ret_copy, services, services->size < sizeof *ret_copy ? services->size : sizeof *ret_copy);
    }
    return status;
}

static enum status view_request(polaris_bytes request, struct bytes *ret_view, struct error *error) {
    if (request.data == NULL && request.size > 0) {
        return error_set(error, INVALID, "the request has %llu bytes at NULL", (unsigned long long)request.size);
    }
    *ret_view = (struct bytes){.data = request.data, .size = request.size};
    return OK;
}

/* ---- the host's services ---- */

__attribute__((format(printf, 3, 4))) static void service_log(void *context, int32_t level, const char *format, ...) {
    const struct polaris_es *self = context;
    if (self->services.log == NULL) {
        return;
    }
    char line[ERROR_MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    error_print(line, sizeof line, format, args);
    va_end(args);
    size_t size = strlen(line);
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)line[i] < ' ') {
            line[i] = ' '; /* one line, whatever a name held */
        }
    }
    self->services.log(self->services.context, level, (polaris_bytes){.data = (const uint8_t *)line, .size = size});
}

/* Bounded, so that sums of a time and a delay cannot overflow, whatever the host's clock says. */
static int64_t service_now_us(void *context) {
    const struct polaris_es *self = context;
    int64_t now_us;
    if (self->services.now_us != NULL) {
        now_us = self->services.now_us(self->services.context);
    } else {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    }
    if (now_us < TIME_US_MIN) {
        return TIME_US_MIN;
    }
    return now_us > TIME_US_MAX ? TIME_US_MAX : now_us;
}

static void service_wake(void *context, int64_t last_id) {
    const struct polaris_es *self = context;
    self->services.wake(self->services.context, last_id);
}

/* ---- replies ---- */

/* False: the sink refused. */
static bool send_reply(const polaris_sink *sink, struct bytes reply) {
    for (size_t sent = 0; sent < reply.size;) {
        size_t size = reply.size - sent;
        if (size > REPLY_PIECE_SIZE_MAX) {
            size = REPLY_PIECE_SIZE_MAX;
        }
        if (sink->write(sink->context, (polaris_bytes){.data = reply.data + sent, .size = size}) != 0) {
            return false;
        }
        sent += size;
    }
    return true;
}

/* A sink that refuses an error map changes nothing: the status says what there is to say. */
static enum status send_error(const polaris_sink *sink, struct wire_writer *reply, const struct error *error) {
    (void)send_reply(sink, wire_error_reply(reply, error));
    return error->status;
}

/* Sends the reply if there is one: OK, or REPLY_LOST. */
static enum status send_done(const polaris_sink *sink, const struct wire_writer *reply, enum status status) {
    return status == OK && send_reply(sink, buffer_view(&reply->buffer)) ? OK : REPLY_LOST;
}

static void log_lost(struct polaris_es *self, const char *done, enum status status) {
    service_log(self, POLARIS_ES_LOG_WARNING, "%s, but %s", done,
                status == OK ? "the host refused the reply" : "there was no memory for the reply");
}

/* ---- verbs ---- */

static int32_t run_verb(const struct verb *verb, struct polaris_es *self, polaris_bytes request,
                        const polaris_sink *sink) {
    struct error error = {0};
    if (self == NULL || check_sink(sink, &error) != OK) {
        return INVALID;
    }
    CLEANUP(verb_call_done) struct verb_call call = {0};
    struct bytes view = {0};
    enum status status = view_request(request, &view, &call.error);
    if (status == OK) {
        status = verb_open(&call, verb, &self->instance, view);
    }
    if (status == OK) {
        status = verb_run(&call);
    }
    if (status != OK && status != REPLY_LOST) {
        return (int32_t)send_error(sink, &call.reply, &call.error);
    }
    enum status sent = send_done(sink, &call.reply, status);
    if (sent != OK) {
        log_lost(self, verb_done_text(&call), status);
    }
    return (int32_t)sent;
}

static int32_t verb_store(struct polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    return run_verb(&VERB_STORE, self, request, reply);
}

static int32_t verb_query(struct polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    return run_verb(&VERB_QUERY, self, request, reply);
}

static int32_t verb_dlq(struct polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    return run_verb(&VERB_DLQ, self, request, reply);
}

static int32_t verb_schema(struct polaris_es *self, polaris_bytes request, const polaris_sink *reply) {
    return run_verb(&VERB_SCHEMA, self, request, reply);
}

/* ---- requests that nobody stands waiting for ---- */

typedef void (*host_done)(void *context, uint64_t ticket, int32_t status, polaris_bytes reply);

static void tell_host(const struct completion *completion, uint64_t ticket, enum status status, struct bytes reply) {
    host_done done = (host_done)completion->host_done;
    done(completion->context, ticket, (int32_t)status, (polaris_bytes){.data = reply.data, .size = reply.size});
}

static enum status check_completion(const polaris_es_completion *completion, struct error *error) {
    if (completion == NULL) {
        return error_set(error, INVALID, "submit: the completion is missing");
    }
    enum status status = check_input(completion, "polaris_es_completion", completion->size, COMPLETION_SIZE_MIN,
                                     sizeof *completion, error);
    if (status == OK) {
        status = check_reserved("polaris_es_completion", completion->reserved, error);
    }
    if (status == OK && completion->done == NULL) {
        status = error_set(error, INVALID, "polaris_es_completion.done is NULL");
    }
    return status;
}

static int32_t verb_submit(struct polaris_es *self, polaris_bytes request, const polaris_es_completion *host,
                           uint64_t *ret_ticket) {
    struct error error = {0};
    struct bytes view = {0};
    if (self == NULL) {
        return INVALID;
    }
    enum status status = check_completion(host, &error);
    if (status == OK) {
        status = view_request(request, &view, &error);
    }
    if (status == OK) {
        const struct completion completion = {
            .context = host->context, .done = tell_host, .host_done = (void (*)(void))host->done};
        uint64_t ticket = 0;
        status = submitter_take(self->instance.submitter, view, &completion, &ticket, &error);
        if (status == OK && ret_ticket != NULL) {
            *ret_ticket = ticket;
        }
    }
    if (status != OK && status != BUSY) { /* there is no reply that could say it */
        service_log(self, POLARIS_ES_LOG_WARNING, "%s", error.message);
    }
    return (int32_t)status;
}

static int32_t verb_cancel(struct polaris_es *self, uint64_t ticket) {
    return self == NULL ? INVALID : (int32_t)submitter_cancel(self->instance.submitter, ticket);
}

/* ---- the lifecycle ---- */

static void free_self(struct polaris_es **self) {
    if (*self != NULL) {
        instance_done(&(*self)->instance);
        free(*self);
    }
}

static enum status open_store(struct polaris_es *self, const polaris_es_services *services, polaris_bytes config,
                              struct wire_writer *reply, struct error *error) {
    struct bytes view = {0};
    enum status status = copy_services(services, &self->services, error);
    if (status == OK) {
        status = view_request(config, &view, error);
    }
    if (status != OK) {
        return status;
    }
    struct storage_host host = {
        .context = self,
        .log = service_log,
        .now_us = service_now_us,
        .wake = self->services.wake != NULL ? service_wake : NULL,
    };
    return instance_open(&self->instance, view, &host, reply, error);
}

static int32_t verb_init(const polaris_es_services *services, polaris_bytes config, const polaris_sink *sink,
                         polaris_es **ret_self) {
    struct error error = {0};
    if (check_sink(sink, &error) != OK) {
        return INVALID;
    }
    CLEANUP(wire_writer_done) struct wire_writer reply = {0};
    if (ret_self == NULL) {
        error_set(&error, INVALID, "init: ret_self is NULL");
        return (int32_t)send_error(sink, &reply, &error);
    }
    CLEANUP(free_self) struct polaris_es *self = calloc(1, sizeof *self);
    if (self == NULL) {
        error_set(&error, NO_MEMORY, "init: no memory for an instance");
        return (int32_t)send_error(sink, &reply, &error);
    }
    enum status status = open_store(self, services, config, &reply, &error);
    if (status != OK) {
        return (int32_t)send_error(sink, &reply, &error);
    }
    if (!send_reply(sink, buffer_view(&reply.buffer))) {
        service_log(self, POLARIS_ES_LOG_WARNING,
                    "init: the store was opened, and is closed again, since the host "
                    "refused the reply");
        return REPLY_LOST;
    }
    *ret_self = self;
    self = NULL; /* the host owns it now */
    return OK;
}

static int32_t verb_shutdown(struct polaris_es *shut, polaris_bytes request, const polaris_sink *sink) {
    struct error error = {0};
    if (shut == NULL) {
        return INVALID;
    }
    CLEANUP(free_self) struct polaris_es *self = shut;
    CLEANUP(wire_writer_done) struct wire_writer reply = {0};
    struct bytes view = {0};
    enum status bad_sink = sink != NULL ? check_sink(sink, &error) : OK;
    enum status bad_request = view_request(request, &view, &error);
    enum status status = instance_close(&self->instance, view, &reply, &error);
    if (bad_sink != OK) {
        return (int32_t)bad_sink;
    }
    if (bad_request != OK) {
        status = error_set(&error, INVALID, "shutdown: the request has bytes at NULL");
    }
    if (sink == NULL) {
        return (int32_t)status;
    }
    if (status != OK && status != REPLY_LOST) {
        return (int32_t)send_error(sink, &reply, &error);
    }
    enum status sent = send_done(sink, &reply, status);
    if (sent != OK) {
        log_lost(self, "shutdown: the store was closed", status);
    }
    return (int32_t)sent;
}

/* ---- negotiation ---- */

static const polaris_es_table TABLE = {
    .size = sizeof(polaris_es_table),
    .abi_major = POLARIS_ES_ABI_MAJOR,
    .abi_minor = POLARIS_ES_ABI_MINOR,
    .name = "polaris-event-store",
    .version = POLARIS_PLUGIN_VERSION,
    .build_id = POLARIS_BUILD_ID POLARIS_BUILD_SUFFIX,
    .capabilities = POLARIS_ES_CAN_APPEND | POLARIS_ES_CAN_QUERY | POLARIS_ES_CAN_LONG_POLL |
                    POLARIS_ES_CAN_DEAD_LETTERS | POLARIS_ES_CAN_SCHEMAS | POLARIS_ES_CAN_VALIDATE |
                    POLARIS_ES_CAN_WAKE | POLARIS_ES_CAN_READ_MODE | POLARIS_ES_CAN_SUBMIT,
    .init = verb_init,
    .store = verb_store,
    .query = verb_query,
    .dlq = verb_dlq,
    .schema = verb_schema,
    .shutdown = verb_shutdown,
    .submit = verb_submit,
    .cancel = verb_cancel,
};

/* Writes a member of an output, if it fits whole into the size that the host gave. */
#define PUT_MEMBER(out, member, value)                                                                                 \
    do {                                                                                                               \
        if (SIZE_UP_TO(polaris_es_welcome, member) <= (out)->size) {                                                   \
            (out)->member = (value);                                                                                   \
        }                                                                                                              \
    } while (0)

/* The part of a text that has room, NUL-terminated. */
static void put_reason(polaris_es_welcome *out, const char *reason) {
    size_t offset = offsetof(polaris_es_welcome, reason);
    if (out->size <= offset) {
        return;
    }
    size_t room = out->size - offset < sizeof out->reason ? out->size - offset : sizeof out->reason;
    snprintf(out->reason, room, "%s", reason);
}

/* `table` NULL: refused. */
static void write_welcome(polaris_es_welcome *out, const polaris_es_table *table, const char *reason) {
    PUT_MEMBER(out, major, table != NULL ? table->abi_major : 0);
    PUT_MEMBER(out, minor, table != NULL ? table->abi_minor : 0);
    PUT_MEMBER(out, reserved, 0);
    PUT_MEMBER(out, table, table);
    put_reason(out, reason);
    if (out->size > sizeof *out && out->size <= STRUCT_SIZE_MAX) {
        memset((uint8_t *)out + sizeof *out, 0, out->size - sizeof *out);
    }
}

static int32_t refuse(polaris_es_welcome *out, const struct error *error) {
    write_welcome(out, NULL, error->message);
    return (int32_t)error->status;
}

static void write_descriptor(polaris_es_descriptor *out) {
    const polaris_es_descriptor descriptor = {
        .size = out->size,
        .format_read_min = STORE_FORMAT_READ_MIN,
        .format_read_max = STORE_FORMAT,
        .format_write = STORE_FORMAT,
        .sqlite_version_number = (uint32_t)sqlite_storage_library_version_number(),
        .sqlite_linkage = POLARIS_ES_SQLITE_SHARED,
        .id = "org.polaris.event-store.sqlite",
        .version = POLARIS_PLUGIN_VERSION,
        .build_id = POLARIS_BUILD_ID POLARIS_BUILD_SUFFIX,
    };
    /* As much as the host has room for: an older one's struct is smaller, a newer one's tail is zeroed. */
    size_t known = descriptor.size < sizeof descriptor ? descriptor.size : sizeof descriptor;
    memcpy(out, &descriptor, known);
    memset((uint8_t *)out + known, 0, descriptor.size - known);
}

static enum status check_output(const char *what, uint32_t size, size_t size_min, struct error *error) {
    if (size < size_min) {
        return error_set(error, INVALID, "%s.size is %u, at least %zu is wanted", what, size, size_min);
    }
    if (size > STRUCT_SIZE_MAX) {
        return error_set(error, INVALID, "%s.size is %u, no revision has more than %d", what, size, STRUCT_SIZE_MAX);
    }
    return OK;
}

static enum status check_hello(const polaris_es_hello *in, struct error *error) {
    if (in == NULL) {
        return error_set(error, INVALID, "polaris_es_hello is missing");
    }
    enum status status = check_input(in, "polaris_es_hello", in->size, HELLO_SIZE_MIN, sizeof *in, error);
    if (status != OK) {
        return status;
    }
    if (in->major_min > in->major_max) {
        return error_set(error, INVALID, "polaris_es_hello.major_min is %u, above major_max, which is %u",
                         in->major_min, in->major_max);
    }
    if (in->major_min > MAJOR_MAX || in->major_max < MAJOR_MIN) {
        return error_set(error, INCOMPATIBLE, "no common ABI major: the host speaks %u to %u, this plugin %d to %d",
                         in->major_min, in->major_max, MAJOR_MIN, MAJOR_MAX);
    }
    return OK;
}

__attribute__((visibility("default"))) int32_t polaris_event_store_entry(const polaris_es_hello *in,
                                                                         polaris_es_welcome *out) {
    struct error error = {0};
    if (out == NULL) {
        return INVALID;
    }
    enum status status = check_output("polaris_es_welcome", out->size, WELCOME_SIZE_MIN, &error);
    if (status == OK) {
        status = check_hello(in, &error);
    }
    if (status == OK && out->descriptor != NULL) {
        status = check_output("polaris_es_descriptor", out->descriptor->size, DESCRIPTOR_SIZE_MIN, &error);
    }
    if (status != OK) {
        return refuse(out, &error);
    }
    if (out->descriptor != NULL) {
        write_descriptor(out->descriptor);
    }
    write_welcome(out, &TABLE, "");
    return OK;
}
