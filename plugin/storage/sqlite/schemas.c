/* schemas.c: the schema registry's versions and policies. */
#include "storage/sqlite/names.h"
#include "storage/sqlite/sqlite.h"

/* ---- put ---- */

struct schema_job {
    const struct schema_put *put;
    int64_t version;
    bool created;
};

static enum status latest_version(struct writer *writer, struct bytes type, int64_t *ret_version, struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status = statement_get(&writer->connection, "SELECT latest FROM schema_type WHERE type = ?1",
                                       "put a schema", &find, error);
    bool row = false;
    if (status == OK) {
        bind_text(&find, type);
        status = statement_step(&find, &row, error);
    }
    if (status == OK) {
        *ret_version = row ? column_int(&find, 0) : 0;
    }
    return status;
}

static enum status is_latest(struct writer *writer, const struct schema_put *put, int64_t latest, bool *ret_same,
                             struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status = statement_get(&writer->connection,
                                       "SELECT 1 FROM schema_version WHERE type = ?1 AND version = ?2 AND format = ?3"
                                       " AND schema = ?4",
                                       "put a schema", &find, error);
    if (status == OK) {
        bind_text(&find, put->type);
        bind_int(&find, latest);
        bind_int(&find, put->format);
        bind_blob(&find, put->schema);
        status = statement_step(&find, ret_same, error);
    }
    return status;
}

static enum status insert_version(struct writer *writer, const struct schema_put *put, int64_t version,
                                  struct error *error) {
    static const char WHAT[] = "put a schema";
    CLEANUP(statement_release) struct statement insert = {0};
    enum status status = statement_get(
        &writer->connection, "INSERT INTO schema_version VALUES (?1, ?2, ?3, ?4, ?5, ?6)", WHAT, &insert, error);
    if (status == OK) {
        bind_text(&insert, put->type);
        bind_int(&insert, version);
        bind_int(&insert, put->format);
        bind_blob(&insert, put->schema);
        bind_blob(&insert, put->metadata);
        bind_int(&insert, writer->host->now_us(writer->host->context));
        status = statement_run(&insert, error);
    }
    CLEANUP(statement_release) struct statement upsert = {0};
    if (status == OK) {
        status = statement_get(&writer->connection,
                               "INSERT INTO schema_type VALUES (?1, ?2, 'off')"
                               " ON CONFLICT (type) DO UPDATE SET latest = ?2",
                               WHAT, &upsert, error);
    }
    if (status == OK) {
        bind_text(&upsert, put->type);
        bind_int(&upsert, version);
        status = statement_run(&upsert, error);
    }
    return status;
}

static enum status run_put(struct writer *writer, void *argument, struct error *error) {
    struct schema_job *job = argument;
    const struct schema_put *put = job->put;
    int64_t latest = 0;
    bool same = false;
    enum status status = latest_version(writer, put->type, &latest, error);
    if (status == OK && put->expected_version >= 0 && put->expected_version != latest) {
        error_set(error, CONFLICT, "put a schema: the latest version of %.*s is %lld, expected_version is %lld",
                  BYTES_FORMAT(put->type), (long long)latest, (long long)put->expected_version);
        error_set_path(error, "/expected_version");
        error_add_number(error, "current_version", latest);
        return CONFLICT;
    }
    if (status == OK && latest > 0) {
        status = is_latest(writer, put, latest, &same, error);
    }
    if (status != OK) {
        return status;
    }
    job->version = same ? latest : latest + 1;
    job->created = !same;
    return same ? OK : insert_version(writer, put, latest + 1, error);
}

enum status sqlite_schema_put(struct storage *base, const struct schema_put *put, int64_t *ret_version,
                              bool *ret_created, struct error *error) {
    struct schema_job job = {.put = put};
    enum status status = writer_run(&sqlite_of(base)->writer, run_put, &job, error);
    if (status == OK) {
        *ret_version = job.version;
        *ret_created = job.created;
    }
    return status;
}

/* ---- policy ---- */

struct policy_job {
    struct bytes type;
    struct bytes policy;
};

static enum status run_set_policy(struct writer *writer, void *argument, struct error *error) {
    const struct policy_job *job = argument;
    CLEANUP(statement_release) struct statement upsert = {0};
    enum status status = statement_get(&writer->connection,
                                       "INSERT INTO schema_type VALUES (?1, 0, ?2)"
                                       " ON CONFLICT (type) DO UPDATE SET policy = ?2",
                                       "set a policy", &upsert, error);
    if (status == OK) {
        bind_text(&upsert, job->type);
        bind_text(&upsert, job->policy);
        status = statement_run(&upsert, error);
    }
    return status;
}

