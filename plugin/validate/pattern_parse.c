/* pattern_parse.c: the grammar of patterns: ECMA-262 (2024), section 22.2.1, with the u flag. */
#include "validate/pattern_parser.h"
#include "validate/pattern_utf8.h"

#include <stdlib.h>

enum { SOURCE_SIZE_LIMIT = 1 << 20 }; /* whatever the caller's limit: sizes of trees must fit into 32 bits */

static enum status read_disjunction(struct pattern_parser *parser, uint32_t *ret_node);

static enum status too_large(struct pattern_parser *parser, const char *what, uint32_t limit) {
    error_set(parser->error, TOO_LARGE, "pattern at offset %u: more than %u %s", parser->at, limit, what);
    error_add_number(parser->error, "offset", parser->at);
    error_add_number(parser->error, "limit", limit);
    return TOO_LARGE;
}

static enum status add_node(struct pattern_parser *parser, enum pattern_node_kind kind, uint32_t *ret_node) {
    *ret_node = pattern_tree_add(parser->tree, kind);
    return *ret_node == PATTERN_NONE ? parser_no_memory(parser) : OK;
}

/* Adopts the child, whose weight counts `times`. */
static enum status adopt(struct pattern_parser *parser, uint32_t parent, uint32_t child, uint32_t times) {
    struct pattern_node *to = &parser->tree->nodes[parent];
    uint64_t weight = to->weight + (uint64_t)parser->tree->nodes[child].weight * times;
    if (weight > parser->limits->node_max) {
        return too_large(parser, "elements once counted repeats are written out (node_max)", parser->limits->node_max);
    }
    to->weight = (uint32_t)weight;
    pattern_tree_adopt(parser->tree, parent, child);
    return OK;
}

/* The scratch ranges as a node. */
static enum status add_set(struct pattern_parser *parser, uint32_t *ret_node) {
    uint32_t set = 0;
    enum status status = parser_keep_set(parser, &set);
    if (status == OK) {
        status = add_node(parser, PATTERN_SET, ret_node);
    }
    if (status == OK) {
        parser->tree->nodes[*ret_node].value = set;
    }
    return status;
}

static enum status read_group(struct pattern_parser *parser, uint32_t start, uint32_t *ret_node, bool *ret_is_look) {
    uint32_t depth_max =
        parser->limits->depth_max < PATTERN_DEPTH_LIMIT ? parser->limits->depth_max : PATTERN_DEPTH_LIMIT;
    struct pattern_node shape = {.kind = PATTERN_CAPTURE};
    enum status status = OK;
    bool named = false;
    if (parser_take(parser, '?')) {
        uint8_t letter = parser_peek(parser);
        uint8_t after = parser_peek_after(parser, 1);
        named = letter == '<' && after != '=' && after != '!';
        shape.behind = letter == '<';
        shape.kind = letter == ':' ? PATTERN_SEQUENCE : (named ? PATTERN_CAPTURE : PATTERN_LOOK);
        parser->at += shape.behind && !named ? 1 : 0;
        shape.negative = shape.kind == PATTERN_LOOK && parser_peek(parser) == '!';
        if (shape.kind == PATTERN_LOOK && !shape.negative && parser_peek(parser) != '=') {
            return parser_fail(parser, start, "(? must be followed by :, =, !, <=, <! or <name>");
        }
        parser->at += named ? 0 : 1;
    }
    if (parser->depth >= depth_max) {
        return too_large(parser, "groups within each other (depth_max)", depth_max);
    }
    if (shape.kind == PATTERN_CAPTURE) {
        if (parser->tree->group_count >= parser->limits->group_max) {
            return too_large(parser, "capturing groups (group_max)", parser->limits->group_max);
        }
        shape.value = ++parser->tree->group_count;
    }
    if (named) {
        status = parser_read_name(parser, &parser->groups);
        if (status == OK) {
            parser->groups.items[parser->groups.count - 1].group = shape.value;
            status = parser_refuse_twin(parser);
        }
        if (status != OK) {
            return status;
        }
    }
    uint32_t inner = PATTERN_NONE;
    parser->depth++;
    status = read_disjunction(parser, &inner);
    parser->depth--;
    if (status != OK) {
        return status;
    }
    if (!parser_take(parser, ')')) {
        return parser_fail(parser, start, "the group is not closed");
    }
    *ret_is_look = shape.kind == PATTERN_LOOK;
    if (shape.kind == PATTERN_SEQUENCE) {
        *ret_node = inner;
        return OK;
    }
    status = add_node(parser, (enum pattern_node_kind)shape.kind, ret_node);
    if (status != OK) {
        return status;
    }
    struct pattern_node *node = &parser->tree->nodes[*ret_node];
    node->behind = shape.behind;
    node->negative = shape.negative;
    node->value = shape.value;
    node->nullable = *ret_is_look || parser->tree->nodes[inner].nullable;
    parser->tree->has_looks |= *ret_is_look;
    return adopt(parser, *ret_node, inner, 1);
}

