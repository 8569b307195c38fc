/* compile_keyword.c: the plain code of a subschema: an instruction per keyword, in the order of the schema. */
#include "validate/compile_plain.h"

#include "validate/format.h"

uint32_t plain_emit(struct plain *plain, enum op op, enum keyword keyword, uint32_t a, uint32_t b, uint32_t c) {
    struct instruction instruction = {.op = (uint8_t)op, .keyword = (uint8_t)keyword, .a = a, .b = b, .c = c};
    return compile_append(plain->compiler, SECTION_code, &instruction, 1);
}

enum status plain_refuse(struct plain *plain, enum keyword keyword, const char *wanted) {
    return compile_refuse(plain->compiler, INVALID, plain->unit.source, plain->members[keyword].index, "%s must be %s",
                          keyword_name(keyword), wanted);
}

bool plain_has(const struct plain *plain, enum keyword keyword) {
    return plain->members[keyword].index != NO_INDEX;
}

/* ---- assertions ---- */

static const struct {
    const char *name;
    uint32_t bit;
} TYPE_NAMES[] = {{"null", TYPE_NULL},     {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER},
                  {"number", TYPE_NUMBER}, {"string", TYPE_STRING},   {"array", TYPE_ARRAY},
                  {"object", TYPE_OBJECT}};

static uint32_t type_find(struct wire_value name) {
    for (size_t i = 0; wire_value_kind(name) == WIRE_STR && i < sizeof TYPE_NAMES / sizeof TYPE_NAMES[0]; i++) {
        if (bytes_equal_string(value_text(name), TYPE_NAMES[i].name)) {
            return TYPE_NAMES[i].bit;
        }
    }
    return 0;
}

static void emit_type(struct plain *plain, enum keyword keyword, struct wire_value value) {
    uint32_t types = type_find(value);
    if (wire_value_kind(value) == WIRE_ARRAY) {
        struct wire_value element = {value.document, value.index + 1};
        for (uint32_t left = value_item(value)->size; left > 0; left--) {
            uint32_t type = type_find(element);
            if (type == 0) {
                plain_refuse(plain, keyword, "one of the seven types, or an array of them");
                return;
            }
            types |= type;
            element = wire_value_next(element);
        }
    } else if (types == 0) {
        plain_refuse(plain, keyword, "one of the seven types, or an array of them");
        return;
    }
    plain_emit(plain, OP_TYPE, keyword, types, 0, 0);
}

static void emit_enum(struct plain *plain, enum keyword keyword, struct wire_value value) {
    if (wire_value_kind(value) != WIRE_ARRAY) {
        plain_refuse(plain, keyword, "an array");
        return;
    }
    plain_emit(plain, OP_ENUM, keyword, compile_enumeration(plain->compiler, value), 0, 0);
}

static void emit_const(struct plain *plain, enum keyword keyword, struct wire_value value) {
    plain_emit(plain, OP_CONST, keyword, compile_constant(plain->compiler, value), 0, 0);
}

static void emit_number(struct plain *plain, enum keyword keyword, struct wire_value value) {
    static const uint8_t OPS[KEYWORD_COUNT] = {
        [KEYWORD_MULTIPLE_OF] = OP_MULTIPLE_OF,
        [KEYWORD_MAXIMUM] = OP_MAXIMUM,
        [KEYWORD_EXCLUSIVE_MAXIMUM] = OP_EXCLUSIVE_MAXIMUM,
        [KEYWORD_MINIMUM] = OP_MINIMUM,
        [KEYWORD_EXCLUSIVE_MINIMUM] = OP_EXCLUSIVE_MINIMUM,
    };
    struct number zero = {.kind = NUMBER_INT};
    if (!kind_is_number(wire_value_kind(value))) {
        plain_refuse(plain, keyword, "a number");
    } else if (keyword == KEYWORD_MULTIPLE_OF && number_compare(number_of(value), zero) != 1) {
        plain_refuse(plain, keyword, "greater than 0");
    } else {
        plain_emit(plain, (enum op)OPS[keyword], keyword, compile_bound(plain->compiler, number_of(value)), 0, 0);
    }
}

