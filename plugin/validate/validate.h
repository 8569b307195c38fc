/* validate.h: JSON Schema over msgpack: a schema is compiled once to an immutable program, which any number of threads
 * then run over payloads' tapes.
 *
 * Dialects: 2020-12 and draft-07, and custom meta-schemas built on them. Nothing is ever fetched: what a schema refers
 * to is in the schema, among the documents given with it, or one of the dialects' own meta-schemas, which are built in.
 *
 * Hostile input is bounded twice: at compile time by limits on the schema, at run time by a budget of steps. A limit
 * that is hit is an error (TOO_LARGE, naming the limit) and never a verdict. */
#ifndef POLARIS_PLUGIN_VALIDATE_VALIDATE_H
#define POLARIS_PLUGIN_VALIDATE_VALIDATE_H

#include "bytes.h"
#include "cleanup.h"
#include "error.h"
#include "wire/document.h"

/* X(name, default): what a schema may be, and what evaluating one payload may cost. */
#define VALIDATE_LIMITS(X)                                                                                             \
    X(schema_size_max, 1 << 20)          /* bytes of the schema and the documents given with it */                     \
    X(schema_depth_max, 128)             /* arrays and maps within each other */                                       \
    X(schema_subschemas_max, 10000)      /* compiled subschemas, each once however often it is referred to */          \
    X(schema_references_max, 10000)      /* $ref and $dynamicRef */                                                    \
    X(schema_patterns_max, 1000)         /* different regular expressions */                                           \
    X(pattern_steps_max, 1000000)        /* of one search for one of them */                                           \
    X(schema_program_size_max, 16 << 20) /* bytes of the compiled program */                                           \
    X(schema_compile_steps_max, 5000000) /* keywords, references' steps and the like */                                \
    X(validation_steps_max, 20000000)    /* of one evaluation: keywords and elements looked at */                      \
    X(validation_frames_max, 16384)      /* of one evaluation: subschemas within each other */                         \
    X(validation_memory_max, 64 << 20)   /* bytes of one evaluation: sets, tables of equal values */                   \
    X(failures_size_max, 65536)          /* bytes of the texts of a report; what comes after is `truncated` */

struct validate_limits {
#define VALIDATE_LIMIT_FIELD(name, default_value) uint32_t name;
    VALIDATE_LIMITS(VALIDATE_LIMIT_FIELD)
#undef VALIDATE_LIMIT_FIELD
};

void validate_limits_init(struct validate_limits *limits); /* the defaults */

enum validate_dialect { VALIDATE_2020_12, VALIDATE_DRAFT_07 };

/* A document that the schema may refer to: under the URI it is given with, and under its own $id. */
struct validate_document {
    struct bytes uri;
    struct wire_value root;
};

struct validate_options {
    enum validate_dialect default_dialect; /* of documents without $schema */
    bool assert_format;                    /* `format` is checked, not only an annotation */
    bool extended;                         /* payloads may hold what JSON does not: see validate_run() */
    bool trusted;                          /* the schema passed its meta-schema before: it is not asked again */
    uint64_t seed;                         /* that of the payloads' tapes, wire_limits.seed */
    const struct validate_document *documents;
    size_t document_count;
    struct validate_limits limits;
};

void validate_options_init(struct validate_options *options);

struct validate_program;

/* One failure, in JSON Schema's output form `basic`. All texts are UTF-8. */
struct validate_failure {
    struct bytes instance_path;     /* RFC 6901 pointer into the payload */
    struct bytes keyword_path;      /* pointer from the schema's root, through references */
    struct bytes absolute_location; /* URI of the keyword */
    struct bytes message;           /* "must be >= 0 (got -1)" */
    const char *code;               /* the keyword, or "model" for what the JSON model lacks: a literal */
    uint32_t offset;                /* of the value's first byte in the payload */
};

/* Failures, in the order of the schema. A zeroed one is empty. */
struct validate_report {
    uint32_t failures_max; /* set by the caller: more than these are `truncated`; 0: the limits' size alone counts */
    bool hide_values;      /* set by the caller: messages name types, never values of the payload */
    bool truncated;        /* there were more failures, or to find them all would have taken too many steps */
    bool no_memory;        /* to tell all of it: validate_explain failed with NO_MEMORY */
    uint32_t count;
    uint32_t capacity;
    struct validate_report_entry *entries;
    struct buffer text;
};

void validate_report_done(struct validate_report *report);
struct validate_failure validate_report_at(const struct validate_report *report, uint32_t index);

/* "/items/3/price: must be >= 0 (got -1) [properties/items/items/minimum]", NUL-terminated, cut to `size`. */
void validate_failure_print(const struct validate_failure *failure, char *text, size_t size);

/* Compiles `schema`, which is not needed afterwards, nor are the documents.
 * INVALID: it fails its meta-schema (`report`, unless NULL, has the failures), a reference leads nowhere or in a
 * circle, a pattern is none. UNSUPPORTED: a dialect or a required vocabulary that is not known. TOO_LARGE: a limit. The
 * error's path points into the schema. */
WARN_UNUSED enum status validate_compile(struct wire_value schema, const struct validate_options *options,
                                         struct validate_program **ret_program, struct validate_report *report,
                                         struct error *error);
void validate_program_free(struct validate_program *program); /* NULL is fine */
static inline void validate_program_freep(struct validate_program **program) {
    validate_program_free(*program);
}
size_t validate_program_memory(const struct validate_program *program); /* bytes, for caches */

/* The memory of evaluations, kept from one to the next: a thread has its own. The seed should be secret. */
struct validate_context;
WARN_UNUSED struct validate_context *validate_context_new(uint64_t seed); /* NULL: no memory */
void validate_context_free(struct validate_context *context);             /* NULL is fine */
static inline void validate_context_freep(struct validate_context **context) {
    validate_context_free(*context);
}
uint64_t validate_context_steps(const struct validate_context *context); /* of the last evaluation */
size_t validate_context_memory(const struct validate_context *context);  /* bytes that it keeps */

/* Is the payload valid? Allocates only what the context has not needed before. TOO_LARGE: a limit of the program.
 *
 * Payloads take the JSON model: binary data, extension values, NaN, infinities, text that is not UTF-8, keys that are
 * no strings or come twice in a map make it invalid. In an `extended` program all but broken UTF-8 is let through:
 * binary data and extension values have no type, keys that are no strings no name in `properties`.
 *
 * INTERNAL: the payload's tape was written with another seed than the program was compiled with. */
WARN_UNUSED enum status validate_run(const struct validate_program *program, struct validate_context *context,
                                     struct wire_value payload, bool *ret_valid, struct error *error);

/* As validate_run, and says why not. Slow: to be called for what validate_run found invalid. TOO_LARGE as well if
 * saying it takes too many steps: the report then has what was found, `truncated`, and what validate_run said stands.
 */
WARN_UNUSED enum status validate_explain(const struct validate_program *program, struct validate_context *context,
                                         struct wire_value payload, bool *ret_valid, struct validate_report *report,
                                         struct error *error);

/* Are the two documents the same JSON value: 1 and 1.0, keys in any order? Against hostile documents in linear time. */
WARN_UNUSED enum status validate_same(struct wire_value a, struct wire_value b, bool *ret_same, struct error *error);

#endif
