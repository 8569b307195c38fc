/* compatible_object.c: the members of objects: what either side says of those with a name, and of all others. */
#include "validate/compatible_object.h"
#include "validate/compatible_proof.h"

#include "validate/value.h"

/* ---- names ---- */

static void push_name(struct prover *prover, uint32_t first, struct bytes name) {
    if (!prover_spend(prover, 1 + (prover->names.count - first) / 32)) {
        return;
    }
    for (uint32_t i = first; i < prover->names.count; i++) {
        if (bytes_equal(*VECTOR_AT(prover->names, struct bytes, i), name)) {
            return;
        }
    }
    if (!vector_append(&prover->names, sizeof name, &name, 1)) {
        prover_no_memory(prover);
    }
}

static void push_keys(struct prover *prover, uint32_t first, struct wire_value map) {
    struct wire_value name = {map.document, map.index + 1};
    for (uint32_t left = value_item(map)->size; left > 0; left--) {
        push_name(prover, first, value_text(name));
        name = wire_value_next(wire_value_next(name));
    }
}

static void push_texts(struct prover *prover, uint32_t first, struct wire_value array) {
    struct wire_value text = {array.document, array.index + 1};
    for (uint32_t left = value_item(array)->size; left > 0; left--) {
        if (wire_value_kind(text) == WIRE_STR) {
            push_name(prover, first, value_text(text));
        }
        text = wire_value_next(text);
    }
}

/* The names that propertyNames lists. */
static bool push_listed(struct prover *prover, uint32_t first, uint32_t part) {
    uint32_t names = node_child(prover, part, NODE(prover, part)->members[KEYWORD_PROPERTY_NAMES]);
    struct set set;
    struct facts facts;
    set_init(prover, &set);
    set_add(&set, names, HOLDS);
    facts_read(prover, &set, &facts);
    bool is_finite = facts.finite != NO_INDEX;
    if (is_finite && node_has(NODE(prover, facts.finite), KEYWORD_CONST)) {
        struct wire_value value = node_member(prover, facts.finite, KEYWORD_CONST);
        if (wire_value_kind(value) == WIRE_STR) {
            push_name(prover, first, value_text(value));
        }
    } else if (is_finite) {
        push_texts(prover, first, node_member(prover, facts.finite, KEYWORD_ENUM));
    }
    facts_done(prover, &facts);
    return is_finite;
}

bool names_of_set(struct prover *prover, const struct set *set, uint32_t *ret_first, uint32_t *ret_count) {
    uint32_t start;
    uint32_t count;
    uint32_t first = prover->names.count;
    bool all = facts_closure(prover, set, &start, &count);
    for (uint32_t i = 0; i < count && prover->status == OK; i++) {
        uint32_t part = *VECTOR_AT(prover->parts, uint32_t, start + i);
        if (node_has(NODE(prover, part), KEYWORD_PROPERTIES)) {
            push_keys(prover, first, node_member(prover, part, KEYWORD_PROPERTIES));
        }
        if (node_has(NODE(prover, part), KEYWORD_REQUIRED)) {
            push_texts(prover, first, node_member(prover, part, KEYWORD_REQUIRED));
        }
        if (node_has(NODE(prover, part), KEYWORD_PROPERTY_NAMES)) {
            (void)push_listed(prover, first, part);
        }
    }
    prover->parts.count = start;
    *ret_first = first;
    *ret_count = prover->names.count - first;
    return all;
}

bool names_are_listed(struct prover *prover, const struct facts *facts) {
    bool listed = false;
    for (uint32_t i = 0; i < facts->count && !listed; i++) {
        uint32_t part = PART(prover, facts, i);
        uint32_t first = prover->names.count;
        listed = node_has(NODE(prover, part), KEYWORD_PROPERTY_NAMES) && push_listed(prover, first, part);
        prover->names.count = first;
    }
    return listed;
}

/* ---- what one node says of a name ---- */

