/* compatible_set.c: sets of schemas that hold of one value, and what they say about it. */
#include "validate/compatible_prover.h"

#include "validate/value.h"

enum { CLOSURE_MAX = 1024, CASES_KNOWN_MAX = 8, REQUIRED_COUNTED_MAX = 64 };

/* ---- sets ---- */

void set_init(const struct prover *prover, struct set *set) {
    set->kinds = KIND_NULL | KIND_BOOLEAN | KIND_NUMBER | KIND_STRING | KIND_ARRAY | KIND_OBJECT;
    set->kinds |= prover->extended ? KIND_OTHER : 0;
    set->count = 0;
}

void set_add(struct set *set, uint32_t node, enum literal literal) {
    if (set->count == SET_MAX || (node == NODE_TRUE && literal == HOLDS)) {
        return;
    }
    uint32_t value = node << LITERAL_BITS | (uint32_t)literal;
    uint32_t at = set->count;
    while (at > 0 && set->literals[at - 1] > value) {
        at--;
    }
    if (at > 0 && set->literals[at - 1] == value) {
        return;
    }
    memmove(&set->literals[at + 1], &set->literals[at], (set->count - at) * sizeof set->literals[0]);
    set->literals[at] = value;
    set->count++;
}

bool set_has(const struct set *set, uint32_t node, enum literal literal) {
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->literals[i] == (node << LITERAL_BITS | (uint32_t)literal)) {
            return true;
        }
    }
    return false;
}

/* ---- kinds ---- */

static uint32_t kinds_of_type(struct wire_value type) {
    static const struct {
        const char *name;
        uint32_t kinds;
    } TYPES[] = {{"null", KIND_NULL},     {"boolean", KIND_BOOLEAN}, {"integer", KIND_INTEGER}, {"number", KIND_NUMBER},
                 {"string", KIND_STRING}, {"array", KIND_ARRAY},     {"object", KIND_OBJECT}};
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (wire_value_kind(type) == WIRE_STR && bytes_equal_string(value_text(type), TYPES[i].name)) {
            return TYPES[i].kinds;
        }
    }
    return 0;
}

uint32_t kinds_of_types(struct wire_value types) {
    if (wire_value_kind(types) != WIRE_ARRAY) {
        return kinds_of_type(types);
    }
    uint32_t kinds = 0;
    struct wire_value type = {types.document, types.index + 1};
    for (uint32_t left = value_item(types)->size; left > 0; left--) {
        kinds |= kinds_of_type(type);
        type = wire_value_next(type);
    }
    return kinds;
}

uint32_t kind_of_value(struct wire_value value) {
    unsigned types = value_types(value);
    if ((types & TYPE_NUMBER) != 0) {
        return (types & TYPE_INTEGER) != 0 ? KIND_INTEGER : KIND_FRACTION;
    }
    return types == 0                    ? KIND_OTHER
           : (types & TYPE_NULL) != 0    ? KIND_NULL
           : (types & TYPE_BOOLEAN) != 0 ? KIND_BOOLEAN
           : (types & TYPE_STRING) != 0  ? KIND_STRING
           : (types & TYPE_ARRAY) != 0   ? KIND_ARRAY
                                         : KIND_OBJECT;
}

/* ---- parts ---- */

static void push(struct prover *prover, uint32_t first, uint32_t node) {
    const uint32_t *parts = prover->parts.data;
    if (node == NODE_TRUE || !prover_spend(prover, 1 + (prover->parts.count - first) / 8)) {
        return;
    }
    for (uint32_t i = first; i < prover->parts.count; i++) {
        if (parts[i] == node) {
            return;
        }
    }
    if (!vector_append(&prover->parts, sizeof node, &node, 1)) {
        prover_no_memory(prover);
    }
}

static void push_array(struct prover *prover, uint32_t first, uint32_t node, enum keyword keyword) {
    if (!node_has(NODE(prover, node), keyword)) {
        return;
    }
    struct wire_value array = node_member(prover, node, keyword);
    struct wire_value branch = {array.document, array.index + 1};
    for (uint32_t left = value_item(array)->size; left > 0; left--) {
        push(prover, first, node_child(prover, node, branch.index));
        branch = wire_value_next(branch);
    }
}

