/* fuzz_validate.c: generated schemas over generated payloads. The evaluators agree: fast, tracking, explaining; in
 * whatever encoding and order the payload comes; within whatever budget, as a limit is an error and no verdict. And
 * explanations are well-formed.
 *
 * The first byte has the options; if its highest bit is set, the rest is a schema as JSON text, a newline and a payload
 * as JSON text, otherwise choices of generate.h. */
#include "generate.h"
#include "reencode.h"
#include "require.h"

#include "validate/program.h"
#include "validate/validate.h"
#include "validate/value.h"
#include "wire/json_text.h"

enum { PAYLOADS = 4, DEPTH_MAX = 64 };

enum flag {
    DRAFT_07 = 1,
    ASSERT_FORMAT = 2,
    EXTENDED = 4,
    HIDE_VALUES = 8,
    CHECKED = 16,
    FEW_FAILURES = 32,
    SEEDED = 64, /* the same once more with marks that another seed made */
    TEXT = 128
};

static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = DEPTH_MAX};

struct json {
    struct buffer bytes;
    struct wire_document tape;
};

static void json_done(struct json *json) {
    wire_document_done(&json->tape);
    buffer_done(&json->bytes);
}

static struct wire_value root_of(const struct json *json) {
    return (struct wire_value){&json->tape, 0};
}

static bool json_open(struct json *json, struct bytes text) {
    struct error error;
    return json_text_convert(text, DEPTH_MAX, &json->bytes, &error) == OK &&
           wire_document_parse(&json->tape, buffer_view(&json->bytes), &LIMITS, &error) == OK;
}

struct subject {
    struct validate_options options;
    struct validate_program *program;
    struct validate_program *seeded; /* or NULL */
    struct validate_context *context;
    unsigned flags;
};

static void subject_done(struct subject *subject) {
    validate_program_free(subject->program);
    validate_program_free(subject->seeded);
    validate_context_free(subject->context);
}

/* ---- reports ---- */

