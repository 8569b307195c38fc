/* dlq.c: dead letters: which events a consumer failed on, and when to try again. */
#include "use_cases.h"

static const char CONSUMER_DEFAULT[] = "default";
enum { RETRY_LIMIT_DEFAULT = 100, ATTEMPTS_MAX_MAX = 1000 };
/* The range of `lease_us`, as the configuration's default of it has. */
static const int64_t LEASE_US_MIN = 1000;
static const int64_t LEASE_US_MAX = INT64_C(86400000000);

/* ---- what requests have in common ---- */

/* `consumer` as given; absent is left absent. */
static enum status read_consumer(struct call *call, struct bytes *ret_consumer) {
    return wire_map_name(&call->request, "consumer", OPTIONAL, CONSUMER_SIZE_MAX, ret_consumer, call->error);
}

static enum status read_consumer_or_default(struct call *call, struct bytes *ret_consumer) {
    *ret_consumer = bytes_from_string(CONSUMER_DEFAULT);
    return read_consumer(call, ret_consumer);
}

/* An entry is named by `id`, or by `event_id` and `consumer`. *ret_given: one of the two ids is there. */
static enum status read_ref_if_given(struct call *call, struct dead_letter_ref *ret_ref, bool *ret_given) {
    struct wire_map *request = &call->request;
    struct bytes consumer = {0};
    enum status status = wire_map_int(request, "id", OPTIONAL, 1, INT64_MAX, &ret_ref->id, call->error);
    if (status == OK) {
        status = wire_map_int(request, "event_id", OPTIONAL, 1, INT64_MAX, &ret_ref->event_id, call->error);
    }
    if (status == OK) {
        status = read_consumer(call, &consumer);
    }
    if (status != OK) {
        return status;
    }
    if (ret_ref->id != 0 && (ret_ref->event_id != 0 || bytes_present(consumer))) {
        error_set(call->error, INVALID, "%s: id names the entry alone; leave out event_id and consumer", call->name);
        return call_refuse_field(call, "id");
    }
    *ret_given = ret_ref->id != 0 || ret_ref->event_id != 0;
    ret_ref->consumer = bytes_present(consumer) ? consumer : bytes_from_string(CONSUMER_DEFAULT);
    return OK;
}

static enum status read_ref(struct call *call, struct dead_letter_ref *ret_ref) {
    bool given = false;
    enum status status = read_ref_if_given(call, ret_ref, &given);
    if (status == OK && !given) {
        error_set(call->error, INVALID, "%s: which one? give id, or event_id and consumer", call->name);
        return call_refuse_field(call, "id");
    }
    return status;
}

/* A failure's message must never get lost over its length: it is cut, at a character. */
static void cut_message(struct bytes *message) {
    if (message->size <= MESSAGE_SIZE_MAX) {
        return;
    }
    size_t size = MESSAGE_SIZE_MAX;
    while (size > 0 && (message->data[size] & 0xC0) == 0x80) {
        size--;
    }
    message->size = size;
}

static enum status read_failure(struct call *call, struct dead_letter_failure *ret_failure) {
    struct wire_value value;
    if (!wire_map_find(&call->request, "error", &value)) {
        error_set(call->error, INVALID, "%s: error is missing: a map with message, and class", call->name);
        return call_refuse_field(call, "error");
    }
    struct wire_path path = {.parent = call->request.path, .name = "error"};
    struct wire_map map;
    enum status status = wire_map_open(&map, value, &path, call->error);
    if (status == OK) {
        status = wire_map_text(&map, "message", REQUIRED, SIZE_MAX, &ret_failure->message, call->error);
    }
    if (status == OK) {
        status = wire_map_name(&map, "class", OPTIONAL, CLASS_SIZE_MAX, &ret_failure->class_name, call->error);
    }
    if (status == OK) {
        status = wire_map_finish(&map, "the error of a dead letter", call->error);
    }
    if (status == OK) {
        cut_message(&ret_failure->message);
    }
    return status;
}

