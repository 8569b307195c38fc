/* format_host.c: addresses of machines and of people. */
#include "validate/format_checks.h"
#include "validate/pattern_utf8.h"

enum { LOCAL_PART_SIZE_MAX = 64 };

bool format_is_ipv4(struct bytes text) {
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (at == text.size || text.data[at++] != '.')) {
            return false;
        }
        size_t first = at;
        unsigned value = 0;
        while (at < text.size && at < first + 3 && format_is_digit(text.data[at])) {
            value = value * 10 + (unsigned)(text.data[at++] - '0');
        }
        bool leading_zero = at > first + 1 && text.data[first] == '0';
        if (at == first || leading_zero || value > 255) {
            return false;
        }
    }
    return at == text.size;
}

bool format_is_ipv6(struct bytes text) {
    size_t at = 0;
    unsigned groups = 0;
    bool shortened = text.size >= 2 && memcmp(text.data, "::", 2) == 0;
    at = shortened ? 2 : 0;
    while (at < text.size) {
        size_t first = at;
        while (at < text.size && at < first + 4 && format_is_hex(text.data[at])) {
            at++;
        }
        if (at < text.size && text.data[at] == '.') {
            groups += 2; /* the last 32 bits may be written as IPv4 */
            return format_is_ipv4(format_skip(text, first)) && (shortened ? groups < 8 : groups == 8);
        }
        if (at == first || ++groups > 8) {
            return false;
        }
        if (at == text.size) {
            break;
        }
        if (text.data[at++] != ':' || at == text.size) {
            return false;
        }
        if (text.data[at] == ':') {
            if (shortened) {
                return false;
            }
            shortened = true;
            at++;
        }
    }
    return shortened ? groups < 8 : groups == 8;
}

/* The size of one character of an atom, or 0. */
static size_t atom_character(struct bytes text, bool international) {
    uint8_t byte = text.data[0];
    uint32_t code_point;
    if (byte >= 128) {
        return international ? utf8_decode(text.data, text.data + text.size, &code_point) : 0;
    }
    bool fits = format_is_letter(byte) || format_is_digit(byte) || (byte != 0 && strchr("!#$%&'*+-/=?^_`{|}~", byte));
    return fits ? 1 : 0;
}

/* Atoms with single dots between them: the size up to the '@', or 0. */
static size_t dot_string_size(struct bytes text, bool international) {
    size_t at = 0;
    bool after_atom = false;
    while (at < text.size && text.data[at] != '@') {
        if (text.data[at] == '.') {
            if (!after_atom) {
                return 0;
            }
            after_atom = false;
            at++;
            continue;
        }
        size_t size = atom_character(format_skip(text, at), international);
        if (size == 0) {
            return 0;
        }
        after_atom = true;
        at += size;
    }
    return after_atom ? at : 0;
}

/* With its quotes, or 0. */
static size_t quoted_string_size(struct bytes text, bool international) {
    size_t at = 1;
    while (at < text.size && text.data[at] != '"') {
        uint32_t code_point = 0;
        size_t size = utf8_decode(text.data + at, text.data + text.size, &code_point);
        if (code_point == '\\' && at + 1 < text.size) {
            code_point = text.data[at + 1];
            size = code_point < 128 ? 2 : 0;
        }
        if (size == 0 || code_point < 32 || code_point == 127 || (code_point >= 128 && !international)) {
            return 0;
        }
        at += size;
    }
    return at < text.size ? at + 1 : 0;
}

static bool is_address_literal(struct bytes text) {
    static const char PREFIX[] = "IPv6:";
    if (text.size < 2 || text.data[0] != '[' || text.data[text.size - 1] != ']') {
        return false;
    }
    struct bytes inside = {text.data + 1, text.size - 2};
    if (inside.size >= sizeof(PREFIX) - 1 && memcmp(inside.data, PREFIX, sizeof(PREFIX) - 1) == 0) {
        return format_is_ipv6(format_skip(inside, sizeof(PREFIX) - 1));
    }
    return format_is_ipv4(inside);
}

enum format_verdict format_check_email(struct bytes text, bool international) {
    if (text.size == 0) {
        return FORMAT_NO;
    }
    size_t local = text.data[0] == '"' ? quoted_string_size(text, international) : dot_string_size(text, international);
    if (local == 0 || local > LOCAL_PART_SIZE_MAX || local == text.size || text.data[local] != '@') {
        return FORMAT_NO;
    }
    struct bytes domain = format_skip(text, local + 1);
    if (is_address_literal(domain)) {
        return FORMAT_YES;
    }
    return format_check_hostname(domain, international);
}
