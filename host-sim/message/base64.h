/* base64.h: base64 of RFC 4648 with padding, as JSON strings. */
#ifndef POLARIS_HOST_BASE64_H
#define POLARIS_HOST_BASE64_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"

/* NULL: no memory, or beyond 1 GiB. */
json_t *base64_encode(const void *data, size_t size) WARN_UNUSED;

/* Takes canonical text only: padded, no white space, no stray bits, so that text and bytes map one to one. *ret_data is
 * the caller's to free() and never NULL on success. */
bool base64_decode(const json_t *text, uint8_t **ret_data, size_t *ret_size) WARN_UNUSED;

#endif
