/* numbers.c: numbers against exact arithmetic, in all the encodings that msgpack has for them. */
#include "support.h"

#include "validate/number.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

__extension__ typedef __int128 wide;

static uint64_t state = 42;

static uint64_t pick(uint64_t count) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (state >> 20) % count;
}

/* ---- encodings ---- */

static void put(struct buffer *out, uint8_t head, uint64_t number, int size) {
    uint8_t bytes[9] = {head};
    for (int i = 0; i < size; i++) {
        bytes[1 + i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    }
    cr_assert(buffer_append(out, bytes, 1 + (size_t)size));
}

static void put_text(struct buffer *out, const char *text) {
    put(out, 0xD9, strlen(text), 1);
    cr_assert(buffer_append(out, text, strlen(text)));
}

static void put_double(struct buffer *out, double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    put(out, 0xCB, bits, 8);
}

static void put_float(struct buffer *out, float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    put(out, 0xCA, bits, 4);
}

enum { FORMS = 11 };

/* The number in one of the forms; false: it does not hold it. */
static bool put_form(struct buffer *out, wide number, int form) {
    static const struct {
        uint8_t head;
        int size;
        bool is_signed;
    } INTEGERS[] = {{0xCC, 1, false}, {0xCD, 2, false}, {0xCE, 4, false}, {0xCF, 8, false},
                    {0xD0, 1, true},  {0xD1, 2, true},  {0xD2, 4, true},  {0xD3, 8, true}};
    if (form == 8) {
        return number >= -32 && number <= 127 ? (put(out, (uint8_t)number, 0, 0), true) : false;
    }
    if (form == 9) {
        return (wide)(double)number == number ? (put_double(out, (double)number), true) : false;
    }
    if (form == 10) {
        return (wide)(float)number == number ? (put_float(out, (float)number), true) : false;
    }
    int bits = 8 * INTEGERS[form].size;
    wide low = INTEGERS[form].is_signed ? -((wide)1 << (bits - 1)) : 0;
    wide high = INTEGERS[form].is_signed ? ((wide)1 << (bits - 1)) - 1 : ((wide)1 << bits) - 1;
    if (number < low || number > high) {
        return false;
    }
    put(out, INTEGERS[form].head, (uint64_t)number, INTEGERS[form].size);
    return true;
}

/* ---- running ---- */

struct packed {
    struct buffer bytes;
    struct wire_document tape;
};

static void packed_done(struct packed *packed) {
    wire_document_done(&packed->tape);
    buffer_done(&packed->bytes);
}

static struct wire_value parse(struct packed *packed) {
    static const struct wire_limits LIMITS = {.size_max = 1 << 20, .depth_max = 16};
    struct error error;
    wire_document_done(&packed->tape);
    cr_assert_eq(wire_document_parse(&packed->tape, buffer_view(&packed->bytes), &LIMITS, &error), OK, "%s",
                 error.message);
    return (struct wire_value){&packed->tape, 0};
}

static void compile(struct subject *subject, struct packed *schema) {
    subject_init(subject);
    subject->options.trusted = true;
    cr_assert_eq(validate_compile(parse(schema), &subject->options, &subject->program, NULL, &subject->error), OK, "%s",
                 subject->error.message);
}

static bool run(struct subject *subject, struct packed *payload) {
    bool valid = false;
    cr_assert_eq(subject_run(subject, parse(payload), &valid), OK, "%s", subject->error.message);
    return valid;
}

/* ---- comparison ---- */

/* An integer of 64 bits, or a double: put as such. */
struct sample {
    bool is_double;
    wide integer;
    double real;
};

enum { SAMPLES_MAX = 220 };

static struct sample samples[SAMPLES_MAX];
static uint32_t sample_count;

static void add_integer(wide number) {
    if (number >= INT64_MIN && number <= UINT64_MAX && sample_count < SAMPLES_MAX) {
        samples[sample_count++] = (struct sample){.integer = number};
    }
}

static void add_double(double number) {
    if (sample_count < SAMPLES_MAX) {
        samples[sample_count++] = (struct sample){.is_double = true, .real = number};
    }
}

static void collect_samples(void) {
    static const int POWERS[] = {0, 24, 52, 53, 54, 62, 63, 64};
    sample_count = 0;
    for (size_t i = 0; i < sizeof POWERS / sizeof POWERS[0]; i++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            double power = sign * ldexp(1, POWERS[i]);
            add_double(power);
            add_double(nextafter(power, HUGE_VAL));
            add_double(nextafter(power, -HUGE_VAL));
            for (int off = -1; off <= 1; off++) {
                add_integer(sign * ((wide)1 << POWERS[i]) + off);
            }
        }
    }
    static const double OTHERS[] = {0.0,     -0.0,    0.1,      0.5,   -0.5, 1.5,   4.9406564584124654e-324, 1e-308,
                                    DBL_MIN, DBL_MAX, -DBL_MAX, 1e300, 1e19, -1e19, 9007199254740992.5};
    for (size_t i = 0; i < sizeof OTHERS / sizeof OTHERS[0]; i++) {
        add_double(OTHERS[i]);
    }
    for (int i = 0; i < 40; i++) {
        wide number = (wide)(pick(UINT64_C(1) << 44) << pick(20)) + (wide)pick(3);
        add_integer(i % 2 != 0 ? number : -number);
        add_double((double)number + (i % 3 == 0 ? 0.5 : 0.0));
    }
}

