/* compatible.c: comparing two schemas. */
#include "validate/compatible.h"

#include "validate/compatible_report.h"

enum status compatible_check(const struct compatible_side *writer, const struct compatible_side *reader,
                             enum compatible_content content, struct validate_context *context,
                             enum compatible_answer *ret_answer, struct compatible_report *report,
                             struct error *error) {
    (void)content;
    (void)context;
    bool same = false;
    enum status status = validate_same(writer->schema, reader->schema, &same, error);
    if (status != OK) {
        return status;
    }
    bool plain = writer->options->document_count == 0 && reader->options->document_count == 0;
    if (same && plain && writer->options->default_dialect == reader->options->default_dialect &&
        writer->options->assert_format == reader->options->assert_format &&
        writer->options->extended == reader->options->extended) {
        *ret_answer = COMPATIBLE_YES;
        return OK;
    }
    struct compatible_difference difference = {
        .kind = "not_compared",
        .writer_path = BYTES_LITERAL(""),
        .reader_path = BYTES_LITERAL(""),
        .answer = COMPATIBLE_UNKNOWN,
        .message = BYTES_LITERAL("the schemas differ and were not compared further"),
    };
    if (!compatible_report_add(report, &difference)) {
        return error_set(error, NO_MEMORY, "no memory for the differences of two schemas");
    }
    *ret_answer = COMPATIBLE_UNKNOWN;
    return OK;
}
