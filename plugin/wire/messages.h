/* wire/messages.h: the domain's own messages: how events, filters and dead letters look in msgpack (SPEC.md). */
#ifndef POLARIS_PLUGIN_WIRE_MESSAGES_H
#define POLARIS_PLUGIN_WIRE_MESSAGES_H

#include "config.h"
#include "dead_letter.h"
#include "event.h"
#include "wire/document.h"
#include "wire/writer.h"

/* ---- in ---- */

/* A type of the closed set, if `config->types_closed`. Views borrow from the document. INVALID, TOO_LARGE. */
WARN_UNUSED enum status wire_decode_event(struct wire_value value, const struct wire_path *path, const struct config *config,
                                     struct event *ret_event, struct error *error);

/* Reads either `event` (one) or `events` (1 to config->request_events_max) of a request. The array is the caller's to
 * free(). */
WARN_UNUSED enum status wire_decode_events(struct wire_map *map, const struct config *config, struct event **ret_events,
                                      size_t *ret_count, struct error *error);

/* A filter and what its metadata conditions need: `filter.metadata.context` points to `conditions`, so the struct must
 * not be moved once decoded. Views borrow from the document. */
struct wire_filter {
    struct event_filter filter;
    struct wire_metadata_conditions {
        uint32_t count;
        struct {
            struct bytes pointer; /* RFC 6901 */
            struct wire_value expected;
        } condition[FILTER_METADATA_MAX];
    } conditions;
    struct bytes raw; /* as it came, or absent: what a cursor is bound to */
};
/* The field `name` (a map); absent: lets everything pass. */
WARN_UNUSED enum status wire_decode_filter(struct wire_map *map, const char *name, struct wire_filter *ret_filter,
                                      struct error *error);

/* The configuration of init. INVALID for every unknown key or value out of range. */
WARN_UNUSED enum status wire_decode_config(struct bytes input, struct config *ret_config, struct error *error);

/* The metadata predicate: does the value at the pointer equal the expected one? Numbers compare by value (1 equals 1.0),
 * maps regardless of the order of their keys. A path that is not there equals nothing, not even nil. */
bool wire_metadata_holds(const void *conditions, struct bytes metadata);

/* ---- out ---- */

/* Is this one whole msgpack value of the kind? To be asked of what comes out of a file before it goes into a reply. */
bool wire_is_one(struct bytes value, enum wire_kind kind);
/* Writes a string in which each byte that is no UTF-8 is a '?'. */
void wire_put_mended(struct wire_writer *writer, struct bytes text);

void wire_encode_event(struct wire_writer *writer, const struct stored_event *event);
/* `event` NULL: without it. */
void wire_encode_dead_letter(struct wire_writer *writer, const struct dead_letter *letter,
                             const struct stored_event *event);
/* The error map {code, name, message, retryable, details}; details always has "path" when error->path is not empty. */
void wire_encode_error(struct wire_writer *writer, const struct error *error);
/* The error map alone, in place of whatever the writer held; without memory for it, one that says just that. */
struct bytes wire_error_reply(struct wire_writer *writer, const struct error *error);

#endif
