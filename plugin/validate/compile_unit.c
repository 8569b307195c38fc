/* compile_unit.c: the subschemas that a program is made of, each once for every scope it is seen from. */
#include "validate/compile.h"

#include "validate/hash.h"

enum { SCOPES_MAX = 4096 };

static const struct binding *find_binding(const struct compiler *compiler, uint32_t scope, struct bytes name) {
    const struct scope *in = VECTOR_AT(compiler->scopes, struct scope, scope);
    for (uint32_t i = 0; i < in->count; i++) {
        const struct binding *binding = VECTOR_AT(compiler->bindings, struct binding, in->first + i);
        if (bytes_equal(binding->name, name)) {
            return binding;
        }
    }
    return NULL;
}

static bool same_scope(const struct compiler *compiler, const struct scope *a, const struct scope *b) {
    for (uint32_t i = 0; a->count == b->count && i < a->count; i++) {
        const struct binding *left = VECTOR_AT(compiler->bindings, struct binding, a->first + i);
        const struct binding *right = VECTOR_AT(compiler->bindings, struct binding, b->first + i);
        if (left->resource != right->resource || !bytes_equal(left->name, right->name)) {
            return false;
        }
    }
    return a->count == b->count;
}

/* Insertion sort by name, so that equal scopes look equal. */
static bool insert_binding(struct compiler *compiler, struct scope *scope, struct binding binding) {
    if (!vector_append(&compiler->bindings, sizeof binding, &binding, 1)) {
        compile_no_memory(compiler);
        return false;
    }
    uint32_t at = scope->first + scope->count++;
    for (; at > scope->first && compile_spend(compiler, 1); at--) {
        struct binding *before = VECTOR_AT(compiler->bindings, struct binding, at - 1);
        size_t shorter = before->name.size < binding.name.size ? before->name.size : binding.name.size;
        int order = memcmp(before->name.data, binding.name.data, shorter);
        if (order < 0 || (order == 0 && before->name.size <= binding.name.size)) {
            break;
        }
        *VECTOR_AT(compiler->bindings, struct binding, at) = *before;
    }
    *VECTOR_AT(compiler->bindings, struct binding, at) = binding;
    return compiler->status == OK;
}

/* The scope in which a resource's schemas are seen when it is entered from `scope`. Dynamic anchors that are bound stay
 * so: the outermost counts. */
static uint32_t enter(struct compiler *compiler, uint32_t from, uint32_t resource) {
    if (RESOURCE(compiler, resource)->dynamic_anchors == 0) {
        return from;
    }
    struct scope old = *VECTOR_AT(compiler->scopes, struct scope, from);
    struct scope scope = {.first = compiler->bindings.count};
    for (uint32_t i = 0; i < old.count; i++) {
        struct binding binding = *VECTOR_AT(compiler->bindings, struct binding, old.first + i);
        if (!insert_binding(compiler, &scope, binding)) {
            return 0;
        }
    }
    if (!compile_spend(compiler, compiler->anchors.count)) {
        return 0;
    }
    for (uint32_t i = 0; i < compiler->anchors.count; i++) {
        const struct anchor *anchor = VECTOR_AT(compiler->anchors, struct anchor, i);
        if (!anchor->is_dynamic || anchor->resource != resource) {
            continue;
        }
        if (!compile_spend(compiler, old.count) ||
            (find_binding(compiler, from, anchor->name) == NULL &&
             !insert_binding(compiler, &scope, (struct binding){anchor->name, resource}))) {
            return 0;
        }
    }
    for (uint32_t i = 0; i < compiler->scopes.count; i++) {
        if (same_scope(compiler, VECTOR_AT(compiler->scopes, struct scope, i), &scope)) {
            compiler->bindings.count = scope.first;
            return i;
        }
        if (!compile_spend(compiler, 1 + scope.count)) {
            return 0;
        }
    }
    if (compiler->scopes.count == SCOPES_MAX) {
        compile_limit(compiler, "dynamic scopes", SCOPES_MAX);
        return 0;
    }
    if (!vector_append(&compiler->scopes, sizeof scope, &scope, 1)) {
        compile_no_memory(compiler);
        return 0;
    }
    return compiler->scopes.count - 1;
}

uint32_t compile_bound_resource(const struct compiler *compiler, uint32_t scope, struct bytes name) {
    const struct binding *binding = find_binding(compiler, scope, name);
    return binding != NULL ? binding->resource : NO_INDEX;
}

uint32_t compile_request(struct compiler *compiler, uint32_t source, uint32_t item, uint32_t scope) {
    enum wire_kind kind = wire_value_kind(compile_item(compiler, source, item));
    if (compiler->status != OK) {
        return 0;
    }
    if (kind != WIRE_MAP && kind != WIRE_BOOL) {
        compile_refuse(compiler, INVALID, source, item, "a schema must be an object or a boolean");
        return 0;
    }
    if (*compile_record(compiler, source, item) == 0 && compile_scan_item(compiler, source, item) != OK) {
        return 0;
    }
    struct unit unit = {.source = source, .item = item, .resource = *compile_record(compiler, source, item) - 1};
    unit.scope = enter(compiler, scope, unit.resource);
    uint64_t hash = hash_mix(hash_number((uint64_t)source << 32 | item, HASH_SEED), unit.scope + HASH_SEED);
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&compiler->unit_index, hash, &cursor)) != NO_INDEX) {
        const struct unit *other = UNIT(compiler, found);
        if (other->source == source && other->item == item && other->scope == unit.scope) {
            return found;
        }
    }
    if (compiler->units.count == compiler->options->limits.schema_subschemas_max) {
        compile_limit(compiler, "schema_subschemas_max", compiler->options->limits.schema_subschemas_max);
        return 0;
    }
    uint32_t number = compiler->units.count;
    if (!vector_append(&compiler->units, sizeof unit, &unit, 1) || !index_add(&compiler->unit_index, hash, number)) {
        compile_no_memory(compiler);
        return 0;
    }
    struct schema_node node = {.location = NO_INDEX};
    compile_append(compiler, SECTION_schemas, &node, 1);
    return number;
}

enum status compile_units(struct compiler *compiler) {
    for (uint32_t i = 0; i < compiler->units.count && compiler->status == OK; i++) {
        if (compile_spend(compiler, 1)) {
            (void)compile_plain(compiler, i);
        }
    }
    return compiler->status;
}
