/* pattern.c: JSON patterns. */
#include "check/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check/verdict.h"
#include "message/message.h"
#include "owned.h"

json_t *pattern_parse(const char *text) {
    CLEANUP(freep) char *json = strdup(text);
    json_t *value = NULL;
    struct failure failure = {.message = "no memory"};
    for (char *c = json; c != NULL && *c != '\0'; c++) {
        if (*c == '\'') {
            *c = '"';
        }
    }
    if (json == NULL || !message_parse(json, strlen(json), &value, &failure)) {
        finding("a defect of the check: %s in %s", failure.message, text);
    }
    return value;
}

/* Is `value` what the name stands for, or can it be from now on? */
static bool matches_name(const json_t *value, const char *name, json_t *names) {
    const json_t *bound = json_object_get(names, name);
    int64_t id = json_integer_value(value), number = strtoll(name, NULL, 10);
    if (bound != NULL || id <= 0) {
        return bound != NULL && json_equal(bound, value);
    }
    const char *other;
    json_t *others;
    json_object_foreach(names, other, others) {
        int64_t before = strtoll(other, NULL, 10), taken = json_integer_value(others);
        if (number > 0 && before > 0 && (before < number ? taken >= id : taken <= id)) {
            return false;
        }
    }
    return json_object_set_new(names, name, json_integer(id)) == 0;
}

bool pattern_matches(const json_t *value, const json_t *pattern, json_t *names) {
    const char *text = json_string_value(pattern);
    if (text != NULL && text[0] == '#') {
        return matches_name(value, text + 1, names);
    }
    if (text != NULL && strcmp(text, "*") == 0) {
        return value != NULL;
    }
    if (text != NULL && strcmp(text, "!") == 0) {
        return value == NULL;
    }
    if (json_is_object(pattern)) {
        const char *key;
        json_t *expected;
        json_object_foreach((json_t *)(uintptr_t)pattern, key, expected) {
            if (!pattern_matches(json_object_get(value, key), expected, names)) {
                return false;
            }
        }
        return json_is_object(value);
    }
    if (json_is_array(pattern)) {
        bool same = json_is_array(value) && json_array_size(value) == json_array_size(pattern);
        for (size_t i = 0; same && i < json_array_size(pattern); i++) {
            same = pattern_matches(json_array_get(value, i), json_array_get(pattern, i), names);
        }
        return same;
    }
    return value != NULL && json_equal(value, pattern);
}

json_t *pattern_find(json_t *value, const char *name) {
    json_t *found = json_object_get(value, name);
    const char *key;
    json_t *member;
    size_t index;
    json_object_foreach(value, key, member) {
        found = found != NULL ? found : pattern_find(member, name);
    }
    json_array_foreach(value, index, member) {
        found = found != NULL ? found : pattern_find(member, name);
    }
    return found;
}

/* What is to stand for `value`: borrowed; NULL: itself. */
static json_t *replacement(json_t *value, json_t *from, const json_t *names, const char **ret_name) {
    const char *text = json_string_value(value);
    if (text == NULL || (text[0] != '$' && text[0] != '#')) {
        return NULL;
    }
    json_t *found = text[0] == '$' ? pattern_find(from, text + 1) : json_object_get(names, text + 1);
    *ret_name = found == NULL ? text + 1 : *ret_name;
    return found;
}

bool pattern_fill(json_t *value, json_t *from, json_t *names, const char **ret_name) {
    const char *key;
    json_t *member;
    size_t index;
    *ret_name = NULL;
    json_object_foreach(value, key, member) {
        json_t *found = replacement(member, from, names, ret_name);
        if (*ret_name != NULL || (found != NULL && json_object_set(value, key, found) != 0) ||
            (found == NULL && !pattern_fill(member, from, names, ret_name))) {
            return false;
        }
    }
    json_array_foreach(value, index, member) {
        if (!pattern_fill(member, from, names, ret_name)) {
            return false;
        }
    }
    return true;
}