static bool contains(struct bytes text, const char *part) {
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* The item that a pointer leads to from the root. */
static uint32_t follow(struct wire_value at, struct bytes pointer) {
    size_t from = 0;
    while (from < pointer.size) {
        REQUIRE(pointer.data[from] == '/');
        uint8_t token[4096];
        size_t size = 0;
        for (from++; from < pointer.size && pointer.data[from] != '/'; from++) {
            uint8_t c = pointer.data[from];
            if (c == '~') {
                from++;
                REQUIRE(from < pointer.size && (pointer.data[from] == '0' || pointer.data[from] == '1'));
                c = pointer.data[from] == '0' ? '~' : '/';
            }
            REQUIRE(size < sizeof token - 1);
            token[size++] = c;
        }
        token[size] = '\0';
        struct bytes name = {token, size};
        if (wire_value_kind(at) == WIRE_ARRAY) {
            unsigned long position = strtoul((const char *)token, NULL, 10);
            REQUIRE(size > 0 && position < value_item(at)->size);
            at.index++;
            for (; position > 0; position--) {
                at = wire_value_next(at);
            }
        } else {
            REQUIRE(wire_value_kind(at) == WIRE_MAP);
            at = value_member(at, name);
            REQUIRE(at.index != WORK_NONE);
        }
    }
    return at.index;
}

static void check_failure(const struct subject *subject, struct wire_value root,
                          const struct validate_failure *failure) {
    char line[300];
    REQUIRE(wire_utf8_valid(failure->instance_path) && wire_utf8_valid(failure->keyword_path));
    REQUIRE(wire_utf8_valid(failure->absolute_location) && wire_utf8_valid(failure->message));
    REQUIRE(failure->message.size > 0 && failure->code != NULL && failure->code[0] != '\0');
    REQUIRE(failure->keyword_path.size == 0 || failure->keyword_path.data[0] == '/');
    validate_failure_print(failure, line, sizeof line);
    REQUIRE(wire_utf8_valid(bytes_from_string(line)));
    if ((subject->flags & HIDE_VALUES) != 0 && (subject->flags & TEXT) == 0) {
        REQUIRE(!contains(failure->message, GENERATE_SECRET_TEXT));
        REQUIRE(!contains(failure->message, GENERATE_SECRET_NUMBER));
    }
    if ((subject->flags & EXTENDED) == 0 && strcmp(failure->code, "model") != 0) {
        const struct wire_item *items = root.document->items;
        uint32_t item = follow(root, failure->instance_path);
        /* That of the value, or of the key that names it. */
        REQUIRE(items[item].offset == failure->offset || (item > 0 && items[item - 1].offset == failure->offset));
    }
}

static void explain(struct subject *subject, struct wire_value root, bool valid) {
    CLEANUP(validate_report_done) struct validate_report report = {.hide_values = (subject->flags & HIDE_VALUES) != 0};
    struct error error;
    bool explained = !valid;
    report.failures_max = (subject->flags & FEW_FAILURES) != 0 ? 3 : 0;
    enum status status = validate_explain(subject->program, subject->context, root, &explained, &report, &error);
    if (status == TOO_LARGE) {
        REQUIRE(report.truncated && error.message[0] != '\0');
    } else {
        REQUIRE(status == OK && explained == valid);
        REQUIRE(valid == (report.count == 0) || report.truncated);
        REQUIRE(!valid || !report.truncated);
    }
    REQUIRE(report.text.size <= subject->options.limits.failures_size_max);
    REQUIRE(report.failures_max == 0 || report.count <= report.failures_max);
    for (uint32_t i = 0; i < report.count; i++) {
        struct validate_failure failure = validate_report_at(&report, i);
        check_failure(subject, root, &failure);
    }
}

/* ---- verdicts ---- */

static enum status run(struct subject *subject, struct wire_value root, bool *ret_valid) {
    struct error error = {0};
    enum status status = validate_run(subject->program, subject->context, root, ret_valid, &error);
    REQUIRE(status == OK || (status == TOO_LARGE && error.status == TOO_LARGE && error.message[0] != '\0'));
    return status;
}

/* With as many steps as it took the verdict is the same; with fewer there is none. */
static void run_with_less(struct subject *subject, struct wire_value root, bool valid, uint32_t choice) {
    uint32_t validation_steps_max = subject->program->limits.validation_steps_max;
    uint64_t steps = validate_context_steps(subject->context);
    bool again = !valid;
    subject->program->limits.validation_steps_max = (uint32_t)steps;
    REQUIRE(run(subject, root, &again) == OK && again == valid);
    REQUIRE(validate_context_steps(subject->context) == steps);
    uint32_t less[] = {(uint32_t)steps - 1, (uint32_t)(steps * (choice % 16) / 16)};
    for (size_t i = 0; steps > 0 && i < sizeof less / sizeof less[0]; i++) {
        subject->program->limits.validation_steps_max = less[i];
        REQUIRE(run(subject, root, &again) == TOO_LARGE);
    }
    subject->program->limits.validation_steps_max = validation_steps_max;
}

/* A seed changes no verdict, and no tape of another one is taken. */
static void run_seeded(const struct subject *subject, struct wire_value root, bool valid) {
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    struct wire_limits limits = LIMITS;
    struct error error;
    bool other = !valid;
    limits.seed = subject->seeded->seed;
    REQUIRE(validate_run(subject->seeded, subject->context, root, &other, &error) == INTERNAL);
    REQUIRE(wire_document_parse(&tape, wire_value_raw(root), &limits, &error) == OK);
    enum status status = validate_run(subject->seeded, subject->context, (struct wire_value){&tape, 0}, &other, &error);
    REQUIRE(status == TOO_LARGE || (status == OK && other == valid));
}

static void run_others(struct subject *subject, struct wire_value root, bool valid, uint32_t choice) {
    bool other = !valid;
    if (!subject->program->tracks) {
        subject->program->tracks = true;
        REQUIRE(run(subject, root, &other) == OK && other == valid);
        subject->program->tracks = false;
    }
    if (subject->seeded != NULL) {
        run_seeded(subject, root, valid);
    }
    if ((subject->flags & EXTENDED) != 0) {
        return; /* keys that come twice count in their order */
    }
    for (int encoding = 0; encoding < REENCODINGS; encoding++) {
        CLEANUP(json_done) struct json same = {0};
        struct error error;
        reencode(root, (enum reencoding)encoding, choice, &same.bytes);
        REQUIRE(wire_document_parse(&same.tape, buffer_view(&same.bytes), &LIMITS, &error) == OK);
        other = !valid;
        enum status status = run(subject, root_of(&same), &other);
        REQUIRE(status == TOO_LARGE || other == valid);
    }
}

static void check_payload(struct subject *subject, struct wire_value root, uint32_t choice) {
    bool valid = false;
    if (run(subject, root, &valid) == OK) {
        run_with_less(subject, root, valid, choice);
        run_others(subject, root, valid, choice);
        explain(subject, root, valid);
    }
}

static bool compile(struct subject *subject, const struct json *schema) {
    struct error error = {0};
    enum status status = validate_compile(root_of(schema), &subject->options, &subject->program, NULL, &error);
    REQUIRE((status == OK) == (subject->program != NULL));
    REQUIRE(status == OK || status == INVALID || status == UNSUPPORTED || status == TOO_LARGE);
    REQUIRE(status == OK || (error.status == status && error.message[0] != '\0'));
    if (status == OK && (subject->flags & SEEDED) != 0) {
        struct validate_options options = subject->options;
        options.seed = HASH_SEED + root_of(schema).document->item_count;
        status = validate_compile(root_of(schema), &options, &subject->seeded, NULL, &error);
        REQUIRE(status == OK || status == TOO_LARGE);
    }
    return subject->program != NULL;
}

static void fuzz_text(struct subject *subject, struct bytes input) {
    CLEANUP(json_done) struct json schema = {0};
    CLEANUP(json_done) struct json payload = {0};
    const uint8_t *newline = input.size > 0 ? memchr(input.data, '\n', input.size) : NULL;
    if (newline == NULL) {
        return;
    }
    size_t size = (size_t)(newline - input.data);
    if (json_open(&schema, (struct bytes){input.data, size}) && compile(subject, &schema) &&
        json_open(&payload, (struct bytes){newline + 1, input.size - size - 1})) {
        check_payload(subject, root_of(&payload), (uint32_t)size);
    }
}

static void generator_done(struct generator *generator) {
    buffer_done(&generator->text);
}

/* Any msgpack: what JSON lacks. */
static void fuzz_raw(struct subject *subject, struct bytes input) {
    CLEANUP(wire_document_done) struct wire_document tape = {0};
    struct error error;
    if (wire_document_parse(&tape, input, &LIMITS, &error) == OK) {
        check_payload(subject, (struct wire_value){&tape, 0}, (uint32_t)input.size);
    }
}

static void fuzz_choices(struct subject *subject, struct bytes input) {
    CLEANUP(json_done) struct json schema = {0};
    CLEANUP(generator_done) struct generator generator = {.choices = input.data, .left = input.size};
    generate_schema(&generator);
    if (!json_open(&schema, buffer_view(&generator.text)) || !compile(subject, &schema)) {
        return;
    }
    if (generate_pick(&generator, 4) == 1) {
        fuzz_raw(subject, (struct bytes){generator.choices, generator.left});
        return;
    }
    for (int i = 0; i < PAYLOADS && (i == 0 || generator.left > 0); i++) {
        CLEANUP(json_done) struct json payload = {0};
        generator.text.size = 0;
        generate_payload(&generator);
        if (!json_open(&payload, buffer_view(&generator.text))) {
            continue; /* a key comes twice */
        }
        check_payload(subject, root_of(&payload), generate_pick(&generator, 256));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    CLEANUP(subject_done) struct subject subject = {.flags = data[0], .context = validate_context_new(size)};
    REQUIRE(subject.context != NULL);
    validate_options_init(&subject.options);
    subject.options.default_dialect = (subject.flags & DRAFT_07) != 0 ? VALIDATE_DRAFT_07 : VALIDATE_2020_12;
    subject.options.assert_format = (subject.flags & ASSERT_FORMAT) != 0;
    subject.options.extended = (subject.flags & EXTENDED) != 0;
    subject.options.trusted = (subject.flags & CHECKED) == 0;
    subject.options.limits.validation_steps_max = 200000;
    subject.options.limits.failures_size_max = 4096;
    subject.options.limits.pattern_steps_max = 20000;
    struct bytes rest = {data + 1, size - 1};
    ((subject.flags & TEXT) != 0 ? fuzz_text : fuzz_choices)(&subject, rest);
    return 0;
}
