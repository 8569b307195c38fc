/* schemas.c: the schema registry's versions, and the settings of its types.
 *
 * Every job that changes something here notes the type in `schema_changes`, and appends and puts that were checked
 * before such a change of their type are BUSY: so an event is stored under the version that it was validated by, or not
 * at all. */
#include "storage/sqlite/schemas.h"

#include <xxhash.h>

#include "storage/sqlite/ids.h"
#include "storage/sqlite/names.h"
#include "storage/sqlite/sqlite.h"

int64_t sqlite_schema_generation(struct storage *base) {
    return writer_schema_generation(&sqlite_of(base)->writer);
}

static uint64_t hash_type(struct bytes type) {
    return XXH3_64bits(type.data, type.size);
}

static void note_change(struct writer *writer, struct bytes type) {
    struct schema_changes *changes = &writer->schema_changes;
    changes->types[++changes->count % SCHEMA_CHANGES_KEPT] = hash_type(type);
}

static bool has_changed(const struct schema_changes *changes, int64_t generation, uint64_t type) {
    for (int64_t n = generation + 1; n <= changes->count; n++) {
        if (changes->types[n % SCHEMA_CHANGES_KEPT] == type) {
            return true;
        }
    }
    return false;
}

enum status schemas_check_generation(const struct writer *writer, int64_t generation, const struct event *events,
                                     size_t count, const char *what, struct error *error) {
    const struct schema_changes *changes = &writer->schema_changes;
    bool changed = changes->count - generation >= SCHEMA_CHANGES_KEPT;
    for (size_t i = 0; generation != changes->count && !changed && i < count; i++) {
        changed = has_changed(changes, generation, hash_type(events[i].type));
    }
    return changed ? error_set(error, BUSY, "%s: a schema was changed meanwhile; try again", what) : OK;
}

/* The same for a change of one type. */
static enum status check_generation(const struct writer *writer, int64_t generation, struct bytes type,
                                    const char *what, struct error *error) {
    struct event event = {.type = type};
    return schemas_check_generation(writer, generation, &event, 1, what, error);
}

/* ---- put ---- */

struct schema_job {
    const struct schema_put *put;
    int64_t version;
};

static enum status latest_version(struct writer *writer, struct bytes type, int64_t *ret_version, struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status = statement_get(&writer->connection,
                                       "SELECT latest, coalesce((SELECT max(version) FROM schema_version"
                                       " WHERE type = ?1), 0) FROM schema_type WHERE type = ?1",
                                       "put a schema", &find, error);
    bool row = false;
    if (status == OK) {
        bind_text(&find, type);
        status = statement_step(&find, &row, error);
    }
    if (status != OK || !row) {
        *ret_version = 0;
        return status;
    }
    if (column_int(&find, 0) != column_int(&find, 1) || !number_is_sound(column_int(&find, 1))) {
        return error_set(error, CORRUPT, "put a schema: the numbers of %.*s's versions are damaged in the file",
                         BYTES_FORMAT(type));
    }
    *ret_version = column_int(&find, 0);
    return OK;
}

