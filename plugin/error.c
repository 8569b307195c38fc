/* error.c: describing failures. */
#include "error.h"

#include <stdio.h>
#include <string.h>

/* vsnprintf may have cut a UTF-8 sequence in two: drop the broken end, since the text crosses as a msgpack str. */
static void cut_at_character(char *text, size_t size) {
    size_t end = strnlen(text, size);
    if (end + 1 < size || end == 0) {
        return;
    }
    size_t start = end - 1;
    while (start > 0 && ((unsigned char)text[start] & 0xC0) == 0x80) {
        start--;
    }
    unsigned char lead = (unsigned char)text[start];
    size_t length = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (start + length > end) {
        text[start] = '\0';
    }
}

void error_print(char *target, size_t size, const char *format, va_list args) {
    if (vsnprintf(target, size, format, args) < 0) {
        target[0] = '\0';
    }
    cut_at_character(target, size);
}

enum status error_set(struct error *error, enum status status, const char *format, ...) {
    error->status = status;
    error->path[0] = '\0';
    error->detail_count = 0;
    error->more = (struct bytes){0};
    error->more_pairs = 0;
    va_list args;
    va_start(args, format);
    error_print(error->message, sizeof error->message, format, args);
    va_end(args);
    return status;
}

void error_set_path(struct error *error, const char *format, ...) {
    va_list args;
    va_start(args, format);
    error_print(error->path, sizeof error->path, format, args);
    va_end(args);
}

static struct error_detail *next_detail(struct error *error, const char *name) {
    if (error->detail_count == ERROR_DETAILS_MAX) {
        return NULL;
    }
    struct error_detail *detail = &error->details[error->detail_count++];
    *detail = (struct error_detail){.name = name};
    return detail;
}

void error_add_number(struct error *error, const char *name, int64_t number) {
    struct error_detail *detail = next_detail(error, name);
    if (detail != NULL) {
        detail->number = number;
    }
}

void error_add_text(struct error *error, const char *name, const char *text) {
    struct error_detail *detail = next_detail(error, name);
    if (detail != NULL) {
        detail->is_text = true;
        snprintf(detail->text, sizeof detail->text, "%s", text);
        cut_at_character(detail->text, sizeof detail->text);
    }
}

const char *status_name(enum status status) {
    switch (status) {
#define STATUS_CASE(name, number, retryable, meaning)                                                                  \
    case name:                                                                                                         \
        return #name;
        POLARIS_ES_STATUSES(STATUS_CASE)
#undef STATUS_CASE
    }
    return "UNKNOWN";
}

bool status_is_retryable(enum status status) {
    switch (status) {
#define STATUS_CASE(name, number, retryable, meaning)                                                                  \
    case name:                                                                                                         \
        return (retryable) != 0;
        POLARIS_ES_STATUSES(STATUS_CASE)
#undef STATUS_CASE
    }
    return false;
}
