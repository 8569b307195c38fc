/* json_text.c: one pass over RFC 8259 text that writes msgpack as it reads. */
#include "validate/json_text.h"

#include "wire/document.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

enum { DEPTH_LIMIT = 1024, NUMBER_SIZE_MAX = 1024, CONTAINER_HEADER_SIZE = 5 };

struct container {
    size_t opened; /* where its header stands in the output */
    uint32_t count;
    bool is_map;
};

struct reader {
    struct bytes text;
    size_t at;
    struct buffer *out;
    struct error *error;
    uint32_t depth;
    uint32_t depth_max;
    struct container containers[DEPTH_LIMIT];
};

static enum status refuse(struct reader *reader, const char *what) {
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < reader->at && i < reader->text.size; i++) {
        bool is_newline = reader->text.data[i] == '\n';
        line += is_newline;
        column = is_newline ? 1 : column + 1;
    }
    return error_set(reader->error, INVALID, "JSON text is malformed at line %zu, column %zu: %s", line, column, what);
}

static enum status no_memory(struct reader *reader) {
    return error_set(reader->error, NO_MEMORY, "no memory to convert JSON text of %zu bytes", reader->text.size);
}

static int peek(const struct reader *reader) {
    return reader->at < reader->text.size ? reader->text.data[reader->at] : -1;
}

static void skip_space(struct reader *reader) {
    for (int c = peek(reader); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(reader)) {
        reader->at++;
    }
}

static bool put(struct reader *reader, uint8_t head, uint64_t number, int size) {
    uint8_t bytes[9] = {head};
    for (int i = 0; i < size; i++) {
        bytes[1 + i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    }
    return buffer_append(reader->out, bytes, 1 + (size_t)size);
}

static void patch(struct reader *reader, size_t header, uint32_t number) {
    for (int i = 0; i < 4; i++) {
        reader->out->data[header + 1 + (size_t)i] = (uint8_t)(number >> (8 * (3 - i)));
    }
}

/* ---- strings ---- */

static bool read_hex(struct reader *reader, uint32_t *ret) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(reader);
        int low = c | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
        reader->at++;
    }
    *ret = value;
    return true;
}

static bool append_code_point(struct buffer *out, uint32_t c) {
    uint8_t bytes[4];
    size_t size;
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        size = 1;
    } else if (c < 0x800) {
        bytes[0] = (uint8_t)(0xC0 | c >> 6);
        size = 2;
    } else if (c < 0x10000) {
        bytes[0] = (uint8_t)(0xE0 | c >> 12);
        size = 3;
    } else {
        bytes[0] = (uint8_t)(0xF0 | c >> 18);
        size = 4;
    }
    for (size_t i = 1; i < size; i++) {
        bytes[i] = (uint8_t)(0x80 | ((c >> (6 * (size - 1 - i))) & 0x3F));
    }
    return buffer_append(out, bytes, size);
}

/* After the backslash. */
static enum status read_escape(struct reader *reader) {
    static const char NAMES[] = "\"\\/bfnrt";
    static const char VALUES[] = "\"\\/\b\f\n\r\t";
    int c = peek(reader);
    const char *name = c > 0 ? strchr(NAMES, c) : NULL;
    if (name != NULL) {
        reader->at++;
        return buffer_append(reader->out, &VALUES[name - NAMES], 1) ? OK : no_memory(reader);
    }
    if (c != 'u') {
        return refuse(reader, "no such escape");
    }
    reader->at++;
    uint32_t code;
    if (!read_hex(reader, &code)) {
        return refuse(reader, "four hexadecimal digits are expected");
    }
    if (code >= 0xD800 && code < 0xDC00) {
        uint32_t low = 0;
        if (peek(reader) != '\\' || reader->at + 1 >= reader->text.size || reader->text.data[reader->at + 1] != 'u') {
            return refuse(reader, "the second half of a surrogate pair is missing");
        }
        reader->at += 2;
        if (!read_hex(reader, &low) || low < 0xDC00 || low > 0xDFFF) {
            return refuse(reader, "the second half of a surrogate pair is missing");
        }
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
        return refuse(reader, "the first half of a surrogate pair is missing");
    }
    return append_code_point(reader->out, code) ? OK : no_memory(reader);
}

/* At the opening quote. */
static enum status read_string(struct reader *reader) {
    size_t header = reader->out->size;
    if (!put(reader, 0xDB, 0, 4)) {
        return no_memory(reader);
    }
    reader->at++;
    for (;;) {
        size_t start = reader->at;
        int c = peek(reader);
        while (c >= 0x20 && c != '"' && c != '\\') {
            reader->at++;
            c = peek(reader);
        }
        if (!buffer_append(reader->out, reader->text.data + start, reader->at - start)) {
            return no_memory(reader);
        }
        if (c == '"') {
            break;
        }
        if (c != '\\') {
            return refuse(reader, c < 0 ? "the string does not end" : "a control character must be escaped");
        }
        reader->at++;
        enum status status = read_escape(reader);
        if (status != OK) {
            return status;
        }
    }
    reader->at++;
    patch(reader, header, (uint32_t)(reader->out->size - header - CONTAINER_HEADER_SIZE));
    return OK;
}

/* ---- numbers ---- */

static size_t count_digits(struct reader *reader) {
    size_t start = reader->at;
    while (peek(reader) >= '0' && peek(reader) <= '9') {
        reader->at++;
    }
    return reader->at - start;
}

