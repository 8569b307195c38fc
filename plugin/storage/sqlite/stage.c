/* stage.c: putting events on the stage, and writing what is there. */
#include "storage/sqlite/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "storage/sqlite/ids.h"
#include "storage/sqlite/stage_table.h"
#include "storage/sqlite/writer.h"

static const char WHAT[] = "append events";

enum {
    CAPACITY_MIN = 64,
    EVENTS_KEPT = 4096 /* memory for more than these is given back when the stage is emptied */
};

/* ---- memory ---- */

/* Makes room for one more element. */
static bool grow(void **array, uint32_t count, uint32_t *capacity, size_t size) {
    if (count < *capacity) {
        return true;
    }
    uint32_t wanted = *capacity == 0 ? CAPACITY_MIN : 2 * *capacity;
    void *grown = wanted > count ? realloc(*array, wanted * size) : NULL;
    if (grown == NULL) {
        return false;
    }
    *array = grown;
    *capacity = wanted;
    return true;
}

static enum status no_memory(struct error *error) {
    return error_set(error, NO_MEMORY, "%s: memory could not be allocated", WHAT);
}

/* ---- finding by name ---- */

/* The name of the entry at a place: the arrays differ in what they hold. */
typedef struct bytes (*name_at)(const struct stage *stage, uint32_t place);

static struct bytes key_at(const struct stage *stage, uint32_t place) {
    return stage->events[place].event->key;
}

static struct bytes stream_at(const struct stage *stage, uint32_t place) {
    return stage->streams[place].name;
}

static struct bytes tag_at(const struct stage *stage, uint32_t place) {
    return stage->tags[place].name;
}

/* The slot of the index that has the name, or the free one where it would stand. The index is not full. */
static uint32_t *find_slot(const struct stage *stage, const struct stage_index *index, name_at name_of,
                           struct bytes name) {
    uint32_t slot = (uint32_t)XXH3_64bits_withSeed(name.data, name.size, stage->seed) & (index->capacity - 1);
    while (index->places[slot] != 0 && !bytes_equal(name_of(stage, index->places[slot] - 1), name)) {
        slot = (slot + 1) & (index->capacity - 1);
    }
    return &index->places[slot];
}

/* The place of the name, plus 1; 0: it is not there. */
static uint32_t find(const struct stage *stage, const struct stage_index *index, name_at name_of, struct bytes name) {
    return index->count > 0 ? *find_slot(stage, index, name_of, name) : 0;
}

/* Room for one more name: at most half of the slots are taken. */
static bool index_reserve(const struct stage *stage, struct stage_index *index, name_at name_of) {
    if (2 * (index->count + 1) <= index->capacity) {
        return true;
    }
    struct stage_index grown = {.capacity = index->capacity == 0 ? 2 * CAPACITY_MIN : 2 * index->capacity,
                                .count = index->count};
    grown.places = calloc(grown.capacity, sizeof *grown.places);
    if (grown.places == NULL) {
        return false;
    }
    /* From behind a free slot on, so that of two names in one run of slots the older one stays in front: stage_undo
     * takes the newest away, and must leave no gap before an older one. */
    uint32_t start = 0;
    while (start < index->capacity && index->places[start] != 0) {
        start++;
    }
    for (uint32_t i = 0; i < index->capacity; i++) {
        uint32_t place = index->places[(start + i) & (index->capacity - 1)];
        if (place != 0) {
            *find_slot(stage, &grown, name_of, name_of(stage, place - 1)) = place;
        }
    }
    free(index->places);
    *index = grown;
    return true;
}

/* Reserved before, and not there yet. */
static void index_add(const struct stage *stage, struct stage_index *index, name_at name_of, struct bytes name,
                      uint32_t place) {
    *find_slot(stage, index, name_of, name) = place + 1;
    index->count++;
}

static void index_clear(struct stage_index *index) {
    if (index->count > 0) {
        memset(index->places, 0, index->capacity * sizeof *index->places);
        index->count = 0;
    }
}

