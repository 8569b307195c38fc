/* Tests of plugin/wire/decode_config.c: each key has its default and its range, and nothing else is accepted. */
#include "support.h"

static enum status decode(const char *json, struct config *ret_config, struct error *error) {
    CLEANUP(wire_writer_done) struct wire_writer writer = {0};
    put_json(&writer, json);
    return wire_decode_config(buffer_view(&writer.buffer), ret_config, error);
}

Test(decode_config, a_path_alone_gives_every_default) {
    CLEANUP(config_done) struct config config = {0};
    struct config defaults;
    struct error error;
    config_init(&defaults);

    cr_assert_eq(decode("{'path': '/tmp/x.db'}", &config, &error), OK);

    cr_expect_str_eq(config.path, "/tmp/x.db");
    cr_expect_str_eq(config.owner, "");
    cr_expect_not(config.read_only || config.types_closed);
    cr_expect(config.create);
    cr_expect_eq(config.durability, DURABILITY_FULL);
    cr_expect_float_eq(config.retry_factor, defaults.retry_factor, 0);
    cr_expect_float_eq(config.retry_jitter, defaults.retry_jitter, 0);
#define EXPECT_DEFAULT(key, default_value, min, max) cr_expect_eq(config.key, (default_value));
    CONFIG_NUMBERS(EXPECT_DEFAULT)
#undef EXPECT_DEFAULT
}

Test(decode_config, every_key_is_read) {
    CLEANUP(config_done) struct config config = {0};
    struct error error;

    enum status status = decode("{'path': 'x', 'mode': 'read', 'create': false, 'durability': 'normal', 'owner': 'me', "
                                "'retry_factor': 3, 'retry_jitter': 0.5, 'types': ['a', 'b'], 'page_size': 8192}",
                                &config, &error);

    cr_assert_eq(status, OK, "%s", error.message);
    cr_expect(config.read_only && config.types_closed);
    cr_expect_not(config.create);
    cr_expect_eq(config.durability, DURABILITY_NORMAL);
    cr_expect_str_eq(config.owner, "me");
    cr_expect_float_eq(config.retry_factor, 3, 0);
    cr_expect_float_eq(config.retry_jitter, 0.5, 0);
    cr_expect_eq(config.page_size, 8192);
    cr_assert_eq(config.type_count, 2);
    cr_expect_str_eq(config.types[1], "b");
}

struct number {
    const char *key;
    int64_t min, max;
};

Test(decode_config, every_number_is_taken_within_its_range_only) {
    static const struct number NUMBERS[] = {
#define NUMBER(key, default_value, min, max) {#key, min, max},
        CONFIG_NUMBERS(NUMBER)
#undef NUMBER
    };
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++) {
        const struct number *number = &NUMBERS[i];
        const int64_t values[] = {number->min, number->max, number->min - 1,
                                  number->max < INT64_MAX ? number->max + 1 : number->min - 1};
        for (size_t j = 0; j < 4; j++) {
            CLEANUP(config_done) struct config config = {0};
            struct error error;
            char json[128];
            char path[64];
            char message[128];
            snprintf(json, sizeof json, "{'path': 'x', '%s': %lld}", number->key, (long long)values[j]);
            enum status status = decode(json, &config, &error);
            if (j < 2) {
                cr_expect_eq(status, OK, "%s: %s", json, error.message);
                continue;
            }
            snprintf(path, sizeof path, "/%s", number->key);
            snprintf(message, sizeof message, "%s is %lld, it may be %lld to %lld", number->key, (long long)values[j],
                     (long long)number->min, (long long)number->max);
            expect_error(&error, status, INVALID, path, message);
        }
    }
}

Test(decode_config, wrong_values_are_refused_with_their_path) {
    const struct {
        const char *json;
        const char *path;
        const char *message;
    } cases[] = {
        {"{}", "/path", "path is missing"},
        {"{'path': ''}", "/path", "path is an empty string"},
        {"{'path': 'a\\u0000b'}", "/path", "contains a NUL"},
        {"{'path': 'x', 'page_size': 5000}", "/page_size", "page_size is 5000, it may be 512 to 65536, a power of two"},
        {"{'path': 'x', 'page_size': '4096'}", "/page_size", "page_size is a string, it must be an integer"},
        {"{'path': 'x', 'mode': 'append'}", "/mode", "mode is \"append\", it may be one of: write, read"},
        {"{'path': 'x', 'durability': 'none'}", "/durability", "it may be one of: full, normal"},
        {"{'path': 'x', 'create': 1}", "/create", "create is an integer, it must be a boolean"},
        {"{'path': 'x', 'retry_factor': 0.5}", "/retry_factor", "retry_factor is 0.5, it may be 1 to 100"},
        {"{'path': 'x', 'retry_jitter': 1.5}", "/retry_jitter", "retry_jitter is 1.5, it may be 0 to 1"},
        {"{'path': 'x', 'types': []}", "/types", "types is an empty array, it may have 1 to 64 elements"},
        {"{'path': 'x', 'types': [1]}", "/types/0", "types[0] is an integer, it must be a string"},
        {"{'path': 'x', 'colour': 'red'}", "/colour", "the configuration has no field \"colour\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config = {.queue_max = 7};
        struct error error;
        enum status status = decode(cases[i].json, &config, &error);
        expect_error(&error, status, INVALID, cases[i].path, cases[i].message);
        cr_expect_eq(config.queue_max, 7, "outputs change on OK only");
    }
}

Test(decode_config, what_was_allocated_for_a_refused_configuration_is_freed) {
    struct config config = {0};
    struct error error;
    cr_expect_eq(decode("{'path': 'x', 'types': ['a'], 'unknown': 1}", &config, &error), INVALID);
    cr_expect_null(config.types);
}

Test(decode_config, no_bytes_are_no_configuration) {
    struct config config = {0};
    struct error error;
    enum status status = wire_decode_config((struct bytes){0}, &config, &error);
    expect_error(&error, status, INVALID, "", "request is empty");
}

Test(decode_config, paths_and_owners_fit_to_the_last_byte) {
    CLEANUP(config_done) struct config config = {0};
    struct error error;
    char json[PATH_SIZE_MAX + 200];
    snprintf(json, sizeof json, "{'path': '%0*d', 'owner': '%0127d'}", PATH_SIZE_MAX, 0, 0);
    cr_expect_eq(decode(json, &config, &error), OK);
    cr_expect_eq(strlen(config.path), PATH_SIZE_MAX);
    cr_expect_eq(strlen(config.owner), 127);
    snprintf(json, sizeof json, "{'path': '%0*d'}", PATH_SIZE_MAX + 1, 0);
    enum status status = decode(json, &config, &error);
    expect_error(&error, status, INVALID, "/path", "path is 3901 bytes, it may be 1 to 3900");
    snprintf(json, sizeof json, "{'path': 'x', 'owner': '%0128d'}", 0);
    status = decode(json, &config, &error);
    expect_error(&error, status, INVALID, "/owner", "owner is 128 bytes, it may be 0 to 127");
}
