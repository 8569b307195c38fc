/* format.h: the values of the keyword `format` in JSON Schema 2020-12 and draft-07, and whether a string has one. */
#ifndef POLARIS_PLUGIN_VALIDATE_FORMAT_H
#define POLARIS_PLUGIN_VALIDATE_FORMAT_H

#include "bytes.h"

/* X(CONSTANT, "name", in draft-07). All are in 2020-12. */
#define FORMATS(X)                                                                                                     \
    X(DATE_TIME, "date-time", true)                                                                                    \
    X(DATE, "date", true)                                                                                              \
    X(TIME, "time", true)                                                                                              \
    X(DURATION, "duration", false)                                                                                     \
    X(EMAIL, "email", true)                                                                                            \
    X(IDN_EMAIL, "idn-email", true)                                                                                    \
    X(HOSTNAME, "hostname", true)                                                                                      \
    X(IDN_HOSTNAME, "idn-hostname", true)                                                                              \
    X(IPV4, "ipv4", true)                                                                                              \
    X(IPV6, "ipv6", true)                                                                                              \
    X(URI, "uri", true)                                                                                                \
    X(URI_REFERENCE, "uri-reference", true)                                                                            \
    X(IRI, "iri", true)                                                                                                \
    X(IRI_REFERENCE, "iri-reference", true)                                                                            \
    X(URI_TEMPLATE, "uri-template", true)                                                                              \
    X(UUID, "uuid", false)                                                                                             \
    X(JSON_POINTER, "json-pointer", true)                                                                              \
    X(RELATIVE_JSON_POINTER, "relative-json-pointer", true)                                                            \
    X(REGEX, "regex", true)

enum format_id {
    FORMAT_UNKNOWN = 0, /* an annotation without meaning here */
#define FORMAT_CONSTANT(constant, name, in_draft_07) FORMAT_##constant,
    FORMATS(FORMAT_CONSTANT)
#undef FORMAT_CONSTANT
        FORMAT_COUNT
};

enum format_id format_find(struct bytes name);
bool format_in_draft_07(enum format_id format);
const char *format_name(enum format_id format); /* "" for FORMAT_UNKNOWN */

/* LIMIT: no verdict, as the text exceeds a limit (a regex) or memory ran out; never to be taken for NO. */
enum format_verdict { FORMAT_NO, FORMAT_YES, FORMAT_LIMIT };

/* Does the string have the format? FORMAT_UNKNOWN: always. Work is linear in the text's size; only regex and
 * idn-hostname allocate, and only in proportion to it. Text that is not UTF-8 has no format. */
enum format_verdict format_check(enum format_id format, struct bytes text);

#endif
