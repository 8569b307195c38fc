/* message_test.c: parsing, printing, hostile bytes, and the round trip of random values. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

json_t *parse(const char *json) {
    json_t *value = NULL;
    struct failure failure;
    cr_assert(message_parse(json, strlen(json), &value, &failure), "%s: %s", json, failure.message);
    return value;
}

struct failure pack_failure(const char *json) {
    json_auto_t *value = parse(json);
    uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;
    cr_assert_not(message_pack(value, &data, &size, &failure), "%s must not pack", json);
    cr_assert_null(data);
    return failure;
}

struct failure unpack_failure(const void *bytes, size_t size) {
    json_t *value = NULL;
    struct failure failure;
    cr_assert_not(message_unpack(bytes, size, &value, &failure), "%zu bytes must not unpack", size);
    cr_assert_null(value);
    return failure;
}

void check_unpacks(const char *bytes, size_t size, const char *json) {
    json_auto_t *value = NULL;
    struct failure failure;
    cr_assert(message_unpack(bytes, size, &value, &failure), "%s: %s", json, failure.message);
    char *text = message_print(value);
    cr_assert_str_eq(text, json);
    free(text);
}

void check_both_ways(const char *json, const char *bytes, size_t size, const char *back) {
    json_auto_t *value = parse(json);
    uint8_t *data = NULL;
    size_t packed = 0;
    struct failure failure;
    cr_assert(message_pack(value, &data, &packed, &failure), "%s: %s", json, failure.message);
    cr_assert_eq(packed, size, "%s packs to %zu bytes, expected %zu", json, packed, size);
    cr_assert_arr_eq(data, bytes, size, "%s", json);
    free(data);
    check_unpacks(bytes, size, back != NULL ? back : json);
}

static struct failure parse_failure(const char *json) {
    json_t *value = NULL;
    struct failure failure;
    cr_assert_not(message_parse(json, strlen(json), &value, &failure), "%s must not parse", json);
    return failure;
}

#define CONTAINS(failure, words) cr_assert_not_null(strstr((failure).message, words), "%s", (failure).message)

Test(parse, says_the_line_and_the_column_of_a_mistake) {
    struct failure failure = parse_failure("{\"a\": 1,\n \"b\": ?}");

    CONTAINS(failure, "line 2, column 7: ");
}

Test(parse, of_a_line_counts_from_the_line_that_it_is) {
    json_t *value = NULL;
    struct failure failure;

    cr_assert_not(message_parse_line("{\"a\" 1}", 7, 41, &value, &failure));

    CONTAINS(failure, "line 41, column 6: ");
}

Test(parse, refuses_a_key_that_stands_twice_and_says_how_to_write_it) {
    struct failure failure = parse_failure("{\"a\": 1, \"a\": 2}");

    CONTAINS(failure, "duplicate");
    CONTAINS(failure, "$map");
}

Test(parse, refuses_an_integer_beyond_64_bits_and_points_at_uint) {
    CONTAINS(parse_failure("9223372036854775808"), "$uint");
    CONTAINS(parse_failure("{\"a\": -9223372036854775809}"), "too big");
}

Test(parse, refuses_a_float_beyond_double_and_points_at_inf) {
    CONTAINS(parse_failure("1e999"), "{\"$float\": \"inf\"}");
}

Test(parse, refuses_text_after_the_value) {
    CONTAINS(parse_failure("{} {}"), "end of file expected");
}

Test(parse, refuses_no_text_and_text_nested_10000_deep) {
    char deep[10001];
    memset(deep, '[', 10000);
    deep[10000] = '\0';

    (void)parse_failure("");
    CONTAINS(parse_failure(deep), "depth");
}

/* UTF-8, and nothing that could steer a terminal. */
static void check_harmless(const struct failure *failure) {
    json_auto_t *text = json_string(failure->message);
    cr_assert_not_null(text, "no UTF-8: %s", failure->message);
    for (const char *c = failure->message; *c != '\0'; c++) {
        cr_assert((unsigned char)*c >= ' ' && *c != 0x7F, "a control character in: %s", failure->message);
    }
}

