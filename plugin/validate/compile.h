/* compile.h: the state of one compilation, shared by its steps: sources, resources, units, and the program's sections.
 */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPILE_H
#define POLARIS_PLUGIN_VALIDATE_COMPILE_H

#include "validate/program.h"
#include "validate/value.h"
#include "validate/vector.h"

/* A document: the schema, one given with it, or a built-in meta-schema. */
struct source {
    struct wire_value root;
    struct bytes uri;          /* it is given with, or empty */
    struct buffer bytes;       /* owned, of a meta-schema */
    struct wire_document tape; /* owned, of a meta-schema */
    uint32_t item_count;
    uint32_t *parents;   /* by item, from the root's on: the item around it */
    uint32_t *positions; /* in it: of an array's element */
    uint32_t *records;   /* resource + 1, where a schema was found; or 0 */
    uint32_t *locations; /* + 1; or 0 */
};

/* A schema with an identifier, or the root of a source. */
struct resource {
    uint32_t uri, uri_size; /* in `names` */
    uint32_t source;
    uint32_t root; /* item */
    struct dialect dialect;
    uint32_t dynamic_anchors;
};

/* A URI by which a resource is known. */
struct resource_name {
    uint32_t uri, uri_size;
    uint32_t resource;
};

struct anchor {
    struct bytes name;
    uint32_t resource;
    uint32_t item;
    bool is_dynamic;
};

/* Which resource each dynamic anchor's name stands for: the outermost on the way to a unit. */
struct binding {
    struct bytes name;
    uint32_t resource;
};
struct scope {
    uint32_t first, count; /* bindings */
};

/* One subschema to compile, seen from one scope; its number is that of its schema_node. */
struct unit {
    uint32_t source;
    uint32_t item;
    uint32_t scope;
    uint32_t resource;
};

struct edge {
    uint32_t from, to;
    bool in_place; /* both look at the same value */
};

struct target {
    uint32_t source;
    uint32_t item;
    uint32_t anchor; /* it was found by, or NO_INDEX */
};

/* Failure is sticky: the first one is kept in `status` and described in the error; what is appended after is nonsense,
 * and whoever reads it back asks first. */
struct compiler {
    const struct validate_options *options;
    struct error *error;
    enum status status;
    struct work work;
    struct source *sources;
    uint32_t source_count;
    uint64_t size; /* of all sources */
    struct buffer names;
    struct vector resources, resource_names, anchors, bindings, scopes, units, edges, pending_scans;
    struct vector order; /* units: those applied in place before those that apply them */
    struct index name_index, anchor_index, scope_index, unit_index, pattern_index;
    struct vector sections[SECTION_COUNT];
    struct vector patterns;      /* struct pattern *: owned */
    struct vector pattern_texts; /* struct bytes */
    uint32_t reference_count;
    uint64_t program_size;
};

#define RESOURCE(compiler, i) VECTOR_AT((compiler)->resources, struct resource, i)
#define UNIT(compiler, i) VECTOR_AT((compiler)->units, struct unit, i)
#define SECTION(compiler, name, record, i) VECTOR_AT((compiler)->sections[SECTION_##name], record, i)

/* Describes the first failure, at an item of a source; returns its status. */
enum status compile_refuse(struct compiler *compiler, enum status status, uint32_t source, uint32_t item,
                           const char *format, ...) __attribute__((format(printf, 5, 6)));
enum status compile_no_memory(struct compiler *compiler);
/* TOO_LARGE, naming the limit. */
enum status compile_limit(struct compiler *compiler, const char *name, uint64_t limit);
/* False: the budget of steps is used up, or something failed before. */
bool compile_spend(struct compiler *compiler, uint64_t steps);
/* A step for each few bytes: what long identifiers cost each time that they are resolved against. */
bool compile_spend_bytes(struct compiler *compiler, uint64_t size);

/* compile.c: reads the schema and the documents given with it into a zeroed compiler: what resolving references needs,
 * and no more. The options are borrowed. */
enum status compile_read(struct compiler *compiler, struct wire_value schema, const struct validate_options *options,
                         struct error *error);
void compile_done(struct compiler *compiler);

/* compile_source.c */
enum status compile_add_source(struct compiler *compiler, struct wire_value root, struct bytes uri,
                               uint32_t *ret_source);
/* Finds the resources and anchors of a source. */
enum status compile_scan_source(struct compiler *compiler, uint32_t source);
/* Finds those below an item that no keyword made a schema, but a reference. */
enum status compile_scan_item(struct compiler *compiler, uint32_t source, uint32_t item);
void compile_done_source(struct source *source);
struct wire_value compile_item(const struct compiler *compiler, uint32_t source, uint32_t item);
uint32_t *compile_record(const struct compiler *compiler, uint32_t source, uint32_t item);
struct bytes compile_resource_uri(const struct compiler *compiler, const struct resource *resource);

/* compile_dialect.c: how a source is read, by its $schema. *ret_meta: the custom meta-schema's source, or NO_INDEX. */
enum status compile_find_dialect(struct compiler *compiler, uint32_t source, uint32_t item, struct dialect *ret_dialect,
                                 uint32_t *ret_meta);

/* compile_resolve.c */
enum status compile_load_metaschema(struct compiler *compiler, struct bytes uri, bool *ret_found);
enum status compile_resolve(struct compiler *compiler, uint32_t resource, uint32_t source, uint32_t item,
                            struct bytes reference, struct target *ret_target);
uint32_t compile_find_anchor(const struct compiler *compiler, uint32_t resource, struct bytes name);
/* The item's pointer from the root of its resource, and so on up: a location of the program. */
uint32_t compile_location(struct compiler *compiler, uint32_t source, uint32_t item);

/* compile_unit.c: the number of the unit for an item, made if it is new. */
uint32_t compile_request(struct compiler *compiler, uint32_t source, uint32_t item, uint32_t scope);
enum status compile_units(struct compiler *compiler);
/* The resource that a dynamic anchor's name is bound to, or NO_INDEX. */
uint32_t compile_bound_resource(const struct compiler *compiler, uint32_t scope, struct bytes name);

/* compile_emit.c: appending to the program. */
uint32_t compile_append(struct compiler *compiler, enum section section, const void *records, uint32_t count);
uint32_t compile_text(struct compiler *compiler, struct bytes text);
uint32_t compile_bound(struct compiler *compiler, struct number number);
uint32_t compile_constant(struct compiler *compiler, struct wire_value value);
uint32_t compile_enumeration(struct compiler *compiler, struct wire_value values);
uint32_t compile_pattern(struct compiler *compiler, uint32_t source, uint32_t item, struct bytes text);
/* A table of keys whose text, schema and required are set. */
uint32_t compile_table(struct compiler *compiler, struct key *keys, uint32_t count);

/* compile_keyword.c: a unit's plain code. */
enum status compile_plain(struct compiler *compiler, uint32_t unit);

/* compile_graph.c: refuses circles of references that consume nothing; marks what is shared. */
enum status compile_graph(struct compiler *compiler);

/* compile_fast.c: the fast codes. */
enum status compile_fast(struct compiler *compiler);

#endif
