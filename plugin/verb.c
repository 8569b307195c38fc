/* verb.c: from a request's bytes to the op that it names. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "use_cases.h"

enum { OP_NAME_SIZE_MAX = 256, REPLY_SIZE_MIN = 4096 };

static const struct op *find_op(const struct verb *verb, struct bytes name) {
    for (const struct op *op = verb->ops; op->name != NULL; op++) {
        if (bytes_equal_string(name, op->name)) {
            return op;
        }
    }
    return NULL;
}

/* snprintf that cuts at a character. */
__attribute__((format(printf, 3, 4))) static void text_print(char *target, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_print(target, size, format, args);
    va_end(args);
}

static enum status refuse_op(const struct verb *verb, struct bytes name, struct error *error) {
    char known[ERROR_MESSAGE_SIZE / 2] = "";
    size_t size = 0;
    for (const struct op *op = verb->ops; op->name != NULL; op++) {
        int written = snprintf(known + size, sizeof known - size, "%s%s", size > 0 ? ", " : "", op->name);
        if (written < 0 || (size_t)written >= sizeof known - size) {
            break;
        }
        size += (size_t)written;
    }
    char asked[64]; /* so that a long name leaves room for those that are known */
    text_print(asked, sizeof asked, "%.*s", BYTES_FORMAT(name));
    enum status status = error_set(error, UNSUPPORTED, "%s has no op '%s'; it has: %s", verb->name, asked, known);
    error_set_path(error, "/op");
    return status;
}

void verb_call_done(struct verb_call *call) {
    wire_document_done(&call->document);
    wire_writer_done(&call->reply);
    wire_writer_done(&call->details);
}

static enum status check_mode(const struct verb_call *call) {
    if (call->op->writes && call->call.instance->config.read_only) {
        return error_set(call->call.error, READ_ONLY, "%s writes, and the store was opened with mode \"read\"",
                         call->name);
    }
    return OK;
}

/* "store append": for every call, so not by snprintf. */
static void name_call(struct verb_call *call, const struct verb *verb) {
    size_t verb_size = strlen(verb->name);
    size_t op_size = strlen(call->op->name);
    assert(verb_size + 1 + op_size < sizeof call->name);
    memcpy(call->name, verb->name, verb_size);
    call->name[verb_size] = ' ';
    memcpy(call->name + verb_size + 1, call->op->name, op_size + 1);
}

enum status verb_open(struct verb_call *call, const struct verb *verb, struct instance *instance,
                      struct bytes request) {
    struct error *error = &call->error;
    struct wire_limits limits = {
        .size_max = (uint64_t)instance->config.request_size_max,
        .depth_max = (uint32_t)instance->config.depth_max,
        .seed = instance->config.hash_seed,
    };
    call->call = (struct call){.instance = instance,
                               .name = call->name,
                               .reply = &call->reply,
                               .details = &call->details,
                               .error = error,
                               .done = call->done};
    enum status status = wire_document_parse(&call->document, request, &limits, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_open(&call->call.request, (struct wire_value){&call->document, 0}, NULL, error);
    if (status != OK) {
        return status;
    }
    struct bytes op_name = {0};
    status = wire_map_name(&call->call.request, "op", REQUIRED, OP_NAME_SIZE_MAX, &op_name, error);
    if (status != OK) {
        return status;
    }
    call->op = find_op(verb, op_name);
    if (call->op == NULL) {
        return refuse_op(verb, op_name, error);
    }
    name_call(call, verb);
    /* Short replies, and the error map, cannot run out of memory once the work was done. */
    if (!buffer_reserve(&call->reply.buffer, REPLY_SIZE_MIN)) {
        return error_set(error, NO_MEMORY, "%s: no memory for the reply", call->name);
    }
    return check_mode(call);
}

enum status verb_finish(struct verb_call *call, enum status status) {
    if (status != OK) {
        return status;
    }
    status = wire_writer_check(&call->reply, &call->error);
    if (status != OK && call->op->writes) {
        return REPLY_LOST; /* NO_MEMORY would promise that nothing was changed */
    }
    return status;
}

enum status verb_run(struct verb_call *call) {
    return verb_finish(call, call->op->run(&call->call));
}

const char *verb_done_text(struct verb_call *call) {
    if (call->done[0] != '\0') {
        return call->done;
    }
    if (call->call.stored.count == 0) {
        return call->name;
    }
    call_done(&call->call, "%s: %zu events, ids %lld to %lld, are stored", call->name, call->call.stored.count,
              (long long)call->call.stored.first_id, (long long)call->call.stored.last_id);
    return call->done;
}

void call_done(struct call *call, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_print(call->done, DONE_TEXT_SIZE, format, args);
    va_end(args);
}

enum status call_open_page(struct call *call, const struct cursor_scope *scope, struct page *ret_page) {
    return page_open(ret_page, &call->request, scope, call->instance->storage->info.secret, call->error);
}

void call_begin_page(struct call *call, struct page *page, const char *array_name) {
    page_begin(page, call->reply, (size_t)call->instance->config.reply_size_max, array_name);
}

enum status call_open_names(struct call *call, enum cursor_op op, size_t prefix_size_max,
                            struct name_listing *ret_listing) {
    *ret_listing = (struct name_listing){0};
    struct name_page *names = &ret_listing->names;
    enum status status =
        wire_map_text(&call->request, "prefix", OPTIONAL, prefix_size_max, &names->prefix, call->error);
    if (status != OK) {
        return status;
    }
    struct cursor_scope scope = {.op = op, .filter = cursor_bind(0, names->prefix)};
    status = call_open_page(call, &scope, &ret_listing->page);
    if (status != OK) {
        return status;
    }
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    ret_listing->after = ret_listing->page.position;
    if (ret_listing->page.has_cursor) {
        names->after = cursor_name(&ret_listing->after);
    }
    names->limit = page_limit_asked(&ret_listing->page);
    return OK;
}
