/* examples_test.c: runs the worked examples of SPEC.md, in their order, on one store. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "document.h"
#include "example.h"
#include "message/message.h"
#include "store.h"

static void value_done(json_t **value) {
    json_decref(*value);
}

static void text_done(char **text) {
    free(*text);
}

static const char *status_text(int32_t status) {
#define NAME(name, number, retryable, meaning) #name,
    static const char *const NAMES[] = {POLARIS_ES_STATUSES(NAME)};
#undef NAME
    return status >= 0 && status < POLARIS_ES_STATUS_COUNT ? NAMES[status] : "an unknown status";
}

/* The story so far. */
struct story {
    struct spec_store store;
    json_t *reply; /* to the last request */
    json_t *last_success;
    int32_t status;
    int request_line; /* 0: no request waits for its reply */
    size_t examples;
};

/* Examples of init and shutdown are about an instance of their own; the story's goes on. */
static void run_init(struct story *story, const json_t *config) {
    polaris_es *self = NULL;
    story->status = spec_store_init(&story->store, config, &self, &story->reply);
    if (story->status == POLARIS_ES_OK) {
        cr_assert_eq(story->store.table->shutdown(self, (polaris_bytes){0}, NULL), POLARIS_ES_OK);
    }
}

static void run_shutdown(struct story *story, const json_t *request) {
    CLEANUP(value_done) json_t *config = spec_json("{\"path\": \"shutdown.db\"}", 0);
    CLEANUP(value_done) json_t *reply = NULL;
    polaris_es *self = NULL;
    cr_assert_eq(spec_store_init(&story->store, config, &self, &reply), POLARIS_ES_OK);
    story->status = spec_store_shutdown(&story->store, self, request, &story->reply);
}

static void run_request(struct story *story, const struct part *block) {
    cr_assert_eq(story->request_line, 0, "SPEC.md:%d: this request has no reply", story->request_line);
    CLEANUP(value_done) json_t *request = spec_json(block->text, block->line);
    char name[64] = "";
    cr_assert(example_fill(request, story->last_success, name, sizeof name),
              "SPEC.md:%d: no reply before has '%s', for which … stands", block->line, name);
    json_decref(story->reply);
    story->reply = NULL;
    if (strcmp(block->words[1], "init") == 0) {
        run_init(story, request);
    } else if (strcmp(block->words[2], "shutdown") == 0) {
        run_shutdown(story, request);
    } else {
        story->status = spec_store_call(&story->store, block->words[2], request, &story->reply);
    }
    if (story->status == POLARIS_ES_OK) {
        json_decref(story->last_success);
        story->last_success = json_incref(story->reply);
    }
    story->request_line = block->line;
}

static void compare_reply(struct story *story, const struct part *block, const char *wanted) {
    cr_assert_neq(story->request_line, 0, "SPEC.md:%d: a reply without a request", block->line);
    CLEANUP(value_done) json_t *expected = spec_json(block->text, block->line);
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
        CLEANUP(value_done) json_t *clock = spec_json(block->text, block->line);
        story->store.now_us += json_integer_value(json_object_get(clock, "advance_us"));
    } else {
        cr_assert_fail("SPEC.md:%d: a JSON block is a request, init, reply, error or clock, not '%s'", block->line,
                       kind);
    }
}

Test(spec, worked_examples_hold_in_the_order_in_which_they_stand) {
    struct story story = {0};
    spec_store_begin(&story.store);
    CLEANUP(document_done) struct document document = document_read(SPEC_PATH);
    CLEANUP(value_done) json_t *config = spec_json("{\"path\": \"graph.db\", \"owner\": \"polaris\"}", 0);
    cr_assert_eq(spec_store_init(&story.store, config, &story.store.self, &story.reply), POLARIS_ES_OK);

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
    spec_store_end(&story.store);
}

static bool matches(const char *expected_text, const char *actual_text) {
    CLEANUP(value_done) json_t *expected = spec_json(expected_text, 0);
    CLEANUP(value_done) json_t *actual = spec_json(actual_text, 0);
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
