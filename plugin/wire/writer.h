/* wire/writer.h: building one reply with msgpack-c's packer. Failure is sticky: write everything, then ask once. */
#ifndef POLARIS_PLUGIN_WIRE_WRITER_H
#define POLARIS_PLUGIN_WIRE_WRITER_H

#include "bytes.h"
#include "error.h"

struct wire_writer {
    struct buffer buffer;
    bool failed; /* out of memory; everything after is ignored */
};

void wire_writer_done(struct wire_writer *writer);
WARN_UNUSED enum status wire_writer_check(const struct wire_writer *writer, struct error *error); /* NO_MEMORY */

/* Absent views are written as nil. */
void wire_put_map(struct wire_writer *writer, uint32_t pairs);
void wire_put_array(struct wire_writer *writer, uint32_t elements);
void wire_put_nil(struct wire_writer *writer);
void wire_put_bool(struct wire_writer *writer, bool value);
void wire_put_int(struct wire_writer *writer, int64_t value);
void wire_put_int_or_nil(struct wire_writer *writer, int64_t value); /* nil for 0: there is none */
void wire_put_float(struct wire_writer *writer, double value);
void wire_put_str(struct wire_writer *writer, struct bytes text);
void wire_put_text(struct wire_writer *writer, const char *text);
void wire_put_bin(struct wire_writer *writer, struct bytes data);
/* A value that is msgpack already, as it is. */
void wire_put_raw(struct wire_writer *writer, struct bytes value);

/* Containers whose count is known only at the end: five bytes are reserved, the count is set by wire_close. A writer that
 * is rolled back to a mark forgets what came after. */
size_t wire_open_map(struct wire_writer *writer);
size_t wire_open_array(struct wire_writer *writer);
void wire_close(struct wire_writer *writer, size_t opened, uint32_t count);
void wire_rollback(struct wire_writer *writer, size_t size);

#endif
