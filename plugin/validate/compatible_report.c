/* compatible_report.c: the differences of two schemas, their texts in one buffer. */
#include "validate/compatible_report.h"

#include <stdlib.h>

struct text_range {
    uint32_t offset, size;
    bool present;
};

struct compatible_entry {
    const char *kind;
    enum compatible_answer answer;
    struct text_range writer_path, reader_path, message, witness;
};

void compatible_report_done(struct compatible_report *report) {
    free(report->entries);
    buffer_done(&report->text);
    *report = (struct compatible_report){0};
}

static struct bytes text_at(const struct compatible_report *report, struct text_range range) {
    static const uint8_t EMPTY[1];
    if (!range.present) {
        return (struct bytes){0};
    }
    return (struct bytes){range.size > 0 ? report->text.data + range.offset : EMPTY, range.size};
}

struct compatible_difference compatible_report_at(const struct compatible_report *report, uint32_t index) {
    const struct compatible_entry *entry = &report->entries[index];
    return (struct compatible_difference){
        .kind = entry->kind,
        .writer_path = text_at(report, entry->writer_path),
        .reader_path = text_at(report, entry->reader_path),
        .answer = entry->answer,
        .message = text_at(report, entry->message),
        .witness = text_at(report, entry->witness),
    };
}

const char *compatible_answer_name(enum compatible_answer answer) {
    static const char *const NAMES[] = {
        [COMPATIBLE_YES] = "yes", [COMPATIBLE_NO] = "no", [COMPATIBLE_UNKNOWN] = "unknown"};
    return NAMES[answer];
}

static bool keep_text(struct compatible_report *report, struct bytes text, struct text_range *ret) {
    *ret = (struct text_range){.offset = (uint32_t)report->text.size, .size = (uint32_t)text.size};
    ret->present = bytes_present(text);
    return text.size == 0 || buffer_append(&report->text, text.data, text.size);
}

bool compatible_report_add(struct compatible_report *report, const struct compatible_difference *difference) {
    if (report->count == COMPATIBLE_DIFFERENCES_MAX) {
        report->truncated = true;
        return true;
    }
    if (report->count == report->capacity) {
        uint32_t capacity = report->capacity == 0 ? 8 : 2 * report->capacity;
        struct compatible_entry *entries = realloc(report->entries, capacity * sizeof *entries);
        if (entries == NULL) {
            return false;
        }
        report->entries = entries;
        report->capacity = capacity;
    }
    struct compatible_entry entry = {.kind = difference->kind, .answer = difference->answer};
    if (!keep_text(report, difference->writer_path, &entry.writer_path) ||
        !keep_text(report, difference->reader_path, &entry.reader_path) ||
        !keep_text(report, difference->message, &entry.message) ||
        !keep_text(report, difference->witness, &entry.witness)) {
        return false;
    }
    report->entries[report->count++] = entry;
    return true;
}

bool compatible_report_settle(struct compatible_report *report, uint32_t index, struct bytes witness) {
    struct compatible_entry *entry = &report->entries[index];
    if (!keep_text(report, witness, &entry->witness)) {
        return false;
    }
    static const size_t PREFIX = sizeof COMPATIBLE_UNPROVED - 1;
    if (entry->message.size > PREFIX) {
        entry->message.offset += (uint32_t)PREFIX;
        entry->message.size -= (uint32_t)PREFIX;
    }
    entry->answer = COMPATIBLE_NO;
    return true;
}