static void push_one(struct prover *prover, uint32_t first, uint32_t node, enum keyword keyword) {
    if (node_has(NODE(prover, node), keyword)) {
        push(prover, first, node_child(prover, node, NODE(prover, node)->members[keyword]));
    }
}

static void push_map(struct prover *prover, uint32_t first, uint32_t node, enum keyword keyword) {
    if (!node_has(NODE(prover, node), keyword)) {
        return;
    }
    struct wire_value map = node_member(prover, node, keyword);
    struct wire_value name = {map.document, map.index + 1};
    for (uint32_t left = value_item(map)->size; left > 0; left--) {
        struct wire_value value = wire_value_next(name);
        if (wire_value_kind(value) != WIRE_ARRAY) {
            push(prover, first, node_child(prover, node, value.index));
        }
        name = wire_value_next(value);
    }
}

static void push_references(struct prover *prover, uint32_t first, uint32_t node, bool *ret_opaque) {
    static const enum keyword REFERENCES[] = {KEYWORD_REF, KEYWORD_DYNAMIC_REF};
    for (int i = 0; i < 2; i++) {
        if (!node_has(NODE(prover, node), REFERENCES[i])) {
            continue;
        }
        uint32_t target = node_target(prover, node, REFERENCES[i]);
        if (NODE(prover, node)->is_opaque && REFERENCES[i] == KEYWORD_DYNAMIC_REF) {
            *ret_opaque = true;
        } else {
            push(prover, first, target);
        }
    }
}

bool facts_closure(struct prover *prover, const struct set *set, uint32_t *ret_first, uint32_t *ret_count) {
    uint32_t first = prover->parts.count;
    bool opaque = false;
    for (uint32_t i = 0; i < set->count; i++) {
        if ((set->literals[i] & ((1u << LITERAL_BITS) - 1)) == HOLDS) {
            push(prover, first, set->literals[i] >> LITERAL_BITS);
        }
    }
    for (uint32_t i = first; i < prover->parts.count && prover->status == OK && i - first < CLOSURE_MAX; i++) {
        uint32_t node = *VECTOR_AT(prover->parts, uint32_t, i);
        push_references(prover, first, node, &opaque);
        static const enum keyword ARRAYS[] = {KEYWORD_ALL_OF, KEYWORD_ANY_OF, KEYWORD_ONE_OF};
        static const enum keyword ONES[] = {KEYWORD_IF, KEYWORD_THEN, KEYWORD_ELSE};
        for (int k = 0; k < 3; k++) {
            push_array(prover, first, node, ARRAYS[k]);
            push_one(prover, first, node, ONES[k]);
        }
        push_map(prover, first, node, KEYWORD_DEPENDENT_SCHEMAS);
        push_map(prover, first, node, KEYWORD_DEPENDENCIES);
    }
    *ret_first = first;
    *ret_count = prover->parts.count - first;
    return !opaque && *ret_count < CLOSURE_MAX && prover->work.limit == WORK_FINE && prover->status == OK;
}

/* ---- what a part says ---- */

static void raise(uint32_t *least, uint32_t value) {
    *least = *least < value ? value : *least;
}

static void lower(uint32_t *most, uint32_t value) {
    *most = *most > value ? value : *most;
}

static void read_bound(struct facts *facts, struct number number, bool is_minimum, bool exclusive) {
    bool *has = is_minimum ? &facts->has_minimum : &facts->has_maximum;
    bool *is_exclusive = is_minimum ? &facts->minimum_exclusive : &facts->maximum_exclusive;
    struct number *bound = is_minimum ? &facts->minimum : &facts->maximum;
    int order = *has ? number_compare(number, *bound) : 0;
    bool tighter = !*has || order == (is_minimum ? 1 : -1) || (order == 0 && exclusive);
    if (tighter) {
        *has = true;
        *bound = number;
        *is_exclusive = exclusive;
    }
}

