/* rejected.h: an event that the schema of its type did not allow, kept with the reasons under the policy dead_letter.
 * It has no id and is no event; corrected, or under another schema, it may become one.
 *
 *     waiting --resubmit--> resubmitted          waiting --discard (with a reason)--> discarded */
#ifndef POLARIS_PLUGIN_REJECTED_H
#define POLARIS_PLUGIN_REJECTED_H

#include <stdint.h>

#include "bytes.h"

/* The numbers stand in the file. */
enum rejected_state {
    REJECTED_WAITING = 0,
    REJECTED_RESUBMITTED = 1,
    REJECTED_DISCARDED = 2,
    REJECTED_STATE_COUNT /* of an entry whose row is damaged */
};

/* On its way out. Views are valid during the visit only. */
struct rejected_entry {
    int64_t id;
    struct bytes type;
    int64_t schema_version; /* that did not allow it */
    enum rejected_state state;
    struct bytes event;    /* the request's event, a msgpack map, byte for byte */
    struct bytes failures; /* a msgpack array */
    int64_t created_us;
    int64_t updated_us;
    int64_t event_id;    /* resubmitted: what it became; otherwise 0 */
    struct bytes reason; /* of a discard, or absent */
};

#endif
