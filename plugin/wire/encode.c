/* wire/encode.c: events, dead letters and errors on their way out. Replies must be well-formed whatever a damaged file
 * holds: payloads are checked before they are copied, and text that is no UTF-8 is mended. */
#include "wire/messages.h"
#include "wire/shape.h"
#include "wire/text.h"

void wire_put_mended(struct wire_writer *writer, struct bytes text) {
    wire_put_str(writer, text);
    if (writer->failed || !bytes_present(text) || wire_utf8_valid(text)) {
        return;
    }
    uint8_t *copy = writer->buffer.data + writer->buffer.size - text.size;
    size_t length;
    for (size_t i = 0; i < text.size; i += length) {
        length = wire_utf8_sequence(copy + i, text.size - i);
        if (length == 0) {
            copy[i] = '?';
            length = 1;
        }
    }
}

static void put_field_text(struct wire_writer *writer, const char *name, struct bytes text) {
    if (bytes_present(text)) {
        wire_put_text(writer, name);
        wire_put_mended(writer, text);
    }
}

static void put_field_raw(struct wire_writer *writer, const char *name, struct bytes value) {
    if (bytes_present(value)) {
        wire_put_text(writer, name);
        wire_put_raw(writer, value);
    }
}

static void put_field_int(struct wire_writer *writer, const char *name, int64_t value) {
    wire_put_text(writer, name);
    wire_put_int(writer, value);
}

/* ---- events ---- */

bool wire_is_one(struct bytes value, enum wire_kind kind) {
    struct wire_head head;
    return value.size > 0 && wire_head_read(value.data, value.size, &head) == WIRE_HEAD_OK && head.kind == kind &&
           wire_skip(value.data, value.size) == value.size;
}

static void drop_unless(struct bytes *value, enum wire_kind kind, const char *damage, struct stored_event *event) {
    if (bytes_present(*value) && !wire_is_one(*value, kind)) {
        *value = (struct bytes){0};
        event->damage = event->damage != NULL ? event->damage : damage;
    }
}

/* The event without what would make the reply malformed, and marked if that is not all of it. */
static struct stored_event sound_event(const struct stored_event *event) {
    struct stored_event sound = *event;
    drop_unless(&sound.data, WIRE_MAP, "data is no msgpack map", &sound);
    drop_unless(&sound.metadata, WIRE_MAP, "metadata is no msgpack map", &sound);
    drop_unless(&sound.tags, WIRE_ARRAY, "tags is no msgpack array", &sound);
    if (sound.damage == NULL && !bytes_present(sound.data)) {
        sound.damage = "data is missing";
    }
    if (sound.damage == NULL && !bytes_present(sound.type)) {
        sound.damage = "type is missing";
    }
    const struct bytes texts[] = {sound.type, sound.stream, sound.correlation, sound.causation, sound.batch};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && sound.damage == NULL; i++) {
        if (!wire_utf8_valid(texts[i])) {
            sound.damage = "a name is not valid UTF-8";
        }
    }
    return sound;
}

static uint32_t count_event_fields(const struct stored_event *event) {
    uint32_t always = 3; /* id, time, recorded_at */
    const struct bytes optional[] = {event->type, event->data,        event->metadata,  event->stream, event->tags,
                                     event->key,  event->correlation, event->causation, event->batch};
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        always += bytes_present(optional[i]) ? 1 : 0;
    }
    return always + (bytes_present(event->stream) ? 1u : 0u) /* version */ + (event->schema_version > 0 ? 1u : 0u) +
           (event->damage != NULL ? 1u : 0u);
}

/* Given back as a str where it can be one, whichever it came as. */
static void put_key(struct wire_writer *writer, struct bytes key) {
    if (!bytes_present(key)) {
        return;
    }
    wire_put_text(writer, "key");
    bool has_nul = key.size > 0 && memchr(key.data, '\0', key.size) != NULL;
    if (has_nul || !wire_utf8_valid(key)) {
        wire_put_bin(writer, key);
    } else {
        wire_put_str(writer, key);
    }
}

void wire_encode_event(struct wire_writer *writer, const struct stored_event *event) {
    const struct stored_event sound = sound_event(event);
    wire_put_map(writer, count_event_fields(&sound));
    put_field_int(writer, "id", sound.id);
    put_field_text(writer, "type", sound.type);
    put_field_int(writer, "time", sound.time_us);
    put_field_int(writer, "recorded_at", sound.recorded_us);
    put_field_raw(writer, "data", sound.data);
    put_field_raw(writer, "metadata", sound.metadata);
    if (bytes_present(sound.stream)) {
        put_field_text(writer, "stream", sound.stream);
        put_field_int(writer, "version", sound.version);
    }
    put_field_raw(writer, "tags", sound.tags);
    put_key(writer, sound.key);
    put_field_text(writer, "correlation", sound.correlation);
    put_field_text(writer, "causation", sound.causation);
    put_field_text(writer, "batch", sound.batch);
    if (sound.schema_version > 0) {
        put_field_int(writer, "schema_version", sound.schema_version);
    }
    if (sound.damage != NULL) {
        put_field_text(writer, "damaged", bytes_from_string(sound.damage));
    }
}

