/* rejected.h: the tasks of `rejected`. */
#ifndef POLARIS_HOST_REJECTED_H
#define POLARIS_HOST_REJECTED_H

#include "cli/task.h"

extern const struct task_kind REJECTED_LIST, REJECTED_SHOW, REJECTED_RESUBMIT, REJECTED_DISCARD;

/* Lists with the task's request, page by page, up to `limit` entries. Returns an exit code; so does what takes a page,
 * and anything but EXIT_OK ends it. */
typedef int rejected_page_function(struct task *task, const json_t *entries, void *context);
int rejected_each_page(struct task *task, int64_t limit, rejected_page_function *take, void *context) WARN_UNUSED;

/* Sets the id of the request. False: it is none, which was told. */
bool rejected_set_id(struct task *task, const char *text) WARN_UNUSED;

#endif
