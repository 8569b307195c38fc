/* model.h: does a tape hold what JSON can hold? */
#ifndef POLARIS_PLUGIN_VALIDATE_MODEL_H
#define POLARIS_PLUGIN_VALIDATE_MODEL_H

#include "validate/value.h"

struct model_fault {
    uint32_t item;    /* the value, or the key */
    uint32_t map;     /* of a fault of a key: the map it is in; otherwise WORK_NONE */
    const char *what; /* reads on after "must": a literal */
};

/* Of what an array or map may lack (enum wire_lack), what makes a payload invalid. */
static inline unsigned model_lacks(bool extended) {
    return extended ? WIRE_LACKS_TEXT : WIRE_LACKS_TEXT | WIRE_LACKS_VALUE | WIRE_LACKS_KEYS;
}

/* model.c: the rest of model_check, value by value. */
enum verdict model_sweep(struct wire_value root, bool extended, uint64_t seed, struct work *work,
                         struct model_fault *ret_fault);

/* VERDICT_NO: *ret_fault says where and why. `extended`: only text that is no UTF-8 is refused. Costs a step per item;
 * keys of wide maps are told apart in scratch memory, under hashes made with the seed. */
static inline enum verdict model_check(struct wire_value root, bool extended, uint64_t seed, struct work *work,
                                       struct model_fault *ret_fault) {
    const struct wire_item *item = &root.document->items[root.index];
    if (!work_spend(work, item->next - root.index)) {
        return VERDICT_LIMIT;
    }
    /* Whoever wrote the tape has noted what is in a container: mostly there is nothing to look for. */
    bool is_container = item->kind == WIRE_ARRAY || item->kind == WIRE_MAP;
    return is_container && (item->mark & model_lacks(extended)) == 0
               ? VERDICT_YES
               : model_sweep(root, extended, seed, work, ret_fault);
}

#endif
