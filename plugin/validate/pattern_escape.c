/* pattern_escape.c: escapes and character classes, by the grammar of ECMA-262 with the u flag. */
#include "validate/pattern_parser.h"
#include "validate/pattern_utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum status parser_fail(struct pattern_parser *parser, uint32_t offset, const char *format, ...) {
    char text[ERROR_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    error_print(text, sizeof(text), format, args);
    va_end(args);
    error_set(parser->error, INVALID, "pattern is invalid at offset %u: %s", offset, text);
    error_add_number(parser->error, "offset", offset);
    return INVALID;
}

enum status parser_no_memory(struct pattern_parser *parser) {
    return error_set(parser->error, NO_MEMORY, "no memory for a pattern of %zu bytes", parser->source.size);
}

uint32_t parser_next(struct pattern_parser *parser) {
    uint32_t code_point = 0;
    const uint8_t *at = parser->source.data + parser->at;
    parser->at += utf8_decode(at, parser->source.data + parser->source.size, &code_point);
    return code_point;
}

static bool hex_value(uint8_t byte, uint32_t *value) {
    uint8_t lower = byte | 32;
    if (is_digit(byte)) {
        *value = *value << 4 | (uint32_t)(byte - '0');
    } else if (lower >= 'a' && lower <= 'f') {
        *value = *value << 4 | (uint32_t)(lower - 'a' + 10);
    } else {
        return false;
    }
    return true;
}

/* Exactly `count` hexadecimal digits. */
static bool read_hex(struct pattern_parser *parser, uint32_t count, uint32_t *ret_value) {
    uint32_t value = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!hex_value(parser_peek_after(parser, i), &value)) {
            return false;
        }
    }
    parser->at += count;
    *ret_value = value;
    return true;
}

