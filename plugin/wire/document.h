/* wire/document.h: a hostile msgpack request, checked in one bounded pass and then read field by field.
 *
 * The shape pass proves before anything else is done: exactly one value, no trailing bytes, no count larger than the
 * bytes left, no nesting deeper than the limit. It writes a tape (one item per value, in document order), so that
 * nothing is parsed twice. It allocates in proportion to the bytes present, never to what a header claims. */
#ifndef POLARIS_PLUGIN_WIRE_DOCUMENT_H
#define POLARIS_PLUGIN_WIRE_DOCUMENT_H

#include "bytes.h"
#include "error.h"

enum wire_kind {
    WIRE_NIL,
    WIRE_BOOL,
    WIRE_INT,  /* fits int64 */
    WIRE_UINT, /* above INT64_MAX */
    WIRE_FLOAT,
    WIRE_STR,
    WIRE_BIN,
    WIRE_EXT,
    WIRE_ARRAY,
    WIRE_MAP
};

/* What JSON lacks, of an array or map and all that is inside it. The pass only notes it: nothing is refused for it. */
enum wire_lack {
    WIRE_LACKS_TEXT = 1,  /* a string that is not UTF-8 */
    WIRE_LACKS_VALUE = 2, /* binary data, an extension value, a number that is not finite */
    WIRE_LACKS_KEYS = 4   /* a map has a key that is no string, or one twice, or too many keys to have been compared */
};

/* 16 bytes a value; laid out so that validation can run over it. */
struct wire_item {
    uint32_t offset;     /* of the value's first byte (its header) in the document */
    uint32_t size;       /* of the payload: str, bin, ext; otherwise number of elements (array) or pairs (map) */
    uint32_t next;       /* index of the item after this value and all that is inside it */
    uint8_t kind;        /* enum wire_kind */
    uint8_t header_size; /* bytes before the payload or the elements; of other kinds: all of the value */
    uint16_t mark;       /* str: a seeded hash of it (wire/shape.h); array, map: set of enum wire_lack; others: 0 */
};

/* Owner of the tape; borrows the bytes. A zeroed one is empty; wire_document_done() leaves it so. Parsing again into
 * the same one takes the memory that it has. */
struct wire_document {
    struct bytes input;
    struct wire_item *items;
    uint32_t item_count;
    uint32_t item_capacity;
    uint64_t seed; /* that the marks of its strings were made with */
};

struct wire_limits {
    uint64_t size_max;
    uint32_t depth_max; /* of arrays and maps within each other; the outermost is 1; above 1024 it counts as 1024 */
    uint64_t seed;      /* of the marks: a secret, where others choose the input, so that no keys are made to collide */
};

/* INVALID: not exactly one well-formed value; the message gives the offset. TOO_LARGE: a limit. The document is empty
 * then, and owns memory only if it did before. */
WARN_UNUSED enum status wire_document_parse(struct wire_document *document, struct bytes input,
                                            const struct wire_limits *limits, struct error *error);
void wire_document_done(struct wire_document *document);
/* Empties it for the next input, and lends no bytes any more, but keeps its memory: up to WIRE_DOCUMENT_KEPT items, so
 * that one large input is not paid for ever. Whoever parses one input after the other has one document, resets it after
 * each, and is done with it at the end: then only an input larger than all before allocates. */
void wire_document_reset(struct wire_document *document);
enum { WIRE_DOCUMENT_KEPT = 65536 /* 1 MiB */ };

/* A value in a document. */
struct wire_value {
    const struct wire_document *document;
    uint32_t index;
};

static inline enum wire_kind wire_value_kind(struct wire_value value) {
    return (enum wire_kind)value.document->items[value.index].kind;
}
const char *wire_kind_name(enum wire_kind kind); /* "an integer", "a string", ...: for messages */

/* All bytes of the value as they came, header included. */
struct bytes wire_value_raw(struct wire_value value);
/* Of a str, bin or ext (without its type): the payload. Present even when empty. */
struct bytes wire_value_payload(struct wire_value value);
int64_t wire_value_int(struct wire_value value);     /* WIRE_INT */
uint64_t wire_value_uint(struct wire_value value);   /* WIRE_INT that is not negative, WIRE_UINT */
double wire_value_float(struct wire_value value);    /* WIRE_FLOAT */
bool wire_value_bool(struct wire_value value);       /* WIRE_BOOL */
int8_t wire_value_ext_type(struct wire_value value); /* WIRE_EXT */

/* Where a value stands, for messages: a chain on the stack, made into an RFC 6901 pointer only when something fails. */
struct wire_path {
    const struct wire_path *parent; /* NULL: this is the path of the request itself; a map that was opened has it */
    const char *name;               /* of a map's field, or NULL */
    int64_t index;                  /* of an array's element, if name is NULL */
};