static enum status insert_version(struct writer *writer, const struct schema_put *put, int64_t version,
                                  struct error *error) {
    static const char WHAT[] = "put a schema";
    CLEANUP(statement_release) struct statement insert = {0};
    enum status status =
        statement_get(&writer->connection,
                      "INSERT INTO schema_version (type, version, format, schema, documents, metadata, created_us)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      WHAT, &insert, error);
    if (status == OK) {
        bind_text(&insert, put->type);
        bind_int(&insert, version);
        bind_int(&insert, put->format);
        bind_blob(&insert, put->schema);
        bind_blob(&insert, put->documents);
        bind_blob(&insert, put->metadata);
        bind_int(&insert, writer->host->now_us(writer->host->context));
        status = statement_run(&insert, error);
    }
    CLEANUP(statement_release) struct statement upsert = {0};
    if (status == OK) {
        status = statement_get(&writer->connection,
                               "INSERT INTO schema_type VALUES (?1, ?2, ?2, 0, 0, 0, 0, 0, 0)"
                               " ON CONFLICT (type) DO UPDATE SET latest = ?2, current = ?2",
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
    enum status status = check_generation(writer, put->generation, put->type, "put a schema", error);
    if (status == OK) {
        status = latest_version(writer, put->type, &latest, error);
    }
    if (status == OK && put->expected_version >= 0 && put->expected_version != latest) {
        error_set(error, CONFLICT, "put a schema: the latest version of %.*s is %lld, expected_version is %lld",
                  BYTES_FORMAT(put->type), (long long)latest, (long long)put->expected_version);
        error_set_path(error, "/expected_version");
        error_add_number(error, "current_version", latest);
        return CONFLICT;
    }
    if (status != OK) {
        return status;
    }
    note_change(writer, put->type);
    job->version = latest + 1;
    return insert_version(writer, put, latest + 1, error);
}

enum status sqlite_schema_put(struct storage *base, const struct schema_put *put, int64_t *ret_version,
                              struct error *error) {
    struct schema_job job = {.put = put};
    enum status status = writer_run(&sqlite_of(base)->writer, run_put, &job, error);
    if (status == OK) {
        *ret_version = job.version;
    }
    return status;
}

/* ---- settings ---- */

struct settings_job {
    struct bytes type;
    const struct schema_settings *settings;
    int64_t generation;
};

static enum status run_set(struct writer *writer, void *argument, struct error *error) {
    static const char WHAT[] = "set a policy";
    const struct settings_job *job = argument;
    const struct schema_settings *settings = job->settings;
    enum status status = check_generation(writer, job->generation, job->type, WHAT, error);
    if (status != OK) {
        return status;
    }
    CLEANUP(statement_release) struct statement upsert = {0};
    status = statement_get(&writer->connection,
                           "INSERT INTO schema_type VALUES (?1, 0, 0, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (type)"
                           " DO UPDATE SET policy = ?2, compatibility = ?3, unknown = ?4, content = ?5, format = ?6,"
                           " extended = ?7",
                           WHAT, &upsert, error);
    if (status != OK) {
        return status;
    }
    note_change(writer, job->type);
    bind_text(&upsert, job->type);
    bind_int(&upsert, settings->policy);
    bind_int(&upsert, settings->compatibility);
    bind_int(&upsert, settings->unknown);
    bind_int(&upsert, settings->content);
    bind_int(&upsert, settings->format);
    bind_int(&upsert, settings->extended);
    return statement_run(&upsert, error);
}

enum status sqlite_schema_set(struct storage *base, struct bytes type, const struct schema_settings *settings,
                              int64_t generation, struct error *error) {
    struct settings_job job = {type, settings, generation};
    return writer_run(&sqlite_of(base)->writer, run_set, &job, error);
}

/* ---- retire ---- */

struct retire_job {
    struct bytes type;
    int64_t version;
    int64_t current;
};

static const char RETIRE[] = "retire a schema";

/* The version is there, and in use. */
static enum status check_in_use(struct writer *writer, const struct retire_job *job, struct error *error) {
    CLEANUP(statement_release) struct statement find = {0};
    enum status status =
        statement_get(&writer->connection, "SELECT retired_us FROM schema_version WHERE type = ?1 AND version = ?2",
                      RETIRE, &find, error);
    bool row = false;
    if (status == OK) {
        bind_text(&find, job->type);
        bind_int(&find, job->version);
        status = statement_step(&find, &row, error);
    }
    if (status == OK && !row) {
        error_set(error, NOT_FOUND, "%s: %.*s has no version %lld", RETIRE, BYTES_FORMAT(job->type),
                  (long long)job->version);
        error_set_path(error, "/version");
        return NOT_FOUND;
    }
    if (status == OK && column_int(&find, 0) != 0) {
        error_set(error, ALREADY, "%s: version %lld of %.*s was retired before", RETIRE, (long long)job->version,
                  BYTES_FORMAT(job->type));
        error_set_path(error, "/version");
        return ALREADY;
    }
    return status;
}

static enum status mark_retired(struct writer *writer, const struct retire_job *job, struct error *error) {
    CLEANUP(statement_release) struct statement update = {0};
    enum status status =
        statement_get(&writer->connection, "UPDATE schema_version SET retired_us = ?1 WHERE type = ?2 AND version = ?3",
                      RETIRE, &update, error);
    if (status == OK) {
        bind_int(&update, writer->host->now_us(writer->host->context));
        bind_text(&update, job->type);
        bind_int(&update, job->version);
        status = statement_run(&update, error);
    }
    return status;
}

static enum status update_current(struct writer *writer, struct retire_job *job, struct error *error) {
    CLEANUP(statement_release) struct statement update = {0};
    enum status status =
        statement_get(&writer->connection,
                      "UPDATE schema_type SET current = coalesce((SELECT max(version) FROM schema_version v"
                      " WHERE v.type = ?1 AND v.retired_us = 0), 0) WHERE type = ?1 RETURNING current",
                      RETIRE, &update, error);
    bool row = false;
    if (status == OK) {
        bind_text(&update, job->type);
        status = statement_step(&update, &row, error);
    }
    if (status == OK) {
        job->current = row ? column_int(&update, 0) : 0;
    }
    return status;
}

static enum status run_retire(struct writer *writer, void *argument, struct error *error) {
    struct retire_job *job = argument;
    enum status status = check_in_use(writer, job, error);
    if (status == OK) {
        note_change(writer, job->type);
        status = mark_retired(writer, job, error);
    }
    return status == OK ? update_current(writer, job, error) : status;
}

enum status sqlite_schema_retire(struct storage *base, struct bytes type, int64_t version, int64_t *ret_current,
                                 struct error *error) {
    struct retire_job job = {.type = type, .version = version};
    enum status status = writer_run(&sqlite_of(base)->writer, run_retire, &job, error);
    if (status == OK) {
        *ret_current = job.current;
    }
    return status;
}

/* ---- reads ---- */

#define VERSION_COLUMNS "v.type, v.version, v.format, v.schema, v.documents, v.metadata, v.created_us, v.retired_us"
enum { VERSION_COLUMN_COUNT = 8 };
#define TYPE_COLUMNS                                                                                                   \
    "t.type, t.latest, t.current, t.policy, t.compatibility, t.unknown, t.content, t.format, t.extended"

/* A number of the file as one of an enumeration: what is none becomes `count`. */
static unsigned column_choice(const struct statement *row, int column, unsigned count) {
    int64_t value = column_int(row, column);
    return value >= 0 && value < count ? (unsigned)value : count;
}

/* The row's VERSION_COLUMNS. */
static struct schema_version version_from_row(const struct statement *row) {
    return (struct schema_version){
        .type = column_bytes(row, 0),
        .version = column_int(row, 1),
        .format = (enum schema_format)column_choice(row, 2, SCHEMA_FORMAT_KINDS),
        .schema = column_bytes(row, 3),
        .documents = column_bytes(row, 4),
        .metadata = column_bytes(row, 5),
        .created_us = column_int(row, 6),
        .retired_us = column_int(row, 7),
    };
}

/* The row's TYPE_COLUMNS, from `column` on. */
static struct schema_type type_from_row(const struct statement *row, int column) {
    struct schema_type type = {
        .type = column_bytes(row, column),
        .latest = column_int(row, column + 1),
        .current = column_int(row, column + 2),
        .settings =
            {
                .policy = (enum schema_policy)column_choice(row, column + 3, SCHEMA_POLICY_COUNT),
                .compatibility = (enum schema_compatibility)column_choice(row, column + 4, SCHEMA_COMPATIBILITY_COUNT),
                .unknown = (enum schema_unknown)column_choice(row, column + 5, SCHEMA_UNKNOWN_COUNT),
                .content = (enum schema_content)column_choice(row, column + 6, SCHEMA_CONTENT_COUNT),
                .format = (enum schema_format_mode)column_choice(row, column + 7, SCHEMA_FORMAT_COUNT),
                .extended = column_int(row, column + 8) != 0,
            },
    };
    type.damaged = !schema_settings_are_sound(&type.settings) || !number_is_sound(type.latest) || type.current < 0 ||
                   type.current > type.latest;
    return type;
}

static enum status visit_versions(struct statement *rows, schema_visitor visit, void *context, int64_t *ret_count,
                                  struct error *error) {
    *ret_count = 0;
    for (;;) {
        bool row = false;
        enum status status = statement_step(rows, &row, error);
        if (status != OK || !row) {
            return status;
        }
        struct schema_version version = version_from_row(rows);
        ++*ret_count;
        if (!visit(context, &version)) {
            return OK;
        }
    }
}

static enum status no_schema(const char *what, struct bytes type, struct error *error) {
    error_set(error, NOT_FOUND, "%s: %.*s has no schema; put one first", what, BYTES_FORMAT(type));
    error_set_path(error, "/type");
    return NOT_FOUND;
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
                               "SELECT " VERSION_COLUMNS " FROM schema_version v WHERE v.type = ?1 AND v.version ="
                               " CASE WHEN ?2 > 0 THEN ?2 ELSE (SELECT current FROM schema_type WHERE type = ?1) END",
                               WHAT, &rows, error);
    }
    if (status == OK) {
        bind_text(&rows, type);
        bind_int(&rows, version);
        status = visit_versions(&rows, visit, context, &count, error);
    }
    if (status == OK && count == 0 && version > 0) {
        error_set(error, NOT_FOUND, "%s: %.*s has no version %lld", WHAT, BYTES_FORMAT(type), (long long)version);
        error_set_path(error, "/version");
        return NOT_FOUND;
    }
    return status == OK && count == 0 ? no_schema(WHAT, type, error) : status;
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
                               "SELECT " VERSION_COLUMNS " FROM schema_version v WHERE v.type = ?1 ORDER BY v.version",
                               WHAT, &rows, error);
    }
    if (status == OK) {
        bind_text(&rows, type);
        status = visit_versions(&rows, visit, context, &count, error);
    }
    return status == OK && count == 0 ? no_schema(WHAT, type, error) : status;
}

