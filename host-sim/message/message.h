/* message.h: messages as JSON values (jansson), and their lossless mapping from and to msgpack (abi/SPEC.md, section
 * 9). */
#ifndef POLARIS_HOST_MESSAGE_H
#define POLARIS_HOST_MESSAGE_H

#include <jansson.h>

#include "failure.h"
#include "host/host.h"

/* How deep messages may be nested: the deepest request that a plugin may be configured to take (1024, abi/SPEC.md), and
 * what a reply wraps around the payload of such a request. */
#define MESSAGE_DEPTH_MAX 1040u

/* JSON text to a value: duplicate keys refused, trailing text refused, integers beyond int64 refused with a hint at
 * $uint. The failure gives line and column. */
bool message_parse(const char *text, size_t size, json_t **ret_value, struct failure *failure)
    __attribute__((warn_unused_result));

/* The same for one line of a longer text: the failure counts lines from `line`. */
bool message_parse_line(const char *text, size_t size, uint64_t line, json_t **ret_value, struct failure *failure)
    __attribute__((warn_unused_result));

/* Packs a value; *ret_data is the caller's to free(). */
bool message_pack(const json_t *value, uint8_t **ret_data, size_t *ret_size, struct failure *failure)
    __attribute__((warn_unused_result));

/* Packs the request {"op": "append", "events": [...]} around events that were packed before. */
bool message_pack_append(const polaris_bytes *events, size_t count, uint8_t **ret_data, size_t *ret_size,
                         struct failure *failure) __attribute__((warn_unused_result));

/* Unpacks hostile bytes: bounded by their size, whatever their headers claim; exactly one value. */
bool message_unpack(const void *data, size_t size, json_t **ret_value, struct failure *failure)
    __attribute__((warn_unused_result));

/* Compact JSON text in one line; the caller free()s it. NULL: no memory. */
char *message_print(const json_t *value);

/* host_open with the configuration as a value, which stands in for options->config and, if it is that of a writer, for
 * options->reader_config. */
bool message_open(const json_t *config, const struct host_options *options, struct host **ret_host,
                  struct reply *ret_reply, struct failure *failure) __attribute__((warn_unused_result));

/* One call with JSON in and out: packs `request` (stolen), calls, unpacks. Returns the status of the verb; *ret_reply
 * is a new reference (the error map after an error), or NULL if there was none that can be read. A request that cannot
 * be packed or a reply that is no msgpack gives POLARIS_ES_INTERNAL, and *ret_reply is an error map made here. */
int32_t message_call(struct host *host, enum host_verb verb, json_t *request, json_t **ret_reply);

#endif
