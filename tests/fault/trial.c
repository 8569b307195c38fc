/* trial.c: what every trial of a fault needs. */
#include "trial.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_dump.h"
#include "torture/random.h"

/* Every call; under the sanitizers, which are some ten times slower, every seventh: the release build does the rest. */
#ifdef __SANITIZE_ADDRESS__
enum { STRIDE = 7 };
#else
enum { STRIDE = 1 };
#endif
enum { FINDINGS_MAX = 10 };

static int findings;

void trial_found(const struct trial *trial, const char *format, ...) {
    char text[2 * PROBLEM_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cr_expect_fail("%s, call %lld (%s) %s%s: %s", trial->what, (long long)trial->n, faults_first(),
                   fault_kind_name(trial->kind), trial->persistent ? " from there on" : "", text);
    cr_assert_lt(++findings, FINDINGS_MAX, "and so on");
}

void trial_begin(const struct trial *trial) {
    faults_at(trial->kind, trial->n, trial->persistent);
}

int trial_descriptors(void) {
    int count = 0;
    DIR *entries = opendir("/proc/self/fd");
    cr_assert_not_null(entries);
    while (readdir(entries) != NULL) {
        count++;
    }
    closedir(entries);
    return count;
}

static bool is_of_sqlite(const char *message) {
    static const char *const WORDS[] = {"SQLite", "sqlite", "disk I/O", "database is", "unable to open", "malformed"};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (strstr(message, WORDS[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Of a request that did not end as it does without a fault. */
void trial_check_error(const struct trial *trial, int32_t status, const struct es *es) {
    static const int32_t WANTED[FAULT_KINDS] = {POLARIS_ES_IO, POLARIS_ES_FULL, POLARIS_ES_BUSY};
    const char *message = json_string_value(json_object_get(es->reply, "message"));
    if (status != WANTED[trial->kind]) {
        trial_found(trial, "status %d: %s; %s", status, message != NULL ? message : "no message", es->log);
    } else if (message == NULL || is_of_sqlite(message)) {
        trial_found(trial, "message: %s", message != NULL ? message : "none");
    }
}

void trial_expect_dump(const struct trial *trial, const char *path, const char *wanted, const char *when) {
    char problem[PROBLEM_SIZE];
    char *dump = store_dump(path, problem);
    if (dump == NULL) {
        trial_found(trial, "%s: %s", when, problem);
    } else if (strcmp(dump, wanted) != 0) {
        store_dump_compare(dump, wanted, problem);
        trial_found(trial, "%s: %s", when, problem);
    }
    free(dump);
}

/* Opens it without a fault. False: it could not be, and that was told. */
bool trial_start(const struct trial *trial, struct es *es, const char *config) {
    int32_t status = es_init(es, config);
    if (status != POLARIS_ES_OK) {
        trial_found(trial, "init without a fault: %d, %s", status, es->log);
    }
    return status == POLARIS_ES_OK;
}

/* ---- which n ---- */

int64_t trial_stride(void) {
    const char *text = getenv("POLARIS_FAULT_STRIDE");
    int64_t value = text != NULL ? strtoll(text, NULL, 10) : STRIDE;
    return value > 0 ? value : 1;
}

int64_t trial_first(size_t number, int64_t stride) {
    return 1 + (int64_t)(random_mix(number + 1) % (uint64_t)stride);
}