/* A count; beyond what can occur it is UINT32_MAX. */
static bool read_count(struct plain *plain, enum keyword keyword, uint32_t *ret) {
    struct wire_value value = plain->members[keyword];
    if (!kind_is_number(wire_value_kind(value))) {
        plain_refuse(plain, keyword, "a non-negative integer");
        return false;
    }
    struct number number = number_of(value);
    struct number zero = {.kind = NUMBER_INT};
    if (!number_is_integer(number) || number_compare(number, zero) < 0) {
        plain_refuse(plain, keyword, "a non-negative integer");
        return false;
    }
    *ret = number.kind == NUMBER_INT && number.as.i < UINT32_MAX ? (uint32_t)number.as.i : UINT32_MAX;
    return true;
}

static void emit_count(struct plain *plain, enum keyword keyword, struct wire_value value) {
    static const uint8_t OPS[KEYWORD_COUNT] = {
        [KEYWORD_MAX_LENGTH] = OP_MAX_LENGTH,         [KEYWORD_MIN_LENGTH] = OP_MIN_LENGTH,
        [KEYWORD_MAX_ITEMS] = OP_MAX_ITEMS,           [KEYWORD_MIN_ITEMS] = OP_MIN_ITEMS,
        [KEYWORD_MAX_PROPERTIES] = OP_MAX_PROPERTIES, [KEYWORD_MIN_PROPERTIES] = OP_MIN_PROPERTIES,
    };
    (void)value;
    uint32_t count = 0;
    if (read_count(plain, keyword, &count)) {
        plain_emit(plain, (enum op)OPS[keyword], keyword, count, 0, 0);
    }
}

static void emit_pattern(struct plain *plain, enum keyword keyword, struct wire_value value) {
    if (wire_value_kind(value) != WIRE_STR) {
        plain_refuse(plain, keyword, "a string");
        return;
    }
    uint32_t text = compile_text(plain->compiler, value_text(value));
    uint32_t pattern = compile_pattern(plain->compiler, plain->unit.source, value.index, value_text(value));
    plain_emit(plain, OP_PATTERN, keyword, pattern, text, value_item(value)->size);
}

static void emit_format(struct plain *plain, enum keyword keyword, struct wire_value value) {
    const struct dialect *dialect = &plain->dialect;
    bool is_asserted =
        plain->compiler->options->assert_format ||
        (dialect->draft == VALIDATE_2020_12 && (dialect->vocabularies & VOCABULARY_FORMAT_ASSERTION) != 0);
    if (!is_asserted) {
        return;
    }
    if (wire_value_kind(value) != WIRE_STR) {
        plain_refuse(plain, keyword, "a string");
        return;
    }
    enum format_id format = format_find(value_text(value));
    if (format != FORMAT_UNKNOWN && (dialect->draft == VALIDATE_2020_12 || format_in_draft_07(format))) {
        plain_emit(plain, OP_FORMAT, keyword, (uint32_t)format, 0, 0);
    }
}

static void emit_unique_items(struct plain *plain, enum keyword keyword, struct wire_value value) {
    if (wire_value_kind(value) != WIRE_BOOL) {
        plain_refuse(plain, keyword, "a boolean");
    } else if (wire_value_bool(value)) {
        plain_emit(plain, OP_UNIQUE_ITEMS, keyword, 0, 0, 0);
    }
}

/* ---- references and what applies to the same value ---- */

static void emit_reference_to(struct plain *plain, enum keyword keyword, struct target target) {
    uint32_t to = plain_request(plain, target.source, target.item, true);
    plain_emit(plain, OP_REF, keyword, to, 0, 0);
}

