/* compatible_message.c: what a difference is called, where it stands in both schemas, and what it means to an operator.
 */
#include "validate/compatible_message.h"

#include "validate/value.h"

#include <stdio.h>

enum { MESSAGE_PART_MAX = 200, NAME_MAX_SHOWN = 64 };

void difference_text_done(struct difference_text *text) {
    buffer_done(&text->writer_path);
    buffer_done(&text->reader_path);
    buffer_done(&text->message);
}

/* ---- kinds ---- */

static const char *const KINDS[KEYWORD_COUNT] = {
    [KEYWORD_NONE] = "value_refused",
    [KEYWORD_REF] = "reference_not_followed",
    [KEYWORD_DYNAMIC_REF] = "reference_not_followed",
    [KEYWORD_ALL_OF] = "all_of_narrowed",
    [KEYWORD_ANY_OF] = "any_of_narrowed",
    [KEYWORD_ONE_OF] = "one_of_narrowed",
    [KEYWORD_NOT] = "not_widened",
    [KEYWORD_IF] = "condition_narrowed",
    [KEYWORD_DEPENDENT_SCHEMAS] = "dependent_schema_narrowed",
    [KEYWORD_DEPENDENCIES] = "dependency_narrowed",
    [KEYWORD_PREFIX_ITEMS] = "items_narrowed",
    [KEYWORD_ITEMS] = "items_narrowed",
    [KEYWORD_ADDITIONAL_ITEMS] = "items_narrowed",
    [KEYWORD_CONTAINS] = "contains_narrowed",
    [KEYWORD_PROPERTIES] = "property_narrowed",
    [KEYWORD_PATTERN_PROPERTIES] = "pattern_property_narrowed",
    [KEYWORD_ADDITIONAL_PROPERTIES] = "additional_narrowed",
    [KEYWORD_PROPERTY_NAMES] = "property_names_narrowed",
    [KEYWORD_UNEVALUATED_ITEMS] = "unevaluated_narrowed",
    [KEYWORD_UNEVALUATED_PROPERTIES] = "unevaluated_narrowed",
    [KEYWORD_TYPE] = "type_narrowed",
    [KEYWORD_ENUM] = "enum_narrowed",
    [KEYWORD_CONST] = "const_changed",
    [KEYWORD_MULTIPLE_OF] = "multiple_of_changed",
    [KEYWORD_MAXIMUM] = "maximum_lowered",
    [KEYWORD_EXCLUSIVE_MAXIMUM] = "exclusive_maximum_lowered",
    [KEYWORD_MINIMUM] = "minimum_raised",
    [KEYWORD_EXCLUSIVE_MINIMUM] = "exclusive_minimum_raised",
    [KEYWORD_MAX_LENGTH] = "max_length_lowered",
    [KEYWORD_MIN_LENGTH] = "min_length_raised",
    [KEYWORD_PATTERN] = "pattern_changed",
    [KEYWORD_MAX_ITEMS] = "max_items_lowered",
    [KEYWORD_MIN_ITEMS] = "min_items_raised",
    [KEYWORD_UNIQUE_ITEMS] = "unique_items_required",
    [KEYWORD_MAX_PROPERTIES] = "max_properties_lowered",
    [KEYWORD_MIN_PROPERTIES] = "min_properties_raised",
    [KEYWORD_REQUIRED] = "property_required",
    [KEYWORD_DEPENDENT_REQUIRED] = "dependent_required_added",
    [KEYWORD_FORMAT] = "format_changed",
};

static bool is_closed_by(const struct prover *prover, const struct obligation *obligation) {
    return obligation->demand != DEMAND_WHOLE && obligation->keyword != KEYWORD_REQUIRED &&
           obligation->keyword != KEYWORD_DEPENDENT_REQUIRED && !bytes_present(obligation->dependent) &&
           NODE(prover, obligation->schema)->is_false;
}

