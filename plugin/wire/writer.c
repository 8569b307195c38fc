/* wire/writer.c: msgpack-c's packer into a buffer. The one file that sees msgpack-c: it is never handed a host's bytes.
 */
#include "wire/writer.h"

#include <msgpack.h>

/* A container whose count is not known yet: the widest header, so that any count fits. */
enum { OPEN_MAP = 0xDF, OPEN_ARRAY = 0xDD, OPEN_HEADER_SIZE = 5 };

enum { FIXSTR = 0xA0, FIXSTR_SIZE_MAX = 31 };

static int write_piece(void *context, const char *data, size_t size) {
    struct wire_writer *writer = context;
    if (!writer->failed && !buffer_append(&writer->buffer, data, size)) {
        writer->failed = true;
    }
    return writer->failed ? -1 : 0;
}

static msgpack_packer packer_of(struct wire_writer *writer) {
    return (msgpack_packer){.data = writer, .callback = write_piece};
}

/* The packer's results are not looked at: failure is kept by the writer. */

void wire_writer_done(struct wire_writer *writer) {
    buffer_done(&writer->buffer);
    writer->failed = false;
}

enum status wire_writer_check(const struct wire_writer *writer, struct error *error) {
    if (writer->failed) {
        return error_set(error, NO_MEMORY, "no memory for the reply, of which %zu bytes were written",
                         writer->buffer.size);
    }
    return OK;
}

void wire_put_map(struct wire_writer *writer, uint32_t pairs) {
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_map(&packer, pairs);
}

void wire_put_array(struct wire_writer *writer, uint32_t elements) {
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_array(&packer, elements);
}

void wire_put_nil(struct wire_writer *writer) {
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_nil(&packer);
}

void wire_put_bool(struct wire_writer *writer, bool value) {
    msgpack_packer packer = packer_of(writer);
    if (value) {
        msgpack_pack_true(&packer);
    } else {
        msgpack_pack_false(&packer);
    }
}

void wire_put_int(struct wire_writer *writer, int64_t value) {
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_int64(&packer, value);
}

void wire_put_int_or_nil(struct wire_writer *writer, int64_t value) {
    if (value != 0) {
        wire_put_int(writer, value);
    } else {
        wire_put_nil(writer);
    }
}

void wire_put_float(struct wire_writer *writer, double value) {
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_double(&packer, value);
}

/* Names of fields are most of what replies are made of: a header of one byte (fixstr), and the text, in one go. */
static void put_short_str(struct wire_writer *writer, struct bytes text) {
    struct buffer *buffer = &writer->buffer;
    if (writer->failed || !buffer_reserve(buffer, text.size + 1)) {
        writer->failed = true;
        return;
    }
    buffer->data[buffer->size] = (uint8_t)(FIXSTR | text.size);
    memcpy(buffer->data + buffer->size + 1, text.data, text.size);
    buffer->size += text.size + 1;
}

void wire_put_str(struct wire_writer *writer, struct bytes text) {
    if (!bytes_present(text)) {
        wire_put_nil(writer);
        return;
    }
    if (text.size <= FIXSTR_SIZE_MAX) {
        put_short_str(writer, text);
        return;
    }
    if (text.size > UINT32_MAX) {
        writer->failed = true; /* msgpack has no such string */
        return;
    }
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_str(&packer, text.size);
    msgpack_pack_str_body(&packer, text.data, text.size);
}

void wire_put_text(struct wire_writer *writer, const char *text) {
    wire_put_str(writer, bytes_from_string(text));
}

void wire_put_bin(struct wire_writer *writer, struct bytes data) {
    if (!bytes_present(data)) {
        wire_put_nil(writer);
        return;
    }
    if (data.size > UINT32_MAX) {
        writer->failed = true;
        return;
    }
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_bin(&packer, data.size);
    msgpack_pack_bin_body(&packer, data.data, data.size);
}

void wire_put_raw(struct wire_writer *writer, struct bytes value) {
    if (!bytes_present(value)) {
        wire_put_nil(writer);
        return;
    }
    (void)write_piece(writer, (const char *)value.data, value.size);
}

static size_t open_container(struct wire_writer *writer, uint8_t first) {
    size_t opened = writer->buffer.size;
    const char header[OPEN_HEADER_SIZE] = {(char)first};
    (void)write_piece(writer, header, sizeof header);
    return opened;
}

size_t wire_open_map(struct wire_writer *writer) {
    return open_container(writer, OPEN_MAP);
}

size_t wire_open_array(struct wire_writer *writer) {
    return open_container(writer, OPEN_ARRAY);
}

void wire_close(struct wire_writer *writer, size_t opened, uint32_t count) {
    if (writer->failed) {
        return;
    }
    uint8_t *header = writer->buffer.data + opened;
    for (int i = 0; i < 4; i++) {
        header[1 + i] = (uint8_t)(count >> (24 - 8 * i));
    }
}

void wire_rollback(struct wire_writer *writer, size_t size) {
    if (size < writer->buffer.size) {
        writer->buffer.size = size;
    }
}