static int order(bool less, bool greater) {
    return (int)greater - (int)less;
}

/* Without rounding: a double is its floor and whether there is more. */
static int compare(const struct sample *a, const struct sample *b) {
    if (a->is_double && b->is_double) {
        return order(a->real<b->real, a->real> b->real);
    }
    if (!a->is_double && !b->is_double) {
        return order(a->integer<b->integer, a->integer> b->integer);
    }
    if (a->is_double) {
        return -compare(b, a);
    }
    if (fabs(b->real) > 0x1p65) {
        return b->real > 0 ? -1 : 1;
    }
    wide whole = (wide)floor(b->real);
    bool has_more = floor(b->real) < b->real;
    return order(a->integer < whole || (a->integer == whole && has_more), a->integer > whole);
}

static void put_sample(struct buffer *out, const struct sample *sample) {
    if (sample->is_double) {
        put_double(out, sample->real);
    } else {
        put(out, sample->integer > INT64_MAX ? 0xCF : 0xD3, (uint64_t)sample->integer, 8);
    }
}

static bool is_integer(const struct sample *sample) {
    return !sample->is_double || floor(sample->real) == sample->real;
}

static const struct {
    const char *keyword;
    bool less, equal, greater; /* which values than the bound are valid */
} BOUNDS[] = {{"minimum", false, true, true},
              {"exclusiveMinimum", false, false, true},
              {"maximum", true, true, false},
              {"exclusiveMaximum", true, false, false},
              {"const", false, true, false}};

/* {type, keyword: bound}; a type makes them one check. */
static void check_bound(const struct sample *bound, int keyword, const char *type) {
    CLEANUP(packed_done) struct packed schema = {0};
    CLEANUP(subject_done) struct subject subject;
    put(&schema.bytes, type != NULL ? 0x82 : 0x81, 0, 0);
    if (type != NULL) {
        put_text(&schema.bytes, "type");
        put_text(&schema.bytes, type);
    }
    put_text(&schema.bytes, BOUNDS[keyword].keyword);
    put_sample(&schema.bytes, bound);
    compile(&subject, &schema);
    for (uint32_t i = 0; i < sample_count; i++) {
        CLEANUP(packed_done) struct packed payload = {0};
        int compared = compare(&samples[i], bound);
        bool wanted = compared < 0    ? BOUNDS[keyword].less
                      : compared == 0 ? BOUNDS[keyword].equal
                                      : BOUNDS[keyword].greater;
        wanted = wanted && (type == NULL || type[0] == 'n' || is_integer(&samples[i]));
        put_sample(&payload.bytes, &samples[i]);
        bool valid = false;
        cr_assert_eq(validate_run(subject.program, subject.context, parse(&payload), &valid, &subject.error), OK);
        cr_assert_eq(valid, wanted, "%s (%s) %.17g/%lld: %.17g/%lld", BOUNDS[keyword].keyword, type, bound->real,
                     (long long)bound->integer, samples[i].real, (long long)samples[i].integer);
    }
}