Test(parse, tells_a_mistake_without_what_steers_a_terminal) {
    static const char *const TEXTS[] = {"{\"a\": \x1b[2Jx}",  "[\"\x12", "[\"\x7f\" \x1b", "[\"\302\2332J\" x",
                                        "[\"\xed\xa0\x80\"]", "[\"\xff", "[\xe2\x82"};
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        json_t *value = NULL;
        struct failure failure;
        cr_assert_not(message_parse(TEXTS[i], strlen(TEXTS[i]), &value, &failure));
        check_harmless(&failure);
    }
}

Test(pack, tells_a_place_with_a_long_key_in_whole_characters) {
    for (int shift = 0; shift < 3; shift++) {
        char json[600] = "{\"";
        (void)strcat(json, &"xx"[2 - shift]);
        for (int i = 0; i < 150; i++) {
            (void)strcat(json, "\xe2\x82\xac");
        }
        (void)strcat(json, "\": {\"$bin\": 1}, \"\\u001b[2J\": 1}");
        struct failure failure = pack_failure(json);
        check_harmless(&failure);
    }
}

Test(print, floats_stay_floats_and_are_as_short_as_can_be) {
    static const char *const NUMBERS[] = {"0.1",
                                          "1.0",
                                          "-0.0",
                                          "1e+300",
                                          "4.94065645841247e-324",
                                          "0.30000000000000004",
                                          "1234.5",
                                          "1e-07",
                                          "100.0",
                                          "1.7976931348623157e+308"};
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        json_auto_t *value = parse(NUMBERS[i]);
        char *text = message_print(value);
        cr_assert_str_eq(text, NUMBERS[i]);
        free(text);
    }
}

Test(print, is_one_line_with_escapes_and_utf_8_as_it_is) {
    json_auto_t *value = parse("{\"k\\n\\u00e9\": [\"tab\\t\", \"quote\\\"\", \"\\u0000\", {}], \"a\": null}");

    char *text = message_print(value);

    cr_assert_str_eq(text, "{\"k\\né\":[\"tab\\t\",\"quote\\\"\",\"\\u0000\",{}],\"a\":null}");
    free(text);
}

Test(unpack, refuses_what_a_header_claims_beyond_the_bytes) {
    CONTAINS(unpack_failure(BYTES("\xdf\x2a\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf\xdf")), "more entries");
    CONTAINS(unpack_failure(BYTES("\xdd\xff\xff\xff\xff")), "more entries");
    CONTAINS(unpack_failure(BYTES("\xdb\xff\xff\xff\xff"
                                  "abc")),
             "it ends in the middle");
    CONTAINS(unpack_failure(BYTES("\xc6\x80\x00\x00\x00")), "it ends in the middle");
    CONTAINS(unpack_failure(BYTES("\xc9\xff\xff\xff\xff\x01")), "it ends in the middle");
}

Test(unpack, refuses_no_bytes_trailing_bytes_and_the_unused_head) {
    CONTAINS(unpack_failure(BYTES("")), "0 bytes");
    CONTAINS(unpack_failure(BYTES("\xc0\xc0")), "at byte 1: bytes follow");
    CONTAINS(unpack_failure(BYTES("\x91\xc1")), "at byte 1: no msgpack begins with the byte 0xc1");
}

Test(unpack, refuses_every_truncation) {
    json_auto_t *value =
        parse("{\"a\": [1, -200, 70000, 1.5, \"text\", {\"$bin\": \"AAH/\"}, {\"$ext\": [5, \"AAH/\"]}]}");
    uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;
    cr_assert(message_pack(value, &data, &size, &failure));

    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *exact = malloc(cut + 1); /* so that a read beyond is seen */
        memcpy(exact, data, cut);
        exact = realloc(exact, cut > 0 ? cut : 1);
        (void)unpack_failure(exact, cut);
        free(exact);
    }
    free(data);
}