static enum verdict matches_any(struct prover *prover, uint32_t node, struct bytes name, struct set *ret) {
    if (!node_has(NODE(prover, node), KEYWORD_PATTERN_PROPERTIES)) {
        return VERDICT_NO;
    }
    enum verdict any = VERDICT_NO;
    struct wire_value map = node_member(prover, node, KEYWORD_PATTERN_PROPERTIES);
    struct wire_value pattern = {map.document, map.index + 1};
    for (uint32_t left = value_item(map)->size; left > 0; left--) {
        struct wire_value schema = wire_value_next(pattern);
        enum verdict verdict = node_matches(prover, value_text(pattern), name);
        any = any == VERDICT_LIMIT || verdict == VERDICT_NO ? any : verdict;
        if (verdict == VERDICT_YES && ret != NULL) {
            set_add(ret, node_child(prover, node, schema.index), HOLDS);
        }
        pattern = wire_value_next(schema);
    }
    return any;
}

static uint32_t property_of(struct prover *prover, uint32_t node, struct bytes name) {
    if (!node_has(NODE(prover, node), KEYWORD_PROPERTIES)) {
        return NO_INDEX;
    }
    struct wire_value map = node_member(prover, node, KEYWORD_PROPERTIES);
    return prover_spend(prover, 1 + value_item(map)->size / 32) ? value_member(map, name).index : NO_INDEX;
}

bool may_be_evaluated(struct prover *prover, uint32_t part, struct bytes name) {
    struct set set;
    uint32_t first;
    uint32_t count;
    set_init(prover, &set);
    set_add(&set, part, HOLDS);
    bool may = !facts_closure(prover, &set, &first, &count);
    for (uint32_t i = 0; i < count && !may; i++) {
        uint32_t node = *VECTOR_AT(prover->parts, uint32_t, first + i);
        may = node_has(NODE(prover, node), KEYWORD_ADDITIONAL_PROPERTIES) ||
              (node != part && node_has(NODE(prover, node), KEYWORD_UNEVALUATED_PROPERTIES)) ||
              (!bytes_present(name) && node_has(NODE(prover, node), KEYWORD_PATTERN_PROPERTIES)) ||
              (bytes_present(name) &&
               (property_of(prover, node, name) != NO_INDEX || matches_any(prover, node, name, NULL) != VERDICT_NO));
    }
    prover->parts.count = first;
    return may;
}

void facts_of_name(struct prover *prover, const struct facts *facts, struct bytes name, struct set *ret) {
    set_init(prover, ret);
    for (uint32_t i = 0; i < facts->count && prover->status == OK; i++) {
        uint32_t part = PART(prover, facts, i);
        uint32_t property = property_of(prover, part, name);
        if (property != NO_INDEX) {
            set_add(ret, node_child(prover, part, property), HOLDS);
        }
        enum verdict matched = matches_any(prover, part, name, ret);
        bool is_additional = property == NO_INDEX && matched == VERDICT_NO;
        if (is_additional && node_has(NODE(prover, part), KEYWORD_ADDITIONAL_PROPERTIES)) {
            uint32_t item = NODE(prover, part)->members[KEYWORD_ADDITIONAL_PROPERTIES];
            set_add(ret, node_child(prover, part, item), HOLDS);
        }
        if (is_additional && node_has(NODE(prover, part), KEYWORD_UNEVALUATED_PROPERTIES) &&
            !may_be_evaluated(prover, part, name)) {
            uint32_t item = NODE(prover, part)->members[KEYWORD_UNEVALUATED_PROPERTIES];
            set_add(ret, node_child(prover, part, item), HOLDS);
        }
    }
}

/* ---- the lenient content model ---- */

static bool is_schema_of_its_own(const struct prover *prover, uint32_t node, enum keyword keyword) {
    return node_has(NODE(prover, node), keyword) && wire_value_kind(node_member(prover, node, keyword)) != WIRE_BOOL;
}

bool facts_lenient(struct prover *prover, const struct set *set) {
    if (prover->content != COMPATIBLE_LENIENT) {
        return false;
    }
    uint32_t first;
    uint32_t count;
    bool declares = false;
    bool lenient = facts_closure(prover, set, &first, &count);
    for (uint32_t i = 0; i < count && lenient; i++) {
        uint32_t node = *VECTOR_AT(prover->parts, uint32_t, first + i);
        if (NODE(prover, node)->side == WRITER) {
            declares = declares || node_has(NODE(prover, node), KEYWORD_PROPERTIES) ||
                       node_has(NODE(prover, node), KEYWORD_PATTERN_PROPERTIES);
            lenient = !is_schema_of_its_own(prover, node, KEYWORD_ADDITIONAL_PROPERTIES) &&
                      !is_schema_of_its_own(prover, node, KEYWORD_UNEVALUATED_PROPERTIES);
        }
    }
    prover->parts.count = first;
    return lenient && declares;
}

