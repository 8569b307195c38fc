/* compatible_build.c: the smallest values that a set describes: which alternative, which kind, scalars and arrays. */
#include "validate/compatible_witness.h"

#include "validate/value.h"

#include <math.h>

enum { BUILD_DEPTH_MAX = 24, BUILD_SPLITS_MAX = 8, STRING_LENGTH_MAX = 16384, ELEMENTS_MAX = 4096, STRETCH_MAX = 64 };

static const double EXACT_MAX = 9007199254740992.0; /* 2^53 */

/* ---- msgpack ---- */

static bool put_big(uint8_t head, uint64_t value, uint32_t size, struct buffer *ret) {
    uint8_t bytes[9] = {head};
    for (uint32_t i = 0; i < size; i++) {
        bytes[1 + i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    return buffer_append(ret, bytes, 1 + size);
}

bool put_head(uint8_t fix, uint8_t wide, uint32_t count, struct buffer *ret) {
    uint8_t small = (uint8_t)(fix | count);
    return count < 16 ? buffer_append(ret, &small, 1) : put_big(wide, count, 4, ret);
}

bool put_text(struct bytes text, struct buffer *ret) {
    uint8_t small = (uint8_t)(0xA0 | text.size);
    bool fine = text.size < 32 ? buffer_append(ret, &small, 1) : put_big(0xDB, text.size, 4, ret);
    return fine && buffer_append(ret, text.data, text.size);
}

static bool put_int(int64_t value, struct buffer *ret) {
    uint8_t small = (uint8_t)value;
    return value >= -32 && value < 128 ? buffer_append(ret, &small, 1) : put_big(0xD3, (uint64_t)value, 8, ret);
}

bool put_exact(struct number number, struct buffer *ret) {
    if (number.kind == NUMBER_INT) {
        return put_int(number.as.i, ret);
    }
    uint64_t bits;
    memcpy(&bits, &number.as, sizeof bits);
    return put_big(number.kind == NUMBER_UINT ? 0xCF : 0xCB, bits, 8, ret);
}

bool put_number(double number, struct buffer *ret) {
    return put_exact(number_from_double(number), ret);
}

/* ---- scalars ---- */

static double as_double(struct number number) {
    return number.kind == NUMBER_INT    ? (double)number.as.i
           : number.kind == NUMBER_UINT ? (double)number.as.u
                                        : number.as.d;
}

/* The multiple that the set demands; 0: none. */
static double step_of(struct prover *prover, const struct facts *facts) {
    double step = 0;
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (node_has(NODE(prover, part), KEYWORD_MULTIPLE_OF)) {
            double own = as_double(number_of(node_member(prover, part, KEYWORD_MULTIPLE_OF)));
            step = own > step ? own : step;
        }
    }
    return step;
}

/* k times the step, rounded as a reader of decimals would. */
static double multiple(double k, double step) {
    double inverse = nearbyint(1 / step);
    return step < 1 && fabs(1 / step - inverse) < 1e-9 ? k / inverse : k * step;
}

static bool build_number(struct prover *prover, const struct facts *facts, bool is_integer, struct plan plan,
                         struct buffer *ret) {
    double step = step_of(prover, facts);
    double low = facts->has_minimum ? as_double(facts->minimum) : -EXACT_MAX;
    double high = facts->has_maximum ? as_double(facts->maximum) : EXACT_MAX;
    if (is_integer && step == 0 && facts->has_minimum && facts->minimum.kind == NUMBER_INT && plan.salt == 0 &&
        !facts->minimum_exclusive && fabs(low) > EXACT_MAX) {
        return put_exact(facts->minimum, ret); /* beyond what doubles count by ones */
    }
    double start = low > 0 || high < 0 ? (low > 0 ? low : high) : 0;
    double direction = low > 0 || high >= 0 ? 1 : -1;
    step = step == 0 ? (is_integer ? 1 : 0.5) : step;
    double k = direction > 0 ? ceil(start / step) : floor(start / step);
    uint32_t skip = plan.salt;
    double value = start;
    for (uint32_t tries = 0; tries < 64; tries++, k += direction) {
        value = multiple(k, step);
        bool inside = (value > low || (value == low && !facts->minimum_exclusive)) &&
                      (value < high || (value == high && !facts->maximum_exclusive));
        if (inside && (floor(value) == value) == is_integer && skip-- == 0) {
            return put_number(value, ret);
        }
    }
    /* Between narrow bounds: their middle. */
    value = facts->has_minimum && facts->has_maximum ? (low + high) / 2 : value;
    return (floor(value) == value) == is_integer && put_number(value, ret);
}

static bool put_sampled(struct bytes pattern, uint32_t length, struct buffer *ret) {
    CLEANUP(buffer_done) struct buffer text = {0};
    for (uint32_t stretch = 0; stretch <= STRETCH_MAX; stretch = stretch < 4 ? stretch + 1 : 2 * stretch) {
        text.size = 0;
        if (!sample_pattern(pattern, stretch, &text)) {
            return false;
        }
        if (text_length(buffer_view(&text)) >= length) {
            break;
        }
    }
    bool open = pattern.size == 0 || pattern.data[pattern.size - 1] != '$';
    for (size_t now = text_length(buffer_view(&text)); open && now < length; now++) {
        if (!buffer_append(&text, "a", 1)) {
            return false;
        }
    }
    return put_text(text.data != NULL ? buffer_view(&text) : BYTES_LITERAL(""), ret);
}

static bool build_string(struct prover *prover, const struct facts *facts, struct plan plan, struct buffer *ret) {
    uint32_t length = plan.has_length ? plan.length : facts->length_min;
    if (length > STRING_LENGTH_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (node_has(NODE(prover, part), KEYWORD_PATTERN)) {
            return put_sampled(value_text(node_member(prover, part, KEYWORD_PATTERN)), length, ret);
        }
        if (node_has(NODE(prover, part), KEYWORD_FORMAT)) {
            struct bytes text = sample_format(value_text(node_member(prover, part, KEYWORD_FORMAT)));
            return bytes_present(text) && put_text(text, ret);
        }
    }
    CLEANUP(buffer_done) struct buffer text = {0};
    if (length == 0 && facts->length_max > 0 && !plan.has_length && plan.salt + plan.variant > 0) {
        length = 1;
    }
    uint32_t salt = plan.salt;
    for (uint32_t i = 0; i < length || (salt > 0 && length < facts->length_max && i < length + 3); i++) {
        uint8_t c = (uint8_t)('a' + salt % 26);
        salt /= 26;
        if (!buffer_append(&text, &c, 1)) {
            return false;
        }
    }
    return put_text(text.data != NULL ? buffer_view(&text) : BYTES_LITERAL(""), ret);
}

/* ---- arrays ---- */

/* How many of the first elements have to match `contains`; the node of it. */
static uint32_t contained(struct prover *prover, const struct facts *facts, uint32_t *ret_node) {
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        const struct node node = *NODE(prover, part);
        if (node_has(&node, KEYWORD_CONTAINS)) {
            *ret_node = node_child(prover, part, node.members[KEYWORD_CONTAINS]);
            return node_has(&node, KEYWORD_MIN_CONTAINS) ? count_of(node_member(prover, part, KEYWORD_MIN_CONTAINS))
                                                         : 1;
        }
    }
    return 0;
}