static void emit_ref(struct plain *plain, enum keyword keyword, struct wire_value value) {
    struct compiler *compiler = plain->compiler;
    struct target target = {0};
    if (wire_value_kind(value) != WIRE_STR) {
        plain_refuse(plain, keyword, "a string");
        return;
    }
    if (compile_resolve(compiler, plain->unit.resource, plain->unit.source, value.index, value_text(value), &target) !=
        OK) {
        return;
    }
    if (keyword == KEYWORD_DYNAMIC_REF && target.anchor != NO_INDEX) {
        const struct anchor anchor = *VECTOR_AT(compiler->anchors, struct anchor, target.anchor);
        uint32_t bound = compile_bound_resource(compiler, plain->unit.scope, anchor.name);
        uint32_t found = bound != NO_INDEX ? compile_find_anchor(compiler, bound, anchor.name) : NO_INDEX;
        if (anchor.is_dynamic && found != NO_INDEX) {
            target.source = RESOURCE(compiler, bound)->source;
            target.item = VECTOR_AT(compiler->anchors, struct anchor, found)->item;
        }
    }
    emit_reference_to(plain, keyword, target);
}

/* The subschemas of an array, as links. */
static bool link_array(struct plain *plain, enum keyword keyword, bool in_place, uint32_t *ret_links,
                       uint32_t *ret_count) {
    struct wire_value value = plain->members[keyword];
    if (wire_value_kind(value) != WIRE_ARRAY) {
        plain_refuse(plain, keyword, "an array of schemas");
        return false;
    }
    *ret_count = value_item(value)->size;
    *ret_links = compile_append(plain->compiler, SECTION_links, NULL, *ret_count);
    struct wire_value element = {value.document, value.index + 1};
    for (uint32_t i = 0; i < *ret_count && plain->compiler->status == OK; i++) {
        *SECTION(plain->compiler, links, uint32_t, *ret_links + i) =
            plain_request(plain, plain->unit.source, element.index, in_place);
        element = wire_value_next(element);
    }
    return plain->compiler->status == OK;
}

static void emit_branches(struct plain *plain, enum keyword keyword, struct wire_value value) {
    enum op op = keyword == KEYWORD_ALL_OF ? OP_ALL_OF : keyword == KEYWORD_ANY_OF ? OP_ANY_OF : OP_ONE_OF;
    uint32_t links = 0;
    uint32_t count = 0;
    (void)value;
    if (link_array(plain, keyword, true, &links, &count)) {
        plain_emit(plain, op, keyword, 0, links, count);
    }
}

static void emit_not(struct plain *plain, enum keyword keyword, struct wire_value value) {
    plain_emit(plain, OP_NOT, keyword, plain_request(plain, plain->unit.source, value.index, true), 0, 0);
}

static void emit_if(struct plain *plain, enum keyword keyword, struct wire_value value) {
    uint32_t branches[2] = {NO_INDEX, NO_INDEX};
    static const enum keyword NAMES[2] = {KEYWORD_THEN, KEYWORD_ELSE};
    for (int i = 0; i < 2; i++) {
        if (plain_has(plain, NAMES[i])) {
            branches[i] = plain_request(plain, plain->unit.source, plain->members[NAMES[i]].index, true);
        }
    }
    uint32_t condition = plain_request(plain, plain->unit.source, value.index, true);
    plain_emit(plain, OP_IF, keyword, condition, branches[0], branches[1]);
}

/* ---- elements ---- */

static void emit_prefix_items(struct plain *plain, enum keyword keyword, struct wire_value value) {
    uint32_t links = 0;
    uint32_t count = 0;
    (void)value;
    if (link_array(plain, keyword, false, &links, &count)) {
        plain_emit(plain, OP_PREFIX_ITEMS, keyword, 0, links, count);
    }
}

static void emit_items(struct plain *plain, enum keyword keyword, struct wire_value value) {
    if (plain->dialect.draft == VALIDATE_DRAFT_07 && wire_value_kind(value) == WIRE_ARRAY) {
        emit_prefix_items(plain, keyword, value);
        return;
    }
    bool has_prefix = plain->dialect.draft == VALIDATE_2020_12 && plain_has(plain, KEYWORD_PREFIX_ITEMS);
    uint32_t from = has_prefix ? value_item(plain->members[KEYWORD_PREFIX_ITEMS])->size : 0;
    plain_emit(plain, OP_ITEMS, keyword, plain_request(plain, plain->unit.source, value.index, false), from, 0);
}

