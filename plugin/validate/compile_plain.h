/* compile_plain.h: what the emitters of a subschema's plain code share. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPILE_PLAIN_H
#define POLARIS_PLUGIN_VALIDATE_COMPILE_PLAIN_H

#include "validate/compile.h"

/* The subschema that is being compiled. */
struct plain {
    struct compiler *compiler;
    uint32_t number;
    struct unit unit;
    struct dialect dialect;
    struct wire_value members[KEYWORD_COUNT]; /* index NO_INDEX: it does not have the keyword */
};

uint32_t plain_emit(struct plain *plain, enum op op, enum keyword keyword, uint32_t a, uint32_t b, uint32_t c);
/* "<keyword> must be <wanted>" */
enum status plain_refuse(struct plain *plain, enum keyword keyword, const char *wanted);
bool plain_has(const struct plain *plain, enum keyword keyword);
/* The unit for an item, and the edge to it. `in_place`: it looks at the same value. */
uint32_t plain_request(struct plain *plain, uint32_t source, uint32_t item, bool in_place);

/* compile_object.c */
void plain_emit_properties(struct plain *plain, enum keyword keyword, struct wire_value value);
void plain_emit_pattern_properties(struct plain *plain, enum keyword keyword, struct wire_value value);
void plain_emit_additional_properties(struct plain *plain, enum keyword keyword, struct wire_value value);
void plain_emit_required(struct plain *plain, enum keyword keyword, struct wire_value value);
/* dependentSchemas, dependentRequired, and the dependencies of draft-07, which are either. */
void plain_emit_dependencies(struct plain *plain, enum keyword keyword, struct wire_value value);

#endif
