/* wire/json_text.h: JSON text to msgpack, so that schemas given as text are read like those given as msgpack. */
#ifndef POLARIS_PLUGIN_WIRE_JSON_TEXT_H
#define POLARIS_PLUGIN_WIRE_JSON_TEXT_H

#include "bytes.h"
#include "error.h"

/* Appends one msgpack value. INVALID: not RFC 8259 JSON in UTF-8, with line and column; a key that comes twice in an
 * object, or holds a NUL; an integer beyond 64 bits signed, or a number beyond the doubles. TOO_LARGE: nested deeper than
 * depth_max (at most 1024). */
WARN_UNUSED enum status json_text_convert(struct bytes text, uint32_t depth_max, struct buffer *ret,
                                          struct error *error);

#endif