static void emit_additional_items(struct plain *plain, enum keyword keyword, struct wire_value value) {
    if (plain_has(plain, KEYWORD_ITEMS) && wire_value_kind(plain->members[KEYWORD_ITEMS]) == WIRE_ARRAY) {
        plain_emit(plain, OP_ITEMS, keyword, plain_request(plain, plain->unit.source, value.index, false),
                   value_item(plain->members[KEYWORD_ITEMS])->size, 0);
    }
}

static void emit_contains(struct plain *plain, enum keyword keyword, struct wire_value value) {
    uint32_t least = 1;
    uint32_t most = UINT32_MAX;
    if ((plain_has(plain, KEYWORD_MIN_CONTAINS) && !read_count(plain, KEYWORD_MIN_CONTAINS, &least)) ||
        (plain_has(plain, KEYWORD_MAX_CONTAINS) && !read_count(plain, KEYWORD_MAX_CONTAINS, &most))) {
        return;
    }
    plain_emit(plain, OP_CONTAINS, keyword, plain_request(plain, plain->unit.source, value.index, false), least, most);
}

static void emit_names_or_rest(struct plain *plain, enum keyword keyword, struct wire_value value) {
    static const uint8_t OPS[KEYWORD_COUNT] = {
        [KEYWORD_PROPERTY_NAMES] = OP_PROPERTY_NAMES,
        [KEYWORD_UNEVALUATED_ITEMS] = OP_UNEVALUATED_ITEMS,
        [KEYWORD_UNEVALUATED_PROPERTIES] = OP_UNEVALUATED_PROPERTIES,
    };
    uint32_t schema = plain_request(plain, plain->unit.source, value.index, false);
    plain_emit(plain, (enum op)OPS[keyword], keyword, schema, 0, 0);
}

typedef void (*emitter)(struct plain *plain, enum keyword keyword, struct wire_value value);

static const emitter EMITTERS[KEYWORD_COUNT] = {
    [KEYWORD_REF] = emit_ref,
    [KEYWORD_DYNAMIC_REF] = emit_ref,
    [KEYWORD_ALL_OF] = emit_branches,
    [KEYWORD_ANY_OF] = emit_branches,
    [KEYWORD_ONE_OF] = emit_branches,
    [KEYWORD_NOT] = emit_not,
    [KEYWORD_IF] = emit_if,
    [KEYWORD_DEPENDENT_SCHEMAS] = plain_emit_dependencies,
    [KEYWORD_DEPENDENT_REQUIRED] = plain_emit_dependencies,
    [KEYWORD_DEPENDENCIES] = plain_emit_dependencies,
    [KEYWORD_PREFIX_ITEMS] = emit_prefix_items,
    [KEYWORD_ITEMS] = emit_items,
    [KEYWORD_ADDITIONAL_ITEMS] = emit_additional_items,
    [KEYWORD_CONTAINS] = emit_contains,
    [KEYWORD_PROPERTIES] = plain_emit_properties,
    [KEYWORD_PATTERN_PROPERTIES] = plain_emit_pattern_properties,
    [KEYWORD_ADDITIONAL_PROPERTIES] = plain_emit_additional_properties,
    [KEYWORD_PROPERTY_NAMES] = emit_names_or_rest,
    [KEYWORD_UNEVALUATED_ITEMS] = emit_names_or_rest,
    [KEYWORD_UNEVALUATED_PROPERTIES] = emit_names_or_rest,
    [KEYWORD_TYPE] = emit_type,
    [KEYWORD_ENUM] = emit_enum,
    [KEYWORD_CONST] = emit_const,
    [KEYWORD_MULTIPLE_OF] = emit_number,
    [KEYWORD_MAXIMUM] = emit_number,
    [KEYWORD_EXCLUSIVE_MAXIMUM] = emit_number,
    [KEYWORD_MINIMUM] = emit_number,
    [KEYWORD_EXCLUSIVE_MINIMUM] = emit_number,
    [KEYWORD_MAX_LENGTH] = emit_count,
    [KEYWORD_MIN_LENGTH] = emit_count,
    [KEYWORD_MAX_ITEMS] = emit_count,
    [KEYWORD_MIN_ITEMS] = emit_count,
    [KEYWORD_MAX_PROPERTIES] = emit_count,
    [KEYWORD_MIN_PROPERTIES] = emit_count,
    [KEYWORD_PATTERN] = emit_pattern,
    [KEYWORD_UNIQUE_ITEMS] = emit_unique_items,
    [KEYWORD_REQUIRED] = plain_emit_required,
    [KEYWORD_FORMAT] = emit_format,
};

