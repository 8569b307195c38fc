/* explain_message.c: what each assertion expects, in words. */
#include "validate/explain.h"

#include "validate/evaluate_assert.h"
#include "validate/format.h"

#include <stdio.h>

enum { LIST_SIZE = 200, QUOTED_MAX = 40 };

/* Text in quotes, cut at a character, without control characters. */
static void print_quoted(struct bytes text, char *target, size_t size) {
    bool is_cut = text.size > QUOTED_MAX;
    text = wire_utf8_valid(text) ? wire_utf8_cut(text, QUOTED_MAX) : BYTES_LITERAL("(broken text)");
    char plain[QUOTED_MAX + 1];
    for (size_t i = 0; i < text.size; i++) {
        plain[i] = text.data[i] < 0x20 || text.data[i] == 0x7F ? '?' : (char)text.data[i];
    }
    plain[text.size] = '\0';
    snprintf(target, size, "\"%s%s\"", plain, is_cut ? "..." : "");
}

void explain_print_value(struct wire_value value, bool hide, char text[EXPLAIN_VALUE_SIZE]) {
    char number[NUMBER_TEXT_SIZE];
    enum wire_kind kind = wire_value_kind(value);
    if (!hide && kind_is_number(kind)) {
        number_print(number_of(value), number);
        snprintf(text, EXPLAIN_VALUE_SIZE, "%s", number);
    } else if (!hide && kind == WIRE_STR) {
        print_quoted(value_text(value), text, EXPLAIN_VALUE_SIZE);
    } else if (!hide && kind == WIRE_BOOL) {
        snprintf(text, EXPLAIN_VALUE_SIZE, "%s", wire_value_bool(value) ? "true" : "false");
    } else {
        snprintf(text, EXPLAIN_VALUE_SIZE, "%s", value_type_name(value));
    }
}

/* "string or null" */
static void print_types(uint32_t types, char *text, size_t size) {
    static const char *const NAMES[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < sizeof NAMES / sizeof NAMES[0] && used < size; i++) {
        if ((types >> i & 1) != 0) {
            used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? " or " : "", NAMES[i]);
        }
    }
}

/* "1, 2, \"x\", ..." */
static void print_choices(const struct machine *machine, const struct enumeration *set, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < set->count; i++) {
        char choice[EXPLAIN_VALUE_SIZE];
        struct wire_value constant = {&machine->view.constant_document, machine->view.links[set->items + i]};
        explain_print_value(constant, false, choice);
        if (used + strlen(choice) + sizeof ", ..." > size) {
            snprintf(text + used, size - used, ", ...");
            return;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", choice);
    }
}

static void explain_required(struct machine *machine, const struct frame *frame, const struct key_table *table) {
    uint32_t mark = machine->work->scratch_size;
    uint32_t seen = assert_seen_keys(machine, table, frame->value);
    for (uint32_t i = 0; seen != WORK_NONE && i < table->count; i++) {
        const struct key *key = &machine->view.keys[table->first + i];
        char name[EXPLAIN_VALUE_SIZE];
        if (!set_has(machine, seen, i)) {
            print_quoted(program_text(&machine->view, key->text, key->size), name, sizeof name);
            explain_failure(machine, frame, KEYWORD_NONE, "must have the property %s", name);
        }
    }
    machine->work->scratch_size = mark;
}

static void explain_dependent(struct machine *machine, const struct frame *frame, const struct instruction *in) {
    const struct key_table *table = &machine->view.tables[in->a];
    uint32_t mark = machine->work->scratch_size;
    uint32_t seen = assert_seen_keys(machine, table, frame->value);
    for (uint32_t i = 0; seen != WORK_NONE && i < in->c;) {
        const uint32_t *link = &machine->view.links[in->b + i];
        for (uint32_t j = 0; j < link[1] && set_has(machine, seen, link[0]); j++) {
            const struct key *key = &machine->view.keys[table->first + link[2 + j]];
            const struct key *cause = &machine->view.keys[table->first + link[0]];
            char name[EXPLAIN_VALUE_SIZE];
            char with[EXPLAIN_VALUE_SIZE];
            if (!set_has(machine, seen, link[2 + j])) {
                print_quoted(program_text(&machine->view, key->text, key->size), name, sizeof name);
                print_quoted(program_text(&machine->view, cause->text, cause->size), with, sizeof with);
                explain_failure(machine, frame, KEYWORD_NONE, "must have the property %s, as it has %s", name, with);
            }
        }
        i += 2 + link[1];
    }
    machine->work->scratch_size = mark;
}

