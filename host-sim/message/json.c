/* json.c: JSON text to values and back; numbers keep their kind and their value. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message/message.h"

bool message_parse(const char *text, size_t size, json_t **ret_value, struct failure *failure) {
    return message_parse_line(text, size, 1, ret_value, failure);
}

bool message_parse_line(const char *text, size_t size, uint64_t line, json_t **ret_value, struct failure *failure) {
    json_error_t error;
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (value != NULL) {
        *ret_value = value;
        return true;
    }
    const char *hint = "";
    if (json_error_code(&error) == json_error_numeric_overflow) {
        hint = strstr(error.text, "integer") != NULL
                   ? "; write {\"$uint\": \"…\"} for an integer up to 18446744073709551615, or 1.0e… for a float"
                   : "; write {\"$float\": \"inf\"} for infinity";
    } else if (json_error_code(&error) == json_error_duplicate_key) {
        hint = "; write {\"$map\": [[key, value], …]} for a map with a key that stands twice";
    } else if (json_error_code(&error) == json_error_null_byte_in_key) {
        hint = "; write {\"$map\": [[key, value], …]} for a map with such a key";
    }
    return failure_set(failure, "line %" PRIu64 ", column %d: %s%s", line + (uint64_t)error.line - 1, error.column,
                       error.text, hint);
}

/* The shortest text of 15 digits or more, less trailing zeros, that reads back as the same number; and as a float. */
static bool print_float(FILE *out, double number) {
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, number);
        /* Byte-wise: -0.0 and 0.0 are equal, and must not be confused. */
        double again = strtod(text, NULL);
        if (memcmp(&again, &number, sizeof number) == 0) {
            break;
        }
    }
    return fputs(text, out) >= 0 && (strpbrk(text, ".e") != NULL || fputs(".0", out) >= 0);
}

static bool print_string(FILE *out, const char *text, size_t length) {
    json_auto_t *string = json_stringn_nocheck(text, length);
    return string != NULL && json_dumpf(string, out, JSON_ENCODE_ANY | JSON_COMPACT) == 0;
}

static bool print_value(FILE *out, const json_t *value);

static bool print_array(FILE *out, const json_t *array) {
    bool printed = fputc('[', out) != EOF;
    for (size_t i = 0; i < json_array_size(array) && printed; i++) {
        printed = (i == 0 || fputc(',', out) != EOF) && print_value(out, json_array_get(array, i));
    }
    return printed && fputc(']', out) != EOF;
}

static bool print_object(FILE *out, const json_t *object) {
    json_t *members = (json_t *)(uintptr_t)object; /* jansson's iterators take no const, and change nothing */
    bool printed = fputc('{', out) != EOF;
    bool first = true;
    for (void *at = json_object_iter(members); at != NULL && printed; at = json_object_iter_next(members, at)) {
        printed = (first || fputc(',', out) != EOF) &&
                  print_string(out, json_object_iter_key(at), json_object_iter_key_len(at)) && fputc(':', out) != EOF &&
                  print_value(out, json_object_iter_value(at));
        first = false;
    }
    return printed && fputc('}', out) != EOF;
}

static bool print_value(FILE *out, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_NULL:
        return fputs("null", out) >= 0;
    case JSON_TRUE:
        return fputs("true", out) >= 0;
    case JSON_FALSE:
        return fputs("false", out) >= 0;
    case JSON_INTEGER:
        return fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value)) > 0;
    case JSON_REAL:
        return print_float(out, json_real_value(value));
    case JSON_STRING:
        return print_string(out, json_string_value(value), json_string_length(value));
    case JSON_ARRAY:
        return print_array(out, value);
    case JSON_OBJECT:
        return print_object(out, value);
    }
    return false;
}

char *message_print(const json_t *value) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    bool printed = print_value(out, value);
    if (fclose(out) != 0 || !printed) {
        free(text);
        return NULL;
    }
    return text;
}
