/* uri.c: RFC 3986, section 5.2: resolving a reference against a base. */
#include "validate/uri.h"

#include <ctype.h>

struct uri {
    struct bytes scheme;
    struct bytes authority;
    struct bytes path; /* never absent */
    struct bytes query;
};

static struct bytes part(struct bytes text, size_t from, size_t to) {
    return (struct bytes){.data = text.data + from, .size = to - from};
}

static size_t find_any(struct bytes text, size_t from, const char *stops) {
    while (from < text.size && (text.data[from] == '\0' || strchr(stops, text.data[from]) == NULL)) {
        from++;
    }
    return from;
}

void uri_split(struct bytes uri, struct bytes *ret_resource, struct bytes *ret_fragment) {
    size_t hash = find_any(uri, 0, "#");
    *ret_resource = part(uri, 0, hash);
    *ret_fragment = hash < uri.size ? part(uri, hash + 1, uri.size) : (struct bytes){0};
}

static struct uri parse(struct bytes text) {
    struct uri uri = {0};
    size_t at = 0;
    size_t colon = find_any(text, 0, ":/?");
    if (colon > 0 && colon < text.size && text.data[colon] == ':' && isalpha(text.data[0])) {
        uri.scheme = part(text, 0, colon);
        at = colon + 1;
    }
    if (text.size - at >= 2 && text.data[at] == '/' && text.data[at + 1] == '/') {
        size_t end = find_any(text, at + 2, "/?");
        uri.authority = part(text, at + 2, end);
        at = end;
    }
    size_t query = find_any(text, at, "?");
    uri.path = part(text, at, query);
    if (query < text.size) {
        uri.query = part(text, query + 1, text.size);
    }
    return uri;
}

/* Section 5.2.4, in place. */
static size_t remove_dot_segments(uint8_t *path, size_t size) {
    size_t out = 0;
    size_t at = 0;
    while (at < size) {
        size_t end = at + 1;
        while (end < size && path[end] != '/') {
            end++;
        }
        size_t length = end - at;
        bool is_last = end == size;
        bool is_dot = length == 2 && path[at] == '/' && path[at + 1] == '.';
        bool is_up = length == 3 && path[at] == '/' && path[at + 1] == '.' && path[at + 2] == '.';
        if (is_up) {
            while (out > 0 && path[--out] != '/') {
            }
        }
        if (!is_dot && !is_up) {
            memmove(path + out, path + at, length);
            out += length;
        } else if (is_last) {
            path[out++] = '/';
        }
        at = end;
    }
    return out;
}

static bool append_path(struct bytes directory, struct bytes path, struct buffer *ret) {
    size_t start = ret->size;
    if (!buffer_append(ret, directory.data, directory.size) || !buffer_append(ret, path.data, path.size)) {
        return false;
    }
    if (ret->size > start && ret->data[start] == '/') {
        ret->size = start + remove_dot_segments(ret->data + start, ret->size - start);
    }
    return true;
}

static bool append_path_of(const struct uri *base, const struct uri *reference, struct buffer *ret) {
    if (reference->path.size > 0 && reference->path.data[0] == '/') {
        return append_path((struct bytes){0}, reference->path, ret);
    }
    if (bytes_present(base->authority) && base->path.size == 0) {
        return append_path(BYTES_LITERAL("/"), reference->path, ret);
    }
    size_t directory = base->path.size;
    while (directory > 0 && base->path.data[directory - 1] != '/') {
        directory--;
    }
    return append_path(part(base->path, 0, directory), reference->path, ret);
}

static bool append_scheme(struct bytes scheme, struct buffer *ret) {
    for (size_t i = 0; i < scheme.size; i++) {
        uint8_t letter = (uint8_t)tolower(scheme.data[i]);
        if (!buffer_append(ret, &letter, 1)) {
            return false;
        }
    }
    return !bytes_present(scheme) || buffer_append(ret, ":", 1);
}

static bool append_authority(struct bytes authority, struct buffer *ret) {
    return !bytes_present(authority) ||
           (buffer_append(ret, "//", 2) && buffer_append(ret, authority.data, authority.size));
}

static bool append_query(struct bytes query, struct buffer *ret) {
    return !bytes_present(query) || (buffer_append(ret, "?", 1) && buffer_append(ret, query.data, query.size));
}

bool uri_resolve(struct bytes base_text, struct bytes reference_text, struct buffer *ret) {
    struct uri base = parse(base_text);
    struct uri reference = parse(reference_text);
    if (bytes_present(reference.scheme)) {
        return append_scheme(reference.scheme, ret) && append_authority(reference.authority, ret) &&
               append_path((struct bytes){0}, reference.path, ret) && append_query(reference.query, ret);
    }
    if (!append_scheme(base.scheme, ret)) {
        return false;
    }
    if (bytes_present(reference.authority)) {
        return append_authority(reference.authority, ret) && append_path((struct bytes){0}, reference.path, ret) &&
               append_query(reference.query, ret);
    }
    if (!append_authority(base.authority, ret)) {
        return false;
    }
    if (reference.path.size == 0) {
        struct bytes query = bytes_present(reference.query) ? reference.query : base.query;
        return buffer_append(ret, base.path.data, base.path.size) && append_query(query, ret);
    }
    return append_path_of(&base, &reference, ret) && append_query(reference.query, ret);
}

static int hex_digit(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

bool uri_decode(struct bytes text, struct buffer *ret) {
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '%' && i + 2 < text.size && hex_digit(text.data[i + 1]) >= 0 && hex_digit(text.data[i + 2]) >= 0) {
            byte = (uint8_t)(hex_digit(text.data[i + 1]) << 4 | hex_digit(text.data[i + 2]));
            i += 2;
        }
        if (!buffer_append(ret, &byte, 1)) {
            return false;
        }
    }
    return true;
}

bool uri_append_token(struct bytes text, struct buffer *ret) {
    static const char HEX[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        char escaped[3] = {'%', HEX[c >> 4], HEX[c & 15]};
        bool fine = c == '~'   ? buffer_append(ret, "~0", 2)
                    : c == '/' ? buffer_append(ret, "~1", 2)
                    : isalnum(c) || (c > 0x20 && c < 0x7F && strchr("-._!$&'()*+,;=:@?", c) != NULL)
                        ? buffer_append(ret, &c, 1)
                        : buffer_append(ret, escaped, 3);
        if (!fine) {
            return false;
        }
    }
    return true;
}
