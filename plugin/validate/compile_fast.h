/* compile_fast.h: the instructions that one subschema's fast code is made from. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPILE_FAST_H
#define POLARIS_PLUGIN_VALIDATE_COMPILE_FAST_H

#include "validate/compile.h"

enum { FAST_MAX = 64 /* instructions of others that one subschema takes in */ };

/* An instruction, and which subschema it came from: keywords look at the siblings of their own. */
struct fast_entry {
    struct instruction instruction;
    uint32_t group;
};

struct fast {
    struct compiler *compiler;
    struct vector entries; /* struct fast_entry; op OP_COUNT: taken out */
    uint32_t groups;
};

#define FAST_ENTRY(fast, i) VECTOR_AT((fast)->entries, struct fast_entry, i)

/* The instruction of a group with that op, or NULL. */
struct fast_entry *fast_find(const struct fast *fast, uint32_t group, enum op op);
void fast_add(struct fast *fast, uint32_t group, struct instruction instruction);

/* compile_rest.c: unevaluated* that need no tracking become what they amount to. `evaluates`: by unit, what it may
 * evaluate of a value: set of SCHEMA_TRACKS_*. */
void fast_settle_rest(struct fast *fast, const uint8_t *evaluates);

/* compile_fuse.c: keywords of a group that are one check. */
void fast_fuse(struct fast *fast, uint32_t group);

/* compile_flat.c, once all fast codes are there. */
void fast_mark_kinds(struct compiler *compiler);
void fast_mark_flat(struct compiler *compiler);
/* Then: each key of an object's rule is told what runs its subschema. */
void fast_fill_keys(struct compiler *compiler);

#endif
