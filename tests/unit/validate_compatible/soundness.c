/* soundness.c: generated pairs: after YES no payload is valid for the writer and not for the reader; every NO has a
 * witness that both programs confirm. */
#include "generate.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAIRS = 6000, PAYLOADS = 60 };

struct counts {
    uint32_t compiled, answers[3], met;
};

static bool tape_of(struct bytes text, struct json *ret) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 64};
    struct error error;
    *ret = (struct json){0};
    return json_text_convert(text, 64, &ret->bytes, &error) == OK &&
           wire_document_parse(&ret->tape, buffer_view(&ret->bytes), &LIMITS, &error) == OK;
}

static bool open_side(struct subject *subject, const struct buffer *text, bool is_draft_07) {
    subject->options.trusted = true;
    subject->options.assert_format = true;
    subject->options.default_dialect = is_draft_07 ? VALIDATE_DRAFT_07 : VALIDATE_2020_12;
    return tape_of(buffer_view(text), &subject->schema) &&
           validate_compile(json_root(&subject->schema), &subject->options, &subject->program, NULL, &subject->error) ==
               OK;
}

static bool is_valid_for(struct subject *subject, const struct json *payload) {
    bool valid = false;
    enum status status = validate_run(subject->program, subject->context, json_root(payload), &valid, &subject->error);
    cr_assert_eq(status, OK, "%s", subject->error.message);
    return valid;
}

static void try_payloads(struct generator *generator, struct pair *pair, const struct buffer *writer,
                         const struct buffer *reader, struct counts *counts) {
    CLEANUP(buffer_done) struct buffer text = {0};
    for (int i = 0; i < PAYLOADS; i++) {
        CLEANUP(json_done) struct json payload = {0};
        generate_payload(generator, &text);
        cr_assert(tape_of(buffer_view(&text), &payload));
        bool written = is_valid_for(&pair->writer, &payload);
        counts->met += written;
        cr_assert(!written || is_valid_for(&pair->reader, &payload), "YES, but %.*s is valid for %.*s, not for %.*s",
                  BYTES_FORMAT(text), BYTES_FORMAT(*writer), BYTES_FORMAT(*reader));
    }
}

static void run(uint64_t seed, uint32_t pairs, struct counts *counts) {
    CLEANUP(buffer_done) struct buffer writer = {0};
    CLEANUP(buffer_done) struct buffer reader = {0};
    struct generator generator = {.state = seed};
    for (uint32_t i = 0; i < pairs; i++) {
        CLEANUP(pair_done) struct pair pair;
        pair_init(&pair);
        generator.is_draft_07 = i % 4 == 3;
        generate_pair(&generator, &writer, &reader);
        bool alike = writer.size == reader.size && memcmp(writer.data, reader.data, writer.size) == 0;
        if (alike || !open_side(&pair.writer, &writer, generator.is_draft_07) ||
            !open_side(&pair.reader, &reader, generator.is_draft_07)) {
            continue;
        }
        counts->compiled++;
        enum status status = pair_check(&pair, COMPATIBLE_STRICT);
        cr_assert_eq(status, OK, "%s: %.*s / %.*s", pair.error.message, BYTES_FORMAT(writer), BYTES_FORMAT(reader));
        counts->answers[pair.answer]++;
        if (pair.answer == COMPATIBLE_YES) {
            try_payloads(&generator, &pair, &writer, &reader, counts);
        } else if (pair.answer == COMPATIBLE_UNKNOWN && getenv("COMPATIBLE_SHOW") != NULL) {
            CLEANUP(buffer_done) struct buffer text = {0};
            printf("%.*s\n%.*s%s\n\n", BYTES_FORMAT(writer), BYTES_FORMAT(reader), print_report(&pair.report, &text));
        }
    }
    buffer_done(&generator.text);
}