/* Puts the pointer of `path` + `name` (or of `path` alone, name NULL) into the error. Returns error->status. */
enum status wire_error_at(struct error *error, const struct wire_path *path, const char *name);

/* A map read by name. Asking for a field marks it; wire_map_finish() refuses the map if one was never asked for: a
 * typing mistake is never ignored. */
struct wire_map {
    struct wire_value value;
    const struct wire_path *path;
    uint64_t seen; /* bit i: the i-th pair was asked for */
};

/* INVALID: not a map, a key that is no string, a key twice, or more than 64 pairs. */
WARN_UNUSED enum status wire_map_open(struct wire_map *ret_map, struct wire_value value, const struct wire_path *path,
                                      struct error *error);
/* INVALID names the first unknown field, and where it stands. `what` is what the map is: "store append". */
WARN_UNUSED enum status wire_map_finish(const struct wire_map *map, const char *what, struct error *error);

/* Each of these finds the field `name`, checks it, and sets *ret. An optional field that is absent leaves *ret alone
 * and is OK; so give *ret its default first. nil counts as absent. All errors are INVALID and name the path. */
enum wire_presence { OPTIONAL, REQUIRED };

/* False: absent. */
bool wire_map_find_or_nil(struct wire_map *map, const char *name, struct wire_value *ret_value);
/* The same, and nil counts as absent. */
bool wire_map_find(struct wire_map *map, const char *name, struct wire_value *ret_value);
/* A non-empty UTF-8 string without NUL, at most size_max bytes. Longer: INVALID, naming both sizes. */
WARN_UNUSED enum status wire_map_name(struct wire_map *map, const char *name, enum wire_presence presence,
                                      size_t size_max, struct bytes *ret, struct error *error);
/* Any UTF-8 string without NUL, empty too, at most size_max bytes. */
WARN_UNUSED enum status wire_map_text(struct wire_map *map, const char *name, enum wire_presence presence,
                                      size_t size_max, struct bytes *ret, struct error *error);
/* Integers; a float, even a whole one, is refused. */
WARN_UNUSED enum status wire_map_int(struct wire_map *map, const char *name, enum wire_presence presence, int64_t min,
                                     int64_t max, int64_t *ret, struct error *error);
/* A float or an integer; NaN is refused. */
WARN_UNUSED enum status wire_map_number(struct wire_map *map, const char *name, enum wire_presence presence, double min,
                                        double max, double *ret, struct error *error);
WARN_UNUSED enum status wire_map_bool(struct wire_map *map, const char *name, enum wire_presence presence, bool *ret,
                                      struct error *error);
/* An integer (microseconds) or a msgpack timestamp (ext -1; nanoseconds are cut), within TIME_US_MIN and _MAX. */
WARN_UNUSED enum status wire_map_time(struct wire_map *map, const char *name, enum wire_presence presence,
                                      bool *ret_present, int64_t *ret_us, struct error *error);
/* One of `choices` (NULL-terminated); *ret is its index. The message lists the choices. */
WARN_UNUSED enum status wire_map_choice(struct wire_map *map, const char *name, enum wire_presence presence,
                                        const char *const *choices, int *ret, struct error *error);
/* A map as it came, byte for byte, at most size_max bytes (TOO_LARGE). */
WARN_UNUSED enum status wire_map_raw_map(struct wire_map *map, const char *name, enum wire_presence presence,
                                         size_t size_max, struct bytes *ret, struct error *error);
/* An array of at most count_max elements (INVALID beyond); *ret_count elements, first at *ret_first: step with
 * wire_value_next. Present: true. */
WARN_UNUSED enum status wire_map_array(struct wire_map *map, const char *name, enum wire_presence presence,
                                       size_t count_max, bool *ret_present, struct wire_value *ret_first,
                                       size_t *ret_count, struct error *error);
/* An array of 1 to count_max names, each like wire_map_name. `ret` has room for count_max views; on failure some may
 * have been written. */
WARN_UNUSED enum status wire_map_names(struct wire_map *map, const char *name, enum wire_presence presence,
                                       size_t size_max, size_t count_max, struct bytes *ret, uint32_t *ret_count,
                                       struct error *error);

static inline struct wire_value wire_value_next(struct wire_value value) {
    return (struct wire_value){value.document, value.document->items[value.index].next};
}

/* True for well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool wire_utf8_valid(struct bytes text);

/* The first bytes of a valid `text`, at most size_max, without a character cut in two. */
struct bytes wire_utf8_cut(struct bytes text, size_t size_max);

#endif