/* \1, \k<name>, \b, \B, and what stands for characters. */
static enum status read_atom_escape(struct pattern_parser *parser, uint32_t *ret_node, bool *ret_is_assertion) {
    uint32_t start = parser->at - 1;
    uint8_t letter = parser_peek(parser);
    if (letter == 'b' || letter == 'B') {
        parser->at++;
        *ret_is_assertion = true;
        parser->tree->has_looks = true;
        enum status status = add_node(parser, PATTERN_BOUNDARY, ret_node);
        if (status == OK) {
            parser->tree->nodes[*ret_node].negative = letter == 'B';
        }
        return status;
    }
    if (letter == 'k' || (letter >= '1' && letter <= '9')) {
        uint32_t number = 0;
        enum status status = add_node(parser, PATTERN_BACKREFERENCE, ret_node);
        if (status != OK) {
            return status;
        }
        parser->tree->has_looks = true;
        if (letter == 'k') {
            parser->at++;
            status = parser_read_name(parser, &parser->references);
            if (status == OK) {
                parser->references.items[parser->references.count - 1].node = *ret_node;
            }
            return status;
        }
        for (; is_digit(parser_peek(parser)); parser->at++) {
            number = number > 1000000 ? number : number * 10 + (uint32_t)(parser_peek(parser) - '0');
        }
        if (number > parser->number_max) {
            parser->number_max = number;
            parser->number_max_offset = start;
        }
        parser->tree->nodes[*ret_node].value = number;
        return OK;
    }
    bool single;
    uint32_t code_point;
    enum status status = parser_read_escape(parser, false, &single, &code_point);
    return status == OK ? add_set(parser, ret_node) : status;
}

static enum status read_atom(struct pattern_parser *parser, uint32_t *ret_node, bool *ret_is_assertion) {
    uint32_t start = parser->at;
    uint32_t code_point = parser_next(parser);
    uint32_t set = 0;
    enum status status;
    *ret_is_assertion = false;
    switch (code_point) {
    case '^':
    case '$':
        *ret_is_assertion = true;
        return add_node(parser, code_point == '^' ? PATTERN_START : PATTERN_END, ret_node);
    case '(':
        return read_group(parser, start, ret_node, ret_is_assertion);
    case '\\':
        return read_atom_escape(parser, ret_node, ret_is_assertion);
    case '[':
        status = parser_read_class(parser, start, &set);
        if (status == OK) {
            status = add_node(parser, PATTERN_SET, ret_node);
        }
        if (status == OK) {
            parser->tree->nodes[*ret_node].value = set;
        }
        return status;
    case '*':
    case '+':
    case '?':
        return parser_fail(parser, start, "nothing to repeat");
    case '{':
    case '}':
    case ']':
        return parser_fail(parser, start, "a lone '%c' must be escaped", (char)code_point);
    default:
        if (code_point == '.' ? !pattern_ranges_add_escape(&parser->scratch, '.')
                              : !pattern_ranges_add(&parser->scratch, code_point, code_point)) {
            return parser_no_memory(parser);
        }
        return add_set(parser, ret_node);
    }
}