bool facts_declared(struct prover *prover, const struct set *set, struct bytes name) {
    uint32_t first;
    uint32_t count;
    bool declared = !facts_closure(prover, set, &first, &count);
    for (uint32_t i = 0; i < count && !declared; i++) {
        uint32_t node = *VECTOR_AT(prover->parts, uint32_t, first + i);
        if (NODE(prover, node)->side == WRITER) {
            declared = property_of(prover, node, name) != NO_INDEX ||
                       matches_any(prover, node, name, NULL) != VERDICT_NO ||
                       (node_has(NODE(prover, node), KEYWORD_REQUIRED) &&
                        array_has_text(node_member(prover, node, KEYWORD_REQUIRED), name));
        }
    }
    prover->parts.count = first;
    return declared;
}

static bool is_never_written(struct prover *prover, const struct facts *facts, struct bytes name) {
    return facts_lenient(prover, facts->set) && !facts_declared(prover, facts->set, name);
}

/* ---- what cannot be there ---- */

/* One msgpack string. */
static bool put_string(struct bytes text, struct buffer *ret) {
    const uint8_t head[] = {0xDB, (uint8_t)(text.size >> 24), (uint8_t)(text.size >> 16), (uint8_t)(text.size >> 8),
                            (uint8_t)text.size};
    return buffer_append(ret, head, sizeof head) && buffer_append(ret, text.data, text.size);
}

static enum verdict name_accepted(struct prover *prover, uint32_t node, struct bytes name) {
    CLEANUP(buffer_done) struct buffer value = {0};
    if (!put_string(name, &value)) {
        prover_no_memory(prover);
        return VERDICT_LIMIT;
    }
    return node_accepts(prover, node, buffer_view(&value));
}

static bool name_rejected(struct prover *prover, const struct facts *facts, struct bytes name) {
    for (uint32_t i = 0; i < facts->count; i++) {
        uint32_t part = PART(prover, facts, i);
        if (node_has(NODE(prover, part), KEYWORD_PROPERTY_NAMES) &&
            name_accepted(prover, node_child(prover, part, NODE(prover, part)->members[KEYWORD_PROPERTY_NAMES]),
                          name) == VERDICT_NO) {
            return true;
        }
    }
    return false;
}

enum turn forbid_name(struct prover *prover, struct argument *argument, struct bytes name) {
    const struct facts *facts = argument->facts;
    if (facts->properties_max == 0 || name_rejected(prover, facts, name)) {
        return TURN_PROVED;
    }
    facts_of_name(prover, facts, name, &argument->set);
    return argument->set.count > 0 ? ask_of_member(argument, NODE_FALSE) : TURN_FAILED;
}

/* ---- what the reader looks at ---- */

bool surely_evaluated(struct prover *prover, uint32_t reader, struct bytes name) {
    struct set set;
    struct facts facts;
    set_init(prover, &set);
    set_add(&set, reader, HOLDS);
    facts_read(prover, &set, &facts);
    bool surely = false;
    for (uint32_t i = 0; i < facts.count && !surely; i++) {
        uint32_t part = PART(prover, &facts, i);
        surely = node_has(NODE(prover, part), KEYWORD_ADDITIONAL_PROPERTIES) ||
                 (part != reader && node_has(NODE(prover, part), KEYWORD_UNEVALUATED_PROPERTIES)) ||
                 (bytes_present(name) && (property_of(prover, part, name) != NO_INDEX ||
                                          matches_any(prover, part, name, NULL) == VERDICT_YES));
    }
    facts_done(prover, &facts);
    return surely;
}

bool is_concerned(struct prover *prover, const struct obligation *obligation, struct bytes pattern, struct bytes name) {
    uint32_t reader = obligation->reader;
    switch ((int)obligation->keyword) {
    case KEYWORD_PATTERN_PROPERTIES:
        return node_matches(prover, pattern, name) != VERDICT_NO;
    case KEYWORD_ADDITIONAL_PROPERTIES:
        return property_of(prover, reader, name) == NO_INDEX && matches_any(prover, reader, name, NULL) != VERDICT_YES;
    default:
        return !surely_evaluated(prover, reader, name);
    }
}

/* ---- proofs ---- */

