/* repeat.h: what a host does when it has its store again: it asks how far it is, and repeats what it has not heard the
 * end of. What it is told then is a promise like any other. */
#ifndef POLARIS_TORTURE_REPEAT_H
#define POLARIS_TORTURE_REPEAT_H

#include "torture/call.h"
#include "torture/ledger.h"

struct repeat {
    const struct ledger *ledger; /* changes with each report */
    int reports;                 /* the pipe */
    bool is_once;                /* it ends when it was told something */
    const polaris_es_table *table;
    polaris_es *self;
};

void repeat_requests(const struct repeat *repeat);

#endif
