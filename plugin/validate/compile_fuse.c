/* compile_fuse.c: the fast code of each subschema, made from its plain one. */
#include "validate/compile.h"

static bool is_leaf(const struct compiler *compiler, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        if (SECTION(compiler, code, struct instruction, i)->op > OP_LAST_ASSERTION) {
            return false;
        }
    }
    return true;
}

enum status compile_fast(struct compiler *compiler) {
    for (uint32_t i = 0; i < compiler->units.count; i++) {
        struct schema_node *node = SECTION(compiler, schemas, struct schema_node, i);
        node->fast = node->plain;
        node->fast_end = node->plain_end;
        for (uint32_t at = node->plain; at < node->plain_end; at++) {
            enum op op = (enum op)SECTION(compiler, code, struct instruction, at)->op;
            node->flags |= op == OP_UNEVALUATED_ITEMS        ? SCHEMA_TRACKS_ITEMS
                           : op == OP_UNEVALUATED_PROPERTIES ? SCHEMA_TRACKS_PROPERTIES
                                                             : 0u;
        }
        if (is_leaf(compiler, node->fast, node->fast_end)) {
            node->flags |= SCHEMA_LEAF;
        }
    }
    return OK;
}
