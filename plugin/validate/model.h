/* model.h: does a tape hold what JSON can hold? */
#ifndef POLARIS_PLUGIN_VALIDATE_MODEL_H
#define POLARIS_PLUGIN_VALIDATE_MODEL_H

#include "validate/value.h"

struct model_fault {
    uint32_t item;    /* the value, or the key */
    uint32_t map;     /* of a fault of a key: the map it is in; otherwise WORK_NONE */
    const char *what; /* reads on after "must": a literal */
};

/* VERDICT_NO: *ret_fault says where and why. `extended`: only text that is no UTF-8 is refused. Costs a step per item;
 * keys of wide maps are told apart in scratch memory, under hashes made with the seed. */
enum verdict model_check(struct wire_value root, bool extended, uint64_t seed, struct work *work,
                         struct model_fault *ret_fault);

#endif