static void read_bounds(struct prover *prover, uint32_t part, struct facts *facts) {
    static const struct {
        enum keyword keyword;
        bool is_minimum, exclusive;
    } BOUNDS[] = {{KEYWORD_MINIMUM, true, false},
                  {KEYWORD_EXCLUSIVE_MINIMUM, true, true},
                  {KEYWORD_MAXIMUM, false, false},
                  {KEYWORD_EXCLUSIVE_MAXIMUM, false, true}};
    for (size_t i = 0; i < sizeof BOUNDS / sizeof BOUNDS[0]; i++) {
        if (node_has(NODE(prover, part), BOUNDS[i].keyword)) {
            struct number number = number_of(node_member(prover, part, BOUNDS[i].keyword));
            read_bound(facts, number, BOUNDS[i].is_minimum, BOUNDS[i].exclusive);
        }
    }
}

static void read_counts(struct prover *prover, uint32_t part, struct facts *facts) {
    const struct {
        enum keyword keyword;
        uint32_t *least, *most;
    } COUNTS[] = {
        {KEYWORD_MIN_LENGTH, &facts->length_min, NULL},         {KEYWORD_MAX_LENGTH, NULL, &facts->length_max},
        {KEYWORD_MIN_ITEMS, &facts->items_min, NULL},           {KEYWORD_MAX_ITEMS, NULL, &facts->items_max},
        {KEYWORD_MIN_PROPERTIES, &facts->properties_min, NULL}, {KEYWORD_MAX_PROPERTIES, NULL, &facts->properties_max}};
    for (size_t i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
        if (!node_has(NODE(prover, part), COUNTS[i].keyword)) {
            continue;
        }
        uint32_t count = count_of(node_member(prover, part, COUNTS[i].keyword));
        if (COUNTS[i].least != NULL) {
            raise(COUNTS[i].least, count);
        } else {
            lower(COUNTS[i].most, count);
        }
    }
    const struct node *node = NODE(prover, part);
    if (node_has(node, KEYWORD_CONTAINS)) {
        bool has_least = node_has(node, KEYWORD_MIN_CONTAINS);
        raise(&facts->items_min, has_least ? count_of(node_member(prover, part, KEYWORD_MIN_CONTAINS)) : 1);
    }
}

/* Different names in `required`; a lower bound of them. */
static uint32_t count_required(struct prover *prover, uint32_t part) {
    if (!node_has(NODE(prover, part), KEYWORD_REQUIRED)) {
        return 0;
    }
    struct wire_value array = node_member(prover, part, KEYWORD_REQUIRED);
    uint32_t count = value_item(array)->size < REQUIRED_COUNTED_MAX ? value_item(array)->size : REQUIRED_COUNTED_MAX;
    uint32_t different = 0;
    struct wire_value name = {array.document, array.index + 1};
    for (uint32_t i = 0; i < count; i++) {
        struct wire_value other = {array.document, array.index + 1};
        while (other.index != name.index && !bytes_equal(value_text(other), value_text(name))) {
            other = wire_value_next(other);
        }
        different += other.index == name.index;
        name = wire_value_next(name);
    }
    return prover_spend(prover, (uint64_t)count * count / 8) ? different : 0;
}

/* What no element can be at from here on: an array that long is none. */
static void read_closed_items(struct prover *prover, uint32_t part, struct facts *facts) {
    const struct node *node = NODE(prover, part);
    uint32_t length = 0;
    enum keyword rest = KEYWORD_ITEMS;
    if (node_has(node, KEYWORD_PREFIX_ITEMS)) {
        length = value_item(node_member(prover, part, KEYWORD_PREFIX_ITEMS))->size;
    } else if (node_has(node, KEYWORD_ITEMS) &&
               wire_value_kind(node_member(prover, part, KEYWORD_ITEMS)) == WIRE_ARRAY) {
        length = value_item(node_member(prover, part, KEYWORD_ITEMS))->size;
        rest = KEYWORD_ADDITIONAL_ITEMS;
    }
    if (node_has(node, rest)) {
        uint32_t child = node_child(prover, part, NODE(prover, part)->members[rest]);
        if (NODE(prover, child)->is_false) {
            lower(&facts->items_max, length);
        }
    }
}

