/* fuzz_compatible.c: two schemas made of the input's bytes: after YES no payload is valid for the writer alone, every
 * NO has a witness, and no limit, however small, becomes a YES. */
#include "../unit/validate_compatible/generate.h"

#include "validate/compatible.h"
#include "wire/json_text.h"

#include <stdlib.h>

enum { PAYLOADS = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
    struct buffer text, bytes;
    struct wire_document tape;
    struct validate_program *program;
};

static void side_done(struct side *side) {
    validate_program_free(side->program);
    wire_document_done(&side->tape);
    buffer_done(&side->bytes);
    buffer_done(&side->text);
}

static void expect(bool holds) {
    if (!holds) {
        abort();
    }
}

static bool parse(struct bytes text, struct buffer *bytes, struct wire_document *tape) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 128};
    struct error error;
    return json_text_convert(text, 128, bytes, &error) == OK &&
           wire_document_parse(tape, buffer_view(bytes), &LIMITS, &error) == OK;
}

static bool open_side(struct side *side, const struct validate_options *options) {
    struct error error;
    return parse(buffer_view(&side->text), &side->bytes, &side->tape) &&
           validate_compile((struct wire_value){&side->tape, 0}, options, &side->program, NULL, &error) == OK;
}

static bool is_valid(const struct side *side, struct validate_context *context, struct wire_value payload) {
    struct error error;
    bool valid = false;
    expect(validate_run(side->program, context, payload, &valid, &error) == OK);
    return valid;
}

static void try_payloads(struct generator *generator, struct validate_context *context, const struct side *writer,
                         const struct side *reader) {
    for (int i = 0; i < PAYLOADS; i++) {
        struct buffer text = {0};
        struct buffer bytes = {0};
        struct wire_document tape = {0};
        generate_payload(generator, &text);
        expect(parse(buffer_view(&text), &bytes, &tape));
        struct wire_value root = {&tape, 0};
        expect(!is_valid(writer, context, root) || is_valid(reader, context, root));
        wire_document_done(&tape);
        buffer_done(&bytes);
        buffer_done(&text);
    }
}

static void confirm(const struct compatible_report *report, enum compatible_answer answer,
                    struct validate_context *context, const struct side *writer, const struct side *reader) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 1024};
    bool has_no = false;
    for (uint32_t i = 0; i < report->count; i++) {
        struct compatible_difference difference = compatible_report_at(report, i);
        struct wire_document tape = {0};
        struct error error;
        expect((difference.answer == COMPATIBLE_NO) == bytes_present(difference.witness));
        expect(wire_utf8_valid(difference.message));
        if (bytes_present(difference.witness)) {
            has_no = true;
            expect(wire_document_parse(&tape, difference.witness, &LIMITS, &error) == OK);
            struct wire_value root = {&tape, 0};
            expect(is_valid(writer, context, root) && !is_valid(reader, context, root));
        }
        wire_document_done(&tape);
    }
    expect(has_no == (answer == COMPATIBLE_NO));
    expect((report->count == 0) == (answer == COMPATIBLE_YES));
}

static void compare(struct generator *generator, const struct side *writer, const struct side *reader,
                    const struct validate_options *options) {
    struct validate_options few = *options;
    few.limits.schema_compile_steps_max = 200 + generate_pick(generator, 256) * 200;
    struct compatible_side sides[2] = {{{&writer->tape, 0}, options, writer->program},
                                       {{&reader->tape, 0}, options, reader->program}};
    struct validate_context *context = validate_context_new(7);
    enum compatible_answer answers[3];
    for (int round = 0; round < 3; round++) {
        struct compatible_report report = {0};
        struct error error;
        enum compatible_content content = round == 2 ? COMPATIBLE_LENIENT : COMPATIBLE_STRICT;
        sides[1].options = round == 1 ? &few : options;
        enum status status = compatible_check(&sides[0], &sides[1], content, context, &answers[round], &report, &error);
        expect(status == OK || (round == 1 && status == TOO_LARGE));
        if (status == OK) {
            confirm(&report, answers[round], context, writer, reader);
        } else {
            answers[round] = COMPATIBLE_UNKNOWN;
        }
        compatible_report_done(&report);
    }
    /* No two rounds may contradict each other; what is lenient allows less to be written. */
    expect(!(answers[0] == COMPATIBLE_YES && answers[1] == COMPATIBLE_NO));
    expect(!(answers[0] == COMPATIBLE_NO && answers[1] == COMPATIBLE_YES));
    expect(!(answers[0] == COMPATIBLE_YES && answers[2] == COMPATIBLE_NO));
    if (answers[0] == COMPATIBLE_YES || answers[1] == COMPATIBLE_YES) {
        try_payloads(generator, context, writer, reader);
    }
    validate_context_free(context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct generator generator = {.state = size, .data = data, .size = size};
    struct validate_options options;
    struct side writer = {0};
    struct side reader = {0};
    validate_options_init(&options);
    options.trusted = true;
    options.limits.schema_compile_steps_max = 200000; /* so that no pair is slow */
    options.assert_format = true;
    uint32_t sort = generate_pick(&generator, 8);
    generator.is_draft_07 = sort < 2;
    generator.is_simple = sort == 2;
    options.default_dialect = generator.is_draft_07 ? VALIDATE_DRAFT_07 : VALIDATE_2020_12;
    generate_pair(&generator, &writer.text, &reader.text);
    if (writer.text.size < 4096 && reader.text.size < 4096 && open_side(&writer, &options) &&
        open_side(&reader, &options)) {
        compare(&generator, &writer, &reader, &options);
    }
    side_done(&writer);
    side_done(&reader);
    buffer_done(&generator.text);
    return 0;
}
