/* mapping_test.c: each row of the JSON form of messages (abi/SPEC.md, section 9), byte for byte. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#define CONTAINS(failure, words) cr_assert_not_null(strstr((failure).message, words), "%s", (failure).message)

Test(mapping, nil_and_bool) {
    check_both_ways("null", BYTES("\xc0"), NULL);
    check_both_ways("true", BYTES("\xc3"), NULL);
    check_both_ways("false", BYTES("\xc2"), NULL);
}

Test(mapping, integers_take_the_least_bytes) {
    check_both_ways("0", BYTES("\x00"), NULL);
    check_both_ways("127", BYTES("\x7f"), NULL);
    check_both_ways("128", BYTES("\xcc\x80"), NULL);
    check_both_ways("255", BYTES("\xcc\xff"), NULL);
    check_both_ways("256", BYTES("\xcd\x01\x00"), NULL);
    check_both_ways("65536", BYTES("\xce\x00\x01\x00\x00"), NULL);
    check_both_ways("4294967296", BYTES("\xcf\x00\x00\x00\x01\x00\x00\x00\x00"), NULL);
    check_both_ways("9223372036854775807", BYTES("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), NULL);
    check_both_ways("-1", BYTES("\xff"), NULL);
    check_both_ways("-32", BYTES("\xe0"), NULL);
    check_both_ways("-33", BYTES("\xd0\xdf"), NULL);
    check_both_ways("-128", BYTES("\xd0\x80"), NULL);
    check_both_ways("-129", BYTES("\xd1\xff\x7f"), NULL);
    check_both_ways("-32769", BYTES("\xd2\xff\xff\x7f\xff"), NULL);
    check_both_ways("-2147483649", BYTES("\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"), NULL);
    check_both_ways("-9223372036854775808", BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), NULL);
}

Test(mapping, integers_of_any_width_are_read) {
    check_unpacks(BYTES("\xcc\x05"), "5");
    check_unpacks(BYTES("\xcd\x00\x05"), "5");
    check_unpacks(BYTES("\xce\x00\x00\x00\x05"), "5");
    check_unpacks(BYTES("\xcf\x00\x00\x00\x00\x00\x00\x00\x05"), "5");
    check_unpacks(BYTES("\xd0\xfb"), "-5");
    check_unpacks(BYTES("\xd1\xff\xfb"), "-5");
    check_unpacks(BYTES("\xd2\xff\xff\xff\xfb"), "-5");
    check_unpacks(BYTES("\xd3\xff\xff\xff\xff\xff\xff\xff\xfb"), "-5");
    check_unpacks(BYTES("\xd3\x00\x00\x00\x00\x00\x00\x00\x05"), "5");
}

Test(mapping, integers_beyond_int64_are_uint) {
    check_both_ways("{\"$uint\":\"9223372036854775808\"}", BYTES("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), NULL);
    check_both_ways("{\"$uint\":\"18446744073709551615\"}", BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), NULL);
    check_both_ways("{\"$uint\":\"7\"}", BYTES("\x07"), "7");
}

Test(mapping, floats_stay_floats) {
    check_both_ways("1.0", BYTES("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"), NULL);
    check_both_ways("-0.0", BYTES("\xcb\x80\x00\x00\x00\x00\x00\x00\x00"), NULL);
    check_both_ways("0.1", BYTES("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a"), NULL);
    check_unpacks(BYTES("\xca\x3f\xc0\x00\x00"), "1.5");
    check_unpacks(BYTES("\xca\x7f\xc0\x00\x00"), "{\"$float\":\"nan\"}");
    check_unpacks(BYTES("\xca\xff\x80\x00\x00"), "{\"$float\":\"-inf\"}");
}

Test(mapping, floats_that_are_no_numbers) {
    check_both_ways("{\"$float\":\"nan\"}", BYTES("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), NULL);
    check_both_ways("{\"$float\":\"inf\"}", BYTES("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), NULL);
    check_both_ways("{\"$float\":\"-inf\"}", BYTES("\xcb\xff\xf0\x00\x00\x00\x00\x00\x00"), NULL);
}

Test(mapping, strings) {
    check_both_ways("\"\"", BYTES("\xa0"), NULL);
    check_both_ways("\"é\"", BYTES("\xa2\xc3\xa9"), NULL);
    check_both_ways("\"a\\u0000b\"", BYTES("\xa3\x61\x00\x62"), NULL);
    check_unpacks(BYTES("\xd9\x01\x61"), "\"a\"");
    check_unpacks(BYTES("\xda\x00\x01\x61"), "\"a\"");
    check_unpacks(BYTES("\xdb\x00\x00\x00\x01\x61"), "\"a\"");
    check_both_ways("\"12345678901234567890123456789012\"",
                    BYTES("\xd9\x20"
                          "12345678901234567890123456789012"),
                    NULL);
}

Test(mapping, strings_that_are_no_utf_8) {
    check_both_ways("{\"$str\":\"/w==\"}", BYTES("\xa1\xff"), NULL);
    check_both_ways("{\"$str\":\"7aCA\"}", BYTES("\xa3\xed\xa0\x80"), NULL); /* half of a surrogate pair */
    check_both_ways("{\"$str\":\"YQ==\"}", BYTES("\xa1\x61"), "\"a\"");
}

