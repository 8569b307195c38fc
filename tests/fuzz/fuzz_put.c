/* fuzz_put.c: any bytes as a schema, under small limits: a program, the same each time, or a described error.
 *
 * The first byte has the options, the second the limits; the rest is JSON text or, if it is no such, msgpack. */
#include "require.h"

#include "validate/program.h"
#include "validate/validate.h"
#include "wire/json_text.h"
#include "wire/text.h"

enum flag { DRAFT_07 = 1, ASSERT_FORMAT = 2, EXTENDED = 4, TRUSTED = 8, WITH_DOCUMENT = 16 };

enum { DEPTH_MAX = 64, MEMORY_MAX = 8 << 20 };

static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = DEPTH_MAX};

struct json {
    struct buffer bytes;
    struct wire_document tape;
};

static void json_done(struct json *json) {
    wire_document_done(&json->tape);
    buffer_done(&json->bytes);
}

static bool json_open(struct json *json, struct bytes text) {
    struct error error;
    return json_text_convert(text, DEPTH_MAX, &json->bytes, &error) == OK &&
           wire_document_parse(&json->tape, buffer_view(&json->bytes), &LIMITS, &error) == OK;
}

static struct wire_value root_of(const struct json *json) {
    return (struct wire_value){&json->tape, 0};
}

static void require_described(const struct error *error, enum status status) {
    REQUIRE(status == INVALID || status == UNSUPPORTED || status == TOO_LARGE);
    REQUIRE(error->status == status && error->message[0] != '\0');
    REQUIRE(wire_utf8_valid(bytes_from_string(error->message)) && wire_utf8_valid(bytes_from_string(error->path)));
    REQUIRE(error->path[0] == '\0' || error->path[0] == '/');
}

static void require_report(const struct validate_report *report) {
    for (uint32_t i = 0; i < report->count; i++) {
        struct validate_failure failure = validate_report_at(report, i);
        REQUIRE(wire_utf8_valid(failure.instance_path) && wire_utf8_valid(failure.keyword_path));
        REQUIRE(wire_utf8_valid(failure.absolute_location) && wire_utf8_valid(failure.message));
        REQUIRE(failure.message.size > 0);
    }
}

/* Both programs say the same, in as many steps. */
static void run_both(const struct validate_program *a, const struct validate_program *b,
                     struct validate_context *context, struct wire_value payload) {
    CLEANUP(validate_report_done) struct validate_report report = {0};
    struct error error = {0};
    bool valid[2] = {false, true};
    enum status first = validate_run(a, context, payload, &valid[0], &error);
    uint64_t steps = validate_context_steps(context);
    REQUIRE(first == OK || first == TOO_LARGE);
    enum status second = validate_run(b, context, payload, &valid[1], &error);
    REQUIRE(second == first && validate_context_steps(context) == steps);
    REQUIRE(first != OK || valid[0] == valid[1]);
    REQUIRE(steps <= a->limits.validation_steps_max);
    if (first == OK) {
        bool explained = !valid[0];
        enum status status = validate_explain(a, context, payload, &explained, &report, &error);
        REQUIRE(status == TOO_LARGE || (status == OK && explained == valid[0]));
        require_report(&report);
    }
}

static void run_payloads(const struct validate_program *a, const struct validate_program *b,
                         const struct json *schema) {
    static const char *const PAYLOADS[] = {
        "null",
        "1",
        "1.5",
        "\"a\"",
        "[1,\"a\",null,[],{},1.0]",
        "{\"a\":1,\"b\":\"a\",\"c\":[1,2],\"ab\":{\"a\":{\"a\":null}}}",
        "[[[[[[]]]]],{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}}}]",
    };
    CLEANUP(validate_context_freep) struct validate_context *context = validate_context_new(1);
    REQUIRE(context != NULL);
    for (size_t i = 0; i < sizeof PAYLOADS / sizeof PAYLOADS[0]; i++) {
        CLEANUP(json_done) struct json payload = {0};
        REQUIRE(json_open(&payload, bytes_from_string(PAYLOADS[i])));
        run_both(a, b, context, root_of(&payload));
    }
    run_both(a, b, context, root_of(schema)); /* meta-schemas have something to say about it */
}

static void fuzz(const struct json *schema, const struct validate_options *options) {
    CLEANUP(validate_program_freep) struct validate_program *program = NULL;
    CLEANUP(validate_program_freep) struct validate_program *again = NULL;
    CLEANUP(validate_report_done) struct validate_report report = {0};
    struct error error = {0};
    struct error same = {0};
    enum status status = validate_compile(root_of(schema), options, &program, &report, &error);
    REQUIRE((status == OK) == (program != NULL));
    REQUIRE(validate_compile(root_of(schema), options, &again, NULL, &same) == status);
    require_report(&report);
    if (status != OK) {
        require_described(&error, status);
        REQUIRE(again == NULL && strcmp(error.message, same.message) == 0 && strcmp(error.path, same.path) == 0);
        return;
    }
    REQUIRE(validate_program_memory(program) == validate_program_memory(again));
    REQUIRE(validate_program_memory(program) < MEMORY_MAX);
    REQUIRE(program->size == again->size);
    REQUIRE(memcmp(program->offsets, again->offsets, sizeof program->offsets) == 0);
    run_payloads(program, again, schema);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    CLEANUP(json_done) struct json schema = {0};
    CLEANUP(json_done) struct json document = {0};
    struct bytes input = {data + 2, size - 2};
    struct error error;
    if (!json_open(&schema, input)) {
        buffer_done(&schema.bytes);
        if (wire_document_parse(&schema.tape, input, &LIMITS, &error) != OK) {
            return 0;
        }
    }
    REQUIRE(json_open(&document, BYTES_LITERAL("{\"$id\":\"http://x/document\",\"$dynamicAnchor\":\"meta\","
                                               "\"$vocabulary\":{\"https://json-schema.org/draft/2020-12/vocab/core\":"
                                               "true},\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","
                                               "\"$defs\":{\"a\":{\"$anchor\":\"a\",\"type\":\"array\"}}}")));
    const struct validate_document given = {.uri = BYTES_LITERAL("http://x/given"), .root = root_of(&document)};
    struct validate_options options;
    validate_options_init(&options);
    options.default_dialect = (data[0] & DRAFT_07) != 0 ? VALIDATE_DRAFT_07 : VALIDATE_2020_12;
    options.assert_format = (data[0] & ASSERT_FORMAT) != 0;
    options.extended = (data[0] & EXTENDED) != 0;
    options.trusted = (data[0] & TRUSTED) != 0;
    options.documents = &given;
    options.document_count = (data[0] & WITH_DOCUMENT) != 0;
    options.limits.schema_program_size_max = 1 << 20;
    options.limits.schema_compile_steps_max = data[1] < 128 ? 100000 : 20u * data[1];
    options.limits.schema_subschemas_max = data[1] % 2 != 0 ? 1000 : 3u + data[1];
    options.limits.schema_patterns_max = 8;
    options.limits.pattern_steps_max = 5000;
    options.limits.validation_steps_max = 20000;
    options.limits.validation_memory_max = 1 << 16;
    options.limits.validation_frames_max = 100;
    options.limits.schema_depth_max = 40;
    fuzz(&schema, &options);
    return 0;
}
