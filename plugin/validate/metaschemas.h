/* metaschemas.h: the table that metaschemas.cmake makes out of meta/: what the dialects say of themselves. */
#ifndef POLARIS_PLUGIN_VALIDATE_METASCHEMAS_H
#define POLARIS_PLUGIN_VALIDATE_METASCHEMAS_H

#include <stddef.h>
#include <stdint.h>

enum { METASCHEMA_COUNT = 10 };

struct metaschema {
    const char *uri;
    const uint8_t *text; /* JSON */
    size_t size;
};

extern const struct metaschema METASCHEMAS[METASCHEMA_COUNT];

#endif
