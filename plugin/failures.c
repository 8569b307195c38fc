/* failures.c: reports of validation as msgpack. */
#include "failures.h"

#include "wire/messages.h"

enum { LINE_SIZE = 1024 };

static void put_text_field(struct wire_writer *writer, const char *name, struct bytes text) {
    wire_put_text(writer, name);
    wire_put_mended(writer, text);
}

static void put_failure(struct wire_writer *writer, const struct validate_failure *failure, uint32_t base) {
    char line[LINE_SIZE];
    validate_failure_print(failure, line, sizeof line);
    wire_put_map(writer, 7);
    put_text_field(writer, "instance", failure->instance_path);
    put_text_field(writer, "keyword", failure->keyword_path);
    put_text_field(writer, "location", failure->absolute_location);
    put_text_field(writer, "code", bytes_from_string(failure->code));
    put_text_field(writer, "message", failure->message);
    wire_put_text(writer, "offset");
    wire_put_int(writer, (int64_t)failure->offset - base);
    put_text_field(writer, "line", bytes_from_string(line));
}

bool failures_put(struct wire_writer *writer, const struct validate_report *report, uint32_t base) {
    wire_put_array(writer, report->count);
    for (uint32_t i = 0; i < report->count; i++) {
        struct validate_failure failure = validate_report_at(report, i);
        put_failure(writer, &failure, base);
    }
    return report->truncated;
}

void failures_put_line(struct wire_writer *writer, const char *code, const char *line) {
    wire_put_array(writer, 1);
    wire_put_map(writer, 3);
    put_text_field(writer, "code", bytes_from_string(code));
    put_text_field(writer, "message", bytes_from_string(line));
    put_text_field(writer, "line", bytes_from_string(line));
}

void failures_add_details(struct error *error, struct wire_writer *details, const struct validate_report *report,
                          uint32_t base) {
    wire_rollback(details, 0);
    wire_put_text(details, "failures");
    bool truncated = failures_put(details, report, base);
    wire_put_text(details, "truncated");
    wire_put_bool(details, truncated);
    if (!details->failed) {
        error->more = buffer_view(&details->buffer);
        error->more_pairs = 2;
    }
}
