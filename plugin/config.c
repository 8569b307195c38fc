/* config.c: the defaults of the configuration. */
#include "config.h"

#include <stdlib.h>

void config_init(struct config *config) {
    *config = (struct config){.create = true,
                              .durability = DURABILITY_FULL,
                              .retry_factor = 2,
                              .retry_jitter = 0.1,
#define CONFIG_DEFAULT(key, default_value, min, max) .key = (default_value),
                              CONFIG_NUMBERS(CONFIG_DEFAULT)
#undef CONFIG_DEFAULT
    };
}

void config_done(struct config *config) {
    free(config->types);
    config->types = NULL;
    config->type_count = 0;
}

struct retry_policy config_retry_policy(const struct config *config) {
    return (struct retry_policy){
        .attempts_max = config->retry_attempts_max,
        .base_us = config->retry_base_us,
        .factor = config->retry_factor,
        .cap_us = config->retry_cap_us,
        .jitter = config->retry_jitter,
        .seed = (uint64_t)config->retry_seed,
        .lease_us = config->lease_us,
    };
}