/* `states`: an array of names out of `allowed`; absent leaves *ret_states alone. */
static enum status read_states(struct call *call, uint32_t allowed, uint32_t *ret_states) {
    struct bytes names[DEAD_LETTER_STATE_COUNT];
    uint32_t count = 0;
    enum status status =
        wire_map_names(&call->request, "states", OPTIONAL, 16, DEAD_LETTER_STATE_COUNT, names, &count, call->error);
    if (status != OK || count == 0) {
        return status;
    }
    uint32_t states = 0;
    for (uint32_t i = 0; i < count; i++) {
        enum dead_letter_state state;
        if (!dead_letter_state_from_name(names[i], &state) || (allowed & (1u << state)) == 0) {
            error_set(call->error, INVALID, "%s: no state '%.*s' can be asked for here", call->name,
                      BYTES_FORMAT(names[i]));
            error_set_path(call->error, "/states/%u", i);
            return INVALID;
        }
        states |= 1u << state;
    }
    *ret_states = states;
    return OK;
}

/* ---- what replies have in common ---- */

/* One entry under `entry`. Should the storage visit again, the last visit counts. */
struct entry_visit {
    struct wire_writer *reply;
    size_t mark;
};

static struct entry_visit begin_entry(struct call *call, uint32_t pairs) {
    wire_put_map(call->reply, pairs);
    wire_put_text(call->reply, "entry");
    return (struct entry_visit){.reply = call->reply, .mark = call->reply->buffer.size};
}

static bool visit_entry(void *context, const struct dead_letter *letter, const struct stored_event *event) {
    const struct entry_visit *visit = context;
    wire_rollback(visit->reply, visit->mark);
    wire_encode_dead_letter(visit->reply, letter, event);
    return false;
}

/* ---- put ---- */

