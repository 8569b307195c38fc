/* content.c: one property more or less, in open and closed objects, read and written: the table of compatible.h. */
#include "support.h"

#include <stdio.h>

/* One property p: {type: integer} is added to, or removed from, an object that has a property a. Backward: the new
 * schema reads what the old one wrote; forward: the old one reads what the new one wrote. */
struct content_case {
    const char *object;   /* "open", "closed" */
    const char *change;   /* "add", "remove" */
    const char *property; /* "required", "default": required and with a default, "optional" */
    const char *direction;
    const char *strict, *lenient;
    const char *kind, *witness; /* of the strict NO, or else of the lenient one */
};

static const struct content_case CASES[] = {
    {"open", "add", "required", "backward", "no", "no", "property_required", "{}"},
    {"open", "add", "required", "forward", "yes", "yes", NULL, NULL},
    {"open", "add", "default", "backward", "no", "no", "property_required", "{}"},
    {"open", "add", "default", "forward", "yes", "yes", NULL, NULL},
    {"open", "add", "optional", "backward", "no", "yes", "property_added", "{'p': null}"},
    {"open", "add", "optional", "forward", "yes", "yes", NULL, NULL},
    {"open", "remove", "required", "backward", "yes", "yes", NULL, NULL},
    {"open", "remove", "required", "forward", "no", "no", "property_required", "{}"},
    {"open", "remove", "default", "backward", "yes", "yes", NULL, NULL},
    {"open", "remove", "default", "forward", "no", "no", "property_required", "{}"},
    {"open", "remove", "optional", "backward", "yes", "yes", NULL, NULL},
    {"open", "remove", "optional", "forward", "no", "yes", "property_added", "{'p': null}"},
    {"closed", "add", "required", "backward", "no", "no", "property_required", "{}"},
    {"closed", "add", "required", "forward", "no", "no", "property_removed", "{'p': 0}"},
    {"closed", "add", "default", "backward", "no", "no", "property_required", "{}"},
    {"closed", "add", "default", "forward", "no", "no", "property_removed", "{'p': 0}"},
    {"closed", "add", "optional", "backward", "yes", "yes", NULL, NULL},
    {"closed", "add", "optional", "forward", "no", "no", "property_removed", "{'p': 0}"},
    {"closed", "remove", "required", "backward", "no", "no", "property_removed", "{'p': 0}"},
    {"closed", "remove", "required", "forward", "no", "no", "property_required", "{}"},
    {"closed", "remove", "default", "backward", "no", "no", "property_removed", "{'p': 0}"},
    {"closed", "remove", "default", "forward", "no", "no", "property_required", "{}"},
    {"closed", "remove", "optional", "backward", "no", "no", "property_removed", "{'p': 0}"},
    {"closed", "remove", "optional", "forward", "yes", "yes", NULL, NULL},
};

static void make_schemas(const struct content_case *is, char without[512], char with[512]) {
    const char *closed = strcmp(is->object, "closed") == 0 ? ", 'additionalProperties': false" : "";
    const char *value = strcmp(is->property, "default") == 0 ? ", 'default': 7" : "";
    const char *required = strcmp(is->property, "optional") != 0 ? ", 'required': ['p']" : "";
    snprintf(without, 512, "{'type': 'object', 'properties': {'a': {'type': 'string'}}%s}", closed);
    snprintf(with, 512, "{'type': 'object', 'properties': {'a': {'type': 'string'}, 'p': {'type': 'integer'%s}}%s%s}",
             value, required, closed);
}

static bool shows(const struct compatible_report *report, const char *kind, const char *witness, struct buffer *text) {
    char wanted[64];
    const char *printed = print_report(report, text);
    snprintf(wanted, sizeof wanted, " no %s ", kind);
    return strstr(printed, wanted) != NULL && strstr(printed, witness) != NULL;
}

static void check_case(const struct content_case *is, enum compatible_content content) {
    CLEANUP(pair_done) struct pair pair;
    CLEANUP(buffer_done) struct buffer text = {0};
    char without[512];
    char with[512];
    make_schemas(is, without, with);
    bool added = strcmp(is->change, "add") == 0;
    const char *older = added ? without : with;
    const char *newer = added ? with : without;
    bool backward = strcmp(is->direction, "backward") == 0;
    const char *wanted = content == COMPATIBLE_STRICT ? is->strict : is->lenient;
    pair_init(&pair);
    pair_compile(&pair, backward ? older : newer, backward ? newer : older);
    cr_assert_eq(pair_check(&pair, content), OK, "%s", pair.error.message);
    cr_expect_str_eq(compatible_answer_name(pair.answer), wanted, "%s %s %s %s: %s, not %s%s", is->object, is->change,
                     is->property, is->direction, compatible_answer_name(pair.answer), wanted,
                     print_report(&pair.report, &text));
    if (strcmp(wanted, "no") == 0) {
        cr_expect(shows(&pair.report, is->kind, is->witness, &text), "%s %s %s %s: no %s with %s in%s", is->object,
                  is->change, is->property, is->direction, is->kind, is->witness, print_report(&pair.report, &text));
    }
}

Test(validate_compatible_content, all_24_cases_in_the_strict_model) {
    cr_assert_eq(sizeof CASES / sizeof CASES[0], 24);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        check_case(&CASES[i], COMPATIBLE_STRICT);
    }
}

Test(validate_compatible_content, all_24_cases_in_the_lenient_model) {
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        check_case(&CASES[i], COMPATIBLE_LENIENT);
    }
}
