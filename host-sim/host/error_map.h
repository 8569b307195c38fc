/* error_map.h: the error maps that the host itself answers with, and the words in those of a plugin. */
#ifndef POLARIS_HOST_ERROR_MAP_H
#define POLARIS_HOST_ERROR_MAP_H

#include <polaris/event_store.h>
#include <stdbool.h>

#include "cleanup.h"

enum { ERROR_MAP_SIZE_MAX = 512 };

/* Writes {code, name, message, retryable, details: {}} and returns its size. A long message is cut. */
size_t error_map_write(uint8_t ret_map[ERROR_MAP_SIZE_MAX], int32_t status, const char *message);

/* The "message" of an error map in hostile bytes, cut to the capacity. False: there is none. */
bool error_map_message(const uint8_t *map, size_t size, char *ret_message, size_t capacity) WARN_UNUSED;

/* "NOT_FOUND" and the like; "UNKNOWN" for a number that is none. */
const char *status_text(int32_t status);

#endif
