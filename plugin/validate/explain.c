/* explain.c: the report: where a payload fails, at which keyword, and what was expected there. */
#include "validate/explain.h"

#include "validate/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_SIZE = 400, BYTES_PER_STEP = 16, PRINTED_PATH_MAX = 4096 };

struct span {
    uint32_t offset, size;
};

struct validate_report_entry {
    struct span instance_path, keyword_path, absolute_location, message;
    const char *code;
    uint32_t offset;
};

void validate_report_done(struct validate_report *report) {
    free(report->entries);
    buffer_done(&report->text);
    *report = (struct validate_report){.failures_max = report->failures_max, .hide_values = report->hide_values};
}

static struct bytes span_text(const struct validate_report *report, struct span span) {
    return (struct bytes){.data = report->text.data + span.offset, .size = span.size};
}

struct validate_failure validate_report_at(const struct validate_report *report, uint32_t index) {
    const struct validate_report_entry *entry = &report->entries[index];
    return (struct validate_failure){.instance_path = span_text(report, entry->instance_path),
                                     .keyword_path = span_text(report, entry->keyword_path),
                                     .absolute_location = span_text(report, entry->absolute_location),
                                     .message = span_text(report, entry->message),
                                     .code = entry->code,
                                     .offset = entry->offset};
}