static bool prove_required(struct prover *prover, const struct facts *facts, struct bytes name) {
    if (facts_require(prover, facts, name)) {
        return true;
    }
    static const enum keyword KEYWORDS_OF[] = {KEYWORD_DEPENDENT_REQUIRED, KEYWORD_DEPENDENCIES};
    for (uint32_t i = 0; i < 2 * facts->count; i++) {
        uint32_t part = PART(prover, facts, i / 2);
        if (!node_has(NODE(prover, part), KEYWORDS_OF[i % 2])) {
            continue;
        }
        struct wire_value map = node_member(prover, part, KEYWORDS_OF[i % 2]);
        struct wire_value key = {map.document, map.index + 1};
        for (uint32_t left = value_item(map)->size; left > 0 && prover_spend(prover, 1); left--) {
            struct wire_value needed = wire_value_next(key);
            if (wire_value_kind(needed) == WIRE_ARRAY && array_has_text(needed, name) &&
                facts_require(prover, facts, value_text(key))) {
                return true;
            }
            key = wire_value_next(needed);
        }
    }
    return false;
}

/* The set, and what it says of objects that have the name. True: it demands `needed` then. */
static bool with_name(struct prover *prover, const struct facts *facts, struct bytes name, struct bytes needed,
                      struct set *ret) {
    static const enum keyword KEYWORDS_OF[] = {KEYWORD_DEPENDENT_SCHEMAS, KEYWORD_DEPENDENCIES,
                                               KEYWORD_DEPENDENT_REQUIRED};
    bool found = false;
    *ret = *facts->set;
    for (uint32_t i = 0; i < 3 * facts->count; i++) {
        uint32_t part = PART(prover, facts, i / 3);
        if (!node_has(NODE(prover, part), KEYWORDS_OF[i % 3])) {
            continue;
        }
        struct wire_value value = value_member(node_member(prover, part, KEYWORDS_OF[i % 3]), name);
        if (value.index == NO_INDEX || !prover_spend(prover, 1)) {
            continue;
        }
        if (wire_value_kind(value) == WIRE_ARRAY) {
            found = found || (bytes_present(needed) && array_has_text(value, needed));
        } else {
            set_add(ret, node_child(prover, part, value.index), HOLDS);
        }
    }
    return found;
}

static enum turn prove_dependency(struct prover *prover, struct argument *argument, enum turn turn) {
    enum { BEGINS, FORBIDS, DEPENDS };
    const struct facts *facts = argument->facts;
    const struct obligation *obligation = argument->obligation;
    if (argument->phase == BEGINS) {
        bool found = with_name(prover, facts, obligation->name, obligation->dependent, &argument->with);
        if (found || is_never_written(prover, facts, obligation->name)) {
            return TURN_PROVED;
        }
        argument->phase = FORBIDS;
        turn = forbid_name(prover, argument, obligation->name);
    }
    if (argument->phase == DEPENDS || turn != TURN_FAILED) {
        return turn;
    }
    argument->phase = DEPENDS;
    if (!bytes_present(obligation->dependent)) {
        return ask(argument, &argument->with, obligation->schema);
    }
    struct facts more;
    facts_read(prover, &argument->with, &more);
    bool proved =
        bytes_equal(obligation->name, obligation->dependent) || prove_required(prover, &more, obligation->dependent);
    facts_done(prover, &more);
    return turn_of(proved);
}

/* Only names that the set knows, and which? They stay on the stack of names. */
static enum turn prove_closed(struct prover *prover, struct argument *argument, enum turn turn) {
    static const struct obligation NO_OTHERS = {.demand = DEMAND_OTHER_NAMES, .schema = NODE_FALSE};
    if (turn == TURN_OPEN &&
        !names_of_set(prover, argument->facts->set, &argument->first_name, &argument->name_count)) {
        return TURN_FAILED;
    }
    return prove_other_names(prover, argument, &NO_OTHERS, turn);
}

static struct bytes next_name(const struct prover *prover, struct argument *argument) {
    return *VECTOR_AT(prover->names, struct bytes, argument->first_name + argument->index++);
}

/* Takes them off the stack. */
static enum turn leave_names(struct prover *prover, const struct argument *argument, enum turn turn) {
    prover->names.count = argument->first_name;
    return turn;
}

