/* schemas.h: what appends ask of the registry. */
#ifndef POLARIS_SQLITE_SCHEMAS_H
#define POLARIS_SQLITE_SCHEMAS_H

#include "storage/sqlite/writer.h"

/* BUSY: schemas or settings were changed since `generation`, by which a request was checked. */
WARN_UNUSED enum status schemas_check_generation(const struct writer *writer, int64_t generation, const char *what,
                                                 struct error *error);

#endif