static bool open_array(struct prover *prover, struct making *making, struct buffer *ret) {
    const struct plan *plan = &making->plan;
    making->matching = contained(prover, &making->facts, &making->contains);
    uint32_t count = making->facts.items_min;
    count = plan->has_count && plan->count > count ? plan->count : count;
    count = plan->has_member && plan->index >= count ? plan->index + 1 : count;
    making->count = count;
    return count <= ELEMENTS_MAX && put_head(0x90, 0xDD, count, ret);
}

/* As next_member(). */
static void next_element(struct prover *prover, struct making *making, bool *ret_given, struct set *ret) {
    const struct plan *plan = &making->plan;
    *ret_given = plan->has_member && plan->index == making->index && bytes_present(plan->value);
    if (*ret_given) {
        return;
    }
    facts_of_index(prover, &making->facts, making->index, ret);
    if (making->matching > 0) {
        set_add(ret, making->contains, HOLDS);
        making->matching--;
    }
}

/* ---- values ---- */

/* Which alternative is taken: the first from the variant on that leaves a kind. */
static bool choose_cases(struct prover *prover, struct set *set, struct plan *plan, struct facts *facts) {
    for (uint32_t splits = 0; splits <= BUILD_SPLITS_MAX; splits++) {
        facts_read(prover, set, facts);
        struct split split = facts_split(prover, facts);
        if ((facts->kinds & plan->kinds) == 0) {
            facts_done(prover, facts);
            return false;
        }
        if (split.count == 0) {
            return true;
        }
        facts_done(prover, facts);
        uint32_t first = plan->variant % split.count;
        plan->variant /= split.count;
        bool found = false;
        for (uint32_t i = 0; i < split.count && !found && prover_spend(prover, 2); i++) {
            struct set with;
            split_case(prover, set, &split, (first + i) % split.count, &with);
            facts_read(prover, &with, facts);
            found = (facts->kinds & plan->kinds) != 0;
            facts_done(prover, facts);
            *set = found ? with : *set;
        }
        if (!found) {
            return false;
        }
    }
    return false;
}

