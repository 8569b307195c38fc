/* compatible_obligation.c: what a schema demands, keyword by keyword, and of members one by one. */
#include "validate/compatible_object.h"
#include "validate/compatible_proof.h"

#include "validate/value.h"

static struct wire_value keyword_value(const struct prover *prover, const struct obligations *of) {
    return node_member(prover, of->now.reader, of->now.keyword);
}

/* ---- branches and elements ---- */

static bool next_of_array(struct prover *prover, struct obligations *of) {
    if (!of->is_begun) {
        of->parts = walk_into(keyword_value(prover, of));
    } else {
        of->now.index++;
    }
    if (of->parts.left == 0) {
        return false;
    }
    of->now.schema = node_child(prover, of->now.reader, walk_element(&of->parts).index);
    return true;
}

/* Each element that some schema of the set is about alone, then all that follow. */
static bool next_of_rest(struct prover *prover, struct obligations *of) {
    if (!of->is_begun) {
        of->now.schema = node_child(prover, of->now.reader, keyword_value(prover, of).index);
        of->now.index = prefix_of_node(prover, of->now.reader);
        of->prefix = prefix_of_set(prover, of->set);
    } else if (of->now.demand == DEMAND_REST) {
        return false;
    } else {
        of->now.index++;
    }
    of->now.demand = of->now.index < of->prefix ? DEMAND_INDEX : DEMAND_REST;
    return true;
}

static bool next_of_elements(struct prover *prover, struct obligations *of) {
    if (wire_value_kind(keyword_value(prover, of)) != WIRE_ARRAY) {
        return next_of_rest(prover, of);
    }
    of->now.demand = DEMAND_INDEX;
    return next_of_array(prover, of);
}

/* ---- members ---- */

static bool next_of_required(struct prover *prover, struct obligations *of) {
    if (!of->is_begun) {
        of->parts = walk_into(keyword_value(prover, of));
    }
    if (of->parts.left == 0) {
        return false;
    }
    of->now.name = value_text(walk_element(&of->parts));
    return true;
}

/* A name leads to a schema, or to names that it calls for. */
static bool next_of_names(struct prover *prover, struct obligations *of) {
    if (!of->is_begun) {
        of->parts = walk_into(keyword_value(prover, of));
    }
    while (of->needed.left == 0) {
        struct wire_value name;
        if (of->parts.left == 0) {
            return false;
        }
        struct wire_value value = walk_member(&of->parts, &name);
        of->now.name = value_text(name);
        of->now.dependent = (struct bytes){0};
        if (wire_value_kind(value) != WIRE_ARRAY) {
            of->now.schema = node_child(prover, of->now.reader, value.index);
            return true;
        }
        of->needed = walk_into(value);
    }
    of->now.dependent = value_text(walk_element(&of->needed));
    return true;
}

static void open_members(struct prover *prover, struct obligations *of, struct wire_value schema,
                         struct bytes pattern) {
    of->now.schema = node_child(prover, of->now.reader, schema.index);
    of->members = MEMBERS_BY_NAME;
    of->pattern = pattern;
    of->all_names = names_of_set(prover, of->set, &of->first_name, &of->name_count);
    of->next_name = 0;
}

/* What is left are the members with other names. False: the keyword demands nothing of them. */
static bool leave_names(struct prover *prover, struct obligations *of) {
    prover->names.count = of->first_name;
    of->members = MEMBERS_OTHER;
    of->now.demand = DEMAND_OTHER_NAMES;
    of->now.name = of->pattern;
    of->now.index = of->all_names ? 0 : NO_INDEX;
    return of->now.keyword != KEYWORD_UNEVALUATED_PROPERTIES ||
           !surely_evaluated(prover, of->now.reader, (struct bytes){0});
}

static bool next_member(struct prover *prover, struct obligations *of) {
    if (of->members != MEMBERS_BY_NAME) {
        return false;
    }
    while (of->next_name < of->name_count) {
        of->now.demand = DEMAND_NAME;
        of->now.name = *VECTOR_AT(prover->names, struct bytes, of->first_name + of->next_name++);
        if (is_concerned(prover, &of->now, of->pattern, of->now.name)) {
            return true;
        }
    }
    return leave_names(prover, of);
}