Test(mapping, bin) {
    check_both_ways("{\"$bin\":\"\"}", BYTES("\xc4\x00"), NULL);
    check_both_ways("{\"$bin\":\"AAH/\"}", BYTES("\xc4\x03\x00\x01\xff"), NULL);
    check_unpacks(BYTES("\xc5\x00\x01\xff"), "{\"$bin\":\"/w==\"}");
    check_unpacks(BYTES("\xc6\x00\x00\x00\x01\xff"), "{\"$bin\":\"/w==\"}");
}

Test(mapping, ext_of_every_width) {
    check_both_ways("{\"$ext\":[1,\"AA==\"]}", BYTES("\xd4\x01\x00"), NULL);
    check_both_ways("{\"$ext\":[1,\"AAA=\"]}", BYTES("\xd5\x01\x00\x00"), NULL);
    check_both_ways("{\"$ext\":[-1,\"AAAAAA==\"]}", BYTES("\xd6\xff\x00\x00\x00\x00"), NULL);
    check_both_ways("{\"$ext\":[-128,\"AAAAAAAAAAA=\"]}", BYTES("\xd7\x80\x00\x00\x00\x00\x00\x00\x00\x00"), NULL);
    check_both_ways("{\"$ext\":[127,\"AAAAAAAAAAAAAAAAAAAAAA==\"]}",
                    BYTES("\xd8\x7f\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), NULL);
    check_both_ways("{\"$ext\":[2,\"AAAA\"]}", BYTES("\xc7\x03\x02\x00\x00\x00"), NULL);
    check_both_ways("{\"$ext\":[2,\"\"]}", BYTES("\xc7\x00\x02"), NULL);
    check_unpacks(BYTES("\xc8\x00\x01\x02\xff"), "{\"$ext\":[2,\"/w==\"]}");
    check_unpacks(BYTES("\xc9\x00\x00\x00\x01\x02\xff"), "{\"$ext\":[2,\"/w==\"]}");
}

Test(mapping, arrays_and_maps) {
    check_both_ways("[]", BYTES("\x90"), NULL);
    check_both_ways("[1,[2]]", BYTES("\x92\x01\x91\x02"), NULL);
    check_both_ways("{}", BYTES("\x80"), NULL);
    check_both_ways("{\"b\":1,\"a\":{}}", BYTES("\x82\xa1\x62\x01\xa1\x61\x80"), NULL);
    check_unpacks(BYTES("\xdc\x00\x01\xc0"), "[null]");
    check_unpacks(BYTES("\xdd\x00\x00\x00\x01\xc0"), "[null]");
    check_unpacks(BYTES("\xde\x00\x01\xa1\x61\xc0"), "{\"a\":null}");
    check_unpacks(BYTES("\xdf\x00\x00\x00\x01\xa1\x61\xc0"), "{\"a\":null}");
}

Test(mapping, maps_that_are_no_objects) {
    check_both_ways("{\"$map\":[[1,2]]}", BYTES("\x81\x01\x02"), NULL);
    check_both_ways("{\"$map\":[[\"a\",1],[\"a\",2]]}", BYTES("\x82\xa1\x61\x01\xa1\x61\x02"), NULL);
    check_both_ways("{\"$map\":[[\"a\",1],[null,2],[\"b\",3]]}", BYTES("\x83\xa1\x61\x01\xc0\x02\xa1\x62\x03"), NULL);
    check_both_ways("{\"$map\":[[\"$bin\",\"\"]]}", BYTES("\x81\xa4$bin\xa0"), NULL);
    check_both_ways("{\"$map\":[[\"$\",1]]}", BYTES("\x81\xa1$\x01"), NULL);
    check_both_ways("{\"$map\":[[\"a\\u0000\",1]]}",
                    BYTES("\x81\xa2"
                          "a\0\x01"),
                    NULL);
    check_both_ways("{\"$map\":[[{\"$str\":\"/w==\"},1]]}", BYTES("\x81\xa1\xff\x01"), NULL);
    check_both_ways("{\"$map\":[[[],{}]]}", BYTES("\x81\x90\x80"), NULL);
    check_both_ways("{\"$map\":[]}", BYTES("\x80"), "{}");
}

Test(mapping, a_key_that_begins_with_dollar_beside_another_is_plain) {
    check_both_ways("{\"$bin\":1,\"a\":2}", BYTES("\x82\xa4$bin\x01\xa1\x61\x02"), NULL);
}

Test(mapping, malformed_forms_are_refused_with_their_place) {
    CONTAINS(pack_failure("{\"a\": [0, {\"$bin\": \"A\"}]}"), "at '/a/1': {\"$bin\": …} wants padded base64");
    CONTAINS(pack_failure("{\"$bin\": \"AAB=\"}"), "base64"); /* stray bits */
    CONTAINS(pack_failure("{\"$bin\": \" AAH/ \"}"), "base64");
    CONTAINS(pack_failure("{\"$bin\": \"AA=A\"}"), "base64");
    CONTAINS(pack_failure("{\"$bin\": \"====\"}"), "base64");
    CONTAINS(pack_failure("{\"$bin\": 1}"), "base64");
    CONTAINS(pack_failure("{\"$str\": null}"), "base64");
    CONTAINS(pack_failure("{\"$ext\": [128, \"\"]}"), "$ext");
    CONTAINS(pack_failure("{\"$ext\": [1.0, \"\"]}"), "$ext");
    CONTAINS(pack_failure("{\"$ext\": [1]}"), "$ext");
    CONTAINS(pack_failure("{\"$ext\": \"AA==\"}"), "$ext");
    CONTAINS(pack_failure("{\"$float\": \"NaN\"}"), "$float");
    CONTAINS(pack_failure("{\"$float\": 1.5}"), "$float");
    CONTAINS(pack_failure("{\"$uint\": \"18446744073709551616\"}"), "$uint");
    CONTAINS(pack_failure("{\"$uint\": \"-1\"}"), "$uint");
    CONTAINS(pack_failure("{\"$uint\": \"\"}"), "$uint");
    CONTAINS(pack_failure("{\"$uint\": \"1\\u0000\"}"), "$uint");
    CONTAINS(pack_failure("{\"$uint\": 1}"), "$uint");
    CONTAINS(pack_failure("{\"$map\": [[1]]}"), "at '/0': {\"$map\"");
    CONTAINS(pack_failure("{\"$map\": {}}"), "$map");
    CONTAINS(pack_failure("{\"b\": {\"$binary\": \"\"}}"), "at '/b': unknown form");
}
