/* seed.c: what the stores of the fuzz targets begin with. */
#include "seed.h"

#include "boundary.h"

void seed_events(polaris_es *self, int first, int count) {
    for (int i = first; i < first + count; i++) {
        char request[1024];
        /* Some are larger than a page of the store. */
        snprintf(request, sizeof request,
                 "{\"op\":\"append\",\"event\":{\"type\":\"%c\",\"data\":{\"id\":%d,\"pad\":\"%0*d\"},"
                 "\"metadata\":{\"user\":%d},\"stream\":\"%s\",\"tags\":[\"%c\",\"node:%d\"],\"key\":\"k%d\","
                 "\"correlation\":\"%s\",\"time\":%lld}}",
                 'a' + i % 2, i, i % 4 == 3 ? 600 : 1, 0, i % 3, i % 2 == 0 ? "s" : "node:1", 'x' + i % 2, i % 5, i + 1,
                 i % 2 == 0 ? "open" : "more", (long long)boundary_now_us - i % 3 * 1000000);
        json_decref(boundary_ask(self, VERB_ID_STORE, MAY(OK), request));
    }
}

void seed_rest(polaris_es *self) {
    static const struct {
        enum verb_id verb;
        const char *request;
    } REQUESTS[] = {
        {VERB_ID_STORE, "{\"op\":\"batch.create\",\"id\":\"open\",\"metadata\":{\"job\":1}}"},
        {VERB_ID_STORE, "{\"op\":\"batch.append\",\"id\":\"open\",\"events\":[{\"type\":\"a\",\"data\":{}},"
                        "{\"type\":\"b\",\"data\":{\"id\":1},\"tags\":[\"z\"],\"stream\":\"s\"}]}"},
        {VERB_ID_STORE, "{\"op\":\"batch.create\",\"id\":\"done\"}"},
        {VERB_ID_STORE, "{\"op\":\"batch.append\",\"id\":\"done\",\"event\":{\"type\":\"a\",\"data\":{}}}"},
        {VERB_ID_STORE, "{\"op\":\"batch.complete\",\"id\":\"done\"}"},
        {VERB_ID_STORE, "{\"op\":\"batch.create\",\"id\":\"over\"}"},
        {VERB_ID_STORE, "{\"op\":\"batch.abort\",\"id\":\"over\",\"reason\":\"r\"}"},
        {VERB_ID_DLQ, "{\"op\":\"put\",\"event_id\":1,\"delay_us\":0,\"error\":{\"class\":\"E\",\"message\":\"m\"}}"},
        {VERB_ID_DLQ, "{\"op\":\"put\",\"event_id\":2,\"delay_us\":0,\"error\":{\"message\":\"m\"}}"},
        {VERB_ID_DLQ, "{\"op\":\"put\",\"event_id\":3,\"consumer\":\"c\",\"error\":{\"message\":\"m\"}}"},
        {VERB_ID_DLQ, "{\"op\":\"put\",\"event_id\":1,\"consumer\":\"c\",\"error\":{\"message\":\"m\"}}"},
        {VERB_ID_DLQ, "{\"op\":\"claim\",\"holder\":\"h\"}"},
        {VERB_ID_DLQ, "{\"op\":\"discard\",\"id\":4,\"reason\":\"r\"}"},
        {VERB_ID_SCHEMA, "{\"op\":\"put\",\"type\":\"v\",\"schema\":{\"type\":\"object\",\"required\":[\"id\"]}}"},
        {VERB_ID_SCHEMA, "{\"op\":\"put\",\"type\":\"v\",\"schema\":\"{\\\"required\\\":[\\\"id\\\"]}\","
                         "\"metadata\":{\"by\":1}}"},
        {VERB_ID_SCHEMA, "{\"op\":\"policy\",\"type\":\"v\",\"policy\":\"dead_letter\"}"},
        {VERB_ID_SCHEMA,
         "{\"op\":\"put\",\"type\":\"w\",\"schema\":\"{\\\"properties\\\":{\\\"a\\\":{\\\"$ref\\\":\\\"doc\\\"}}}\","
         "\"documents\":[{\"uri\":\"doc\",\"schema\":{\"type\":\"integer\"}}]}"},
        {VERB_ID_STORE, "{\"op\":\"append\",\"event\":{\"type\":\"v\",\"data\":{}}}"},
        {VERB_ID_STORE, "{\"op\":\"append\",\"event\":{\"type\":\"v\",\"data\":{\"a\":[1]},\"key\":\"r\"}}"},
        {VERB_ID_STORE, "{\"op\":\"append\",\"event\":{\"type\":\"v\",\"data\":{\"id\":1}}}"},
        {VERB_ID_DLQ, "{\"op\":\"rejected.discard\",\"id\":2,\"reason\":\"r\"}"},
    };
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        json_decref(boundary_ask(self, REQUESTS[i].verb, MAY(OK), REQUESTS[i].request));
    }
}