enum status parser_read_unicode(struct pattern_parser *parser, uint32_t start, uint32_t *ret_code_point) {
    uint32_t value = 0;
    if (parser_take(parser, '{')) {
        uint32_t first = parser->at;
        while (value <= CODE_POINT_MAX && hex_value(parser_peek(parser), &value)) {
            parser->at++;
        }
        if (value > CODE_POINT_MAX) {
            return parser_fail(parser, start, "\\u{...} is above 10FFFF");
        }
        if (parser->at == first || !parser_take(parser, '}')) {
            return parser_fail(parser, start, "\\u{ needs hexadecimal digits and a closing brace");
        }
        *ret_code_point = value;
        return OK;
    }
    if (!read_hex(parser, 4, &value)) {
        return parser_fail(parser, start, "\\u needs four hexadecimal digits, or some in braces");
    }
    /* Two halves, written one after the other, are one character. */
    uint32_t low = 0;
    uint32_t behind = parser->at;
    if (value >= 0xD800 && value <= 0xDBFF && parser_take(parser, '\\') && parser_take(parser, 'u') &&
        read_hex(parser, 4, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    } else {
        parser->at = behind;
    }
    *ret_code_point = value;
    return OK;
}

/* \p{...}: looked up once for each different expression. */
static enum status read_property(struct pattern_parser *parser, uint32_t start, bool negated) {
    if (!parser_take(parser, '{')) {
        return parser_fail(parser, start, "\\%c needs a property in braces", negated ? 'P' : 'p');
    }
    uint32_t offset = parser->at;
    for (uint8_t byte = parser_peek(parser);
         is_digit(byte) || byte == '_' || byte == '=' || ((byte | 32) >= 'a' && (byte | 32) <= 'z');
         byte = parser_peek(parser)) {
        parser->at++;
    }
    struct bytes expression = {parser->source.data + offset, parser->at - offset};
    if (!parser_take(parser, '}')) {
        return parser_fail(parser, start, "\\%c{ needs a property's name and a closing brace", negated ? 'P' : 'p');
    }
    uint32_t known = 0;
    while (known < parser->property_count &&
           !bytes_equal(expression, (struct bytes){parser->source.data + parser->properties[known].offset,
                                                   parser->properties[known].size})) {
        known++;
    }
    if (known == PATTERN_PROPERTIES_MAX) {
        return error_set(parser->error, TOO_LARGE, "pattern uses more than %d different Unicode properties",
                         PATTERN_PROPERTIES_MAX);
    }
    if (known == parser->property_count) {
        CLEANUP(pattern_ranges_done) struct pattern_ranges ranges = {0};
        struct error error;
        enum status status = pattern_property_add(&ranges, expression, false, &error);
        if (status == INVALID) {
            return parser_fail(parser, start, "%s", error.message);
        }
        if (status != OK) {
            return error_set(parser->error, status, "pattern at offset %u: %s", start, error.message);
        }
        parser->properties[known].offset = offset;
        parser->properties[known].size = (uint32_t)expression.size;
        if (!pattern_sets_keep(&parser->tree->sets, &ranges, &parser->properties[known].set)) {
            return parser_no_memory(parser);
        }
        parser->property_count++;
    }
    const struct pattern_set *set = &parser->tree->sets.items[parser->properties[known].set];
    const struct pattern_range *ranges =
        set->range_count > 0 ? parser->tree->sets.ranges.items + set->first_range : NULL;
    if (negated) {
        return pattern_ranges_add_others(&parser->scratch, ranges, set->range_count) ? OK : parser_no_memory(parser);
    }
    for (uint32_t i = 0; i < set->range_count; i++) {
        if (!pattern_ranges_add(&parser->scratch, ranges[i].first, ranges[i].last)) {
            return parser_no_memory(parser);
        }
    }
    return OK;
}

/* The escapes that stand for one character. */
static enum status read_character(struct pattern_parser *parser, uint32_t start, bool in_class, uint32_t *ret) {
    static const char CONTROLS[] = "fnrtv";
    static const uint8_t CONTROL_VALUES[] = {'\f', '\n', '\r', '\t', '\v'};
    uint32_t code_point = parser_next(parser);
    if (code_point == 0 || code_point >= 128) {
        return parser_fail(parser, start, "only characters of the syntax may be escaped");
    }
    const char *control = strchr(CONTROLS, (int)code_point);
    uint8_t after = parser_peek(parser);
    if (control != NULL) {
        *ret = CONTROL_VALUES[control - CONTROLS];
    } else if (code_point == 'c') {
        if ((after | 32) < 'a' || (after | 32) > 'z') {
            return parser_fail(parser, start, "\\c needs a letter");
        }
        parser->at++;
        *ret = after & 31;
    } else if (code_point == '0') {
        if (is_digit(after)) {
            return parser_fail(parser, start, "octal escapes are not allowed");
        }
        *ret = 0;
    } else if (code_point == 'x') {
        if (!read_hex(parser, 2, ret)) {
            return parser_fail(parser, start, "\\x needs two hexadecimal digits");
        }
    } else if (code_point == 'u') {
        return parser_read_unicode(parser, start, ret);
    } else if (strchr("^$\\.*+?()[]{}|/", (int)code_point) != NULL || (in_class && code_point == '-')) {
        *ret = code_point;
    } else if (in_class && code_point == 'b') {
        *ret = '\b';
    } else {
        return parser_fail(parser, start, "\\%c is no escape", code_point < 32 ? '?' : (char)code_point);
    }
    return OK;
}

enum status parser_read_escape(struct pattern_parser *parser, bool in_class, bool *ret_single,
                               uint32_t *ret_code_point) {
    uint32_t start = parser->at - 1;
    if (parser_ended(parser)) {
        return parser_fail(parser, start, "nothing follows the backslash");
    }
    char letter = (char)parser_peek(parser);
    *ret_single = false;
    if (letter != '\0' && strchr("dDwWsS", letter) != NULL) {
        parser->at++;
        return pattern_ranges_add_escape(&parser->scratch, letter) ? OK : parser_no_memory(parser);
    }
    if (letter == 'p' || letter == 'P') {
        parser->at++;
        return read_property(parser, start, letter == 'P');
    }
    *ret_single = true;
    enum status status = read_character(parser, start, in_class, ret_code_point);
    if (status == OK && !pattern_ranges_add(&parser->scratch, *ret_code_point, *ret_code_point)) {
        return parser_no_memory(parser);
    }
    return status;
}

static enum status read_class_atom(struct pattern_parser *parser, bool *ret_single, uint32_t *ret_code_point) {
    if (parser_take(parser, '\\')) {
        return parser_read_escape(parser, true, ret_single, ret_code_point);
    }
    *ret_single = true;
    *ret_code_point = parser_next(parser);
    return pattern_ranges_add(&parser->scratch, *ret_code_point, *ret_code_point) ? OK : parser_no_memory(parser);
}

enum status parser_keep_set(struct pattern_parser *parser, uint32_t *ret_set) {
    bool kept = pattern_sets_keep(&parser->tree->sets, &parser->scratch, ret_set);
    parser->scratch.count = 0;
    return kept ? OK : parser_no_memory(parser);
}

/* One atom, or a range of two. */
static enum status read_class_part(struct pattern_parser *parser) {
    uint32_t start = parser->at;
    bool first_single;
    bool last_single;
    uint32_t first = 0;
    uint32_t last = 0;
    enum status status = read_class_atom(parser, &first_single, &first);
    if (status != OK || parser_peek(parser) != '-' || parser_peek_after(parser, 1) == ']') {
        return status;
    }
    parser->at++;
    if (parser_ended(parser)) {
        return OK; /* the caller says that the class is not closed */
    }
    status = read_class_atom(parser, &last_single, &last);
    if (status != OK) {
        return status;
    }
    if (!first_single || !last_single) {
        return parser_fail(parser, start, "a range goes from one character to one character");
    }
    if (first > last) {
        return parser_fail(parser, start, "the range is out of order");
    }
    return pattern_ranges_add(&parser->scratch, first, last) ? OK : parser_no_memory(parser);
}

enum status parser_read_class(struct pattern_parser *parser, uint32_t start, uint32_t *ret_set) {
    bool negated = parser_take(parser, '^');
    while (!parser_take(parser, ']')) {
        if (parser_ended(parser)) {
            return parser_fail(parser, start, "the class is not closed");
        }
        enum status status = read_class_part(parser);
        if (status != OK) {
            return status;
        }
    }
    if (negated) {
        CLEANUP(pattern_ranges_done) struct pattern_ranges positive = parser->scratch;
        parser->scratch = (struct pattern_ranges){0};
        pattern_ranges_order(&positive);
        if (!pattern_ranges_add_others(&parser->scratch, positive.items, positive.count)) {
            return parser_no_memory(parser);
        }
    }
    return parser_keep_set(parser, ret_set);
}
