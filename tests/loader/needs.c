/* needs.c: a library without an entry, which needs one that has it. */
#include <polaris/event_store.h>

int32_t fixture_needs(void);

__attribute__((visibility("default"))) int32_t fixture_needs(void) {
    return polaris_event_store_entry(NULL, NULL);
}
