/* uri.h: references of RFC 3986, as far as identifiers of schemas need them: resolving, and fragments. */
#ifndef POLARIS_PLUGIN_VALIDATE_URI_H
#define POLARIS_PLUGIN_VALIDATE_URI_H

#include "bytes.h"
#include "cleanup.h"

/* Splits off the fragment, without its '#'; absent: there is none. */
void uri_split(struct bytes uri, struct bytes *ret_resource, struct bytes *ret_fragment);

/* Appends `reference`, which has no fragment, resolved against `base`, to the buffer. False: no memory. */
WARN_UNUSED bool uri_resolve(struct bytes base, struct bytes reference, struct buffer *ret);

/* Appends `text` with %XX decoded. A broken escape stays as it is. False: no memory. */
WARN_UNUSED bool uri_decode(struct bytes text, struct buffer *ret);

/* Appends `text` as the part of a JSON pointer in a fragment: ~ and / escaped, then what a fragment may not hold. */
WARN_UNUSED bool uri_append_token(struct bytes text, struct buffer *ret);

#endif
