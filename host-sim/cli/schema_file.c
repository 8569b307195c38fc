/* schema_file.c: schemas in files, to requests and back.
 *
 * In a schema {"$ref": "#"} is a reference, whereas in messages an object whose only key begins with '$' is a form for
 * what JSON lacks ({"$bin": …}): where a schema crosses as a map, such objects are written as {"$map": [[key, value]]},
 * and read back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/input.h"
#include "cli/schema.h"
#include "message/message.h"

static bool read_text(const char *path, struct text *ret_text, struct failure *failure) {
    return strcmp(path, "-") == 0 ? text_read_argument("-", ret_text, failure)
                                  : text_read_file(path, ret_text, failure);
}

/* ---- JSON of a schema to the JSON of messages, and back ---- */

static json_t *to_message(json_t *value);

static json_t *object_to_message(json_t *object) {
    json_auto_t *converted = json_object();
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        if (json_object_set_new_nocheck(converted, json_object_iter_key(at), to_message(json_object_iter_value(at))) !=
            0) {
            return NULL;
        }
    }
    const char *only = json_object_size(object) == 1 ? json_object_iter_key(json_object_iter(object)) : "";
    return only[0] == '$' ? json_pack("{s: [[s, O]]}", "$map", only, json_object_get(converted, only))
                          : json_incref(converted);
}

static json_t *array_to(json_t *array, json_t *(*convert)(json_t *)) {
    json_auto_t *converted = json_array();
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (json_array_append_new(converted, convert(json_array_get(array, i))) != 0) {
            return NULL;
        }
    }
    return json_incref(converted);
}

/* A new reference; NULL: no memory. */
static json_t *to_message(json_t *value) {
    return json_is_object(value)  ? object_to_message(value)
           : json_is_array(value) ? array_to(value, to_message)
                                  : json_incref(value);
}

static json_t *from_message(json_t *value);

/* A pair of {"$map": [[key, value]]}, if an object of JSON can have it and nothing else. */
static json_t *plain_pair(const json_t *object) {
    const json_t *pairs = json_object_size(object) == 1 ? json_object_get(object, "$map") : NULL;
    json_t *pair = json_array_size(pairs) == 1 ? json_array_get(pairs, 0) : NULL;
    return json_is_string(json_array_get(pair, 0)) ? pair : NULL;
}

static json_t *object_from_message(json_t *object) {
    const json_t *pair = plain_pair(object);
    if (pair != NULL) {
        return json_pack("{s: o}", json_string_value(json_array_get(pair, 0)), from_message(json_array_get(pair, 1)));
    }
    json_auto_t *converted = json_object();
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        json_t *member = from_message(json_object_iter_value(at));
        if (json_object_set_new_nocheck(converted, json_object_iter_key(at), member) != 0) {
            return NULL;
        }
    }
    return json_incref(converted);
}

static json_t *from_message(json_t *value) {
    return json_is_object(value)  ? object_from_message(value)
           : json_is_array(value) ? array_to(value, from_message)
                                  : json_incref(value);
}

char *schema_text(const json_t *reply) {
    json_t *schema = json_object_get(reply, "schema");
    if (json_is_string(schema)) {
        return strdup(json_string_value(schema));
    }
    json_auto_t *plain = from_message(schema);
    return plain != NULL ? message_print(plain) : NULL;
}

/* ---- Files to requests ---- */

/* The schema of a file as requests have it. A new reference; NULL: *ret_code says what to end with, all being said. */
static json_t *read_schema(const struct task *task, const char *path, int *ret_code) {
    CLEANUP(text_done) struct text text = {0};
    struct failure failure;
    json_t *schema = NULL;
    if (!read_text(path, &text, &failure)) {
        *ret_code = session_fail(task->session, EXIT_USAGE, "%s", failure.message);
        return NULL;
    }
    if (task_given(task, "msgpack") == NULL) {
        schema = json_stringn(text.data, text.size);
        if (schema == NULL) {
            *ret_code = session_fail(task->session, EXIT_USAGE, "'%s' is not UTF-8", path);
        }
        return schema;
    }
    json_auto_t *plain = NULL;
    if (!message_parse(text.data, text.size, &plain, &failure)) {
        *ret_code = session_fail(task->session, EXIT_USAGE, "'%s': %s", path, failure.message);
        return NULL;
    }
    if (json_is_string(plain)) { /* it would be taken for the text of one */
        *ret_code = session_fail(task->session, EXIT_USAGE, "'%s': a schema is an object, true or false", path);
        return NULL;
    }
    schema = to_message(plain);
    if (schema == NULL) {
        *ret_code = session_fail(task->session, EXIT_ERROR, "no memory");
    }
    return schema;
}

/* Adds the document of "URI=FILE" to those of the request. The last '=' divides: a URI may hold some. */
static int add_document(struct task *task, json_t *documents, const char *argument) {
    const char *divider = strrchr(argument, '=');
    int code = EXIT_OK;
    if (divider == NULL || divider == argument || divider[1] == '\0') {
        return session_fail(task->session, EXIT_USAGE, "--document wants URI=FILE, not '%s'", argument);
    }
    json_t *schema = read_schema(task, divider + 1, &code);
    if (schema == NULL) {
        return code;
    }
    json_t *uri = json_stringn(argument, (size_t)(divider - argument));
    if (json_array_append_new(documents, json_pack("{s: o, s: o}", "uri", uri, "schema", schema)) != 0) {
        return session_fail(task->session, EXIT_ERROR, "no memory");
    }
    return EXIT_OK;
}

int schema_take_file(struct task *task, const char *path) {
    int code = EXIT_OK;
    json_t *schema = read_schema(task, path, &code);
    if (schema == NULL) {
        return code;
    }
    if (!task_set(task, "schema", schema)) {
        return session_fail(task->session, EXIT_ERROR, "no memory");
    }
    const json_t *given = task_given(task, "document");
    json_t *documents = json_array();
    if (given == NULL || documents == NULL) {
        json_decref(documents);
        return EXIT_OK;
    }
    for (size_t i = 0; i < json_array_size(given) && code == EXIT_OK; i++) {
        code = add_document(task, documents, json_string_value(json_array_get(given, i)));
    }
    if (!task_set(task, "documents", documents) && code == EXIT_OK) {
        code = session_fail(task->session, EXIT_ERROR, "no memory");
    }
    return code;
}
