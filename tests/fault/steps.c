/* steps.c: the requests, and what is in the files before them. */
#include "steps.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store_dump.h"

#define SCHEMA "{'type': 'object', 'required': ['n'], 'properties': {'n': {'type': 'integer', 'minimum': 0}}}"
#define EVENT(type, number, more) "{'type': '" type "', 'data': {'n': " number "}" more "}"

static const struct {
    const char *verb, *text;
    int32_t status;
} REQUESTS[] = {
    /* writes, and the reads that see them */
    {"schema", "{'op': 'put', 'type': 'v', 'schema': " SCHEMA "}", 0},
    {"schema", "{'op': 'policy', 'type': 'v', 'policy': 'dead_letter', 'compatibility': 'backward'}", 0},
    {"store",
     "{'op': 'append', 'events': [" EVENT("a", "1", ", 'stream': 's', 'tags': ['x', 'y'], 'key': 'k1'") ", " EVENT(
         "b", "2", ", 'metadata': {'u': 1}, 'correlation': 'c', 'time': 5") ", " EVENT("v", "3",
                                                                                       ", 'stream': 's'") "]}",
     0},
    {"store", "{'op': 'append', 'event': " EVENT("a", "1", ", 'stream': 's', 'tags': ['x', 'y'], 'key': 'k1'") "}", 0},
    {"store",
     "{'op': 'append', 'event': " EVENT("a", "4", ", 'tags': ['x']") ", 'condition': {'filter': {'tags_any': ['z']}}}",
     0},
    {"store", "{'op': 'append', 'event': " EVENT("a", "4", ", 'stream': 's', 'expected_version': 7") "}",
     POLARIS_ES_CONFLICT},
    {"store", "{'op': 'append', 'events': [" EVENT("v", "-1", "") ", " EVENT("v", "5", "") "]}", 0},
    {"store", "{'op': 'batch.create', 'id': 'b', 'metadata': {'n': 1}}", 0},
    {"store",
     "{'op': 'batch.append', 'id': 'b', 'events': [" EVENT("a", "6", ", 'stream': 's'") ", " EVENT(
         "b", "7", ", 'tags': ['x']") "]}",
     0},
    {"store", "{'op': 'batch.get', 'id': 'b'}", 0},
    {"store", "{'op': 'batch.list', 'state': 'open'}", 0},
    {"store", "{'op': 'batch.complete', 'id': 'b'}", 0},
    {"store", "{'op': 'batch.create', 'id': 'c'}", 0},
    {"store", "{'op': 'batch.append', 'id': 'c', 'event': " EVENT("a", "8", "") "}", 0},
    {"store", "{'op': 'batch.abort', 'id': 'c', 'reason': 'no'}", 0},
    {"query", "{'op': 'events'}", 0},
    {"query", "{'op': 'events', 'filter': {'tags_any': ['x', 'y'], 'metadata': {'/u': 1}}, 'order': 'desc'}", 0},
    {"query", "{'op': 'get', 'id': 2}", 0},
    {"query", "{'op': 'count', 'filter': {'stream': 's'}}", 0},
    {"query", "{'op': 'histogram', 'by': 'type_and_time', 'bucket_us': 1000}", 0},
    {"query", "{'op': 'streams'}", 0},
    {"query", "{'op': 'tags', 'prefix': 'x'}", 0},
    {"query", "{'op': 'batches'}", 0},
    {"query", "{'op': 'head'}", 0},
    {"query", "{'op': 'interrupt'}", 0},
    {"dlq", "{'op': 'put', 'event_id': 1, 'delay_us': 0, 'error': {'class': 'E', 'message': 'no'}}", 0},
    {"dlq", "{'op': 'claim', 'limit': 5, 'ordered': true}", 0},
    {"dlq", "{'op': 'fail', 'id': 1, 'token': 1, 'error': {'message': 'again'}, 'delay_us': 0}", 0},
    {"dlq", "{'op': 'retry'}", 0},
    {"dlq", "{'op': 'resolve', 'id': 1, 'token': 2}", 0},
    {"dlq", "{'op': 'list', 'with_events': true}", 0},
    {"dlq", "{'op': 'get', 'id': 1, 'with_event': true}", 0},
    {"dlq", "{'op': 'count'}", 0},
    {"dlq", "{'op': 'put', 'event_id': 2, 'consumer': 'm', 'error': {'message': 'no'}}", 0},
    {"dlq", "{'op': 'redrive', 'all': true}", 0},
    {"dlq", "{'op': 'redrive', 'id': 2}", 0},
    {"dlq", "{'op': 'discard', 'id': 2, 'reason': 'no'}", 0},
    {"dlq", "{'op': 'purge'}", 0},
    {"dlq", "{'op': 'rejected.list'}", 0},
    {"dlq", "{'op': 'rejected.get', 'id': 1}", 0},
    {"dlq", "{'op': 'rejected.resubmit', 'id': 1, 'event': " EVENT("v", "9", "") "}", 0},
    {"store", "{'op': 'append', 'event': " EVENT("v", "-1", "") "}", 0},
    {"dlq", "{'op': 'rejected.discard', 'id': 2, 'reason': 'no'}", 0},
    {"dlq", "{'op': 'rejected.purge'}", 0},
    {"schema", "{'op': 'get', 'type': 'v'}", 0},
    {"schema", "{'op': 'list'}", 0},
    {"schema", "{'op': 'versions', 'type': 'v'}", 0},
    {"schema", "{'op': 'validate', 'type': 'v', 'data': {'n': -1}}", 0},
    {"schema", "{'op': 'check', 'type': 'v', 'schema': {'type': 'object'}}", 0},
    {"schema", "{'op': 'dry_run', 'type': 'v', 'schema': {'properties': {'n': {'maximum': 3}}}}", 0},
    {"schema", "{'op': 'put', 'type': 'v', 'schema': {'type': 'object'}}", 0},
    {"schema", "{'op': 'retire', 'type': 'v', 'version': 2}", 0},
};
enum { COUNT = sizeof REQUESTS / sizeof REQUESTS[0] };
const size_t step_count = COUNT;
struct step steps[COUNT];

