/* schema_ops.h: what the ops of the verb schema share. */
#ifndef POLARIS_PLUGIN_SCHEMA_OPS_H
#define POLARIS_PLUGIN_SCHEMA_OPS_H

#include "schema_source.h"
#include "use_cases.h"
#include "validate/compatible.h"

/* How often a put or a policy is made anew because schemas changed while it was checked. */
enum { SCHEMA_ROUNDS_MAX = 16 };

WARN_UNUSED enum status schema_put(struct call *call);
WARN_UNUSED enum status schema_check(struct call *call);
WARN_UNUSED enum status schema_validate(struct call *call);
WARN_UNUSED enum status schema_dry_run(struct call *call);

/* ---- what requests have in common ---- */

/* The fields type, schema and documents. A zeroed one is empty. */
struct schema_request {
    struct bytes type;
    enum schema_format format;
    struct bytes schema;    /* as it came; absent: not given */
    struct bytes documents; /* as they came, or absent */
    struct schema_source source;
};
void schema_request_done(struct schema_request *request);

/* Reads schema and documents, and opens the source; an absent schema is refused only if it is REQUIRED. */
WARN_UNUSED enum status schema_read_source(struct call *call, enum wire_presence presence,
                                           struct schema_request *ret_request);
WARN_UNUSED enum status schema_read_type(struct call *call, enum wire_presence presence, struct bytes *ret_type);
/* `format` and `extended`, where they are given. */
WARN_UNUSED enum status schema_read_payload_settings(struct call *call, struct schema_settings *settings);
/* `compatibility` and `content`, where they are given. */
WARN_UNUSED enum status schema_read_compatibility(struct call *call, struct schema_settings *settings);

/* ---- versions that are kept ---- */

/* One version, copied out of the store. A zeroed one is empty. */
struct schema_kept {
    struct schema_settings settings; /* of its type */
    bool damaged;                    /* the settings are, and stand here as the defaults */
    int64_t latest;                  /* the highest number of the type; 0: none */
    int64_t version;                 /* 0: the type has none that is in use */
    enum schema_format format;
    struct buffer schema;
    struct buffer documents;
    bool has_documents;
    struct schema_source source;
};
void schema_kept_done(struct schema_kept *kept);

/* The settings of the type and its current version; a type that nothing is known of has the defaults and version 0. */
WARN_UNUSED enum status schema_load_current(struct call *call, struct bytes type, struct schema_kept *ret_kept);
/* Another version; only what belongs to it is set. NOT_FOUND. */
WARN_UNUSED enum status schema_load_version(struct call *call, struct bytes type, int64_t version,
                                            struct schema_kept *ret_kept);
/* Opens kept->source and compiles it. */
WARN_UNUSED enum status schema_compile_kept(struct call *call, struct bytes type, struct schema_kept *kept,
                                            const struct schema_settings *settings,
                                            struct validate_program **ret_program);

/* ---- comparing ---- */

/* A new version against those that the mode names. */
struct schema_comparison {
    enum schema_compatibility mode;
    enum schema_content content;
    int64_t version; /* > 0: against this one only */
    enum compatible_answer answer;
    struct buffer against;          /* the versions: int64_t, one behind the other */
    struct wire_writer differences; /* maps, one behind the other */
    uint32_t difference_count;
    bool truncated;
};
void schema_comparison_done(struct schema_comparison *comparison);
/* `program`: of the request's schema. The first three are set by the caller; the others are zero. */
WARN_UNUSED enum status schema_compare(struct call *call, const struct schema_request *request,
                                       const struct validate_program *program, const struct schema_settings *settings,
                                       struct schema_comparison *comparison);
/* The comparison as pairs of a map; returns how many. */
uint32_t schema_put_comparison(struct wire_writer *writer, const struct schema_comparison *comparison);

/* ---- trying over stored events ---- */

enum { DRY_RUN_EXAMPLES = 3, DRY_RUN_LIMIT_DEFAULT = 1000000 };

struct dry_run_example {
    int64_t id;
    size_t size; /* of the payload */
};

struct dry_run {
    struct bytes type;
    const struct validate_program *program; /* the new one */
    const struct validate_program *before;  /* of the current version, or NULL */
    int64_t after_id;
    int64_t limit;
    int64_t checked, valid, invalid, newly_invalid, newly_valid, failed;
    int64_t last_id;
    bool more;
    struct dry_run_example now_invalid[DRY_RUN_EXAMPLES], now_valid[DRY_RUN_EXAMPLES]; /* the smallest; id 0: none */
};
/* The first six are set by the caller; the others are zero. */
WARN_UNUSED enum status schema_try_events(struct call *call, struct dry_run *run);

/* ---- replies ---- */

enum { SCHEMA_SETTINGS_PAIRS = 6 };
void schema_put_settings(struct wire_writer *reply, const struct schema_settings *settings);

#endif