Test(validate_numbers, compare_exactly_with_bounds_at_every_edge) {
    collect_samples();
    for (uint32_t i = 0; i < sample_count; i++) {
        for (int keyword = 0; keyword < 5; keyword++) {
            check_bound(&samples[i], keyword, NULL);
            check_bound(&samples[i], keyword, "number");
            check_bound(&samples[i], keyword, "integer");
        }
    }
}

/* ---- equality ---- */

static bool pair_is_unique(wide a, int form_a, wide b, int form_b, bool nested, bool *ret_held) {
    static const char SCHEMA[] = "{'uniqueItems': true}";
    CLEANUP(packed_done) struct packed payload = {0};
    CLEANUP(subject_done) struct subject subject;
    subject_init(&subject);
    subject.options.trusted = true;
    cr_assert_eq(subject_compile(&subject, SCHEMA), OK);
    /* Nested, and with enough others to be told apart by hash. */
    put(&payload.bytes, nested ? 0x9A : 0x92, 0, 0);
    for (int i = 0; nested && i < 8; i++) {
        put_text(&payload.bytes, (const char[]){(char)('a' + i), '\0'});
    }
    for (int i = 0; i < 2; i++) {
        if (nested) {
            put(&payload.bytes, 0x81, 0, 0);
            put_text(&payload.bytes, "key");
            put(&payload.bytes, 0x91, 0, 0);
        }
        *ret_held = put_form(&payload.bytes, i == 0 ? a : b, i == 0 ? form_a : form_b);
        if (!*ret_held) {
            return false;
        }
    }
    return run(&subject, &payload);
}

Test(validate_numbers, are_equal_in_every_encoding) {
    static const wide NUMBERS[] = {0,
                                   1,
                                   -1,
                                   127,
                                   128,
                                   255,
                                   256,
                                   65535,
                                   65536,
                                   16777216,
                                   -128,
                                   -129,
                                   2147483648,
                                   4294967296,
                                   (wide)1 << 53,
                                   (wide)INT64_MAX,
                                   (wide)INT64_MIN,
                                   (wide)1 << 63,
                                   (wide)UINT64_MAX};
    unsigned pairs = 0;
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        for (int a = 0; a < FORMS; a++) {
            for (int b = 0; b < FORMS; b++) {
                for (int nested = 0; nested < 2; nested++) {
                    bool held;
                    bool unique = pair_is_unique(NUMBERS[i], a, NUMBERS[i], b, nested != 0, &held);
                    cr_assert(!held || !unique, "%lld in forms %d and %d", (long long)NUMBERS[i], a, b);
                    pairs += held;
                    unique = pair_is_unique(NUMBERS[i], a, NUMBERS[i] == 0 ? 2 : NUMBERS[i] - 1, b, nested != 0, &held);
                    cr_assert(!held || unique, "%lld and one less in forms %d and %d", (long long)NUMBERS[i], a, b);
                }
            }
        }
    }
    cr_expect_gt(pairs, 500);
}

Test(validate_numbers, are_neither_truth_nor_text) {
    static const char *const PAIRS[] = {"[0, false]",
                                        "[1, true]",
                                        "[1, '1']",
                                        "[0, null]",
                                        "[[0], [false]]",
                                        "[{'a': 1}, {'a': true}]",
                                        "[0, '', [], {}, null, false, '0', [[]]]"};
    for (size_t i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        cr_expect(is_valid("{'uniqueItems': true}", PAIRS[i]), "%s", PAIRS[i]);
    }
    cr_expect(!is_valid("{'const': 0}", "false"));
    cr_expect(!is_valid("{'enum': [1, 'x']}", "true"));
    cr_expect(is_valid("{'enum': [1, 'x']}", "1.0"));
    cr_expect(is_valid("{'const': [1, {'a': 0}]}", "[1.0, {'a': -0.0}]"));
}

/* ---- multiples ---- */