static struct file_copy copy_file(const char *path) {
    struct file_copy copy = {0};
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        cr_assert_eq(fseek(file, 0, SEEK_END), 0);
        copy.size = (size_t)ftell(file);
        rewind(file);
        copy.data = malloc(copy.size + 1);
        cr_assert_not_null(copy.data);
        cr_assert_eq(fread(copy.data, 1, copy.size, file), copy.size);
        (void)fclose(file);
    }
    return copy;
}

static void write_file(const char *path, const struct file_copy *copy) {
    (void)unlink(path);
    if (copy->data != NULL) {
        FILE *file = fopen(path, "wb");
        cr_assert_not_null(file);
        cr_assert_eq(fwrite(copy->data, 1, copy->size, file), copy->size);
        (void)fclose(file);
    }
}

static const char *beside(const struct es *es, const char *suffix) {
    static char path[128];
    snprintf(path, sizeof path, "%s%s", es->path, suffix);
    return path;
}

void step_restore(const struct step *step, const struct es *es) {
    static const struct file_copy NONE = {0};
    write_file(es->path, step != NULL ? &step->database : &NONE);
    write_file(beside(es, "-wal"), step != NULL ? &step->log : &NONE);
    (void)unlink(beside(es, "-shm"));
    (void)unlink(beside(es, "-journal"));
}

void step_copy_files(const struct es *es, char *ret_path, size_t size) {
    struct file_copy database = copy_file(es->path);
    struct file_copy log = copy_file(beside(es, "-wal"));
    write_file(beside(es, ".copy"), &database);
    write_file(beside(es, ".copy-wal"), &log);
    (void)unlink(beside(es, ".copy-shm"));
    free(database.data);
    free(log.data);
    snprintf(ret_path, size, "%s", beside(es, ".copy"));
}

void step_remove_copy(const struct es *es) {
    static const char *const SUFFIXES[] = {".copy", ".copy-wal", ".copy-shm", ".copy-journal"};
    for (size_t i = 0; i < sizeof SUFFIXES / sizeof SUFFIXES[0]; i++) {
        (void)unlink(beside(es, SUFFIXES[i]));
    }
}

char *step_reply(const json_t *reply) {
    return json_dumps(reply, JSON_SORT_KEYS | JSON_COMPACT);
}

static char *dump(const struct es *es) {
    char problem[PROBLEM_SIZE];
    char *text = store_dump(es->path, problem);
    cr_assert_not_null(text, "%s", problem);
    return text;
}

static void make_step(struct step *step, struct es *es) {
    size_t size = 0;
    void *keep_log = es_pack("{'keep_log': true}", &size);
    cr_assert_eq(es->table->shutdown(es->self, (polaris_bytes){keep_log, size}, NULL), POLARIS_ES_OK);
    free(keep_log);
    step->database = copy_file(es->path);
    step->log = copy_file(beside(es, "-wal"));
    cr_assert_eq(es_init(es, STEPS_CONFIG), POLARIS_ES_OK);
    step->before = dump(es);
    step->data = es_pack(step->text, &step->size);
    int32_t status = es_call_bytes(es, step->verb, step->data, step->size);
    cr_assert_eq(status, step->status, "%s: %d, %s", step->text, status,
                 status != POLARIS_ES_OK ? es_text(es->reply, "message") : "");
    step->reply = step_reply(es->reply);
    step->after = dump(es);
}

void steps_make(struct es *es) {
    cr_assert_eq(es_init(es, STEPS_CONFIG), POLARIS_ES_OK);
    for (size_t i = 0; i < step_count; i++) {
        steps[i] = (struct step){.verb = REQUESTS[i].verb, .text = REQUESTS[i].text, .status = REQUESTS[i].status};
        make_step(&steps[i], es);
    }
    es_shutdown(es);
}

void steps_done(void) {
    for (size_t i = 0; i < step_count; i++) {
        free(steps[i].database.data);
        free(steps[i].log.data);
        free(steps[i].data);
        free(steps[i].reply);
        free(steps[i].before);
        free(steps[i].after);
    }
}
