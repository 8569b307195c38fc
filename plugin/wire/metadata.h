/* wire/metadata.h: what a metadata condition may look like. */
#ifndef POLARIS_PLUGIN_WIRE_METADATA_H
#define POLARIS_PLUGIN_WIRE_METADATA_H

#include "wire/document.h"

/* Accepts a condition that wire_metadata_holds() can decide in bounded time and memory: a well-formed pointer, and an
 * expected value that is small, not deep, and whose maps have scalar keys, each once. */
WARN_UNUSED enum status wire_metadata_check(struct bytes pointer, struct wire_value expected,
                                            const struct wire_path *path, struct error *error);

#endif
