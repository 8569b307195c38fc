/* format_uri.c: URIs, IRIs, references and templates, by their grammars. */
#include "validate/format_checks.h"
#include "validate/pattern_utf8.h"

/* RFC 3987: ucschar. */
static bool is_ucs(uint32_t c) {
    if (c >= 0x10000) {
        return (c & 0xFFFF) <= 0xFFFD && c <= 0xEFFFD && (c < 0xE0000 || c >= 0xE1000);
    }
    return (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xF900 && c <= 0xFDCF) || (c >= 0xFDF0 && c <= 0xFFEF);
}

/* RFC 3987: iprivate. */
static bool is_private(uint32_t c) {
    return (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xF0000 && c <= 0xFFFFD) || (c >= 0x100000 && c <= 0x10FFFD);
}

static size_t percent_size(struct bytes text) {
    return text.size >= 3 && text.data[0] == '%' && format_is_hex(text.data[1]) && format_is_hex(text.data[2]) ? 3 : 0;
}

enum charset { ASCII_ONLY, WITH_UCS, WITH_PRIVATE };

/* ASCII characters as bits. */
struct ascii {
    uint64_t words[2];
};

/* RFC 3986: unreserved and sub-delims. */
static const struct ascii PLAIN = {{UINT64_C(0x2BFF7FD200000000), UINT64_C(0x47FFFFFE87FFFFFE)}};

static inline void ascii_add(struct ascii *ascii, const char *characters) {
    for (; *characters != '\0'; characters++) {
        ascii->words[(uint8_t)*characters >> 6] |= UINT64_C(1) << (*characters & 63);
    }
}

/* All of the text: unreserved, sub-delims, percent-encoded, those of `extra`, and what the charset adds. */
static bool consists_of(struct bytes text, const char *extra, enum charset charset) {
    struct ascii allowed = PLAIN;
    ascii_add(&allowed, extra);
    for (size_t at = 0; at < text.size;) {
        uint8_t byte = text.data[at];
        size_t size = 1;
        if (byte >= 128) {
            uint32_t c;
            size = charset == ASCII_ONLY ? 0 : utf8_decode(text.data + at, text.data + text.size, &c);
            if (size == 0 || (!is_ucs(c) && (charset != WITH_PRIVATE || !is_private(c)))) {
                return false;
            }
        } else if ((allowed.words[byte >> 6] >> (byte & 63) & 1) == 0) {
            size = percent_size(format_skip(text, at));
            if (size == 0) {
                return false;
            }
        }
        at += size;
    }
    return true;
}

/* Where the first of the characters stands, or the text's size. */
static size_t find_any(struct bytes text, const char *characters) {
    struct ascii wanted = {{0, 0}};
    size_t at = 0;
    ascii_add(&wanted, characters);
    while (at < text.size &&
           (text.data[at] >= 128 || (wanted.words[text.data[at] >> 6] >> (text.data[at] & 63) & 1) == 0)) {
        at++;
    }
    return at;
}

static bool is_scheme(struct bytes text) {
    if (text.size == 0 || !format_is_letter(text.data[0])) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (!format_is_letter(byte) && !format_is_digit(byte) && byte != '+' && byte != '-' && byte != '.') {
            return false;
        }
    }
    return true;
}

/* What stands between brackets: IPv6, or "v" and a version, "." and something for the future. */
static bool is_ip_literal(struct bytes text) {
    if (text.size == 0 || (text.data[0] | 32) != 'v') {
        return format_is_ipv6(text);
    }
    size_t at = 1;
    while (at < text.size && format_is_hex(text.data[at])) {
        at++;
    }
    return at > 1 && at + 1 < text.size && text.data[at] == '.' && memchr(text.data, '%', text.size) == NULL &&
           consists_of(format_skip(text, at + 1), ":", ASCII_ONLY);
}

static bool is_port(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (!format_is_digit(text.data[i])) {
            return false;
        }
    }
    return true;
}