static enum turn prove_names(struct prover *prover, struct argument *argument, enum turn turn) {
    enum { BY_THE_SET, BY_BEING_CLOSED, BY_EACH };
    const struct facts *facts = argument->facts;
    uint32_t reader = argument->obligation->reader;
    uint32_t wanted = node_child(prover, reader, NODE(prover, reader)->members[KEYWORD_PROPERTY_NAMES]);
    if (argument->phase == BY_THE_SET) {
        if (turn == TURN_OPEN) {
            names_as_values(prover, facts, &argument->set);
            return ask_of_member(argument, wanted);
        }
        if (turn == TURN_PROVED) {
            return TURN_PROVED;
        }
        argument->phase = BY_BEING_CLOSED;
        turn = TURN_OPEN;
    }
    if (argument->phase == BY_BEING_CLOSED) {
        turn = prove_closed(prover, argument, turn);
        argument->phase = turn == TURN_PROVED ? BY_EACH : BY_BEING_CLOSED;
    }
    while (argument->phase == BY_EACH && turn == TURN_PROVED && argument->index < argument->name_count) {
        struct bytes name = next_name(prover, argument);
        bool fine = name_accepted(prover, wanted, name) == VERDICT_YES || is_never_written(prover, facts, name);
        turn = fine ? TURN_PROVED : forbid_name(prover, argument, name);
    }
    return turn == TURN_OPEN ? TURN_OPEN : leave_names(prover, argument, turn);
}

static enum turn prove_few(struct prover *prover, struct argument *argument, uint32_t most, enum turn turn) {
    enum { BEING_CLOSED, COUNTING };
    const struct facts *facts = argument->facts;
    if (facts->properties_max <= most || prover->extended) {
        return turn_of(facts->properties_max <= most); /* an extended payload may have a name many times */
    }
    if (argument->phase == BEING_CLOSED) {
        turn = prove_closed(prover, argument, turn);
        if (turn != TURN_PROVED) {
            return turn == TURN_OPEN ? TURN_OPEN : leave_names(prover, argument, TURN_FAILED);
        }
        argument->phase = COUNTING;
    }
    argument->possible += turn == TURN_FAILED;
    while (argument->index < argument->name_count) {
        struct bytes name = next_name(prover, argument);
        turn = is_never_written(prover, facts, name) ? TURN_PROVED : forbid_name(prover, argument, name);
        if (turn == TURN_OPEN) {
            return TURN_OPEN;
        }
        argument->possible += turn == TURN_FAILED;
    }
    return leave_names(prover, argument, turn_of(argument->possible <= most));
}

static enum turn prove_named(struct prover *prover, struct argument *argument, enum turn turn) {
    struct bytes name = argument->obligation->name;
    if (turn != TURN_OPEN) {
        return turn_of(turn == TURN_PROVED || name_rejected(prover, argument->facts, name));
    }
    if (is_never_written(prover, argument->facts, name)) {
        return TURN_PROVED;
    }
    facts_of_name(prover, argument->facts, name, &argument->set);
    return ask_of_member(argument, argument->obligation->schema);
}

enum turn prove_object(struct prover *prover, struct argument *argument, enum turn turn) {
    const struct facts *facts = argument->facts;
    const struct obligation *obligation = argument->obligation;
    uint32_t reader = obligation->reader;
    switch ((int)obligation->keyword) {
    case KEYWORD_MIN_PROPERTIES:
        return turn_of(facts->properties_min >= count_of(node_member(prover, reader, KEYWORD_MIN_PROPERTIES)));
    case KEYWORD_MAX_PROPERTIES:
        return prove_few(prover, argument, count_of(node_member(prover, reader, KEYWORD_MAX_PROPERTIES)), turn);
    case KEYWORD_PROPERTY_NAMES:
        return prove_names(prover, argument, turn);
    case KEYWORD_REQUIRED:
        return turn_of(prove_required(prover, facts, obligation->name));
    case KEYWORD_DEPENDENT_REQUIRED:
    case KEYWORD_DEPENDENT_SCHEMAS:
    case KEYWORD_DEPENDENCIES:
        return prove_dependency(prover, argument, turn);
    default:
        break;
    }
    if (facts->properties_max == 0) {
        return TURN_PROVED;
    }
    if (obligation->demand == DEMAND_OTHER_NAMES) {
        return obligation->index == 0 ? prove_other_names(prover, argument, obligation, turn) : TURN_FAILED;
    }
    return prove_named(prover, argument, turn);
}