Test(validate_compatible_soundness, no_payload_contradicts_yes_and_every_no_is_confirmed) {
    const char *seed = getenv("COMPATIBLE_SEED");
    const char *pairs = getenv("COMPATIBLE_PAIRS");
    struct counts counts = {0};
    run(seed != NULL ? strtoull(seed, NULL, 10) : 42, pairs != NULL ? (uint32_t)atoi(pairs) : PAIRS, &counts);
    if (seed != NULL) {
        printf("%u compiled: %u yes, %u no, %u unknown; %u payloads met yes\n", counts.compiled, counts.answers[0],
               counts.answers[1], counts.answers[2], counts.met);
        return;
    }
    cr_expect_gt(counts.compiled, PAIRS / 4, "%u compiled", counts.compiled);
    cr_expect_gt(counts.answers[COMPATIBLE_YES], PAIRS / 20, "%u yes", counts.answers[COMPATIBLE_YES]);
    cr_expect_gt(counts.answers[COMPATIBLE_NO], PAIRS / 20, "%u no", counts.answers[COMPATIBLE_NO]);
    cr_expect_lt(counts.answers[COMPATIBLE_UNKNOWN], PAIRS / 10, "%u unknown", counts.answers[COMPATIBLE_UNKNOWN]);
    cr_expect_gt(counts.met, 1000, "%u payloads", counts.met);
}

/* What the lenient model takes as written: the writer's schema with each object closed. */
static void close_objects(const struct buffer *open, struct buffer *ret) {
    static const char OPENED[] = "\"additionalProperties\":true";
    static const char SHUT[] = "\"additionalProperties\":false";
    ret->size = 0;
    for (size_t i = 0; i < open->size;) {
        bool found = i + sizeof OPENED - 1 <= open->size && memcmp(open->data + i, OPENED, sizeof OPENED - 1) == 0;
        cr_assert(found ? buffer_append(ret, SHUT, sizeof SHUT - 1) : buffer_append(ret, &open->data[i], 1));
        i += found ? sizeof OPENED - 1 : 1;
    }
}

Test(validate_compatible_soundness, no_payload_of_declared_properties_contradicts_a_lenient_yes) {
    CLEANUP(buffer_done) struct buffer writer = {0};
    CLEANUP(buffer_done) struct buffer reader = {0};
    CLEANUP(buffer_done) struct buffer closed = {0};
    struct generator generator = {.state = 11, .is_simple = true};
    struct counts counts = {0};
    uint32_t only_lenient = 0;
    for (uint32_t i = 0; i < PAIRS; i++) {
        CLEANUP(pair_done) struct pair pair;
        CLEANUP(subject_done) struct subject narrow;
        pair_init(&pair);
        subject_init(&narrow);
        generate_pair(&generator, &writer, &reader);
        close_objects(&writer, &closed);
        if (!open_side(&pair.writer, &writer, false) || !open_side(&pair.reader, &reader, false) ||
            !open_side(&narrow, &closed, false)) {
            continue;
        }
        counts.compiled++;
        cr_assert_eq(pair_check(&pair, COMPATIBLE_STRICT), OK);
        enum compatible_answer strict = pair.answer;
        cr_assert_eq(pair_check(&pair, COMPATIBLE_LENIENT), OK);
        cr_assert(strict != COMPATIBLE_YES || pair.answer == COMPATIBLE_YES, "%.*s / %.*s", BYTES_FORMAT(writer),
                  BYTES_FORMAT(reader));
        only_lenient += strict == COMPATIBLE_NO && pair.answer == COMPATIBLE_YES;
        if (pair.answer == COMPATIBLE_YES) {
            struct subject open = pair.writer;
            pair.writer = narrow;
            try_payloads(&generator, &pair, &writer, &reader, &counts);
            pair.writer = open;
        }
    }
    buffer_done(&generator.text);
    cr_expect_gt(counts.compiled, PAIRS / 8, "%u compiled", counts.compiled);
    cr_expect_gt(only_lenient, 20, "%u yes in the lenient model alone", only_lenient);
    cr_expect_gt(counts.met, 1000, "%u payloads", counts.met);
}