enum status sqlite_schema_set_policy(struct storage *base, struct bytes type, struct bytes policy,
                                     struct error *error) {
    struct policy_job job = {type, policy};
    return writer_run(&sqlite_of(base)->writer, run_set_policy, &job, error);
}

/* ---- reads ---- */

static enum status visit_versions(struct statement *rows, schema_visitor visit, void *context, int64_t *ret_count,
                                  struct error *error) {
    *ret_count = 0;
    for (;;) {
        bool row = false;
        enum status status = statement_step(rows, &row, error);
        if (status != OK || !row) {
            return status;
        }
        struct schema_version version = {
            .type = column_bytes(rows, 0),
            .version = column_int(rows, 1),
            .format = (enum schema_format)column_int(rows, 2),
            .schema = column_bytes(rows, 3),
            .metadata = column_bytes(rows, 4),
            .created_us = column_int(rows, 5),
        };
        ++*ret_count;
        if (!visit(context, &version)) {
            return OK;
        }
    }
}

enum status sqlite_schema_get(struct storage *base, struct bytes type, int64_t version, schema_visitor visit,
                              void *context, struct error *error) {
    static const char WHAT[] = "get a schema";
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    int64_t count = 0;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = statement_get(reader.connection,
                               "SELECT type, version, format, schema, metadata, created_us FROM schema_version"
                               " WHERE type = ?1 AND (?2 = 0 OR version = ?2) ORDER BY version DESC LIMIT 1",
                               WHAT, &rows, error);
    }
    if (status == OK) {
        bind_text(&rows, type);
        bind_int(&rows, version);
        status = visit_versions(&rows, visit, context, &count, error);
    }
    if (status == OK && count == 0) {
        if (version > 0) {
            return error_set(error, NOT_FOUND, "%s: %.*s has no version %lld", WHAT, BYTES_FORMAT(type),
                             (long long)version);
        }
        return error_set(error, NOT_FOUND, "%s: %.*s has no schema; put one first", WHAT, BYTES_FORMAT(type));
    }
    return status;
}

enum status sqlite_schema_versions(struct storage *base, struct bytes type, schema_visitor visit, void *context,
                                   struct error *error) {
    static const char WHAT[] = "list the versions of a schema";
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    int64_t count = 0;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = statement_get(reader.connection,
                               "SELECT type, version, format, schema, metadata, created_us FROM schema_version"
                               " WHERE type = ?1 ORDER BY version",
                               WHAT, &rows, error);
    }
    if (status == OK) {
        bind_text(&rows, type);
        status = visit_versions(&rows, visit, context, &count, error);
    }
    if (status == OK && count == 0) {
        return error_set(error, NOT_FOUND, "%s: %.*s has no schema; put one first", WHAT, BYTES_FORMAT(type));
    }
    return status;
}

static enum status visit_types(struct statement *rows, schema_type_visitor visit, void *context, int64_t *ret_count,
                               struct error *error) {
    *ret_count = 0;
    for (;;) {
        bool row = false;
        enum status status = statement_step(rows, &row, error);
        if (status != OK || !row) {
            return status;
        }
        /* Versions are numbered without gaps, so the latest is also how many there are. */
        struct schema_type type = {column_bytes(rows, 0), column_int(rows, 1), column_int(rows, 1),
                                   column_bytes(rows, 2)};
        ++*ret_count;
        if (!visit(context, &type)) {
            return OK;
        }
    }
}

enum status sqlite_schema_types(struct storage *base, const struct name_page *page, schema_type_visitor visit,
                                void *context, struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(name_range_done) struct name_range range = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    int64_t count = 0;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = names_select(reader.connection,
                              "SELECT type, latest, policy FROM schema_type"
                              " WHERE type > ?1 AND type >= ?2 AND type < ?3 ORDER BY type LIMIT ?4",
                              "list schemas", page, &range, &rows, error);
    }
    return status == OK ? visit_types(&rows, visit, context, &count, error) : status;
}

enum status sqlite_schema_type(struct storage *base, struct bytes type, schema_type_visitor visit, void *context,
                               struct error *error) {
    static const char WHAT[] = "get a schema's policy";
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    int64_t count = 0;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = statement_get(reader.connection, "SELECT type, latest, policy FROM schema_type WHERE type = ?1", WHAT,
                               &rows, error);
    }
    if (status == OK) {
        bind_text(&rows, type);
        status = visit_types(&rows, visit, context, &count, error);
    }
    if (status == OK && count == 0) {
        return error_set(error, NOT_FOUND, "%s: %.*s has no schema and no policy", WHAT, BYTES_FORMAT(type));
    }
    return status;
}
