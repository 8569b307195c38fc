/* validation.c: judging events by the registry's programs, and telling what came of it. */
#include "validation.h"

#include <stdio.h>
#include <stdlib.h>

#include "failures.h"

enum {
    ROUNDS_MAX = 16,
    NOTE_REPLY_SIZE = 80 + TYPE_SIZE_MAX,
    BRIEF_PART = 4 /* failures are told in brief beyond this part of reply_size_max */
};

static void free_notes(struct validation *validation) {
    free(validation->notes);
    validation->notes = NULL;
    validation->note_count = 0;
    validation->note_capacity = 0;
}

void validation_done(struct validation *validation) {
    free_notes(validation);
    wire_writer_done(&validation->text);
}

/* What one call needs for all of its events. */
struct judge {
    struct validation *validation;
    struct call *call;
    const struct wire_document *document;
    struct validate_context *context; /* borrowed when first needed */
    struct validate_report report;
    struct bytes type; /* of the subject that is held */
    const struct subject *subject;
};

static void judge_done(struct judge *judge) {
    registry_release(&judge->subject);
    registry_return_context(judge->call->instance->registry, judge->context);
    validate_report_done(&judge->report);
}

/* Events of one request are of few types: the last one's subject is kept at hand. */
static enum status find_subject(struct judge *judge, struct bytes type) {
    if (judge->subject != NULL && bytes_equal(judge->type, type)) {
        return OK;
    }
    registry_release(&judge->subject);
    judge->subject = NULL;
    judge->type = type;
    return registry_acquire(judge->call->instance->registry, type, &judge->subject, judge->call->error);
}

static enum status no_memory(struct call *call) {
    return error_set(call->error, NO_MEMORY, "%s: no memory to validate the events", call->name);
}

static struct validation_note *add_note(struct validation *validation) {
    if (validation->note_count == validation->note_capacity) {
        size_t capacity = validation->note_capacity == 0 ? 4 : 2 * validation->note_capacity;
        struct validation_note *notes = realloc(validation->notes, capacity * sizeof *notes);
        if (notes == NULL) {
            return NULL;
        }
        validation->notes = notes;
        validation->note_capacity = capacity;
    }
    struct validation_note *note = &validation->notes[validation->note_count++];
    *note = (struct validation_note){.failures = validation->text.buffer.size};
    return note;
}

/* Writes the failures of the payload into the note. Ten thousand events with long reports must not fill the memory:
 * once all texts together are long, the first failure of each must do. */
static enum status explain(struct judge *judge, struct wire_value payload, struct validation_note *note) {
    const struct config *config = &judge->call->instance->config;
    struct wire_writer *text = &judge->validation->text;
    bool is_brief = text->buffer.size > (uint64_t)config->reply_size_max / BRIEF_PART;
    bool valid = false;
    judge->report.hide_values = config->hide_values;
    judge->report.failures_max = is_brief ? 1 : (uint32_t)config->failures_max;
    enum status status =
        validate_explain(judge->subject->program, judge->context, payload, &valid, &judge->report, judge->call->error);
    if (status != OK && status != TOO_LARGE) { /* a limit: the failures so far are told, as truncated */
        return status;
    }
    const char *code = "limit";
    if (judge->report.count == 0) {
        snprintf(note->line, sizeof note->line, "%.*s", (int)sizeof note->line - 4, judge->call->error->message);
    } else {
        struct validate_failure failure = validate_report_at(&judge->report, 0);
        validate_failure_print(&failure, note->line, sizeof note->line);
        code = failure.code;
    }
    if (is_brief) {
        failures_put_line(text, code, note->line);
        note->truncated = true;
    } else {
        note->truncated = failures_put(text, &judge->report, judge->document->items[payload.index].offset);
    }
    return OK;
}

static void note_limit(struct validation_note *note, const struct error *limit) {
    for (size_t i = 0; i < limit->detail_count; i++) {
        if (limit->details[i].is_text) {
            snprintf(note->limit_name, sizeof note->limit_name, "%.*s", (int)sizeof note->limit_name - 1,
                     limit->details[i].text);
        } else {
            note->limit = limit->details[i].number;
        }
    }
}