/* ---- dead letters ---- */

static void put_failures(struct wire_writer *writer, const struct dead_letter *letter) {
    wire_put_text(writer, "failures");
    wire_put_array(writer, letter->failure_count);
    for (uint32_t i = 0; i < letter->failure_count; i++) {
        const struct dead_letter_failure *failure = &letter->failures[i];
        uint32_t fields = 1; /* time */
        fields += bytes_present(failure->class_name) ? 1 : 0;
        fields += bytes_present(failure->message) ? 1 : 0;
        wire_put_map(writer, fields);
        put_field_text(writer, "class", failure->class_name);
        put_field_text(writer, "message", failure->message);
        put_field_int(writer, "time", failure->time_us);
    }
}

void wire_encode_dead_letter(struct wire_writer *writer, const struct dead_letter *letter,
                             const struct stored_event *event) {
    const struct dead_letter_progress *progress = &letter->progress;
    size_t map = wire_open_map(writer);
    uint32_t fields = 9;
    put_field_int(writer, "id", letter->id);
    put_field_int(writer, "event_id", letter->event_id);
    wire_put_text(writer, "consumer");
    wire_put_mended(writer, letter->consumer);
    wire_put_text(writer, "state");
    wire_put_text(writer, dead_letter_state_name(progress->state));
    put_field_int(writer, "attempts", progress->attempts);
    put_field_int(writer, "attempts_max", progress->attempts_max);
    put_field_int(writer, "created_at", letter->created_us);
    put_field_int(writer, "updated_at", letter->updated_us);
    put_failures(writer, letter);
    if (progress->state == DEAD_LETTER_PENDING) {
        put_field_int(writer, "due_at", progress->due_us);
        fields++;
    }
    if (progress->state == DEAD_LETTER_CLAIMED) {
        put_field_int(writer, "token", progress->token);
        put_field_int(writer, "lease_until", progress->lease_until_us);
        put_field_text(writer, "holder", letter->holder);
        fields += bytes_present(letter->holder) ? 3 : 2;
    }
    put_field_text(writer, "stream", letter->stream);
    put_field_text(writer, "reason", letter->reason);
    fields += bytes_present(letter->stream) ? 1 : 0;
    fields += bytes_present(letter->reason) ? 1 : 0;
    if (event != NULL) {
        wire_put_text(writer, "event");
        wire_encode_event(writer, event);
        fields++;
    }
    wire_close(writer, map, fields);
}

/* ---- errors ---- */

void wire_encode_error(struct wire_writer *writer, const struct error *error) {
    bool has_path = error->path[0] != '\0';
    wire_put_map(writer, 5);
    put_field_int(writer, "code", error->status);
    wire_put_text(writer, "name");
    wire_put_text(writer, status_name(error->status));
    put_field_text(writer, "message", bytes_from_string(error->message));
    wire_put_text(writer, "retryable");
    wire_put_bool(writer, status_is_retryable(error->status));
    wire_put_text(writer, "details");
    wire_put_map(writer, (uint32_t)error->detail_count + (has_path ? 1 : 0) + error->more_pairs);
    if (has_path) {
        put_field_text(writer, "path", bytes_from_string(error->path));
    }
    for (size_t i = 0; i < error->detail_count; i++) {
        const struct error_detail *detail = &error->details[i];
        if (detail->is_text) {
            put_field_text(writer, detail->name, bytes_from_string(detail->text));
        } else {
            put_field_int(writer, detail->name, detail->number);
        }
    }
    if (error->more_pairs > 0) {
        wire_put_raw(writer, error->more);
    }
}

/* {"code": 17, "name": "NO_MEMORY", "message": "no memory", "retryable": true, "details": {}} */
static const uint8_t NO_MEMORY_REPLY[] = "\x85\xa4"
                                         "code\x11\xa4name\xa9NO_MEMORY\xa7message\xa9no memory\xa9retryable\xc3\xa7"
                                         "details\x80";
_Static_assert(POLARIS_ES_NO_MEMORY == 0x11, "the canned reply says so");

struct bytes wire_error_reply(struct wire_writer *writer, const struct error *error) {
    wire_rollback(writer, 0);
    writer->failed = false;
    wire_encode_error(writer, error);
    return writer->failed ? (struct bytes){.data = NO_MEMORY_REPLY, .size = sizeof NO_MEMORY_REPLY - 1}
                          : buffer_view(&writer->buffer);
}