static const char *kind_of(const struct prover *prover, const struct obligation *obligation, bool is_declared) {
    bool is_name = obligation->demand == DEMAND_NAME || obligation->demand == DEMAND_OTHER_NAMES;
    switch ((int)obligation->keyword) {
    case KEYWORD_PREFIX_ITEMS:
    case KEYWORD_ITEMS:
    case KEYWORD_ADDITIONAL_ITEMS:
        return is_closed_by(prover, obligation) ? "items_closed" : KINDS[obligation->keyword];
    case KEYWORD_PROPERTIES:
    case KEYWORD_PATTERN_PROPERTIES:
    case KEYWORD_ADDITIONAL_PROPERTIES:
    case KEYWORD_UNEVALUATED_PROPERTIES:
        break;
    default:
        return KINDS[obligation->keyword];
    }
    if (is_name && is_closed_by(prover, obligation)) {
        return obligation->demand == DEMAND_OTHER_NAMES ? "additional_closed"
               : is_declared                            ? "property_removed"
                                                        : "property_forbidden";
    }
    return obligation->keyword == KEYWORD_PROPERTIES && !is_declared ? "property_added" : KINDS[obligation->keyword];
}

/* ---- words ---- */

struct words {
    struct buffer *ret;
    bool fine;
};

static void say(struct words *words, const char *text) {
    words->fine = words->fine && buffer_append(words->ret, text, strlen(text));
}

/* Cut at a character, without control characters. */
static void say_name(struct words *words, struct bytes name) {
    bool is_cut = name.size > NAME_MAX_SHOWN;
    name = wire_utf8_valid(name) ? wire_utf8_cut(name, NAME_MAX_SHOWN) : BYTES_LITERAL("(broken text)");
    char text[NAME_MAX_SHOWN + 1];
    for (size_t i = 0; i < name.size; i++) {
        text[i] = name.data[i] < 0x20 || name.data[i] == 0x7F ? '?' : (char)name.data[i];
    }
    text[name.size] = '\0';
    say(words, "'");
    say(words, text);
    say(words, is_cut ? "...'" : "'");
}

static void say_count(struct words *words, uint32_t count) {
    char text[16];
    snprintf(text, sizeof text, "%u", count);
    say(words, text);
}

static void say_value(struct words *words, struct wire_value value) {
    char number[NUMBER_TEXT_SIZE];
    enum wire_kind kind = wire_value_kind(value);
    if (kind_is_number(kind)) {
        number_print(number_of(value), number);
        say(words, number);
    } else if (kind == WIRE_STR) {
        say_name(words, value_text(value));
    } else if (kind == WIRE_BOOL) {
        say(words, wire_value_bool(value) ? "true" : "false");
    } else {
        say(words, kind == WIRE_NIL ? "null" : kind == WIRE_ARRAY ? "an array" : "an object");
    }
}

static void say_types(struct words *words, struct wire_value types) {
    if (wire_value_kind(types) != WIRE_ARRAY) {
        say_name(words, value_text(types));
        return;
    }
    struct wire_value type = {types.document, types.index + 1};
    for (uint32_t i = 0; i < value_item(types)->size; i++) {
        say(words, i > 0 ? " or " : "");
        say_name(words, value_text(type));
        type = wire_value_next(type);
    }
}

static void say_member(const struct prover *prover, struct words *words, const struct obligation *obligation,
                       bool is_declared) {
    bool closed = is_closed_by(prover, obligation);
    switch (obligation->demand) {
    case DEMAND_NAME:
        say(words, "property ");
        say_name(words, obligation->name);
        say(words, closed        ? " is not allowed"
                   : is_declared ? " allows less"
                                 : " is declared, where the other schema allows any value");
        return;
    case DEMAND_OTHER_NAMES:
        say(words, "properties ");
        if (bytes_present(obligation->name)) {
            say(words, "that match ");
            say_name(words, obligation->name);
        } else {
            say(words, "that are not declared");
        }
        say(words, closed ? " are not allowed" : " allow less");
        return;
    case DEMAND_INDEX:
        say(words, "element ");
        say_count(words, obligation->index);
        say(words, closed ? " is not allowed" : " allows less");
        return;
    case DEMAND_REST:
        say(words, "elements from ");
        say_count(words, obligation->index);
        say(words, closed ? " on are not allowed" : " on allow less");
        return;
    case DEMAND_WHOLE:
        break;
    }
}

