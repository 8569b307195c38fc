/* instant.h: times as people write them. */
#ifndef POLARIS_HOST_INSTANT_H
#define POLARIS_HOST_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"

/* Room for what the compiler believes that a calendar may hold. */
enum { INSTANT_TEXT_SIZE = 96 };

/* Microseconds since 1970-01-01 UTC from RFC 3339 text ("2026-01-31T12:00:00.5+01:00"; UTC if no offset is given; the
 * time of day may be left out), or from the microseconds themselves. False: neither, a date that does not exist, or
 * four digits alone, which are more likely a year than 2026 microseconds. */
bool instant_parse(const char *text, int64_t *ret_us) WARN_UNUSED;

/* "2026-01-31T12:00:00.500000Z", which instant_parse reads back; the bare number outside of years 1 to 9999. */
void instant_print(int64_t us, char text[INSTANT_TEXT_SIZE]);

#endif
