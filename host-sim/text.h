/* text.h: bytes from elsewhere that are to be shown as text. */
#ifndef POLARIS_HOST_TEXT_H
#define POLARIS_HOST_TEXT_H

#include <stddef.h>

/* How many bytes the character at `text` has, or 0: it is none of UTF-8 (RFC 3629). `text` ends with a zero byte. */
size_t text_character_size(const unsigned char *text);

enum text_controls { TEXT_KEEPS_CONTROLS, TEXT_WITHOUT_CONTROLS };

/* Makes a question mark of each byte that is not UTF-8, and of each that is part of a control character, if they are
 * not kept. */
void text_make_good(char *text, enum text_controls controls);

#endif
