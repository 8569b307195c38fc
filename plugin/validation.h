/* validation.h: the events of a request, held against the schemas of their types before they are stored. */
#ifndef POLARIS_PLUGIN_VALIDATION_H
#define POLARIS_PLUGIN_VALIDATION_H

#include "use_cases.h"
#include "validate/validate.h"

/* What is to be told of an event that its schema does not allow. */
struct validation_note {
    size_t index; /* among the events */
    int64_t version;
    size_t failures, failures_size; /* in `text`: a msgpack array */
    bool truncated;
    char line[256];      /* the first failure, or the limit that was hit */
    char limit_name[32]; /* the limit, or "" */
    int64_t limit;
};

/* A zeroed one is empty. */
struct validation {
    int64_t generation; /* of schemas, by which the events were judged */
    struct validation_note *notes;
    size_t note_count, note_capacity;
    struct wire_writer text;
    uint32_t rounds;
    bool storage_decides; /* set by the caller: whatever is refused, the storage is asked first */
};

void validation_done(struct validation *validation);

/* Judges the events, whose payloads stand on `document`: sets their verdict, schema_version and failures, which point
 * into the validation. REJECTED: an event without a key that its policy refuses; TOO_LARGE: one that hit a limit. An
 * event with a key may have been stored before, so the storage has the last word, and validation_explain_refusal
 * describes it. INCOMPATIBLE, TOO_LARGE, CORRUPT: the schema that is kept cannot be used. Paths begin with /events/N.
 */
WARN_UNUSED enum status validation_run(struct validation *validation, struct call *call,
                                       const struct wire_document *document, struct event *events, size_t count);

/* The storage refused with BUSY because schemas were changed after validation_run: run it again. */
bool validation_is_stale(struct validation *validation, struct call *call, enum status status);

/* After the storage refused: adds what is known to a REJECTED. Returns `status`. */
enum status validation_explain_refusal(struct validation *validation, struct call *call, const struct event *events,
                                       enum status status);

/* Bytes that validation_put will need at most. */
size_t validation_reply_size(const struct validation *validation);
/* Logs the warnings, and writes `rejected` and `warnings`, where there are any; returns how many pairs. */
uint32_t validation_put(const struct validation *validation, struct call *call, const struct event *events,
                        const struct append_result *results);

#endif
