/* store.h: the real plugin on a store in a folder of its own, with a clock that stands still. */
#ifndef POLARIS_TESTS_SPEC_STORE_H
#define POLARIS_TESTS_SPEC_STORE_H

#include <jansson.h>
#include <polaris/event_store.h>

#define STORY_BEGINS_US INT64_C(1767225600000000) /* 2026-01-01T00:00:00Z */

struct spec_store {
    const polaris_es_table *table;
    polaris_es *self;
    int64_t now_us;
    char folder[64];
};

/* Loads the plugin, and makes an empty folder the working directory. Opens nothing. */
void spec_store_begin(struct spec_store *store);
/* Shuts the story's instance down, if it is open, and removes the folder. */
void spec_store_end(struct spec_store *store);

/* Each takes JSON, and gives the status and the reply as a new reference. */
int32_t spec_store_init(struct spec_store *store, const json_t *config, polaris_es **ret_self, json_t **ret_reply);
int32_t spec_store_call(struct spec_store *store, const char *verb, const json_t *request, json_t **ret_reply);
int32_t spec_store_shutdown(struct spec_store *store, polaris_es *self, const json_t *request, json_t **ret_reply);

/* JSON text of a test or of the specification; aborts the test, naming `line`, when it is none. */
json_t *spec_json(const char *text, int line);

#endif
