/* wire/field.h: checks of single values, shared by the maps' fields, the elements of arrays and the domain's messages.
 */
#ifndef POLARIS_PLUGIN_WIRE_FIELD_H
#define POLARIS_PLUGIN_WIRE_FIELD_H

#include "wire/document.h"

/* Room for what a value is called in messages: "limit", "tags[3]", "request". */
enum { WIRE_LABEL_SIZE = 96 };

void wire_label(char target[WIRE_LABEL_SIZE], const struct wire_path *path, const char *name);

/* "limit is a string, it must be an integer", with the path. `wanted` reads on after "must be ". */
enum status wire_refuse_kind(struct wire_value value, const char *wanted, const struct wire_path *path,
                             const char *name, struct error *error);

/* A str as wire_map_name (size_min 1) and wire_map_text (size_min 0) take it. */
WARN_UNUSED enum status wire_check_text(struct wire_value value, size_t size_min, size_t size_max,
                                        const struct wire_path *path, const char *name, struct bytes *ret,
                                        struct error *error);

/* For fields of their own kind: OK if the absent field is optional, otherwise INVALID "... is missing". */
WARN_UNUSED enum status wire_absent(const struct wire_map *map, const char *name, enum wire_presence presence,
                                    struct error *error);

#endif