static bool scan_number(struct reader *reader, bool *ret_whole) {
    reader->at += peek(reader) == '-';
    if (peek(reader) == '0') {
        reader->at++;
    } else if (count_digits(reader) == 0) {
        return false;
    }
    *ret_whole = true;
    if (peek(reader) == '.') {
        reader->at++;
        *ret_whole = false;
        if (count_digits(reader) == 0) {
            return false;
        }
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->at++;
        *ret_whole = false;
        reader->at += peek(reader) == '-' || peek(reader) == '+';
        return count_digits(reader) > 0;
    }
    return true;
}

/* strtod reads the decimal point of the host's locale; this one that of JSON. */
static bool read_double(const char *text, double *ret) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (plain == (locale_t)0) {
        return false;
    }
    *ret = strtod_l(text, NULL, plain);
    freelocale(plain);
    return true;
}

static enum status read_number(struct reader *reader) {
    size_t start = reader->at;
    bool whole = true;
    if (!scan_number(reader, &whole)) {
        return refuse(reader, "a digit is expected");
    }
    char text[NUMBER_SIZE_MAX + 1];
    size_t size = reader->at - start;
    if (size > NUMBER_SIZE_MAX) {
        return refuse(reader, "the number is longer than 1024 characters");
    }
    memcpy(text, reader->text.data + start, size);
    text[size] = '\0';
    bool is_negative = text[0] == '-';
    uint64_t digits = 0;
    for (const char *c = text + is_negative; whole && *c != '\0'; c++) {
        whole = !__builtin_mul_overflow(digits, 10, &digits) &&
                !__builtin_add_overflow(digits, (uint64_t)(*c - '0'), &digits);
    }
    if (whole && is_negative && digits <= (uint64_t)INT64_MAX + 1) {
        return put(reader, 0xD3, 0 - digits, 8) ? OK : no_memory(reader);
    }
    if (whole && !is_negative) {
        return put(reader, 0xCF, digits, 8) ? OK : no_memory(reader);
    }
    double number = 0;
    if (!read_double(text, &number)) {
        return no_memory(reader);
    }
    if (!isfinite(number)) {
        return refuse(reader, "the number is beyond what a double holds");
    }
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return put(reader, 0xCB, bits, 8) ? OK : no_memory(reader);
}

/* ---- values ---- */

static enum status read_word(struct reader *reader) {
    static const struct {
        const char *word;
        uint8_t head;
    } WORDS[] = {{"null", 0xC0}, {"false", 0xC2}, {"true", 0xC3}};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        size_t size = strlen(WORDS[i].word);
        if (reader->text.size - reader->at >= size &&
            memcmp(reader->text.data + reader->at, WORDS[i].word, size) == 0) {
            reader->at += size;
            return put(reader, WORDS[i].head, 0, 0) ? OK : no_memory(reader);
        }
    }
    return refuse(reader, "a value is expected");
}

/* A container is opened; its elements are read by the caller's loop. */
static enum status read_value(struct reader *reader) {
    int c = peek(reader);
    if (c == '"') {
        return read_string(reader);
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        return read_number(reader);
    }
    if (c != '{' && c != '[') {
        return c < 0 ? refuse(reader, "a value is missing") : read_word(reader);
    }
    if (reader->depth == reader->depth_max) {
        return error_set(reader->error, TOO_LARGE, "JSON text is nested deeper than %u", reader->depth_max);
    }
    reader->containers[reader->depth++] = (struct container){.opened = reader->out->size, .is_map = c == '{'};
    reader->at++;
    return put(reader, c == '{' ? 0xDF : 0xDD, 0, 4) ? OK : no_memory(reader);
}

static enum status read_key(struct reader *reader) {
    skip_space(reader);
    if (peek(reader) != '"') {
        return refuse(reader, "a key is expected");
    }
    enum status status = read_string(reader);
    if (status != OK) {
        return status;
    }
    skip_space(reader);
    if (peek(reader) != ':') {
        return refuse(reader, "':' is expected");
    }
    reader->at++;
    return OK;
}

/* Closes the containers that end here, and reads what stands before the next element. Sets *ret_done at the end. */
static enum status read_between(struct reader *reader, bool *ret_done) {
    while (reader->depth > 0) {
        struct container *container = &reader->containers[reader->depth - 1];
        bool is_fresh = container->count == 0;
        skip_space(reader);
        int c = peek(reader);
        if (c == (container->is_map ? '}' : ']')) {
            /* A comma before the bracket was refused as a missing key or value. */
            reader->at++;
            patch(reader, container->opened, container->count);
            reader->depth--;
            continue;
        }
        if (!is_fresh) {
            if (c != ',') {
                return refuse(reader, container->is_map ? "',' or '}' is expected" : "',' or ']' is expected");
            }
            reader->at++;
        }
        container->count++;
        return container->is_map ? read_key(reader) : OK;
    }
    *ret_done = true;
    return OK;
}

static enum status read_document(struct reader *reader) {
    bool done = false;
    while (!done) {
        skip_space(reader);
        enum status status = read_value(reader);
        if (status == OK) {
            status = read_between(reader, &done);
        }
        if (status != OK) {
            return status;
        }
    }
    skip_space(reader);
    return reader->at == reader->text.size ? OK : refuse(reader, "nothing may follow the value");
}

enum status json_text_convert(struct bytes text, uint32_t depth_max, struct buffer *ret, struct error *error) {
    struct reader reader = {
        .text = text, .out = ret, .error = error, .depth_max = depth_max < DEPTH_LIMIT ? depth_max : DEPTH_LIMIT};
    if (!wire_utf8_valid(text)) {
        return error_set(error, INVALID, "JSON text is no valid UTF-8");
    }
    if (text.size > UINT32_MAX / 8) {
        return error_set(error, TOO_LARGE, "JSON text is %zu bytes, which is more than a schema can be", text.size);
    }
    return read_document(&reader);
}
