/* error.h: the status of a call, and the description of what went wrong, in memory of the caller. */
#ifndef POLARIS_PLUGIN_ERROR_H
#define POLARIS_PLUGIN_ERROR_H

#include <polaris/event_store.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"
#include "cleanup.h"

#define ERROR_STATUS_CONSTANT(name, number, retryable, meaning) name = number,
enum status { POLARIS_ES_STATUSES(ERROR_STATUS_CONSTANT) };
#undef ERROR_STATUS_CONSTANT

enum { ERROR_MESSAGE_SIZE = 512, ERROR_PATH_SIZE = 256, ERROR_TEXT_SIZE = 264, ERROR_DETAILS_MAX = 6 };

/* One fact for programs beside the message for people: {name: number} or {name: text}. */
struct error_detail {
    const char *name; /* a literal */
    bool is_text;
    int64_t number;
    char text[ERROR_TEXT_SIZE]; /* the longest name fits: programs compare it */
};

struct error {
    enum status status;
    char message[ERROR_MESSAGE_SIZE]; /* what was attempted, on what, the value, the limit, what to do */
    char path[ERROR_PATH_SIZE];       /* RFC 6901 pointer to the request's field, or "" */
    size_t detail_count;
    struct error_detail details[ERROR_DETAILS_MAX];
    struct bytes more; /* details that are lists: pairs of a msgpack map, one behind the other; borrowed */
    uint32_t more_pairs;
};

/* Describes a failure and returns `status`, so that a failing function ends in `return error_set(...)`. Forgets what
 * the error said before. Text that does not fit is cut at a character. */
enum status error_set(struct error *error, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Facts and the field's path, added after error_set; what does not fit is left out. */
void error_add_number(struct error *error, const char *name, int64_t number);
void error_add_text(struct error *error, const char *name, const char *text);
void error_set_path(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* vsnprintf that cuts at a character: what does not fit ends before a UTF-8 sequence, never within. `size` > 0. */
void error_print(char *target, size_t size, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

/* "NOT_FOUND" and the like; "UNKNOWN" for a number that is none. */
const char *status_name(enum status status);
bool status_is_retryable(enum status status);

#endif
