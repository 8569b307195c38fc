/* text.c: UTF-8, looked at byte by byte. */
#include "text.h"

#include <stdbool.h>

size_t text_character_size(const unsigned char *text) {
    unsigned char first = text[0];
    size_t size = first < 0x80 ? 1 : first < 0xC2 || first > 0xF4 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    /* What is longer than it need be, surrogates, and what is beyond U+10FFFF. */
    bool refused = (first == 0xE0 && text[1] < 0xA0) || (first == 0xED && text[1] > 0x9F) ||
                   (first == 0xF0 && text[1] < 0x90) || (first == 0xF4 && text[1] > 0x8F);
    return refused ? 0 : size;
}

/* C0, DEL and C1. */
static bool is_control(const unsigned char *text) {
    return text[0] < ' ' || text[0] == 0x7F || (text[0] == 0xC2 && text[1] < 0xA0);
}

void text_make_good(char *text, enum text_controls controls) {
    while (*text != '\0') {
        const unsigned char *at = (const unsigned char *)text;
        size_t size = controls == TEXT_WITHOUT_CONTROLS && is_control(at) ? 0 : text_character_size(at);
        if (size == 0) {
            *text = '?';
        }
        text += size > 0 ? size : 1;
    }
}
