/* compatible_object.h: what the proofs about members of objects share. */
#ifndef POLARIS_PLUGIN_VALIDATE_COMPATIBLE_OBJECT_H
#define POLARIS_PLUGIN_VALIDATE_COMPATIBLE_OBJECT_H

#include "validate/compatible_prover.h"

/* The names that the set knows, in any case: pushed on the stack of names. False: there may be more. */
bool names_of_set(struct prover *prover, const struct set *set, uint32_t *ret_first, uint32_t *ret_count);
/* The set of the names themselves. */
void names_as_values(struct prover *prover, const struct facts *facts, struct set *ret);
/* Does propertyNames list them all? */
bool names_are_listed(struct prover *prover, const struct facts *facts);
/* May something within the part evaluate the name, so that unevaluatedProperties does not look at it? An absent name is
 * any that no `properties` has. */
bool may_be_evaluated(struct prover *prover, uint32_t part, struct bytes name);

#endif
