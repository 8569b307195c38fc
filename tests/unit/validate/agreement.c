/* agreement.c: generated schemas over generated payloads: the evaluators, which run different code, agree. */
#include "support.h"

#include "validate/program.h"
#include "wire/json_text.h"

#include <stdio.h>

enum { SCHEMAS = 4000, PAYLOADS = 12, DEPTH_MAX = 3 };

struct generator {
    uint64_t state;
    struct buffer text;
};

static uint32_t pick(struct generator *generator, uint32_t count) {
    generator->state = generator->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(generator->state >> 33) % count;
}

static void put(struct generator *generator, const char *text) {
    cr_assert(buffer_append(&generator->text, text, strlen(text)));
}

static void put_number(struct generator *generator) {
    static const char *const NUMBERS[] = {"0", "1", "2", "1.0", "1.5", "-1", "3", "9007199254740993", "1e300", "0.1"};
    put(generator, NUMBERS[pick(generator, 10)]);
}

static void put_count(struct generator *generator) {
    static const char *const COUNTS[] = {"0", "1", "2", "3"};
    put(generator, COUNTS[pick(generator, 4)]);
}

static void put_name(struct generator *generator) {
    static const char *const NAMES[] = {"\"a\"", "\"b\"", "\"c\"", "\"ab\"", "\"longer name\""};
    put(generator, NAMES[pick(generator, 5)]);
}

static void put_value(struct generator *generator, int depth) {
    uint32_t kind = pick(generator, depth == 0 ? 5 : 9);
    if (kind == 0) {
        put(generator, pick(generator, 2) != 0 ? "true" : "false");
    } else if (kind == 1) {
        put(generator, "null");
    } else if (kind == 2) {
        put_name(generator);
    } else if (kind <= 4) {
        put_number(generator);
    } else if (kind <= 6) {
        put(generator, "[");
        for (uint32_t i = pick(generator, 4); i > 0; i--) {
            put_value(generator, depth - 1);
            put(generator, i > 1 ? "," : "");
        }
        put(generator, "]");
    } else {
        static const char *const KEYS[] = {"\"a\":", "\"b\":", "\"c\":", "\"ab\":", "\"longer name\":"};
        bool any = false;
        put(generator, "{");
        for (int i = 0; i < 5; i++) {
            if (pick(generator, 2) != 0) {
                put(generator, any ? "," : "");
                put(generator, KEYS[i]);
                put_value(generator, depth - 1);
                any = true;
            }
        }
        put(generator, "}");
    }
}

static void put_schema(struct generator *generator, int depth);

static void put_schemas(struct generator *generator, int depth) {
    put(generator, "[");
    put_schema(generator, depth);
    for (uint32_t i = pick(generator, 3); i > 0; i--) {
        put(generator, ",");
        put_schema(generator, depth);
    }
    put(generator, "]");
}

static void put_schema_map(struct generator *generator, int depth, const char *const keys[3]) {
    put(generator, "{");
    put(generator, keys[0]);
    put_schema(generator, depth);
    for (uint32_t i = 1; i < 3; i++) {
        if (pick(generator, 2) != 0) {
            put(generator, ",");
            put(generator, keys[i]);
            put_schema(generator, depth);
        }
    }
    put(generator, "}");
}

static void put_assertion(struct generator *generator) {
    static const char *const NUMBERS[] = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"};
    static const char *const COUNTS[] = {"minLength", "maxLength",     "minItems",     "maxItems",
                                         "minItems",  "minProperties", "maxProperties"};
    static const char *const TYPES[] = {"\"null\"",  "\"integer\"", "\"number\"",           "\"string\"",
                                        "\"array\"", "\"object\"",  "[\"object\",\"null\"]"};
    uint32_t kind = pick(generator, 7);
    if (kind == 0) {
        put(generator, "\"type\":");
        put(generator, TYPES[pick(generator, 7)]);
    } else if (kind <= 2) {
        put(generator, "\"");
        put(generator, kind == 1 ? NUMBERS[pick(generator, 4)] : COUNTS[pick(generator, 7)]);
        put(generator, "\":");
        (kind == 1 ? put_number : put_count)(generator);
    } else if (kind == 3) {
        put(generator, "\"enum\":[");
        put_value(generator, 1);
        put(generator, ",");
        put_value(generator, 1);
        put(generator, "]");
    } else if (kind == 4) {
        put(generator, "\"required\":[");
        put_name(generator);
        put(generator, "]");
    } else if (kind == 5) {
        put(generator, "\"dependentRequired\":{\"a\":[\"b\"],\"c\":[\"a\",\"ab\"]}");
    } else {
        put(generator, pick(generator, 2) != 0 ? "\"uniqueItems\":true" : "\"pattern\":\"^a\"");
    }
}

static void put_applicator(struct generator *generator, int depth) {
    static const char *const ONE[] = {"not", "additionalProperties", "items", "contains", "propertyNames", "if", "then",
                                      "else"};
    static const char *const KEYS[] = {"\"a\":", "\"b\":", "\"c\":"};
    static const char *const PATTERNS[] = {"\"^a\":", "\"b\":", "\"x|c\":"};
    static const char *const MANY[] = {"allOf", "anyOf", "oneOf", "prefixItems"};
    uint32_t kind = pick(generator, 8);
    put(generator, "\"");
    if (kind <= 2) {
        put(generator, ONE[pick(generator, 8)]);
        put(generator, "\":");
        put_schema(generator, depth);
    } else if (kind <= 4) {
        put(generator, MANY[pick(generator, 4)]);
        put(generator, "\":");
        put_schemas(generator, depth);
    } else if (kind == 5) {
        put(generator, pick(generator, 3) != 0 ? "properties\":" : "dependentSchemas\":");
        put_schema_map(generator, depth, KEYS);
    } else if (kind == 6) {
        put(generator, "patternProperties\":");
        put_schema_map(generator, depth, PATTERNS);
    } else {
        put(generator, "$ref\":\"#/$defs/");
        put(generator, pick(generator, 2) != 0 ? "x\"" : "y\"");
    }
}

