/* instant.c: RFC 3339 and microseconds. libc reads the calendar; what it is too kind about is checked here. */
#include "cli/instant.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t SECOND_US = 1000000;

static bool parse_microseconds(const char *text, int64_t *ret_us) {
    char *end = NULL;
    errno = 0;
    long long us = strtoll(text, &end, 10);
    if (isspace((unsigned char)text[0]) || end == text || *end != '\0' || errno != 0 ||
        end - text == 4) { /* a year, most likely */
        return false;
    }
    *ret_us = us;
    return true;
}

/* ".5" and the like, cut to microseconds. */
static const char *parse_fraction(const char *at, int64_t *ret_us) {
    *ret_us = 0;
    if (*at != '.') {
        return at;
    }
    int64_t unit = SECOND_US / 10;
    const char *digits = at + 1;
    for (at = digits; isdigit((unsigned char)*at); at++) {
        *ret_us += (*at - '0') * unit;
        unit /= 10;
    }
    return at > digits ? at : NULL;
}

/* "Z", "+01:00", or nothing. */
static const char *parse_offset(const char *at, int64_t *ret_seconds) {
    *ret_seconds = 0;
    if (*at == 'Z' || *at == 'z') {
        return at + 1;
    }
    if (*at != '+' && *at != '-') {
        return at;
    }
    struct tm tm = {0};
    if (strlen(at) < 6 || !isdigit((unsigned char)at[1]) || !isdigit((unsigned char)at[2]) || at[3] != ':') {
        return NULL;
    }
    const char *end = strptime(at + 1, "%H:%M", &tm);
    *ret_seconds = (tm.tm_hour * 3600 + tm.tm_min * 60) * (*at == '-' ? -1 : 1);
    return end;
}

/* Each digit stands where RFC 3339 has one: strptime would take "2026-1-1" and blanks. */
static bool has_shape(const char *text, const char *shape) {
    for (size_t i = 0; shape[i] != '\0'; i++) {
        if (shape[i] == '9' ? !isdigit((unsigned char)text[i])
                            : shape[i] != text[i] && !(shape[i] == 'T' && (text[i] == 't' || text[i] == ' '))) {
            return false;
        }
    }
    return true;
}

bool instant_parse(const char *text, int64_t *ret_us) {
    if (parse_microseconds(text, ret_us)) {
        return true;
    }
    struct tm tm = {0};
    int64_t fraction_us = 0, offset = 0;
    if (!has_shape(text, "9999-99-99")) {
        return false;
    }
    const char *at = strptime(text, "%Y-%m-%d", &tm);
    if (at != NULL && *at != '\0') {
        at = has_shape(text, "9999-99-99T99:99:99") ? strptime(at + 1, "%H:%M:%S", &tm) : NULL;
        at = at != NULL ? parse_fraction(at, &fraction_us) : NULL;
        at = at != NULL ? parse_offset(at, &offset) : NULL;
    }
    if (at == NULL || *at != '\0') {
        return false;
    }
    struct tm asked = tm;
    time_t seconds = timegm(&tm); /* the 31st of February becomes the 3rd of March */
    if (tm.tm_mday != asked.tm_mday || tm.tm_mon != asked.tm_mon || tm.tm_sec != asked.tm_sec) {
        return false;
    }
    *ret_us = ((int64_t)seconds - offset) * SECOND_US + fraction_us;
    return true;
}

void instant_print(int64_t us, char text[INSTANT_TEXT_SIZE]) {
    int64_t fraction_us = us % SECOND_US;
    time_t seconds = (time_t)(us / SECOND_US);
    if (fraction_us < 0) { /* C divides towards zero, the calendar goes down */
        fraction_us += SECOND_US;
        seconds--;
    }
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || tm.tm_year < 1 - 1900 || tm.tm_year > 9999 - 1900) {
        (void)snprintf(text, INSTANT_TEXT_SIZE, "%" PRId64, us);
        return;
    }
    /* The year by hand: %Y of strftime does not fill up to four digits. */
    (void)snprintf(text, INSTANT_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)fraction_us);
}
