/* compatible_sample.c: texts that a pattern matches, and texts of each format. A guess: what it makes is run before it
 * is believed. */
#include "validate/compatible_witness.h"

enum { SAMPLE_DEPTH_MAX = 16, SAMPLE_SIZE_MAX = 4096, CLASS_RANGES_MAX = 32 };

struct sampler {
    struct bytes pattern;
    size_t at;
    uint32_t stretch;
    bool fine;
    struct buffer *ret;
};

/* A group that is being read, or the whole pattern. */
struct sample_group {
    size_t before; /* what there was of the text when it began */
    size_t first;  /* and when its first alternative ended */
    bool has_first;
    bool looks_around;
};

static bool more(const struct sampler *sampler) {
    return sampler->fine && sampler->at < sampler->pattern.size;
}

static uint8_t peek(const struct sampler *sampler) {
    return more(sampler) ? sampler->pattern.data[sampler->at] : 0;
}

static bool take(struct sampler *sampler, uint8_t c) {
    bool taken = more(sampler) && peek(sampler) == c;
    sampler->at += taken;
    return taken;
}

static void emit(struct sampler *sampler, uint32_t point) {
    uint8_t text[4];
    size_t size = 0;
    if (point < 0x80) {
        text[size++] = (uint8_t)point;
    } else if (point < 0x800) {
        text[size++] = (uint8_t)(0xC0 | point >> 6);
        text[size++] = (uint8_t)(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        text[size++] = (uint8_t)(0xE0 | point >> 12);
        text[size++] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        text[size++] = (uint8_t)(0x80 | (point & 0x3F));
    } else {
        text[size++] = (uint8_t)(0xF0 | point >> 18);
        text[size++] = (uint8_t)(0x80 | (point >> 12 & 0x3F));
        text[size++] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
        text[size++] = (uint8_t)(0x80 | (point & 0x3F));
    }
    sampler->fine = sampler->fine && sampler->ret->size < SAMPLE_SIZE_MAX && buffer_append(sampler->ret, text, size);
}

static uint32_t take_point(struct sampler *sampler) {
    uint8_t first = peek(sampler);
    uint32_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t point = first < 0x80 ? first : first & (0xFFu >> (length + 1));
    sampler->at++;
    for (uint32_t i = 1; i < length && more(sampler); i++) {
        point = point << 6 | (peek(sampler) & 0x3F);
        sampler->at++;
    }
    return point;
}

static uint32_t take_hex(struct sampler *sampler, uint32_t digits) {
    uint32_t value = 0;
    bool braced = take(sampler, '{');
    for (uint32_t i = 0; more(sampler) && (braced ? peek(sampler) != '}' : i < digits) && value < 0x110000; i++) {
        uint8_t c = peek(sampler);
        uint32_t digit = (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        value = value * 16 + (digit & 15);
        sampler->at++;
    }
    (void)(braced && take(sampler, '}'));
    return value;
}

/* A character of the class or the character itself. 0: nothing to emit. */
static uint32_t take_escape(struct sampler *sampler) {
    uint8_t c = peek(sampler);
    sampler->at++;
    switch (c) {
    case 'd':
        return '0';
    case 'w':
    case 'D':
    case 'S':
        return 'a';
    case 's':
        return ' ';
    case 'W':
        return '-';
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'f':
        return '\f';
    case 'v':
        return '\v';
    case 'b':
    case 'B':
        return 0;
    case 'x':
        return take_hex(sampler, 2);
    case 'u':
        return take_hex(sampler, 4);
    case 'p':
    case 'P': {
        bool upper = false;
        bool digit = false;
        if (take(sampler, '{')) {
            upper = peek(sampler) == 'L' && sampler->at + 1 < sampler->pattern.size &&
                    sampler->pattern.data[sampler->at + 1] == 'u';
            digit = peek(sampler) == 'N';
            while (more(sampler) && !take(sampler, '}')) {
                sampler->at++;
            }
        }
        return c == 'P' ? '-' : upper ? 'A' : digit ? '0' : 'a';
    }
    default:
        sampler->fine = sampler->fine && !(c >= '0' && c <= '9') && c != 'k'; /* backreferences */
        return c;
    }
}

static void take_class(struct sampler *sampler) {
    uint32_t ranges[CLASS_RANGES_MAX][2];
    uint32_t count = 0;
    bool negated = take(sampler, '^');
    while (more(sampler) && !take(sampler, ']')) {
        uint32_t from = take(sampler, '\\') ? take_escape(sampler) : take_point(sampler);
        uint32_t to = from;
        if (peek(sampler) == '-' && sampler->at + 1 < sampler->pattern.size &&
            sampler->pattern.data[sampler->at + 1] != ']') {
            sampler->at++;
            to = take(sampler, '\\') ? take_escape(sampler) : take_point(sampler);
        }
        if (count < CLASS_RANGES_MAX) {
            ranges[count][0] = from;
            ranges[count++][1] = to;
        }
    }
    static const char CHOICES[] = "aA0-_ !~";
    uint32_t chosen = count > 0 ? ranges[0][0] : 'a';
    for (size_t i = 0; negated && i < sizeof CHOICES - 1; i++) {
        bool inside = false;
        for (uint32_t k = 0; k < count; k++) {
            inside = inside || ((uint8_t)CHOICES[i] >= ranges[k][0] && (uint8_t)CHOICES[i] <= ranges[k][1]);
        }
        chosen = (uint8_t)CHOICES[i];
        if (!inside) {
            break;
        }
    }
    emit(sampler, chosen);
}

/* Behind a '('. */
static struct sample_group take_group(struct sampler *sampler) {
    struct sample_group group = {.before = sampler->ret->size};
    if (take(sampler, '?')) {
        if (take(sampler, '<')) {
            group.looks_around = take(sampler, '=') || take(sampler, '!');
            while (!group.looks_around && more(sampler) && !take(sampler, '>')) {
                sampler->at++;
            }
        } else {
            group.looks_around = take(sampler, '=') || take(sampler, '!') || !take(sampler, ':');
        }
    }
    return group;
}

/* How often the last element comes; the least that is allowed, and a bit more where it may. */
static uint32_t take_repeat(struct sampler *sampler) {
    uint32_t count = 1;
    if (take(sampler, '*')) {
        count = sampler->stretch;
    } else if (take(sampler, '+')) {
        count = 1 + sampler->stretch;
    } else if (take(sampler, '?')) {
        count = sampler->stretch > 0;
    } else if (take(sampler, '{')) {
        uint32_t bounds[2] = {0, 0};
        bool ranged = false;
        bool has_upper = false;
        while (more(sampler) && !take(sampler, '}')) {
            uint8_t c = peek(sampler);
            sampler->at++;
            if (c == ',') {
                ranged = true;
            } else {
                has_upper = ranged;
                bounds[ranged] = bounds[ranged] * 10 + (uint32_t)(c - '0') % 10;
                bounds[ranged] %= 100000;
            }
        }
        count = bounds[0] + (ranged ? sampler->stretch : 0);
        count = has_upper && count > bounds[1] ? bounds[1] : count;
    } else {
        return 1;
    }
    (void)take(sampler, '?');
    return count;
}

/* The text from `before` on, as often as the pattern says next. */
static void repeat_element(struct sampler *sampler, size_t before) {
    size_t size = sampler->ret->size - before;
    uint32_t count = take_repeat(sampler);
    if (count == 0) {
        sampler->ret->size = before;
    }
    sampler->fine = sampler->fine && (uint64_t)size * count <= SAMPLE_SIZE_MAX && buffer_reserve(sampler->ret, size);
    for (; count > 1 && size > 0 && sampler->fine; count--) {
        sampler->fine =
            buffer_reserve(sampler->ret, size) && buffer_append(sampler->ret, sampler->ret->data + before, size);
    }
}

/* All but a group. */
static void take_element(struct sampler *sampler) {
    size_t before = sampler->ret->size;
    if (take(sampler, '^') || take(sampler, '$')) {
        return;
    }
    if (take(sampler, '[')) {
        take_class(sampler);
    } else if (take(sampler, '\\')) {
        uint32_t point = take_escape(sampler);
        if (point != 0) {
            emit(sampler, point);
        }
    } else {
        uint32_t point = take_point(sampler);
        emit(sampler, point == '.' ? 'a' : point);
    }
    repeat_element(sampler, before);
}

/* The first alternative will do. */
static void end_alternative(struct sampler *sampler, struct sample_group *group) {
    group->first = group->has_first ? group->first : sampler->ret->size;
    group->has_first = true;
    sampler->ret->size = group->first;
}

/* False: at a ')' that closes nothing, in a group that is not closed, or too deep. */
static bool take_alternatives(struct sampler *sampler) {
    struct sample_group groups[SAMPLE_DEPTH_MAX] = {{0}}; /* within each other: the first one is the pattern */
    uint32_t depth = 1;
    while (more(sampler)) {
        struct sample_group *group = &groups[depth - 1];
        if (take(sampler, '|')) {
            end_alternative(sampler, group);
        } else if (take(sampler, ')')) {
            end_alternative(sampler, group);
            sampler->ret->size = group->looks_around ? group->before : sampler->ret->size;
            sampler->fine = --depth > 0;
            repeat_element(sampler, group->before);
        } else if (take(sampler, '(')) {
            sampler->fine = depth < SAMPLE_DEPTH_MAX;
            if (sampler->fine) {
                groups[depth++] = take_group(sampler);
            }
        } else {
            take_element(sampler);
        }
    }
    end_alternative(sampler, &groups[0]);
    return sampler->fine && depth == 1;
}

bool sample_pattern(struct bytes pattern, uint32_t stretch, struct buffer *ret) {
    struct sampler sampler = {.pattern = pattern, .stretch = stretch, .fine = true, .ret = ret};
    size_t before = ret->size;
    if (!take_alternatives(&sampler)) {
        ret->size = before;
        return false;
    }
    return true;
}

struct bytes sample_format(struct bytes format) {
    static const char *const SAMPLES[][2] = {
        {"date-time", "2026-01-01T00:00:00Z"},
        {"date", "2026-01-01"},
        {"time", "00:00:00Z"},
        {"duration", "P1D"},
        {"email", "a@example.com"},
        {"idn-email", "a@example.com"},
        {"hostname", "example.com"},
        {"idn-hostname", "example.com"},
        {"ipv4", "127.0.0.1"},
        {"ipv6", "::1"},
        {"uri", "http://example.com/"},
        {"uri-reference", "a"},
        {"iri", "http://example.com/"},
        {"iri-reference", "a"},
        {"uri-template", "a"},
        {"uuid", "00000000-0000-4000-8000-000000000000"},
        {"json-pointer", "/a"},
        {"relative-json-pointer", "0"},
        {"regex", "a"},
    };
    for (size_t i = 0; i < sizeof SAMPLES / sizeof SAMPLES[0]; i++) {
        if (bytes_equal_string(format, SAMPLES[i][0])) {
            return bytes_from_string(SAMPLES[i][1]);
        }
    }
    return (struct bytes){0};
}