static void print_line(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* snprintf that cuts at a character. */
static void print_line(char *text, size_t size, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_print(text, size, format, args);
    va_end(args);
}

void validate_failure_print(const struct validate_failure *failure, char *text, size_t size) {
    bool is_root = failure->instance_path.size == 0;
    size_t skip = failure->keyword_path.size > 0 ? 1 : 0; /* the leading slash */
    struct bytes path = is_root ? BYTES_LITERAL("(root)") : wire_utf8_cut(failure->instance_path, PRINTED_PATH_MAX);
    struct bytes keywords = {failure->keyword_path.data + skip, failure->keyword_path.size - skip};
    keywords = keywords.size > 0 ? keywords : bytes_from_string(failure->code); /* `model` is no keyword */
    print_line(text, size, "%.*s: %.*s [%.*s]", BYTES_FORMAT(path), BYTES_FORMAT(failure->message),
               BYTES_FORMAT(keywords));
}

/* ---- texts ---- */

/* False: the failure would not fit, so that the rest of it is of no use either. */
static bool has_room(const struct machine *machine, size_t size) {
    return machine->report->text.size + size <= machine->program->limits.failures_size_max;
}

static bool append(struct validate_report *report, const void *data, size_t size) {
    bool fine = buffer_append(&report->text, data, size);
    report->no_memory = report->no_memory || !fine;
    return fine;
}

/* A token of a JSON pointer. Keys are UTF-8, as the model was checked. */
static bool append_token(struct validate_report *report, struct bytes token) {
    bool fine = append(report, "/", 1);
    size_t from = 0;
    for (size_t i = 0; i < token.size && fine; i++) {
        uint8_t c = token.data[i];
        if (c == '~' || c == '/') {
            fine = append(report, token.data + from, i - from) && append(report, c == '~' ? "~0" : "~1", 2);
            from = i + 1;
        }
    }
    return fine && append(report, token.data + from, token.size - from);
}

static bool append_number(struct validate_report *report, uint32_t number) {
    char text[16];
    int size = snprintf(text, sizeof text, "/%u", number);
    return append(report, text, (size_t)size);
}

static bool append_instance_path(const struct machine *machine, struct validate_report *report) {
    bool fine = true;
    for (uint32_t i = 1; i < machine->depth && fine; i++) {
        const struct frame *frame = &machine->frames[i];
        if (frame->relation == SAME_VALUE) {
            continue;
        }
        if (machine->items[machine->frames[i - 1].value].kind == WIRE_ARRAY) {
            fine = append_number(report, frame->position);
            continue;
        }
        uint32_t key = frame->relation == KEY ? frame->value : frame->value - 1;
        bool is_text = machine->items[key].kind == WIRE_STR && machine->items[key].next == key + 1;
        fine = has_room(machine, is_text ? machine->items[key].size : 0) &&
               (is_text ? append_token(report, machine_text(machine, key)) : append_number(report, frame->position));
    }
    return fine;
}

static bool append_branch(const struct machine *machine, struct validate_report *report, const struct branch *branch) {
    switch ((enum branch_kind)branch->kind) {
    case BRANCH_NUMBER:
        return append_number(report, branch->number);
    case BRANCH_TEXT:
        return append_token(report, program_text(&machine->view, branch->number, branch->size));
    case BRANCH_NONE:
    case BRANCH_THEN:
    case BRANCH_ELSE:
        break;
    }
    return true;
}

static bool append_keyword(struct validate_report *report, enum keyword keyword) {
    return keyword == KEYWORD_NONE || append_token(report, bytes_from_string(keyword_name(keyword)));
}

static bool append_keyword_path(const struct machine *machine, struct validate_report *report, enum keyword keyword) {
    bool fine = true;
    for (uint32_t i = 0; i + 1 < machine->depth && fine && has_room(machine, 0); i++) {
        const struct branch *branch = &machine->frames[i + 1].branch;
        enum keyword through = (enum keyword)machine->view.code[machine->frames[i].pc].keyword;
        through = branch->kind == BRANCH_THEN ? KEYWORD_THEN : branch->kind == BRANCH_ELSE ? KEYWORD_ELSE : through;
        fine = append_keyword(report, through) && append_branch(machine, report, branch);
    }
    return fine && append_keyword(report, keyword);
}

static bool append_location(const struct machine *machine, struct validate_report *report, uint32_t schema,
                            enum keyword keyword) {
    uint32_t chain[1100];
    uint32_t count = 0;
    uint32_t at = machine->view.schemas[schema].location;
    for (; at != NO_INDEX && count < sizeof chain / sizeof chain[0]; at = machine->view.locations[at].parent) {
        chain[count++] = at;
    }
    bool fine = true;
    while (count > 0 && fine && has_room(machine, 0)) {
        const struct location *location = &machine->view.locations[chain[--count]];
        fine = append(report, machine->view.text + location->text, location->size);
    }
    return fine && append_keyword(report, keyword);
}

/* ---- failures ---- */

struct report_mark explain_mark(const struct machine *machine) {
    const struct validate_report *report = machine->report;
    return (struct report_mark){report->text.size, report->count, report->truncated};
}

void explain_rollback(struct machine *machine, struct report_mark mark) {
    machine->report->text.size = mark.text_size;
    machine->report->count = mark.count;
    machine->report->truncated = mark.truncated;
}

void explain_cut(struct machine *machine) {
    for (uint32_t i = 0; i < machine->depth; i++) {
        const struct frame *frame = &machine->frames[i];
        uint8_t op = frame->pc < frame->end ? machine->view.code[frame->pc].op : OP_COUNT;
        bool is_attempt = op == OP_ANY_OF || op == OP_ONE_OF || op == OP_NOT || op == OP_CONTAINS ||
                          (op == OP_IF && frame->stage == 0);
        if (is_attempt && frame->started) {
            explain_rollback(machine, frame->report);
            break;
        }
    }
    machine->report->truncated = true;
}

static struct span span_from(const struct validate_report *report, size_t start) {
    return (struct span){.offset = (uint32_t)start, .size = (uint32_t)(report->text.size - start)};
}

static struct validate_report_entry *new_entry(struct validate_report *report) {
    if (report->count == report->capacity) {
        uint32_t capacity = report->capacity == 0 ? 16 : 2 * report->capacity;
        struct validate_report_entry *entries = realloc(report->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            report->no_memory = true;
            return NULL;
        }
        report->entries = entries;
        report->capacity = capacity;
    }
    return &report->entries[report->count++];
}

static const char *code_of(enum keyword keyword) {
    return keyword == KEYWORD_NONE ? "false" : keyword_name(keyword);
}

static void add_failure(struct machine *machine, const struct frame *frame, enum keyword keyword, const char *message) {
    struct validate_report *report = machine->report;
    bool is_full = report->failures_max > 0 && report->count == report->failures_max;
    if (report->truncated || is_full || !work_spend(machine->work, machine->depth)) {
        report->truncated = true;
        return;
    }
    struct validate_report_entry made = {.code = code_of(keyword), .offset = machine->items[frame->value].offset};
    size_t start = report->text.size;
    bool fine = append_instance_path(machine, report);
    made.instance_path = span_from(report, start);
    size_t at = report->text.size;
    fine = fine && append_keyword_path(machine, report, keyword);
    made.keyword_path = span_from(report, at);
    at = report->text.size;
    fine = fine && append_location(machine, report, frame->schema, keyword);
    made.absolute_location = span_from(report, at);
    at = report->text.size;
    fine = fine && append(report, message, strlen(message));
    made.message = span_from(report, at);
    bool is_paid = work_spend(machine->work, (report->text.size - start) / BYTES_PER_STEP);
    struct validate_report_entry *entry = fine && is_paid && has_room(machine, 0) ? new_entry(report) : NULL;
    if (entry == NULL) {
        report->text.size = start;
        report->truncated = true;
        return;
    }
    *entry = made;
}

void explain_failure(struct machine *machine, const struct frame *frame, enum keyword keyword, const char *format,
                     ...) {
    char message[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    error_print(message, sizeof message, format, args);
    va_end(args);
    enum keyword own = (enum keyword)machine->view.code[frame->pc].keyword;
    add_failure(machine, frame, keyword == KEYWORD_NONE ? own : keyword, message);
}

/* ---- what the JSON model lacks ---- */

/* The pointer to an item, found from the root down. */
static bool append_tape_path(struct wire_value root, uint32_t item, struct validate_report *report) {
    const struct wire_document *document = root.document;
    bool fine = true;
    while (root.index != item && fine) {
        bool is_map = wire_value_kind(root) == WIRE_MAP;
        struct wire_value child = {document, root.index + 1};
        uint32_t position = 0;
        struct wire_value key = child;
        for (;; position++) {
            key = child;
            child = is_map ? wire_value_next(key) : key;
            if (value_item(child)->next > item) {
                break;
            }
            child = wire_value_next(child);
        }
        bool is_text = is_map && wire_value_kind(key) == WIRE_STR && wire_utf8_valid(value_text(key));
        fine = is_text ? append_token(report, value_text(key)) : append_number(report, position);
        if (is_map && item < child.index) {
            break; /* within the key itself */
        }
        root = child;
    }
    return fine;
}

void explain_model(struct validate_report *report, uint32_t size_max, struct wire_value root,
                   const struct model_fault *fault) {
    uint32_t item = fault->map != WORK_NONE ? fault->map : fault->item;
    struct wire_value value = {root.document, fault->item};
    struct validate_report_entry made = {.code = "model", .offset = value_item(value)->offset};
    char message[MESSAGE_SIZE];
    if (fault->map == WORK_NONE) {
        snprintf(message, sizeof message, "must %s (got %s)", fault->what, value_type_name(value));
    } else {
        char key[EXPLAIN_VALUE_SIZE];
        explain_print_value(value, report->hide_values, key);
        snprintf(message, sizeof message, "must %s (got %s)", fault->what, key);
    }
    bool fine = append_tape_path(root, item, report);
    made.instance_path = span_from(report, 0);
    made.keyword_path = span_from(report, report->text.size);
    made.absolute_location = made.keyword_path;
    size_t at = report->text.size;
    fine = fine && append(report, message, strlen(message));
    made.message = span_from(report, at);
    struct validate_report_entry *entry = fine && report->text.size <= size_max ? new_entry(report) : NULL;
    if (entry == NULL) {
        report->text.size = 0;
        report->truncated = true;
        return;
    }
    *entry = made;
}
