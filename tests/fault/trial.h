/* trial.h: what happens, and what must hold, when one call of the file system fails. */
#ifndef POLARIS_TESTS_FAULT_TRIAL_H
#define POLARIS_TESTS_FAULT_TRIAL_H

#include "es.h"
#include "torture/faults.h"

struct trial {
    const char *what;
    enum fault_kind kind;
    bool persistent;
    int64_t n;
};

/* Fails the test, and goes on, unless there were too many. */
__attribute__((format(printf, 2, 3))) void trial_found(const struct trial *trial, const char *format, ...);
void trial_begin(const struct trial *trial);
/* Of a call that did not end as it does without a fault: it must tell the fault, in words of ours. */
void trial_check_error(const struct trial *trial, int32_t status, const struct es *es);
void trial_expect_dump(const struct trial *trial, const char *path, const char *wanted, const char *when);
/* Opens it without a fault. False: it could not be, and that was told. */
bool trial_start(const struct trial *trial, struct es *es, const char *config);
int trial_descriptors(void);

/* One n in so many is tried, POLARIS_FAULT_STRIDE in the environment, and the first one, another for each number. */
int64_t trial_stride(void);
int64_t trial_first(size_t number, int64_t stride);

#endif
