/* examples_test.c: runs the worked examples of SPEC.md, in their order, on one store. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "document.h"
#include "es.h"
#include "example.h"
#include "message/message.h"

static void value_done(json_t **value) {
    json_decref(*value);
}

static void text_done(char **text) {
    free(*text);
}

static void packed_done(uint8_t **data) {
    free(*data);
}

static const char *status_text(int32_t status) {
#define NAME(name, number, retryable, meaning) #name,
    static const char *const NAMES[] = {POLARIS_ES_STATUSES(NAME)};
#undef NAME
    return status >= 0 && status < POLARIS_ES_STATUS_COUNT ? NAMES[status] : "an unknown status";
}

/* The story so far. */
struct story {
    struct es *es;
    json_t *reply; /* to the last request */
    json_t *last_success;
    int32_t status;
    int request_line; /* 0: no request waits for its reply */
    size_t examples;
};

static void run_call(struct story *story, const char *verb, const json_t *request) {
    CLEANUP(packed_done) uint8_t *data = NULL;
    size_t size = 0;
    struct failure failure;
    cr_assert(message_pack(request, &data, &size, &failure), "%s", failure.message);
    story->status = es_call_bytes(story->es, verb, data, size);
    story->reply = json_incref(story->es->reply);
}

/* Examples of init and shutdown are about an instance of their own; the story's goes on. */
static void run_init(struct story *story, const json_t *config) {
    CLEANUP(text_done) char *text = message_print(config);
    polaris_es *self = NULL;
    story->status = es_init_second(story->es, text, &self, &story->reply);
    if (story->status == POLARIS_ES_OK) {
        cr_assert_eq(story->es->table->shutdown(self, (polaris_bytes){0}, NULL), POLARIS_ES_OK);
    }
}

static void run_shutdown(struct story *story, const char *request) {
    CLEANUP(value_done) json_t *reply = NULL;
    CLEANUP(es_sink_done) struct es_sink sink;
    CLEANUP(packed_done) uint8_t *data = NULL;
    size_t size = 0;
    polaris_es *self = NULL;
    es_sink_init(&sink);
    data = es_pack(request, &size);
    cr_assert_eq(es_init_second(story->es, "{'path': 'shutdown.db'}", &self, &reply), POLARIS_ES_OK);
    story->status = story->es->table->shutdown(self, (polaris_bytes){.data = data, .size = size}, &sink.sink);
    story->reply = es_sink_reply(&sink);
}

static void run_request(struct story *story, const struct part *block) {
    cr_assert_eq(story->request_line, 0, "SPEC.md:%d: this request has no reply", story->request_line);
    CLEANUP(value_done) json_t *request = example_parse(block->text, block->line);
    char name[64] = "";
    cr_assert(example_fill(request, story->last_success, name, sizeof name),
              "SPEC.md:%d: no reply before has '%s', for which … stands", block->line, name);
    json_decref(story->reply);
    story->reply = NULL;
    if (strcmp(block->words[1], "init") == 0) {
        run_init(story, request);
    } else if (strcmp(block->words[2], "shutdown") == 0) {
        run_shutdown(story, block->text);
    } else {
        run_call(story, block->words[2], request);
    }
    if (story->status == POLARIS_ES_OK) {
        json_decref(story->last_success);
        story->last_success = json_incref(story->reply);
    }
    story->request_line = block->line;
}

static void compare_reply(struct story *story, const struct part *block, const char *wanted) {
    cr_assert_neq(story->request_line, 0, "SPEC.md:%d: a reply without a request", block->line);
    CLEANUP(value_done) json_t *expected = example_parse(block->text, block->line);
    CLEANUP(text_done) char *actual = message_print(story->reply);
    char where[512] = "";
    cr_expect(strcmp(status_text(story->status), wanted) == 0, "SPEC.md:%d: the answer is %s, not %s: %s",
              story->request_line, status_text(story->status), wanted, actual);
    cr_expect(example_matches(expected, story->reply, where, sizeof where), "SPEC.md:%d: %s; the reply is %s",
              block->line, where, actual);
    story->request_line = 0;
    story->examples++;
}

static void run_block(struct story *story, const struct part *block) {
    const char *kind = block->words[1];
    if (strcmp(kind, "request") == 0 || strcmp(kind, "init") == 0) {
        run_request(story, block);
    } else if (strcmp(kind, "reply") == 0) {
        compare_reply(story, block, "OK");
    } else if (strcmp(kind, "error") == 0) {
        compare_reply(story, block, block->words[2]);
    } else if (strcmp(kind, "clock") == 0) {
        CLEANUP(value_done) json_t *clock = example_parse(block->text, block->line);
        atomic_fetch_add(&story->es->now_us, es_int(clock, "advance_us"));
    } else {
        cr_assert_fail("SPEC.md:%d: a JSON block is a request, init, reply, error or clock, not '%s'", block->line,
                       kind);
    }
}

Test(spec, worked_examples_hold_in_the_order_in_which_they_stand) {
    CLEANUP(document_done) struct document document = document_read(SPEC_PATH);
    struct story story = {.es = es_open("{'owner': 'polaris'}")};
    cr_assert_eq(chdir(story.es->folder), 0); /* the paths of the examples are relative: events.db is the story's */

    for (size_t i = 0; i < document.count; i++) {
        const struct part *part = &document.parts[i];
        if (part->kind == PART_BLOCK && strcmp(part->words[0], "json") == 0) {
            run_block(&story, part);
        }
    }

    cr_expect_eq(story.request_line, 0, "SPEC.md:%d: the last request has no reply", story.request_line);
    cr_expect_gt(story.examples, 60, "only %zu examples were found", story.examples);
    json_decref(story.reply);
    json_decref(story.last_success);
    es_close(story.es);
}

static bool matches(const char *expected_text, const char *actual_text) {
    CLEANUP(value_done) json_t *expected = example_parse(expected_text, 0);
    CLEANUP(value_done) json_t *actual = example_parse(actual_text, 0);
    char where[512];
    return example_matches(expected, actual, where, sizeof where);
}

Test(spec, examples_that_differ_are_found) {
    cr_expect(matches("{\"a\": [1, {\"b\": \"…\"}]}", "{\"a\": [1, {\"b\": [2, 3]}]}"));
    cr_expect_not(matches("{\"a\": 1}", "{\"a\": 2}"));
    cr_expect_not(matches("{\"a\": 1}", "{\"a\": 1.0}"));
    cr_expect_not(matches("{\"a\": 1}", "{\"a\": 1, \"b\": 1}"));
    cr_expect_not(matches("{\"a\": 1, \"b\": \"…\"}", "{\"a\": 1}"));
    cr_expect_not(matches("[1, 2]", "[1, 2, 3]"));
    cr_expect_not(matches("[1, {\"a\": \"x\"}]", "[1, {\"a\": \"y\"}]"));
}
