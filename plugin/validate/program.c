/* program.c: looking a key up where its first slot does not settle it. */
#include "validate/program.h"

const struct key *key_search_on(const struct key_table *table, const struct program_view *view, struct bytes name,
                                uint16_t mark) {
    struct key_place place = key_place(table, name, mark);
    const struct key_search search = key_search(view, table);
    for (uint32_t slot = place.slot;; slot = (slot + 1) & table->mask) {
        uint32_t number = search.slots[slot];
        if (number == 0) {
            return NULL;
        }
        const struct key *key = &search.keys[number - 1];
        if (key_is(&search, key, name, place.hash)) {
            return key;
        }
    }
}
