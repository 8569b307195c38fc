/* base64.c: base64 by libcrypto, made strict: what decodes is exactly what encoding gives. */
#include "message/base64.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* libcrypto counts in int. */
static const size_t SIZE_MAX_BYTES = (size_t)1 << 30;

static void freep(unsigned char **memory) {
    free(*memory);
}

json_t *base64_encode(const void *data, size_t size) {
    if (size > SIZE_MAX_BYTES) {
        return NULL;
    }
    CLEANUP(freep) unsigned char *text = malloc((size + 2) / 3 * 4 + 1);
    if (text == NULL) {
        return NULL;
    }
    int length = EVP_EncodeBlock(text, data, (int)size);
    return json_stringn_nocheck((const char *)text, (size_t)length);
}

bool base64_decode(const json_t *text, uint8_t **ret_data, size_t *ret_size) {
    const char *source = json_string_value(text);
    size_t length = json_string_length(text);
    if (source == NULL || length % 4 != 0 || length > SIZE_MAX_BYTES) {
        return false;
    }
    CLEANUP(freep) unsigned char *data = malloc(length / 4 * 3 + 1);
    if (data == NULL || EVP_DecodeBlock(data, (const unsigned char *)source, (int)length) < 0) {
        return false;
    }
    /* libcrypto decodes padding as zeros, and skips white space: encoding again tells what was not canonical. */
    size_t size = length / 4 * 3;
    if (length > 0) {
        size -= (size_t)(source[length - 1] == '=') + (size_t)(source[length - 2] == '=');
    }
    json_auto_t *again = base64_encode(data, size);
    if (again == NULL || json_string_length(again) != length || memcmp(json_string_value(again), source, length) != 0) {
        return false;
    }
    *ret_data = data;
    *ret_size = size;
    data = NULL; /* the caller owns it now */
    return true;
}
