/* stage.h: the events that were accepted in the transaction in progress and are not written yet.
 *
 * An append looks at the store and at the stage, and puts its events on the stage. They are written together, with one
 * statement for each table, before anybody looks for them by SQL and before the commit: that costs far less than event
 * by event, and an append that fails has nothing in the file to undo. */
#ifndef POLARIS_SQLITE_STAGE_H
#define POLARIS_SQLITE_STAGE_H

#include "storage/sqlite/connection.h"

/* Where and when an event is stored. */
struct placement {
    int64_t recorded_us;
    int64_t default_time_us; /* of an event without a time */
    int64_t batch_id;        /* 0: none */
};

struct staged_event {
    const struct event *event;
    int64_t id, type_id, time_us, recorded_us, batch_id;
    int64_t version;        /* in its stream */
    uint32_t stream;        /* its place among `streams`, plus 1; 0: none */
    int64_t stream_last_id; /* of the stream, before this event */
};

struct staged_stream {
    struct bytes name;
    int64_t id;
    int64_t stored_version; /* 0: it is new */
    int64_t version;
    int64_t first_id, last_id; /* of the events on the stage */
};

struct staged_tag {
    struct bytes name;
    int64_t id;
    int64_t count; /* of the events on the stage that have it */
    int64_t last_id;
};

/* A tag of an event. */
struct staged_link {
    int64_t tag_id; /* while it is not known: the place among `tags` */
    int64_t event_id;
};

/* What one of the tables reads (stage_table.c). */
struct stage_source {
    const struct stage *stage;
    const struct row_kind *kind;
};
enum { STAGE_TABLES = 4 };

/* Finds entries of an array by name: open addressing with linear probing. */
struct stage_index {
    uint32_t *places; /* in the array, plus 1; 0: free */
    uint32_t capacity;
    uint32_t count;
};

struct stage {
    struct stage_source sources[STAGE_TABLES];
    uint64_t seed;                        /* of the hashes of names, which others choose */
    bool types_are_sound, tags_are_sound; /* the ids of these tables were looked at */
    bool failed; /* writing failed: the transaction cannot be committed, and every flush says so again */
    struct error failure;
    uint64_t flushes; /* how often it was emptied */
    struct staged_event *events;
    uint32_t count, capacity;
    uint64_t bytes; /* of their payloads */
    struct staged_stream *streams;
    uint32_t stream_count, stream_capacity;
    int64_t last_stream_id; /* of the transaction; 0: not asked for yet */
    struct stage_index by_key, by_stream;
    /* While it is written: */
    struct staged_tag *tags;
    uint32_t tag_count, tag_capacity;
    struct stage_index by_tag;
    struct staged_link *links;
    uint32_t link_count, link_capacity;
};

struct writer;

/* Makes the connection able to read the stage, which must not move. */
WARN_UNUSED enum status stage_open(struct stage *stage, struct connection *connection, uint64_t seed,
                                   struct error *error);
void stage_done(struct stage *stage);

/* Puts the event, which stays as it is until the stage is emptied, and gives it an id and a version. CONFLICT: its
 * expected version. */
WARN_UNUSED enum status stage_put(struct writer *writer, const struct event *event, const struct placement *placement,
                                  struct append_result *ret_result, struct error *error);

/* The event on the stage with this key, or NULL. */
const struct staged_event *stage_find_key(const struct stage *stage, struct bytes key);

/* Writes all that is on the stage, and empties it. */
WARN_UNUSED enum status stage_flush(struct writer *writer, struct error *error);

/* Forgets all that is on it: the transaction was rolled back. */
void stage_clear(struct stage *stage);

/* Forgets what was put since the mark was taken. */
struct stage_mark {
    uint64_t flushes;
    uint32_t count;
};
static inline struct stage_mark stage_mark(const struct stage *stage) {
    return (struct stage_mark){stage->flushes, stage->count};
}
void stage_undo(struct stage *stage, struct stage_mark mark);

#endif
