/* json_text.h: JSON text to msgpack, so that schemas given as text are read like those given as msgpack. */
#ifndef POLARIS_PLUGIN_VALIDATE_JSON_TEXT_H
#define POLARIS_PLUGIN_VALIDATE_JSON_TEXT_H

#include "bytes.h"
#include "error.h"

/* Appends one msgpack value. Integers beyond int64 become uint64 if they fit; other numbers the nearest double. Keys
 * that come twice are kept: the JSON model refuses them later, with their path. INVALID: not RFC 8259 JSON in UTF-8,
 * with line and column; or a number beyond the doubles. TOO_LARGE: nested deeper than depth_max (at most 1024). */
WARN_UNUSED enum status json_text_convert(struct bytes text, uint32_t depth_max, struct buffer *ret,
                                          struct error *error);

#endif