/* Of which kinds are the values that are listed? */
static void read_choices(struct prover *prover, uint32_t part, struct facts *facts) {
    const struct node *node = NODE(prover, part);
    if (node_has(node, KEYWORD_CONST)) {
        facts->kinds &= kind_of_value(node_member(prover, part, KEYWORD_CONST));
    }
    if (node_has(node, KEYWORD_ENUM)) {
        struct wire_value array = node_member(prover, part, KEYWORD_ENUM);
        struct wire_value choice = {array.document, array.index + 1};
        uint32_t kinds = 0;
        for (uint32_t left = value_item(array)->size; left > 0; left--) {
            kinds |= kind_of_value(choice);
            choice = wire_value_next(choice);
        }
        facts->kinds &= prover_spend(prover, value_item(array)->size / 4) ? kinds : UINT32_MAX;
    }
}

static void read_part(struct prover *prover, uint32_t part, struct facts *facts) {
    const struct node *node = NODE(prover, part);
    if (node->is_false) {
        facts->kinds = 0;
        return;
    }
    if (node_has(node, KEYWORD_TYPE)) {
        facts->kinds &= kinds_of_types(node_member(prover, part, KEYWORD_TYPE));
    }
    if (node_has(node, KEYWORD_CONST) || (node_has(node, KEYWORD_ENUM) && facts->finite == NO_INDEX)) {
        facts->finite = part;
    }
    read_choices(prover, part, facts);
    struct number one = {.kind = NUMBER_INT, .as.i = 1};
    if (node_has(node, KEYWORD_MULTIPLE_OF) &&
        decimal_is_multiple(decimal_from_number(number_of(node_member(prover, part, KEYWORD_MULTIPLE_OF))),
                            decimal_from_number(one))) {
        facts->kinds &= ~(uint32_t)KIND_FRACTION;
    }
    facts->unique = facts->unique || node_has(node, KEYWORD_UNIQUE_ITEMS);
    read_bounds(prover, part, facts);
    read_counts(prover, part, facts);
    read_closed_items(prover, part, facts);
    raise(&facts->properties_min, count_required(prover, part));
}

/* What does not hold: only what is plain about kinds. */
static void read_negative(struct prover *prover, uint32_t number, struct facts *facts) {
    const struct node *node = NODE(prover, number);
    uint32_t members = 0;
    for (int i = 0; i < KEYWORD_COUNT; i++) {
        members += node_has(node, (enum keyword)i);
    }
    if (node->is_true) {
        facts->kinds = 0;
    } else if (members == 1 && node_has(node, KEYWORD_TYPE)) {
        facts->kinds &= ~kinds_of_types(node_member(prover, number, KEYWORD_TYPE));
    } else if (members == 1 && node_has(node, KEYWORD_NOT)) {
        push(prover, facts->first, node_child(prover, number, node->members[KEYWORD_NOT]));
    }
}

static void rule_out_kinds(struct facts *facts) {
    if (facts->has_minimum && facts->has_maximum) {
        int order = number_compare(facts->minimum, facts->maximum);
        if (order == 1 || (order == 0 && (facts->minimum_exclusive || facts->maximum_exclusive))) {
            facts->kinds &= ~(uint32_t)KIND_NUMBER;
        }
    }
    if (facts->length_min > facts->length_max) {
        facts->kinds &= ~(uint32_t)KIND_STRING;
    }
    if (facts->items_min > facts->items_max) {
        facts->kinds &= ~(uint32_t)KIND_ARRAY;
    }
    if (facts->properties_min > facts->properties_max) {
        facts->kinds &= ~(uint32_t)KIND_OBJECT;
    }
}

void facts_read(struct prover *prover, const struct set *set, struct facts *ret) {
    *ret = (struct facts){.set = set,
                          .kinds = set->kinds,
                          .first = prover->parts.count,
                          .finite = NO_INDEX,
                          .length_max = UINT32_MAX,
                          .items_max = UINT32_MAX,
                          .properties_max = UINT32_MAX};
    bool opaque = false;
    for (uint32_t i = 0; i < set->count; i++) {
        if ((set->literals[i] & ((1u << LITERAL_BITS) - 1)) == HOLDS) {
            push(prover, ret->first, set->literals[i] >> LITERAL_BITS);
        } else if ((set->literals[i] & ((1u << LITERAL_BITS) - 1)) == FAILS) {
            read_negative(prover, set->literals[i] >> LITERAL_BITS, ret);
        }
    }
    for (uint32_t i = ret->first; i < prover->parts.count && prover->status == OK; i++) {
        uint32_t part = *VECTOR_AT(prover->parts, uint32_t, i);
        push_references(prover, ret->first, part, &opaque);
        push_array(prover, ret->first, part, KEYWORD_ALL_OF);
        if (node_has(NODE(prover, part), KEYWORD_NOT)) {
            read_negative(prover, node_child(prover, part, NODE(prover, part)->members[KEYWORD_NOT]), ret);
        }
        read_part(prover, part, ret);
    }
    ret->count = prover->parts.count - ret->first;
    rule_out_kinds(ret);
}