/* "must be >= 0 (got -1)" */
static void explain_bound(struct machine *machine, const struct frame *frame, const struct instruction *in,
                          const char *relation, const char *got) {
    char number[NUMBER_TEXT_SIZE];
    number_print(machine->view.bounds[in->a].number, number);
    explain_failure(machine, frame, KEYWORD_NONE, "must be %s %s (got %s)", relation, number, got);
}

static void explain_count(struct machine *machine, const struct frame *frame, const struct instruction *in,
                          const char *relation, const char *one, const char *many) {
    bool is_length = in->op == OP_MAX_LENGTH || in->op == OP_MIN_LENGTH;
    unsigned long long count =
        is_length ? text_length(machine_text(machine, frame->value)) : machine->items[frame->value].size;
    explain_failure(machine, frame, KEYWORD_NONE, "must %s %u %s (got %llu)", relation, in->a, in->a == 1 ? one : many,
                    count);
}

static void explain_choice(struct machine *machine, const struct frame *frame, const struct instruction *in,
                           const char *got) {
    char list[LIST_SIZE];
    if (in->op == OP_CONST) {
        explain_print_value((struct wire_value){&machine->view.constant_document, in->a}, false, list);
        explain_failure(machine, frame, KEYWORD_NONE, "must be %s (got %s)", list, got);
    } else {
        print_choices(machine, &machine->view.enums[in->a], list, sizeof list);
        explain_failure(machine, frame, KEYWORD_NONE, "must be one of %s (got %s)", list, got);
    }
}

/* More words than numbers. */
static void explain_words(struct machine *machine, const struct frame *frame, const struct instruction *in,
                          const char *got) {
    char words[LIST_SIZE];
    switch (in->op) {
    case OP_TYPE:
        print_types(in->a, words, sizeof words);
        explain_failure(machine, frame, KEYWORD_NONE, "must be %s (got %s)", words,
                        value_type_name(machine_value(machine, frame->value)));
        return;
    case OP_PATTERN: {
        struct bytes pattern = wire_utf8_cut(program_text(&machine->view, in->b, in->c), LIST_SIZE - 1);
        explain_failure(machine, frame, KEYWORD_NONE, "must match the pattern %.*s (got %s)", BYTES_FORMAT(pattern),
                        got);
        return;
    }
    case OP_FORMAT:
        explain_failure(machine, frame, KEYWORD_NONE, "must be in the format %s (got %s)",
                        format_name((enum format_id)in->a), got);
        return;
    case OP_UNIQUE_ITEMS:
        explain_failure(machine, frame, KEYWORD_NONE, "must not contain an item twice");
        return;
    default:
        explain_failure(machine, frame, KEYWORD_NONE, "must not be there (got %s)", got);
        return;
    }
}

void explain_assertion(struct machine *machine, const struct frame *frame, const struct instruction *in) {
    char got[EXPLAIN_VALUE_SIZE];
    explain_print_value(machine_value(machine, frame->value), machine->report->hide_values, got);
    switch (in->op) {
    case OP_ENUM:
    case OP_CONST:
        explain_choice(machine, frame, in, got);
        return;
    case OP_MULTIPLE_OF:
        explain_bound(machine, frame, in, "a multiple of", got);
        return;
    case OP_MAXIMUM:
        explain_bound(machine, frame, in, "<=", got);
        return;
    case OP_EXCLUSIVE_MAXIMUM:
        explain_bound(machine, frame, in, "<", got);
        return;
    case OP_MINIMUM:
        explain_bound(machine, frame, in, ">=", got);
        return;
    case OP_EXCLUSIVE_MINIMUM:
        explain_bound(machine, frame, in, ">", got);
        return;
    case OP_MAX_LENGTH:
        explain_count(machine, frame, in, "be at most", "character", "characters");
        return;
    case OP_MIN_LENGTH:
        explain_count(machine, frame, in, "be at least", "character", "characters");
        return;
    case OP_MAX_ITEMS:
        explain_count(machine, frame, in, "have at most", "item", "items");
        return;
    case OP_MIN_ITEMS:
        explain_count(machine, frame, in, "have at least", "item", "items");
        return;
    case OP_MAX_PROPERTIES:
        explain_count(machine, frame, in, "have at most", "property", "properties");
        return;
    case OP_MIN_PROPERTIES:
        explain_count(machine, frame, in, "have at least", "property", "properties");
        return;
    case OP_REQUIRED:
        explain_required(machine, frame, &machine->view.tables[in->a]);
        return;
    case OP_DEPENDENT_REQUIRED:
        explain_dependent(machine, frame, in);
        return;
    default:
        explain_words(machine, frame, in, got);
        return;
    }
}
