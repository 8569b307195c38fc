/* example.c: comparing JSON values with places left open. */
#include "example.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "message/message.h"

json_t *example_parse(const char *text, int line) {
    struct failure failure;
    json_t *value = NULL;
    cr_assert(message_parse(text, strlen(text), &value, &failure), "SPEC.md:%d: %s", line, failure.message);
    return value;
}

static bool is_open(json_t *value) {
    return json_is_string(value) && strcmp(json_string_value(value), "…") == 0;
}

static bool match_at(json_t *expected, json_t *actual, const char *path, char *ret_where, size_t size);

static bool match_objects(json_t *expected, json_t *actual, const char *path, char *ret_where, size_t size) {
    char inner[512];
    const char *name;
    json_t *value;
    json_object_foreach(expected, name, value) {
        json_t *other = json_object_get(actual, name);
        snprintf(inner, sizeof inner, "%s/%s", path, name);
        if (other == NULL) {
            snprintf(ret_where, size, "%s is missing", inner);
            return false;
        }
        if (!match_at(value, other, inner, ret_where, size)) {
            return false;
        }
    }
    json_object_foreach(actual, name, value) {
        if (json_object_get(expected, name) == NULL) {
            snprintf(ret_where, size, "%s/%s is there and not expected", path, name);
            return false;
        }
    }
    return true;
}

static bool match_at(json_t *expected, json_t *actual, const char *path, char *ret_where, size_t size) {
    if (is_open(expected)) {
        return true;
    }
    if (json_is_object(expected) && json_is_object(actual)) {
        return match_objects(expected, actual, path, ret_where, size);
    }
    if (json_is_array(expected) && json_is_array(actual) && json_array_size(expected) == json_array_size(actual)) {
        for (size_t i = 0; i < json_array_size(expected); i++) {
            char inner[512];
            snprintf(inner, sizeof inner, "%s/%zu", path, i);
            if (!match_at(json_array_get(expected, i), json_array_get(actual, i), inner, ret_where, size)) {
                return false;
            }
        }
        return true;
    }
    if (!json_equal(expected, actual)) {
        snprintf(ret_where, size, "%s differs", path[0] != '\0' ? path : "the reply");
        return false;
    }
    return true;
}

bool example_matches(json_t *expected, json_t *actual, char *ret_where, size_t where_size) {
    return match_at(expected, actual, "", ret_where, where_size);
}

static json_t *find(json_t *value, const char *name) {
    json_t *found = json_object_get(value, name);
    const char *key;
    json_t *inner;
    json_object_foreach(value, key, inner) {
        found = found != NULL ? found : find(inner, name);
    }
    for (size_t i = 0; found == NULL && i < json_array_size(value); i++) {
        found = find(json_array_get(value, i), name);
    }
    return found;
}

bool example_fill(json_t *request, json_t *reply_before, char *ret_name, size_t name_size) {
    const char *name;
    void *next;
    json_t *value;
    json_object_foreach_safe(request, next, name, value) {
        if (is_open(value)) {
            json_t *known = find(reply_before, name);
            if (known == NULL) {
                snprintf(ret_name, name_size, "%s", name);
                return false;
            }
            json_object_set(request, name, known);
        } else if (!example_fill(value, reply_before, ret_name, name_size)) {
            return false;
        }
    }
    return true;
}