static enum status put(struct call *call) {
    struct dead_letter_put put = {.attempts_max = -1, .delay_us = -1};
    struct wire_map *request = &call->request;
    enum status status = wire_map_int(request, "event_id", REQUIRED, 1, INT64_MAX, &put.event_id, call->error);
    if (status == OK) {
        status = read_consumer_or_default(call, &put.consumer);
    }
    if (status == OK) {
        status = read_failure(call, &put.failure);
    }
    if (status == OK) {
        status = wire_map_int(request, "attempts_max", OPTIONAL, 1, ATTEMPTS_MAX_MAX, &put.attempts_max, call->error);
    }
    if (status == OK) {
        status = wire_map_int(request, "delay_us", OPTIONAL, 0, INT64_MAX, &put.delay_us, call->error);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct entry_visit visit = begin_entry(call, 1);
    call_done(call, "dlq put: event %lld is a dead letter of '%.*s'", (long long)put.event_id,
              BYTES_FORMAT(put.consumer));
    return storage->ops->dead_letter_put(storage, &put, visit_entry, &visit, call->error);
}

/* ---- claim, retry ---- */

struct claim_visit {
    struct wire_writer *reply;
    size_t size_max;
    uint32_t count;
};

/* What is visited is handed out, so it is never taken back; a reply that has reached its size ends the claim. */
static bool visit_claimed(void *context, const struct dead_letter *letter, const struct stored_event *event) {
    struct claim_visit *visit = context;
    wire_encode_dead_letter(visit->reply, letter, event);
    visit->count++;
    return !visit->reply->failed && visit->reply->buffer.size < visit->size_max;
}

/* Hands out what is due. `request` is complete; `parked` is told by retry only, `next_due_at` by claim only. */
static enum status hand_out(struct call *call, const struct dead_letter_claim_request *request) {
    size_t map = wire_open_map(call->reply);
    wire_put_text(call->reply, "entries");
    size_t array = wire_open_array(call->reply);
    struct claim_visit visit = {
        .reply = call->reply,
        .size_max = (size_t)call->instance->config.reply_size_max,
    };
    int64_t next_due_us = 0;
    int64_t parked = 0;
    struct storage *storage = call->instance->storage;
    enum status status =
        storage->ops->dead_letter_claim(storage, request, visit_claimed, &visit, &next_due_us, &parked, call->error);
    if (status != OK) {
        return status;
    }
    call_done(call, "%s: %u entries are claimed by '%.*s' until their leases expire", call->name, visit.count,
              BYTES_FORMAT(request->consumer));
    wire_close(call->reply, array, visit.count);
    put_int(call->reply, "count", visit.count);
    uint32_t pairs = 2;
    if (request->count_now) {
        put_int(call->reply, "parked", parked);
        pairs++;
    } else {
        pairs += put_int_unless_zero(call->reply, "next_due_at", next_due_us);
    }
    wire_close(call->reply, map, pairs);
    return OK;
}

static enum status claim(struct call *call) {
    struct dead_letter_claim_request claim = {.limit = 1, .lease_us = -1, .attempts_max = -1};
    struct wire_map *request = &call->request;
    enum status status = read_consumer_or_default(call, &claim.consumer);
    if (status == OK) {
        status = wire_map_int(request, "limit", OPTIONAL, 0, CLAIM_LIMIT_MAX, &claim.limit, call->error);
    }
    if (status == OK) {
        status = wire_map_int(request, "lease_us", OPTIONAL, LEASE_US_MIN, LEASE_US_MAX, &claim.lease_us, call->error);
    }
    if (status == OK) {
        status = wire_map_name(request, "holder", OPTIONAL, HOLDER_SIZE_MAX, &claim.holder, call->error);
    }
    if (status == OK) {
        status = wire_map_bool(request, "ordered", OPTIONAL, &claim.ordered, call->error);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    return status == OK ? hand_out(call, &claim) : status;
}

static enum status retry(struct call *call) {
    struct dead_letter_claim_request claim = {
        .limit = RETRY_LIMIT_DEFAULT,
        .lease_us = -1,
        .attempts_max = -1,
        .count_now = true,
    };
    struct wire_map *request = &call->request;
    enum status status = read_consumer_or_default(call, &claim.consumer);
    if (status == OK) {
        status = wire_map_int(request, "limit", OPTIONAL, 0, CLAIM_LIMIT_MAX, &claim.limit, call->error);
    }
    if (status == OK) {
        status = wire_map_int(request, "attempts_max", OPTIONAL, 1, ATTEMPTS_MAX_MAX, &claim.attempts_max, call->error);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    return status == OK ? hand_out(call, &claim) : status;
}

/* ---- resolve, fail, discard ---- */

typedef enum status (*change_function)(struct storage *self, const struct dead_letter_change *change,
                                       dead_letter_visitor visit, void *context, struct error *error);

/* Reads what names the entry and its lease. */
static enum status read_change(struct call *call, struct dead_letter_change *ret_change) {
    *ret_change = (struct dead_letter_change){.token = -1, .delay_us = -1};
    enum status status = read_ref(call, &ret_change->ref);
    if (status == OK) {
        status = wire_map_int(&call->request, "token", OPTIONAL, 0, INT64_MAX, &ret_change->token, call->error);
    }
    return status;
}

static enum status run_change(struct call *call, const struct dead_letter_change *change, change_function function) {
    enum status status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    const struct dead_letter_ref *ref = &change->ref;
    call_done(call, "%s: %s %lld was changed", call->name, ref->id != 0 ? "dead letter" : "the dead letter of event",
              (long long)(ref->id != 0 ? ref->id : ref->event_id));
    struct entry_visit visit = begin_entry(call, 1);
    return function(call->instance->storage, change, visit_entry, &visit, call->error);
}

static enum status resolve(struct call *call) {
    struct dead_letter_change change;
    enum status status = read_change(call, &change);
    return status == OK ? run_change(call, &change, call->instance->storage->ops->dead_letter_resolve) : status;
}

static enum status fail(struct call *call) {
    struct dead_letter_change change;
    struct wire_map *request = &call->request;
    enum status status = read_change(call, &change);
    if (status == OK) {
        status = read_failure(call, &change.failure);
    }
    if (status == OK) {
        status = wire_map_int(request, "delay_us", OPTIONAL, 0, INT64_MAX, &change.delay_us, call->error);
    }
    if (status == OK) {
        status = wire_map_bool(request, "park", OPTIONAL, &change.park, call->error);
    }
    return status == OK ? run_change(call, &change, call->instance->storage->ops->dead_letter_fail) : status;
}

static enum status discard(struct call *call) {
    struct dead_letter_change change;
    enum status status = read_change(call, &change);
    if (status == OK) {
        status = wire_map_name(&call->request, "reason", REQUIRED, REASON_SIZE_MAX, &change.reason, call->error);
    }
    return status == OK ? run_change(call, &change, call->instance->storage->ops->dead_letter_discard) : status;
}

/* ---- get, list, count ---- */

static enum status get(struct call *call) {
    struct dead_letter_ref ref = {0};
    bool with_event = false;
    enum status status = read_ref(call, &ref);
    if (status == OK) {
        status = wire_map_bool(&call->request, "with_event", OPTIONAL, &with_event, call->error);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct entry_visit visit = begin_entry(call, 1);
    return storage->ops->dead_letter_get(storage, &ref, with_event, visit_entry, &visit, call->error);
}

static bool visit_listed(void *context, const struct dead_letter *letter, const struct stored_event *event) {
    struct page *page = context;
    if (!page_begin_entry(page)) {
        return false;
    }
    wire_encode_dead_letter(page->reply, letter, event);
    struct cursor place = {.id = letter->id};
    return page_end_entry(page, &place);
}

static enum status read_list(struct call *call, struct dead_letter_list *ret_list, struct page *ret_page) {
    struct dead_letter_filter *filter = &ret_list->filter;
    enum status status = read_consumer(call, &filter->consumer);
    if (status == OK) {
        status = read_states(call, DEAD_LETTER_ALL, &filter->states);
    }
    if (status == OK) {
        status = wire_map_name(&call->request, "stream", OPTIONAL, STREAM_SIZE_MAX, &filter->stream, call->error);
    }
    if (status == OK) {
        status = wire_map_bool(&call->request, "with_events", OPTIONAL, &ret_list->with_events, call->error);
    }
    if (status != OK) {
        return status;
    }
    struct cursor_scope scope = {
        .op = CURSOR_DEAD_LETTERS,
        .filter = cursor_bind(cursor_bind(filter->states, filter->consumer), filter->stream),
    };
    status = call_open_page(call, &scope, ret_page);
    ret_list->after_id = ret_page->position.id;
    ret_list->limit = page_limit_asked(ret_page);
    return status == OK ? call_fields_end(call) : status;
}

static enum status list(struct call *call) {
    struct dead_letter_list list = {0};
    struct page page;
    enum status status = read_list(call, &list, &page);
    if (status != OK) {
        return status;
    }
    size_t map = wire_open_map(call->reply);
    call_begin_page(call, &page, "entries");
    struct storage *storage = call->instance->storage;
    status = storage->ops->dead_letter_list(storage, &list, visit_listed, &page, call->error);
    if (status != OK) {
        return status;
    }
    wire_close(call->reply, map, page_end(&page));
    return OK;
}

struct count_visit {
    struct wire_writer *reply;
    uint32_t consumers;
    int64_t total;
};

static bool visit_count(void *context, const struct dead_letter_count *count) {
    struct count_visit *visit = context;
    wire_put_map(visit->reply, 2 + DEAD_LETTER_STATE_COUNT);
    put_str(visit->reply, "consumer", count->consumer);
    for (unsigned state = 0; state < DEAD_LETTER_STATE_COUNT; state++) {
        put_int(visit->reply, dead_letter_state_name((enum dead_letter_state)state), count->states[state]);
        visit->total += count->states[state];
    }
    put_int(visit->reply, "due", count->due);
    visit->consumers++;
    return true;
}

static enum status count(struct call *call) {
    struct bytes consumer = {0};
    enum status status = read_consumer(call, &consumer);
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    wire_put_map(call->reply, 2);
    wire_put_text(call->reply, "consumers");
    struct count_visit visit = {.reply = call->reply};
    size_t array = wire_open_array(call->reply);
    struct storage *storage = call->instance->storage;
    status = storage->ops->dead_letter_count(storage, consumer, visit_count, &visit, call->error);
    if (status != OK) {
        return status;
    }
    wire_close(call->reply, array, visit.consumers);
    put_int(call->reply, "total", visit.total);
    return OK;
}

/* ---- redrive, purge ---- */

static enum status redrive_one(struct call *call, const struct dead_letter_ref *ref) {
    struct storage *storage = call->instance->storage;
    struct entry_visit visit = begin_entry(call, 2);
    enum status status = storage->ops->dead_letter_redrive_one(storage, ref, visit_entry, &visit, call->error);
    put_int(call->reply, "count", 1);
    return status;
}

static enum status redrive_many(struct call *call, const struct dead_letter_filter *filter) {
    int64_t redriven = 0;
    struct storage *storage = call->instance->storage;
    enum status status = storage->ops->dead_letter_redrive(storage, filter, &redriven, call->error);
    call_done(call, "dlq redrive: %lld entries are due at once", (long long)redriven);
    wire_put_map(call->reply, 1);
    put_int(call->reply, "count", redriven);
    return status;
}

static enum status redrive(struct call *call) {
    const uint32_t allowed = 1u << DEAD_LETTER_PENDING | 1u << DEAD_LETTER_PARKED;
    struct dead_letter_ref ref = {0};
    struct dead_letter_filter filter = {0};
    bool one = false;
    bool all = false;
    enum status status = read_ref_if_given(call, &ref, &one);
    if (status == OK) {
        status = wire_map_name(&call->request, "stream", OPTIONAL, STREAM_SIZE_MAX, &filter.stream, call->error);
    }
    if (status == OK) {
        status = read_states(call, allowed, &filter.states);
    }
    if (status == OK) {
        status = wire_map_bool(&call->request, "all", OPTIONAL, &all, call->error);
    }
    if (status == OK && !one) {
        status = read_consumer(call, &filter.consumer);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    bool some = bytes_present(filter.consumer) || bytes_present(filter.stream) || filter.states != 0;
    if ((int)one + (int)some + (int)all != 1) {
        return error_set(call->error, INVALID,
                         "dlq redrive: which ones? give one entry (id, or event_id and consumer), or some of consumer, "
                         "stream and states, or all: true");
    }
    if (one) {
        return redrive_one(call, &ref);
    }
    filter.states = filter.states != 0 ? filter.states : allowed;
    return redrive_many(call, &filter);
}

static enum status purge(struct call *call) {
    const uint32_t allowed = 1u << DEAD_LETTER_RESOLVED | 1u << DEAD_LETTER_DISCARDED;
    struct dead_letter_filter filter = {.states = allowed};
    enum status status = read_consumer(call, &filter.consumer);
    if (status == OK) {
        status = wire_map_name(&call->request, "stream", OPTIONAL, STREAM_SIZE_MAX, &filter.stream, call->error);
    }
    if (status == OK) {
        status = read_states(call, allowed, &filter.states);
    }
    if (status == OK) {
        status = wire_map_time(&call->request, "before", OPTIONAL, &filter.has_updated_before,
                               &filter.updated_before_us, call->error);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    int64_t purged = 0;
    struct storage *storage = call->instance->storage;
    status = storage->ops->dead_letter_purge(storage, &filter, &purged, call->error);
    call_done(call, "dlq purge: %lld entries are gone", (long long)purged);
    wire_put_map(call->reply, 1);
    put_int(call->reply, "count", purged);
    return status;
}

static const struct op DLQ_OPS[] = {
    {"put", true, put},
    {"claim", true, claim},
    {"resolve", true, resolve},
    {"fail", true, fail},
    {"discard", true, discard},
    {"list", false, list},
    {"get", false, get},
    {"count", false, count},
    {"redrive", true, redrive},
    {"purge", true, purge},
    {"retry", true, retry},
    {"rejected.list", false, rejected_list},
    {"rejected.get", false, rejected_get},
    {"rejected.resubmit", true, rejected_resubmit},
    {"rejected.discard", true, rejected_discard},
    {"rejected.purge", true, rejected_purge},
    {0},
};

const struct verb VERB_DLQ = {"dlq", DLQ_OPS};
