/* wire/text.h: text of a request within a message for people. */
#ifndef POLARIS_PLUGIN_WIRE_TEXT_H
#define POLARIS_PLUGIN_WIRE_TEXT_H

#include "bytes.h"

/* Room for a quoted text; longer ones end in "...". */
enum { WIRE_QUOTE_SIZE = 68 };

/* Writes `text` as a NUL-terminated string that is valid UTF-8 without control characters: what is not becomes '?'. */
void wire_quote(char target[WIRE_QUOTE_SIZE], struct bytes text);

/* The length of the UTF-8 sequence at `data`, of which `left` >= 1 bytes are there; 0: it is malformed. */
size_t wire_utf8_sequence(const uint8_t *data, size_t left);

#endif