static void index_done(struct stage_index *index) {
    free(index->places);
    *index = (struct stage_index){0};
}

/* ---- opening and closing ---- */

enum status stage_open(struct stage *stage, struct connection *connection, uint64_t seed, struct error *error) {
    *stage = (struct stage){.seed = seed};
    return stage_table_open(stage, connection, error);
}

void stage_done(struct stage *stage) {
    free(stage->events);
    free(stage->streams);
    free(stage->tags);
    free(stage->links);
    index_done(&stage->by_key);
    index_done(&stage->by_stream);
    index_done(&stage->by_tag);
    stage->events = NULL;
    stage->streams = NULL;
    stage->tags = NULL;
    stage->links = NULL;
    stage->bytes = 0;
    stage->count = stage->capacity = stage->stream_count = stage->stream_capacity = 0;
    stage->tag_count = stage->tag_capacity = stage->link_count = stage->link_capacity = 0;
}

static void clear_tags(struct stage *stage) {
    stage->tag_count = 0;
    stage->link_count = 0;
    index_clear(&stage->by_tag);
}

static void empty(struct stage *stage) {
    stage->flushes++;
    if (stage->capacity > EVENTS_KEPT) {
        stage_done(stage);
        return;
    }
    stage->count = 0;
    stage->bytes = 0;
    stage->stream_count = 0;
    index_clear(&stage->by_key);
    index_clear(&stage->by_stream);
    clear_tags(stage);
}

void stage_clear(struct stage *stage) {
    empty(stage);
    stage->last_stream_id = 0;
    stage->failed = false;
}

/* ---- streams ---- */

static bool is_expected(const struct event *event, int64_t current) {
    switch (event->expectation) {
    case EXPECT_ANY:
        return true;
    case EXPECT_NONE:
        return current == 0;
    case EXPECT_EXISTS:
        return current > 0;
    case EXPECT_EXACTLY:
        return current == event->expected_version;
    }
    return false;
}

static enum status version_conflict(const struct event *event, int64_t current, struct error *error) {
    char stream[STREAM_SIZE_MAX + 1];
    snprintf(stream, sizeof stream, "%.*s", BYTES_FORMAT(event->stream));
    char expected[32];
    if (event->expectation == EXPECT_EXACTLY) {
        snprintf(expected, sizeof expected, "%lld", (long long)event->expected_version);
    } else {
        snprintf(expected, sizeof expected, "%s", event->expectation == EXPECT_NONE ? "none" : "exists");
    }
    error_set(error, CONFLICT,
              "%s: stream %s has version %lld, expected_version is %s; read what was added and decide anew", WHAT,
              stream, (long long)current, expected);
    error_add_text(error, "stream", stream);
    error_add_text(error, "expected", expected);
    error_add_number(error, "current_version", current);
    return CONFLICT;
}

/* What the file has of a stream. */
static enum status take_stream(const struct statement *row, struct staged_stream *stream, struct error *error) {
    stream->id = column_int(row, 0);
    stream->stored_version = column_int(row, 1);
    stream->version = stream->stored_version;
    if (!id_is_sound(stream->id)) {
        return id_refuse(WHAT, "stream", stream->id, error);
    }
    if (!number_is_sound(stream->version)) {
        return error_set(error, CORRUPT,
                         "%s: table stream has the version %lld of stream %.*s, which no writer gave; restore a backup",
                         WHAT, (long long)stream->version, BYTES_FORMAT(stream->name));
    }
    return OK;
}

/* A stream that is not in the file gets the next number of its own. */
static enum status read_stream(struct writer *writer, struct staged_stream *stream, struct error *error) {
    CLEANUP(statement_release) struct statement select = {0};
    enum status status =
        statement_get(&writer->connection, "SELECT id, version FROM stream WHERE name = ?1", WHAT, &select, error);
    bool row = false;
    if (status == OK) {
        bind_text(&select, stream->name);
        status = statement_step(&select, &row, error);
    }
    if (status == OK && row) {
        return take_stream(&select, stream, error);
    }
    struct stage *stage = &writer->stage;
    int64_t last_id = stage->last_stream_id;
    if (status == OK && last_id == 0) {
        status =
            connection_query_int(&writer->connection, "SELECT coalesce(max(id), 0) FROM stream", WHAT, &last_id, error);
    }
    if (status == OK && !number_is_sound(last_id)) {
        status = id_refuse(WHAT, "stream", last_id, error);
    }
    if (status == OK) {
        stage->last_stream_id = last_id + 1;
        stream->id = stage->last_stream_id;
    }
    return status;
}