static void find_members(struct plain *plain, struct wire_value schema) {
    for (int i = 0; i < KEYWORD_COUNT; i++) {
        plain->members[i] = (struct wire_value){schema.document, NO_INDEX};
    }
    struct wire_value name = {schema.document, schema.index + 1};
    for (uint32_t left = value_item(schema)->size; left > 0; left--) {
        struct wire_value value = wire_value_next(name);
        enum keyword keyword = keyword_find(&plain->dialect, value_text(name));
        plain->members[keyword] = keyword != KEYWORD_NONE ? value : plain->members[keyword];
        name = wire_value_next(value);
    }
    if (plain->dialect.draft == VALIDATE_DRAFT_07 && plain_has(plain, KEYWORD_REF)) {
        struct wire_value ref = plain->members[KEYWORD_REF];
        for (int i = 0; i < KEYWORD_COUNT; i++) {
            plain->members[i].index = NO_INDEX; /* siblings of $ref mean nothing */
        }
        plain->members[KEYWORD_REF] = ref;
    }
}

static void emit_keywords(struct plain *plain, struct wire_value schema, bool is_last) {
    struct wire_value name = {schema.document, schema.index + 1};
    for (uint32_t left = value_item(schema)->size; left > 0 && plain->compiler->status == OK; left--) {
        struct wire_value value = wire_value_next(name);
        enum keyword keyword = keyword_find(&plain->dialect, value_text(name));
        bool is_rest = keyword == KEYWORD_UNEVALUATED_ITEMS || keyword == KEYWORD_UNEVALUATED_PROPERTIES;
        if (EMITTERS[keyword] != NULL && plain_has(plain, keyword) && is_rest == is_last &&
            compile_spend(plain->compiler, 1)) {
            EMITTERS[keyword](plain, keyword, value);
        }
        name = wire_value_next(value);
    }
}

enum status compile_plain(struct compiler *compiler, uint32_t number) {
    struct plain plain = {.compiler = compiler, .number = number, .unit = *UNIT(compiler, number)};
    plain.dialect = RESOURCE(compiler, plain.unit.resource)->dialect;
    uint32_t first = compiler->sections[SECTION_code].count;
    uint32_t location = compile_location(compiler, plain.unit.source, plain.unit.item);
    struct wire_value schema = compile_item(compiler, plain.unit.source, plain.unit.item);
    if (wire_value_kind(schema) == WIRE_MAP && compile_spend(compiler, value_item(schema)->size)) {
        find_members(&plain, schema);
        emit_keywords(&plain, schema, false);
        emit_keywords(&plain, schema, true); /* what is left over is known at the end */
    } else if (wire_value_kind(schema) == WIRE_BOOL && !wire_value_bool(schema)) {
        plain_emit(&plain, OP_FAIL, KEYWORD_NONE, 0, 0, 0);
    }
    if (compiler->status == OK) {
        struct schema_node *node = SECTION(compiler, schemas, struct schema_node, number);
        node->plain = first;
        node->plain_end = compiler->sections[SECTION_code].count;
        node->location = location;
    }
    return compiler->status;
}
