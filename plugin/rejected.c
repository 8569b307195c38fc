/* rejected.c: events that their schema did not allow: looking at them, and making events of them after all. */
#include <stdlib.h>

#include "use_cases.h"
#include "validation.h"

static const char *const STATE_NAMES[REJECTED_STATE_COUNT + 1] = {"waiting", "resubmitted", "discarded"};

/* ---- entries in replies ---- */

static void put_entry(struct wire_writer *reply, const struct rejected_entry *entry) {
    size_t map = wire_open_map(reply);
    put_int(reply, "id", entry->id);
    put_str(reply, "type", entry->type);
    put_int(reply, "schema_version", entry->schema_version);
    put_text(reply, "state", entry->state < REJECTED_STATE_COUNT ? STATE_NAMES[entry->state] : "damaged");
    put_int(reply, "created_at", entry->created_us);
    put_int(reply, "updated_at", entry->updated_us);
    uint32_t pairs = 6;
    pairs += put_map_if_sound(reply, "event", entry->event);
    pairs += put_array_if_sound(reply, "failures", entry->failures);
    pairs += put_int_unless_zero(reply, "event_id", entry->event_id);
    pairs += put_str_if_present(reply, "reason", entry->reason);
    wire_close(reply, map, pairs);
}

/* Called by the writer's thread for changes. Should the storage visit again, the last visit counts. */
struct entry_visit {
    struct wire_writer *reply;
    size_t mark;
};

static bool visit_entry(void *context, const struct rejected_entry *entry) {
    const struct entry_visit *visit = context;
    wire_rollback(visit->reply, visit->mark);
    put_entry(visit->reply, entry);
    return false;
}

static struct entry_visit begin_entry(struct call *call, uint32_t pairs) {
    wire_put_map(call->reply, pairs);
    wire_put_text(call->reply, "entry");
    return (struct entry_visit){.reply = call->reply, .mark = call->reply->buffer.size};
}

/* ---- what requests have in common ---- */

static enum status read_id(struct call *call, int64_t *ret_id) {
    return wire_map_int(&call->request, "id", REQUIRED, 1, INT64_MAX, ret_id, call->error);
}

/* `states`: an array of names, each of `allowed`. Absent: *ret_states stays. */
static enum status read_states(struct call *call, uint32_t allowed, uint32_t *ret_states) {
    struct bytes names[REJECTED_STATE_COUNT];
    uint32_t count = 0;
    enum status status =
        wire_map_names(&call->request, "states", OPTIONAL, 32, REJECTED_STATE_COUNT, names, &count, call->error);
    uint32_t states = 0;
    for (uint32_t i = 0; status == OK && i < count; i++) {
        uint32_t state = 0;
        while (state < REJECTED_STATE_COUNT && !bytes_equal_string(names[i], STATE_NAMES[state])) {
            state++;
        }
        if ((allowed >> state & 1) == 0) {
            error_set(call->error, INVALID, "%s: no state '%.*s' can be asked for here; these can: %s%s and %s",
                      call->name, BYTES_FORMAT(names[i]), (allowed & 1) != 0 ? "waiting, " : "", STATE_NAMES[1],
                      STATE_NAMES[2]);
            error_set_path(call->error, "/states/%u", i);
            return INVALID;
        }
        states |= 1u << state;
    }
    if (status == OK && count > 0) {
        *ret_states = states;
    }
    return status;
}

static enum status read_type(struct call *call, struct bytes *ret_type) {
    return wire_map_name(&call->request, "type", OPTIONAL, TYPE_SIZE_MAX, ret_type, call->error);
}

/* ---- list, get ---- */

static bool visit_listed(void *context, const struct rejected_entry *entry) {
    struct page *page = context;
    if (!page_begin_entry(page)) {
        return false;
    }
    put_entry(page->reply, entry);
    struct cursor place = {.id = entry->id};
    return page_end_entry(page, &place);
}

enum status rejected_list(struct call *call) {
    struct rejected_filter filter = {0};
    enum status status = read_type(call, &filter.type);
    if (status == OK) {
        status = read_states(call, (1u << REJECTED_STATE_COUNT) - 1, &filter.states);
    }
    if (status != OK) {
        return status;
    }
    struct page page;
    struct cursor_scope scope = {.op = CURSOR_REJECTED, .filter = cursor_bind(filter.states, filter.type)};
    status = call_open_page(call, &scope, &page);
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    size_t map = wire_open_map(call->reply);
    call_begin_page(call, &page, "entries");
    struct storage *storage = call->instance->storage;
    status = storage->ops->rejected_list(storage, &filter, page.has_cursor ? page.position.id : 0,
                                         page_limit_asked(&page), visit_listed, &page, call->error);
    if (status != OK) {
        return status;
    }
    wire_close(call->reply, map, page_end(&page));
    return OK;
}

enum status rejected_get(struct call *call) {
    int64_t id = 0;
    enum status status = read_id(call, &id);
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct entry_visit visit = begin_entry(call, 1);
    return storage->ops->rejected_get(storage, id, visit_entry, &visit, call->error);
}

/* ---- resubmit ---- */

/* The event to store: the one of the request, or the one that was kept. */
struct resubmission {
    struct buffer kept;
    struct wire_document tape;
    struct event event;
    struct append_result result;
    struct validation validation;
};

static void resubmission_done(struct resubmission *resubmission) {
    validation_done(&resubmission->validation);
    wire_document_done(&resubmission->tape);
    buffer_done(&resubmission->kept);
}