static uint32_t choose_kind(uint32_t kinds, uint32_t *variant) {
    static const uint32_t ORDER[] = {KIND_STRING,  KIND_INTEGER, KIND_OBJECT,  KIND_ARRAY,
                                     KIND_BOOLEAN, KIND_NULL,    KIND_FRACTION};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof ORDER / sizeof ORDER[0]; i++) {
        count += (kinds & ORDER[i]) != 0;
    }
    uint32_t wanted = count > 0 ? *variant % count : 0;
    *variant /= count > 0 ? count : 1;
    for (size_t i = 0; i < sizeof ORDER / sizeof ORDER[0]; i++) {
        if ((kinds & ORDER[i]) != 0 && wanted-- == 0) {
            return ORDER[i];
        }
    }
    return 0;
}

/* A value that holds no others is put, others are begun: *ret_open. */
static bool begin_value(struct prover *prover, struct making *making, struct buffer *ret, bool *ret_open) {
    static const uint8_t PLAIN[] = {0xC0, 0xC2, 0xC3};
    struct plan *plan = &making->plan;
    const struct facts *facts = &making->facts;
    struct bytes listed;
    *ret_open = false;
    if (ret->size > COMPATIBLE_WITNESS_SIZE_MAX || !prover_spend(prover, 4) ||
        !choose_cases(prover, &making->set, plan, &making->facts)) {
        return false;
    }
    if (!plan->has_member && finite_value(prover, facts, plan->kinds, plan->variant + plan->salt, &listed)) {
        return buffer_append(ret, listed.data, listed.size);
    }
    switch (choose_kind(facts->kinds & plan->kinds, &plan->variant)) {
    case KIND_NULL:
        return buffer_append(ret, &PLAIN[0], 1);
    case KIND_BOOLEAN:
        return buffer_append(ret, &PLAIN[1 + (plan->variant + plan->salt) % 2], 1);
    case KIND_INTEGER:
        return build_number(prover, facts, true, *plan, ret);
    case KIND_FRACTION:
        return build_number(prover, facts, false, *plan, ret);
    case KIND_STRING:
        return build_string(prover, facts, *plan, ret);
    case KIND_ARRAY:
        *ret_open = true;
        return open_array(prover, making, ret);
    case KIND_OBJECT:
        *ret_open = true;
        return open_object(prover, making, ret);
    default:
        return false;
    }
}

/* How the next element or member is made: alike, but for what must differ. */
static struct plan plan_within(const struct making *making) {
    const struct plan *plan = &making->plan;
    struct plan own = {.kinds = UINT32_MAX, .variant = plan->variant};
    if (making->is_object) {
        own.salt = making->index == 0 ? plan->salt : 0;
    } else if (!plan->alike && making->facts.unique) {
        own.salt = making->index + plan->salt;
    }
    return own;
}

/* The next one to be made in the innermost of what is open; what is complete is closed. False: all are (*depth is 0),
 * or something failed. */
static bool next_value(struct prover *prover, struct making *values, uint32_t *depth, struct set *ret,
                       struct plan *ret_plan, struct buffer *buffer) {
    while (*depth > 0) {
        struct making *it = &values[*depth - 1];
        bool given = false;
        if (it->index == it->count) {
            prover->parts.count = it->parts;
            prover->names.count = it->names;
            --*depth;
            continue;
        }
        if (!it->is_object) {
            next_element(prover, it, &given, ret);
        } else if (!next_member(prover, it, buffer, &given, ret)) {
            return false;
        }
        *ret_plan = plan_within(it);
        it->index++;
        if (!given) {
            return true;
        }
        if (!buffer_append(buffer, it->plan.value.data, it->plan.value.size)) {
            return false;
        }
    }
    return false;
}

static bool make_value(struct prover *prover, const struct set *set, struct plan plan, struct buffer *ret) {
    struct making values[BUILD_DEPTH_MAX + 1]; /* within each other */
    struct set within = *set;
    uint32_t depth = 0;
    do {
        if (depth > BUILD_DEPTH_MAX) {
            return false;
        }
        struct making *it = &values[depth];
        bool opened = false;
        *it = (struct making){.set = within, .plan = plan, .parts = prover->parts.count, .names = prover->names.count};
        if (!begin_value(prover, it, ret, &opened)) {
            return false;
        }
        depth += opened ? 1 : 0;
        prover->parts.count = opened ? prover->parts.count : it->parts;
    } while (next_value(prover, values, &depth, &within, &plan, ret));
    return depth == 0;
}

bool build_value(struct prover *prover, const struct set *set, struct plan plan, struct buffer *ret) {
    uint32_t parts = prover->parts.count;
    uint32_t names = prover->names.count;
    size_t before = ret->size;
    bool made = make_value(prover, set, plan, ret);
    prover->parts.count = parts;
    prover->names.count = names;
    ret->size = made ? ret->size : before;
    return made;
}
