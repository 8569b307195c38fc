/* schemas.h: what appends ask of the registry. */
#ifndef POLARIS_SQLITE_SCHEMAS_H
#define POLARIS_SQLITE_SCHEMAS_H

#include "storage/sqlite/writer.h"

/* BUSY: the schema or the settings of an event's type were changed since `generation`, by which they were judged. */
WARN_UNUSED enum status schemas_check_generation(const struct writer *writer, int64_t generation,
                                                 const struct event *events, size_t count, const char *what,
                                                 struct error *error);

#endif
