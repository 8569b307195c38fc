/* findings.c: what validation and comparing found, line by line. */
#include "cli/findings.h"

#include <string.h>

#include "cli/terminal.h"
#include "message/message.h"
#include "owned.h"

static const char *text_of(const json_t *map, const char *name, const char *otherwise) {
    const char *text = json_string_value(json_object_get(map, name));
    return text != NULL ? text : otherwise;
}

static const char *line_of(const json_t *failure) {
    return text_of(failure, "line", text_of(failure, "message", "a failure that cannot be read"));
}

void findings_print_failures(FILE *out, const char *prefix, const json_t *failures) {
    for (size_t i = 0; i < json_array_size(failures); i++) {
        (void)terminal_print(out, prefix, 0);
        (void)terminal_print(out, line_of(json_array_get(failures, i)), 0);
        (void)fputc('\n', out);
    }
}

/* "  backward, version 1: no, as version 1 alone allows {"age":7}" */
static void print_direction(FILE *out, const json_t *difference, const char *before) {
    const char *direction = text_of(difference, "direction", "?");
    const char *reason = text_of(difference, "reason", NULL);
    const json_t *witness = json_object_get(difference, "witness");
    CLEANUP(freep) char *example = witness != NULL ? message_print(witness) : NULL;
    char version[32];
    (void)snprintf(version, sizeof version, "version %" JSON_INTEGER_FORMAT,
                   json_integer_value(json_object_get(difference, "version")));
    before = before != NULL ? before : version;
    (void)fprintf(out, "  %s, ", direction);
    (void)terminal_print(out, before, 0);
    (void)fprintf(out, ": %s", text_of(difference, "answer", "unknown"));
    if (reason != NULL) {
        (void)fputs(", as ", out);
        (void)terminal_print(out, reason, 0);
    } else if (example != NULL) {
        (void)fputs(", as ", out);
        (void)terminal_print(out, strcmp(direction, "forward") == 0 ? "the new schema" : before, 0);
        (void)fputs(" alone allows ", out);
        (void)terminal_print(out, example, 0);
    }
    (void)fputc('\n', out);
}

static void print_difference(FILE *out, const json_t *difference, const char *before) {
    const char *place = text_of(difference, "new", "");
    const char *old_place = text_of(difference, "old", place);
    (void)terminal_print(out, place[0] != '\0' ? place : "(root)", 0);
    if (strcmp(place, old_place) != 0) {
        (void)fputs(" (was ", out);
        (void)terminal_print(out, old_place[0] != '\0' ? old_place : "(root)", 0);
        (void)fputc(')', out);
    }
    (void)fputs(": ", out);
    (void)terminal_print(out, text_of(difference, "message", "they differ"), 0);
    (void)fprintf(out, " [%s]\n", text_of(difference, "kind", "?"));
    print_direction(out, difference, before);
}

void findings_print_differences(FILE *out, const json_t *differences, const char *before) {
    for (size_t i = 0; i < json_array_size(differences); i++) {
        print_difference(out, json_array_get(differences, i), before);
    }
}

void findings_print(FILE *out, const json_t *map) {
    findings_print_failures(out, "  ", json_object_get(map, "failures"));
    findings_print_differences(out, json_object_get(map, "differences"), NULL);
    if (json_is_true(json_object_get(map, "truncated"))) {
        (void)fputs("  … and more\n", out);
    }
}

void findings_print_error(FILE *out, const json_t *error) {
    const char *message = text_of(error, "message", "the plugin's reply cannot be read");
    const json_t *details = json_object_get(error, "details");
    const char *path = text_of(details, "path", "");
    const json_t *first = json_array_get(json_object_get(details, "failures"), 0);
    const char *tail = first != NULL ? strstr(message, line_of(first)) : NULL;
    size_t length = strlen(message);
    if (tail != NULL && strcmp(tail, line_of(first)) == 0 && tail - message > 2) {
        length = (size_t)(tail - message) - 2; /* ": ", and the failure, which gets a line of its own */
    }
    CLEANUP(freep) char *text = strndup(message, length);
    (void)terminal_print(out, text != NULL ? text : message, 0);
    if (path[0] == '/' && strchr(path + 1, '/') != NULL && first == NULL && strstr(message, path) == NULL) {
        (void)fputs(" (at ", out);
        (void)terminal_print(out, path, 0);
        (void)fputc(')', out);
    }
    (void)fputc('\n', out);
    findings_print(out, details);
}
