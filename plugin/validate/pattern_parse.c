/* pattern_parse.c: the grammar of patterns: ECMA-262 (2024), section 22.2.1, with the u flag. */
#include "validate/pattern_parser.h"
#include "validate/pattern_utf8.h"

#include <stdlib.h>

enum { SOURCE_SIZE_LIMIT = 1 << 20 }; /* whatever the caller's limit: sizes of trees must fit into 32 bits */

/* The alternatives of a group that was opened and not closed yet, or of the whole pattern. */
struct open_group {
    uint32_t start; /* offset of its '(' */
    uint32_t groups_before;
    uint32_t number;   /* of a capture */
    uint8_t kind;      /* what it becomes: a capture, a look, or just what is in it: PATTERN_SEQUENCE */
    bool behind;       /* of a look */
    bool negative;     /* of a look */
    uint32_t choice;   /* of the alternatives that ended; PATTERN_NONE: this is the first one */
    uint32_t sequence; /* of this alternative's terms; PATTERN_NONE: there are none, or one */
    uint32_t last;     /* term of it; PATTERN_NONE: there are none */
};

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

/* An atom that is no group. */
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

/* The atom with what follows it: how often it is repeated. */
static enum status read_repeat(struct pattern_parser *parser, uint32_t atom, bool is_assertion, uint32_t groups_before,
                               uint32_t *ret_node) {
    bool found = false;
    uint32_t min = 0;
    uint32_t max = 0;
    uint32_t start = parser->at;
    enum status status = read_quantifier(parser, &found, &min, &max);
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

/* Appends a term to the alternative that is being read. */
static enum status add_term(struct pattern_parser *parser, struct open_group *group, uint32_t term) {
    enum status status = OK;
    if (group->last != PATTERN_NONE && group->sequence == PATTERN_NONE) {
        status = add_node(parser, PATTERN_SEQUENCE, &group->sequence);
        if (status == OK) {
            parser->tree->nodes[group->sequence].nullable = parser->tree->nodes[group->last].nullable;
            status = adopt(parser, group->sequence, group->last, 1);
        }
    }
    if (status == OK && group->sequence != PATTERN_NONE) {
        parser->tree->nodes[group->sequence].nullable &= parser->tree->nodes[term].nullable;
        status = adopt(parser, group->sequence, term, 1);
    }
    group->last = term;
    return status;
}

static enum status read_term(struct pattern_parser *parser, struct open_group *group) {
    bool is_assertion = false;
    uint32_t atom = PATTERN_NONE;
    uint32_t term = PATTERN_NONE;
    enum status status = read_atom(parser, &atom, &is_assertion);
    if (status == OK) {
        status = read_repeat(parser, atom, is_assertion, parser->tree->group_count, &term);
    }
    return status == OK ? add_term(parser, group, term) : status;
}

/* At '|', ')' or the end. One term is itself, none is PATTERN_EMPTY; the first of several makes the choice. */
static enum status end_alternative(struct pattern_parser *parser, struct open_group *group, uint32_t *ret_node) {
    uint32_t node = group->sequence != PATTERN_NONE ? group->sequence : group->last;
    enum status status = node == PATTERN_NONE ? add_node(parser, PATTERN_EMPTY, &node) : OK;
    group->sequence = PATTERN_NONE;
    group->last = PATTERN_NONE;
    if (status == OK && group->choice == PATTERN_NONE) {
        if (parser_peek(parser) != '|') {
            *ret_node = node;
            return OK;
        }
        status = add_node(parser, PATTERN_CHOICE, &group->choice);
        if (status == OK) {
            parser->tree->nodes[group->choice].nullable = false;
        }
    }
    if (status != OK) {
        return status;
    }
    *ret_node = group->choice;
    parser->tree->nodes[group->choice].nullable |= parser->tree->nodes[node].nullable;
    return adopt(parser, group->choice, node, 1);
}

/* (?:, (?=, (?!, (?<=, (?<! or (?<name, the parser behind the '?' and then before the '<' of a name. */
static enum status read_group_kind(struct pattern_parser *parser, struct open_group *group, bool *ret_named) {
    uint8_t letter = parser_peek(parser);
    uint8_t after = parser_peek_after(parser, 1);
    bool named = letter == '<' && after != '=' && after != '!';
    *ret_named = named;
    if (named) {
        return OK;
    }
    group->behind = letter == '<';
    group->kind = letter == ':' ? PATTERN_SEQUENCE : PATTERN_LOOK;
    parser->at += group->behind ? 1 : 0;
    group->negative = group->kind == PATTERN_LOOK && parser_peek(parser) == '!';
    if (group->kind == PATTERN_LOOK && !group->negative && parser_peek(parser) != '=') {
        return parser_fail(parser, group->start, "(? must be followed by :, =, !, <=, <! or <name>");
    }
    parser->at++;
    return OK;
}

/* Behind a '(': what is read from here on goes into a group of its own. */
static enum status open_group(struct pattern_parser *parser, struct open_group *groups) {
    uint32_t depth_max =
        parser->limits->depth_max < PATTERN_DEPTH_LIMIT ? parser->limits->depth_max : PATTERN_DEPTH_LIMIT;
    struct open_group group = {.start = parser->at - 1,
                               .groups_before = parser->tree->group_count,
                               .kind = PATTERN_CAPTURE,
                               .choice = PATTERN_NONE,
                               .sequence = PATTERN_NONE,
                               .last = PATTERN_NONE};
    bool named = false;
    enum status status = parser_take(parser, '?') ? read_group_kind(parser, &group, &named) : OK;
    if (status != OK) {
        return status;
    }
    if (parser->depth >= depth_max) {
        return too_large(parser, "groups within each other (depth_max)", depth_max);
    }
    if (group.kind == PATTERN_CAPTURE) {
        if (parser->tree->group_count >= parser->limits->group_max) {
            return too_large(parser, "capturing groups (group_max)", parser->limits->group_max);
        }
        group.number = ++parser->tree->group_count;
    }
    if (named) {
        status = parser_read_name(parser, &parser->groups);
        if (status == OK) {
            parser->groups.items[parser->groups.count - 1].group = group.number;
            status = parser_refuse_twin(parser);
        }
    }
    groups[++parser->depth] = group;
    return status;
}

/* Where a group's alternatives ended: makes it a term of the group around it. */
static enum status close_group(struct pattern_parser *parser, struct open_group *groups, uint32_t inner) {
    const struct open_group *group = &groups[parser->depth--];
    bool is_look = group->kind == PATTERN_LOOK;
    uint32_t atom = inner;
    uint32_t term = PATTERN_NONE;
    enum status status = OK;
    if (!parser_take(parser, ')')) {
        return parser_fail(parser, group->start, "the group is not closed");
    }
    if (group->kind != PATTERN_SEQUENCE) {
        status = add_node(parser, (enum pattern_node_kind)group->kind, &atom);
        if (status != OK) {
            return status;
        }
        struct pattern_node *node = &parser->tree->nodes[atom];
        node->behind = group->behind;
        node->negative = group->negative;
        node->value = group->number;
        node->nullable = is_look || parser->tree->nodes[inner].nullable;
        parser->tree->has_looks |= is_look;
        status = adopt(parser, atom, inner, 1);
    }
    if (status == OK) {
        status = read_repeat(parser, atom, is_look, group->groups_before, &term);
    }
    return status == OK ? add_term(parser, &groups[parser->depth], term) : status;
}

/* All alternatives, and those of the groups in them, up to the end or a ')' that closes nothing. */
static enum status read_alternatives(struct pattern_parser *parser, uint32_t *ret_node) {
    struct open_group groups[1 + PATTERN_DEPTH_LIMIT]; /* the pattern itself, and the groups that the parser is in */
    enum status status = OK;
    groups[0] = (struct open_group){.choice = PATTERN_NONE, .sequence = PATTERN_NONE, .last = PATTERN_NONE};
    while (status == OK) {
        struct open_group *group = &groups[parser->depth];
        if (!parser_ended(parser) && parser_peek(parser) != '|' && parser_peek(parser) != ')') {
            status = parser_take(parser, '(') ? open_group(parser, groups) : read_term(parser, group);
            continue;
        }
        uint32_t node = PATTERN_NONE;
        status = end_alternative(parser, group, &node);
        if (status == OK && !parser_take(parser, '|')) {
            if (parser->depth == 0) {
                *ret_node = node;
                return OK;
            }
            status = close_group(parser, groups, node);
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
    enum status status = read_alternatives(&parser, &tree.root);
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
