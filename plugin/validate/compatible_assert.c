/* compatible_assert.c: assertions about one value: what of the set implies them. */
#include "validate/compatible_prover.h"

#include "validate/format.h"
#include "validate/value.h"

#include <math.h>

enum { CANDIDATES_MAX = 10000 };

/* ---- numbers ---- */

/* The bound that integers have, where that is exact: above 4.5 is 5 and above, above 4 too. */
static struct number integer_bound(struct number bound, bool is_minimum, bool *exclusive) {
    static const double EXACT_MAX = 9007199254740992.0; /* 2^53 */
    if (bound.kind == NUMBER_DOUBLE && fabs(bound.as.d) < EXACT_MAX) {
        *exclusive = false;
        return number_from_double(is_minimum ? ceil(bound.as.d) : floor(bound.as.d));
    }
    if (bound.kind == NUMBER_INT && *exclusive && bound.as.i > INT64_MIN && bound.as.i < INT64_MAX) {
        *exclusive = false;
        bound.as.i += is_minimum ? 1 : -1;
    }
    return bound;
}

static bool prove_bound(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    enum keyword keyword = obligation->keyword;
    bool is_minimum = keyword == KEYWORD_MINIMUM || keyword == KEYWORD_EXCLUSIVE_MINIMUM;
    bool exclusive = keyword == KEYWORD_EXCLUSIVE_MINIMUM || keyword == KEYWORD_EXCLUSIVE_MAXIMUM;
    if (!(is_minimum ? facts->has_minimum : facts->has_maximum)) {
        return false;
    }
    struct number wanted = number_of(node_member(prover, obligation->reader, keyword));
    struct number known = is_minimum ? facts->minimum : facts->maximum;
    bool known_exclusive = is_minimum ? facts->minimum_exclusive : facts->maximum_exclusive;
    if ((facts->kinds & KIND_FRACTION) == 0) {
        wanted = integer_bound(wanted, is_minimum, &exclusive);
        known = integer_bound(known, is_minimum, &known_exclusive);
    }
    int order = number_compare(known, wanted);
    return order == (is_minimum ? 1 : -1) || (order == 0 && (known_exclusive || !exclusive));
}

static bool prove_multiple(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    struct decimal wanted =
        decimal_from_number(number_of(node_member(prover, obligation->reader, KEYWORD_MULTIPLE_OF)));
    struct number one = {.kind = NUMBER_INT, .as.i = 1};
    if ((facts->kinds & KIND_FRACTION) == 0 && decimal_is_multiple(decimal_from_number(one), wanted)) {
        return true;
    }
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (node_has(NODE(prover, part), KEYWORD_MULTIPLE_OF) &&
            decimal_is_multiple(decimal_from_number(number_of(node_member(prover, part, KEYWORD_MULTIPLE_OF))),
                                wanted)) {
            return true;
        }
    }
    return false;
}

/* ---- strings ---- */

static bool same_text(struct prover *prover, const struct facts *facts, const struct obligation *obligation,
                      bool (*counts)(const struct prover *, uint32_t)) {
    struct bytes wanted = value_text(node_member(prover, obligation->reader, obligation->keyword));
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (node_has(NODE(prover, part), obligation->keyword) && (counts == NULL || counts(prover, part)) &&
            bytes_equal(value_text(node_member(prover, part, obligation->keyword)), wanted)) {
            return true;
        }
    }
    return false;
}

static bool prove_pattern(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    static const char *const ALWAYS[] = {"", "^", "$", ".*", "^.*", ".*$", "(?:)"};
    struct bytes wanted = value_text(node_member(prover, obligation->reader, KEYWORD_PATTERN));
    for (size_t i = 0; i < sizeof ALWAYS / sizeof ALWAYS[0]; i++) {
        if (bytes_equal_string(wanted, ALWAYS[i])) {
            return true;
        }
    }
    return same_text(prover, facts, obligation, NULL);
}

/* ---- enumerations ---- */

static bool is_among(struct prover *prover, struct wire_value value, const struct obligation *obligation) {
    struct wire_value array = node_member(prover, obligation->reader, obligation->keyword);
    if (obligation->keyword == KEYWORD_CONST) {
        return value_equal(value, array, &prover->work) == VERDICT_YES;
    }
    struct wire_value choice = {array.document, array.index + 1};
    for (uint32_t left = value_item(array)->size; left > 0 && prover_spend(prover, 1); left--) {
        if (value_equal(value, choice, &prover->work) == VERDICT_YES) {
            return true;
        }
        choice = wire_value_next(choice);
    }
    return false;
}

/* Calls for each value of the set's `const` or `enum`; or of its kinds, where these are few. */
struct candidates {
    bool is_finite;
    struct wire_value at; /* of an enumeration */
    uint32_t left;
    uint32_t kinds; /* KIND_NULL, KIND_BOOLEAN: of those */
    uint32_t next;
};

static struct candidates candidates_of(struct prover *prover, const struct facts *facts) {
    struct candidates candidates = {0};
    if (facts->finite != NO_INDEX) {
        const struct node *node = NODE(prover, facts->finite);
        candidates.is_finite = true;
        candidates.left = 1;
        if (node_has(node, KEYWORD_CONST)) {
            candidates.at = node_member(prover, facts->finite, KEYWORD_CONST);
            return candidates;
        }
        struct wire_value array = node_member(prover, facts->finite, KEYWORD_ENUM);
        candidates.left = value_item(array)->size;
        candidates.at = (struct wire_value){array.document, array.index + 1};
    } else if ((facts->kinds & ~(uint32_t)(KIND_NULL | KIND_BOOLEAN)) == 0) {
        candidates.is_finite = true;
        candidates.kinds = facts->kinds;
    }
    return candidates;
}