/* a * 10^p over b * 10^q, digit by digit. */
static bool is_multiple(uint64_t a, int p, uint64_t b, int q) {
    if (a == 0) {
        return true;
    }
    while (q > p) { /* b takes its zeros over */
        if (a % 10 != 0) {
            return false;
        }
        a /= 10;
        p++;
    }
    uint64_t rest = a % b;
    for (int i = q; i < p; i++) {
        rest = (uint64_t)((wide)rest * 10 % (wide)b);
    }
    return rest == 0;
}

/* Whole doubles that 64 bits hold are the integers that they are, whatever decimal they were written as. */
static bool is_rounded(uint64_t digits, int exponent) {
    double number = (double)digits * pow(10, exponent);
    return number > 9e15 && number < 2e19;
}

Test(validate_numbers, are_multiples_in_decimal_arithmetic) {
    unsigned multiples = 0;
    for (int i = 0; i < 4000; i++) {
        CLEANUP(subject_done) struct subject subject = {0};
        CLEANUP(json_done) struct json payload = {0};
        char schema[100];
        char value[100];
        uint64_t b = 1 + pick(i % 2 != 0 ? 1000 : 1000000000);
        uint64_t a = i % 3 == 0 ? pick(UINT64_C(1000000000000000)) : b * pick(100000);
        int q = (int)pick(i % 5 == 0 ? 600 : 30) - (i % 5 == 0 ? 300 : 15);
        int p = q + (int)pick(40) - (i % 3 == 0 ? 20 : 0);
        while (b % 10 == 0) {
            b /= 10; /* so that b alone decides when its exponent is the larger one */
            q++;
        }
        if (p > 290 || p < -290 || q > 290 || q < -290 || is_rounded(a, p) || is_rounded(b, q)) {
            continue;
        }
        bool wanted = is_multiple(a, p, b, q);
        multiples += wanted;
        snprintf(schema, sizeof schema, "{'multipleOf': %llue%d}", (unsigned long long)b, q);
        snprintf(value, sizeof value, "%s%llue%d", i % 7 == 0 ? "-" : "", (unsigned long long)a, p);
        subject_init(&subject);
        subject.options.trusted = true;
        cr_assert_eq(subject_compile(&subject, schema), OK, "%s: %s", schema, subject.error.message);
        json_open(&payload, value);
        bool valid = !wanted;
        cr_assert_eq(subject_run(&subject, json_root(&payload), &valid), OK);
        cr_assert_eq(valid, wanted, "%s: %s", schema, value);
    }
    cr_expect_gt(multiples, 500);
}

Test(validate_numbers, are_multiples_of_what_was_written) {
    static const struct {
        const char *divisor, *value;
        bool wanted;
    } CASES[] = {
        {"0.1", "0.3", true},
        {"0.1", "1e300", true},
        {"0.01", "4.35", true},
        {"0.01", "19.99", true},
        {"0.01", "19.999", false},
        {"0.0001", "0.00751", false},
        {"1e-8", "12391239123", true},
        {"1e-300", "1e308", true},
        {"3", "9007199254740993", true},
        {"3", "9007199254740992", false},
        {"2", "9223372036854775807", false},
        {"5", "'=18446744073709551615'", true},
        {"7", "-9223372036854775808", false},
        {"'=18446744073709551615'", "'=18446744073709551615'", true},
        {"'=18446744073709551615'", "9223372036854775807", false},
        {"1e308", "1e308", true},
        {"1e308", "5e307", false},
        /* Subnormal numbers have few digits of their own. */
        {"5e-324", "1e-323", true},
        {"5e-324", "1.5e-323", true},
        {"1e-323", "5e-324", false},
        {"5e-324", "1", true},
        {"3e-320", "9e-320", true},
        {"2.5", "7.5", true},
        {"2.5", "7.6", false},
        {"1", "1.0", true},
        {"1", "0.9999999999999999", false},
        {"0.5", "-0.0", true},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        char schema[64];
        snprintf(schema, sizeof schema, "{'multipleOf': %s}", CASES[i].divisor);
        cr_expect_eq(is_valid(schema, CASES[i].value), CASES[i].wanted, "%s: %s", schema, CASES[i].value);
    }
}
