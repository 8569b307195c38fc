/* compatible_value.c: single values and texts: what the compiled programs of subschemas and patterns say of them. */
#include "validate/compatible_prover.h"

#include "validate/hash.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROGRAMS_MAX = 512, PATTERNS_MAX = 1000, PROGRAM_STEPS = 200 };

/* By which the root is known to the schemas that refer into it. Without a scheme, so that what it refers to itself
 * resolves as before. */
static const char ROOT_URI[] = "polaris-compatible-root";

/* ---- programs of subschemas ---- */

static bool put_reference(const struct prover *prover, uint32_t number, bool *ret_given, struct buffer *ret) {
    const struct node *node = NODE(prover, number);
    const struct compiler *compiler = &prover->sides[node->side];
    const struct source *source = &compiler->sources[node->source];
    CLEANUP(buffer_done) struct buffer text = {0};
    struct bytes uri = source->uri;
    *ret_given = node->source != 0 || uri.size > 0;
    if (node->source == 0 && uri.size == 0) {
        uri = bytes_from_string(ROOT_URI);
    } else if (uri.size == 0) {
        uri = compile_resource_uri(compiler, RESOURCE(compiler, source->records[0] - 1)); /* a built-in meta-schema */
    }
    CLEANUP(buffer_done) struct buffer fragment = {0};
    if (!buffer_append(&text, uri.data, uri.size) || !buffer_append(&text, "#", 1) ||
        !node_fragment(prover, number, &fragment) || !buffer_append(&text, fragment.data, fragment.size)) {
        return false;
    }
    const uint8_t head[] = {0x81, 0xA4, '$', 'r', 'e', 'f', 0xDB};
    const uint8_t size[] = {(uint8_t)(text.size >> 24), (uint8_t)(text.size >> 16), (uint8_t)(text.size >> 8),
                            (uint8_t)text.size};
    return buffer_append(ret, head, sizeof head) && buffer_append(ret, size, sizeof size) &&
           buffer_append(ret, text.data, text.size);
}

static void document_done(struct wire_document *document) {
    wire_document_done(document);
}

/* Dynamic scopes begin at the root: a program that begins elsewhere might mean something else. */
static bool has_dynamic_scopes(const struct compiler *compiler) {
    for (uint32_t i = 0; i < compiler->anchors.count; i++) {
        const struct anchor *a = VECTOR_AT(compiler->anchors, struct anchor, i);
        for (uint32_t j = 0; a->is_dynamic && j < i; j++) {
            const struct anchor *b = VECTOR_AT(compiler->anchors, struct anchor, j);
            if (b->is_dynamic && bytes_equal(a->name, b->name)) {
                return true;
            }
        }
    }
    return false;
}

static void freep(void *memory) {
    free(*(void **)memory);
}

static enum status compile_node(struct prover *prover, uint32_t number, struct validate_program **ret,
                                struct error *error) {
    const struct compatible_side *given = prover->given[NODE(prover, number)->side];
    const struct validate_options *own = given->options;
    struct validate_options options = *own;
    CLEANUP(buffer_done) struct buffer bytes = {0};
    CLEANUP(document_done) struct wire_document tape = {0};
    CLEANUP(freep) struct validate_document *documents = calloc(own->document_count + 1, sizeof *documents);
    bool is_given = false;
    if (documents == NULL || !put_reference(prover, number, &is_given, &bytes)) {
        return error_set(error, NO_MEMORY, "no memory to compile a subschema");
    }
    if (own->document_count > 0) {
        memcpy(documents, own->documents, own->document_count * sizeof *documents);
    }
    if (prover->sides[NODE(prover, number)->side].sources[0].uri.size == 0) {
        documents[options.document_count++] =
            (struct validate_document){.uri = bytes_from_string(ROOT_URI), .root = given->schema};
    }
    options.documents = documents;
    options.trusted = true;
    const struct wire_limits limits = {.size_max = UINT32_MAX, .depth_max = 8};
    enum status status = wire_document_parse(&tape, buffer_view(&bytes), &limits, error);
    return status == OK ? validate_compile((struct wire_value){&tape, 0}, &options, ret, NULL, error) : status;
}

