/* config.h: the configuration of an instance; SPEC.md, "Configuration", documents each key. */
#ifndef POLARIS_PLUGIN_CONFIG_H
#define POLARIS_PLUGIN_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "bounds.h"
#include "dead_letter.h"
#include "error.h"

enum durability { DURABILITY_FULL, DURABILITY_NORMAL };

/* X(field, type range and default of a number): CONFIG_NUMBERS(X) X(key, default, min, max) */
#define CONFIG_NUMBERS(X)                                                                                              \
    X(busy_timeout_ms, 5000, 0, 60000)                                                                                 \
    X(page_size, 4096, 512, 65536)                                                                                     \
    X(cache_kib, 4096, 64, 1048576)                                                                                    \
    X(readers, 4, 1, 64)                                                                                               \
    X(queue_max, 1024, 1, 65536)                                                                                       \
    X(group_max, 1024, 1, 65536)                                                                                       \
    X(submit_max, 4096, 1, 65536)                                                                                      \
    X(submit_size_max, 67108864, 1024, 1073741824)                                                                     \
    X(checkpoint_pages, 4000, 100, 1000000)                                                                            \
    X(event_size_max, 1048576, 64, 67108864)                                                                           \
    X(request_size_max, 67108864, 1024, 1073741824)                                                                    \
    X(request_events_max, 10000, 1, 1000000)                                                                           \
    X(reply_size_max, 16777216, 65536, 1073741824)                                                                     \
    X(depth_max, 128, 4, 1024)                                                                                         \
    X(batch_events_max, 1000000, 1, 10000000)                                                                          \
    X(wait_max_us, 60000000, 0, 3600000000)                                                                            \
    X(store_size_max, 0, 0, INT64_C(281474976710656))                                                                  \
    X(retry_attempts_max, 3, 1, 1000)                                                                                  \
    X(retry_base_us, 1000000, 0, INT64_C(86400000000))                                                                 \
    X(retry_cap_us, INT64_C(3600000000), 0, INT64_C(31536000000000))                                                   \
    X(retry_seed, 0, 0, INT64_MAX)                                                                                     \
    X(lease_us, 30000000, 1000, INT64_C(86400000000))                                                                  \
    X(schema_size_max, 1048576, 64, 67108864)                                                                          \
    X(schema_depth_max, 128, 4, 1024)                                                                                  \
    X(schema_subschemas_max, 10000, 1, 1000000)                                                                        \
    X(schema_references_max, 10000, 1, 1000000)                                                                        \
    X(schema_patterns_max, 1000, 0, 100000)                                                                            \
    X(schema_documents_max, 64, 0, 1024)                                                                               \
    X(schema_program_size_max, 16777216, 4096, 1073741824)                                                             \
    X(schema_compile_steps_max, 5000000, 1000, 4000000000)                                                             \
    X(schema_cache_kib, 65536, 1024, 1048576)                                                                          \
    X(pattern_steps_max, 1000000, 1000, 4000000000)                                                                    \
    X(validation_steps_max, 20000000, 1000, 4000000000)                                                                \
    X(validation_frames_max, 16384, 64, 1048576)                                                                       \
    X(validation_memory_max, 67108864, 65536, 1073741824)                                                              \
    X(failures_max, 32, 1, 1000)                                                                                       \
    X(failures_size_max, 65536, 4096, 1048576)

struct config {
    char path[PATH_SIZE_MAX + 1];
    char owner[128]; /* who opens it, for the BUSY message that a second writer gets */
    bool read_only;  /* mode "read" */
    bool create;
    bool hide_values; /* failures of validation name types, never values */
    enum durability durability;
    double retry_factor; /* default 2, 1 to 100 */
    double retry_jitter; /* default 0.1, 0 to 1 */
    uint64_t hash_seed;  /* of all hashes of what requests chose: no key, but drawn when the instance opens */
#define CONFIG_FIELD(key, default_value, min, max) int64_t key;
    CONFIG_NUMBERS(CONFIG_FIELD)
#undef CONFIG_FIELD
    bool types_closed; /* `types` was given: no others are accepted */
    uint32_t type_count;
    char (*types)[TYPE_SIZE_MAX + 1]; /* owned; config_done() frees it */
};

void config_init(struct config *config); /* the defaults; path is empty */
void config_done(struct config *config);
struct retry_policy config_retry_policy(const struct config *config);

#endif
