/* header_use.c: uses everything that the public header declares; compiled as each C and C++ standard that it promises.
 */
#include <polaris/event_store.h>

#ifdef __cplusplus
#define ASSERT_STATIC(condition) static_assert(condition, #condition)
#elif __STDC_VERSION__ >= 201112L
#define ASSERT_STATIC(condition) _Static_assert(condition, #condition)
#else
#define ASSERT_STATIC(condition) typedef char condition_holds[(condition) ? 1 : -1]
#endif

ASSERT_STATIC(sizeof(polaris_bytes) == 16);

#define COUNT(name, number, retryable, meaning) +1
enum { STATUSES_COUNTED = 0 POLARIS_ES_STATUSES(COUNT), LAST_STATUS = POLARIS_ES_INTERNAL };
#undef COUNT

#define NAME(constant, name) name,
static const char *const TYPES[] = {POLARIS_ES_TYPES(NAME) 0};
#undef NAME

#define RULE(slot, who, state, blocks, calls) #slot " " #who " " #state " " #blocks " " #calls,
static const char *const RULES[] = {POLARIS_ES_THREAD_RULES(RULE) 0};
#undef RULE

static int32_t take(void *context, polaris_bytes piece) {
    *(uint64_t *)context += piece.size;
    return 0;
}

int32_t use_of_the_header(polaris_es_entry entry, polaris_es_services *services, uint64_t *taken);
int32_t use_of_the_header(polaris_es_entry entry, polaris_es_services *services, uint64_t *taken) {
    polaris_es_hello hello = {sizeof hello, POLARIS_ES_ABI_MAJOR, POLARIS_ES_ABI_MAJOR, POLARIS_ES_ABI_MINOR, 0, 0};
    polaris_es_descriptor descriptor = {sizeof descriptor, 0, 0, 0, 0, POLARIS_ES_SQLITE_NONE, {0}, {0}, {0}};
    polaris_es_welcome welcome = {sizeof welcome, 0, 0, 0, 0, &descriptor, {0}};
    polaris_sink sink = {sizeof sink, 0, taken, take};
    polaris_bytes none = {0, 0};
    polaris_es *self = 0;
    int32_t status = entry(&hello, &welcome);
    if (status != POLARIS_ES_OK) {
        return status;
    }
    services->size = sizeof *services;
    status = welcome.table->init(services, none, &sink, &self);
    if (status == POLARIS_ES_OK && (welcome.table->capabilities & POLARIS_ES_CAN_APPEND) != 0) {
        status = welcome.table->store(self, none, &sink);
        (void)welcome.table->shutdown(self, none, &sink);
    }
    return TYPES[0] != RULES[0] && (int)LAST_STATUS < (int)STATUSES_COUNTED ? status : POLARIS_ES_INTERNAL;
}

int main(void) {
    return 0;
}