/* What the reading schema demands beyond the other one: the new schema may be either. */
static void say_what(const struct prover *prover, struct words *words, const struct obligation *obligation,
                     bool is_declared) {
    struct wire_value value = {NULL, NO_INDEX};
    if (obligation->keyword != KEYWORD_NONE) {
        value = node_member(prover, obligation->reader, obligation->keyword);
    }
    switch ((int)obligation->keyword) {
    case KEYWORD_NONE:
        say(words, "the schema refuses what the other one allows");
        return;
    case KEYWORD_TYPE:
        say(words, "type must be ");
        say_types(words, value);
        return;
    case KEYWORD_ENUM:
        say(words, "enum does not list all that the other schema allows");
        return;
    case KEYWORD_REQUIRED:
        say(words, "property ");
        say_name(words, obligation->name);
        say(words, " is required");
        return;
    case KEYWORD_UNIQUE_ITEMS:
        say(words, "elements must be different");
        return;
    case KEYWORD_DEPENDENT_REQUIRED:
    case KEYWORD_DEPENDENT_SCHEMAS:
    case KEYWORD_DEPENDENCIES:
        say(words, "property ");
        say_name(words, obligation->name);
        say(words, bytes_present(obligation->dependent) ? " calls for property " : " calls for more");
        if (bytes_present(obligation->dependent)) {
            say_name(words, obligation->dependent);
        }
        return;
    case KEYWORD_PREFIX_ITEMS:
    case KEYWORD_ITEMS:
    case KEYWORD_ADDITIONAL_ITEMS:
    case KEYWORD_PROPERTIES:
    case KEYWORD_PATTERN_PROPERTIES:
    case KEYWORD_ADDITIONAL_PROPERTIES:
    case KEYWORD_UNEVALUATED_PROPERTIES:
        say_member(prover, words, obligation, is_declared);
        return;
    case KEYWORD_CONST:
    case KEYWORD_MULTIPLE_OF:
    case KEYWORD_MAXIMUM:
    case KEYWORD_EXCLUSIVE_MAXIMUM:
    case KEYWORD_MINIMUM:
    case KEYWORD_EXCLUSIVE_MINIMUM:
    case KEYWORD_MAX_LENGTH:
    case KEYWORD_MIN_LENGTH:
    case KEYWORD_PATTERN:
    case KEYWORD_FORMAT:
    case KEYWORD_MAX_ITEMS:
    case KEYWORD_MIN_ITEMS:
    case KEYWORD_MAX_PROPERTIES:
    case KEYWORD_MIN_PROPERTIES:
        say(words, keyword_name(obligation->keyword));
        say(words, " is ");
        say_value(words, value);
        return;
    default:
        say(words, keyword_name(obligation->keyword));
        say(words, " refuses what the other schema allows");
    }
}

static bool put_message(const struct prover *prover, const struct obligation *obligation, bool is_declared,
                        bool has_witness, struct buffer *ret) {
    struct words words = {.ret = ret, .fine = true};
    CLEANUP(buffer_done) struct buffer path = {0};
    if (!has_witness) {
        say(&words, COMPATIBLE_UNPROVED);
    }
    say_what(prover, &words, obligation, is_declared);
    if (!instance_path(prover, &path)) {
        return false;
    }
    if (path.size > 0) {
        struct bytes shown = wire_utf8_cut(buffer_view(&path), MESSAGE_PART_MAX);
        say(&words, ", at ");
        words.fine = words.fine && buffer_append(ret, shown.data, shown.size);
    }
    return words.fine;
}

/* ---- places ---- */