/* The place of the stream, which is read from the file at its first event. */
static enum status find_stream(struct writer *writer, struct bytes name, uint32_t *ret_place, struct error *error) {
    struct stage *stage = &writer->stage;
    uint32_t found = find(stage, &stage->by_stream, stream_at, name);
    if (found != 0) {
        *ret_place = found - 1;
        return OK;
    }
    if (!grow((void **)&stage->streams, stage->stream_count, &stage->stream_capacity, sizeof *stage->streams) ||
        !index_reserve(stage, &stage->by_stream, stream_at)) {
        return no_memory(error);
    }
    struct staged_stream *stream = &stage->streams[stage->stream_count];
    *stream = (struct staged_stream){.name = name};
    enum status status = read_stream(writer, stream, error);
    if (status == OK) {
        index_add(stage, &stage->by_stream, stream_at, name, stage->stream_count);
        *ret_place = stage->stream_count++;
    }
    return status;
}

/* The event takes the next version of its stream. */
static enum status advance_stream(struct writer *writer, struct staged_event *staged, struct error *error) {
    uint32_t place = 0;
    enum status status = find_stream(writer, staged->event->stream, &place, error);
    if (status != OK) {
        return status;
    }
    struct staged_stream *stream = &writer->stage.streams[place];
    if (!is_expected(staged->event, stream->version)) {
        return version_conflict(staged->event, stream->version, error);
    }
    if (stream->version == stream->stored_version) {
        stream->first_id = staged->id;
    }
    staged->stream = place + 1;
    staged->stream_last_id = stream->last_id;
    staged->version = ++stream->version;
    stream->last_id = staged->id;
    return OK;
}

/* ---- putting ---- */

/* Types and tags get their numbers when the stage is written, for all calls at once: an id with which that would fail
 * is found here, where the one call fails. A sound table is asked once, as from then on the writer alone gives numbers.
 */
static enum status check_names(struct writer *writer, const struct event *event, struct error *error) {
    struct stage *stage = &writer->stage;
    struct connection *connection = &writer->connection;
    enum status status = OK;
    if (!stage->types_are_sound) {
        status = ids_check(connection, IDS_OF_TYPES, WHAT, &stage->types_are_sound, error);
    }
    if (status == OK && !stage->types_are_sound) {
        status = ids_check_name(connection, IDS_OF_TYPES, event->type, WHAT, error);
    }
    if (status == OK && event->tag_count > 0 && !stage->tags_are_sound) {
        status = ids_check(connection, IDS_OF_TAGS, WHAT, &stage->tags_are_sound, error);
    }
    for (uint32_t i = 0; i < event->tag_count && status == OK && !stage->tags_are_sound; i++) {
        status = ids_check_name(connection, IDS_OF_TAGS, event->tag[i], WHAT, error);
    }
    return status;
}

static uint64_t size_of(const struct event *event) {
    return event->data.size + event->metadata.size + event->tags.size;
}