Test(unpack, goes_as_deep_as_a_message_may_and_no_deeper) {
    char bytes[MESSAGE_DEPTH_MAX + 2];
    memset(bytes, '\x91', sizeof bytes);
    bytes[MESSAGE_DEPTH_MAX] = '\xc0';
    json_auto_t *value = NULL;
    struct failure failure;

    cr_assert(message_unpack(bytes, MESSAGE_DEPTH_MAX + 1, &value, &failure), "%s", failure.message);

    bytes[MESSAGE_DEPTH_MAX] = '\x91';
    bytes[MESSAGE_DEPTH_MAX + 1] = '\xc0';
    CONTAINS(unpack_failure(bytes, sizeof bytes), "too deep");
}

Test(pack, goes_as_deep_as_a_message_may_and_no_deeper) {
    json_auto_t *value = json_null();
    for (unsigned i = 0; i < MESSAGE_DEPTH_MAX; i++) {
        value = json_pack("[o]", value);
    }
    uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;
    cr_assert(message_pack(value, &data, &size, &failure), "%s", failure.message);
    free(data);

    value = json_pack("[o]", value);
    cr_assert_not(message_pack(value, &data, &size, &failure));

    CONTAINS(failure, "too deep");
}

Test(pack, puts_packed_events_into_an_append_request) {
    polaris_bytes events[] = {{(const uint8_t *)"\x80", 1}, {(const uint8_t *)"\x81\xa1\x61\x01", 4}};
    uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;

    cr_assert(message_pack_append(events, 2, &data, &size, &failure));

    check_unpacks((const char *)data, size, "{\"op\":\"append\",\"events\":[{},{\"a\":1}]}");
    free(data);
}

static unsigned allocations_left;

static void *failing_malloc(size_t size) {
    if (allocations_left == 0) {
        return NULL;
    }
    allocations_left--;
    return malloc(size);
}

Test(unpack, survives_every_allocation_failure) {
    static const char BYTES_OF_ALL[] =
        "\x88\xa1\x61\x01\xa1\x62\xcb\x3f\xf0\0\0\0\0\0\0\xa1\x63\xc4\x01\xff\xa1\x64\xd4\x05\x00"
        "\xa1\x65\xa1\xff\xa1\x66\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1\x67\x92\x01\x81\xa1$\x01"
        "\x01\x82\xa1\x61\x01\x01\xca\x7f\xc0\0\0";
    unsigned round = 0;
    json_set_alloc_funcs(failing_malloc, free);
    for (bool done = false; !done; round++) {
        json_t *value = NULL;
        struct failure failure = {0};
        allocations_left = round;
        done = message_unpack(BYTES_OF_ALL, sizeof BYTES_OF_ALL - 1, &value, &failure);
        if (!done) {
            cr_assert_null(value);
            CONTAINS(failure, "no memory");
        }
        json_decref(value);
    }
    json_set_alloc_funcs(malloc, free);
    cr_assert_gt(round, 30u);
}

/* A small generator of its own, so that a seed means the same everywhere (xorshift64*). */
static uint64_t next_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

Test(unpack, random_bytes_never_break_it_and_what_is_good_packs_again) {
    uint64_t state = 20260101;
    unsigned good = 0;
    for (unsigned round = 0; round < 200000; round++) {
        size_t size = next_random(&state) % 24;
        uint8_t *bytes = malloc(size + 1);
        for (size_t i = 0; i < size; i++) {
            bytes[i] = (uint8_t)(next_random(&state) >> 32);
        }
        json_auto_t *value = NULL;
        struct failure failure = {0};
        if (message_unpack(bytes, size, &value, &failure)) {
            uint8_t *data = NULL;
            size_t packed = 0;
            cr_assert(message_pack(value, &data, &packed, &failure), "round %u: %s", round, failure.message);
            cr_assert_leq(packed, size + 8, "round %u", round); /* a float of 4 bytes may become one of 8 */
            free(data);
            good++;
        } else {
            cr_assert_neq(failure.message[0], '\0');
        }
        free(bytes);
    }
    cr_assert_gt(good, 1000u);
}

