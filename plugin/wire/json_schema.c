/* wire/json_schema.c: JSON text, as far as the registry must know it to keep a schema. */
#include "wire/messages.h"

#include <jansson.h>

static void free_json(json_t **json) {
    json_decref(*json);
}

enum status wire_check_json_schema(struct bytes text, struct error *error) {
    /* Only the form is judged: numbers need not fit int64, and strings may hold an escaped NUL. */
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
    json_error_t reason = {0}; /* jansson leaves the code unset when its first allocations fail */
    CLEANUP(free_json) json_t *json = json_loadb((const char *)text.data, text.size, flags, &reason);
    /* Syntax errors always have a text. Running out of memory within a token reads as one: refused all the same. */
    if (json == NULL && (reason.text[0] == '\0' || json_error_code(&reason) == json_error_out_of_memory)) {
        return error_set(error, NO_MEMORY, "no memory to read a JSON schema of %zu bytes", text.size);
    }
    if (json == NULL) {
        return error_set(error, INVALID, "schema is no well-formed JSON at line %d, column %d: %s", reason.line,
                         reason.column, reason.text);
    }
    if (!json_is_object(json) && !json_is_boolean(json)) {
        return error_set(error, INVALID, "schema is JSON text, but of neither an object nor a boolean: it must be one");
    }
    return OK;
}