enum status stage_put(struct writer *writer, const struct event *event, const struct placement *placement,
                      struct append_result *ret_result, struct error *error) {
    struct stage *stage = &writer->stage;
    if (!grow((void **)&stage->events, stage->count, &stage->capacity, sizeof *stage->events) ||
        (bytes_present(event->key) && !index_reserve(stage, &stage->by_key, key_at))) {
        return no_memory(error);
    }
    enum status status = check_names(writer, event, error);
    if (status != OK) {
        return status;
    }
    struct staged_event staged = {
        .event = event,
        .id = writer_next_id(writer),
        .time_us = event->has_time ? event->time_us : placement->default_time_us,
        .recorded_us = placement->recorded_us,
        .batch_id = placement->batch_id,
    };
    status = bytes_present(event->stream) ? advance_stream(writer, &staged, error) : OK;
    if (status != OK) {
        return status;
    }
    stage->events[stage->count] = staged;
    stage->bytes += size_of(event);
    if (bytes_present(event->key)) {
        index_add(stage, &stage->by_key, key_at, event->key, stage->count);
    }
    stage->count++;
    *ret_result = (struct append_result){.id = staged.id, .version = staged.version};
    return OK;
}

const struct staged_event *stage_find_key(const struct stage *stage, struct bytes key) {
    uint32_t found = find(stage, &stage->by_key, key_at, key);
    return found != 0 ? &stage->events[found - 1] : NULL;
}

/* Newest first: so a key leaves no gap in front of another one in its index. */
void stage_undo(struct stage *stage, struct stage_mark mark) {
    uint32_t count = mark.flushes == stage->flushes ? mark.count : 0;
    while (stage->count > count) {
        const struct staged_event *staged = &stage->events[stage->count - 1];
        if (bytes_present(staged->event->key)) {
            *find_slot(stage, &stage->by_key, key_at, staged->event->key) = 0;
            stage->by_key.count--;
        }
        if (staged->stream > 0) {
            struct staged_stream *stream = &stage->streams[staged->stream - 1];
            stream->version--;
            stream->last_id = staged->stream_last_id;
        }
        stage->bytes -= size_of(staged->event);
        stage->count--;
    }
}

/* ---- writing ---- */

/* One statement for all. */
static enum status write_all(struct writer *writer, const char *sql, struct error *error) {
    CLEANUP(statement_release) struct statement statement = {0};
    enum status status = statement_get(&writer->connection, sql, WHAT, &statement, error);
    return status == OK ? statement_run(&statement, error) : status;
}

static enum status write_streams(struct writer *writer, struct error *error) {
    return writer->stage.stream_count == 0
               ? OK
               : write_all(writer,
                           "INSERT INTO stream (id, name, version, first_id, last_id)"
                           " SELECT id, name, version, first_id, last_id FROM staged_stream WHERE changed"
                           " ON CONFLICT (id) DO UPDATE SET version = excluded.version, last_id = excluded.last_id",
                           error);
}

static enum status write_events(struct writer *writer, struct error *error) {
    struct stage *stage = &writer->stage;
    enum status status = OK;
    for (uint32_t i = 0; i < stage->count && status == OK; i++) {
        status = writer_type_id(writer, stage->events[i].event->type, &stage->events[i].type_id, error);
    }
    if (status == OK) {
        status = write_all(writer,
                           "INSERT INTO event (id, type_id, time_us, recorded_us, stream_id, version, batch_id,"
                           " schema_version, key, correlation, causation, tags, metadata, data)"
                           " SELECT * FROM staged_event",
                           error);
    }
    /* A file may have been prepared so that rows go elsewhere: what is not stored is never acknowledged. */
    if (status == OK && sqlite3_changes64(writer->connection.db) != stage->count) {
        return error_set(error, CORRUPT, "%s: the file's tables do not take events; restore a backup", WHAT);
    }
    return status;
}

/* Each tag once, however many events have it. */
static bool collect_tag(struct stage *stage, struct bytes name, int64_t event_id) {
    if (!grow((void **)&stage->tags, stage->tag_count, &stage->tag_capacity, sizeof *stage->tags) ||
        !grow((void **)&stage->links, stage->link_count, &stage->link_capacity, sizeof *stage->links) ||
        !index_reserve(stage, &stage->by_tag, tag_at)) {
        return false;
    }
    uint32_t found = find(stage, &stage->by_tag, tag_at, name);
    if (found == 0) {
        stage->tags[stage->tag_count] = (struct staged_tag){.name = name};
        index_add(stage, &stage->by_tag, tag_at, name, stage->tag_count);
        found = ++stage->tag_count;
    }
    struct staged_tag *tag = &stage->tags[found - 1];
    tag->count++;
    tag->last_id = event_id;
    stage->links[stage->link_count++] = (struct staged_link){.tag_id = found - 1, .event_id = event_id};
    return true;
}

