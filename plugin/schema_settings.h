/* schema_settings.h: how events of a type are held against its schema, and new versions of it against old ones. Plain
 * data. The numbers stand in the file: they are never given anew. */
#ifndef POLARIS_PLUGIN_SCHEMA_SETTINGS_H
#define POLARIS_PLUGIN_SCHEMA_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* What happens to an event that its schema does not allow. */
enum schema_policy {
    SCHEMA_POLICY_REJECT = 0,      /* the append fails */
    SCHEMA_POLICY_DEAD_LETTER = 1, /* it is kept as a rejected entry, and no event */
    SCHEMA_POLICY_WARN = 2,        /* it is stored, with a warning in the reply and the log */
    SCHEMA_POLICY_OFF = 3,         /* it is stored; nothing is validated */
    SCHEMA_POLICY_COUNT
};

/* What a new version must be able to do, measured against the current one, or (transitive) all before. */
enum schema_compatibility {
    SCHEMA_COMPATIBILITY_NONE = 0,
    SCHEMA_COMPATIBILITY_BACKWARD = 1, /* it allows all that the old one allows */
    SCHEMA_COMPATIBILITY_FORWARD = 2,  /* the old one allows all that it allows */
    SCHEMA_COMPATIBILITY_FULL = 3,     /* both */
    SCHEMA_COMPATIBILITY_BACKWARD_TRANSITIVE = 4,
    SCHEMA_COMPATIBILITY_FORWARD_TRANSITIVE = 5,
    SCHEMA_COMPATIBILITY_FULL_TRANSITIVE = 6,
    SCHEMA_COMPATIBILITY_COUNT
};

/* What becomes of a new version when the check has no answer. */
enum schema_unknown {
    SCHEMA_UNKNOWN_REFUSE = 0,
    SCHEMA_UNKNOWN_ACCEPT = 1,
    SCHEMA_UNKNOWN_DRY_RUN = 2, /* the stored events decide */
    SCHEMA_UNKNOWN_COUNT
};

/* How open objects are taken when versions are compared: lenient supposes that nobody wrote what no schema named. */
enum schema_content { SCHEMA_CONTENT_STRICT = 0, SCHEMA_CONTENT_LENIENT = 1, SCHEMA_CONTENT_COUNT };

enum schema_format_mode { SCHEMA_FORMAT_ANNOTATE = 0, SCHEMA_FORMAT_ASSERT = 1, SCHEMA_FORMAT_COUNT };

/* A zeroed one holds the defaults of a type. */
struct schema_settings {
    enum schema_policy policy;
    enum schema_compatibility compatibility;
    enum schema_unknown unknown;
    enum schema_content content;
    enum schema_format_mode format;
    bool extended; /* payloads may hold what JSON lacks */
};

/* Each ends in NULL; the index is the constant. */
extern const char *const SCHEMA_POLICY_NAMES[SCHEMA_POLICY_COUNT + 1];
extern const char *const SCHEMA_COMPATIBILITY_NAMES[SCHEMA_COMPATIBILITY_COUNT + 1];
extern const char *const SCHEMA_UNKNOWN_NAMES[SCHEMA_UNKNOWN_COUNT + 1];
extern const char *const SCHEMA_CONTENT_NAMES[SCHEMA_CONTENT_COUNT + 1];
extern const char *const SCHEMA_FORMAT_NAMES[SCHEMA_FORMAT_COUNT + 1];

/* The parts of a compatibility mode. */
bool schema_compatibility_is_backward(enum schema_compatibility mode);
bool schema_compatibility_is_forward(enum schema_compatibility mode);
bool schema_compatibility_is_transitive(enum schema_compatibility mode);

/* False: a number that stands for nothing, as damaged files have them. */
bool schema_settings_are_sound(const struct schema_settings *settings);

#endif