static bool next_candidate(struct candidates *candidates, struct bytes *ret_raw, uint32_t *ret_kind) {
    static const uint8_t PLAIN[] = {0xC0, 0xC2, 0xC3}; /* null, false, true */
    if (candidates->left > 0) {
        *ret_raw = wire_value_raw(candidates->at);
        *ret_kind = kind_of_value(candidates->at);
        candidates->left--;
        candidates->at = candidates->left > 0 ? wire_value_next(candidates->at) : candidates->at;
        return true;
    }
    while (candidates->kinds != 0 && candidates->next < sizeof PLAIN) {
        uint32_t number = candidates->next++;
        uint32_t kind = number == 0 ? KIND_NULL : KIND_BOOLEAN;
        if ((candidates->kinds & kind) != 0) {
            *ret_raw = (struct bytes){&PLAIN[number], 1};
            *ret_kind = kind;
            return true;
        }
    }
    return false;
}

/* Is the value outside of the set? */
static bool is_excluded(struct prover *prover, const struct facts *facts, struct bytes raw, uint32_t kind) {
    bool excluded = (facts->kinds & kind) == 0;
    for (uint32_t i = 0; i < facts->set->count && !excluded; i++) {
        uint32_t node = facts->set->literals[i] >> LITERAL_BITS;
        uint32_t literal = facts->set->literals[i] & ((1u << LITERAL_BITS) - 1);
        if (literal == HOLDS || literal == FAILS) {
            excluded = node_accepts(prover, node, raw) == (literal == HOLDS ? VERDICT_NO : VERDICT_YES);
        }
    }
    return excluded;
}

bool prove_finite(struct prover *prover, const struct facts *facts, uint32_t reader, bool *ret_proved) {
    struct candidates candidates = candidates_of(prover, facts);
    struct bytes raw;
    uint32_t kind;
    bool decided = candidates.is_finite && candidates.left <= CANDIDATES_MAX;
    *ret_proved = decided;
    while (decided && *ret_proved && next_candidate(&candidates, &raw, &kind)) {
        enum verdict verdict = node_accepts(prover, reader, raw);
        if (verdict != VERDICT_YES && !is_excluded(prover, facts, raw, kind)) {
            decided = verdict == VERDICT_NO;
            *ret_proved = false;
        }
        decided = decided && prover_spend(prover, 1);
    }
    return decided;
}

bool finite_value(struct prover *prover, const struct facts *facts, uint32_t kinds, uint32_t number,
                  struct bytes *ret_raw) {
    for (uint32_t round = 0; round < 2; round++) {
        struct candidates candidates = candidates_of(prover, facts);
        struct bytes raw;
        uint32_t kind;
        uint32_t found = 0;
        while (facts->finite != NO_INDEX && candidates.left <= CANDIDATES_MAX && prover_spend(prover, 1) &&
               next_candidate(&candidates, &raw, &kind)) {
            if ((kinds & kind) != 0 && !is_excluded(prover, facts, raw, kind) && found++ == number) {
                *ret_raw = raw;
                return true;
            }
        }
        if (found == 0) {
            return false;
        }
        number %= found;
    }
    return false;
}

bool each_finite(struct prover *prover, const struct facts *facts, finite_visit visit, void *context) {
    struct candidates candidates = candidates_of(prover, facts);
    struct bytes raw;
    uint32_t kind;
    while (candidates.left <= CANDIDATES_MAX && prover_spend(prover, 1) && next_candidate(&candidates, &raw, &kind)) {
        if (!is_excluded(prover, facts, raw, kind) && !visit(prover, raw, context)) {
            return false;
        }
    }
    return true;
}

/* Is each value that the set lists also listed by the goal? */
static bool prove_choices(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    if (facts->finite == NO_INDEX) {
        return false;
    }
    struct candidates candidates = candidates_of(prover, facts);
    struct bytes raw;
    uint32_t kind;
    do {
        struct wire_value value = candidates.at;
        if (candidates.left == 0 || !next_candidate(&candidates, &raw, &kind)) {
            return true;
        }
        if ((facts->kinds & kind) != 0 && !is_among(prover, value, obligation)) {
            return false;
        }
    } while (prover_spend(prover, 1));
    return false;
}

/* ---- counts ---- */

static bool prove_count(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    uint32_t wanted = count_of(node_member(prover, obligation->reader, obligation->keyword));
    return obligation->keyword == KEYWORD_MIN_LENGTH ? facts->length_min >= wanted : facts->length_max <= wanted;
}

bool prove_assertion(struct prover *prover, const struct facts *facts, const struct obligation *obligation) {
    switch ((int)obligation->keyword) {
    case KEYWORD_TYPE:
        return (facts->kinds & ~kinds_of_types(node_member(prover, obligation->reader, KEYWORD_TYPE))) == 0;
    case KEYWORD_ENUM:
    case KEYWORD_CONST:
        return prove_choices(prover, facts, obligation);
    case KEYWORD_MULTIPLE_OF:
        return prove_multiple(prover, facts, obligation);
    case KEYWORD_MINIMUM:
    case KEYWORD_MAXIMUM:
    case KEYWORD_EXCLUSIVE_MINIMUM:
    case KEYWORD_EXCLUSIVE_MAXIMUM:
        return prove_bound(prover, facts, obligation);
    case KEYWORD_MIN_LENGTH:
    case KEYWORD_MAX_LENGTH:
        return prove_count(prover, facts, obligation);
    case KEYWORD_PATTERN:
        return prove_pattern(prover, facts, obligation);
    case KEYWORD_FORMAT:
        return same_text(prover, facts, obligation, node_format_is_asserted);
    default:
        return false;
    }
}