static bool put_reader_path(const struct prover *prover, const struct obligation *obligation, struct buffer *ret) {
    const struct node *node = NODE(prover, obligation->reader);
    bool has_own = obligation->demand == DEMAND_NAME || obligation->demand == DEMAND_INDEX;
    bool of_map = obligation->keyword == KEYWORD_PROPERTIES || obligation->keyword == KEYWORD_PATTERN_PROPERTIES ||
                  obligation->keyword == KEYWORD_PREFIX_ITEMS || obligation->keyword == KEYWORD_ALL_OF;
    uint32_t item = node->item;
    if (of_map && (has_own || obligation->keyword == KEYWORD_ALL_OF)) {
        item = NODE(prover, obligation->schema)->item;
    } else if (obligation->keyword != KEYWORD_NONE) {
        item = node->members[obligation->keyword];
    }
    return node_pointer(prover, obligation->reader, item, ret);
}

/* The node of the writer that the set says most about, or NO_INDEX. */
static uint32_t writer_node(struct prover *prover, const struct set *set, enum keyword keyword) {
    struct facts facts;
    uint32_t found = NO_INDEX;
    facts_read(prover, set, &facts);
    for (uint32_t i = 0; i < facts.count; i++) {
        uint32_t part = PART(prover, &facts, i);
        bool is_writer = part > NODE_TRUE && NODE(prover, part)->side == WRITER;
        if (is_writer &&
            (found == NO_INDEX || (node_has(NODE(prover, part), keyword) && !node_has(NODE(prover, found), keyword)))) {
            found = part;
        }
    }
    facts_done(prover, &facts);
    return found;
}

/* The place of a value without a schema of the writer: from the nearest one around it. */
static bool put_around(struct prover *prover, struct buffer *ret) {
    const struct frame_step *steps[FRAME_STEPS_MAX];
    const struct frame_step *known = prover->step; /* it leads out of a schema of the writer */
    uint32_t node = NO_INDEX;
    while (known != NULL && (node = writer_node(prover, known->set, KEYWORD_PROPERTIES)) == NO_INDEX) {
        known = known->up;
    }
    bool fine = node == NO_INDEX || node_pointer(prover, node, NODE(prover, node)->item, ret);
    uint32_t count = frame_steps(prover->step, known != NULL ? known->up : NULL, steps);
    for (uint32_t i = 0; i < count && fine; i++) {
        const char *keyword = steps[i]->is_name ? "/properties/" : "/items";
        fine = buffer_append(ret, keyword, strlen(keyword)) &&
               (!steps[i]->is_name || node_append_token(steps[i]->name, ret));
    }
    return fine;
}

static bool put_writer_path(struct prover *prover, const struct set *set, const struct obligation *obligation,
                            struct buffer *ret) {
    uint32_t node = writer_node(prover, set, obligation->keyword);
    bool fine = node != NO_INDEX ? node_pointer(prover, node, NODE(prover, node)->item, ret) : put_around(prover, ret);
    const char *keyword = keyword_name(obligation->keyword);
    if (fine && *keyword != '\0') {
        fine = buffer_append(ret, "/", 1) && buffer_append(ret, keyword, strlen(keyword));
    }
    if (fine && obligation->keyword == KEYWORD_PROPERTIES && obligation->demand == DEMAND_NAME) {
        fine = buffer_append(ret, "/", 1) && node_append_token(obligation->name, ret);
    }
    return fine;
}

bool difference_describe(struct prover *prover, const struct set *set, const struct obligation *obligation,
                         bool has_witness, struct difference_text *ret) {
    bool is_declared = true;
    if (obligation->demand == DEMAND_NAME && prover->status == OK) {
        struct facts facts;
        struct set member;
        facts_read(prover, set, &facts);
        facts_of_name(prover, &facts, obligation->name, &member);
        facts_done(prover, &facts);
        is_declared = member.count > 0;
    }
    ret->kind = kind_of(prover, obligation, is_declared);
    return put_message(prover, obligation, is_declared, has_witness, &ret->message) &&
           put_reader_path(prover, obligation, &ret->reader_path) &&
           put_writer_path(prover, set, obligation, &ret->writer_path);
}
