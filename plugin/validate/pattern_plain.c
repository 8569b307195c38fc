/* pattern_plain.c: patterns that are really a literal, a prefix, a suffix or a length. */
#include "validate/pattern_engine.h"
#include "validate/pattern_utf8.h"

#include <stdlib.h>

enum plain_kind { PLAIN_LITERAL, PLAIN_RUN };

struct pattern_plain {
    enum plain_kind kind;
    bool at_start;
    bool at_end;
    uint32_t min; /* of a run: characters */
    uint32_t max;
    uint32_t count;  /* of a literal: bytes; of a run: ranges of the set */
    bool ascii[256]; /* of a run: the set, by bytes that are characters; never those above 127 */
    size_t memory;
    union {
        struct pattern_range ranges[1];
        uint8_t literal[1];
    } tail; /* as long as it takes */
};

/* The pattern as a list of its parts: a sequence's children, or itself. */
struct parts {
    const struct pattern_tree *tree;
    uint32_t first;
    bool alone;
};

static uint32_t next_part(const struct parts *parts, uint32_t part) {
    return parts->alone ? PATTERN_NONE : parts->tree->nodes[part].next;
}

/* Is it a set of one character? */
static bool is_character(const struct pattern_tree *tree, uint32_t node, uint32_t *ret_code_point) {
    const struct pattern_node *at = &tree->nodes[node];
    if (at->kind != PATTERN_SET || tree->sets.items[at->value].range_count != 1) {
        return false;
    }
    const struct pattern_range *range = &tree->sets.ranges.items[tree->sets.items[at->value].first_range];
    *ret_code_point = range->first;
    return range->first == range->last;
}

static struct pattern_plain *new_plain(enum plain_kind kind, size_t tail_size, struct error *error) {
    size_t memory = sizeof(struct pattern_plain) + tail_size;
    struct pattern_plain *plain = calloc(1, memory);
    if (plain == NULL) {
        error_set(error, NO_MEMORY, "no memory for a pattern of %zu bytes", memory);
        return NULL;
    }
    plain->kind = kind;
    plain->memory = memory;
    return plain;
}

static enum status compile_literal(const struct parts *parts, uint32_t first, uint32_t end,
                                   struct pattern_plain **ret_plain, struct error *error) {
    size_t size = 0;
    for (uint32_t part = first; part != end; part = next_part(parts, part)) {
        size += 4;
    }
    struct pattern_plain *plain = new_plain(PLAIN_LITERAL, size, error);
    if (plain == NULL) {
        return NO_MEMORY;
    }
    uint8_t *literal = plain->tail.literal;
    for (uint32_t part = first; part != end; part = next_part(parts, part)) {
        uint32_t code_point = 0;
        if (is_character(parts->tree, part, &code_point)) {
            plain->count += utf8_encode(code_point, literal + plain->count);
        }
    }
    *ret_plain = plain;
    return OK;
}

static enum status compile_run(const struct pattern_tree *tree, uint32_t repeat, struct pattern_plain **ret_plain,
                               struct error *error) {
    const struct pattern_node *node = &tree->nodes[repeat];
    const struct pattern_set *set = &tree->sets.items[tree->nodes[node->child].value];
    size_t size = set->range_count * sizeof(struct pattern_range);
    struct pattern_plain *plain = new_plain(PLAIN_RUN, size, error);
    if (plain == NULL) {
        return NO_MEMORY;
    }
    plain->min = node->min;
    plain->max = node->max;
    plain->count = set->range_count;
    struct pattern_range *ranges = plain->tail.ranges;
    if (size > 0) {
        memcpy(ranges, tree->sets.ranges.items + set->first_range, size);
    }
    for (uint32_t i = 0; i < 128; i++) {
        plain->ascii[i] = pattern_set_contains(set, tree->sets.ranges.items, i);
    }
    *ret_plain = plain;
    return OK;
}

enum status pattern_plain_compile(const struct pattern_tree *tree, struct pattern_plain **ret_plain,
                                  struct error *error) {
    const struct pattern_node *root = &tree->nodes[tree->root];
    const struct parts parts = {
        .tree = tree,
        .first = root->kind == PATTERN_SEQUENCE ? root->child : tree->root,
        .alone = root->kind != PATTERN_SEQUENCE,
    };
    struct pattern_plain *plain = NULL;
    uint32_t part = parts.first;
    bool at_start = tree->nodes[part].kind == PATTERN_START;
    part = at_start ? next_part(&parts, part) : part;
    uint32_t first = part;
    uint32_t code_point;
    while (part != PATTERN_NONE && is_character(tree, part, &code_point)) {
        part = next_part(&parts, part);
    }
    bool is_run = at_start && part == first && part != PATTERN_NONE && tree->nodes[part].kind == PATTERN_REPEAT &&
                  tree->nodes[tree->nodes[part].child].kind == PATTERN_SET;
    uint32_t end = is_run ? next_part(&parts, part) : part;
    bool at_end = end != PATTERN_NONE && tree->nodes[end].kind == PATTERN_END;
    if ((end != PATTERN_NONE && !at_end) || (at_end && next_part(&parts, end) != PATTERN_NONE)) {
        return OK; /* more than that */
    }
    enum status status =
        is_run ? compile_run(tree, part, &plain, error) : compile_literal(&parts, first, end, &plain, error);
    if (status == OK) {
        plain->at_start = at_start;
        plain->at_end = at_end;
        *ret_plain = plain;
    }
    return status;
}

static enum pattern_verdict search_literal(const struct pattern_plain *plain, struct bytes text) {
    size_t size = plain->count;
    const uint8_t *literal = plain->tail.literal;
    bool found;
    if (size > text.size || (plain->at_start && plain->at_end && size != text.size)) {
        return PATTERN_NO;
    }
    if (size == 0) {
        found = true; /* and of "^$" the size was compared */
    } else if (plain->at_start) {
        found = memcmp(text.data, literal, size) == 0;
    } else if (plain->at_end) {
        found = memcmp(text.data + text.size - size, literal, size) == 0;
    } else {
        found = memmem(text.data, text.size, literal, size) != NULL;
    }
    return found ? PATTERN_YES : PATTERN_NO;
}

static enum pattern_verdict search_run(const struct pattern_plain *plain, struct bytes text) {
    const uint8_t *at = text.data;
    const uint8_t *end = text.data + text.size;
    uint64_t count = 0;
    uint64_t enough = plain->at_end ? UINT64_MAX : plain->min;
    while (at < end && count < enough) {
        const uint8_t *first = at;
        const uint8_t *last = (uint64_t)(end - at) <= enough - count ? end : at + (enough - count);
        while (at < last && plain->ascii[*at]) {
            at++;
        }
        count += (uint64_t)(at - first);
        if (at == last) {
            continue;
        }
        uint32_t code_point;
        uint32_t size = utf8_decode(at, end, &code_point);
        if (size == 0) {
            return PATTERN_LIMIT;
        }
        if (size == 1 || !pattern_ranges_contain(plain->tail.ranges, plain->count, code_point)) {
            break;
        }
        at += size;
        count++;
    }
    bool fits = count >= plain->min && (!plain->at_end || (at == end && count <= plain->max));
    return fits ? PATTERN_YES : PATTERN_NO;
}

enum pattern_verdict pattern_plain_search(const struct pattern_plain *plain, struct bytes text) {
    return plain->kind == PLAIN_LITERAL ? search_literal(plain, text) : search_run(plain, text);
}

size_t pattern_plain_memory(const struct pattern_plain *plain) {
    return plain->memory;
}
