/* sqlite.h: the SQLite backend's instance, shared by its files and by nothing else. */
#ifndef POLARIS_SQLITE_SQLITE_H
#define POLARIS_SQLITE_SQLITE_H

#include <pthread.h>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/files.h"
#include "storage/sqlite/readers.h"
#include "storage/sqlite/tail.h"
#include "storage/sqlite/writer.h"

struct sqlite_storage {
    struct storage base;
    struct config config; /* the parts that are not owned: `types` is NULL */
    struct storage_host host;
    struct retry_policy policy;
    int owner; /* descriptor of the lock, or -1 */
    struct files files;
    struct writer writer;
    struct readers readers;
    struct tail tail;
};

static inline struct sqlite_storage *sqlite_of(struct storage *base) {
    return (struct sqlite_storage *)base; /* base is its first member */
}

static inline int64_t sqlite_now(const struct sqlite_storage *self) {
    return self->host.now_us(self->host.context);
}

/* store (append.c, batch.c) */
WARN_UNUSED enum status sqlite_append(struct storage *base, const struct append_request *request,
                                      struct append_result *ret_results, struct append_summary *ret_summary,
                                      struct error *error);
WARN_UNUSED enum status sqlite_append_later(struct storage *base, struct append_later *later, struct error *error);
WARN_UNUSED enum status sqlite_batch_create(struct storage *base, struct bytes id, struct bytes metadata,
                                            batch_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_batch_append(struct storage *base, struct bytes id, const struct append_request *request,
                                            struct append_result *ret_results, int64_t *ret_count, struct error *error);
WARN_UNUSED enum status sqlite_batch_complete(struct storage *base, struct bytes id, batch_visitor visit, void *context,
                                              struct append_summary *ret_summary, struct error *error);
WARN_UNUSED enum status sqlite_batch_abort(struct storage *base, struct bytes id, struct bytes reason,
                                           batch_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_batch_get(struct storage *base, struct bytes id, batch_visitor visit, void *context,
                                         struct error *error);
WARN_UNUSED enum status sqlite_batch_list(struct storage *base, uint32_t states, struct bytes after, int64_t limit,
                                          batch_visitor visit, void *context, struct error *error);

/* query (events.c, names.c) */
WARN_UNUSED enum status sqlite_read_events(struct storage *base, const struct event_query *query, event_visitor visit,
                                           void *context, struct storage_head *ret_head, struct error *error);
WARN_UNUSED enum status sqlite_get_event(struct storage *base, int64_t id, event_visitor visit, void *context,
                                         struct error *error);
WARN_UNUSED enum status sqlite_count_events(struct storage *base, const struct event_filter *filter, int64_t *ret_count,
                                            struct error *error);
WARN_UNUSED enum status sqlite_histogram(struct storage *base, const struct event_filter *filter, enum histogram_by by,
                                         int64_t bucket_us, bucket_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_list_streams(struct storage *base, const struct name_page *page, stream_visitor visit,
                                            void *context, struct error *error);
WARN_UNUSED enum status sqlite_list_tags(struct storage *base, const struct name_page *page, tag_visitor visit,
                                         void *context, struct error *error);
WARN_UNUSED enum status sqlite_head(struct storage *base, struct storage_head *ret_head, struct error *error);

/* dlq (dead_letters.c, dead_letter_reads.c) */
WARN_UNUSED enum status sqlite_dead_letter_put(struct storage *base, const struct dead_letter_put *put,
                                               dead_letter_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_claim(struct storage *base, const struct dead_letter_claim_request *request,
                                                 dead_letter_visitor visit, void *context, int64_t *ret_next_due_us,
                                                 int64_t *ret_parked, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_resolve(struct storage *base, const struct dead_letter_change *change,
                                                   dead_letter_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_fail(struct storage *base, const struct dead_letter_change *change,
                                                dead_letter_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_discard(struct storage *base, const struct dead_letter_change *change,
                                                   dead_letter_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_get(struct storage *base, const struct dead_letter_ref *ref, bool with_event,
                                               dead_letter_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_list(struct storage *base, const struct dead_letter_list *list,
                                                dead_letter_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_count(struct storage *base, struct bytes consumer,
                                                 dead_letter_count_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_redrive_one(struct storage *base, const struct dead_letter_ref *ref,
                                                       dead_letter_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_redrive(struct storage *base, const struct dead_letter_filter *filter,
                                                   int64_t *ret_count, struct error *error);
WARN_UNUSED enum status sqlite_dead_letter_purge(struct storage *base, const struct dead_letter_filter *filter,
                                                 int64_t *ret_count, struct error *error);

/* schema (schemas.c) */
int64_t sqlite_schema_generation(struct storage *base);
WARN_UNUSED enum status sqlite_schema_put(struct storage *base, const struct schema_put *put, int64_t *ret_version,
                                          struct error *error);
WARN_UNUSED enum status sqlite_schema_get(struct storage *base, struct bytes type, int64_t version,
                                          schema_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_schema_versions(struct storage *base, struct bytes type, schema_visitor visit,
                                               void *context, struct error *error);
WARN_UNUSED enum status sqlite_schema_types(struct storage *base, const struct name_page *page,
                                            schema_type_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_schema_current(struct storage *base, struct bytes type, schema_current_visitor visit,
                                              void *context, struct error *error);
WARN_UNUSED enum status sqlite_schema_set(struct storage *base, struct bytes type,
                                          const struct schema_settings *settings, int64_t generation,
                                          struct error *error);
WARN_UNUSED enum status sqlite_schema_retire(struct storage *base, struct bytes type, int64_t version,
                                             int64_t *ret_current, struct error *error);

/* rejected (rejected.c) */
WARN_UNUSED enum status sqlite_rejected_get(struct storage *base, int64_t id, rejected_visitor visit, void *context,
                                            struct error *error);
WARN_UNUSED enum status sqlite_rejected_list(struct storage *base, const struct rejected_filter *filter,
                                             int64_t after_id, int64_t limit, rejected_visitor visit, void *context,
                                             struct error *error);
WARN_UNUSED enum status sqlite_rejected_resubmit(struct storage *base, int64_t id, const struct append_request *request,
                                                 struct append_result *ret_result, rejected_visitor visit,
                                                 void *context, struct error *error);
WARN_UNUSED enum status sqlite_rejected_discard(struct storage *base, int64_t id, struct bytes reason,
                                                rejected_visitor visit, void *context, struct error *error);
WARN_UNUSED enum status sqlite_rejected_purge(struct storage *base, const struct rejected_filter *filter,
                                              int64_t *ret_count, struct error *error);

#endif