/* Digits without leading zeros. Their value is cut to what no text can have, but is compared whole. */
static struct bytes read_count(struct pattern_parser *parser, uint32_t *ret_value) {
    uint64_t value = 0;
    while (parser_peek(parser) == '0' && is_digit(parser_peek_after(parser, 1))) {
        parser->at++;
    }
    struct bytes digits = {parser->source.data + parser->at, 0};
    for (; is_digit(parser_peek(parser)); parser->at++) {
        value = value * 10 + (uint64_t)(parser_peek(parser) - '0');
        value = value < PATTERN_NONE ? value : PATTERN_NONE - 1;
        digits.size++;
    }
    *ret_value = (uint32_t)value;
    return digits;
}

/* Reads what may follow an atom. *ret_found: there was one. */
static enum status read_quantifier(struct pattern_parser *parser, bool *ret_found, uint32_t *ret_min,
                                   uint32_t *ret_max) {
    uint32_t start = parser->at;
    *ret_found = true;
    *ret_min = 0;
    *ret_max = PATTERN_NONE;
    if (parser_take(parser, '*')) {
        return OK;
    }
    if (parser_take(parser, '+')) {
        *ret_min = 1;
        return OK;
    }
    if (parser_take(parser, '?')) {
        *ret_max = 1;
        return OK;
    }
    if (!parser_take(parser, '{')) {
        *ret_found = false;
        return OK;
    }
    struct bytes min = read_count(parser, ret_min);
    struct bytes max = min;
    bool endless = false;
    if (parser_take(parser, ',')) {
        max = read_count(parser, ret_max);
        endless = max.size == 0;
        *ret_max = endless ? PATTERN_NONE : *ret_max;
    } else {
        *ret_max = *ret_min;
    }
    if (min.size == 0 || !parser_take(parser, '}')) {
        return parser_fail(parser, start, "a count is written {n}, {n,} or {n,m}");
    }
    if (!endless && (min.size > max.size || (min.size == max.size && memcmp(min.data, max.data, min.size) > 0))) {
        return parser_fail(parser, start, "the counts are out of order");
    }
    return OK;
}

static enum status read_term(struct pattern_parser *parser, uint32_t *ret_node) {
    bool is_assertion = false;
    bool found = false;
    uint32_t atom = PATTERN_NONE;
    uint32_t min = 0;
    uint32_t max = 0;
    uint32_t groups_before = parser->tree->group_count;
    enum status status = read_atom(parser, &atom, &is_assertion);
    if (status != OK) {
        return status;
    }
    uint32_t start = parser->at;
    status = read_quantifier(parser, &found, &min, &max);
    if (status != OK || !found) {
        *ret_node = atom;
        return status;
    }
    if (is_assertion) {
        return parser_fail(parser, start, "an assertion cannot be repeated");
    }
    status = add_node(parser, PATTERN_REPEAT, ret_node);
    if (status != OK) {
        return status;
    }
    bool is_set = parser->tree->nodes[atom].kind == PATTERN_SET;
    struct pattern_node *node = &parser->tree->nodes[*ret_node];
    node->lazy = parser_take(parser, '?');
    node->groups_before = groups_before;
    node->groups_until = parser->tree->group_count;
    node->min = min;
    node->max = max;
    node->nullable = min == 0 || parser->tree->nodes[atom].nullable;
    /* A repeated set is one element whatever its counts; else {2,5} is written out five times, {3,} four times. */
    uint32_t times = max != PATTERN_NONE ? max : min + 1;
    return adopt(parser, *ret_node, atom, is_set || times == 0 ? 1 : times);
}

