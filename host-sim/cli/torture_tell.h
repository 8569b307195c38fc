/* torture_tell.h: how a torture goes, and what it found, for those who watch, for those who read later, and for
 * programs. */
#ifndef POLARIS_HOST_TORTURE_TELL_H
#define POLARIS_HOST_TORTURE_TELL_H

#include <jansson.h>

#include "torture/run.h"

/* Zeroed but for `options` and `silent` is ready; `setting` comes when the builds are known. */
struct torture_teller {
    const struct torture_options *options;
    const struct torture_setting *setting; /* NULL: not yet */
    bool silent;                           /* nothing on standard output but the JSON */
    bool is_terminal;                      /* standard error */
    bool drawn;                            /* something stands on its last line */
    int64_t told_us;                       /* of the run: when it was told last */
    int finding_count;
    struct torture_finding findings[TORTURE_FINDINGS_MAX];
};

bool torture_is_bounded(const struct torture_options *options); /* it ends by itself */
unsigned torture_kind_from_name(const char *name);              /* 0: none */

void torture_tell_begin(struct torture_teller *teller);
/* For torture_options.told; the context is the teller. */
void torture_told(void *context, const struct torture_counts *counts, const struct torture_finding *finding);
void torture_tell_clear(struct torture_teller *teller);
/* That it was cut short, if so; on standard error. */
void torture_tell_end(const struct torture_teller *teller, const struct torture_counts *counts);
void torture_tell_sum(const struct torture_teller *teller, const struct torture_counts *counts);
json_t *torture_json(const struct torture_teller *teller, const struct torture_counts *counts);

#endif
