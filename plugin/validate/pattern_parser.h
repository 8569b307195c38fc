/* pattern_parser.h: the state of a parse, shared by the parser's files. Inside of pattern.c's family. */
#ifndef POLARIS_PLUGIN_VALIDATE_PATTERN_PARSER_H
#define POLARIS_PLUGIN_VALIDATE_PATTERN_PARSER_H

#include "validate/pattern_tree.h"

enum { PATTERN_PROPERTIES_MAX = 16 }; /* different ones in a pattern: each takes about a millisecond */

/* A group's name, or a reference to one. */
struct pattern_name {
    uint32_t offset; /* where it stands in the source */
    uint32_t text;   /* as it reads, escapes resolved: in the parser's names_text */
    uint32_t size;
    uint32_t group; /* of a group's name */
    uint32_t node;  /* of a reference */
};

struct pattern_names {
    struct pattern_name *items;
    uint32_t count;
    uint32_t capacity;
};

struct pattern_parser {
    struct bytes source;
    uint32_t at;
    uint32_t depth; /* of groups, right now */
    const struct pattern_limits *limits;
    struct pattern_tree *tree;
    struct error *error;
    struct pattern_ranges scratch; /* of the class that is being read */
    struct pattern_names groups;
    struct pattern_names references;
    struct buffer names_text;
    uint32_t number_max; /* the largest backreference \1 .. and where it stands: its group may still come */
    uint32_t number_max_offset;
    struct {
        uint32_t offset;
        uint32_t size;
        uint32_t set;
    } properties[PATTERN_PROPERTIES_MAX];
    uint32_t property_count;
};

static inline bool parser_ended(const struct pattern_parser *parser) {
    return parser->at >= parser->source.size;
}

/* The next byte, or 0 at the end (a NUL in the source is a character like others: ask parser_ended). */
static inline uint8_t parser_peek(const struct pattern_parser *parser) {
    return parser_ended(parser) ? 0 : parser->source.data[parser->at];
}

static inline uint8_t parser_peek_after(const struct pattern_parser *parser, uint32_t distance) {
    return parser->at + distance >= parser->source.size ? 0 : parser->source.data[parser->at + distance];
}

static inline bool parser_take(struct pattern_parser *parser, char byte) {
    if (parser_ended(parser) || parser->source.data[parser->at] != (uint8_t)byte) {
        return false;
    }
    parser->at++;
    return true;
}

static inline bool is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

/* INVALID at an offset: what is wrong there. */
enum status parser_fail(struct pattern_parser *parser, uint32_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
enum status parser_no_memory(struct pattern_parser *parser);

/* The code point at the parser, which moves behind it; the source was proved to be UTF-8 and has not ended. */
uint32_t parser_next(struct pattern_parser *parser);

/* An escape, the parser behind its backslash, as it may stand in a class and outside: adds what it stands for to the
 * scratch ranges. *ret_single: it is one character, *ret_code_point. */
WARN_UNUSED enum status parser_read_escape(struct pattern_parser *parser, bool in_class, bool *ret_single,
                                           uint32_t *ret_code_point);
/* \uXXXX, \u{X} and pairs, the parser behind the `u`; `start` is the offset of the backslash. */
WARN_UNUSED enum status parser_read_unicode(struct pattern_parser *parser, uint32_t start, uint32_t *ret_code_point);
/* A class, the parser behind its '['. */
WARN_UNUSED enum status parser_read_class(struct pattern_parser *parser, uint32_t start, uint32_t *ret_set);
/* Keeps the scratch ranges as a set, and empties them. */
WARN_UNUSED enum status parser_keep_set(struct pattern_parser *parser, uint32_t *ret_set);

/* <name>, the parser at the '<' that should be there. Appends to `names`. */
WARN_UNUSED enum status parser_read_name(struct pattern_parser *parser, struct pattern_names *names);
/* A group's name may not be there twice. */
WARN_UNUSED enum status parser_refuse_twin(struct pattern_parser *parser);
/* At the end: every reference finds its group. */
WARN_UNUSED enum status parser_resolve_references(struct pattern_parser *parser);

#endif
