/* dead_letters.h: rows of the dead letter table, for reads and writes. */
#ifndef POLARIS_SQLITE_DEAD_LETTERS_H
#define POLARIS_SQLITE_DEAD_LETTERS_H

#include "storage/sqlite/sqlite.h"

#define DEAD_LETTER_COLUMNS                                                                                            \
    "d.id, d.event_id, c.name, s.name, d.holder, d.reason, d.state, d.attempts, d.attempts_max, d.due_us,"             \
    " d.lease_until_us, d.token, d.counted, d.created_us, d.updated_us"
#define DEAD_LETTER_JOINS " LEFT JOIN consumer c ON c.id = d.consumer_id LEFT JOIN stream s ON s.id = d.stream_id"

/* A row of DEAD_LETTER_COLUMNS, without its failures. Views are valid until the statement's next step. */
void dead_letter_from_row(const struct statement *row, struct dead_letter *ret_letter);

/* Reads the failures and, if wanted, the event of the letter, and hands it over. */
WARN_UNUSED enum status dead_letter_show(struct connection *connection, struct dead_letter *letter, bool with_event,
                                         dead_letter_visitor visit, void *context, bool *ret_more, struct error *error);

/* Finds one entry. Views are valid until *statement is released. NOT_FOUND. */
WARN_UNUSED enum status dead_letter_find(struct connection *connection, const struct dead_letter_ref *ref,
                                         const char *what, struct statement *statement, struct dead_letter *ret_letter,
                                         struct error *error);

/* The number of a consumer; 0: unknown. */
WARN_UNUSED enum status consumer_find(struct connection *connection, struct bytes name, int64_t *ret_id,
                                      struct error *error);

/* ---- for the writer's jobs ---- */

/* What a job works with; lives on the caller's stack. */
struct dead_letter_job {
    struct sqlite_storage *self;
    const void *request;
    dead_letter_visitor visit;
    void *context;
    bool stopped; /* the last visit wanted no more */
    int64_t next_due_us;
    int64_t parked;
    int64_t count;
};

static inline struct connection *dead_letter_connection(const struct dead_letter_job *job) {
    return &job->self->writer.connection;
}

/* Loads an entry for a change. Views of the letter are dropped: they would not outlive the statement. NOT_FOUND. */
WARN_UNUSED enum status dead_letter_load(struct dead_letter_job *job, const struct dead_letter_ref *ref,
                                         const char *what, struct dead_letter *ret_letter, struct error *error);
WARN_UNUSED enum status dead_letter_save(struct connection *connection, const struct dead_letter *letter,
                                         int64_t now_us, struct error *error);
/* Adds a failure, and forgets those before the last ten. */
WARN_UNUSED enum status dead_letter_add_failure(struct connection *connection, int64_t letter_id,
                                                const struct dead_letter_failure *failure, int64_t now_us,
                                                struct error *error);
WARN_UNUSED enum status dead_letter_show_one(struct dead_letter_job *job, int64_t id, bool with_event,
                                             struct error *error);

#endif
