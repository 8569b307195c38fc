/* format.c: which name asks for which check, and the formats that are too small for a file of their own. */
#include "validate/format.h"

#include "validate/format_checks.h"
#include "validate/pattern.h"
#include "validate/pattern_utf8.h"

static const struct {
    const char *name;
    bool in_draft_07;
} NAMES[FORMAT_COUNT] = {[FORMAT_UNKNOWN] = {"", false},
#define FORMAT_NAME(constant, text, draft_07) [FORMAT_##constant] = {text, draft_07},
                         FORMATS(FORMAT_NAME)
#undef FORMAT_NAME
};

enum format_id format_find(struct bytes name) {
    for (int id = FORMAT_UNKNOWN + 1; id < FORMAT_COUNT; id++) {
        if (bytes_equal_string(name, NAMES[id].name)) {
            return (enum format_id)id;
        }
    }
    return FORMAT_UNKNOWN;
}

bool format_in_draft_07(enum format_id format) {
    return NAMES[format].in_draft_07;
}

const char *format_name(enum format_id format) {
    return NAMES[format].name;
}

/* RFC 9562: five groups of hexadecimal digits, whatever the version. */
static bool is_uuid(struct bytes text) {
    if (text.size != 36) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_hyphen ? text.data[i] != '-' : !format_is_hex(text.data[i])) {
            return false;
        }
    }
    return true;
}

/* RFC 6901. */
static bool is_json_pointer(struct bytes text) {
    if (text.size > 0 && text.data[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '~' && (i + 1 == text.size || (text.data[i + 1] != '0' && text.data[i + 1] != '1'))) {
            return false;
        }
    }
    return utf8_span(text) == text.size;
}

/* Digits without leading zeros: how many, or 0. */
static size_t integer_size(struct bytes text) {
    size_t size = 0;
    while (size < text.size && format_is_digit(text.data[size])) {
        size++;
    }
    return size > 1 && text.data[0] == '0' ? 0 : size;
}

/* draft-bhutton-relative-json-pointer: levels up, perhaps an index shifted, then '#' or a pointer. */
static bool is_relative_json_pointer(struct bytes text) {
    size_t size = integer_size(text);
    if (size == 0) {
        return false;
    }
    text = format_skip(text, size);
    if (text.size > 0 && (text.data[0] == '+' || text.data[0] == '-')) {
        text = format_skip(text, 1);
        size = integer_size(text);
        if (size == 0) {
            return false;
        }
        text = format_skip(text, size);
    }
    return bytes_equal_string(text, "#") || is_json_pointer(text);
}

static enum format_verdict check_regex(struct bytes text) {
    struct error error;
    const struct pattern_limits limits = PATTERN_LIMITS_DEFAULT;
    enum status status = pattern_check(text, &limits, &error);
    if (status == OK) {
        return FORMAT_YES;
    }
    return status == INVALID ? FORMAT_NO : FORMAT_LIMIT;
}

static inline enum format_verdict verdict_of(bool fits) {
    return fits ? FORMAT_YES : FORMAT_NO;
}

enum format_verdict format_check(enum format_id format, struct bytes text) {
    struct bytes present = text.data != NULL ? text : BYTES_LITERAL("");
    switch (format) {
    case FORMAT_UNKNOWN:
    case FORMAT_COUNT:
        return FORMAT_YES;
    case FORMAT_DATE_TIME:
        return verdict_of(format_is_date_time(present));
    case FORMAT_DATE:
        return verdict_of(format_is_date(present));
    case FORMAT_TIME:
        return verdict_of(format_is_time(present));
    case FORMAT_DURATION:
        return verdict_of(format_is_duration(present));
    case FORMAT_EMAIL:
    case FORMAT_IDN_EMAIL:
        return format_check_email(present, format == FORMAT_IDN_EMAIL);
    case FORMAT_HOSTNAME:
    case FORMAT_IDN_HOSTNAME:
        return format_check_hostname(present, format == FORMAT_IDN_HOSTNAME);
    case FORMAT_IPV4:
        return verdict_of(format_is_ipv4(present));
    case FORMAT_IPV6:
        return verdict_of(format_is_ipv6(present));
    case FORMAT_URI:
    case FORMAT_URI_REFERENCE:
        return verdict_of(format_is_uri(present, format == FORMAT_URI_REFERENCE, false));
    case FORMAT_IRI:
    case FORMAT_IRI_REFERENCE:
        return verdict_of(format_is_uri(present, format == FORMAT_IRI_REFERENCE, true));
    case FORMAT_URI_TEMPLATE:
        return verdict_of(format_is_uri_template(present));
    case FORMAT_UUID:
        return verdict_of(is_uuid(present));
    case FORMAT_JSON_POINTER:
        return verdict_of(is_json_pointer(present));
    case FORMAT_RELATIVE_JSON_POINTER:
        return verdict_of(is_relative_json_pointer(present));
    case FORMAT_REGEX:
        return check_regex(present);
    }
    return FORMAT_YES;
}