/* Terms up to '|', ')' or the end. One term is itself, none is PATTERN_EMPTY. */
static enum status read_alternative(struct pattern_parser *parser, uint32_t *ret_node) {
    uint32_t sequence = PATTERN_NONE;
    uint32_t only = PATTERN_NONE;
    while (!parser_ended(parser) && parser_peek(parser) != '|' && parser_peek(parser) != ')') {
        uint32_t term = PATTERN_NONE;
        enum status status = read_term(parser, &term);
        if (status == OK && only != PATTERN_NONE && sequence == PATTERN_NONE) {
            status = add_node(parser, PATTERN_SEQUENCE, &sequence);
            if (status == OK) {
                parser->tree->nodes[sequence].nullable = parser->tree->nodes[only].nullable;
                status = adopt(parser, sequence, only, 1);
            }
        }
        if (status == OK && sequence != PATTERN_NONE) {
            parser->tree->nodes[sequence].nullable &= parser->tree->nodes[term].nullable;
            status = adopt(parser, sequence, term, 1);
        }
        if (status != OK) {
            return status;
        }
        only = term;
    }
    *ret_node = sequence != PATTERN_NONE ? sequence : only;
    return *ret_node == PATTERN_NONE ? add_node(parser, PATTERN_EMPTY, ret_node) : OK;
}

static enum status read_disjunction(struct pattern_parser *parser, uint32_t *ret_node) {
    uint32_t first = PATTERN_NONE;
    enum status status = read_alternative(parser, &first);
    if (status != OK || parser_peek(parser) != '|') {
        *ret_node = first;
        return status;
    }
    status = add_node(parser, PATTERN_CHOICE, ret_node);
    if (status != OK) {
        return status;
    }
    parser->tree->nodes[*ret_node].nullable = parser->tree->nodes[first].nullable;
    status = adopt(parser, *ret_node, first, 1);
    while (status == OK && parser_take(parser, '|')) {
        uint32_t other = PATTERN_NONE;
        status = read_alternative(parser, &other);
        if (status == OK) {
            parser->tree->nodes[*ret_node].nullable |= parser->tree->nodes[other].nullable;
            status = adopt(parser, *ret_node, other, 1);
        }
    }
    return status;
}

static void parser_done(struct pattern_parser *parser) {
    pattern_ranges_done(&parser->scratch);
    free(parser->groups.items);
    free(parser->references.items);
    buffer_done(&parser->names_text);
}

enum status pattern_parse(struct bytes source, const struct pattern_limits *limits, struct pattern_tree *ret_tree,
                          struct error *error) {
    CLEANUP(pattern_tree_done) struct pattern_tree tree = {0};
    CLEANUP(parser_done)
    struct pattern_parser parser = {.source = source, .limits = limits, .tree = &tree, .error = error};
    uint32_t size_max = limits->source_size_max < SOURCE_SIZE_LIMIT ? limits->source_size_max : SOURCE_SIZE_LIMIT;
    if (source.size > size_max) {
        error_set(error, TOO_LARGE, "pattern is %zu bytes, the limit (source_size_max) is %u", source.size, size_max);
        error_add_number(error, "size", (int64_t)source.size);
        error_add_number(error, "limit", size_max);
        return TOO_LARGE;
    }
    size_t valid = utf8_span(source);
    if (valid < source.size) {
        return parser_fail(&parser, (uint32_t)valid, "the pattern is not UTF-8");
    }
    enum status status = read_disjunction(&parser, &tree.root);
    if (status == OK && !parser_ended(&parser)) {
        status = parser_fail(&parser, parser.at, "a lone ')' must be escaped");
    }
    if (status == OK) {
        status = parser_resolve_references(&parser);
    }
    if (status == OK) {
        *ret_tree = tree;
        tree = (struct pattern_tree){0}; /* the caller owns it now */
    }
    return status;
}