static json_t *random_text(uint64_t *state) {
    static const char *const TEXTS[] = {
        "", "a", "$bin", "é", "日本", "\"\\/\b\f\n\r\t", "a longer text, of more than 31 bytes"};
    if (next_random(state) % 8 == 0) {
        return json_stringn("nul\0inside", 10);
    }
    return json_string(TEXTS[next_random(state) % (sizeof TEXTS / sizeof TEXTS[0])]);
}

static json_t *random_value(uint64_t *state, unsigned depth);

static json_t *random_object(uint64_t *state, unsigned depth) {
    json_t *object = json_object();
    size_t count = next_random(state) % 20;
    for (size_t i = 0; i < count; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "%s%llu", i % 3 == 0 ? "$" : "k", (unsigned long long)next_random(state) % 50);
        json_object_set_new(object, key, random_value(state, depth));
    }
    if (json_object_size(object) == 1) { /* it might be taken for a form */
        json_object_set_new(object, "second", json_true());
    }
    return object;
}

/* Values in the canonical form that unpacking gives. */
static json_t *random_value(uint64_t *state, unsigned depth) {
    uint64_t dice = next_random(state);
    switch (dice % (depth == 0 ? 10 : 13)) {
    case 0:
        return json_null();
    case 1:
        return json_boolean(dice & 16);
    case 2:
        return json_integer((json_int_t)(next_random(state) >> (dice >> 8) % 64));
    case 3:
        return json_integer(-(json_int_t)(next_random(state) >> (1 + (dice >> 8) % 63)) - 1);
    case 4: {
        double number;
        uint64_t bits = next_random(state);
        memcpy(&number, &bits, sizeof number);
        return json_real(isfinite(number) ? number : 0.5);
    }
    case 5:
        return json_pack("{s: s}", "$float", dice & 16 ? "nan" : dice & 32 ? "inf" : "-inf");
    case 6:
        return json_pack("{s: s}", "$bin", dice & 16 ? "AAH/" : dice & 32 ? "" : "/w==");
    case 7:
        return json_pack("{s: [i, s]}", "$ext", (int)(int8_t)(dice >> 8), dice & 16 ? "AAAAAA==" : "//8=");
    case 8:
        return json_pack("{s: s}", "$uint", dice & 16 ? "18446744073709551615" : "9223372036854775808");
    case 9:
        return random_text(state);
    case 10: {
        json_t *array = json_array();
        for (size_t i = dice / 13 % 20; i > 0; i--) {
            json_array_append_new(array, random_value(state, depth - 1));
        }
        return array;
    }
    case 11:
        return random_object(state, depth - 1);
    default: {
        json_t *key = json_integer((json_int_t)(dice >> 40));
        return json_pack("{s: [[o, o], [o, o]]}", "$map", key, random_value(state, depth - 1), random_text(state),
                         random_value(state, depth - 1));
    }
    }
}

Test(round_trip, random_values_come_back_equal_through_msgpack_and_through_text) {
    uint64_t state = 42;
    for (unsigned round = 0; round < 5000; round++) {
        json_auto_t *value = random_value(&state, 4);
        uint8_t *data = NULL;
        size_t size = 0;
        struct failure failure;
        cr_assert(message_pack(value, &data, &size, &failure), "round %u: %s", round, failure.message);
        json_auto_t *unpacked = NULL;
        cr_assert(message_unpack(data, size, &unpacked, &failure), "round %u: %s", round, failure.message);
        free(data);
        char *text = message_print(unpacked);
        cr_assert(json_equal(value, unpacked), "round %u: %s", round, text);

        json_auto_t *parsed = parse(text);
        cr_assert(json_equal(value, parsed), "round %u: %s", round, text);
        free(text);
    }
}
