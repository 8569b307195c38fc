/* failure.c: describing failures of the host. */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

/* The length of the character at `text`, which is not its end; 0: it is no UTF-8, was cut, or steers terminals. */
static size_t harmless_size(const unsigned char *text) {
    unsigned char first = text[0];
    if (first < 0x80) {
        return first >= ' ' && first != 0x7F ? 1 : 0;
    }
    size_t size = first < 0xC2 || first > 0xF4 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    /* Control characters, what is longer than it need be, surrogates, and what is beyond U+10FFFF. */
    bool refused = ((first == 0xC2 || first == 0xE0) && text[1] < 0xA0) || (first == 0xF0 && text[1] < 0x90) ||
                   (first == 0xED && text[1] > 0x9F) || (first == 0xF4 && text[1] > 0x8F);
    return refused ? 0 : size;
}

/* Parts of files and of arguments stand in messages, and they end on terminals and in error maps. */
static void make_harmless(char *text) {
    while (*text != '\0') {
        size_t size = harmless_size((const unsigned char *)text);
        if (size == 0) {
            *text = '?';
        }
        text += size > 0 ? size : 1;
    }
}

bool failure_set(struct failure *failure, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (vsnprintf(failure->message, sizeof failure->message, format, args) < 0) {
        failure->message[0] = '\0';
    }
    va_end(args);
    make_harmless(failure->message);
    return false;
}
