/* compatible.h: can one schema read what another one allows: is every payload that is valid under the writer's schema
 * valid under the reader's?
 *
 * Backward compatible: the new schema reads, the old one wrote. Forward: the other way round.
 *
 * YES has a proof. NO has a witness: a payload that was run through both compiled programs, valid under the writer's
 * and invalid under the reader's. UNKNOWN is everything else, with the reason; events that are stored may settle it.
 *
 * CONTENT MODEL. An open object (`additionalProperties` absent or true) is where registries and their users disagree.
 * STRICT takes the schema at its word: the writer may have put anything under a name that its schema does not declare.
 * So to declare a new optional property with a constraint is not backward compatible: {"new": <something else>} was
 * valid before. LENIENT takes it that nobody writes what is not declared: where an object of the writer has
 * `properties` or `patternProperties`, names that are not in these, nor required, are taken as never written, unless
 * `additionalProperties` is a schema of its own. An object that declares no property at all is a free map, in both
 * models.
 *
 * `default` changes nothing: validation fills nothing in, so a property that is required and has a default is required.
 *
 *     One property p: {type: integer} is added to, or removed from, an object that also has others. Does the reader
 *     read what the writer wrote? Backward: the new schema reads. S strict, L lenient; one word where they agree.
 *
 *                                     backward             forward
 *     open    add     required        NO                   YES
 *     open    add     with default    NO (required)        YES
 *     open    add     optional        S NO, L YES          YES
 *     open    remove  required        YES                  NO
 *     open    remove  with default    YES                  NO (required)
 *     open    remove  optional        YES                  S NO, L YES
 *     closed  add     required        NO                   NO
 *     closed  add     with default    NO (required)        NO (required)
 *     closed  add     optional        YES                  NO
 *     closed  remove  required        NO                   NO
 *     closed  remove  with default    NO (required)        NO (required)
 *     closed  remove  optional        NO                   YES
 *
 *     (An optional property with a default is an optional property.) */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPATIBLE_H
#define POLARIS_PLUGIN_VALIDATE_COMPATIBLE_H

#include "validate/validate.h"

enum compatible_answer { COMPATIBLE_YES, COMPATIBLE_NO, COMPATIBLE_UNKNOWN };
enum compatible_content { COMPATIBLE_STRICT, COMPATIBLE_LENIENT };

enum {
    COMPATIBLE_DIFFERENCES_MAX = 64,    /* in one report; what comes after is `truncated` */
    COMPATIBLE_WITNESS_SIZE_MAX = 65536 /* bytes */
};

/* A schema, how it was compiled, and what came of it; all borrowed. */
struct compatible_side {
    struct wire_value schema;
    const struct validate_options *options;
    const struct validate_program *program;
};

/* One thing that the writer allows and the reader does not, or may not. Texts are UTF-8 and borrowed from the report.
 */
struct compatible_difference {
    const char *kind;              /* "type_narrowed", "property_required", ...: a literal */
    struct bytes writer_path;      /* RFC 6901 pointer to the keyword in the writer's schema, or to where it would */
    struct bytes reader_path;      /* stand; the same in the reader's. In other documents: after their URI and '#' */
    enum compatible_answer answer; /* NO or UNKNOWN */
    struct bytes message;          /* "property 'age' is required" */
    struct bytes witness;          /* one msgpack value, of NO; or absent */
};

/* Differences in the order of the reader's schema. A zeroed one is empty. */
struct compatible_report {
    bool truncated;
    uint32_t count;
    uint32_t capacity;
    struct compatible_entry *entries;
    struct buffer text;
};

void compatible_report_done(struct compatible_report *report);
struct compatible_difference compatible_report_at(const struct compatible_report *report, uint32_t index);

const char *compatible_answer_name(enum compatible_answer answer); /* "yes", "no", "unknown" */

/* Compares one pair in one direction. The report, which must be empty, has what stands between the answer and YES.
 * The reader's limits bound the work: a budget that is used up makes the answer UNKNOWN, never YES.
 * TOO_LARGE: a limit of either schema when it is read again. NO_MEMORY. */
WARN_UNUSED enum status compatible_check(const struct compatible_side *writer, const struct compatible_side *reader,
                                         enum compatible_content content, struct validate_context *context,
                                         enum compatible_answer *ret_answer, struct compatible_report *report,
                                         struct error *error);

#endif