void facts_done(struct prover *prover, const struct facts *facts) {
    prover->parts.count = facts->first;
}

bool array_has_text(struct wire_value array, struct bytes text) {
    struct wire_value element = {array.document, array.index + 1};
    for (uint32_t left = value_item(array)->size; left > 0; left--) {
        if (wire_value_kind(element) == WIRE_STR && bytes_equal(value_text(element), text)) {
            return true;
        }
        element = wire_value_next(element);
    }
    return false;
}

bool facts_require(struct prover *prover, const struct facts *facts, struct bytes name) {
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (!node_has(NODE(prover, part), KEYWORD_REQUIRED)) {
            continue;
        }
        struct wire_value array = node_member(prover, part, KEYWORD_REQUIRED);
        if (prover_spend(prover, 1 + value_item(array)->size / 4) && array_has_text(array, name)) {
            return true;
        }
    }
    return false;
}

/* ---- cases ---- */

struct split facts_split(struct prover *prover, const struct facts *facts) {
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        const struct node *node = NODE(prover, part);
        if (node_has(node, KEYWORD_ANY_OF) && !set_has(facts->set, part, TOOK_ANY_OF)) {
            uint32_t count = value_item(node_member(prover, part, KEYWORD_ANY_OF))->size;
            return (struct split){part, KEYWORD_ANY_OF, count};
        }
        if (node_has(node, KEYWORD_ONE_OF) && !set_has(facts->set, part, TOOK_ONE_OF)) {
            uint32_t count = value_item(node_member(prover, part, KEYWORD_ONE_OF))->size;
            return (struct split){part, KEYWORD_ONE_OF, count};
        }
        bool has_branch = node_has(node, KEYWORD_THEN) || node_has(node, KEYWORD_ELSE);
        if (node_has(node, KEYWORD_IF) && has_branch && !set_has(facts->set, part, TOOK_IF)) {
            return (struct split){part, KEYWORD_IF, 2};
        }
    }
    return (struct split){0};
}

static void add_member(struct prover *prover, uint32_t node, enum keyword keyword, enum literal literal,
                       struct set *ret) {
    if (node_has(NODE(prover, node), keyword)) {
        set_add(ret, node_child(prover, node, NODE(prover, node)->members[keyword]), literal);
    }
}

void split_case(struct prover *prover, const struct set *set, const struct split *split, uint32_t number,
                struct set *ret) {
    *ret = *set;
    if (split->keyword == KEYWORD_IF) {
        set_add(ret, split->node, TOOK_IF);
        add_member(prover, split->node, KEYWORD_IF, number == 0 ? HOLDS : FAILS, ret);
        add_member(prover, split->node, number == 0 ? KEYWORD_THEN : KEYWORD_ELSE, HOLDS, ret);
        return;
    }
    bool is_one_of = split->keyword == KEYWORD_ONE_OF;
    set_add(ret, split->node, is_one_of ? TOOK_ONE_OF : TOOK_ANY_OF);
    struct wire_value array = node_member(prover, split->node, split->keyword);
    struct wire_value branch = {array.document, array.index + 1};
    for (uint32_t i = 0; i < split->count; i++) {
        uint32_t node = i == number || is_one_of ? node_child(prover, split->node, branch.index) : NODE_TRUE;
        if (i == number) {
            set_add(ret, node, HOLDS);
        } else if (is_one_of && split->count <= CASES_KNOWN_MAX) {
            set_add(ret, node, FAILS);
        }
        branch = wire_value_next(branch);
    }
}