/* Says in a note why the event is not allowed. `limit`: it could not be judged, for that reason; otherwise NULL. */
static enum status describe(struct judge *judge, const struct event *event, size_t index, const struct error *limit,
                            struct validation_note **ret_note) {
    struct wire_writer *text = &judge->validation->text;
    struct validation_note *note = add_note(judge->validation);
    if (note == NULL) {
        return no_memory(judge->call);
    }
    note->index = index;
    note->version = judge->subject->version;
    if (limit != NULL) {
        snprintf(note->line, sizeof note->line, "%.*s", (int)sizeof note->line - 4, limit->message);
        note_limit(note, limit);
        failures_put_line(text, "limit", limit->message);
    } else {
        enum status status = explain(judge, (struct wire_value){judge->document, event->data_item}, note);
        if (status != OK) {
            return status;
        }
    }
    note->failures_size = text->buffer.size - note->failures;
    *ret_note = note;
    return text->failed ? no_memory(judge->call) : OK;
}

static struct bytes note_failures(const struct validation *validation, const struct validation_note *note) {
    return (struct bytes){validation->text.buffer.data + note->failures, note->failures_size};
}

static enum status refuse(const struct validation *validation, struct call *call, const struct event *event,
                          const struct validation_note *note) {
    struct error *error = call->error;
    if (note->limit_name[0] != '\0') {
        error_set(error, TOO_LARGE, "%s: %s", call->name, note->line);
        error_set_path(error, "/events/%zu", note->index);
        error_add_text(error, "limit_name", note->limit_name);
        error_add_number(error, "limit", note->limit);
        return TOO_LARGE;
    }
    char type[TYPE_SIZE_MAX + 1];
    snprintf(type, sizeof type, "%.*s", BYTES_FORMAT(event->type));
    error_set(error, REJECTED, "%s: the event does not satisfy version %lld of the schema of '%s': %s", call->name,
              (long long)note->version, type, note->line);
    error_set_path(error, "/events/%zu", note->index);
    error_add_text(error, "type", type);
    error_add_number(error, "version", note->version);
    wire_rollback(call->details, 0);
    wire_put_text(call->details, "failures");
    wire_put_raw(call->details, note_failures(validation, note));
    put_bool(call->details, "truncated", note->truncated);
    if (!call->details->failed) {
        error->more = buffer_view(&call->details->buffer);
        error->more_pairs = 2;
    }
    return REJECTED;
}

/* The event is not allowed, or could not be judged. */
static enum status apply_policy(struct judge *judge, struct event *event, size_t index, const struct error *limit) {
    enum schema_policy policy = judge->subject->settings.policy;
    struct validation_note *note = NULL;
    enum status status = describe(judge, event, index, limit, &note);
    if (status != OK) {
        return status;
    }
    switch (policy) {
    case SCHEMA_POLICY_REJECT:
        event->verdict = EVENT_REFUSED;
        return bytes_present(event->key) || judge->validation->storage_decides
                   ? OK
                   : refuse(judge->validation, judge->call, event, note);
    case SCHEMA_POLICY_DEAD_LETTER:
        event->verdict = EVENT_KEPT;
        return OK;
    case SCHEMA_POLICY_WARN:
    case SCHEMA_POLICY_OFF:
    case SCHEMA_POLICY_COUNT:
        break;
    }
    return OK;
}

static enum status judge_event(struct judge *judge, struct event *event, size_t index) {
    event->verdict = EVENT_ACCEPTED;
    event->schema_version = 0;
    enum status status = find_subject(judge, event->type);
    if (status != OK) {
        error_set_path(judge->call->error, "/events/%zu", index);
        return status;
    }
    if (judge->subject->program == NULL) {
        return OK;
    }
    if (judge->context == NULL) {
        judge->context = registry_borrow_context(judge->call->instance->registry);
        if (judge->context == NULL) {
            return no_memory(judge->call);
        }
    }
    bool valid = false;
    struct error error;
    event->schema_version = judge->subject->version;
    status = validate_run(judge->subject->program, judge->context,
                          (struct wire_value){judge->document, event->data_item}, &valid, &error);
    if (status == OK && valid) {
        return OK;
    }
    if (status != OK && status != TOO_LARGE) {
        *judge->call->error = error;
        return status;
    }
    return apply_policy(judge, event, index, status == OK ? NULL : &error);
}

