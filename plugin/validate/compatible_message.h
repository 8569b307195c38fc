/* compatible_message.h: the words and the places of a difference. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPATIBLE_MESSAGE_H
#define POLARIS_PLUGIN_VALIDATE_COMPATIBLE_MESSAGE_H

#include "validate/compatible_witness.h"

struct difference_text {
    const char *kind;
    struct buffer writer_path, reader_path, message;
};

static inline struct bytes text_view(const struct buffer *text) {
    return text->data != NULL ? buffer_view(text) : BYTES_LITERAL("");
}

void difference_text_done(struct difference_text *text);
/* False: no memory. */
WARN_UNUSED bool difference_describe(struct prover *prover, const struct set *set, const struct obligation *obligation,
                                     bool has_witness, struct difference_text *ret);

#endif
