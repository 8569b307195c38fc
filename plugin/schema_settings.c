/* schema_settings.c: the names of the settings, and what compatibility modes are made of. */
#include "schema_settings.h"

const char *const SCHEMA_POLICY_NAMES[SCHEMA_POLICY_COUNT + 1] = {"reject", "dead_letter", "warn", "off"};
const char *const SCHEMA_COMPATIBILITY_NAMES[SCHEMA_COMPATIBILITY_COUNT + 1] = {
    "none", "backward", "forward", "full", "backward_transitive", "forward_transitive", "full_transitive"};
const char *const SCHEMA_UNKNOWN_NAMES[SCHEMA_UNKNOWN_COUNT + 1] = {"refuse", "accept", "dry_run"};
const char *const SCHEMA_CONTENT_NAMES[SCHEMA_CONTENT_COUNT + 1] = {"strict", "lenient"};
const char *const SCHEMA_FORMAT_NAMES[SCHEMA_FORMAT_COUNT + 1] = {"annotate", "assert"};

bool schema_compatibility_is_backward(enum schema_compatibility mode) {
    return mode == SCHEMA_COMPATIBILITY_BACKWARD || mode == SCHEMA_COMPATIBILITY_FULL ||
           mode == SCHEMA_COMPATIBILITY_BACKWARD_TRANSITIVE || mode == SCHEMA_COMPATIBILITY_FULL_TRANSITIVE;
}

bool schema_compatibility_is_forward(enum schema_compatibility mode) {
    return mode == SCHEMA_COMPATIBILITY_FORWARD || mode == SCHEMA_COMPATIBILITY_FULL ||
           mode == SCHEMA_COMPATIBILITY_FORWARD_TRANSITIVE || mode == SCHEMA_COMPATIBILITY_FULL_TRANSITIVE;
}

bool schema_compatibility_is_transitive(enum schema_compatibility mode) {
    return mode >= SCHEMA_COMPATIBILITY_BACKWARD_TRANSITIVE;
}

bool schema_settings_are_sound(const struct schema_settings *settings) {
    return (unsigned)settings->policy < SCHEMA_POLICY_COUNT &&
           (unsigned)settings->compatibility < SCHEMA_COMPATIBILITY_COUNT &&
           (unsigned)settings->unknown < SCHEMA_UNKNOWN_COUNT && (unsigned)settings->content < SCHEMA_CONTENT_COUNT &&
           (unsigned)settings->format < SCHEMA_FORMAT_COUNT;
}
