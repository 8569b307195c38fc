/* schema_check.c: a new version of a schema against those before it. */
#include "schema_ops.h"

void schema_comparison_done(struct schema_comparison *comparison) {
    wire_writer_done(&comparison->against);
    wire_writer_done(&comparison->differences);
}

enum status schema_compare(struct call *call, const struct schema_request *request,
                           const struct validate_program *program, const struct schema_settings *settings,
                           struct schema_comparison *comparison) {
    (void)request;
    (void)program;
    (void)settings;
    (void)comparison;
    return error_set(call->error, UNSUPPORTED, "%s: this build does not compare schemas", call->name);
}

uint32_t schema_put_comparison(struct wire_writer *writer, const struct schema_comparison *comparison) {
    put_text(writer, "answer", comparison->answer == SCHEMA_YES ? "yes" : "no");
    return 1;
}