static void put_schema(struct generator *generator, int depth) {
    if (pick(generator, 8) == 0) {
        put(generator, pick(generator, 4) != 0 ? "true" : "false");
        return;
    }
    put(generator, "{");
    /* Keys that come twice make the text one that is refused: two keywords of different kinds, mostly. */
    put_assertion(generator);
    for (uint32_t i = depth > 0 ? pick(generator, 3) : 0; i > 0; i--) {
        put(generator, ",");
        put_applicator(generator, depth - 1);
    }
    if (pick(generator, 4) == 0) {
        put(generator, pick(generator, 2) != 0 ? ",\"unevaluatedProperties\":" : ",\"unevaluatedItems\":");
        put_schema(generator, 0);
    }
    put(generator, "}");
}

/* False: a key comes twice in an object. */
static bool tape_of(struct generator *generator, struct json *ret) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 64};
    struct error error;
    *ret = (struct json){0};
    enum status status = json_text_convert(buffer_view(&generator->text), 64, &ret->bytes, &error);
    cr_assert(status == OK || strstr(error.message, "duplicate") != NULL, "%s: %.*s", error.message,
              BYTES_FORMAT(generator->text));
    return status == OK && wire_document_parse(&ret->tape, buffer_view(&ret->bytes), &LIMITS, &error) == OK;
}

static void run_payloads(struct generator *generator, struct subject *subject, const struct buffer *schema,
                         uint32_t verdicts[2]) {
    for (int i = 0; i < PAYLOADS; i++) {
        CLEANUP(json_done) struct json payload = {0};
        CLEANUP(validate_report_done) struct validate_report report = {0};
        bool valid = false;
        bool explained = false;
        generator->text.size = 0;
        put_value(generator, DEPTH_MAX);
        cr_assert(tape_of(generator, &payload));
        struct wire_value root = json_root(&payload);
        cr_assert_eq(validate_run(subject->program, subject->context, root, &valid, &subject->error), OK);
        cr_assert_eq(validate_explain(subject->program, subject->context, root, &explained, &report, &subject->error),
                     OK);
        cr_assert_eq(valid, explained, "%.*s says %d of %.*s", BYTES_FORMAT(*schema), valid,
                     BYTES_FORMAT(generator->text));
        cr_assert_eq(valid, report.count == 0);
        verdicts[valid]++;
    }
}

Test(validate_agreement, evaluators_agree_on_generated_schemas_and_payloads) {
    CLEANUP(buffer_done) struct buffer schema_text = {0};
    struct generator generator = {.state = 42};
    uint32_t compiled = 0;
    uint32_t verdicts[2] = {0};
    for (int i = 0; i < SCHEMAS; i++) {
        CLEANUP(subject_done) struct subject subject;
        subject_init(&subject);
        subject.options.trusted = true;
        generator.text.size = 0;
        put(&generator, "{\"$defs\":{\"x\":");
        put_schema(&generator, 1);
        put(&generator, ",\"y\":");
        put_schema(&generator, 1);
        put(&generator, "},\"anyOf\":[");
        put_schema(&generator, DEPTH_MAX);
        put(&generator, "],\"unevaluatedProperties\":");
        put_schema(&generator, 1);
        put(&generator, "}");
        schema_text.size = 0;
        cr_assert(buffer_append(&schema_text, generator.text.data, generator.text.size));
        if (tape_of(&generator, &subject.schema) && validate_compile(json_root(&subject.schema), &subject.options,
                                                                     &subject.program, NULL, &subject.error) == OK) {
            compiled++;
            run_payloads(&generator, &subject, &schema_text, verdicts);
        }
    }
    buffer_done(&generator.text);
    cr_expect_gt(compiled, SCHEMAS / 4, "%u compiled", compiled);
    cr_expect_gt(verdicts[0], 1000, "%u invalid", verdicts[0]);
    cr_expect_gt(verdicts[1], 1000, "%u valid", verdicts[1]);
}

Test(validate_agreement, a_program_is_one_block_that_may_be_moved) {
    CLEANUP(subject_done) struct subject subject;
    CLEANUP(json_done) struct json good = {0};
    CLEANUP(json_done) struct json bad = {0};
    subject_init(&subject);
    cr_assert_eq(subject_compile(&subject,
                                 "{'properties': {'a': {'enum': [1, 'x', [2]]}, 'b': {'pattern': '^[a-z]+[0-9]$',"
                                 " 'maxLength': 9}}, 'required': ['a'], 'unevaluatedProperties': false}"),
                 OK);
    json_open(&good, "{'a': [2], 'b': 'xyz1'}");
    json_open(&bad, "{'a': [2], 'b': 'xyz1', 'c': 1}");
    struct validate_program *moved = malloc(subject.program->size);
    cr_assert_not_null(moved);
    memcpy(moved, subject.program, subject.program->size);
    memset(subject.program, 0xFF, subject.program->size);

    bool valid = false;
    cr_expect_eq(validate_run(moved, subject.context, json_root(&good), &valid, &subject.error), OK);
    cr_expect(valid);
    cr_expect_eq(validate_explain(moved, subject.context, json_root(&bad), &valid, &subject.report, &subject.error),
                 OK);
    cr_expect(!valid);

    memcpy(subject.program, moved, moved->size);
    free(moved);
}
