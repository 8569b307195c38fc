/* error_map_test.c: the host's own error maps, and reading those of plugins. */
#include <criterion/criterion.h>
#include <host/error_map.h>
#include <message/message.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(error_map, of_every_status_is_a_map_with_all_five_fields) {
    for (int32_t status = 1; status < POLARIS_ES_STATUS_COUNT; status++) {
        uint8_t map[ERROR_MAP_SIZE_MAX];
        size_t size = error_map_write(map, status, "what was tried");
        json_t *value = NULL;
        struct failure failure = {""};
        cr_assert(message_unpack(map, size, &value, &failure), "%s", failure.message);
        cr_expect_eq(json_object_size(value), 5);
        cr_expect_eq(json_integer_value(json_object_get(value, "code")), status);
        cr_expect_str_eq(json_string_value(json_object_get(value, "name")), status_text(status));
        cr_expect_str_eq(json_string_value(json_object_get(value, "message")), "what was tried");
        cr_expect(json_is_boolean(json_object_get(value, "retryable")));
        cr_expect(json_is_object(json_object_get(value, "details")));
        json_decref(value);
    }
    cr_expect_str_eq(status_text(POLARIS_ES_BUSY), "BUSY");
    cr_expect_str_eq(status_text(-1), "UNKNOWN");
    cr_expect_str_eq(status_text(POLARIS_ES_STATUS_COUNT), "UNKNOWN");
}

Test(error_map, cuts_a_long_message_between_characters) {
    static const char *const CHARACTERS[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < 4 * sizeof CHARACTERS / sizeof CHARACTERS[0]; i++) {
        char message[1024] = "";
        memset(message, 'x', i % 4);
        while (strlen(message) < 900) {
            strcat(message, CHARACTERS[i / 4]);
        }
        uint8_t map[ERROR_MAP_SIZE_MAX];
        size_t size = error_map_write(map, POLARIS_ES_BUSY, message);
        json_t *value = NULL;
        struct failure failure = {""};
        cr_assert(message_unpack(map, size, &value, &failure), "%s", failure.message);
        const char *cut = json_string_value(json_object_get(value, "message"));
        cr_assert_not_null(cut, "no valid UTF-8 is left");
        cr_expect_geq(strlen(cut), 380);
        cr_expect_eq((strlen(cut) - i % 4) % strlen(CHARACTERS[i / 4]), 0, "cut within a character");
        json_decref(value);
    }
}

static bool read_message(const char *map, size_t size, char *ret_message, size_t capacity) {
    uint8_t *copy = calloc(size > 0 ? size : 1, 1); /* exact, for the address sanitizer */
    cr_assert_not_null(copy);
    memcpy(copy, map, size);
    bool found = error_map_message(copy, size, ret_message, capacity);
    free(copy);
    return found;
}
#define READ(literal, ret_message) read_message((literal), sizeof(literal) - 1, ret_message, sizeof(ret_message))

Test(error_map, message_is_found_behind_values_of_every_kind) {
    char message[16];
    cr_assert(READ("\x81\xa7message\xa5hello", message));
    cr_assert_str_eq(message, "hello");
    cr_assert(
        READ("\x8b\x01\xc0\xa1z\xc3\x02\xcc\x09\x03\xcd\x00\x09\x04\xd3\0\0\0\0\0\0\0\1\x05\xca\0\0\0\0\x06\xcb\0\0\0\0"
             "\0\0\0\0\x07\xc4\x02zz\x08\xd4\x01z\x09\x92\x01\x81\x01\x02\xa7message\xd9\x02hi",
             message));
    cr_assert_str_eq(message, "hi");
    cr_assert(READ("\xde\x00\x02\xc7\x01\x05z\xdc\x00\x01\xc2\xa7message\xda\x00\x03you", message));
    cr_assert_str_eq(message, "you");
}

Test(error_map, message_is_cut_to_the_capacity) {
    char message[4];
    cr_assert(READ("\x81\xa7message\xa5hello", message));
    cr_assert_str_eq(message, "hel");
}

Test(error_map, message_that_is_missing_or_no_text_is_none) {
    char message[16];
    cr_assert_not(READ("", message));
    cr_assert_not(READ("\xc0", message));
    cr_assert_not(READ("\x80", message));
    cr_assert_not(READ("\x81\xa7message\x05", message));
    cr_assert_not(READ("\x82\xa7message\x05\xa4name\xa2me", message));
    cr_assert_not(READ("\x81\xa7massage\xa5hello", message));
}

Test(error_map, no_cut_or_nested_or_boasting_map_is_read_beyond_its_end) {
    static const char MAP[] =
        "\x84\xa4name\xc4\x02zz\xa1x\x92\x01\x81\x01\x02\xa1y\xd8\x01zzzzzzzzzzzzzzzz\xa7message\xa5hello";
    char message[16];
    for (size_t size = 0; size < sizeof MAP - 1; size++) {
        cr_assert_not(read_message(MAP, size, message, sizeof message));
    }
    cr_assert(READ(MAP, message));
    cr_assert_not(READ("\xdf\xff\xff\xff\xff\xdd\xff\xff\xff\xff\xdd\xff\xff\xff\xff", message));
    char deep[1000];
    memset(deep, '\x91', sizeof deep);
    deep[0] = '\x81';
    deep[1] = '\x01';
    cr_assert_not(read_message(deep, sizeof deep, message, sizeof message));
}
