/* support.h: helpers of the message tests. */
#ifndef TESTS_MESSAGE_SUPPORT_H
#define TESTS_MESSAGE_SUPPORT_H

#include "message/message.h"

/* Checks that the JSON text packs to exactly these bytes, and that the bytes unpack to `back` (NULL: the same text).
 * An assertion of Criterion fails otherwise. */
void check_both_ways(const char *json, const char *bytes, size_t size, const char *back);

/* Checks that the bytes unpack to this JSON text. */
void check_unpacks(const char *bytes, size_t size, const char *json);

/* The value of a JSON text that must be good. */
json_t *parse(const char *json);

/* The failure of a JSON text that must not pack, or of bytes that must not unpack. */
struct failure pack_failure(const char *json);
struct failure unpack_failure(const void *bytes, size_t size);

/* A literal with its size, for the bytes above: NULs count. */
#define BYTES(literal) literal, sizeof(literal) - 1

#endif
