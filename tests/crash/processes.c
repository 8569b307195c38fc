/* processes.c: one writer and any number of readers, each in a process of its own. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "child.h"

enum { EVENTS = 300, READERS = 3 };

/* 0: refused with BUSY, and told who owns the file. */
static int try_to_write(struct es *es, int reports) {
    (void)reports;
    int32_t status = es_init(es, "{'owner': 'the second'}");
    const char *message = es_text(es->reply, "message");
    return status == POLARIS_ES_BUSY && message != NULL && strstr(message, "the first") != NULL ? 0 : 1;
}

Test(processes, second_writer_in_another_process_is_busy_and_names_the_owner) {
    struct es *es = es_open(NULL);
    es_shutdown(es);
    struct child child = child_start(es, try_to_write);
    cr_assert_eq(es_init(es, "{'owner': 'the first'}"), POLARIS_ES_OK);

    child_go(&child);

    cr_expect_eq(child_wait(&child), 0);
    es_close(es);
}

/* Tails the store by cursor until it has seen EVENTS events; each once, in the order of their ids. */
static int tail_all(struct es *es, int reports) {
    char cursor[1024] = "";
    int64_t last = 0;
    if (es_init(es, "{'mode': 'read'}") != POLARIS_ES_OK) {
        return 1;
    }
    child_report(reports, 0); /* open */
    while (last < EVENTS) {
        int32_t status = cursor[0] == '\0'
                             ? es_call(es, "query", "{'op': 'events', 'order_by': 'id', 'wait_us': 50000, 'limit': 7}")
                             : es_call(es, "query",
                                       "{'op': 'events', 'order_by': 'id', 'wait_us': 50000, 'limit': 7,"
                                       " 'cursor': '%s'}",
                                       cursor);
        if (status != POLARIS_ES_OK) {
            return 2;
        }
        size_t i = 0;
        json_t *event = NULL;
        json_array_foreach(json_object_get(es->reply, "events"), i, event) {
            if (es_int(event, "id") != ++last) {
                return 3;
            }
        }
        const char *next = json_string_value(json_object_get(es->reply, "cursor"));
        if (next != NULL) {
            snprintf(cursor, sizeof cursor, "%s", next);
        }
    }
    return es->table->shutdown(es->self, (polaris_bytes){0}, NULL) == POLARIS_ES_OK ? 0 : 4;
}

Test(processes, readers_in_other_processes_miss_nothing_while_the_writer_works, .timeout = 120) {
    struct es *es = es_open(NULL);
    struct child readers[READERS];
    int64_t opened = 0;
    es_shutdown(es);
    for (int i = 0; i < READERS; i++) {
        readers[i] = child_start(es, tail_all);
    }
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);
    for (int i = 0; i < READERS; i++) {
        child_go(&readers[i]);
        cr_assert(child_next(&readers[i], &opened));
    }

    for (int i = 0; i < EVENTS; i++) {
        (void)es_append(es, "{'type': 'a', 'data': {}}");
    }

    for (int i = 0; i < READERS; i++) {
        cr_expect_eq(child_wait(&readers[i]), 0, "reader %d", i);
    }
    es_close(es);
}

static int refuse_to_write(struct es *es, int reports) {
    (void)reports;
    if (es_init(es, "{'mode': 'read'}") != POLARIS_ES_OK) {
        return 1;
    }
    int32_t status = es_call(es, "store", "{'op': 'append', 'event': {'type': 'a', 'data': {}}}");
    (void)es->table->shutdown(es->self, (polaris_bytes){0}, NULL);
    return status == POLARIS_ES_READ_ONLY ? 0 : 2;
}

Test(processes, reader_in_another_process_cannot_write) {
    struct es *es = es_open(NULL);
    (void)es_append(es, "{'type': 'a', 'data': {}}");
    es_shutdown(es);
    struct child child = child_start(es, refuse_to_write);
    cr_assert_eq(es_init(es, NULL), POLARIS_ES_OK);

    child_go(&child);

    cr_expect_eq(child_wait(&child), 0);
    cr_expect_eq(es_event_count(es), 1);
    es_close(es);
}
