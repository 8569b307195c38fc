/* format_idn.c: host names, label by label: letters, digits and hyphens (RFC 1123), A-labels and U-labels (IDNA 2008).
 */
#include "validate/format_checks.h"
#include "validate/pattern_utf8.h"

#include <idn2.h>

enum {
    HOSTNAME_SIZE_MAX = 253, /* in ASCII, without a final dot */
    LABEL_SIZE_MAX = 63,     /* in ASCII */
    ULABEL_SIZE_MAX = 4 * LABEL_SIZE_MAX
};

static bool is_ascii(struct bytes text) {
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] >= 128) {
            return false;
        }
    }
    return true;
}

static bool is_a_label(struct bytes label) {
    return label.size >= 4 && (label.data[0] | 32) == 'x' && (label.data[1] | 32) == 'n' && label.data[2] == '-' &&
           label.data[3] == '-';
}

/* Asks libidn2 whether the label could be registered: valid code points, contextual rules, bidi, NFC; of an A-label
 * that it is what its U-label is encoded as. *ret_size: its size in ASCII. */
static enum format_verdict check_label_idna(struct bytes label, bool a_label, size_t *ret_size) {
    uint8_t text[ULABEL_SIZE_MAX + 1];
    uint8_t *ascii = NULL;
    if (label.size > ULABEL_SIZE_MAX || memchr(label.data, 0, label.size) != NULL) {
        return FORMAT_NO;
    }
    for (size_t i = 0; i < label.size; i++) {
        text[i] = a_label && format_is_letter(label.data[i]) ? label.data[i] | 32 : label.data[i];
    }
    text[label.size] = '\0';
    int result = idn2_register_u8(a_label ? NULL : text, a_label ? text : NULL, &ascii, 0);
    if (result == IDN2_OK && ascii != NULL) {
        *ret_size = strlen((const char *)ascii);
    }
    idn2_free(ascii);
    if (result == IDN2_MALLOC) {
        return FORMAT_LIMIT;
    }
    return result == IDN2_OK && *ret_size <= LABEL_SIZE_MAX ? FORMAT_YES : FORMAT_NO;
}

static enum format_verdict check_label(struct bytes label, bool international, size_t *ret_size) {
    *ret_size = label.size;
    if (label.size == 0 || label.data[0] == '-' || label.data[label.size - 1] == '-') {
        return FORMAT_NO;
    }
    if (!is_ascii(label)) {
        return international ? check_label_idna(label, false, ret_size) : FORMAT_NO;
    }
    for (size_t i = 0; i < label.size; i++) {
        if (!format_is_letter(label.data[i]) && !format_is_digit(label.data[i]) && label.data[i] != '-') {
            return FORMAT_NO;
        }
    }
    if (label.size > LABEL_SIZE_MAX) {
        return FORMAT_NO;
    }
    if (is_a_label(label)) {
        return check_label_idna(label, true, ret_size);
    }
    /* RFC 5890 reserves what looks like an A-label of another kind; RFC 1123 does not know. */
    bool reserved = label.size >= 4 && label.data[2] == '-' && label.data[3] == '-';
    return reserved && international ? FORMAT_NO : FORMAT_YES;
}

/* The size of the separator at `at`, or 0: '.', and for international names U+3002, U+FF0E and U+FF61. */
static size_t separator_size(struct bytes text, size_t at, bool international) {
    if (text.data[at] == '.') {
        return 1;
    }
    if (!international || text.size - at < 3) {
        return 0;
    }
    bool found = memcmp(text.data + at, "\xE3\x80\x82", 3) == 0 || memcmp(text.data + at, "\xEF\xBC\x8E", 3) == 0 ||
                 memcmp(text.data + at, "\xEF\xBD\xA1", 3) == 0;
    return found ? 3 : 0;
}

enum format_verdict format_check_hostname(struct bytes text, bool international) {
    size_t first = 0;
    size_t total = 0; /* in ASCII */
    if (text.size > (international ? 4 * HOSTNAME_SIZE_MAX : HOSTNAME_SIZE_MAX)) {
        return FORMAT_NO;
    }
    for (size_t at = 0; at <= text.size; at++) {
        size_t separator = at == text.size ? 1 : separator_size(text, at, international);
        if (separator == 0) {
            continue;
        }
        size_t size = 0;
        enum format_verdict verdict = check_label((struct bytes){text.data + first, at - first}, international, &size);
        if (verdict != FORMAT_YES) {
            return verdict;
        }
        total += size + (first > 0 ? 1 : 0);
        if (total > HOSTNAME_SIZE_MAX) {
            return FORMAT_NO;
        }
        first = at + separator;
        at = first - 1;
    }
    return FORMAT_YES;
}
