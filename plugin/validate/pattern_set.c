/* pattern_set.c: sets of code points as ordered ranges. */
#include "validate/pattern_tree.h"
#include "validate/pattern_utf8.h"

#include <stdlib.h>

bool pattern_ranges_add(struct pattern_ranges *ranges, uint32_t first, uint32_t last) {
    if (ranges->count == ranges->capacity) {
        uint32_t capacity = ranges->capacity == 0 ? 16 : ranges->capacity * 2;
        struct pattern_range *items = realloc(ranges->items, capacity * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        ranges->items = items;
        ranges->capacity = capacity;
    }
    ranges->items[ranges->count++] = (struct pattern_range){first, last};
    return true;
}

void pattern_ranges_done(struct pattern_ranges *ranges) {
    free(ranges->items);
    *ranges = (struct pattern_ranges){0};
}

static int compare_ranges(const void *left, const void *right) {
    const struct pattern_range *a = left;
    const struct pattern_range *b = right;
    return (a->first > b->first) - (a->first < b->first);
}

void pattern_ranges_order(struct pattern_ranges *ranges) {
    uint32_t kept = 0;
    if (ranges->count > 1) {
        qsort(ranges->items, ranges->count, sizeof(*ranges->items), compare_ranges);
    }
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct pattern_range range = ranges->items[i];
        if (range.first >= SURROGATE_FIRST && range.first <= SURROGATE_LAST) {
            range.first = SURROGATE_LAST + 1;
        }
        if (range.last >= SURROGATE_FIRST && range.last <= SURROGATE_LAST) {
            range.last = SURROGATE_FIRST - 1;
        }
        if (range.first > range.last) {
            continue; /* surrogates only */
        }
        struct pattern_range *before = kept > 0 ? &ranges->items[kept - 1] : NULL;
        bool joins = before != NULL && (range.first <= before->last + 1 ||
                                        (before->last == SURROGATE_FIRST - 1 && range.first == SURROGATE_LAST + 1));
        if (!joins) {
            ranges->items[kept++] = range;
        } else if (range.last > before->last) {
            before->last = range.last;
        }
    }
    ranges->count = kept;
}

bool pattern_ranges_add_others(struct pattern_ranges *ranges, const struct pattern_range *other, uint32_t count) {
    uint32_t from = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (other[i].first > from && !pattern_ranges_add(ranges, from, other[i].first - 1)) {
            return false;
        }
        from = other[i].last + 1;
    }
    return from > CODE_POINT_MAX || pattern_ranges_add(ranges, from, CODE_POINT_MAX);
}

/* ECMA-262 22.2.2.9: digits and word characters are ASCII; space is WhiteSpace (U+FEFF and Zs) and LineTerminator. */
static const struct pattern_range DIGITS[] = {{'0', '9'}};
static const struct pattern_range WORDS[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct pattern_range SPACES[] = {{0x09, 0x0D},     {0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680},
                                              {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F},
                                              {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};
static const struct pattern_range LINE_ENDS[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

#define COUNT_OF(array) (uint32_t)(sizeof(array) / sizeof(*(array)))

bool pattern_ranges_add_escape(struct pattern_ranges *ranges, char letter) {
    const struct pattern_range *items = LINE_ENDS;
    uint32_t count = COUNT_OF(LINE_ENDS);
    bool negated = letter == 'D' || letter == 'W' || letter == 'S' || letter == '.';
    if (letter == 'd' || letter == 'D') {
        items = DIGITS;
        count = COUNT_OF(DIGITS);
    } else if (letter == 'w' || letter == 'W') {
        items = WORDS;
        count = COUNT_OF(WORDS);
    } else if (letter == 's' || letter == 'S') {
        items = SPACES;
        count = COUNT_OF(SPACES);
    }
    if (negated) {
        return pattern_ranges_add_others(ranges, items, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!pattern_ranges_add(ranges, items[i].first, items[i].last)) {
            return false;
        }
    }
    return true;
}

static uint32_t hash_ranges(const struct pattern_ranges *ranges) {
    uint32_t hash = 2166136261U;
    for (uint32_t i = 0; i < ranges->count; i++) {
        hash = (hash ^ ranges->items[i].first) * 16777619U;
        hash = (hash ^ ranges->items[i].last) * 16777619U;
    }
    return (hash ^ hash >> 15) & 255U;
}

static bool add_set(struct pattern_sets *sets, const struct pattern_ranges *ranges) {
    if (sets->count == sets->capacity) {
        uint32_t capacity = sets->capacity == 0 ? 16 : sets->capacity * 2;
        struct pattern_set *items = realloc(sets->items, capacity * sizeof(*items));
        if (items == NULL) {
            return false;
        }
        sets->items = items;
        sets->capacity = capacity;
    }
    struct pattern_set set = {.first_range = sets->ranges.count, .range_count = ranges->count};
    for (uint32_t i = 0; i < ranges->count; i++) {
        struct pattern_range range = ranges->items[i];
        if (!pattern_ranges_add(&sets->ranges, range.first, range.last)) {
            sets->ranges.count = set.first_range;
            return false;
        }
        for (uint32_t c = range.first; c <= range.last && c < 128; c++) {
            set.ascii[c >> 6] |= UINT64_C(1) << (c & 63);
        }
    }
    sets->items[sets->count++] = set;
    return true;
}

bool pattern_sets_keep(struct pattern_sets *sets, struct pattern_ranges *ranges, uint32_t *ret_set) {
    pattern_ranges_order(ranges);
    uint32_t bucket = hash_ranges(ranges);
    for (uint32_t i = sets->buckets[bucket]; i != 0; i = sets->items[i - 1].next) {
        const struct pattern_set *set = &sets->items[i - 1];
        if (set->range_count == ranges->count &&
            (ranges->count == 0 || memcmp(sets->ranges.items + set->first_range, ranges->items,
                                          ranges->count * sizeof(*ranges->items)) == 0)) {
            *ret_set = i - 1;
            return true;
        }
    }
    if (!add_set(sets, ranges)) {
        return false;
    }
    sets->items[sets->count - 1].next = sets->buckets[bucket];
    sets->buckets[bucket] = sets->count;
    *ret_set = sets->count - 1;
    return true;
}

void pattern_sets_done(struct pattern_sets *sets) {
    free(sets->items);
    pattern_ranges_done(&sets->ranges);
    *sets = (struct pattern_sets){0};
}