struct copy_visit {
    struct buffer *copy;
    bool no_memory;
};

static bool visit_copy(void *context, const struct rejected_entry *entry) {
    struct copy_visit *visit = context;
    visit->no_memory = !buffer_append(visit->copy, entry->event.data, entry->event.size);
    return false;
}

static enum status read_kept(struct call *call, int64_t id, struct resubmission *resubmission) {
    struct storage *storage = call->instance->storage;
    struct copy_visit visit = {.copy = &resubmission->kept};
    const struct config *config = &call->instance->config;
    struct wire_limits limits = {
        .size_max = UINT32_MAX, .depth_max = (uint32_t)config->depth_max, .seed = config->hash_seed};
    enum status status = storage->ops->rejected_get(storage, id, visit_copy, &visit, call->error);
    if (status == OK && visit.no_memory) {
        return error_set(call->error, NO_MEMORY, "%s: no memory", call->name);
    }
    if (status != OK) {
        return status;
    }
    status = wire_document_parse(&resubmission->tape, buffer_view(&resubmission->kept), &limits, call->error);
    if (status == OK) {
        status = wire_decode_event((struct wire_value){&resubmission->tape, 0}, NULL, &call->instance->config,
                                   &resubmission->event, call->error);
    }
    if (status == INVALID || status == TOO_LARGE) {
        char reason[ERROR_MESSAGE_SIZE / 2];
        memcpy(reason, call->error->message, sizeof reason - 1);
        reason[sizeof reason - 1] = '\0';
        error_set(call->error, status, "%s: the event of entry %lld cannot be stored as it is (%s); give event",
                  call->name, (long long)id, reason);
    }
    return status;
}

/* *ret_tape: where the event's payload stands. */
static enum status read_resubmission(struct call *call, int64_t *ret_id, struct resubmission *resubmission,
                                     const struct wire_document **ret_tape) {
    static const struct wire_path ROOT = {0};
    struct wire_path path = {.parent = &ROOT, .name = "event"};
    struct wire_value given;
    enum status status = read_id(call, ret_id);
    if (status != OK) {
        return status;
    }
    bool is_given = wire_map_find(&call->request, "event", &given);
    status = call_fields_end(call);
    if (status != OK) {
        return status;
    }
    *ret_tape = is_given ? given.document : &resubmission->tape;
    return is_given ? wire_decode_event(given, &path, &call->instance->config, &resubmission->event, call->error)
                    : read_kept(call, *ret_id, resubmission);
}

/* An entry that is still not allowed stays as it is, whatever the policy. */
static void refuse_what_would_be_kept(struct event *event) {
    if (event->verdict == EVENT_KEPT) {
        event->verdict = EVENT_REFUSED;
    }
}

enum status rejected_resubmit(struct call *call) {
    CLEANUP(resubmission_done) struct resubmission resubmission = {0};
    const struct wire_document *tape = NULL;
    int64_t id = 0;
    enum status status = read_resubmission(call, &id, &resubmission, &tape);
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct append_request request = {.events = &resubmission.event, .count = 1};
    struct entry_visit visit = begin_entry(call, 3);
    resubmission.validation.storage_decides = true; /* is the entry still waiting? */
    do {
        status = validation_run(&resubmission.validation, call, tape, &resubmission.event, 1);
        if (status == OK) {
            refuse_what_would_be_kept(&resubmission.event);
            request.schema_generation = resubmission.validation.generation;
            status = storage->ops->rejected_resubmit(storage, id, &request, &resubmission.result, visit_entry, &visit,
                                                     call->error);
        }
    } while (validation_is_stale(&resubmission.validation, call, status));
    if (status == REJECTED) {
        error_set_path(call->error, "/events/0"); /* the storage knows of one event only */
        status = validation_explain_refusal(&resubmission.validation, call, &resubmission.event, status);
        error_set_path(call->error, "/event");
    }
    if (status != OK) {
        return status;
    }
    call_done(call, "%s: entry %lld is event %lld", call->name, (long long)id, (long long)resubmission.result.id);
    put_int(call->reply, "id", resubmission.result.id);
    wire_put_text(call->reply, "version");
    wire_put_int_or_nil(call->reply, resubmission.result.version);
    return OK;
}

/* ---- discard, purge ---- */

enum status rejected_discard(struct call *call) {
    int64_t id = 0;
    struct bytes reason = {0};
    enum status status = read_id(call, &id);
    if (status == OK) {
        status = wire_map_name(&call->request, "reason", REQUIRED, REASON_SIZE_MAX, &reason, call->error);
    }
    if (status == OK) {
        status = call_fields_end(call);
    }
    if (status != OK) {
        return status;
    }
    struct storage *storage = call->instance->storage;
    struct entry_visit visit = begin_entry(call, 1);
    status = storage->ops->rejected_discard(storage, id, reason, visit_entry, &visit, call->error);
    call_done(call, "%s: entry %lld", call->name, (long long)id);
    return status;
}

enum status rejected_purge(struct call *call) {
    const uint32_t allowed = 1u << REJECTED_RESUBMITTED | 1u << REJECTED_DISCARDED;
    struct rejected_filter filter = {.states = allowed};
    enum status status = read_type(call, &filter.type);
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
    status = storage->ops->rejected_purge(storage, &filter, &purged, call->error);
    call_done(call, "%s: %lld entries are gone", call->name, (long long)purged);
    wire_put_map(call->reply, 1);
    put_int(call->reply, "count", purged);
    return status;
}
