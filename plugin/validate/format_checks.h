/* format_checks.h: one check for each family of formats; format.c knows which name asks for which. */
#ifndef POLARIS_PLUGIN_VALIDATE_FORMAT_CHECKS_H
#define POLARIS_PLUGIN_VALIDATE_FORMAT_CHECKS_H

#include "validate/format.h"

/* RFC 3339. */
bool format_is_date(struct bytes text);
bool format_is_time(struct bytes text);
bool format_is_date_time(struct bytes text);
bool format_is_duration(struct bytes text);

/* RFC 2673, RFC 4291. */
bool format_is_ipv4(struct bytes text);
bool format_is_ipv6(struct bytes text);

/* RFC 1123, RFC 5890 to 5893; international: labels may be U-labels, and be separated by ideographic full stops. */
enum format_verdict format_check_hostname(struct bytes text, bool international);
/* RFC 5321; international: RFC 6531. */
enum format_verdict format_check_email(struct bytes text, bool international);

/* RFC 3986, RFC 3987, RFC 6570. */
bool format_is_uri(struct bytes text, bool may_be_relative, bool international);
bool format_is_uri_template(struct bytes text);

static inline bool format_is_digit(uint8_t byte) {
    return byte >= '0' && byte <= '9';
}

static inline bool format_is_letter(uint8_t byte) {
    return (byte | 32) >= 'a' && (byte | 32) <= 'z';
}

static inline bool format_is_hex(uint8_t byte) {
    return format_is_digit(byte) || ((byte | 32) >= 'a' && (byte | 32) <= 'f');
}

/* A view of what follows the first `size` bytes. */
static inline struct bytes format_skip(struct bytes text, size_t size) {
    return (struct bytes){text.data + size, text.size - size};
}

#endif
