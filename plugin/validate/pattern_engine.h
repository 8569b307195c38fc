/* pattern_engine.h: the three ways to search for a pattern. Inside of pattern.c's family.
 *
 * Each says whether it can do a pattern (*ret stays NULL if not), and takes the sets it needs from the tree by copying.
 */
#ifndef POLARIS_PLUGIN_VALIDATE_PATTERN_ENGINE_H
#define POLARIS_PLUGIN_VALIDATE_PATTERN_ENGINE_H

#include "validate/pattern_tree.h"

/* Literals, anchored or not; and from ^ on a literal and runs of characters that need no trying. */
struct pattern_plain;
WARN_UNUSED enum status pattern_plain_compile(const struct pattern_tree *tree, struct pattern_plain **ret_plain,
                                              struct error *error);
enum pattern_verdict pattern_plain_search(const struct pattern_plain *plain, struct bytes text);
size_t pattern_plain_memory(const struct pattern_plain *plain);

/* Everything regular whose deterministic automaton stays small: one table look-up for each character. */
struct pattern_automaton;
/* *ret_steps: what building it took, or trying to. */
WARN_UNUSED enum status pattern_automaton_compile(const struct pattern_tree *tree,
                                                  struct pattern_automaton **ret_automaton, uint32_t *ret_steps,
                                                  struct error *error);
enum pattern_verdict pattern_automaton_search(const struct pattern_automaton *automaton, struct bytes text);
size_t pattern_automaton_memory(const struct pattern_automaton *automaton);

/* Everything, by backtracking, with every step counted. */
struct pattern_program;
WARN_UNUSED enum status pattern_program_compile(const struct pattern_tree *tree, const struct pattern_limits *limits,
                                                struct pattern_program **ret_program, struct error *error);
/* Takes what it needs from *steps_left; LIMIT when nothing is left. */
enum pattern_verdict pattern_program_search(const struct pattern_program *program, struct bytes text,
                                            uint32_t heap_kib_max, uint64_t *steps_left);
size_t pattern_program_memory(const struct pattern_program *program);

/* Each is one block of memory, freed by free(). */

#endif