enum status sqlite_schema_types(struct storage *base, const struct name_page *page, schema_type_visitor visit,
                                void *context, struct error *error) {
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(name_range_done) struct name_range range = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = names_select(reader.connection,
                              "SELECT " TYPE_COLUMNS " FROM schema_type t"
                              " WHERE t.type > ?1 AND t.type >= ?2 AND t.type < ?3 ORDER BY t.type LIMIT ?4",
                              "list schemas", page, &range, &rows, error);
    }
    bool row = status == OK;
    while (status == OK && row) {
        status = statement_step(&rows, &row, error);
        if (status == OK && row) {
            struct schema_type type = type_from_row(&rows, 0);
            row = visit(context, &type);
        }
    }
    return status;
}

enum status sqlite_schema_current(struct storage *base, struct bytes type, schema_current_visitor visit, void *context,
                                  struct error *error) {
    static const char WHAT[] = "get the schema of a type";
    CLEANUP(reader_release) struct reader reader = {0};
    CLEANUP(statement_release) struct statement rows = {0};
    bool row = false;
    enum status status = reader_acquire(&sqlite_of(base)->readers, &reader, error);
    if (status == OK) {
        status = statement_get(reader.connection,
                               "SELECT " VERSION_COLUMNS ", " TYPE_COLUMNS " FROM schema_type t LEFT JOIN"
                               " schema_version v ON v.type = t.type AND v.version = t.current WHERE t.type = ?1",
                               WHAT, &rows, error);
    }
    if (status == OK) {
        bind_text(&rows, type);
        status = statement_step(&rows, &row, error);
    }
    if (status != OK) {
        return status;
    }
    if (!row) {
        return no_schema(WHAT, type, error);
    }
    struct schema_type found = type_from_row(&rows, VERSION_COLUMN_COUNT);
    struct schema_version version = version_from_row(&rows);
    bool has_version = bytes_present(version.schema);
    found.damaged = found.damaged || has_version != (found.current > 0);
    (void)visit(context, &found, has_version ? &version : NULL);
    return OK;
}
