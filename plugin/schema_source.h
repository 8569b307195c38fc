/* schema_source.h: a schema as it was given or is kept, and the documents with it: read, and compiled. */
#ifndef POLARIS_PLUGIN_SCHEMA_SOURCE_H
#define POLARIS_PLUGIN_SCHEMA_SOURCE_H

#include "config.h"
#include "schema_settings.h"
#include "storage/storage.h"
#include "validate/validate.h"
#include "wire/writer.h"

/* A value that came as msgpack or as JSON text. */
struct schema_tree {
    struct buffer converted; /* of JSON text */
    struct wire_document tape;
};

/* A zeroed one is empty. `documents` of validate_options points into it: it must not move. */
struct schema_source {
    struct schema_tree tree;
    struct wire_document documents_tape;
    struct schema_tree *document_trees;
    struct validate_document *documents;
    size_t document_count;
};

void schema_source_done(struct schema_source *source);

/* Reads a schema, and `documents` (a msgpack array of maps {uri, schema}, or absent). The bytes are borrowed. INVALID,
 * TOO_LARGE: the path begins with /schema or /documents. */
WARN_UNUSED enum status schema_source_open(struct schema_source *source, enum schema_format format, struct bytes schema,
                                           struct bytes documents, const struct config *config, struct error *error);

static inline struct wire_value schema_source_root(const struct schema_source *source) {
    return (struct wire_value){.document = &source->tree.tape, .index = 0};
}

/* The options to compile it by; they point into the source. */
struct validate_options schema_source_options(const struct schema_source *source, const struct config *config,
                                              const struct schema_settings *settings);

/* As validate_compile; paths begin with /schema. `details` (or NULL) gets `failures`, for the error map, when the
 * schema fails its meta-schema. `trusted`: it was put before. */
WARN_UNUSED enum status schema_source_compile(const struct schema_source *source, const struct config *config,
                                              const struct schema_settings *settings, bool trusted,
                                              struct validate_program **ret_program, struct wire_writer *details,
                                              struct error *error);

/* The error of a version that is kept and cannot be read or compiled here: TOO_LARGE with its limit, NO_MEMORY, or
 * INCOMPATIBLE; it names the version, and what to do. Returns the new status. */
enum status schema_source_refuse_kept(struct bytes type, int64_t version, struct error *error);

/* The same schema with the same documents, by value? */
WARN_UNUSED enum status schema_source_same(const struct schema_source *a, const struct schema_source *b, bool *ret_same,
                                           struct error *error);

#endif
