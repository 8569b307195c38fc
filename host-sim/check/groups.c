/* groups.c: the table of all checks. */
#include <fnmatch.h>
#include <string.h>

#include "check/check.h"

/* What every build has first, what takes longest last. */
static const struct check_group *const GROUPS[] = {
    &CHECK_NEGOTIATION, &CHECK_LIFECYCLE, &CHECK_SIZES, &CHECK_OWNERSHIP, &CHECK_REPLIES,
    &CHECK_ERRORS,      &CHECK_STORE,     &CHECK_QUERY, &CHECK_DLQ,       &CHECK_SCHEMA,
    &CHECK_THREADS,     &CHECK_SUBMIT,    &CHECK_SWAP,  &CHECK_KILL,      &CHECK_LEAKS,
};

const struct check *check_at(size_t index) {
    for (size_t i = 0; i < sizeof GROUPS / sizeof GROUPS[0]; i++) {
        if (index < GROUPS[i]->count) {
            return &GROUPS[i]->checks[index];
        }
        index -= GROUPS[i]->count;
    }
    return NULL;
}

bool check_is_meant(const struct check *check, const char *pattern) {
    return strncmp(check->name, pattern, strlen(pattern)) == 0 || fnmatch(pattern, check->name, 0) == 0;
}

/* What a script asks of an open store it may ask of one without a file as well, unless it opens it again. */
static bool lives_without_a_file(const struct check *check) {
    bool lives = check->run == NULL;
    for (size_t i = 0; i < STEPS_MAX && check->steps[i].verb != NULL; i++) {
        lives = lives && strcmp(check->steps[i].verb, "reopen") != 0;
    }
    return lives;
}

const char *check_missing(const struct check *check, uint64_t has) {
    static const struct {
        uint64_t bit;
        const char *text;
    } NEEDS[] = {
        {NEEDS_FILE, "keeps no file"},
        {POLARIS_ES_CAN_APPEND, "has no append"},
        {POLARIS_ES_CAN_QUERY, "has no query"},
        {POLARIS_ES_CAN_LONG_POLL, "has no wait_us"},
        {POLARIS_ES_CAN_DEAD_LETTERS, "has no dead letters"},
        {POLARIS_ES_CAN_SCHEMAS, "has no schemas"},
        {POLARIS_ES_CAN_VALIDATE, "has no validation"},
        {POLARIS_ES_CAN_WAKE, "does not call wake"},
        {POLARIS_ES_CAN_READ_MODE, "has no mode \"read\""},
        {POLARIS_ES_CAN_SUBMIT, "has no submit"},
        {NEEDS_MINOR_1, "is of a revision before 1.1"},
    };
    uint64_t needs = check->needs & ~(lives_without_a_file(check) ? NEEDS_FILE : 0);
    for (size_t i = 0; i < sizeof NEEDS / sizeof NEEDS[0]; i++) {
        if ((needs & NEEDS[i].bit) != 0 && (has & NEEDS[i].bit) == 0) {
            return NEEDS[i].text;
        }
    }
    return NULL;
}