static const struct validate_program *node_program(struct prover *prover, uint32_t number) {
    struct node *node = NODE(prover, number);
    const struct compiler *compiler = &prover->sides[node->side];
    if (node->compiled != 0) {
        return node->program;
    }
    node->compiled = 1;
    if (node->source == 0 && node->item == compiler->sources[0].root.index) {
        return NULL; /* the caller's own is asked */
    }
    uint64_t cost = PROGRAM_STEPS + compiler->size / 8;
    if (prover->program_count >= PROGRAMS_MAX || has_dynamic_scopes(compiler) || !prover_spend(prover, cost)) {
        return NULL;
    }
    prover->program_count++;
    struct error error;
    struct validate_program *program = NULL;
    if (compile_node(prover, number, &program, &error) == NO_MEMORY) {
        prover_no_memory(prover);
    }
    NODE(prover, number)->program = program;
    return program;
}

enum verdict program_accepts(struct prover *prover, const struct validate_program *program, struct bytes value) {
    const struct wire_limits limits = {.size_max = UINT32_MAX, .depth_max = 1024, .seed = program->seed};
    CLEANUP(document_done) struct wire_document tape = {0};
    struct error error;
    bool valid = false;
    enum status status = wire_document_parse(&tape, value, &limits, &error);
    if (status == OK) {
        status = validate_run(program, prover->context, (struct wire_value){&tape, 0}, &valid, &error);
        (void)prover_spend(prover, 10 + validate_context_steps(prover->context));
    }
    if (status == NO_MEMORY) {
        prover_no_memory(prover);
    }
    return status != OK ? VERDICT_LIMIT : valid ? VERDICT_YES : VERDICT_NO;
}

enum verdict node_accepts(struct prover *prover, uint32_t node, struct bytes value) {
    const struct node *of = NODE(prover, node);
    bool is_root = of->source == 0 && of->item == prover->sides[of->side].sources[0].root.index;
    if (node <= NODE_TRUE) {
        return node == NODE_TRUE ? VERDICT_YES : VERDICT_NO;
    }
    const struct validate_program *program = is_root ? prover->given[of->side]->program : node_program(prover, node);
    return program == NULL || !prover_spend(prover, 10) ? VERDICT_LIMIT : program_accepts(prover, program, value);
}

/* ---- patterns ---- */

struct known_pattern {
    struct bytes text;
    struct pattern *pattern; /* NULL: it cannot be searched for */
};

void prover_done_patterns(struct prover *prover) {
    for (uint32_t i = 0; i < prover->patterns.count; i++) {
        pattern_free(VECTOR_AT(prover->patterns, struct known_pattern, i)->pattern);
    }
    vector_done(&prover->patterns);
    index_done(&prover->pattern_index);
}

static const struct pattern *find_pattern(struct prover *prover, struct bytes text) {
    uint64_t hash = hash_bytes(text, HASH_SEED);
    uint32_t cursor = 0;
    uint32_t found;
    while ((found = index_next(&prover->pattern_index, hash, &cursor)) != NO_INDEX) {
        const struct known_pattern *known = VECTOR_AT(prover->patterns, struct known_pattern, found);
        if (bytes_equal(known->text, text)) {
            return known->pattern;
        }
    }
    if (prover->patterns.count >= PATTERNS_MAX || !prover_spend(prover, 100 + text.size)) {
        return NULL;
    }
    const struct pattern_limits limits = PATTERN_LIMITS_DEFAULT;
    struct known_pattern known = {.text = text};
    struct error error;
    if (pattern_compile(text, &limits, &known.pattern, &error) == NO_MEMORY) {
        prover_no_memory(prover);
        return NULL;
    }
    if (!index_add(&prover->pattern_index, hash, prover->patterns.count) ||
        !vector_append(&prover->patterns, sizeof known, &known, 1)) {
        pattern_free(known.pattern);
        prover_no_memory(prover);
        return NULL;
    }
    return known.pattern;
}

enum verdict node_matches(struct prover *prover, struct bytes pattern, struct bytes text) {
    const struct pattern *compiled = prover->status == OK ? find_pattern(prover, pattern) : NULL;
    if (compiled == NULL || !prover_spend(prover, 2)) {
        return VERDICT_LIMIT;
    }
    switch (pattern_search_within(compiled, text, &prover->work.steps_left)) {
    case PATTERN_YES:
        return VERDICT_YES;
    case PATTERN_NO:
        return VERDICT_NO;
    case PATTERN_LIMIT:
        break;
    }
    return VERDICT_LIMIT;
}