enum status validation_run(struct validation *validation, struct call *call, const struct wire_document *document,
                           struct event *events, size_t count) {
    struct storage *storage = call->instance->storage;
    validation->note_count = 0;
    wire_rollback(&validation->text, 0);
    validation->generation = storage->ops->schema_generation(storage);
    CLEANUP(judge_done) struct judge judge = {.validation = validation, .call = call, .document = document};
    for (size_t i = 0; i < count; i++) {
        enum status status = judge_event(&judge, &events[i], i);
        if (status != OK) {
            return status;
        }
    }
    for (size_t i = 0; i < validation->note_count; i++) { /* only now does the text stay where it is */
        events[validation->notes[i].index].failures = note_failures(validation, &validation->notes[i]);
    }
    return OK;
}

bool validation_is_stale(struct validation *validation, struct call *call, enum status status) {
    struct storage *storage = call->instance->storage;
    return status == BUSY && storage->ops->schema_generation(storage) != validation->generation &&
           validation->rounds++ < ROUNDS_MAX;
}

enum status validation_explain_refusal(struct validation *validation, struct call *call, const struct event *events,
                                       enum status status) {
    size_t index = 0;
    if (status != REJECTED || sscanf(call->error->path, "/events/%zu", &index) != 1) {
        return status;
    }
    for (size_t i = 0; i < validation->note_count; i++) {
        if (validation->notes[i].index == index) {
            return refuse(validation, call, &events[index], &validation->notes[i]);
        }
    }
    return status;
}

/* ---- the reply ---- */

size_t validation_reply_size(const struct validation *validation) {
    return validation->text.buffer.size + validation->note_count * NOTE_REPLY_SIZE;
}

static uint32_t count_notes(const struct validation *validation, const struct event *events,
                            const struct append_result *results, bool rejected) {
    uint32_t count = 0;
    for (size_t i = 0; i < validation->note_count; i++) {
        size_t index = validation->notes[i].index;
        bool is_rejected = events[index].verdict == EVENT_KEPT;
        count += is_rejected == rejected && !results[index].duplicate;
    }
    return count;
}

static void put_note(const struct validation *validation, struct wire_writer *reply, const struct validation_note *note,
                     const struct event *event, const struct append_result *result) {
    bool is_rejected = event->verdict == EVENT_KEPT;
    wire_put_map(reply, is_rejected ? 6 : 5);
    put_int(reply, "index", (int64_t)note->index);
    if (is_rejected) {
        put_int(reply, "id", result->rejected_id);
    }
    put_str(reply, "type", event->type);
    put_int(reply, "version", note->version);
    wire_put_text(reply, "failures");
    wire_put_raw(reply, note_failures(validation, note));
    put_bool(reply, "truncated", note->truncated);
}

static uint32_t put_notes(const struct validation *validation, struct wire_writer *reply, const struct event *events,
                          const struct append_result *results, bool rejected) {
    uint32_t count = count_notes(validation, events, results, rejected);
    if (count == 0) {
        return 0;
    }
    wire_put_text(reply, rejected ? "rejected" : "warnings");
    wire_put_array(reply, count);
    for (size_t i = 0; i < validation->note_count; i++) {
        const struct validation_note *note = &validation->notes[i];
        bool is_rejected = events[note->index].verdict == EVENT_KEPT;
        if (is_rejected == rejected && !results[note->index].duplicate) {
            put_note(validation, reply, note, &events[note->index], &results[note->index]);
        }
    }
    return 1;
}

/* One line for a request: the log must not grow faster than the store. */
static void log_warnings(const struct validation *validation, struct call *call, const struct event *events,
                         const struct append_result *results) {
    uint32_t warned = count_notes(validation, events, results, false);
    uint32_t kept = count_notes(validation, events, results, true);
    if (warned + kept == 0) {
        return;
    }
    const struct validation_note *first = validation->notes;
    while (results[first->index].duplicate) {
        first++; /* one is no duplicate, as they were counted */
    }
    const struct storage_host *host = &call->instance->host;
    host->log(host->context, POLARIS_ES_LOG_WARNING,
              "%s: %u events rejected by their schema, %u stored all the same; type '%.*s', version %lld: %s",
              call->name, kept, warned, BYTES_FORMAT(events[first->index].type), (long long)first->version,
              first->line);
}

uint32_t validation_put(const struct validation *validation, struct call *call, const struct event *events,
                        const struct append_result *results) {
    if (validation->note_count == 0) {
        return 0;
    }
    log_warnings(validation, call, events, results);
    return put_notes(validation, call->reply, events, results, true) +
           put_notes(validation, call->reply, events, results, false);
}