static bool next_of_rest_of_members(struct prover *prover, struct obligations *of) {
    if (!of->is_begun) {
        open_members(prover, of, keyword_value(prover, of), (struct bytes){0});
    }
    return next_member(prover, of);
}

static bool next_of_patterns(struct prover *prover, struct obligations *of) {
    if (!of->is_begun) {
        of->parts = walk_into(keyword_value(prover, of));
    }
    while (!next_member(prover, of)) {
        struct wire_value pattern;
        if (of->parts.left == 0) {
            return false;
        }
        struct wire_value schema = walk_member(&of->parts, &pattern);
        open_members(prover, of, schema, value_text(pattern));
    }
    return true;
}

/* ---- keywords ---- */

static bool next_of_keyword(struct prover *prover, struct obligations *of) {
    switch ((int)of->now.keyword) {
    case KEYWORD_THEN:
    case KEYWORD_ELSE:
    case KEYWORD_MIN_CONTAINS:
    case KEYWORD_MAX_CONTAINS:
        return false; /* `if` and `contains` see to them */
    case KEYWORD_PREFIX_ITEMS:
    case KEYWORD_ITEMS:
    case KEYWORD_ADDITIONAL_ITEMS:
        return next_of_elements(prover, of);
    case KEYWORD_PATTERN_PROPERTIES:
        return next_of_patterns(prover, of);
    case KEYWORD_ADDITIONAL_PROPERTIES:
    case KEYWORD_UNEVALUATED_PROPERTIES:
        return next_of_rest_of_members(prover, of);
    case KEYWORD_REQUIRED:
        of->now.demand = DEMAND_NAME;
        return next_of_required(prover, of);
    case KEYWORD_PROPERTIES:
    case KEYWORD_DEPENDENT_REQUIRED:
    case KEYWORD_DEPENDENT_SCHEMAS:
    case KEYWORD_DEPENDENCIES:
        of->now.demand = DEMAND_NAME;
        return next_of_names(prover, of);
    case KEYWORD_ALL_OF:
        return next_of_array(prover, of);
    default:
        return !of->is_begun;
    }
}

/* False: the budget is used up. */
static bool open_keyword(struct prover *prover, struct obligations *of) {
    uint32_t reader = of->now.reader;
    const struct node *node = NODE(prover, reader);
    const struct dialect dialect = RESOURCE(&prover->sides[node->side], node->resource)->dialect;
    struct wire_value name;
    struct wire_value value = walk_member(&of->keywords, &name);
    enum keyword keyword = keyword_find(&dialect, value_text(name));
    if (keyword == KEYWORD_UNEVALUATED_PROPERTIES && !node_has(node, keyword)) {
        keyword = KEYWORD_ADDITIONAL_PROPERTIES;
    } else if (keyword == KEYWORD_UNEVALUATED_ITEMS && !node_has(node, keyword)) {
        keyword = KEYWORD_ITEMS;
    }
    of->now = (struct obligation){.reader = reader, .keyword = keyword};
    of->is_in_keyword = node->members[keyword] == value.index;
    of->is_begun = false;
    of->members = MEMBERS_NOT_OPEN;
    return prover_spend(prover, 1);
}

void obligations_open(struct prover *prover, const struct set *set, uint32_t reader, struct obligations *ret) {
    const struct node *node = NODE(prover, reader);
    *ret = (struct obligations){.set = set,
                                .now = {.reader = reader, .keyword = KEYWORD_NONE},
                                .is_in_keyword = node->is_false}; /* which is one, of no keyword */
    if (!node->is_true && !node->is_false) {
        ret->keywords = walk_into(compile_item(&prover->sides[node->side], node->source, node->item));
    }
}

bool obligations_next(struct prover *prover, struct obligations *of, bool go_on) {
    while (go_on) {
        if (of->is_in_keyword && next_of_keyword(prover, of)) {
            of->is_begun = true;
            return true;
        }
        if (of->keywords.left == 0) {
            of->complete = true;
            return false;
        }
        go_on = open_keyword(prover, of);
    }
    if (of->members == MEMBERS_BY_NAME) {
        (void)leave_names(prover, of);
    }
    return false;
}