static bool is_authority(struct bytes text, enum charset charset) {
    size_t at = find_any(text, "@");
    if (at < text.size) {
        if (!consists_of((struct bytes){text.data, at}, ":", charset)) {
            return false;
        }
        text = format_skip(text, at + 1);
    }
    struct bytes host = text;
    if (text.size > 0 && text.data[0] == '[') {
        size_t closing = find_any(text, "]");
        if (closing == text.size || !is_ip_literal((struct bytes){text.data + 1, closing - 1})) {
            return false;
        }
        host.size = closing + 1;
    } else {
        host.size = find_any(text, ":");
        if (!consists_of(host, "", charset)) {
            return false;
        }
    }
    struct bytes port = format_skip(text, host.size);
    return port.size == 0 || (port.data[0] == ':' && is_port(format_skip(port, 1)));
}

bool format_is_uri(struct bytes text, bool may_be_relative, bool international) {
    enum charset charset = international ? WITH_UCS : ASCII_ONLY;
    size_t at = find_any(text, ":/?#");
    if (at < text.size && text.data[at] == ':') {
        /* A relative path may not have a colon in its first segment: it would be taken for a scheme. */
        if (!is_scheme((struct bytes){text.data, at})) {
            return false;
        }
        text = format_skip(text, at + 1);
    } else if (!may_be_relative) {
        return false;
    }
    at = find_any(text, "#");
    if (at < text.size) {
        if (!consists_of(format_skip(text, at + 1), ":@/?", charset)) {
            return false;
        }
        text.size = at;
    }
    at = find_any(text, "?");
    if (at < text.size) {
        if (!consists_of(format_skip(text, at + 1), ":@/?", international ? WITH_PRIVATE : ASCII_ONLY)) {
            return false;
        }
        text.size = at;
    }
    if (text.size >= 2 && text.data[0] == '/' && text.data[1] == '/') {
        text = format_skip(text, 2);
        at = find_any(text, "/");
        if (!is_authority((struct bytes){text.data, at}, charset)) {
            return false;
        }
        text = format_skip(text, at);
    }
    return consists_of(text, ":@/", charset);
}

/* name, name:3 or name*: its size, or 0. */
static size_t variable_size(struct bytes text) {
    size_t at = 0;
    bool after_dot = true; /* a dot may not come first, last or twice */
    while (at < text.size) {
        uint8_t byte = text.data[at];
        size_t size = percent_size(format_skip(text, at));
        if (byte == '.' && !after_dot) {
            after_dot = true;
            at++;
        } else if (size > 0 || format_is_letter(byte) || format_is_digit(byte) || byte == '_') {
            after_dot = false;
            at += size > 0 ? size : 1;
        } else {
            break;
        }
    }
    if (after_dot || at == text.size) {
        return after_dot ? 0 : at;
    }
    if (text.data[at] == '*') {
        return at + 1;
    }
    if (text.data[at] == ':') {
        size_t first = ++at;
        while (at < text.size && at < first + 4 && format_is_digit(text.data[at])) {
            at++;
        }
        return at > first && text.data[first] != '0' ? at : 0;
    }
    return at;
}

/* What stands between braces. */
static bool is_expression(struct bytes text) {
    if (text.size > 0 && text.data[0] != 0 && strchr("+#./;?&=,!@|", text.data[0]) != NULL) {
        text = format_skip(text, 1);
    }
    for (;;) {
        size_t size = variable_size(text);
        if (size == 0) {
            return false;
        }
        text = format_skip(text, size);
        if (text.size == 0) {
            return true;
        }
        if (text.data[0] != ',') {
            return false;
        }
        text = format_skip(text, 1);
    }
}

bool format_is_uri_template(struct bytes text) {
    while (text.size > 0) {
        uint32_t c = 0;
        size_t size = utf8_decode(text.data, text.data + text.size, &c);
        if (size == 0) {
            return false;
        }
        if (c == '{') {
            size_t closing = find_any(text, "}");
            if (closing == text.size || !is_expression((struct bytes){text.data + 1, closing - 1})) {
                return false;
            }
            size = closing + 1;
        } else if (c == '%') {
            size = percent_size(text);
        } else if (c >= 128 ? !is_ucs(c) && !is_private(c) : c <= 32 || c == 127 || strchr("\"<>\\^`|}", (int)c)) {
            size = 0;
        }
        if (size == 0) {
            return false;
        }
        text = format_skip(text, size);
    }
    return true;
}
