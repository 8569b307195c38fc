/* pattern_name.c: the names of a pattern's groups. */
#include "validate/pattern_parser.h"
#include "validate/pattern_utf8.h"

#include <stdlib.h>

static bool add_name(struct pattern_names *names, const struct pattern_name *name) {
    if (names->count == names->capacity) {
        uint32_t capacity = names->capacity == 0 ? 8 : names->capacity * 2;
        struct pattern_name *items = realloc(names->items, capacity * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        names->items = items;
        names->capacity = capacity;
    }
    names->items[names->count++] = *name;
    return true;
}

static struct bytes name_text(const struct pattern_parser *parser, const struct pattern_name *name) {
    return (struct bytes){parser->names_text.data + name->text, name->size};
}

enum status parser_read_name(struct pattern_parser *parser, struct pattern_names *names) {
    uint32_t start = parser->at;
    if (!parser_take(parser, '<')) {
        return parser_fail(parser, start, "a group's name in angle brackets is expected");
    }
    struct pattern_name name = {.offset = parser->at, .text = (uint32_t)parser->names_text.size};
    while (!parser_take(parser, '>')) {
        uint32_t offset = parser->at;
        uint32_t code_point = 0;
        bool fits = false;
        if (parser_ended(parser)) {
            return parser_fail(parser, start, "the group's name is not closed");
        }
        if (parser_take(parser, '\\')) {
            enum status status = parser_take(parser, 'u')
                                     ? parser_read_unicode(parser, offset, &code_point)
                                     : parser_fail(parser, offset, "a group's name has no escape but \\u");
            if (status != OK) {
                return status;
            }
        } else {
            code_point = parser_next(parser);
        }
        struct error error;
        enum status status = pattern_property_names(code_point, offset == name.offset, &fits, &error);
        if (status != OK) {
            return error_set(parser->error, status, "%s", error.message);
        }
        if (!fits) {
            return parser_fail(parser, offset, "the character U+%04X may not stand %s a group's name", code_point,
                               offset == name.offset ? "at the start of" : "in");
        }
        uint8_t text[4];
        if (!buffer_append(&parser->names_text, text, utf8_encode(code_point, text))) {
            return parser_no_memory(parser);
        }
    }
    name.size = (uint32_t)parser->names_text.size - name.text;
    if (name.size == 0) {
        return parser_fail(parser, start, "the group's name is empty");
    }
    return add_name(names, &name) ? OK : parser_no_memory(parser);
}

static const struct pattern_name *find_group(const struct pattern_parser *parser, const struct pattern_name *wanted) {
    for (uint32_t i = 0; i < parser->groups.count; i++) {
        const struct pattern_name *group = &parser->groups.items[i];
        if (group != wanted && bytes_equal(name_text(parser, group), name_text(parser, wanted))) {
            return group;
        }
    }
    return NULL;
}

enum status parser_refuse_twin(struct pattern_parser *parser) {
    const struct pattern_name *name = &parser->groups.items[parser->groups.count - 1];
    if (find_group(parser, name) != NULL) {
        return parser_fail(parser, name->offset, "another group has the same name");
    }
    return OK;
}

enum status parser_resolve_references(struct pattern_parser *parser) {
    for (uint32_t i = 0; i < parser->references.count; i++) {
        const struct pattern_name *reference = &parser->references.items[i];
        const struct pattern_name *group = find_group(parser, reference);
        if (group == NULL) {
            return parser_fail(parser, reference->offset, "no group has this name");
        }
        parser->tree->nodes[reference->node].value = group->group;
    }
    if (parser->number_max > parser->tree->group_count) {
        return parser_fail(parser, parser->number_max_offset,
                           "\\%u refers to a group that does not exist: there are %u", parser->number_max,
                           parser->tree->group_count);
    }
    return OK;
}
