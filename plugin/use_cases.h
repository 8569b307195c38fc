/* use_cases.h: what the ops of all verbs share: one call, from the request that was read to the reply that is written.
 */
#ifndef POLARIS_PLUGIN_USE_CASES_H
#define POLARIS_PLUGIN_USE_CASES_H

#include "instance.h"
#include "page.h"
#include "storage/storage.h"
#include "wire/document.h"
#include "wire/messages.h"
#include "wire/writer.h"

enum { CALL_NAME_SIZE = 64, DONE_TEXT_SIZE = 160 };

/* One op in progress. */
struct call {
    struct instance *instance;
    struct wire_map request; /* `op` has been read */
    const char *name;        /* "store append": for messages */
    struct wire_writer *reply;
    struct wire_writer *details; /* lists for the error map, should the op fail: error->more looks into it */
    struct error *error;
    char *done; /* DONE_TEXT_SIZE bytes: what an op that writes has done, for the log, should the reply get lost */
    struct {    /* of an append: put into words only if it comes to that */
        size_t count;
        int64_t first_id, last_id;
    } stored;
};

struct op {
    const char *name;
    bool writes; /* refused in read mode */
    enum status (*run)(struct call *call);
};

struct verb {
    const char *name;
    const struct op *ops; /* the last one has no name */
};

extern const struct verb VERB_STORE;
extern const struct verb VERB_QUERY;
extern const struct verb VERB_DLQ;
extern const struct verb VERB_SCHEMA;

/* A call with all that it needs, from its request's bytes to its reply. A zeroed one is empty; once opened it must not
 * move. */
struct verb_call {
    struct call call;
    const struct op *op;
    struct wire_document document;
    struct wire_writer reply; /* the reply's map, once the op returned OK; otherwise worthless */
    struct wire_writer details;
    struct error error;
    char name[CALL_NAME_SIZE];
    char done[DONE_TEXT_SIZE];
};
void verb_call_done(struct verb_call *call);

/* Reads the request, which is borrowed until the call is done, and finds the op. Errors are in call->error. */
WARN_UNUSED enum status verb_open(struct verb_call *call, const struct verb *verb, struct instance *instance,
                                  struct bytes request);
/* Runs the op. REPLY_LOST: the work was done, but its reply could not be built. */
WARN_UNUSED enum status verb_run(struct verb_call *call);
/* What the op has done, for the log. */
const char *verb_done_text(struct verb_call *call);
/* What verb_run makes of the status of an op that was run in another way. */
WARN_UNUSED enum status verb_finish(struct verb_call *call, enum status status);

/* Every field has been read: refuses those that were not asked for. */
WARN_UNUSED static inline enum status call_fields_end(struct call *call) {
    return wire_map_finish(&call->request, call->name, call->error);
}

/* INVALID at a field of the request; the message is set by error_set before. */
static inline enum status call_refuse_field(struct call *call, const char *field) {
    return wire_error_at(call->error, NULL, field);
}

__attribute__((format(printf, 2, 3))) void call_done(struct call *call, const char *format, ...);

/* A listing by name: streams, tags, schemas. */
struct name_listing {
    struct page page;
    struct cursor after; /* page.position moves on with the visits; this stays */
    struct name_page names;
};

/* Reads `prefix`, `limit` and `cursor`, and refuses other fields. `ret_listing->names` points into *ret_listing. */
WARN_UNUSED enum status call_open_names(struct call *call, enum cursor_op op, size_t prefix_size_max,
                                        struct name_listing *ret_listing);

/* Reads `limit` and `cursor`. */
WARN_UNUSED enum status call_open_page(struct call *call, const struct cursor_scope *scope, struct page *ret_page);
void call_begin_page(struct call *call, struct page *page, const char *array_name);

/* batch.list and query's batches are the same op. */
WARN_UNUSED enum status batches_list(struct call *call);

/* dlq's ops for what validation did not allow (rejected.c). */
WARN_UNUSED enum status rejected_list(struct call *call);
WARN_UNUSED enum status rejected_get(struct call *call);
WARN_UNUSED enum status rejected_resubmit(struct call *call);
WARN_UNUSED enum status rejected_discard(struct call *call);
WARN_UNUSED enum status rejected_purge(struct call *call);

/* Pairs of the reply's map; optional ones return how many were written. What comes out of a damaged file leaves the
 * reply well-formed: text is mended, and a value that is no msgpack map is left out. */
static inline void put_int(struct wire_writer *reply, const char *name, int64_t value) {
    wire_put_text(reply, name);
    wire_put_int(reply, value);
}

static inline void put_bool(struct wire_writer *reply, const char *name, bool value) {
    wire_put_text(reply, name);
    wire_put_bool(reply, value);
}

static inline void put_text(struct wire_writer *reply, const char *name, const char *value) {
    wire_put_text(reply, name);
    wire_put_mended(reply, bytes_from_string(value));
}

static inline void put_str(struct wire_writer *reply, const char *name, struct bytes value) {
    wire_put_text(reply, name);
    wire_put_mended(reply, value);
}

static inline uint32_t put_str_if_present(struct wire_writer *reply, const char *name, struct bytes value) {
    if (!bytes_present(value)) {
        return 0;
    }
    put_str(reply, name, value);
    return 1;
}

static inline uint32_t put_map_if_sound(struct wire_writer *reply, const char *name, struct bytes value) {
    if (!bytes_present(value) || !wire_is_one(value, WIRE_MAP)) {
        return 0;
    }
    wire_put_text(reply, name);
    wire_put_raw(reply, value);
    return 1;
}

static inline uint32_t put_array_if_sound(struct wire_writer *reply, const char *name, struct bytes value) {
    if (!bytes_present(value) || !wire_is_one(value, WIRE_ARRAY)) {
        return 0;
    }
    wire_put_text(reply, name);
    wire_put_raw(reply, value);
    return 1;
}

static inline uint32_t put_int_unless_zero(struct wire_writer *reply, const char *name, int64_t value) {
    if (value == 0) {
        return 0;
    }
    put_int(reply, name, value);
    return 1;
}

#endif
