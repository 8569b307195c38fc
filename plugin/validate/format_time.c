/* format_time.c: dates, times and durations of RFC 3339. */
#include "validate/format_checks.h"

enum { DATE_SIZE = 10, MINUTES_OF_DAY = 24 * 60 };

/* `count` digits at `at`, or -1. */
static int read_number(struct bytes text, size_t at, size_t count) {
    int value = 0;
    if (at + count > text.size) {
        return -1;
    }
    for (size_t i = at; i < at + count; i++) {
        if (!format_is_digit(text.data[i])) {
            return -1;
        }
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

static bool has_byte(struct bytes text, size_t at, char byte) {
    return at < text.size && text.data[at] == (uint8_t)byte;
}

bool format_is_date(struct bytes text) {
    static const uint8_t DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = read_number(text, 0, 4);
    int month = read_number(text, 5, 2);
    int day = read_number(text, 8, 2);
    if (text.size != DATE_SIZE || year < 0 || month < 1 || month > 12 || day < 1 || !has_byte(text, 4, '-') ||
        !has_byte(text, 7, '-')) {
        return false;
    }
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= DAYS[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool format_is_time(struct bytes text) {
    int hour = read_number(text, 0, 2);
    int minute = read_number(text, 3, 2);
    int second = read_number(text, 6, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 || !has_byte(text, 2, ':') ||
        !has_byte(text, 5, ':')) {
        return false;
    }
    size_t at = 8;
    if (has_byte(text, at, '.')) {
        size_t first = ++at;
        while (at < text.size && format_is_digit(text.data[at])) {
            at++;
        }
        if (at == first) {
            return false;
        }
    }
    int offset = 0; /* of the local time, in minutes */
    if (has_byte(text, at, 'Z') || has_byte(text, at, 'z')) {
        at++;
    } else {
        int hours = read_number(text, at + 1, 2);
        int minutes = read_number(text, at + 4, 2);
        if ((!has_byte(text, at, '+') && !has_byte(text, at, '-')) || hours < 0 || hours > 23 || minutes < 0 ||
            minutes > 59 || !has_byte(text, at + 3, ':')) {
            return false;
        }
        offset = (hours * 60 + minutes) * (text.data[at] == '-' ? -1 : 1);
        at += 6;
    }
    /* Leap seconds are inserted at the end of a day in UTC. */
    int utc = (hour * 60 + minute - offset + 2 * MINUTES_OF_DAY) % MINUTES_OF_DAY;
    return at == text.size && (second < 60 || utc == MINUTES_OF_DAY - 1);
}

bool format_is_date_time(struct bytes text) {
    return text.size > DATE_SIZE && (text.data[DATE_SIZE] | 32) == 't' &&
           format_is_date((struct bytes){text.data, DATE_SIZE}) && format_is_time(format_skip(text, DATE_SIZE + 1));
}

/* Digits and a unit, of `units` in their order, each following the one before it: 1H2M but not 1H2S. Moves *at behind
 * what was read; false: nothing was. */
static bool read_units(struct bytes text, size_t *at, const char *units) {
    const char *next = NULL; /* the only unit that may come; NULL: any */
    for (;;) {
        size_t end = *at;
        while (end < text.size && format_is_digit(text.data[end])) {
            end++;
        }
        if (end == *at || end == text.size || text.data[end] == '\0') {
            return next != NULL && end == *at;
        }
        const char *unit = strchr(units, text.data[end]);
        if (unit == NULL || (next != NULL && unit != next)) {
            return false;
        }
        next = unit + 1;
        *at = end + 1;
        if (*next == '\0') {
            return true;
        }
    }
}

bool format_is_duration(struct bytes text) {
    size_t at = 1;
    if (!has_byte(text, 0, 'P')) {
        return false;
    }
    if (read_units(text, &at, "W")) {
        return at == text.size;
    }
    if (!has_byte(text, at, 'T') && !read_units(text, &at, "YMD")) {
        return false;
    }
    if (has_byte(text, at, 'T')) {
        at++;
        if (!read_units(text, &at, "HMS")) {
            return false;
        }
    }
    return at == text.size;
}
