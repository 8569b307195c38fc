/* wire/decode_config.c: the configuration of init. */
#include "wire/field.h"
#include "wire/messages.h"

#include <stdlib.h>

enum { CONFIG_TYPES_MAX = 64 };

/* What init accepts before it knows any limit. */
static const struct wire_limits CONFIG_LIMITS = {.size_max = 1 << 20, .depth_max = 16};

static enum status decode_numbers(struct wire_map *map, struct config *config, struct error *error) {
    enum status status;
#define DECODE_NUMBER(key, default_value, min, max)                                                                    \
    status = wire_map_int(map, #key, OPTIONAL, min, max, &config->key, error);                                         \
    if (status != OK) {                                                                                                \
        return status;                                                                                                 \
    }
    CONFIG_NUMBERS(DECODE_NUMBER)
#undef DECODE_NUMBER
    if ((config->page_size & (config->page_size - 1)) != 0) {
        error_set(error, INVALID, "page_size is %lld, it may be 512 to 65536, a power of two",
                  (long long)config->page_size);
        return wire_error_at(error, map->path, "page_size");
    }
    status = wire_map_number(map, "retry_factor", OPTIONAL, 1, 100, &config->retry_factor, error);
    if (status != OK) {
        return status;
    }
    return wire_map_number(map, "retry_jitter", OPTIONAL, 0, 1, &config->retry_jitter, error);
}

/* Copies a string that fits into one of the configuration's arrays. */
static void copy_text(char *target, struct bytes text) {
    if (text.size > 0) {
        memcpy(target, text.data, text.size);
    }
    target[text.size] = '\0';
}

static enum status decode_file(struct wire_map *map, struct config *config, struct error *error) {
    static const char *const MODES[] = {"write", "read", NULL};
    static const char *const DURABILITIES[] = {"full", "normal", NULL};
    struct bytes path = {0};
    struct bytes owner = BYTES_LITERAL("");
    enum status status = wire_map_name(map, "path", REQUIRED, PATH_SIZE_MAX, &path, error);
    if (status != OK) {
        return status;
    }
    copy_text(config->path, path);
    status = wire_map_text(map, "owner", OPTIONAL, sizeof config->owner - 1, &owner, error);
    if (status != OK) {
        return status;
    }
    copy_text(config->owner, owner);
    int mode = config->read_only ? 1 : 0;
    status = wire_map_choice(map, "mode", OPTIONAL, MODES, &mode, error);
    if (status != OK) {
        return status;
    }
    config->read_only = mode == 1;
    int durability = config->durability == DURABILITY_NORMAL ? 1 : 0;
    status = wire_map_choice(map, "durability", OPTIONAL, DURABILITIES, &durability, error);
    if (status != OK) {
        return status;
    }
    config->durability = durability == 1 ? DURABILITY_NORMAL : DURABILITY_FULL;
    status = wire_map_bool(map, "hide_values", OPTIONAL, &config->hide_values, error);
    if (status != OK) {
        return status;
    }
    return wire_map_bool(map, "create", OPTIONAL, &config->create, error);
}

static enum status decode_types(struct wire_map *map, struct config *config, struct error *error) {
    struct bytes types[CONFIG_TYPES_MAX];
    uint32_t count = 0;
    enum status status = wire_map_names(map, "types", OPTIONAL, TYPE_SIZE_MAX, CONFIG_TYPES_MAX, types, &count, error);
    if (status != OK || count == 0) {
        return status;
    }
    config->types = calloc(count, sizeof *config->types);
    if (config->types == NULL) {
        return error_set(error, NO_MEMORY, "no memory for the %u types of the configuration", count);
    }
    for (uint32_t i = 0; i < count; i++) {
        copy_text(config->types[i], types[i]);
    }
    config->type_count = count;
    config->types_closed = true;
    return OK;
}

enum status wire_decode_config(struct bytes input, struct config *ret_config, struct error *error) {
    CLEANUP(wire_document_done) struct wire_document document = {0};
    enum status status = wire_document_parse(&document, input, &CONFIG_LIMITS, error);
    if (status != OK) {
        return status;
    }
    struct wire_map map;
    status = wire_map_open(&map, (struct wire_value){.document = &document}, NULL, error);
    if (status != OK) {
        return status;
    }
    CLEANUP(config_done) struct config config;
    config_init(&config);
    status = decode_file(&map, &config, error);
    if (status != OK) {
        return status;
    }
    status = decode_numbers(&map, &config, error);
    if (status != OK) {
        return status;
    }
    status = decode_types(&map, &config, error);
    if (status != OK) {
        return status;
    }
    status = wire_map_finish(&map, "the configuration", error);
    if (status != OK) {
        return status;
    }
    *ret_config = config;
    config_init(&config); /* the caller owns the types now */
    return OK;
}
