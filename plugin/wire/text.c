/* wire/text.c: UTF-8 as RFC 3629 has it. */
#include "wire/text.h"

#include "wire/document.h"

static bool is_continuation(uint8_t byte) {
    return (byte & 0xC0) == 0x80;
}

size_t wire_utf8_sequence(const uint8_t *data, size_t left) {
    uint8_t lead = data[0];
    if (lead < 0x80) {
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) { /* a stray continuation, an overlong form, or beyond U+10FFFF */
        return 0;
    }
    size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (left < length) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(data[i])) {
            return 0;
        }
    }
    bool overlong = (lead == 0xE0 && data[1] < 0xA0) || (lead == 0xF0 && data[1] < 0x90);
    bool surrogate = lead == 0xED && data[1] >= 0xA0;
    bool too_high = lead == 0xF4 && data[1] >= 0x90;
    return overlong || surrogate || too_high ? 0 : length;
}

bool wire_utf8_valid(struct bytes text) {
    size_t i = 0;
    while (i < text.size) {
        uint64_t eight;
        if (text.size - i >= sizeof eight) {
            memcpy(&eight, text.data + i, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        size_t length = wire_utf8_sequence(text.data + i, text.size - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

struct bytes wire_utf8_cut(struct bytes text, size_t size_max) {
    if (text.size <= size_max) {
        return text;
    }
    size_t size = size_max;
    while (size > 0 && is_continuation(text.data[size])) {
        size--;
    }
    return (struct bytes){.data = text.data, .size = size};
}

void wire_quote(char target[WIRE_QUOTE_SIZE], struct bytes text) {
    static const char MORE[] = "...";
    size_t size_max = WIRE_QUOTE_SIZE - sizeof MORE;
    size_t used = 0;
    size_t i = 0;
    while (i < text.size) {
        size_t length = wire_utf8_sequence(text.data + i, text.size - i);
        bool is_control = length == 1 && (text.data[i] < 0x20 || text.data[i] == 0x7F);
        size_t written = length == 0 ? 1 : length;
        if (used + written > size_max) {
            memcpy(target + used, MORE, sizeof MORE);
            return;
        }
        if (length == 0 || is_control) {
            target[used] = '?';
        } else {
            memcpy(target + used, text.data + i, length);
        }
        used += written;
        i += written;
    }
    target[used] = '\0';
}