static enum status collect_tags(struct stage *stage, struct error *error) {
    for (uint32_t i = 0; i < stage->count; i++) {
        const struct staged_event *staged = &stage->events[i];
        for (uint32_t j = 0; j < staged->event->tag_count; j++) {
            if (!collect_tag(stage, staged->event->tag[j], staged->id)) {
                return no_memory(error);
            }
        }
    }
    return OK;
}

/* Tags that are not in the file get the next numbers. */
static enum status number_tags(struct writer *writer, struct error *error) {
    struct stage *stage = &writer->stage;
    CLEANUP(statement_release) struct statement select = {0};
    int64_t last_id = 0;
    enum status status =
        connection_query_int(&writer->connection, "SELECT coalesce(max(id), 0) FROM tag", WHAT, &last_id, error);
    if (status == OK && !number_is_sound(last_id)) {
        status = id_refuse(WHAT, "tag", last_id, error);
    }
    if (status == OK) {
        /* The join keeps the order of the outer table. */
        status = statement_get(&writer->connection,
                               "SELECT tag.id FROM staged_tag LEFT JOIN tag ON tag.name = staged_tag.name", WHAT,
                               &select, error);
    }
    bool row = true;
    for (uint32_t i = 0; i < stage->tag_count && status == OK; i++) {
        status = statement_step(&select, &row, error);
        bool is_known = status == OK && row && sqlite3_column_type(select.handle, 0) != SQLITE_NULL;
        stage->tags[i].id = is_known ? column_int(&select, 0) : ++last_id;
        if (status == OK && !id_is_sound(stage->tags[i].id)) {
            status = id_refuse(WHAT, "tag", stage->tags[i].id, error);
        }
    }
    for (uint32_t i = 0; i < stage->link_count; i++) {
        stage->links[i].tag_id = stage->tags[stage->links[i].tag_id].id;
    }
    return status;
}

static int by_tag_and_event(const void *a, const void *b) {
    const struct staged_link *left = a;
    const struct staged_link *right = b;
    if (left->tag_id != right->tag_id) {
        return left->tag_id < right->tag_id ? -1 : 1;
    }
    return (left->event_id > right->event_id) - (left->event_id < right->event_id);
}

static enum status write_tags(struct writer *writer, struct error *error) {
    struct stage *stage = &writer->stage;
    enum status status = collect_tags(stage, error);
    if (status != OK || stage->tag_count == 0) {
        return status;
    }
    status = number_tags(writer, error);
    if (status == OK) {
        status = write_all(writer,
                           "INSERT INTO tag (id, name, event_count, last_id)"
                           " SELECT id, name, event_count, last_id FROM staged_tag WHERE true"
                           " ON CONFLICT (id) DO UPDATE"
                           " SET event_count = event_count + excluded.event_count, last_id = excluded.last_id",
                           error);
    }
    /* In the order of the table, so that each of its pages is visited once. */
    qsort(stage->links, stage->link_count, sizeof *stage->links, by_tag_and_event);
    return status == OK ? write_all(writer, "INSERT INTO event_tag (tag_id, event_id) SELECT * FROM staged_link", error)
                        : status;
}

enum status stage_flush(struct writer *writer, struct error *error) {
    struct stage *stage = &writer->stage;
    if (stage->failed) {
        *error = stage->failure;
        return stage->failure.status;
    }
    if (stage->count == 0) {
        empty(stage);
        return OK;
    }
    enum status status = write_streams(writer, error);
    if (status == OK) {
        status = write_events(writer, error);
    }
    if (status == OK) {
        status = write_tags(writer, error);
    }
    empty(stage);
    if (status != OK) {
        stage->failed = true;
        stage->failure = *error;
    }
    return status;
}
